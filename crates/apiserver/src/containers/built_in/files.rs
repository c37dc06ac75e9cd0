//! [`Files`], the file system of a container, in memory. Its paths are those that [`Files::resolve`] returns.

mod archive;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use klient_apimachinery::Time;

pub(super) use archive::names;

/// The number of bytes that the files of a container take at most.
const MAX_SIZE: usize = 256 * 1024 * 1024;

/// The number of files and folders of a container.
const MAX_FILES: usize = 100_000;

/// The longest path, in bytes, as that of Linux.
const MAX_PATH: usize = 4096;

/// The number of symbolic links that are followed in one path, as by Linux.
const MAX_LINKS: usize = 40;

/// Files of a small system, besides the name of the host.
const SYSTEM: [(&str, &str); 3] = [
    ("/etc/hosts", "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost\n"),
    ("/etc/os-release", "NAME=\"klient\"\nID=klient\nPRETTY_NAME=\"klient, built-in container\"\n"),
    ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
];

/// A file, a folder or a symbolic link.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) mode: u32,
    pub(super) modified: i64,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    File(Bytes),
    Folder,
    /// The path to which a symbolic link leads, as it is written.
    Link(String),
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
        let system = SYSTEM.into_iter().map(|(path, text)| (path, Entry::file(text.into())));
        for (path, entry) in folders.chain([hostname]).chain(system) {
            files.size += path.len() + entry.length();
            files.entries.insert(path.to_owned(), entry);
        }
        files
    }

    /// The path to which a path leads from a folder, without links; of a link itself unless the last one is followed. Of
    /// links in a circle the path ends with one of them.
    pub(super) fn resolve(&self, folder: &str, path: &str, follows_last: bool) -> String {
        if folder.len() + path.len() > MAX_PATH {
            // It is too long for any file.
            return absolute(folder, path);
        }
        let follows_last = follows_last || path.ends_with('/');
        let folder = if path.starts_with('/') { "" } else { folder };
        let (mut left, mut resolved, mut links) = (Vec::new(), String::new(), 0);
        let push = |left: &mut Vec<String>, path: &str| {
            let parts = path.rsplit('/').filter(|part| !matches!(*part, "" | "."));
            left.extend(parts.map(str::to_owned));
        };
        push(&mut left, path);
        push(&mut left, folder);
        while let Some(part) = left.pop() {
            let start = resolved.len();
            if part == ".." {
                resolved.truncate(resolved.rfind('/').unwrap_or_default());
                continue;
            }
            resolved.push('/');
            resolved.push_str(&part);
            if (left.is_empty() && !follows_last) || links == MAX_LINKS {
                continue;
            }
            if let Some(Entry { content: Content::Link(target), .. }) = self.entries.get(&resolved) {
                links += 1;
                resolved.truncate(if target.starts_with('/') { 0 } else { start });
                push(&mut left, target);
            }
        }
        resolved
    }

    pub(super) fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    pub(super) fn is_folder(&self, path: &str) -> bool {
        self.get(path).is_some_and(Entry::is_folder)
    }

    /// The content of a file.
    pub(super) fn read(&self, path: &str) -> Result<Bytes, &'static str> {
        match self.get(path) {
            Some(Entry { content: Content::File(content), .. }) => Ok(content.clone()),
            Some(Entry { content: Content::Folder, .. }) => Err("Is a directory"),
            Some(Entry { content: Content::Link(_), .. }) => Err("Too many levels of symbolic links"),
            None => Err("No such file or directory"),
        }
    }

    /// The path to which a symbolic link leads.
    pub(super) fn read_link(&self, path: &str) -> Option<&str> {
        match &self.get(path)?.content {
            Content::Link(target) => Some(target),
            _ => None,
        }
    }

    /// Makes a symbolic link, in the place of a file or another link if `replace` is set.
    pub(super) fn link(&mut self, path: &str, target: &str, replace: bool) -> Result<(), &'static str> {
        if target.is_empty() {
            return Err("No such file or directory");
        }
        if target.len() > MAX_PATH {
            return Err("File name too long");
        }
        if self.get(path).is_some_and(|present| !replace || present.is_folder()) {
            return Err("File exists");
        }
        self.put(path, Entry { mode: 0o777, content: Content::Link(target.to_owned()), ..Entry::folder() })
    }

    /// Sets the bits of a file's or folder's mode that a function changes.
    pub(super) fn change_mode(
        &mut self,
        path: &str,
        change: impl Fn(u32) -> u32,
    ) -> Result<(), &'static str> {
        let entry = self.entries.get_mut(path).ok_or("No such file or directory")?;
        entry.mode = change(entry.mode) & 0o7777;
        Ok(())
    }

    /// Copies a file, or a folder with all that is in it, to a path; with `moves` it is not at the first path any more.
    pub(super) fn copy(&mut self, from: &str, to: &str, moves: bool) -> Result<(), &'static str> {
        if from == to {
            return if moves { Ok(()) } else { Err("File exists") };
        }
        if to.starts_with(&format!("{from}/")) {
            return Err("Invalid argument");
        }
        let entries: Vec<(String, Entry)> = self
            .below(from)
            .map(|(path, entry)| (format!("{to}{}", &path[from.len()..]), entry.clone()))
            .collect();
        let Some((_, first)) = entries.first() else { return Err("No such file or directory") };
        if entries.iter().any(|(path, _)| path.len() > MAX_PATH) {
            return Err("File name too long");
        }
        if self.get(to).is_some_and(|present| present.is_folder() && (moves || !first.is_folder())) {
            return Err(if first.is_folder() { "Directory not empty" } else { "Is a directory" });
        }
        if moves {
            if !parent(to).is_some_and(|parent| self.is_folder(parent)) {
                return Err("No such file or directory");
            }
            self.remove(from, true)?;
        }
        entries.into_iter().try_for_each(|(path, entry)| {
            if entry.is_folder() && self.is_folder(&path) {
                return Ok(());
            }
            self.put(&path, entry)
        })
    }

    /// Makes an empty file, unless there is one.
    pub(super) fn touch(&mut self, path: &str) -> Result<(), &'static str> {
        match self.entries.get_mut(path) {
            Some(Entry { content: Content::Folder, .. }) => Err("Is a directory"),
            Some(Entry { content: Content::Link(_), .. }) => Err("Too many levels of symbolic links"),
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
        let Content::File(content) = &mut entry.content else { return Err("Is a directory") };
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
        match self.get(path) {
            Some(Entry { content: Content::Folder, .. }) => return Err("Is a directory"),
            Some(Entry { content: Content::Link(_), .. }) => return Err("Too many levels of symbolic links"),
            _ => {}
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
                Some(entry) if with_parents && entry.is_folder() => break,
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

    /// Removes a file or a link, or a folder with all that is in it.
    pub(super) fn remove(&mut self, path: &str, recursive: bool) -> Result<(), &'static str> {
        match self.get(path) {
            None => return Err("No such file or directory"),
            Some(entry) if entry.is_folder() && !recursive => return Err("Is a directory"),
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
}

impl Entry {
    fn folder() -> Self {
        Entry { mode: 0o755, modified: Time::now().unix(), content: Content::Folder }
    }

    pub(super) fn is_folder(&self) -> bool {
        matches!(self.content, Content::Folder)
    }

    /// The bytes of the content.
    pub(super) fn length(&self) -> usize {
        match &self.content {
            Content::File(content) => content.len(),
            Content::Folder => 0,
            Content::Link(target) => target.len(),
        }
    }

    fn file(content: Bytes) -> Self {
        Entry { mode: 0o644, modified: Time::now().unix(), content: Content::File(content) }
    }
}
