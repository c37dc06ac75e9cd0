//! The order and number of the items that a queue hands out.

use std::sync::Arc;

use klient_workqueue::Queue;

use crate::script::check;

#[test]
fn items_come_out_in_the_order_they_were_added() {
    check("add b, add a, add c, len, get, get, get, get", "3 b a c -");
}

#[test]
fn an_item_added_many_times_comes_out_once_at_its_first_place() {
    check("add a, add b, add a, add a, add a, add b, len, get, get, get", "2 a b -");
}

#[test]
fn an_item_that_was_done_can_be_added_again() {
    check("add a, add a, add a, get, done a, add a, add a, len, get, done a, get, len", "a 1 a - 0");
}

#[test]
fn an_item_added_while_a_worker_has_it_comes_back_when_that_is_done() {
    check("add a, get, add a, len, get, done a, len, get, done a, get", "a 0 - 1 a -");
}

#[test]
fn an_item_added_many_times_while_a_worker_has_it_comes_back_once() {
    check("add a, get, add a, add a, add a, done a, get, done a, get", "a a -");
}

#[test]
fn an_item_that_comes_back_goes_to_the_end_of_the_line() {
    check("add a, get, add a, add b, done a, get, get", "a b a");
}

#[test]
fn after_shutdown_nothing_is_taken_in_and_the_rest_is_handed_out() {
    check("add a, add b, down, add c, after 0 d, limited e, len, get, get, get, get", "2 a b end end");
}

#[test]
fn what_was_added_before_shutdown_while_a_worker_had_it_still_comes_back() {
    check("add a, get, add a, down, get, done a, get, done a, get", "a end a end");
}

#[test]
fn the_queue_says_that_it_is_shutting_down() {
    let queue: Queue<u8> = Queue::default();
    assert!(!queue.is_shutting_down());
    queue.shut_down();
    assert!(queue.is_shutting_down() && queue.is_empty());
}

#[test]
fn items_are_not_kept_after_they_are_done() {
    let queue = Queue::new();
    let key: Arc<str> = "shop/web-0".into();
    for _ in 0..4 {
        queue.add(key.clone());
    }
    let work = queue.try_get().unwrap();
    queue.add(key.clone());
    queue.add(key.clone());
    queue.add_rate_limited(key.clone());
    queue.forget(&key);
    drop(work);
    drop(queue.try_get().unwrap());
    queue.shut_down();
    assert_eq!(Arc::strong_count(&key), 1);
}
