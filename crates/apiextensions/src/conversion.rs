//! Validation of a definition's conversion.

use std::collections::HashSet;

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::validation::{dns_1035_label, dns_subdomain};
use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value;

use super::path::{child, key};
use super::schema::schema_at;

const PATH: &str = "spec.conversion";
const CLIENT: &str = "spec.conversion.webhookClientConfig";
const REVIEWS: &str = "spec.conversion.conversionReviewVersions";
const REVIEW_VERSIONS: [&str; 2] = ["v1", "v1beta1"];

/// Validates the conversion of a definition.
pub(super) fn validate(spec: &Map, problems: &mut ErrorList) {
    let Some(conversion) = schema_at(spec, "conversion") else { return };
    let strategy = text_at(conversion, &["strategy"]);
    let path = child(PATH, "strategy");
    if strategy != "None" && spec.get("preserveUnknownFields") == Some(&Value::Bool(true)) {
        let message = "must be None if spec.preserveUnknownFields is true";
        problems.add(FieldError::invalid(path.as_str(), strategy, message));
    }
    match strategy {
        "" => problems.add(FieldError::required(path, "")),
        "None" | "Webhook" => {}
        _ => problems.add(FieldError::not_supported(path, strategy, &["None", "Webhook"])),
    }
    let empty = Map::new();
    let webhook = schema_at(conversion, "webhook").unwrap_or(&empty);
    let client = schema_at(webhook, "clientConfig");
    let reviews = list_at(webhook, &["conversionReviewVersions"]);
    if strategy == "Webhook" {
        match client {
            Some(client) => self::client(client, problems),
            None => problems.add(FieldError::required(CLIENT, "required when strategy is set to Webhook")),
        }
        review_versions(reviews, problems);
        return;
    }
    let message = "should not be set when strategy is not set to Webhook";
    if client.is_some() {
        problems.add(FieldError::forbidden(CLIENT, message));
    }
    if !reviews.is_empty() {
        problems.add(FieldError::forbidden(REVIEWS, message));
    }
}

fn client(client: &Map, problems: &mut ErrorList) {
    let url = client.get("url").and_then(Value::as_str);
    match (url, schema_at(client, "service")) {
        (Some(url), None) => self::url(url, problems),
        (None, Some(service)) => self::service(service, problems),
        _ => problems.add(FieldError::required(CLIENT, "exactly one of url or service is required")),
    }
}

fn url(url: &str, problems: &mut ErrorList) {
    const FORM: &str = "; desired format: https://host[/path]";
    let path = child(CLIENT, "url");
    let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    let authority = rest.strip_prefix("//").unwrap_or_default().split('/').next().unwrap_or_default();
    let (user, host) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let mut refuse =
        |part: &str, message: &str| problems.add(FieldError::invalid(path.as_str(), part, message));
    if scheme != "https" {
        refuse(scheme, &format!("'https' is the only allowed URL scheme{FORM}"));
    }
    if host.is_empty() {
        refuse(host, &format!("host must be specified{FORM}"));
    }
    if let Some(user) = user {
        refuse(user, "user information is not permitted in the URL");
    }
    if !fragment.is_empty() {
        refuse(fragment, "fragments are not permitted in the URL");
    }
    if !query.is_empty() {
        refuse(query, "query parameters are not permitted in the URL");
    }
}

fn service(service: &Map, problems: &mut ErrorList) {
    let path = child(CLIENT, "service");
    // Upstream swaps the two paths.
    for (missing, said) in [("namespace", "name"), ("name", "namespace")] {
        if text_at(service, &[missing]).is_empty() {
            problems.add(FieldError::required(child(&path, said), ""));
        }
    }
    let port = service.get("port").and_then(Value::as_i64).unwrap_or_default();
    if !(1..=65535).contains(&port) {
        let message = "port is not valid: must be between 1 and 65535, inclusive";
        problems.add(FieldError::invalid(child(&path, "port"), port, message));
    }
    let url_path = text_at(service, &["path"]);
    for problem in url_path_problems(url_path) {
        problems.add(FieldError::invalid(child(&path, "path"), url_path, problem));
    }
}

fn url_path_problems(path: &str) -> Vec<String> {
    if matches!(path, "" | "/") {
        return Vec::new();
    }
    if path == "//" {
        return vec!["segment[0] may not be empty".to_owned()];
    }
    let mut problems = Vec::new();
    if !path.starts_with('/') {
        problems.push("must start with a '/'".to_owned());
    }
    let mut chars = path.chars();
    chars.next();
    let segments = chars.as_str();
    for (index, segment) in segments.strip_suffix('/').unwrap_or(segments).split('/').enumerate() {
        if segment.is_empty() {
            problems.push(format!("segment[{index}] may not be empty"));
        } else {
            let failures = dns_subdomain(segment).into_iter();
            problems.extend(failures.map(|failure| format!("segment[{index}]: {failure}")));
        }
    }
    problems
}

fn review_versions(versions: &[Value], problems: &mut ErrorList) {
    if versions.is_empty() {
        return problems.add(FieldError::required(REVIEWS, ""));
    }
    let mut seen = HashSet::new();
    for (index, version) in versions.iter().filter_map(Value::as_str).enumerate() {
        let path = key(REVIEWS, index);
        if seen.insert(version) {
            problems.invalid(&path, version, dns_1035_label(version));
        } else {
            problems.add(FieldError::invalid(path, version, "duplicate version"));
        }
    }
    if !REVIEW_VERSIONS.iter().any(|version| seen.contains(version)) {
        let message = format!("must include at least one of {}", REVIEW_VERSIONS.join(", "));
        problems.add(FieldError::invalid(REVIEWS, versions.to_vec(), message));
    }
}
