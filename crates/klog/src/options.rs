//! [`Options`], the settings of a log.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Levels, LogFormat, Severity};

/// Bytes of a megabyte, the unit of `--log-file-max-size`.
pub(crate) const MEGABYTE: u64 = 1024 * 1024;

/// The settings of a log: klog's flags, and the verbosities of `tracing`'s levels.
#[derive(Clone, Debug)]
pub struct Options {
    /// Verbosity of the log (`-v`).
    pub verbosity: i32,
    /// Verbosities of files, such as `reflector=4,http_*=6` (`--vmodule`).
    pub vmodule: String,
    /// Format of the lines (`--logging-format`).
    pub format: LogFormat,
    /// Lines go to standard error, not to files (`--logtostderr`).
    pub logtostderr: bool,
    /// Lines go to standard error as well as to files (`--alsologtostderr`).
    pub alsologtostderr: bool,
    /// Lines from this severity on go to standard error as well as to files (`--stderrthreshold`).
    pub stderrthreshold: Severity,
    /// One file for all lines (`--log-file`).
    pub log_file: Option<PathBuf>,
    /// Size in megabytes at which a file is emptied, and begins anew; 0 without a limit (`--log-file-max-size`). It is that
    /// of [`log_file`](Self::log_file): in a folder another file begins at 1,800, and the full one stays.
    pub log_file_max_size: u64,
    /// Folder with a file for each severity; the default is the folder for temporary files (`--log-dir`).
    pub log_dir: Option<PathBuf>,
    /// Time after which buffered lines are written to files (`--log-flush-frequency`).
    pub log_flush_frequency: Duration,
    /// A line goes to the file of its severity only, not also to those of lower severities (`--one-output`).
    pub one_output: bool,
    /// Lines have no headers (`--skip-headers`).
    pub skip_headers: bool,
    /// Files do not begin with the machine and the format of lines (`--skip-log-headers`).
    pub skip_log_headers: bool,
    /// Headers have the folder of the file, too (`--add-dir-header`).
    pub add_dir_header: bool,
    /// Position whose lines get the stack, such as `main.rs:58` (`--log-backtrace-at`).
    pub log_backtrace_at: String,
    /// Verbosities of `tracing`'s levels.
    pub levels: Levels,
    /// Verbosities of `tracing`'s levels by target: a module and those below it. The longest one counts, and of equal ones
    /// the last. Those of the crates that klient's client is built on come first.
    pub targets: Vec<(String, Levels)>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            verbosity: 0,
            vmodule: String::new(),
            format: LogFormat::Text,
            logtostderr: true,
            alsologtostderr: false,
            stderrthreshold: Severity::Error,
            log_file: None,
            log_file_max_size: 1800,
            log_dir: None,
            log_flush_frequency: Duration::from_secs(5),
            one_output: false,
            skip_headers: false,
            skip_log_headers: false,
            add_dir_header: false,
            log_backtrace_at: String::new(),
            levels: Levels::default(),
            targets: default_targets(),
        }
    }
}

/// The crates that klient's client is built on log nothing up to 10, so that its HTTP trace is as readable as that of
/// client-go.
fn default_targets() -> Vec<(String, Levels)> {
    const TRANSPORT: [&str; 9] =
        ["h2", "hyper", "hyper_util", "mio", "rustls", "tokio_rustls", "tower", "tungstenite", "want"];
    TRANSPORT.map(|target| (target.to_owned(), Levels::TRANSPORT)).to_vec()
}
