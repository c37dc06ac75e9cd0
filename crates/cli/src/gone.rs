//! Waiting until an object is gone.

use std::time::Duration;

use klient_apimachinery::{Object, Unstructured};
use klient_client::{Api, DynamicPlace, Error, WatchEvent, WatchOptions};
use serde_json::Value;

use crate::console::Console;
use crate::print;

/// After what time it is said what is waited for.
const NOTICE: Duration = Duration::from_secs(5);

/// Waits until an object is gone: the one with this uid, or any of the name if that is empty. Says what it waits for if
/// it takes long.
///
/// # Errors
///
/// If the server does not say.
pub(crate) async fn until_one_is_gone(
    api: &Api<Unstructured, DynamicPlace>,
    name: &str,
    uid: &str,
) -> Result<(), Error> {
    let gone = until_gone(api, name, uid);
    tokio::pin!(gone);
    if let Ok(gone) = tokio::time::timeout(NOTICE, &mut gone).await {
        return gone;
    }
    // Whether it can be read shows elsewhere.
    if let Ok(Some(object)) = api.get_opt(name).await {
        Console::new().note(format_args!(
            "Waiting for {}/{name} to be gone: {}",
            print::name::resource(&Value::Object(object.0.clone())),
            reason(&object)
        ));
    }
    gone.await
}

/// Why an object is not gone yet, as far as it tells.
fn reason(object: &Unstructured) -> String {
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
    let told = conditions.into_iter().flatten().filter(|condition| condition["status"] == "True");
    let told: Vec<&str> = told.filter_map(|condition| condition["message"].as_str()).collect();
    match list(&["spec", "finalizers"]) {
        Some(finalizers) if told.is_empty() && object.kind() == "Namespace" => {
            format!("its finalizers are not removed yet, which the namespace controller does: {finalizers}")
        }
        _ if object.kind() == "Namespace" && !told.is_empty() => told.join(" "),
        _ => "it has not ended yet".to_owned(),
    }
}

async fn until_gone(api: &Api<Unstructured, DynamicPlace>, name: &str, uid: &str) -> Result<(), Error> {
    loop {
        let Some(object) = api.get_opt(name).await? else { return Ok(()) };
        if !uid.is_empty() && object.uid() != uid {
            return Ok(());
        }
        let options = WatchOptions {
            field_selector: Some(format!("metadata.name={name}").into()),
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
        // The watch ended, which says nothing: look again, but not in a tight circle.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
