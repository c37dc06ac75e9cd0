//! Derives a custom resource from a struct, installs its definition, and writes objects that its schema and rules allow.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::definitions::Definitions;
use klient::{Condition, CustomResource, Object as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A website that some replicas serve.
#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", short_name = "web", category = "all", status = WebsiteStatus)]
#[resource(scale(spec = ".spec.replicas", status = ".status.replicas"))]
#[resource(column(name = "Theme", type = "string", path = ".spec.theme"))]
#[resource(rule("self.spec.theme != 'Dark' || self.spec.replicas < 3", message = "the dark side is small"))]
#[serde(rename_all = "camelCase")]
struct WebsiteSpec {
    /// The number of servers.
    #[schemars(range(min = 1, max = 9))]
    replicas: u32,
    #[serde(default)]
    theme: Theme,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
enum Theme {
    #[default]
    Light,
    Dark,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct WebsiteStatus {
    replicas: u32,
    conditions: Vec<Condition>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let definition = Website::definition();
    println!("{}", definition.to_yaml()?);
    Definitions::install(&client, [definition], &Default::default()).await?;

    let websites = client.api::<Website>().namespace("default");
    let spec = WebsiteSpec { replicas: 2, theme: Theme::Light };
    let shop = websites.create(&Website::new("shop", spec)).await?;
    println!("{} has {} replicas", shop.name(), shop.spec.replicas);
    println!("and as its scale says {:?}", websites.scale("shop").await?.spec.replicas);

    let spec = WebsiteSpec { replicas: 3, theme: Theme::Dark };
    println!("{}", websites.create(&Website::new("bar", spec)).await.expect_err("a rule forbids it"));
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
