//! Reviews of access, tokens and the caller, which are answered and not stored.

use http::{Response, StatusCode};
use klient_apimachinery::Time;
use klient_apimachinery::meta::v1::schema::{OBJECT_META, PARTIAL_OBJECT_METADATA};
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::validation::{label_value, qualified_name};
use klient_apimachinery::values::{self, Map, at, list_at, map_at, set, text_at};
use serde_json::{Value, json};

use super::body;
use super::options::{Write, WriteOptions};
use super::{Context, Offer, negotiate};
use crate::auth::{AUDIENCE, Attributes, Authenticated, Rbac, SUPERUSERS, User};
use crate::managed_fields::ManagedFields;
use crate::negotiate::Transform;
use crate::registry::Resource;
use crate::registry::pipeline::SYSTEM_METADATA;
use crate::respond::{self, Body};
use crate::status::{Failure, Result};

/// Returns true if a resource holds reviews, which are not stored.
pub(crate) fn is_review(resource: &Resource) -> bool {
    !resource.is_custom()
        && resource.info.kind.ends_with("Review")
        && matches!(&*resource.info.group, "authentication.k8s.io" | "authorization.k8s.io")
}

/// Answers the question in the body.
pub(crate) fn create(context: &mut Context) -> Result<Response<Body>> {
    let offer = Offer { transforms: true, tableless: true, ..Offer::PLAIN };
    let format = negotiate(&context.headers, &context.query, offer)?;
    let options = WriteOptions::parse(&context.query, Write::Create)?;
    let resource = context.resource.clone();
    let sent = body::read(context, &resource.info.kind, &resource.info.api_version())?;
    let mut review = body::decode(context, sent, options.validation)?;
    body::check_namespace(&resource, &mut review, context.info.namespace.as_deref())?;
    let rbac = Rbac { store: &*context.state.store, registry: &context.state.registry };
    let schema = resource.schema().expect("reviews are built in");
    let status = match &*resource.info.kind {
        "SelfSubjectReview" => {
            review = values::empty(schema);
            set(map_at(&mut review, "metadata"), "creationTimestamp", Some(&Time::now().to_string().into()));
            json!({ "userInfo": user_info(&context.user) })
        }
        "SelfSubjectRulesReview" => {
            let namespace = text_at(&review, &["spec", "namespace"]).to_owned();
            if namespace.is_empty() {
                return Err(Failure::bad_request("no namespace on request"));
            }
            review = values::empty(schema);
            rules(&rbac.rules(&context.user, &namespace))
        }
        kind => {
            let metadata = map_at(&mut review, "metadata");
            SYSTEM_METADATA.iter().for_each(|field| drop(metadata.remove(*field)));
            let manager = options.manager(&context.headers);
            ManagedFields::of(&resource, None).update(None, &mut review, &manager);
            if kind != "TokenReview" {
                check_access_review(kind, &review)?;
            }
            match kind {
                "SelfSubjectAccessReview" => access(&rbac, &context.user, &attributes(&review)),
                "SubjectAccessReview" | "LocalSubjectAccessReview" => {
                    access(&rbac, &subject(&review), &attributes(&review))
                }
                "TokenReview" => authenticated(context, &review)?,
                _ => return Err(Failure::method_not_allowed()),
            }
        }
    };
    if let Transform::Partial(version) = format.transform {
        let partial = respond::kind::partial(version, &review);
        return Ok(respond::written(StatusCode::CREATED, format, partial, &PARTIAL_OBJECT_METADATA));
    }
    review.insert("status".to_owned(), status);
    let json = respond::kind::with_kind(&resource, &resource.encode(&review));
    Ok(respond::written(StatusCode::CREATED, format, json, schema))
}

/// The status of a TokenReview.
fn authenticated(context: &Context, review: &Map) -> Result<Value> {
    let token = text_at(review, &["spec", "token"]);
    if token.is_empty() {
        return Err(Failure::bad_request("token is required for TokenReview in authentication"));
    }
    let audiences = list_at(review, &["spec", "audiences"]).iter().filter_map(Value::as_str);
    let mut audiences: Vec<String> = audiences.map(str::to_owned).collect();
    if audiences.is_empty() {
        audiences.push(AUDIENCE.to_owned());
    }
    let done = context.state.authenticator().token(token, &audiences);
    Ok(match done {
        Ok(Authenticated { user, audiences }) => {
            json!({ "authenticated": true, "user": user_info(&user), "audiences": audiences })
        }
        Err(problem) => json!({ "user": {}, "error": problem }),
    })
}

/// Checks that a review has one kind of attributes and no metadata of an object.
fn check_access_review(kind: &str, review: &Map) -> Result<()> {
    let spec = |name: &str| at(review, &["spec", name]);
    let (resource, path) = (spec("resourceAttributes"), spec("nonResourceAttributes"));
    let mut problems = ErrorList::default();
    if resource.is_some() == path.is_some() {
        let detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        problems.add(FieldError::invalid("spec", path.cloned().unwrap_or_default(), detail));
    }
    let is_nobody =
        text_at(review, &["spec", "user"]).is_empty() && list_at(review, &["spec", "groups"]).is_empty();
    if kind != "SelfSubjectAccessReview" && is_nobody {
        problems.add(FieldError::invalid("spec.user", "", "at least one of user or group must be specified"));
    }
    if let Some(attributes) = resource.and_then(Value::as_object) {
        for of in ["fieldSelector", "labelSelector"] {
            if let Some(selector) = attributes.get(of).and_then(Value::as_object) {
                check_selector(of, selector, &mut problems);
            }
        }
    }
    let is_local = kind == "LocalSubjectAccessReview";
    let may_be_set = |name: &str| name == "managedFields" || name == "namespace" && is_local;
    let metadata = at(review, &["metadata"]).and_then(Value::as_object);
    if metadata.into_iter().flatten().any(|(name, value)| !may_be_set(name) && !value.is_null()) {
        let detail = if is_local { "must be empty except for namespace" } else { "must be empty" };
        let mut shown = Vec::new();
        values::encode(metadata.unwrap_or(&Map::new()), &OBJECT_META, &mut shown);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        problems.add(FieldError::invalid_shown("metadata", shown, detail));
    }
    if is_local && resource.is_some() {
        let namespace = text_at(review, &["spec", "resourceAttributes", "namespace"]);
        if namespace != text_at(review, &["metadata", "namespace"]) {
            let (field, detail) = ("spec.resourceAttributes.namespace", "must match metadata.namespace");
            problems.add(FieldError::invalid(field, namespace, detail));
        }
    }
    if let Some(path) = path.filter(|_| is_local) {
        let detail = "disallowed on this kind of request";
        problems.add(FieldError::invalid("spec.nonResourceAttributes", path.clone(), detail));
    }
    if problems.0.is_empty() {
        return Ok(());
    }
    // Upstream does not name the kind.
    Err(Failure::invalid("authorization.k8s.io", "", "", &problems.0))
}

/// Checks a selector of resource attributes: it is raw or has requirements. Unknown operators are left to the
/// authorizer.
fn check_selector(of: &str, selector: &Map, problems: &mut ErrorList) {
    let path = format!("spec.resourceAttributes.{of}");
    let (raw, requirements) = (text_at(selector, &["rawSelector"]), list_at(selector, &["requirements"]));
    if !raw.is_empty() && !requirements.is_empty() {
        let detail = "may not specified at the same time as requirements";
        problems.add(FieldError::invalid(format!("{path}.rawSelector"), raw, detail));
    }
    if raw.is_empty() && requirements.is_empty() {
        let detail = format!("when {path} is specified, requirements or rawSelector is required");
        problems.add(FieldError::required(format!("{path}.requirements"), &detail));
    }
    for (index, requirement) in requirements.iter().filter_map(Value::as_object).enumerate() {
        let at = |field: &str| format!("{path}.requirements[{index}].{field}");
        let (key, values) = (text_at(requirement, &["key"]), list_at(requirement, &["values"]));
        match text_at(requirement, &["operator"]) {
            "In" | "NotIn" if values.is_empty() => {
                let detail = "must be specified when `operator` is 'In' or 'NotIn'";
                problems.add(FieldError::required(at("values"), detail));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                problems.add(FieldError::forbidden(at("values"), detail));
            }
            _ => {}
        }
        if of == "labelSelector" {
            problems.invalid(&at("key"), key, qualified_name(key));
            for (value, index) in values.iter().filter_map(Value::as_str).zip(0..) {
                problems.invalid(&at(&format!("values[{index}]")), value, label_value(value));
            }
        } else if key.is_empty() {
            problems.add(FieldError::required(at("key"), "must be specified"));
        }
    }
}

fn access(rbac: &Rbac<'_>, user: &User, attributes: &Attributes) -> Value {
    if user.is_in(SUPERUSERS) {
        return json!({ "allowed": true });
    }
    match rbac.grant(user, attributes) {
        Some(grant) => json!({ "allowed": true, "reason": format!("RBAC: allowed by {grant}") }),
        None => json!({ "allowed": false }),
    }
}

/// The rules of roles as SelfSubjectRulesReview lists them: those for resources, and those for paths.
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
    if !user.extra.is_empty() {
        info["extra"] = json!(user.extra);
    }
    info
}

fn subject(review: &Map) -> User {
    let groups = klient_apimachinery::values::list_at(review, &["spec", "groups"]);
    User {
        name: text_at(review, &["spec", "user"]).to_owned(),
        groups: groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        uid: text_at(review, &["spec", "uid"]).to_owned(),
        ..User::default()
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
