//! Webhooks that validate: their requests, and how they reject.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::client::{Client, soon};
use crate::hook::{Hook, Reply, VALIDATING, configuration, webhook};
use crate::objects::{CONFIG_MAPS, NAMESPACES, PODS, deployment, named, pod};

async fn register(admin: &Client, hook: &Hook, others: &Value) {
    let webhook = webhook("check.shop.example", hook.at_service("/check"), others);
    admin.post(VALIDATING, &configuration("check", &[webhook])).await.expect(201);
}

/// A webhook for all operations on a resource.
fn all_of(resource: &str, group: &str) -> Value {
    json!({ "rules": [{
        "operations": ["*"], "apiGroups": [group], "apiVersions": ["*"], "resources": [resource],
    }] })
}

#[tokio::test]
async fn a_webhook_gets_the_write_as_upstream_sends_it() {
    let hook = Hook::start(|_| Reply::allow()).await;
    let (_server, admin) = hook.server().await;
    register(&admin, &hook, &all_of("configmaps", "")).await;
    let path = format!("{CONFIG_MAPS}?fieldManager=me&fieldValidation=Strict");
    let created =
        admin.post(&path, &json!({"metadata": {"name": "a"}, "data": {"k": "1"}})).await.expect(201);
    admin
        .patch(&format!("{CONFIG_MAPS}/a?dryRun=All"), "merge", &json!({"data": {"k": "2"}}))
        .await
        .expect(200);
    admin.delete(&format!("{CONFIG_MAPS}/a?gracePeriodSeconds=0")).await.expect(200);

    let posted = hook.posted();
    assert_eq!(posted.len(), 3);
    assert_eq!(posted[0].path, "/check?timeout=10s");
    assert_eq!(
        (&posted[0].review["kind"], &posted[0].review["apiVersion"]),
        (&json!("AdmissionReview"), &json!("admission.k8s.io/v1"))
    );
    let mut request = posted[0].request().clone();
    assert_eq!(request["uid"].as_str().map(str::len), Some(36));
    // The object is that which is stored.
    let mut stored = created.clone();
    stored["metadata"].as_object_mut().expect("it has metadata").remove("resourceVersion");
    assert_eq!(request["object"], stored);
    request["object"] = Value::Null;
    request["uid"] = Value::Null;
    let kind = json!({"group": "", "version": "v1", "kind": "ConfigMap"});
    let resource = json!({"group": "", "version": "v1", "resource": "configmaps"});
    let user = request["userInfo"].clone();
    assert_eq!(user["username"], "kubernetes-admin");
    assert_eq!(
        request,
        json!({
            "uid": null, "kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource,
            "name": "a", "namespace": "default", "operation": "CREATE", "userInfo": user,
            "object": null, "oldObject": null, "dryRun": false,
            "options": {
                "kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "me",
                "fieldValidation": "Strict",
            },
        })
    );

    let update = posted[1].request();
    assert_eq!((&update["operation"], &update["dryRun"]), (&json!("UPDATE"), &json!(true)));
    assert_eq!(update["oldObject"], created);
    assert_eq!(update["object"]["data"], json!({"k": "2"}));
    assert_eq!(
        update["options"],
        json!({"kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1", "dryRun": ["All"]})
    );

    let delete = posted[2].request();
    assert_eq!((&delete["operation"], &delete["object"]), (&json!("DELETE"), &Value::Null));
    assert_eq!(delete["oldObject"], created);
    let options = json!({"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", "gracePeriodSeconds": 0});
    assert_eq!(delete["options"], options);
}

#[tokio::test]
async fn a_webhook_rejects_in_its_own_words() {
    let hook = Hook::start(|posted| {
        let name = posted.request()["name"].as_str().unwrap_or_default();
        let status = match name {
            "silent" => Value::Null,
            "reason" => json!({"reason": "Conflict", "code": 409}),
            "success" => json!({"status": "Success", "code": 200, "message": "no"}),
            _ => {
                json!({"code": 403, "message": "it is bad", "reason": "Forbidden", "details": {"kind": "x"}})
            }
        };
        Reply::Response(json!({"allowed": false, "status": status, "warnings": ["take care"]}))
    })
    .await;
    let (_server, admin) = hook.server().await;
    register(&admin, &hook, &Value::Null).await;
    let denied = r#"admission webhook "check.shop.example" denied the request"#;
    for (name, refusal) in [
        ("silent", format!("400 {denied} without explanation")),
        ("reason", format!("409 {denied}: Conflict")),
        ("success", format!("400 {denied}: no")),
        ("bad", format!("403 {denied}: it is bad")),
    ] {
        let answer = admin.post(CONFIG_MAPS, &named(name)).await;
        assert_eq!(answer.refusal(), refusal);
        assert_eq!(answer.warnings(), ["take care"], "{name}");
    }
    let answer = admin.post(CONFIG_MAPS, &named("bad")).await.json();
    assert_eq!((&answer["reason"], &answer["details"]), (&json!("Forbidden"), &json!({"kind": "x"})));
    admin.get(&format!("{CONFIG_MAPS}/bad")).await.expect(404);
}

#[tokio::test]
async fn deletions_are_rejected_one_by_one() {
    let hook = Hook::start(|posted| {
        let keeps = posted.request()["oldObject"]["metadata"]["name"] == "b";
        Reply::Response(json!({"allowed": !keeps, "status": {"message": "it is kept"}}))
    })
    .await;
    let (_server, admin) = hook.server().await;
    let rules = json!({ "rules": [{
        "operations": ["DELETE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
    }] });
    register(&admin, &hook, &rules).await;
    for name in ["a", "b"] {
        admin.post(CONFIG_MAPS, &named(name)).await.expect(201);
    }
    let refused = r#"400 admission webhook "check.shop.example" denied the request: it is kept"#;
    assert_eq!(admin.delete(&format!("{CONFIG_MAPS}/b")).await.refusal(), refused);
    assert_eq!(admin.delete(CONFIG_MAPS).await.refusal(), refused);
    admin.get(&format!("{CONFIG_MAPS}/a")).await.expect(404);
    admin.get(&format!("{CONFIG_MAPS}/b")).await.expect(200);
    // One that is not there is not deleted.
    assert_eq!(admin.delete(&format!("{CONFIG_MAPS}/c")).await.refusal(), r#"404 configmaps "c" not found"#);
    let before = hook.posted().len();
    admin.delete(&format!("{CONFIG_MAPS}/c")).await.expect(404);
    assert_eq!(hook.posted().len(), before);
}

#[tokio::test]
async fn a_namespace_is_emptied_under_the_eyes_of_webhooks() {
    let hook = Hook::start(|_| Reply::allow()).await;
    let (_server, admin) = hook.server().await;
    let rules = json!({ "rules": [{
        "operations": ["DELETE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
    }] });
    register(&admin, &hook, &rules).await;
    admin.post(NAMESPACES, &named("shop")).await.expect(201);
    admin.post("/api/v1/namespaces/shop/configmaps", &named("a")).await.expect(201);
    admin.delete(&format!("{NAMESPACES}/shop")).await.expect(200);
    while admin.get(&format!("{NAMESPACES}/shop")).await.status != 404 {
        tokio::task::yield_now().await;
    }
    let posted = hook.posted();
    assert_eq!(posted[0].request()["oldObject"]["metadata"]["name"], "a");
    let user = &posted[0].request()["userInfo"]["username"];
    assert_eq!(user, "system:serviceaccount:kube-system:namespace-controller");
}

#[tokio::test]
async fn subresources_are_objects_of_their_own_kinds() {
    let hook = Hook::start(|_| Reply::allow()).await;
    let (_server, admin) = hook.server().await;
    let rules = json!({ "rules": [{
        "operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"],
    }] });
    admin.post("/apis/apps/v1/namespaces/default/deployments", &deployment("web")).await.expect(201);
    admin.post(PODS, &pod("p")).await.expect(201);
    register(&admin, &hook, &rules).await;
    let web = "/apis/apps/v1/namespaces/default/deployments/web";
    admin.patch(&format!("{web}/scale"), "merge", &json!({"spec": {"replicas": 3}})).await.expect(200);
    admin.patch(&format!("{web}/status"), "merge", &json!({"status": {"replicas": 2}})).await.expect(200);
    let binding = json!({"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}});
    admin.post(&format!("{PODS}/p/binding"), &binding).await.expect(201);
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}});
    admin.post(&format!("{PODS}/p/eviction"), &eviction).await.expect(201);
    admin.post("/api/v1/namespaces/default/serviceaccounts", &named("robot")).await.expect(201);
    admin.post("/api/v1/namespaces/default/serviceaccounts/robot/token", &json!({})).await.expect(201);
    let seen: Vec<String> = hook
        .posted()
        .iter()
        .map(|posted| {
            let request = posted.request();
            let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            format!(
                "{} {}/{} {} {} {}",
                text("/operation"),
                text("/resource/resource"),
                text("/subResource"),
                text("/kind/kind"),
                text("/object/apiVersion"),
                text("/oldObject/kind"),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "UPDATE deployments/scale Scale autoscaling/v1 Scale",
            "UPDATE deployments/status Deployment apps/v1 Deployment",
            "CREATE pods/binding Binding v1 ",
            "CREATE pods/eviction Eviction policy/v1 ",
            "CREATE serviceaccounts/ ServiceAccount v1 ",
            "CREATE serviceaccounts/token TokenRequest authentication.k8s.io/v1 ",
        ]
    );
    assert_eq!(hook.posted()[0].request()["object"]["spec"], json!({"replicas": 3}));
}

#[tokio::test]
async fn all_webhooks_of_a_write_are_called_at_once() {
    // Each waits for the other: called one after the other, none would answer.
    let barrier = std::sync::Arc::new(std::sync::Barrier::new(2));
    let both = |barrier: std::sync::Arc<std::sync::Barrier>| {
        move |_: &crate::hook::Posted| {
            tokio::task::block_in_place(|| barrier.wait());
            Reply::allow()
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let started = runtime
        .spawn(async move { (Hook::start(both(barrier.clone())).await, Hook::start(both(barrier)).await) });
    let (first, second) = started.await.expect("both start");
    let (_server, admin) = first.server().await;
    let webhooks = [&first, &second].map(|hook| {
        webhook(&format!("h{}.shop.example", hook.port), hook.at_url("/"), &json!({"timeoutSeconds": 30}))
    });
    admin.post(VALIDATING, &configuration("check", &webhooks)).await.expect(201);
    admin.post(CONFIG_MAPS, &named("a")).await.expect(201);
    runtime.shutdown_background();
}

#[tokio::test]
async fn connections_are_used_again() {
    let hook = Hook::start(|_| Reply::allow()).await;
    let (_server, admin) = hook.server().await;
    register(&admin, &hook, &Value::Null).await;
    for index in 0..20 {
        admin.post(CONFIG_MAPS, &named(&format!("c{index}"))).await.expect(201);
    }
    assert_eq!((hook.posted().len(), hook.connections()), (20, 1));
}

#[tokio::test]
async fn webhooks_cannot_keep_their_configurations() {
    let hook = Hook::start(|_| Reply::Response(json!({"allowed": false}))).await;
    let (_server, admin) = hook.server().await;
    register(&admin, &hook, &all_of("*/*", "*")).await;
    admin.post(CONFIG_MAPS, &named("a")).await.expect(400);
    admin.delete(&format!("{VALIDATING}/check")).await.expect(200);
    admin.post(CONFIG_MAPS, &named("a")).await.expect(201);
}

#[tokio::test]
async fn a_connection_to_a_pod_is_admitted() {
    let hook = Hook::start(|_| Reply::Response(json!({"allowed": false}))).await;
    let (_server, admin) = hook.server().await;
    admin.post(PODS, &pod("p")).await.expect(201);
    let rules = json!({ "rules": [{
        "operations": ["CONNECT"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/exec"],
    }] });
    register(&admin, &hook, &rules).await;
    let path = format!("{PODS}/p/exec?command=sh&command=-c&stdin=true&container=c");
    admin.post(&path, &Value::Null).await.expect(400);
    let posted = hook.posted();
    let request = posted[0].request();
    assert_eq!((&request["operation"], &request["options"]), (&json!("CONNECT"), &Value::Null));
    assert_eq!(
        request["object"],
        json!({
            "kind": "PodExecOptions", "apiVersion": "v1", "stdin": true, "container": "c",
            "command": ["sh", "-c"],
        })
    );
}

#[tokio::test]
async fn a_request_that_is_passed_on_is_admitted_with_its_path() {
    let hook = Hook::start(|_| Reply::Response(json!({"allowed": false}))).await;
    let (_server, admin) = hook.server().await;
    let rules = json!({ "rules": [{
        "operations": ["CONNECT"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["*/proxy"],
    }] });
    register(&admin, &hook, &rules).await;
    let nodes = "/api/v1/nodes/n";
    for (path, kind, of_it) in [
        (format!("{PODS}/web:80/proxy/a/b/?path=c"), "PodProxyOptions", json!("/a/b/")),
        (format!("{nodes}/proxy"), "NodeProxyOptions", Value::Null),
        (format!("{nodes}/proxy/"), "NodeProxyOptions", json!("/")),
        ("/api/v1/namespaces/default/services/web/proxy/a".to_owned(), "ServiceProxyOptions", json!("/a")),
    ] {
        admin.put(&path, &Value::Null).await.expect(400);
        let posted = hook.posted();
        let request = posted.last().expect("it is called").request();
        assert_eq!(request["operation"], "CONNECT", "{path}");
        assert_eq!(
            (&request["object"]["kind"], &request["object"]["path"]),
            (&json!(kind), &of_it),
            "{path}"
        );
        assert_eq!(request["requestSubResource"], "proxy");
    }
    let refusal = admin.get(&format!("{PODS}/web/proxy?dryRun=All")).await.refusal();
    assert_eq!(refusal, "400 dryRun is not supported");
}

#[tokio::test]
async fn a_namespace_goes_after_a_webhook_has_rejected_a_deletion_in_it() {
    let rejects = AtomicBool::new(true);
    let hook = Hook::start(move |_| match rejects.swap(false, Ordering::SeqCst) {
        true => Reply::Response(json!({"allowed": false, "status": {"code": 404, "reason": "NotFound"}})),
        false => Reply::allow(),
    })
    .await;
    let (_server, admin) = hook.server().await;
    let path = format!("{NAMESPACES}/doomed");
    admin.post(NAMESPACES, &named("doomed")).await.expect(201);
    admin.post(&format!("{path}/configmaps"), &named("a")).await.expect(201);
    let rules = json!({ "rules": [{
        "operations": ["DELETE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
    }] });
    let check = webhook("w.shop.example", hook.at_url("/"), &rules);
    admin.post(VALIDATING, &configuration("w", &[check])).await.expect(201);
    admin.delete(&path).await.expect(200);
    let gone = async {
        while admin.get(&path).await.status != 404 {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the namespace", gone).await;
    assert!(hook.posted().len() > 1);
    admin.get(&format!("{path}/configmaps/a")).await.expect(404);
}
