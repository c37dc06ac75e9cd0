//! [`Deletion`], the options of a delete, and the mark that it leaves.

use klient_apimachinery::meta::PropagationPolicy;
use klient_apimachinery::values::{Map, at};
use serde_json::json;

/// The options of a delete.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deletion {
    pub(crate) dry_run: bool,
    /// Seconds.
    pub(crate) grace_period: Option<i64>,
    pub(crate) propagation: Option<PropagationPolicy>,
    /// The UID that the object must have.
    pub(crate) uid: Option<String>,
    /// The resourceVersion that the object must have.
    pub(crate) version: Option<String>,
}

impl Deletion {
    /// The options as an object of `meta.k8s.io/v1`, for admission.
    pub(crate) fn to_object(&self) -> Map {
        let mut options = Map::new();
        options.insert("kind".to_owned(), "DeleteOptions".into());
        options.insert("apiVersion".to_owned(), "meta.k8s.io/v1".into());
        if let Some(seconds) = self.grace_period {
            options.insert("gracePeriodSeconds".to_owned(), seconds.into());
        }
        let preconditions = [("uid", &self.uid), ("resourceVersion", &self.version)];
        let preconditions = preconditions
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.as_deref()?.into())))
            .collect::<Map>();
        if !preconditions.is_empty() {
            options.insert("preconditions".to_owned(), preconditions.into());
        }
        if let Some(policy) = self.propagation {
            options.insert("propagationPolicy".to_owned(), policy.as_str().into());
        }
        if self.dry_run {
            options.insert("dryRun".to_owned(), json!(["All"]));
        }
        options
    }
}

/// Returns true if an object has a deletionTimestamp. A stored [`Object`] knows it without a look at its JSON.
///
/// [`Object`]: crate::storage::Object::is_terminating
pub(crate) fn is_terminating(object: &Map) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some()
}
