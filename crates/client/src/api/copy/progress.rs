//! [`CopyProgress`], the files that are copied and their bytes so far.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The number of bytes of a file after which it is told of again.
const STEP: u64 = 64 * 1024;

/// A function that gets each file while it is copied, about every 64 KiB and when it is complete, and each folder. It is
/// called between two parts of the copy, so it should return soon.
#[derive(Clone)]
pub struct CopyProgress(Arc<dyn Fn(&CopiedEntry<'_>) + Send + Sync>);

/// A file or folder that is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopiedEntry<'a> {
    /// The local path.
    pub path: &'a Path,
    /// The bytes that were copied of it. They have been written here; or they were sent to a container, where `tar` may
    /// have them still to write.
    pub bytes: u64,
    /// The length, in bytes; 0 for a folder.
    pub length: u64,
    /// The bytes of this and all files before.
    pub total: u64,
    /// The length of all files, in bytes, as it was in the beginning; `None` for a copy from a container, whose archive
    /// does not tell.
    pub total_length: Option<u64>,
}

impl CopyProgress {
    /// Makes it of a function.
    pub fn new(progress: impl Fn(&CopiedEntry<'_>) + Send + Sync + 'static) -> Self {
        CopyProgress(Arc::new(progress))
    }

    pub(super) fn tell(&self, entry: &CopiedEntry<'_>) {
        (self.0)(entry);
    }
}

impl CopiedEntry<'_> {
    /// Returns true if the whole file is copied; of a folder, that it exists, since the files in it are entries of their own.
    pub fn is_complete(&self) -> bool {
        self.bytes >= self.length
    }
}

impl fmt::Debug for CopyProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CopyProgress")
    }
}

/// The state of a copy at positions of the archive that is made for it. They are told of when the archive is sent so far.
#[derive(Clone, Default)]
pub(super) struct Marks(Arc<Mutex<VecDeque<Mark>>>);

/// The state of a copy at a position of its archive.
pub(super) struct Mark {
    pub(super) position: u64,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) length: u64,
    pub(super) total: u64,
    pub(super) total_length: Option<u64>,
}

impl Marks {
    pub(super) fn add(&self, mark: Mark) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(mark);
    }

    /// Tells of the state up to a position.
    pub(super) fn tell(&self, position: u64, progress: &CopyProgress) {
        let next = || {
            let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_reached = marks.front().is_some_and(|mark| mark.position <= position);
            is_reached.then(|| marks.pop_front()).flatten()
        };
        while let Some(Mark { path, bytes, length, total, total_length, .. }) = next() {
            progress.tell(&CopiedEntry { path: &path, bytes, length, total, total_length });
        }
    }
}

/// A reader or writer of so many bytes that calls a function with the number of them so far, after each step and before
/// the last byte.
pub(super) struct Stepping<T, F> {
    inner: T,
    length: u64,
    bytes: u64,
    told: u64,
    tell: F,
}

impl<T, F: FnMut(u64)> Stepping<T, F> {
    pub(super) fn new(inner: T, length: u64, tell: F) -> Self {
        Stepping { inner, length, bytes: 0, told: 0, tell }
    }

    fn step(&mut self) {
        if self.bytes >= self.told + STEP && self.bytes < self.length {
            self.told = self.bytes;
            (self.tell)(self.bytes);
        }
    }
}

impl<T: Read, F: FnMut(u64)> Read for Stepping<T, F> {
    /// Tells the bytes so far: those who read on have written them.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.step();
        let count = self.inner.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

impl<T: Write, F: FnMut(u64)> Write for Stepping<T, F> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(data)?;
        self.bytes += count as u64;
        self.step();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
