//! Escalation of roles: users grant only permissions that they have themselves. Upstream checks it in the storage of the
//! RBAC kinds (<https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping>).

use std::future::ready;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::{Value, json};

use super::{Attributes, Operation, Plugin};
use crate::auth::{self, Rbac, SUPERUSERS, User, uncovered};
use crate::registry::Registry;
use crate::status::{Failure, Result};
use crate::storage::Storage;

const GROUP: &str = "rbac.authorization.k8s.io";

/// The admission plugin.
pub(crate) struct RoleEscalation {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) registry: Arc<Registry>,
}

impl Plugin for RoleEscalation {
    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        object: Option<&'a Map>,
    ) -> BoxFuture<'a, Result<()>> {
        let resource = attributes.resource;
        let is_role = resource.info.group == GROUP && !resource.is_custom();
        let is_granting = is_role && attributes.operation != Operation::Delete;
        let object = object.filter(|_| is_granting);
        Box::pin(ready(object.map_or(Ok(()), |object| self.check(attributes, object))))
    }
}

impl RoleEscalation {
    fn check(&self, attributes: &Attributes<'_>, object: &Map) -> Result<()> {
        let Some(user) = attributes.request.user.filter(|user| !user.is_in(SUPERUSERS)) else {
            return Ok(());
        };
        if attributes.old.is_some_and(|old| is_about_collection(old, object)) {
            return Ok(());
        }
        let rbac = Rbac { store: &*self.storage, registry: &self.registry };
        let namespace = attributes.namespace.unwrap_or_default();
        let (verb, resource, name) = match &*attributes.resource.info.plural {
            plural @ ("roles" | "clusterroles") => {
                // A create has no name in its URL.
                let name = if attributes.operation == Operation::Create { "" } else { attributes.name };
                ("escalate", plural.to_owned(), name)
            }
            _ => {
                let resource = text_at(object, &["roleRef", "kind"]).to_lowercase() + "s";
                ("bind", resource, text_at(object, &["roleRef", "name"]))
            }
        };
        let allowed = auth::Attributes {
            verb: verb.to_owned(),
            group: GROUP.to_owned(),
            resource,
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            ..auth::Attributes::default()
        };
        if rbac.allows(user, &allowed) {
            return Ok(());
        }
        let rules = if verb == "escalate" {
            list_at(object, &["rules"]).to_vec()
        } else {
            // Upstream names the resource of the request.
            let target = attributes.resource.target(name);
            rbac.role_rules(object, attributes.namespace).ok_or_else(|| Failure::not_found(&target))?
        };
        let owned = rbac.rules(user, namespace);
        if let Some(problem) = problem(user, &owned, &rules) {
            return Err(Failure::forbidden(&attributes.resource.target(attributes.name), &problem));
        }
        let all = [
            json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}),
            json!({"nonResourceURLs": ["*"], "verbs": ["*"]}),
        ];
        let aggregates = |role: &Map| !list_at(role, &["aggregationRule", "clusterRoleSelectors"]).is_empty();
        if (aggregates(object) || attributes.old.is_some_and(aggregates))
            && !uncovered(&owned, &all).is_empty()
        {
            let problem = "must have cluster-admin privileges to use the aggregationRule";
            return Err(Failure::forbidden(&attributes.resource.target(attributes.name), problem));
        }
        Ok(())
    }
}

/// The refusal of rules that a user does not have.
fn problem(user: &User, owned: &[Value], rules: &[Value]) -> Option<String> {
    let missing = Vec::from_iter(uncovered(owned, rules));
    let groups = user.groups.iter().map(quoted).collect::<Vec<_>>().join(" ");
    (!missing.is_empty()).then(|| {
        format!(
            "user {} (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n{}",
            quoted(&user.name),
            missing.join("\n")
        )
    })
}

/// Returns true for an update of only what garbage collection needs to delete an object.
fn is_about_collection(old: &Map, new: &Map) -> bool {
    let rest = |object: &Map| {
        let mut object = object.clone();
        if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
            for field in ["ownerReferences", "finalizers", "managedFields", "resourceVersion"] {
                metadata.remove(field);
            }
        }
        object
    };
    rest(old) == rest(new)
}
