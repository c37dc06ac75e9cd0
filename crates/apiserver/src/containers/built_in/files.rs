//! [`Files`], the file system of a container, in memory.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read as _};

use bytes::{Bytes, BytesMut};
use klient_apimachinery::Time;
use tar::{Archive, Builder, EntryType, Header};

/// The number of bytes that the files of a container take at most.
const MAX_SIZE: usize = 256 * 1024 * 1024;

/// The number of files and folders of a container.
const MAX_FILES: usize = 100_000;

/// The longest path, in bytes, as that of Linux.
const MAX_PATH: usize = 4096;

/// The unit of an archive, in bytes.
const BLOCK: usize = 512;

/// The number of entries of an archive that are unpacked at once, and the number of bytes, about.
const PART: usize = 64;
const PART_SIZE: usize = 1024 * 1024;

/// The part of an archive that is unpacked.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    /// The names of the files and folders.
    pub(super) names: Vec<String>,
    /// The words about what is neither.
    pub(super) problems: Vec<String>,
    /// The position of the next entry, unless it was the last.
    pub(super) next: Option<usize>,
}

/// A file or folder.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) mode: u32,
    pub(super) modified: i64,
    /// None for a folder.
    pub(super) content: Option<Bytes>,
}

/// Files and folders by their absolute paths, without `.`, `..` and slashes at the end; the root is the empty path.
#[derive(Clone, Debug)]
pub(super) struct Files {
    entries: BTreeMap<String, Entry>,
    /// The bytes of the contents and of the paths.
    size: usize,
}

/// A path that is absolute and has no `.`, `..` and empty parts, as the keys of [`Files`] are.
pub(super) fn absolute(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let folder = if path.starts_with('/') { "" } else { folder };
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.iter().map(|part| format!("/{part}")).collect()
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

impl Files {
    /// The folders of a small system.
    pub(super) fn new(hostname: &str) -> Self {
        let mut files = Files { entries: BTreeMap::new(), size: 0 };
        files.entries.insert(String::new(), Entry::folder());
        let folders = ["/bin", "/etc", "/root", "/tmp", "/var", "/var/log"];
        let folders = folders.into_iter().map(|folder| (folder, Entry::folder()));
        let hostname = ("/etc/hostname", Entry::file(format!("{hostname}\n").into()));
        for (path, entry) in folders.chain([hostname]) {
            files.size += path.len() + entry.length();
            files.entries.insert(path.to_owned(), entry);
        }
        files
    }

    pub(super) fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    pub(super) fn is_folder(&self, path: &str) -> bool {
        self.get(path).is_some_and(|entry| entry.content.is_none())
    }

    /// The content of a file.
    pub(super) fn read(&self, path: &str) -> Result<Bytes, &'static str> {
        match self.get(path) {
            Some(Entry { content: Some(content), .. }) => Ok(content.clone()),
            Some(_) => Err("Is a directory"),
            None => Err("No such file or directory"),
        }
    }

    /// Makes an empty file, unless there is one.
    pub(super) fn touch(&mut self, path: &str) -> Result<(), &'static str> {
        match self.entries.get_mut(path) {
            Some(Entry { content: None, .. }) => Err("Is a directory"),
            Some(entry) => {
                entry.modified = Time::now().unix();
                Ok(())
            }
            None => self.put(path, Entry::file(Bytes::new())),
        }
    }

    /// Adds to a file. One that has been removed meanwhile has no name any more, and takes everything.
    pub(super) fn append(&mut self, path: &str, data: &[u8]) -> Result<(), &'static str> {
        let Some(entry) = self.entries.get_mut(path) else { return Ok(()) };
        let content = entry.content.as_mut().ok_or("Is a directory")?;
        if self.size + data.len() > MAX_SIZE {
            return Err("No space left on device");
        }
        self.size += data.len();
        // Without a copy, unless somebody reads the file just now.
        let mut grown = std::mem::take(content).try_into_mut().unwrap_or_else(BytesMut::from);
        grown.extend_from_slice(data);
        *content = grown.freeze();
        entry.modified = Time::now().unix();
        Ok(())
    }

    /// Writes a file.
    pub(super) fn write(&mut self, path: &str, content: Bytes) -> Result<(), &'static str> {
        if self.is_folder(path) {
            return Err("Is a directory");
        }
        let mode = self.get(path).map_or(0o644, |entry| entry.mode);
        self.put(path, Entry { mode, ..Entry::file(content) })
    }

    pub(super) fn make_folder(&mut self, path: &str, with_parents: bool) -> Result<(), &'static str> {
        if path.len() > MAX_PATH {
            return Err("File name too long");
        }
        // A file or folder that is there has all its parents, so that the search goes up to the first of them.
        let mut missing = Vec::new();
        let mut folder = path;
        loop {
            match self.get(folder) {
                Some(entry) if with_parents && entry.content.is_none() => break,
                Some(_) => return Err("File exists"),
                None => missing.push(folder),
            }
            match parent(folder) {
                Some(parent) if with_parents => folder = parent,
                _ => break,
            }
        }
        missing.into_iter().rev().try_for_each(|folder| self.put(folder, Entry::folder()))
    }

    fn put(&mut self, path: &str, entry: Entry) -> Result<(), &'static str> {
        if path.len() > MAX_PATH {
            return Err("File name too long");
        }
        if !parent(path).is_some_and(|parent| self.is_folder(parent)) {
            return Err("No such file or directory");
        }
        let before = self.get(path).map_or(0, |before| path.len() + before.length());
        let size = self.size - before + path.len() + entry.length();
        if size > MAX_SIZE || self.entries.len() >= MAX_FILES {
            return Err("No space left on device");
        }
        self.size = size;
        self.entries.insert(path.to_owned(), entry);
        Ok(())
    }

    /// Removes a file, or a folder with all that is in it.
    pub(super) fn remove(&mut self, path: &str, recursive: bool) -> Result<(), &'static str> {
        match self.get(path) {
            None => return Err("No such file or directory"),
            Some(entry) if entry.content.is_none() && !recursive => return Err("Is a directory"),
            Some(_) => {}
        }
        let below = format!("{path}/");
        let gone: Vec<String> = self.below(path).map(|(path, _)| path.clone()).collect();
        for path in gone.into_iter().filter(|other| other == path || other.starts_with(&below)) {
            let removed = self.entries.remove(&path);
            self.size -= removed.map_or(0, |entry| path.len() + entry.length());
        }
        Ok(())
    }

    /// A file or folder, and all that is in it, in the order of their paths.
    pub(super) fn below(&self, path: &str) -> impl Iterator<Item = (&String, &Entry)> {
        let below = format!("{path}/");
        let path = path.to_owned();
        let all = self.entries.range(path.clone()..);
        all.take_while({
            let path = path.clone();
            move |(other, _)| other.starts_with(&path)
        })
        .filter(move |(other, _)| **other == path || other.starts_with(&below))
    }

    /// The names in a folder.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let below = format!("{path}/");
        let paths = self.below(path).filter_map(|(other, _)| other.strip_prefix(&below));
        paths.filter(|name| !name.contains('/')).map(str::to_owned).collect()
    }

    /// The number of bytes of an archive, at most, as far as there is room for one.
    pub(super) fn packed_size(&self, paths: &[(String, String)]) -> usize {
        let entries = paths.iter().flat_map(|(path, name)| {
            // Headers, one of which is for a long name, and the parts of a block that are filled up.
            self.below(path).map(|(other, entry)| 5 * BLOCK + name.len() + other.len() + entry.length())
        });
        (entries.sum::<usize>() + 2 * BLOCK).min(MAX_SIZE)
    }

    /// A tar archive of files and folders, each with the name that it gets. The size is that of
    /// [`packed_size`](Self::packed_size).
    pub(super) fn pack(&self, paths: &[(String, String)], size: usize) -> Result<Vec<u8>, String> {
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
                let content = entry.content.clone();
                let kind = if content.is_some() { EntryType::Regular } else { EntryType::Directory };
                header.set_entry_type(kind);
                let content = content.unwrap_or_default();
                header.set_size(content.len().try_into().unwrap_or(u64::MAX));
                if archive.get_ref().len() + content.len() > MAX_SIZE {
                    return Err("No space left on device".to_owned());
                }
                let added = archive.append_data(&mut header, inner, &content[..]);
                added.map_err(|error| format!("{inner}: {error}"))?;
            }
        }
        archive.into_inner().map_err(|error| error.to_string())
    }

    /// Writes some of the files of a tar archive to a folder, from the entry at a position on. Names that lead out of it
    /// lead to its inside.
    pub(super) fn unpack(&mut self, folder: &str, archive: &[u8], start: usize) -> Result<Unpacked, String> {
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
            let (mode, modified) = (entry.header().mode(), entry.header().mtime());
            let content = match entry.header().entry_type() {
                EntryType::Directory => None,
                EntryType::Regular | EntryType::Continuous => {
                    let mut content = Vec::new();
                    entry.read_to_end(&mut content).map_err(broken)?;
                    Some(content.into())
                }
                // Of all that follows.
                EntryType::XGlobalHeader => continue,
                kind => {
                    let what = match kind {
                        EntryType::Symlink => "symlink",
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
            if content.is_some() && self.is_folder(&path) {
                return Err(failed("Is a directory"));
            }
            let modified = modified.ok().and_then(|time| time.try_into().ok()).unwrap_or(0);
            if !(content.is_none() && self.is_folder(&path)) {
                let mode = mode.unwrap_or(0o644);
                size += content.as_ref().map_or(0, Bytes::len);
                self.put(&path, Entry { mode, modified, content }).map_err(failed)?;
            }
            unpacked.names.push(name);
        }
        Ok(unpacked)
    }
}

/// The names in a tar archive.
pub(super) fn names(archive: &[u8]) -> Result<Vec<String>, String> {
    let broken = |error: io::Error| format!("invalid tar archive: {error}");
    let mut archive = Archive::new(Cursor::new(archive));
    let entries = archive.entries().map_err(broken)?;
    let name = |entry: io::Result<tar::Entry<'_, _>>| {
        entry.map(|entry| String::from_utf8_lossy(&entry.path_bytes()).into_owned())
    };
    entries.map(|entry| name(entry).map_err(broken)).collect()
}

impl Entry {
    fn folder() -> Self {
        Entry { mode: 0o755, modified: Time::now().unix(), content: None }
    }

    fn length(&self) -> usize {
        self.content.as_ref().map_or(0, Bytes::len)
    }

    fn file(content: Bytes) -> Self {
        Entry { mode: 0o644, modified: Time::now().unix(), content: Some(content) }
    }
}
