//! There are four reasons.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", rule("self.spec.a", reason = "Bad"))]
struct WebsiteSpec {}

fn main() {}
