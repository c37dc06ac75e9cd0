//! Waiting until objects are gone.

use std::time::Duration;

use klient_apimachinery::Object;
use klient_client::{Error, WatchEvent, WatchOptions};

use super::Doomed;
use crate::args::Timeout;
use crate::cluster::Cluster;
use crate::failure::Failure;

/// Waits until each object, known by its uid, is gone.
///
/// # Errors
///
/// If the time is up. One who may not look does not wait.
pub(crate) async fn until_gone(
    cluster: &Cluster,
    doomed: &[(Doomed, String)],
    timeout: Timeout,
) -> Result<(), Failure> {
    let limit = timeout.0.to_std().filter(|time| !time.is_zero());
    let deadline = limit.map(|limit| tokio::time::Instant::now() + limit);
    for (doomed, uid) in doomed {
        let gone = wait(cluster, doomed, uid);
        let ended = match deadline {
            None => gone.await,
            Some(deadline) => match tokio::time::timeout_at(deadline, gone).await {
                Ok(ended) => ended,
                Err(_) => {
                    let plural = &doomed.resource.info.plural;
                    let text = format!("timed out waiting for the condition on {plural}/{}", doomed.name);
                    return Err(Failure::Message(text));
                }
            },
        };
        match ended {
            Ok(()) => {}
            Err(error) if error.is_forbidden() || error.is_method_not_allowed() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn wait(cluster: &Cluster, doomed: &Doomed, uid: &str) -> Result<(), Error> {
    let api = cluster.objects(&doomed.resource, doomed.namespace.as_deref());
    loop {
        let Some(object) = api.get_opt(&doomed.name).await? else { return Ok(()) };
        if !uid.is_empty() && object.uid() != uid {
            return Ok(());
        }
        let options = WatchOptions {
            field_selector: Some(format!("metadata.name={}", doomed.name).into()),
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
