//! Processing of requests: authentication, authorization, dispatch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use klient_apimachinery::meta::Reason;
use serde_json::Value;

use crate::admission::REQUEST_TIMEOUT;
use crate::auth::{self, Attributes, Rbac, User};
use crate::gzip;
use crate::handlers::{self, Context};
use crate::negotiate::{Format, Media, Offer, accepts, negotiate};
use crate::openid;
use crate::request::{Query, RequestInfo, is_percent_encoded};
use crate::respond::{self, Body};
use crate::state::State;
use crate::status::{Failure, Result};

/// The size limit of a body, in bytes.
const MAX_BODY: usize = 3 * 1024 * 1024;

/// The checks of `/livez`, `/readyz` and `/healthz`.
const CHECKS: [&str; 3] = ["ping", "log", "storage"];

/// Serves a request.
pub(crate) async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
    certificate: Option<Arc<User>>,
) -> Response<Body> {
    // A separate task: connections carry many requests at once, and a panic must not end them all.
    let is_head = request.method() == Method::HEAD;
    let query = Query::parse(request.uri().query());
    let format = negotiate(request.headers(), &query, Offer::PLAIN).ok();
    let takes_gzip = gzip::is_accepted(request.headers());
    let task = tokio::spawn(async move {
        match route(&state, request, query, certificate, format).await {
            Ok(response) => response,
            Err(failure) => respond::failure(&failure, format),
        }
    });
    let mut response = task
        .await
        .unwrap_or_else(|_| respond::failure(&Failure::internal("the request could not be handled"), format));
    if takes_gzip {
        response = gzip::compress(response);
    }
    if is_head {
        response = response.map(|_| respond::whole(Bytes::new()));
    }
    response.headers_mut().entry(CACHE_CONTROL).or_insert(respond::NOT_CACHED);
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        response.headers_mut().insert(HeaderName::from_static("audit-id"), id);
    }
    response
}

async fn route(
    state: &Arc<State>,
    request: Request<Incoming>,
    query: Query,
    certificate: Option<Arc<User>>,
    format: Option<Format>,
) -> Result<Response<Body>> {
    let started = Instant::now();
    let (mut parts, body) = request.into_parts();
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    if !is_percent_encoded(parts.uri.path()) {
        return Ok(respond::plain(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", "400 Bad Request"));
    }
    let info = RequestInfo::parse(&parts.method, parts.uri.path(), &query);
    let may_last = info.as_ref().is_ok_and(|info| info.as_ref().is_some_and(RequestInfo::is_long_running));
    let timeout = if may_last { None } else { query.timeout()? };
    let deadline = tokio::time::Instant::now() + timeout.unwrap_or(REQUEST_TIMEOUT).min(REQUEST_TIMEOUT);
    let user = state.authenticator().request(&parts.headers, certificate.as_ref())?;
    if let Some(answer) = state.throttle.answer() {
        return Ok(answer);
    }
    let info = info?;
    let attributes = match &info {
        Some(info) => Attributes::of(info, &query),
        None => Attributes {
            verb: parts.method.as_str().to_lowercase(),
            path: Some(parts.uri.path().to_owned()),
            ..Attributes::default()
        },
    };
    let user = match admit(state, &parts, user, &attributes) {
        Ok(user) => user,
        Err(failure) => return Ok(respond::as_it_says(respond::failure(&failure, format))),
    };
    // Names in front of which there is nothing are no paths to the router.
    if parts.uri.path().starts_with("//") {
        return Ok(respond::not_found());
    }
    let Some(info) = info else { return documents(state, &parts, &query) };
    let Some(resource) = state.registry.find(&info.group, &info.version, &info.resource) else {
        if state.registry.is_built_in(&info.group) {
            return Err(Failure::no_such_resource());
        }
        return Ok(respond::not_found());
    };
    let body =
        if info.verb.only_reads() { Bytes::new() } else { read_body(body, state.client_timeout).await? };
    if timeout.is_some_and(|timeout| started.elapsed() >= timeout) {
        return Ok(timed_out());
    }
    let mut context = Context {
        state: state.clone(),
        info,
        resource,
        query,
        headers: parts.headers,
        user,
        body,
        upgrade,
        deadline,
        warnings: Vec::new(),
    };
    let done = handlers::handle(&mut context).await;
    let mut response = done.unwrap_or_else(|failure| respond::failure(&failure, format));
    respond::warn(&mut response, &context.warnings);
    Ok(response)
}

/// The authenticated or impersonated user of a request, after authorization.
fn admit(
    state: &Arc<State>,
    parts: &Parts,
    requester: Arc<User>,
    attributes: &Attributes,
) -> Result<Arc<User>> {
    let rbac = Rbac { store: &*state.store, registry: &state.registry };
    let user = match auth::wanted(&parts.headers)? {
        Some(wanted) => {
            Arc::new(auth::impersonate(&rbac, &state.impersonation_modes, &requester, &wanted, attributes)?)
        }
        None => requester,
    };
    rbac.authorize(&user, attributes)?;
    Ok(user)
}

const TIMED_OUT: &str = "Timeout: request did not complete within the allotted timeout";

/// The answer to a request whose own time-out has passed, as upstream's filter writes it.
fn timed_out() -> Response<Body> {
    let status = format!(
        r#"{{"metadata":{{}},"status":"Failure","message":"{TIMED_OUT}","reason":"Timeout","details":{{}},"code":504}}"#
    );
    respond::plain(StatusCode::GATEWAY_TIMEOUT, "text/plain; charset=utf-8", status + "\n")
}

async fn read_body(body: Incoming, limit: Duration) -> Result<Bytes> {
    let read = tokio::time::timeout(limit, Limited::new(body, MAX_BODY).collect()).await;
    match read {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("Request entity too large: limit is {MAX_BODY}");
            Err(Failure::new(Reason::RequestEntityTooLarge, message))
        }
        Ok(Err(error)) => Err(Failure::bad_request(format!("the body could not be read: {error}"))),
        Err(_) => Err(Failure::new(Reason::Timeout, TIMED_OUT)),
    }
}

/// Serves paths without a resource: discovery, OpenAPI, health and version.
fn documents(state: &Arc<State>, parts: &Parts, query: &Query) -> Result<Response<Body>> {
    let path = parts.uri.path();
    // These paths are routed for GET alone; the others are answered for every method.
    let is_routed = match path.trim_matches('/').split('/').collect::<Vec<_>>()[..] {
        ["version" | "api"] | ["api", "v1"] => true,
        ["apis", group, _] => state.registry.is_built_in(group),
        _ => false,
    };
    if is_routed && parts.method != Method::GET {
        return Err(Failure::method_not_allowed());
    }
    let found = state.discovery.answer(&state.registry, &state.address, path, &parts.headers, query);
    if let Some(response) = found {
        return response;
    }
    if let Some(response) = state.openapi.answer(&state.registry, path, &parts.headers, query) {
        return Ok(response);
    }
    if let Some(response) = openid::answer(state, parts) {
        return response;
    }
    Ok(match path {
        "/" => paths(state),
        "/version" | "/version/" => {
            accepts(&parts.headers, Media::Json.content_type())?;
            respond::plain(StatusCode::OK, "application/json", version())
        }
        path if is_below_a_built_in_group(state, path) => return Err(Failure::no_such_resource()),
        path => health(path, query).unwrap_or_else(respond::not_found),
    })
}

/// Returns true if a path is within a version of a built-in group.
fn is_below_a_built_in_group(state: &State, path: &str) -> bool {
    match path.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
        ["api", _, ..] => true,
        ["apis", group, _, ..] => !group.is_empty() && state.registry.is_built_in(group),
        _ => false,
    }
}

fn paths(state: &State) -> Response<Body> {
    let mut paths = state.discovery.paths(&state.registry);
    let health = ["/healthz", "/livez", "/readyz"];
    paths.extend(health.iter().flat_map(|path| CHECKS.iter().map(move |check| format!("{path}/{check}"))));
    let documents =
        ["/openapi/v2", "/openapi/v3", "/openapi/v3/", openid::CONFIGURATION, openid::KEYS, "/version"];
    paths.extend(health.iter().chain(&documents).map(|path| (*path).to_owned()));
    paths.sort();
    let json = serde_json::to_vec_pretty(&serde_json::json!({ "paths": paths })).expect("keys are strings");
    respond::plain(StatusCode::OK, "application/json", json)
}

fn health(path: &str, query: &Query) -> Option<Response<Body>> {
    let text = |text: &str| respond::plain(StatusCode::OK, "text/plain; charset=utf-8", text.to_owned());
    let mut parts = path.strip_prefix('/')?.split('/');
    let endpoint = parts.next().filter(|endpoint| matches!(*endpoint, "healthz" | "livez" | "readyz"))?;
    let answer = match (parts.next(), parts.next()) {
        (Some(check), None) if CHECKS.contains(&check) => return Some(text("ok")),
        (None, _) if query.is_true("verbose") => {
            let excluded: Vec<&str> = query.all("exclude").collect();
            let line = |check: &&str| {
                let note = if excluded.contains(check) { "excluded: ok" } else { "ok" };
                format!("[+]{check} {note}\n")
            };
            let lines: String = CHECKS.iter().map(line).collect();
            text(&format!("{lines}{endpoint} check passed\n"))
        }
        (None, _) => text("ok"),
        _ => return None,
    };
    Some(respond::as_it_says(answer))
}

/// `/version`, with the served version of Kubernetes.
fn version() -> String {
    let git_version = klient_schema::KUBERNETES_VERSION;
    let mut numbers = git_version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let previous =
        minor.parse::<u32>().map_or_else(|_| minor.to_owned(), |minor| minor.saturating_sub(1).to_string());
    let platform = format!("{}/{}", std::env::consts::OS, go_architecture());
    let facts = [
        ("major", major),
        ("minor", minor),
        ("emulationMajor", major),
        ("emulationMinor", minor),
        ("minCompatibilityMajor", major),
        ("minCompatibilityMinor", &previous),
        ("gitVersion", git_version),
        ("gitCommit", ""),
        ("gitTreeState", ""),
        ("buildDate", ""),
        ("goVersion", ""),
        ("compiler", "rustc"),
        ("platform", &platform),
    ];
    let lines: Vec<String> =
        facts.iter().map(|(name, fact)| format!("  \"{name}\": {}", Value::from(*fact))).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

/// The machine's architecture by its name in Go, which Kubernetes' clients expect.
fn go_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
