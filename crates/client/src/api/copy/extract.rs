//! [`extract`], the files of an archive that a container has made, which is not trusted.
//!
//! Entries are written below the target only, and their parts are plain names: one with `..`, an absolute one and one that
//! is not below the copied path is skipped. Symbolic links are not made, so that none can lead a later entry out;
//! neither are devices. A hard link leads to a file of the same archive.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use klient_apimachinery::go::quoted;
use tar::{Archive, Entry, EntryType};

use super::pipe::Reader;
use super::progress::Stepping;
use super::rationed::Rationed;
use super::{CopiedEntry, CopyProgress, CopySummary};

/// The number of bytes that an archive may have between the data of two entries: headers and long names, which are read
/// into memory.
const MAX_BETWEEN: u64 = 1 << 20;

/// The number of bytes behind the end of an archive that are read. `tar` fills its last record, of 10 KiB unless it is told
/// otherwise.
const MAX_PADDING: u64 = 1 << 20;

/// The number of skipped entries that are told, and of the bytes of their names and reasons.
const MAX_SKIPPED: usize = 100_000;
const MAX_SKIPPED_BYTES: usize = 16 << 20;

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
    let (reader, ration, is_at_end) = Rationed::new(reader, MAX_BETWEEN);
    let mut archive = Archive::new(reader);
    let mut summary = CopySummary::default();
    let mut room = MAX_SKIPPED_BYTES;
    // The files that hard links name. A name has many forms, of which one is kept.
    let mut written: HashMap<PathBuf, PathBuf> = HashMap::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        // A sparse file claims a size that the archive does not have.
        let length = match entry.header().entry_type() {
            EntryType::GNUSparse => entry.header().entry_size()?,
            _ => entry.size(),
        };
        ration.set(length.saturating_add(MAX_BETWEEN));
        let named = entry.path()?.into_owned();
        let Some(below) = below(&named, &source.prefix) else {
            skip(&mut summary, &mut room, named, "it points outside of the target".to_owned());
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
        if leads_elsewhere(&target, local) {
            skip(&mut summary, &mut room, named, "it is below a symbolic link in the target".to_owned());
            continue;
        }
        let of_path = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => error,
            kind => io::Error::new(kind, format!("{}: {error}", quoted(target.to_string_lossy()))),
        };
        let is_written = |name: &Path| written.get(&self::below(name, &source.prefix)?);
        let place = Place {
            target: &target,
            has_other_names: written.contains_key(&below),
            is_named_by_caller: target == local,
        };
        let before = summary.bytes;
        let tell = |bytes, length| {
            if let Some(progress) = progress {
                let total = before + bytes;
                progress.tell(&CopiedEntry { path: &target, bytes, length, total, total_length: None });
            }
        };
        let is_folder = entry.header().entry_type().is_dir();
        match write(&mut entry, place, is_written, tell).map_err(of_path)? {
            Ok(bytes) => {
                tell(bytes, bytes);
                summary.add(bytes);
                if !is_folder {
                    written.insert(below, target);
                }
            }
            Err(reason) => skip(&mut summary, &mut room, named, reason),
        }
    }
    // A block of zeros ends an archive. One that was cut between two entries has none.
    if is_at_end.get() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends without its last block"));
    }
    ration.set(u64::MAX);
    // The padding of the archive is read, so that the peer can write it all. One that writes on is ended.
    io::copy(&mut archive.into_inner().take(MAX_PADDING), &mut io::sink())?;
    Ok(summary)
}

/// Notes an entry that is not copied, unless there are very many, or very long ones.
fn skip(summary: &mut CopySummary, room: &mut usize, named: PathBuf, reason: String) {
    match room.checked_sub(named.as_os_str().len() + reason.len()) {
        Some(rest) if summary.skipped.len() < MAX_SKIPPED => {
            *room = rest;
            summary.skipped.push((named, reason));
        }
        // Shorter ones behind it would hide that some are missing.
        _ => *room = 0,
    }
}

/// Returns true if a folder between the target of the copy and that of an entry is a symbolic link.
fn leads_elsewhere(target: &Path, local: &Path) -> bool {
    let mut folders =
        target.ancestors().skip(1).take_while(|folder| *folder != local && folder.starts_with(local));
    folders.any(is_symlink)
}

fn is_symlink(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

/// The part of an entry's name below the copied path.
fn below(named: &Path, prefix: &Path) -> Option<PathBuf> {
    if named.has_root() {
        return None;
    }
    names(named)?.strip_prefix(prefix).ok().map(Path::to_owned)
}

/// The place of an entry.
#[derive(Clone, Copy)]
struct Place<'a> {
    target: &'a Path,
    /// The file of an entry before has this name, and may have others.
    has_other_names: bool,
    /// The target is that of the copy. A link there is the caller's, and is written through.
    is_named_by_caller: bool,
}

/// Writes an entry; its length, or the reason for which it is skipped. `tell` gets the bytes so far, and the length, while
/// there are more to come.
fn write<'a>(
    entry: &mut Entry<'_, Rationed>,
    Place { target, has_other_names, is_named_by_caller }: Place<'_>,
    is_written: impl Fn(&Path) -> Option<&'a PathBuf>,
    tell: impl Fn(u64, u64),
) -> io::Result<Result<u64, String>> {
    let kind = entry.header().entry_type();
    match kind {
        EntryType::Directory => {
            fs::create_dir_all(target)?;
            return Ok(Ok(0));
        }
        EntryType::Regular | EntryType::Continuous | EntryType::Link => {}
        // Its data is as long as it claims, however short the archive is.
        EntryType::GNUSparse => return Ok(Err("it is a sparse file".to_owned())),
        EntryType::Symlink => {
            let to = entry.link_name()?.unwrap_or_default();
            return Ok(Err(format!("it is a symbolic link to {}", quoted(to.to_string_lossy()))));
        }
        _ => return Ok(Err("it is neither a file nor a folder".to_owned())),
    }
    let linked = match kind {
        EntryType::Link => match entry.link_name()?.and_then(|to| is_written(&to)) {
            Some(linked) => Some(linked),
            None => return Ok(Err("it is a link to a file that is not copied".to_owned())),
        },
        _ => None,
    };
    // It would be removed before it is linked to itself.
    if linked.is_some_and(|linked| linked == target) {
        return Ok(Ok(0));
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    // A link that is there already leads elsewhere, and a file of this archive may have other names, which keep it.
    let is_replaced = is_symlink(target) || linked.is_some() || has_other_names;
    if is_replaced && !is_named_by_caller {
        match fs::remove_file(target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    if let Some(linked) = linked {
        // One file, so that an archive takes no more room than it has bytes.
        let made = fs::hard_link(linked, target).map(|()| 0);
        return Ok(made.map_err(|error| {
            format!("it cannot be linked to {}: {error}", quoted(linked.to_string_lossy()))
        }));
    }
    let file = File::create(target)?;
    let length = entry.size();
    let mut stepping = Stepping::new(&file, length, |bytes| tell(bytes, length));
    let copied = io::copy(entry, &mut stepping)?;
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

    let metadata = file.metadata()?;
    // The caller may have named a device.
    if mode & 0o100 == 0 || !metadata.is_file() {
        return Ok(());
    }
    let own = metadata.permissions().mode();
    file.set_permissions(fs::Permissions::from_mode(own | (own & 0o444) >> 2))
}

#[cfg(not(unix))]
fn set_executable(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}
