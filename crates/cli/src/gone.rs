//! Waiting until an object is gone.

use std::time::Duration;

use klient_apimachinery::{Object, Unstructured};
use klient_client::{Api, DynamicPlace, Error, WatchEvent, WatchOptions};

/// Waits until an object is gone: the one with this uid, or any of the name if that is empty.
///
/// # Errors
///
/// If the server does not say.
pub(crate) async fn until_one_is_gone(
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
