//! Server-side apply, and the migration of objects from client-side apply.

use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{Api, ApplyOptions, DynamicPlace, Error, Patch};
use klient_structured_merge::{FieldSet, Operation, Path, find_fields_owners, upgrade_managed_fields_patch};
use serde_json::{Value, json};

use super::ApplyArgs;
use crate::error::CliError;
use crate::last_applied;
use crate::manifest::Info;
use crate::session::Session;

/// The default field manager.
pub(super) const FIELD_MANAGER: &str = "kubectl";

/// The field manager of the last-applied annotation after a migration.
const ANNOTATION_MANAGER: &str = "kubectl-last-applied";

/// kubectl's advice after a conflict.
const CONFLICT_ADVICE: &str = "\
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

/// kubectl's note after a failed migration.
const NON_FATAL: &str = "This is non-fatal and will be retried next time you apply.";

/// Maximum number of attempts to migrate the managed fields.
const MAX_ATTEMPTS: usize = 5;

type Objects = Api<Unstructured, DynamicPlace>;

/// Applies an object and migrates it from client-side apply. A failed migration is a warning.
pub(super) async fn apply(
    item: &Info,
    args: &ApplyArgs,
    api: &Objects,
    session: &mut Session,
) -> Result<Unstructured, CliError> {
    let manager = args.field_manager();
    check_managed_fields(item)?;
    let again = || apply_patch(item, &args.subresource, manager, args.force_conflicts, api);
    let mut applied = again().await.map_err(apply_error)?;
    let mut warn = |problem: &str, failure: &CliError| {
        session
            .console
            .eprintln(format_args!("Warning: {problem}. {NON_FATAL} Error: {}", failure.go_error()));
    };
    match migrate_last_applied(&applied, args, api).await {
        Ok(migrated) => applied = migrated.unwrap_or(applied),
        Err(error) => {
            let problem =
                "failed to migrate kubectl.kubernetes.io/last-applied-configuration for Server-Side Apply";
            warn(problem, &error.into());
            return Ok(applied);
        }
    }
    match migrate_managed_fields(&applied, manager, api).await {
        Ok(false) => {}
        // Apply again, so that fields that are no longer in the manifest are removed.
        Ok(true) => match again().await {
            Ok(object) => applied = object,
            Err(error) => {
                let problem = "failed to re-apply configuration after performing Server-Side Apply migration";
                warn(problem, &error.into());
            }
        },
        Err(failure) => {
            warn("server rejected managed fields migration to Server-Side Apply", &failure);
        }
    }
    Ok(applied)
}

/// Rejects a manifest with `metadata.managedFields`, as the server does.
pub(crate) fn check_managed_fields(item: &Info) -> Result<(), CliError> {
    match item.object.at(&["metadata", "managedFields"]) {
        None | Some(Value::Null) => Ok(()),
        Some(_) => {
            let text = "Error from server (BadRequest): metadata.managedFields must be nil";
            Err(CliError::Verbatim(text.to_owned()))
        }
    }
}

/// Sends an apply patch of the manifest.
pub(crate) async fn apply_patch(
    item: &Info,
    subresource: &str,
    manager: &str,
    force: bool,
    api: &Objects,
) -> Result<Unstructured, Error> {
    let options = ApplyOptions::new(manager);
    let options = if force { options.force() } else { options };
    match subresource {
        "" => api.apply(&item.object, &options).await,
        subresource => api.apply_subresource(&item.object, subresource, &options).await,
    }
}

/// Transfers the fields of client-side apply (operation `Update`) to the manager of this apply. Returns true if there
/// were any.
async fn migrate_managed_fields(
    object: &Unstructured,
    manager: &str,
    api: &Objects,
) -> Result<bool, CliError> {
    let metadata = |object: &Unstructured| -> Result<ObjectMeta, CliError> {
        let metadata = serde_json::from_value(object["metadata"].clone());
        metadata.map_err(|error| CliError::Message(error.to_string()))
    };
    let mut present = metadata(object)?;
    let annotation = Path::fields(["metadata", "annotations", last_applied::ANNOTATION]);
    let annotation: FieldSet = [annotation].into_iter().collect();
    let owners = find_fields_owners(&present.managed_fields, Operation::Update, &annotation);
    let owners: Vec<String> =
        owners.iter().filter_map(|entry| entry.manager.as_ref()).map(ToString::to_string).collect();
    let owners: Vec<&str> = owners.iter().map(String::as_str).collect();
    for attempt in 1.. {
        let patch = upgrade_managed_fields_patch(&present, &owners, manager, "");
        let Some(patch) = patch.map_err(|error| CliError::Message(error.to_string()))? else {
            return Ok(false);
        };
        match api.patch(object.name(), &Patch::Json(patch)).await {
            Ok(_) => break,
            // Another client has changed the object.
            Err(error) if error.is_conflict() && attempt < MAX_ATTEMPTS => {
                present = metadata(&api.get(object.name()).await?)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

/// Converts an error of an apply into kubectl's.
fn apply_error(error: Error) -> CliError {
    if error.is_unsupported_media_type() {
        let text = CliError::from(error).go_error();
        return CliError::Message(format!("Server-side apply not available on the server: ({text})"));
    }
    if error.is_conflict() {
        return CliError::Message(format!("{}\n{CONFLICT_ADVICE}", CliError::from(error).go_error()));
    }
    error.into()
}

/// Applies the last-applied annotation as [`ANNOTATION_MANAGER`], which keeps it when the fields of client-side apply
/// are removed. Returns the object if it changed.
///
/// Only for [`FIELD_MANAGER`]: the server keeps the annotation up to date for no other manager.
async fn migrate_last_applied(
    object: &Unstructured,
    args: &ApplyArgs,
    api: &Objects,
) -> Result<Option<Unstructured>, Error> {
    let Some(annotation) = last_applied::of(object) else { return Ok(None) };
    if args.field_manager() != FIELD_MANAGER || is_applied(object) {
        return Ok(None);
    }
    let mut kept = Unstructured::new(object.api_version(), object.kind(), object.name());
    if let Some(namespace) = object.namespace() {
        kept.set_namespace(namespace);
    }
    kept.set_annotation(last_applied::ANNOTATION, annotation);
    api.apply(&kept, &ApplyOptions::new(ANNOTATION_MANAGER)).await.map(Some)
}

/// Returns true if the annotation is owned by server-side apply.
fn is_applied(object: &Unstructured) -> bool {
    let entries = object.at(&["metadata", "managedFields"]).and_then(Value::as_array);
    entries.into_iter().flatten().any(|entry| {
        let annotations = &entry["fieldsV1"]["f:metadata"]["f:annotations"];
        entry["operation"] == json!("Apply")
            && annotations.get(format!("f:{}", last_applied::ANNOTATION)).is_some()
    })
}
