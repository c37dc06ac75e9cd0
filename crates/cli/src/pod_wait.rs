//! Waiting for the state of a pod.

use std::time::Duration;

use klient_api::core::v1::Pod;
use klient_apimachinery::fields::Selector;
use klient_cache::{Event, Informer, InformerOptions, ReflectorOptions, until_with_sync};

use crate::cluster::Cluster;
use crate::error::CliError;

/// Waits until a pod meets a condition, and returns its state then. The connection may break meanwhile. Without a time-out,
/// the wait has no end.
///
/// # Errors
///
/// If the pod is deleted, the time is over, or the user may not read the pod.
pub(crate) async fn wait_for_pod(
    cluster: &Cluster,
    [namespace, name]: [&str; 2],
    timeout: Option<Duration>,
    mut is_met: impl FnMut(&Pod) -> bool,
) -> Result<Pod, CliError> {
    let selector = Selector::one("metadata.name", name).to_string();
    let reflector = ReflectorOptions { field_selector: Some(selector.into()), ..ReflectorOptions::default() };
    let pods = cluster.client().api::<Pod>().namespace(namespace);
    let informer = Informer::new(pods, InformerOptions { reflector, ..InformerOptions::default() });
    let is_over = |event: &Event<Pod>| match event {
        Event::Deleted(_) => Ok(true),
        event => Ok(event.object().is_some_and(|pod| is_met(pod))),
    };
    let waiting = until_with_sync(informer, |_| Ok(false), is_over);
    let ended = match timeout {
        None => waiting.await,
        Some(timeout) => tokio::time::timeout(timeout, waiting)
            .await
            .map_err(|_| CliError::message("timed out waiting for the condition"))?,
    };
    let event = ended.map_err(|error| CliError::Message(error.to_string()))?;
    match event.as_ref().filter(|event| !matches!(event, Event::Deleted(_))).and_then(Event::object) {
        Some(pod) => Ok((**pod).clone()),
        // kubectl does not name it.
        None => Err(CliError::Verbatim("Error from server (NotFound): pods \"\" not found".to_owned())),
    }
}
