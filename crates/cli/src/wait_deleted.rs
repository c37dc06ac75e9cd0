//! Waiting until an object is deleted.

use std::time::Duration;

use klient_apimachinery::fields::Selector;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{Api, DynamicPlace, Error, WatchEvent, WatchOptions};
use serde_json::Value;

use crate::console::Console;
use crate::print;

/// The time after which a message names the object that is waited for.
const NOTICE_AFTER: Duration = Duration::from_secs(5);

/// Waits until the object with this name and uid is deleted; with an empty uid, until no object has the name. After
/// [`NOTICE_AFTER`], prints a message with the reason for the wait.
///
/// # Errors
///
/// If the object cannot be read or watched.
pub(crate) async fn wait_deleted(
    api: &Api<Unstructured, DynamicPlace>,
    name: &str,
    uid: &str,
) -> Result<(), Error> {
    let deleted = watch_until_deleted(api, name, uid);
    tokio::pin!(deleted);
    if let Ok(deleted) = tokio::time::timeout(NOTICE_AFTER, &mut deleted).await {
        return deleted;
    }
    // An error of this read is reported by the wait itself.
    if let Ok(Some(object)) = api.get_opt(name).await {
        Console::new().eprintln(format_args!(
            "Waiting for {}/{name} to be gone: {}",
            print::name::resource(&Value::Object(object.0.clone())),
            pending_reason(&object)
        ));
    }
    deleted.await
}

/// Returns the reason why an object still exists: its finalizers, or the conditions of a namespace.
fn pending_reason(object: &Unstructured) -> String {
    let list = |path: &[&str]| match object.at(path) {
        Some(Value::Array(list)) if !list.is_empty() => {
            let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            Some(texts.join(", "))
        }
        _ => None,
    };
    if object.at(&["metadata", "deletionTimestamp"]).is_none() {
        return "it is not being deleted".to_owned();
    }
    if let Some(finalizers) = list(&["metadata", "finalizers"]) {
        return format!("its finalizers are not removed yet: {finalizers}");
    }
    let conditions = object.at(&["status", "conditions"]).and_then(Value::as_array);
    let messages = conditions.into_iter().flatten().filter(|condition| condition["status"] == "True");
    let messages: Vec<&str> = messages.filter_map(|condition| condition["message"].as_str()).collect();
    match list(&["spec", "finalizers"]) {
        Some(finalizers) if messages.is_empty() && object.kind() == "Namespace" => {
            format!("its finalizers are not removed yet, which the namespace controller does: {finalizers}")
        }
        _ if object.kind() == "Namespace" && !messages.is_empty() => messages.join(" "),
        _ => "it is terminating".to_owned(),
    }
}

async fn watch_until_deleted(
    api: &Api<Unstructured, DynamicPlace>,
    name: &str,
    uid: &str,
) -> Result<(), Error> {
    loop {
        let Some(object) = api.get_opt(name).await? else { return Ok(()) };
        if !uid.is_empty() && object.uid() != uid {
            return Ok(());
        }
        let options = WatchOptions {
            field_selector: Some(Selector::one("metadata.name", name).to_string().into()),
            resource_version: Some(object.resource_version().into()),
            allow_bookmarks: true,
            ..WatchOptions::default()
        };
        let mut watch = match api.watch(&options).await {
            Ok(watch) => watch,
            Err(error) if error.is_expired() => continue,
            Err(error) => return Err(error),
        };
        while let Some(Ok(event)) = watch.next().await {
            if let WatchEvent::Deleted(object) = event
                && (uid.is_empty() || object.uid() == uid)
            {
                return Ok(());
            }
        }
        // The watch ended without a deletion: read the object again, after a pause.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
