//! `klient server`.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use klient_apiserver::{Options, Server};

use crate::failure::Failure;
use crate::session::Session;

/// Where to serve.
#[derive(Args, Debug)]
pub(crate) struct ServerArgs {
    /// The address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6443")]
    listen: SocketAddr,
    /// Write a kubeconfig of a cluster admin to this file, as soon as the server serves
    #[arg(long, value_name = "FILE")]
    write_kubeconfig: Option<PathBuf>,
    /// How many changes are kept for lists and watches that go on from an earlier version
    #[arg(long, value_name = "CHANGES", default_value_t = Options::default().history)]
    history: usize,
}

pub(crate) async fn run(args: ServerArgs, session: &mut Session) -> Result<(), Failure> {
    let options = Options { listen: args.listen, history: args.history, ..Options::default() };
    let server = start(options).await?;
    if let Some(path) = &args.write_kubeconfig {
        write_secret(path, &server.kubeconfig()).map_err(|error| {
            Failure::Message(format!("cannot write kubeconfig {}: {error}", path.display()))
        })?;
    }
    session.console.line(format_args!("Serving at {}", server.url()))?;
    if let Some(path) = &args.write_kubeconfig {
        session.console.line(format_args!("Use it with: kubectl --kubeconfig {}", path.display()))?;
    }
    session.interrupt.wait().await;
    server.stop().await;
    Ok(())
}

/// Starts a server.
pub(crate) async fn start(options: Options) -> Result<Server, Failure> {
    Server::start(options).await.map_err(|error| {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        Failure::Message(format!("{error}{}", source.unwrap_or_default()))
    })
}

/// Writes a file that only its owner can read. It appears whole or not at all.
pub(crate) fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = path.with_file_name(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}
