//! Values that are wrong for a while.

use std::future::pending;

use klient_client::Client;
use klient_testing::{CrashTest, FindingKind};

use crate::findings::{keep, write};

#[test]
fn a_value_that_is_wrong_for_a_while_is_found() {
    // The error handler begins with a value that no other run sees.
    let test = CrashTest::new(async |client: Client| {
        if write(&client, "right".to_owned()).await.is_err() {
            write(&client, "wrong".to_owned()).await.unwrap();
            write(&client, "right".to_owned()).await.unwrap();
        }
        pending::<()>().await;
    });
    let finding = test.try_run().unwrap_err();
    assert_eq!(
        (finding.kind(), finding.play()),
        (FindingKind::Transient, Some("server-error:write1")),
        "{finding}"
    );
    let text = finding.to_string();
    let expected = r#"configmaps default/counter: write 2 sets /data/value to "wrong", which it never is in the reference run: create configmaps default/counter: 201, created"#;
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_value_that_the_reference_run_also_passes_is_no_finding() {
    let test = CrashTest::new(async |client: Client| {
        for value in ["first", "second"] {
            while write(&client, value.to_owned()).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
        keep(&client, "done").await;
        pending::<()>().await;
    });
    test.run();
}
