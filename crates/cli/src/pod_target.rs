//! [`PodTarget`], an object of the command line and the pods behind it (kubectl's `polymorphichelpers`).

use std::cmp::Ordering;
use std::pin::pin;
use std::time::Duration;

use klient_api::core::v1::{Pod, Service};
use klient_apimachinery::labels::Selector;
use klient_apimachinery::meta::v1::LabelSelector;
use klient_apimachinery::{Object, Unstructured, WatchEvent};
use klient_client::{Api, ApiResource, InNamespace, ListOptions, WatchOptions};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::error::CliError;
use crate::manifest::Info;

/// Reads an object. Where it is not there because its namespace is not, that is the error, as in cli-runtime.
async fn get(
    cluster: &Cluster,
    resource: &ApiResource,
    namespace: &str,
    name: &str,
) -> Result<Unstructured, CliError> {
    match cluster.objects(resource, Some(namespace)).get(name).await {
        Err(error) if error.is_not_found() && resource.info.namespaced && namespace != "default" => {
            Err(cluster.missing_namespace(namespace).await.unwrap_or(error).into())
        }
        read => Ok(read?),
    }
}

/// An object that is a pod or has pods.
pub(crate) struct PodTarget {
    namespace: String,
    object: Unstructured,
}

impl PodTarget {
    /// Reads the object of `POD` or `TYPE/NAME`.
    ///
    /// # Errors
    ///
    /// If the argument is malformed, the server has no such type, or the object does not exist.
    pub(crate) async fn read(cluster: &Cluster, argument: &str) -> Result<Self, CliError> {
        let (kind, name) = match argument.split_once('/') {
            Some((_, name)) if name.contains('/') => {
                let problem = "arguments in resource/name form may not have more than one slash";
                return Err(CliError::message(problem));
            }
            Some((kind, name)) if kind.is_empty() || name.is_empty() || kind.contains(',') => {
                let problem = "arguments in resource/name form must have a single resource and name";
                return Err(CliError::message(problem));
            }
            Some((kind, name)) => (kind, name),
            None if argument.is_empty() => return Err(CliError::message("resource name may not be empty")),
            None => ("pods", argument),
        };
        let resource = cluster.resource(kind).await?;
        let object = get(cluster, &resource, cluster.namespace(), name).await?;
        Ok(PodTarget { namespace: cluster.namespace().to_owned(), object })
    }

    /// Reads the object that a manifest names.
    ///
    /// # Errors
    ///
    /// If it does not exist.
    pub(crate) async fn read_again(cluster: &Cluster, item: &Info) -> Result<Self, CliError> {
        let namespace = item.object.namespace().unwrap_or(cluster.namespace()).to_owned();
        let object = get(cluster, &item.resource, &namespace, item.object.name()).await?;
        Ok(PodTarget { namespace, object })
    }

    /// The pod, if the object is one.
    ///
    /// # Errors
    ///
    /// If it cannot be decoded.
    pub(crate) fn as_pod(&self) -> Result<Option<Pod>, CliError> {
        if self.object.kind() != "Pod" || self.object.api_version() != "v1" {
            return Ok(None);
        }
        let pod = self.object.to_typed::<Pod>();
        pod.map(Some).map_err(|error| CliError::Message(format!("the pod cannot be decoded: {error}")))
    }

    /// The object itself.
    pub(crate) fn into_object(self) -> Unstructured {
        self.object
    }

    /// The service, if the object is one.
    ///
    /// # Errors
    ///
    /// If it cannot be decoded.
    pub(crate) fn as_service(&self) -> Result<Option<Service>, CliError> {
        if self.object.kind() != "Service" || self.object.api_version() != "v1" {
            return Ok(None);
        }
        let service = self.object.to_typed::<Service>();
        service
            .map(Some)
            .map_err(|error| CliError::Message(format!("the service cannot be decoded: {error}")))
    }

    /// The selector of the object's pods. `doing` is the beginning of the error, such as `cannot attach to`.
    ///
    /// # Errors
    ///
    /// If the object is of a kind that has none, or a service without one.
    pub(crate) fn selector(&self, doing: &str) -> Result<Selector, CliError> {
        let (kind, version) = (self.object.kind(), self.object.api_version());
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        // Go's name of the type.
        let of_type = match group {
            "" | "apps" | "batch" | "extensions" => format!("*{version}.{kind}"),
            _ => "*unstructured.Unstructured".to_owned(),
        };
        let refuse = |problem: String| Err(CliError::Message(format!("{doing} {of_type}: {problem}")));
        let selector = self.object.at(&["spec", "selector"]);
        match (group, kind) {
            ("", "Service" | "ReplicationController") => {
                let labels = selector.and_then(Value::as_object).filter(|labels| !labels.is_empty());
                let Some(labels) = labels else {
                    let name = self.object.name();
                    return refuse(format!(
                        "invalid service '{name}': Service is defined without a selector"
                    ));
                };
                let labels =
                    labels.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
                Ok(Selector::from_set(labels))
            }
            ("apps" | "extensions", "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet")
            | ("batch", "Job") => {
                let selector = selector.cloned().unwrap_or_default();
                let parsed =
                    serde_json::from_value::<LabelSelector>(selector).map_err(|error| error.to_string());
                let parsed = parsed
                    .and_then(|selector| Selector::try_from(&selector).map_err(|error| error.to_string()));
                parsed.or_else(|problem| refuse(format!("invalid label selector: {problem}")))
            }
            _ => refuse(format!("selector for {of_type} not implemented")),
        }
    }

    /// The pods of a selector in an order; if there are none, the first that appears within a time.
    ///
    /// # Errors
    ///
    /// If there is none in time.
    pub(crate) async fn pods(
        &self,
        cluster: &Cluster,
        selector: &Selector,
        order: fn(&Pod, &Pod) -> Ordering,
        timeout: Duration,
    ) -> Result<Vec<Pod>, CliError> {
        let pods: Api<Pod, InNamespace> = cluster.client().api::<Pod>().namespace(&self.namespace);
        let selector = selector.to_string();
        let options =
            ListOptions { label_selector: Some(selector.as_str().into()), ..ListOptions::default() };
        let list = pods.list(&options).await?;
        let mut found = list.items;
        if !found.is_empty() {
            found.sort_by(order);
            return Ok(found);
        }
        let options = WatchOptions {
            label_selector: Some(selector.into()),
            resource_version: list.metadata.resource_version.clone(),
            ..WatchOptions::default()
        };
        let mut watch = pods.watch(&options).await?;
        let appeared = pin!(async {
            while let Some(event) = watch.next().await {
                if let WatchEvent::Added(pod) | WatchEvent::Modified(pod) = event? {
                    return Ok(vec![pod]);
                }
            }
            Err(CliError::message("watch closed before UntilWithoutRetry timeout"))
        });
        match tokio::time::timeout(timeout, appeared).await {
            Ok(result) => result,
            Err(_) => Err(CliError::message("timed out waiting for the condition")),
        }
    }

    /// The pod to run in or attach to: the object itself, or the most active one of its pods.
    ///
    /// # Errors
    ///
    /// As [`selector`](Self::selector) and [`pods`](Self::pods).
    pub(crate) async fn active_pod(&self, cluster: &Cluster, timeout: Duration) -> Result<Pod, CliError> {
        if let Some(pod) = self.as_pod()? {
            return Ok(pod);
        }
        let selector = self.selector("cannot attach to")?;
        let pods = self.pods(cluster, &selector, crate::pod_order::by_activity, timeout).await?;
        Ok(pods.into_iter().next().expect("without pods it is an error"))
    }
}
