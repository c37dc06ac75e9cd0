//! Two replicas of a controller that share the config maps of a namespace, each with its own; the second one leaves, and the
//! first one has all.

#![allow(clippy::print_stdout)]

mod cluster;

use std::sync::Arc;

use klient::api::core::v1::ConfigMap;
use klient::controller::sharding::{Sharding, ShardingConfig};
use klient::controller::{Action, Controller};
use klient::{Cached, Client, Error, InformerFactory, ObjectMeta};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

type Done = UnboundedSender<(&'static str, String)>;

/// A replica of the controller: in a cluster a pod.
async fn replica(
    client: Client,
    name: &'static str,
    done: Done,
    stop: oneshot::Receiver<()>,
) -> Result<(), String> {
    let sharding = Sharding::join(
        &client,
        ShardingConfig {
            namespace: "default".into(),
            name: "sharding-example".into(),
            // In a cluster the host name, by default, is that of the pod.
            identity: name.into(),
            ..Default::default()
        },
    )
    .map_err(|error| error.to_string())?;
    let factory = InformerFactory::builder(client).namespace("default").build();
    let reconcile = async move |object: Cached<ConfigMap>, done: Arc<Done>| {
        // The channel is closed at the end.
        let _ = done.send((name, object.name().to_owned()));
        Ok::<_, Error>(Action::done())
    };
    let mut controller = Controller::builder(&factory.informer::<ConfigMap>())
        .sharded(&sharding)
        .reconcile(Arc::new(done), reconcile);
    let shutdown = async { drop(stop.await) };
    controller.run(shutdown).await.map_err(|error| error.to_string())?;
    // Reconciles have ended: the others can have the keys at once.
    sharding.leave().await;
    println!("{name}: left");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let names: Vec<_> = (0..30).map(|number| format!("sharding-example-{number}")).collect();
    for name in &names {
        config_maps
            .create(&ConfigMap { metadata: ObjectMeta::named(name.as_str()), ..Default::default() })
            .await?;
    }

    let (done, mut reconciled) = unbounded_channel();
    let ((stop_first, first), (stop_second, second)) = (oneshot::channel(), oneshot::channel());
    let first = tokio::spawn(replica(client.clone(), "first", done.clone(), first));
    let second = tokio::spawn(replica(client.clone(), "second", done, second));

    // Each begins when it has its keys; whoever comes first has all of them for a moment.
    let (mut left, mut of_first) = (Some((stop_second, second)), std::collections::BTreeSet::new());
    while let Some((replica, name)) = reconciled.recv().await {
        println!("{replica}: {name}");
        match (replica, left.take()) {
            // The second one has keys: it is told to stop, in a cluster by SIGTERM.
            ("second", Some((stop, second))) => {
                drop(stop);
                second.await??;
            }
            ("first", still) => {
                left = still;
                of_first.insert(name);
            }
            _ => {}
        }
        if left.is_none() && names.iter().all(|name| of_first.contains(name)) {
            break;
        }
    }
    drop(stop_first);
    first.await??;
    for name in &names {
        config_maps.delete(name, &Default::default()).await?;
    }
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
