//! [`Website`], a custom resource.

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_apimachinery::meta::v1::{Condition, ObjectMeta};
use klient_apimachinery::{Unstructured, custom_resource};
use klient_client::Client;
use serde::{Deserialize, Serialize};
use serde_json::json;

custom_resource! {
    group: "example.com", version: "v1", kind: "Website", plural: "websites",
    scope: Namespaced, subresources: [Status];

    /// A website.
    pub(crate) struct Website {
        pub(crate) status: WebsiteStatus,
    }
}

/// The observed state of a website.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct WebsiteStatus {
    pub(crate) pages: u32,
    pub(crate) conditions: Vec<Condition>,
}

impl Website {
    /// A website in the namespace that tests use.
    pub(crate) fn named(name: &str) -> Self {
        Website { metadata: ObjectMeta::named(name).in_namespace("default"), ..Default::default() }
    }
}

/// Defines the custom resource `websites.example.com` with a status.
pub(crate) async fn define_websites(client: &Client) {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let mut definition =
        Unstructured::new("apiextensions.k8s.io/v1", "CustomResourceDefinition", "websites.example.com");
    definition["spec"] = json!({
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Website", "plural": "websites"},
        "versions": [{
            "name": "v1",
            "served": true,
            "storage": true,
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}},
        }],
    });
    let definitions = client.api::<CustomResourceDefinition>();
    definitions.create(&definition.to_typed().unwrap()).await.unwrap();
}
