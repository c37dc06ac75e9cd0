//! Trying again.

use std::cell::Cell;
use std::time::Duration;

use klient_workqueue::{Backoff, retry};
use tokio::time::Instant;

/// Fails with these in turn, and then succeeds. Gives the result, the number of attempts, and the seconds it took.
async fn check(backoff: Backoff, failures: &[&'static str]) -> (Result<(), &'static str>, usize, u64) {
    let begin = Instant::now();
    let attempts = Cell::new(0);
    let result = retry(
        backoff,
        |error| *error == "conflict",
        async || {
            let failure = failures.get(attempts.replace(attempts.get() + 1));
            failure.map_or(Ok(()), |failure| Err(*failure))
        },
    )
    .await;
    (result, attempts.get(), begin.elapsed().as_secs())
}

const STEADY: Backoff =
    Backoff { duration: Duration::from_secs(1), factor: 2.0, jitter: 0.0, steps: 3, cap: None };

#[tokio::test(start_paused = true)]
async fn success_ends_it() {
    assert_eq!(check(STEADY, &[]).await, (Ok(()), 1, 0));
    assert_eq!(check(STEADY, &["conflict"]).await, (Ok(()), 2, 1));
    assert_eq!(check(STEADY, &["conflict", "conflict"]).await, (Ok(()), 3, 3));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_retried_ends_it() {
    assert_eq!(check(STEADY, &["forbidden"]).await, (Err("forbidden"), 1, 0));
    assert_eq!(check(STEADY, &["conflict", "forbidden"]).await, (Err("forbidden"), 2, 1));
}

#[tokio::test(start_paused = true)]
async fn without_steps_left_the_last_failure_is_given() {
    assert_eq!(check(STEADY, &["conflict"; 9]).await, (Err("conflict"), 3, 3));
    assert_eq!(check(Backoff { steps: 0, ..STEADY }, &["conflict"; 9]).await, (Err("conflict"), 1, 0));
    let capped = Backoff { cap: Some(Duration::from_secs(3)), steps: 9, ..STEADY };
    assert_eq!(check(capped, &["conflict"; 9]).await, (Err("conflict"), 2, 1));
}

#[tokio::test(start_paused = true)]
async fn the_defaults_are_those_of_client_go() {
    let begin = Instant::now();
    assert_eq!(check(Backoff::DEFAULT_RETRY, &["conflict"; 9]).await.1, 5);
    let retried = begin.elapsed();
    assert_eq!(check(Backoff::DEFAULT_BACKOFF, &["conflict"; 9]).await.1, 4);
    let backed_off = begin.elapsed() - retried;
    // tokio's timer counts in milliseconds, and rounds each time up.
    assert!((40..=48).contains(&retried.as_millis()), "{retried:?}");
    assert!((310..=344).contains(&backed_off.as_millis()), "{backed_off:?}");
}
