//! `metav1.Condition`s, and the conditions of flow control.

use std::collections::HashSet;

use klient_apimachinery::validation::field::ErrorList;

use crate::validation::at::At;
use crate::validation::form::qualified_name;

const REASON_MAX: usize = 1024;
const MESSAGE_MAX: usize = 32 * 1024;

/// Checks conditions of which each type is there once.
pub(super) fn check(conditions: &At<'_, '_>, problems: &mut ErrorList) {
    let mut types = HashSet::new();
    for condition in conditions.items() {
        let ty = condition.get("type");
        if !types.insert(ty.text()) {
            problems.add(condition.duplicate(ty.text()));
        }
        if ty.is_empty() {
            problems.add(ty.required("is required"));
        } else {
            ty.must_be(qualified_name, problems);
        }
        condition.get("status").must_have_one_of(&["False", "True", "Unknown"], problems);
        let generation = condition.get("observedGeneration");
        if generation.number() < 0 {
            problems.add(generation.invalid("must be greater than or equal to zero"));
        }
        condition.get("lastTransitionTime").must_be_set("", problems);
        let (reason, message) = (condition.get("reason"), condition.get("message"));
        reason.must_have(reason_form, problems);
        if reason.text().len() > REASON_MAX {
            problems.add(reason.too_long(REASON_MAX));
        }
        if message.text().len() > MESSAGE_MAX {
            problems.add(message.too_long(MESSAGE_MAX));
        }
    }
}

/// Checks conditions that have no other rule than that each type is there once.
pub(super) fn check_types(conditions: &At<'_, '_>, problems: &mut ErrorList) {
    let mut types = HashSet::new();
    for condition in conditions.items() {
        let ty = condition.get("type");
        if !types.insert(ty.text()) {
            problems.add(ty.duplicate(ty.text()));
        }
        ty.must_be_set("", problems);
    }
}

/// The reason of a condition (`IsValidConditionReason`).
pub(super) fn reason_form(reason: &str) -> Vec<String> {
    let is_word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let is_fine = reason.bytes().all(|c| is_word(c) || matches!(c, b',' | b':'))
        && reason.bytes().next().is_some_and(|c| c.is_ascii_alphabetic())
        && reason.bytes().next_back().is_some_and(is_word);
    if is_fine {
        return Vec::new();
    }
    vec![
        "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric \
         characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  \
         or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is \
         '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"
            .to_owned(),
    ]
}
