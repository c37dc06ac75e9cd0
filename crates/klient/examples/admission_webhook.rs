//! Admission webhooks for pods: one sets a label, one allows images of a registry only; with certificates of their own, which are renewed.

#![allow(clippy::print_stdout)]

use std::sync::Arc;

use klient::api::core::v1::{Container, Pod, PodSpec};
use klient::webhook::{
    AdmissionWebhook, Allowed, CaBundle, Denied, Operation, Request, Server, ServerOptions, WebhookAddress,
    WebhookCertificates, WebhookCertificatesOptions, WebhookOptions, Webhooks,
};
use klient::{ObjectMeta, TestClient as _, TestServer};

/// State that requests share.
struct Policy {
    registry: &'static str,
}

/// Denies pods with images of another registry, and warns of those that may change.
async fn check_images(request: Request<Pod>, policy: Arc<Policy>) -> Result<Allowed, Denied> {
    let mut allowed = Allowed::new();
    let containers = request.object.iter().flat_map(|pod| &pod.spec.containers);
    for (index, container) in containers.enumerate() {
        let image = container.image.as_deref().unwrap_or_default();
        if !image.starts_with(policy.registry) {
            let problem = format!("{image} is not of {}", policy.registry);
            let field = format!("spec.containers[{index}].image");
            return Err(Denied::new(&*problem).cause(&field, "FieldValueForbidden", problem));
        }
        if image.ends_with(":latest") {
            allowed = allowed.warning(format!("{image} is another image tomorrow"));
        }
    }
    Ok(allowed)
}

fn webhooks() -> Result<Webhooks, klient::webhook::Error> {
    let set_team = |pod: &mut Pod| {
        if !pod.metadata.labels.contains_key("team") {
            pod.metadata.labels.insert("team", "shop".into());
        }
    };
    // Images of a pod can change, and so it is asked about updates, too.
    let policy = Arc::new(Policy { registry: "registry.example/" });
    Webhooks::builder()
        .admission(
            AdmissionWebhook::defaulting("team.shop.example", set_team)
                .options(WebhookOptions { operations: vec![Operation::Create], ..Default::default() }),
        )
        .admission(AdmissionWebhook::validating("images.shop.example", policy, check_images))
        .build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = TestServer::start().await?;
    let client = cluster.client();

    // In a pod the host is that of its service, and replicas share the authority in the Secret.
    let certificates = WebhookCertificatesOptions {
        hosts: vec!["127.0.0.1".into()],
        ca_bundles: vec![CaBundle::Mutating("shop".into()), CaBundle::Validating("shop".into())],
        ..Default::default()
    };
    let certificates = WebhookCertificates::start(&client, certificates).await?;
    let options = ServerOptions { listen: ([127, 0, 0, 1], 0).into(), ..Default::default() };
    let webhooks = webhooks()?;
    let server = Server::start(webhooks.clone(), certificates.tls(), options).await?;
    let address = WebhookAddress::url(format!("https://{}", server.address()));
    let address = address.ca_bundle(certificates.ca_bundle());
    webhooks.install(&client, "shop", &address, &Default::default()).await?;

    let pods = client.api::<Pod>().namespace("default");
    for image in ["registry.example/web:1", "elsewhere.example/web:1"] {
        let container = Container { name: "web".into(), image: Some(image.into()), ..Default::default() };
        let pod = Pod {
            metadata: ObjectMeta::named("web"),
            spec: PodSpec { containers: vec![container], ..Default::default() },
            ..Default::default()
        };
        match pods.create(&pod).await {
            Ok(pod) => println!("{image} runs for team {}", pod.metadata.labels["team"]),
            Err(error) => println!("{error}"),
        }
    }
    for metrics in webhooks.metrics() {
        println!("{}: {} requests", metrics.webhook, metrics.requests);
    }
    // A program ends with `server.run(klient::controller::shutdown_signal())`.
    server.stop().await;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
