//! All problems are told at once, with the forms that are meant.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", scope = "Cluster", status = "WebsiteStatus", namespaced)]
#[resource(rule = "self.spec.size > 1", rule(message = "too small"), column("Size", ".spec.size"))]
#[resource(short_name("web"), deprecated = true, plural, label = "app", printcolumn(name = "Size"), scale = 3)]
struct WebsiteSpec {}

fn main() {}
