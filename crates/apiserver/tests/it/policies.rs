//! Admission policies: expressions that validate and change what clients write.

mod mutating;
mod validating;

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::Client;

const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";

async fn server() -> (TestServer, Client) {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    (server, client)
}

/// Constraints that match writes of a resource.
fn constraints(group: &str, resource: &str) -> Value {
    json!({"resourceRules": [{
        "apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource],
    }]})
}

/// A policy or binding with a specification.
fn object(name: &str, spec: Value) -> Value {
    json!({"metadata": {"name": name}, "spec": spec})
}

/// Sets fields of a specification.
fn with(mut spec: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().expect("fields") {
        spec[name] = value.clone();
    }
    spec
}

fn config_map(name: &str, data: Value) -> Value {
    json!({"metadata": {"name": name}, "data": data})
}
