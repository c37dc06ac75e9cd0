//! [`Grant`], the binding that authorizes a user.

use std::fmt;

use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value;

use super::User;

/// A binding of a role to a user.
pub(crate) struct Grant {
    pub(super) binding: Map,
    /// The subject of the binding that matches the user.
    subject: Value,
    /// The namespace of the binding; `None` for a ClusterRoleBinding.
    namespace: Option<String>,
}

impl Grant {
    /// A grant by a binding, if one of its subjects matches the user.
    pub(super) fn of(binding: Map, user: &User, namespace: Option<&str>) -> Option<Self> {
        let subjects = list_at(&binding, &["subjects"]);
        let subject = subjects.iter().find(|subject| is_subject(subject, user, namespace))?.clone();
        Some(Grant { binding, subject, namespace: namespace.map(str::to_owned) })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = text_at(&self.binding, &["metadata", "name"]);
        match &self.namespace {
            Some(namespace) => write!(f, "RoleBinding {}", quoted(format!("{name}/{namespace}")))?,
            None => write!(f, "ClusterRoleBinding {}", quoted(name))?,
        }
        let role = |field: &str| text_at(&self.binding, &["roleRef", field]);
        write!(f, " of {} {}", role("kind"), quoted(role("name")))?;
        let text = |field: &str| self.subject[field].as_str().unwrap_or_default();
        let subject = match (text("kind"), text("namespace")) {
            ("ServiceAccount", "") => {
                format!("{}/{}", text("name"), self.namespace.as_deref().unwrap_or_default())
            }
            ("ServiceAccount", namespace) => format!("{}/{namespace}", text("name")),
            _ => text("name").to_owned(),
        };
        write!(f, " to {} {}", text("kind"), quoted(subject))
    }
}

fn is_subject(subject: &Value, user: &User, namespace: Option<&str>) -> bool {
    let text = |name: &str| subject.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("kind") {
        "User" => text("name") == user.name,
        "Group" => user.is_in(text("name")),
        "ServiceAccount" => {
            let own = match text("namespace") {
                "" => namespace.unwrap_or_default(),
                own => own,
            };
            user.name == format!("system:serviceaccount:{own}:{}", text("name"))
        }
        _ => false,
    }
}
