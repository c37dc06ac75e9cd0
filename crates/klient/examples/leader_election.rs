//! Leader election with callbacks, and a guard that hands over: two replicas, of which one is at work.

#![allow(clippy::print_stdout)]

mod cluster;

use std::time::Duration;

use klient::Client;
use klient::controller::leader_election::{
    LeaderCallbacks, LeaderElectionConfig, LeaderElector, Leadership, LeaseLock,
};
use tokio::sync::oneshot;

fn elector(client: &Client, identity: &str) -> Result<LeaderElector, Box<dyn std::error::Error>> {
    let lock = LeaseLock {
        namespace: "default".into(),
        name: "leader-election-example".into(),
        // In a cluster: the name of the pod.
        identity: identity.into(),
        ..Default::default()
    };
    let config = LeaderElectionConfig {
        lease_duration: Duration::from_secs(60),
        renew_deadline: Duration::from_secs(15),
        // client-go's example waits for five seconds.
        retry_period: Duration::from_millis(200),
        ..Default::default()
    };
    Ok(LeaderElector::new(client.clone(), lock, config)?)
}

/// The work of a leader. Before each act it asks the guard.
async fn controller_loop(identity: &str, leadership: Leadership) {
    println!("{identity}: controller loop, with token {}", leadership.fencing_token());
    assert!(leadership.is_valid());
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;

    // The first replica has callbacks, as in client-go. It is told to stop: in a cluster by SIGTERM.
    let first = elector(&client, "first")?;
    let (leading, led) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let callbacks = LeaderCallbacks::new(
        async move |leadership| {
            controller_loop("first", leadership).await;
            let _ = leading.send(());
        },
        || println!("first: stopped leading"),
    )
    .on_new_leader(|identity| println!("first: the leader is {identity}"));
    let first = tokio::spawn(async move {
        let stop = async { drop(stopped.await) };
        first.run_callbacks(callbacks, stop).await;
    });
    led.await?;

    // The second one waits for its turn, works while it leads, and gives the Lease up when its work has ended.
    let second = elector(&client, "second")?;
    let second = tokio::spawn(async move {
        second.run(async |leadership| controller_loop("second", leadership).await).await
    });
    drop(stop);
    first.await?;
    second.await??;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
