//! Many pieces of work at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use klient_workqueue::parallelize_until;
use tokio::time::{Instant, sleep, timeout};

/// Does that many pieces of a second each. Gives how often each was done, and the most at once.
async fn check(workers: usize, pieces: usize) -> (Vec<usize>, usize) {
    let done: Arc<[AtomicUsize]> = (0..pieces).map(|_| AtomicUsize::new(0)).collect();
    let now_and_most = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let (marks, counts) = (done.clone(), now_and_most.clone());
    parallelize_until(workers, pieces, move |piece| {
        let (marks, counts) = (marks.clone(), counts.clone());
        async move {
            counts.1.fetch_max(counts.0.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            sleep(Duration::from_secs(1)).await;
            counts.0.fetch_sub(1, Ordering::SeqCst);
            marks[piece].fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    (done.iter().map(|one| one.load(Ordering::SeqCst)).collect(), now_and_most.1.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn each_piece_is_done_once_by_no_more_workers_than_asked_for() {
    for (workers, pieces, at_once, seconds) in
        [(4, 10, 4, 3), (10, 4, 4, 1), (1, 3, 1, 3), (3, 0, 0, 0), (0, 2, 1, 2)]
    {
        let begin = Instant::now();
        assert_eq!(check(workers, pieces).await, (vec![1; pieces], at_once));
        assert_eq!(begin.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_it_is_the_until() {
    let done = Arc::new(AtomicUsize::new(0));
    let count = done.clone();
    let all = parallelize_until(2, 100, move |_| {
        let count = count.clone();
        async move {
            sleep(Duration::from_secs(1)).await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    timeout(Duration::from_millis(3500), all).await.unwrap_err();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(done.load(Ordering::SeqCst), 6);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "piece 7")]
async fn a_panic_of_a_piece_is_that_of_the_whole() {
    parallelize_until(2, 10, |piece| async move { assert!(piece != 7, "piece {piece}") }).await;
}
