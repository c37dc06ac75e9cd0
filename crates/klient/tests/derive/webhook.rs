//! A custom resource with webhooks of its own, from the struct to the informer.

use klient::certificate::self_signed_certificate;
use klient::definitions::{Definition, Definitions};
use klient::webhook::{
    AdmissionWebhook, Allowed, Conversion, Denied, Operation, Request, Server, ServerOptions, Tls,
    WebhookAddress, WebhookOptions, Webhooks,
};
use klient::{ApplyOptions, Informer, Object as _, ObjectMeta, Unstructured, json};

use crate::cluster::TestCluster;

mod v1 {
    use klient::CustomResource;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
    #[resource(group = "hooks.example", version = "v1")]
    pub(crate) struct LampSpec {
        pub watts: u32,
    }
}

mod v2 {
    use klient::CustomResource;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, Default, PartialEq, CustomResource, Deserialize, JsonSchema, Serialize)]
    #[resource(group = "hooks.example", version = "v2")]
    #[resource(rule("self.spec.power != '666W'", message = "a rule in CEL forbids it"))]
    pub(crate) struct LampSpec {
        pub power: String,
        #[serde(default)]
        pub color: Option<String>,
    }
}

impl From<v1::Lamp> for v2::Lamp {
    fn from(lamp: v1::Lamp) -> Self {
        let spec = v2::LampSpec { power: format!("{}W", lamp.spec.watts), color: None };
        v2::Lamp { metadata: lamp.metadata, spec, ..Default::default() }
    }
}

impl TryFrom<v2::Lamp> for v1::Lamp {
    type Error = std::num::ParseIntError;

    fn try_from(lamp: v2::Lamp) -> Result<Self, Self::Error> {
        let spec = v1::LampSpec { watts: lamp.spec.power.trim_end_matches('W').parse()? };
        Ok(v1::Lamp { metadata: lamp.metadata, spec, ..Default::default() })
    }
}

async fn check(request: Request<v2::Lamp>, (): ()) -> Result<Allowed, Denied> {
    let power = |lamp: &v2::Lamp| lamp.spec.power.clone();
    match (request.operation, request.subject().map(power).as_deref()) {
        (Operation::Delete, Some("1W")) => Err(Denied::new("a dim lamp stays")),
        (Operation::Create | Operation::Update, Some("1000W")) => Err(Denied::new("1000W is too bright")),
        _ => Ok(Allowed::new()),
    }
}

#[tokio::test]
async fn a_kind_is_installed_applied_listed_validated_and_converted_by_its_own_webhooks() {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    let operations = vec![Operation::Create, Operation::Update, Operation::Delete];
    let webhooks = Webhooks::builder()
        .admission(AdmissionWebhook::defaulting("default.lamps.hooks.example", |lamp: &mut v2::Lamp| {
            lamp.spec.color.get_or_insert_with(|| "white".to_owned());
        }))
        .admission(
            AdmissionWebhook::validating("check.lamps.hooks.example", (), check)
                .options(WebhookOptions { operations, ..Default::default() }),
        )
        .conversion(Conversion::<v2::Lamp>::new().version::<v1::Lamp>())
        .build()
        .unwrap();
    let certificate = self_signed_certificate(&["127.0.0.1"], std::time::Duration::from_secs(3600)).unwrap();
    let options = ServerOptions { listen: ([127, 0, 0, 1], 0).into(), ..Default::default() };
    let server =
        Server::start(webhooks.clone(), Tls::certificate(certificate.clone()), options).await.unwrap();
    let address = WebhookAddress::url(format!("https://{}", server.address()));
    let address = address.ca_bundle(certificate.certificate_pem());

    let definition = Definition::merge([v1::Lamp::definition(), v2::Lamp::definition()], "v2")
        .conversion_webhook(address.conversion());
    Definitions::install(&client, [definition], &Default::default()).await.unwrap();
    webhooks.install(&client, "lamps", &address, &Default::default()).await.unwrap();

    // Applied in v1, and validated in v2, which is stored.
    let lamp = |name: &str, watts: u32| {
        let mut lamp = Unstructured::new("hooks.example/v1", "Lamp", name);
        lamp["spec"] = json!({"watts": watts});
        lamp
    };
    let first = client.dynamic(<v1::Lamp as klient::Resource>::INFO).namespace("default");
    let applied = first.apply(&lamp("desk", 5), &ApplyOptions::new("test")).await.unwrap();
    assert_eq!(applied["spec"], json!({"watts": 5}));
    let bright = first.apply(&lamp("bright", 1000), &ApplyOptions::new("test")).await.unwrap_err();
    assert!(bright.is_forbidden() && bright.to_string().ends_with("1000W is too bright"), "{bright}");
    let (lamps, old_lamps) = (
        Informer::new(client.api::<v2::Lamp>(), Default::default()),
        Informer::new(client.api::<v1::Lamp>(), Default::default()),
    );
    lamps.start();
    old_lamps.start();
    let has = |key: &'static str| lamps.store().wait_until(move |store| store.get(key).is_some());
    has("default/desk").await.unwrap();
    let desk = lamps.store().get("default/desk").unwrap();
    // The default is converted back to v1, which has no field for it.
    assert_eq!(desk.spec, v2::LampSpec { power: "5W".into(), color: None });
    old_lamps.store().wait_until(|store| store.get("default/desk").is_some()).await.unwrap();
    assert_eq!(old_lamps.store().get("default/desk").unwrap().spec.watts, 5);

    let second = client.api::<v2::Lamp>().namespace("default");
    let create = async |name: &str, power: &str| {
        let spec = v2::LampSpec { power: power.into(), color: None };
        let lamp = v2::Lamp { metadata: ObjectMeta::named(name), spec, ..Default::default() };
        second.create(&lamp).await
    };
    // A rule holds for writes in its version.
    let beast = create("beast", "666W").await.unwrap_err();
    assert!(beast.to_string().contains("a rule in CEL forbids it"), "{beast}");
    let dim = create("dim", "1W").await.unwrap();
    assert_eq!(dim.spec.color.as_deref(), Some("white"));
    has("default/dim").await.unwrap();
    old_lamps.store().wait_until(|store| store.get("default/dim").is_some()).await.unwrap();
    let stays = second.delete("dim", &Default::default()).await.unwrap_err();
    assert!(stays.to_string().ends_with("a dim lamp stays"), "{stays}");
    second.delete("desk", &Default::default()).await.unwrap();
    lamps.store().wait_until(|store| store.get("default/desk").is_none()).await.unwrap();
    assert_eq!(second.get("dim").await.unwrap().name(), "dim");
    server.stop().await;
}
