//! [`AdmissionWebhook`], a function that decides on writes.

mod change;
mod difference;
mod options;
mod request;
mod verdict;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use klient_api::admission::v1::{AdmissionRequest, AdmissionResponse};
use klient_apimachinery::codec::Wire;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::{BoxFuture, Resource, ResourceInfo, Str, Unstructured};
use serde_json::Value;

pub use options::{FailurePolicy, MatchPolicy, ReinvocationPolicy, SideEffects, WebhookOptions};
pub use request::{Operation, Request};
pub use verdict::{Allowed, Denied, Unchanged};

/// Answers a request, whose uid is set by the caller.
type Handler = dyn Fn(AdmissionRequest, Instant) -> BoxFuture<'static, AdmissionResponse> + Send + Sync;

/// A function that decides on the writes of a kind: it validates objects, or changes them.
///
/// A handler is called with the request and a clone of its context, in a task of its own, so that a slow one holds up no
/// other. It is cancelled shortly before the API server stops to wait; a panic is answered with a refusal.
///
/// ```
/// use std::sync::Arc;
/// use klient_api::core::v1::Pod;
/// use klient_webhook::{AdmissionWebhook, Allowed, Denied, Operation, Request, WebhookOptions};
///
/// struct Policy {
///     registry: String,
/// }
///
/// async fn only_our_images(request: Request<Pod>, policy: Arc<Policy>) -> Result<Allowed, Denied> {
///     let containers = request.object.iter().flat_map(|pod| &pod.spec.containers);
///     for (index, container) in containers.enumerate() {
///         let image = container.image.as_deref().unwrap_or_default();
///         if !image.starts_with(&policy.registry) {
///             let problem = format!("{image} is not of {}", policy.registry);
///             return Err(Denied::new(&*problem).cause(&format!("spec.containers[{index}].image"), "FieldValueForbidden", problem));
///         }
///     }
///     Ok(Allowed::new())
/// }
///
/// let policy = Arc::new(Policy { registry: "registry.example/".to_owned() });
/// let webhook = AdmissionWebhook::validating("images.shop.example", policy, only_our_images)
///     .options(WebhookOptions { operations: vec![Operation::Create], ..Default::default() });
/// ```
pub struct AdmissionWebhook {
    pub(crate) name: Str,
    pub(crate) is_mutating: bool,
    pub(crate) resources: Vec<ResourceInfo>,
    pub(crate) options: WebhookOptions,
    handler: Arc<Handler>,
}

impl AdmissionWebhook {
    /// A webhook that validates objects of a kind. The name has three parts at least, such as `websites.shop.example`.
    pub fn validating<K, C, F, R>(name: impl Into<Str>, context: C, handler: F) -> Self
    where
        K: Resource + Wire,
        C: Clone + Send + Sync + 'static,
        F: Fn(Request<K>, C) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Allowed, Denied>> + Send + 'static,
    {
        Self::of(name.into(), false, vec![K::INFO], validate(context, handler))
    }

    /// A webhook that validates objects of resources that are found at run time, or of several kinds.
    pub fn validating_dynamic<C, F, R>(
        name: impl Into<Str>,
        resources: impl IntoIterator<Item = ResourceInfo>,
        context: C,
        handler: F,
    ) -> Self
    where
        C: Clone + Send + Sync + 'static,
        F: Fn(Request<Unstructured>, C) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Allowed, Denied>> + Send + 'static,
    {
        Self::of(name.into(), false, resources.into_iter().collect(), validate(context, handler))
    }

    /// A webhook that may change objects of a kind: it answers with the [changed](Allowed::changed) object, or with
    /// [`Allowed::unchanged`].
    pub fn mutating<K, C, F, R>(name: impl Into<Str>, context: C, handler: F) -> Self
    where
        K: Resource + Wire,
        C: Clone + Send + Sync + 'static,
        F: Fn(Request<K>, C) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Allowed<K>, Denied>> + Send + 'static,
    {
        Self::of(name.into(), true, vec![K::INFO], mutate(context, handler))
    }

    /// A webhook that may change objects of resources that are found at run time, or of several kinds.
    pub fn mutating_dynamic<C, F, R>(
        name: impl Into<Str>,
        resources: impl IntoIterator<Item = ResourceInfo>,
        context: C,
        handler: F,
    ) -> Self
    where
        C: Clone + Send + Sync + 'static,
        F: Fn(Request<Unstructured>, C) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Allowed<Unstructured>, Denied>> + Send + 'static,
    {
        Self::of(name.into(), true, resources.into_iter().collect(), mutate(context, handler))
    }

    /// A webhook that sets defaults in objects that are written (controller-runtime's `CustomDefaulter`). It is called
    /// again for what it has returned, so it must leave that as it is.
    #[doc(alias = "CustomDefaulter")]
    pub fn defaulting<K, F>(name: impl Into<Str>, default: F) -> Self
    where
        K: Resource + Wire,
        F: Fn(&mut K) + Send + Sync + 'static,
    {
        let default = Arc::new(default);
        Self::mutating(name, (), move |request: Request<K>, ()| {
            let default = default.clone();
            async move {
                let Some(mut object) = request.object else { return Ok(Allowed::unchanged()) };
                default(&mut object);
                Ok(Allowed::changed(object))
            }
        })
    }

    fn of(name: Str, is_mutating: bool, resources: Vec<ResourceInfo>, handler: Arc<Handler>) -> Self {
        AdmissionWebhook { name, is_mutating, resources, options: WebhookOptions::default(), handler }
    }

    /// Replaces the options.
    pub fn options(mut self, options: WebhookOptions) -> Self {
        self.options = options;
        self
    }

    /// The path at which it is served.
    pub fn path(&self) -> String {
        if let Some(path) = &self.options.path {
            return path.clone();
        }
        let action = if self.is_mutating { "mutate" } else { "validate" };
        match &self.resources[..] {
            [info] => {
                let (group, version) = (info.group.replace('.', "-"), &info.version);
                format!("/{action}-{group}-{version}-{}", info.kind.to_lowercase())
            }
            _ => format!("/{action}-{}", self.name),
        }
    }

    /// Answers a request. The future may panic.
    pub(crate) fn answer(
        &self,
        request: AdmissionRequest,
        deadline: Instant,
    ) -> BoxFuture<'static, AdmissionResponse> {
        (self.handler)(request, deadline)
    }
}

impl fmt::Debug for AdmissionWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdmissionWebhook")
            .field("name", &self.name)
            .field("path", &self.path())
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}

fn validate<K, C, F, R>(context: C, handler: F) -> Arc<Handler>
where
    K: Wire,
    C: Clone + Send + Sync + 'static,
    F: Fn(Request<K>, C) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Allowed, Denied>> + Send + 'static,
{
    let handler = Arc::new(handler);
    Arc::new(move |request, deadline| {
        let (handler, context) = (handler.clone(), context.clone());
        Box::pin(async move {
            let decided = match Request::read(request, deadline) {
                Ok((request, _)) => handler(request, context).await,
                Err(denied) => Err(denied),
            };
            decided.map_or_else(Denied::into_response, Allowed::into_response)
        })
    })
}

fn mutate<K, C, F, R>(context: C, handler: F) -> Arc<Handler>
where
    K: Wire,
    C: Clone + Send + Sync + 'static,
    F: Fn(Request<K>, C) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Allowed<K>, Denied>> + Send + 'static,
{
    let handler = Arc::new(handler);
    Arc::new(move |request: AdmissionRequest, deadline| {
        let (handler, context) = (handler.clone(), context.clone());
        Box::pin(async move {
            let decided = async {
                let (request, received) = Request::<K>::read(request, deadline)?;
                let before = request.object.as_ref().map(to_value).transpose()?;
                let mut allowed = handler(request, context).await?;
                let patch = match (allowed.object.take(), received, before) {
                    (None, ..) => None,
                    (Some(object), Some(received), Some(before)) => {
                        let received = serde_json::from_str(received.as_str())?;
                        change::patch(&received, &before, &to_value(&object)?)
                    }
                    (Some(_), ..) => {
                        let problem = "the handler has changed an object, and the request has none";
                        return Err(Denied::of(Reason::InternalError, problem));
                    }
                };
                Ok((allowed, patch))
            };
            match decided.await {
                Ok((allowed, patch)) => {
                    let patch_type = patch.is_some().then(|| "JSONPatch".into());
                    AdmissionResponse { patch: patch.map(Into::into), patch_type, ..allowed.into_response() }
                }
                Err(denied) => denied.into_response(),
            }
        })
    })
}

/// # Errors
///
/// If it is nested too deeply.
fn to_value<K: Wire>(object: &K) -> Result<Value, Denied> {
    let mut json = Vec::new();
    object.to_json(&mut json);
    Ok(serde_json::from_slice(&json)?)
}
