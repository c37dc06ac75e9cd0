//! A specification is no configuration of one.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, CustomResource, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", apply)]
struct WebsiteSpec {
    size: u32,
}

fn configuration() -> WebsiteApplyConfiguration {
    WebsiteApplyConfiguration::new("shop", "default").spec(WebsiteSpec { size: 3 })
}

fn main() {}
