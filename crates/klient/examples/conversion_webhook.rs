//! A custom resource in two versions, which a conversion webhook of the program converts, with a validating webhook and rules in CEL.

#![allow(clippy::print_stdout)]

use klient::certificate::self_signed_certificate;
use klient::definitions::{Definition, Definitions};
use klient::webhook::{
    AdmissionWebhook, Allowed, Conversion, Denied, Request, Server, ServerOptions, Tls, WebhookAddress,
    Webhooks,
};
use klient::{TestClient as _, TestServer};

/// The first version, in which a lamp has a number of watts.
mod v1 {
    use klient::CustomResource;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
    #[resource(group = "shop.example", version = "v1", deprecated = "use shop.example/v2")]
    pub(super) struct LampSpec {
        pub(super) watts: u32,
    }
}

/// The second version, which is stored, in which the power has a unit.
mod v2 {
    use klient::CustomResource;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
    #[resource(group = "shop.example", version = "v2")]
    #[resource(rule("self.spec.power.endsWith('W')", message = "the power has the unit W"))]
    pub(super) struct LampSpec {
        pub(super) power: String,
        #[serde(default)]
        pub(super) room: Option<String>,
    }
}

/// The annotation that has the room, for which v1 has no field.
const ROOM: &str = "shop.example/room";

impl From<v1::Lamp> for v2::Lamp {
    fn from(lamp: v1::Lamp) -> Self {
        let mut metadata = lamp.metadata;
        let room = metadata.annotations.remove(ROOM).map(|room| room.to_string());
        let spec = v2::LampSpec { power: format!("{}W", lamp.spec.watts), room };
        v2::Lamp { metadata, spec, ..Default::default() }
    }
}

impl TryFrom<v2::Lamp> for v1::Lamp {
    type Error = String;

    fn try_from(lamp: v2::Lamp) -> Result<Self, String> {
        let v2::LampSpec { power, room } = lamp.spec;
        let watts = power.strip_suffix('W').and_then(|watts| watts.parse().ok());
        let watts = watts.ok_or_else(|| format!("spec.power: {power} is no number of watts"))?;
        let mut metadata = lamp.metadata;
        if let Some(room) = room {
            metadata.annotations.insert(ROOM, room.into());
        }
        Ok(v1::Lamp { metadata, spec: v1::LampSpec { watts }, ..Default::default() })
    }
}

/// A lamp stays in its room, which needs the object that there is.
async fn check(request: Request<v2::Lamp>, (): ()) -> Result<Allowed, Denied> {
    let room = |lamp: &Option<v2::Lamp>| lamp.as_ref().and_then(|lamp| lamp.spec.room.clone());
    match (room(&request.old_object), room(&request.object)) {
        (Some(old), new) if new.as_ref() != Some(&old) => Err(Denied::new(format!("it stays in the {old}"))
            .cause("spec.room", "FieldValueForbidden", "it stays")),
        _ => Ok(Allowed::new()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = TestServer::start().await?;
    let client = cluster.client();
    let webhooks = Webhooks::builder()
        .admission(AdmissionWebhook::validating("lamps.shop.example", (), check))
        .conversion(Conversion::<v2::Lamp>::new().version::<v1::Lamp>())
        .build()?;

    // The example `admission_webhook` has certificates that are renewed.
    let certificate = self_signed_certificate(&["127.0.0.1"], std::time::Duration::from_secs(3600))?;
    let options = ServerOptions { listen: ([127, 0, 0, 1], 0).into(), ..Default::default() };
    let server = Server::start(webhooks.clone(), Tls::certificate(certificate.clone()), options).await?;
    let address =
        WebhookAddress::url(format!("https://{}", server.address())).ca_bundle(certificate.certificate_pem());

    let definition = Definition::merge([v1::Lamp::definition(), v2::Lamp::definition()], "v2");
    let definition = definition.conversion_webhook(address.conversion());
    Definitions::install(&client, [definition], &Default::default()).await?;
    webhooks.install(&client, "lamps.shop.example", &address, &Default::default()).await?;

    let (first, second) =
        (client.api::<v1::Lamp>().namespace("default"), client.api::<v2::Lamp>().namespace("default"));
    first.create(&v1::Lamp::new("desk", v1::LampSpec { watts: 5 })).await?;
    let mut desk = second.get("desk").await?;
    println!("5 watts are {}", desk.spec.power);
    desk.spec.room = Some("study".into());
    second.update(&desk).await?;
    let mut desk = first.get("desk").await?;
    println!("in v1 its room is an annotation: {:?}", desk.metadata.annotations.get(ROOM));
    desk.metadata.annotations.remove(ROOM);
    println!("{}", first.update(&desk).await.expect_err("the webhook denies it"));
    let spec = v2::LampSpec { power: "5 horses".into(), room: None };
    println!("{}", second.create(&v2::Lamp::new("stable", spec)).await.expect_err("a rule denies it"));
    server.stop().await;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
