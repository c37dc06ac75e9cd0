//! Rules of definitions that try to use up time, memory or the stack.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::Client;
use crate::definition::defined;
use crate::objects::{DEFINITIONS, GADGETS, gadget, gadgets};

fn with_rules(schema: Value, rules: Vec<String>) -> Value {
    let mut schema = schema;
    let rules = rules.into_iter().map(|rule| json!({"rule": rule}));
    schema["x-kubernetes-validations"] = rules.collect();
    gadgets(json!({"type": "object", "properties": {"f": schema}}))
}

#[tokio::test]
async fn definitions_with_hostile_rules_are_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let text = json!({"type": "string", "maxLength": 10});
    for (rule, problem) in [
        (
            format!("{}true{}", "(".repeat(10_000), ")".repeat(10_000)),
            "expression recursion limit exceeded: 250",
        ),
        (format!("self{}", ".a".repeat(10_000)), "max recursion depth exceeded"),
        (
            format!("self == '{}'", "a".repeat(200_000)),
            "expression code point size exceeds limit: size: 200010, limit 100000",
        ),
        ("$".repeat(1000), "1 more errors were truncated"),
        ("self.nowhere".to_owned(), "type 'string' does not support field selection"),
    ] {
        let refusal = client.post(DEFINITIONS, &with_rules(text.clone(), vec![rule])).await.refusal();
        assert!(refusal.contains(problem), "{problem}: {refusal:.1000}");
    }
    let mut cycle = gadgets(json!({"type": "object"}));
    cycle["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] =
        json!({"type": "object", "properties": {"a": {"$ref": "#/properties/spec"}}});
    let refusal = client.post(DEFINITIONS, &cycle).await.refusal();
    assert!(refusal.contains("$ref is not supported"), "{refusal}");
    client.get("/api/v1/namespaces/default").await.expect(200);
}

#[tokio::test]
async fn a_definition_of_a_mebibyte_with_a_thousand_rules_is_served() {
    let text = json!({"type": "string", "maxLength": 10});
    let rules = (0..1000).map(|index| format!("self != '{}{index}'", "a".repeat(1000)));
    let (_server, client) = defined(&with_rules(text, rules.collect())).await;
    client.post(GADGETS, &gadget("g", json!({"f": "b"}))).await.expect(201);
}

#[tokio::test]
async fn a_rule_that_never_ends_is_ended() {
    let list = json!({"type": "array", "maxItems": 100, "items": {"type": "integer"}});
    let rules = vec!["self.all(a, self.all(b, self.all(c, a + b + c < 9999)))".to_owned()];
    let (_server, client) = defined(&with_rules(list, rules)).await;
    client.post(GADGETS, &gadget("small", json!({"f": [1, 2, 3]}))).await.expect(201);
    let numbers: Vec<i64> = (0..100).collect();
    let refusal = client.post(GADGETS, &gadget("g", json!({"f": numbers}))).await.refusal();
    assert!(
        refusal.contains(
            "'operation cancelled: actual cost limit exceeded': no further validation rules will be run"
        ),
        "{refusal}"
    );
    client.get(&format!("{GADGETS}/small")).await.expect(200);
}
