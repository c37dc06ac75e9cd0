//! Answers in protobuf.

use klient_apimachinery::codec::protobuf::{Envelope, ListPart, list_parts};
use klient_apimachinery::meta::v1::schema::{LIST_META, PARTIAL_OBJECT_METADATA};
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use super::{PROTOBUF, fields, object, raw, refusal, schema};
use crate::client::Client;
use crate::definition::defined;
use crate::objects::{
    CONFIG_MAPS, DEFINITIONS, GADGETS, NAMESPACES, PODS, anything, deployment, gadget, gadgets, named, pod,
};

const PARTIAL: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// Objects of many shapes, and where they are made.
fn samples() -> Vec<(&'static str, Value)> {
    let spec = json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "s"},
        "minReplicas": 2,
        "maxReplicas": 9,
        "metrics": [{"type": "Resource", "resource": {
            "name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 80},
        }}],
    });
    let scaler = json!({"metadata": {"name": "s"}, "spec": spec});
    let data = json!({
        "metadata": {"name": "s", "labels": {"a": "", "b": "c"}, "finalizers": ["a.example/f"]},
        "data": {"text": "<&>\n\u{2028}ü"},
        "binaryData": {"bytes": "AAEC/w=="},
    });
    let service = json!({
        "metadata": {"name": "s"},
        "spec": {"selector": {"app": "s"}, "ports": [
            {"name": "a", "port": 80, "targetPort": 8080},
            {"name": "b", "port": 81, "targetPort": "web"},
        ]},
    });
    let lease = json!({
        "metadata": {"name": "s"},
        "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": "2026-01-02T03:04:05.678901Z"},
    });
    let revision = json!({
        "metadata": {"name": "s"}, "revision": 3, "data": {"z": [1, 2.5, null], "a": {"deep": true}},
    });
    let mut limited = pod("s");
    limited["spec"]["containers"][0]["resources"] =
        json!({"limits": {"cpu": "1500m", "memory": 1_073_741_824, "ephemeral-storage": "0.5Gi"}});
    vec![
        (NAMESPACES, named("s")),
        (CONFIG_MAPS, data),
        (PODS, limited),
        ("/api/v1/namespaces/default/secrets", json!({"metadata": {"name": "s"}, "data": {"k": "dg=="}})),
        ("/api/v1/namespaces/default/services", service),
        ("/apis/apps/v1/namespaces/default/deployments", deployment("s")),
        ("/apis/apps/v1/namespaces/default/controllerrevisions", revision),
        ("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", scaler),
        ("/apis/coordination.k8s.io/v1/namespaces/default/leases", lease),
        (
            DEFINITIONS,
            gadgets(json!({"type": "object", "properties": {"n": {"type": "integer", "default": 1}}})),
        ),
    ]
}

/// The part of an object that protobuf carries: JSON also has empty values.
fn in_both(object: &Value) -> Value {
    let text = |name: &str| object[name].as_str().expect("it names its kind").to_owned();
    let schema = schema(&text("apiVersion"), &text("kind"));
    let mut object = fields(&raw(object, schema), schema);
    object.remove("apiVersion");
    object.remove("kind");
    object.into()
}

#[tokio::test]
async fn objects_are_the_same_as_in_json() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for (path, sample) in samples() {
        let created = client.post(path, &sample).await.expect(201);
        let name = created["metadata"]["name"].as_str().expect("it has a name");
        let path = format!("{path}/{name}");
        // Other versions of a kind are made from the one that is stored.
        for path in [path.replace("/autoscaling/v2/", "/autoscaling/v1/"), path] {
            let json = client.get(&path).await.expect(200);
            let mut protobuf = object(&client.get_as(&path, PROTOBUF).await, 200);
            assert_eq!((&protobuf["kind"], &protobuf["apiVersion"]), (&json["kind"], &json["apiVersion"]));
            let fields = protobuf.as_object_mut().expect("it is an object");
            fields.retain(|name, _| name != "kind" && name != "apiVersion");
            assert_eq!(protobuf, in_both(&json), "{path}");
        }
    }
}

/// A list in protobuf: its kind, its metadata and the names in it.
fn names(bytes: &[u8]) -> (String, Value, Vec<String>) {
    let envelope = Envelope::parse(bytes).expect("the server writes envelopes");
    let (mut metadata, mut names) = (Value::Null, Vec::new());
    for part in list_parts(envelope.raw) {
        match part.expect("the list is whole") {
            ListPart::Metadata(bytes) => metadata = fields(bytes, &LIST_META).into(),
            // Metadata has the same number in all objects.
            ListPart::Item(bytes) => {
                let item = Value::from(fields(bytes, &PARTIAL_OBJECT_METADATA));
                names.push(item["metadata"]["name"].as_str().expect("it has a name").to_owned());
            }
        }
    }
    (format!("{} {}", envelope.api_version, envelope.kind), metadata, names)
}

#[tokio::test]
async fn lists_of_all_sizes_are_the_same_as_in_json() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for (count, size) in [(0, 0), (2, 10), (20, 100_000)] {
        for index in 0..count {
            let data = json!({"k": "x".repeat(size)});
            let object = json!({"metadata": {"name": format!("a{size}-{index:02}")}, "data": data});
            client.post(CONFIG_MAPS, &object).await.expect(201);
        }
        for query in ["", "?limit=1"] {
            let path = format!("{CONFIG_MAPS}{query}");
            let json = client.get(&path).await.expect(200);
            let items = json["items"].as_array().expect("it is a list").iter();
            let expected: Vec<&str> = items.filter_map(|item| item["metadata"]["name"].as_str()).collect();
            let (kind, metadata, found) = names(&client.get_as(&path, PROTOBUF).await.body);
            assert_eq!((kind.as_str(), found), ("v1 ConfigMapList", names_of(&expected)));
            assert_eq!(metadata["resourceVersion"], json["metadata"]["resourceVersion"]);
            assert_eq!(metadata["remainingItemCount"], json["metadata"]["remainingItemCount"]);
        }
    }
    let partials = PARTIAL.replace("Metadata;", "MetadataList;");
    let (kind, _, found) = names(&client.get_as(CONFIG_MAPS, &partials).await.body);
    assert_eq!((kind.as_str(), found.len()), ("meta.k8s.io/v1 PartialObjectMetadataList", 22));
    let deleted = client.send(http::Method::DELETE, CONFIG_MAPS, &[("accept", PROTOBUF)], "").await;
    assert_eq!(names(&deleted.body).2.len(), 22);
}

fn names_of(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn failures_metadata_and_discovery_come_in_protobuf_and_tables_do_not() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("p")).await.expect(201);
    let path = format!("{PODS}/p");
    let missing = client.get_as(&format!("{PODS}/none"), PROTOBUF).await;
    assert_eq!(refusal(&missing), r#"404 pods "none" not found"#);
    let partial = object(&client.get_as(&path, PARTIAL).await, 200);
    assert_eq!(partial["kind"], "PartialObjectMetadata");
    assert_eq!(partial["metadata"]["name"], "p");
    let table = PARTIAL.replace("PartialObjectMetadata", "Table");
    let words = "406 only the following media types are accepted: \
                 application/json, application/yaml, application/vnd.kubernetes.protobuf";
    assert_eq!(client.get_as(PODS, &table).await.refusal(), words);
    let in_json = table.replace("vnd.kubernetes.protobuf", "json");
    let either = client.get_as(PODS, &format!("{table},{in_json},{PROTOBUF}")).await;
    assert_eq!(either.expect(200)["kind"], "Table");
    for (path, kind) in
        [("/api", "APIVersions"), ("/apis/apps", "APIGroup"), ("/apis/apps/v1", "APIResourceList")]
    {
        let answer = client.get_as(path, PROTOBUF).await;
        let (mut json, protobuf) = (client.get(path).await.expect(200), object(&answer, 200));
        assert_eq!(protobuf["kind"], kind);
        json["apiVersion"] = "v1".into();
        assert_eq!(protobuf, json, "{path}");
    }
    let deleted = client.send(http::Method::DELETE, &path, &[("accept", PROTOBUF)], "").await;
    assert_eq!(object(&deleted, 200)["metadata"]["name"], "p");
}

#[tokio::test]
async fn groups_come_in_protobuf() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let count = |json: Value, field: &str| json[field].as_array().expect("it is a list").len();
    let groups = client.get_as("/apis", PROTOBUF).await;
    let envelope = Envelope::parse(&groups.body).expect("the server writes envelopes");
    assert_eq!((envelope.api_version, envelope.kind), ("v1", "APIGroupList"));
    // Its first field is the list, as in other lists the metadata is.
    assert_eq!(list_parts(envelope.raw).count(), count(client.get("/apis").await.json(), "groups"));
    let aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let in_json = client.get_as("/apis", aggregated).await;
    let aggregated = aggregated.replace("json", "vnd.kubernetes.protobuf");
    let answer = client.get_as("/apis", &aggregated).await;
    assert_eq!(answer.header("content-type"), aggregated);
    let envelope = Envelope::parse(&answer.body).expect("the server writes envelopes");
    assert_eq!(envelope.kind, "APIGroupDiscoveryList");
    let items = list_parts(envelope.raw).filter(|part| matches!(part, Ok(ListPart::Item(_))));
    assert_eq!(items.count(), count(in_json.json(), "items"));
}

#[tokio::test]
async fn custom_resources_are_json_but_for_their_metadata() {
    let (_server, client) = defined(&gadgets(anything())).await;
    client.post(GADGETS, &gadget("g", json!({}))).await.expect(201);
    let path = format!("{GADGETS}/g");
    let words = "406 only the following media types are accepted: \
                 application/json, application/yaml, application/vnd.kubernetes.protobuf";
    for path in [GADGETS, &path, &format!("{GADGETS}?watch=1")] {
        // The refusal itself is nothing custom.
        assert_eq!(refusal(&client.get_as(path, PROTOBUF).await), words);
        assert_eq!(client.get_as(path, "text/plain").await.refusal(), words);
    }
    let either = client.get_as(&path, &format!("{PROTOBUF},application/json")).await;
    assert_eq!(either.header("content-type"), "application/json");
    assert_eq!(object(&client.get_as(&path, PARTIAL).await, 200)["metadata"]["name"], "g");
    // Failures are not transformed, and so this client takes none.
    let missing = client.get_as(&format!("{GADGETS}/none"), PARTIAL).await;
    assert_eq!(missing.refusal(), r#"404 gadgets.a.example "none" not found"#);
}
