//! Sorting by a field (`--sort-by`).

use klient_apimachinery::Quantity;
use klient_apimachinery::go::quoted;
use serde_json::Value;

use super::builder::Response;
use crate::error::CliError;
use klient_apimachinery::jsonpath::{Found, JsonPath, JsonPathError, MissingKeys, relaxed};

/// Sorts objects by the value at a path.
///
/// # Errors
///
/// If the path is invalid, no object has the field, or its type has no order.
pub(super) fn objects(objects: &mut Vec<Value>, path: &str) -> Result<(), CliError> {
    sort(objects, path, |object| object)
}

/// Sorts the rows of a single table, or several tables among themselves, as in kubectl. A single table without the
/// field loses its rows.
///
/// # Errors
///
/// If several tables cannot be sorted, or the type of the field has no order.
pub(super) fn tables(responses: &mut Vec<Response>, path: &str) -> Result<(), CliError> {
    let [response] = &mut responses[..] else { return sort(responses, path, |response| &response.object) };
    let Some(rows) = response.object.get_mut("rows").and_then(Value::as_array_mut) else { return Ok(()) };
    if rows.len() < 2 {
        return Ok(());
    }
    match sort(rows, path, |row| &row["object"]) {
        Err(CliError::Message(_)) => rows.clear(),
        sorted => return sorted,
    }
    Ok(())
}

fn sort<T>(items: &mut Vec<T>, path: &str, object: impl Fn(&T) -> &Value) -> Result<(), CliError> {
    if items.is_empty() {
        return Ok(());
    }
    let message = |error: JsonPathError| CliError::Message(error.to_string());
    let template = relaxed(path).map_err(message)?;
    let parsed = JsonPath::parse(&template).map_err(message)?;
    let mut keys = Vec::with_capacity(items.len());
    for item in items.iter() {
        let found = parsed.find(object(item), MissingKeys::Allowed).map_err(message)?;
        keys.push(found.first().and_then(|found| found.first()).copied());
    }
    if keys.iter().all(Option::is_none) {
        return Err(CliError::Message(format!(
            "couldn't find any field with path {} in the list of objects",
            quoted(&template)
        )));
    }
    let mut order: Vec<usize> = (0..items.len()).collect();
    merge_sort(&mut order, &|a, b| is_less(keys[a], keys[b])).map_err(|kind| {
        CliError::Verbatim(format!("error: Field {template} is an unsortable type: {kind}"))
    })?;
    let mut taken: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(order.into_iter().filter_map(|index| taken[index].take()));
    Ok(())
}

/// Stable merge sort for an order that need not be total: strings that are quantities compare by amount, others as
/// strings. The standard library's sort may panic for such an order.
fn merge_sort<E>(
    items: &mut Vec<usize>,
    is_less: &impl Fn(usize, usize) -> Result<bool, E>,
) -> Result<(), E> {
    if items.len() < 2 {
        return Ok(());
    }
    let mut right = items.split_off(items.len() / 2);
    merge_sort(items, is_less)?;
    merge_sort(&mut right, is_less)?;
    let left = std::mem::take(items);
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let next = if is_less(*second, *first)? { right.next() } else { left.next() };
        items.extend(next);
    }
    items.extend(left.chain(right));
    Ok(())
}

/// Compares two values in kubectl's order: an absent value is the least, and strings that are quantities compare by
/// amount.
///
/// # Errors
///
/// The name of a type without an order.
fn is_less(a: Option<Found<'_>>, b: Option<Found<'_>>) -> Result<bool, &'static str> {
    let (a, b) = match (a, b) {
        (_, None) => return Ok(false),
        (None, Some(_)) => return Ok(true),
        (Some(a), Some(b)) => (a, b),
    };
    match (a, b) {
        (_, Found::Null) => Ok(false),
        (Found::Null, _) => Ok(true),
        (Found::Int(a), Found::Int(b)) => Ok(a < b),
        (Found::Float(a), Found::Float(b)) => Ok(a < b),
        (Found::Byte(a), Found::Byte(b)) => Ok(a < b),
        (Found::Text(a), Found::Text(b)) => match (a.parse::<Quantity>(), b.parse::<Quantity>()) {
            (Ok(a), Ok(b)) => Ok(a < b),
            _ => Ok(a < b),
        },
        (Found::Int(_) | Found::Float(_) | Found::Byte(_) | Found::Text(_), _) => Err("interface"),
        (a, _) => Err(a.type_name()),
    }
}
