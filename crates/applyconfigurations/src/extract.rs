//! Extraction of the fields that a field manager has applied to an object.

use klient_apimachinery::schema::{Schema as Table, Type};
use klient_apimachinery::{Object as _, Unstructured};
use klient_structured_merge::{Manager, Managers, Path, PathElement, Schema, extract_applied};
use serde_json::Value;

use crate::Map;
use crate::error::{Error, Problem};
use crate::fields::Fields;
use crate::read::{check_kind, invalid};
use crate::subject::{Subject, is_kind};

/// The fields that `field_manager` has applied to `object`, or to a subresource of it.
///
/// A server newer than this build sends fields unknown to the build. They are left out, unless this manager has
/// applied them: the next apply would remove them.
pub(crate) fn extract(
    object: Unstructured,
    subject: &Subject,
    field_manager: &str,
    subresource: &str,
) -> Result<Fields, Error> {
    let object = Value::Object(object.0);
    check_kind(&object, subject)?;
    let Value::Object(mut object) = object else { unreachable!("it was put there above") };
    let managers = Managers::of(&object).map_err(|error| Error::managed_fields(subject, error))?;
    if let Some(owned) = managers.get(&Manager::apply(field_manager, subresource)) {
        let unknown = owned.fields.iter().filter(|path| !is_known(path, subject.table));
        let problems: Vec<Problem> = unknown
            .map(|path| Problem::new(&path.to_string(), "it was applied, and this build does not know it"))
            .collect();
        if !problems.is_empty() {
            return Err(Error::invalid(subject, problems));
        }
    }
    drop_unknown(&mut object, subject.table);
    let schema = Schema::builtin(subject.table);
    let applied = extract_applied(&object, &schema, field_manager, subresource);
    let applied = applied.map_err(|error| invalid(subject, &error))?.unwrap_or_default();
    let object = Unstructured(object);
    let fields = Fields(applied)
        .set::<String>("apiVersion", subject.api_version)
        .set::<String>("kind", subject.name)
        .within("metadata", |metadata| match object.namespace() {
            Some(namespace) => {
                metadata.set::<String>("name", object.name()).set::<String>("namespace", namespace)
            }
            None => metadata.set::<String>("name", object.name()),
        });
    Ok(fields)
}

/// Returns true if all fields on a path are declared.
fn is_known(path: &Path, table: &'static Table) -> bool {
    let mut ty = Type::Message(table);
    for element in path.iter() {
        ty = match (element, ty) {
            (PathElement::Field(name), Type::Message(table)) => match table.field(name) {
                Some(field) => field.ty,
                None => return table.fields.is_empty() || is_type(name, table),
            },
            (PathElement::Field(_), Type::Map(item)) | (_, Type::List(item)) => *item,
            // The value has no declared fields.
            _ => return true,
        };
    }
    true
}

/// Removes undeclared fields.
fn drop_unknown(object: &mut Map, table: &'static Table) {
    if table.fields.is_empty() {
        return;
    }
    object.retain(|name, value| match table.field(name) {
        Some(field) => {
            drop_unknown_below(value, field.ty);
            true
        }
        None => is_type(name, table),
    });
}

fn drop_unknown_below(value: &mut Value, ty: Type) {
    match (value, ty) {
        (Value::Array(items), Type::List(item)) => {
            items.iter_mut().for_each(|value| drop_unknown_below(value, *item));
        }
        (Value::Object(map), Type::Map(item)) => {
            map.values_mut().for_each(|value| drop_unknown_below(value, *item));
        }
        (Value::Object(map), Type::Message(table)) => drop_unknown(map, table),
        _ => {}
    }
}

/// Returns true if a field is the `apiVersion` or `kind` of a struct that has them.
fn is_type(name: &str, table: &Table) -> bool {
    matches!(name, "apiVersion" | "kind") && is_kind(table)
}
