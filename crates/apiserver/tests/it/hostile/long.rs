//! Long lists, wild numbers and patterns, which must not cost more than they are long.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use super::still_serves;
use crate::client::Client;
use crate::definition::delete;
use crate::objects::{DEFINITIONS, GADGETS, PODS, gadget, gadgets, pod};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

fn repeated(count: usize, item: impl Fn(usize) -> Value) -> Value {
    (0..count).map(item).collect()
}

/// A pod with something at a JSON pointer within its spec.
fn pod_with(parent: &str, field: &str, value: Value) -> Value {
    let mut pod = pod("p");
    pod.pointer_mut(parent).expect("every pod has it")[field] = value;
    pod
}

#[tokio::test]
async fn long_lists_are_checked_in_time() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let count = 20_000;
    let name = |index: usize| format!("n{index}");
    let spread = |i| json!({"maxSkew": 1, "topologyKey": name(i), "whenUnsatisfiable": "DoNotSchedule"});
    let port = |i| json!({"name": name(i), "containerPort": i + 1, "hostPort": i + 1});
    let container = "/spec/containers/0";
    for (path, object, code) in [
        (PODS, pod_with("/spec", "topologySpreadConstraints", repeated(count, spread)), 201),
        (PODS, pod_with("/spec", "schedulingGates", repeated(count, |i| json!({"name": name(i)}))), 409),
        (PODS, pod_with(container, "ports", repeated(count, port)), 409),
        (
            "/api/v1/namespaces/default/services",
            json!({"metadata": {"name": "s"}, "spec": {"ports": repeated(count, |i| json!({"name": name(i), "port": i + 1}))}}),
            201,
        ),
    ] {
        let answer = client.post(path, &object).await;
        assert_eq!(answer.status, code, "{path}: {}", answer.text().get(..200).unwrap_or_default());
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn patterns_that_would_run_away_are_matched_or_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let nested = format!("{}a{}", "(".repeat(50_000), ")".repeat(50_000));
    for (pattern, code) in [
        ("^(a+)+$", 201),
        ("^(a|a)*$", 201),
        ("^(a|aa)+$", 201),
        ("^(.*)*$", 201),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", 201),
        ("^(x{1,100}){1,5}$", 201),
        (r"((\pL{1,1000}){1,1000}){1,1000}", 422),
        (&*nested, 422),
        (r"(?=a)", 422),
    ] {
        let definition =
            gadgets(json!({"type": "object", "properties": {"s": {"type": "string", "pattern": pattern}}}));
        let answer = client.post(DEFINITIONS, &definition).await;
        assert_eq!(answer.status, code, "{pattern}");
        if code != 201 {
            continue;
        }
        let long = "a".repeat(50_000) + "!";
        client.post(GADGETS, &gadget("g", json!({"s": long}))).await;
        delete(&client, "gadgets.a.example").await;
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn paths_of_columns_may_be_wild() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    for path in [
        ".spec..*..*..*..*".to_owned(),
        format!(".spec{}", "[?(@.a".repeat(20_000)),
        format!(".spec{}", "[0]".repeat(50_000)),
        format!(".{}", "spec[*]".repeat(10_000)),
        ".spec[-9223372036854775808:9223372036854775807:-1]".to_owned(),
        ".spec['é\\".to_owned(),
    ] {
        let mut definition = gadgets(anything.clone());
        definition["spec"]["versions"][0]["additionalPrinterColumns"] =
            json!([{"name": "C", "type": "string", "jsonPath": path}]);
        let answer = client.post(DEFINITIONS, &definition).await;
        assert!(matches!(answer.status.as_u16(), 201 | 422), "{}", answer.text());
        if answer.status != 201 {
            continue;
        }
        let spec = (0..40).fold(json!([1, 2]), |inner, _| json!({"a": inner, "b": [1]}));
        client.post(GADGETS, &gadget("g", json!({"s": spec}))).await.expect(201);
        client.get_as(GADGETS, TABLE).await.expect(200);
        delete(&client, "gadgets.a.example").await;
    }
}

#[tokio::test]
async fn numbers_and_times_may_be_wild() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for quantity in [
        "1e1000000000",
        "1E9999999999999999999",
        "9".repeat(100_000).as_str(),
        "-1e-999999999",
        "1Ki5",
        "é",
        "",
    ] {
        let limits = json!({"limits": {"cpu": quantity}});
        let answer = client.post(PODS, &pod_with("/spec/containers/0", "resources", limits)).await;
        assert!(matches!(answer.status.as_u16(), 201 | 400 | 422), "{quantity}: {}", answer.text());
        client.delete(&format!("{PODS}/p")).await;
    }
    for (parent, field, value) in [
        ("/spec", "terminationGracePeriodSeconds", json!(i64::MAX)),
        ("/spec", "activeDeadlineSeconds", json!(i64::MAX)),
        ("/spec", "priority", json!(i64::MIN)),
        ("/spec", "priority", json!(1e300)),
        ("/spec/containers/0", "ports", json!([{"containerPort": -2147483648i64}])),
        (
            "/spec/containers/0",
            "livenessProbe",
            json!({"tcpSocket": {"port": 1}, "periodSeconds": i32::MAX, "failureThreshold": i32::MAX}),
        ),
    ] {
        let answer = client.post(PODS, &pod_with(parent, field, value)).await;
        assert!(matches!(answer.status.as_u16(), 201 | 400 | 403 | 422), "{field}: {}", answer.text());
        client.delete(&format!("{PODS}/p")).await;
    }
    let times = [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "-009999-01-01T00:00:00Z",
        "2001-01-01T00:00:00+99:99",
        "é",
    ];
    for (index, time) in times.iter().enumerate() {
        let event = json!({
            "metadata": {"name": format!("e{index}"), "namespace": "default"},
            "involvedObject": {"namespace": "default", "kind": "Pod", "name": "p"},
            "firstTimestamp": time, "lastTimestamp": time, "count": i32::MAX,
        });
        let answer = client.post("/api/v1/namespaces/default/events", &event).await;
        assert!(matches!(answer.status.as_u16(), 201 | 400), "{time}: {}", answer.text());
        let status = json!({"status": {"startTime": time, "completionTime": times[0], "conditions": []}});
        let job = json!({
            "metadata": {"name": format!("j{index}")},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}}},
        });
        let jobs = "/apis/batch/v1/namespaces/default/jobs";
        client.post(jobs, &job).await.expect(201);
        client.patch(&format!("{jobs}/j{index}/status"), "merge", &status).await;
        for path in [jobs, "/api/v1/events", "/apis/events.k8s.io/v1/events"] {
            client.get_as(path, TABLE).await.expect(200);
        }
    }
    for schedule in [
        "0-4294967295 * * * *",
        "*/0 * * * *",
        "1-2-3 * * * *",
        "TZ=é * * * * *",
        "@every 99999999999999999999h",
        "é é é é é",
        "@",
    ] {
        let template = json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}}}});
        let job = json!({"metadata": {"name": "c"}, "spec": {"schedule": schedule, "jobTemplate": template}});
        let answer = client.post("/apis/batch/v1/namespaces/default/cronjobs?dryRun=All", &job).await;
        assert!(matches!(answer.status.as_u16(), 201 | 422), "{schedule}: {}", answer.text());
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn schemas_may_be_nested_deep() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let plain = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    for (what, wrap) in [
        ("properties", (|inner| json!({"type": "object", "properties": {"n": inner}})) as fn(Value) -> Value),
        ("items", |inner| json!({"type": "array", "items": inner})),
        ("additionalProperties", |inner| json!({"type": "object", "additionalProperties": inner})),
    ] {
        for depth in [20, 40, 80] {
            let schema = (0..depth).fold(plain.clone(), |inner, _| wrap(inner));
            let answer = client.post(DEFINITIONS, &gadgets(schema)).await;
            assert!(matches!(answer.status.as_u16(), 201 | 400 | 422), "{what} {depth}: {}", answer.text());
            if answer.status == 201 {
                delete(&client, "gadgets.a.example").await;
            }
        }
    }
    for word in ["not", "allOf", "anyOf", "oneOf"] {
        for depth in [10, 40, 80] {
            let wrap = |inner| if word == "not" { json!({"not": inner}) } else { json!({word: [inner]}) };
            let mut schema = (0..depth).fold(json!({"maximum": 1}), |inner, _| wrap(inner));
            schema["type"] = "integer".into();
            let answer = client.post(DEFINITIONS, &gadgets(schema)).await;
            assert!(matches!(answer.status.as_u16(), 201 | 400 | 422), "{word} {depth}: {}", answer.text());
            if answer.status == 201 {
                delete(&client, "gadgets.a.example").await;
            }
        }
    }
    still_serves(&server).await;
}
