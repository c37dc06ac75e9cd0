//! Migration from client-side apply to server-side apply: fields owned by a manager with operation `Update` move to
//! its `Apply` entry.
//!
//! Client-side apply and other writes record their fields under managers with operation `Update`. A program that
//! switches to server-side apply would own the same fields twice, once by each operation, and could never remove one.
//! The rules are those of client-go's `util/csaupgrade`.

use klient_apimachinery::Json;
use klient_apimachinery::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use serde_json::{Value, json};

use crate::{Error, FieldSet, Operation};
use klient_apimachinery::go::quoted;

/// Moves the fields that `csa_managers` own by `Update` to the `Apply` entry of `ssa_manager` in an object's
/// metadata, for the main resource or, if it is not empty, a subresource.
///
/// If `ssa_manager` has no `Apply` entry yet, the first entry of a manager of `csa_managers` becomes its entry. The
/// fields of their entries in the same version are added to it; entries in other versions cannot be merged and are
/// dropped. Defaults that client-side apply owned are removed by the next apply that does not set them, and the
/// server sets them again as defaults.
///
/// [`upgrade_managed_fields_patch`] gives a patch that does this to an object on a server.
///
/// # Errors
///
/// [`is_managed_fields`](Error::is_managed_fields) if the fields of an entry that takes part cannot be read.
pub fn upgrade_managed_fields(
    metadata: &mut ObjectMeta,
    csa_managers: &[&str],
    ssa_manager: &str,
    subresource: &str,
) -> Result<(), Error> {
    let mut entries = metadata.managed_fields.clone();
    for csa_manager in csa_managers {
        upgrade(&mut entries, csa_manager, ssa_manager, subresource)?;
    }
    metadata.managed_fields = entries;
    Ok(())
}

/// The JSON patch that makes the change of [`upgrade_managed_fields`] on a server's object; `None` if there is
/// nothing to change. The server answers 409 Conflict if the object has changed since it was read: read it again
/// then.
///
/// ```
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_structured_merge::upgrade_managed_fields_patch;
/// use serde_json::json;
///
/// let metadata: ObjectMeta = serde_json::from_value(json!({
///     "name": "web",
///     "resourceVersion": "7",
///     "managedFields": [{
///         "manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1",
///         "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:color": {}}},
///     }],
/// }))?;
/// let patch = upgrade_managed_fields_patch(&metadata, &["kubectl-client-side-apply"], "kubectl", "")?;
/// let patch = patch.expect("there is something to do");
/// assert_eq!(patch[0]["value"][0]["operation"], "Apply");
/// assert_eq!(patch[1], json!({"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`upgrade_managed_fields`].
pub fn upgrade_managed_fields_patch(
    metadata: &ObjectMeta,
    csa_managers: &[&str],
    ssa_manager: &str,
    subresource: &str,
) -> Result<Option<Value>, Error> {
    let mut upgraded =
        ObjectMeta { managed_fields: metadata.managed_fields.clone(), ..ObjectMeta::default() };
    upgrade_managed_fields(&mut upgraded, csa_managers, ssa_manager, subresource)?;
    // Compares the upgraded managers only; the server may have written the fields of others in another order.
    let is_upgraded = |entry: &ManagedFieldsEntry| {
        csa_managers.iter().any(|manager| is_entry(entry, manager, Operation::Update, subresource))
    };
    if !metadata.managed_fields.iter().any(is_upgraded) {
        return Ok(None);
    }
    let entries = serde_json::to_value(&upgraded.managed_fields).map_err(|error| Error::fields(&error))?;
    Ok(Some(json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": entries},
        // `test` would make the request invalid; replacing a resourceVersion that is not the current one is a
        // conflict.
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": metadata.resource_version.as_deref().unwrap_or_default(),
        },
    ])))
}

/// The entries of an operation that own all of these fields. An entry whose fields cannot be read owns none.
pub fn find_fields_owners<'a>(
    entries: &'a [ManagedFieldsEntry],
    operation: Operation,
    fields: &FieldSet,
) -> Vec<&'a ManagedFieldsEntry> {
    let owns_all = |entry: &&ManagedFieldsEntry| {
        entry.operation.as_deref() == Some(operation.as_str())
            && read(entry).is_ok_and(|own| fields.difference(&own).is_empty())
    };
    entries.iter().filter(owns_all).collect()
}

fn upgrade(
    entries: &mut Vec<ManagedFieldsEntry>,
    csa_manager: &str,
    ssa_manager: &str,
    subresource: &str,
) -> Result<(), Error> {
    let is_csa = |entry: &ManagedFieldsEntry| is_entry(entry, csa_manager, Operation::Update, subresource);
    let is_ssa = |entry: &ManagedFieldsEntry| is_entry(entry, ssa_manager, Operation::Apply, subresource);
    let Some(at) = entries.iter().position(is_ssa).or_else(|| entries.iter().position(is_csa)) else {
        return Ok(());
    };
    let mut fields = read(&entries[at])?;
    let of_version =
        |entry: &&ManagedFieldsEntry| is_csa(entry) && entry.api_version == entries[at].api_version;
    if let Some(same) = entries.iter().find(of_version) {
        fields = fields.union(&read(same)?);
    }
    let target = &mut entries[at];
    target.operation = Some(Operation::Apply.as_str().into());
    target.manager = Some(ssa_manager.into());
    target.fields_v1 = Some(Json::parse(&fields.to_json()).expect("a set is written as JSON"));
    entries.retain(|entry| !is_csa(entry));
    Ok(())
}

fn is_entry(entry: &ManagedFieldsEntry, manager: &str, operation: Operation, subresource: &str) -> bool {
    entry.manager.as_deref().unwrap_or_default() == manager
        && entry.operation.as_deref() == Some(operation.as_str())
        && entry.subresource.as_deref().unwrap_or_default() == subresource
}

fn read(entry: &ManagedFieldsEntry) -> Result<FieldSet, Error> {
    let json = entry.fields_v1.as_ref().map_or("", Json::as_str);
    FieldSet::from_json(json).map_err(|error| {
        let manager = quoted(entry.manager.as_deref().unwrap_or_default());
        Error::managed_fields(format!("managed fields of {manager}: {error}"))
    })
}
