//! Admission webhooks.

use std::collections::HashSet;

use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::ErrorList;
use klient_apimachinery::values::Map;

use super::at::At;
use super::form::{dns_1035_label, dns_subdomain, port_number};
use super::match_conditions::{are_unchanged, match_conditions};
use super::selector::label_selector;

/// Checks the webhooks of a configuration, with the old one in an update.
pub(super) fn configuration(object: &Map, old: Option<&Map>, problems: &mut ErrorList) {
    let is_unchanged = old.is_some_and(|old| has_same_conditions(object, old));
    let mut names = HashSet::new();
    for hook in At::new(object, "webhooks").items() {
        webhook(&hook, problems);
        if !is_unchanged {
            match_conditions(&hook.get("matchConditions"), false, problems);
        }
        review_versions(&hook.get("admissionReviewVersions"), problems);
        let name = hook.get("name");
        if !name.is_empty() && names.contains(&name.text()) {
            problems.add(name.duplicate(name.text()));
        }
        names.insert(name.text());
    }
}

/// Returns true if the conditions of all webhooks are as they were.
fn has_same_conditions(new: &Map, old: &Map) -> bool {
    let (new, old) = (At::new(new, "webhooks"), At::new(old, "webhooks"));
    let same = |(new, old): (At<'_, '_>, At<'_, '_>)| {
        are_unchanged(&new.get("matchConditions"), &old.get("matchConditions"))
    };
    new.list().len() == old.list().len() && new.items().zip(old.items()).all(same)
}

fn webhook(hook: &At<'_, '_>, problems: &mut ErrorList) {
    fully_qualified(&hook.get("name"), problems);
    hook.get("rules").items().for_each(|at| rule(&at, problems));
    let one_of = |name: &str, allowed: &[&str], problems: &mut ErrorList| {
        if hook.get(name).is_set() {
            hook.get(name).must_be_one_of(allowed, problems);
        }
    };
    one_of("failurePolicy", &["Fail", "Ignore"], problems);
    one_of("matchPolicy", &["Equivalent", "Exact"], problems);
    let effects = hook.get("sideEffects");
    if effects.is_set() {
        effects.must_be_one_of(&["None", "NoneOnDryRun"], problems);
    } else {
        problems.add(effects.required("must specify one of None, NoneOnDryRun"));
    }
    let timeout = hook.get("timeoutSeconds");
    if timeout.int().is_some_and(|seconds| !(1..=30).contains(&seconds)) {
        problems.add(timeout.invalid("the timeout value must be between 1 and 30 seconds"));
    }
    label_selector(&hook.get("namespaceSelector"), problems);
    label_selector(&hook.get("objectSelector"), problems);
    one_of("reinvocationPolicy", &["IfNeeded", "Never"], problems);
    let client = hook.get("clientConfig");
    let (url, service) = (client.get("url"), client.get("service"));
    match (url.is_set(), service.is_set()) {
        (true, false) => client_url(&url, problems),
        (false, true) => client_service(&service, problems),
        _ => problems.add(client.required("exactly one of url or service is required")),
    }
}

fn fully_qualified(name: &At<'_, '_>, problems: &mut ErrorList) {
    let found = dns_subdomain(name.text());
    if name.is_empty() {
        problems.add(name.required(""));
    } else if !found.is_empty() {
        problems.add(name.invalid(found.join(",")));
    } else if name.text().split('.').count() < 3 {
        problems.add(name.invalid("should be a domain with at least three segments separated by dots"));
    }
}

/// Checks a rule of a webhook or a policy.
pub(super) fn rule(rule: &At<'_, '_>, problems: &mut ErrorList) {
    let operations = rule.get("operations");
    list(&operations, "operations", problems);
    let known = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
    operations.items().for_each(|operation| operation.must_be_one_of(&known, problems));
    list(&rule.get("apiGroups"), "API groups", problems);
    list(&rule.get("apiVersions"), "API versions", problems);
    rule.get("apiVersions").items().for_each(|version| version.must_be_set("", problems));
    resources(&rule.get("resources"), problems);
    if rule.get("scope").is_set() {
        rule.get("scope").must_be_one_of(&["*", "Cluster", "Namespaced"], problems);
    }
}

fn list(list: &At<'_, '_>, what: &str, problems: &mut ErrorList) {
    list.must_be_set("", problems);
    if list.list().len() > 1 && list.texts().any(|item| item == "*") {
        problems.add(list.invalid(format!("if '*' is present, must not specify other {what}")));
    }
}

fn resources(resources: &At<'_, '_>, problems: &mut ErrorList) {
    resources.must_be_set("", problems);
    let (mut whole, mut subresources) = (Vec::new(), Vec::new());
    for at in resources.items() {
        let Some((resource, subresource)) = at.text().split_once('/') else {
            at.must_be_set("", problems);
            continue;
        };
        let mut refuse = |other: String| {
            problems.add(at.invalid(format!("if '{other}' is present, must not specify {}", at.text())));
        };
        if whole.contains(&resource) {
            refuse(format!("{resource}/*"));
        }
        if subresources.contains(&subresource) {
            refuse(format!("*/{subresource}"));
        }
        if subresource == "*" {
            whole.push(resource);
        }
        if resource == "*" {
            subresources.push(subresource);
        }
    }
    let has = |wanted: &str| resources.texts().any(|resource| resource == wanted);
    if resources.list().len() > 1 && has("*/*") {
        problems.add(resources.invalid("if '*/*' is present, must not specify other resources"));
    }
    if has("*") && resources.texts().any(|resource| resource != "*" && !resource.contains('/')) {
        let problem = "if '*' is present, must not specify other resources without subresources";
        problems.add(resources.invalid(problem));
    }
}

fn client_url(url: &At<'_, '_>, problems: &mut ErrorList) {
    const FORM: &str = "; desired format: https://host[/path]";
    let (scheme, rest) = url.text().split_once("://").unwrap_or(("", url.text()));
    if scheme != "https" {
        problems.add(url.invalid_as(scheme, format!("'https' is the only allowed URL scheme{FORM}")));
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = if scheme.is_empty() { "" } else { rest.split('/').next().unwrap_or_default() };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if let Some(problem) = host_problem(host) {
        let shown = quoted(url.text());
        return problems
            .add(url.required(&format!("url must be a valid URL: parse {shown}: {problem}{FORM}")));
    }
    if host.is_empty() {
        problems.add(url.invalid_as("", format!("host must be specified{FORM}")));
    }
    for (part, problem) in [
        (user, "user information is not permitted in the URL"),
        (fragment, "fragments are not permitted in the URL"),
        (query, "query parameters are not permitted in the URL"),
    ] {
        if !part.is_empty() {
            problems.add(url.invalid_as(part, problem));
        }
    }
}

/// The problem of Go's parser with the host of a URL.
fn host_problem(host: &str) -> Option<String> {
    let port = host.rfind(':').filter(|at| !host[*at..].contains(']')).map(|at| &host[at..]);
    if let Some(port) = port.filter(|port| !port[1..].bytes().all(|byte| byte.is_ascii_digit())) {
        return Some(format!("invalid port {} after host", quoted(port)));
    }
    let is_valid =
        |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:[]<>\"%".contains(c);
    let wrong = host.chars().find(|c| !is_valid(*c))?;
    Some(format!("invalid character {} in host name", quoted(wrong.to_string())))
}

fn client_service(service: &At<'_, '_>, problems: &mut ErrorList) {
    // Upstream exchanges the two: a missing name is reported under `namespace`, and the reverse.
    let missing = [("name", "namespace"), ("namespace", "name")];
    for (shown, _) in missing.into_iter().filter(|(_, asked)| service.get(asked).is_empty()) {
        problems.add(service.get(shown).required(""));
    }
    let port = service.get("port");
    let found = port_number(port.number());
    if !found.is_empty() {
        problems.add(port.invalid(format!("port is not valid: {}", found.join(", "))));
    }
    let path = service.get("path");
    if !matches!(path.text(), "" | "/") {
        service_path(&path, problems);
    }
}

fn service_path(path: &At<'_, '_>, problems: &mut ErrorList) {
    if path.text() == "//" {
        return problems.add(path.invalid("segment[0] may not be empty"));
    }
    if !path.text().starts_with('/') {
        problems.add(path.invalid("must start with a '/'"));
    }
    let mut steps = path.text().chars();
    steps.next();
    let steps = steps.as_str();
    for (index, step) in steps.strip_suffix('/').unwrap_or(steps).split('/').enumerate() {
        if step.is_empty() {
            problems.add(path.invalid(format!("segment[{index}] may not be empty")));
            continue;
        }
        for problem in dns_subdomain(step) {
            problems.add(path.invalid(format!("segment[{index}]: {problem}")));
        }
    }
}

fn review_versions(versions: &At<'_, '_>, problems: &mut ErrorList) {
    versions.must_be_set("must specify one of v1, v1beta1", problems);
    for (index, version) in versions.items().enumerate() {
        if versions.texts().take(index).any(|other| other == version.text()) {
            problems.add(version.invalid("duplicate version"));
        } else {
            version.must_be(dns_1035_label, problems);
        }
    }
    if !versions.is_empty() && !versions.texts().any(|version| matches!(version, "v1" | "v1beta1")) {
        problems.add(versions.invalid("must include at least one of v1, v1beta1"));
    }
}
