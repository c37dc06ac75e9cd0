//! The delay that each rate limiter gives an item.

use std::time::Duration;

use klient_workqueue::{
    AddOptions, BucketRateLimiter, ItemExponentialFailureRateLimiter, ItemFastSlowRateLimiter,
    MaxOfRateLimiter, Queue, RateLimiter, WithMaxWaitRateLimiter, default_controller_rate_limiter,
    default_item_based_rate_limiter,
};
use tokio::time::advance;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[track_caller]
fn check(limiter: &impl RateLimiter<&'static str>, item: &'static str, waits: &[Duration]) {
    let before = limiter.requeues(&item);
    let given: Vec<_> = waits.iter().map(|_| limiter.when(&item)).collect();
    assert_eq!(given, waits);
    assert_eq!(limiter.requeues(&item), before + waits.len() as u32);
}

#[test]
fn exponential_doubles_for_each_item_until_it_is_forgotten() {
    let limiter = ItemExponentialFailureRateLimiter::new(MS, SECOND);
    check(&limiter, "one", &[MS, 2 * MS, 4 * MS, 8 * MS, 16 * MS]);
    check(&limiter, "two", &[MS, 2 * MS]);
    limiter.forget(&"one");
    assert_eq!(limiter.requeues(&"one"), 0);
    check(&limiter, "one", &[MS]);
    check(&limiter, "two", &[4 * MS]);
}

#[test]
fn exponential_does_not_overflow() {
    for (base, max) in [(MS, 1000 * SECOND), (60 * SECOND, 1000 * HOUR), (SECOND, Duration::MAX)] {
        let limiter = ItemExponentialFailureRateLimiter::new(base, max);
        check(&limiter, "one", &[base, 2 * base, 4 * base]);
        let last = (0..1000).fold(Duration::ZERO, |_, _| limiter.when(&"one"));
        assert_eq!((last, limiter.requeues(&"one")), (max, 1003));
    }
}

#[test]
fn fast_slow_is_fast_for_so_many_attempts() {
    let limiter = ItemFastSlowRateLimiter::new(5 * MS, 10 * SECOND, 3);
    check(&limiter, "one", &[5 * MS, 5 * MS, 5 * MS, 10 * SECOND, 10 * SECOND]);
    check(&limiter, "two", &[5 * MS, 5 * MS]);
    limiter.forget(&"one");
    check(&limiter, "one", &[5 * MS]);
}

#[test]
fn max_of_takes_the_longest_and_counts_in_all() {
    let fast_slow = ItemFastSlowRateLimiter::new(5 * MS, 3 * SECOND, 3);
    let limiter = MaxOfRateLimiter::new([
        Box::new(fast_slow) as Box<dyn RateLimiter<_>>,
        Box::new(ItemExponentialFailureRateLimiter::new(MS, SECOND)) as Box<dyn RateLimiter<_>>,
    ]);
    check(&limiter, "one", &[5 * MS, 5 * MS, 5 * MS, 3 * SECOND, 3 * SECOND]);
    check(&limiter, "two", &[5 * MS, 5 * MS]);
    limiter.forget(&"one");
    check(&limiter, "one", &[5 * MS]);
    assert_eq!(MaxOfRateLimiter::<&str>::new([]).when(&"one"), Duration::ZERO);
}

#[test]
fn max_wait_shortens_and_counts_on() {
    let limiter = WithMaxWaitRateLimiter::new(ItemFastSlowRateLimiter::new(5 * MS, 10 * SECOND, 3), SECOND);
    check(&limiter, "one", &[5 * MS, 5 * MS, 5 * MS, SECOND, SECOND]);
    limiter.forget(&"one");
    check(&limiter, "one", &[5 * MS]);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_reserves_tokens_to_come() {
    let bucket = BucketRateLimiter::new(10.0, 3);
    let mut waits = [Duration::ZERO; 6];
    waits.fill_with(|| bucket.reserve());
    assert_eq!(waits, [Duration::ZERO, Duration::ZERO, Duration::ZERO, 100 * MS, 200 * MS, 300 * MS]);
    advance(250 * MS).await;
    assert_eq!(bucket.reserve(), 150 * MS);
    advance(HOUR).await;
    waits.fill_with(|| bucket.reserve());
    assert_eq!(waits, [Duration::ZERO, Duration::ZERO, Duration::ZERO, 100 * MS, 200 * MS, 300 * MS]);
    assert_eq!(bucket.requeues(&"one"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_taken_only_if_there_is_one() {
    let bucket = BucketRateLimiter::new(10.0, 1);
    assert_eq!([(); 3].map(|()| bucket.try_take()), [Ok(()), Err(100 * MS), Err(100 * MS)]);
    advance(50 * MS).await;
    assert_eq!(bucket.try_take(), Err(50 * MS));
    advance(HOUR).await;
    assert_eq!([(); 2].map(|()| bucket.try_take()), [Ok(()), Err(100 * MS)]);
    assert_eq!(BucketRateLimiter::new(f64::INFINITY, 0).try_take(), Ok(()));
    assert_eq!(BucketRateLimiter::new(10.0, 0).try_take(), Err(Duration::MAX));
    let once = BucketRateLimiter::new(0.0, 1);
    assert_eq!([(); 2].map(|()| once.try_take()), [Ok(()), Err(Duration::MAX)]);
}

#[test]
fn a_bucket_may_have_no_bound_or_no_tokens() {
    assert_eq!(BucketRateLimiter::new(f64::INFINITY, 0).reserve(), Duration::ZERO);
    assert_eq!(BucketRateLimiter::new(10.0, 0).reserve(), Duration::MAX);
    let once = BucketRateLimiter::new(0.0, 1);
    assert_eq!(
        [once.reserve(), once.reserve(), once.reserve()],
        [Duration::ZERO, Duration::MAX, Duration::MAX]
    );
}

#[tokio::test(start_paused = true)]
async fn controllers_have_each_items_failures_and_ten_a_second() {
    let limiter = default_controller_rate_limiter();
    assert_eq!([limiter.when(&0), limiter.when(&0), limiter.when(&0)], [5 * MS, 10 * MS, 20 * MS]);
    (0..97).for_each(|item| assert!(limiter.when(&(item + 1)) <= 5 * MS));
    assert_eq!(limiter.when(&200), 100 * MS);
    assert_eq!(limiter.when(&201), 200 * MS);
    assert_eq!(limiter.requeues(&0), 3);
    let last = (0..30).fold(Duration::ZERO, |_, _| limiter.when(&0));
    assert_eq!(last, 1000 * SECOND);
}

#[test]
fn items_alone_begin_with_a_millisecond() {
    let limiter = default_item_based_rate_limiter();
    check(&limiter, "one", &[MS, 2 * MS]);
    let last = (0..30).fold(Duration::ZERO, |_, _| limiter.when(&"one"));
    assert_eq!(last, 1000 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_queue_waits_for_the_later_of_its_limiter_and_what_is_asked() {
    let queue = Queue::builder().rate_limiter(ItemExponentialFailureRateLimiter::new(4 * MS, SECOND)).build();
    let after = |after| AddOptions { after, rate_limited: true, ..Default::default() };
    queue.add_with("long", &after(10 * MS));
    queue.add_with("short", &after(MS));
    let begin = tokio::time::Instant::now();
    assert_eq!((queue.get().await.as_deref(), begin.elapsed()), (Some(&"short"), 4 * MS));
    assert_eq!((queue.get().await.as_deref(), begin.elapsed()), (Some(&"long"), 10 * MS));
    assert_eq!((queue.requeues(&"short"), queue.requeues(&"other")), (1, 0));
}
