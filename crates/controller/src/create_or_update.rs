//! [`create_or_update`] and [`create_or_apply`]: the desired state of an object, whether it exists or not.

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, ApplyConfiguration, Object, verbs};
use klient_client::{Api, ApplyOptions};
use klient_workqueue::Backoff;
use serde_json::Value;

use crate::attempt::next_attempt;
use crate::error::{Error, ErrorKind};
use crate::identity::describe;
use crate::operation_result::OperationResult;

/// Creates an object, or changes the one that exists (controller-runtime's `CreateOrUpdate`).
///
/// `object` has the name; it is created after `mutate` has changed it, in the namespace of `api`, which `mutate` finds in
/// it. If there is one, `mutate` changes that, and it is written only if that makes a difference. If it changes meanwhile,
/// it is read again and `mutate` is called again. The status of kinds that have it as a subresource is not written: see
/// [`update_status`](crate::update_status).
///
/// # Errors
///
/// Those of `mutate`. [`ErrorKind::NameChanged`] if `mutate` changes name or namespace. [`ErrorKind::Request`] if a request
/// fails, or is in conflict time and again.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::ConfigMap;
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_client::{Client, Config};
/// use klient_controller::{OperationResult, create_or_update, set_controller_reference};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let config_maps = client.api::<ConfigMap>().namespace("default");
/// let owner = ConfigMap { metadata: ObjectMeta::named("palette"), ..Default::default() };
/// let owner = config_maps.create(&owner).await?;
/// for expected in [OperationResult::Created, OperationResult::Unchanged] {
///     let colors = ConfigMap { metadata: ObjectMeta::named("colors"), ..Default::default() };
///     let (colors, result) = create_or_update(&config_maps, colors, |colors| {
///         set_controller_reference(&owner, colors)?;
///         colors.data.insert("sky", "blue".into());
///         Ok(())
///     })
///     .await?;
///     assert_eq!((&*colors.data["sky"], result), ("blue", expected));
/// }
/// # Ok(()) }
/// ```
#[doc(alias = "CreateOrUpdate")]
pub async fn create_or_update<K, P>(
    api: &Api<K, P>,
    object: K,
    mut mutate: impl FnMut(&mut K) -> Result<(), Error>,
) -> Result<(K, OperationResult), Error>
where
    K: Wire + Object + Clone + verbs::Get + verbs::Create + verbs::Update,
    P: Addressable,
{
    let object = placed(object, api.within());
    let name = object.name().to_owned();
    let mut backoff = Backoff::DEFAULT_RETRY;
    loop {
        let error = match api.get_opt(&name).await? {
            None => {
                let new = mutated(api, &object, &mut mutate)?;
                match api.create(&new).await {
                    // Another was faster.
                    Err(error) if error.is_already_exists() => error,
                    created => return Ok((created?, OperationResult::Created)),
                }
            }
            Some(old) => {
                let new = mutated(api, &old, &mut mutate)?;
                if to_value(&old) == to_value(&new) {
                    return Ok((old, OperationResult::Unchanged));
                }
                match api.update(&new).await {
                    Err(error) if error.is_conflict() || error.is_not_found() => error,
                    updated => {
                        let updated = updated?;
                        let result = difference(&old, &updated);
                        return Ok((updated, result));
                    }
                }
            }
        };
        next_attempt(&mut backoff, error).await?;
    }
}

/// Applies a configuration, which creates the object or changes the fields that the field manager owns, and tells the
/// effect. An apply that makes no difference does not change the object on the server, nor its resourceVersion.
///
/// The object is read before, to tell the effect: [`Api::apply`] saves that request. What the server counts or notes is
/// not compared, nor is the status unless the configuration has one: a status that its controller writes in between is no
/// effect of the apply.
///
/// An apply creates what does not exist, also an object that was deleted and that a cache still has. A configuration that is
/// meant for an object which exists names its `uid`: then the apply is a conflict if that is gone.
///
/// # Errors
///
/// As [`Api::apply`], in an error of [`ErrorKind::Request`].
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_apimachinery::{Resource, Unstructured};
/// use klient_api::core::v1::ConfigMap;
/// use klient_client::{ApplyOptions, Client, Config};
/// use klient_controller::{OperationResult, create_or_apply};
/// use serde_json::json;
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let config_maps = client.dynamic(ConfigMap::INFO).namespace("default");
/// let mut colors = Unstructured::new("v1", "ConfigMap", "colors");
/// for (sky, expected) in [
///     ("blue", OperationResult::Created),
///     ("blue", OperationResult::Unchanged),
///     ("grey", OperationResult::Updated),
/// ] {
///     colors["data"] = json!({ "sky": sky });
///     let (_, result) = create_or_apply(&config_maps, &colors, &ApplyOptions::new("painter")).await?;
///     assert_eq!(result, expected);
/// }
/// # Ok(()) }
/// ```
#[doc(alias = "CreateOrPatch")]
pub async fn create_or_apply<K, P, C>(
    api: &Api<K, P>,
    configuration: &C,
    options: &ApplyOptions,
) -> Result<(K, OperationResult), Error>
where
    C: ApplyConfiguration<Object = K>,
    K: Wire + Object + verbs::Get + verbs::Patch,
    P: Addressable,
{
    let value = serde_json::to_value(configuration).unwrap_or_default();
    let old = match value["metadata"]["name"].as_str() {
        Some(name) => api.get_opt(name).await?,
        // The apply tells the problem.
        None => None,
    };
    let applied = api.apply(configuration, options).await?;
    let result = match &old {
        Some(old) if old.uid() == applied.uid() => {
            let has_status = !value["status"].is_null();
            if desired(old, has_status) == desired(&applied, has_status) {
                OperationResult::Unchanged
            } else {
                OperationResult::Updated
            }
        }
        _ => OperationResult::Created,
    };
    Ok((applied, result))
}

/// The object with the namespace in which it is to be created.
fn placed<K: Wire + Object>(object: K, namespace: Option<&str>) -> K {
    let Some(namespace) = namespace.filter(|_| object.namespace().is_none()) else { return object };
    let mut value = to_value(&object);
    value["metadata"]["namespace"] = namespace.into();
    // A type that does not read what it writes is left as it is; the server sets the namespace in any case.
    K::from_json(value.to_string().as_bytes()).unwrap_or(object)
}

/// The part of an object that an apply can change.
fn desired(object: &impl Wire, has_status: bool) -> Value {
    let mut value = to_value(object);
    if let Some(fields) = value.as_object_mut().filter(|_| !has_status) {
        fields.remove("status");
    }
    if let Some(metadata) = value["metadata"].as_object_mut() {
        for field in ["resourceVersion", "generation", "managedFields"] {
            metadata.remove(field);
        }
    }
    value
}

fn mutated<K: Object + Clone, P: Addressable>(
    api: &Api<K, P>,
    object: &K,
    mutate: &mut impl FnMut(&mut K) -> Result<(), Error>,
) -> Result<K, Error> {
    let mut new = object.clone();
    mutate(&mut new)?;
    if (new.name(), new.namespace()) != (object.name(), object.namespace()) {
        let what = format!(
            "{}: the function that changes it must not change name and namespace",
            describe(api, object.namespace(), object.name())
        );
        return Err(Error::new(ErrorKind::NameChanged, what));
    }
    Ok(new)
}

/// The effect of a write that names the version on which it is based.
pub(crate) fn difference(old: &impl Object, new: &impl Object) -> OperationResult {
    if old.resource_version() == new.resource_version() {
        OperationResult::Unchanged
    } else {
        OperationResult::Updated
    }
}

/// The object as JSON, to be compared.
pub(crate) fn to_value(object: &impl Wire) -> Value {
    let mut json = Vec::new();
    object.to_json(&mut json);
    serde_json::from_slice(&json).unwrap_or_default()
}
