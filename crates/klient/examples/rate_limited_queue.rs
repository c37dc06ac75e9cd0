//! Adds items to a work queue with a rate limiter: a token bucket, or a back-off for items that fail.

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use klient::workqueue::{
    BucketRateLimiter, ItemExponentialFailureRateLimiter, MaxOfRateLimiter, Queue, RateLimiter,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Ten at once, and then a hundred each second.
    let queue = Queue::builder().rate_limiter(BucketRateLimiter::new(100.0, 10)).build();
    let began = Instant::now();
    (1..=20).for_each(|item| queue.add_rate_limited(item));
    println!("{} are there at once", queue.len());
    for _ in 1..=20 {
        let item = queue.get().await.ok_or("nobody shut the queue down")?;
        println!("taken {} after {:?}", *item, began.elapsed());
    }

    // As the default, but with a bucket for all items together that is larger.
    let millisecond = Duration::from_millis(1);
    let limiter: MaxOfRateLimiter<&str> = MaxOfRateLimiter::new([
        Box::new(ItemExponentialFailureRateLimiter::new(5 * millisecond, Duration::from_secs(1000)))
            as Box<dyn RateLimiter<&str>>,
        Box::new(BucketRateLimiter::new(1000.0, 1000)),
    ]);
    let queue = Queue::builder().rate_limiter(limiter).build();
    for failures in 1..=3 {
        queue.add_rate_limited("web");
        assert_eq!(queue.requeues(&"web"), failures);
        drop(queue.get().await);
    }
    queue.forget(&"web");
    assert_eq!(queue.requeues(&"web"), 0, "the next failure is the first");
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
