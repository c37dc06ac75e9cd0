//! Updates: on which version they are made, and which part of an object they change.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::{Client, sends};
use crate::objects::{CONFIG_MAPS, PODS, deployment, named, pod, text, version};

const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

#[tokio::test]
async fn an_update_of_a_version_that_has_passed_is_a_conflict() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    let mut old = client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    old["data"] = json!({"k": "1"});
    let new = client.put(&path, &old).await.expect(200);
    assert!(version(&new) > version(&old));
    let answer = client.put(&path, &old).await;
    assert_eq!(
        answer.refusal(),
        format!("409 Operation cannot be fulfilled on configmaps \"a\": {MODIFIED}")
    );
    assert_eq!(answer.json()["details"], json!({"name": "a", "kind": "configmaps"}));
    assert_eq!(client.get(&path).await.expect(200), new);
}

#[tokio::test]
async fn an_update_of_no_version_is_made_where_the_resource_allows_it() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let changed = json!({"metadata": {"name": "a"}, "data": {"k": "v"}});
    assert_eq!(client.put(&format!("{CONFIG_MAPS}/a"), &changed).await.expect(200)["data"]["k"], "v");
    let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    client.post(leases, &named("l")).await.expect(201);
    let lease = json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": "me"}});
    let refusal = client.put(&format!("{leases}/l"), &lease).await.refusal();
    assert!(refusal.ends_with("metadata.resourceVersion: Invalid value: 0: must be specified for an update"));
}

#[tokio::test]
async fn some_resources_are_created_by_updates() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    client.put(&format!("{leases}/l"), &named("l")).await.expect(201);
    let refusal = client.put(&format!("{CONFIG_MAPS}/a"), &named("a")).await.refusal();
    assert_eq!(refusal, r#"404 configmaps "a" not found"#);
}

#[tokio::test]
async fn an_object_must_be_the_one_in_the_path() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let refusal = client.put(&format!("{CONFIG_MAPS}/a"), &named("b")).await.refusal();
    assert_eq!(refusal, "400 the name of the object (b) does not match the name on the URL (a)");
    let elsewhere = json!({"metadata": {"name": "a", "namespace": "kube-system"}});
    let refusal = client.put(&format!("{CONFIG_MAPS}/a"), &elsewhere).await.refusal();
    assert_eq!(
        refusal,
        "400 the namespace of the provided object does not match the namespace sent on the request"
    );
}

#[tokio::test]
async fn status_and_spec_are_written_apart() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{DEPLOYMENTS}/d");
    let mut object = deployment("d");
    object["status"] = json!({"replicas": 9});
    let created = client.post(DEPLOYMENTS, &object).await.expect(201);
    assert_eq!([&created["status"], &created["metadata"]["generation"]], [&json!({}), &json!(1)]);

    let mut both = created.clone();
    both["spec"]["replicas"] = 3.into();
    both["status"]["replicas"] = 3.into();
    let of_status = client.put(&format!("{path}/status"), &both).await.expect(200);
    assert_eq!([&of_status["spec"]["replicas"], &of_status["status"]["replicas"]], [1, 3]);
    assert_eq!(of_status["metadata"]["generation"], 1, "a status is nothing that is wished for");

    let mut both = of_status.clone();
    both["spec"]["replicas"] = 5.into();
    both["status"]["replicas"] = 5.into();
    let of_spec = client.put(&path, &both).await.expect(200);
    assert_eq!([&of_spec["spec"]["replicas"], &of_spec["status"]["replicas"]], [5, 3]);
    assert_eq!(of_spec["metadata"]["generation"], 2);
    assert_eq!(client.put(&format!("{path}/status"), &both).await.status, 409, "both share one version");
}

#[tokio::test]
async fn what_the_server_sets_stays() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{PODS}/p");
    let mut sent = pod("p");
    sent["metadata"]["uid"] = "mine".into();
    sent["metadata"]["generation"] = 7.into();
    sent["metadata"]["creationTimestamp"] = "2001-01-01T00:00:00Z".into();
    let created = client.post(PODS, &sent).await.expect(201);
    assert_ne!(text(&created, "/metadata/uid"), "mine");
    assert_ne!(text(&created, "/metadata/creationTimestamp"), "2001-01-01T00:00:00Z");
    let mut changed = created.clone();
    changed["metadata"]["labels"] = json!({"a": "b"});
    changed["metadata"]["generation"] = 7.into();
    changed["metadata"]["creationTimestamp"] = Value::Null;
    let updated = client.put(&path, &changed).await.expect(200);
    for field in ["uid", "creationTimestamp", "generation"] {
        assert_eq!(updated["metadata"][field], created["metadata"][field], "{field}");
    }
    changed["metadata"]["uid"] = "other".into();
    assert_eq!(client.put(&path, &changed).await.status, 409);
}

/// The registry compares the version before it validates the metadata; for a PUT the UID is a precondition before both.
#[tokio::test]
async fn a_patch_of_a_version_that_has_passed_is_a_conflict_whatever_its_uid() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    let created = client.post(CONFIG_MAPS, &json!({"metadata": {"name": "a"}})).await.expect(201);
    client.put(&path, &json!({"metadata": {"name": "a"}, "data": {"a": "b"}})).await.expect(200);
    let patch =
        async |metadata: Value| client.patch(&path, "merge", &json!({ "metadata": metadata })).await.status;
    let version = &created["metadata"]["resourceVersion"];
    assert_eq!(patch(json!({"uid": "other", "resourceVersion": version})).await, 409);
    assert_eq!(patch(json!({"uid": "other"})).await, 422);
    assert_eq!(patch(json!({"uid": created["metadata"]["uid"], "resourceVersion": version})).await, 409);
}

#[tokio::test]
async fn a_generation_that_nobody_counts_is_the_client_s() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    let with = |generation: i64| json!({"metadata": {"name": "a", "generation": generation}});
    let refusal = client.post(CONFIG_MAPS, &with(-1)).await.refusal();
    assert!(
        refusal.ends_with("metadata.generation: Invalid value: -1: must be greater than or equal to 0"),
        "{refusal}"
    );
    assert_eq!(client.post(CONFIG_MAPS, &with(7)).await.expect(201)["metadata"]["generation"], 7);
    for generation in [-1, 9] {
        let updated = client.put(&path, &with(generation)).await.expect(200);
        assert_eq!(updated["metadata"]["generation"], 7);
    }
}

#[tokio::test]
async fn the_prefix_of_generated_names_can_be_changed_to_one_that_is_valid() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
    let namespaces = "/api/v1/namespaces";
    for (path, prefix, code) in [
        (CONFIG_MAPS, "ok-", 200),
        (CONFIG_MAPS, "X_", 422),
        (CONFIG_MAPS, "a/", 422),
        // These have no rule of their own for it, or one that allows more.
        (namespaces, "X_", 200),
        (namespaces, "a/", 422),
        (roles, "X_", 200),
    ] {
        client.post(path, &named("a")).await;
        let path = format!("{path}/a");
        let config = json!({"metadata": {"name": "a", "generateName": prefix}});
        let mut answers = vec![client.put(&path, &config).await];
        for kind in ["merge", "strategic-merge"] {
            answers.push(client.patch(&path, kind, &config).await);
        }
        for answer in answers {
            assert_eq!(answer.status, code, "{path} {prefix}: {}", answer.text());
            if code == 200 {
                assert_eq!(answer.json()["metadata"]["generateName"], prefix);
            } else {
                assert!(answer.text().contains("metadata.generateName: Invalid value"), "{}", answer.text());
            }
        }
    }
}

#[tokio::test]
async fn a_version_must_be_a_number_but_where_it_is_not_looked_at() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let of = |name: &str, version: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "resourceVersion": version}});
    client.post(CONFIG_MAPS, &of("a", "abc")).await.expect(201);
    let lease = "/apis/coordination.k8s.io/v1/namespaces/default/leases/a";
    let lease_body = |version: &str| json!({"metadata": {"name": "a", "resourceVersion": version}});
    for (version, problem) in [
        ("abc", "invalid syntax"),
        ("-1", "invalid syntax"),
        ("+1", "invalid syntax"),
        ("99999999999999999999", "value out of range"),
    ] {
        let refusal = format!("500 strconv.ParseUint: parsing {version:?}: {problem}");
        let path = |name: &str| format!("{CONFIG_MAPS}/{name}");
        assert_eq!(client.put(&path("a"), &of("a", version)).await.refusal(), refusal);
        assert_eq!(client.patch(&path("a"), "merge", &of("a", version)).await.refusal(), refusal);
        assert_eq!(client.put(lease, &lease_body(version)).await.refusal(), refusal);
        for name in ["a", "b"] {
            let path = format!("{}?fieldManager=m", path(name));
            let headers = sends("application/apply-patch+yaml");
            let answer = client.send(Method::PATCH, &path, &headers, of(name, version).to_string()).await;
            assert_eq!(answer.refusal(), refusal);
        }
    }
    client.put(&format!("{CONFIG_MAPS}/a"), &of("a", "0")).await.expect(200);
}

#[tokio::test]
async fn managed_fields_that_are_no_set_of_fields_are_dropped() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    for fields in [json!("x"), json!([]), json!(5), json!({"x": {}})] {
        let entry = json!({
            "manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields,
        });
        let new = json!({"metadata": {"name": "b", "managedFields": [entry]}});
        let object = json!({"metadata": {"name": "a", "managedFields": [entry]}});
        let answers = [
            client.post(&format!("{CONFIG_MAPS}?dryRun=All"), &new).await.expect(201),
            client.put(&path, &object).await.expect(200),
            client.patch(&path, "merge", &object).await.expect(200),
            client.patch(&path, "strategic-merge", &object).await.expect(200),
        ];
        for answer in answers {
            assert_eq!(answer["metadata"]["managedFields"], Value::Null, "{fields}");
        }
    }
}

#[tokio::test]
async fn a_dry_run_answers_and_keeps_nothing() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    let created = client.post(&format!("{CONFIG_MAPS}?dryRun=All"), &named("a")).await.expect(201);
    assert_eq!(created["metadata"]["resourceVersion"], Value::Null);
    assert_eq!(client.get(&path).await.status, 404);
    let kept = client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let before = server.resource_version();
    let changed = json!({"metadata": {"name": "a"}, "data": {"k": "v"}});
    assert_eq!(client.put(&format!("{path}?dryRun=All"), &changed).await.expect(200)["data"]["k"], "v");
    client.patch(&format!("{path}?dryRun=All"), "merge", &changed).await.expect(200);
    client.delete(&format!("{path}?dryRun=All")).await.expect(200);
    client.delete(&format!("{CONFIG_MAPS}?dryRun=All")).await.expect(200);
    assert_eq!(client.get(&path).await.expect(200), kept);
    assert_eq!(server.resource_version(), before);
    let refusal = client.post(&format!("{CONFIG_MAPS}?dryRun=Some"), &named("b")).await.refusal();
    assert!(refusal.starts_with("422 CreateOptions.meta.k8s.io \"\" is invalid: dryRun"), "{refusal}");
}

#[tokio::test]
async fn names_are_generated() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let generated = json!({"metadata": {"generateName": "web-"}});
    let name = |object: Value| text(&object, "/metadata/name").to_owned();
    let first = name(client.post(CONFIG_MAPS, &generated).await.expect(201));
    let second = name(client.post(CONFIG_MAPS, &generated).await.expect(201));
    assert_ne!(first, second);
    for name in [first, second] {
        let suffix = name.strip_prefix("web-").unwrap_or_default();
        assert!(
            suffix.len() == 5 && suffix.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c)),
            "{name}"
        );
    }
    let long = json!({"metadata": {"generateName": "n".repeat(80)}});
    assert_eq!(name(client.post(CONFIG_MAPS, &long).await.expect(201)).len(), 63);
    let refusal = client.post(CONFIG_MAPS, &json!({})).await.refusal();
    assert!(
        refusal.ends_with("metadata.name: Required value: name or generateName is required"),
        "{refusal}"
    );
}

#[tokio::test]
async fn an_update_cannot_mark_a_live_object_as_going() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let path = format!("{CONFIG_MAPS}/a");
    let mut marked = named("a");
    marked["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z".into();
    let immutable =
        r#"metadata.deletionTimestamp: Invalid value: "2030-01-01T00:00:00Z": field is immutable"#;
    let refusal = format!(r#"422 ConfigMap "a" is invalid: {immutable}"#);
    assert_eq!(client.put(&path, &marked).await.refusal(), refusal);
    assert_eq!(client.patch(&path, "merge", &marked).await.refusal(), refusal);
    let mut seconds = named("a");
    seconds["metadata"]["deletionGracePeriodSeconds"] = 5.into();
    assert_eq!(
        client.put(&path, &seconds).await.refusal(),
        r#"422 ConfigMap "a" is invalid: metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable"#
    );
    // One that is going stays so, whatever is said of it.
    let held = json!({"metadata": {"finalizers": ["a.example/hold"]}});
    client.patch(&path, "merge", &held).await.expect(200);
    let going = client.delete(&path).await.expect(200);
    marked["metadata"]["finalizers"] = json!(["a.example/hold"]);
    let updated = client.put(&path, &marked).await.expect(200);
    assert_eq!(updated["metadata"]["deletionTimestamp"], going["metadata"]["deletionTimestamp"]);
    assert_eq!(updated["metadata"]["deletionGracePeriodSeconds"], 0);
}

#[tokio::test]
async fn a_dry_run_of_a_create_may_name_a_version() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    let mut versioned = named("a");
    versioned["metadata"]["resourceVersion"] = "5".into();
    let dry = client.post(&format!("{CONFIG_MAPS}?dryRun=All"), &versioned).await.expect(201);
    assert_eq!(dry["metadata"]["resourceVersion"], "5");
    let refusal = client.post(CONFIG_MAPS, &versioned).await.refusal();
    assert_eq!(refusal, "500 resourceVersion should not be set on objects to be created");
    versioned["metadata"]["name"] = "A".into();
    assert_eq!(client.post(CONFIG_MAPS, &versioned).await.status, 422, "its rules come first");
    versioned["metadata"] = json!({"name": "a", "resourceVersion": "0"});
    client.post(CONFIG_MAPS, &versioned).await.expect(201);
}

/// As kube-apiserver 1.37: the resourceVersion of an object that is not there is ignored, its UID is a precondition.
#[tokio::test]
async fn an_update_that_creates_ignores_the_version_and_requires_the_uid() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l";
    let of = |field: &str, value: &str| json!({"metadata": {"name": "l", field: value}});
    assert_eq!(
        client.put(path, &of("uid", "abc")).await.refusal(),
        "409 Operation cannot be fulfilled on leases.coordination.k8s.io \"l\": StorageError: invalid object, \
         Code: 4, Key: /registry/leases/default/l, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID \
         in precondition: abc, UID in object meta: "
    );
    client.put(path, &of("resourceVersion", "5")).await.expect(201);
}

#[tokio::test]
async fn finalize_writes_the_metadata_of_a_namespace_too() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let namespace = json!({
        "metadata": {"name": "default", "labels": {"a": "b"}, "annotations": {"c": "d"}},
        "spec": {"finalizers": ["kubernetes"]},
    });
    client.put("/api/v1/namespaces/default/finalize", &namespace).await.expect(200);
    let metadata = &client.get("/api/v1/namespaces/default").await.expect(200)["metadata"];
    assert_eq!(
        [&metadata["labels"], &metadata["annotations"]],
        [&json!({"a": "b", "kubernetes.io/metadata.name": "default"}), &json!({"c": "d"})]
    );
}

#[tokio::test]
async fn the_generation_of_an_autoscaler_counts_changes() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
    let of = |most: i32| json!({"metadata": {"name": "h"}, "spec": {"maxReplicas": most, "scaleTargetRef": target}});
    assert_eq!(client.post(path, &of(3)).await.expect(201)["metadata"]["generation"], 1);
    let path = format!("{path}/h");
    assert_eq!(client.put(&path, &of(3)).await.expect(200)["metadata"]["generation"], 1);
    assert_eq!(client.put(&path, &of(4)).await.expect(200)["metadata"]["generation"], 2);
}
