//! Another logger in place of klog's (`klog.SetLogger`): the calls of klog's macros and the requests of klient's client are
//! events of `tracing`, which any subscriber writes in its own format.

use std::time::Duration;

use klient_client::{Client, Config, HttpTrace};
use klient_klog::{error_s, flush_and_exit, v};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = klient_apiserver::TestServer::start().await?;
    run(Config::from_kubeconfig(&server.kubeconfig())?, std::io::stderr).await
}

pub(crate) async fn run<W>(mut config: Config, writer: W) -> Result<(), Box<dyn std::error::Error>>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let logger = tracing_subscriber::fmt().with_ansi(false).with_max_level(LevelFilter::DEBUG);
    let _logging = tracing::subscriber::set_default(logger.with_writer(writer).finish());
    // This logger has levels, but no verbosities, by which a klog selects the detail.
    config.http_trace = HttpTrace::Bodies;
    let client = Client::new(config)?;
    match client.discovery().version().await {
        Ok(version) => {
            v!(-2, "Kubernetes server info", version = %version.git_version, platform = %version.platform);
        }
        Err(error) => {
            error_s!(v: -2, error, "Failed to get the version of the server");
            flush_and_exit(Duration::from_secs(1), 1);
        }
    }
    error_s!(std::io::Error::other("timeout"), "error log test");
    Ok(())
}
