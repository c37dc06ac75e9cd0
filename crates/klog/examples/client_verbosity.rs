//! The HTTP trace of a client, as `kubectl -v=6` to `-v=10` shows it: the verbosity selects its detail.

use clap::Parser;
use klient_api::core::v1::Namespace;
use klient_client::{Client, Config, HttpTrace};
use klient_klog::LogFlags;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    log: LogFlags,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cli = Cli::parse();
    let _klog = cli.log.init()?;
    let server = klient_apiserver::TestServer::start().await?;
    run(Config::from_kubeconfig(&server.kubeconfig())?, cli.log.v).await
}

pub(crate) async fn run(mut config: Config, verbosity: i32) -> Result<(), Box<dyn std::error::Error>> {
    let verbosity = u8::try_from(verbosity.clamp(0, 10)).unwrap_or_default();
    config.http_trace = HttpTrace::from_verbosity(verbosity).unwrap_or_default();
    let client = Client::new(config)?;
    client.api::<Namespace>().get("default").await?;
    Ok(())
}
