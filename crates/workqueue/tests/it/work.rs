//! Items in workers' hands.

use klient_workqueue::Queue;

#[test]
fn a_worker_that_panics_is_done_with_its_item() {
    let queue = Queue::new();
    queue.add("a");
    let other = queue.clone();
    std::thread::spawn(move || {
        let key = other.try_get();
        other.add("a");
        panic!("as a reconciler might, with {key:?}");
    })
    .join()
    .unwrap_err();
    assert_eq!(queue.try_get().as_deref(), Some(&"a"));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_aborted_is_done_with_its_item() {
    let queue = Queue::new();
    queue.add("a");
    let other = queue.clone();
    let worker = tokio::spawn(async move {
        let _key = other.get().await;
        std::future::pending::<()>().await;
    });
    tokio::task::yield_now().await;
    queue.add("a");
    assert!(queue.try_get().is_none());
    worker.abort();
    assert_eq!(queue.get().await.as_deref(), Some(&"a"));
}

#[test]
fn work_shows_its_item() {
    let queue = Queue::new();
    queue.add("shop/web-0");
    let work = queue.try_get().unwrap();
    assert_eq!((format!("{work:?}"), work.len()), (r#"Work("shop/web-0")"#.to_owned(), 10));
    assert_eq!(format!("key={work} {work:>12}"), "key=shop/web-0   shop/web-0");
}
