//! [`Listener`], the port or the Unix socket of the proxy.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use klient_apimachinery::go::os_error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::error::CliError;

/// A socket that accepts connections.
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener, PathBuf),
}

/// A connection of either kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

impl Listener {
    /// Listens on a port, 0 of which is any that is free.
    ///
    /// # Errors
    ///
    /// If the number is no port, it is in use, or the address is none of this machine.
    pub(super) async fn tcp(address: &str, port: i64) -> Result<Self, CliError> {
        let shown = format!("{address}:{port}");
        let bracketed = address.strip_prefix('[').and_then(|address| address.strip_suffix(']'));
        if bracketed.is_none() && address.contains(':') {
            return Err(CliError::Message(format!(
                "listen tcp: address {shown}: too many colons in address"
            )));
        }
        let number = u16::try_from(port);
        let number =
            number.map_err(|_| CliError::Message(format!("listen tcp: address {port}: invalid port")))?;
        // Without an address it is that of all interfaces.
        let host = bracketed.unwrap_or(address);
        let host = if host.is_empty() { "::" } else { host };
        match TcpListener::bind((host, number)).await {
            Ok(listener) => Ok(Listener::Tcp(listener)),
            Err(error) => Err(CliError::Message(match error.raw_os_error() {
                Some(_) => format!("listen tcp {shown}: bind: {}", os_error(&error)),
                None => format!("listen tcp: lookup {host}: no such host"),
            })),
        }
    }

    /// Listens on a Unix socket that only this user can reach, in place of a socket that is there.
    ///
    /// # Errors
    ///
    /// If the file is not a socket, or cannot be made.
    #[cfg(unix)]
    pub(super) fn unix(path: &Path) -> Result<Self, CliError> {
        use std::os::unix::fs::FileTypeExt as _;
        use std::os::unix::fs::PermissionsExt as _;

        use rustix::fs::Mode;

        if std::fs::metadata(path).is_ok_and(|file| file.file_type().is_socket()) {
            // If it stays, the socket cannot be made.
            let _ = std::fs::remove_file(path);
        }
        // Its mode is set before it can be reached.
        let mask = rustix::process::umask(Mode::from_raw_mode(0o077));
        let bound = tokio::net::UnixListener::bind(path);
        rustix::process::umask(mask);
        let private = |listener| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map(|()| listener)
        };
        match bound.and_then(private) {
            Ok(listener) => Ok(Listener::Unix(listener, path.to_owned())),
            Err(error) => {
                let problem = format!("listen unix {}: bind: {}", path.display(), os_error(&error));
                Err(CliError::Message(problem))
            }
        }
    }

    #[cfg(not(unix))]
    pub(super) fn unix(path: &Path) -> Result<Self, CliError> {
        Err(CliError::Message(format!("listen unix {}: not supported on this system", path.display())))
    }

    /// The address as Go prints it.
    pub(super) fn name(&self) -> String {
        match self {
            Listener::Tcp(listener) => {
                listener.local_addr().map(|address| address.to_string()).unwrap_or_default()
            }
            #[cfg(unix)]
            Listener::Unix(_, path) => path.display().to_string(),
        }
    }

    /// The next connection, and the address of its client.
    pub(super) async fn accept(&self) -> io::Result<(Pin<Box<dyn Stream>>, Option<IpAddr>)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Box::pin(stream), Some(address.ip())))
            }
            #[cfg(unix)]
            Listener::Unix(listener, _) => Ok((Box::pin(listener.accept().await?.0), None)),
        }
    }
}
