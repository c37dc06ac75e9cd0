//! A path begins with a dot.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", selectable_field = "spec.size")]
struct WebsiteSpec {}

fn main() {}
