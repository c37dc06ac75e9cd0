//! Columns have five types.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", column(name = "Size", type = "int", path = ".spec.size"))]
struct WebsiteSpec {}

fn main() {}
