//! The case `creates`: objects that clients create one after another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use klient_api::core::v1::{ConfigMap, Namespace, Secret};
use klient_apimachinery::Map as Labels;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_client::{Client, Config};
use measure::{Args, in_flight};
use serde_json::{Map, Value};

use crate::widget::{self, RuledWidget, Widget};

/// Creates `--count` objects of `--what`, `--conc` at a time, in a namespace of this process.
pub async fn run(args: &Args, out: &mut Map<String, Value>) {
    let config = Config::from_kubeconfig_file(args.str("kubeconfig", "kubeconfig")).unwrap();
    let client = Client::new(config).unwrap();
    let namespace = format!("creates-{}", std::process::id());
    let metadata = ObjectMeta::named(&*namespace);
    client.api::<Namespace>().create(&Namespace { metadata, ..Default::default() }).await.unwrap();
    // Every object has a name of its own, those that are not measured, too.
    let next = Arc::new(AtomicUsize::new(0));
    let number = move || next.fetch_add(1, Ordering::Relaxed);
    match args.str("what", "config-maps").as_str() {
        "config-maps" => {
            let api = client.api::<ConfigMap>().namespace(&namespace);
            let create = move |_| {
                let (api, config_map) = (api.clone(), config_map(number()));
                async move { drop(api.create(&config_map).await.unwrap()) }
            };
            in_flight(args, out, create).await;
        }
        "secrets" => {
            let api = client.api::<Secret>().namespace(&namespace);
            let create = move |_| {
                let ConfigMap { metadata, data, .. } = config_map(number());
                let (api, secret) = (api.clone(), Secret { metadata, string_data: data, ..Default::default() });
                async move { drop(api.create(&secret).await.unwrap()) }
            };
            in_flight(args, out, create).await;
        }
        "widgets" => {
            let api = client.api::<Widget>().namespace(&namespace);
            let create = move |_| {
                let (api, widget) = (api.clone(), widget::widget(number()));
                async move { drop(api.create(&widget).await.unwrap()) }
            };
            in_flight(args, out, create).await;
        }
        "ruled-widgets" => {
            let api = client.api::<RuledWidget>().namespace(&namespace);
            let create = move |_| {
                let (api, widget) = (api.clone(), RuledWidget::from(widget::widget(number())));
                async move { drop(api.create(&widget).await.unwrap()) }
            };
            in_flight(args, out, create).await;
        }
        other => panic!("nothing is called {other}"),
    }
}

/// The config map of a number: 0.6 KB of JSON without managed fields.
fn config_map(number: usize) -> ConfigMap {
    let labels: Labels<_> =
        [("app.kubernetes.io/name", "settings".to_owned()), ("example.com/shard", (number % 16).to_string())]
            .into();
    let data: Labels<_> = [
        ("endpoint", format!("https://settings-{number}.shop.svc.cluster.local:8443/v1")),
        ("features", "cart,search,recommendations,reviews,stock".to_owned()),
        ("settings.yaml", "cache:\n  size: 128Mi\n  ttl: 30s\nlog:\n  level: info\n".repeat(4)),
    ]
    .into();
    let metadata = ObjectMeta { labels, ..ObjectMeta::named(format!("settings-{number:06}")) };
    ConfigMap { metadata, data, ..Default::default() }
}
