//! The case `controller`: a controller that gives each widget a config map and a status.

use std::sync::Arc;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::meta::v1::{Condition, ObjectMeta};
use klient_cache::{Cached, InformerFactory, Lister};
use klient_client::{Client, Config};
use klient_controller::{Action, Controller, Error, set_condition, set_controller_reference, update_status};
use measure::{Args, Reconciles, monotonic};
use serde_json::{Map, Value};

use crate::widget::{Widget, number};

/// State that reconciles share.
struct Context {
    client: Client,
    config_maps: Lister<ConfigMap>,
    reconciles: Reconciles,
}

/// Until all `--count` widgets are as they should be; then, with `--changes`, until so many changes were seen.
pub async fn run(args: &Args, out: &mut Map<String, Value>) -> impl Sized + use<> {
    let started = monotonic();
    let config = Config::from_kubeconfig_file(args.str("kubeconfig", "kubeconfig")).unwrap();
    let client = Client::new(config).unwrap();
    let factory = InformerFactory::builder(client.clone()).namespace("default").build();
    let (widgets, config_maps) = (factory.informer::<Widget>(), factory.informer::<ConfigMap>());
    let reconciles = Reconciles::of(args.num("count", 10_000));
    let context = Arc::new(Context { client, config_maps: config_maps.lister(), reconciles });
    let mut controller = Controller::builder(&widgets)
        .owns(&config_maps)
        .workers(args.num("workers", 16))
        .reconcile(context.clone(), reconcile);
    let running = tokio::spawn(async move { controller.run(std::future::pending()).await });
    context.reconciles.rest(started, out).await;
    if args.num("changes", 0) > 0 {
        context.reconciles.changes(args.num("changes", 0), out).await;
    }
    (running, factory)
}

async fn reconcile(widget: Cached<Widget>, context: Arc<Context>) -> Result<Action, Error> {
    context.reconciles.begin(widget.spec.token);
    let written = write(&widget, &context).await;
    match written {
        Ok(()) => context.reconciles.done(number(widget.name())),
        Err(_) => context.reconciles.failed(),
    }
    written.map(|()| Action::done())
}

async fn write(widget: &Cached<Widget>, context: &Context) -> Result<(), Error> {
    let key = widget.key();
    let data = [
        ("color", widget.spec.color.clone()),
        ("image", widget.spec.image.clone()),
        ("size", widget.spec.size.to_string()),
    ]
    .into();
    let config_maps = context.client.api::<ConfigMap>().namespace_of(&key);
    match context.config_maps.get(&key) {
        None => {
            let metadata = ObjectMeta::named(key.name()).in_namespace(key.namespace().unwrap_or_default());
            let mut child = ConfigMap { metadata, data, ..Default::default() };
            set_controller_reference(&**widget, &mut child)?;
            config_maps.create(&child).await?;
        }
        Some(child) if child.data != data => {
            let mut child = (*child).clone();
            child.data = data;
            config_maps.update(&child).await?;
        }
        Some(_) => {}
    }
    let generation = widget.metadata.generation;
    let ready = Condition {
        type_: "Ready".into(),
        status: "True".into(),
        reason: "Written".into(),
        message: "the config map is as it should be".into(),
        observed_generation: generation,
        ..Default::default()
    };
    let widgets = context.client.api::<Widget>().namespace_of(&key);
    update_status(&widgets, &**widget, |widget| {
        let status = widget.status.get_or_insert_default();
        status.observed_generation = generation.unwrap_or_default();
        set_condition(&mut status.conditions, ready.clone());
        Ok(())
    })
    .await?;
    Ok(())
}
