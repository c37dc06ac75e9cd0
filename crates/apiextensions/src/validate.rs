//! Validation of objects against schemas, with the messages of `k8s.io/kube-openapi`.

use std::collections::HashSet;

use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::Map;
use serde_json::Value;

use super::data::Data;
use super::path::child;
use super::ratcheting::CorrelatedObject;
use super::structural::{Additional, Structural, Type};
use super::validation_result::{ValidationError, ValidationResult};
use super::{embedded, lists, number};

impl Structural {
    /// Validates a new object, except for the rules of `x-kubernetes-validations`.
    pub fn validate(&self, object: &Map) -> Vec<FieldError> {
        let mut errors =
            run(Data::Object(object), self, Place { whole: true, ..Place::default() }).errors(None);
        errors.extend(embedded::validate(object, self));
        errors.extend(lists::validate(object, self));
        errors
    }

    /// Validates an update of an object; errors of unchanged values are dropped (ratcheting).
    pub fn validate_update(&self, object: &Map, old: &Map) -> Vec<FieldError> {
        let earlier = Some(CorrelatedObject { value: Data::Object(old), schema: self });
        let place = Place { earlier, whole: true, ..Place::default() };
        let mut errors = check(Data::Object(object), self, place).errors(None);
        errors.extend(embedded::validate(object, self));
        errors.extend(self.new_duplicates(object, old));
        errors
    }

    /// Validates an update of a status; errors of unchanged values are dropped (ratcheting). Messages name fields
    /// relative to the status.
    pub fn validate_status(&self, object: &Map, old: &Map) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let (Some(schema), Some(status)) = (self.properties.get("status"), object.get("status")) {
            // As upstream, a status that was not there is compared as `null`.
            let value = old.get("status").map_or(Data::Null, Data::from);
            let place = Place { earlier: Some(CorrelatedObject { value, schema }), ..Place::default() };
            errors = check(status.into(), schema, place).errors(Some("status"));
        }
        errors.extend(self.new_duplicates(object, old));
        errors
    }

    fn new_duplicates(&self, object: &Map, old: &Map) -> Vec<FieldError> {
        if lists::validate(old, self).is_empty() { lists::validate(object, self) } else { Vec::new() }
    }

    /// Validates a value of this schema, with error paths below that of the value.
    pub(super) fn validate_value(&self, value: &Value, path: &str) -> Vec<FieldError> {
        run(value.into(), self, Place::default()).errors(Some(path))
    }
}

/// The position of a value.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    path: &'a str,
    earlier: Option<CorrelatedObject<'a>>,
    /// True if the value is a whole object, whose type is given by the request.
    whole: bool,
}

/// Validates a value; errors are dropped if the value is unchanged.
fn check(data: Data<'_>, schema: &Structural, place: Place<'_>) -> ValidationResult {
    let mut outcome = run(data, schema, place);
    if !outcome.is_valid() && place.earlier.is_some_and(|earlier| earlier.is(data)) {
        outcome.errors.clear();
    }
    outcome
}

/// Compares a value with a schema.
fn run(data: Data<'_>, schema: &Structural, place: Place<'_>) -> ValidationResult {
    let path = place.path;
    let rules = &schema.rules;
    let mut outcome = ValidationResult::default();
    if let Data::Null = data {
        outcome.merge(null(schema, path));
        outcome.merge(values(data, schema, path));
        return outcome;
    }
    let mut apply = |result: ValidationResult| {
        outcome.merge(result);
        outcome.matches += 1;
    };
    if !(schema.types.is_empty() && rules.unknown_type.is_none() && rules.format.is_empty()) {
        apply(kind(data, schema, path));
    }
    apply(composite(data, schema, place));
    match data {
        Data::Text(value) => {
            apply(text(value, schema, path));
            if let Some(format) = rules.known_format {
                let error = (!format.matches(value))
                    .then(|| ValidationError::wrong_format(path, &rules.format, value));
                apply(error.map(ValidationResult::from).unwrap_or_default());
            }
        }
        Data::Integer(_) | Data::Number(_) => apply(number::check(data, rules, schema.types, path)),
        Data::List(items) => apply(list(items, schema, place)),
        _ => {}
    }
    apply(values(data, schema, path));
    if let Data::Object(value) = data {
        apply(object(value, schema, place));
    }
    outcome.matches += 1;
    outcome
}

fn type_names(schema: &Structural) -> String {
    let unknown = schema.rules.unknown_type.as_deref();
    let names: Vec<&str> = schema.types.iter().map(|ty| ty.name()).chain(unknown).collect();
    names.join(",")
}

fn null(schema: &Structural, path: &str) -> ValidationResult {
    let is_untyped = schema.types.is_empty() && schema.rules.unknown_type.is_none();
    if is_untyped || schema.nullable {
        return ValidationResult { matches: 1, ..ValidationResult::default() };
    }
    ValidationError::wrong_type(path, &type_names(schema), "null").into()
}

/// Validates the type and the format for it.
fn kind(data: Data<'_>, schema: &Structural, path: &str) -> ValidationResult {
    let good = ValidationResult { matches: 1, ..ValidationResult::default() };
    let Some(ty) = data.ty() else { return good };
    let format = schema.rules.format.as_str();
    let has = |ty: Type| schema.types.contains(&ty);
    let is_integer = matches!(data, Data::Number(value) if has(Type::Integer) && number::is_integer(value));
    let fits = has(ty) || is_integer || (ty == Type::Integer && has(Type::Number));
    let is_text = matches!(ty, Type::String | Type::Array);
    if !is_text && !format.is_empty() && !fits && data.format() != format {
        return ValidationError::wrong_type(path, format, data.format()).into();
    }
    // A list is valid for a string with a format; Go calls both "slices".
    if is_text && !format.is_empty() && !has(Type::Number) && !has(Type::Integer) {
        return good;
    }
    if fits { good } else { ValidationError::wrong_type(path, &type_names(schema), ty.name()).into() }
}

fn values(data: Data<'_>, schema: &Structural, path: &str) -> ValidationResult {
    let allowed = &schema.rules.values;
    if allowed.is_empty() || allowed.iter().any(|allowed| data.is(allowed)) {
        return ValidationResult::default();
    }
    ValidationError::not_supported(path, data.to_value(), allowed).into()
}

fn text(text: &str, schema: &Structural, path: &str) -> ValidationResult {
    let rules = &schema.rules;
    let len = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if let Some(max) = rules.max_length.filter(|max| len > *max) {
        return ValidationError::too_long(path, max).into();
    }
    if let Some(min) = rules.min_length.filter(|min| len < *min) {
        return ValidationError::invalid(
            path,
            text,
            format!("{path} in body should be at least {min} chars long"),
        )
        .into();
    }
    match &rules.pattern {
        Some(pattern) if !pattern.matches(text) => ValidationError::invalid(
            path,
            text,
            format!("{path} in body should match '{}'", pattern.source()),
        )
        .into(),
        _ => ValidationResult::default(),
    }
}

fn list(items: &[Value], schema: &Structural, place: Place<'_>) -> ValidationResult {
    let path = place.path;
    let rules = &schema.rules;
    let mut outcome = ValidationResult { matches: 1, ..ValidationResult::default() };
    if let Some(schema) = &schema.items {
        let before = place.earlier.and_then(CorrelatedObject::items);
        for (index, item) in items.iter().enumerate() {
            let earlier = before.as_ref().and_then(|before| before.get(item));
            let place = Place { path: &format!("{path}[{index}]"), earlier, whole: false };
            outcome.merge(check(item.into(), schema, place));
        }
    }
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if let Some(min) = rules.min_items.filter(|min| len < *min) {
        let message = format!("{path} in body should have at least {min} items");
        outcome.errors.push(ValidationError::invalid(path, len, message));
    }
    if let Some(max) = rules.max_items.filter(|max| len > *max) {
        outcome.errors.push(ValidationError::too_many(path, items.len(), max, "items"));
    }
    if rules.unique_items {
        let mut seen = HashSet::new();
        if !items.iter().all(|item| seen.insert(item.to_string())) {
            outcome.errors.push(ValidationError::invalid(
                path,
                "",
                format!("{path} in body shouldn't contain duplicates"),
            ));
        }
    }
    outcome
}

fn object(object: &Map, schema: &Structural, place: Place<'_>) -> ValidationResult {
    let mut outcome = ValidationResult::default();
    outcome.errors.extend(count_properties(object, schema, place));
    for (name, value) in object.iter().filter(|(name, _)| !schema.properties.contains_key(*name)) {
        outcome.merge(additional(name, value, schema, place));
    }
    for (name, schema) in &schema.properties {
        let Some(value) = object.get(name) else { continue };
        // The version never counts as unchanged, even if it is equal.
        let is_type = place.path.is_empty() && matches!(name.as_str(), "apiVersion" | "kind");
        let earlier = place.earlier.filter(|_| !is_type).and_then(|earlier| earlier.field(name));
        let place = Place { path: &child(place.path, name), earlier, whole: false };
        outcome.merge(check(value.into(), schema, place));
    }
    for name in schema.rules.required.iter().filter(|name| !object.contains_key(*name)) {
        if !(place.whole && matches!(name.as_str(), "apiVersion" | "kind")) {
            outcome.errors.push(ValidationError::required(place.path, name));
        }
    }
    outcome
}

fn count_properties(object: &Map, schema: &Structural, place: Place<'_>) -> Vec<ValidationError> {
    let path = place.path;
    let named = ["apiVersion", "kind"].iter().filter(|name| place.whole && !object.contains_key(**name));
    let count = object.len() + named.count();
    let len = i64::try_from(count).unwrap_or(i64::MAX);
    let few = schema.rules.min_properties.filter(|min| len < *min).map(|min| {
        ValidationError::invalid(path, len, format!("{path} in body should have at least {min} properties"))
    });
    let many = schema.rules.max_properties.filter(|max| len > *max);
    let many = many.map(|max| ValidationError::too_many(path, count, max, "properties"));
    few.into_iter().chain(many).collect()
}

fn additional(name: &str, value: &Value, schema: &Structural, place: Place<'_>) -> ValidationResult {
    let path = place.path;
    match &schema.additional {
        Additional::Forbidden => {
            ValidationError::invalid(path, name, format!("{path}.{name} in body is a forbidden property"))
                .into()
        }
        Additional::Schema(schema) => {
            let earlier = place.earlier.and_then(|earlier| earlier.field(name));
            check(value.into(), schema, Place { path: &format!("{path}.{name}"), earlier, whole: false })
        }
        Additional::Unsaid | Additional::Allowed => ValidationResult::default(),
    }
}

/// Validates `anyOf`, `oneOf`, `allOf` and `not`, without ratcheting.
fn composite(data: Data<'_>, schema: &Structural, place: Place<'_>) -> ValidationResult {
    let path = place.path;
    let place = Place { earlier: None, ..place };
    let rules = &schema.rules;
    let mut outcome = ValidationResult::default();
    if !rules.any_of.is_empty() {
        outcome.merge(any_of(data, &rules.any_of, place));
    }
    if !rules.one_of.is_empty() {
        outcome.merge(one_of(data, &rules.one_of, place));
    }
    if !rules.all_of.is_empty() {
        outcome.merge(all_of(data, &rules.all_of, place));
    }
    if let Some(not) = &rules.not
        && run(data, not, place).is_valid()
    {
        outcome.errors.push(ValidationError::general(format!(
            "{path} must not validate the schema (not)",
            path = quoted(path)
        )));
    }
    outcome.matches += 1;
    outcome
}

fn any_of(data: Data<'_>, schemas: &[Structural], place: Place<'_>) -> ValidationResult {
    let path = place.path;
    let mut best: Option<ValidationResult> = None;
    for schema in schemas {
        let outcome = run(data, schema, place);
        if outcome.is_valid() {
            return outcome;
        }
        if best.as_ref().is_none_or(|best| outcome.matches > best.matches) {
            best = Some(outcome);
        }
    }
    let message = format!("{path} must validate at least one schema (anyOf)", path = quoted(path));
    let mut outcome = ValidationResult::from(ValidationError::general(message));
    outcome.merge(best.unwrap_or_default());
    outcome
}

fn one_of(data: Data<'_>, schemas: &[Structural], place: Place<'_>) -> ValidationResult {
    let path = place.path;
    let mut best: Option<ValidationResult> = None;
    let mut first: Option<ValidationResult> = None;
    let mut valid = 0;
    for schema in schemas {
        let outcome = run(data, schema, place);
        if outcome.is_valid() {
            valid += 1;
            first.get_or_insert(outcome);
        } else if best.as_ref().is_none_or(|best| outcome.matches > best.matches) {
            best = Some(outcome);
        }
    }
    let found = match valid {
        1 => return first.unwrap_or_default(),
        0 => "Found none valid".to_owned(),
        valid => format!("Found {valid} valid alternatives"),
    };
    let message =
        format!("{path} must validate one and only one schema (oneOf). {found}", path = quoted(path));
    let mut outcome = ValidationResult::from(ValidationError::general(message));
    if valid == 0 {
        outcome.merge(best.unwrap_or_default());
    }
    outcome
}

fn all_of(data: Data<'_>, schemas: &[Structural], place: Place<'_>) -> ValidationResult {
    let path = place.path;
    let mut outcome = ValidationResult::default();
    let mut valid = 0;
    for schema in schemas {
        let result = run(data, schema, place);
        valid += usize::from(result.is_valid());
        outcome.merge(result);
    }
    if valid < schemas.len() {
        let none = if valid == 0 { ". None validated" } else { "" };
        outcome.errors.push(ValidationError::general(format!(
            "{path} must validate all the schemas (allOf){none}",
            path = quoted(path)
        )));
    }
    outcome
}
