//! [`archive`], the archive of local files for a container.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::pipe::Writer;
use super::{CHUNK, CopyProgress, CopySummary};

/// The place of a copy in a container.
pub(super) struct Target {
    /// The folder in which `tar` unpacks; empty for its working directory.
    pub(super) folder: String,
    /// The name of the copy in the folder.
    pub(super) name: String,
}

impl Target {
    /// The place of the copy of a local path; none if that has no name, such as `..`.
    pub(super) fn new(local: &Path, remote: &str, is_folder: bool) -> Option<Self> {
        let trimmed = match remote.trim_end_matches('/') {
            "" => "/",
            trimmed => trimmed,
        };
        if is_folder {
            let named = match local.file_name() {
                Some(name) => name.to_owned(),
                None => fs::canonicalize(local).ok()?.file_name()?.to_owned(),
            };
            return Some(Target { folder: trimmed.to_owned(), name: named.to_string_lossy().into_owned() });
        }
        let (folder, name) = match trimmed.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some((folder, name)) => (folder, name),
            None => ("", trimmed),
        };
        (!name.is_empty()).then(|| Target { folder: folder.to_owned(), name: name.to_owned() })
    }
}

/// Writes the archive of a file or folder under a name. Links stay links, and files that are none are skipped.
pub(super) fn archive(
    writer: Writer,
    local: &Path,
    name: &str,
    progress: Option<&CopyProgress>,
) -> io::Result<CopySummary> {
    let mut builder = tar::Builder::new(BufWriter::with_capacity(CHUNK, writer));
    builder.follow_symlinks(false);
    builder.sparse(false);
    let mut summary = CopySummary::default();
    // Folders before what they have.
    let mut left = vec![(local.to_owned(), PathBuf::from(name))];
    while let Some((path, name)) = left.pop() {
        let of_path = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let metadata = fs::symlink_metadata(&path).map_err(of_path)?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            builder.append_dir(&name, &path).map_err(of_path)?;
            let mut entries =
                fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(of_path)?;
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
            left.extend(entries.iter().map(|entry| (entry.path(), name.join(entry.file_name()))));
        } else if kind.is_file() {
            let bytes = append_file(&mut builder, &path, &name).map_err(of_path)?;
            summary.add(&path, bytes, progress);
            continue;
        } else if kind.is_symlink() {
            builder.append_path_with_name(&path, &name).map_err(of_path)?;
        } else {
            summary.skipped.push((path, "it is neither a file nor a folder nor a link".to_owned()));
            continue;
        }
        summary.add(&path, 0, progress);
    }
    builder.into_inner()?.flush()?;
    Ok(summary)
}

/// Appends a file with the length that it has now; its length. One that grows meanwhile is cut, and one that shrinks is
/// padded with zeros, so that later entries are where `tar` looks for them.
fn append_file(builder: &mut tar::Builder<BufWriter<Writer>>, path: &Path, name: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&metadata);
    let length = metadata.len();
    builder.append_data(&mut header, name, file.chain(io::repeat(0)).take(length))?;
    Ok(length)
}
