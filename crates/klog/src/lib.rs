//! klog, the log of Kubernetes' programs, on `tracing`: lines look, and are selected, as those of Go programs beside this
//! one that have klog 2.140.
//!
//! - [`info_s!`], [`error_s!`], [`v!`] and [`info!`], [`warning!`], [`error!`], [`fatal!`], [`exit!`] are klog's functions;
//!   each call is an event of `tracing`, so that other layers see it, and events of `tracing`'s macros are lines of this
//!   log;
//! - [`kobj`], [`kref`], [`kkey`] and [`kobjs`] refer to objects; [`json()`], [`duration`], [`bytes()`], [`causes`] are
//!   other values;
//! - [`LogFlags`] are klog's flags as a group of clap arguments, [`Options`] the same for programs;
//! - [`Logger`] is the name and the values that lines have in common;
//! - [`Verbosity`] changes while the program runs, also by HTTP with [`DebugFlags`];
//! - [`Recorder`] has the lines of a test.
//!
//! ```
//! use klient_klog::{Options, error_s, info_s, kref, v};
//!
//! let klog = klient_klog::init(Options { verbosity: 2, ..Options::default() })?;
//! info_s!("Starting controller", name = "nodes");
//! v!(2, "Synced", pod = %kref("shop", "web-0"), attempt = 1);
//! let error = std::io::Error::other("timeout");
//! error_s!(error, "Failed to update pod status", pod = %kref("shop", "web-0"));
//! klog.flush();
//! # Ok::<(), klient_klog::Error>(())
//! ```
//!
//! ```text
//! I1129 14:35:31.123456   12345 main.rs:6] "Starting controller" name="nodes"
//! I1129 14:35:31.123467   12345 main.rs:7] "Synced" pod="shop/web-0" attempt=1
//! E1129 14:35:31.123478   12345 main.rs:9] "Failed to update pod status" err="timeout" pod="shop/web-0"
//! ```
//!
//! Before [`init`], calls log nothing, as those of `tracing` without a subscriber. [`fatal!`] and [`exit!`] print their line
//! on standard error.
//!
//! # Verbosity
//!
//! `-v=4` logs [`v!(4, …)`](v!) and all below. The verbosity of `v!` is a literal, which is in the metadata of the call
//! site: `tracing` keeps the decision about it, also that of `--vmodule`, until the verbosity changes. Events of `tracing`'s
//! own macros have a verbosity by a field `v`, as in `tracing::info!(v = 4, "…")`, or else by their level: see [`Levels`].
//!
//! For other layers `v!` has the level `DEBUG` from 1 to 4, and `TRACE` above. A filter of the whole subscriber, such as a
//! `LevelFilter::INFO` beside the [`layer`] in the registry, therefore silences it here, too: give the filter to the other
//! layers, by `with_filter`.
//!
//! # The HTTP trace of a client
//!
//! klient's client logs its exchanges in the words of client-go. From `-v=6` to `-v=10` they are lines of this log, each
//! with more detail. The client asks at each request, so that the detail follows the verbosity while the program runs;
//! `--vmodule=http_trace=8` selects it alone.
//!
//! # Secrets
//!
//! Log references of objects ([`kobj`]), or their `Debug` (`?pod`), in which klient's types leave secrets out. What
//! [`json()`] serializes is logged as it is.
//!
//! # Files
//!
//! As in Go, `--log-file` and `--log-dir` take effect with `--logtostderr=false`. The file of `--log-file` is emptied when it
//! has the size of `--log-file-max-size`: its lines are not kept. In the folder of `--log-dir` another file begins.
//!
//! Lines are buffered, and flushed every five seconds, when the [`Klog`] is dropped, at a panic, and by `fatal!`; end a
//! program otherwise with [`flush_and_exit`]. A signal does none of that: Kubernetes ends a pod by SIGTERM, which a program
//! awaits to return from `main`, as by `klient::controller::shutdown_signal`. When the disk is full, this is told once on
//! standard error, and the lines wait, up to 16 MiB, until it is not; at the end of the program, the number of those that do
//! not fit is told.

mod backtrace_at;
mod buffered;
mod call;
mod context;
mod debug_flags;
mod encoding;
mod entries;
mod error;
mod files;
mod filter;
mod flags;
mod flush;
mod format;
mod glob;
mod header;
mod key_values;
mod klog;
mod layer;
mod levels;
mod local_time;
mod log_file;
mod log_line;
mod logger;
#[doc(hidden)]
pub mod macro_support;
mod macros;
mod object_ref;
mod options;
mod output;
mod recorder;
mod severity;
mod stack;
mod stderr;
mod value;
mod verbosity;
mod visitor;
mod vmodule;

pub use debug_flags::DebugFlags;
pub use entries::Entry;
pub use error::Error;
pub use flags::LogFlags;
pub use flush::{flush, flush_and_exit};
pub use header::line;
pub use klient_apimachinery::log_value::LogFormat;
pub use klog::{Klog, init, layer};
pub use levels::Levels;
pub use logger::Logger;
pub use object_ref::{ObjectRef, ObjectRefs, kkey, kobj, kobjs, kref};
pub use options::Options;
pub use recorder::Recorder;
pub use severity::Severity;
pub use value::{Bytes, Causes, Json, bytes, causes, duration, json};
pub use verbosity::Verbosity;
pub use vmodule::VModule;
