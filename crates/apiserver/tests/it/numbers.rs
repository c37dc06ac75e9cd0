//! Numbers: whole ones written as floats, and what is left of their digits.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::json;

use crate::client::{Client, sends};
use crate::definition::defined;
use crate::objects::{GADGETS, deployment, gadgets, version};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

fn body(name: &str, spec: &str) -> String {
    format!(
        r#"{{"apiVersion":"a.example/v1","kind":"Gadget","metadata":{{"name":"{name}"}},"spec":{{{spec}}}}}"#
    )
}

#[tokio::test]
async fn a_custom_resource_takes_whole_numbers_written_as_floats() {
    let size = json!({"type": "integer", "minimum": 1, "format": "int32"});
    let schema = json!({"type": "object", "properties": {"size": size, "ratio": {"type": "number"}}});
    let (_server, client) = defined(&gadgets(schema)).await;
    let path = format!("{GADGETS}/g");
    let apply = format!("{path}?fieldManager=m&force=true");
    for (method, path, media, body, size) in [
        (Method::POST, GADGETS, "application/json", body("g", r#""size":3.0"#), 3),
        (Method::PUT, &path, "application/json", body("g", r#""size":40e-1"#), 4),
        (Method::PUT, &path, "application/yaml", body("g", r#""size":5.0"#), 5),
        (Method::PATCH, &path, "application/merge-patch+json", r#"{"spec":{"size":6.0}}"#.to_owned(), 6),
        (
            Method::PATCH,
            &path,
            "application/json-patch+json",
            r#"[{"op":"replace","path":"/spec/size","value":7.0}]"#.to_owned(),
            7,
        ),
        (Method::PATCH, &apply, "application/apply-patch+yaml", body("g", r#""size":8.0"#), 8),
        (
            Method::PATCH,
            &apply,
            "application/apply-patch+yaml",
            "apiVersion: a.example/v1\nkind: Gadget\nmetadata: {name: g}\nspec: {size: 9e0}".to_owned(),
            9,
        ),
    ] {
        let body = match method {
            Method::PUT => {
                let version = version(&client.get(path).await.expect(200));
                body.replace(r#""name":"g""#, &format!(r#""name":"g","resourceVersion":"{version}""#))
            }
            _ => body,
        };
        let answer = client.send(method.clone(), path, &sends(media), body.clone()).await;
        assert!(answer.status.is_success(), "{method} {body}: {}", answer.text());
        assert!(answer.text().contains(&format!(r#""spec":{{"size":{size}}}"#)), "{}", answer.text());
    }
    let refused =
        client.send(Method::POST, GADGETS, &sends("application/json"), body("b", r#""size":-3.0"#)).await;
    assert_eq!(
        refused.refusal(),
        r#"422 Gadget.a.example "b" is invalid: spec.size: Invalid value: -3: spec.size in body should be greater than or equal to 1"#
    );
}

#[tokio::test]
async fn floats_keep_their_digits() {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let (_server, client) = defined(&gadgets(schema)).await;
    let cases = [
        ("5.8994732575861125e-21", "5.8994732575861125e-21"),
        ("82636196116947.12", "82636196116947.12"),
        ("9223372036854775808", "9223372036854776000"),
        ("14188448844372712949", "14188448844372713000"),
        ("1e21", "1e+21"),
        ("1.0E+2", "100"),
    ];
    for (index, (sent, stored)) in cases.into_iter().enumerate() {
        let body = body(&format!("g{index}"), &format!(r#""ratio":{sent}"#));
        let created = client.send(Method::POST, GADGETS, &sends("application/json"), body).await;
        let read = client.get(&format!("{GADGETS}/g{index}")).await;
        for answer in [created, read] {
            assert!(answer.text().contains(&format!(r#""ratio":{stored}}}"#)), "{sent}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_whole_number_written_as_a_float_is_an_int32_but_in_json() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    let path = format!("{DEPLOYMENTS}/d");
    let apply = format!("{path}?fieldManager=m&force=true");
    let with_replicas = |replicas: &str| {
        let mut object = deployment("d");
        object["apiVersion"] = "apps/v1".into();
        object["kind"] = "Deployment".into();
        object["spec"]["replicas"] = "REPLICAS".into();
        object.to_string().replace(r#""REPLICAS""#, replicas)
    };
    let patch = |replicas: &str| format!(r#"{{"spec":{{"replicas":{replicas}}}}}"#);
    for (method, path, media, body, replicas) in [
        (Method::POST, DEPLOYMENTS, "application/yaml", with_replicas("3.0"), 3),
        (Method::PUT, &path, "application/yaml", with_replicas("0008"), 8),
        (Method::PATCH, &apply, "application/apply-patch+yaml", with_replicas("4.0"), 4),
        (Method::PATCH, &path, "application/strategic-merge-patch+json", patch("5.0"), 5),
    ] {
        let answer = client.send(method, path, &sends(media), body).await;
        assert!(answer.status.is_success(), "{media}: {}", answer.text());
        assert_eq!(answer.json()["spec"]["replicas"], replicas, "{media}");
    }
    for (method, path, media, body) in [
        (Method::PUT, &path, "application/json", with_replicas("3.0")),
        (Method::PATCH, &path, "application/merge-patch+json", patch("3.0")),
    ] {
        let refusal = client.send(method, path, &sends(media), body).await.refusal();
        let problem = "json: cannot unmarshal number 3.0 into Go struct field DeploymentSpec.spec.replicas of type int32";
        assert!(refusal.contains(problem), "{refusal}");
    }
}

#[tokio::test]
async fn a_body_in_utf_16_with_a_byte_order_mark_is_yaml() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: é}\n";
    let bytes: Vec<u8> =
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let path = "/api/v1/namespaces/default/configmaps";
    let created = client.send(Method::POST, path, &sends("application/yaml"), bytes).await.expect(201);
    assert_eq!(created["data"], json!({"a": "é"}));
    let refused = client.send(Method::POST, path, &sends("application/yaml"), b"a: \xff".to_vec()).await;
    assert_eq!(
        refused.refusal(),
        "400 the object provided is unrecognized (must be of type ConfigMap): yaml: invalid leading UTF-8 octet (613a20ff)"
    );
}

#[tokio::test]
async fn a_merge_key_written_as_a_float_is_another_one() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = "/api/v1/namespaces/default/services/kubernetes";
    let patch = r#"{"spec":{"ports":[{"port":443.0}]}}"#.to_owned();
    let strategic = sends("application/strategic-merge-patch+json");
    let answer = client.send(Method::PATCH, path, &strategic, patch).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("spec.ports[1]: Duplicate value"), "{}", answer.text());
}

#[tokio::test]
async fn negative_zero_is_the_integer_0() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(DEPLOYMENTS, &deployment("d")).await.expect(201);
    let path = format!("{DEPLOYMENTS}/d");
    let scale = format!("{path}/scale");
    let patch = |replicas: &str| format!(r#"{{"spec":{{"replicas":{replicas}}}}}"#);
    let operations =
        |replicas: &str| format!(r#"[{{"op":"replace","path":"/spec/replicas","value":{replicas}}}]"#);
    let applied = |replicas: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec: {{replicas: {replicas}}}"
        )
    };
    let whole = r#"{"metadata":{"name":"d"},"spec":{"replicas":-0}}"#.to_owned();
    let apply = format!("{path}?fieldManager=m&force=true");
    for (method, path, media, body) in [
        (Method::PUT, &scale, "application/json", whole.clone()),
        (Method::PUT, &scale, "application/yaml", whole.replace("-0", "-0.0")),
        (Method::PATCH, &path, "application/merge-patch+json", patch("-0")),
        (Method::PATCH, &scale, "application/merge-patch+json", patch("-0")),
        (Method::PATCH, &path, "application/strategic-merge-patch+json", patch("-0.0")),
        (Method::PATCH, &scale, "application/strategic-merge-patch+json", patch("-0.0")),
        (Method::PATCH, &path, "application/json-patch+json", operations("-0")),
        (Method::PATCH, &scale, "application/json-patch+json", operations("-0")),
        (Method::PATCH, &apply, "application/apply-patch+yaml", applied("-0")),
        (Method::PATCH, &apply, "application/apply-patch+yaml", applied("-0.0")),
    ] {
        client
            .send(Method::PATCH, &scale, &sends("application/merge-patch+json"), patch("1"))
            .await
            .expect(200);
        let answer = client.send(method, path, &sends(media), body.clone()).await.expect(200);
        assert!(matches!(answer["spec"]["replicas"].as_i64(), None | Some(0)), "{media} {body}: {answer}");
    }
    for (path, media, body) in [
        (&path, "application/merge-patch+json", patch("-0.0")),
        (&scale, "application/merge-patch+json", patch("-0.0")),
        (&path, "application/json-patch+json", operations("-0.0")),
    ] {
        let refusal = client.send(Method::PATCH, path, &sends(media), body).await.refusal();
        assert!(refusal.starts_with("422 "), "{refusal}");
        assert!(refusal.contains("json: cannot unmarshal number -0.0 into Go struct field"), "{refusal}");
    }
}

#[tokio::test]
async fn an_integer_with_too_many_bits_is_named() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(DEPLOYMENTS, &deployment("d")).await.expect(201);
    let path = format!("{DEPLOYMENTS}/d");
    let body = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 99999999999}";
    let scale = "apiVersion: autoscaling/v1\nkind: Scale\nmetadata: {name: d}\nspec: {replicas: 99999999999}";
    let patch = r#"{"spec":{"replicas":99999999999}}"#;
    for (path, media, body, code, name) in [
        (
            format!("{path}?fieldManager=m&force=true"),
            "application/apply-patch+yaml",
            body,
            "400",
            "DeploymentSpec",
        ),
        (
            format!("{path}/scale?fieldManager=m&force=true"),
            "application/apply-patch+yaml",
            scale,
            "400",
            "ScaleSpec",
        ),
        (path.clone(), "application/strategic-merge-patch+json", patch, "422", "DeploymentSpec"),
        (path, "application/merge-patch+json", patch, "422", "DeploymentSpec"),
    ] {
        let refusal = client.send(Method::PATCH, &path, &sends(media), body.to_owned()).await.refusal();
        assert!(refusal.starts_with(code), "{refusal}");
        let problem = format!(
            "json: cannot unmarshal number 99999999999 into Go struct field {name}.spec.replicas of type int32"
        );
        assert!(refusal.ends_with(&problem), "{refusal}");
    }
}

#[tokio::test]
async fn quantities_and_messages_have_numbers_as_they_are_written() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let pod = |quantity: &str| {
        format!(
            r#"{{"metadata":{{"name":"p"}},"spec":{{"containers":[{{"name":"c","image":"i","resources":{{"requests":{{"cpu":{quantity}}}}}}}]}}}}"#
        )
    };
    let pods = "/api/v1/namespaces/default/pods?dryRun=All";
    for (sent, stored) in [("1e3", "1e3"), ("1E3", "1E3"), ("1000", "1k"), ("1000.0", "1k"), ("-0", "0")] {
        let answer = client.send(Method::POST, pods, &sends("application/json"), pod(sent)).await;
        let requests = &answer.expect(201)["spec"]["containers"][0]["resources"]["requests"];
        assert_eq!(requests["cpu"], stored, "{sent}");
    }
    for (sent, problem) in [
        (r#""1K""#, "unable to parse quantity's suffix"),
        (
            r#""x""#,
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
    ] {
        let refusal = client.send(Method::POST, pods, &sends("application/json"), pod(sent)).await.refusal();
        assert_eq!(refusal, format!(r#"400 Pod in version "v1" cannot be handled as a Pod: {problem}"#));
    }
    for literal in ["4e0", "40e-1", "1e400", "1.50"] {
        let body =
            pod("1").replace(r#""spec":{"#, &format!(r#""spec":{{"activeDeadlineSeconds":{literal},"#));
        let refusal = client.send(Method::POST, pods, &sends("application/json"), body).await.refusal();
        let problem = format!(
            "json: cannot unmarshal number {literal} into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64"
        );
        assert!(refusal.ends_with(&problem), "{refusal}");
    }
}

/// The answers are those of a real kube-apiserver.
#[tokio::test]
async fn a_quantity_is_stored_whatever_its_exponent() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = "/api/v1/namespaces/default/limitranges?dryRun=All";
    for (sent, stored) in [
        (r#""1e999999999""#, "1e999999999"),
        ("1e999999999", "1e999999999"),
        (r#""1e1000000000""#, "10e999999999"),
        (r#""10e999999998""#, "1e999999999"),
        (r#""1.5e999999999""#, "1500e999999996"),
        (r#""0.05e999999999""#, "50e999999996"),
        (r#""1e2147483647""#, "10e2147483646"),
        (r#""1e4294967296""#, "1e4294967296"),
        (r#""1e-4294967295""#, "10"),
        (r#""1e9223372036854775807""#, "100e-3"),
        (r#""123456789012345678e999999999""#, "123456789012345678e999999999"),
        ("1e400", "10e399"),
        (r#""0e999999998""#, "0"),
    ] {
        let body = format!(
            r#"{{"metadata":{{"name":"q"}},"spec":{{"limits":[{{"type":"Container","max":{{"cpu":{sent}}}}}]}}}}"#
        );
        let answer = client.send(Method::POST, path, &sends("application/json"), body).await;
        assert_eq!(answer.expect(201)["spec"]["limits"][0]["max"]["cpu"], stored, "{sent}");
    }
    let body = json!({"metadata": {"name": "q"}, "spec": {"limits": [{"type": "Container", "max": {"cpu": "1e9223372036854775808"}}]}});
    assert_eq!(
        client.post(path, &body).await.refusal(),
        r#"400 LimitRange in version "v1" cannot be handled as a LimitRange: unable to parse quantity's suffix"#
    );
}
