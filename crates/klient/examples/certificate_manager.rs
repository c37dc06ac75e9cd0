//! Authenticates with a certificate of the cluster's signer, which is renewed before it expires.
//!
//! A program needs other credentials only for its first request.

#![allow(clippy::print_stdout)]

use std::time::Duration;

use klient::api::authentication::v1::SelfSubjectReview;
use klient::api::certificates::v1::CertificateSigningRequest;
use klient::certificate::{
    CertificateManager, CertificateManagerOptions, CertificateRequest, CertificateTemplate, FileStore,
    signers,
};
use klient::{Client, Config, Credentials, Object, TestClient as _, TestServer, WatchEvent, WatchOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (config, _server) = cluster().await?;
    let client = Client::new(config.clone())?;
    let approver = tokio::spawn(approve(client.clone()));

    let request = CertificateRequest {
        signer_name: signers::KUBE_APISERVER_CLIENT.into(),
        template: CertificateTemplate {
            common_name: "ann".into(),
            organizations: vec!["devs".into(), "ops".into()],
            ..Default::default()
        },
        duration: Some(Duration::from_secs(3600)),
        ..Default::default()
    };
    let options = CertificateManagerOptions { request, ..Default::default() };
    let folder = std::env::temp_dir().join(format!("klient-certificates-{}", std::process::id()));
    // A program that starts again finds its certificate there.
    let store = FileStore::new(&folder, "ann");
    let manager = CertificateManager::start(client, options, store).await?;

    let mut config = Config { credentials: Credentials::None, ..config };
    config.tls.client = Some(manager.client_identity().await?);
    let client = Client::new(config)?;
    for _ in 0..2 {
        let review = client.api().create(&SelfSubjectReview::default()).await?;
        let user = review.status.user_info.unwrap_or_default();
        let expiry = manager.current().map(|certificate| certificate.not_after().to_string());
        println!("{:?} of {:?} until {expiry:?}", user.username, user.groups);
        // The manager renews it after 70 to 90 % of its validity; this is sooner.
        manager.rotate_now().await?;
    }
    approver.abort();
    Ok(std::fs::remove_dir_all(folder)?)
}

/// Approves the requests of the example, as an administrator would with `kubectl certificate approve`.
async fn approve(client: Client) -> Result<(), klient::Error> {
    let requests = client.api::<CertificateSigningRequest>();
    let options = WatchOptions { send_initial_events: true, ..Default::default() };
    let mut watch = requests.watch(&options).await?;
    while let Some(event) = watch.next().await {
        let WatchEvent::Added(request) = event? else { continue };
        if request.spec.signer_name == signers::KUBE_APISERVER_CLIENT && request.status.conditions.is_empty()
        {
            requests.approve(request.name(), "ByExample", "Ann is on the team.").await?;
        }
    }
    Ok(())
}

/// The cluster whose kubeconfig stands on the command line, or else a server that is started here.
async fn cluster() -> Result<(Config, Option<TestServer>), Box<dyn std::error::Error>> {
    if let Some(path) = std::env::args().nth(1).filter(|_| !cfg!(test)) {
        return Ok((Config::from_kubeconfig_file(path)?, None));
    }
    let server = TestServer::start().await?;
    Ok((server.config(), Some(server)))
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
