//! Tables, as kubectl asks for them.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::Client;
use crate::objects::{
    CONFIG_MAPS, DEFINITIONS, GADGETS, PODS, anything, gadget, gadgets, labelled, named, names, pod,
};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

fn columns(table: &Value) -> Vec<&str> {
    let columns = table["columnDefinitions"].as_array().into_iter().flatten();
    columns.filter_map(|column| column["name"].as_str()).collect()
}

#[tokio::test]
async fn pods_have_the_columns_kubectl_prints() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("p")).await.expect(201);
    client
        .patch(&format!("{PODS}/p/status"), "merge", &json!({"status": {"phase": "Succeeded"}}))
        .await
        .expect(200);
    let table = client.get_as(PODS, TABLE).await.expect(200);
    let names =
        ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node", "Nominated Node", "Readiness Gates"];
    assert_eq!([&table["kind"], &table["apiVersion"]], ["Table", "meta.k8s.io/v1"]);
    assert_eq!(columns(&table), names);
    let row = &table["rows"][0];
    let cells = row["cells"].as_array().unwrap();
    assert_eq!(cells[..4], [json!("p"), json!("0/1"), json!("Succeeded"), json!("0")]);
    assert_eq!(
        row["conditions"],
        json!([{"type": "Completed", "status": "True", "reason": "Succeeded", "message": "The pod has completed successfully."}])
    );
    assert_eq!([&row["object"]["kind"], &row["object"]["metadata"]["name"]], ["PartialObjectMetadata", "p"]);
    assert_eq!(row["object"]["spec"], Value::Null);
}

#[tokio::test]
async fn rows_bring_what_is_asked_for() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).await.expect(201);
    for (include, pointer, expected) in [
        ("None", "/rows/0/object", Value::Null),
        ("Metadata", "/rows/0/object/kind", json!("PartialObjectMetadata")),
        ("Object", "/rows/0/object/data/k", json!("v")),
    ] {
        let path = format!("{CONFIG_MAPS}?fieldSelector=metadata.name%3Da&includeObject={include}");
        let table = client.get_as(&path, TABLE).await.expect(200);
        assert_eq!(table.pointer(pointer), Some(&expected), "{table}");
    }
    assert_eq!(client.get_as(&format!("{CONFIG_MAPS}?includeObject=All"), TABLE).await.status, 400);
}

#[tokio::test]
async fn the_row_of_one_object_brings_what_is_asked_for() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).await.expect(201);
    for (include, pointer, expected) in [
        ("None", "/rows/0/object", Value::Null),
        ("Metadata", "/rows/0/object/kind", json!("PartialObjectMetadata")),
        ("Object", "/rows/0/object/data/k", json!("v")),
    ] {
        let path = format!("{CONFIG_MAPS}/a?includeObject={include}");
        let table = client.get_as(&path, TABLE).await.expect(200);
        assert_eq!(table.pointer(pointer), Some(&expected), "{table}");
    }
    assert_eq!(
        client.get_as(&format!("{CONFIG_MAPS}/a?includeObject=All"), TABLE).await.refusal(),
        "400 Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', \
         'Object', 'None', or empty"
    );
}

#[tokio::test]
async fn a_review_is_no_table() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let review = json!({"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}}).to_string();
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let send = async |accept: &str| {
        let headers = [("accept", accept), ("content-type", "application/json")];
        client.send(http::Method::POST, path, &headers, review.clone()).await
    };
    let answer = send("application/json;as=Table;v=v1;g=meta.k8s.io").await;
    assert_eq!(answer.status, 406, "{}", answer.text());
    assert_eq!(send(TABLE).await.expect(201)["kind"], "SelfSubjectAccessReview");
    let partial = send("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io").await.expect(201);
    assert_eq!(partial["kind"], "PartialObjectMetadata");
}

#[tokio::test]
async fn the_components_of_the_control_plane_are_always_there() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = "/api/v1/componentstatuses";
    let list = client.get(path).await;
    assert_eq!(list.header("warning"), r#"299 - "v1 ComponentStatus is deprecated in v1.19+""#);
    let list = list.expect(200);
    assert_eq!([&list["kind"], &list["metadata"]], [&json!("ComponentStatusList"), &json!({})]);
    assert_eq!(names(&list), ["controller-manager", "etcd-0", "scheduler"]);
    assert_eq!(
        client.get(&format!("{path}/etcd-0")).await.expect(200),
        json!({
            "kind": "ComponentStatus",
            "apiVersion": "v1",
            "metadata": {"name": "etcd-0"},
            "conditions": [{"type": "Healthy", "status": "True", "message": "ok"}],
        })
    );
    let table = client.get_as(path, TABLE).await.expect(200);
    assert_eq!(columns(&table), ["Name", "Status", "Message", "Error"]);
    let cells: Vec<&Value> = table["rows"].as_array().unwrap().iter().map(|row| &row["cells"]).collect();
    let refused = |port: u16| {
        let address = format!("127.0.0.1:{port}");
        format!(r#"Get "https://{address}/healthz": dial tcp {address}: connect: connection refused"#)
    };
    assert_eq!(
        cells,
        [
            &json!(["controller-manager", "Unhealthy", refused(10257), ""]),
            &json!(["etcd-0", "Healthy", "ok", ""]),
            &json!(["scheduler", "Unhealthy", refused(10259), ""]),
        ]
    );
    let selected = client.get(&format!("{path}?fieldSelector=metadata.name%3Dscheduler")).await.expect(200);
    assert_eq!(names(&selected), ["scheduler"]);
    let refusal = client.get(&format!("{path}?watch=1")).await.refusal();
    assert_eq!(refusal, r#"405 watch is not supported on resources of kind "componentstatuses""#);
    let refusal = client.get(&format!("{path}/kubelet")).await.refusal();
    assert_eq!(refusal, r#"404 componentstatus "kubelet" not found"#);
}

#[tokio::test]
async fn a_table_comes_in_parts_as_a_list_does() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for name in ["a", "b", "c"] {
        client.post(CONFIG_MAPS, &labelled(name, "x")).await.expect(201);
    }
    let path = format!("{CONFIG_MAPS}?labelSelector=app&limit=2");
    let first = client.get_as(&path, TABLE).await.expect(200);
    assert_eq!(first["rows"].as_array().unwrap().len(), 2);
    let token = first["metadata"]["continue"].as_str().unwrap();
    let second = client.get_as(&format!("{path}&continue={token}"), TABLE).await.expect(200);
    assert_eq!(second["rows"][0]["cells"][0], "c");
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
}

#[tokio::test]
async fn one_object_is_a_table_of_one_row() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let table = client.get_as(&format!("{CONFIG_MAPS}/a"), TABLE).await.expect(200);
    assert_eq!(table["rows"].as_array().unwrap().len(), 1);
    let missing = client.get_as(&format!("{CONFIG_MAPS}/b"), TABLE).await;
    assert_eq!(missing.refusal(), r#"404 configmaps "b" not found"#);
}

#[tokio::test]
async fn definitions_name_their_own_columns() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let mut definition = gadgets(anything());
    definition["spec"]["versions"][0]["additionalPrinterColumns"] = json!([
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Ready", "type": "boolean", "jsonPath": ".spec.ready", "priority": 1},
        {"name": "First", "type": "string", "jsonPath": ".spec.items[0].name"},
        {"name": "Since", "type": "date", "jsonPath": ".spec.since"},
        {"name": "Missing", "type": "string", "jsonPath": ".spec.nothing"},
    ]);
    client.post(DEFINITIONS, &definition).await.expect(201);
    let spec = json!({"size": 3, "ready": true, "items": [{"name": "one"}, {"name": "two"}], "since": "2001-01-01T00:00:00Z"});
    client.post(GADGETS, &gadget("g", spec)).await.expect(201);
    let table = client.get_as(GADGETS, TABLE).await.expect(200);
    assert_eq!(columns(&table), ["Name", "Size", "Ready", "First", "Since", "Missing"]);
    assert_eq!(table["columnDefinitions"][2]["priority"], 1);
    let mut cells = table["rows"][0]["cells"].as_array().unwrap().clone();
    assert!(cells.remove(4).as_str().is_some_and(|age| age.ends_with('y')), "{table}");
    assert_eq!(cells, [json!("g"), json!(3), json!(true), json!("one"), Value::Null]);
}

#[tokio::test]
async fn a_definition_that_names_no_columns_has_name_and_age() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    client.post(GADGETS, &gadget("g", json!({}))).await.expect(201);
    let table = client.get_as(GADGETS, TABLE).await.expect(200);
    assert_eq!(columns(&table), ["Name", "Age"]);
    assert_eq!(table["rows"][0]["cells"][0], "g");
}

#[tokio::test]
async fn every_resource_that_is_listed_has_a_table() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for path in [
        "/api/v1/namespaces",
        "/api/v1/services",
        "/api/v1/endpoints",
        "/apis/scheduling.k8s.io/v1/priorityclasses",
        DEFINITIONS,
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    ] {
        let table = client.get_as(path, TABLE).await.expect(200);
        let columns = columns(&table).len();
        for row in table["rows"].as_array().unwrap() {
            assert_eq!(row["cells"].as_array().unwrap().len(), columns, "{path}");
        }
    }
}
