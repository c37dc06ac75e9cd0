//! The case `controller`: a controller that gives each widget a config map and a status.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::controller::{self, Action, Controller};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, Config, CustomResource, Error, Resource as _, ResourceExt as _};
use measure::{Args, Reconciles, monotonic};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(CustomResource, Clone, Debug, Default, Serialize, Deserialize)]
#[kube(
    group = "example.com",
    version = "v1",
    kind = "Widget",
    namespaced,
    status = "WidgetStatus",
    schema = "disabled"
)]
#[serde(rename_all = "camelCase", default)]
pub struct WidgetSpec {
    size: i64,
    color: String,
    image: String,
    args: Vec<String>,
    env: Vec<EnvVar>,
    resources: Resources,
    token: i64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvVar {
    name: String,
    value: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    cpu: String,
    memory: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WidgetStatus {
    observed_generation: i64,
    conditions: Vec<Condition>,
}

/// State that reconciles share.
struct Context {
    client: Client,
    config_maps: Store<ConfigMap>,
    reconciles: Reconciles,
}

/// Until all `--count` widgets are as they should be; then, with `--changes`, until so many changes were seen.
pub(crate) async fn run(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let started = monotonic();
    let kubeconfig = Kubeconfig::read_from(args.str("kubeconfig", "kubeconfig")).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let client = Client::try_from(config).unwrap();
    let watching = match args.str("strategy", "list").as_str() {
        "watchlist" => watcher::Config::default().streaming_lists(),
        _ => watcher::Config::default(),
    };
    let (config_maps, writer) = reflector::store();
    let owned = watcher(Api::<ConfigMap>::namespaced(client.clone(), "default"), watching.clone());
    let owned = owned.default_backoff().reflect(writer).touched_objects();
    let workers = u16::try_from(args.num("workers", 16)).unwrap();
    let reconciles = Reconciles::of(args.num("count", 10_000));
    let context = Arc::new(Context { client: client.clone(), config_maps, reconciles });
    let running = Controller::new(Api::<Widget>::namespaced(client, "default"), watching)
        .owns_stream(owned)
        .with_config(controller::Config::default().concurrency(workers))
        .run(reconcile, |_, _, _| Action::requeue(Duration::from_millis(100)), context.clone())
        .for_each(|_| std::future::ready(()));
    let running = tokio::spawn(running);
    context.reconciles.rest(started, out).await;
    if args.num("changes", 0) > 0 {
        context.reconciles.changes(args.num("changes", 0), out).await;
    }
    Box::new((running, context))
}

async fn reconcile(widget: Arc<Widget>, context: Arc<Context>) -> Result<Action, Error> {
    // Before this, a config map that exists may not be in the store.
    context.config_maps.wait_until_ready().await.expect("the writer goes on");
    context.reconciles.begin(widget.spec.token);
    let written = write(&widget, &context).await;
    match written {
        Ok(()) => {
            let number = widget.name_any().strip_prefix("widget-").and_then(|number| number.parse().ok());
            context.reconciles.done(number.expect("it is a widget's name"));
        }
        Err(_) => context.reconciles.failed(),
    }
    written.map(|()| Action::await_change())
}

async fn write(widget: &Arc<Widget>, context: &Context) -> Result<(), Error> {
    let (name, namespace) = (widget.name_any(), widget.namespace().unwrap_or_default());
    let data = BTreeMap::from([
        ("color".to_owned(), widget.spec.color.clone()),
        ("image".to_owned(), widget.spec.image.clone()),
        ("size".to_owned(), widget.spec.size.to_string()),
    ]);
    let config_maps = Api::<ConfigMap>::namespaced(context.client.clone(), &namespace);
    match context.config_maps.get(&ObjectRef::new(&name).within(&namespace)) {
        None => {
            let child = ConfigMap {
                metadata: ObjectMeta {
                    name: Some(name.clone()),
                    namespace: Some(namespace.clone()),
                    owner_references: Some(vec![widget.controller_owner_ref(&()).expect("it has a uid")]),
                    ..Default::default()
                },
                data: Some(data),
                ..Default::default()
            };
            match config_maps.create(&PostParams::default(), &child).await {
                // The store has not seen it yet.
                Err(Error::Api(status)) if status.is_already_exists() => {}
                created => drop(created?),
            }
        }
        Some(child) if child.data.as_ref() != Some(&data) => {
            let mut child = (*child).clone();
            child.data = Some(data);
            config_maps.replace(&name, &PostParams::default(), &child).await?;
        }
        Some(_) => {}
    }
    let generation = widget.metadata.generation;
    let mut status = widget.status.clone().unwrap_or_default();
    status.observed_generation = generation.unwrap_or_default();
    let mut ready = Condition {
        type_: "Ready".to_owned(),
        status: "True".to_owned(),
        reason: "Written".to_owned(),
        message: "the config map is as it should be".to_owned(),
        observed_generation: generation,
        last_transition_time: Time(Timestamp::now()),
    };
    match status.conditions.iter_mut().find(|condition| condition.type_ == ready.type_) {
        Some(condition) => {
            if condition.status == ready.status {
                ready.last_transition_time = condition.last_transition_time.clone();
            }
            *condition = ready;
        }
        None => status.conditions.push(ready),
    }
    if widget.status.as_ref() != Some(&status) {
        let mut widget = (**widget).clone();
        widget.status = Some(status);
        let widgets = Api::<Widget>::namespaced(context.client.clone(), &namespace);
        widgets.replace_status(&name, &PostParams::default(), &widget).await?;
    }
    Ok(())
}
