//! [`retry_on_conflict`], a change that is made again when somebody else was faster.

use klient_workqueue::{Backoff, retry};

use crate::error::Error;

/// Retries a change while it fails with a conflict: `change` reads the object, changes it and writes it.
/// [`Backoff::DEFAULT_RETRY`] suits changes by several clients, [`Backoff::DEFAULT_BACKOFF`] those that compete with a
/// controller.
///
/// `change` is `async || …`, which may borrow its environment but not mutably (count attempts in a `Cell`), or a
/// closure that mutates its environment and then returns a future.
///
/// # Errors
///
/// The first that is no conflict, or the last conflict.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::cell::Cell;
///
/// use klient_api::core::v1::ConfigMap;
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_client::{Client, Config, retry_on_conflict};
/// use klient_workqueue::Backoff;
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let config_maps = client.api::<ConfigMap>().namespace("default");
/// let metadata = ObjectMeta::named("colors");
/// config_maps.create(&ConfigMap { metadata, ..Default::default() }).await?;
///
/// let attempts = Cell::new(0);
/// retry_on_conflict(Backoff::DEFAULT_RETRY, async || {
///     let mut colors = config_maps.get("colors").await?;
///     attempts.update(|attempts| attempts + 1);
///     if attempts.get() == 1 {
///         // Somebody else is faster.
///         let mut theirs = colors.clone();
///         theirs.data.insert("sky", "blue".into());
///         config_maps.update(&theirs).await?;
///     }
///     colors.data.insert("grass", "green".into());
///     config_maps.update(&colors).await
/// })
/// .await?;
/// let colors = config_maps.get("colors").await?;
/// assert_eq!((&*colors.data["sky"], &*colors.data["grass"], attempts.get()), ("blue", "green", 2));
/// # Ok(()) }
/// ```
///
/// A counter in an object, which several tasks increment:
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use klient_api::core::v1::ConfigMap;
/// # use klient_apimachinery::{InNamespace, meta::v1::ObjectMeta};
/// # use klient_client::{Api, Client, Config, Error, retry_on_conflict};
/// # use klient_workqueue::Backoff;
/// async fn increment(config_maps: Api<ConfigMap, InNamespace>) -> Result<ConfigMap, Error> {
///     retry_on_conflict(Backoff { steps: 100, ..Backoff::DEFAULT_RETRY }, async || {
///         let mut counter = config_maps.get("counter").await?;
///         let count: u32 = counter.data["count"].parse().unwrap_or(0);
///         counter.data.insert("count", (count + 1).to_string().into());
///         config_maps.update(&counter).await
///     })
///     .await
/// }
///
/// # let server = klient_apiserver::TestServer::start().await?;
/// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let config_maps = client.api::<ConfigMap>().namespace("default");
/// let metadata = ObjectMeta::named("counter");
/// let data = [("count", "0")].into();
/// config_maps.create(&ConfigMap { metadata, data, ..Default::default() }).await?;
/// let tasks: Vec<_> = (0..5).map(|_| tokio::spawn(increment(config_maps.clone()))).collect();
/// for task in tasks {
///     task.await??;
/// }
/// assert_eq!(config_maps.get("counter").await?.data["count"], "5");
/// # Ok(()) }
/// ```
pub async fn retry_on_conflict<V, F>(backoff: Backoff, change: impl FnMut() -> F) -> Result<V, Error>
where
    F: Future<Output = Result<V, Error>>,
{
    retry(backoff, Error::is_conflict, change).await
}
