//! Items added for a later time.

use crate::script::check;

#[test]
fn an_item_comes_out_when_its_time_has_passed() {
    check(
        "after 50 a, get, len, pass 49, get, len, pass 1, len, get, done a, pass 100, get",
        "- 0 - 0 1 a -",
    );
}

#[test]
fn without_a_delay_it_is_added_at_once() {
    check("after 0 a, len, get", "1 a");
}

#[test]
fn the_earlier_time_counts() {
    check("after 50 a, after 70 a, pass 60, get, done a, pass 20, get", "a -");
    check("after 70 a, after 50 a, pass 60, get, done a, pass 20, get", "a -");
}

#[test]
fn items_come_out_in_the_order_of_their_times() {
    check("after 1000 a, after 500 b, after 250 c, len, pass 2000, len, get, get, get", "0 3 c b a");
}

#[test]
fn items_of_the_same_time_come_out_in_the_order_they_were_added() {
    check("after 10 c, after 10 a, after 10 b, pass 10, get, get, get", "c a b");
}

#[test]
fn a_time_between_others_is_kept() {
    check(
        "after 1000 a, after 50 b, pass 60, get, after 2000 c, pass 1000, get, get, pass 2000, get",
        "b a - c",
    );
}

#[test]
fn an_item_whose_time_comes_while_it_is_queued_comes_out_once() {
    check("after 10 a, add a, pass 10, len, get, done a, get", "1 a -");
}

#[test]
fn adding_an_item_at_once_does_not_take_away_its_later_time() {
    check("after 10 a, add a, get, done a, get, pass 10, get", "a - a");
}

#[test]
fn an_item_whose_time_comes_while_a_worker_has_it_comes_back() {
    check("add a, get, after 10 a, pass 10, len, get, done a, len, get", "a 0 - 1 a");
}

#[test]
fn shutting_down_drops_what_waits_for_its_time() {
    check("add a, after 10 b, down, pass 20, get, get", "a end");
}

#[test]
fn a_time_that_no_clock_can_tell_never_comes() {
    let queue = klient_workqueue::Queue::new();
    queue.add_after("a", std::time::Duration::MAX);
    assert_eq!(queue.len(), 0);
}

#[test]
fn failures_make_an_item_wait_longer_until_it_is_forgotten() {
    check(
        "limited a, pass 5, get, limited a, done a, requeues a, pass 5, get, pass 5, get, done a,
         forget a, requeues a, limited a, pass 5, get, requeues a",
        "a 2 - a 0 a 1",
    );
}

#[test]
fn forgetting_an_item_leaves_it_in_the_queue() {
    check("limited a, forget a, pass 5, get", "a");
}
