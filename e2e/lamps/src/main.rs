//! Serves the webhooks of lamps, which default, validate and convert them, with certificates of its own; configures them on
//! the server of `$KUBECONFIG`; and writes lamps in the ways in which the webhooks are called. It prints each answer without
//! what no two servers have in common, as `e2e/webhooks` does with controller-runtime.

mod lamp;
mod player;
mod webhooks;

use std::error::Error;
use std::time::Duration;

use klient_api::core::v1::Namespace;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_client::{Client, Config, WarningHandler};
use klient_definitions::Definitions;
use klient_webhook::{
    CaBundle, Server, ServerOptions, WebhookAddress, WebhookCertificates, WebhookCertificatesOptions,
};

use player::Player;

/// The name of the namespace and of the configurations.
const NAME: &str = "klient-lamps";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut config = Config::infer()?;
    let (handler, warnings) = WarningHandler::collector();
    config.warnings = handler;
    let client = Client::new(config)?;
    let namespace = Namespace { metadata: ObjectMeta::named(NAME), ..Default::default() };
    client.api().create(&namespace).await?;

    let definition = lamp::definition();
    let certificates = WebhookCertificatesOptions {
        namespace: Some(NAME.into()),
        hosts: vec!["127.0.0.1".to_owned()],
        ca_bundles: vec![
            CaBundle::Definition(definition.name().into()),
            CaBundle::Mutating(NAME.into()),
            CaBundle::Validating(NAME.into()),
        ],
        resync: Duration::from_millis(100),
        ..Default::default()
    };
    let certificates = WebhookCertificates::start(&client, certificates).await?;
    let options = ServerOptions { listen: ([127, 0, 0, 1], 0).into(), ..Default::default() };
    let webhooks = webhooks::all()?;
    let server = Server::start(webhooks.clone(), certificates.tls(), options).await?;
    // Without a bundle, which the certificates bring.
    let address = WebhookAddress::url(format!("https://{}", server.address()));
    let definition = definition.conversion_webhook(address.conversion());
    Definitions::install(&client, [definition], &Default::default()).await?;
    webhooks.install(&client, NAME, &address, &Default::default()).await?;

    let player = Player { client, warnings };
    player.until_called().await?;
    player.play().await;
    server.stop().await;
    Ok(())
}
