//! Items added with priorities.

use klient_workqueue::{AddOptions, Queue};

use crate::script::check;

#[test]
fn higher_priorities_come_first_and_equals_in_their_order() {
    check("add a, add b 5, add c, add d 5, add e -5, len, get, get, get, get, get", "5 b d a c e");
}

#[test]
fn the_highest_priority_of_an_item_counts() {
    check("add a, add b, add b 5, add b 3, add b, len, get, get, get", "2 b a -");
    check("add a -5, add b -5, add c -9, add b, len, get, get, get", "3 b a c");
}

#[test]
fn an_item_raised_keeps_its_turn_among_its_new_equals() {
    check("add a, add b 5, add c, add c 5, add a 5, get, get, get", "a b c");
    check("add a -5, add b, add c, add a, get, get, get", "a b c");
}

#[test]
fn a_priority_ends_when_the_item_is_handed_out() {
    check("add a 5, get, done a, add b, add a, get, get", "a b a");
}

#[test]
fn a_priority_given_while_a_worker_has_the_item_counts_when_it_comes_back() {
    check("add a, get, add b, add a 5, add a, done a, get, get", "a a b");
}

#[test]
fn the_priority_of_a_delayed_item_counts_when_its_time_has_come() {
    check("after 10 a 5, add b, get, done b, add b, pass 10, get, get", "b a b");
}

#[test]
fn delaying_a_queued_item_with_a_priority_raises_it_at_once() {
    check("add a, add b, after 10 b 5, get, get, done b, pass 10, get", "b a b");
}

#[test]
fn duplicates_do_not_hide_a_priority() {
    check("add a, add b, add b, add b, add b 5, add b, get, get, get", "b a -");
}

#[test]
fn raising_again_and_again_leaves_nothing_behind() {
    let queue = Queue::new();
    let urgent = AddOptions { priority: 1, ..Default::default() };
    queue.add(0);
    for _ in 0..1000 {
        queue.add(1);
        queue.add_with(1, &urgent);
        assert_eq!((queue.len(), *queue.try_get().unwrap()), (2, 1));
    }
    assert_eq!((queue.len(), *queue.try_get().unwrap(), queue.len()), (1, 0, 0));
}

#[test]
fn work_knows_its_priority() {
    let queue = Queue::new();
    queue.add("a");
    queue.add_with("a", &AddOptions { priority: 7, ..Default::default() });
    assert_eq!(queue.try_get().unwrap().priority(), 7);
}
