//! Questions about who is asking and what they may do, which are answered and not stored.

use http::{Response, StatusCode};
use klient_apimachinery::Time;
use serde_json::{Value, json};

use super::Context;
use super::body;
use super::options::{Write, WriteOptions};
use crate::auth::{Attributes, Rbac, User};
use crate::registry::Resource;
use crate::respond::{self, Body};
use crate::status::{Failure, Result};
use crate::values::{Map, map_at, text_at};

/// Whether a resource takes questions instead of objects.
pub(crate) fn is_review(resource: &Resource) -> bool {
    resource.info.kind.ends_with("Review")
        && matches!(&*resource.info.group, "authentication.k8s.io" | "authorization.k8s.io")
}

/// Answers the question in the body.
pub(crate) fn create(context: &mut Context) -> Result<Response<Body>> {
    let format = context.format()?;
    let options = WriteOptions::parse(&context.query, Write::Create)?;
    let resource = context.resource.clone();
    let sent = body::read(context, &resource.info.kind, &resource.info.api_version())?;
    let mut review = body::decode(context, sent, options.validation)?;
    let rbac = Rbac { store: &context.state.store, registry: &context.state.registry };
    let status = match &*resource.info.kind {
        "SelfSubjectReview" => json!({ "userInfo": user_info(&context.user) }),
        "SelfSubjectAccessReview" => access(rbac.allows(&context.user, &attributes(&review))),
        "SubjectAccessReview" | "LocalSubjectAccessReview" => {
            access(rbac.allows(&subject(&review), &attributes(&review)))
        }
        "SelfSubjectRulesReview" => {
            rules(&rbac.rules(&context.user, text_at(&review, &["spec", "namespace"])))
        }
        "TokenReview" => match context.state.tokens.find(text_at(&review, &["spec", "token"])) {
            Some(user) => json!({ "authenticated": true, "user": user_info(&user) }),
            None => json!({ "user": {}, "error": "[invalid bearer token]" }),
        },
        _ => return Err(Failure::method_not_allowed()),
    };
    map_at(&mut review, "metadata").insert("creationTimestamp".to_owned(), Time::now().to_string().into());
    review.insert("status".to_owned(), status);
    let schema = resource.schema().expect("reviews are built in");
    let json = respond::with_kind(&resource, &resource.encode(&review));
    Ok(respond::written(StatusCode::CREATED, format, json, schema))
}

fn access(allowed: bool) -> Value {
    json!({ "allowed": allowed })
}

/// The rules of roles as a review tells them: those for resources, and those for paths.
fn rules(rules: &[Value]) -> Value {
    let told = |kind: &str, fields: &[&str]| -> Vec<Value> {
        let rules = rules.iter().filter(|rule| rule.get(kind).is_some());
        let field = |rule: &Value, name: &str| Some((name.to_owned(), rule.get(name)?.clone()));
        rules.map(|rule| fields.iter().filter_map(|name| field(rule, name)).collect::<Map>().into()).collect()
    };
    json!({
        "resourceRules": told("resources", &["verbs", "apiGroups", "resources", "resourceNames"]),
        "nonResourceRules": told("nonResourceURLs", &["verbs", "nonResourceURLs"]),
        "incomplete": false,
    })
}

fn user_info(user: &User) -> Value {
    let mut info = json!({ "username": user.name, "groups": user.groups });
    if !user.uid.is_empty() {
        info["uid"] = user.uid.as_str().into();
    }
    info
}

fn subject(review: &Map) -> User {
    let groups = crate::values::list_at(review, &["spec", "groups"]);
    User {
        name: text_at(review, &["spec", "user"]).to_owned(),
        groups: groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        uid: text_at(review, &["spec", "uid"]).to_owned(),
    }
}

fn attributes(review: &Map) -> Attributes {
    let resource = |name: &str| text_at(review, &["spec", "resourceAttributes", name]).to_owned();
    let path = text_at(review, &["spec", "nonResourceAttributes", "path"]);
    let verb = if path.is_empty() {
        resource("verb")
    } else {
        text_at(review, &["spec", "nonResourceAttributes", "verb"]).to_owned()
    };
    Attributes {
        verb,
        group: resource("group"),
        resource: resource("resource"),
        subresource: resource("subresource"),
        name: resource("name"),
        namespace: resource("namespace"),
        path: (!path.is_empty()).then(|| path.to_owned()),
    }
}
