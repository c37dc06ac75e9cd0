//! [`Forms`], the objects of a write as webhooks get them.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

use crate::registry::Resource;

/// The objects of a write in a version, as the JSON that webhooks get. An object that is not there is `null`.
pub(super) struct Forms {
    pub(super) object: Bytes,
    pub(super) old: Bytes,
    /// The same, decoded for expressions.
    values: OnceLock<[Value; 2]>,
}

impl Forms {
    /// The object and the old one.
    pub(super) fn values(&self) -> &[Value; 2] {
        let value = |json: &Bytes| serde_json::from_slice(json).expect("the server has written it");
        self.values.get_or_init(|| [value(&self.object), value(&self.old)])
    }
}

/// The forms of the objects of a write: encoded once for all webhooks that match by the same resource.
#[derive(Default)]
pub(super) struct Versions(Vec<(Arc<Resource>, Arc<Forms>)>);

impl Versions {
    /// The forms for a resource, if they are known.
    pub(super) fn get(&self, resource: &Arc<Resource>) -> Option<Arc<Forms>> {
        let (_, forms) = self.0.iter().find(|(known, _)| Arc::ptr_eq(known, resource))?;
        Some(forms.clone())
    }

    /// Adds the forms for a resource.
    pub(super) fn add(&mut self, resource: &Arc<Resource>, object: Bytes, old: Bytes) -> Arc<Forms> {
        let forms = Arc::new(Forms { object, old, values: OnceLock::new() });
        self.0.push((resource.clone(), forms.clone()));
        forms
    }
}
