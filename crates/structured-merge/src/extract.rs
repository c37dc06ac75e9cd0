//! Extraction of the fields that a manager has applied to an object.

use crate::manager::remove_managed_fields;
use crate::{Duplicates, Error, KeyFields, Manager, Managers, Map, Schema, Typed};

/// The fields that a manager owns by `Apply`, with the object's current values: a configuration to change and apply
/// again. `apiVersion` and `kind` are the object's. `None` if the manager owns no field by `Apply`.
///
/// ```
/// use klient_structured_merge::{Schema, extract_applied};
/// use serde_json::json;
///
/// let object = json!({
///     "metadata": {"name": "web", "managedFields": [{
///         "manager": "me", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
///         "fieldsV1": {"f:spec": {"f:replicas": {}}},
///     }]},
///     "spec": {"replicas": 3, "paused": true},
/// });
/// let schema = Schema::builtin(&klient_schema::apps_v1::DEPLOYMENT);
/// let config = extract_applied(object.as_object().expect("an object"), &schema, "me", "")?;
/// assert_eq!(config.map(serde_json::Value::Object), Some(json!({"spec": {"replicas": 3}})));
/// # Ok::<(), klient_structured_merge::Error>(())
/// ```
///
/// # Errors
///
/// [`is_managed_fields`](Error::is_managed_fields) if those of the object cannot be read;
/// [`is_invalid`](Error::is_invalid) if it does not follow the schema.
pub fn extract_applied(
    object: &Map,
    schema: &Schema,
    manager: &str,
    subresource: &str,
) -> Result<Option<Map>, Error> {
    let managers = Managers::of(object)?;
    let Some(owned) = managers.get(&Manager::apply(manager, subresource)) else { return Ok(None) };
    let mut without = object.clone();
    remove_managed_fields(&mut without);
    let typed = Typed::new(&without, schema, Duplicates::Allow)?;
    let mut extracted = typed.extract(&owned.fields.leaves(), KeyFields::Leave).into_object();
    for name in ["apiVersion", "kind"] {
        if let (false, Some(value)) = (extracted.contains_key(name), object.get(name)) {
            extracted.insert(name.to_owned(), value.clone());
        }
    }
    Ok(Some(extracted))
}
