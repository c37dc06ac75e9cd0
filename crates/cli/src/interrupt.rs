//! [`Interrupt`], the signals that end the program.

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;

/// The signal that asked the program to end, once there is one.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(watch::Receiver<Option<Signal>>);

/// A signal that ends the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// Another program asked for it.
    Terminate,
}

impl Signal {
    /// The exit code of a program that a signal ended, as shells give it.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }
}

impl Interrupt {
    /// Takes signals from here on. The first one is told to who waits for it, a second one ends the program at once. So
    /// does the first where `grace` is over and the program, which may be blocked, has not ended.
    pub(crate) fn listen(runtime: &Runtime, grace: Option<Duration>) -> Self {
        let (sender, receiver) = watch::channel(None);
        let context = runtime.enter();
        if let Ok(mut signals) = Signals::new() {
            runtime.spawn(async move {
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
                std::process::exit(last.exit_code().into());
            });
        }
        drop(context);
        Interrupt(receiver)
    }

    /// Whether there was a signal.
    pub(crate) fn came(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits for a signal.
    pub(crate) async fn wait(&self) -> Signal {
        let mut receiver = self.0.clone();
        match receiver.wait_for(Option::is_some).await {
            Ok(signal) => signal.expect("there is one, as was waited for"),
            // Signals could not be listened to, so that they end the program by themselves.
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
