//! [`IgnoreErrors`], results of which some errors are none.

use super::Error;

/// Results of requests of which some errors are none to the caller, such as that of a delete of an object that is gone
/// (controller-runtime's `client.IgnoreNotFound`).
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_client::{Client, Config, IgnoreErrors as _};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let namespaces = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?.api::<Namespace>();
/// let default = Namespace { metadata: ObjectMeta::named("default"), ..Default::default() };
/// assert!(namespaces.create(&default).await.ignore_already_exists()?.is_none());
/// assert!(namespaces.delete("none", &Default::default()).await.ignore_not_found()?.is_none());
/// // Other errors are errors.
/// let forbidden = Client::new(Config::from_kubeconfig(&server.kubeconfig_for(&server.token("ann", &[])))?)?;
/// assert!(forbidden.api::<Namespace>().get("default").await.ignore_not_found().unwrap_err().is_forbidden());
/// # Ok(()) }
/// ```
pub trait IgnoreErrors<T> {
    /// `None` if the object does not exist. For reads there is [`Api::get_opt`](crate::Api::get_opt).
    ///
    /// # Errors
    ///
    /// Those of the result that are not [`is_not_found`](Error::is_not_found).
    #[doc(alias = "IgnoreNotFound")]
    fn ignore_not_found(self) -> Result<Option<T>, Error>;

    /// `None` if an object of the name exists.
    ///
    /// # Errors
    ///
    /// Those of the result that are not [`is_already_exists`](Error::is_already_exists).
    #[doc(alias = "IgnoreAlreadyExists")]
    fn ignore_already_exists(self) -> Result<Option<T>, Error>;
}

impl<T> IgnoreErrors<T> for Result<T, Error> {
    fn ignore_not_found(self) -> Result<Option<T>, Error> {
        unless(self, Error::is_not_found)
    }

    fn ignore_already_exists(self) -> Result<Option<T>, Error> {
        unless(self, Error::is_already_exists)
    }
}

fn unless<T>(result: Result<T, Error>, is_none: impl FnOnce(&Error) -> bool) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_none(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
