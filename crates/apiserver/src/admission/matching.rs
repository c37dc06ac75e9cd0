//! Matching of writes by webhooks and policies: rules, selectors and equivalent resources.

mod rule;

use std::sync::Arc;

use klient_apimachinery::labels::Selector;
use klient_apimachinery::meta::v1::LabelSelector;
use klient_apimachinery::values::{Map, at, list_at, text_at};
use serde_json::Value;

use rule::Rule;

use super::{Attributes, Operation};
use crate::registry::{GroupVersionKind, Registry, Resource};
use crate::status::{Failure, Result};
use crate::storage::{Key, Storage};

/// The writes that a webhook or a policy is for.
#[derive(Debug)]
pub(crate) struct Criteria {
    rules: Vec<Rule>,
    /// Rules of the writes that it is not for.
    excluded: Vec<Rule>,
    /// True if rules match by the resource of the request only: `matchPolicy: Exact`.
    is_exact: bool,
    /// True if everything matches where there are no rules, as for policies.
    is_open: bool,
    namespaces: std::result::Result<Selector, String>,
    objects: std::result::Result<Selector, String>,
}

/// The resource by which a write has matched: that of the request, or an equivalent one. Webhooks and policies get
/// objects in its version.
#[derive(Clone)]
pub(crate) struct Matched {
    pub(crate) resource: Arc<Resource>,
    /// The kind of the object.
    pub(crate) kind: GroupVersionKind,
}

impl Criteria {
    /// Those of a webhook in the stored form, which is defaulted.
    pub(crate) fn of_webhook(webhook: &Map) -> Criteria {
        Criteria { rules: rules(webhook, "rules"), is_open: false, ..Criteria::of_match_resources(webhook) }
    }

    /// Those of the `MatchResources` of a policy or its binding in the stored form, which is defaulted.
    pub(crate) fn of_match_resources(resources: &Map) -> Criteria {
        Criteria {
            rules: rules(resources, "resourceRules"),
            excluded: rules(resources, "excludeResourceRules"),
            is_exact: text_at(resources, &["matchPolicy"]) == "Exact",
            is_open: true,
            namespaces: selector(resources, "namespaceSelector"),
            objects: selector(resources, "objectSelector"),
        }
    }

    /// The resource by which a write matches; `None` if it does not. `object` is the object as other plugins have left
    /// it, in any version.
    ///
    /// # Errors
    ///
    /// 404 if the namespace whose labels are selected by does not exist.
    pub(crate) fn matches(
        &self,
        storage: &dyn Storage,
        registry: &Registry,
        attributes: &Attributes<'_>,
        object: Option<&Map>,
    ) -> Result<Option<Matched>> {
        // Errors of selectors do not matter to writes that do not match otherwise.
        let in_namespace = self.selects_namespace(storage, registry, attributes, object);
        if matches!(in_namespace, Ok(false)) {
            return Ok(None);
        }
        let is_selected = self.selects_object(attributes, object);
        if matches!(is_selected, Ok(false)) || self.find(&self.excluded, registry, attributes)?.is_some() {
            return Ok(None);
        }
        let matched = if self.rules.is_empty() && self.is_open {
            Some(Matched::of(attributes.resource, attributes.subresource))
        } else {
            self.find(&self.rules, registry, attributes)?
        };
        if matched.is_some() {
            in_namespace?;
            is_selected?;
        }
        Ok(matched)
    }

    fn find(
        &self,
        rules: &[Rule],
        registry: &Registry,
        attributes: &Attributes<'_>,
    ) -> Result<Option<Matched>> {
        let Attributes { resource, subresource, .. } = *attributes;
        if rules.iter().any(|rule| rule.matches(attributes, resource)) {
            return Ok(Some(Matched::of(resource, subresource)));
        }
        if self.is_exact || rules.is_empty() {
            return Ok(None);
        }
        let equivalents = registry.equivalents(resource, subresource);
        let mut pairs = rules.iter().flat_map(|rule| equivalents.iter().map(move |other| (rule, other)));
        let found = pairs.find(|(rule, other)| rule.matches(attributes, other));
        Ok(found.map(|(_, other)| Matched::of(other, subresource)))
    }

    fn selects_namespace(
        &self,
        storage: &dyn Storage,
        registry: &Registry,
        attributes: &Attributes<'_>,
        object: Option<&Map>,
    ) -> Result<bool> {
        let is_namespace = attributes.resource.is_namespace();
        if attributes.namespace.is_none() && !is_namespace {
            return Ok(true);
        }
        let selector = self.namespaces.as_ref().map_err(Failure::internal)?;
        if selector.is_everything() {
            return Ok(true);
        }
        let is_written = matches!(attributes.operation, Operation::Create | Operation::Update)
            && attributes.subresource.is_none();
        match object {
            // The stored namespace is that of before.
            Some(namespace) if is_namespace && is_written => Ok(has_labels(namespace, selector)),
            _ => {
                let name = attributes.request_namespace();
                let found = namespace(storage, registry, name);
                let found = found.ok_or_else(|| {
                    Failure::not_found(&registry.built_in("", "v1", "namespaces").target(name))
                })?;
                Ok(has_labels(&found, selector))
            }
        }
    }

    fn selects_object(&self, attributes: &Attributes<'_>, object: Option<&Map>) -> Result<bool> {
        let selector = self.objects.as_ref().map_err(Failure::internal)?;
        let is_selected = |object: Option<&Map>| object.is_some_and(|object| has_labels(object, selector));
        Ok(selector.is_everything() || is_selected(object) || is_selected(attributes.old))
    }
}

impl Matched {
    fn of(resource: &Arc<Resource>, subresource: Option<&str>) -> Matched {
        Matched { resource: resource.clone(), kind: resource.kind_of(subresource) }
    }
}

/// The kinds that configure admission: neither webhooks nor policies of the API are called for them, so that none can
/// keep itself from being changed.
const EXEMPT: [&str; 6] = [
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

/// Returns true for writes that no webhook and no policy sees.
pub(crate) fn is_exempt(attributes: &Attributes<'_>) -> bool {
    let kind = attributes.kind();
    kind.group == "admissionregistration.k8s.io" && EXEMPT.contains(&&*kind.kind)
}

/// A namespace as it is stored.
pub(crate) fn namespace(storage: &dyn Storage, registry: &Registry, name: &str) -> Option<Map> {
    let namespaces = registry.built_in("", "v1", "namespaces");
    storage.get(&namespaces.table, &Key::new(None, name)).map(|namespace| namespace.value())
}

fn rules(object: &Map, name: &str) -> Vec<Rule> {
    list_at(object, &[name]).iter().filter_map(Value::as_object).map(Rule::parse).collect()
}

fn selector(object: &Map, name: &str) -> std::result::Result<Selector, String> {
    let selector = object.get(name).filter(|selector| !selector.is_null()).cloned();
    let Some(selector) = selector else { return Ok(Selector::everything()) };
    let selector: LabelSelector = serde_json::from_value(selector).map_err(|error| error.to_string())?;
    Selector::try_from(&selector).map_err(|error| error.to_string())
}

fn has_labels(object: &Map, selector: &Selector) -> bool {
    let labels = at(object, &["metadata", "labels"]).and_then(Value::as_object);
    selector.matches(|key| labels?.get(key)?.as_str())
}
