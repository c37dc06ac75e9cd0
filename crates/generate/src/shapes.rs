//! Schemas of types that klient has.

use crate::error::Error;
use crate::schema::Schema;
use crate::ty::Ty;

/// Names of metadata's fields, with their types; the items of lists and maps are strings.
const METADATA: [(&str, &str); 12] = [
    ("annotations", "object"),
    ("creationTimestamp", "string"),
    ("deletionGracePeriodSeconds", "integer"),
    ("deletionTimestamp", "string"),
    ("finalizers", "array"),
    ("generateName", "string"),
    ("generation", "integer"),
    ("labels", "object"),
    ("name", "string"),
    ("namespace", "string"),
    ("resourceVersion", "string"),
    ("uid", "string"),
];

/// The type of klient that has exactly the shape of an object's schema. The field is the last one on the path.
pub(crate) fn known(schema: Schema<'_>, field: &str, path: &str) -> Result<Option<Ty>, Error> {
    if schema.preserves_unknown() && field != "metadata" || schema.get("additionalProperties").is_some() {
        return Ok(None);
    }
    if field == "metadata" && is_metadata(schema, path)? {
        return Ok(Some(Ty::ObjectMeta));
    }
    if is_condition(schema, path)? {
        return Ok(Some(Ty::Condition));
    }
    Ok(is_label_selector(schema, path)?.then_some(Ty::LabelSelector))
}

/// Fields with the name and type of those of metadata, perhaps none: the definition of an embedded object says only that
/// it has metadata.
fn is_metadata(schema: Schema<'_>, path: &str) -> Result<bool, Error> {
    for (name, property) in schema.properties(path)? {
        let ty = property.ty(path)?;
        let items = match ty {
            "array" => property.items(path)?,
            "object" => property.values(path)?,
            _ => None,
        };
        let has_strings = items.is_some_and(|items| items.text("type") == "string");
        if !METADATA.contains(&(name, ty)) || has_strings != matches!(ty, "array" | "object") {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_condition(schema: Schema<'_>, path: &str) -> Result<bool, Error> {
    let expected = ["lastTransitionTime", "message", "observedGeneration", "reason", "status", "type"];
    let properties = schema.properties(path)?;
    let required = schema.required();
    let has_type = |(name, property): &(&str, Schema<'_>)| {
        let (ty, format) = match *name {
            "observedGeneration" => ("integer", "int64"),
            "lastTransitionTime" => ("string", "date-time"),
            _ => ("string", ""),
        };
        property.text("type") == ty && property.text("format") == format && !property.has("nullable")
    };
    Ok(properties.iter().map(|(name, _)| *name).eq(expected)
        && properties.iter().all(has_type)
        && expected.iter().all(|name| required.contains(name) != (*name == "observedGeneration")))
}

fn is_label_selector(schema: Schema<'_>, path: &str) -> Result<bool, Error> {
    let properties = schema.properties(path)?;
    let [("matchExpressions", expressions), ("matchLabels", labels)] = properties[..] else {
        return Ok(false);
    };
    let is_string = |schema: Option<Schema<'_>>| schema.is_some_and(|schema| schema.text("type") == "string");
    let Some(requirement) = expressions.items(path)? else { return Ok(false) };
    let fields = requirement.properties(path)?;
    let [("key", key), ("operator", operator), ("values", values)] = fields[..] else { return Ok(false) };
    Ok(is_string(labels.values(path)?)
        && requirement.required().into_iter().eq(["key", "operator"])
        && is_string(Some(key))
        && is_string(Some(operator))
        && is_string(values.items(path)?))
}
