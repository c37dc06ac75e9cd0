//! MutatingAdmissionPolicies and their bindings.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use super::{GROUP, config_map, constraints, object, server, with};
use crate::client::Client;
use crate::objects::{CONFIG_MAPS, DEFINITIONS, GADGETS, PODS, anything, gadget, gadgets, pod};
use crate::webhooks::matching::{OF_THE_CLIENT, SCALERS, scaler};
use crate::webhooks::mutating::{CUSTOM_KINDS, KINDS};

fn policies() -> String {
    format!("{GROUP}/mutatingadmissionpolicies")
}

fn bindings() -> String {
    format!("{GROUP}/mutatingadmissionpolicybindings")
}

fn applies(expression: &str) -> Value {
    json!({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}})
}

fn patches(expression: &str) -> Value {
    json!({"patchType": "JSONPatch", "jsonPatch": {"expression": expression}})
}

/// A policy for a resource of the core group.
fn policy(resource: &str, mutations: Value) -> Value {
    json!({"matchConstraints": constraints("", resource), "mutations": mutations, "reinvocationPolicy": "Never"})
}

/// Puts a policy into effect with a binding of the same name.
async fn bind(client: &Client, name: &str, policy: Value) {
    client.post(&policies(), &object(name, policy)).await.expect(201);
    client.post(&bindings(), &object(name, json!({"policyName": name}))).await.expect(201);
}

async fn in_effect(policy: Value) -> (TestServer, Client) {
    let (server, client) = server().await;
    bind(&client, "p", policy).await;
    (server, client)
}

#[tokio::test]
async fn configurations_are_merged_by_the_rules_of_apply() {
    let sidecar = "Object{
        metadata: Object.metadata{labels: {'injected': string(size(object.spec.containers))}},
        spec: Object.spec{containers: [Object.spec.containers{name: 'sidecar', image: 'sidecar:1'}]}}";
    let (_server, client) = in_effect(policy("pods", json!([applies(sidecar)]))).await;
    let created = client.post(PODS, &pod("web")).await.expect(201);
    let containers = created["spec"]["containers"].as_array().expect("containers").clone();
    assert_eq!(containers.len(), 2, "{containers:?}");
    let sidecar = containers.iter().find(|container| container["name"] == "sidecar").expect("a sidecar");
    assert_eq!(sidecar["terminationMessagePath"], "/dev/termination-log", "defaults are set after a change");
    assert_eq!(created["metadata"]["labels"], json!({"injected": "1"}));
    let managers = created["metadata"]["managedFields"].to_string();
    assert!(!managers.contains("sidecar"), "a change by a policy has no manager: {managers}");
}

#[tokio::test]
async fn operations_of_json_patches_are_applied_in_their_order() {
    let labels = "[JSONPatch{op: 'add', path: '/metadata/labels', value: Object.metadata.labels{}},
        JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a.example/b'), value: 'c'}]";
    let data = "[JSONPatch{op: 'add', path: '/data/seen', value: object.metadata.labels['a.example/b']}]";
    let test =
        "[JSONPatch{op: 'test', path: '/data/a', value: 'other'}, JSONPatch{op: 'remove', path: '/data/a'}]";
    let nothing = "[]";
    let spec = policy("configmaps", json!([patches(labels), patches(data), patches(test)]));
    let (_server, client) = in_effect(spec).await;
    let created = client.post(CONFIG_MAPS, &config_map("c", json!({"a": "1"}))).await.expect(201);
    assert_eq!(created["data"], json!({"a": "1", "seen": "c"}));
    assert_eq!(created["metadata"]["labels"], json!({"a.example/b": "c"}));
    let refused = client
        .post(&policies(), &object("q", policy("configmaps", json!([patches(nothing)]))))
        .await
        .refusal();
    assert!(refused.contains("must evaluate to list(JSONPatch) but got list("), "{refused}");
}

#[tokio::test]
async fn failures_are_told_in_the_words_of_the_server() {
    let (_server, client) =
        in_effect(policy("configmaps", json!([applies("Object{data: Object.other{}}")]))).await;
    let refusal = async || {
        let answer = client.post(CONFIG_MAPS, &config_map("c", json!({"a": "1"}))).await;
        assert_eq!(answer.json()["details"]["causes"][0]["message"], answer.json()["message"]);
        answer.refusal()
    };
    let denied = |problem: &str| format!("403 policy 'p' with binding 'p' denied request: {problem}");
    assert_eq!(
        refusal().await,
        denied(
            "type mismatch: unexpected type name \"Object.other\", expected \"Object.data\", which matches field name \
             path from root Object type"
        )
    );
    let path = format!("{}/p", policies());
    for (mutation, problem) in [
        (
            applies("Object{nothing: 1}"),
            "error applying patch: failed to convert patch object to typed object: .nothing: field not declared in schema",
        ),
        (
            applies(
                "Object{metadata: Object.metadata{ownerReferences: [Object.metadata.ownerReferences{uid: 'u'}]}, \
                data: {'a': object.missing}}",
            ),
            "expression 'Object{metadata: Object.metadata{ownerReferences: [Object.metadata.ownerReferences{uid: 'u'}]}, \
             data: {'a': object.missing}}' resulted in error: no such key: missing",
        ),
        (
            patches("[JSONPatch{op: 'remove', path: '/data/b'}]"),
            "JSON Patch: error in remove for path: '/data/b': Unable to remove nonexistent key: b: missing value",
        ),
    ] {
        let patch = json!({"spec": {"mutations": [mutation]}});
        client.patch(&path, "merge", &patch).await.expect(200);
        assert_eq!(refusal().await, denied(problem));
    }
    let ignore = json!({"spec": {"failurePolicy": "Ignore"}});
    client.patch(&path, "merge", &ignore).await.expect(200);
    client.post(CONFIG_MAPS, &config_map("c", json!({"a": "1"}))).await.expect(201);
}

#[tokio::test]
async fn changes_that_nest_too_deep_fail() {
    let variables: Vec<Value> = (0..150)
        .map(|index| match index {
            0 => json!({"name": "v0", "expression": "'deep'"}),
            _ => {
                let (open, close) = ("[".repeat(10), "]".repeat(10));
                let expression = format!("{open}dyn(variables.v{}){close}", index - 1);
                json!({"name": format!("v{index}"), "expression": expression})
            }
        })
        .collect();
    let deep =
        |mutation: Value| with(policy("configmaps", json!([mutation])), json!({"variables": variables}));
    let (_server, client) = server().await;
    bind(&client, "p", deep(applies("Object{data: variables.v149}"))).await;
    let denied = "403 policy 'p' with binding 'p' denied request: exceeded max depth";
    assert_eq!(client.post(CONFIG_MAPS, &config_map("c", json!({}))).await.refusal(), denied);
    let mutations = [patches("[JSONPatch{op: 'add', path: '/data', value: variables.v149}]")];
    let patch = json!({"spec": {"mutations": mutations}});
    client.patch(&format!("{}/p", policies()), "merge", &patch).await.expect(200);
    assert_eq!(client.post(CONFIG_MAPS, &config_map("c", json!({}))).await.refusal(), denied);
}

#[tokio::test]
async fn atomic_lists_are_not_replaced() {
    let args = "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'c', args: ['-v']}]}}";
    let (_server, client) = in_effect(policy("pods", json!([applies(args)]))).await;
    let refused = client.post(PODS, &pod("web")).await.refusal();
    assert_eq!(
        refused,
        "403 policy 'p' with binding 'p' denied request: error applying patch: invalid ApplyConfiguration: may not \
         mutate atomic arrays, maps or structs: .spec.containers[0].args"
    );
}

#[tokio::test]
async fn mutations_that_take_long_change_the_same() {
    let all = "object.data.all(one, object.data.all(other, one != other || one == other))";
    let configuration = format!("Object{{metadata: Object.metadata{{labels: {{'all': string({all})}}}}}}");
    let operations = format!("[JSONPatch{{op: 'add', path: '/data/all', value: string({all})}}]");
    let mut spec = policy("configmaps", json!([applies(&configuration), patches(&operations)]));
    spec["matchConditions"] = json!([{"name": "c", "expression": all}]);
    let (_server, client) = in_effect(spec).await;
    let data: Value = (0..200).map(|index| (format!("k{index}"), Value::from("v"))).collect();
    let created = client.post(CONFIG_MAPS, &config_map("c", data)).await.expect(201);
    assert_eq!(created["metadata"]["labels"], json!({"all": "true"}));
    assert_eq!((&created["data"]["all"], &created["data"]["k199"]), (&"true".into(), &"v".into()));
}

#[tokio::test]
async fn policies_see_what_others_have_changed_and_run_again_if_needed() {
    let (_server, client) = server().await;
    let count = "Object{data: {'count': string(size(object.data))}}";
    let counting =
        with(policy("configmaps", json!([applies(count)])), json!({"reinvocationPolicy": "IfNeeded"}));
    bind(&client, "a", counting).await;
    bind(&client, "b", policy("configmaps", json!([applies("Object{data: {'b': 'yes'}}")]))).await;
    let created = client.post(CONFIG_MAPS, &config_map("c", json!({"own": "1"}))).await.expect(201);
    assert_eq!(created["data"], json!({"own": "1", "b": "yes", "count": "3"}));
}

#[tokio::test]
async fn conditions_variables_and_parameters_are_those_of_validating_policies() {
    let (_server, client) = server().await;
    let spec = with(
        policy("configmaps", json!([applies("Object{data: {'tier': variables.tier}}")])),
        json!({
            "paramKind": {"apiVersion": "v1", "kind": "Secret"},
            "variables": [{"name": "tier", "expression": "params.metadata.name + '/' + request.operation"}],
            "matchConditions": [{"name": "wanted", "expression": "object.data.wanted == 'yes'"}],
        }),
    );
    client.post(&policies(), &object("p", spec)).await.expect(201);
    let reference = json!({"name": "tier", "parameterNotFoundAction": "Deny"});
    client
        .post(&bindings(), &object("p", json!({"policyName": "p", "paramRef": reference})))
        .await
        .expect(201);
    let refused = client.post(CONFIG_MAPS, &config_map("c", json!({"wanted": "yes"}))).await.refusal();
    assert_eq!(
        refused,
        "403 policy 'p' with binding 'p' denied request: failed to configure binding: no params found for policy \
         binding with `Deny` parameterNotFoundAction"
    );
    let secrets = CONFIG_MAPS.replace("configmaps", "secrets");
    client.post(&secrets, &json!({"metadata": {"name": "tier"}})).await.expect(201);
    let created = client.post(CONFIG_MAPS, &config_map("c", json!({"wanted": "yes"}))).await.expect(201);
    assert_eq!(created["data"]["tier"], "tier/CREATE");
    let other = client.post(CONFIG_MAPS, &config_map("d", json!({"wanted": "no"}))).await.expect(201);
    assert_eq!(other["data"], json!({"wanted": "no"}));
}

#[tokio::test]
async fn definitions_are_validated() {
    let (_server, client) = server().await;
    let refusal = async |spec: Value| {
        let refused = client.post(&policies(), &object("p", spec)).await.refusal();
        let start = "422 MutatingAdmissionPolicy.admissionregistration.k8s.io \"p\" is invalid: ";
        refused.strip_prefix(start).map_or(refused.clone(), str::to_owned)
    };
    assert_eq!(
        refusal(json!({"matchConstraints": constraints("", "pods")})).await,
        "[spec.mutations: Required value: mutations must contain at least one item, spec.reinvocationPolicy: Required \
         value]"
    );
    let deletes = json!({"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["DELETE"],
        "resources": ["pods"]}]});
    assert_eq!(
        refusal(with(policy("pods", json!([applies("Object{}")])), json!({"matchConstraints": deletes})))
            .await,
        "spec.matchConstraints.resourceRules.operations: Unsupported value: \"DELETE\": supported values: \"*\", \
         \"CONNECT\", \"CREATE\", \"UPDATE\""
    );
    assert_eq!(
        refusal(policy("pods", json!([applies("Object.spec{}")]))).await,
        "spec.mutations[0].applyConfiguration.expression: Invalid value: \"Object.spec{}\": must evaluate to Object \
         but got Object.spec"
    );
    assert_eq!(
        refusal(policy(
            "pods",
            json!([{"patchType": "JSONPatch", "applyConfiguration": {"expression": "Object{}"}}])
        ))
        .await,
        "[spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch, \
         spec.mutations[0].applyConfiguration: Invalid value: \"{applyConfiguration}\": must not be specified when \
         patchType is JSONPatch]"
    );
}

#[tokio::test]
async fn conditions_see_the_resource_of_the_request_and_mutations_that_which_has_matched() {
    let mut constraints = constraints("autoscaling", "horizontalpodautoscalers");
    constraints["resourceRules"][0]["apiVersions"] = json!(["v2"]);
    let label = "Object{metadata: Object.metadata{labels: {'saw': request.resource.version}}}";
    for (condition, matches) in OF_THE_CLIENT {
        let spec = json!({
            "matchConstraints": constraints, "mutations": [applies(label)], "reinvocationPolicy": "Never",
            "matchConditions": [{"name": "c", "expression": condition}],
        });
        let (_server, client) = in_effect(spec).await;
        let created = client.post(SCALERS, &scaler()).await.expect(201);
        assert_eq!(created["metadata"]["labels"]["saw"] == "v2", matches, "{condition}: {created}");
    }
}

#[tokio::test]
async fn a_patch_that_makes_another_kind_fails_the_write() {
    let gadgets_policy = |mutations: Value| json!({"matchConstraints": constraints("a.example", "gadgets"), "mutations": mutations, "reinvocationPolicy": "Never"});
    for is_custom in [false, true] {
        let cases = if is_custom { &CUSTOM_KINDS[..] } else { &KINDS };
        let versioned = [(
            "/metadata/resourceVersion",
            r#""5""#,
            Some("500 resourceVersion should not be set on objects to be created"),
        )];
        for (path, value, refused) in cases.iter().chain(&versioned) {
            let operation = match *path {
                "remove" => format!("op: 'remove', path: '{value}'"),
                path => format!("op: 'add', path: '{path}', value: {value}"),
            };
            let mutations = json!([patches(&format!("[JSONPatch{{{operation}}}]"))]);
            let spec = if is_custom { gadgets_policy(mutations) } else { policy("configmaps", mutations) };
            let (_server, client) = server().await;
            client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
            bind(&client, "p", spec).await;
            let answer = if is_custom {
                client.post(GADGETS, &gadget("g", json!({}))).await
            } else {
                client.post(CONFIG_MAPS, &config_map("c", json!({"a": "b"}))).await
            };
            match refused {
                None => assert_eq!(answer.status, 201, "{path} {value}: {}", answer.text()),
                Some(refused) => {
                    let refused = refused.replace('~', "Internal error occurred: failed to convert object: ");
                    assert!(answer.refusal().starts_with(&refused), "{path} {value}: {}", answer.text());
                }
            }
        }
    }
}

#[tokio::test]
async fn a_patch_may_have_any_number_of_operations() {
    let label =
        "lists.range(10001).map(i, JSONPatch{op: 'add', path: '/data/k' + string(i % 10), value: 'v'})";
    let (_server, client) = in_effect(policy("configmaps", json!([patches(label)]))).await;
    let created = client.post(CONFIG_MAPS, &config_map("c", json!({"a": "1"}))).await.expect(201);
    assert_eq!(created["data"].as_object().map(serde_json::Map::len), Some(11));
}
