//! Files as tar archives.

use std::io::{self, Cursor, Read as _};

use tar::{Archive, Builder, EntryType, Header};

use super::{Content, Entry, Files, MAX_PATH, MAX_SIZE, absolute, parent};

/// The unit of an archive, in bytes.
const BLOCK: usize = 512;

/// The number of entries of an archive that are unpacked at once, and the number of bytes, about.
const PART: usize = 64;
const PART_SIZE: usize = 1024 * 1024;

/// The part of an archive that is unpacked.
#[derive(Debug, Default)]
pub(in super::super) struct Unpacked {
    /// The names of the files and folders.
    pub(in super::super) names: Vec<String>,
    /// The words about what is neither.
    pub(in super::super) problems: Vec<String>,
    /// The position of the next entry, unless it was the last.
    pub(in super::super) next: Option<usize>,
}

impl Files {
    /// The number of bytes of an archive, at most, as far as there is room for one.
    pub(in super::super) fn packed_size(&self, paths: &[(String, String)]) -> usize {
        let entries = paths.iter().flat_map(|(path, name)| {
            // Headers, one of which is for a long name, and the parts of a block that are filled up.
            self.below(path).map(|(other, entry)| 5 * BLOCK + name.len() + other.len() + entry.length())
        });
        (entries.sum::<usize>() + 2 * BLOCK).min(MAX_SIZE)
    }

    /// A tar archive of files and folders, each with the name that it gets. The size is that of
    /// [`packed_size`](Self::packed_size).
    pub(in super::super) fn pack(&self, paths: &[(String, String)], size: usize) -> Result<Vec<u8>, String> {
        let mut archive = Builder::new(Vec::with_capacity(size));
        for (path, name) in paths {
            if self.get(path).is_none() {
                return Err(format!("{name}: No such file or directory"));
            }
            for (other, entry) in self.below(path) {
                let inner = format!("{}{}", name.trim_end_matches('/'), &other[path.len()..]);
                // The root has no name of its own.
                let inner = match inner.trim_start_matches('/') {
                    "" => ".",
                    inner => inner,
                };
                let mut header = Header::new_gnu();
                header.set_mode(entry.mode);
                header.set_mtime(entry.modified.try_into().unwrap_or(0));
                if archive.get_ref().len() + entry.length() > MAX_SIZE {
                    return Err("No space left on device".to_owned());
                }
                let added = match &entry.content {
                    Content::Link(target) => {
                        header.set_entry_type(EntryType::Symlink);
                        header.set_size(0);
                        archive.append_link(&mut header, inner, target)
                    }
                    Content::Folder => {
                        header.set_entry_type(EntryType::Directory);
                        header.set_size(0);
                        archive.append_data(&mut header, inner, io::empty())
                    }
                    Content::File(content) => {
                        header.set_entry_type(EntryType::Regular);
                        header.set_size(content.len().try_into().unwrap_or(u64::MAX));
                        archive.append_data(&mut header, inner, &content[..])
                    }
                };
                added.map_err(|error| format!("{inner}: {error}"))?;
            }
        }
        archive.into_inner().map_err(|error| error.to_string())
    }

    /// Writes some of the files of a tar archive to a folder, from the entry at a position on. Names that lead out of it
    /// lead to its inside.
    pub(in super::super) fn unpack(
        &mut self,
        folder: &str,
        archive: &[u8],
        start: usize,
    ) -> Result<Unpacked, String> {
        let mut unpacked = Unpacked::default();
        let broken = |error: io::Error| format!("invalid tar archive: {error}");
        let total = archive.len();
        let mut archive = Archive::new(Cursor::new(&archive[start..]));
        let (mut seen, mut size, mut position) = (0, 0, start);
        for entry in archive.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            if seen == PART || size > PART_SIZE {
                unpacked.next = Some(position);
                break;
            }
            if entry.path_bytes().len() > MAX_PATH {
                return Err("File name too long".to_owned());
            }
            let end = entry.raw_file_position().saturating_add(entry.size());
            let end = usize::try_from(end).map_err(|_| "File too large")?;
            position = start.saturating_add(end).div_ceil(BLOCK).saturating_mul(BLOCK).min(total);
            seen += 1;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let failed = |problem: &str| format!("can't open '{name}': {problem}");
            if std::str::from_utf8(&entry.path_bytes()).is_err() {
                // Two such names would be the same text.
                return Err(failed("Invalid or incomplete multibyte or wide character"));
            }
            let path = format!("{folder}{}", absolute("", &name));
            // The folders on the way may be links, and a file takes the place of one.
            let path = self.resolve("", &path, false);
            let (mode, modified) = (entry.header().mode(), entry.header().mtime());
            let content = match entry.header().entry_type() {
                EntryType::Directory => Content::Folder,
                EntryType::Regular | EntryType::Continuous => {
                    let mut content = Vec::new();
                    entry.read_to_end(&mut content).map_err(broken)?;
                    Content::File(content.into())
                }
                EntryType::Symlink => {
                    let target = entry.link_name_bytes().unwrap_or_default();
                    let target = String::from_utf8_lossy(&target).into_owned();
                    if let Some(parent) = parent(&path) {
                        self.make_folder(parent, true).map_err(failed)?;
                    }
                    match self.link(&path, &target, true) {
                        Ok(()) => unpacked.names.push(name),
                        Err(problem) => {
                            let problem = format!("can't create symlink '{name}' to '{target}': {problem}");
                            unpacked.problems.push(problem);
                        }
                    }
                    continue;
                }
                // Of all that follows.
                EntryType::XGlobalHeader => continue,
                kind => {
                    let what = match kind {
                        EntryType::Link => "hardlink",
                        _ => "node",
                    };
                    let to = entry.link_name_bytes().map(|to| String::from_utf8_lossy(&to).into_owned());
                    let to = to.map(|to| format!(" to '{to}'")).unwrap_or_default();
                    unpacked
                        .problems
                        .push(format!("can't create {what} '{name}'{to}: Operation not supported"));
                    continue;
                }
            };
            if let Some(parent) = parent(&path) {
                self.make_folder(parent, true).map_err(failed)?;
            }
            let is_folder = matches!(content, Content::Folder);
            if !is_folder && self.is_folder(&path) {
                return Err(failed("Is a directory"));
            }
            let modified = modified.ok().and_then(|time| time.try_into().ok()).unwrap_or(0);
            if !(is_folder && self.is_folder(&self.resolve("", &path, true))) {
                let entry = Entry { mode: mode.unwrap_or(0o644), modified, content };
                size += entry.length();
                self.put(&path, entry).map_err(failed)?;
            }
            unpacked.names.push(name);
        }
        Ok(unpacked)
    }
}

/// The names in a tar archive.
pub(in super::super) fn names(archive: &[u8]) -> Result<Vec<String>, String> {
    let broken = |error: io::Error| format!("invalid tar archive: {error}");
    let mut archive = Archive::new(Cursor::new(archive));
    let entries = archive.entries().map_err(broken)?;
    let name = |entry: io::Result<tar::Entry<'_, _>>| {
        entry.map(|entry| String::from_utf8_lossy(&entry.path_bytes()).into_owned())
    };
    entries.map(|entry| name(entry).map_err(broken)).collect()
}
