//! One object: get, create, update, patch.

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, BoxFuture, Object, Place, verbs};

use super::{Api, Patch, kind};
use crate::error::{Error, IgnoreErrors as _};
use crate::rest::Request;

// Futures in boxes do not name the handle's types, so that the compiler reports a missing namespace or verb once, and not
// again wherever the future is awaited.
impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Reads one object.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if it does not exist; [`get_opt`](Self::get_opt) makes that `None`.
    pub fn get(&self, name: &str) -> BoxFuture<'static, Result<K, Error>>
    where
        K: verbs::Get,
        P: Addressable,
    {
        let request = self.checked("get", Method::GET).map(|request| request.name(name));
        Box::pin(async move { request?.fetch().await })
    }

    /// Reads one object, if it exists.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), but for an object that does not exist.
    #[doc(alias = "IgnoreNotFound")]
    pub fn get_opt(&self, name: &str) -> BoxFuture<'static, Result<Option<K>, Error>>
    where
        K: verbs::Get,
        P: Addressable,
    {
        let getting = self.get(name);
        Box::pin(async move { getting.await.ignore_not_found() })
    }

    /// Creates an object and gives it as the server made it.
    ///
    /// # Errors
    ///
    /// [`is_already_exists`](Error::is_already_exists) if there is one of that name,
    /// [`is_invalid`](Error::is_invalid) if it breaks a rule of its kind.
    pub fn create<'a>(&self, object: &'a K) -> BoxFuture<'a, Result<K, Error>>
    where
        K: verbs::Create,
        P: Addressable,
    {
        let request = self.checked("create", Method::POST);
        self.exchange(request.map(|request| self.endpoint.writing(request)), object)
    }

    /// Replaces an object and gives it as the server made it. If it has a resourceVersion, it must be the present
    /// one.
    ///
    /// # Errors
    ///
    /// [`is_conflict`](Error::is_conflict) if it has changed since it was read: read it again, change that.
    pub fn update<'a>(&self, object: &'a K) -> BoxFuture<'a, Result<K, Error>>
    where
        K: verbs::Update,
        P: Addressable,
    {
        let request = self.checked("update", Method::PUT);
        self.exchange(request.map(|request| self.endpoint.writing(request.name(object.name()))), object)
    }

    /// Changes an object by a patch and returns the result.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if it does not exist, [`is_invalid`](Error::is_invalid) if the patch
    /// does not apply or breaks a rule of its kind.
    pub fn patch(&self, name: &str, patch: &Patch) -> BoxFuture<'static, Result<K, Error>>
    where
        K: verbs::Patch,
        P: Addressable,
    {
        let request = self.checked("patch", Method::PATCH);
        let request = request.map(|request| self.endpoint.writing(patch.put_into(request.name(name))));
        Box::pin(async move { request?.fetch().await })
    }

    /// Sends an object of the handle's kind, and takes one as the answer.
    pub(super) fn exchange<'a>(
        &self,
        request: Result<Request, Error>,
        object: &'a K,
    ) -> BoxFuture<'a, Result<K, Error>> {
        if K::has_protobuf() || K::table().is_some() {
            return Box::pin(async move { request?.exchange(object).await });
        }
        let mut json = Vec::new();
        object.to_json(&mut json);
        let json = kind::complete(json, &self.endpoint.info);
        Box::pin(async move { request?.body("application/json", json).fetch().await })
    }
}
