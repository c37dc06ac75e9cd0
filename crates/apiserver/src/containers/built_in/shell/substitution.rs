//! Commands in words, whose output stands in their place.

use std::convert::Infallible;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use tokio::sync::oneshot;

use super::super::memory::Reserved;
use super::io::{Io, output};
use super::syntax::Node;
use super::{CALL, MAX_DEPTH, MAX_WORDS, Shell, TOO_LONG};

impl Shell {
    /// The output of commands that run in a subshell, without the ends of lines at its end.
    pub(super) async fn substitute(&mut self, node: &Node, io: &Io) -> Result<String, String> {
        if self.depth + CALL > MAX_DEPTH {
            return Err("too many nested calls".to_owned());
        }
        let processes = self.processes.clone();
        let no_process = "can't fork: Resource temporarily unavailable";
        let _process = processes.try_acquire().map_err(|_| no_process)?;
        let memory = self.container.memory.reserve(self.variables.size());
        let no_memory = |problem| format!("can't fork: {problem}");
        let _variables = memory.map_err(no_memory)?;
        let memory = self.container.memory.reserve(0).map_err(no_memory)?;
        let captured = Arc::new(Mutex::new(Capture { bytes: Vec::new(), memory, is_full: false }));
        let (is_open, closed) = oneshot::channel();
        let stdout = output(Captured { capture: captured.clone(), _is_open: is_open });
        let inner = Io { stdout, broken: Arc::default(), ..io.clone() };
        let mut shell = self.subshell();
        shell.depth += CALL;
        let (ControlFlow::Continue(code) | ControlFlow::Break(code)) = shell.evaluate(node, inner).await;
        // Jobs that write to it hold it open.
        let _ = closed.await;
        self.substituted = Some(code);
        let mut capture = captured.lock().unwrap_or_else(PoisonError::into_inner);
        if capture.is_full {
            return Err(TOO_LONG.to_owned());
        }
        let mut bytes = std::mem::take(&mut capture.bytes);
        bytes.retain(|byte| *byte != 0);
        let end = bytes.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
        bytes.truncate(end);
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }
}

/// The output of commands, of which nobody reads more than the words of a command can be.
struct Captured {
    capture: Arc<Mutex<Capture>>,
    /// Dropped with the last command that can write.
    _is_open: oneshot::Sender<Infallible>,
}

struct Capture {
    bytes: Vec<u8>,
    memory: Reserved,
    is_full: bool,
}

impl AsyncWrite for Captured {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let mut capture = self.capture.lock().unwrap_or_else(PoisonError::into_inner);
        let length = capture.bytes.len() + data.len();
        capture.is_full |= length > MAX_WORDS || capture.memory.grow(length).is_err();
        if capture.is_full {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        capture.bytes.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
