//! [`serve`], the server's end of a remote command.

use std::convert::Infallible;

use tokio::io::AsyncWriteExt as _;

use super::opening::{self, Opened};
use super::outcome;
use super::protocol::Protocol;
use super::stdio::{Reader, Writer};
use super::terminal::Resizes;
use super::{ExitStatus, Streams};
use crate::connection::Connection;
use crate::error::{BoxError, Error};

/// The standard streams of a command that a server runs. Those that the client did not request are none.
#[derive(Debug, Default)]
pub struct Stdio {
    /// Standard input. It ends when the client ends it.
    pub stdin: Option<Reader>,
    /// Standard output.
    pub stdout: Option<Writer>,
    /// Standard error.
    pub stderr: Option<Writer>,
    /// The sizes of the terminal.
    pub resizes: Option<Resizes>,
}

/// The beginning of errors about clients that are gone.
const CLOSED: &str = "the client closed the connection before";

/// Runs a command for a client, on a connection that is switched to a protocol.
///
/// The command begins when the client has opened the requested streams. When it has ended, all its output is sent, then
/// the exit status, and the connection is closed. An error of the command tells the client that it could not be run; one
/// [with a `Status`](Error::of_status) is told as it is.
/// If the client closes the connection before, the future of the command is dropped.
///
/// # Errors
///
/// - [`Connection`](crate::ErrorKind::Connection), [`Protocol`](crate::ErrorKind::Protocol): the client cannot be told
///   the exit status;
/// - [`Timeout`](crate::ErrorKind::Timeout): the client did not open the streams within 30 s;
/// - [`Refused`](crate::ErrorKind::Refused): the command's own error, which the client has.
pub async fn serve<C, F>(
    connection: impl Connection,
    protocol: Protocol,
    streams: Streams,
    command: C,
) -> Result<ExitStatus, Error>
where
    C: FnOnce(Stdio) -> F,
    F: Future<Output = Result<ExitStatus, BoxError>>,
{
    let opened = opening::accept(Box::new(connection), protocol, streams).await?;
    let Opened { handle, stdin, stdout, stderr, mut error, resize } = opened;
    error.ignore_input();
    let (resizes, receiving) = resize.map(|resize| Resizes::new(Reader::new(resize))).unzip();
    let stdio = Stdio {
        stdin: stdin.map(Reader::new),
        stdout: stdout.map(Writer::new),
        stderr: stderr.map(Writer::new),
        resizes,
    };
    let resizing = async {
        match receiving {
            Some(receiving) => receiving.await,
            None => std::future::pending::<Infallible>().await,
        }
    };
    let outcome = tokio::select! {
        biased;
        outcome = command(stdio) => outcome,
        ended = handle.ended() => {
            ended?;
            return Err(Error::connection(format!("{CLOSED} the command ended")));
        }
        never = resizing => match never {},
    };
    let message = outcome::encode(protocol.version(), &outcome);
    let told = async {
        handle.mux.flushed().await?;
        error.write_all(&message).await.map_err(|error| Error::of_io(&error))?;
        error.shutdown().await.map_err(|error| Error::of_io(&error))
    };
    if let Err(error) = told.await {
        handle.fault()?;
        return Err(Error::connection(format!("{CLOSED} it got the exit status: {error}")));
    }
    handle.close().await?;
    outcome.map_err(|error| Error::refused(error.to_string()))
}
