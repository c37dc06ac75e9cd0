//! Expressions and patterns that take long to compile or to evaluate: requests that do not need them are answered meanwhile,
//! by a server on one thread.

use std::pin::pin;

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::client::Client;
use crate::definition::defined;
use crate::objects::{CONFIG_MAPS, DEFINITIONS, GADGETS, gadget, gadgets};

/// The requests that are answered while a long one is in progress, at least.
const SOME: usize = 10;

/// Waits for the answer to a request, and counts the others that are answered meanwhile.
async fn meanwhile(server: &TestServer, request: impl Future<Output = Answer>) -> (Answer, usize) {
    let other = Client::admin(server).await;
    let mut request = pin!(request);
    let mut answered = 0;
    loop {
        tokio::select! {
            biased;
            answer = &mut request => return (answer, answered),
            health = other.get("/healthz") => {
                assert_eq!(health.status, 200);
                answered += 1;
            }
        }
    }
}

/// A definition with a rule that costs little, and takes long for a long text.
fn sized() -> Value {
    let rule = "lists.range(2000).all(a, lists.range(40).all(b, self.size() >= 0))";
    gadgets(json!({"type": "object", "properties": {
        "s": {"type": "string", "x-kubernetes-validations": [{"rule": rule}]},
    }}))
}

#[tokio::test]
async fn requests_are_answered_while_rules_are_evaluated() {
    let (server, client) = defined(&sized()).await;
    let object = gadget("g", json!({"s": "é".repeat(100_000)}));
    let (created, answered) = meanwhile(&server, client.post(GADGETS, &object)).await;
    created.expect(201);
    assert!(answered >= SOME, "{answered}");
    let patch = json!({"metadata": {"labels": {"a": "b"}}});
    let (patched, answered) =
        meanwhile(&server, client.patch(&format!("{GADGETS}/g"), "merge", &patch)).await;
    patched.expect(200);
    assert!(answered >= SOME, "{answered}");
}

#[tokio::test]
async fn rules_that_are_not_evaluated_in_time_are_a_timeout_and_no_error_of_the_object() {
    let (_server, client) = defined(&sized()).await;
    let object = gadget("g", json!({"s": "é".repeat(1_300_000)}));
    let answer = client.post(&format!("{GADGETS}?timeout=1s"), &object).await;
    assert_eq!(answer.status, 504);
    let answer = answer.json();
    assert_eq!(answer["reason"], "Timeout", "{answer}");
    client.get(&format!("{GADGETS}/g")).await.expect(404);
}

#[tokio::test]
async fn requests_are_answered_while_rules_are_compiled() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let properties = (0..100).map(|index| {
        let rule = format!("self.size() < {index} && self.startsWith('a') || self == 'b{index}'");
        let schema = json!({"type": "string", "maxLength": 10, "x-kubernetes-validations": [{"rule": rule}]});
        (format!("f{index}"), schema)
    });
    let properties: Value = properties.collect();
    let definition = gadgets(json!({"type": "object", "properties": properties}));
    let (created, answered) = meanwhile(&server, client.post(DEFINITIONS, &definition)).await;
    created.expect(201);
    assert!(answered >= SOME, "{answered}");
    let (created, answered) =
        meanwhile(&server, client.post(GADGETS, &gadget("g", json!({"f1": "b1"})))).await;
    created.expect(201);
    assert!(answered >= SOME, "{answered}");
}

#[tokio::test]
async fn requests_are_answered_while_a_large_definition_is_validated() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let version = |index: usize| {
        let fields = (0..150).map(|field| {
            let rest =
                json!({"type": "object", "additionalProperties": {"type": "string", "maxLength": index + 1}});
            (
                format!("f{field}"),
                json!({"type": "object", "properties": {"a": rest, "b": {"type": "integer"}}}),
            )
        });
        let fields: Value = fields.collect();
        let schema = json!({"openAPIV3Schema": {"type": "object", "properties": fields}});
        json!({"name": format!("v{index}"), "served": true, "storage": index == 1, "schema": schema})
    };
    let mut definition = gadgets(json!({"type": "object"}));
    definition["spec"]["versions"] = (1..=30).map(version).collect();
    let (created, answered) = meanwhile(&server, client.post(DEFINITIONS, &definition)).await;
    created.expect(201);
    assert!(answered >= SOME, "{answered}");
}

#[tokio::test]
async fn requests_are_answered_while_patterns_are_compiled() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let properties = (0..10).map(|index| {
        (format!("f{index}"), json!({"type": "string", "pattern": format!(r"^[\p{{L}}{index}]{{1,100}}$")}))
    });
    let properties: Value = properties.collect();
    let definition = gadgets(json!({"type": "object", "properties": properties}));
    let (created, answered) = meanwhile(&server, client.post(DEFINITIONS, &definition)).await;
    created.expect(201);
    assert!(answered >= SOME, "{answered}");
    client.post(GADGETS, &gadget("g", json!({"f1": "aé1"}))).await.expect(201);
    let refusal = client.post(GADGETS, &gadget("h", json!({"f1": "2"}))).await.refusal();
    assert!(refusal.contains("should match"), "{refusal}");
}

#[tokio::test]
async fn requests_are_answered_while_policies_are_compiled() {
    const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let parts: Vec<String> = (0..300).map(|index| format!("[{index}].all(x, x >= 0)")).collect();
    let rule = json!({
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
        "resources": ["configmaps", "secrets", "pods"],
    });
    let policy = json!({"metadata": {"name": "p"}, "spec": {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": format!("[{}].size() == 0", parts.join(", "))}],
    }});
    let policies = format!("{GROUP}/validatingadmissionpolicies");
    let (created, answered) = meanwhile(&server, client.post(&policies, &policy)).await;
    created.expect(201);
    assert!(answered >= SOME, "{answered}");
    let binding = json!({
        "metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"]},
    });
    client.post(&format!("{GROUP}/validatingadmissionpolicybindings"), &binding).await.expect(201);
    let (written, answered) =
        meanwhile(&server, client.post(CONFIG_MAPS, &json!({"metadata": {"name": "c"}}))).await;
    assert!(written.refusal().contains("failed expression"), "{}", written.refusal());
    assert!(answered >= SOME, "{answered}");
}

#[tokio::test]
async fn requests_are_answered_while_policies_are_evaluated() {
    const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let rule = json!({
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"],
    });
    let expression = "lists.range(500).all(a, lists.range(40).all(b, object.data.s.size() > 0)) && authorizer.group('').resource('pods').check('create').allowed() && false";
    let policy = json!({"metadata": {"name": "p"}, "spec": {
        "matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": expression}],
    }});
    client.post(&format!("{GROUP}/validatingadmissionpolicies"), &policy).await.expect(201);
    let binding = json!({
        "metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"]},
    });
    client.post(&format!("{GROUP}/validatingadmissionpolicybindings"), &binding).await.expect(201);
    let config_map = json!({"metadata": {"name": "c"}, "data": {"s": "é".repeat(300_000)}});
    let (written, answered) = meanwhile(&server, client.post(CONFIG_MAPS, &config_map)).await;
    assert!(written.refusal().contains("failed expression"), "{}", written.refusal());
    assert!(answered >= SOME, "{answered}");
}

/// Tries a write with little time until it is answered otherwise than that this does not suffice. Each try may give up what
/// is to be compiled for it.
async fn tried(client: &Client, path: &str, object: &Value) -> Answer {
    let path = format!("{path}?timeout=100ms");
    for _ in 0..1000 {
        let answer = client.post(&path, object).await;
        if answer.status != 504 {
            return answer;
        }
    }
    panic!("there is never enough time");
}

#[tokio::test]
async fn what_is_compiled_for_a_request_without_time_is_there_for_the_next() {
    const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";
    let parts: Vec<String> = (0..1500).map(|index| format!("[{index}].all(x, x >= 0)")).collect();
    let long = format!("false && [{}].size() == 0", parts.join(", "));
    let rule = json!([{"rule": long, "message": "compiled"}]);
    let definition = gadgets(json!({"type": "object", "x-kubernetes-validations": rule}));
    let (_server, client) = defined(&definition).await;
    let created = tried(&client, GADGETS, &gadget("g", json!({}))).await;
    assert!(created.refusal().contains("compiled"), "{}", created.refusal());
    let rule = json!({
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"],
    });
    let policy = json!({"metadata": {"name": "p"}, "spec": {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": long, "message": "compiled"}],
    }});
    client.post(&format!("{GROUP}/validatingadmissionpolicies"), &policy).await.expect(201);
    let binding = json!({
        "metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"]},
    });
    client.post(&format!("{GROUP}/validatingadmissionpolicybindings"), &binding).await.expect(201);
    let created = tried(&client, CONFIG_MAPS, &json!({"metadata": {"name": "c"}})).await;
    assert!(created.refusal().contains("compiled"), "{}", created.refusal());
}

#[tokio::test]
async fn a_definition_is_served_in_the_state_of_its_last_change() {
    let (_server, client) = defined(&gadgets(json!({"type": "object"}))).await;
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    for label in ["a", "b"] {
        let patch = json!({"metadata": {"labels": {"l": label}}});
        client.patch(&path, "merge", &patch).await.expect(200);
        client.post(GADGETS, &gadget(label, json!({}))).await.expect(201);
    }
    let mut definition = client.get(&path).await.expect(200);
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["maxProperties"] =
        0.into();
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["x-kubernetes-preserve-unknown-fields"] =
        true.into();
    client.put(&path, &definition).await.expect(200);
    let refusal = client.post(GADGETS, &gadget("c", json!({"x": 1}))).await.refusal();
    assert!(refusal.contains("must have at most 0 items"), "{refusal}");
}
