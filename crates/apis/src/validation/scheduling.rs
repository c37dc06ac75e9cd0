//! Scheduling of Pods: affinity, tolerations, topology spread.

use std::collections::HashMap;

use klient_apimachinery::validation::field::{ErrorList, FieldError};

use super::at::At;
use super::form::{dns_label, label_value, qualified_name};
use super::selector::{label_selector, node_selector, node_term};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub(super) fn affinity(affinity: &At<'_, '_>, problems: &mut ErrorList) {
    let node = affinity.get("nodeAffinity");
    let required = node.get(REQUIRED);
    if required.is_set() {
        node_selector(&required, problems);
    }
    for term in node.get(PREFERRED).items() {
        weight(&term, problems);
        node_term(&term.get("preference"), false, problems);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let pods = affinity.get(kind);
        for term in pods.get(REQUIRED).items() {
            pod_term(&term, problems);
        }
        for term in pods.get(PREFERRED).items() {
            weight(&term, problems);
            pod_term(&term.get("podAffinityTerm"), problems);
        }
    }
}

fn weight(term: &At<'_, '_>, problems: &mut ErrorList) {
    let weight = term.get("weight");
    if !(1..=100).contains(&weight.number()) {
        problems.add(weight.invalid_as(weight.number(), "must be in the range 1-100"));
    }
}

fn pod_term(term: &At<'_, '_>, problems: &mut ErrorList) {
    label_selector(&term.get("labelSelector"), problems);
    label_selector(&term.get("namespaceSelector"), problems);
    for namespace in term.get("namespaces").texts() {
        for problem in dns_label(namespace) {
            problems.add(term.get("namespace").invalid_as(namespace, problem));
        }
    }
    label_keys(term, problems);
    let key = term.get("topologyKey");
    key.must_be_set("can not be empty", problems);
    key.must_be(qualified_name, problems);
}

/// Checks `matchLabelKeys` and `mismatchLabelKeys`, which add the Pod's own label values to a selector.
fn label_keys(term: &At<'_, '_>, problems: &mut ErrorList) {
    let selector = term.get("labelSelector");
    let (matching, mismatching) = (term.get("matchLabelKeys"), term.get("mismatchLabelKeys"));
    for keys in [&matching, &mismatching] {
        if keys.is_empty() {
            continue;
        }
        if !selector.is_set() {
            problems.add(keys.forbidden("must not be specified when labelSelector is not set"));
            continue;
        }
        for key in keys.items() {
            key.must_be(qualified_name, problems);
        }
    }
    let labels = selector.get("matchLabels");
    let mut seen: Vec<&str> = labels.entries().map(|(key, _)| key).collect();
    for expression in selector.get("matchExpressions").items() {
        let key = expression.get("key").text();
        if let Some(index) = matching.texts().position(|other| other == key).filter(|_| seen.contains(&key)) {
            let problem = "exists in both matchLabelKeys and labelSelector";
            problems.add(FieldError::invalid(format!("{}[{index}]", term.path()), key, problem));
        }
        seen.push(key);
    }
    for key in matching.items() {
        if mismatching.texts().any(|other| other == key.text()) {
            problems.add(key.invalid("exists in both matchLabelKeys and mismatchLabelKeys"));
        }
    }
}

pub(super) const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn tolerations(tolerations: &At<'_, '_>, problems: &mut ErrorList) {
    for toleration in tolerations.items() {
        let (key, operator, effect) =
            (toleration.get("key"), toleration.get("operator"), toleration.get("effect"));
        if !key.is_empty() {
            key.must_be(qualified_name, problems);
        } else if operator.text() != "Exists" {
            let problem =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            problems.add(operator.invalid_text(problem));
        }
        if toleration.get("tolerationSeconds").is_set() && effect.text() != "NoExecute" {
            problems.add(effect.invalid_text("effect must be 'NoExecute' when `tolerationSeconds` is set"));
        }
        let value = toleration.get("value").text();
        match operator.text() {
            "Equal" | "" => {
                let found = label_value(value);
                if !found.is_empty() {
                    problems.add(operator.invalid_as(value, found.join(";")));
                }
            }
            "Exists" if value.is_empty() => {}
            "Exists" => {
                problems.add(operator.invalid_as(value, "value must be empty when `operator` is 'Exists'"))
            }
            "Lt" | "Gt" => problems.add(operator.not_supported(&["Equal", "Exists", "Lt", "Gt"])),
            _ => problems.add(operator.not_supported(&["Equal", "Exists"])),
        }
        if !effect.is_empty() {
            effect.must_be_one_of(&EFFECTS, problems);
        }
    }
}

pub(super) fn topology_spread(constraints: &At<'_, '_>, problems: &mut ErrorList) {
    let both = |constraint: &At<'_, '_>| {
        ["topologyKey", "whenUnsatisfiable"].map(|name| constraint.get(name).text().to_owned())
    };
    let mut left: HashMap<[String; 2], usize> = HashMap::new();
    for constraint in constraints.items() {
        *left.entry(both(&constraint)).or_default() += 1;
    }
    for constraint in constraints.items() {
        let (key, action) = (constraint.get("topologyKey"), constraint.get("whenUnsatisfiable"));
        positive(&constraint.get("maxSkew"), problems);
        key.must_be_set("can not be empty", problems);
        action.must_be_one_of(&["DoNotSchedule", "ScheduleAnyway"], problems);
        let others = left.get_mut(&both(&constraint)).map_or(0, |left| {
            *left -= 1;
            *left
        });
        // The last of those that are the same is the one that is left.
        if others > 0 {
            let both = constraint.get("{topologyKey, whenUnsatisfiable}");
            problems.add(both.duplicate(format!("{{{}, {}}}", key.text(), action.text())));
        }
        let domains = constraint.get("minDomains");
        if domains.is_set() {
            positive(&domains, problems);
            if action.text() != "DoNotSchedule" {
                let problem = format!(
                    "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {}",
                    action.text()
                );
                problems.add(domains.invalid(problem));
            }
        }
        for name in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            if constraint.get(name).is_set() {
                constraint.get(name).must_be_one_of(&["Honor", "Ignore"], problems);
            }
        }
        label_keys(&constraint, problems);
        label_selector(&constraint.get("labelSelector"), problems);
    }
}

fn positive(number: &At<'_, '_>, problems: &mut ErrorList) {
    if number.number() <= 0 {
        problems.add(number.invalid_as(number.number(), "must be greater than zero"));
    }
}
