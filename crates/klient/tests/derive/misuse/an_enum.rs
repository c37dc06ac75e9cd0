//! A specification is a struct.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1")]
enum WebsiteSpec {
    #[default]
    Off,
}

fn main() {}
