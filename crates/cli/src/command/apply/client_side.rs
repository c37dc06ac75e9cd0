//! Client-side apply: a three-way patch from the last-applied annotation, the manifest and the live object.

use std::time::Duration;

use klient_apimachinery::patch::merge;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{Api, DynamicPlace};
use serde_json::Value;

use super::{ApplyArgs, Operation};
use crate::dry_run::DryRun;
use crate::error::CliError;
use crate::last_applied;
use crate::manifest::Info;
use crate::session::Session;
use crate::three_way::{self, applying, described};
use crate::wait_deleted::wait_deleted;

/// The default field manager.
pub(super) const FIELD_MANAGER: &str = "kubectl-client-side-apply";

/// Maximum number of retries of a patch after a conflict.
const MAX_PATCH_RETRIES: u32 = 5;

/// Pause before each retry but the first.
const BACKOFF: Duration = Duration::from_secs(1);

type Objects = Api<Unstructured, DynamicPlace>;

/// Creates an object, or patches it to match the manifest.
pub(super) async fn apply(
    item: &Info,
    args: &ApplyArgs,
    api: &Objects,
    session: &mut Session,
) -> Result<(Operation, Unstructured), CliError> {
    let live = api.get_opt(item.object.name()).await.map_err(|error| {
        let doing = format!("retrieving current configuration of:\n{}\nfrom server for:", described(item));
        CliError::from(error).with_context(&doing, &item.source)
    })?;
    let mut modified = item.object.clone();
    last_applied::set(&mut modified);
    let Some(live) = live else {
        let object = without_resource_version(modified);
        if args.dry_run == DryRun::Client {
            return Ok((Operation::Created, object));
        }
        let created = api.create(&object).await;
        let created =
            created.map_err(|error| CliError::from(error).with_context("creating", &item.source))?;
        return Ok((Operation::Created, created));
    };
    if last_applied::of(&live).is_none() {
        session.console.eprintln(format_args!(
            "Warning: resource {resource}/{name} is missing the {annotation} annotation which is required by \
             {program} apply. {program} apply should only be used on resources created declaratively by either \
             {program} create --save-config or {program} apply. The missing annotation will be patched automatically.",
            resource = item.resource.info.plural,
            name = item.object.name(),
            annotation = last_applied::ANNOTATION,
            program = session.program,
        ));
    }
    patch(item, &modified, live, args, api).await
}

/// Patches an object, unless nothing changes.
async fn patch(
    item: &Info,
    modified: &Unstructured,
    live: Unstructured,
    args: &ApplyArgs,
    api: &Objects,
) -> Result<(Operation, Unstructured), CliError> {
    let (name, source) = (item.object.name(), &item.source);
    let is_local = args.dry_run == DryRun::Client;
    let mut live = live;
    let mut tries = 0;
    loop {
        let patch = three_way::patch(item, modified, &live, args.overwrite).map_err(|failure| {
            let failure = if is_local { failure } else { failure.with_context("patching", source) };
            failure.with_context(&applying(None, item), source)
        })?;
        let Some(patch) = patch else { return Ok((Operation::Unchanged, live)) };
        if is_local {
            let merged = three_way::merged(item, &live, &patch);
            let merged =
                merged.map_err(|failure| failure.with_context(&applying(Some(&patch), item), source))?;
            return Ok((Operation::Configured, merged));
        }
        let error = match api.patch(name, &patch).await {
            Ok(object) => return Ok((Operation::Configured, object)),
            Err(error) => error,
        };
        tries += 1;
        if error.is_conflict() && tries <= MAX_PATCH_RETRIES {
            if tries > 1 {
                tokio::time::sleep(BACKOFF).await;
            }
            let got = api.get(name).await;
            live = got.map_err(|error| CliError::from(error).with_context(&applying(None, item), source))?;
            continue;
        }
        if args.force && (error.is_conflict() || error.is_invalid()) {
            return replace(item, modified, live, args, api).await.map_err(|failure| {
                let modified = last_applied::text(modified);
                let doing = format!("applying patch:\n{modified}\nto:\n{}\nfor:", described(item));
                failure.with_context(&doing, source)
            });
        }
        return Err(CliError::from(error)
            .with_context("patching", source)
            .with_context(&applying(Some(&patch), item), source));
    }
}

/// Deletes an object, waits for the deletion, and creates the modified object; if that fails, creates the original one.
async fn replace(
    item: &Info,
    modified: &Unstructured,
    live: Unstructured,
    args: &ApplyArgs,
    api: &Objects,
) -> Result<(Operation, Unstructured), CliError> {
    let name = item.object.name();
    api.delete(name, &args.cascade.delete_options(args.grace_period)).await?;
    let deleted = wait_deleted(api, name, live.uid());
    match args.timeout.0.to_std().filter(|time| !time.is_zero()) {
        None => deleted.await?,
        Some(limit) => match tokio::time::timeout(limit, deleted).await {
            Ok(deleted) => deleted?,
            Err(_) => return Err(CliError::message("context deadline exceeded")),
        },
    }
    let error = match api.create(&without_resource_version(modified.clone())).await {
        Ok(created) => return Ok((Operation::Configured, created)),
        Err(error) => CliError::from(error),
    };
    match api.create(&without_resource_version(live)).await {
        Ok(_) => Err(error),
        Err(again) => Err(CliError::Message(format!(
            "An error occurred force-replacing the existing object with the newly provided one:\n\n{}.\n\n\
             Additionally, an error occurred attempting to restore the original object:\n\n{}",
            error.go_error(),
            CliError::from(again).go_error()
        ))),
    }
}

/// Returns an object for a create: without a resourceVersion, and without the nulls that a later apply would remove.
fn without_resource_version(mut object: Unstructured) -> Unstructured {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
    }
    let mut created = Value::Null;
    merge::apply(&mut created, &Value::Object(object.0));
    match created {
        Value::Object(object) => Unstructured(object),
        _ => unreachable!("an object that is merged into nothing makes an object"),
    }
}
