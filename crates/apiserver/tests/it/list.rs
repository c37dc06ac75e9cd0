//! Lists: their parts, their versions, what they select.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::Client;
use crate::objects::{CONFIG_MAPS, NAMESPACES, labelled, named, names, text, version};

async fn with_config_maps(names: &[&str]) -> (TestServer, Client) {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    for name in names {
        client.post(CONFIG_MAPS, &labelled(name, "x")).await.expect(201);
    }
    (server, client)
}

/// The config maps that a test has made, which have a label.
fn own(query: &str) -> String {
    format!("{CONFIG_MAPS}?labelSelector=app{query}")
}

fn token(list: &Value) -> String {
    list["metadata"]["continue"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn parts_of_a_list_show_one_moment() {
    let (_server, client) = with_config_maps(&["a", "b", "c", "d", "e"]).await;
    let first = client.get(&own("&limit=2")).await.expect(200);
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], Value::Null, "it is not known with a selector");
    client.post(CONFIG_MAPS, &labelled("c2", "x")).await.expect(201);
    client.delete(&format!("{CONFIG_MAPS}/d")).await.expect(200);
    client.put(&format!("{CONFIG_MAPS}/e"), &labelled("e", "changed")).await.expect(200);
    let second = client.get(&own(&format!("&limit=2&continue={}", token(&first)))).await.expect(200);
    assert_eq!(names(&second), ["c", "d"]);
    let third = client.get(&own(&format!("&limit=2&continue={}", token(&second)))).await.expect(200);
    assert_eq!(names(&third), ["e"]);
    assert_eq!(third["items"][0]["metadata"]["labels"]["app"], "x");
    assert_eq!(token(&third), "");
    for part in [&second, &third] {
        assert_eq!(version(part), version(&first));
    }
    assert_eq!(names(&client.get(&own("")).await.expect(200)), ["a", "b", "c", "c2", "e"]);
}

#[tokio::test]
async fn a_part_says_how_many_are_left() {
    let (_server, client) = with_config_maps(&["a", "b", "c", "d"]).await;
    let mut left = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let part = client.get(&format!("{CONFIG_MAPS}{query}")).await.expect(200);
        left.push(part["metadata"]["remainingItemCount"].as_u64().unwrap_or_default());
        match token(&part) {
            end if end.is_empty() => break,
            token => query = format!("?limit=2&continue={token}"),
        }
    }
    assert!(left.windows(2).all(|pair| pair[0] == pair[1] + 2 || (pair[0] < 2 && pair[1] == 0)), "{left:?}");
}

#[tokio::test]
async fn an_expired_token_comes_with_one_that_goes_on_inconsistently() {
    let (server, client) = with_config_maps(&["a", "b", "c"]).await;
    let first = client.get(&own("&limit=1")).await.expect(200);
    client.post(CONFIG_MAPS, &labelled("b2", "x")).await.expect(201);
    server.compact();
    let expired = client.get(&own(&format!("&limit=1&continue={}", token(&first)))).await;
    assert!(expired.refusal().starts_with("410 The provided continue parameter is too old"), "{expired:?}");
    let expired = expired.json();
    assert_eq!(expired["reason"], "Expired");
    let rest = client.get(&own(&format!("&continue={}", token(&expired)))).await.expect(200);
    assert_eq!(names(&rest), ["b", "b2", "c"]);
    assert_eq!(version(&rest), server.resource_version());
}

#[tokio::test]
async fn tokens_that_are_none_are_refused() {
    let (_server, client) = with_config_maps(&["a"]).await;
    let encoded = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    };
    for bad in [
        "%00".to_owned(),
        "!!".to_owned(),
        "x".repeat(5000),
        encoded("{}"),
        encoded(r#"{"v":"meta.k8s.io/v1","rv":1,"start":"../../secrets"}"#),
        encoded(r#"{"v":"meta.k8s.io/v2","rv":1,"start":"a"}"#),
        encoded(r#"{"v":"meta.k8s.io/v1","rv":0,"start":"a"}"#),
    ] {
        let answer = client.get(&own(&format!("&continue={bad}"))).await;
        assert!(answer.refusal().starts_with("400 invalid continue token:"), "{bad}: {answer:?}");
    }
    let future = encoded(r#"{"v":"meta.k8s.io/v1","rv":9223372036854775807,"start":"a\u0000"}"#);
    let answer = client.get(&own(&format!("&continue={future}"))).await;
    assert!(answer.refusal().starts_with("504 Timeout: Too large resource version"), "{answer:?}");
    let both = client.get(&own(&format!("&continue={future}&resourceVersion=5"))).await;
    assert!(both.refusal().starts_with("400 specifying resource version is not allowed"), "{both:?}");
}

#[tokio::test]
async fn a_list_can_be_of_an_earlier_version() {
    let (server, client) = with_config_maps(&["a", "b"]).await;
    let then = server.resource_version();
    client.delete(&format!("{CONFIG_MAPS}/a")).await.expect(200);
    let exact = format!("&resourceVersionMatch=Exact&resourceVersion={then}");
    let earlier = client.get(&own(&exact)).await.expect(200);
    assert_eq!((names(&earlier), version(&earlier)), (vec!["a".to_owned(), "b".to_owned()], then));
    let limited = client.get(&own(&format!("&limit=9&resourceVersion={then}"))).await.expect(200);
    assert_eq!(names(&limited), ["a", "b"], "a limit makes a version exact");
    for query in [
        format!("&resourceVersionMatch=NotOlderThan&resourceVersion={then}"),
        format!("&resourceVersion={then}"),
        "&resourceVersion=0".to_owned(),
        "&resourceVersion=0&limit=1".to_owned(),
    ] {
        assert_eq!(names(&client.get(&own(&query)).await.expect(200)), ["b"], "{query}");
    }
    server.compact();
    let refusal = client.get(&own(&exact)).await.refusal();
    assert_eq!(refusal, "410 The resourceVersion for the provided list is too old.");
}

#[tokio::test]
async fn version_0_has_no_parts() {
    let (_server, client) = with_config_maps(&["a", "b", "c"]).await;
    let list = client.get(&own("&limit=1&resourceVersion=0")).await.expect(200);
    assert_eq!((names(&list).len(), token(&list)), (3, String::new()));
}

#[tokio::test]
async fn a_list_waits_for_a_version_that_is_about_to_come() {
    let (server, client) = with_config_maps(&[]).await;
    let next = server.resource_version() + 1;
    let path = own(&format!("&resourceVersion={next}"));
    let new = labelled("a", "x");
    let (listed, _) = tokio::join!(client.get(&path), client.post(CONFIG_MAPS, &new));
    assert_eq!(names(&listed.expect(200)), ["a"]);
}

#[tokio::test]
async fn lists_are_in_order_of_namespace_and_name() {
    let (_server, client) = with_config_maps(&["b", "a", "a-b", "a.b"]).await;
    client.post("/api/v1/namespaces/kube-public/configmaps", &labelled("0", "x")).await.expect(201);
    client.post(NAMESPACES, &named("default-2")).await.expect(201);
    client.post("/api/v1/namespaces/default-2/configmaps", &labelled("z", "x")).await.expect(201);
    let all = client.get("/api/v1/configmaps?labelSelector=app").await.expect(200);
    let places: Vec<String> = all["items"].as_array().unwrap().iter().map(place).collect();
    let expected = ["default-2/z", "default/a", "default/a-b", "default/a.b", "default/b", "kube-public/0"];
    assert_eq!(places, expected);
    let mut parts = Vec::new();
    let mut path = "/api/v1/configmaps?labelSelector=app&limit=1".to_owned();
    loop {
        let part = client.get(&path).await.expect(200);
        parts.extend(part["items"].as_array().unwrap().iter().map(place));
        match token(&part) {
            end if end.is_empty() => break,
            token => path = format!("/api/v1/configmaps?labelSelector=app&limit=1&continue={token}"),
        }
    }
    assert_eq!(parts, expected);
}

fn place(object: &Value) -> String {
    format!("{}/{}", text(object, "/metadata/namespace"), text(object, "/metadata/name"))
}

#[tokio::test]
async fn lists_select_by_labels_and_fields() {
    let (_server, client) = with_config_maps(&["a", "b"]).await;
    client
        .post(CONFIG_MAPS, &json!({"metadata": {"name": "c", "labels": {"app": "y", "n": "3"}}}))
        .await
        .expect(201);
    for (query, expected) in [
        ("labelSelector=app%3Dx", &["a", "b"][..]),
        ("labelSelector=app!%3Dx,app", &["c"]),
        ("labelSelector=app+in+(x,y),n", &["c"]),
        ("labelSelector=app,!n", &["a", "b"]),
        ("labelSelector=n%3E2", &["c"]),
        ("labelSelector=app&fieldSelector=metadata.name!%3Da", &["b", "c"]),
        ("fieldSelector=metadata.name%3Db,metadata.namespace%3Ddefault", &["b"]),
    ] {
        let list = client.get(&format!("{CONFIG_MAPS}?{query}")).await.expect(200);
        assert_eq!(names(&list), expected, "{query}");
    }
    for (query, refusal) in [
        ("labelSelector=a%3D%3D%3Db", "400 "),
        ("labelSelector=a+in+(", "400 "),
        ("fieldSelector=spec.foo%3D1", r#"400 "spec.foo" is not a known field selector"#),
        ("limit=many", "400 "),
    ] {
        let answer = client.get(&format!("{CONFIG_MAPS}?{query}")).await;
        assert!(answer.refusal().starts_with(refusal), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn a_large_list_comes_whole() {
    let (_server, client) = with_config_maps(&[]).await;
    let data = "x".repeat(100_000);
    for name in ["a", "b", "c", "d"] {
        let object = json!({"metadata": {"name": name, "labels": {"app": "x"}}, "data": {"k": data}});
        client.post(CONFIG_MAPS, &object).await.expect(201);
    }
    let list = client.get(&own("")).await.expect(200);
    assert_eq!(names(&list), ["a", "b", "c", "d"]);
    assert_eq!(text(&list["items"][3], "/data/k").len(), data.len());
}

#[tokio::test]
async fn a_list_in_the_namespace_without_a_name_is_of_all_namespaces() {
    let (_server, client) = with_config_maps(&["a"]).await;
    client.post("/api/v1/namespaces/kube-system/configmaps", &labelled("b", "x")).await.expect(201);
    let list = client.get("/api/v1/namespaces//configmaps?labelSelector=app").await.expect(200);
    assert_eq!(names(&list), ["a", "b"]);
    let path = "/api/v1/namespaces//configmaps";
    let required = "400 Namespace parameter required.";
    assert_eq!(client.get(&format!("{path}/a")).await.refusal(), required);
    assert_eq!(client.delete(path).await.refusal(), required);
    assert_eq!(
        client.post(path, &named("c")).await.refusal(),
        r#"422 ConfigMap "c" is invalid: metadata.namespace: Required value"#
    );
    assert_eq!(client.get("/api/v1/namespaces//status").await.refusal(), "400 name must be provided");
}

#[tokio::test]
async fn a_time_out_that_is_no_duration_is_refused() {
    let (_server, client) = with_config_maps(&["a"]).await;
    for path in [CONFIG_MAPS, "/api/v1/namespaces/default/configmaps/a", "/version", "/api", "/nowhere"] {
        for (timeout, problem) in [
            ("invalid", r#"invalid duration "invalid""#),
            ("foo", r#"invalid duration "foo""#),
            ("5", r#"missing unit in duration "5""#),
            ("5x", r#"unknown unit "x" in duration "5x""#),
            ("1s.", r#"invalid duration "1s.""#),
        ] {
            let refusal = client.get(&format!("{path}?timeout={timeout}")).await.refusal();
            let expected = format!("400 invalid timeout specified in the request URL - time: {problem}");
            assert_eq!(refusal, expected, "{path}");
        }
    }
    for timeout in ["", "0", "32s", "1h1m1.5s", "-1s"] {
        client.get(&format!("{CONFIG_MAPS}?timeout={timeout}")).await.expect(200);
    }
    drop(client.watch(&format!("{CONFIG_MAPS}?watch=1&timeout=invalid")).await);
}

#[tokio::test]
async fn deprecated_kinds_warn_with_every_answer() {
    let (_server, client) = with_config_maps(&[]).await;
    let path = "/api/v1/namespaces/default/endpoints";
    let warning = r#"299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice""#;
    for (answer, status) in [
        (client.get(path).await, 200),
        (client.get(&format!("{path}/nowhere")).await, 404),
        (client.post(path, &json!({"metadata": {"name": "A B"}})).await, 422),
    ] {
        assert_eq!((answer.status.as_u16(), answer.header("warning")), (status, warning));
    }
    let events = client.watch(&format!("{path}?watch=1")).await;
    assert_eq!(events.header("warning"), warning);
}

#[tokio::test]
async fn parameters_are_refused_in_gos_words() {
    let (_server, client) = with_config_maps(&["a"]).await;
    let number = |text: &str, problem: &str| format!("400 strconv.ParseInt: parsing {text:?}: {problem}");
    for (text, encoded, problem) in [
        ("x", "x", "invalid syntax"),
        ("1.5", "1.5", "invalid syntax"),
        ("", "", "invalid syntax"),
        (" 1", "%201", "invalid syntax"),
        ("99999999999999999999", "99999999999999999999", "value out of range"),
    ] {
        for parameter in ["limit", "timeoutSeconds", "watch=1&limit", "watch=1&timeoutSeconds"] {
            let refusal = client.get(&format!("{CONFIG_MAPS}?{parameter}={encoded}")).await.refusal();
            assert_eq!(refusal, number(text, problem), "{parameter}");
        }
        let path = format!("{CONFIG_MAPS}?dryRun=All&timeoutSeconds={encoded}");
        assert_eq!(client.delete(&path).await.refusal(), number(text, problem));
        let path = format!("{CONFIG_MAPS}/a?dryRun=All&gracePeriodSeconds={encoded}");
        assert_eq!(client.delete(&path).await.refusal(), number(text, problem));
    }
    let token = |problem: &str| format!("400 invalid continue token: continue key is not valid: {problem}");
    let version = |text: &str, problem: &str| {
        format!(
            "400 invalid resource version: resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: {problem}"
        )
    };
    let invalid = |problems: &str| format!(r#"422 ListOptions.meta.k8s.io "" is invalid: {problems}"#);
    let continued =
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided";
    for (query, refusal) in [
        ("continue=x", token("illegal base64 data at input byte 0")),
        ("continue=xxxxx", token("illegal base64 data at input byte 4")),
        ("continue=e30", token("server does not recognize this encoded version ")),
        (
            "continue=eyJ2IjoxfQ",
            token("json: cannot unmarshal number into Go struct field continueToken.v of type string"),
        ),
        ("resourceVersion=%2B1", version("+1", "invalid syntax")),
        ("resourceVersion=99999999999999999999", version("99999999999999999999", "value out of range")),
        ("watch=1&continue=x", invalid(continued)),
        (
            "resourceVersionMatch=Foo",
            invalid(
                r#"[resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided, resourceVersionMatch: Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""]"#,
            ),
        ),
    ] {
        assert_eq!(client.get(&format!("{CONFIG_MAPS}?{query}")).await.refusal(), refusal, "{query}");
    }
}

#[tokio::test]
async fn parameters_with_semicolons_are_passed_over() {
    let (_server, client) = with_config_maps(&["a"]).await;
    for query in ["limit=1;x=2", "limit=1;", "labelSelector=;", "limit=%zz"] {
        client.get(&format!("{CONFIG_MAPS}?{query}")).await.expect(200);
    }
}

#[tokio::test]
async fn a_timeout_that_has_passed_ends_the_request() {
    let (_server, client) = with_config_maps(&[]).await;
    for timeout in ["1ns", "1%C2%B5s"] {
        let answer = client.get(&format!("{CONFIG_MAPS}?timeout={timeout}")).await;
        assert_eq!(answer.status, 504, "{}", answer.text());
        assert_eq!(
            answer.text(),
            "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"Timeout: request did not complete within the allotted timeout\",\"reason\":\"Timeout\",\"details\":{},\"code\":504}\n"
        );
    }
    client.get(&format!("{CONFIG_MAPS}?timeout=10s")).await.expect(200);
}
