//! [`Interrupt`], the first SIGINT or SIGTERM, and the end of the program by a signal.

use std::io;
use std::time::Duration;

use tokio::sync::watch;

use crate::terminal;

/// The number of SIGPIPE, by which a program ends whose output has no reader.
pub(crate) const BROKEN_PIPE: u8 = 13;

/// The first SIGINT or SIGTERM that the program receives.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(watch::Receiver<Option<Signal>>);

/// A signal that ends the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT, as of Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// Returns the number of the signal.
    pub(crate) fn number(self) -> u8 {
        match self {
            Signal::Interrupt => 2,
            Signal::Terminate => 15,
        }
    }
}

/// Ends the program by the default action of a signal, so that its parent sees that it was interrupted: a shell ends a loop
/// only then. Where that does not end it, the exit code is 128 and the number. Nothing is flushed or dropped.
pub(crate) fn end_program(signal: u8) -> ! {
    // The first process of a container is not ended so.
    #[cfg(unix)]
    if std::process::id() != 1 {
        let _ = signal_hook::low_level::emulate_default_handler(signal.into());
    }
    std::process::exit(128 + i32::from(signal))
}

impl Interrupt {
    /// Installs the signal handlers. The first signal completes [`wait`](Self::wait). At the second one, or when it is still
    /// running after the `grace` period, `end` ends the program, and the terminal is as before.
    ///
    /// They have a thread of their own, which ends the program also while the others wait for a reader of standard output.
    ///
    /// # Errors
    ///
    /// If the thread cannot be started.
    pub(crate) fn listen(grace: Option<Duration>, end: impl Fn(Signal) + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = watch::channel(None);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let signals = {
            let _context = runtime.enter();
            Signals::new()
        };
        if let Ok(mut signals) = signals {
            let ending = async move {
                let first = signals.next().await;
                sender.send_replace(Some(first));
                let too_long = async {
                    match grace {
                        Some(grace) => tokio::time::sleep(grace).await,
                        None => std::future::pending().await,
                    }
                };
                let last = tokio::select! {
                    () = too_long => first,
                    second = signals.next() => second,
                };
                terminal::restore();
                end(last);
            };
            std::thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(ending))?;
        }
        Ok(Interrupt(receiver))
    }

    /// Returns true if a signal was received.
    pub(crate) fn is_received(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits for a signal.
    pub(crate) async fn wait(&self) -> Signal {
        let mut receiver = self.0.clone();
        match receiver.wait_for(Option::is_some).await {
            Ok(signal) => signal.expect("there is one, as was waited for"),
            // No handler could be installed: the default action of the signal ends the program.
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
