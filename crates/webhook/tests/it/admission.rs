//! Handlers, as the API server calls them.

use std::sync::{Arc, Mutex};

use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{Object as _, Resource as _, Unstructured};
use klient_client::{Api, Client, HttpVersion, InNamespace, Patch, WarningHandler};
use klient_webhook::{AdmissionWebhook, Allowed, Denied, Operation, Request, WebhookOptions, Webhooks};
use serde_json::json;

use crate::cluster::{Hooks, config_map, post, review};

fn of(client: &Client) -> Api<ConfigMap, InNamespace> {
    client.api::<ConfigMap>().namespace("default")
}

fn with(name: &str, data: &[(&str, &str)]) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta::named(name),
        data: data.iter().copied().collect(),
        ..Default::default()
    }
}

type Seen = Arc<Mutex<Vec<String>>>;

async fn note(request: Request<ConfigMap>, seen: Seen) -> Result<Allowed, Denied> {
    let text = |object: &Option<ConfigMap>| {
        object
            .as_ref()
            .and_then(|object| object.data.get("a"))
            .map(|text| text.to_string())
            .unwrap_or_default()
    };
    let options = request.options.as_ref().map(|options| options.to_value()["kind"].clone());
    seen.lock().unwrap().push(format!(
        "{request:?} by {} from {:?} to {:?} dry {} {}",
        request.user_info.username.as_deref().unwrap_or_default(),
        text(&request.old_object),
        text(&request.object),
        request.dry_run,
        options.unwrap_or_default(),
    ));
    assert!(request.subject().is_some() && request.deadline > std::time::Instant::now());
    Ok(Allowed::new())
}

#[tokio::test]
async fn a_handler_sees_each_write() {
    let seen = Seen::default();
    let operations = vec![Operation::Create, Operation::Update, Operation::Delete];
    let webhook = AdmissionWebhook::validating("note.hooks.example", seen.clone(), note)
        .options(WebhookOptions { operations, ..Default::default() });
    let hooks = Hooks::start(Webhooks::builder().admission(webhook)).await;
    let (_server, client) = hooks.cluster().await;
    let maps = of(&client);
    maps.create(&with("m", &[("a", "1")])).await.unwrap();
    maps.patch("m", &Patch::Merge(json!({"data": {"a": "2"}}))).await.unwrap();
    maps.delete("m", &Default::default()).await.unwrap();
    let admin = "by kubernetes-admin";
    let expected = [
        format!(r#"CREATE ConfigMap default/m {admin} from "" to "1" dry false "CreateOptions""#),
        format!(r#"UPDATE ConfigMap default/m {admin} from "1" to "2" dry false "UpdateOptions""#),
        format!(r#"DELETE ConfigMap default/m {admin} from "2" to "" dry false "DeleteOptions""#),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

async fn decide(request: Request<ConfigMap>, (): ()) -> Result<Allowed, Denied> {
    let Some(object) = request.object else { return Ok(Allowed::new()) };
    match object.data.get("decide").map(|text| text.as_str()) {
        Some("deny") => Err(Denied::new("it says so").warning("and warns")),
        Some("invalid") => Err(Denied::of(Reason::Invalid, "it is not valid").cause(
            "data.decide",
            "FieldValueInvalid",
            "must be something else",
        )),
        Some("teapot") => Err(Denied::new("short and stout").code(418)),
        Some("fail") => Ok("x".parse::<u8>().map(|_| Allowed::new())?),
        Some("warn") => {
            Ok(Allowed::new().message("fine").warning("a warning").audit_annotation("key", "value"))
        }
        _ => Ok(Allowed::new()),
    }
}

#[tokio::test]
async fn a_denial_has_its_code_reason_and_causes_and_an_allowed_write_its_warnings() {
    let webhook = AdmissionWebhook::validating("decide.hooks.example", (), decide);
    let hooks = Hooks::start(Webhooks::builder().admission(webhook)).await;
    let (server, _) = hooks.cluster().await;
    let mut config = klient_client::Config::from_kubeconfig(&server.kubeconfig()).unwrap();
    let (handler, warnings) = WarningHandler::collector();
    config.warnings = handler;
    let client = Client::new(config).unwrap();
    let denied =
        async |decide: &str| of(&client).create(&with(decide, &[("decide", decide)])).await.unwrap_err();
    let words = r#"admission webhook "decide.hooks.example" denied the request: "#;
    for (decide, code, message) in [
        ("deny", 403, "it says so"),
        ("invalid", 422, "it is not valid"),
        ("teapot", 418, "short and stout"),
        ("fail", 500, "invalid digit found in string"),
    ] {
        let error = denied(decide).await;
        assert_eq!(error.code(), Some(code), "{error}");
        assert!(error.to_string().contains(&format!("{words}{message}")), "{error}");
    }
    let invalid = denied("invalid").await;
    let cause = &invalid.as_status().unwrap().causes()[0];
    assert_eq!(cause.field.as_deref(), Some("data.decide"));
    of(&client).create(&with("warn", &[("decide", "warn")])).await.unwrap();
    let all: Vec<String> = warnings.take().into_iter().map(|warning| warning.text).collect();
    assert_eq!(all, ["and warns", "a warning"]);
    let mut review = review(&config_map("a"));
    review["request"]["object"]["data"] = json!({"decide": "warn"});
    let path = hooks.webhooks.metrics()[0].webhook.clone();
    let answer = post(&hooks.client(HttpVersion::Negotiate), &path, &review).await.unwrap();
    assert_eq!(answer["response"]["auditAnnotations"], json!({"key": "value"}));
    assert_eq!(answer["response"]["status"]["message"], "fine");
}

async fn paint(request: Request<ConfigMap>, color: &'static str) -> Result<Allowed<ConfigMap>, Denied> {
    let Some(mut object) = request.object else { return Ok(Allowed::unchanged()) };
    if object.data.contains_key("bare") {
        return Ok(Allowed::unchanged().warning("not painted"));
    }
    object.data.insert("color", color.into());
    object.data.remove("removed");
    Ok(Allowed::changed(object))
}

#[tokio::test]
async fn a_mutating_handler_changes_what_it_changes_only() {
    let webhooks = Webhooks::builder()
        .admission(AdmissionWebhook::mutating("paint.hooks.example", "red", paint))
        .admission(
            AdmissionWebhook::defaulting("default.hooks.example", |object: &mut ConfigMap| {
                if !object.data.contains_key("size") {
                    object.data.insert("size", "1".into());
                }
            })
            .options(WebhookOptions { path: Some("/default".into()), ..Default::default() }),
        );
    let hooks = Hooks::start(webhooks).await;
    let (_server, client) = hooks.cluster().await;
    let created = of(&client).create(&with("m", &[("removed", "x"), ("kept", "y")])).await.unwrap();
    let expected = [("color", "red"), ("kept", "y"), ("size", "1")];
    assert_eq!(created.data, expected.into());
    let bare = of(&client).create(&with("bare", &[("bare", ""), ("size", "2")])).await.unwrap();
    assert_eq!(bare.data, [("bare", ""), ("size", "2")].into());

    // A field of a later Kubernetes, and others that the type writes in another form.
    let mut object = config_map("a");
    object["later"] = json!({"size": 1.5});
    object["data"] = json!({"removed": "x"});
    object["metadata"]["labels"] = json!(null);
    let path = "/mutate--v1-configmap";
    let answer = post(&hooks.client(HttpVersion::Negotiate), path, &review(&object)).await.unwrap();
    let response = &answer["response"];
    assert_eq!((&response["allowed"], &response["patchType"]), (&json!(true), &json!("JSONPatch")));
    let patch = serde_json::from_value::<klient_apimachinery::ByteString>(response["patch"].clone()).unwrap();
    let patch: serde_json::Value = serde_json::from_slice(patch.as_ref()).unwrap();
    let expected = json!([
        {"op": "add", "path": "/data/color", "value": "red"}, {"op": "remove", "path": "/data/removed"},
    ]);
    assert_eq!(patch, expected);
    object["data"] = json!({"color": "red"});
    let answer = post(&hooks.client(HttpVersion::Negotiate), path, &review(&object)).await.unwrap();
    assert_eq!(answer["response"], json!({"uid": "u1", "allowed": true}));
}

#[tokio::test]
async fn a_dynamic_handler_takes_several_kinds() {
    let label = async |request: Request<Unstructured>, ()| {
        let Some(mut object) = request.object else { return Ok(Allowed::unchanged()) };
        object.set_label("kind", &request.kind.kind);
        Ok::<_, Denied>(Allowed::changed(object))
    };
    let check = async |request: Request<Unstructured>, ()| {
        let object = request.object.ok_or_else(|| Denied::new("there is none"))?;
        if object.name() == "no" { Err(Denied::new("no")) } else { Ok(Allowed::new()) }
    };
    let resources = || [ConfigMap::INFO, Secret::INFO];
    let webhooks = Webhooks::builder()
        .admission(AdmissionWebhook::mutating_dynamic("label.hooks.example", resources(), (), label))
        .admission(AdmissionWebhook::validating_dynamic("check.hooks.example", resources(), (), check));
    let hooks = Hooks::start(webhooks).await;
    let (_server, client) = hooks.cluster().await;
    let map = of(&client).create(&with("m", &[])).await.unwrap();
    let secrets = client.api::<Secret>().namespace("default");
    let secret =
        secrets.create(&Secret { metadata: ObjectMeta::named("s"), ..Default::default() }).await.unwrap();
    assert_eq!([&*map.metadata.labels["kind"], &*secret.metadata.labels["kind"]], ["ConfigMap", "Secret"]);
    assert!(of(&client).create(&with("no", &[])).await.unwrap_err().is_forbidden());
}
