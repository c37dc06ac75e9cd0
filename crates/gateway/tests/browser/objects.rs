//! Objects that the tests look at.

use http::Method;
use klient_api::core::v1::Pod;
use klient_client::ExecOptions;
use klient_gateway::Options;
use serde_json::{Value, json};

use crate::stage::{MAPS, Stage, soon};

pub(crate) const PODS: &str = "/api/v1/namespaces/default/pods";
pub(crate) const EVENTS: &str = "/api/v1/namespaces/default/events";
pub(crate) const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const REPLICA_SETS: &str = "/apis/apps/v1/namespaces/default/replicasets";

/// A gateway that passes everything on.
pub(crate) fn allowed() -> Options {
    Options { writes: true, exec: true, ..Options::default() }
}

impl Stage {
    /// The address of the page, with the token, at a place.
    pub(crate) fn page(&self, hash: &str) -> String {
        format!("http://{}{}{hash}", self.address, self.gateway.page())
    }

    /// Changes fields of an object.
    pub(crate) async fn change(&self, path: &str, fields: Value) -> Value {
        self.write(Method::PATCH, path, fields).await
    }

    /// Reads an object as the admin.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let response = self.admin.request(Method::GET).absolute_path(path).send().await.unwrap();
        serde_json::from_slice(response.bytes()).unwrap()
    }

    /// True if there is no object of the path.
    pub(crate) async fn is_gone(&self, path: &str) -> bool {
        let response = self.admin.request(Method::GET).absolute_path(path).send().await;
        response.err().is_some_and(|error| error.is_not_found())
    }

    /// Creates a config map in the namespace `default`, with data.
    pub(crate) async fn data(&self, name: &str, labels: Value, data: Value) -> Value {
        self.create(MAPS, json!({ "metadata": { "name": name, "labels": labels }, "data": data })).await
    }

    /// Creates a pod with one container, `main`, and waits until it runs.
    pub(crate) async fn pod(&self, name: &str, container: Value) {
        self.pod_of(name, json!({}), container).await;
    }

    /// Creates a pod with metadata.
    pub(crate) async fn pod_of(&self, name: &str, mut metadata: Value, mut container: Value) {
        metadata["name"] = name.into();
        container["name"] = "main".into();
        container["image"] = "main:1".into();
        self.create(PODS, json!({ "metadata": metadata, "spec": { "containers": [container] } })).await;
        soon("a pod that runs", async {
            let path = format!("{PODS}/{name}");
            while self.read(&path).await["status"]["phase"] != "Running" {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Runs a line of the shell in a pod.
    pub(crate) async fn sh(&self, pod: &str, line: &str) {
        let pods = self.admin.api::<Pod>().namespace("default");
        let process = pods.exec(pod, ["sh", "-c", line], &ExecOptions::default()).await.unwrap();
        let output = process.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Creates a node that is ready, or is not.
    pub(crate) async fn node(&self, name: &str, is_ready: bool) {
        let node = self.create("/api/v1/nodes", json!({ "metadata": { "name": name } })).await;
        self.set_ready(&node, is_ready).await;
    }

    /// Tells that a node is ready, or is not.
    pub(crate) async fn set_ready(&self, node: &Value, is_ready: bool) {
        let status = if is_ready { "True" } else { "False" };
        let path = format!("/api/v1/nodes/{}/status", node["metadata"]["name"].as_str().unwrap());
        let condition = json!({ "type": "Ready", "status": status });
        self.change(&path, json!({ "status": { "conditions": [condition] } })).await;
    }

    /// Creates an event of a pod.
    pub(crate) async fn event(&self, name: &str, pod: &str, reason: &str, message: &str) {
        let uid = match self.is_gone(&format!("{PODS}/{pod}")).await {
            true => Value::Null,
            false => self.read(&format!("{PODS}/{pod}")).await["metadata"]["uid"].take(),
        };
        let object =
            json!({ "apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": pod, "uid": uid });
        let event = json!({
            "metadata": { "name": name },
            "involvedObject": object,
            "type": "Warning",
            "reason": reason,
            "message": message,
            "lastTimestamp": "2024-01-01T00:00:00Z",
        });
        self.create(EVENTS, event).await;
    }

    /// Creates a deployment with its replica set and its pods, of which so many are ready.
    pub(crate) async fn deployment(&self, name: &str, replicas: usize, ready: usize) {
        let labels = json!({ "app": name });
        let spec = json!({
            "replicas": replicas,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "main", "image": "main:1" }] },
            },
        });
        let metadata = json!({ "name": name, "labels": labels });
        let mut deployment = self.create(DEPLOYMENTS, json!({ "metadata": metadata, "spec": spec })).await;
        let counts = json!({ "replicas": replicas, "readyReplicas": ready, "availableReplicas": ready });
        deployment["status"] = counts.clone();
        deployment["metadata"]["resourceVersion"].take();
        self.write(Method::PUT, &format!("{DEPLOYMENTS}/{name}/status"), deployment.clone()).await;
        let set = format!("{name}-1");
        let metadata =
            json!({ "name": set, "labels": labels, "ownerReferences": [owner(&deployment, "Deployment")] });
        let mut set = self.create(REPLICA_SETS, json!({ "metadata": metadata, "spec": spec })).await;
        set["status"] = counts;
        set["metadata"]["resourceVersion"].take();
        let path = format!("{REPLICA_SETS}/{name}-1/status");
        self.write(Method::PUT, &path, set.clone()).await;
        for at in 0..replicas {
            let metadata = json!({ "labels": labels, "ownerReferences": [owner(&set, "ReplicaSet")] });
            self.pod_of(&format!("{name}-1-{at}"), metadata, json!({})).await;
        }
    }
}

fn owner(object: &Value, kind: &str) -> Value {
    let metadata = &object["metadata"];
    json!({ "apiVersion": "apps/v1", "kind": kind, "name": metadata["name"], "uid": metadata["uid"], "controller": true })
}
