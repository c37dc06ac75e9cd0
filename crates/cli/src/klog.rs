//! `-v`, and the log in klog's format on standard error.

use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;

use clap::Args;
use klient_apimachinery::MicroTime;
use klient_apimachinery::go::quoted;
use klient_client::HttpTrace;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The flags of the log (kubectl's flags of klog).
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub(crate) struct LogArgs {
    /// Verbosity of the log: from 4 retries, from 6 requests, from 7 their headers, from 8 the beginning of their
    /// bodies, from 9 curl commands and times, from 10 whole bodies
    #[arg(short = 'v', long = "v", global = true, value_name = "LEVEL", default_value_t = 0)]
    verbosity: i32,
}

impl LogArgs {
    /// Returns the detail of the HTTP trace; `None` if it is off.
    pub(crate) fn http_trace(self) -> Option<HttpTrace> {
        HttpTrace::from_verbosity(u8::try_from(self.verbosity.clamp(0, 10)).unwrap_or_default())
    }

    /// Returns the levels of klient's crates.
    fn targets(self) -> Targets {
        let from = |verbosity| match self.verbosity {
            ..=0 => LevelFilter::ERROR,
            of if of >= verbosity => LevelFilter::DEBUG,
            _ => LevelFilter::WARN,
        };
        Targets::new()
            .with_target(HttpTrace::TARGET, from(6))
            .with_target("klient_client", from(4))
            .with_target("klient_cache", from(4))
            .with_target("klient_proxy", from(4))
            // Warnings of commands are kubectl's, which it prints at every verbosity.
            .with_target("klient::command", LevelFilter::WARN)
    }

    /// Returns the level of the log of `klient server`.
    pub(crate) fn server_level(self) -> LevelFilter {
        match self.verbosity {
            ..=1 => LevelFilter::WARN,
            2..=3 => LevelFilter::INFO,
            4..=5 => LevelFilter::DEBUG,
            6.. => LevelFilter::TRACE,
        }
    }
}

/// Writes the log of klient's crates to standard error: errors always, the rest if `-v` is set.
pub(crate) fn init(args: LogArgs) {
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).event_format(Klog);
    tracing_subscriber::registry().with(layer.with_filter(args.targets())).init();
}

/// The line of klog for a failure that ends the program.
pub(crate) fn fatal_line(file: &str, line: u32, message: &str) -> String {
    let time = klog_time(MicroTime::now());
    format!("F{time} {pid:>7} {file}:{line}] {message}", pid = std::process::id())
}

/// klog's text format: `I1129 14:35:31.123456   12345 retry.rs:58] "message" key="value"`. Times are in UTC.
struct Klog;

impl<S, N> FormatEvent<S, N> for Klog
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let severity = match *event.metadata().level() {
            Level::ERROR => 'E',
            Level::WARN => 'W',
            _ => 'I',
        };
        let file = event.metadata().file().map(Path::new).and_then(Path::file_name);
        let file = file.map(|file| file.to_string_lossy()).unwrap_or_default();
        let line = event.metadata().line().unwrap_or_default();
        let time = klog_time(MicroTime::now());
        let mut fields = Fields::default();
        event.record(&mut fields);
        writeln!(writer, "{severity}{time} {pid:>7} {file}:{line}] {fields}", pid = std::process::id())
    }
}

/// The time as `mmdd hh:mm:ss.uuuuuu`.
fn klog_time(time: MicroTime) -> String {
    let text = time.to_string();
    let (date, time) = text.split_once('T').unwrap_or_default();
    let date: String = date.split('-').skip(1).collect();
    format!("{date} {}", time.trim_end_matches('Z'))
}

/// The message of an event, and its fields as `key=value`.
#[derive(Default)]
struct Fields {
    message: String,
    pairs: String,
}

impl Fields {
    fn push_string(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = value.to_owned();
            return;
        }
        let name = field.name();
        let written = if value.contains('\n') {
            // As klog shows strings of several lines.
            let lines: String = value.lines().flat_map(|line| ["\t", line, "\n"]).collect();
            write!(self.pairs, " {name}=<\n{lines} >")
        } else {
            write!(self.pairs, " {name}={}", quoted(value))
        };
        written.expect("a String takes all text");
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.push_string(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        write!(self.pairs, " {}={value}", field.name()).expect("a String takes all text");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push_string(field, &Recorded(value).to_string());
    }
}

/// A value as it was recorded.
struct Recorded<'a>(&'a dyn fmt::Debug);

impl fmt::Display for Recorded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message with fields is quoted, as klog's structured messages are.
impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pairs.is_empty() {
            true => f.write_str(&self.message),
            false => write!(f, "{}{}", quoted(&self.message), self.pairs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_printed_at_every_verbosity() {
        for (verbosity, target, expected) in [
            (-1, "klient_client::config::in_cluster", LevelFilter::ERROR),
            (0, "klient_client::config::in_cluster", LevelFilter::ERROR),
            (1, "klient_client", LevelFilter::WARN),
            (4, "klient_cache", LevelFilter::DEBUG),
            (0, HttpTrace::TARGET, LevelFilter::ERROR),
            (5, HttpTrace::TARGET, LevelFilter::WARN),
            (6, HttpTrace::TARGET, LevelFilter::DEBUG),
        ] {
            let targets = LogArgs { verbosity }.targets();
            for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG] {
                assert_eq!(
                    targets.would_enable(target, &level),
                    level <= expected,
                    "-v={verbosity} {target}"
                );
            }
        }
    }

    #[test]
    fn times_are_those_of_klog() {
        let time = MicroTime::from_unix_micros(1_785_000_000_000_042);
        assert_eq!(klog_time(time), "0725 17:20:00.000042");
    }
}
