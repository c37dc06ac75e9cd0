//! [`Rule`], a rule of webhooks and policies: operations on resources.

use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value;

use crate::admission::Attributes;
use crate::registry::Resource;

/// A `RuleWithOperations`, or a `NamedRuleWithOperations` of a policy.
#[derive(Debug, Default)]
pub(super) struct Rule {
    operations: Vec<String>,
    groups: Vec<String>,
    versions: Vec<String>,
    /// `RESOURCE`, or `RESOURCE/SUBRESOURCE`.
    resources: Vec<String>,
    /// Empty for both scopes.
    scope: String,
    /// Empty for all names.
    names: Vec<String>,
}

impl Rule {
    pub(super) fn parse(rule: &Map) -> Rule {
        let texts = |name: &str| {
            list_at(rule, &[name]).iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        Rule {
            operations: texts("operations"),
            groups: texts("apiGroups"),
            versions: texts("apiVersions"),
            resources: texts("resources"),
            scope: text_at(rule, &["scope"]).to_owned(),
            names: texts("resourceNames"),
        }
    }

    /// Returns true if a write matches, as one to a resource that is equivalent to that of the request.
    pub(super) fn matches(&self, attributes: &Attributes<'_>, resource: &Resource) -> bool {
        let info = &resource.info;
        self.has_scope(attributes, resource)
            && has(&self.operations, attributes.operation.as_str())
            && has(&self.groups, &info.group)
            && has(&self.versions, &info.version)
            && self.has_resource(&info.plural, attributes.subresource)
            && (self.names.is_empty() || self.names.iter().any(|name| name == attributes.name))
    }

    /// The namespace of a request for a namespace is the namespace itself, which is cluster-scoped all the same.
    fn has_scope(&self, attributes: &Attributes<'_>, resource: &Resource) -> bool {
        let is_namespaced = attributes.namespace.is_some() && !resource.is_namespace();
        match &*self.scope {
            "" | "*" => true,
            "Namespaced" => is_namespaced,
            "Cluster" => !is_namespaced,
            _ => false,
        }
    }

    fn has_resource(&self, plural: &str, subresource: Option<&str>) -> bool {
        self.resources.iter().any(|resource| {
            let (resource, of_it) = resource.split_once('/').unwrap_or((resource, ""));
            (resource == "*" || resource == plural)
                && (of_it == "*" || of_it == subresource.unwrap_or_default())
        })
    }
}

fn has(items: &[String], item: &str) -> bool {
    items.iter().any(|known| known == "*" || known == item)
}
