//! A program of kube: it defines a custom resource by a derived definition with rules of CEL, and writes objects of it in
//! the ways that kube has, good ones and such as are refused, on the server of `$KUBECONFIG`.
//!
//! It prints each answer, without what no two servers have in common. `e2e-kube containers` runs commands and forwards ports
//! in place of that, on a server whose pods run.

mod containers;
mod sensor;

use std::pin::pin;

use futures::TryStreamExt as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, ResourceExt as _,
    ValidationDirective,
};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::watcher;
use kube::{Client, CustomResourceExt as _, Discovery, Error};
use serde::Serialize;
use serde_json::{Value, json};

use sensor::{Alarm, Sensor, SensorSpec, SensorStatus};

const NAMESPACE: &str = "default";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::try_default().await?;
    if std::env::args().nth(1).as_deref() == Some("containers") {
        return containers::run(client).await;
    }
    define(&client).await?;
    let sensors: Api<Sensor> = Api::namespaced(client.clone(), NAMESPACE);
    creates(&sensors).await;
    updates(&sensors).await;
    applies(&sensors).await;
    subresources(&sensors).await;
    reads(&client, &sensors).await?;
    deletes(&sensors).await?;
    Ok(())
}

/// Applies the derived definition, and waits until it is served.
async fn define(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let apply = PatchParams::apply("e2e-kube").force();
    let name = Sensor::crd_name();
    definitions.patch(name, &apply, &Patch::Apply(Sensor::crd())).await?;
    await_condition(definitions.clone(), name, conditions::is_crd_established()).await?;
    tell("definition", definitions.get(name).await);
    // The same once more changes nothing.
    tell("definition applied again", definitions.patch(name, &apply, &Patch::Apply(Sensor::crd())).await);
    Ok(())
}

fn sensor(name: &str, low: i32, high: i32) -> Sensor {
    let spec: SensorSpec = serde_json::from_value(json!({"low": low, "high": high, "tags": ["t1"]}))
        .expect("the rest has defaults");
    Sensor::new(name, spec)
}

async fn creates(sensors: &Api<Sensor>) {
    let post = PostParams::default();
    tell("created", sensors.create(&post, &sensor("indoors", 10, 30)).await);
    tell("created again", sensors.create(&post, &sensor("indoors", 10, 30)).await);
    tell("low above high", sensors.create(&post, &sensor("wrong", 5, 1)).await);
    tell("colder than it can be", sensors.create(&post, &sensor("cold", -300, 2)).await);
    tell("a long name", sensors.create(&post, &sensor("a-name-of-more-than-20-characters", 1, 2)).await);
    let mut tagged = sensor("tagged", 1, 2);
    tagged.spec.tags = vec!["t1".to_owned(), "other".to_owned()];
    tell("tags of another kind", sensors.create(&post, &tagged).await);
    tagged.spec.tags = vec!["t1".to_owned(), "t1".to_owned()];
    tell("a tag twice", sensors.create(&post, &tagged).await);
    tagged.spec.tags = vec!["t1".to_owned(), "t-is-too-long".to_owned()];
    tell("a long tag", sensors.create(&post, &tagged).await);
    tagged.spec.tags = vec![];
    tagged.spec.alarms = [5, 6].map(|at| Alarm { name: "a".to_owned(), at, level: 1 }).to_vec();
    tell("an alarm twice", sensors.create(&post, &tagged).await);
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    tell("in a dry run", sensors.create(&dry_run, &sensor("dry", 1, 2)).await);
    tell("not there after it", sensors.get_opt("dry").await);
}

async fn updates(sensors: &Api<Sensor>) {
    let patch = PatchParams::default();
    let merge = |spec: Value| Patch::Merge(json!({"spec": spec}));
    tell("another unit", sensors.patch("indoors", &patch, &merge(json!({"unit": "F"}))).await);
    tell("calibrated", sensors.patch("indoors", &patch, &merge(json!({"calibrated": "today"}))).await);
    tell(
        "not calibrated any more",
        sensors.patch("indoors", &patch, &merge(json!({"calibrated": null}))).await,
    );
    tell("another mode", sensors.patch("indoors", &patch, &merge(json!({"mode": "Odd"}))).await);
    tell("a field nobody knows", sensors.patch("indoors", &patch, &merge(json!({"bogus": 1}))).await);
    let strict =
        PatchParams { field_validation: Some(ValidationDirective::Strict), ..PatchParams::default() };
    tell("the same, strictly", sensors.patch("indoors", &strict, &merge(json!({"bogus": 1}))).await);
    let Ok(mut live) = sensors.get("indoors").await else { return };
    live.spec.high = 35;
    tell("replaced", sensors.replace("indoors", &PostParams::default(), &live).await);
    live.spec.high = 36;
    tell("replaced at an old version", sensors.replace("indoors", &PostParams::default(), &live).await);
}

async fn applies(sensors: &Api<Sensor>) {
    let apply = |spec: Value| {
        Patch::Apply(json!({
            "apiVersion": "kube.klient.example/v1", "kind": "Sensor", "metadata": {"name": "outdoors"}, "spec": spec,
        }))
    };
    let alice = PatchParams::apply("alice");
    let bob = PatchParams::apply("bob");
    let spec = json!({"low": 0, "high": 10, "tags": ["t1"], "alarms": [{"name": "hot", "at": 9}]});
    tell("applied by alice", sensors.patch("outdoors", &alice, &apply(spec.clone())).await);
    let theirs =
        json!({"low": 1, "tags": ["t2"], "alarms": [{"name": "cold", "at": 1}, {"name": "hot", "at": 8}]});
    tell("applied by bob", sensors.patch("outdoors", &bob, &apply(theirs.clone())).await);
    tell("with force", sensors.patch("outdoors", &bob.clone().force(), &apply(theirs)).await);
    let less = json!({"high": 10, "tags": []});
    tell("less by alice", sensors.patch("outdoors", &alice, &apply(less)).await);
    tell("against the rules", sensors.patch("outdoors", &alice, &apply(json!({"high": -5}))).await);
}

async fn subresources(sensors: &Api<Sensor>) {
    let (patch, post) = (PatchParams::default(), PostParams::default());
    let status = Patch::Merge(json!({"status": {"reading": 21, "replicas": 1}, "spec": {"low": 11}}));
    tell("status", sensors.patch_status("indoors", &patch, &status).await);
    if let Ok(mut live) = sensors.get("indoors").await {
        live.status = Some(SensorStatus { reading: Some(22), replicas: 2, ..SensorStatus::default() });
        tell("status replaced", sensors.replace_status("indoors", &post, &live).await);
    }
    tell("scale", sensors.get_scale("indoors").await);
    let scale = Patch::Merge(json!({"spec": {"replicas": 4}}));
    tell("scaled", sensors.patch_scale("indoors", &patch, &scale).await);
}

/// Lists, discovery and watches.
async fn reads(client: &Client, sensors: &Api<Sensor>) -> Result<(), Box<dyn std::error::Error>> {
    for selector in ["spec.unit=C", "spec.unit!=C", "metadata.name=outdoors", "spec.low=1"] {
        let list = sensors.list(&ListParams::default().fields(selector)).await;
        let names = list.map(|list| list.items.iter().map(|one| one.name_any()).collect::<Vec<_>>());
        tell(&format!("list of {selector}"), names);
    }
    let discovery = Discovery::new(client.clone()).filter(&["kube.klient.example"]).run().await?;
    for group in discovery.groups() {
        for (resource, capabilities) in group.recommended_resources() {
            let mut operations = capabilities.operations.clone();
            operations.sort();
            let subresources: Vec<_> = capabilities.subresources.iter().map(|(one, _)| &one.plural).collect();
            tell("discovered", Ok(json!([resource.plural, resource.kind, operations, subresources])));
            let any: Api<DynamicObject> = Api::namespaced_with(client.clone(), NAMESPACE, &resource);
            tell("read without its type", any.get("outdoors").await);
        }
    }
    let mut events = pin!(watcher(sensors.clone(), watcher::Config::default()));
    while let Some(event) = events.try_next().await? {
        match event {
            watcher::Event::Init => tell("watch begins", Ok(())),
            watcher::Event::InitApply(sensor) => tell("watch, there", Ok(sensor.name_any())),
            watcher::Event::InitDone => {
                tell("watch has all", Ok(()));
                let patch = Patch::Merge(json!({"spec": {"high": 12}}));
                sensors.patch("outdoors", &PatchParams::default(), &patch).await?;
            }
            watcher::Event::Apply(sensor) => {
                tell("watch, changed", Ok(sensor.spec));
                sensors.delete("outdoors", &DeleteParams::default()).await?;
            }
            watcher::Event::Delete(sensor) => {
                tell("watch, deleted", Ok(sensor.name_any()));
                break;
            }
        }
    }
    Ok(())
}

async fn deletes(sensors: &Api<Sensor>) -> Result<(), Error> {
    let patch = PatchParams::default();
    let finalizer = Patch::Merge(json!({"metadata": {"finalizers": ["kube.klient.example/e2e"]}}));
    sensors.patch("indoors", &patch, &finalizer).await?;
    let deleted = sensors.delete("indoors", &DeleteParams::default()).await?;
    tell("deleted with a finalizer", Ok(deleted.left()));
    let spec = Patch::Merge(json!({"spec": {"low": 100}}));
    tell("against the rules, in deletion", sensors.patch("indoors", &patch, &spec).await);
    let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    tell("released", sensors.patch("indoors", &patch, &release).await);
    tell("gone", sensors.get("indoors").await);
    Ok(())
}

/// Prints an answer.
fn tell<T: Serialize>(what: &str, answer: Result<T, Error>) {
    let answer = match answer {
        Ok(answer) => serde_json::to_value(answer).expect("it is JSON"),
        Err(Error::Api(status)) => serde_json::to_value(status).expect("it is JSON"),
        Err(error) => json!(format!("{error:?}")),
    };
    println!("{what}: {}", masked(answer));
}

/// A value without what no two servers have in common.
fn masked(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| match (name.as_str(), &value) {
                (
                    "uid" | "resourceVersion" | "creationTimestamp" | "deletionTimestamp" | "time"
                    | "lastTransitionTime",
                    _,
                ) => (name, "*".into()),
                _ => (name, masked(value)),
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(masked).collect(),
        // An object in a message has what its server gave it.
        Value::String(text) => match (text.find("\"{"), text.rfind("}\"")) {
            (Some(begin), Some(end)) if begin < end => {
                format!("{}*{}", &text[..begin], &text[end + 2..]).into()
            }
            _ => text.into(),
        },
        other => other,
    }
}
