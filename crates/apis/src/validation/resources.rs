//! Amounts of resources, and how much of them containers ask for.

use std::collections::HashSet;

use klient_apimachinery::Quantity;
use klient_apimachinery::validation::field::{ErrorList, FieldError};

use super::at::{At, NEGATIVE};
use super::form::{dns_label, qualified_name};

const NANOS: i128 = 1_000_000_000;

/// An amount in billionths, 0 where there is none.
pub(super) fn amount(value: &At<'_, '_>) -> i128 {
    Quantity::from(value.text()).nanos().unwrap_or_default()
}

/// Checks an amount of a resource: not negative, and whole where the resource cannot be parted.
pub(super) fn quantity(resource: &str, value: &At<'_, '_>, problems: &mut ErrorList) {
    non_negative(value, problems);
    if is_counted(resource) && !is_integer(value) {
        problems.add(value.invalid("must be an integer"));
    }
}

pub(super) fn non_negative(value: &At<'_, '_>, problems: &mut ErrorList) {
    if amount(value) < 0 {
        problems.add(value.invalid(NEGATIVE));
    }
}

/// Compares as upstream, whose thousandths wrap where more than 18 digits are beyond 64 bits.
fn is_integer(value: &At<'_, '_>) -> bool {
    const THOUSANDTH: i128 = NANOS / 1000;
    let (amount, text) = (amount(value), value.text());
    let is_short = !text.ends_with('i') && text.chars().filter(char::is_ascii_digit).count() <= 18;
    let wrapped = |thousandths: i128| {
        let low = thousandths.rem_euclid(1 << 64);
        if low < 1 << 63 { low } else { low - (1 << 64) }
    };
    amount % NANOS == 0 && (is_short || wrapped(amount / THOUSANDTH) % 1000 == 0)
}

/// Resources of which there are whole numbers only.
const COUNTED: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// Other resources that Kubernetes knows.
const MEASURED: [&str; 11] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "storage",
    "requests.storage",
];

fn is_counted(resource: &str) -> bool {
    COUNTED.contains(&resource) || is_extended(resource)
}

fn is_huge_page(resource: &str) -> bool {
    resource.starts_with("hugepages-")
}

pub(super) fn is_native(resource: &str) -> bool {
    !resource.contains('/') || resource.contains("kubernetes.io/")
}

/// Returns true for an extended resource, qualified by a domain other than `kubernetes.io`.
fn is_extended(resource: &str) -> bool {
    !is_native(resource)
        && !resource.starts_with("requests.")
        && qualified_name(&format!("requests.{resource}")).is_empty()
}

/// Returns true if limits may exceed requests, which extended resources and huge pages do not allow.
pub(super) fn is_overcommitted(resource: &str) -> bool {
    is_native(resource) && !is_huge_page(resource)
}

/// The errors of a resource's name.
pub(super) fn name(resource: &str) -> Vec<String> {
    let problems = qualified_name(resource);
    let is_standard = COUNTED.contains(&resource)
        || MEASURED.contains(&resource)
        || is_huge_page(resource)
        || resource.starts_with("requests.hugepages-");
    if problems.is_empty() && !resource.contains('/') && !is_standard {
        return vec!["must be a standard resource type or fully qualified".to_owned()];
    }
    problems
}

/// The errors of the name of a container's resource.
pub(super) fn container_name(resource: &str) -> Vec<String> {
    let mut problems = name(resource);
    if !resource.contains('/') {
        if !matches!(resource, "cpu" | "memory" | "ephemeral-storage") && !is_huge_page(resource) {
            problems.push("must be a standard resource for containers".to_owned());
        }
    } else if !is_native(resource) && !is_extended(resource) {
        problems.push("doesn't follow extended resource name standard".to_owned());
    }
    problems
}

/// Checks a container's requests, limits and claims. `claims` are the names of the Pod's resource claims.
pub(super) fn requirements(resources: &At<'_, '_>, claims: &HashSet<&str>, problems: &mut ErrorList) {
    lists(resources, &|at, resource, problems| names_fit(at, resource, problems), problems);
    claim_names(&resources.get("claims"), claims, problems);
}

/// Checks a Pod-level resource requirement.
pub(super) fn pod_requirements(resources: &At<'_, '_>, problems: &mut ErrorList) {
    let claims = resources.get("claims");
    if claims.is_set() {
        problems.add(claims.forbidden("claims may not be set for Resources at pod-level"));
    }
    lists(resources, &|at, resource, problems| pod_names_fit(at, resource, problems), problems);
}

fn names_fit(at: &At<'_, '_>, resource: &str, problems: &mut ErrorList) {
    for problem in container_name(resource) {
        problems.add(at.invalid_as(resource, problem));
    }
}

fn pod_names_fit(at: &At<'_, '_>, resource: &str, problems: &mut ErrorList) {
    let found = name(resource);
    if found.is_empty() && !matches!(resource, "cpu" | "memory") && !is_huge_page(resource) {
        let supported = ["cpu", "hugepages-", "memory"];
        problems.add(FieldError::not_supported(at.path(), resource, &supported));
    }
    for problem in found {
        problems.add(at.invalid_as(resource, problem));
    }
}

type NameRule<'a> = &'a dyn Fn(&At<'_, '_>, &str, &mut ErrorList);

fn lists(resources: &At<'_, '_>, name_rule: NameRule<'_>, problems: &mut ErrorList) {
    let (limits, requests) = (resources.get("limits"), resources.get("requests"));
    for (resource, limit) in limits.entries() {
        name_rule(&limit, resource, problems);
        quantity(resource, &limit, problems);
        huge_pages(resource, &limit, problems);
    }
    for (resource, request) in requests.entries() {
        name_rule(&request, resource, problems);
        quantity(resource, &request, problems);
        request_fits(resource, &request, &limits, &requests, problems);
        huge_pages(resource, &request, problems);
    }
    let has = |wanted: fn(&str) -> bool| {
        [&limits, &requests].iter().any(|list| list.entries().any(|(name, _)| wanted(name)))
    };
    if has(is_huge_page) && !has(|name| matches!(name, "cpu" | "memory")) {
        problems.add(resources.forbidden("HugePages require cpu or memory"));
    }
}

fn request_fits(
    resource: &str,
    request: &At<'_, '_>,
    limits: &At<'_, '_>,
    requests: &At<'_, '_>,
    problems: &mut ErrorList,
) {
    let Some(limit) = limits.map().and_then(|limits| limits.get(resource)) else {
        if !is_overcommitted(resource) {
            problems.add(limits.required("Limit must be set for non overcommitable resources"));
        }
        return;
    };
    let limit = At::named("", Some(limit));
    let relation = if amount(request) != amount(&limit) && !is_overcommitted(resource) {
        "equal to"
    } else if amount(request) > amount(&limit) {
        "less than or equal to"
    } else {
        return;
    };
    let problem = format!("must be {relation} {resource} limit of {}", limit.text());
    problems.add(requests.invalid_as(request.text(), problem));
}

fn huge_pages(resource: &str, value: &At<'_, '_>, problems: &mut ErrorList) {
    let Some(size) = resource.strip_prefix("hugepages-") else { return };
    let size = Quantity::from(size).nanos().unwrap_or_default();
    if size <= 0 || size % NANOS != 0 || amount(value) % size != 0 {
        let problem = format!("{} is not positive integer multiple of {resource}", value.text());
        problems.add(value.invalid(problem));
    }
}

fn claim_names(used: &At<'_, '_>, claims: &HashSet<&str>, problems: &mut ErrorList) {
    let mut seen: Vec<String> = Vec::new();
    for claim in used.items() {
        let (name, request) = (claim.get("name").text(), claim.get("request"));
        if name.is_empty() {
            problems.add(claim.required(""));
            continue;
        }
        let mut key = name.to_owned();
        if !request.is_empty() {
            request.must_be(dns_label, problems);
            key = format!("{name}/{}", request.text());
        }
        let whole = |other: &String| other.split('/').next() == Some(name);
        if seen.iter().any(|other| other == name || *other == key || (request.is_empty() && whole(other))) {
            problems.add(claim.duplicate(name));
        }
        seen.push(key);
        if !claims.contains(name) {
            problems.add(FieldError::not_found(claim.path(), name));
        }
    }
}
