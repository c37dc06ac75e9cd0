//! Roles and their bindings.

use klient_apimachinery::validation::field::ErrorList;
use klient_apimachinery::values::Map;

use super::at::At;
use super::form::{dns_subdomain, path_segment};
use super::selector::label_selector;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn role(object: &Map, is_namespaced: bool, problems: &mut ErrorList) {
    let rules = At::new(object, "rules");
    for rule in rules.items() {
        policy_rule(&rule, is_namespaced, problems);
    }
    let aggregation = At::new(object, "aggregationRule");
    if aggregation.is_set() {
        let selectors = aggregation.get("clusterRoleSelectors");
        let problem = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        selectors.must_be_set(problem, problems);
        selectors.items().for_each(|selector| label_selector(&selector, problems));
    }
    rules.items().for_each(|rule| rule.get("verbs").must_be_set("", problems));
}

fn policy_rule(rule: &At<'_, '_>, is_namespaced: bool, problems: &mut ErrorList) {
    let urls = rule.get("nonResourceURLs");
    if urls.is_empty() {
        rule.get("apiGroups").must_be_set("resource rules must supply at least one api group", problems);
        rule.get("resources").must_be_set("resource rules must supply at least one resource", problems);
        return;
    }
    if is_namespaced {
        problems.add(urls.invalid("namespaced rules cannot apply to non-resource URLs"));
    }
    if ["apiGroups", "resources", "resourceNames"].iter().any(|name| !rule.get(name).is_empty()) {
        problems.add(urls.invalid("rules cannot apply to both regular resources and non-resource URLs"));
    }
}

pub(super) fn binding(object: &Map, is_namespaced: bool, problems: &mut ErrorList) {
    let (role, subjects) = (At::new(object, "roleRef"), At::new(object, "subjects"));
    role.get("apiGroup").must_be_one_of(&[GROUP], problems);
    let kinds: &[&str] = if is_namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    role.get("kind").must_be_one_of(kinds, problems);
    role.get("name").must_be(path_segment, problems);
    for subject in subjects.items() {
        binding_subject(&subject, is_namespaced, problems);
    }
    subjects.items().for_each(|subject| subject.get("name").must_be_set("", problems));
    role.get("name").must_be_set("", problems);
}

fn binding_subject(subject: &At<'_, '_>, is_namespaced: bool, problems: &mut ErrorList) {
    let (kind, group, name) = (subject.get("kind"), subject.get("apiGroup"), subject.get("name"));
    match kind.text() {
        "ServiceAccount" => {
            if !name.is_empty() {
                name.must_be(dns_subdomain, problems);
            }
            group.must_be_one_of(&[""], problems);
            if !is_namespaced {
                subject.get("namespace").must_be_set("", problems);
            }
        }
        "User" | "Group" => group.must_be_one_of(&[GROUP], problems),
        _ => problems.add(kind.not_supported(&["ServiceAccount", "User", "Group"])),
    }
}
