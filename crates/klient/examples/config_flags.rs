//! A command line with kubectl's flags, which prints the pods of the selected namespace.

#![allow(clippy::print_stdout)]

use clap::Parser;
use klient::api::core::v1::Pod;
use klient::{Client, Config, ConfigFlags, ListOptions, Object as _, TestClient as _, TestServer};

/// Print the names of pods
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    config: ConfigFlags,
    /// Print the pods of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Label selector
    #[arg(short = 'l', long)]
    selector: Option<String>,
}

#[cfg_attr(test, allow(dead_code, reason = "the arguments of a test program are not for the example"))]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(Cli::parse()).await
}

/// Prints the pods.
async fn run(cli: Cli) -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = connect(&cli.config).await?;
    let options = ListOptions { label_selector: cli.selector.map(Into::into), ..Default::default() };
    let pods = client.api::<Pod>();
    let pods = match cli.all_namespaces {
        true => pods.list(&options).await?,
        // The namespace of `-n`, else that of the context.
        false => pods.namespace(client.default_namespace()).list(&options).await?,
    };
    for pod in &pods {
        println!("{}\t{}", pod.namespace().unwrap_or_default(), pod.name());
    }
    Ok(())
}

/// A client of the selected cluster; if there is none, of a server that runs until it is dropped.
async fn connect(flags: &ConfigFlags) -> Result<(Client, Option<TestServer>), Box<dyn std::error::Error>> {
    let kubeconfig = flags.loading_rules().load()?;
    let is_selected = flags.server.is_some() || !kubeconfig.current_context.is_empty();
    if is_selected || Config::in_cluster().is_ok() {
        return Ok((Client::new(flags.load()?)?, None));
    }
    let server = TestServer::start().await?;
    Ok((server.client(), Some(server)))
}

#[tokio::test]
async fn runs() -> Result<(), Box<dyn std::error::Error>> {
    let server = TestServer::start().await?;
    let (url, token) = (server.url(), format!("--token={}", server.admin_token()));
    let args =
        ["pods", "-n", "kube-system", "-l", "app", "--insecure-skip-tls-verify=true", &token, "-s", &url];
    let cli = Cli::parse_from(args);
    assert_eq!(cli.config.load()?.namespace, "kube-system");
    run(cli).await
}
