//! Redirects: a standard stream that is a file, or another stream.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;

use super::super::container::Container;
use super::Shell;
use super::io::{Io, input, output};
use super::syntax::Redirect;

impl Shell {
    /// Puts a file or another stream in the place of a standard stream.
    pub(super) async fn redirect(&mut self, redirect: &Redirect, io: &mut Io) -> Result<(), String> {
        match redirect {
            Redirect::Input(file) => {
                let file = self.expand_one(file, io).await?;
                let content = match file.as_str() {
                    "/dev/null" => Bytes::new(),
                    file => {
                        let content = self.read(file);
                        content.map_err(|problem| format!("can't open {file}: {problem}"))?
                    }
                };
                io.stdin = input(std::io::Cursor::new(content));
            }
            Redirect::Output { descriptor, append, file } => {
                let file = self.expand_one(file, io).await?;
                let target = match file.as_str() {
                    "/dev/null" => output(tokio::io::sink()),
                    "/dev/stdout" => io.stdout.clone(),
                    "/dev/stderr" => io.stderr.clone(),
                    // A main process prints to its container's log this way.
                    "/proc/1/fd/1" | "/proc/1/fd/2" => self.container.log_output(file.ends_with('2')),
                    name => {
                        let path = self.path(name);
                        let mut files = self.container.files();
                        let created =
                            if *append { files.touch(&path) } else { files.write(&path, Bytes::new()) };
                        drop(files);
                        created.map_err(|problem| format!("can't create {name}: {problem}"))?;
                        output(FileWriter { container: self.container.clone(), path })
                    }
                };
                *(if *descriptor == 2 { &mut io.stderr } else { &mut io.stdout }) = target;
            }
            Redirect::Join { from, to } => {
                let target = if *to == 2 { io.stderr.clone() } else { io.stdout.clone() };
                *(if *from == 2 { &mut io.stderr } else { &mut io.stdout }) = target;
            }
        }
        Ok(())
    }
}

/// A file that a command writes.
struct FileWriter {
    container: Arc<Container>,
    path: String,
}

impl AsyncWrite for FileWriter {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(match self.container.files().append(&self.path, data) {
            Ok(()) => Ok(data.len()),
            Err(problem) => Err(io::Error::new(io::ErrorKind::StorageFull, problem)),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
