//! Deployments: their annotations are handed on to ReplicaSets, so that a change of them counts.

use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::values::{Map, at};

use super::{Paths, Strategy};

pub(super) struct Deployment(pub(super) &'static ResourceSchema);

impl Strategy for Deployment {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn changes_spec(&self, object: &Map, old: &Map, _has_status: bool) -> bool {
        let differs = |path: &[&str]| at(object, path) != at(old, path);
        differs(&["spec"]) || differs(&["metadata", "annotations"])
    }

    fn fields_reset_by_status(&self) -> Paths {
        &[&["spec"], &["metadata", "labels"]]
    }
}
