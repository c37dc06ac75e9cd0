//! Standard error, to which whole lines go.

use std::io::{self, ErrorKind, StderrLock, Write as _};

/// Writes a whole line. A standard error that is closed or full is where nothing can be told.
pub(crate) fn write_stderr(text: &str) {
    let mut stderr = io::stderr().lock();
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match stderr.write(rest) {
            Ok(0) => return,
            Ok(written) => rest = &rest[written..],
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock if wait_for(&stderr).is_ok() => {}
                _ => return,
            },
        }
    }
}

/// Waits for the reader of a pipe or a terminal that another process has made non-blocking.
#[cfg(unix)]
fn wait_for(stderr: &StderrLock<'_>) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;

    match poll(&mut [PollFd::new(stderr, PollFlags::OUT)], None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn wait_for(_: &StderrLock<'_>) -> io::Result<()> {
    Err(ErrorKind::WouldBlock.into())
}
