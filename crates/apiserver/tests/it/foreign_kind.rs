//! Objects of built-in kinds that name another kind or version than their own, by three ways, with the answers of a real
//! kube-apiserver.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::Client;
use crate::hook::{Hook, MUTATING, Reply, configuration, webhook};
use crate::objects::{CONFIG_MAPS, deployment, named};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

const AUTOSCALERS: &str = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";

const SCHEME: &str = r#"in scheme "pkg/runtime/scheme.go:111""#;

/// An object of a resource.
fn object(path: &str, name: &str) -> Value {
    match path {
        DEPLOYMENTS => deployment(name),
        AUTOSCALERS => {
            let target = json!({"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"});
            json!({"metadata": {"name": name}, "spec": {"maxReplicas": 3, "scaleTargetRef": target}})
        }
        _ => named(name),
    }
}

/// The operations that set apiVersion and kind.
fn operations(api_version: &str, kind: &str) -> Value {
    json!([
        {"op": "replace", "path": "/apiVersion", "value": api_version},
        {"op": "replace", "path": "/kind", "value": kind},
    ])
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let unknown = |kind: &str, version: &str| {
        format!("no kind \"{kind}\" is registered for version \"{version}\" {SCHEME}")
    };
    for (path, api_version, kind, problem) in [
        (CONFIG_MAPS, "/v1", "ConfigMap", String::new()),
        (CONFIG_MAPS, "/", "ConfigMap", String::new()),
        (DEPLOYMENTS, "apps/", "Deployment", String::new()),
        (
            CONFIG_MAPS,
            "/",
            "Nope",
            format!(r#"Nope in version "v1" cannot be handled as a ConfigMap: {}"#, unknown("Nope", "v1")),
        ),
        (
            CONFIG_MAPS,
            "",
            "Nope",
            format!(r#"Nope in version "v1" cannot be handled as a ConfigMap: {}"#, unknown("Nope", "v1")),
        ),
        (
            CONFIG_MAPS,
            "/v9",
            "ConfigMap",
            format!(
                r#"ConfigMap in version "v9" cannot be handled as a ConfigMap: {}"#,
                unknown("ConfigMap", "v9")
            ),
        ),
        (
            DEPLOYMENTS,
            "apps/",
            "Nope",
            format!(
                r#"Nope in version "v1" cannot be handled as a Deployment: {}"#,
                unknown("Nope", "apps/v1")
            ),
        ),
        (
            AUTOSCALERS,
            "autoscaling/v1",
            "HorizontalPodAutoscaler",
            "the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)"
                .to_owned(),
        ),
    ] {
        let mut body = object(path, "a");
        body["apiVersion"] = api_version.into();
        body["kind"] = kind.into();
        let answer = client.post(&format!("{path}?dryRun=All"), &body).await;
        if problem.is_empty() {
            answer.expect(201);
        } else {
            assert_eq!(answer.refusal(), format!("400 {problem}"), "{api_version} {kind}");
        }
    }
    let body = r#"{"apiVersion": "v1/", "kind": "ConfigMap", "metadata": {"name": "zz"}}"#;
    let json = crate::client::sends("application/json");
    let refusal = client.send(http::Method::POST, CONFIG_MAPS, &json, body).await.refusal();
    let missing = format!("Object 'apiVersion' is missing in '{body}'");
    assert_eq!(
        refusal,
        format!(r#"400 ConfigMap in version "" cannot be handled as a ConfigMap: {missing}"#)
    );
    let body = r#"{"apiVersion": "a/b/c", "kind": "ConfigMap", "metadata": {"name": "zz"}}"#;
    assert_eq!(
        client.send(http::Method::POST, CONFIG_MAPS, &json, body).await.refusal(),
        r#"400 the object provided is unrecognized (must be of type ConfigMap): unexpected GroupVersion string: a/b/c ({"apiVersion": "a/b/c", "kind" ...)"#
    );
}

#[tokio::test]
async fn a_patch_that_makes_another_kind_is_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &named("kk")).await.expect(201);
    client.post(DEPLOYMENTS, &deployment("kk")).await.expect(201);
    client.post(AUTOSCALERS, &object(AUTOSCALERS, "kk")).await.expect(201);
    let nameless = "the name of the object (kk based on URL) was undeterminable: name must be provided";
    for (path, api_version, kind, problem) in [
        (CONFIG_MAPS, "v1", "", ""),
        (CONFIG_MAPS, "/v1", "ConfigMap", ""),
        (AUTOSCALERS, "autoscaling/v1", "HorizontalPodAutoscaler", ""),
        (CONFIG_MAPS, "", "ConfigMap", nameless),
        (CONFIG_MAPS, "/", "ConfigMap", nameless),
        (DEPLOYMENTS, "apps/", "Deployment", nameless),
        (CONFIG_MAPS, "a/b/c", "ConfigMap", "unexpected GroupVersion string: a/b/c"),
        (CONFIG_MAPS, "a/b/v1", "ConfigMap", "unexpected GroupVersion string: a/b/v1"),
        (DEPLOYMENTS, "apps/v1/v1", "Deployment", "unexpected GroupVersion string: apps/v1/v1"),
        (CONFIG_MAPS, "v9", "ConfigMap", r#"no kind "ConfigMap" is registered for version "v9""#),
        (CONFIG_MAPS, "/v9", "ConfigMap", r#"no kind "ConfigMap" is registered for version "v9""#),
        (CONFIG_MAPS, "apps/v1", "ConfigMap", r#"no kind "ConfigMap" is registered for version "apps/v1""#),
        (CONFIG_MAPS, "", "Nope", r#"no kind "Nope" is registered for the internal version of group """#),
        (
            DEPLOYMENTS,
            "apps/",
            "Nope",
            r#"no kind "Nope" is registered for the internal version of group "apps""#,
        ),
        (
            CONFIG_MAPS,
            "apps/v1",
            "Deployment",
            "converting (v1.Deployment) to (core.ConfigMap): unknown conversion",
        ),
        (CONFIG_MAPS, "/v1", "Secret", "converting (v1.Secret) to (core.ConfigMap): unknown conversion"),
        (CONFIG_MAPS, "", "Secret", "converting (core.Secret) to (core.ConfigMap): unknown conversion"),
        (
            DEPLOYMENTS,
            "apps/",
            "StatefulSet",
            "converting (apps.StatefulSet) to (apps.Deployment): unknown conversion",
        ),
    ] {
        let path = format!("{path}/kk?dryRun=All");
        for answer in [
            client.patch(&path, "merge", &json!({"apiVersion": api_version, "kind": kind})).await,
            client.patch(&path, "json", &operations(api_version, kind)).await,
        ] {
            let problem = if problem.starts_with("no kind") {
                format!("{problem} {SCHEME}")
            } else {
                problem.to_owned()
            };
            match &*problem {
                "" => drop(answer.expect(200)),
                problem if problem == nameless => assert_eq!(answer.refusal(), format!("400 {problem}")),
                problem => {
                    let refusal = answer.refusal();
                    let at_end =
                        refusal.starts_with("422 ") && refusal.ends_with(&format!(r#"": {problem}"#));
                    assert!(at_end, "{api_version} {kind}: {refusal}");
                }
            }
        }
    }
    let refusal =
        client.patch(&format!("{CONFIG_MAPS}/kk"), "merge", &json!({"apiVersion": "v1/"})).await.refusal();
    let missing = r#"": Object 'apiVersion' is missing in '{"apiVersion":"v1/","kind":"ConfigMap","metadata":{"name":"kk","#;
    assert!(refusal.contains(missing), "{refusal}");
}

#[tokio::test]
async fn a_webhook_that_makes_another_kind_fails_the_write() {
    let hook = Hook::start(|posted| {
        let annotations = &posted.request()["object"]["metadata"]["annotations"];
        let word = |name: &str| annotations[name].as_str().unwrap_or_default().to_owned();
        Reply::patch(&operations(&word("api-version"), &word("kind")))
    })
    .await;
    let (_server, admin) = hook.server().await;
    let rules = json!({"rules": [
        {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]},
        {"operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]},
        {
            "operations": ["CREATE"], "apiGroups": ["autoscaling"], "apiVersions": ["v2"],
            "resources": ["horizontalpodautoscalers"],
        },
    ]});
    let change = webhook("w.shop.example", hook.at_url("/"), &rules);
    admin.post(MUTATING, &configuration("w", &[change])).await.expect(201);
    let internal = |problem: &str| format!("500 Internal error occurred: {problem}");
    for (path, api_version, kind, refusal) in [
        (CONFIG_MAPS, "v1", "", String::new()),
        (CONFIG_MAPS, "/v1", "ConfigMap", String::new()),
        (CONFIG_MAPS, "/", "ConfigMap", String::new()),
        (CONFIG_MAPS, "", "", String::new()),
        (DEPLOYMENTS, "apps/", "Deployment", String::new()),
        (AUTOSCALERS, "autoscaling/v1", "HorizontalPodAutoscaler", String::new()),
        (CONFIG_MAPS, "a/b/c", "ConfigMap", internal("unexpected GroupVersion string: a/b/c")),
        (CONFIG_MAPS, "a/b/v1", "", internal("unexpected GroupVersion string: a/b/v1")),
        (DEPLOYMENTS, "apps/v1/v1", "Deployment", internal("unexpected GroupVersion string: apps/v1/v1")),
        (
            CONFIG_MAPS,
            "v9",
            "ConfigMap",
            internal(&format!(r#"no kind "ConfigMap" is registered for version "v9" {SCHEME}"#)),
        ),
        (
            DEPLOYMENTS,
            "v1",
            "Deployment",
            internal(&format!(r#"no kind "Deployment" is registered for version "v1" {SCHEME}"#)),
        ),
        (
            CONFIG_MAPS,
            "",
            "Secret",
            "500 converting (v1.Secret) to (core.ConfigMap): unknown conversion".to_owned(),
        ),
        (
            DEPLOYMENTS,
            "apps/v1",
            "StatefulSet",
            "500 converting (v1.StatefulSet) to (apps.Deployment): unknown conversion".to_owned(),
        ),
    ] {
        let mut object = object(path, "a");
        object["metadata"]["annotations"] = json!({"api-version": api_version, "kind": kind});
        let answer = admin.post(&format!("{path}?dryRun=All"), &object).await;
        if refusal.is_empty() {
            answer.expect(201);
        } else {
            assert_eq!(answer.refusal(), refusal, "{api_version} {kind}");
        }
    }
    let mut object = named("a");
    object["metadata"]["annotations"] = json!({"api-version": "v1/", "kind": "ConfigMap"});
    let refusal = admin.post(CONFIG_MAPS, &object).await.refusal();
    let missing = r#"500 Internal error occurred: Object 'apiVersion' is missing in '{"apiVersion":"v1/","kind":"ConfigMap","#;
    assert!(refusal.starts_with(missing), "{refusal}");
}
