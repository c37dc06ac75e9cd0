//! A scale has two paths.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", scale(spec = ".spec.replicas"))]
struct WebsiteSpec {}

fn main() {}
