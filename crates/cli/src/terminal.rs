//! [`RawTerminal`], the user's terminal while a remote program has it.

use std::io::{self, IsTerminal as _};
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

use klient_streams::remote_command::TerminalSize;

/// The terminal of standard input in raw mode: each key goes to the remote program, Ctrl-C included. It is as before when
/// this is dropped, after a panic too, and after [`restore`].
pub(crate) struct RawTerminal(());

/// The settings before raw mode, while a terminal is in it.
#[cfg(unix)]
static BEFORE: Mutex<Option<rustix::termios::Termios>> = Mutex::new(None);

/// Returns true if standard input is a terminal.
pub(crate) fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

#[cfg(unix)]
impl RawTerminal {
    /// # Errors
    ///
    /// If the terminal cannot be set.
    pub(crate) fn start() -> io::Result<Self> {
        use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let terminal = RawTerminal(());
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(terminal)
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Sets the terminal as it was before raw mode, if it is in it.
#[cfg(unix)]
pub(crate) fn restore() {
    use rustix::termios::{OptionalActions, tcsetattr};

    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that is gone needs no mode. One that the user has stopped (^S) would not drain.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

#[cfg(not(unix))]
pub(crate) fn restore() {}

#[cfg(not(unix))]
impl RawTerminal {
    pub(crate) fn start() -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "raw terminals are not supported on this system"))
    }
}

/// Returns the size of the terminal of standard output; `None` if that is no terminal.
#[cfg(unix)]
pub(crate) fn size() -> Option<TerminalSize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(TerminalSize { width: size.ws_col, height: size.ws_row })
}

#[cfg(not(unix))]
pub(crate) fn size() -> Option<TerminalSize> {
    None
}

/// Changes of the size of the terminal (SIGWINCH).
pub(crate) struct SizeChanges {
    #[cfg(unix)]
    signals: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl SizeChanges {
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        SizeChanges { signals: signal(SignalKind::window_change()).ok() }
    }

    /// The size after the next change.
    pub(crate) async fn next(&mut self) -> TerminalSize {
        loop {
            match &mut self.signals {
                Some(signals) => signals.recv().await,
                None => std::future::pending().await,
            };
            if let Some(size) = size() {
                return size;
            }
        }
    }
}

#[cfg(not(unix))]
impl SizeChanges {
    pub(crate) fn listen() -> Self {
        SizeChanges {}
    }

    pub(crate) async fn next(&mut self) -> TerminalSize {
        std::future::pending().await
    }
}

/// Waits for a signal that ends the program and is not one of [`Interrupt`](crate::interrupt::Interrupt): SIGHUP, when
/// the terminal is closed, or SIGQUIT.
#[cfg(unix)]
pub(crate) async fn hangup() {
    use tokio::signal::unix::{SignalKind, signal};

    match (signal(SignalKind::hangup()), signal(SignalKind::quit())) {
        (Ok(mut hangup), Ok(mut quit)) => {
            tokio::select! {
                _ = hangup.recv() => {}
                _ = quit.recv() => {}
            }
        }
        _ => std::future::pending().await,
    }
}

#[cfg(not(unix))]
pub(crate) async fn hangup() {
    std::future::pending().await
}
