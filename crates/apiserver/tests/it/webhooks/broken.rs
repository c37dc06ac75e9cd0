//! Webhooks that do not answer as they should: the server stays up, and says what was wrong in upstream's words.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::Client;
use crate::hook::{Hook, MUTATING, Reply, VALIDATING, configuration, webhook};
use crate::objects::{CONFIG_MAPS, labelled, named};

async fn register(admin: &Client, kind: &str, client: Value, others: &Value) {
    admin.post(kind, &configuration("w", &[webhook("w.shop.example", client, others)])).await.expect(201);
}

/// The refusal of a write that fails because of a webhook.
fn failed(problem: &str) -> String {
    format!(r#"500 Internal error occurred: failed calling webhook "w.shop.example": {problem}"#)
}

/// The refusal of the creation of the ConfigMap that names the fault, with the uid of the review as `UID`.
async fn refusal(admin: &Client, hook: &Hook, name: &str) -> String {
    let refusal = admin.post(CONFIG_MAPS, &named(name)).await.refusal();
    let uid = hook.posted().last().and_then(|posted| posted.request()["uid"].as_str().map(str::to_owned));
    refusal.replace(&uid.unwrap_or_default(), "UID")
}

#[tokio::test]
async fn a_response_that_is_not_valid_fails_the_write() {
    let hook = Hook::start(|posted| {
        let request = posted.request();
        let uid = &request["uid"];
        let review = |fields: Value| {
            let mut review = json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"});
            for (name, value) in fields.as_object().into_iter().flatten() {
                review[name] = value.clone();
            }
            Reply::Review(review)
        };
        match request["name"].as_str().unwrap_or_default() {
            "garbage" => Reply::Raw(200, b"garbage".to_vec()),
            "list" => Reply::Raw(200, b"[]".to_vec()),
            "empty" => Reply::Raw(200, Vec::new()),
            "nothing" => review(json!({})),
            "kindless" => Reply::Review(json!({"response": {"uid": uid, "allowed": true}})),
            "uid" => review(json!({"response": {"uid": "other", "allowed": true}})),
            "version" => review(json!({"apiVersion": "admission.k8s.io/v1beta1"})),
            "unknown" => review(json!({"apiVersion": "admission.k8s.io/v9"})),
            "kind" => review(json!({"kind": "Pod", "apiVersion": "v1"})),
            "type" => review(json!({"response": {"uid": uid, "allowed": "yes"}})),
            "status" => Reply::Review(json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "code": 500,
            })),
            "missing" => Reply::Raw(404, b"404 page not found".to_vec()),
            "panic" => Reply::Raw(500, b"it has panicked".to_vec()),
            "gone" => Reply::Raw(410, Vec::new()),
            "patched" => Reply::patch(&json!([{"op": "add", "path": "/data", "value": {}}])),
            "large" => Reply::Raw(200, vec![b' '; 16 * 1024 * 1024 + 1]),
            "null" => Reply::Raw(200, b"null".to_vec()),
            "blank" => Reply::Raw(200, b"  ".to_vec()),
            "yaml" => Reply::Raw(200, b"kind: AdmissionReview\n".to_vec()),
            "control" => Reply::Raw(200, b"\0{{{".to_vec()),
            "nocontent" => Reply::Raw(204, Vec::new()),
            "strange" => Reply::Raw(299, b"{}".to_vec()),
            "cut" => Reply::Begun { is_cut: true },
            "begun" => Reply::Begun { is_cut: false },
            "success" => Reply::Review(json!({"kind": "Status", "status": "Success"})),
            "nowhere" => Reply::Raw(307, Vec::new()),
            "circle" => Reply::Head(307, "location", "/check?b".to_owned()),
            "plain" => Reply::Head(307, "location", "http://127.0.0.1/".to_owned()),
            "busy" => Reply::Head(429, "retry-after", "0".to_owned()),
            _ => Reply::allow(),
        }
    })
    .await;
    let (_server, admin) = hook.server().await;
    register(&admin, VALIDATING, hook.at_service("/check"), &json!({"timeoutSeconds": 2})).await;
    let url = r#"Post "https://hook.shop.svc:443/check?timeout=2s""#;
    let call = |problem: &str| failed(&format!("failed to call webhook: {problem}"));
    let invalid = |problem: &str| failed(&format!("received invalid webhook response: {problem}"));
    let cases = [
        (
            "garbage",
            call(
                r#"couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#,
            ),
        ),
        (
            "list",
            call(
                r#"couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#,
            ),
        ),
        ("empty", call("0-length response with status code: 200 and content type: application/json")),
        ("nocontent", call("0-length response with status code: 204 and content type: application/json")),
        ("null", invalid("webhook response was absent")),
        ("blank", invalid("webhook response was absent")),
        ("yaml", invalid("webhook response was absent")),
        ("control", call("yaml: control characters are not allowed")),
        (
            "strange",
            call("the server responded with the status code 299 but did not return more information"),
        ),
        (
            "cut",
            call("unexpected error when reading response body. Please retry. Original error: unexpected EOF"),
        ),
        (
            "begun",
            call(
                "unexpected error when reading response body. Please retry. Original error: context deadline exceeded",
            ),
        ),
        (
            "nowhere",
            call("the server responded with the status code 307 but did not return more information"),
        ),
        ("circle", call(r#"Post "/check?b": stopped after 10 redirects"#)),
        ("plain", call(&format!(r#"{url}: unsupported protocol scheme "http""#))),
        ("busy", call("the server has received too many requests and has asked us to try again later")),
        ("nothing", invalid("webhook response was absent")),
        (
            "kindless",
            invalid("expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind="),
        ),
        ("uid", invalid(r#"expected response.uid="UID", got "other""#)),
        ("version", call("converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion")),
        (
            "unknown",
            call(
                r#"no kind "AdmissionReview" is registered for version "admission.k8s.io/v9" in scheme "pkg/runtime/scheme.go:111""#,
            ),
        ),
        (
            "kind",
            call(r#"no kind "Pod" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111""#),
        ),
        (
            "type",
            call(
                "json: cannot unmarshal string into Go struct field AdmissionResponse.response.allowed of type bool",
            ),
        ),
        ("status", call("converting (v1.Status) to (v1.AdmissionReview): unknown conversion")),
        ("success", call("converting (v1.Status) to (v1.AdmissionReview): unknown conversion")),
        ("missing", call("the server could not find the requested resource")),
        (
            "panic",
            call(r#"an error on the server ("it has panicked") has prevented the request from succeeding"#),
        ),
        ("gone", call("the server responded with the status code 410 but did not return more information")),
        ("patched", invalid("validating webhook may not return response.patch")),
        ("large", call(&format!("{url}: the response is larger than 16777216 bytes"))),
    ];
    for (name, expected) in cases {
        assert_eq!(refusal(&admin, &hook, name).await, expected, "{name}");
    }
    admin.post(CONFIG_MAPS, &named("good")).await.expect(201);
}

#[tokio::test]
async fn a_patch_that_is_not_valid_fails_the_write() {
    let hook = Hook::start(|posted| {
        let patch = |operations: Value| Reply::patch(&operations);
        match posted.request()["name"].as_str().unwrap_or_default() {
            "object" => patch(json!({})),
            "number" => patch(json!([1])),
            "pathless" => patch(json!([{"op": "add", "path": 5, "value": 1}])),
            "operation" => patch(json!([{"op": 5, "path": "/data", "value": 1}])),
            "anything" => patch(json!([{"op": "replace", "path": "", "value": [1]}])),
            "path" => patch(json!([{"op": "add", "path": "/a/b/c", "value": 1}])),
            "test" => patch(json!([{"op": "test", "path": "/metadata/name", "value": "other"}])),
            "type" => patch(json!([{"op": "add", "path": "/data", "value": {"a": 1}}])),
            "untyped" => Reply::Response(json!({"allowed": true, "patch": "W10="})),
            "patchless" => Reply::Response(json!({"allowed": true, "patchType": "JSONPatch"})),
            "merge" => Reply::Response(json!({
                "allowed": true, "patchType": "Merge", "patch": "W3sib3AiOiJhZGQiLCJwYXRoIjoiL2RhdGEiLCJ2YWx1ZSI6e319XQ==",
            })),
            _ => patch(json!([])),
        }
    })
    .await;
    let (_server, admin) = hook.server().await;
    register(&admin, MUTATING, hook.at_url("/"), &Value::Null).await;
    let internal = |problem: &str| format!("500 Internal error occurred: {problem}");
    for (name, expected) in [
        (
            "object",
            failed(
                "received undecodable patch in webhook response: json: cannot unmarshal object into Go value of type jsonpatch.Patch",
            ),
        ),
        (
            "number",
            failed(
                "received undecodable patch in webhook response: json: cannot unmarshal number into Go value of type jsonpatch.Operation",
            ),
        ),
        ("pathless", internal("add operation failed to decode path: missing value")),
        ("operation", internal("Unexpected kind: unknown")),
        (
            "anything",
            internal(
                r#"couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#,
            ),
        ),
        ("path", internal(r#"add operation does not apply: doc is missing path: "/a/b/c": missing value"#)),
        ("test", internal("testing value /metadata/name failed: test failed")),
        (
            "type",
            internal("json: cannot unmarshal number into Go struct field ConfigMap.data of type string"),
        ),
        (
            "untyped",
            failed(
                "received invalid webhook response: webhook returned response.patch but not response.patchType",
            ),
        ),
        (
            "patchless",
            failed(
                "received invalid webhook response: webhook returned response.patchType but not response.patch",
            ),
        ),
        ("merge", failed(r#"unsupported patch type "Merge""#)),
    ] {
        assert_eq!(refusal(&admin, &hook, name).await, expected, "{name}");
    }
    admin.post(CONFIG_MAPS, &named("good")).await.expect(201);
}

#[tokio::test]
async fn a_deletion_cannot_be_patched() {
    let hook = Hook::start(|_| Reply::patch(&json!([{"op": "add", "path": "/data", "value": {}}]))).await;
    let (_server, admin) = hook.server().await;
    admin.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let rules = json!({ "rules": [{
        "operations": ["DELETE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
    }] });
    register(&admin, MUTATING, hook.at_url("/"), &rules).await;
    assert_eq!(
        admin.delete(&format!("{CONFIG_MAPS}/a")).await.refusal(),
        r#"500 Internal error occurred: admission webhook "w.shop.example" attempted to modify the object, which is not supported for this operation"#
    );
}

#[tokio::test]
async fn a_webhook_that_cannot_be_reached_fails_the_write() {
    let hook = Hook::start_as(&["other.shop.svc"], |_| Reply::allow()).await;
    let (_server, admin) = hook.server().await;
    let down = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let free = down.local_addr().expect("it listens").port();
    drop(down);
    let plain = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let port = plain.local_addr().expect("it listens").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await;
        }
    });
    let other = Hook::start(|_| Reply::allow()).await;
    let at = |port: u16, path: &str| format!(r#"Post "https://127.0.0.1:{port}{path}?timeout=10s""#);
    let bundle = hook.ca_bundle();
    let cases = [
        (
            json!({"url": format!("https://127.0.0.1:{free}/a/"), "caBundle": bundle}),
            format!("{}: dial tcp 127.0.0.1:{free}: connect: connection refused", at(free, "/a")),
        ),
        (
            hook.at_service("/"),
            r#"Post "https://hook.shop.svc:443/?timeout=10s": tls: failed to verify certificate: x509: certificate is valid for other.shop.svc, not hook.shop.svc"#.to_owned(),
        ),
        (
            hook.at_url(""),
            format!("{}: tls: failed to verify certificate: x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs", at(hook.port, "/")),
        ),
        (
            json!({"url": other.url("/"), "caBundle": bundle}),
            format!("{}: tls: failed to verify certificate: x509: certificate signed by unknown authority", at(other.port, "/")),
        ),
        (
            json!({"url": format!("https://127.0.0.1:{port}/"), "caBundle": bundle}),
            format!("{}: http: server gave HTTP response to HTTPS client", at(port, "/")),
        ),
        (
            json!({"service": {"namespace": "shop", "name": "none"}, "caBundle": bundle}),
            r#"Post "https://none.shop.svc:443/?timeout=10s": service "none" not found"#.to_owned(),
        ),
        (
            json!({"url": "https://host.invalid/", "caBundle": bundle}),
            r#"Post "https://host.invalid/?timeout=10s": dial tcp: lookup host.invalid: no such host"#.to_owned(),
        ),
    ];
    for (client, problem) in cases {
        register(&admin, VALIDATING, client, &Value::Null).await;
        let refusal = admin.post(CONFIG_MAPS, &named("a")).await.refusal();
        assert_eq!(refusal, failed(&format!("failed to call webhook: {problem}")));
        admin.delete(&format!("{VALIDATING}/w")).await.expect(200);
    }
}

#[tokio::test]
async fn a_webhook_that_never_answers_holds_up_its_own_write_for_its_time() {
    let hook =
        Hook::start(|posted| if posted.request()["name"] == "slow" { Reply::Never } else { Reply::allow() })
            .await;
    let (_server, admin) = hook.server().await;
    let webhooks = [("In", 1), ("NotIn", 30)].map(|(operator, seconds)| {
        let app = json!({"key": "app", "operator": operator, "values": ["slow"]});
        let others = json!({"timeoutSeconds": seconds, "objectSelector": {"matchExpressions": [app]}});
        webhook(
            &format!("w{}.shop.example", if seconds == 1 { "" } else { "-others" }),
            hook.at_url("/"),
            &others,
        )
    });
    admin.post(VALIDATING, &configuration("w", &webhooks)).await.expect(201);
    let object = labelled("slow", "slow");
    let slow = admin.post(CONFIG_MAPS, &object);
    let others = async {
        for index in 0..20 {
            admin.post(CONFIG_MAPS, &named(&format!("c{index}"))).await.expect(201);
        }
    };
    let (slow, ()) = tokio::join!(slow, others);
    let url = hook.url("/?timeout=1s");
    assert_eq!(
        slow.refusal(),
        failed(&format!(r#"failed to call webhook: Post "{url}": context deadline exceeded"#))
    );
    let timed_out = admin.post(&format!("{CONFIG_MAPS}?timeout=100ms"), &object).await.refusal();
    assert_eq!(
        timed_out,
        "504 Timeout: request did not complete within requested timeout - context deadline exceeded"
    );
}

#[tokio::test]
async fn a_failure_is_ignored_if_the_webhook_says_so_and_a_rejection_is_not() {
    let hook = Hook::start(|posted| match posted.request()["name"].as_str() {
        Some("denied") => Reply::Response(json!({"allowed": false})),
        _ => Reply::Raw(500, Vec::new()),
    })
    .await;
    let (_server, admin) = hook.server().await;
    for kind in [VALIDATING, MUTATING] {
        register(&admin, kind, hook.at_url("/"), &json!({"failurePolicy": "Ignore"})).await;
    }
    admin.post(CONFIG_MAPS, &named("a")).await.expect(201);
    assert_eq!(hook.posted().len(), 2);
    admin.post(CONFIG_MAPS, &named("denied")).await.expect(400);
}

#[tokio::test]
async fn a_server_that_restarts_calls_its_webhooks_again() {
    let hook = Hook::start(|_| Reply::allow()).await;
    let (server, admin) = hook.server().await;
    register(&admin, VALIDATING, hook.at_service("/"), &Value::Null).await;
    admin.post(CONFIG_MAPS, &named("a")).await.expect(201);
    server.restart().await.expect("it starts again");
    let admin = Client::admin(&server).await;
    admin.post(CONFIG_MAPS, &named("b")).await.expect(201);
    assert_eq!((hook.posted().len(), hook.connections()), (2, 2));
}

#[tokio::test]
async fn a_service_is_the_external_name_of_its_object() {
    let hook = Hook::start_as(&["named.shop.svc"], |_| Reply::allow()).await;
    let (_server, admin) = hook.server().await;
    admin.post("/api/v1/namespaces", &named("shop")).await.expect(201);
    let spec = json!({"type": "ExternalName", "externalName": "localhost"});
    let service = json!({"metadata": {"name": "named"}, "spec": spec});
    admin.post("/api/v1/namespaces/shop/services", &service).await.expect(201);
    let client = json!({
        "service": {"namespace": "shop", "name": "named", "port": hook.port}, "caBundle": hook.ca_bundle(),
    });
    register(&admin, VALIDATING, client, &Value::Null).await;
    admin.post(CONFIG_MAPS, &named("a")).await.expect(201);
    assert_eq!(hook.posted().len(), 1);
}

#[tokio::test]
async fn a_webhook_is_called_again_when_it_says_so() {
    let calls = AtomicUsize::new(0);
    let hook = Hook::start(move |posted| {
        let path = posted.path.split('?').next().unwrap_or_default();
        match (path, calls.fetch_add(1, Ordering::SeqCst) % 4) {
            ("/limited", 0..3) => Reply::Head(429, "retry-after", "0".to_owned()),
            ("/unavailable", 0..3) => Reply::Head(503, "retry-after", "-1".to_owned()),
            ("/busy", _) => Reply::Head(429, "retry-after", "1h".to_owned()),
            _ => Reply::allow(),
        }
    })
    .await;
    let (_server, admin) = hook.server().await;
    for (path, code, calls) in [("/limited", 201, 4), ("/unavailable", 201, 4), ("/busy", 500, 1)] {
        for kind in [VALIDATING, MUTATING] {
            let before = hook.posted().len();
            register(&admin, kind, hook.at_url(path), &Value::Null).await;
            let created = admin.post(&format!("{CONFIG_MAPS}?dryRun=All"), &named("a")).await;
            assert_eq!(created.status, code, "{path}: {}", created.text());
            admin.delete(&format!("{kind}/w")).await.expect(200);
            assert_eq!(hook.posted().len() - before, calls, "{path}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_followed_with_the_body_or_without_it() {
    let hook = Hook::start(|posted| {
        let (path, query) = posted.path.split_once('?').unwrap_or((&posted.path, ""));
        match path {
            "/moved" => Reply::Head(query_code(query), "location", "deny?a=b".to_owned()),
            "/twice" => Reply::Head(307, "location", "/moved?code=308".to_owned()),
            "/deny" if posted.review.is_null() => Reply::Raw(200, b"{\"kind\": \"x\"}".to_vec()),
            _ => Reply::Response(json!({"allowed": false})),
        }
    })
    .await;
    let (_server, admin) = hook.server().await;
    let denied = r#"400 admission webhook "w.shop.example" denied the request without explanation"#;
    register(&admin, VALIDATING, hook.at_url("/twice"), &Value::Null).await;
    assert_eq!(admin.post(CONFIG_MAPS, &named("a")).await.refusal(), denied);
    let posted = hook.posted();
    let paths: Vec<&str> = posted.iter().map(|posted| &*posted.path).collect();
    assert_eq!(paths, ["/twice?timeout=10s", "/moved?code=308", "/deny?a=b"]);
    assert!(posted.iter().all(|other| other.review == posted[0].review));
    admin.delete(&format!("{VALIDATING}/w")).await.expect(200);
    register(&admin, VALIDATING, hook.at_service("/moved"), &Value::Null).await;
    let unknown = r#"no kind "x" is registered for version "admission.k8s.io/v1" in scheme "pkg/runtime/scheme.go:111""#;
    let refused = admin.post(CONFIG_MAPS, &named("a")).await.refusal();
    assert_eq!(refused, failed(&format!("failed to call webhook: {unknown}")));
}

/// The code that a query asks for: 302 without one.
fn query_code(query: &str) -> u16 {
    query.strip_prefix("code=").map_or(302, |code| code.parse().expect("it is a code"))
}

#[tokio::test]
async fn many_large_responses_at_once_are_read() {
    let hook = Hook::start(|_| {
        let response = json!({"allowed": true, "auditAnnotations": {"a": "x".repeat(4 << 20)}});
        Reply::Response(response)
    })
    .await;
    let (_server, admin) = hook.server().await;
    register(&admin, VALIDATING, hook.at_url("/"), &Value::Null).await;
    let mut created = tokio::task::JoinSet::new();
    for index in 0..6 {
        let client = admin.share();
        created.spawn(async move { client.post(CONFIG_MAPS, &named(&format!("c{index}"))).await });
    }
    for answer in created.join_all().await {
        answer.expect(201);
    }
}
