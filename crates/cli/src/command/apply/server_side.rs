//! Server-side apply: the server is sent what the file says, and finds out what to change.

use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{Api, ApplyOptions, DynamicPlace, Error, Patch};
use klient_structured_merge::{FieldSet, Operation, Path, find_fields_owners, upgrade_managed_fields_patch};
use serde_json::{Value, json};

use super::ApplyArgs;
use crate::failure::Failure;
use crate::last_applied;
use crate::manifest::Item;
use crate::session::Session;

/// Who sets the fields, where nobody else is named.
pub(super) const FIELD_MANAGER: &str = "kubectl";

/// Who keeps the annotation of client-side apply.
const ANNOTATION_MANAGER: &str = "kubectl-last-applied";

/// What kubectl says of conflicts.
const ADVICE: &str = "\
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

/// What kubectl says of a migration that fails.
const NOT_FATAL: &str = "This is non-fatal and will be retried next time you apply.";

/// How often the managed fields are migrated before it is given up.
const MOST_ATTEMPTS: usize = 5;

type Objects = Api<Unstructured, DynamicPlace>;

/// Sends an object, and gives what has become of it.
pub(super) async fn apply(
    item: &Item,
    args: &ApplyArgs,
    api: &Objects,
    session: &mut Session,
) -> Result<Unstructured, Failure> {
    let manager = args.field_manager();
    check(item)?;
    let again = || send(item, &args.subresource, manager, args.force_conflicts, api);
    let mut applied = again().await.map_err(refused)?;
    let mut warn = |problem: &str, failure: &Failure| {
        session.console.note(format_args!("Warning: {problem}. {NOT_FATAL} Error: {}", failure.go_text()));
    };
    match adopt(&applied, args, api).await {
        Ok(adopted) => applied = adopted.unwrap_or(applied),
        Err(error) => {
            let problem =
                "failed to migrate kubectl.kubernetes.io/last-applied-configuration for Server-Side Apply";
            warn(problem, &error.into());
            return Ok(applied);
        }
    }
    match migrate(&applied, manager, api).await {
        Ok(false) => {}
        // So that fields that are in the file no more go away now.
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

/// Refuses, as the server would, a file that says who owns what.
pub(crate) fn check(item: &Item) -> Result<(), Failure> {
    match item.object.at(&["metadata", "managedFields"]) {
        None | Some(Value::Null) => Ok(()),
        Some(_) => {
            let text = "Error from server (BadRequest): metadata.managedFields must be nil";
            Err(Failure::Plain(text.to_owned()))
        }
    }
}

/// Sends an object as it is in its file, to be applied as a field manager.
pub(crate) async fn send(
    item: &Item,
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

/// Makes the fields that client-side apply has set, as one who updates, those of the manager who applies now. Says
/// whether there were any.
async fn migrate(object: &Unstructured, manager: &str, api: &Objects) -> Result<bool, Failure> {
    let metadata = |object: &Unstructured| -> Result<ObjectMeta, Failure> {
        let metadata = serde_json::from_value(object["metadata"].clone());
        metadata.map_err(|error| Failure::Message(error.to_string()))
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
        let Some(patch) = patch.map_err(|error| Failure::Message(error.to_string()))? else {
            return Ok(false);
        };
        match api.patch(object.name(), &Patch::Json(patch)).await {
            Ok(_) => break,
            // It has changed meanwhile.
            Err(error) if error.is_conflict() && attempt < MOST_ATTEMPTS => {
                present = metadata(&api.get(object.name()).await?)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

/// What kubectl says of an object that is not applied.
fn refused(error: Error) -> Failure {
    if error.is_unsupported_media_type() {
        let text = Failure::from(error).go_text();
        return Failure::Message(format!("Server-side apply not available on the server: ({text})"));
    }
    if error.is_conflict() {
        return Failure::Message(format!("{}\n{ADVICE}", Failure::from(error).go_text()));
    }
    error.into()
}

/// Takes an object over from client-side apply: a manager of its own keeps the annotation, which would be dropped
/// when nobody applies it any more. Gives the object if that changed it.
///
/// One who does not apply as [`FIELD_MANAGER`] has nothing to take over: the server keeps the annotation up to date
/// for that manager only.
async fn adopt(
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

/// Whether somebody applies the annotation on the server.
fn is_applied(object: &Unstructured) -> bool {
    let entries = object.at(&["metadata", "managedFields"]).and_then(Value::as_array);
    entries.into_iter().flatten().any(|entry| {
        let annotations = &entry["fieldsV1"]["f:metadata"]["f:annotations"];
        entry["operation"] == json!("Apply")
            && annotations.get(format!("f:{}", last_applied::ANNOTATION)).is_some()
    })
}
