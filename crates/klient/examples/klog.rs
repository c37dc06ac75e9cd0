//! Logs as Kubernetes' components do: klog's flags, lines with references to objects, and the requests of the client at `-v=6`.

mod cluster;

use clap::Parser;
use klient::api::core::v1::Namespace;
use klient::klog::{LogFlags, Logger, error_s, info_s, kobj, v, with_values};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    log: LogFlags,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cli = Cli::parse_from(["controller", "-v=6"]);
    // It is held to the end: dropping it writes what is buffered for log files.
    let klog = cli.log.init()?;
    let (client, _server) = cluster::connect().await?;

    let logger = with_values!(Logger::current().with_name("namespaces"), cluster = "local");
    let namespaces = client.api::<Namespace>();
    let namespace = namespaces.get("default").await?;
    info_s!(logger: logger, "Synced", namespace = %kobj(&namespace));
    v!(2, "Details", finalizers = namespace.metadata.finalizers.len());
    if let Err(error) = namespaces.get("missing").await {
        error_s!(logger: logger, error, "Cannot sync", namespace = "missing");
    }
    // The requests that follow are not logged: the verbosity can change while the program runs.
    klog.verbosity().set(2);
    namespaces.get("default").await?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
