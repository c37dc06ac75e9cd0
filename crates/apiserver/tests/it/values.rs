//! Values that are written in several ways: times, bytes, amounts and selectors, as kube-apiserver 1.37 reads them.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::Client;
use crate::objects::CONFIG_MAPS;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const EVENTS: &str = "/api/v1/namespaces/default/events";
const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const QUOTAS: &str = "/api/v1/namespaces/default/resourcequotas";

fn lease(name: &str, time: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"holderIdentity": "a", "leaseDurationSeconds": 1, "renewTime": time},
    })
}

#[tokio::test]
async fn times_to_the_microsecond_have_six_digits() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for (name, time, stored) in [
        ("never", "9999-12-31T23:59:59.000000Z", json!("9999-12-31T23:59:59.000000Z")),
        ("first", "0000-01-01T00:00:00.000000Z", json!("0000-01-01T00:00:00.000000Z")),
        ("zero", "0001-01-01T00:00:00.000000Z", Value::Null),
        ("there", "2026-11-21T1:04:03,123456+24:60", json!("2026-11-20T00:04:03.123456Z")),
    ] {
        let answer = client.post(LEASES, &lease(name, time)).await.expect(201);
        assert_eq!(answer["spec"]["renewTime"], stored, "{time}");
    }
    let layout = "2006-01-02T15:04:05.000000Z07:00";
    for (time, problem) in [
        ("2026-11-21T10:04:03Z", r#"cannot parse "Z" as ".000000""#),
        ("2026-11-21T10:04:03.123Z", r#"cannot parse ".123Z" as ".000000""#),
        ("2026-11-21T10:04:03.123456789Z", r#"cannot parse "789Z" as "Z07:00""#),
        ("2026-11-21 10:04:03.123456Z", r#"cannot parse " 10:04:03.123456Z" as "T""#),
        ("2026-11-21t10:04:03.000000z", r#"cannot parse "t10:04:03.000000z" as "T""#),
        ("2026-11-21T18:43Z", r#"cannot parse "Z" as ":""#),
        ("2026-11-21T10:04:03.000000+02", r#"cannot parse "+02" as "Z07:00""#),
    ] {
        assert_eq!(
            client.post(LEASES, &lease("a", time)).await.refusal(),
            format!(
                r#"400 Lease in version "v1" cannot be handled as a Lease: parsing time "{time}" as "{layout}": {problem}"#
            )
        );
    }
    for (time, name) in [
        ("2026-11-21T10:04:60.000000Z", "second"),
        ("2026-11-21T10:04:03.000000+25:00", "time zone offset hour"),
    ] {
        assert_eq!(
            client.post(LEASES, &lease("a", time)).await.refusal(),
            format!(
                r#"400 Lease in version "v1" cannot be handled as a Lease: parsing time "{time}": {name} out of range"#
            )
        );
    }
}

#[tokio::test]
async fn never_and_the_zero_time_are_stored_as_upstream_does() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let event = json!({
        "metadata": {"name": "e"},
        "involvedObject": {"namespace": "default"},
        "firstTimestamp": "9999-12-31T23:59:59Z",
        "lastTimestamp": "0001-01-01T00:00:00Z",
    });
    let stored = client.post(EVENTS, &event).await.expect(201);
    assert_eq!(stored["firstTimestamp"], "9999-12-31T23:59:59Z");
    assert_eq!(stored["lastTimestamp"], Value::Null);
    assert_eq!(client.get(&format!("{EVENTS}/e")).await.expect(200), stored);
}

#[tokio::test]
async fn base64_may_have_line_breaks_and_is_stored_without() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let secret = json!({"metadata": {"name": "a"}, "data": {"a": "aGVs\r\nbG8=\n"}});
    assert_eq!(client.post(SECRETS, &secret).await.expect(201)["data"]["a"], "aGVsbG8=");
    let config_map = json!({"metadata": {"name": "a"}, "binaryData": {"a": "aGVs\nbG9="}});
    assert_eq!(client.post(CONFIG_MAPS, &config_map).await.expect(201)["binaryData"]["a"], "aGVsbG8=");
    for (text, at) in [("aGVs bG8=", 4), ("aGVsb", 4), ("aGVs\nb", 5), ("aGVsbG8", 4), ("aGVsbG8=x", 8)] {
        let secret = json!({"metadata": {"name": "b"}, "data": {"a": text}});
        assert_eq!(
            client.post(SECRETS, &secret).await.refusal(),
            format!(
                r#"400 Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte {at}"#
            )
        );
    }
}

#[tokio::test]
async fn amounts_of_any_size_keep_it() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for (count, (given, stored)) in [
        (json!("1e21"), "1e21"),
        (json!(1e20), "100e18"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!("8Ei"), "9223372036854775807"),
        (json!("9Ei"), "9223372036854775807"),
        (json!("1e-12"), "1e-3"),
        (json!("1e400"), "10e399"),
        (json!("1.500"), "1.500"),
        // kube-apiserver stores 1.
        (json!("1000E"), "1000E"),
    ]
    .into_iter()
    .enumerate()
    {
        let quota =
            json!({"metadata": {"name": format!("q{count}")}, "spec": {"hard": {"requests.storage": given}}});
        let answer = client.post(QUOTAS, &quota).await.expect(201);
        assert_eq!(answer["spec"]["hard"]["requests.storage"], stored, "{given}");
    }
}

#[tokio::test]
async fn a_selector_of_no_values_selects_the_empty_value() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for (name, labels) in [("empty", json!({"x": ""})), ("full", json!({"x": "a"})), ("none", json!({}))] {
        client.post(CONFIG_MAPS, &json!({"metadata": {"name": name, "labels": labels}})).await.expect(201);
    }
    for (selector, selected) in [("x%20in%20()", &["empty"][..]), ("x%20notin%20()", &["full", "none"])] {
        let list = client.get(&format!("{CONFIG_MAPS}?labelSelector={selector}")).await.expect(200);
        let names =
            list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap());
        assert_eq!(names.collect::<Vec<_>>(), selected, "{selector}");
    }
    let refusal = client.get(&format!("{CONFIG_MAPS}?labelSelector=%C3%A9=b")).await.refusal();
    assert!(refusal.starts_with(r#"400 unable to parse requirement: <nil>: Invalid value: "é": name part"#));
    let refusal = client.get(&format!("{CONFIG_MAPS}?fieldSelector=metadata.name=a=b")).await.refusal();
    assert_eq!(refusal, "400 invalid field selector: unescaped character in value: 61");
}
