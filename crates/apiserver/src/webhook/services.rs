//! [`Services`], which resolves the services of webhooks to addresses.

use std::sync::Arc;

use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{list_at, text_at};
use serde_json::Value;

use super::ServiceAddress;
use crate::registry::Registry;
use crate::storage::{Key, Storage};

/// The addresses of services.
pub(crate) struct Services {
    pub(crate) addresses: Arc<[ServiceAddress]>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) registry: Arc<Registry>,
}

impl Services {
    /// `HOST:PORT` of a service's port: that of the options; else the external name or the cluster IP of the Service
    /// object.
    ///
    /// # Errors
    ///
    /// If there is none, in upstream's words.
    pub(super) fn resolve(&self, namespace: &str, name: &str, port: u16) -> Result<String, String> {
        let given = self
            .addresses
            .iter()
            .find(|address| (&*address.namespace, &*address.name, address.port) == (namespace, name, port));
        if let Some(given) = given {
            return Ok(given.address.clone());
        }
        let services = self.registry.built_in("", "v1", "services");
        let service = self.storage.get(&services.table, &Key::new(Some(namespace), name));
        let service = service.ok_or_else(|| format!("service {} not found", quoted(name)))?.value();
        let host = match text_at(&service, &["spec", "type"]) {
            "ExternalName" => return Ok(format!("{}:{port}", text_at(&service, &["spec", "externalName"]))),
            _ => text_at(&service, &["spec", "clusterIP"]),
        };
        let ports = list_at(&service, &["spec", "ports"]);
        if !ports.iter().any(|other| other.get("port").and_then(Value::as_u64) == Some(u64::from(port))) {
            return Err(format!("no service port {port} found for service {}", quoted(name)));
        }
        if matches!(host, "" | "None") {
            return Err(format!("unsupported service type {}", quoted("ClusterIP")));
        }
        Ok(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
    }
}
