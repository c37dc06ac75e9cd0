//! The search for programs in `PATH`.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

/// The program of a command: the path itself if it has a separator, else the first in `PATH` (Go's `exec.LookPath`).
pub(super) fn find(command: &str) -> Option<PathBuf> {
    if has_separator(command) {
        return runnable(Path::new(command));
    }
    let path = std::env::var_os("PATH")?;
    // Go does not run programs of the working folder by their name alone.
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(command)).find_map(|path| runnable(&path))
}

/// Returns true for a path, false for a name that is looked up.
pub(crate) fn has_separator(command: &str) -> bool {
    command.contains('/') || command.contains(MAIN_SEPARATOR)
}

#[cfg(unix)]
fn runnable(path: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = path.metadata().ok()?;
    (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0).then(|| path.to_owned())
}

#[cfg(not(unix))]
fn runnable(path: &Path) -> Option<PathBuf> {
    let names = ["", ".exe", ".cmd", ".bat"].map(|extension| {
        let mut name = path.as_os_str().to_owned();
        name.push(extension);
        PathBuf::from(name)
    });
    names.into_iter().find(|path| path.is_file())
}
