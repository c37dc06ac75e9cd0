//! A program with flags of its own for the log, in place of klog's: level, format, and a file beside standard error.
//! Its lines also go to another layer of `tracing`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser};
use klient_klog::{Klog, LogFormat, Options, error_s, v};
use tracing_subscriber::layer::SubscriberExt as _;

#[derive(Parser)]
struct Cli {
    /// Number for the log level verbosity
    #[arg(long, alias = "log_level", default_value_t = 2)]
    log_level: i32,
    /// Format of the log: json or text
    #[arg(long, alias = "log_format", default_value = "json")]
    log_format: LogFormat,
    /// File for all lines
    #[arg(long, alias = "log_file")]
    log_file: Option<PathBuf>,
}

impl Cli {
    fn init(self) -> Result<Klog, Box<dyn std::error::Error>> {
        let (layer, klog) = klient_klog::layer(Options {
            verbosity: self.log_level,
            format: self.log_format,
            logtostderr: self.log_file.is_none(),
            alsologtostderr: true,
            log_file: self.log_file,
            ..Options::default()
        })?;
        // Another layer, such as one of OpenTelemetry, is added here.
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::set_global_default(subscriber)?;
        Ok(klog)
    }
}

fn main() {
    run(std::env::args_os().collect());
}

pub(crate) fn run(arguments: Vec<OsString>) {
    let fail = |error| Cli::command().error(ErrorKind::ValueValidation, error).exit();
    let _klog = Cli::parse_from(arguments).init().unwrap_or_else(fail);
    let error = std::io::Error::other("timeout");
    error_s!(v: 2, error, "error log test");
    v!(1, "I am V(1)");
    v!(2, "Kubernetes server info", version = "v1.37.1", platform = "linux/amd64");
    v!(3, "I am V(3)");
}
