//! There are two scopes.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", scope = Global)]
struct WebsiteSpec {}

fn main() {}
