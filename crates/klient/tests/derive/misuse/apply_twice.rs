//! A specification has its configuration by `#[resource(apply)]`.

use klient::{ApplyConfiguration, CustomResource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(ApplyConfiguration, Clone, CustomResource, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1")]
struct WebsiteSpec {
    size: u32,
}

fn main() {}
