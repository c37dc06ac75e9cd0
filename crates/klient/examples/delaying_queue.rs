//! Adds items to a work queue after a delay.

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use klient::workqueue::Queue;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let queue = Queue::new();
    let began = Instant::now();
    for item in 1..=3 {
        queue.add_after(item, Duration::from_millis(100) * item);
    }
    // The earlier time counts, and however many wait, adding one never does.
    queue.add_after(3, Duration::from_secs(60));
    (4..2000).for_each(|item| queue.add_after(item, Duration::from_secs(60)));
    assert_eq!(queue.len(), 0);
    for expected in 1..=3 {
        let item = queue.get().await.ok_or("nobody shut the queue down")?;
        println!("taken {} after {:?}", *item, began.elapsed());
        assert_eq!(*item, expected);
    }
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
