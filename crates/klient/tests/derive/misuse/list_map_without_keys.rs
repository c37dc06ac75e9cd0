//! Items of a list are told apart by something.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, CustomResource, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1")]
struct WebsiteSpec {
    #[resource(list_type = "map")]
    pages: Vec<Page>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
struct Page {
    name: String,
}

fn main() {}
