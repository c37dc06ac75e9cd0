//! The parameters of policies: objects of the kind that the policy names, selected by its binding.

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::labels::Selector;
use klient_apimachinery::meta::v1::LabelSelector;
use klient_apimachinery::values::{Map, at, text_at};
use serde_json::Value;
use tokio::time::Instant;

use super::{Binding, Definition, Sources};
use crate::admission::Attributes;
use crate::registry::Resource;
use crate::storage::{Object, Selection};

/// The kind of the parameters of a policy.
#[derive(Debug)]
pub(super) struct ParamKind {
    pub(super) api_version: String,
    pub(super) kind: String,
}

impl ParamKind {
    pub(super) fn parse(kind: &Map) -> Self {
        let text = |name: &str| text_at(kind, &[name]).to_owned();
        ParamKind { api_version: text("apiVersion"), kind: text("kind") }
    }
}

/// As Go prints a group, version and kind.
impl fmt::Display for ParamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.api_version.contains('/') { "" } else { "/" };
        write!(f, "{slash}{}, Kind={}", self.api_version, self.kind)
    }
}

impl Sources {
    /// The resource of a policy's parameters; `None` if it has none.
    ///
    /// # Errors
    ///
    /// If there is no such kind.
    pub(super) fn param_resource(&self, definition: &Definition) -> Result<Option<Arc<Resource>>, String> {
        let Some(kind) = &definition.param_kind else { return Ok(None) };
        let resource = self.resource(kind);
        let missing = || format!("failed to find resource referenced by paramKind: '{kind}'");
        resource.map(Some).ok_or_else(missing)
    }

    /// The parameters with which a policy is evaluated, one after the other; `None` for one evaluation without any.
    ///
    /// # Errors
    ///
    /// If there are none and the binding denies that, the reference is not valid, or the conversion webhook of their kind
    /// fails.
    pub(super) async fn params(
        &self,
        resource: Option<&Arc<Resource>>,
        binding: &Binding,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<Option<Map>>, String> {
        let (Some(resource), Some(reference)) = (resource, &binding.param_ref) else {
            return Ok(vec![None]);
        };
        let deadline = attributes.request.deadline;
        let own = text_at(reference, &["namespace"]);
        let namespace = match (resource.info.namespaced, own) {
            (false, "") => None,
            (false, _) => {
                let problem = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`";
                return Err(problem.to_owned());
            }
            (true, "") if attributes.request_namespace().is_empty() => {
                let problem =
                    "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources";
                return Err(problem.to_owned());
            }
            (true, "") => Some(attributes.request_namespace()),
            (true, own) => Some(own),
        };
        let selector = reference.get("selector").filter(|selector| !selector.is_null());
        let found = match (text_at(reference, &["name"]), selector) {
            ("", None) => return Err("one of name or selector must be provided".to_owned()),
            ("", Some(selector)) => {
                let selector: LabelSelector =
                    serde_json::from_value(selector.clone()).map_err(|error| error.to_string())?;
                let selector = Selector::try_from(&selector).map_err(|error| error.to_string())?;
                let mut objects = self.storage.all(&resource.table, namespace);
                if resource.conversion_webhook().is_none() {
                    // Their labels are known without decoding them. A webhook may change these.
                    let selection = Selection { labels: selector.clone(), ..Selection::default() };
                    objects.retain(|object| object.matches(&selection));
                }
                let mut objects = self.served(resource, objects, deadline).await?;
                objects.retain(|object| has_labels(object, &selector));
                objects
            }
            (_, Some(_)) => {
                return Err("paramRef.name and paramRef.selector are mutually exclusive".to_owned());
            }
            (name, None) => {
                let found = self.storage.get(&resource.table, &resource.key(namespace, name));
                self.served(resource, found.into_iter().collect(), deadline).await?
            }
        };
        if found.is_empty() && text_at(reference, &["parameterNotFoundAction"]) == "Deny" {
            let problem = "no params found for policy binding with `Deny` parameterNotFoundAction";
            return Err(problem.to_owned());
        }
        let whole = |mut object: Map| {
            object.insert("apiVersion".to_owned(), resource.info.api_version().into());
            object.insert("kind".to_owned(), (&*resource.info.kind).into());
            Some(object)
        };
        Ok(found.into_iter().map(whole).collect())
    }

    /// Stored objects in the version of the resource.
    async fn served(
        &self,
        resource: &Resource,
        objects: Vec<Arc<Object>>,
        deadline: Instant,
    ) -> Result<Vec<Map>, String> {
        let served = self.converter.serve_all(resource, objects, deadline).await;
        let served = served.map_err(|undecodable| undecodable.problem().to_owned())?;
        Ok(served.iter().map(|object| resource.read(object)).collect())
    }
}

fn has_labels(object: &Map, selector: &Selector) -> bool {
    let labels = at(object, &["metadata", "labels"]).and_then(Value::as_object);
    selector.matches(|key| labels?.get(key)?.as_str())
}
