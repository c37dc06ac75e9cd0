//! TokenRequests: tokens of service accounts.

use std::sync::Arc;

use http::{Response, StatusCode};
use klient_apimachinery::Time;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::v1::schema::PARTIAL_OBJECT_METADATA;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{self, Map, at, list_at, map_at, text_at};
use klient_schema::authentication_v1;
use serde_json::{Value, json};

use super::Context;
use super::body::{self, Kind};
use super::options::{Write, WriteOptions};
use crate::admission::{Attributes, Operation};
use crate::auth::{AUDIENCE, Claims, reference};
use crate::managed_fields::{self, ManagedFields};
use crate::negotiate::{Offer, Transform, negotiate};
use crate::respond::{self, Body};
use crate::status::{Failure, Result, Target};
use crate::storage::Object;
use crate::warnings::Warnings;

const KIND: &str = "TokenRequest";
const GROUP: &str = "authentication.k8s.io";
const API_VERSION: &str = "authentication.k8s.io/v1";

/// The default lifetime of a token, in seconds.
const DEFAULT_LIFETIME: i64 = 3600;

/// The limits of the lifetime of a token, in seconds.
const SHORTEST: i64 = 10 * 60;
const LONGEST: i64 = 1 << 32;

/// The lifetime that kubelets request for the tokens of pods, in seconds. As upstream, such tokens are valid for longer,
/// for programs that do not read them again.
const OF_PODS: i64 = 60 * 60 + 7;
const EXTENDED: i64 = 365 * 24 * 60 * 60;

/// Creates a token of the service account in the path.
pub(super) async fn create(context: &mut Context) -> Result<Response<Body>> {
    let offer = Offer { transforms: true, tableless: true, ..Offer::PLAIN };
    let format = negotiate(&context.headers, &context.query, offer)?;
    let options = WriteOptions::parse(&context.query, Write::Create)?;
    let mut request = read(context, &options)?;
    let (name, namespace) = (context.name().to_owned(), context.namespace().unwrap_or_default().to_owned());
    check_named(&request, &name, &namespace)?;
    map_at(&mut request, "metadata").insert("namespace".to_owned(), namespace.as_str().into());
    let manager = options.manager(&context.headers);
    let fields = ManagedFields::of_shown(&authentication_v1::TOKEN_REQUEST, API_VERSION, "token");
    // As upstream, in whose empty request the reference is null: it is set, but not added.
    let mut nothing = values::empty(&authentication_v1::TOKEN_REQUEST);
    map_at(&mut nothing, "spec").insert("boundObjectRef".to_owned(), Value::Null);
    fields.update(Some(&nothing), &mut request, &manager);
    let warnings = Warnings::default();
    let now = Time::now();
    let account = admit(context, &options, &mut request, now, &warnings).await;
    context.warnings.extend(warnings.take());
    let account = account?;
    let bound = bound(context, &request)?;
    let lifetime = lifetime(&request);
    let audiences = list_at(&request, &["spec", "audiences"]);
    let is_extended = lifetime == OF_PODS
        && bound.contains_key("pod")
        && audiences.iter().all(|audience| *audience == AUDIENCE);
    let claims = Claims {
        namespace: &namespace,
        account: &account,
        audiences,
        expiration: if is_extended { EXTENDED } else { lifetime },
        warn_after: is_extended.then_some(lifetime),
        bound,
    };
    let token = claims.sign(&context.state.signing_key, now)?;
    let expiration = Time::from_unix(now.unix() + lifetime).to_string();
    let status = json!({ "token": token, "expirationTimestamp": expiration });
    let mut answer = Map::from_iter([
        ("kind".to_owned(), KIND.into()),
        ("apiVersion".to_owned(), API_VERSION.into()),
        ("status".to_owned(), status),
    ]);
    request.remove("status");
    answer.extend(request);
    if let Transform::Partial(version) = format.transform {
        let partial = respond::kind::partial(version, &answer);
        return Ok(respond::written(StatusCode::CREATED, format, partial, &PARTIAL_OBJECT_METADATA));
    }
    Ok(respond::message(StatusCode::CREATED, format, &answer, &authentication_v1::TOKEN_REQUEST))
}

/// Takes a request through admission, completes and validates it. Returns the service account.
async fn admit(
    context: &Context,
    options: &WriteOptions,
    request: &mut Map,
    now: Time,
    warnings: &Warnings,
) -> Result<Arc<Object>> {
    let attributes = Attributes {
        operation: Operation::Create,
        resource: &context.resource,
        form: &context.resource,
        subresource: Some("token"),
        presented: Some(&authentication_v1::TOKEN_REQUEST),
        namespace: context.namespace(),
        name: context.name(),
        old: None,
        request: context.request(Some(options), warnings),
        reinvocation: None,
    };
    context.state.admission.admit(&attributes, Some(request)).await?;
    let account = context.state.store.get(&context.resource.table, &context.key());
    let account = account.ok_or_else(|| Failure::not_found(&context.target()))?;
    complete(request, &account, now)?;
    validate(request)?;
    context.state.admission.validate(&attributes, Some(request)).await?;
    Ok(account)
}

fn read(context: &mut Context, options: &WriteOptions) -> Result<Map> {
    let sent = body::read(context, KIND, API_VERSION)?;
    let kind = Kind { name: KIND, version: "v1", schema: Some(&authentication_v1::TOKEN_REQUEST) };
    let mut request = body::decode_as(context, sent, options.validation, kind, |object, numbers| {
        values::decode_with_numbers(object, &authentication_v1::TOKEN_REQUEST, numbers)
    })?;
    let spec = map_at(&mut request, "spec");
    if spec.get("expirationSeconds").is_none_or(Value::is_null) {
        spec.insert("expirationSeconds".to_owned(), DEFAULT_LIFETIME.into());
    }
    Ok(request)
}

/// Checks that a request names no other service account than the path.
fn check_named(request: &Map, name: &str, namespace: &str) -> Result<()> {
    let (sent, sent_namespace) =
        (text_at(request, &["metadata", "name"]), text_at(request, &["metadata", "namespace"]));
    if !sent_namespace.is_empty() && sent_namespace != namespace {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !sent.is_empty() && sent != name {
        let detail = "must match the service account name if specified";
        let error = FieldError::invalid("metadata.name", sent, detail);
        return Err(Failure::invalid(GROUP, KIND, name, &[error]));
    }
    Ok(())
}

/// Fills in what a request leaves open.
fn complete(request: &mut Map, account: &Object, now: Time) -> Result<()> {
    let uid = text_at(request, &["metadata", "uid"]);
    if !uid.is_empty() && account.uid != *uid {
        let target = Target { group: GROUP, plural: KIND, name: account.key.name() };
        let problem = format!(
            "the UID in the token request ({uid}) does not match the UID of the service account ({})",
            account.uid
        );
        return Err(Failure::conflict(&target, &problem));
    }
    let metadata = map_at(request, "metadata");
    metadata.insert("name".to_owned(), account.key.name().into());
    metadata.insert("uid".to_owned(), account.uid.as_str().into());
    metadata.insert("creationTimestamp".to_owned(), now.to_string().into());
    let spec = map_at(request, "spec");
    if list_at(spec, &["audiences"]).is_empty() {
        spec.insert("audiences".to_owned(), json!([AUDIENCE]));
    }
    spec.entry("boundObjectRef").or_insert(Value::Null);
    Ok(())
}

fn lifetime(request: &Map) -> i64 {
    at(request, &["spec", "expirationSeconds"]).and_then(Value::as_i64).unwrap_or(DEFAULT_LIFETIME)
}

fn validate(request: &Map) -> Result<()> {
    let mut problems = ErrorList::default();
    let seconds = lifetime(request);
    let path = "spec.expirationSeconds";
    if seconds < SHORTEST {
        let detail = "may not specify a duration less than 10 minutes";
        problems.add(FieldError::invalid(path, seconds, detail));
    }
    if seconds > LONGEST {
        let detail = "may not specify a duration larger than 2^32 seconds";
        problems.add(FieldError::invalid(path, seconds, detail));
    }
    let attestations = at(request, &["spec", "attestations"]).cloned().unwrap_or_default();
    let count = attestations.as_object().map_or(0, Map::len);
    let path = "spec.attestations";
    if is_webhook(request) {
        let audiences = list_at(request, &["spec", "audiences"]);
        if audiences.len() != 1 {
            let detail = "must be length 1 when bound to a webhook config";
            problems.add(FieldError::invalid("spec.audiences", audiences.to_vec(), detail));
        }
        if count != 1 {
            let detail = "webhook bound requests require exactly one admissionReviewAPIGroups attestation";
            problems.add(FieldError::invalid(path, attestations, detail));
        }
    } else if count != 0 {
        let detail = "attestations may only be specified with a webhook bound object reference";
        problems.0 = vec![FieldError::invalid(path, attestations, detail)];
    }
    if problems.0.is_empty() { Ok(()) } else { Err(Failure::invalid(GROUP, KIND, "", &problems.0)) }
}

/// Returns true if a request is for a token that is bound to the configuration of webhooks, an alpha feature which this
/// server does not have.
fn is_webhook(request: &Map) -> bool {
    let text = |field: &str| text_at(request, &["spec", "boundObjectRef", field]);
    text("apiVersion") == "admissionregistration.k8s.io/v1"
        && matches!(text("kind"), "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration")
}

/// The claims of the object that the token is bound to.
fn bound(context: &Context, request: &Map) -> Result<Map> {
    let mut claims = Map::new();
    let Some(Value::Object(bound)) = at(request, &["spec", "boundObjectRef"]) else { return Ok(claims) };
    let text = |field: &str| text_at(bound, &[field]);
    let (kind, name) = (text("kind"), text("name"));
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    let object = match (group, kind) {
        ("", "Pod") => {
            let pod = object(context, "pods", context.namespace(), name)?;
            node_of(context, &pod, &mut claims)?;
            pod
        }
        ("", "Secret") => object(context, "secrets", context.namespace(), name)?,
        ("", "Node") => object(context, "nodes", None, name)?,
        _ => {
            let disabled = if is_webhook(request) {
                " (feature gate APIServerWebhookAuthenticationToken is disabled)"
            } else {
                ""
            };
            let bound = managed_fields::kind(bound);
            let problem = format!("cannot bind token to object of type {bound}{disabled}");
            return Err(Failure::bad_request(problem));
        }
    };
    let uid = text("uid");
    if !uid.is_empty() && object.uid != *uid {
        let problem = format!(
            "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated"
        );
        return Err(Failure::conflict(&Target { group, plural: kind, name }, &problem));
    }
    claims.insert(kind.to_lowercase(), reference(name, &object.uid));
    Ok(claims)
}

fn object(context: &Context, plural: &str, namespace: Option<&str>, name: &str) -> Result<Arc<Object>> {
    let resource = context.state.registry.built_in("", "v1", plural);
    let object = context.state.store.get(&resource.table, &resource.key(namespace, name));
    object.ok_or_else(|| Failure::not_found(&resource.target(name)))
}

/// Adds the node of a pod to the claims of a token that is bound to the pod.
fn node_of(context: &Context, pod: &Object, claims: &mut Map) -> Result<()> {
    let pod = pod.value();
    if text_at(&pod, &["spec", "serviceAccountName"]) != context.name() {
        let name = quoted(context.name());
        return Err(Failure::bad_request(format!(
            "cannot bind token for serviceaccount {name} to pod running with different serviceaccount name."
        )));
    }
    let node = text_at(&pod, &["spec", "nodeName"]);
    if !node.is_empty() {
        let uid = object(context, "nodes", None, node).map(|node| node.uid.to_string()).unwrap_or_default();
        claims.insert("node".to_owned(), reference(node, &uid));
    }
    Ok(())
}
