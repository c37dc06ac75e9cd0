//! [`Serving`], the tasks of a running server and the threads that run them.

use std::io;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::runtime::{self, Runtime};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_rustls::TlsAcceptor;

use super::connection::{self, Connections};
use crate::containers::built_in;
use crate::finalization;
use crate::offload;
use crate::state::State;

/// A running server. With its own threads and tokio runtime it outlives the runtime that started it. It stops when
/// dropped, and ends its threads.
pub(super) struct Serving {
    stop: watch::Sender<bool>,
    in_memory: mpsc::UnboundedSender<DuplexStream>,
    ended: oneshot::Receiver<()>,
    /// `None` on the runtime of the caller.
    thread: Option<JoinHandle<()>>,
}

/// The time for which the end of a server waits for threads that work for requests.
const LAST_WORK: Duration = Duration::from_secs(1);

/// The buffer of a connection within the program, in bytes and for each direction.
const IN_MEMORY_BUFFER: usize = 64 * 1024;

impl Serving {
    /// Starts serving, on a port if there is a listener, and on the caller's runtime if there is no number of threads.
    /// `stop` is the sender of the state's `stopped`.
    pub(super) async fn start(
        listener: Option<TcpListener>,
        tls: TlsAcceptor,
        state: Arc<State>,
        stop: watch::Sender<bool>,
        threads: Option<NonZeroUsize>,
    ) -> io::Result<Serving> {
        let (in_memory, clients) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let thread = match threads {
            Some(threads) => Some(on_threads(threads, listener, clients, tls, state, end).await?),
            None => {
                let listener = listener.map(tokio::net::TcpListener::from_std).transpose()?;
                finalization::resume(&state);
                built_in::resume(&state);
                tokio::spawn(async move {
                    connection::accept(Connections { listener, in_memory: clients }, tls, state).await;
                    let _ = end.send(());
                });
                None
            }
        };
        Ok(Serving { stop, in_memory, ended, thread })
    }

    /// Opens a connection within the program.
    ///
    /// # Errors
    ///
    /// If the server has stopped.
    pub(super) fn connect(&self) -> io::Result<DuplexStream> {
        let (client, server) = tokio::io::duplex(IN_MEMORY_BUFFER);
        self.in_memory.send(server).map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(client)
    }

    /// Stops, and waits for the end of its connections and threads.
    pub(super) async fn stop(mut self) {
        self.stop.send_replace(true);
        // The sender is dropped if the thread panics. Either way it has nothing left to do but to end.
        let _ = (&mut self.ended).await;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the server did not stop in order");
        }
    }
}

/// Serves on a runtime of its own, until the server stops.
async fn on_threads(
    threads: NonZeroUsize,
    listener: Option<TcpListener>,
    in_memory: mpsc::UnboundedReceiver<DuplexStream>,
    tls: TlsAcceptor,
    state: Arc<State>,
    end: oneshot::Sender<()>,
) -> io::Result<JoinHandle<()>> {
    // At most the fifteen bytes that Linux keeps of a thread's name.
    let name = match &listener {
        Some(listener) => format!("apiserver:{}", listener.local_addr()?.port()),
        None => "apiserver".to_owned(),
    };
    let (start, started) = oneshot::channel();
    let workers = name.clone();
    let thread = thread::Builder::new().name(name).spawn(move || {
        let runtime = match runtime(threads, &workers) {
            Ok(runtime) => runtime,
            Err(error) => return drop(start.send(Err(error))),
        };
        runtime.block_on(async {
            let listener = match listener.map(tokio::net::TcpListener::from_std).transpose() {
                Ok(listener) => listener,
                Err(error) => return drop(start.send(Err(error))),
            };
            finalization::resume(&state);
            built_in::resume(&state);
            let _ = start.send(Ok(()));
            connection::accept(Connections { listener, in_memory }, tls, state).await;
        });
        // Requests and watches still in progress end here. A thread that works for one of them ends at its deadline.
        runtime.shutdown_timeout(LAST_WORK);
        let _ = end.send(());
    })?;
    started.await.map_err(io::Error::other)??;
    Ok(thread)
}

/// A runtime for this thread and others.
fn runtime(threads: NonZeroUsize, name: &str) -> io::Result<Runtime> {
    let mut builder = match threads.get() {
        1 => runtime::Builder::new_current_thread(),
        _ => runtime::Builder::new_multi_thread(),
    };
    let works = Arc::new(Semaphore::new(offload::WORKS));
    offload::limit(works.clone());
    builder.worker_threads(threads.get()).on_thread_start(move || offload::limit(works.clone()));
    builder.thread_name(name).enable_all().build()
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{Instant, timeout};

    use super::*;

    #[test]
    fn names_are_resolved_while_long_work_takes_all_permits() {
        let runtime = runtime(NonZeroUsize::MIN.saturating_add(1), "test").unwrap();
        runtime.block_on(async {
            let (end, ended) = std::sync::mpsc::channel::<()>();
            let (ended, begun) = (Arc::new(Mutex::new(ended)), Arc::new(AtomicUsize::new(0)));
            let deadline = Instant::now() + Duration::from_secs(60);
            let works: Vec<_> = (0..2 * offload::WORKS)
                .map(|_| {
                    let (ended, begun) = (ended.clone(), begun.clone());
                    tokio::spawn(offload::offload(deadline, move || {
                        begun.fetch_add(1, Ordering::SeqCst);
                        let _ = ended.lock().unwrap().recv();
                    }))
                })
                .collect();
            while begun.load(Ordering::SeqCst) < offload::WORKS {
                tokio::task::yield_now().await;
            }
            let resolved = timeout(Duration::from_secs(10), tokio::net::lookup_host("localhost:1")).await;
            assert_eq!(begun.load(Ordering::SeqCst), offload::WORKS);
            drop(end);
            for work in works {
                assert!(work.await.unwrap().is_ok());
            }
            assert!(resolved.unwrap().is_ok());
        });
    }
}
