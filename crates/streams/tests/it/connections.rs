//! Pairs of connected ends, in memory and over TCP, and waiting without sleeping.

use std::time::Duration;

use klient_streams::Connection;
use tokio::net::{TcpListener, TcpStream};

/// The carrier of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Carrier {
    /// In memory, with a small buffer.
    Memory,
    Tcp,
}

/// The carriers of tests that run over each.
pub(crate) const CARRIERS: [Carrier; 2] = [Carrier::Memory, Carrier::Tcp];

pub(crate) async fn pair(carrier: Carrier) -> (Box<dyn Connection>, Box<dyn Connection>) {
    match carrier {
        Carrier::Memory => {
            let (near, far) = tokio::io::duplex(8 * 1024);
            (Box::new(near), Box::new(far))
        }
        Carrier::Tcp => {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (near, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
            (Box::new(near.unwrap()), Box::new(accepted.unwrap().0))
        }
    }
}

/// Fails a test that hangs, naming it.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let result = tokio::time::timeout(Duration::from_secs(60), future).await;
    result.unwrap_or_else(|_| panic!("this hangs: {what}"))
}

/// Waits until all tasks of the runtime but those of the test have ended.
pub(crate) async fn no_tasks_remain(tasks: usize) {
    let metrics = tokio::runtime::Handle::current().metrics();
    soon("tasks that end", async {
        while metrics.num_alive_tasks() > tasks {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Bytes without a pattern that a mistake could repeat.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}
