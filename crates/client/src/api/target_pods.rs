//! [`TargetPods`], the pods behind an object, such as a service or a deployment.

use klient_apimachinery::codec::Wire;
use klient_apimachinery::labels::Selector;
use klient_apimachinery::meta::v1::LabelSelector;
use klient_apimachinery::{Addressable, BoxFuture, Object, Place, ResourceInfo, Unstructured, verbs};
use serde_json::Value;

use super::{Api, DynamicPlace, Endpoint};
use crate::error::Error;

/// The resource of pods.
const PODS: ResourceInfo = ResourceInfo::from_static("", "v1", "Pod", "pods", true);

/// An object, and the pods of its namespace.
#[derive(Clone)]
pub(super) struct TargetPods {
    objects: Api<Unstructured, DynamicPlace>,
    pub(super) pods: Api<Unstructured, DynamicPlace>,
    pub(super) name: String,
}

/// The relation of an object to pods.
pub(super) enum Target {
    /// It is one.
    Pod(Unstructured),
    /// It selects them by labels.
    Selected { object: Unstructured, selector: Selector },
}

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// The handle without its type.
    pub(super) fn untyped(&self) -> Api<Unstructured, DynamicPlace> {
        Api {
            endpoint: self.endpoint.clone(),
            place: DynamicPlace::new(self.place.namespace()),
            kind: std::marker::PhantomData,
        }
    }

    /// The object of a name and its pods.
    pub(super) fn target_pods(&self, name: &str) -> TargetPods {
        let objects = self.untyped();
        let endpoint = Endpoint { info: PODS, verbs: None, subresources: None, ..objects.endpoint.clone() };
        let pods = Api { endpoint, ..objects.clone() };
        TargetPods { objects, pods, name: name.to_owned() }
    }

    /// Returns the label selector of an object's pods: those of a service, replication controller, deployment, replica
    /// set, stateful set, daemon set or job, or of another kind with a `LabelSelector` at `spec.selector`.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use klient_client::{Client, Config};
    /// use klient_api::core::v1::{Pod, Service};
    /// use klient_client::ListOptions;
    ///
    /// # let server = klient_apiserver::TestServer::start().await?;
    /// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let services = client.api::<Service>().namespace("default");
    /// # services.create(&serde_json::from_value(serde_json::json!({
    /// #     "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    /// # }))?).await?;
    /// let selector = services.pod_selector("web").await?;
    /// assert_eq!(selector.to_string(), "app=web");
    /// let pods = client.api::<Pod>().namespace("default").list(&ListOptions::labels(selector.to_string())).await?;
    /// # assert!(pods.items.is_empty());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if the object does not exist; of kind
    /// [`Request`](crate::ErrorKind::Request) if it has no selector.
    pub fn pod_selector(&self, name: &str) -> BoxFuture<'static, Result<Selector, Error>>
    where
        K: verbs::Get,
        P: Addressable,
    {
        let target = self.target_pods(name);
        Box::pin(async move {
            match target.read().await? {
                Target::Selected { selector, .. } => Ok(selector),
                Target::Pod(_) => Err(target.problem("a pod selects no pods")),
            }
        })
    }
}

impl TargetPods {
    /// Reads the object.
    pub(super) async fn read(&self) -> Result<Target, Error> {
        let object = self.objects.get(&self.name).await?;
        let info = &self.objects.endpoint.info;
        if info.group.is_empty() && info.plural == "pods" {
            return Ok(Target::Pod(object));
        }
        let is_map = info.group.is_empty() && matches!(&*info.plural, "services" | "replicationcontrollers");
        let selector = object.at(&["spec", "selector"]).filter(|selector| selector.is_object());
        let selector = match selector {
            Some(Value::Object(labels)) if is_map => {
                let label = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
                Selector::from_set(labels.iter().filter_map(label))
            }
            Some(selector) => {
                let selector: LabelSelector = serde_json::from_value(selector.clone())
                    .map_err(|error| self.problem(format!("its selector cannot be read: {error}")))?;
                Selector::try_from(&selector).map_err(|error| self.problem(error.to_string()))?
            }
            None if info.plural == "services" && info.group.is_empty() => {
                let name = klient_apimachinery::go::quoted(&self.name);
                return Err(
                    self.problem(format!("invalid service {name}: Service is defined without a selector"))
                );
            }
            None => return Err(self.problem("it has no selector of pods")),
        };
        if selector.is_everything() {
            return Err(self.problem("its selector is empty"));
        }
        Ok(Target::Selected { object, selector })
    }

    /// Returns true if the object is a service.
    pub(super) fn is_service(&self) -> bool {
        let info = &self.objects.endpoint.info;
        info.group.is_empty() && info.plural == "services"
    }

    /// An error of this object.
    pub(super) fn problem(&self, problem: impl Into<String>) -> Error {
        Error::request(self.to_string(), problem)
    }
}

/// `pods/web-0`, for messages.
impl std::fmt::Display for TargetPods {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.objects.endpoint.info.group_resource(), self.name)
    }
}
