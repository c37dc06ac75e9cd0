//! Eviction of pods, and the status of their PodDisruptionBudgets.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::client::Client;
use crate::objects::{DEFINITIONS, GADGETS, PODS, anything, gadget, gadgets, named, pod, version};

const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
const REPLICA_SETS: &str = "/apis/apps/v1/namespaces/default/replicasets";

/// A server with pods of the application `web`, which run and are ready.
async fn start(pods: &[&str]) -> (TestServer, Client) {
    let server = TestServer::start().await.expect("a server starts");
    let admin = Client::admin(&server).await;
    for name in pods {
        create(&admin, name, json!([])).await;
        set_ready(&admin, name, true).await;
    }
    (server, admin)
}

async fn create(admin: &Client, name: &str, owners: Value) {
    let mut pod = pod(name);
    pod["metadata"]["labels"] = json!({"app": "web"});
    pod["metadata"]["ownerReferences"] = owners;
    admin.post(PODS, &pod).await.expect(201);
}

async fn set_ready(admin: &Client, name: &str, is_ready: bool) {
    let status = if is_ready { "True" } else { "False" };
    let conditions = json!([{"type": "Ready", "status": status}]);
    let patch = json!({"status": {"phase": "Running", "conditions": conditions}});
    admin.patch(&format!("{PODS}/{name}/status"), "merge", &patch).await.expect(200);
}

fn budget(spec: Value) -> Value {
    let mut budget = json!({"metadata": {"name": "web"}, "spec": spec});
    budget["spec"]["selector"] = json!({"matchLabels": {"app": "web"}});
    budget
}

async fn status(admin: &Client) -> Value {
    admin.get(&format!("{BUDGETS}/web")).await.expect(200)["status"].clone()
}

/// The numbers of a budget: healthy pods, desired ones, expected ones, disruptions allowed.
async fn numbers(admin: &Client) -> [i64; 4] {
    let status = status(admin).await;
    ["currentHealthy", "desiredHealthy", "expectedPods", "disruptionsAllowed"]
        .map(|field| status[field].as_i64().expect("it is a number"))
}

async fn evict(admin: &Client, name: &str, options: Value) -> Answer {
    let mut eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}});
    if !options.is_null() {
        eviction["deleteOptions"] = options;
    }
    admin.post(&format!("{PODS}/{name}/eviction"), &eviction).await
}

#[tokio::test]
async fn a_budget_limits_evictions() {
    let (_server, admin) = start(&["a", "b", "c"]).await;
    admin.post(BUDGETS, &budget(json!({"minAvailable": 2}))).await.expect(201);
    assert_eq!(numbers(&admin).await, [3, 2, 3, 1]);
    let allowed = status(&admin).await;
    assert_eq!(allowed["observedGeneration"], 1);
    let condition = &allowed["conditions"][0];
    let words = ["type", "status", "reason"].map(|field| condition[field].as_str().unwrap());
    assert_eq!(words, ["DisruptionAllowed", "True", "SufficientPods"]);

    let evicted = evict(&admin, "a", Value::Null).await.expect(201);
    assert_eq!([&evicted["status"], &evicted["code"]], [&json!("Success"), &json!(201)]);
    assert_eq!(admin.get(&format!("{PODS}/a")).await.status, 404);
    assert_eq!(numbers(&admin).await, [2, 2, 2, 0]);
    let refused = evict(&admin, "b", Value::Null).await;
    assert_eq!(refused.refusal(), "429 Cannot evict pod as it would violate the pod's disruption budget.");
    let details = &refused.json()["details"];
    let message = "The disruption budget web needs 2 healthy pods and has 2 currently";
    assert_eq!(*details, json!({"causes": [{"reason": "DisruptionBudget", "message": message}]}));
    assert_eq!(refused.header("retry-after"), "");
    admin.get(&format!("{PODS}/b")).await.expect(200);

    let patch = json!({"spec": {"minAvailable": 1}});
    let changed = admin.patch(&format!("{BUDGETS}/web"), "merge", &patch).await.expect(200);
    assert_eq!(changed["metadata"]["generation"], 2);
    assert_eq!(numbers(&admin).await, [2, 1, 2, 1]);
    evict(&admin, "b", Value::Null).await.expect(201);
    assert_eq!(evict(&admin, "c", Value::Null).await.status, 429);
}

#[tokio::test]
async fn pods_without_a_budget_and_pods_that_do_not_run_are_evicted() {
    let (_server, admin) = start(&["a"]).await;
    evict(&admin, "a", Value::Null).await.expect(201);
    admin.post(BUDGETS, &budget(json!({"maxUnavailable": 0}))).await.expect(201);
    create(&admin, "pending", json!([])).await;
    evict(&admin, "pending", Value::Null).await.expect(201);
    assert_eq!(evict(&admin, "none", Value::Null).await.refusal(), r#"404 pods "none" not found"#);
    let other = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "other"}});
    assert_eq!(
        admin.post(&format!("{PODS}/a/eviction"), &other).await.refusal(),
        "400 name in URL does not match name in Eviction object"
    );
}

#[tokio::test]
async fn a_dry_run_evicts_nothing() {
    let (_server, admin) = start(&["a", "b"]).await;
    admin.post(BUDGETS, &budget(json!({"minAvailable": 1}))).await.expect(201);
    let before = version(&admin.get(&format!("{PODS}/a")).await.expect(200));
    evict(&admin, "a", json!({"dryRun": ["All"]})).await.expect(201);
    let eviction = json!({"metadata": {"name": "a"}});
    admin.post(&format!("{PODS}/a/eviction?dryRun=All"), &eviction).await.expect(201);
    assert_eq!(version(&admin.get(&format!("{PODS}/a")).await.expect(200)), before);
    assert_eq!(numbers(&admin).await, [2, 1, 2, 1]);
}

#[tokio::test]
async fn the_options_of_the_deletion_hold() {
    let (_server, admin) = start(&["a"]).await;
    let wrong = json!({"preconditions": {"uid": "u"}});
    let refusal = evict(&admin, "a", wrong).await.refusal();
    assert!(
        refusal
            .starts_with("409 Operation cannot be fulfilled on Pod \"a\": the UID in the precondition (u) "),
        "{refusal}"
    );
    let wrong = json!({"preconditions": {"resourceVersion": "1"}});
    assert_eq!(evict(&admin, "a", wrong).await.status, 409);
    let unknown = json!({"propagationPolicy": "Slow"});
    assert_eq!(evict(&admin, "a", unknown).await.status, 422);

    admin.post("/api/v1/nodes", &named("n1")).await.expect(201);
    let mut running = pod("graceful");
    running["spec"]["nodeName"] = "n1".into();
    admin.post(PODS, &running).await.expect(201);
    evict(&admin, "graceful", json!({"gracePeriodSeconds": 7})).await.expect(201);
    let ending = admin.get(&format!("{PODS}/graceful")).await.expect(200);
    assert_eq!(ending["metadata"]["deletionGracePeriodSeconds"], 7);
    let target = &ending["status"]["conditions"][0];
    let words = ["type", "status", "reason", "message"].map(|field| target[field].as_str().unwrap());
    assert_eq!(words, ["DisruptionTarget", "True", "EvictionByEvictionAPI", "Eviction API: evicting"]);
}

#[tokio::test]
async fn unready_pods_are_evicted_if_the_application_is_healthy_or_the_policy_says_so() {
    let (_server, admin) = start(&["a", "b"]).await;
    set_ready(&admin, "b", false).await;
    admin.post(BUDGETS, &budget(json!({"minAvailable": 2}))).await.expect(201);
    assert_eq!(numbers(&admin).await, [1, 2, 2, 0]);
    assert_eq!(evict(&admin, "b", Value::Null).await.status, 429, "too few pods are healthy");
    let patch = json!({"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}});
    admin.patch(&format!("{BUDGETS}/web"), "merge", &patch).await.expect(200);
    evict(&admin, "b", Value::Null).await.expect(201);
    assert_eq!(evict(&admin, "a", Value::Null).await.status, 429, "it is ready");

    let patch = json!({"spec": {"minAvailable": 1, "unhealthyPodEvictionPolicy": null}});
    admin.patch(&format!("{BUDGETS}/web"), "merge", &patch).await.expect(200);
    create(&admin, "c", json!([])).await;
    set_ready(&admin, "c", false).await;
    assert_eq!(numbers(&admin).await, [1, 1, 2, 0]);
    evict(&admin, "c", Value::Null).await.expect(201);
}

#[tokio::test]
async fn several_budgets_of_a_pod_are_an_error() {
    let (_server, admin) = start(&["a"]).await;
    admin.post(BUDGETS, &budget(json!({"minAvailable": 0}))).await.expect(201);
    let mut second = budget(json!({"minAvailable": 0}));
    second["metadata"]["name"] = "second".into();
    admin.post(BUDGETS, &second).await.expect(201);
    assert_eq!(
        evict(&admin, "a", Value::Null).await.refusal(),
        "500 This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    );
}

#[tokio::test]
async fn the_scale_of_a_custom_controller_is_that_of_the_version_in_which_it_is_stored() {
    for stored in ["v1", "v2"] {
        let (_server, admin) = start(&[]).await;
        let mut definition = gadgets(anything());
        let first = definition["spec"]["versions"][0].clone();
        let versions = ["v1", "v2"].map(|name| {
            let mut version = first.clone();
            version["name"] = name.into();
            version["storage"] = (name == stored).into();
            version["subresources"]["scale"] = json!({
                "specReplicasPath": format!(".spec.{name}"), "statusReplicasPath": ".status.replicas",
            });
            version
        });
        definition["spec"]["versions"] = json!(versions);
        admin.post(DEFINITIONS, &definition).await.expect(201);
        let mut object = gadget("web", json!({stored: 4}));
        object["apiVersion"] = format!("a.example/{stored}").into();
        let created = admin.post(&GADGETS.replace("v1", stored), &object).await.expect(201);
        let owner = json!({
            "apiVersion": "a.example/v1", "kind": "Gadget", "name": "web", "uid": created["metadata"]["uid"],
            "controller": true,
        });
        create(&admin, "p", json!([owner])).await;
        admin.post(BUDGETS, &budget(json!({"maxUnavailable": 1}))).await.expect(201);
        assert_eq!(numbers(&admin).await, [0, 3, 4, 0], "stored as {stored}");
    }
}

#[tokio::test]
async fn percentages_are_of_the_scale_of_controllers() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let set = json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 4,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "nginx:1"}]},
            },
        },
    });
    let set = admin.post(REPLICA_SETS, &set).await.expect(201);
    let owner = json!([{
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": set["metadata"]["uid"], "controller": true,
    }]);
    for name in ["a", "b", "c"] {
        create(&admin, name, owner.clone()).await;
        set_ready(&admin, name, true).await;
    }
    admin.post(BUDGETS, &budget(json!({"maxUnavailable": "30%"}))).await.expect(201);
    assert_eq!(numbers(&admin).await, [3, 2, 4, 1], "30 % of 4 are 2");
    let scale = json!({"spec": {"replicas": 10}});
    admin.patch(&format!("{REPLICA_SETS}/web/scale"), "merge", &scale).await.expect(200);
    assert_eq!(numbers(&admin).await, [3, 7, 10, 0]);
    let patch = json!({"spec": {"maxUnavailable": null, "minAvailable": "25%"}});
    admin.patch(&format!("{BUDGETS}/web"), "merge", &patch).await.expect(200);
    assert_eq!(numbers(&admin).await, [3, 3, 10, 0]);

    let mut stray = owner.clone();
    stray[0]["uid"] = "u".into();
    create(&admin, "stray", stray).await;
    let failed = status(&admin).await;
    assert_eq!(failed["conditions"][0]["reason"], "SyncFailed");
    assert_eq!(failed["conditions"][0]["message"], r#"found no controllers for pod "stray""#);
    let refused = evict(&admin, "a", Value::Null).await;
    let message = r#"The disruption budget web does not allow evicting pods currently because it failed sync: found no controllers for pod "stray""#;
    assert_eq!(refused.json()["details"]["causes"][0]["message"], message);
}

#[tokio::test]
async fn of_evictions_at_once_a_budget_allows_no_more_than_it_says() {
    let (_server, admin) = start(&["a", "b", "c", "d", "e", "f"]).await;
    admin.post(BUDGETS, &budget(json!({"minAvailable": 4}))).await.expect(201);
    let mut evictions = tokio::task::JoinSet::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        let client = admin.share();
        evictions.spawn(async move { evict(&client, name, Value::Null).await.status.as_u16() });
    }
    let mut statuses = evictions.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 429, 429, 429, 429]);
    assert_eq!(numbers(&admin).await, [4, 4, 4, 0]);
}
