//! Derives a custom resource from a struct, installs its definition, writes objects that its schema and rules allow, and applies
//! only those fields that were set.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::definitions::Definitions;
use klient::{ApplyConfiguration, ApplyOptions, Condition, CustomResource, Object as _, ResourceSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A website that some replicas serve.
#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", short_name = "web", category = "all", status = WebsiteStatus, apply)]
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
    /// Pages, of which each may have an owner of its own.
    #[serde(default)]
    #[resource(list_type = "map", list_map_keys("path"))]
    pages: Vec<Page>,
}

#[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, ResourceSchema, Serialize)]
struct Page {
    #[resource(rule("self.startsWith('/')", message = "a path begins with a slash"))]
    path: String,
    #[serde(default)]
    title: Option<String>,
}

#[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
enum Theme {
    #[default]
    Light,
    Dark,
}

#[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
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
    let spec = WebsiteSpec { replicas: 2, ..Default::default() };
    let shop = websites.create(&Website::new("shop", spec)).await?;
    println!("{} has {} replicas", shop.name(), shop.spec.replicas);
    println!("and as its scale says {:?}", websites.scale("shop").await?.spec.replicas);

    let spec = WebsiteSpec { replicas: 3, theme: Theme::Dark, pages: Vec::new() };
    println!("{}", websites.create(&Website::new("bar", spec)).await.expect_err("a rule forbids it"));

    // Two managers own a page each; neither says a word of the replicas.
    let page = |path: &str, title: &str| {
        let page = PageApplyConfiguration::new().path(path).title(title);
        WebsiteApplyConfiguration::new("shop", "default")
            .spec(WebsiteSpecApplyConfiguration::new().pages([page]))
    };
    websites.apply(&page("/", "Welcome"), &ApplyOptions::new("marketing")).await?;
    let shop = websites.apply(&page("/jobs", "Jobs"), &ApplyOptions::new("people")).await?;
    println!("{} has {} replicas and the pages {:?}", shop.name(), shop.spec.replicas, shop.spec.pages);
    let owned = WebsiteApplyConfiguration::extract(&shop, "people")?;
    println!("and of it people own {owned}");
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
