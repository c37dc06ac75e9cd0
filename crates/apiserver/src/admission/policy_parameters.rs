//! Permissions for the parameters of policies: a policy or binding may name only objects that its writer can read.
//! Upstream checks it in the storage of these kinds.

use std::future::ready;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, at, text_at};
use serde_json::Value;

use super::{Attributes, Operation, Plugin};
use crate::auth::{self, Rbac, SUPERUSERS, User};
use crate::registry::Registry;
use crate::status::Result;
use crate::storage::Storage;

const GROUP: &str = "admissionregistration.k8s.io";

/// The admission plugin.
pub(crate) struct PolicyParameters {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) registry: Arc<Registry>,
}

impl Plugin for PolicyParameters {
    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        object: Option<&'a Map>,
    ) -> BoxFuture<'a, Result<()>> {
        let is_written = attributes.resource.info.group == GROUP
            && !attributes.resource.is_custom()
            && attributes.subresource.is_none()
            && attributes.operation != Operation::Delete;
        let object = object.filter(|_| is_written);
        Box::pin(ready(object.map_or(Ok(()), |object| self.check(attributes, object))))
    }
}

/// The kind of parameters in a policy or of a binding's policy, resolved as far as it is known.
#[derive(Default)]
struct ParamResource {
    group: Option<String>,
    plural: Option<String>,
}

impl PolicyParameters {
    fn check(&self, attributes: &Attributes<'_>, object: &Map) -> Result<()> {
        let Some(user) = attributes.request.user.filter(|user| !user.is_in(SUPERUSERS)) else {
            return Ok(());
        };
        let (field, problem) = match &*attributes.resource.info.plural {
            "validatingadmissionpolicies" | "mutatingadmissionpolicies" => {
                ("spec.paramKind", self.policy(user, attributes.old, object))
            }
            "validatingadmissionpolicybindings" => {
                ("spec.paramRef", self.binding(user, "validatingadmissionpolicies", attributes.old, object))
            }
            "mutatingadmissionpolicybindings" => {
                ("spec.paramRef", self.binding(user, "mutatingadmissionpolicies", attributes.old, object))
            }
            _ => return Ok(()),
        };
        let name = text_at(object, &["metadata", "name"]);
        problem.map_or(Ok(()), |problem| {
            Err(attributes.resource.invalid(name, &[FieldError::forbidden(field, problem)]))
        })
    }

    /// The problem with the kind of a policy's parameters.
    fn policy(&self, user: &User, old: Option<&Map>, new: &Map) -> Option<String> {
        let kind = set(new, &["spec", "paramKind"])?.as_object()?;
        if old.and_then(|old| set(old, &["spec", "paramKind"])).and_then(Value::as_object) == Some(kind) {
            return None;
        }
        let resource = self.resource(kind);
        let wanted = auth::Attributes {
            verb: "get".to_owned(),
            name: "*".to_owned(),
            namespace: "*".to_owned(),
            ..resource.attributes()
        };
        if self.allows(user, &wanted) {
            return None;
        }
        let (kind, api_version) = (text_at(kind, &["kind"]), text_at(kind, &["apiVersion"]));
        Some(format!(
            "user {} must have \"get\" permission on all objects of the referenced paramKind (kind={kind}, \
             apiVersion={api_version})",
            shown(user)
        ))
    }

    /// The problem with the parameters that a binding refers to.
    fn binding(&self, user: &User, policies: &str, old: Option<&Map>, new: &Map) -> Option<String> {
        let reference = set(new, &["spec", "paramRef"])?.as_object()?;
        let policy = text_at(new, &["spec", "policyName"]);
        let is_unchanged = old.is_some_and(|old| {
            set(old, &["spec", "paramRef"]).and_then(Value::as_object) == Some(reference)
                && text_at(old, &["spec", "policyName"]) == policy
        });
        if is_unchanged {
            return None;
        }
        let table = self.registry.built_in(GROUP, "v1", policies);
        let found = self.storage.get(&table.table, &table.key(None, policy)).map(|policy| policy.value());
        let kind = found.as_ref().and_then(|policy| set(policy, &["spec", "paramKind"])?.as_object());
        let resource = kind.map(|kind| self.resource(kind)).unwrap_or_default();
        let name = text_at(reference, &["name"]);
        let verb = if name.is_empty() { "list" } else { "get" };
        let wanted = auth::Attributes {
            verb: verb.to_owned(),
            name: name.to_owned(),
            namespace: text_at(reference, &["namespace"]).to_owned(),
            ..resource.attributes()
        };
        if self.allows(user, &wanted) {
            return None;
        }
        let user = shown(user);
        let minimum = format!(
            "to determine minimum required permissions and user {user} does not have \"{verb}\" permission for all \
             groups, versions and resources"
        );
        Some(match (&found, kind) {
            (None, _) => format!("unable to get policy {policy} {minimum}"),
            (Some(_), Some(kind)) if resource.plural.is_none() => {
                let (api_version, kind) = (text_at(kind, &["apiVersion"]), text_at(kind, &["kind"]));
                format!(
                    "unable to resolve paramKind &ParamKind{{APIVersion:{api_version},Kind:{kind},}} {minimum}"
                )
            }
            _ => format!(
                "user {user} does not have \"{verb}\" permission on the object referenced by paramRef"
            ),
        })
    }

    fn resource(&self, kind: &Map) -> ParamResource {
        let (api_version, kind) = (text_at(kind, &["apiVersion"]), text_at(kind, &["kind"]));
        let group = api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
        let resources = self.registry.all();
        let found = resources
            .iter()
            .find(|resource| *resource.info.kind == *kind && resource.info.api_version() == api_version);
        ParamResource { group: Some(group), plural: found.map(|resource| resource.info.plural.to_string()) }
    }

    fn allows(&self, user: &User, attributes: &auth::Attributes) -> bool {
        Rbac { store: &*self.storage, registry: &self.registry }.allows(user, attributes)
    }
}

impl ParamResource {
    fn attributes(&self) -> auth::Attributes {
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "*".to_owned());
        auth::Attributes {
            group: known(&self.group),
            resource: known(&self.plural),
            ..auth::Attributes::default()
        }
    }
}

/// A field that is not null.
fn set<'a>(object: &'a Map, path: &[&str]) -> Option<&'a Value> {
    at(object, path).filter(|value| !value.is_null())
}

/// A user as Go prints it.
fn shown(user: &User) -> String {
    let extra = user.extra.iter().map(|(key, values)| format!("{key}:[{}]", values.join(" ")));
    let (extra, groups) = (extra.collect::<Vec<_>>().join(" "), user.groups.join(" "));
    format!("&{{{} {} [{groups}] map[{extra}]}}", user.name, user.uid)
}
