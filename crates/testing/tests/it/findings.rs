//! Findings of the reference run, and options.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::Object as _;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_client::{Client, Error, Patch};
use klient_testing::{CrashTest, FindingKind, Options, PlayKind};
use serde_json::json;

use crate::copies::create;

/// Options with plays of some kinds only.
pub(crate) fn only(kinds: &[PlayKind]) -> Options {
    let skip = PlayKind::ALL.into_iter().filter(|kind| !kinds.contains(kind)).collect();
    Options { skip, ..Options::default() }
}

/// Makes a config map if there is none of its name, however often it takes.
pub(crate) async fn keep(client: &Client, name: &str) {
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let kept = ConfigMap { metadata: ObjectMeta::named(name), ..Default::default() };
    while config_maps.create(&kept).await.is_err_and(|error| !error.is_already_exists()) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Writes a value to a config map.
pub(crate) async fn write(client: &Client, value: String) -> Result<(), Error> {
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut counter = ConfigMap { metadata: ObjectMeta::named("counter"), ..Default::default() };
    counter.data.insert("value", value.clone().into());
    match config_maps.create(&counter).await {
        Err(error) if error.is_already_exists() => {
            let patch = Patch::Merge(json!({"data": {"value": value}}));
            config_maps.patch(counter.name(), &patch).await.map(drop)
        }
        created => created.map(drop),
    }
}

fn kind(test: CrashTest) -> FindingKind {
    let finding = test.try_run().unwrap_err();
    assert_eq!(finding.play(), None, "{finding}");
    finding.kind()
}

#[test]
fn a_controller_that_writes_for_ever_does_not_come_to_rest() {
    let test = CrashTest::new(async |client| {
        for number in 0.. {
            let _ = write(&client, format!("{number}")).await;
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    });
    assert_eq!(kind(test), FindingKind::NotAtRest);
}

#[test]
fn a_controller_that_ends_or_panics_is_found() {
    assert_eq!(kind(CrashTest::new(async |_| {})), FindingKind::Ended);
    let test = CrashTest::new(async |_| Err::<(), _>("no permission"));
    let finding = test.try_run().unwrap_err();
    assert!(finding.to_string().contains("the controller has ended: no permission"), "{finding}");
    let test = CrashTest::new(async |client: Client| {
        if write(&client, "once".to_owned()).await.is_ok() {
            panic!("one write is too many");
        }
    });
    assert_eq!(kind(test), FindingKind::Panicked);
}

#[test]
fn a_step_that_fails_is_found() {
    let test =
        CrashTest::new(async |_| pending::<()>().await).step("create it", create).step("create it", create);
    assert_eq!(kind(test), FindingKind::StepFailed);
}

#[test]
fn a_controller_that_leaves_something_random_is_named_unless_the_field_is_ignored() {
    let runs = AtomicUsize::new(0);
    let test = CrashTest::new(async move |client| {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        while write(&client, format!("{run}")).await.is_err() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        pending::<()>().await;
    });
    let finding = test.try_run().unwrap_err();
    assert_eq!(finding.kind(), FindingKind::NotRepeatable);
    assert!(finding.to_string().contains("configmaps default/counter: /data/value is"), "{finding}");
    let ignored_fields = vec![("configmaps".to_owned(), "/data/value".to_owned())];
    test.options(Options { ignored_fields, ..Options::default() }).run();
}

#[test]
fn an_object_that_is_touched_by_mistake_is_found() {
    // The error handler forgets to give the object back.
    let test = CrashTest::new(async |client: Client| {
        if write(&client, "once".to_owned()).await.is_err() {
            let default = client.api::<klient_api::core::v1::Namespace>();
            for alarm in [json!("on"), json!(null)] {
                let patch = Patch::Merge(json!({"metadata": {"labels": {"alarm": alarm}}}));
                default.patch("kube-public", &patch).await.unwrap();
            }
            write(&client, "once".to_owned()).await.unwrap();
        }
        pending::<()>().await;
    });
    let finding = test.try_run().unwrap_err();
    assert_eq!(
        (finding.kind(), finding.play()),
        (FindingKind::Touched, Some("server-error:write1")),
        "{finding}"
    );
}

#[tokio::test]
async fn plays_run_in_a_test_with_a_runtime_and_those_left_out_are_named() {
    let test = CrashTest::new(async |client| {
        while write(&client, "once".to_owned()).await.is_err() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        pending::<()>().await;
    });
    let all = test.run();
    let skip = vec![PlayKind::Behind, PlayKind::MergedSteps];
    let report = test.options(Options { max_plays: Some(3), skip, ..Options::default() }).run();
    assert_eq!(report.total(), 3);
    assert_eq!(report.left_out.len() + 3 + all.plays[&PlayKind::Behind], all.total());
}

#[test]
fn plays_that_did_not_come_to_their_point_are_counted_apart() {
    // The second step needs the work of the controller after the first.
    let test = CrashTest::new(async |client: Client| {
        while client.api::<ConfigMap>().namespace("default").get("colors").await.is_err() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        keep(&client, "counter").await;
        pending::<()>().await;
    });
    let reads = async |client: Client| {
        client.api::<ConfigMap>().namespace("default").get("counter").await?;
        write(&client, "second".to_owned()).await
    };
    let merged = only(&[PlayKind::MergedSteps, PlayKind::Restart]);
    let report = test.step("create it", create).step("change its copy", reads).options(merged).run();
    assert_eq!(report.not_applicable, ["merged-steps:step2"]);
    assert_eq!((report.total(), report.plays.len()), (3, 1), "{report}");
    let text = report.to_string();
    assert!(text.contains("; 1 more did not come to their point: merged-steps:step2;"), "{text}");
}
