//! Shutting down with a drain.

use std::task::Poll;

use klient_workqueue::Queue;

use crate::script::{check, poll};

#[test]
fn a_drain_ends_when_workers_are_done() {
    let queue = Queue::new();
    queue.add("a");
    queue.add("b");
    let works = [queue.try_get().unwrap(), queue.try_get().unwrap()];
    let mut drain = Box::pin(queue.shut_down_with_drain());
    for work in works {
        assert_eq!(poll(drain.as_mut()), Poll::Pending);
        drop(work);
    }
    assert_eq!(poll(drain), Poll::Ready(()));
}

#[test]
fn a_drain_of_a_queue_of_which_nobody_has_anything_is_over_at_once() {
    let queue = Queue::new();
    queue.add("a");
    assert_eq!(poll(queue.shut_down_with_drain()), Poll::Ready(()));
    assert_eq!(queue.len(), 1);
}

#[test]
fn shutting_down_ends_a_drain() {
    let queue = Queue::new();
    queue.add("a");
    let work = queue.try_get().unwrap();
    let mut drain = Box::pin(queue.shut_down_with_drain());
    assert_eq!(poll(drain.as_mut()), Poll::Pending);
    queue.shut_down();
    assert_eq!(poll(drain), Poll::Ready(()));
    drop(work);
}

#[test]
fn several_can_wait_for_a_drain() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let queue = Queue::new();
        queue.add("a");
        let work = queue.get().await.unwrap();
        let drains = [queue.shut_down_with_drain(), queue.shut_down_with_drain()].map(tokio::spawn);
        tokio::task::yield_now().await;
        drop(work);
        for drain in drains {
            drain.await.unwrap();
        }
    });
}

#[test]
fn while_it_drains_what_is_queued_is_handed_out_and_comes_back_if_it_was_added_meanwhile() {
    check("add a, add b, get, add a, drain, add c, get, get, done a, get, done a, get", "a b end a end");
}
