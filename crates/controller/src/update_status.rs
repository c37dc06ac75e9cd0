//! [`update_status`], a write of a status that makes a difference.

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, Object, verbs};
use klient_client::Api;
use klient_workqueue::Backoff;
use serde_json::Value;

use crate::attempt::next_attempt;
use crate::create_or_update::difference;
use crate::error::Error;
use crate::identity::{is_stale, read_again, uid_of};
use crate::operation_result::OperationResult;

/// Changes the status of an object, as it is in a cache or was read. Nothing is sent if the status stays the same.
///
/// If the object has changed since, it is read again and `mutate` is called again, on an object with the same uid only.
/// The server ignores changes of other fields, but for the labels and annotations of some built-in kinds, such as pods and
/// nodes.
///
/// # Errors
///
/// Those of `mutate`. [`ErrorKind::Replaced`](crate::ErrorKind::Replaced) if the object was deleted and another of its name
/// exists. [`ErrorKind::NoUid`](crate::ErrorKind::NoUid) if the object has no uid.
/// [`ErrorKind::Request`](crate::ErrorKind::Request) if the object does not exist or cannot be written, or is in conflict
/// time and again.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::{Node, NodeCondition};
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_client::{Client, Config};
/// use klient_controller::{OperationResult, update_status};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let nodes = client.api::<Node>();
/// let mut node = nodes.create(&Node { metadata: ObjectMeta::named("n1"), ..Default::default() }).await?;
/// for expected in [OperationResult::Updated, OperationResult::Unchanged] {
///     let (updated, result) = update_status(&nodes, &node, |node| {
///         node.status.phase = Some("Running".into());
///         Ok(())
///     })
///     .await?;
///     assert_eq!(result, expected);
///     node = updated;
/// }
/// # Ok(()) }
/// ```
pub async fn update_status<K, P>(
    api: &Api<K, P>,
    object: &K,
    mut mutate: impl FnMut(&mut K) -> Result<(), Error>,
) -> Result<(K, OperationResult), Error>
where
    K: Wire + Object + Clone + verbs::Get + verbs::Status,
    P: Addressable,
{
    uid_of(object)?;
    let mut backoff = Backoff::DEFAULT_RETRY;
    let mut again: Option<K> = None;
    loop {
        let old = again.as_ref().unwrap_or(object);
        let mut new = old.clone();
        mutate(&mut new)?;
        if is_same_status(old, &new) {
            return Ok((again.unwrap_or_else(|| object.clone()), OperationResult::Unchanged));
        }
        let error = match api.update_status(&new).await {
            Err(error) if is_stale(&error) => error,
            updated => {
                let updated = updated?;
                let result = difference(old, &updated);
                return Ok((updated, result));
            }
        };
        next_attempt(&mut backoff, error).await?;
        again = Some(read_again(api, object).await?);
    }
}

/// Returns true if two states of an object have the same status.
fn is_same_status<K: Wire>(old: &K, new: &K) -> bool {
    let [old, new] = [old, new].map(|object| {
        let mut json = Vec::new();
        object.field_to_json("status", &mut json);
        json
    });
    // Maps may have their entries in another order.
    old == new || parsed(&old) == parsed(&new)
}

fn parsed(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap_or_default()
}
