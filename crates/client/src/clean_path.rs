//! Paths in their shortest form.

use std::path::{Component, Path, PathBuf};

/// The path without `.` and `..`, as Go's `filepath.Clean`: `..` stays where there is nothing before it to leave.
pub(crate) fn clean_path(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            Component::ParentDir if clean.has_root() => {}
            other => clean.push(other),
        }
    }
    if clean.as_os_str().is_empty() { PathBuf::from(".") } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (path, cleaned) in [
            ("aws", "aws"),
            ("./aws", "aws"),
            ("/usr//bin/../bin/./aws", "/usr/bin/aws"),
            ("/../aws", "/aws"),
            ("../a/..", ".."),
            ("a/..", "."),
        ] {
            assert_eq!(clean_path(Path::new(path)), Path::new(cleaned), "{path}");
        }
    }
}
