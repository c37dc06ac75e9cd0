//! klog's functions as macros. Values are written as in `tracing`'s macros: `key = value`, `%` for `Display`, `?` for
//! `Debug`.

/// Logs a message and values at a verbosity (`klog.V(4).InfoS`).
///
/// The verbosity is a literal, so that a call that is not logged costs one check of a cached decision. Another expression
/// is possible behind `_`.
///
/// ```
/// use klient_klog::{Recorder, v};
///
/// let recorder = Recorder::start(4);
/// v!(4, "Synced", queue = "nodes", pending = 3);
/// v!(5, "Not logged");
/// let verbosity = 2;
/// v!(_ = verbosity, "Also");
/// assert_eq!(recorder.lines(), [r#"I "Synced" queue="nodes" pending=3"#, r#"I "Also""#]);
/// ```
#[macro_export]
macro_rules! v {
    (_ = $verbosity:expr, $($call:tt)+) => {
        $crate::info_s!(v: _ = $verbosity, $($call)+)
    };
    ($verbosity:literal, $($call:tt)+) => {
        $crate::info_s!(v: $verbosity, $($call)+)
    };
}

/// Returns true if lines of a verbosity are logged here (`klog.V(4).Enabled()`).
///
/// ```
/// let _recorder = klient_klog::Recorder::start(4);
/// assert!(klient_klog::enabled!(4) && !klient_klog::enabled!(5));
/// ```
#[macro_export]
macro_rules! enabled {
    ($verbosity:literal) => {{
        static CALLSITE: $crate::macro_support::DefaultCallsite = {
            static METADATA: $crate::macro_support::Metadata<'static> = $crate::macro_support::metadata! {
                name: concat!("V(", $verbosity, ").Enabled"),
                target: module_path!(),
                level: $crate::macro_support::level($verbosity),
                fields: &[],
                callsite: &CALLSITE,
                kind: $crate::macro_support::Kind::HINT,
            };
            $crate::macro_support::DefaultCallsite::new(&METADATA)
        };
        $crate::macro_support::is_enabled(&CALLSITE)
    }};
}

/// Logs a message and values (`klog.InfoS`, with `v:` `klog.V(4).InfoS`, with `logger:` those of a logger).
///
/// ```
/// use std::time::Duration;
/// use klient_klog::{Logger, Recorder, duration, info_s};
///
/// let recorder = Recorder::start(0);
/// let latency = Duration::from_millis(1500);
/// info_s!("Received HTTP request", method = "GET", "URL" = "/metrics", latency = %duration(latency));
/// info_s!(v: 4, "Not logged");
/// info_s!(logger: Logger::current().with_name("web"), v: 0, "Started");
/// assert_eq!(recorder.lines(), [
///     r#"I "Received HTTP request" method="GET" URL="/metrics" latency="1.5s""#,
///     r#"I "Started" logger="web""#,
/// ]);
/// ```
#[macro_export]
macro_rules! info_s {
    ($($call:tt)+) => {
        $crate::macro_support::structured!([InfoS] $($call)+)
    };
}

/// Logs an error with its causes, a message, and values (`klog.ErrorS`). The error is a value or a reference: an error, a
/// box of one, an option of either, or a text.
///
/// ```
/// use klient_klog::{Recorder, error_s};
///
/// let recorder = Recorder::start(0);
/// let error = std::io::Error::other("timeout");
/// error_s!(error, "Failed to update pod status", pod = "web-0");
/// error_s!(None, "Failed without a cause");
/// error_s!("x".parse::<u8>().err(), "Cannot parse");
/// error_s!(v: 2, error, "Not logged");
/// assert_eq!(recorder.lines(), [
///     r#"E "Failed to update pod status" err="timeout" pod="web-0""#,
///     r#"E "Failed without a cause""#,
///     r#"E "Cannot parse" err="invalid digit found in string""#,
/// ]);
/// ```
#[macro_export]
macro_rules! error_s {
    (logger: $logger:expr, v: $verbosity:literal, None, $message:expr $(, $($values:tt)*)?) => {
        $crate::macro_support::structured!([ErrorS] logger: $logger, v: $verbosity, $message,
            err = $crate::macro_support::Empty, $($($values)*)?)
    };
    (logger: $logger:expr, v: $verbosity:literal, $error:expr, $message:expr $(, $($values:tt)*)?) => {
        $crate::macro_support::structured!([ErrorS] logger: $logger, v: $verbosity, $message,
            err = $crate::macro_support::error!($error), $($($values)*)?)
    };
    (logger: $logger:expr, None, $message:expr $(, $($values:tt)*)?) => {
        $crate::macro_support::structured!([ErrorS] logger: $logger, $message,
            err = $crate::macro_support::Empty, $($($values)*)?)
    };
    (logger: $logger:expr, $error:expr, $message:expr $(, $($values:tt)*)?) => {
        $crate::macro_support::structured!([ErrorS] logger: $logger, $message,
            err = $crate::macro_support::error!($error), $($($values)*)?)
    };
    (v: $verbosity:literal, None, $message:expr $(, $($values:tt)*)?) => {
        $crate::macro_support::structured!([ErrorS] v: $verbosity, $message,
            err = $crate::macro_support::Empty, $($($values)*)?)
    };
    (v: $verbosity:literal, $error:expr, $message:expr $(, $($values:tt)*)?) => {
        $crate::macro_support::structured!([ErrorS] v: $verbosity, $message,
            err = $crate::macro_support::error!($error), $($($values)*)?)
    };
    (None, $message:expr $(, $($values:tt)*)?) => {
        $crate::macro_support::structured!([ErrorS] $message,
            err = $crate::macro_support::Empty, $($($values)*)?)
    };
    ($error:expr, $message:expr $(, $($values:tt)*)?) => {
        $crate::macro_support::structured!([ErrorS] $message,
            err = $crate::macro_support::error!($error), $($($values)*)?)
    };
}

/// Logs a formatted message as it is (`klog.Infof`, with `v:` `klog.V(4).Infof`).
///
/// ```
/// use klient_klog::{Recorder, info};
///
/// let recorder = Recorder::start(0);
/// info!("Listening on port {}", 8443);
/// info!(v: 4, "Not logged");
/// assert_eq!(recorder.lines(), ["I Listening on port 8443"]);
/// ```
#[macro_export]
macro_rules! info {
    (v: $verbosity:literal, $($message:tt)+) => {
        $crate::macro_support::event!(
            name: concat!("V(", $verbosity, ").Info"),
            target: module_path!(),
            { $crate::macro_support::level($verbosity) },
            {},
            $($message)+
        )
    };
    ($($message:tt)+) => {
        $crate::macro_support::printed!("Info", INFO, $($message)+)
    };
}

/// Logs a formatted message with the severity `W` (`klog.Warningf`).
#[macro_export]
macro_rules! warning {
    ($($message:tt)+) => {
        $crate::macro_support::printed!("Warning", WARN, $($message)+)
    };
}

/// Logs a formatted message with the severity `E` (`klog.Errorf`).
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => {
        $crate::macro_support::printed!("Error", ERROR, $($message)+)
    };
}

/// Logs a formatted message with the severity `F`, in files with the stack, flushes, and ends the program with the exit
/// code 255 (`klog.Fatalf`). If there is no log, the line is on standard error.
#[macro_export]
macro_rules! fatal {
    ($($message:tt)+) => {
        match format_args!($($message)+) {
            message => {
                $crate::macro_support::printed!("Fatal", ERROR, "{}", message);
                $crate::macro_support::exit_after_line(255, file!(), line!(), message)
            }
        }
    };
}

/// Logs a formatted message with the severity `F`, flushes, and ends the program with the exit code 1 (`klog.Exitf`).
/// If there is no log, the line is on standard error.
#[macro_export]
macro_rules! exit {
    ($($message:tt)+) => {
        match format_args!($($message)+) {
            message => {
                $crate::macro_support::printed!("Exit", ERROR, "{}", message);
                $crate::macro_support::exit_after_line(1, file!(), line!(), message)
            }
        }
    };
}

/// Returns a logger with further values (`logger.WithValues`): see [`Logger`](crate::Logger).
#[macro_export]
macro_rules! with_values {
    ($logger:expr, $($values:tt)+) => {
        $crate::Logger::of_span($crate::macro_support::info_span!(
            parent: $crate::Logger::span(&$logger).id(),
            "values",
            $($values)+
        ))
    };
}

/// Logs a call of `info_s!` or `error_s!`: logger, verbosity, message, values.
#[doc(hidden)]
#[macro_export]
macro_rules! __structured {
    ([ErrorS] logger: $logger:expr, v: $verbosity:literal, $message:expr $(, $($values:tt)*)?) => {{
        #[allow(unused_imports, reason = "the type of the error selects one of them")]
        use $crate::macro_support::error_traits::*;
        match &$logger {
            logger => $crate::macro_support::event!(
            name: concat!("V(", $verbosity, ").ErrorS"), target: module_path!(),
            parent: $crate::Logger::span(logger).id(), $crate::macro_support::Level::ERROR,
            { message = $message, $($($values)*)? }
        ),
        }
    }};
    ([ErrorS] logger: $logger:expr, $message:expr $(, $($values:tt)*)?) => {{
        #[allow(unused_imports, reason = "the type of the error selects one of them")]
        use $crate::macro_support::error_traits::*;
        match &$logger {
            logger => $crate::macro_support::event!(
            name: "ErrorS", target: module_path!(),
            parent: $crate::Logger::span(logger).id(), $crate::macro_support::Level::ERROR,
            { message = $message, $($($values)*)? }
        ),
        }
    }};
    ([ErrorS] v: $verbosity:literal, $message:expr $(, $($values:tt)*)?) => {{
        #[allow(unused_imports, reason = "the type of the error selects one of them")]
        use $crate::macro_support::error_traits::*;
        $crate::macro_support::event!(
            name: concat!("V(", $verbosity, ").ErrorS"), target: module_path!(),
            $crate::macro_support::Level::ERROR, { message = $message, $($($values)*)? }
        )
    }};
    ([ErrorS] $message:expr $(, $($values:tt)*)?) => {{
        #[allow(unused_imports, reason = "the type of the error selects one of them")]
        use $crate::macro_support::error_traits::*;
        $crate::macro_support::event!(
            name: "ErrorS", target: module_path!(),
            $crate::macro_support::Level::ERROR, { message = $message, $($($values)*)? }
        )
    }};
    ([InfoS] logger: $logger:expr, v: _ = $verbosity:expr, $message:expr $(, $($values:tt)*)?) => {
        match &$logger {
            // Before the decision about the event: a logger that is made here is a span.
            logger => $crate::macro_support::event!(
            name: "V(_).InfoS", target: module_path!(),
            parent: $crate::Logger::span(logger).id(), $crate::macro_support::Level::INFO,
            { message = $message, v = i64::from($verbosity), $($($values)*)? }
        ),
        }
    };
    ([InfoS] logger: $logger:expr, v: $verbosity:literal, $message:expr $(, $($values:tt)*)?) => {
        match &$logger {
            // Before the decision about the event: a logger that is made here is a span.
            logger => $crate::macro_support::event!(
            name: concat!("V(", $verbosity, ").InfoS"), target: module_path!(),
            parent: $crate::Logger::span(logger).id(), { $crate::macro_support::level($verbosity) },
            { message = $message, $($($values)*)? }
        ),
        }
    };
    ([InfoS] logger: $logger:expr, $message:expr $(, $($values:tt)*)?) => {
        match &$logger {
            // Before the decision about the event: a logger that is made here is a span.
            logger => $crate::macro_support::event!(
            name: "InfoS", target: module_path!(),
            parent: $crate::Logger::span(logger).id(), $crate::macro_support::Level::INFO,
            { message = $message, $($($values)*)? }
        ),
        }
    };
    ([InfoS] v: _ = $verbosity:expr, $message:expr $(, $($values:tt)*)?) => {
        $crate::macro_support::event!(
            name: "V(_).InfoS", target: module_path!(), $crate::macro_support::Level::INFO,
            { message = $message, v = i64::from($verbosity), $($($values)*)? }
        )
    };
    ([InfoS] v: $verbosity:literal, $message:expr $(, $($values:tt)*)?) => {
        $crate::macro_support::event!(
            name: concat!("V(", $verbosity, ").InfoS"), target: module_path!(),
            { $crate::macro_support::level($verbosity) }, { message = $message, $($($values)*)? }
        )
    };
    ([InfoS] $message:expr $(, $($values:tt)*)?) => {
        $crate::macro_support::event!(
            name: "InfoS", target: module_path!(), $crate::macro_support::Level::INFO,
            { message = $message, $($($values)*)? }
        )
    };
}

/// Logs a formatted message as an event with the name of a function of klog.
#[doc(hidden)]
#[macro_export]
macro_rules! __printed {
    ($function:literal, $level:ident, $($message:tt)+) => {
        $crate::macro_support::event!(
            name: $function, target: module_path!(), $crate::macro_support::Level::$level, {}, $($message)+
        )
    };
}

/// The value of an error with its causes, of one that is `Display` only, or of an option of either.
#[doc(hidden)]
#[macro_export]
macro_rules! __error {
    ($error:expr) => {
        (&&&$crate::macro_support::ErrorValue(&$error)).klog_error()
    };
}
