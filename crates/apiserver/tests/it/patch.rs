//! Patches of every kind.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::{Client, sends};
use crate::objects::{
    CONFIG_MAPS, DEFINITIONS, GADGETS, anything, deployment, gadget, gadgets, named, version,
};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const REJECTED: &str = "422 the server rejected our request due to an error in our request";

async fn with_config_map(data: Value) -> (TestServer, Client, String) {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &json!({"metadata": {"name": "a"}, "data": data})).await.expect(201);
    (server, client, format!("{CONFIG_MAPS}/a"))
}

#[tokio::test]
async fn json_patches_do_all_or_nothing() {
    let (_server, client, path) = with_config_map(json!({"x": "1", "y": "2"})).await;
    let patch = json!([
        {"op": "test", "path": "/data/x", "value": "1"},
        {"op": "move", "from": "/data/x", "path": "/data/z"},
        {"op": "copy", "from": "/data/z", "path": "/data/w"},
        {"op": "replace", "path": "/data/y", "value": "3"},
    ]);
    let patched = client.patch(&path, "json", &patch).await.expect(200);
    assert_eq!(patched["data"], json!({"w": "1", "y": "3", "z": "1"}));
    for failing in [
        json!({"op": "test", "path": "/data/y", "value": "2"}),
        json!({"op": "remove", "path": "/data/nothing"}),
        json!({"op": "add", "path": "/nothing/there", "value": 1}),
        json!({"op": "zap", "path": "/data/y"}),
    ] {
        let patch = json!([{"op": "add", "path": "/data/new", "value": "v"}, failing]);
        assert_eq!(client.patch(&path, "json", &patch).await.refusal(), REJECTED, "{failing}");
    }
    assert_eq!(client.get(&path).await.expect(200), patched);
    let refusal = client.patch(&path, "json", &json!({})).await.refusal();
    assert!(refusal.starts_with("400 error decoding patch: json: cannot unmarshal object"), "{refusal}");
}

#[tokio::test]
async fn merge_patches_set_and_unset() {
    let (_server, client, path) = with_config_map(json!({"x": "1", "y": "2"})).await;
    let patch = json!({"data": {"x": null, "z": "3"}, "metadata": {"labels": {"a": "b"}}});
    let patched = client.patch(&path, "merge", &patch).await.expect(200);
    assert_eq!(patched["data"], json!({"y": "2", "z": "3"}));
    assert_eq!(patched["metadata"]["labels"], json!({"a": "b"}));
    let answer = client.send(Method::PATCH, &path, &sends("application/merge-patch+json"), "{").await;
    assert_eq!(answer.refusal(), "400 invalid JSON patch");
}

#[tokio::test]
async fn strategic_patches_know_lists() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{DEPLOYMENTS}/d");
    client.post(DEPLOYMENTS, &deployment("d")).await.expect(201);
    let containers = |containers: Value| json!({"spec": {"template": {"spec": {"containers": containers}}}});
    let names = |object: &Value| -> Vec<String> {
        let containers = object.pointer("/spec/template/spec/containers").and_then(Value::as_array);
        containers
            .into_iter()
            .flatten()
            .map(|c| format!("{}={}", c["name"], c["image"]).replace('"', ""))
            .collect()
    };
    let patch = containers(json!([{"name": "c", "image": "nginx:2"}, {"name": "s", "image": "side"}]));
    let patched = client.patch(&path, "strategic-merge", &patch).await.expect(200);
    let mut sorted = names(&patched);
    sorted.sort();
    assert_eq!(sorted, ["c=nginx:2", "s=side"]);
    let patch = containers(json!([{"name": "s", "$patch": "delete"}]));
    assert_eq!(names(&client.patch(&path, "strategic-merge", &patch).await.expect(200)), ["c=nginx:2"]);
    let unnamed = client.patch(&path, "strategic-merge", &containers(json!([{"image": "x"}]))).await;
    assert_eq!(unnamed.refusal(), "500 map: map[image:x] does not contain declared merge key: name");
}

#[tokio::test]
async fn custom_resources_take_no_strategic_patches() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    client.post(GADGETS, &gadget("g", json!({"list": [{"name": "a"}], "n": 1}))).await.expect(201);
    let path = format!("{GADGETS}/g");
    assert_eq!(client.patch(&path, "strategic-merge", &json!({})).await.status, 415);
    let patched = client.patch(&path, "merge", &json!({"spec": {"list": [{"name": "b"}]}})).await.expect(200);
    assert_eq!(patched["spec"], json!({"list": [{"name": "b"}], "n": 1}));
    let patch = json!([{"op": "replace", "path": "/spec/n", "value": 2}]);
    assert_eq!(client.patch(&path, "json", &patch).await.expect(200)["spec"]["n"], 2);
}

#[tokio::test]
async fn a_patch_of_a_version_that_has_passed_is_a_conflict() {
    let (_server, client, path) = with_config_map(json!({"x": "1"})).await;
    let old = version(&client.get(&path).await.expect(200)).to_string();
    let patch = |data: &str| json!({"metadata": {"resourceVersion": old}, "data": {"x": data}});
    client.patch(&path, "merge", &patch("2")).await.expect(200);
    let refusal = client.patch(&path, "merge", &patch("3")).await.refusal();
    assert!(refusal.starts_with("409 Operation cannot be fulfilled on configmaps \"a\""), "{refusal}");
    let tested = json!([
        {"op": "test", "path": "/metadata/resourceVersion", "value": old},
        {"op": "replace", "path": "/data/x", "value": "4"},
    ]);
    assert_eq!(client.patch(&path, "json", &tested).await.refusal(), REJECTED);
    assert_eq!(client.get(&path).await.expect(200)["data"]["x"], "2");
}

#[tokio::test]
async fn a_patch_leaves_name_and_kind_alone() {
    let (_server, client, path) = with_config_map(json!({})).await;
    let refusal = client.patch(&path, "merge", &named("b")).await.refusal();
    assert_eq!(refusal, "400 the name of the object (b) does not match the name on the URL (a)");
    let whole = json!([{"op": "replace", "path": "", "value": 1}]);
    assert_eq!(client.patch(&path, "json", &whole).await.refusal(), REJECTED);
    let refusal = client.patch(&format!("{CONFIG_MAPS}/b"), "merge", &json!({})).await.refusal();
    assert_eq!(refusal, r#"404 configmaps "b" not found"#);
}

#[tokio::test]
async fn status_and_scale_are_patched_apart() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{DEPLOYMENTS}/d");
    client.post(DEPLOYMENTS, &deployment("d")).await.expect(201);
    let both = json!({"spec": {"replicas": 4}, "status": {"replicas": 2}});
    let patched = client.patch(&format!("{path}/status"), "strategic-merge", &both).await.expect(200);
    assert_eq!([&patched["spec"]["replicas"], &patched["status"]["replicas"]], [1, 2]);
    for (kind, replicas) in [("merge", 3), ("strategic-merge", 5)] {
        let patch = json!({"spec": {"replicas": replicas}});
        let scale = client.patch(&format!("{path}/scale"), kind, &patch).await.expect(200);
        assert_eq!([&scale["kind"], &scale["spec"]["replicas"]], [&json!("Scale"), &json!(replicas)]);
        assert_eq!(scale["status"], json!({"replicas": 2, "selector": "app=d"}));
        assert_eq!(client.get(&path).await.expect(200)["spec"]["replicas"], replicas);
    }
    let mut scale = client.get(&format!("{path}/scale")).await.expect(200);
    scale["spec"]["replicas"] = 7.into();
    client.put(&format!("{path}/scale"), &scale).await.expect(200);
    assert_eq!(client.put(&format!("{path}/scale"), &scale).await.status, 409);
    let negative = json!({"spec": {"replicas": -1}});
    assert_eq!(client.patch(&format!("{path}/scale"), "merge", &negative).await.status, 422);
}

#[tokio::test]
async fn a_bare_null_patch_changes_nothing() {
    let (_server, client, path) = with_config_map(json!({"x": "1"})).await;
    let before = client.get(&path).await.expect(200);
    for kind in ["strategic-merge", "json"] {
        assert_eq!(client.patch(&path, kind, &Value::Null).await.expect(200), before, "{kind}");
    }
    assert_eq!(client.patch(&path, "merge", &Value::Null).await.refusal(), "400 Invalid JSON Patch");
    for (value, ty) in [(json!([]), "array"), (json!("x"), "string"), (json!(1), "number")] {
        let problem = format!("json: cannot unmarshal {ty} into Go value of type map[string]interface {{}}");
        let refusal = client.patch(&path, "strategic-merge", &value).await.refusal();
        assert_eq!(refusal, format!("400 {problem}"));
        let refusal = client.patch(&path, "merge", &value).await.refusal();
        assert_eq!(refusal, format!("400 error decoding patch: {problem}"));
        let missing = format!("{CONFIG_MAPS}/nothing");
        assert_eq!(client.patch(&missing, "strategic-merge", &value).await.status, 404);
    }
}

/// Fields changed by a patch are sorted; the others are in the order of their struct.
#[tokio::test]
async fn a_refused_patch_is_quoted_as_upstream_makes_it() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    let path = format!("{DEPLOYMENTS}/d");
    let mut labelled = deployment("d");
    labelled["metadata"]["labels"] = json!({"b": "1", "a": "2"});
    client.post(DEPLOYMENTS, &labelled).await.expect(201);
    let quoted = |answer: crate::answer::Answer| -> String {
        let refusal = answer.refusal();
        let start = r#"422  "" is invalid: patch: Invalid value: "#;
        assert!(refusal.starts_with(start), "{refusal}");
        refusal.replace('\\', "")
    };
    let metadata_as_in_the_struct = |text: &str| {
        let places = [
            "\"name\":\"d\"",
            "\"namespace\"",
            "\"uid\"",
            "\"resourceVersion\"",
            "\"generation\"",
            "\"creationTimestamp\"",
            "\"labels\":{\"a\":\"2\",\"b\":\"1\"}",
        ]
        .map(|part| text.find(part).unwrap_or_else(|| panic!("there is no {part} in {text}")));
        assert!(places.is_sorted(), "{places:?} {text}");
    };
    for (kind, patch) in [
        ("merge", json!({"spec": {"replicas": "x"}})),
        ("json", json!([{"op": "replace", "path": "/spec/replicas", "value": "x"}])),
    ] {
        let text = quoted(client.patch(&path, kind, &patch).await);
        assert!(
            text.contains(r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","#),
            "{text}"
        );
        metadata_as_in_the_struct(&text);
        let sorted = [
            "progressDeadlineSeconds",
            "replicas",
            "revisionHistoryLimit",
            "selector",
            "strategy",
            "template",
        ];
        let places = sorted.map(|field| text.find(&format!("\"{field}\":")).expect("it is quoted"));
        assert!(places.is_sorted(), "{places:?} {text}");
    }
    let strict = format!("{path}?fieldValidation=Strict");
    let text = quoted(client.patch(&strict, "merge", &json!({"spec": {"odd": 1}})).await);
    metadata_as_in_the_struct(&text);
    assert!(text.ends_with(r#"strict decoding error: unknown field "spec.odd""#), "{text}");
    let reaches = json!({"metadata": {"annotations": {"z": "1"}}, "spec": {"replicas": "x"}});
    let text = quoted(client.patch(&path, "merge", &reaches).await);
    assert!(text.contains(r#""metadata":{"annotations":{"#), "{text}");
}

#[tokio::test]
async fn a_patch_cannot_make_another_kind() {
    let (_server, client, path) = with_config_map(json!({"x": "1"})).await;
    let before = client.get(&path).await.expect(200);
    for (patch, problem) in [
        (
            json!({"apiVersion": "v2"}),
            r#"no kind "ConfigMap" is registered for version "v2" in scheme "pkg/runtime/scheme.go:111""#,
        ),
        (
            json!({"kind": "Foo"}),
            r#"no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111""#,
        ),
        (json!({"kind": "Secret"}), "illegal base64 data at input byte 0"),
        (
            json!({"kind": "Secret", "data": null}),
            "converting (v1.Secret) to (core.ConfigMap): unknown conversion",
        ),
    ] {
        let refusal = client.patch(&path, "merge", &patch).await.refusal();
        assert!(refusal.starts_with(r#"422  "" is invalid: patch: Invalid value: "{"#), "{refusal}");
        assert!(refusal.ends_with(&format!(": {problem}")), "{refusal}");
        if patch.get("data").is_none() {
            assert_eq!(client.patch(&path, "strategic-merge", &patch).await.expect(200), before);
        }
    }
    assert_eq!(client.patch(&path, "merge", &json!({"kind": null})).await.expect(200), before);
}

#[tokio::test]
async fn a_patch_moves_nothing_to_another_namespace() {
    let (_server, client, path) = with_config_map(json!({})).await;
    let node = "/api/v1/nodes/n";
    client.post("/api/v1/nodes", &named("n")).await.expect(201);
    for kind in ["merge", "strategic-merge"] {
        let to = |namespace: Value| json!({"metadata": {"namespace": namespace}});
        assert_eq!(
            client.patch(&path, kind, &to("other".into())).await.refusal(),
            "400 the namespace of the provided object does not match the namespace sent on the request"
        );
        for namespace in ["default".into(), "".into(), Value::Null] {
            let patched = client.patch(&path, kind, &to(namespace)).await.expect(200);
            assert_eq!(patched["metadata"]["namespace"], "default");
        }
        // A cluster-scoped object gets no namespace.
        let patched = client.patch(node, kind, &to("other".into())).await.expect(200);
        assert_eq!(patched["metadata"]["namespace"], Value::Null);
    }
    let removed = json!([{"op": "remove", "path": "/metadata/namespace"}]);
    client.patch(&path, "json", &removed).await.expect(200);
}

#[tokio::test]
async fn a_patch_may_not_change_the_kind() {
    let (_server, client, config_map) = with_config_map(json!({"x": "1"})).await;
    client.post(DEPLOYMENTS, &deployment("d")).await.expect(201);
    let scale = format!("{DEPLOYMENTS}/d/scale");
    for (path, api_version) in [(&config_map, "v1"), (&scale, "autoscaling/v1")] {
        let replace = |field: &str, value: Value| json!([{"op": "replace", "path": field, "value": value}]);
        for (patch, problem) in [
            (
                replace("/kind", json!(1)),
                "couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string".to_owned(),
            ),
            (
                replace("/kind", json!("Foo")),
                format!(r#"no kind "Foo" is registered for version "{api_version}" in scheme "pkg/runtime/scheme.go:111""#),
            ),
            (
                replace("", json!([])),
                r#"couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#.to_owned(),
            ),
        ] {
            let refusal = client.patch(path, "json", &patch).await.refusal();
            assert!(refusal.starts_with(r#"422  "" is invalid: patch: Invalid value: "#), "{refusal}");
            assert!(refusal.ends_with(&problem), "{refusal}");
        }
        let removed = client.patch(path, "json", &json!([{"op": "remove", "path": "/apiVersion"}])).await;
        assert!(removed.warnings().contains(&r#"unknown field "metadata""#.to_owned()), "{removed:?}");
        assert!(removed.refusal().ends_with("was undeterminable: name must be provided"), "{removed:?}");
        client.patch(path, "json", &json!([{"op": "remove", "path": "/kind"}])).await.expect(200);
        assert_eq!(
            client.patch(path, "json", &json!([{"op": "remove", "path": ""}])).await.refusal(),
            REJECTED
        );
    }
}

#[tokio::test]
async fn what_is_no_character_is_replaced() {
    let (_server, client, path) = with_config_map(json!({})).await;
    let bodies = [
        ("merge-patch+json", &br#"{"data":{"a":"VALUE"}}"#[..]),
        ("strategic-merge-patch+json", br#"{"data":{"a":"VALUE"}}"#),
        ("json-patch+json", br#"[{"op":"add","path":"/data","value":{"a":"VALUE"}}]"#),
    ];
    for (media, body) in bodies {
        for (value, expected) in [
            (&br"\ud800x"[..], "\u{fffd}x"),
            (br"\udc00\ud83d\ude00", "\u{fffd}\u{1f600}"),
            (b"a\xe2\x82b", "a\u{fffd}\u{fffd}b"),
        ] {
            let at = body.windows(5).position(|window| window == b"VALUE").expect("a place");
            let body = [&body[..at], value, &body[at + 5..]].concat();
            let patched =
                client.send(Method::PATCH, &path, &sends(&format!("application/{media}")), body).await;
            assert_eq!(patched.expect(200)["data"]["a"], expected, "{media}");
        }
    }
}

#[tokio::test]
async fn what_is_not_known_may_be_deep() {
    let (_server, client, path) = with_config_map(json!({})).await;
    for depth in [100, 130, 9_990] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let body = format!(r#"{{"metadata":{{"name":"a"}},"x":{nested}}}"#);
        let media =
            ["application/json", "application/merge-patch+json", "application/strategic-merge-patch+json"];
        for (method, media) in [Method::PUT, Method::PATCH, Method::PATCH].into_iter().zip(media) {
            let answer = client.send(method, &path, &sends(media), body.clone()).await;
            answer.expect(200);
            assert_eq!(answer.warnings(), [r#"unknown field "x""#], "{media} {depth}");
        }
    }
}

#[tokio::test]
async fn an_object_that_a_patch_replaces_stays_in_its_namespace() {
    let (_server, client, path) = with_config_map(json!({"x": "1"})).await;
    let patch = json!({"$patch": "replace", "metadata": {"name": "a"}, "data": {"z": "1"}});
    let replaced =
        client.patch(&format!("{path}?fieldValidation=Strict"), "strategic-merge", &patch).await.expect(200);
    assert_eq!(
        (&replaced["metadata"]["namespace"], &replaced["data"]),
        (&json!("default"), &json!({"z": "1"}))
    );
}
