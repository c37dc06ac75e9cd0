//! Times between attempts.

use std::time::Duration;

use klient_workqueue::{Backoff, KeyedBackoff};
use tokio::time::{Instant, advance};

const SECOND: Duration = Duration::from_secs(1);

#[track_caller]
fn check(mut backoff: Backoff, seconds: &[u64]) {
    let given: Vec<_> = seconds.iter().map(|_| backoff.step().as_secs()).collect();
    assert_eq!(given, seconds);
}

#[test]
fn a_backoff_lengthens_while_steps_are_left_and_the_cap_is_not_reached() {
    let one = Backoff { duration: SECOND, ..Default::default() };
    check(Backoff { ..one }, &[1, 1, 1]);
    check(Backoff { factor: 3.0, ..one }, &[1, 1, 1]);
    check(Backoff { factor: 3.0, steps: 2, ..one }, &[1, 3, 9, 9]);
    check(Backoff { factor: 3.0, steps: 9, cap: Some(5 * SECOND), ..one }, &[1, 3, 5, 5]);
    check(Backoff { factor: 0.0, steps: 9, ..one }, &[1, 1, 1]);
    check(Backoff { factor: 1e300, steps: 9, ..one }, &[1, u64::MAX, u64::MAX]);
}

#[test]
fn jitter_adds_a_part_of_the_time_and_does_not_add_up() {
    let mut backoff = Backoff { duration: SECOND, factor: 2.0, jitter: 0.5, steps: 3, cap: None };
    for base in [1, 2, 4, 8, 8, 8] {
        let given = backoff.step();
        assert!(given >= base * SECOND && given < base * SECOND * 3 / 2, "{given:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resetting_backoff_starts_again_after_peace() {
    let first = Duration::from_millis(800);
    let backoff =
        Backoff { duration: first, factor: 2.0, jitter: 0.0, steps: u32::MAX, cap: Some(30 * SECOND) };
    let mut backoff = backoff.resetting(120 * SECOND);
    for millis in [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000] {
        let given = backoff.step();
        assert_eq!(given, Duration::from_millis(millis));
        advance(given + 60 * SECOND).await;
    }
    advance(60 * SECOND).await;
    assert_eq!(backoff.step(), first);
}

#[tokio::test(start_paused = true)]
async fn a_key_waits_twice_as_long_each_time() {
    let backoff = KeyedBackoff::new(SECOND, 50 * SECOND);
    for seconds in [0, 1, 2, 4, 8, 16, 32, 50, 50, 50] {
        advance(SECOND).await;
        assert_eq!(backoff.get(&"key").as_secs(), seconds);
        backoff.next("key");
    }
    backoff.reset(&"key");
    assert_eq!(backoff.get(&"key"), Duration::ZERO);
}

/// One that is at its longest.
async fn longest() -> KeyedBackoff<&'static str> {
    let backoff = KeyedBackoff::new(SECOND, 5 * SECOND);
    for _ in 0..=5 {
        advance(SECOND).await;
        backoff.next("key");
    }
    backoff
}

#[tokio::test(start_paused = true)]
async fn a_key_has_peace_after_twice_the_longest() {
    let backoff = longest().await;
    let event = Instant::now().into_std();
    assert!(backoff.is_in_backoff_since(&"key", event));
    advance(11 * SECOND).await;
    assert!(!backoff.is_in_backoff_since(&"key", event));
    assert!(!backoff.is_in_backoff_since(&"other", event));
}

#[tokio::test(start_paused = true)]
async fn a_key_stays_at_the_longest_until_it_had_peace() {
    let backoff = longest().await;
    advance(6 * SECOND).await;
    backoff.next("key");
    assert_eq!(backoff.get(&"key"), 5 * SECOND);
    advance(11 * SECOND).await;
    backoff.next("key");
    assert_eq!(backoff.get(&"key"), SECOND);
}

#[tokio::test(start_paused = true)]
async fn keys_that_had_peace_can_be_collected() {
    let backoff = longest().await;
    advance(6 * SECOND).await;
    backoff.gc();
    assert_eq!(backoff.get(&"key"), 5 * SECOND);
    advance(6 * SECOND).await;
    backoff.gc();
    assert_eq!(backoff.get(&"key"), Duration::ZERO);
}

/// As `TestIsInBackOffSinceUpdate` of client-go.
#[tokio::test(start_paused = true)]
async fn a_key_waits_from_the_time_it_was_lengthened() {
    let backoff = KeyedBackoff::new(SECOND, 10 * SECOND);
    let lengthened = [0, 1, 3, 7, 15, 25, 35];
    for second in 0..36 {
        let in_backoff = backoff.is_in_backoff(&"key");
        assert_eq!(in_backoff, !lengthened.contains(&second), "{second}");
        if !in_backoff {
            backoff.next("key");
        }
        advance(SECOND).await;
    }
    advance(20 * SECOND).await;
    assert!(!backoff.is_in_backoff(&"key"));
    backoff.next("key");
    assert_eq!(backoff.get(&"key"), SECOND);
}

#[tokio::test(start_paused = true)]
async fn jitter_of_keys_stays_within_its_part() {
    let (first, max) = (SECOND / 10, 60 * SECOND);
    let backoff = KeyedBackoff::with_jitter(first, max, 0.1);
    let mut low = first;
    let mut part = first / 10;
    for _ in 0..12 {
        backoff.next("key");
        let given = backoff.get(&"key");
        assert!((low..=low + part).contains(&given) || given == max, "{given:?}");
        (low, part) = (given * 2, given / 10);
    }
    assert_eq!(backoff.get(&"key"), max);
}
