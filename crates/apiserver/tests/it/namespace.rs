//! Namespaces: what lives in them and how they go.

use klient_apiserver::{Options, Server, TestServer};
use serde_json::{Value, json};

use crate::client::{Client, soon};
use crate::objects::{DEFINITIONS, NAMESPACES, gadget, named, names, pod, text, two_versions};

/// Makes a namespace and gives its path.
async fn namespace(client: &Client, name: &str) -> String {
    client.post(NAMESPACES, &named(name)).await.expect(201);
    format!("{NAMESPACES}/{name}")
}

/// Waits until a namespace is removed.
async fn gone(client: &Client, name: &str) {
    let path = format!("{NAMESPACES}?watch=1&allowWatchBookmarks=true&fieldSelector=metadata.name={name}");
    let mut events = client.watch(&path).await;
    // Either it is removed before the initial events end, or its deletion is an event.
    if events.next().await.expect("the watch goes on")["type"] == "BOOKMARK" {
        return;
    }
    while events.next().await.expect("the namespace goes")["type"] != "DELETED" {}
}

#[tokio::test]
async fn a_namespace_is_completed() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let created = client.post(NAMESPACES, &named("shop")).await.expect(201);
    assert_eq!(created["metadata"]["labels"], json!({"kubernetes.io/metadata.name": "shop"}));
    assert_eq!(created["spec"], json!({"finalizers": ["kubernetes"]}));
    assert_eq!(created["status"], json!({"phase": "Active"}));
}

#[tokio::test]
async fn what_the_server_completes_in_its_own_namespaces_is_nobody_s() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for name in ["default", "kube-system"] {
        let namespace = client.get(&format!("{NAMESPACES}/{name}")).await.expect(200);
        assert_eq!(namespace["spec"], json!({"finalizers": ["kubernetes"]}));
        assert_eq!(
            namespace["metadata"]["managedFields"][0]["fieldsV1"],
            json!({"f:metadata": {"f:labels": {".": {}, "f:kubernetes.io/metadata.name": {}}}})
        );
    }
}

#[tokio::test]
async fn nothing_lives_in_a_namespace_that_is_not_there() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{NAMESPACES}/nowhere/configmaps");
    assert_eq!(client.post(&path, &named("a")).await.refusal(), r#"404 namespaces "nowhere" not found"#);
    assert_eq!(names(&client.get(&path).await.expect(200)), [""; 0]);
}

#[tokio::test]
async fn a_namespace_goes_with_what_is_in_it() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = namespace(&client, "shop").await;
    client.post(&format!("{path}/configmaps"), &named("a")).await.expect(201);
    client.post(&format!("{path}/secrets"), &named("b")).await.expect(201);
    client.post(&format!("{path}/pods"), &pod("p")).await.expect(201);
    let marked = client.delete(&path).await.expect(200);
    assert_eq!(marked["status"]["phase"], "Terminating");
    assert!(marked["metadata"]["deletionTimestamp"].is_string());
    gone(&client, "shop").await;
    for plural in ["configmaps", "secrets", "pods"] {
        let list = client.get(&format!("{path}/{plural}")).await.expect(200);
        assert_eq!(names(&list), [""; 0], "{plural}");
    }
    client.post(NAMESPACES, &named("shop")).await.expect(201);
}

#[tokio::test]
async fn a_namespace_waits_for_what_is_held() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = namespace(&client, "shop").await;
    let held = json!({"metadata": {"name": "a", "finalizers": ["a.example/hold"]}});
    client.post(&format!("{path}/configmaps"), &held).await.expect(201);
    let from = server.resource_version();
    let mut events = client
        .watch(&format!("{NAMESPACES}?watch=1&resourceVersion={from}&fieldSelector=metadata.name=shop"))
        .await;
    client.delete(&path).await.expect(200);
    let condition = loop {
        let event = events.next().await.unwrap();
        let conditions = event["object"]["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let holds = |condition: &&Value| condition["type"] == "NamespaceFinalizersRemaining";
        if let Some(condition) = conditions.iter().find(holds) {
            break condition.clone();
        }
    };
    assert_eq!(condition["status"], "True");
    assert_eq!(
        text(&condition, "/message"),
        "Some content in the namespace has finalizers remaining: a.example/hold in 1 resource instances"
    );
    let refusal = client.post(&format!("{path}/configmaps"), &named("b")).await;
    assert_eq!(
        refusal.refusal(),
        "403 configmaps \"b\" is forbidden: unable to create new content in namespace shop because it is being \
         terminated"
    );
    let cause = &refusal.json()["details"]["causes"][0];
    assert_eq!(
        cause,
        &json!({"reason": "NamespaceTerminating", "message": "namespace shop is being terminated", "field": "metadata.namespace"})
    );
    let release = json!({"metadata": {"finalizers": null}});
    client.patch(&format!("{path}/configmaps/a"), "merge", &release).await.expect(200);
    gone(&client, "shop").await;
}

#[tokio::test]
async fn pods_go_before_the_rest() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = namespace(&client, "shop").await;
    client.post(&format!("{path}/configmaps"), &named("a")).await.expect(201);
    client.post(&format!("{path}/pods"), &pod("p")).await.expect(201);
    let binding = json!({"metadata": {"name": "p"}, "target": {"name": "n"}});
    client.post(&format!("{path}/pods/p/binding"), &binding).await.expect(201);
    let mut pods =
        client.watch(&format!("{path}/pods?watch=1&resourceVersion={}", server.resource_version())).await;
    client.delete(&path).await.expect(200);
    assert!(pods.next().await.unwrap()["object"]["metadata"]["deletionTimestamp"].is_string());
    client.get(&format!("{path}/configmaps/a")).await.expect(200);
    client.delete(&format!("{path}/pods/p?gracePeriodSeconds=0")).await.expect(200);
    gone(&client, "shop").await;
}

#[tokio::test]
async fn only_finalize_lets_a_namespace_go() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = namespace(&client, "shop").await;
    let mut object = client.get(&path).await.expect(200);
    object["spec"] = json!({});
    let updated = client.put(&path, &object).await.expect(200);
    assert_eq!(updated["spec"], json!({"finalizers": ["kubernetes"]}));
    let finalized = client.put(&format!("{path}/finalize"), &object).await.expect(200);
    assert_eq!(finalized["spec"], json!({}));
    assert_eq!(client.get(&path).await.expect(200)["status"]["phase"], "Active");
}

#[tokio::test]
async fn some_namespaces_stay() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for name in ["default", "kube-system", "kube-public"] {
        let refusal = client.delete(&format!("{NAMESPACES}/{name}")).await.refusal();
        assert_eq!(
            refusal,
            format!("403 namespaces {name:?} is forbidden: this namespace may not be deleted")
        );
    }
    assert_eq!(client.delete(NAMESPACES).await.status, 405, "namespaces go one by one");
}

#[tokio::test]
async fn a_namespace_with_many_objects_goes_soon() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = namespace(&client, "shop").await;
    for index in 0..300 {
        client.post(&format!("{path}/configmaps"), &named(&format!("c{index}"))).await.expect(201);
    }
    client.delete(&path).await.expect(200);
    gone(&client, "shop").await;
}

#[tokio::test]
async fn without_its_controller_a_namespace_stays_until_it_is_finalized() {
    let options = Options { controller_manager: false, ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let client = Client::admin(&server).await;
    let path = namespace(&client, "shop").await;
    client.post(&format!("{path}/configmaps"), &named("a")).await.expect(201);
    assert_eq!(client.delete(&path).await.expect(200)["status"], json!({"phase": "Terminating"}));
    let refusal = client.post(&format!("{path}/configmaps"), &named("b")).await.refusal();
    assert!(refusal.contains("because it is being terminated"), "{refusal}");
    client.get(&format!("{path}/configmaps/a")).await.expect(200);
    let mut object = client.get(&path).await.expect(200);
    assert_eq!(object["status"], json!({"phase": "Terminating"}), "nobody works on it");
    object["spec"] = json!({});
    client.put(&format!("{path}/finalize"), &object).await.expect(200);
    assert_eq!(client.get(&path).await.status, 404);
}

#[tokio::test]
async fn without_its_controller_a_namespace_without_finalizers_goes_when_it_is_written_or_deleted_again() {
    let options = Options { controller_manager: false, ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let client = Client::admin(&server).await;
    for name in ["deleted", "written"] {
        let path = namespace(&client, name).await;
        let object = json!({"metadata": {"name": name}, "spec": {}});
        client.put(&format!("{path}/finalize"), &object).await.expect(200);
        let marked = client.delete(&path).await.expect(200);
        assert_eq!(marked["status"], json!({"phase": "Terminating"}));
        assert_eq!(client.get(&path).await.expect(200), marked);
        if name == "deleted" {
            client.delete(&path).await.expect(200);
        } else {
            client.put(&path, &marked).await.expect(200);
        }
        assert_eq!(client.get(&path).await.status, 404, "{name}");
    }
}

#[tokio::test]
async fn kube_system_says_how_other_components_authenticate_clients() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{NAMESPACES}/kube-system/configmaps/extension-apiserver-authentication");
    let config = client.get(&path).await.expect(200);
    assert_eq!(config["data"]["client-ca-file"], server.ca_pem());
    assert_eq!(config["data"]["requestheader-client-ca-file"], server.ca_pem());
    assert_eq!(config["data"]["requestheader-username-headers"], r#"["X-Remote-User"]"#);
}

#[tokio::test]
async fn a_finalizer_of_a_namespace_has_a_known_name() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let body = json!({"metadata": {"name": "default"}, "spec": {"finalizers": ["x"]}});
    let answer = client.put("/api/v1/namespaces/default/finalize", &body).await.expect(422);
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.contains(r#"spec.finalizers[0]: Invalid value: "x": name is neither a standard"#),
        "{message}"
    );
}

#[tokio::test]
async fn the_phase_of_a_namespace_follows_from_its_deletion() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let phase = json!({"status": {"phase": "Terminating"}});
    let answer = client.patch("/api/v1/namespaces/default/status", "merge", &phase).await.expect(422);
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("may only be 'Active' if `deletionTimestamp` is empty"), "{message}");
}

#[tokio::test]
async fn an_empty_dry_run_is_refused_and_writes_nothing() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let config_maps = "/api/v1/namespaces/default/configmaps";
    let answer = client.post(&format!("{config_maps}?dryRun="), &named("a")).await.expect(422);
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains(r#"dryRun: Unsupported value: [""]"#), "{message}");
    assert_eq!(client.get(&format!("{config_maps}/a")).await.status, 404);
}

#[tokio::test]
async fn an_object_of_several_versions_remains_once() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = namespace(&client, "shop").await;
    client.post(DEFINITIONS, &two_versions()).await.expect(201);
    let mut held = gadget("g", json!({"size": 1}));
    held["metadata"]["finalizers"] = json!(["a.example/held"]);
    client.post("/apis/a.example/v1/namespaces/shop/gadgets", &held).await.expect(201);
    client.delete(&path).await.expect(200);
    let told = async {
        loop {
            let namespace = client.get(&path).await.expect(200);
            let conditions = namespace["status"]["conditions"].as_array();
            let remaining =
                conditions.into_iter().flatten().find(|of| of["type"] == "NamespaceContentRemaining");
            match remaining {
                Some(condition) => return text(condition, "/message").to_owned(),
                None => tokio::task::yield_now().await,
            }
        }
    };
    assert_eq!(
        soon("the condition", told).await,
        "Some resources are remaining: gadgets.a.example has 1 resource instances"
    );
}
