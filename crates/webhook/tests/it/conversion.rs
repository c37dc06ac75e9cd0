//! Conversions, as posted and as the API server asks for them.

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_apimachinery::ListOptions;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_client::HttpVersion;
use klient_definitions::{Declaration, Definition, Definitions, schema_of};
use klient_webhook::Webhooks;
use serde_json::{Value, json};

use crate::cluster::{Hooks, cluster, post};
use crate::lamps::{conversion, v1, v2};

fn lamp(version: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": format!("hooks.example/{version}"), "kind": "Lamp",
        "metadata": {
            "name": name, "namespace": "default", "uid": "u", "finalizers": ["hooks.example/kept"],
            "labels": {"a": "b"}, "annotations": {"c": "d"},
        },
        "spec": spec,
    })
}

fn review(desired: &str, objects: &[Value]) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
        "request": {"uid": "c1", "desiredAPIVersion": desired, "objects": objects},
    })
}

#[tokio::test]
async fn objects_are_converted_through_the_hub_with_their_metadata() {
    let hooks = Hooks::start(Webhooks::builder().conversion(conversion())).await;
    let client = hooks.client(HttpVersion::Negotiate);
    let convert = async |desired: &str, objects: &[Value]| {
        let answer = post(&client, "/convert?timeout=30s", &review(desired, objects)).await.unwrap();
        let response = &answer["response"];
        assert_eq!((&response["uid"], &response["result"]["status"]), (&json!("c1"), &json!("Success")));
        response["convertedObjects"].as_array().unwrap().clone()
    };
    let objects: Vec<Value> =
        (0..50).map(|number| lamp("v1", &format!("l{number}"), &json!({"watts": number}))).collect();
    let second = convert("hooks.example/v2", &objects).await;
    assert_eq!(second.len(), 50);
    let mut expected = lamp("v2", "l49", &json!({"power": "49W"}));
    expected["metadata"]["annotations"] = json!({"c": "d", "watts": "49"});
    assert_eq!(second[49], expected);
    // What is none of a conversion's is that of the original.
    assert_eq!(convert("hooks.example/v1", &second).await, objects);
    // Through the hub, by a version that leaves the metadata alone.
    let third = convert("hooks.example/v3", &objects[5..6]).await;
    assert_eq!((&third[0]["power"], &third[0]["metadata"]), (&json!("5W"), &objects[5]["metadata"]));
    assert_eq!(convert("hooks.example/v1", &objects).await, objects);
}

#[tokio::test]
async fn a_failure_names_the_object_and_fails_all() {
    let hooks = Hooks::start(Webhooks::builder().conversion(conversion())).await;
    let client = hooks.client(HttpVersion::Negotiate);
    let good = lamp("v2", "good", &json!({"power": "5W"}));
    let mut other_kind = good.clone();
    other_kind["kind"] = "Switch".into();
    for (desired, object, problem) in [
        (
            "hooks.example/v1",
            lamp("v2", "odd", &json!({"power": "much"})),
            r#"Lamp "default/odd" from hooks.example/v2 to hooks.example/v1: spec.power: much is not in watts"#,
        ),
        (
            "hooks.example/v9",
            good.clone(),
            r#"Lamp "default/good" from hooks.example/v2 to hooks.example/v9: Lamp of hooks.example has no version v9: there are v2, v1, v3"#,
        ),
        (
            "hooks.example/v1",
            lamp("v8", "old", &json!({})),
            r#"Lamp "default/old" from hooks.example/v8 to hooks.example/v1: Lamp of hooks.example has no version v8: there are v2, v1, v3"#,
        ),
        (
            "other.example/v1",
            good.clone(),
            r#"Lamp "default/good" from hooks.example/v2 to other.example/v1: a conversion keeps the group, hooks.example"#,
        ),
        (
            "hooks.example/v1",
            other_kind,
            r#"Switch "default/good" from hooks.example/v2 to hooks.example/v1: the webhook converts Lamp of hooks.example only"#,
        ),
        (
            "hooks.example/v2",
            lamp("v1", "wrong", &json!({"watts": "5"})),
            r#"Lamp "default/wrong" from hooks.example/v1 to hooks.example/v2: spec.watts: invalid type: string, expected u32 at "#,
        ),
    ] {
        let objects = match desired {
            "hooks.example/v1" => vec![good.clone(), object],
            _ => vec![object],
        };
        let index = objects.len() - 1;
        let answer = post(&client, "/convert", &review(desired, &objects)).await.unwrap();
        let result = &answer["response"]["result"];
        let message = result["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("request.objects[{index}]: {problem}")), "{message}");
        assert_eq!(result["status"], "Failure");
        assert_eq!(answer["response"]["uid"], "c1");
    }
}

#[tokio::test]
async fn a_panic_fails_the_review() {
    let hooks = Hooks::start(Webhooks::builder().conversion(conversion())).await;
    let client = hooks.client(HttpVersion::Negotiate);
    let objects = [lamp("v1", "beast", &json!({"watts": 666}))];
    let answer = post(&client, "/convert", &review("hooks.example/v2", &objects)).await.unwrap();
    let result = &answer["response"]["result"];
    assert_eq!(result["message"], r#"webhook "/convert" has panicked: its log has the reason"#);
    assert_eq!((&result["status"], hooks.webhooks.metrics()[0].panics), (&json!("Failure"), 1));
}

/// Lamps in v1 and v2, of which v2 is stored.
fn definition() -> Definition {
    let spec = |spec| Declaration { spec: Some(spec), ..Default::default() };
    #[derive(schemars::JsonSchema)]
    #[allow(dead_code, reason = "only the schema counts")]
    struct First {
        watts: u32,
    }
    #[derive(schemars::JsonSchema)]
    #[allow(dead_code, reason = "only the schema counts")]
    struct Second {
        power: String,
    }
    let first = Definition::new::<v1::Lamp>(spec(schema_of::<First>()));
    let second = Definition::new::<v2::Lamp>(spec(schema_of::<Second>()));
    Definition::merge([first, second], "v2")
}

#[tokio::test]
async fn the_api_server_converts_with_the_webhook_of_the_definition() {
    let hooks = Hooks::start(Webhooks::builder().conversion(conversion())).await;
    let (_server, client) = cluster().await;
    let definition = definition().conversion_webhook(hooks.address().conversion());
    let built: CustomResourceDefinition = definition.build().unwrap();
    let conversion = built.spec.conversion.unwrap();
    assert_eq!(
        (&*conversion.strategy, &*conversion.webhook.unwrap().conversion_review_versions[0]),
        ("Webhook", "v1")
    );
    Definitions::install(&client, [definition], &Default::default()).await.unwrap();
    let first = client.api::<v1::Lamp>().namespace("default");
    let second = client.api::<v2::Lamp>().namespace("default");
    let desk = v1::Lamp {
        metadata: ObjectMeta::named("desk"),
        spec: v1::LampSpec { watts: 5 },
        ..Default::default()
    };
    let created = first.create(&desk).await.unwrap();
    assert_eq!(created.spec.watts, 5);
    let read = second.get("desk").await.unwrap();
    assert_eq!((&*read.spec.power, read.metadata.uid), ("5W", created.metadata.uid));
    let odd = v2::Lamp {
        metadata: ObjectMeta::named("odd"),
        spec: v2::LampSpec { power: "much".into() },
        ..Default::default()
    };
    second.create(&odd).await.unwrap();
    let error = first.list(&ListOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Some(500));
    let message =
        r#"Lamp "default/odd" from hooks.example/v2 to hooks.example/v1: spec.power: much is not in watts"#;
    assert!(error.to_string().contains(message), "{error}");
}

/// A definition whose other version is stored from now on, whose objects the webhook still reads.
#[tokio::test]
async fn a_definition_may_store_another_version_with_other_fields() {
    let hooks = Hooks::start(Webhooks::builder().conversion(conversion())).await;
    let (_server, client) = cluster().await;
    let address = hooks.address();
    let install =
        async |definition: Definition| Definitions::install(&client, [definition], &Default::default()).await;
    let first = Definition::merge([definition()], "v1").conversion_webhook(address.conversion());
    install(first).await.unwrap();
    let lamps = client.api::<v1::Lamp>().namespace("default");
    let desk = v1::Lamp {
        metadata: ObjectMeta::named("desk"),
        spec: v1::LampSpec { watts: 5 },
        ..Default::default()
    };
    lamps.create(&desk).await.unwrap();
    // Without the webhook `watts` would be lost.
    let error = install(definition()).await.unwrap_err();
    assert!(error.to_string().contains("it drops fields"), "{error}");
    install(definition().conversion_webhook(address.conversion())).await.unwrap();
    let read = client.api::<v2::Lamp>().namespace("default").get("desk").await.unwrap();
    assert_eq!(read.spec.power, "5W");
    assert_eq!(lamps.get("desk").await.unwrap().spec.watts, 5);
}
