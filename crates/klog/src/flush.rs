//! Flushing: from time to time, on demand, at a panic and at the end of the program.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use crate::layer::HAS_FATAL_LINE;
use crate::output::Output;
use crate::stderr::write_stderr;
use crate::{Error, Severity, header};

/// The outputs of the program, to be flushed before it ends.
static OUTPUTS: Mutex<Vec<Weak<Output>>> = Mutex::new(Vec::new());

/// Time in which the end of a program waits for the disk.
const EXIT_FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Adds an output to those that are flushed at a panic and at the end of the program.
pub(crate) fn register(output: &Arc<Output>) {
    let mut outputs = OUTPUTS.lock().unwrap_or_else(PoisonError::into_inner);
    outputs.retain(|output| output.strong_count() > 0);
    outputs.push(Arc::downgrade(output));
    drop(outputs);
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            before(panic);
            flush();
        }));
    });
}

/// Writes all lines that are buffered to their files (klog's `Flush`).
pub fn flush() {
    outputs().for_each(|output| output.flush());
}

fn outputs() -> impl Iterator<Item = Arc<Output>> {
    let outputs = OUTPUTS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    outputs.into_iter().filter_map(|output| output.upgrade())
}

/// Flushes, for a limited time, and ends the program (klog's `FlushAndExit`). The number of lines that a full disk does not
/// take is told on standard error.
pub fn flush_and_exit(timeout: Duration, code: i32) -> ! {
    let (done, is_done) = mpsc::channel();
    let flushing = thread::Builder::new().name("klog-flush".to_owned()).spawn(move || {
        outputs().for_each(|output| output.finish());
        let _ = done.send(());
    });
    if flushing.is_ok() && is_done.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
        write_stderr(&format!("klog: Flush took longer than {}\n", crate::duration(timeout)));
    }
    std::process::exit(code)
}

/// The end of `fatal!` and `exit!`, whose message is written to standard error if no log has written it.
#[doc(hidden)]
pub fn exit_after_line(code: i32, file: &str, line: u32, message: fmt::Arguments<'_>) -> ! {
    if !HAS_FATAL_LINE.load(Ordering::Relaxed) {
        let message = header::line(Severity::Fatal, file, line, &message.to_string());
        let hint = "klog: no log has written the line above: call klient_klog::init";
        write_stderr(&format!("{}\n{hint}\n", message.trim_end_matches('\n')));
    }
    flush_and_exit(EXIT_FLUSH_TIMEOUT, code)
}

/// Flushes an output from time to time until it is dropped.
#[derive(Debug)]
pub(crate) struct FlushDaemon {
    /// The thread ends when it is dropped.
    _running: Sender<()>,
}

impl FlushDaemon {
    pub(crate) fn start(output: &Arc<Output>, every: Duration) -> Result<Self, Error> {
        let (running, has_ended) = mpsc::channel::<()>();
        let output = Arc::downgrade(output);
        let body = move || {
            while has_ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                match output.upgrade() {
                    Some(output) => output.flush(),
                    None => return,
                }
            }
        };
        let started = thread::Builder::new().name("klog-flush".to_owned()).spawn(body);
        started.map_err(|error| {
            Error::new(format!("cannot start the thread that flushes log files: {error}"))
        })?;
        Ok(FlushDaemon { _running: running })
    }
}
