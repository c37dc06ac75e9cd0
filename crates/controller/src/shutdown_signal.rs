//! [`shutdown_signal`], the signals with which a program is told to end.

use std::sync::{LazyLock, mpsc};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// Waits for the first SIGTERM, with which Kubernetes ends a container, or SIGINT (Ctrl-C); on other systems than Unix for
/// Ctrl-C. A second one ends the program at once with the exit code 1, for one whose orderly end takes too long
/// (controller-runtime's `SetupSignalHandler`), also while its runtime waits for blocking tasks.
///
/// The signals are taken from the first call on, before the future is awaited, and also after it was dropped: the first one
/// then has no effect. All calls in a program tell of the same first signal: a future is ready at once if that has come.
/// If the system does not allow to take signals, which is logged, the futures are never ready, and the first signal ends the
/// program.
///
/// A thread of its own waits for the signals; the future runs on any runtime.
///
/// ```no_run
/// # async fn f(mut controller: klient_controller::Controller) -> Result<(), klient_controller::Error> {
/// controller.run(klient_controller::shutdown_signal()).await
/// # }
/// ```
#[doc(alias = "SetupSignalHandler")]
#[doc(alias = "ctrl_c")]
#[doc(alias = "SIGTERM")]
#[must_use = "the first signal has no effect unless this is awaited"]
pub fn shutdown_signal() -> impl Future<Output = ()> + Send + 'static {
    static FIRST: LazyLock<watch::Receiver<bool>> = LazyLock::new(take_signals);

    let mut first = FIRST.clone();
    async move {
        if first.wait_for(|has_come| *has_come).await.is_err() {
            std::future::pending().await
        }
    }
}

/// Takes the signals of the program in a thread. The value is `true` after the first one; without signals there is no sender.
fn take_signals() -> watch::Receiver<bool> {
    let (first, told) = watch::channel(false);
    let (ready, begun) = mpsc::channel();
    // A runtime that is dropped drops its tasks, and the program may still wait for its blocking ones.
    let wait = move || {
        let (runtime, mut signals) = match listen() {
            Ok(listening) => listening,
            Err(error) => return tracing::error!("cannot wait for signals: {error}"),
        };
        drop(ready);
        runtime.block_on(async {
            signals.next().await;
            tracing::info!("shutdown signal received; another one ends the program at once");
            first.send_replace(true);
            signals.next().await;
        });
        std::process::exit(1);
    };
    match std::thread::Builder::new().name("shutdown-signal".to_owned()).spawn(wait) {
        // The thread sends nothing: its end of the channel is dropped when it listens, or has failed.
        Ok(_) => drop(begun.recv() as Result<(), _>),
        Err(error) => tracing::error!("cannot wait for signals: {error}"),
    }
    told
}

fn listen() -> std::io::Result<(Runtime, Signals)> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let entered = runtime.enter();
    let signals = Signals::new()?;
    drop(entered);
    Ok((runtime, signals))
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
