//! Role-based access control, by the stored roles and bindings.

use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::values::{Map, list_at, text_at};
use klient_apimachinery::{fields, validation};
use serde_json::Value;

use super::grant::Grant;
use super::{SUPERUSERS, User};
use crate::registry::Registry;
use crate::request::{Query, RequestInfo, Verb};
use crate::status::{Failure, Result, Target};
use crate::storage::{Storage, TableId};

/// The attributes of a request for authorization.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) verb: String,
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    /// Set for requests without a resource.
    pub(crate) path: Option<String>,
}

impl Attributes {
    /// The attributes of a request for a resource.
    pub(crate) fn of(info: &RequestInfo, query: &Query) -> Self {
        // A namespace is authorized as in itself.
        let namespaces = info.group.is_empty() && info.resource == "namespaces";
        let namespace = if namespaces { &info.name } else { &info.namespace };
        // A list or watch of one object is authorized by its name.
        let selected = || {
            let selector: fields::Selector = query.text("fieldSelector").parse().ok()?;
            let name = selector.exact("metadata.name").map(str::to_owned);
            name.filter(|name| validation::path_segment(name).is_empty())
        };
        let is_selecting = matches!(info.verb, Verb::List | Verb::Watch);
        let name = info.name.clone().or_else(|| selected().filter(|_| is_selecting));
        Attributes {
            verb: info.verb.as_str().to_owned(),
            group: info.group.clone(),
            resource: info.resource.clone(),
            subresource: info.subresource.clone().unwrap_or_default(),
            name: name.unwrap_or_default(),
            namespace: namespace.clone().unwrap_or_default(),
            path: None,
        }
    }

    /// `pods` or `pods/log`.
    pub(crate) fn full_resource(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }

    /// The error for a user that is not authorized; `problem` gives details, if not empty.
    pub(crate) fn forbidden(&self, user: &User, problem: &str) -> Failure {
        let (verb, user) = (&self.verb, quoted(&user.name));
        let place = if self.namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace {}", quoted(&self.namespace))
        };
        let message = match &self.path {
            Some(path) => format!("User {user} cannot {verb} path {}", quoted(path)),
            None => {
                let (resource, group) = (quoted(self.full_resource()), quoted(&self.group));
                format!("User {user} cannot {verb} resource {resource} in API group {group} {place}")
            }
        };
        // Escaped as upstream, against interpretation as HTML by browsers.
        let message = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let message = if problem.is_empty() { message } else { format!("{message}: {problem}") };
        if self.path.is_some() {
            return Failure::new(Reason::Forbidden, format!("forbidden: {message}")).with_details();
        }
        let target = Target { group: &self.group, plural: &self.resource, name: &self.name };
        Failure::forbidden(&target, &message)
    }
}

/// Authorizes by stored roles.
pub(crate) struct Rbac<'a> {
    pub(crate) store: &'a dyn Storage,
    pub(crate) registry: &'a Registry,
}

const GROUP: &str = "rbac.authorization.k8s.io";

impl Rbac<'_> {
    /// Returns true if a user is authorized.
    pub(crate) fn allows(&self, user: &User, attributes: &Attributes) -> bool {
        user.is_in(SUPERUSERS) || self.grant(user, attributes).is_some()
    }

    /// The binding that authorizes a user. Superusers need none.
    pub(crate) fn grant(&self, user: &User, attributes: &Attributes) -> Option<Grant> {
        self.cluster_grant(user, attributes).or_else(|| self.namespace_grant(user, attributes))
    }

    /// Checks that a user is authorized.
    ///
    /// # Errors
    ///
    /// 403 if not.
    pub(crate) fn authorize(&self, user: &User, attributes: &Attributes) -> Result<()> {
        if self.allows(user, attributes) { Ok(()) } else { Err(attributes.forbidden(user, "")) }
    }

    fn cluster_grant(&self, user: &User, attributes: &Attributes) -> Option<Grant> {
        self.objects("clusterrolebindings", None)
            .into_iter()
            .filter_map(|binding| Grant::of(binding, user, None))
            .find(|grant| self.role_allows(&grant.binding, None, attributes))
    }

    fn namespace_grant(&self, user: &User, attributes: &Attributes) -> Option<Grant> {
        let namespace = attributes.namespace.as_str();
        if namespace.is_empty() || attributes.path.is_some() {
            return None;
        }
        self.objects("rolebindings", Some(namespace))
            .into_iter()
            .filter_map(|binding| Grant::of(binding, user, Some(namespace)))
            .find(|grant| self.role_allows(&grant.binding, Some(namespace), attributes))
    }

    /// The rules that apply to a user in a namespace.
    pub(crate) fn rules(&self, user: &User, namespace: &str) -> Vec<Value> {
        let mut rules = Vec::new();
        for (plural, namespace) in [("clusterrolebindings", None), ("rolebindings", Some(namespace))] {
            for binding in self.objects(plural, namespace) {
                if let Some(grant) = Grant::of(binding, user, namespace) {
                    rules.extend(self.role_rules(&grant.binding, namespace).unwrap_or_default());
                }
            }
        }
        rules
    }

    /// Returns true if the role of a binding allows the request.
    fn role_allows(&self, binding: &Map, namespace: Option<&str>, attributes: &Attributes) -> bool {
        let rules = self.role_rules(binding, namespace).unwrap_or_default();
        rules.iter().any(|rule| rule_allows(rule, attributes))
    }

    /// The rules of the role of a binding; `None` if there is no such role.
    pub(crate) fn role_rules(&self, binding: &Map, namespace: Option<&str>) -> Option<Vec<Value>> {
        let name = text_at(binding, &["roleRef", "name"]);
        let (plural, namespace) = match text_at(binding, &["roleRef", "kind"]) {
            "ClusterRole" => ("clusterroles", None),
            _ => ("roles", namespace),
        };
        let resource = self.registry.built_in(GROUP, "v1", plural);
        let role = self.store.get(&resource.table, &resource.key(namespace, name))?;
        Some(list_at(&role.value(), &["rules"]).to_vec())
    }

    fn objects(&self, plural: &str, namespace: Option<&str>) -> Vec<Map> {
        let table: &TableId = &self.registry.built_in(GROUP, "v1", plural).table;
        self.store.all(table, namespace).iter().map(|object| object.value()).collect()
    }
}

fn rule_allows(rule: &Value, attributes: &Attributes) -> bool {
    let has = |list: &str, wanted: &dyn Fn(&str) -> bool| {
        let words = rule.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        words.into_iter().any(|word| word == "*" || wanted(word))
    };
    if !has("verbs", &|verb| verb == attributes.verb) {
        return false;
    }
    if let Some(path) = &attributes.path {
        return has("nonResourceURLs", &|url| match url.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => url == path,
        });
    }
    let full = attributes.full_resource();
    let is_resource = |resource: &str| {
        resource == full
            || (!attributes.subresource.is_empty() && resource == format!("*/{}", attributes.subresource))
    };
    let names = rule.get("resourceNames").and_then(Value::as_array).filter(|names| !names.is_empty());
    let is_named = names.is_none_or(|names| names.iter().any(|name| *name == *attributes.name));
    has("apiGroups", &|group| group == attributes.group) && has("resources", &is_resource) && is_named
}
