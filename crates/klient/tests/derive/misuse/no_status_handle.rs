//! There is no subresource that the definition has not.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1")]
struct WebsiteSpec {}

async fn write(websites: klient::Api<Website, klient::InNamespace>, website: Website) {
    let _ = websites.update_status(&website).await;
    let _ = websites.scale("shop").await;
}

fn main() {}
