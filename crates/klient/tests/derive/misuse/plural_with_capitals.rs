//! A plural is in lower case.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", plural = "Websites")]
struct WebsiteSpec {}

fn main() {}
