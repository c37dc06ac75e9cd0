//! [`LogFile`], a log file that begins anew when it has reached its size.

mod name;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use klient_apimachinery::go::os_error;

use crate::buffered::Buffered;
use crate::stderr::write_stderr;
use crate::{Error, Severity};

/// The place and the size of log files.
#[derive(Clone, Debug)]
pub(crate) struct LogFileOptions {
    pub(crate) place: Place,
    /// Bytes; `None` without a limit.
    pub(crate) max_size: Option<u64>,
    /// A file begins with the machine and the format of its lines.
    pub(crate) has_head: bool,
}

/// The place of log files.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// One file for all severities, which is emptied when it is full.
    File(PathBuf),
    /// A folder, in which each severity has a file, and another when that is full.
    Folder(PathBuf),
}

impl LogFileOptions {
    pub(crate) fn is_single(&self) -> bool {
        matches!(self.place, Place::File(_))
    }
}

/// A log file of a severity.
#[derive(Debug)]
pub(crate) struct LogFile {
    options: LogFileOptions,
    severity: Severity,
    path: PathBuf,
    size: u64,
    lines: Buffered<File>,
    /// A failure to begin anew was told.
    has_told: bool,
}

impl LogFile {
    /// Opens a file at the start of the program: one that exists is continued.
    pub(crate) fn open(options: &LogFileOptions, severity: Severity) -> Result<Self, Error> {
        let path = path(&options.place, severity);
        let file = append_to(&path).map_err(|error| cannot_open(&options.place, &error))?;
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        link(options, &path, severity);
        let lines = Buffered::new(file);
        let mut log_file = LogFile { options: options.clone(), severity, path, size, lines, has_told: false };
        log_file.push_head();
        Ok(log_file)
    }

    /// Appends a line, in another file if it does not fit.
    pub(crate) fn push(&mut self, line: &str) {
        let length = line.len() as u64;
        if self.options.max_size.is_some_and(|max| self.size + length >= max) {
            self.begin_anew();
        }
        self.size += length;
        let failed = self.lines.push(line);
        self.tell(failed);
    }

    /// Writes what is buffered. Returns the file if something was written.
    pub(crate) fn flush(&mut self) -> Option<File> {
        let had_lines = !self.lines.is_empty();
        let failed = self.lines.flush();
        self.tell(failed);
        had_lines.then(|| self.lines.sink().try_clone().ok()).flatten()
    }

    /// Writes what is buffered for the last time, and tells how many lines are lost. Returns the file if something was
    /// written.
    pub(crate) fn finish(&mut self) -> Option<File> {
        let had_lines = !self.lines.is_empty();
        let lost = self.lines.finish();
        self.tell(lost);
        had_lines.then(|| self.lines.sink().try_clone().ok()).flatten()
    }

    fn begin_anew(&mut self) {
        let failed = self.lines.flush();
        self.tell(failed);
        let path = path(&self.options.place, self.severity);
        match append_to(&path) {
            Ok(file) => {
                if self.options.is_single() {
                    // A pipe or a device has no length. In a folder the names are those of seconds: it may be the
                    // present file.
                    let _ = file.set_len(0);
                }
                link(&self.options, &path, self.severity);
                self.size = file.metadata().map_or(0, |metadata| metadata.len());
                self.lines.replace_sink(file);
                self.path = path;
                self.has_told = false;
                self.push_head();
            }
            Err(error) => {
                // The present file takes the lines: it is larger than it should be, but nothing is lost.
                if !std::mem::replace(&mut self.has_told, true) {
                    write_stderr(&format!("log: {}\n", cannot_open(&self.options.place, &error)));
                }
            }
        }
    }

    fn push_head(&mut self) {
        if self.options.has_head {
            let head = name::head();
            self.size += head.len() as u64;
            self.lines.push_head(&head);
        }
    }

    fn tell(&self, failure: Option<String>) {
        if let Some(failure) = failure {
            write_stderr(&format!("log: {}: {failure}\n", self.path.display()));
        }
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Opens a file whose lines go to its end, wherever that is: other programs may write to it, or empty it.
fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn path(place: &Place, severity: Severity) -> PathBuf {
    match place {
        Place::File(path) => path.clone(),
        Place::Folder(folder) => folder.join(name::file_name(severity)),
    }
}

/// Lets a link with a constant name lead to the newest file of a severity. It is a convenience.
fn link(options: &LogFileOptions, path: &Path, severity: Severity) {
    if let (Place::Folder(folder), Some(name)) = (&options.place, path.file_name()) {
        let link = folder.join(name::link_name(severity));
        let _ = fs::remove_file(&link);
        #[cfg(unix)]
        let _ = std::os::unix::fs::symlink(name, link);
        #[cfg(windows)]
        let _ = std::os::windows::fs::symlink_file(name, link);
    }
}

fn cannot_open(place: &Place, error: &io::Error) -> Error {
    let error = os_error(error);
    Error::new(match place {
        Place::File(path) => format!("--log-file: cannot create {}: {error}", path.display()),
        Place::Folder(folder) => format!("--log-dir: cannot create a file in {}: {error}", folder.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_folder_that_begin_in_the_same_second_lose_no_line() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let place = Place::Folder(folder.path().to_owned());
        let options = LogFileOptions { place, max_size: Some(100), has_head: false };
        let mut file = LogFile::open(&options, Severity::Info).expect("the folder is writable");
        (0..50).for_each(|n| file.push(&format!("line {n}\n")));
        drop(file);
        let mut lines = Vec::new();
        for entry in fs::read_dir(folder.path()).expect("the folder is there") {
            let path = entry.expect("the folder is readable").path();
            if !path.is_symlink() {
                let text = fs::read_to_string(path).expect("the file is readable");
                lines.extend(text.lines().map(str::to_owned));
            }
        }
        assert_eq!(lines.len(), 50, "{lines:?}");
    }
}
