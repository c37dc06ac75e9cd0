//! [`Files`], the log files of a program, one for each severity or one for all.

use std::fs::File;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::log_file::{LogFile, LogFileOptions};
use crate::log_line::LogLine;
use crate::stderr::write_stderr;
use crate::{Error, Severity};

/// Log files, and standard error beside them.
#[derive(Debug)]
pub(crate) struct Files {
    options: FilesOptions,
    open: Mutex<OpenFiles>,
}

/// The files that are open.
#[derive(Debug)]
struct OpenFiles {
    /// By severity; one file alone is that of the lowest.
    files: [Option<LogFile>; Severity::ALL.len()],
    /// The log has ended: nobody flushes lines that come yet.
    has_ended: bool,
}

/// The flags about log files.
#[derive(Debug)]
pub(crate) struct FilesOptions {
    pub(crate) file: LogFileOptions,
    /// All lines also go to standard error.
    pub(crate) also_to_stderr: bool,
    /// Lines from this severity on also go to standard error.
    pub(crate) stderr_threshold: Severity,
    /// A line goes to the file of its severity only, not also to those of lower ones.
    pub(crate) one_output: bool,
}

impl Files {
    /// Creates the file of the lowest severity, which gets all lines, so that a folder that is not there is an error at
    /// the start.
    pub(crate) fn create(options: FilesOptions) -> Result<Self, Error> {
        let mut files: [Option<LogFile>; Severity::ALL.len()] = Default::default();
        files[0] = Some(LogFile::open(&options.file, Severity::Info)?);
        Ok(Files { options, open: Mutex::new(OpenFiles { files, has_ended: false }) })
    }

    pub(crate) fn write(&self, line: &LogLine<'_>) {
        let severity = line.severity;
        if self.options.also_to_stderr || severity >= self.options.stderr_threshold {
            write_stderr(line.text);
        }
        let mut open = self.lock();
        let OpenFiles { files, has_ended } = &mut *open;
        let severities = match (self.options.file.is_single(), self.options.one_output) {
            (true, _) => 0..=0,
            (false, true) => severity as usize..=severity as usize,
            (false, false) => 0..=severity as usize,
        };
        for severity in severities {
            let file = match &mut files[severity] {
                Some(file) => file,
                none => match LogFile::open(&self.options.file, Severity::ALL[severity]) {
                    Ok(file) => none.insert(file),
                    // The line is in the files of lower severities, or nowhere else.
                    Err(error) => {
                        write_stderr(&format!("log: {error}\n{}", line.text));
                        continue;
                    }
                },
            };
            file.push(line.text);
            if *has_ended {
                file.flush();
            }
        }
    }

    /// Writes what is buffered, and then lets the disk keep it: other threads can log meanwhile.
    pub(crate) fn flush(&self) {
        let written: Vec<_> = self.lock().files.iter_mut().flatten().filter_map(LogFile::flush).collect();
        sync(&written);
    }

    /// Writes what is buffered for the last time, and tells how many lines are lost. Lines that come yet are written at
    /// once.
    pub(crate) fn finish(&self) {
        let mut open = self.lock();
        open.has_ended = true;
        let written: Vec<_> = open.files.iter_mut().flatten().filter_map(LogFile::finish).collect();
        drop(open);
        sync(&written);
    }

    fn lock(&self) -> MutexGuard<'_, OpenFiles> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sync(files: &[File]) {
    for file in files {
        // A file such as a pipe has no disk.
        let _ = file.sync_data();
    }
}
