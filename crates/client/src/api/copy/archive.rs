//! [`archive`], the archive of local files for a container.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::pipe::Writer;
use super::progress::{Mark, Marks, Stepping};
use super::{CHUNK, CopySummary};

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
    marks: Option<Marks>,
) -> io::Result<CopySummary> {
    let position = Rc::<Cell<u64>>::default();
    let writer = Counted { inner: BufWriter::with_capacity(CHUNK, writer), position: position.clone() };
    let mut builder = tar::Builder::new(writer);
    let total_length = marks.as_ref().map(|_| length_of(local));
    let mark = |path: &Path, bytes: u64, length: u64, before: u64| {
        if let Some(marks) = &marks {
            let (position, path) = (position.get(), path.to_owned());
            marks.add(Mark { position, path, bytes, length, total: before + bytes, total_length });
        }
    };
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
            let before = summary.bytes;
            let tell = |bytes, length| mark(&path, bytes, length, before);
            let bytes = append_file(&mut builder, &path, &name, tell).map_err(of_path)?;
            mark(&path, bytes, bytes, before);
            summary.add(bytes);
            continue;
        } else if kind.is_symlink() {
            builder.append_path_with_name(&path, &name).map_err(of_path)?;
        } else {
            summary.skipped.push((path, "it is neither a file nor a folder nor a link".to_owned()));
            continue;
        }
        mark(&path, 0, 0, summary.bytes);
        summary.add(0);
    }
    builder.into_inner()?.flush()?;
    Ok(summary)
}

/// Appends a file with the length that it has now; its length. One that grows meanwhile is cut, and one that shrinks is
/// padded with zeros, so that later entries are where `tar` looks for them.
///
/// `tell` gets the bytes of it that are in the archive while there are more to come, and the length.
fn append_file(
    builder: &mut tar::Builder<impl Write>,
    path: &Path,
    name: &Path,
    tell: impl Fn(u64, u64),
) -> io::Result<u64> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&metadata);
    let length = metadata.len();
    let data = file.chain(io::repeat(0)).take(length);
    builder.append_data(&mut header, name, Stepping::new(data, length, |bytes| tell(bytes, length)))?;
    Ok(length)
}

/// The bytes of all files of a file or folder, so far as they can be seen.
fn length_of(path: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else { return 0 };
    if metadata.is_file() {
        return metadata.len();
    }
    if !metadata.is_dir() {
        return 0;
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| length_of(&entry.path())).sum()
}

/// A writer that counts what is written.
struct Counted {
    inner: BufWriter<Writer>,
    position: Rc<Cell<u64>>,
}

impl Write for Counted {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(data)?;
        self.position.set(self.position.get() + count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
