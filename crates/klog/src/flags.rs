//! [`LogFlags`], klog's flags as a group of clap arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{BoolishValueParser, OsStringValueParser, TypedValueParser};

use crate::backtrace_at::BacktraceAt;
use crate::{Error, Klog, LogFormat, Options, Severity, VModule};

// A doc comment would be the beginning of the help of each program that flattens the flags.
#[doc = include_str!("flags.md")]
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log options")]
#[non_exhaustive]
pub struct LogFlags {
    /// Number for the log level verbosity
    #[arg(
        short = 'v',
        visible_alias = "v",
        global = true,
        overrides_with = "v",
        value_name = "LEVEL",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub v: i32,
    /// Comma-separated list of pattern=N settings for file-filtered logging
    #[arg(
        long,
        global = true,
        overrides_with = "vmodule",
        value_name = "PATTERN=N,...",
        default_value = "",
        hide_default_value = true
    )]
    pub vmodule: VModule,
    /// Format of the log: json or text
    #[arg(
        long,
        alias = "logging_format",
        global = true,
        overrides_with = "logging_format",
        value_name = "FORMAT",
        default_value = "text",
        value_parser = format
    )]
    pub logging_format: LogFormat,
    /// Maximum time between log flushes
    #[arg(long, alias = "log_flush_frequency", global = true, overrides_with = "log_flush_frequency", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub log_flush_frequency: Duration,
    /// Log to standard error instead of files
    #[arg(long, global = true, overrides_with = "logtostderr", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub logtostderr: bool,
    /// Log to standard error as well as files (no effect with --logtostderr=true)
    #[arg(long, global = true, overrides_with = "alsologtostderr", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub alsologtostderr: bool,
    /// Lines from this severity on go to standard error when writing to files (no effect with --logtostderr=true)
    #[arg(long, global = true, overrides_with = "stderrthreshold", value_name = "SEVERITY", default_value_t = Severity::Error, value_parser = severity)]
    pub stderrthreshold: Severity,
    /// File for all lines (no effect with --logtostderr=true)
    #[arg(long, alias = "log_file", global = true, overrides_with = "log_file", value_name = "FILE", value_parser = path())]
    pub log_file: Option<PathBuf>,
    /// Size in megabytes at which the log file is emptied, 0 without a limit (no effect with --logtostderr=true)
    #[arg(
        long,
        alias = "log_file_max_size",
        global = true,
        overrides_with = "log_file_max_size",
        value_name = "MEGABYTES",
        default_value_t = 1800
    )]
    pub log_file_max_size: u64,
    /// Directory of log files (no effect with --logtostderr=true)
    #[arg(long, alias = "log_dir", global = true, overrides_with = "log_dir", value_name = "DIR", value_parser = path())]
    pub log_dir: Option<PathBuf>,
    /// Write lines to the file of their severity only, not also to those of lower ones
    #[arg(long, alias = "one_output", global = true, overrides_with = "one_output", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub one_output: bool,
    /// Avoid the headers of lines
    #[arg(long, alias = "skip_headers", global = true, overrides_with = "skip_headers", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub skip_headers: bool,
    /// Avoid the first lines of log files
    #[arg(long, alias = "skip_log_headers", global = true, overrides_with = "skip_log_headers", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub skip_log_headers: bool,
    /// Add the folder of the source file to the headers of lines
    #[arg(long, alias = "add_dir_header", global = true, overrides_with = "add_dir_header", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub add_dir_header: bool,
    /// When logging hits line file:N, add the stack
    #[arg(
        long,
        alias = "log_backtrace_at",
        global = true,
        overrides_with = "log_backtrace_at",
        value_name = "FILE:N",
        default_value = "",
        hide_default_value = true,
        value_parser = position
    )]
    pub log_backtrace_at: String,
}

impl LogFlags {
    /// Returns the options that the flags set; the others are the default ones.
    pub fn options(&self) -> Options {
        let path = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        Options {
            verbosity: self.v,
            vmodule: self.vmodule.to_string(),
            format: self.logging_format,
            logtostderr: self.logtostderr,
            alsologtostderr: self.alsologtostderr,
            stderrthreshold: self.stderrthreshold,
            log_file: path(&self.log_file),
            log_file_max_size: self.log_file_max_size,
            log_dir: path(&self.log_dir),
            log_flush_frequency: self.log_flush_frequency,
            one_output: self.one_output,
            skip_headers: self.skip_headers,
            skip_log_headers: self.skip_log_headers,
            add_dir_header: self.add_dir_header,
            log_backtrace_at: self.log_backtrace_at.clone(),
            ..Options::default()
        }
    }

    /// Makes the log of the flags the one of the program: see [`init`](crate::init).
    ///
    /// # Errors
    ///
    /// As those of [`init`](crate::init).
    pub fn init(&self) -> Result<Klog, Error> {
        crate::init(self.options())
    }
}

/// Parses a name of a format. The errors of clap name the flag and the value, and these what is permitted.
fn format(text: &str) -> Result<LogFormat, &'static str> {
    text.parse().map_err(|_| "permitted formats: json, text")
}

/// Parses a severity.
fn severity(text: &str) -> Result<Severity, &'static str> {
    text.parse().map_err(|_| Severity::EXPECTED)
}

/// Parses a duration in Go's form, which is not zero.
fn duration(text: &str) -> Result<Duration, String> {
    let duration: klient_apimachinery::Duration =
        text.parse().map_err(|error: klient_apimachinery::InvalidValue| error.to_string())?;
    let duration = duration.to_std().filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| "it must be greater than zero".to_owned())
}

/// Checks a position, `main.rs:58`.
fn position(text: &str) -> Result<String, &'static str> {
    BacktraceAt::read(text).map(|_| text.to_owned())
}

/// Parser of a path, of which an empty one is none.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}
