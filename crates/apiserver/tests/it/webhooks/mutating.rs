//! Webhooks that change objects.

use http::Method;
use serde_json::{Value, json};

use crate::hook::{Hook, MUTATING, Posted, Reply, configuration, webhook};
use crate::objects::{CONFIG_MAPS, DEFINITIONS, GADGETS, anything, gadget, gadgets, named};

/// Appends the path of the webhook to the value `seen` of a ConfigMap.
fn append(posted: &Posted) -> Reply {
    let seen = posted.request()["object"]["data"]["seen"].as_str().unwrap_or_default();
    let name = posted.path.split('?').next().unwrap_or_default().trim_start_matches('/');
    Reply::patch(&json!([
        {"op": "add", "path": "/data", "value": {"seen": format!("{seen}{name}")}},
    ]))
}

#[tokio::test]
async fn webhooks_change_an_object_in_the_order_of_their_configurations() {
    let hook = Hook::start(append).await;
    let (_server, admin) = hook.server().await;
    let webhooks = ["a", "b"]
        .map(|path| webhook(&format!("{path}.shop.example"), hook.at_url(&format!("/{path}")), &Value::Null));
    admin.post(MUTATING, &configuration("second", &webhooks)).await.expect(201);
    let first = webhook("c.shop.example", hook.at_service("/c"), &Value::Null);
    admin.post(MUTATING, &configuration("first", &[first])).await.expect(201);
    let created = admin.post(CONFIG_MAPS, &named("m")).await.expect(201);
    assert_eq!(created["data"], json!({"seen": "cab"}));
    // Fields that admission sets have no manager.
    assert_eq!(created["metadata"]["managedFields"], Value::Null);
    let applied =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"seen": "-"}});
    let path = format!("{CONFIG_MAPS}/m?fieldManager=me&force=true");
    let media = [("content-type", "application/apply-patch+yaml")];
    let applied = admin.send(Method::PATCH, &path, &media, applied.to_string()).await.expect(200);
    assert_eq!(applied["data"], json!({"seen": "-cab"}));
    let owned = &applied["metadata"]["managedFields"][0]["fieldsV1"]["f:data"];
    assert_eq!(owned, &json!({"f:seen": {}}));
}

#[tokio::test]
async fn a_webhook_is_called_again_after_later_changes_if_it_says_so() {
    let hook = Hook::start(append).await;
    let (_server, admin) = hook.server().await;
    let webhooks = [("a", "IfNeeded"), ("b", "Never"), ("c", "IfNeeded")].map(|(path, policy)| {
        let others = json!({"reinvocationPolicy": policy});
        webhook(&format!("{path}.shop.example"), hook.at_url(&format!("/{path}")), &others)
    });
    admin.post(MUTATING, &configuration("all", &webhooks)).await.expect(201);
    let created = admin.post(CONFIG_MAPS, &named("m")).await.expect(201);
    // The change of `c` in the first run lets `a` be called again, and that of `a` lets `c`.
    assert_eq!(created["data"], json!({"seen": "abcac"}));
}

#[tokio::test]
async fn an_object_whose_name_is_generated_has_none_yet() {
    let hook = Hook::start(|posted| {
        assert_eq!(posted.request()["name"], Value::Null);
        Reply::patch(&json!([{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]))
    })
    .await;
    let (_server, admin) = hook.server().await;
    let webhook = webhook("a.shop.example", hook.at_url("/"), &Value::Null);
    admin.post(MUTATING, &configuration("a", &[webhook])).await.expect(201);
    let created = admin.post(CONFIG_MAPS, &json!({"metadata": {"generateName": "g-"}})).await.expect(201);
    assert_eq!(created["metadata"]["labels"], json!({"a": "b"}));
}

#[tokio::test]
async fn a_changed_object_is_defaulted_and_validated() {
    let hook = Hook::start(|posted| {
        let name = posted.request()["name"].as_str().unwrap_or_default();
        Reply::patch(&match name {
            "port" => json!([{"op": "replace", "path": "/spec/ports", "value": [{"port": 80}]}]),
            _ => json!([{"op": "replace", "path": "/spec/ports", "value": [{"port": 0}]}]),
        })
    })
    .await;
    let (_server, admin) = hook.server().await;
    let rules = json!({ "rules": [{
        "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["services"],
    }] });
    let webhook = webhook("a.shop.example", hook.at_url("/"), &rules);
    admin.post(MUTATING, &configuration("a", &[webhook])).await.expect(201);
    let services = "/api/v1/namespaces/default/services";
    let service = |name: &str| json!({"metadata": {"name": name}, "spec": {"ports": [{"port": 1}]}});
    let created = admin.post(services, &service("port")).await.expect(201);
    assert_eq!(created["spec"]["ports"], json!([{"protocol": "TCP", "port": 80, "targetPort": 80}]));
    let refused = admin.post(services, &service("none")).await.refusal();
    assert!(refused.starts_with(r#"422 Service "none" is invalid: "#), "{refused}");
}

#[tokio::test]
async fn a_custom_resource_is_pruned_and_its_scale_is_changed() {
    let hook = Hook::start(|posted| {
        Reply::patch(&match posted.request()["subResource"].as_str() {
            Some("scale") => json!([{"op": "replace", "path": "/spec/replicas", "value": 7}]),
            _ => json!([
                {"op": "add", "path": "/spec/size", "value": 5},
                {"op": "add", "path": "/unknown", "value": 1},
            ]),
        })
    })
    .await;
    let (_server, admin) = hook.server().await;
    let mut definition = gadgets(json!({"type": "object", "properties": {
        "size": {"type": "integer"}, "replicas": {"type": "integer"},
    }}));
    definition["spec"]["versions"][0]["subresources"] =
        json!({"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}});
    admin.post(DEFINITIONS, &definition).await.expect(201);
    let rules = json!({ "rules": [{
        "operations": ["*"], "apiGroups": ["a.example"], "apiVersions": ["v1"],
        "resources": ["gadgets", "gadgets/scale"],
    }] });
    let webhook = webhook("a.shop.example", hook.at_url("/"), &rules);
    admin.post(MUTATING, &configuration("a", &[webhook])).await.expect(201);
    let created = admin.post(GADGETS, &gadget("g", json!({"replicas": 1}))).await.expect(201);
    assert_eq!(created["spec"], json!({"replicas": 1, "size": 5}));
    assert_eq!(created["unknown"], Value::Null);
    let scaled = admin.patch(&format!("{GADGETS}/g/scale"), "merge", &json!({"spec": {"replicas": 2}})).await;
    assert_eq!(scaled.expect(200)["spec"]["replicas"], 7);
}

#[tokio::test]
async fn managed_fields_that_a_webhook_spoils_are_restored() {
    let hook = Hook::start(|_| {
        let managed = json!([{"manager": "x", "operation": "Nonsense", "apiVersion": "v1"}]);
        Reply::patch(&json!([{"op": "add", "path": "/metadata/managedFields", "value": managed}]))
    })
    .await;
    let (_server, admin) = hook.server().await;
    let webhook = webhook("a.shop.example", hook.at_url("/"), &Value::Null);
    admin.post(MUTATING, &configuration("a", &[webhook])).await.expect(201);
    let answer = admin
        .post(
            &format!("{CONFIG_MAPS}?fieldManager=me"),
            &json!({"metadata": {"name": "m"}, "data": {"a": "b"}}),
        )
        .await;
    assert_eq!(answer.expect(201)["metadata"]["managedFields"][0]["manager"], "me");
    let [warning] = &answer.warnings()[..] else { panic!("{:?}", answer.warnings()) };
    assert!(
        warning.starts_with(".metadata.managedFields was in an invalid state after admission"),
        "{warning}"
    );
}

#[tokio::test]
async fn a_webhook_gives_a_new_object_no_status() {
    let hook = Hook::start(|_| Reply::patch(&json!([{"op": "add", "path": "/status", "value": {}}]))).await;
    let (_server, admin) = hook.server().await;
    admin.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    let rules = json!({ "rules": [{
        "operations": ["CREATE"], "apiGroups": ["a.example"], "apiVersions": ["v1"], "resources": ["gadgets"],
    }] });
    let webhook = webhook("w.shop.example", hook.at_url("/"), &rules);
    admin.post(MUTATING, &configuration("w", &[webhook])).await.expect(201);
    let created = admin.post(GADGETS, &gadget("g", json!({}))).await.expect(201);
    assert_eq!((created.get("status"), hook.posted().len()), (None, 1));
}

/// The refusal of an object whose kind is a number.
const NO_KIND: &str = "500 Internal error occurred: couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string";

/// The refusals of ConfigMaps whose kind or apiVersion a patch changes, in upstream's words; `None` if they are created.
pub(crate) const KINDS: [(&str, &str, Option<&str>); 7] = [
    ("remove", "/kind", None),
    ("remove", "/apiVersion", None),
    (
        "/kind",
        r#""Nope""#,
        Some(
            r#"500 Internal error occurred: no kind "Nope" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111""#,
        ),
    ),
    ("/kind", r#""Secret""#, Some("500 Internal error occurred: illegal base64 data at input byte 0")),
    ("/kind", "5", Some(NO_KIND)),
    (
        "/apiVersion",
        r#""v2""#,
        Some(
            r#"500 Internal error occurred: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/runtime/scheme.go:111""#,
        ),
    ),
    (
        "/apiVersion",
        r#""a.example/v1""#,
        Some(
            r#"500 Internal error occurred: no kind "ConfigMap" is registered for version "a.example/v1" in scheme "pkg/runtime/scheme.go:111""#,
        ),
    ),
];

/// As [`KINDS`], of Gadgets. The words of a policy begin with `failed to convert object: ` where `~` stands.
pub(crate) const CUSTOM_KINDS: [(&str, &str, Option<&str>); 6] = [
    (
        "remove",
        "/kind",
        Some(
            "500 Internal error occurred: Object 'Kind' is missing in '{\"apiVersion\":\"a.example/v1\",\"metadata\":{",
        ),
    ),
    (
        "/kind",
        r#""Nope""#,
        Some(r#"422 Nope.a.example "g" is invalid: kind: Invalid value: "Nope": must be Gadget"#),
    ),
    ("/kind", "5", Some(NO_KIND)),
    (
        "remove",
        "/apiVersion",
        Some(r#"500 ~/, Kind=Gadget is unstructured and is not suitable for converting to "a.example/v1""#),
    ),
    (
        "/apiVersion",
        r#""v2""#,
        Some(r#"500 ~/v2, Kind=Gadget is unstructured and is not suitable for converting to "a.example/v1""#),
    ),
    (
        "/apiVersion",
        r#""a.example/v9""#,
        Some("500 ~request to convert CR from an invalid group/version: a.example/v9"),
    ),
];

#[tokio::test]
async fn a_patch_that_makes_another_kind_fails_the_write() {
    // The patch is in an annotation of the object.
    let hook = Hook::start(|posted| {
        let patch = posted.request()["object"]["metadata"]["annotations"]["patch"].as_str();
        Reply::patch(&serde_json::from_str(patch.expect("it is annotated")).expect("it is JSON"))
    })
    .await;
    let (_server, admin) = hook.server().await;
    admin.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    let rules = json!({ "rules": [{
        "operations": ["CREATE"], "apiGroups": ["", "a.example"], "apiVersions": ["v1"], "resources": ["configmaps", "gadgets"],
    }] });
    let webhook = webhook("w.shop.example", hook.at_url("/"), &rules);
    admin.post(MUTATING, &configuration("w", &[webhook])).await.expect(201);
    let post = async |collection: &str, mut object: Value, operations: &Value| {
        object["metadata"]["annotations"] = json!({"patch": operations.to_string()});
        admin.post(collection, &object).await
    };
    let config_map = || json!({"metadata": {"name": "c"}, "data": {"a": "b"}});
    for (collection, object, cases) in
        [(CONFIG_MAPS, config_map(), &KINDS[..]), (GADGETS, gadget("g", json!({})), &CUSTOM_KINDS)]
    {
        for (path, value, refused) in cases {
            let operation = match *path {
                "remove" => json!({"op": "remove", "path": value}),
                path => {
                    json!({"op": "replace", "path": path, "value": serde_json::from_str::<Value>(value).expect("it is JSON")})
                }
            };
            let answer = post(&format!("{collection}?dryRun=All"), object.clone(), &json!([operation])).await;
            match refused {
                None => assert_eq!(answer.status, 201, "{path} {value}: {}", answer.text()),
                Some(refused) => {
                    let refused = refused.replace('~', "");
                    assert!(answer.refusal().starts_with(&refused), "{path} {value}: {}", answer.text());
                }
            }
        }
        // Nor does one say at which version it was stored.
        let versioned = json!([{"op": "add", "path": "/metadata/resourceVersion", "value": "5"}]);
        let refusal = post(collection, object.clone(), &versioned).await.refusal();
        assert_eq!(refusal, "500 resourceVersion should not be set on objects to be created");
        let shown = post(&format!("{collection}?dryRun=All"), object.clone(), &versioned).await.expect(201);
        assert_eq!(shown["metadata"]["resourceVersion"], "5");
        let few = json!([{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]);
        assert_eq!(post(collection, object, &few).await.expect(201)["metadata"]["labels"]["a"], "b");
    }
}

#[tokio::test]
async fn a_patch_may_have_any_number_of_operations() {
    let hook = Hook::start(|_| {
        let label = |index: usize| json!({"op": "add", "path": format!("/metadata/labels/l{}", index % 10), "value": "x"});
        let first = json!({"op": "add", "path": "/metadata/labels", "value": {}});
        Reply::patch(&std::iter::once(first).chain((0..10_001).map(label)).collect())
    })
    .await;
    let (_server, admin) = hook.server().await;
    let webhook = webhook("w.shop.example", hook.at_url("/"), &Value::Null);
    admin.post(MUTATING, &configuration("w", &[webhook])).await.expect(201);
    let created = admin.post(CONFIG_MAPS, &named("c")).await.expect(201);
    assert_eq!(created["metadata"]["labels"].as_object().map(serde_json::Map::len), Some(10));
}

/// As kube-apiserver 1.37 answers: what is applied is pruned, and loses its `null`s, only when it is stored.
#[tokio::test]
async fn a_custom_resource_that_a_webhook_changes_keeps_what_its_schema_refuses() {
    let hook = Hook::start(|_| {
        Reply::patch(&json!([{"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}}]))
    })
    .await;
    let (_server, admin) = hook.server().await;
    let labels = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let definition = gadgets(json!({"type": "object", "properties": {"labels": labels}}));
    admin.post(DEFINITIONS, &definition).await.expect(201);
    let condition = "has(object.metadata.labels) && 'app' in object.metadata.labels";
    let conditional =
        json!({"failurePolicy": "Fail", "matchConditions": [{"name": "c", "expression": condition}]});
    let webhooks = [
        webhook("a.shop.example", hook.at_url("/"), &Value::Null),
        webhook("b.shop.example", hook.at_url("/"), &conditional),
    ];
    let webhooks = webhooks.map(|mut webhook| {
        webhook["rules"] = json!([{
            "operations": ["*"], "apiGroups": ["a.example"], "apiVersions": ["*"], "resources": ["*"],
        }]);
        webhook
    });
    admin.post(MUTATING, &configuration("a", &webhooks)).await.expect(201);
    let apply = async |metadata: Value, spec: Value| {
        let mut config = gadget("g", spec);
        config["metadata"] = metadata;
        let media = [("content-type", "application/apply-patch+yaml")];
        let path = format!("{GADGETS}/g?fieldManager=me&force=true");
        admin.send(Method::PATCH, &path, &media, config.to_string()).await
    };
    let refused = apply(json!({"name": "g"}), json!({"labels": {"m": null}})).await.refusal();
    let problem =
        r#"spec.labels.m: Invalid value: "null": spec.labels.m in body must be of type string: "null""#;
    assert_eq!(refused, format!(r#"422 Gadget.a.example "g" is invalid: {problem}"#));
    let refused = apply(json!({"name": "g", "labels": null}), json!({})).await.refusal();
    let problem = format!("expression '{condition}' resulted in error: no such overload");
    assert_eq!(refused, format!(r#"403 gadgets.a.example "g" is forbidden: {problem}"#));
    apply(json!({"name": "g", "labels": {"app": "a"}}), json!({"labels": {"m": "n"}})).await.expect(201);
}
