//! The routes of the gateway, and their failures.

use std::io::Read as _;

use http::Method;
use klient_gateway::Options;
use serde_json::{Value, json};

use crate::stage::{MAPS, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_table_has_the_columns_of_the_server_and_no_annotations() {
    let stage = Stage::start(Options::default()).await;
    let metadata = json!({ "name": "web", "annotations": { "note": "long" }, "labels": { "app": "web" } });
    stage.create(MAPS, json!({ "metadata": metadata, "data": { "a": "b" } })).await;
    let table = stage.get("/v1/table/core/v1/configmaps?namespace=default&search=web").await;
    let (status, table) = (table.status, table.json());
    assert_eq!(status, 200);
    let columns: Vec<&Value> =
        table["columns"].as_array().unwrap().iter().map(|column| &column["name"]).collect();
    assert_eq!(columns, ["Name", "Data", "Age"]);
    let row = &table["rows"][0];
    assert_eq!([&row["cells"][0], &row["cells"][1]], [&json!("web"), &json!(1)]);
    assert_eq!(row["metadata"]["labels"], json!({ "app": "web" }));
    assert_eq!(row["metadata"]["annotations"], Value::Null);
    assert_eq!(row["metadata"]["managedFields"], Value::Null);
    assert_eq!((&table["total"], &table["status"]["state"]), (&json!(1), &json!("live")));
    assert_eq!(table["resource"]["kind"], "ConfigMap");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_selected_ordered_and_cut_into_pages() {
    let stage = Stage::start(Options::default()).await;
    for (name, size) in [("a", 10), ("b", 2), ("c", 1)] {
        let data: serde_json::Map<String, Value> =
            (0..size).map(|at| (format!("k{at}"), "v".into())).collect();
        let metadata = json!({ "name": name, "labels": { "app": name, "test": "yes" } });
        stage.create(MAPS, json!({ "metadata": metadata, "data": data })).await;
    }
    for (query, expected) in [
        ("", "a b c"),
        ("descending=true", "c b a"),
        ("sort=Data", "c b a"),
        ("sort=data&descending=true", "a b c"),
        ("limit=2", "a b"),
        ("limit=2&continue=default/b", "c"),
        ("continue=default/bb", "c"),
        ("sort=Data&limit=1&continue=default%2Fc", "b"),
        ("search=B", "b"),
        ("fieldSelector=metadata.name%3Dc", "c"),
    ] {
        let path = format!("/v1/table/core/v1/configmaps?namespace=default&labelSelector=test%3Dyes&{query}");
        assert_eq!(stage.get(&path).await.names().join(" "), expected, "{query}");
    }
    let paged = stage.get("/v1/table/core/v1/configmaps?labelSelector=test&limit=1").await.json();
    assert_eq!((&paged["total"], &paged["continue"]), (&json!(3), &json!("default/a")));
    let ages = stage.get("/v1/table/core/v1/configmaps?labelSelector=test&sort=Age").await;
    assert_eq!(ages.names().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_no_plural_is_answered_by_the_plural() {
    let stage = Stage::start(Options::default()).await;
    for (path, problem) in [
        (
            "apps/v1/deployment",
            "no deployment of group apps in version v1; did you mean deployments of apps/v1?",
        ),
        ("apps/v1/Deployment", "; did you mean deployments of apps/v1?"),
        ("core/v1/po", "no po of the core group in version v1; did you mean pods of core/v1?"),
        ("apps/v1beta1/deployments", "in version v1beta1; it serves deployments of apps/v1"),
        ("core/v1/deploy", "; did you mean deployments of apps/v1?"),
        ("core/v1/gadget", "no gadget of the core group in version v1"),
    ] {
        let table = stage.get(&format!("/v1/table/{path}")).await;
        assert_eq!(table.failure(), (404, "kind_unknown".to_owned()), "{path}");
        let (group_version, name) = path.rsplit_once('/').unwrap();
        let seed = stage.get(&format!("/{name}/{group_version}")).await.json();
        let table = table.json();
        for message in [&table["error"]["message"], &seed["message"]] {
            let message = message.as_str().unwrap();
            let is_told = message.contains(problem) && message.contains(';') == problem.contains(';');
            assert!(is_told, "{path}: {message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_code_and_status() {
    let stage = Stage::start(Options::default()).await;
    for (path, status, code) in [
        ("/v1/table/core/v1/gadgets", 404, "kind_unknown"),
        ("/v1/table/core/v2/pods", 404, "kind_unknown"),
        ("/v1/changes/apps/v1/pods", 404, "kind_unknown"),
        ("/v1/object/core/v1/pods/none?namespace=default", 404, "not_found"),
        ("/v1/object/core/v1/pods/none", 400, "bad_request"),
        ("/v1/object/core/v1/pods/none?namespace=a%2F..%2Fb", 400, "bad_request"),
        ("/v1/object/core/v1/pods/none?namespace=..", 400, "bad_request"),
        ("/v1/object/core/v1/pods/no%25ne?namespace=default", 400, "bad_request"),
        ("/v1/table/core/v1/pods?labelSelector=a%3D%3D%3Db", 400, "bad_selector"),
        ("/v1/table/core/v1/pods?fieldSelector=x", 400, "bad_selector"),
        ("/v1/table/core/v1/pods?fieldSelector=spec.nonsense%3Dx", 400, "bad_selector"),
        ("/v1/table/core/v1/pods?namespace=..", 400, "bad_request"),
        ("/v1/table/core/v1/nodes?namespace=default", 400, "bad_request"),
        ("/v1/table/core/v1/pods?sort=Color", 400, "bad_request"),
        ("/v1/table/core/v1/pods?limit=-1", 400, "bad_request"),
        ("/v1/table/core/v1/pods?limit=0", 400, "bad_request"),
        ("/v1/table/core/v1/pods?descending=perhaps", 400, "bad_request"),
        ("/v1/table/core/v1/pods?labelselector=a", 400, "bad_request"),
        ("/v1/table/authentication.k8s.io/v1/tokenreviews", 405, "method_not_allowed"),
        ("/v1/table/core/v1/pods?sort=Name&continue=default/none", 410, "expired"),
        ("/v1/nothing", 404, "not_found"),
        ("/nothing", 404, "not_found"),
        ("/assets/app.js", 404, "not_found"),
        ("/v1/diff", 405, "method_not_allowed"),
    ] {
        assert_eq!(stage.get(path).await.failure(), (status, code.to_owned()), "{path}");
    }
    for path in ["/ping", "/v1/kinds", "/metrics"] {
        let post = stage.request(path).method(Method::POST).body(String::new()).unwrap();
        let answer = stage.send(post).await;
        assert_eq!(answer.failure(), (405, "method_not_allowed".to_owned()), "{path}");
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_answer_is_told_apart() {
    let stage =
        Stage::start(Options { sync_timeout: std::time::Duration::from_millis(50), ..Options::default() })
            .await;
    assert_eq!(stage.get("/readyz").await.text(), "ok");
    // Discovery is known, and the pods are not.
    stage.get("/v1/kinds").await;
    stage.server.stop().await;
    let answer = stage.get("/v1/table/core/v1/pods").await;
    assert_eq!(answer.failure(), (503, "not_synced".to_owned()));
    assert_eq!(answer.header("retry-after"), "2");
    assert_eq!(stage.get("/v1/kinds?refresh=true").await.failure(), (502, "unreachable".to_owned()));
    assert_eq!(stage.get("/healthz").await.text(), "ok");
    assert_eq!(stage.get("/api/v1/pods").await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_compressed_and_not_sent_again_until_they_change() {
    let stage = Stage::start(Options::default()).await;
    for path in ["/v1/kinds", "/v1/table/core/v1/configmaps", "/openapi.json", "/v1/namespaces", "/"] {
        let first = stage.get(path).await;
        assert_eq!(first.status, 200, "{path}");
        let tag = first.header("etag").to_owned();
        assert!(!tag.is_empty(), "{path}");
        let again = stage.request(path).header("if-none-match", &tag).body(String::new()).unwrap();
        let again = stage.send(again).await;
        assert_eq!(
            (again.status.as_u16(), again.body.len(), again.header("etag")),
            (304, 0, &*tag),
            "{path}"
        );
        let packed =
            stage.request(path).header("accept-encoding", "br, gzip;q=0.5").body(String::new()).unwrap();
        let packed = stage.send(packed).await;
        if packed.header("content-encoding") == "gzip" {
            let mut whole = Vec::new();
            flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut whole).unwrap();
            assert!(whole == first.body, "{path}");
        } else {
            assert!(first.body.len() < 1024, "{path}");
        }
    }
    let path = "/v1/table/core/v1/configmaps";
    let tag = stage.get(path).await.header("etag").to_owned();
    let mut events = stage.events("/v1/changes/core/v1/configmaps").await;
    stage.config_map("new", json!({})).await;
    assert_eq!(events.words().await, "added new");
    let again = stage.request(path).header("if-none-match", &tag).body(String::new()).unwrap();
    assert_eq!(stage.send(again).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_and_namespaces_are_those_of_the_cluster() {
    let stage = Stage::start(Options::default()).await;
    let kinds = stage.get("/v1/kinds").await.json();
    let kind = |path: &str| {
        let found = kinds["kinds"].as_array().unwrap().iter().find(|kind| kind["path"] == path);
        found.unwrap_or_else(|| panic!("{path}")).clone()
    };
    let deployments = kind("apps/v1/deployments");
    assert_eq!(deployments["kind"], "Deployment");
    assert_eq!(deployments["shortNames"], json!(["deploy"]));
    assert_eq!((&deployments["namespaced"], &deployments["preferred"]), (&json!(true), &json!(true)));
    assert_eq!(kind("core/v1/pods")["group"], "");
    stage.define_gadgets().await;
    let gadgets = stage.get("/v1/kinds?refresh=true").await.text();
    assert!(gadgets.contains("shop.example/v1/gadgets"));
    let namespaces = stage.get("/v1/namespaces").await.json();
    assert!(namespaces["namespaces"].as_array().unwrap().contains(&json!("kube-system")), "{namespaces}");
    assert_eq!(namespaces["complete"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_comes_with_its_events_its_owners_and_what_it_owns() {
    let stage = Stage::start(Options::default()).await;
    let owner = |object: &Value, kind: &str, api_version: &str| {
        json!([{ "apiVersion": api_version, "kind": kind, "controller": true,
                 "name": object["metadata"]["name"], "uid": object["metadata"]["uid"] }])
    };
    let template = json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "web", "image": "web" }] },
    });
    let spec = json!({ "selector": { "matchLabels": { "app": "web" } }, "template": template });
    let apps = "/apis/apps/v1/namespaces/default";
    let deployment = stage
        .create(&format!("{apps}/deployments"), json!({ "metadata": { "name": "web" }, "spec": spec }))
        .await;
    let metadata = json!({ "name": "web-1", "ownerReferences": owner(&deployment, "Deployment", "apps/v1") });
    let set =
        stage.create(&format!("{apps}/replicasets"), json!({ "metadata": metadata, "spec": spec })).await;
    let mut pod = template.clone();
    pod["metadata"] = json!({ "name": "web-1-a", "ownerReferences": owner(&set, "ReplicaSet", "apps/v1") });
    let pod = stage.create("/api/v1/namespaces/default/pods", pod).await;
    let event = json!({
        "metadata": { "name": "e1" },
        "involvedObject": { "kind": "Pod", "name": "web-1-a", "namespace": "default", "uid": pod["metadata"]["uid"] },
        "type": "Warning", "reason": "BackOff", "message": "it does not start", "count": 3,
    });
    stage.create("/api/v1/namespaces/default/events", event).await;

    let found = stage.get("/v1/object/core/v1/pods/web-1-a?namespace=default").await.json();
    assert_eq!(found["object"]["kind"], "Pod");
    assert_eq!(found["object"]["metadata"]["managedFields"], Value::Null);
    assert_eq!(found["events"][0]["reason"], "BackOff");
    let owners: Vec<&Value> =
        found["owners"].as_array().unwrap().iter().map(|owner| &owner["name"]).collect();
    assert_eq!(owners, ["web-1", "web"]);
    assert_eq!(found["owners"][0]["path"], "apps/v1/replicasets");
    assert_eq!(found["problems"], json!([]));

    let found =
        stage.get("/v1/object/apps/v1/deployments/web?namespace=default&managedFields=true").await.json();
    assert!(found["object"]["metadata"]["managedFields"].is_array());
    let owned: Vec<String> = (found["owned"].as_array().unwrap().iter())
        .map(|owned| format!("{} {}", owned["kind"].as_str().unwrap(), owned["name"].as_str().unwrap()))
        .collect();
    assert_eq!(owned, ["Pod web-1-a", "ReplicaSet web-1"]);

    let overview = stage.get("/v1/overview").await.json();
    assert_eq!(overview["pods"]["total"], 1, "{overview}");
    assert_eq!(overview["workloads"][0]["total"], 1);
    assert_eq!(overview["warnings"]["last"][0]["reason"], "BackOff", "{overview}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_has_no_values_on_any_route_until_it_is_allowed() {
    let secret = json!({ "metadata": { "name": "db", "annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"password\":\"aHVudGVyMg==\"}}" } },
        "data": { "password": "aHVudGVyMg==" } });
    for shows in [false, true] {
        let stage = Stage::start(Options { secrets: shows, ..Options::default() }).await;
        stage.create("/api/v1/namespaces/default/secrets", secret.clone()).await;
        for path in [
            "/v1/object/core/v1/secrets/db?namespace=default",
            "/v1/object/core/v1/secrets/db?namespace=default&managedFields=true",
            "/v1/table/core/v1/secrets",
            "/v1/table/core/v1/secrets?search=hunter",
            "/secrets/core/v1",
            "/api/v1/secrets",
            "/api/v1/namespaces/default/secrets/db",
            "/api/v1/namespaces/default/%73ecrets/db",
            "/api/v1/watch/secrets?timeoutSeconds=1",
            "/api/v1/namespaces/default/secrets?watch=true&timeoutSeconds=1",
        ] {
            let answer = stage.get(path).await;
            let is_shown = answer.text().contains("aHVudGVyMg");
            assert!(shows || !is_shown, "{path}: {}", answer.text());
            assert!(!shows || path.contains("/table/") || is_shown, "{path}: {}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_shows_what_applying_would_change_and_changes_nothing() {
    let stage = Stage::start(Options { writes: true, ..Options::default() }).await;
    stage.config_map("web", json!({})).await;
    let diff = async |path: &str, body: &str| {
        let request = stage.request(path).method(Method::POST).body(body.to_owned()).unwrap();
        stage.send(request).await
    };
    let manifest =
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: web, namespace: default}, data: {c: d}}";
    let found = diff("/v1/diff", manifest).await.json();
    assert_eq!(found["before"]["data"], json!({ "a": "b" }), "{found}");
    assert_eq!(found["after"]["data"], json!({ "a": "b", "c": "d" }));
    let stored = stage.get("/v1/object/core/v1/configmaps/web?namespace=default").await.json();
    assert_eq!(stored["object"]["data"], json!({ "a": "b" }));
    let new = diff("/v1/diff", &manifest.replace("name: web", "name: new")).await.json();
    assert_eq!((&new["before"], &new["after"]["data"]), (&Value::Null, &json!({ "c": "d" })));
    let conflict = diff("/v1/diff", &manifest.replace("c: d", "a: c")).await;
    assert_eq!(conflict.failure(), (409, "conflict".to_owned()));
    let forced = diff("/v1/diff?force=true", &manifest.replace("c: d", "a: c")).await.json();
    assert_eq!(forced["after"]["data"], json!({ "a": "c" }));
    for (body, status, code) in [
        ("{", 400, "bad_request"),
        ("[]", 400, "bad_request"),
        ("{apiVersion: v1, kind: ConfigMap}", 400, "bad_request"),
        ("{apiVersion: v1, kind: Gadget, metadata: {name: a}}", 404, "kind_unknown"),
        ("{apiVersion: v1, kind: ConfigMap, metadata: {name: web}, data: {a: {}}}", 502, "cluster_error"),
    ] {
        assert_eq!(diff("/v1/diff", body).await.failure(), (status, code.to_owned()), "{body}");
    }
    for (body, missing) in [
        ("{}", "apiVersion"),
        ("{kind: ConfigMap, metadata: {name: a}}", "apiVersion"),
        ("{apiVersion: 1, kind: ConfigMap, metadata: {name: a}}", "apiVersion"),
        ("{apiVersion: v1, metadata: {name: a}}", "kind"),
        ("{apiVersion: v1, kind: '', metadata: {name: a}}", "kind"),
        ("{apiVersion: v1, kind: Gadget}", "metadata.name"),
        ("{apiVersion: v1, kind: ConfigMap, metadata: {generateName: a}}", "metadata.name"),
        ("{apiVersion: v1, kind: ConfigMap, metadata: a}", "metadata.name"),
    ] {
        let refused = diff("/v1/diff", body).await;
        assert_eq!(refused.failure(), (400, "bad_request".to_owned()), "{body}");
        let message = &refused.json()["error"]["message"];
        assert_eq!(*message, format!("the object has no {missing}"), "{body}");
    }
    let read_only = Stage::start(Options::default()).await;
    let request = read_only.request("/v1/diff").method(Method::POST).body(manifest.to_owned()).unwrap();
    assert_eq!(read_only.send(request).await.failure(), (403, "read_only".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_has_every_route_and_the_figures_count_them() {
    let stage = Stage::start(Options { writes: true, ..Options::default() }).await;
    stage.config_map("web", json!({})).await;
    let document = stage.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, operations) in document["paths"].as_object().unwrap() {
        let (method, operation) = operations.as_object().unwrap().iter().next().unwrap();
        let mut path = path.clone();
        for (name, value) in
            [("group", "core"), ("version", "v1"), ("resource", "configmaps"), ("name", "web")]
        {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        if path.contains("/object/") {
            path.push_str("?namespace=default");
        }
        let request = stage.request(&path).method(method.to_uppercase().as_str());
        let body = "{apiVersion: v1, kind: ConfigMap, metadata: {name: web, namespace: default}}";
        let response = stage.open(request.body(body.to_owned()).unwrap()).await;
        assert_eq!(response.status(), 200, "{path}");
        let content_type = response.headers()["content-type"].to_str().unwrap();
        let described = operation["responses"]["200"]["content"].as_object().unwrap().keys().next().unwrap();
        assert!(content_type.starts_with(described), "{path}: {content_type}");
    }
    let figures = stage.get("/metrics").await.text();
    assert!(
        figures.contains(
            "klient_gateway_requests_total{route=\"/v1/table/{group}/{version}/{resource}\",code=\"200\"} 1\n"
        ),
        "{figures}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_its_files_are_kept_by_their_hashes() {
    let stage = Stage::start(Options::default()).await;
    let page = stage.get("/").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("script-src 'self';"));
    let text = page.text();
    let files: Vec<&str> = text.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(files.len() >= 3, "{text}");
    for path in files {
        let file = stage.get(path).await;
        assert_eq!(file.status, 200, "{path}");
        assert!(file.header("cache-control").ends_with("immutable"));
    }
}
