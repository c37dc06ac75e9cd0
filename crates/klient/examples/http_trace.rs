//! Logs the requests of a client with their headers and bodies, as `kubectl -v=8` does, by a subscriber without verbosities.

#![allow(clippy::print_stderr)]

mod cluster;

use std::sync::{Arc, Mutex};

use klient::api::core::v1::Namespace;
use klient::{Client, HttpTrace};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines of the log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(|error| error.into_inner()).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let mut config = client.config().clone();
    config.http_trace = HttpTrace::Bodies;
    let client = Client::new(config)?;

    let lines = Lines::default();
    let writing = lines.clone();
    let requests = Targets::new().with_target(HttpTrace::TARGET, LevelFilter::DEBUG);
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writing.clone());
    let logging = tracing_subscriber::registry().with(layer.with_filter(requests)).set_default();
    client.api::<Namespace>().get("default").await?;
    drop(logging);

    let lines = lines.0.lock().unwrap_or_else(|error| error.into_inner());
    let log = String::from_utf8_lossy(&lines);
    eprint!("{log}");
    for part in ["Request Body", "verb=\"GET\"", "Bearer <masked>", "status=\"200 OK\"", "Response Body"] {
        assert!(log.contains(part), "no {part} in the log");
    }
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
