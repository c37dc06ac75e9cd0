//! Controllers that do not come to rest, and controllers that do, later.

use std::future::pending;
use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_client::Client;
use klient_testing::{CrashTest, Finding, FindingKind, Options, PlayKind};
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::copies::create;
use crate::findings::{keep, only, write};

fn restless(test: &CrashTest) -> Finding {
    let finding = test.try_run().unwrap_err();
    assert_eq!(finding.kind(), FindingKind::NotAtRest, "{finding}");
    finding
}

#[test]
fn requests_without_a_pause_are_found_and_named() {
    let test = CrashTest::new(async |client: Client| {
        for _ in 0.. {
            let _ = client.api::<ConfigMap>().namespace("default").get_opt("colors").await;
        }
    });
    let finding = restless(&test.options(Options { max_requests: 200, ..Options::default() }));
    assert_eq!(finding.play(), None);
    assert!(finding.to_string().contains("it has sent 200 requests and goes on; most of them:"), "{finding}");
    assert!(finding.to_string().contains("get configmaps default/colors: 200 times"), "{finding}");
}

#[test]
fn requests_without_a_pause_after_a_fault_are_found() {
    // After a failure it waits for a config map that nobody makes.
    let test = CrashTest::new(async |client: Client| {
        if write(&client, "once".to_owned()).await.is_err() {
            while client.api::<ConfigMap>().namespace("default").get("alarm").await.is_err() {}
        }
        pending::<()>().await;
    });
    let finding = restless(&test.options(Options { max_requests: 200, ..Options::default() }));
    assert_eq!(finding.play(), Some("server-error:write1"), "{finding}");
    assert!(finding.to_string().contains("get configmaps default/alarm: 199 times"), "{finding}");
}

#[test]
fn a_loop_without_requests_is_found() {
    let test = CrashTest::new(async |_: Client| {
        for _ in 0.. {
            yield_now().await;
        }
    });
    let finding = restless(&test.options(Options { stalled: Duration::from_secs(1), ..Options::default() }));
    assert!(finding.to_string().contains("virtual time has stood still"), "{finding}");
}

#[test]
fn a_controller_that_tries_again_after_the_longest_back_off_of_a_queue_has_the_time() {
    let test = CrashTest::new(async |client: Client| {
        while write(&client, "once".to_owned()).await.is_err() {
            sleep(Duration::from_secs(1000)).await;
        }
        pending::<()>().await;
    });
    test.run();
}

#[test]
fn a_controller_that_is_started_again_has_the_whole_time_to_come_to_rest() {
    let test = CrashTest::new(async |client: Client| {
        keep(&client, "first").await;
        sleep(Duration::from_secs(15 * 60)).await;
        keep(&client, "second").await;
        pending::<()>().await;
    });
    test.run();
}

#[test]
fn changes_of_ignored_fields_and_times_do_not_keep_a_controller_from_rest() {
    let test = CrashTest::new(async |client: Client| {
        for number in 0.. {
            let _ = write(&client, format!("{number}")).await;
            sleep(Duration::from_secs(300)).await;
        }
    });
    let ignored_fields = vec![("configmaps".to_owned(), "/data/value".to_owned())];
    let ignored = Options { ignored_fields, max_plays: Some(20), ..Options::default() };
    test.step("create it", create).options(ignored).run();
    let test = CrashTest::new(async |client: Client| {
        for _ in 0.. {
            let _ = write(&client, klient_apimachinery::Time::now().to_string()).await;
            sleep(Duration::from_secs(300)).await;
        }
    });
    test.options(Options { max_plays: Some(20), ..only(&[PlayKind::KillAfter, PlayKind::Restart]) }).run();
}
