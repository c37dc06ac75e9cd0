//! Subresources: status, scale, and others by name.

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, Object, Place, verbs};

use super::{Api, Patch};
use crate::error::Error;

impl<K: Wire + Object, P: Addressable> Api<K, P> {
    /// Replaces an object's status; the rest of the object is left as it is.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn update_status(&self, object: &K) -> Result<K, Error>
    where
        K: verbs::Status,
    {
        let request = self.endpoint.writing(self.below(Method::PUT, object.name(), "status")?);
        self.endpoint.exchange(request, object).await
    }

    /// Changes an object's status by a patch; the rest of the object is left as it is.
    ///
    /// # Errors
    ///
    /// As [`patch`](Self::patch).
    pub async fn patch_status(&self, name: &str, patch: &Patch) -> Result<K, Error>
    where
        K: verbs::Status,
    {
        self.patch_subresource(name, "status", patch).await
    }

    /// Reads an object's scale, as `autoscaling/v1`'s `Scale` or any other type that takes it.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn scale<S: Wire>(&self, name: &str) -> Result<S, Error>
    where
        K: verbs::Scale,
    {
        self.get_subresource(name, "scale").await
    }

    /// Replaces an object's scale, and so says how many replicas are wished for.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn update_scale<S: Wire>(&self, name: &str, scale: &S) -> Result<S, Error>
    where
        K: verbs::Scale,
    {
        self.update_subresource(name, "scale", scale).await
    }

    /// Changes an object's scale by a patch.
    ///
    /// # Errors
    ///
    /// As [`patch`](Self::patch).
    pub async fn patch_scale<S: Wire>(&self, name: &str, patch: &Patch) -> Result<S, Error>
    where
        K: verbs::Scale,
    {
        self.patch_subresource(name, "scale", patch).await
    }

    /// Reads a subresource, such as `scale`, as an object of its own kind.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such object, or its kind has no such subresource.
    pub async fn get_subresource<S: Wire>(&self, name: &str, subresource: &str) -> Result<S, Error> {
        self.below(Method::GET, name, subresource)?.fetch().await
    }

    /// Creates what a subresource takes, such as an `eviction`, and gives what it answers.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn create_subresource<S: Wire, A: Wire>(
        &self,
        name: &str,
        subresource: &str,
        object: &S,
    ) -> Result<A, Error> {
        let request = self.below(Method::POST, name, subresource)?;
        self.endpoint.writing(request).exchange(object).await
    }

    /// Replaces a subresource, such as `scale` or `ephemeralcontainers`.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn update_subresource<S: Wire>(
        &self,
        name: &str,
        subresource: &str,
        object: &S,
    ) -> Result<S, Error> {
        let request = self.below(Method::PUT, name, subresource)?;
        self.endpoint.writing(request).exchange(object).await
    }

    /// Changes a subresource by a patch.
    ///
    /// # Errors
    ///
    /// As [`patch`](Self::patch).
    pub async fn patch_subresource<S: Wire>(
        &self,
        name: &str,
        subresource: &str,
        patch: &Patch,
    ) -> Result<S, Error> {
        let request = patch.put_into(self.below(Method::PATCH, name, subresource)?);
        self.endpoint.writing(request).fetch().await
    }

    fn below(&self, method: Method, name: &str, subresource: &str) -> Result<crate::rest::Request, Error> {
        self.endpoint.check_place(subresource, Place::namespace(&self.place))?;
        Ok(self.request(method).name(name).subresource(subresource))
    }
}
