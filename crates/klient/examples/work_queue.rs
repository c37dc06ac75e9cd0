//! A work queue: an item that is added again while a worker has it is processed once more.

#![allow(clippy::print_stdout)]

use klient::workqueue::Queue;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let queue = Queue::new();
    for item in 1..=5 {
        queue.add(item);
        println!("added {item}, {} in the queue", queue.len());
    }
    queue.add(3);
    assert_eq!(queue.len(), 5, "what waits already does not wait twice");

    let first = queue.get().await.ok_or("nobody shut the queue down")?;
    queue.add(*first);
    assert_eq!(queue.len(), 4, "what is in hand waits until it is done");
    drop(first);
    assert_eq!(queue.len(), 5, "and is behind all others then");

    // A worker that finds the queue empty waits for a key.
    let taken: Vec<u32> = (0..5).filter_map(|_| queue.try_get()).map(|work| *work).collect();
    assert_eq!(taken, [2, 3, 4, 5, 1]);
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.get().await.map(|work| *work) }
    });
    queue.add(6);
    assert_eq!(waiting.await?, Some(6));
    println!("taken: {taken:?}, and then 6");
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
