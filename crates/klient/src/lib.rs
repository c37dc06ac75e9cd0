//! client-go for Rust.
//!
//! klient is everything a Rust program needs to work with Kubernetes: clients typed and dynamic, Kubernetes' own
//! types, and an API server that runs inside a test.
//!
//! ```
//! use klient::api::core::v1::ConfigMap;
//! use klient::{Client, Config, DeleteOptions, ListOptions, ObjectMeta};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = klient::TestServer::start().await?;
//!     let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
//!     let config_maps = client.api::<ConfigMap>().namespace("default");
//!
//!     let colors = ConfigMap {
//!         metadata: ObjectMeta { name: Some("colors".into()), ..Default::default() },
//!         data: [("sky", "blue")].into(),
//!         ..Default::default()
//!     };
//!     config_maps.create(&colors).await?;
//!     for config_map in config_maps.list(&ListOptions::default()).await? {
//!         println!("{:?} holds {:?}", config_map.metadata.name, config_map.data);
//!     }
//!     config_maps.delete("colors", &DeleteOptions::default()).await?;
//!     Ok(())
//! }
//! ```

pub use klient_api as api;
pub use klient_apimachinery as apimachinery;
pub use klient_apimachinery::meta::v1::{LabelSelector, ListMeta, ObjectMeta, OwnerReference, Status};
pub use klient_apimachinery::{
    AllNamespaces, Bookmark, ByteString, IntOrString, Map, MicroTime, Object, Quantity, Resource,
    ResourceInfo, Str, Time, Unstructured,
};
#[cfg(feature = "apiserver")]
pub use klient_apiserver::{self as apiserver, TestServer};
pub use klient_client::*;
pub use klient_clientset::{self as clientset, Clientset};
