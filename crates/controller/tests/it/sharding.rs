//! Sharding over HTTP.

mod controllers;
mod replicas;

use std::time::Duration;

use klient_client::Client;
use klient_controller::sharding::{Sharding, ShardingConfig};

/// Short times: a Lease lasts for whole seconds.
fn short() -> ShardingConfig {
    ShardingConfig {
        namespace: "default".into(),
        name: "shop".into(),
        lease_duration: Duration::from_secs(3),
        renew_deadline: Duration::from_secs(2),
        retry_period: Duration::from_millis(100),
        ..Default::default()
    }
}

fn join(client: &Client, identity: &str) -> Sharding {
    Sharding::join(client, ShardingConfig { identity: identity.into(), ..short() }).unwrap()
}

/// Waits until a condition on a replica's keys holds.
async fn assigned(sharding: &Sharding, what: &str, holds: impl Fn(&Sharding) -> bool) {
    let mut assignments = sharding.assignments();
    let waiting = async {
        while !holds(sharding) {
            assert!(assignments.next().await.is_some(), "the replica has left");
        }
    };
    crate::cluster::soon(what, waiting).await;
}
