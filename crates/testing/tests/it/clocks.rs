//! The clocks of a play: times of objects and Leases.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::{Object as _, Time};
use klient_cache::InformerFactory;
use klient_client::{Client, DeleteOptions, Error, ListOptions};
use klient_controller::leader_election::{LeaderElector, LeaseLock};
use klient_controller::{Action, Controller};
use klient_testing::{CrashTest, Options, PlayKind};
use tokio::time::sleep;

use crate::copies::create;
use crate::findings::{only, write};

/// The age at which a config map is deleted.
const AGE: i64 = 15 * 60;

async fn sweep(client: &Client) -> Result<(), Error> {
    let config_maps = client.api::<ConfigMap>().namespace("default");
    for config_map in config_maps.list(&ListOptions::default()).await?.items {
        let created = config_map.metadata.creation_timestamp.unwrap_or_default();
        if config_map.name() == "colors" && Time::now().unix() - created.unix() >= AGE {
            config_maps.delete("colors", &DeleteOptions::default()).await?;
        }
    }
    Ok(())
}

#[test]
fn objects_age_in_virtual_time() {
    let test = CrashTest::new(async |client: Client| {
        for _ in 0.. {
            let _ = sweep(&client).await;
            sleep(Duration::from_secs(60)).await;
        }
    });
    let is_gone = async |client: Client| {
        let colors = client.api::<ConfigMap>().namespace("default").get_opt("colors").await;
        colors.map_err(|error| error.to_string())?.map_or(Ok(()), |_| Err("it is not deleted".to_owned()))
    };
    test.step("create it", create)
        .step("look", is_gone)
        .options(only(&[PlayKind::KillAfter, PlayKind::Restart]))
        .run();
}

#[test]
fn a_controller_with_leader_election_takes_over_when_the_lease_has_expired() {
    let test = CrashTest::new(async |client: Client| {
        let config_maps = InformerFactory::new(client.clone()).informer::<ConfigMap>();
        let reconcile = async |_, client: Arc<Client>| {
            write(&client, "led".to_owned()).await?;
            Ok::<_, Error>(Action::done())
        };
        let mut controller = Controller::builder(&config_maps).reconcile(Arc::new(client.clone()), reconcile);
        let lock = LeaseLock {
            namespace: "default".into(),
            name: "counter".into(),
            // Each start is another candidate.
            identity: format!("counter-{:016x}", fastrand::u64(..)).into(),
            ..Default::default()
        };
        let elector = LeaderElector::new(client, lock, Default::default()).unwrap();
        controller.run_while_leading(&elector, pending()).await
    });
    let test = test.step("create it", create);
    // The renewals of a longer rest take most of the time of the test.
    let rest = Duration::from_secs(300);
    let report = test.options(Options { rest, max_plays: Some(8), ..Options::default() }).run();
    assert!(report.writes >= 1, "{report}");
}
