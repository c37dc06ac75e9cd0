//! Namespaces, Nodes, ResourceQuotas and LimitRanges.

use std::cmp::Ordering;
use std::collections::HashSet;

use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;

use super::at::At;
use super::form::{cidr, label_value, qualified_name};
use super::metadata::unknown_finalizer;
use super::resources::{amount, container_name, is_overcommitted, name, quantity};
use super::scheduling::EFFECTS;

pub(super) fn namespace(object: &Map, problems: &mut ErrorList) {
    let finalizers = At::new(object, "spec.finalizers");
    for finalizer in finalizers.texts() {
        problems.invalid(&finalizers.path(), finalizer, qualified_name(finalizer));
        problems.0.extend(unknown_finalizer(finalizers.path(), finalizer));
    }
}

/// The finalizers that a write to `finalize` leaves.
pub(super) fn namespace_finalize(object: &Map, problems: &mut ErrorList) {
    for finalizer in At::new(object, "spec.finalizers").items() {
        problems.invalid(&finalizer.path(), finalizer.text(), qualified_name(finalizer.text()));
        problems.0.extend(unknown_finalizer(finalizer.path(), finalizer.text()));
    }
}

/// The phase of a namespace follows from its deletion timestamp.
pub(super) fn namespace_status(object: &Map, problems: &mut ErrorList) {
    let is_terminating = !At::new(object, "metadata.deletionTimestamp").text().is_empty();
    let (phase, detail) = if is_terminating {
        ("Terminating", "may only be 'Terminating' if `deletionTimestamp` is not empty")
    } else {
        ("Active", "may only be 'Active' if `deletionTimestamp` is empty")
    };
    let actual = At::new(object, "status.phase");
    if actual.text() != phase {
        problems.add(FieldError::invalid("status.Phase", actual.text(), detail));
    }
}

/// Checks a new Node.
pub(super) fn node(object: &Map, problems: &mut ErrorList) {
    taints(&At::named("metadata.taints", At::new(object, "spec.taints").raw()), problems);
    node_resources(object, problems);
    declared_features(&At::new(object, "status.declaredFeatures"), problems);
    let ranges = At::new(object, "spec.podCIDRs");
    ranges.items().for_each(|range| range.must_be(cidr, problems));
    let (v6, v4): (Vec<&str>, Vec<&str>) = ranges.texts().partition(|range| range.contains(':'));
    if v6.len() > 1 || v4.len() > 1 {
        problems.add(ranges.invalid("may specify no more than one CIDR for each IP family"));
    }
}

fn node_resources(object: &Map, problems: &mut ErrorList) {
    for list in ["status.capacity", "status.allocatable"] {
        for (resource, value) in At::new(object, list).entries() {
            let path = format!("{list}.{resource}");
            quantity(resource, &At::named(&path, value.raw()), problems);
        }
    }
}

fn declared_features(features: &At<'_, '_>, problems: &mut ErrorList) {
    const MAX: usize = 253;
    let is_segment =
        |segment: &str| !segment.is_empty() && segment.bytes().all(|c| c.is_ascii_alphanumeric());
    let mut before = None;
    for feature in features.items() {
        let name = feature.text();
        match before.map(|before: &str| before.cmp(name)) {
            Some(Ordering::Equal) => problems.add(feature.duplicate(name)),
            Some(Ordering::Greater) => problems.add(feature.invalid("list must be sorted alphabetically")),
            _ => {}
        }
        before = Some(name);
        let problem = if name.len() > MAX {
            format!("must be no more than {MAX} characters")
        } else if name.starts_with(|c: char| c.is_ascii_uppercase()) && name.split('/').all(is_segment) {
            continue;
        } else {
            "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature \
             or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
                .to_owned()
        };
        problems.add(feature.invalid(format!("invalid feature name {}: {problem}", quoted(name))));
    }
}

/// Addresses are in the status once.
fn addresses(addresses: &At<'_, '_>, problems: &mut ErrorList) {
    let mut seen = HashSet::new();
    for address in addresses.items() {
        let parts = (address.get("type").text(), address.get("address").text());
        if !seen.insert(parts) {
            // Upstream shows its internal type.
            let shown = format!(r#"{{"Type":{},"Address":{}}}"#, quoted(parts.0), quoted(parts.1));
            problems.add(FieldError::duplicate_shown(address.path(), shown));
        }
    }
}

fn taints(taints: &At<'_, '_>, problems: &mut ErrorList) {
    let mut seen = Vec::new();
    for taint in taints.items() {
        let (key, value, effect) = (taint.get("key"), taint.get("value"), taint.get("effect"));
        key.must_be(qualified_name, problems);
        let found = label_value(value.text());
        if !found.is_empty() {
            problems.add(value.invalid(found.join(";")));
        }
        effect.must_have_one_of(&EFFECTS, problems);
        if seen.contains(&(key.text(), effect.text())) {
            problems.add(taint.duplicate(taint.raw().cloned().unwrap_or_default()));
        }
        seen.push((key.text(), effect.text()));
    }
}

/// Checks a new state of a Node, and what may not change.
pub(super) fn node_update(object: &Map, old: &Map, problems: &mut ErrorList) {
    node_resources(object, problems);
    declared_features(&At::new(object, "status.declaredFeatures"), problems);
    addresses(&At::new(object, "status.addresses"), problems);
    let ranges = At::new(object, "spec.podCIDRs");
    let before = At::new(old, "spec.podCIDRs");
    if !before.is_empty() && ranges.list() != before.list() {
        problems.add(ranges.forbidden("node updates may not change podCIDR except from \"\" to valid"));
    }
    taints(&At::named("metadata.taints", At::new(object, "spec.taints").raw()), problems);
    let (id, old_id) = (At::new(object, "spec.providerID"), At::new(old, "spec.providerID"));
    if !old_id.is_empty() && id.text() != old_id.text() {
        let how = if id.is_empty() { "cleared" } else { "modified" };
        problems.add(id.invalid_as(serde_json::Value::Null, format!("field cannot be {how} once set")));
    }
}

pub(super) fn limit_range(object: &Map, problems: &mut ErrorList) {
    let mut kinds = Vec::new();
    for item in At::new(object, "spec.limits").items() {
        let kind = item.get("type");
        let found = qualified_name(kind.text());
        if found.is_empty() {
            if !kind.text().contains('/')
                && !matches!(kind.text(), "Pod" | "Container" | "PersistentVolumeClaim")
            {
                problems.add(kind.invalid("must be a standard limit type or fully qualified"));
            }
        } else {
            problems.invalid(&kind.path(), kind.text(), found);
        }
        if kinds.contains(&kind.text()) {
            problems.add(kind.duplicate(kind.text()));
        }
        kinds.push(kind.text());
        limit_names(&item, kind.text(), problems);
        let mut resources: Vec<&str> = LIMITS
            .iter()
            .flat_map(|list| {
                item.get(list).map().into_iter().flatten().map(|(resource, _)| resource.as_str())
            })
            .collect();
        resources.sort_unstable();
        resources.dedup();
        resources.into_iter().for_each(|resource| limit_amounts(&item, resource, problems));
    }
}

const LIMITS: [&str; 5] = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

fn limit_names(item: &At<'_, '_>, kind: &str, problems: &mut ErrorList) {
    let rule: fn(&str) -> Vec<String> =
        if matches!(kind, "Pod" | "Container") { container_name } else { name };
    for list in LIMITS {
        let amounts = item.get(list);
        if kind == "Pod" && matches!(list, "default" | "defaultRequest") {
            if !amounts.is_empty() {
                problems.add(amounts.forbidden("may not be specified when `type` is 'Pod'"));
            }
            continue;
        }
        if list == "maxLimitRequestRatio" && kind == "PersistentVolumeClaim" {
            claims_are_limited(item, problems);
        }
        for (resource, value) in amounts.entries() {
            problems.invalid(&value.path(), resource, rule(resource));
        }
    }
}

fn claims_are_limited(item: &At<'_, '_>, problems: &mut ErrorList) {
    if !item.get("min.storage").is_set() && !item.get("max.storage").is_set() {
        let problem = "either minimum or maximum storage value is required, but neither was provided";
        problems.add(item.get("limits").required(problem));
    }
}

/// Pairs of limits of which the first must not exceed the second: the two fields, the one at fault, the one shown, and
/// their names in the message.
const ORDER: [(&str, &str, &str, &str, [&str; 2]); 6] = [
    ("min", "max", "min", "min", ["min", "max"]),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest", ["min", "default request"]),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest", ["default request", "max"]),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest", ["default request", "default limit"]),
    ("min", "default", "default", "min", ["min", "default"]),
    ("default", "max", "default", "max", ["default", "max"]),
];

/// Checks the limits of one resource against each other.
fn limit_amounts(item: &At<'_, '_>, resource: &str, problems: &mut ErrorList) {
    let limit = |list: &str| {
        let value = At::named("", item.get(list).map()?.get(resource));
        value.is_set().then(|| (value.text(), amount(&value)))
    };
    let mut refuse = |list: &str, shown: &str, problem: String| {
        let path = format!("{}[{resource}]", item.get(list).path());
        problems.add(FieldError::invalid(path, shown, problem));
    };
    for (low, high, list, shown, [low_name, high_name]) in ORDER {
        let (Some((low_text, low)), Some((high_text, high)), Some((shown, _))) =
            (limit(low), limit(high), limit(shown))
        else {
            continue;
        };
        if low > high {
            let problem =
                format!("{low_name} value {low_text} is greater than {high_name} value {high_text}");
            refuse(list, shown, problem);
        }
    }
    if let Some((ratio, _)) = limit("maxLimitRequestRatio").filter(|(_, nanos)| *nanos < 1_000_000_000) {
        refuse("maxLimitRequestRatio", ratio, format!("ratio {ratio} is less than 1"));
    }
    if let (Some((default, a)), Some((request, b))) = (limit("default"), limit("defaultRequest"))
        && a != b
        && !is_overcommitted(resource)
    {
        let problem =
            format!("default value {default} must equal to defaultRequest value {request} in {resource}");
        refuse("defaultRequest", request, problem);
    }
}

pub(super) fn quota(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    quota_amounts(&spec.get("hard"), problems);
    let scopes = spec.get("scopes");
    let names: Vec<&str> = scopes.texts().collect();
    for scope in &names {
        scope_fits(&spec, scope, &scopes, problems);
    }
    scopes_agree(&names, &scopes, problems);
    let selector = spec.get("scopeSelector.matchExpressions");
    // Upstream leaves out which expression it is about.
    for expression in selector.items().map(|expression| selector.holding(expression.raw())) {
        scope_expression(&spec, &expression, problems);
    }
    let selected: Vec<&str> = selector.items().map(|expression| expression.get("scopeName").text()).collect();
    scopes_agree(&selected, &selector.holding(scopes.raw()), problems);
}

/// Checks the status of a ResourceQuota.
pub(super) fn quota_status(object: &Map, problems: &mut ErrorList) {
    for path in ["status.hard", "status.used"] {
        quota_amounts(&At::new(object, path), problems);
    }
}

fn quota_amounts(amounts: &At<'_, '_>, problems: &mut ErrorList) {
    for (resource, value) in amounts.entries() {
        problems.invalid(&value.path(), resource, quota_name(resource));
        quantity(resource, &value, problems);
    }
}

fn quota_name(resource: &str) -> Vec<String> {
    let mut problems = name(resource);
    if !resource.contains('/') && (resource == "storage" || !problems.is_empty()) {
        problems.push("must be a standard resource for quota".to_owned());
    }
    problems
}

const SCOPES: [&str; 6] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
];

fn scope_fits(spec: &At<'_, '_>, scope: &str, shown: &At<'_, '_>, problems: &mut ErrorList) {
    if !SCOPES.contains(&scope) && scope != "VolumeAttributesClass" {
        problems.add(shown.invalid("unsupported scope"));
    }
    let covers = |resource: &str| match scope {
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => matches!(resource, "persistentvolumeclaims" | "requests.storage"),
        _ if SCOPES.contains(&scope) => matches!(
            resource,
            "pods" | "cpu" | "memory" | "limits.cpu" | "limits.memory" | "requests.cpu" | "requests.memory"
        ),
        _ => true,
    };
    for (resource, _) in spec.get("hard").entries() {
        if quota_name(resource).is_empty() && !resource.contains('/') && !covers(resource) {
            problems.add(shown.invalid("unsupported scope applied to resource"));
        }
    }
}

fn scopes_agree(scopes: &[&str], shown: &At<'_, '_>, problems: &mut ErrorList) {
    for pair in [["BestEffort", "NotBestEffort"], ["NotTerminating", "Terminating"]] {
        if pair.iter().all(|scope| scopes.contains(scope)) {
            problems.add(shown.invalid("conflicting scopes"));
        }
    }
}

fn scope_expression(spec: &At<'_, '_>, expression: &At<'_, '_>, problems: &mut ErrorList) {
    let (scope, operator, values) =
        (expression.get("scopeName"), expression.get("operator"), expression.get("values"));
    let known = problems.0.len();
    scope_fits(spec, scope.text(), &scope, problems);
    problems.0.truncate(known + 1);
    let must_exist = SCOPES.contains(&scope.text()) && scope.text() != "PriorityClass";
    if must_exist && operator.text() != "Exists" {
        let problem = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
        problems.add(operator.invalid_text(problem));
    }
    match operator.text() {
        "In" | "NotIn" => {
            let problem = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
            values.must_be_set(problem, problems);
        }
        "Exists" | "DoesNotExist" => {
            if !values.is_empty() {
                let problem =
                    "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                problems.add(values.invalid(problem));
            }
        }
        _ => problems.add(operator.invalid_text("not a valid selector operator")),
    }
}

pub(super) fn quota_update(object: &Map, old: &Map, problems: &mut ErrorList) {
    let sorted = |object: &Map| {
        let mut scopes: Vec<String> = At::new(object, "spec.scopes").texts().map(str::to_owned).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    };
    if sorted(object) != sorted(old) {
        problems.add(At::new(object, "spec.scopes").invalid("field is immutable"));
    }
}
