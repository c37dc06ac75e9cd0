//! [`search`], the events of an object.

use klient_api::core::v1::{Event, ObjectReference};
use klient_apimachinery::fields::Selector;
use klient_apimachinery::{ListOptions, Place};
use klient_client::{Api, Error};

/// The events about an object, as `kubectl describe` shows them, in no particular order (client-go's `Events.Search`). The
/// fields that the reference has are compared: name, namespace, kind and uid.
///
/// The events of a cluster-scoped object are in the namespace `default`: use a handle to that, or to all namespaces.
///
/// # Errors
///
/// As [`Api::list_all`].
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::{ConfigMap, Event, ObjectReference};
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_client::{Client, Config};
/// use klient_controller::events::{self, EventBroadcaster, EventType};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let config_maps = client.api::<ConfigMap>().namespace("default");
/// let broadcaster = EventBroadcaster::new(Default::default());
/// broadcaster.start_recording_to_core_v1(client.clone(), Default::default());
/// for name in ["sky", "sea"] {
///     let created =
///         config_maps.create(&ConfigMap { metadata: ObjectMeta::named(name), ..Default::default() }).await?;
///     broadcaster.recorder("painter").event(&created, EventType::Normal, "Painted", "it is blue");
/// }
/// broadcaster.shutdown().await;
///
/// let sky = config_maps.get("sky").await?;
/// let found = events::search(&client.api::<Event>().namespace("default"), &ObjectReference::of(&sky)).await?;
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].involved_object.uid, sky.metadata.uid);
/// # Ok(()) }
/// ```
#[doc(alias = "Search")]
#[doc(alias = "GetFieldSelector")]
pub async fn search<P: Place>(
    events: &Api<Event, P>,
    regarding: &ObjectReference,
) -> Result<Vec<Event>, Error> {
    let fields = [
        ("involvedObject.name", &regarding.name),
        ("involvedObject.namespace", &regarding.namespace),
        ("involvedObject.kind", &regarding.kind),
        ("involvedObject.uid", &regarding.uid),
    ];
    let terms = fields.into_iter().filter_map(|(field, value)| {
        let value = value.as_deref().filter(|value| !value.is_empty())?;
        Some(Selector::one(field, value).to_string())
    });
    let selector = terms.collect::<Vec<_>>().join(",");
    Ok(events.list_all(&ListOptions::fields(selector)).await?.items)
}
