//! Custom resources with types of the program's own: CRD, typed [`Api`](crate::Api), status and scale.
//!
//! A CustomResourceDefinition (CRD) adds a kind to the server, and [`custom_resource!`](crate::custom_resource!)
//! declares the struct of its objects. Such a kind has all that built-in kinds have:
//! [`Client::api`](crate::Client::api), informers, listers and stores. Subresources that are not declared do not
//! compile. Kinds without a struct are [`Unstructured`](crate::Unstructured): see
//! [`Client::dynamic`](crate::Client::dynamic).
//!
//! With the feature `derive`, `#[derive(CustomResource)]` declares the struct and writes its definition; with `apply-derive`,
//! `#[derive(ApplyConfiguration)]` makes the types for server-side apply. Without them that is:
//!
//! ```
//! use klient::api::apiextensions::v1::CustomResourceDefinition;
//! use klient::{
//!     ApplyConfiguration, ApplyOptions, Client, ObjectMeta, TestClient as _, WatchEvent, WatchOptions,
//!     custom_resource, json, serde_json,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! custom_resource! {
//!     group: "example.com", version: "v1", kind: "Website", plural: "websites",
//!     scope: Namespaced, subresources: [Status, Scale];
//!
//!     /// A website that some replicas serve.
//!     pub struct Website {
//!         pub spec: WebsiteSpec,
//!         pub status: Option<WebsiteStatus>,
//!     }
//! }
//!
//! #[derive(Clone, Debug, Default, Serialize, Deserialize)]
//! #[serde(rename_all = "camelCase", default)]
//! pub struct WebsiteSpec {
//!     pub host: String,
//!     pub replicas: i32,
//! }
//!
//! #[derive(Clone, Debug, Default, Serialize, Deserialize)]
//! #[serde(rename_all = "camelCase", default)]
//! pub struct WebsiteStatus {
//!     pub replicas: i32,
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = klient::TestServer::start().await?;
//!     let client = server.client();
//!     define(&client).await?;
//!     let websites = client.api::<Website>().namespace("default");
//!
//!     // Created, read, changed and updated. Fields that the structs do not know stay as they are.
//!     let shop = Website {
//!         metadata: ObjectMeta::named("shop"),
//!         spec: WebsiteSpec { host: "shop.example".into(), replicas: 1 },
//!         ..Default::default()
//!     };
//!     websites.create(&shop).await?;
//!     let mut shop = websites.get("shop").await?;
//!     shop.spec.replicas = 2;
//!     let mut shop = websites.update(&shop).await?;
//!
//!     // The status is written apart.
//!     shop.status = Some(WebsiteStatus { replicas: 2 });
//!     let shop = websites.update_status(&shop).await?;
//!     assert_eq!(shop.status.map(|status| status.replicas), Some(2));
//!
//!     // As is the scale, which kinds have in common.
//!     let mut scale = websites.scale("shop").await?;
//!     scale.spec.replicas = Some(5);
//!     websites.update_scale("shop", &scale).await?;
//!     assert_eq!(websites.get("shop").await?.spec.replicas, 5);
//!
//!     // Server-side apply has a type of its own, whose fields are unset until they are set.
//!     let wish = WebsiteWish {
//!         api_version: "example.com/v1",
//!         kind: "Website",
//!         metadata: ObjectMeta::named("shop"),
//!         spec: json!({"host": "shop.example.org"}),
//!     };
//!     let shop = websites.apply(&wish, &ApplyOptions::new("operator").force()).await?;
//!     assert_eq!((&*shop.spec.host, shop.spec.replicas), ("shop.example.org", 5));
//!     Ok(())
//! }
//!
//! #[derive(Serialize)]
//! #[serde(rename_all = "camelCase")]
//! struct WebsiteWish {
//!     api_version: &'static str,
//!     kind: &'static str,
//!     metadata: ObjectMeta,
//!     spec: serde_json::Value,
//! }
//!
//! impl ApplyConfiguration for WebsiteWish {
//!     type Object = Website;
//! }
//!
//! /// Creates the definition, and waits until the server knows the kind.
//! async fn define(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
//!     let replicas = json!({"type": "object", "properties": {"replicas": {"type": "integer"}}});
//!     let definition: CustomResourceDefinition = serde_json::from_value(json!({
//!         "apiVersion": "apiextensions.k8s.io/v1",
//!         "kind": "CustomResourceDefinition",
//!         "metadata": {"name": "websites.example.com"},
//!         "spec": {
//!             "group": "example.com",
//!             "scope": "Namespaced",
//!             "names": {"kind": "Website", "plural": "websites"},
//!             "versions": [{
//!                 "name": "v1",
//!                 "served": true,
//!                 "storage": true,
//!                 "schema": {"openAPIV3Schema": {"type": "object", "properties": {
//!                     "spec": {"type": "object", "properties": {
//!                         "host": {"type": "string"},
//!                         "replicas": {"type": "integer"},
//!                     }},
//!                     "status": replicas,
//!                 }}},
//!                 "subresources": {
//!                     "status": {},
//!                     "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
//!                 },
//!             }],
//!         },
//!     }))?;
//!     let definitions = client.api::<CustomResourceDefinition>();
//!     definitions.create(&definition).await?;
//!     let mut watch = definitions.watch(&WatchOptions::default()).await?;
//!     while let Some(event) = watch.next().await {
//!         let (WatchEvent::Added(definition) | WatchEvent::Modified(definition)) = event? else { continue };
//!         let mut conditions = definition.status.conditions.iter();
//!         if conditions.any(|condition| condition.type_ == "Established" && condition.status == "True") {
//!             break;
//!         }
//!     }
//!     Ok(())
//! }
//! ```

#[doc(inline)]
pub use klient_apimachinery::custom_resource;
