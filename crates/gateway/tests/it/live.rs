//! Changes as they come.

use std::time::Duration;

use http::{Method, Request};
use klient_gateway::{Access, Limits, Options};
use serde_json::{Value, json};

use crate::stage::{DEFINITIONS, Events, GADGETS, MAPS, Stage, soon};

const TABLE: &str = "/v1/table/core/v1/configmaps?namespace=default";
const CHANGES: &str = "/v1/changes/core/v1/configmaps?namespace=default";

/// The cursor of a table.
async fn cursor(stage: &Stage, table: &str) -> String {
    stage.get(table).await.json()["cursor"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_behind_a_table_come_as_events_and_a_client_that_comes_back_goes_on() {
    let stage = Stage::start(Options::default()).await;
    stage.config_map("before", json!({})).await;
    let cursor = cursor(&stage, TABLE).await;
    let mut events = stage.events(&format!("{CHANGES}&cursor={cursor}")).await;
    stage.config_map("web", json!({})).await;
    let (name, change) = events.next().await.unwrap();
    assert_eq!(
        (&*name, &change["type"], &change["row"]["cells"][0]),
        ("change", &json!("added"), &json!("web"))
    );
    stage.write(Method::PATCH, &format!("{MAPS}/web"), json!({ "data": { "c": "d" } })).await;
    assert_eq!(events.words().await, "modified web");
    let seen = events.last_id.clone();
    drop(events);
    // While it is away.
    stage.delete(&format!("{MAPS}/web")).await;
    stage.config_map("after", json!({})).await;
    let mut events = stage.events_after(&format!("{CHANGES}&cursor={cursor}"), Some(&seen)).await;
    assert_eq!([events.words().await, events.words().await], ["deleted web", "added after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_was_away_for_too_long_or_was_elsewhere_begins_anew() {
    let limits = Limits { history: 2, ..Limits::default() };
    let stage = Stage::start(Options { limits, ..Options::default() }).await;
    let cursor = cursor(&stage, TABLE).await;
    let mut reading = stage.events(&format!("{CHANGES}&cursor={cursor}")).await;
    for name in ["a", "b", "c"] {
        stage.config_map(name, json!({})).await;
        assert_eq!(reading.words().await, format!("added {name}"));
    }
    for known in [cursor.as_str(), "0123456789abcdef-1", "nonsense"] {
        let mut events = stage.events_after(CHANGES, Some(known)).await;
        assert_eq!(events.words().await, "reset", "{known}");
        assert_eq!(events.last_id, reading.last_id);
    }
    assert!(stage.metric("klient_gateway_resets_total").await >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_sees_an_object_come_and_go() {
    let stage = Stage::start(Options::default()).await;
    let table = "/v1/table/core/v1/configmaps?labelSelector=app%3Dweb";
    assert_eq!(stage.get(table).await.json()["total"], 0);
    let mut web = stage.events("/v1/changes/core/v1/configmaps?labelSelector=app%3Dweb").await;
    let mut found = stage.events("/v1/changes/core/v1/configmaps?search=FRONT").await;
    stage.config_map("front", json!({ "app": "other" })).await;
    let label = |app: &str| json!({ "metadata": { "labels": { "app": app } } });
    for app in ["web", "web", "other"] {
        let path = format!("{MAPS}/front");
        stage.write(Method::PATCH, &path, json!({ "data": { "at": fastrand::u64(..).to_string() } })).await;
        stage.write(Method::PATCH, &path, label(app)).await;
    }
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != "deleted front") {
        seen.push(web.words().await);
    }
    assert_eq!(seen.first().unwrap(), "added front");
    assert!(seen[1..seen.len() - 1].iter().all(|word| word == "modified front"), "{seen:?}");
    assert_eq!(found.words().await, "added front");
    // The three streams share an informer with the table.
    assert_eq!(stage.metric("klient_gateway_informers").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_is_removed_ends_its_streams_and_can_come_back() {
    let stage = Stage::start(Options::default()).await;
    stage.define_gadgets().await;
    stage.create(GADGETS, json!({
        "apiVersion": "shop.example/v1", "kind": "Gadget", "metadata": {"name": "g1"}, "spec": {"size": 3},
    })).await;
    let table = "/v1/table/shop.example/v1/gadgets";
    let found = stage.get(table).await.json();
    let size =
        found["columns"].as_array().unwrap().iter().position(|column| column["name"] == "Size").unwrap();
    assert_eq!(found["rows"][0]["cells"][size], 3, "{found}");
    let mut events = stage.events("/v1/changes/shop.example/v1/gadgets").await;
    stage.delete(&format!("{DEFINITIONS}/gadgets.shop.example")).await;
    let mut last = events.next().await.unwrap();
    while last.0 != "gone" {
        last = events.next().await.expect("the last event says why");
    }
    assert_eq!(last.1["error"]["code"], "kind_unknown", "{last:?}");
    assert_eq!(events.words().await, "end");
    soon("the end of the kind", async {
        while stage.get(table).await.status != 404 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(stage.get(table).await.failure(), (404, "kind_unknown".to_owned()));
    stage.define_gadgets().await;
    soon("the kind again", async {
        while stage.get(table).await.status != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(stage.get(table).await.json()["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_comes_back_with_another_history_is_followed() {
    let stage = Stage::start(Options::default()).await;
    stage.config_map("old", json!({})).await;
    let cursor = cursor(&stage, TABLE).await;
    let mut events = stage.events(&format!("{CHANGES}&cursor={cursor}")).await;
    stage.server.stop().await;
    assert_eq!(events.words().await, "waiting");
    let table = stage.get(TABLE).await;
    assert_eq!(table.json()["status"]["state"], "waiting");
    assert!(table.names().contains(&"old".to_owned()));
    stage.server.restart_empty().await.unwrap();
    stage.config_map("new", json!({})).await;
    let mut seen = Vec::new();
    while !["sync", "deleted old", "added new"].iter().all(|word| seen.iter().any(|seen| seen == word)) {
        seen.push(events.words().await);
        assert_ne!(seen.last().unwrap(), "end", "{seen:?}");
    }
    let names = stage.get(TABLE).await.names();
    assert!(names.contains(&"new".to_owned()) && !names.contains(&"old".to_owned()), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn informers_that_nobody_uses_stop_and_streams_keep_them() {
    let idle = std::time::Duration::from_millis(40);
    let stage = Stage::start(Options { idle, ..Options::default() }).await;
    let events = stage.events(CHANGES).await;
    stage.get("/v1/table/core/v1/services").await;
    let informers = async |count: u64| {
        soon("another number of informers", async {
            while stage.metric("klient_gateway_informers").await != count {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    informers(1).await;
    drop(events);
    informers(0).await;
    assert_eq!(stage.metric("klient_gateway_streams").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_streams() {
    let mut stage = Stage::start(Options::default()).await;
    let mut events = stage.events(CHANGES).await;
    stage.stop().await;
    assert_eq!(events.words().await, "end");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_says_when_it_is_to_be_read_again() {
    let stage = Stage::start(Options::default()).await;
    let tag = stage.get("/v1/overview").await.header("etag").to_owned();
    let mut all = [
        stage.events("/v1/overview/changes").await,
        stage.events("/v1/overview/changes?namespace=default").await,
    ];
    let pod =
        json!({ "metadata": { "name": "a" }, "spec": { "containers": [{ "name": "a", "image": "a" }] } });
    stage.create("/api/v1/namespaces/default/pods", pod).await;
    for events in &mut all {
        assert_eq!(events.words().await, "overview");
    }
    let overview = stage.get("/v1/overview").await;
    assert_eq!(overview.json()["pods"]["total"], 1);
    assert_ne!(overview.header("etag"), tag);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overview_is_computed_once_for_all_requests_of_a_user() {
    let stage = Stage::start(Options { access: Access::Bearer, ..Options::default() }).await;
    stage.allow("ada", None, &["pods"]).await;
    let [admin, ada] = [stage.server.admin_token().to_owned(), stage.server.token("ada", &[])];
    let get = async |token: &str, path: &str| {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        stage.send(request.body(String::new()).unwrap()).await
    };
    let computed = async || {
        let figures = get(&admin, "/metrics").await.text();
        let line = figures.lines().find_map(|line| line.strip_prefix("klient_gateway_overviews_total "));
        line.unwrap_or_else(|| panic!("{figures}")).parse::<u64>().unwrap()
    };
    let pod = |name: &str| json!({ "metadata": { "name": name }, "spec": { "containers": [{ "name": "a", "image": "a" }] } });
    stage.create("/api/v1/namespaces/default/pods", pod("a")).await;
    let whole = get(&admin, "/v1/overview").await;
    let mut requests = 1;
    // A bookmark of the cluster may come between two of them.
    while requests < 50 {
        let again = get(&admin, "/v1/overview").await;
        assert_eq!((again.header("etag"), &again.body), (whole.header("etag"), &whole.body));
        requests += 1;
    }
    let known = Request::get("/v1/overview").header("authorization", format!("Bearer {admin}"));
    let known = known.header("if-none-match", whole.header("etag")).body(String::new()).unwrap();
    assert_eq!(stage.send(known).await.status, 304);
    let of_admin = computed().await;
    assert!(of_admin < requests / 2, "{of_admin} overviews for {requests} requests");

    // Another user gets what he may see, by the same address.
    for _ in 0..2 {
        let of_ada = get(&ada, "/v1/overview").await;
        assert_ne!(of_ada.header("etag"), whole.header("etag"));
        let of_ada = of_ada.json();
        assert_eq!(
            (&of_ada["pods"]["total"], &of_ada["nodes"]["error"]["code"]),
            (&json!(1), &json!("forbidden"))
        );
        assert_eq!(get(&admin, "/v1/overview").await.json()["nodes"]["error"], Value::Null);
    }
    assert!(computed().await > of_admin);

    // A change is seen.
    stage.create("/api/v1/namespaces/default/pods", pod("b")).await;
    soon("the second pod", async {
        while get(&admin, "/v1/overview").await.json()["pods"]["total"] != 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overview_is_not_kept_longer_than_a_permission() {
    let recheck = Duration::from_secs(4);
    let stage = Stage::start(Options { access: Access::Bearer, recheck, ..Options::default() }).await;
    stage.allow("ada", None, &["pods"]).await;
    let token = stage.server.token("ada", &[]);
    let get = |path: &str| {
        Request::get(path).header("authorization", format!("Bearer {token}")).body(String::new()).unwrap()
    };
    let overview = stage.send(get("/v1/overview")).await.json();
    assert_eq!(overview["pods"]["total"], 0, "{overview}");
    let mut events = Events::of(stage.open(get("/v1/changes/core/v1/pods")).await);
    stage.delete("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ada").await;
    while events.next().await.expect("the last event says why").0 != "gone" {}
    let overview = stage.send(get("/v1/overview")).await.json();
    assert_eq!(overview["pods"]["error"]["code"], "forbidden", "{overview}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_of_a_namespace_has_what_is_in_it_and_no_nodes() {
    let stage = Stage::start(Options { access: Access::Bearer, ..Options::default() }).await;
    stage.create("/api/v1/namespaces", json!({ "metadata": { "name": "shop" } })).await;
    stage.allow("ada", Some("shop"), &["pods"]).await;
    let [admin, ada] = [stage.server.admin_token().to_owned(), stage.server.token("ada", &[])];
    let get = async |token: &str, path: &str| {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        stage.send(request.body(String::new()).unwrap()).await
    };
    let pod = |name: &str| json!({ "metadata": { "name": name }, "spec": { "containers": [{ "name": "a", "image": "a" }] } });
    stage.create("/api/v1/namespaces/default/pods", pod("elsewhere")).await;
    stage.create("/api/v1/namespaces/shop/pods", pod("web")).await;
    // Of informers of all namespaces, and of one.
    let whole = get(&admin, "/v1/overview").await.json();
    assert_eq!((&whole["pods"]["total"], whole["nodes"].is_object()), (&json!(2), true), "{whole}");
    for token in [&admin, &ada] {
        let overview = get(token, "/v1/overview?namespace=shop").await.json();
        assert_eq!((&overview["pods"]["total"], overview.get("nodes")), (&json!(1), None), "{overview}");
    }
    let refused = get(&ada, "/v1/overview").await.json();
    assert_eq!(refused["pods"]["error"]["code"], "forbidden", "{refused}");
    assert_eq!(get(&ada, "/v1/overview/changes").await.failure(), (403, "forbidden".to_owned()));
    for wrong in ["namespace=Not_one", "namespaces=shop"] {
        for path in ["/v1/overview", "/v1/overview/changes"] {
            let answer = get(&admin, &format!("{path}?{wrong}")).await;
            assert_eq!(answer.failure(), (400, "bad_request".to_owned()), "{path} {wrong}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_tells_how_many_pods_of_a_workload_are_ready() {
    let stage = Stage::start(Options::default()).await;
    let sets = "/apis/apps/v1/namespaces/default/daemonsets";
    let labels = json!({ "app": "exporter" });
    let mut set = json!({
        "metadata": { "name": "exporter" },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "exporter", "image": "exporter" }] },
            },
        },
    });
    stage.create(sets, set.clone()).await;
    set["status"] = json!({ "desiredNumberScheduled": 6, "currentNumberScheduled": 6, "numberReady": 5,
        "numberMisscheduled": 0 });
    stage.write(Method::PUT, &format!("{sets}/exporter/status"), set).await;
    let overview = stage.get("/v1/overview").await.json();
    let part = &overview["workloads"][2];
    assert_eq!(
        part["problems"],
        json!([{ "namespace": "default", "name": "exporter", "why": "5/6" }]),
        "{part}"
    );
}
