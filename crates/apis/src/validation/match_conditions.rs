//! Conditions in CEL under which a webhook or a policy is for a request.

use std::collections::HashSet;

use klient_apimachinery::validation::field::ErrorList;
use klient_cel::{Environment, Expression};

use super::at::{At, same};
use super::form::qualified_name;

/// Checks conditions, which may refer to parameters or not. Those of an update that are as they were are not checked.
pub(super) fn match_conditions(conditions: &At<'_, '_>, has_params: bool, problems: &mut ErrorList) {
    conditions.must_have_at_most(64, problems);
    if conditions.is_empty() {
        return;
    }
    let environment = klient_cel::admission::with_authorizer(klient_cel::admission::environment(has_params));
    let mut names = HashSet::new();
    for condition in conditions.items() {
        let (name, expression) = (condition.get("name"), condition.get("expression"));
        let source = expression.text().trim();
        if source.is_empty() {
            problems.add(expression.required(""));
        } else {
            must_compile(&expression, source, &environment, &["bool"], problems);
        }
        name.must_have(qualified_name, problems);
        if !name.is_empty() && !names.insert(name.text()) {
            problems.add(name.duplicate(name.text()));
        }
    }
}

/// Returns true if two lists of conditions are the same.
pub(super) fn are_unchanged(new: &At<'_, '_>, old: &At<'_, '_>) -> bool {
    same(new.raw(), old.raw()) || (new.is_empty() && old.is_empty())
}

/// Requires that an expression compiles, and that its values have one of these types.
pub(super) fn must_compile(
    at: &At<'_, '_>,
    source: &str,
    environment: &Environment,
    types: &[&str],
    problems: &mut ErrorList,
) {
    if let Some(problem) = compile_problem(source, environment, types) {
        problems.add(at.invalid_as(source, problem));
    }
}

/// The problem with an expression whose values are to have one of these types.
pub(super) fn compile_problem(source: &str, environment: &Environment, types: &[&str]) -> Option<String> {
    match Expression::compile(source, environment) {
        Ok(expression) => expression.type_problem(types),
        Err(error) => Some(error.reported()),
    }
}
