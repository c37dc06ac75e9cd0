//! The HTTP trace of a client, as `kubectl -v=6` to `-v=10` shows it: the verbosity selects its detail, also while the
//! program runs.

use clap::Parser;
use klient_api::core::v1::Namespace;
use klient_client::{Client, Config};
use klient_klog::{LogFlags, Verbosity};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    log: LogFlags,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cli = Cli::parse();
    let klog = cli.log.init()?;
    let server = klient_apiserver::TestServer::start().await?;
    run(Config::from_kubeconfig(&server.kubeconfig())?, klog.verbosity()).await
}

pub(crate) async fn run(config: Config, verbosity: Verbosity) -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::new(config)?;
    client.api::<Namespace>().get("default").await?;
    // The next request is not logged.
    verbosity.set(0);
    client.api::<Namespace>().get("default").await?;
    Ok(())
}
