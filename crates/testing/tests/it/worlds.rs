//! Controllers with a state outside of the cluster.

use std::future::pending;
use std::sync::{Arc, Mutex};

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::Object as _;
use klient_client::{Client, Error, Patch};
use klient_testing::{CrashTest, FindingKind, World};
use serde_json::json;

use crate::copies::create;

/// A fake of a cloud with buckets.
#[derive(Default)]
struct Cloud {
    buckets: Mutex<Vec<String>>,
}

impl Cloud {
    fn create(&self, name: &str) -> String {
        let mut buckets = self.buckets.lock().unwrap();
        buckets.push(name.to_owned());
        format!("bucket-{}", buckets.len())
    }
}

/// Makes a bucket for the config map, and notes it there.
async fn claim(client: &Client, cloud: &Cloud, looks: bool) -> Result<(), Error> {
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let Some(colors) = config_maps.get_opt("colors").await? else { return Ok(()) };
    if colors.annotations().any(|(key, _)| key == "bucket") {
        return Ok(());
    }
    let exists = cloud.buckets.lock().unwrap().iter().any(|bucket| bucket == "colors");
    let bucket = if looks && exists { "bucket-1".to_owned() } else { cloud.create("colors") };
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"bucket": bucket}}}));
    config_maps.patch("colors", &patch).await.map(drop)
}

fn test(looks: bool) -> CrashTest<World<Arc<Cloud>>> {
    let controller = async move |client: Client, cloud: Arc<Cloud>| {
        for _ in 0.. {
            let _ = claim(&client, &cloud, looks).await;
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    };
    CrashTest::with_world(Arc::<Cloud>::default, controller)
        .setup(async |_, cloud: Arc<Cloud>| {
            let is_new = cloud.buckets.lock().unwrap().is_empty();
            if is_new { Ok(()) } else { Err("it is the cloud of another play") }
        })
        .compare_world(|cloud| cloud.buckets.lock().unwrap().clone().into())
        .step("create it", async |client, _| create(client).await)
        .options(klient_testing::Options { rest: std::time::Duration::from_secs(600), ..Default::default() })
}

#[test]
fn each_play_has_a_new_world_that_survives_the_controller() {
    test(true).run();
}

#[test]
fn a_world_with_another_state_is_found() {
    let finding = test(false).try_run().unwrap_err();
    assert_eq!(finding.kind(), FindingKind::Differs, "{finding}");
    assert_eq!(finding.play(), Some("kill-before:write1"), "{finding}");
    assert!(
        finding.to_string().contains("the world: /1 is \"colors\"; in the reference run absent"),
        "{finding}"
    );
}

#[test]
fn a_world_that_changes_without_end_does_not_come_to_rest() {
    let controller = async |_: Client, cloud: Arc<Cloud>| {
        for _ in 0.. {
            cloud.create("another");
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        }
    };
    let test = CrashTest::with_world(Arc::<Cloud>::default, controller)
        .compare_world(|cloud| cloud.buckets.lock().unwrap().len().into());
    assert_eq!(test.try_run().unwrap_err().kind(), FindingKind::NotAtRest);
    let quiet = CrashTest::with_world(Arc::<Cloud>::default, async |_, _: Arc<Cloud>| pending::<()>().await);
    assert_eq!(quiet.compare_world(|cloud| cloud.buckets.lock().unwrap().len().into()).run().writes, 0);
}
