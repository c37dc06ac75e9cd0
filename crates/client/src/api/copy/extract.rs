//! [`extract`], the files of an archive that a container has made, which is not trusted.
//!
//! Entries are written below the target only, and their parts are plain names: one with `..`, an absolute one and one that
//! is not below the copied path is skipped. Links are not made, so that none can lead a later entry out; neither are
//! devices.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use tar::{Archive, Entry, EntryType};

use super::pipe::Reader;
use super::{CopyProgress, CopySummary};

/// The path in the container that is copied.
#[derive(Clone, Debug)]
pub(super) struct Source {
    argument: String,
    /// The path of entries: without slashes at the beginning and without `.` parts, as `tar` writes it.
    prefix: PathBuf,
}

impl Source {
    pub(super) fn new(remote: &str) -> Result<Self, String> {
        if remote.is_empty() {
            return Err("filepath can not be empty".to_owned());
        }
        let trimmed = match remote.trim_end_matches('/') {
            "" => "/",
            trimmed => trimmed,
        };
        // A name that begins with `-` is no option.
        let argument = if trimmed.starts_with('-') { format!("./{trimmed}") } else { trimmed.to_owned() };
        let prefix = names(Path::new(&argument)).ok_or("the path in the container has a part ..")?;
        Ok(Source { argument, prefix })
    }

    /// The argument of `tar`.
    pub(super) fn argument(&self) -> &str {
        &self.argument
    }
}

/// The plain names of a path, without the root; none if it has `..`.
fn names(path: &Path) -> Option<PathBuf> {
    let mut names = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    Some(names)
}

/// Writes the files of an archive: below the target if it is a folder or the copied path is one, and otherwise the one
/// file as the target.
pub(super) fn extract(
    reader: Reader,
    source: &Source,
    local: &Path,
    progress: Option<&CopyProgress>,
) -> io::Result<CopySummary> {
    let mut archive = Archive::new(reader);
    let mut summary = CopySummary::default();
    // What hard links name.
    let mut written: HashMap<PathBuf, PathBuf> = HashMap::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let named = entry.path()?.into_owned();
        let Some(below) = below(&named, &source.prefix) else {
            summary.skipped.push((named, "it points outside of the target".to_owned()));
            continue;
        };
        let target = match below.as_os_str().is_empty() {
            // A file of its own goes into a folder.
            true if !entry.header().entry_type().is_dir() && local.is_dir() => {
                local.join(source.prefix.file_name().unwrap_or_default())
            }
            true => local.to_owned(),
            false => local.join(&below),
        };
        let of_path = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => error,
            kind => io::Error::new(kind, format!("{}: {error}", target.display())),
        };
        match write(&mut entry, &target, &written).map_err(of_path)? {
            Ok(bytes) => {
                summary.add(&target, bytes, progress);
                written.insert(named, target);
            }
            Err(reason) => summary.skipped.push((named, reason)),
        }
    }
    // What pads the archive, so that the peer can write it all.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok(summary)
}

/// The part of an entry's name below the copied path.
fn below(named: &Path, prefix: &Path) -> Option<PathBuf> {
    if named.has_root() {
        return None;
    }
    names(named)?.strip_prefix(prefix).ok().map(Path::to_owned)
}

/// Writes an entry; its length, or the reason for which it is skipped.
fn write(
    entry: &mut Entry<'_, Reader>,
    target: &Path,
    written: &HashMap<PathBuf, PathBuf>,
) -> io::Result<Result<u64, String>> {
    let kind = entry.header().entry_type();
    match kind {
        EntryType::Directory => {
            fs::create_dir_all(target)?;
            return Ok(Ok(0));
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse | EntryType::Link => {}
        EntryType::Symlink => {
            let to = entry.link_name()?.unwrap_or_default().display().to_string();
            return Ok(Err(format!("it is a symbolic link to {to}")));
        }
        _ => return Ok(Err("it is neither a file nor a folder".to_owned())),
    }
    let linked = match kind {
        EntryType::Link => match entry.link_name()?.and_then(|to| written.get(&*to)) {
            Some(linked) => Some(linked),
            None => return Ok(Err("it is a link to a file that is not copied".to_owned())),
        },
        _ => None,
    };
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    if let Some(linked) = linked {
        return fs::copy(linked, target).map(Ok);
    }
    // A link that is there already leads elsewhere.
    if fs::symlink_metadata(target).is_ok_and(|metadata| metadata.is_symlink()) {
        fs::remove_file(target)?;
    }
    let mut file = File::create(target)?;
    let length = entry.size();
    let copied = io::copy(entry, &mut file)?;
    if copied < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    set_executable(&file, entry.header().mode().unwrap_or_default())?;
    Ok(Ok(copied))
}

/// Lets those execute a file who may read it, if its owner may execute it in the container.
#[cfg(unix)]
fn set_executable(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    if mode & 0o100 == 0 {
        return Ok(());
    }
    let own = file.metadata()?.permissions().mode();
    file.set_permissions(fs::Permissions::from_mode(own | (own & 0o444) >> 2))
}

#[cfg(not(unix))]
fn set_executable(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}
