//! Selectors of labels and of nodes.

use klient_apimachinery::validation::field::ErrorList;

use super::at::At;
use super::form::{dns_subdomain, label_value, qualified_name};
use super::metadata::labels;

/// Checks a `LabelSelector`.
pub(super) fn label_selector(selector: &At<'_, '_>, problems: &mut ErrorList) {
    labels(&selector.get("matchLabels"), problems);
    for expression in selector.get("matchExpressions").items() {
        let operator = expression.get("operator");
        match operator.text() {
            "In" | "NotIn" | "Exists" | "DoesNotExist" => values_fit(&expression, problems),
            _ => problems.add(operator.invalid_text("not a valid selector operator")),
        }
        expression.get("key").must_be(qualified_name, problems);
        for value in expression.get("values").items() {
            value.must_be(label_value, problems);
        }
    }
}

fn values_fit(expression: &At<'_, '_>, problems: &mut ErrorList) {
    let values = expression.get("values");
    match expression.get("operator").text() {
        "In" | "NotIn" => {
            values.must_be_set("must be specified when `operator` is 'In' or 'NotIn'", problems)
        }
        _ if values.is_empty() => {}
        _ => {
            let problem = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            problems.add(values.forbidden(problem));
        }
    }
}

/// Returns true if a well-formed `LabelSelector` has no requirements.
pub(super) fn is_everything(selector: &At<'_, '_>) -> bool {
    selector.get("matchLabels").is_empty() && selector.get("matchExpressions").is_empty()
}

/// Returns true if a well-formed `LabelSelector` matches labels. A missing selector matches nothing.
pub(super) fn selects(selector: &At<'_, '_>, labels: &At<'_, '_>) -> bool {
    let fulfils = |expression: &At<'_, '_>| {
        let label = labels.entry(expression.get("key").text());
        let is_listed =
            label.is_some_and(|label| expression.get("values").texts().any(|value| value == label));
        match expression.get("operator").text() {
            "In" => is_listed,
            "NotIn" => !is_listed,
            "Exists" => label.is_some(),
            _ => label.is_none(),
        }
    };
    selector.is_set()
        && contains(labels, &selector.get("matchLabels"))
        && selector.get("matchExpressions").items().all(|expression| fulfils(&expression))
}

/// Returns true if `labels` contain all of `wanted`.
pub(super) fn contains(labels: &At<'_, '_>, wanted: &At<'_, '_>) -> bool {
    wanted.entries().all(|(key, value)| labels.entry(key) == Some(value.text()))
}

/// Checks a `NodeSelector`.
pub(super) fn node_selector(selector: &At<'_, '_>, problems: &mut ErrorList) {
    let terms = selector.get("nodeSelectorTerms");
    terms.must_be_set("must have at least one node selector term", problems);
    for term in terms.items() {
        node_term(&term, true, problems);
    }
}

/// Checks a term of a `NodeSelector`. Values of labels that are only preferred may have any form.
pub(super) fn node_term(term: &At<'_, '_>, checks_values: bool, problems: &mut ErrorList) {
    for expression in term.get("matchExpressions").items() {
        node_labels(&expression, checks_values, problems);
    }
    for expression in term.get("matchFields").items() {
        node_field(&expression, problems);
    }
}

fn node_labels(expression: &At<'_, '_>, checks_values: bool, problems: &mut ErrorList) {
    let values = expression.get("values");
    let operator = expression.get("operator");
    match operator.text() {
        "In" | "NotIn" | "Exists" | "DoesNotExist" => values_fit(expression, problems),
        "Gt" | "Lt" => {
            if values.list().len() != 1 {
                problems
                    .add(values.required("must be specified single value when `operator` is 'Lt' or 'Gt'"));
            }
        }
        _ => problems.add(operator.invalid_text("not a valid selector operator")),
    }
    expression.get("key").must_be(qualified_name, problems);
    if checks_values {
        for value in values.items() {
            value.must_be(label_value, problems);
        }
    }
}

fn node_field(expression: &At<'_, '_>, problems: &mut ErrorList) {
    let (key, operator, values) =
        (expression.get("key"), expression.get("operator"), expression.get("values"));
    if !matches!(operator.text(), "In" | "NotIn") {
        problems.add(operator.invalid_text("not a valid selector operator"));
    } else if values.list().len() != 1 {
        let problem = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
        problems.add(values.required(problem));
    }
    if key.text() == "metadata.name" {
        for value in values.items() {
            value.must_be(dns_subdomain, problems);
        }
    } else {
        problems.add(key.invalid_text("not a valid field selector key"));
    }
}
