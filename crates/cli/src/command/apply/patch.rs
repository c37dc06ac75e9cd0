//! Bringing an object that is there to what its file says.

use std::time::Duration;

use klient_apimachinery::patch::{merge, strategic};
use klient_apimachinery::{Object, Unstructured};
use klient_client::{Api, DeleteOptions, DynamicPlace, Error, Patch};
use serde_json::Value;

use super::{Applied, Applying};
use crate::failure::Failure;
use crate::last_applied;
use crate::manifest::Item;

/// How often a patch is made anew when the object has changed meanwhile.
const RETRIES: u32 = 5;

/// How long to wait before all but the first of them.
const PAUSE: Duration = Duration::from_secs(1);

type Objects = Api<Unstructured, DynamicPlace>;

/// Patches an object, if there is anything to patch.
pub(crate) async fn apply(
    item: &Item,
    live: Unstructured,
    how: &Applying,
    api: &Objects,
) -> Result<(Applied, Unstructured), Failure> {
    let name = item.object.name();
    let mut modified = item.object.clone();
    last_applied::set(&mut modified);
    let mut live = live;
    let mut tries = 0;
    loop {
        let patch = patch(item, &modified, &live)?;
        let Some(patch) = patch else { return Ok((Applied::Unchanged, live)) };
        let error = match api.patch(name, &patch).await {
            Ok(object) => return Ok((Applied::Configured, object)),
            Err(error) => error,
        };
        tries += 1;
        if error.is_conflict() && tries <= RETRIES {
            if tries > 1 {
                tokio::time::sleep(PAUSE).await;
            }
            live = api.get(name).await?;
            continue;
        }
        if how.force && (error.is_conflict() || error.is_invalid()) {
            return replace(item, &modified, api).await;
        }
        return Err(unapplied(item, &patch, error));
    }
}

/// The patch between what is there and what the file says; none if there is nothing to change.
fn patch(item: &Item, modified: &Unstructured, live: &Unstructured) -> Result<Option<Patch>, Failure> {
    let original = last_applied::of(live).unwrap_or_default();
    let info = &item.resource.info;
    let patch = match klient_schema::kind(&info.group, &info.version, &info.kind) {
        Some(schema) => {
            let made = strategic::three_way(&original, &modified.0, &live.0, schema);
            let doing = || format!("creating patch with:\nfor {}", described(item));
            let made =
                made.map_err(|error| Failure::Message(error.to_string()).when(&doing(), &item.source))?;
            Patch::Strategic(Value::Object(made))
        }
        None => {
            let [original, modified, live] =
                [&original, &modified.0, &live.0].map(|object| Value::Object(object.clone()));
            Patch::Merge(merge::three_way(&original, &modified, &live))
        }
    };
    let (Patch::Strategic(value) | Patch::Merge(value)) = &patch else { return Ok(None) };
    let is_empty = value.as_object().is_none_or(serde_json::Map::is_empty);
    Ok((!is_empty).then_some(patch))
}

/// Deletes an object, waits until it is gone, and creates it anew.
async fn replace(
    item: &Item,
    modified: &Unstructured,
    api: &Objects,
) -> Result<(Applied, Unstructured), Failure> {
    let name = item.object.name();
    let told = |error: Error| Failure::from(error).when("replacing", &item.source);
    let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
    api.delete(name, &options).await.map_err(told)?;
    while api.get_opt(name).await.map_err(told)?.is_some() {
        tokio::time::sleep(PAUSE).await;
    }
    let created = api.create(modified).await.map_err(told)?;
    Ok((Applied::Configured, created))
}

/// Says which patch of which object was refused.
fn unapplied(item: &Item, patch: &Patch, error: Error) -> Failure {
    let body = match patch {
        Patch::Strategic(value) | Patch::Merge(value) => value.to_string(),
        _ => String::new(),
    };
    let doing = format!("applying patch:\n{body}\nto:\n{}\nfor:", described(item));
    Failure::from(error).when(&doing, &item.source)
}

/// An object in full, as kubectl's errors have it.
pub(crate) fn described(item: &Item) -> String {
    let info = &item.resource.info;
    let version = format!("{}/{}", info.group, info.version);
    format!(
        "Resource: {:?}, GroupVersionKind: {:?}\nName: {:?}, Namespace: {:?}",
        format!("{version}, Resource={}", info.plural),
        format!("{version}, Kind={}", info.kind),
        item.object.name(),
        item.object.namespace().unwrap_or_default()
    )
}
