//! [`StoredObject`], an object as a server stores it.

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::{ResourceInfo, Unstructured};

use crate::registry::Resource;
use crate::storage::Object;

/// An object of a server, in the version in which its kind is stored: see [`Local::objects`](crate::Local::objects).
#[derive(Clone)]
pub struct StoredObject {
    resource: Arc<Resource>,
    object: Arc<Object>,
}

impl StoredObject {
    pub(crate) fn new(resource: Arc<Resource>, object: Arc<Object>) -> Self {
        StoredObject { resource, object }
    }

    /// The resource that it is an object of.
    pub fn resource(&self) -> &ResourceInfo {
        &self.resource.info
    }

    /// Its namespace, unless it is cluster-scoped.
    pub fn namespace(&self) -> Option<&str> {
        self.object.key.namespace()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.object.key.name()
    }

    /// Its uid.
    pub fn uid(&self) -> &str {
        &self.object.uid
    }

    /// The version of its last change, a number of which each change of the server has another.
    pub fn resource_version(&self) -> u64 {
        self.object.version
    }

    /// Decodes it.
    pub fn to_unstructured(&self) -> Unstructured {
        let info = self.resource();
        // No webhook is called: the object is in the version in which it was stored.
        let (value, api_version) = match self.resource.conversion_webhook() {
            Some(_) => (self.object.value(), format!("{}/{}", info.group, self.object.version_name)),
            None => (self.resource.read(&self.object), info.api_version()),
        };
        let mut object = Unstructured(value);
        object["apiVersion"] = api_version.into();
        object["kind"] = (*info.kind).into();
        object
    }
}

impl fmt::Debug for StoredObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.resource().plural, self.object)
    }
}
