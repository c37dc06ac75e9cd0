//! [`Console`], the standard streams of a main process that reads its input. All clients that attach to it share them.
//!
//! - *lasting*: a client that leaves, or ends its input, leaves the process its input, to which the next client writes;
//!   unless the container has `stdinOnce` and no terminal, as with a container runtime;
//! - *shared*: each client sees the output from its coming on, and the process waits for the slowest;
//! - *begun by a client*: the process begins with the first client that has an input, so that this one sees all output.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use klient_streams::remote_command::{Stdio, Writer};
use tokio::io::{AsyncReadExt as _, AsyncWrite, DuplexStream, duplex};
use tokio::sync::watch;

use super::log_writer::LogWriter;
use super::terminal::Size;

/// The number of bytes that the process has not read, at most.
const UNREAD: usize = 64 * 1024;

/// The part of an input that is read at once, in bytes.
const PART: usize = 32 * 1024;

/// The standard streams of a main process.
pub(super) struct Console {
    clients: Arc<Mutex<Clients>>,
    /// The end to which clients write; none once the input has ended.
    input: Mutex<Option<DuplexStream>>,
    /// Held by the client that writes, since only one can wait for room.
    turn: tokio::sync::Mutex<()>,
    /// The end that the process reads, until it begins.
    unread: Mutex<Option<DuplexStream>>,
    /// True once a client with an input has come.
    has_begun: watch::Sender<bool>,
    /// That of the terminal of the client that told its size last.
    pub(super) size: Size,
}

/// The clients that are attached, in the order in which they have come.
#[derive(Default)]
struct Clients {
    attached: Vec<Client>,
    /// The number of the next client.
    next: u64,
    /// Wakers of writers that wait for a client, which may leave meanwhile.
    waiting: Vec<Waker>,
}

/// The outputs of a client. One that is broken is none.
struct Client {
    number: u64,
    stdout: Option<Writer>,
    stderr: Option<Writer>,
}

impl Console {
    pub(super) fn new() -> Self {
        let (input, unread) = duplex(UNREAD);
        Console {
            clients: Arc::default(),
            input: Some(input).into(),
            turn: tokio::sync::Mutex::default(),
            unread: Some(unread).into(),
            has_begun: watch::Sender::new(false),
            size: Size::default(),
        }
    }

    /// Waits for the first client with an input, and returns that of the process; none if it has begun already.
    pub(super) async fn begun(&self) -> Option<DuplexStream> {
        // The sender is here: it cannot fail.
        let _ = self.has_begun.subscribe().wait_for(|has_begun| *has_begun).await;
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// An output of the process, which goes to all clients and to the log.
    pub(super) fn output(&self, is_stderr: bool, log: LogWriter) -> ConsoleOutput {
        ConsoleOutput { clients: self.clients.clone(), is_stderr, log, at: (0, 0) }
    }

    /// Passes the input of a client to the process and the output to the client, until the client ends its input. With
    /// `once`, the input of the process ends too, and the client stays.
    pub(super) async fn attach(&self, stdio: Stdio, once: bool) {
        let Stdio { stdin, stdout, stderr, .. } = stdio;
        let _attached = self.add(stdout, stderr);
        let Some(mut stdin) = stdin else { return pending().await };
        // Also if the client breaks off.
        let ending = once.then(|| Ending(self));
        self.has_begun.send_replace(true);
        let mut part = vec![0; PART];
        // A client whose connection breaks is at its end too.
        while let Ok(count @ 1..) = stdin.read(&mut part).await {
            if self.write(&part[..count]).await.is_err() {
                // The input has ended, and the process goes on.
                return pending().await;
            }
        }
        drop(ending);
        if once {
            pending().await
        }
    }

    /// Adds the outputs of a client, until the value is dropped.
    fn add(&self, stdout: Option<Writer>, stderr: Option<Writer>) -> Attached<'_> {
        let mut clients = lock(&self.clients);
        let number = clients.next;
        clients.next += 1;
        clients.attached.push(Client { number, stdout, stderr });
        Attached { console: self, number }
    }

    /// Writes to the input of the process, behind what other clients write just now.
    async fn write(&self, mut data: &[u8]) -> io::Result<()> {
        let _turn = self.turn.lock().await;
        while !data.is_empty() {
            let written = poll_fn(|context| match &mut *self.input() {
                Some(input) => Pin::new(input).poll_write(context, data),
                None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            });
            data = &data[written.await?..];
        }
        Ok(())
    }

    fn input(&self) -> MutexGuard<'_, Option<DuplexStream>> {
        self.input.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(clients: &Mutex<Clients>) -> MutexGuard<'_, Clients> {
    clients.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the input of the process when it is dropped.
struct Ending<'a>(&'a Console);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        drop(self.0.input().take());
    }
}

/// A client, which leaves when this is dropped.
struct Attached<'a> {
    console: &'a Console,
    number: u64,
}

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        let mut clients = lock(&self.console.clients);
        clients.attached.retain(|client| client.number != self.number);
        clients.waiting.drain(..).for_each(Waker::wake);
    }
}

/// An output of a main process.
pub(super) struct ConsoleOutput {
    clients: Arc<Mutex<Clients>>,
    is_stderr: bool,
    log: LogWriter,
    /// The number of the client that gets the present bytes next, and how many of them it has.
    at: (u64, usize),
}

impl Clients {
    /// The first client from a number on whose output stands.
    fn from(&mut self, number: u64, is_stderr: bool) -> Option<(u64, &mut Option<Writer>)> {
        let later = self.attached.iter_mut().filter(|client| client.number >= number);
        let outputs = later
            .map(|client| (client.number, if is_stderr { &mut client.stderr } else { &mut client.stdout }));
        outputs.into_iter().find(|(_, output)| output.is_some())
    }

    fn wait<T>(&mut self, context: &Context<'_>) -> Poll<T> {
        if self.waiting.iter().all(|waker| !waker.will_wake(context.waker())) {
            self.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

impl AsyncWrite for ConsoleOutput {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let mut clients = lock(&this.clients);
        while let Some((number, output)) = clients.from(this.at.0, this.is_stderr) {
            if number > this.at.0 {
                this.at = (number, 0);
            }
            let rest = data.get(this.at.1..).unwrap_or_default();
            if let Some(writer) = output
                && !rest.is_empty()
            {
                match Pin::new(writer).poll_write(context, rest) {
                    Poll::Pending => return clients.wait(context),
                    Poll::Ready(Ok(count)) => {
                        this.at.1 += count;
                        continue;
                    }
                    // The process goes on without a client that is gone.
                    Poll::Ready(Err(_)) => *output = None,
                }
            }
            this.at = (number + 1, 0);
        }
        this.at = (0, 0);
        drop(clients);
        this.log.add(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut clients = lock(&self.clients);
        let mut number = 0;
        while let Some((this, output)) = clients.from(number, self.is_stderr) {
            if let Some(writer) = output {
                match Pin::new(writer).poll_flush(context) {
                    Poll::Pending => return clients.wait(context),
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => *output = None,
                }
            }
            number = this + 1;
        }
        Poll::Ready(Ok(()))
    }

    /// The clients keep their outputs: others of the process go on.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
