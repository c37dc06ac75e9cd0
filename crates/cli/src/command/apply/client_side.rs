//! Client-side apply: the patch is made here, of what was applied last, what the file says and what is there.

use std::time::Duration;

use klient_apimachinery::patch::merge;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{Api, DynamicPlace};
use serde_json::Value;

use super::{Applied, ApplyArgs};
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::gone::until_one_is_gone;
use crate::last_applied;
use crate::manifest::Item;
use crate::session::Session;
use crate::three_way::{self, applying, described};

/// Who sets the fields, where nobody else is named.
pub(super) const FIELD_MANAGER: &str = "kubectl-client-side-apply";

/// How often a patch is made anew when the object has changed meanwhile.
const RETRIES: u32 = 5;

/// How long to wait before all but the first of them.
const PAUSE: Duration = Duration::from_secs(1);

type Objects = Api<Unstructured, DynamicPlace>;

/// Creates an object or brings it to what its file says.
pub(super) async fn apply(
    item: &Item,
    args: &ApplyArgs,
    api: &Objects,
    session: &mut Session,
) -> Result<(Applied, Unstructured), Failure> {
    let live = api.get_opt(item.object.name()).await.map_err(|error| {
        let doing = format!("retrieving current configuration of:\n{}\nfrom server for:", described(item));
        Failure::from(error).when(&doing, &item.source)
    })?;
    let mut modified = item.object.clone();
    last_applied::set(&mut modified);
    let Some(live) = live else {
        let object = creatable(modified);
        if args.dry_run == DryRun::Client {
            return Ok((Applied::Created, object));
        }
        let created = api.create(&object).await;
        let created = created.map_err(|error| Failure::from(error).when("creating", &item.source))?;
        return Ok((Applied::Created, created));
    };
    if last_applied::of(&live).is_none() {
        session.console.note(format_args!(
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

/// Patches an object, if there is anything to patch.
async fn patch(
    item: &Item,
    modified: &Unstructured,
    live: Unstructured,
    args: &ApplyArgs,
    api: &Objects,
) -> Result<(Applied, Unstructured), Failure> {
    let (name, source) = (item.object.name(), &item.source);
    let is_local = args.dry_run == DryRun::Client;
    let mut live = live;
    let mut tries = 0;
    loop {
        let patch = three_way::patch(item, modified, &live, args.overwrite).map_err(|failure| {
            let failure = if is_local { failure } else { failure.when("patching", source) };
            failure.when(&applying(None, item), source)
        })?;
        let Some(patch) = patch else { return Ok((Applied::Unchanged, live)) };
        if is_local {
            let merged = three_way::merged(item, &live, &patch);
            let merged = merged.map_err(|failure| failure.when(&applying(Some(&patch), item), source))?;
            return Ok((Applied::Configured, merged));
        }
        let error = match api.patch(name, &patch).await {
            Ok(object) => return Ok((Applied::Configured, object)),
            Err(error) => error,
        };
        tries += 1;
        if error.is_conflict() && tries <= RETRIES {
            if tries > 1 {
                tokio::time::sleep(PAUSE).await;
            }
            let got = api.get(name).await;
            live = got.map_err(|error| Failure::from(error).when(&applying(None, item), source))?;
            continue;
        }
        if args.force && (error.is_conflict() || error.is_invalid()) {
            return replace(item, modified, live, args, api).await.map_err(|failure| {
                let modified = last_applied::text(modified);
                let doing = format!("applying patch:\n{modified}\nto:\n{}\nfor:", described(item));
                failure.when(&doing, source)
            });
        }
        return Err(Failure::from(error)
            .when("patching", source)
            .when(&applying(Some(&patch), item), source));
    }
}

/// Deletes an object, waits until it is gone, and creates it anew; or as it was, if that fails.
async fn replace(
    item: &Item,
    modified: &Unstructured,
    live: Unstructured,
    args: &ApplyArgs,
    api: &Objects,
) -> Result<(Applied, Unstructured), Failure> {
    let name = item.object.name();
    api.delete(name, &args.cascade.delete_options(args.grace_period)).await?;
    let gone = until_one_is_gone(api, name, live.uid());
    match args.timeout.0.to_std().filter(|time| !time.is_zero()) {
        None => gone.await?,
        Some(limit) => match tokio::time::timeout(limit, gone).await {
            Ok(gone) => gone?,
            Err(_) => return Err(Failure::message("context deadline exceeded")),
        },
    }
    let error = match api.create(&creatable(modified.clone())).await {
        Ok(created) => return Ok((Applied::Configured, created)),
        Err(error) => Failure::from(error),
    };
    match api.create(&creatable(live)).await {
        Ok(_) => Err(error),
        Err(again) => Err(Failure::Message(format!(
            "An error occurred force-replacing the existing object with the newly provided one:\n\n{}.\n\n\
             Additionally, an error occurred attempting to restore the original object:\n\n{}",
            error.go_text(),
            Failure::from(again).go_text()
        ))),
    }
}

/// An object as it can be created: of no version yet and, as applying it again would make it, without nulls.
fn creatable(mut object: Unstructured) -> Unstructured {
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
