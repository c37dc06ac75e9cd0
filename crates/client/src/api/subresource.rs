//! Subresources: status, scale, eviction, binding, tokens, and others by name.

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::meta::v1::Status;
use klient_apimachinery::{Addressable, BoxFuture, Object, Place, verbs};

use super::{Api, Patch, scale_version};
use crate::error::Error;
use crate::rest::Request;

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Replaces an object's status; other fields are ignored.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn update_status<'a>(&self, object: &'a K) -> BoxFuture<'a, Result<K, Error>>
    where
        K: verbs::Status,
        P: Addressable,
    {
        let request = self.below(Method::PUT, object.name(), "status");
        self.exchange(request.map(|request| self.endpoint.writing(request)), object)
    }

    /// Patches an object's status; other fields are ignored.
    ///
    /// # Errors
    ///
    /// As [`patch`](Self::patch).
    pub fn patch_status(&self, name: &str, patch: &Patch) -> BoxFuture<'static, Result<K, Error>>
    where
        K: verbs::Status,
        P: Addressable,
    {
        self.patch_subresource(name, "status", patch)
    }

    /// Reads an object's scale: `Scale` of autoscaling/v1, for every kind that has one, known at compile time or found
    /// at run time (client-go's `ScaleClient`). Scales of apps/v1beta1, apps/v1beta2 and extensions/v1beta1, which have a
    /// `Scale` of their own, are converted.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use klient_client::{Client, Config, DeferredRestMapper};
    /// # let server = klient_apiserver::TestServer::start().await?;
    /// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// # let web = serde_json::json!({"metadata": {"name": "web"}, "spec": {
    /// #     "selector": {"matchLabels": {"app": "web"}},
    /// #     "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}},
    /// # }});
    /// # let deployment: klient_api::apps::v1::Deployment = serde_json::from_value(web)?;
    /// # client.api::<klient_api::apps::v1::Deployment>().namespace("default").create(&deployment).await?;
    /// // The target of an autoscaler.
    /// let (group, kind, namespace, name) = ("apps", "Deployment", "default", "web");
    /// let mapper = DeferredRestMapper::new(client.discovery().memory_cached());
    /// let target = client.dynamic(&mapper.kind(group, kind, None).await?).namespace(namespace);
    ///
    /// let mut scale = target.scale(name).await?;
    /// scale.spec.replicas = Some(3);
    /// let scale = target.update_scale(name, &scale).await?;
    /// assert_eq!(scale.spec.replicas, Some(3));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    #[doc(alias = "ScaleClient")]
    #[doc(alias = "ScaleInterface")]
    pub fn scale<S: Wire>(&self, name: &str) -> BoxFuture<'static, Result<S, Error>>
    where
        K: verbs::Scale,
        verbs::OfKind<K>: verbs::ScaleType<S>,
        P: Addressable,
    {
        let Some(version) = scale_version::own_version(&self.endpoint.info) else {
            return self.get_subresource(name, "scale");
        };
        let request = self.below(Method::GET, name, "scale");
        Box::pin(async move { scale_version::exchange(request?, version, None).await })
    }

    /// Replaces an object's scale, and with it the desired number of replicas.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn update_scale<'a, S: Wire>(&self, name: &str, scale: &'a S) -> BoxFuture<'a, Result<S, Error>>
    where
        K: verbs::Scale,
        verbs::OfKind<K>: verbs::ScaleType<S>,
        P: Addressable,
    {
        let Some(version) = scale_version::own_version(&self.endpoint.info) else {
            return self.update_subresource(name, "scale", scale);
        };
        let request = self.below(Method::PUT, name, "scale").map(|request| self.endpoint.writing(request));
        Box::pin(async move { scale_version::exchange(request?, version, Some(scale)).await })
    }

    /// Changes an object's scale by a patch.
    ///
    /// # Errors
    ///
    /// As [`patch`](Self::patch).
    pub fn patch_scale<S: Wire>(&self, name: &str, patch: &Patch) -> BoxFuture<'static, Result<S, Error>>
    where
        K: verbs::Scale,
        verbs::OfKind<K>: verbs::ScaleType<S>,
        P: Addressable,
    {
        let Some(version) = scale_version::own_version(&self.endpoint.info) else {
            return self.patch_subresource(name, "scale", patch);
        };
        let request = self.below(Method::PATCH, name, "scale");
        let request = request.map(|request| self.endpoint.writing(patch.put_into(request)));
        Box::pin(async move { scale_version::exchange(request?, version, None).await })
    }

    /// Evicts a pod by an `Eviction` of policy/v1: deletes it if its PodDisruptionBudgets allow that.
    ///
    /// # Errors
    ///
    /// [`is_too_many_requests`](Error::is_too_many_requests) if a budget does not allow it now,
    /// [`is_not_found`](Error::is_not_found) if there is no such pod.
    #[doc(alias = "EvictV1")]
    pub fn evict<'a, E: verbs::EvictionOf<K>>(
        &self,
        name: &str,
        eviction: &'a E,
    ) -> BoxFuture<'a, Result<Status, Error>>
    where
        P: Addressable,
    {
        self.create_subresource(name, "eviction", eviction)
    }

    /// Binds a pod to the node that a `Binding` of core/v1 names, as a scheduler does.
    ///
    /// # Errors
    ///
    /// [`is_conflict`](Error::is_conflict) if it is bound already, [`is_not_found`](Error::is_not_found) if there is no
    /// such pod.
    pub fn bind<'a, B: verbs::BindingOf<K>>(
        &self,
        name: &str,
        binding: &'a B,
    ) -> BoxFuture<'a, Result<Status, Error>>
    where
        P: Addressable,
    {
        self.create_subresource(name, "binding", binding)
    }

    /// Requests a token of a service account by a `TokenRequest` of authentication/v1, and gives the request with its
    /// status, which holds the token.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such service account,
    /// [`is_invalid`](Error::is_invalid) if the token cannot live as long as the request says.
    pub fn create_token<'a, T: verbs::TokenRequestOf<K>>(
        &self,
        name: &str,
        request: &'a T,
    ) -> BoxFuture<'a, Result<T, Error>>
    where
        P: Addressable,
    {
        self.create_subresource(name, "token", request)
    }

    /// Replaces the finalizers of a namespace, with which its content holds it: the last step of its deletion.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn finalize<'a>(&self, object: &'a K) -> BoxFuture<'a, Result<K, Error>>
    where
        K: verbs::Finalize,
        P: Addressable,
    {
        self.update_subresource(object.name(), "finalize", object)
    }

    /// Adds ephemeral containers to a running pod: it is replaced, but for all else. Containers that it has stay.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update); [`is_invalid`](Error::is_invalid) if a container is changed or removed.
    pub fn update_ephemeral_containers<'a>(&self, pod: &'a K) -> BoxFuture<'a, Result<K, Error>>
    where
        K: verbs::EphemeralContainers,
        P: Addressable,
    {
        self.update_subresource(pod.name(), "ephemeralcontainers", pod)
    }

    /// Adds ephemeral containers to a running pod by a patch.
    ///
    /// # Errors
    ///
    /// As [`patch`](Self::patch).
    pub fn patch_ephemeral_containers(
        &self,
        name: &str,
        patch: &Patch,
    ) -> BoxFuture<'static, Result<K, Error>>
    where
        K: verbs::EphemeralContainers,
        P: Addressable,
    {
        self.patch_subresource(name, "ephemeralcontainers", patch)
    }

    /// Changes the CPU and memory of a running pod: it is replaced, but for all else.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn update_resize<'a>(&self, pod: &'a K) -> BoxFuture<'a, Result<K, Error>>
    where
        K: verbs::Resize,
        P: Addressable,
    {
        self.update_subresource(pod.name(), "resize", pod)
    }

    /// Changes the CPU and memory of a running pod by a patch.
    ///
    /// # Errors
    ///
    /// As [`patch`](Self::patch).
    pub fn patch_resize(&self, name: &str, patch: &Patch) -> BoxFuture<'static, Result<K, Error>>
    where
        K: verbs::Resize,
        P: Addressable,
    {
        self.patch_subresource(name, "resize", patch)
    }

    /// Reads a subresource by its name, as an object of its own kind.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such object, or its kind has no such subresource.
    pub fn get_subresource<S: Wire>(
        &self,
        name: &str,
        subresource: &str,
    ) -> BoxFuture<'static, Result<S, Error>>
    where
        P: Addressable,
    {
        let request = self.below(Method::GET, name, subresource);
        Box::pin(async move { request?.fetch().await })
    }

    /// Creates an object as a subresource, which is named, and gives the answer of the server: often a `Status`.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_subresource<'a, S: Wire, A: Wire>(
        &self,
        name: &str,
        subresource: &str,
        object: &'a S,
    ) -> BoxFuture<'a, Result<A, Error>>
    where
        P: Addressable,
    {
        let request = self.below(Method::POST, name, subresource);
        let request = request.map(|request| self.endpoint.writing(request));
        Box::pin(async move { request?.exchange(object).await })
    }

    /// Replaces a subresource, such as `ephemeralcontainers` or `resize` of a pod, and returns the result.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn update_subresource<'a, S: Wire>(
        &self,
        name: &str,
        subresource: &str,
        object: &'a S,
    ) -> BoxFuture<'a, Result<S, Error>>
    where
        P: Addressable,
    {
        let request = self.below(Method::PUT, name, subresource);
        let request = request.map(|request| self.endpoint.writing(request));
        Box::pin(async move { request?.exchange(object).await })
    }

    /// Patches a subresource and returns the result.
    ///
    /// # Errors
    ///
    /// As [`patch`](Self::patch).
    pub fn patch_subresource<S: Wire>(
        &self,
        name: &str,
        subresource: &str,
        patch: &Patch,
    ) -> BoxFuture<'static, Result<S, Error>>
    where
        P: Addressable,
    {
        let request = self.below(Method::PATCH, name, subresource);
        let request = request.map(|request| self.endpoint.writing(patch.put_into(request)));
        Box::pin(async move { request?.fetch().await })
    }

    pub(super) fn below(&self, method: Method, name: &str, subresource: &str) -> Result<Request, Error> {
        self.endpoint.check_subresource(subresource, Place::namespace(&self.place))?;
        Ok(self.request(method).name(name).subresource(subresource))
    }
}
