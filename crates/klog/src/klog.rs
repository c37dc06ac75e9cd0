//! [`Klog`], a log that lines are written to.

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::LogVerbosity;
use tracing::Subscriber;
use tracing::subscriber::set_global_default;
use tracing_log::LogTracer;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::backtrace_at::BacktraceAt;
use crate::files::{Files, FilesOptions};
use crate::filter::Filter;
use crate::flush::{self, FlushDaemon};
use crate::layer::Layer;
use crate::levels::TargetLevels;
use crate::log_file::{LogFileOptions, Place};
use crate::options::MEGABYTE;
use crate::output::Output;
use crate::verbosity::Verbosity;
use crate::vmodule::VModule;
use crate::{Error, LogFormat, Options};

/// The size at which files in a folder begin anew.
const FOLDER_MAX_SIZE: u64 = 1800 * MEGABYTE;

/// Makes a log the one of the program: that of `tracing` and of the crate `log`.
///
/// # Errors
///
/// If an option is invalid, if a log file cannot be created, or if the program has a subscriber already: then add
/// [`layer`] to that.
///
/// ```no_run
/// use klient_klog::{Options, info_s};
///
/// let klog = klient_klog::init(Options { verbosity: 2, ..Options::default() })?;
/// info_s!("Starting", controller = "nodes");
/// klog.verbosity().set(4);
/// # Ok::<(), klient_klog::Error>(())
/// ```
pub fn init(options: Options) -> Result<Klog, Error> {
    let (layer, klog) = layer(options)?;
    let subscriber = tracing_subscriber::registry().with(layer);
    set_global_default(subscriber).map_err(|_| {
        Error::new(
            "the program has a subscriber of tracing already: add the layer of klient_klog::layer to it",
        )
    })?;
    klog.relay_log()?;
    Ok(klog)
}

/// Returns a layer that writes a log, to be composed with others, and the log.
///
/// The layer has its own filter: layers beside it get what is enabled for them.
///
/// # Errors
///
/// If an option is invalid, or if a log file cannot be created.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// let (layer, klog) = klient_klog::layer(klient_klog::Options::default())?;
/// let subscriber = tracing_subscriber::registry().with(layer).with(tracing_subscriber::fmt::layer());
/// # drop((subscriber, klog));
/// # Ok::<(), klient_klog::Error>(())
/// ```
pub fn layer<S>(options: Options) -> Result<(impl tracing_subscriber::Layer<S> + Send + Sync, Klog), Error>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let output = Arc::new(output(&options)?);
    let every = options.log_flush_frequency;
    if every.is_zero() {
        return Err(Error::new("--log-flush-frequency: 0s: it must be greater than zero"));
    }
    let (layer, verbosity) = layer_to(options, output.clone())?;
    let daemon = output.has_files().then(|| FlushDaemon::start(&output, every)).transpose()?;
    flush::register(&output);
    Ok((layer, Klog { output, verbosity, _daemon: daemon }))
}

/// A layer that writes to an output.
pub(crate) fn layer_to<S>(
    options: Options,
    output: Arc<Output>,
) -> Result<(impl tracing_subscriber::Layer<S> + Send + Sync, Verbosity), Error>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let levels = TargetLevels::new(options.levels, options.targets);
    let verbosity = Verbosity::new(options.verbosity, VModule::parse(&options.vmodule)?, levels);
    let layer = Layer {
        verbosity: verbosity.clone(),
        format: options.format,
        skips_headers: options.skip_headers,
        has_folder: options.add_dir_header,
        backtrace_at: BacktraceAt::parse(&options.log_backtrace_at)?,
        output,
    };
    let asked = verbosity.clone();
    let asked = LogVerbosity::new(move |verbosity, file| asked.is_logged(verbosity, Some(file)));
    let layer = tracing_subscriber::Layer::<S>::and_then(layer, asked);
    Ok((layer.with_filter(Filter(verbosity.clone())), verbosity))
}

fn output(options: &Options) -> Result<Output, Error> {
    if options.logtostderr {
        return Ok(Output::Stderr);
    }
    let (place, max_size) = match &options.log_file {
        Some(path) => {
            let size = options.log_file_max_size.saturating_mul(MEGABYTE);
            (Place::File(path.clone()), (size > 0).then_some(size))
        }
        None => {
            let folder = options.log_dir.clone().unwrap_or_else(std::env::temp_dir);
            (Place::Folder(folder), Some(FOLDER_MAX_SIZE))
        }
    };
    // The head is no JSON.
    let has_head = !options.skip_log_headers && options.format == LogFormat::Text;
    Files::create(FilesOptions {
        file: LogFileOptions { place, max_size, has_head },
        also_to_stderr: options.alsologtostderr,
        stderr_threshold: options.stderrthreshold,
        one_output: options.one_output,
    })
    .map(|files| Output::Files(Box::new(files)))
}

/// A log that lines are written to. Dropping it writes what is buffered, and tells on standard error how many lines a full
/// disk does not take: hold it to the end of `main`. Lines that are logged after that are written to files one by one.
#[must_use = "dropping it ends the flushing of log files"]
pub struct Klog {
    output: Arc<Output>,
    verbosity: Verbosity,
    _daemon: Option<FlushDaemon>,
}

impl Klog {
    /// Returns the verbosity, to be changed while the program runs.
    pub fn verbosity(&self) -> Verbosity {
        self.verbosity.clone()
    }

    /// Writes all lines that are buffered to their files.
    pub fn flush(&self) {
        self.output.flush();
    }

    /// Makes records of the crate `log` events of `tracing`, which all layers get. [`init`] does this, too.
    ///
    /// # Errors
    ///
    /// If the program has another logger of the crate `log`.
    pub fn relay_log(&self) -> Result<(), Error> {
        LogTracer::init().map_err(|_| {
            Error::new(
                "the program has a logger of the crate log already, whose records cannot come to this log",
            )
        })?;
        self.verbosity.relay_log();
        Ok(())
    }
}

impl Drop for Klog {
    fn drop(&mut self) {
        self.output.finish();
    }
}

impl fmt::Debug for Klog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Klog").field("verbosity", &self.verbosity).finish_non_exhaustive()
    }
}
