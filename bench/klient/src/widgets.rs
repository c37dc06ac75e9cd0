//! The case `widgets`: who creates and changes the widgets that controllers reconcile, and who looks at what those did.

use std::time::Duration;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::core::v1::ConfigMap;
use klient_client::{Client, Config, ListOptions, Patch};
use klient_controller::is_condition_true;
use klient_controller::wait::{conditions, wait_for};
use measure::{Args, monotonic};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::widget::{Widget, definition, name, ruled_definition, widget};

const WORKERS: usize = 16;

/// The time from a change to the next.
const PACE: Duration = Duration::from_millis(20);

/// Steps from one widget that is changed to the next; it shares no factor with their number.
const STRIDE: usize = 7919;

/// Creates `--count` widgets with `--fill`; changes as many as `--changes` says, one at a time; or checks that each has a
/// config map and is ready.
pub async fn run(args: &Args, _: &mut Map<String, Value>) {
    let config = Config::from_kubeconfig_file(args.str("kubeconfig", "kubeconfig")).unwrap();
    let client = Client::new(config).unwrap();
    let count = args.num("count", 10_000);
    if args.flag("fill") {
        fill(&client, count).await;
    } else if args.num("changes", 0) > 0 {
        change(&client, count, args.num("changes", 0)).await;
    } else {
        check(&client, count).await;
    }
}

/// Defines the widgets and those with rules.
pub async fn define(args: &Args) {
    let config = Config::from_kubeconfig_file(args.str("kubeconfig", "kubeconfig")).unwrap();
    let client = Client::new(config).unwrap();
    for definition in [definition(), ruled_definition()] {
        create_definition(&client, definition).await;
    }
}

/// Creates a definition, and waits until its resource is served.
async fn create_definition(client: &Client, definition: Value) {
    let definitions = client.api::<CustomResourceDefinition>();
    let definition: CustomResourceDefinition = serde_json::from_value(definition).unwrap();
    definitions.create(&definition).await.unwrap();
    let name = definition.metadata.name.unwrap();
    wait_for(&definitions, &name, conditions::established(), Default::default()).await.unwrap();
}

async fn fill(client: &Client, count: usize) {
    create_definition(client, definition()).await;
    let mut creating = JoinSet::new();
    for worker in 0..WORKERS {
        let widgets = client.api::<Widget>().namespace("default");
        creating.spawn(async move {
            for number in (worker..count).step_by(WORKERS) {
                widgets.create(&widget(number)).await.unwrap();
            }
        });
    }
    creating.join_all().await;
}

/// The token of each change is the time at which its request is made.
async fn change(client: &Client, count: usize, changes: usize) {
    let widgets = client.api::<Widget>().namespace("default");
    let mut ticks = tokio::time::interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for change in 0..changes {
        ticks.tick().await;
        let token = Patch::Merge(json!({"spec": {"token": monotonic()}}));
        widgets.patch(&name(change * STRIDE % count), &token).await.unwrap();
    }
}

async fn check(client: &Client, count: usize) {
    let config_maps =
        client.api::<ConfigMap>().namespace("default").list(&ListOptions::default()).await.unwrap();
    let owned = config_maps.items.iter().filter(|child| !child.metadata.owner_references.is_empty());
    let widgets = client.api::<Widget>().namespace("default").list(&ListOptions::default()).await.unwrap();
    let is_ready = |widget: &&Widget| {
        widget.status.as_ref().is_some_and(|status| {
            is_condition_true(&status.conditions, "Ready")
                && Some(status.observed_generation) == widget.metadata.generation
        })
    };
    let ready = widgets.items.iter().filter(is_ready).count();
    assert_eq!((owned.count(), widgets.items.len(), ready), (count, count, count));
}
