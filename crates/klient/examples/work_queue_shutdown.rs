//! Shuts down a work queue, with and without a wait for the items in progress.

#![allow(clippy::print_stdout)]

use klient::workqueue::Queue;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let queue = Queue::new();
    (1..5).for_each(|item| queue.add(item));
    let in_hand = queue.get().await.ok_or("nobody shut the queue down")?;

    queue.shut_down();
    queue.add(10);
    assert_eq!(queue.len(), 3);
    while let Some(item) = queue.get().await {
        println!("taken {}, shutting down: {}", *item, queue.is_shutting_down());
    }
    drop(in_hand);

    let queue = Queue::new();
    queue.add("long");
    let in_hand = queue.get().await.ok_or("nobody shut the queue down")?;
    let drained = tokio::spawn(queue.shut_down_with_drain());
    tokio::task::yield_now().await;
    assert!(!drained.is_finished());
    drop(in_hand);
    drained.await?;
    println!("everything is done");
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
