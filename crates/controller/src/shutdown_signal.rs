//! [`shutdown_signal`], the signals with which a program is told to end.

use tokio::sync::oneshot;

/// Waits for the first SIGTERM, with which Kubernetes ends a container, or SIGINT (Ctrl-C); on other systems than Unix for
/// Ctrl-C. A second one ends the program at once with the exit code 1, for one whose orderly end takes too long
/// (controller-runtime's `SetupSignalHandler`).
///
/// The signals are taken from the call on, before the future is awaited, and also after it was dropped: the first one then
/// has no effect. If the system does not allow that, which is logged, the future is never ready, and the first signal ends
/// the program.
///
/// ```no_run
/// # async fn f(mut controller: klient_controller::Controller) -> Result<(), klient_controller::Error> {
/// controller.run(klient_controller::shutdown_signal()).await
/// # }
/// ```
///
/// # Panics
///
/// Outside a tokio runtime with I/O.
#[doc(alias = "SetupSignalHandler")]
#[doc(alias = "ctrl_c")]
#[doc(alias = "SIGTERM")]
#[must_use = "the first signal has no effect unless this is awaited"]
pub fn shutdown_signal() -> impl Future<Output = ()> + Send + 'static {
    let (first, told) = oneshot::channel();
    match Signals::new() {
        Ok(mut signals) => {
            // The task ends with the program.
            tokio::spawn(async move {
                signals.next().await;
                tracing::info!("shutdown signal received; another one ends the program at once");
                let _ = first.send(());
                signals.next().await;
                std::process::exit(1);
            });
        }
        Err(error) => tracing::error!("cannot wait for signals: {error}"),
    }
    async {
        if told.await.is_err() {
            std::future::pending().await
        }
    }
}

/// The signals of a program, from when this is made.
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

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Signals)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
