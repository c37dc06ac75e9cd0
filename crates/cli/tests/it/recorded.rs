//! Cases recorded from kubectl 1.37, played in order by klient and by this machine's own kubectl.

use crate::cases::{Expected, steps};
use crate::playground::{Playground, Program};

/// Cases that do not match yet, and why.
type NotYet = [(&'static str, &'static str)];

const KLIENT_NOT_YET: &NotYet = &[
    ("apply: failures: host unknown", "Go names the name server that was asked"),
    ("create, replace, patch, others: replace", "there is no `replace` yet"),
    ("create, replace, patch, others: replace not found", "there is no `replace` yet"),
    ("create, replace, patch, others: replace stale resourceVersion", "there is no `replace` yet"),
    ("create, replace, patch, others: patch again", "there is no `patch` yet"),
    ("create, replace, patch, others: patch json test fails", "there is no `patch` yet"),
    ("create, replace, patch, others: patch json remove missing", "there is no `patch` yet"),
    ("create, replace, patch, others: patch json path missing", "there is no `patch` yet"),
    ("create, replace, patch, others: patch invalid", "there is no `patch` yet"),
    ("create, replace, patch, others: patch wrong type", "there is no `patch` yet"),
    ("create, replace, patch, others: patch strategic of a CR", "there is no `patch` yet"),
    ("create, replace, patch, others: patch merge of a CR", "there is no `patch` yet"),
    ("create, replace, patch, others: scale", "there is no `scale` yet"),
    ("create, replace, patch, others: scale not found", "there is no `scale` yet"),
    ("create, replace, patch, others: scale of a cm", "there is no `scale` yet"),
    ("create, replace, patch, others: label", "there is no `label` yet"),
    ("create, replace, patch, others: label bad", "there is no `label` yet"),
    ("create, replace, patch, others: annotate", "there is no `annotate` yet"),
    ("create, replace, patch, others: wait not found", "there is no `wait` yet"),
    ("create, replace, patch, others: wait times out", "there is no `wait` yet"),
    ("create, replace, patch, others: explain unknown", "there is no `explain` yet"),
    ("create, replace, patch, others: diff", "there is no `scale` yet, whose work it would show"),
    ("create, replace, patch, others: auth can-i no", "there is no `auth` yet"),
    (
        "create, replace, patch, others: version server down",
        "klient has a version of its own, and no Kustomize",
    ),
    ("create, replace, patch, others: cluster-info", "there is no `cluster-info` yet"),
];

const KUBECTL_NOT_YET: &NotYet = &[];

#[tokio::test(flavor = "multi_thread")]
async fn klient_prints_what_kubectl_prints() {
    play(&Program::klient(), KLIENT_NOT_YET, |expected, _| expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_works_with_the_embedded_server() {
    let Some(kubectl) = Program::kubectl() else {
        eprintln!("skipped: kubectl.1.33 is not installed");
        return;
    };
    play(&kubectl, KUBECTL_NOT_YET, Expected::of_1_33).await;
}

async fn play(
    program: &Program,
    not_yet: &NotYet,
    expected_of: impl Fn(Expected, &crate::cases::Partial) -> Expected,
) {
    let playground = Playground::new().await;
    let mut problems = String::new();
    let mut matching = 0;
    for step in steps() {
        playground.write(&step.files);
        if !step.setup.is_empty() {
            playground.set_up(&step.setup, step.stdin.as_deref()).await;
            continue;
        }
        let got = playground.run(program, &step.who, &step.args, step.stdin.as_deref()).await.normalized();
        let Some(expected) = step.expect.clone() else { continue };
        let expected = expected_of(expected, &step.expect_1_33).normalized();
        let reason = not_yet.iter().find(|(name, _)| *name == step.name());
        match (got == expected, reason) {
            (true, None) => matching += 1,
            (false, Some(_)) => {}
            (true, Some(_)) => problems += &format!("\n{} matches now: take it off the list\n", step.name()),
            (false, None) => {
                problems += &format!("\n{} {:?}\n{}", step.name(), step.args, difference(&expected, &got));
            }
        }
    }
    assert!(problems.is_empty(), "{matching} cases match, but:{problems}");
}

fn difference(expected: &Expected, got: &Expected) -> String {
    let mut text = String::new();
    if expected.exit != got.exit {
        text += &format!("  exit {} instead of {}\n", got.exit, expected.exit);
    }
    for (stream, expected, got) in
        [("stdout", &expected.stdout, &got.stdout), ("stderr", &expected.stderr, &got.stderr)]
    {
        if expected != got {
            text += &format!("  {stream}\n    expected {expected:?}\n    got      {got:?}\n");
        }
    }
    text
}
