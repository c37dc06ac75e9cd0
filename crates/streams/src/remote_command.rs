//! Remote commands: the protocol of exec and attach, `channel.k8s.io`, over SPDY/3.1 and over WebSocket.
//!
//! [`Process`] is the client's end, [`serve`] the server's. Both begin on a connection that is switched to a
//! [`Protocol`], with the standard streams of the request, [`Streams`].
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use klient_streams::remote_command::{ExitStatus, Process, Protocol, Streams, Version, serve};
//! use tokio::io::AsyncWriteExt as _;
//!
//! // In place of the connections of a client and a server.
//! let (near, far) = tokio::io::duplex(1024);
//! let (protocol, streams) = (Protocol::Spdy(Version::V4), Streams { stdout: true, ..Default::default() });
//!
//! let server = serve(far, protocol, streams, |mut stdio| async move {
//!     stdio.stdout.as_mut().expect("it is requested").write_all(b"hello\n").await?;
//!     Ok(ExitStatus::from(3))
//! });
//! let client = async {
//!     let process = Process::start(near, protocol, streams).await?;
//!     process.wait_with_output().await
//! };
//! let (served, output) = tokio::join!(server, client);
//! served?;
//! let output = output?;
//! assert_eq!(output.stdout, b"hello\n");
//! assert_eq!(output.status.code(), 3);
//! # Ok(()) }
//! ```

mod opening;
mod outcome;
mod process;
mod protocol;
mod server;
mod stdio;
mod terminal;

use std::fmt;

use crate::error::Error;

pub use process::{Output, Process};
pub use protocol::{Protocol, Subprotocol, Version};
pub use server::{Stdio, serve};
pub use stdio::{Reader, Writer};
pub use terminal::{Resizes, Terminal, TerminalSize};

/// The standard streams of a command, as a request selects them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streams {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error. A command with a terminal has none: it writes to standard output.
    pub stderr: bool,
    /// A terminal, which has a size from version 3 of the protocol on.
    pub tty: bool,
}

/// The exit status of a command that has ended by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExitStatus(u8);

impl ExitStatus {
    /// Exit code 0.
    pub const SUCCESS: ExitStatus = ExitStatus(0);

    /// The exit code.
    pub fn code(self) -> u8 {
        self.0
    }

    /// Returns true if the exit code is 0.
    pub fn success(self) -> bool {
        self.0 == 0
    }

    /// Makes an error of an exit code that is not 0.
    ///
    /// # Errors
    ///
    /// Of the kind [`ExitCode`](crate::ErrorKind::ExitCode).
    pub fn exit_ok(self) -> Result<(), Error> {
        if self.success() { Ok(()) } else { Err(Error::of_exit_code(self.0)) }
    }
}

impl From<u8> for ExitStatus {
    fn from(code: u8) -> Self {
        ExitStatus(code)
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit status {}", self.0)
    }
}
