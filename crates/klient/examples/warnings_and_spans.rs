//! Collects the warnings of a server, and prints the span of each request with its time.

#![allow(clippy::print_stdout)]

mod cluster;

use std::sync::{Arc, Mutex};

use klient::api::core::v1::{ComponentStatus, Namespace};
use klient::{Client, ListOptions, WarningHandler};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
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
    // `WarningHandler::log`, `log_once`, `writer` and `none` are others.
    let (handler, warnings) = WarningHandler::collector();
    config.warnings = handler;
    let client = Client::new(config)?;

    // A layer of `tracing-opentelemetry` takes the same spans.
    let lines = Lines::default();
    let writing = lines.clone();
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(move || writing.clone());
    let requests = Targets::new().with_target("klient::request", LevelFilter::DEBUG);
    let logging = tracing_subscriber::registry().with(layer.with_filter(requests)).set_default();
    client.api::<ComponentStatus>().list(&ListOptions::default()).await?;
    client.api::<Namespace>().get("no-such-namespace").await.err().ok_or("it exists")?;
    drop(logging);

    let deprecated = warnings.take();
    println!("warnings: {deprecated:?}");
    assert!(deprecated.iter().any(|warning| warning.text.starts_with("v1 ComponentStatus is deprecated")));
    let lines = lines.0.lock().unwrap_or_else(|error| error.into_inner());
    let log = String::from_utf8_lossy(&lines);
    print!("{log}");
    for part in ["k8s.api.resource=\"componentstatuses\"", "http.response.status_code=404", "time.busy="] {
        assert!(log.contains(part), "no {part} in the log");
    }
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
