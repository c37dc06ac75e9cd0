//! Orders of one's own.

use klient_workqueue::{Order, Queue};

use crate::script::check_on;

/// The last one first; what is added again counts as the last.
#[derive(Default)]
struct Stack(Vec<&'static str>);

impl Order<&'static str> for Stack {
    fn push(&mut self, item: &'static str, _priority: i32) {
        self.0.push(item);
    }

    fn touch(&mut self, item: &&'static str, _priority: i32) {
        self.0.retain(|other| other != item);
        self.0.push(item);
    }

    fn pop(&mut self) -> Option<&'static str> {
        self.0.pop()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

#[test]
fn an_order_decides_what_is_next() {
    check_on(&stack(), "add a, add b, add c, len, get, get, get, get", "3 c b a -");
}

#[test]
fn an_order_learns_of_every_item_that_is_added_again() {
    check_on(&stack(), "add a, add b, add c, add a, add b, add b, get, get, get", "b a c");
}

#[test]
fn an_order_does_not_learn_of_items_in_hand() {
    check_on(&stack(), "add a, get, add a, add a, add b, len, done a, get, get", "a 1 a b");
}

/// Gives everything twice, and something that it was never given.
struct Liar(Vec<&'static str>);

impl Order<&'static str> for Liar {
    fn push(&mut self, item: &'static str, _priority: i32) {
        self.0.extend([item, "never given", item]);
    }

    fn pop(&mut self) -> Option<&'static str> {
        self.0.pop()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

#[test]
fn whatever_an_order_gives_no_item_is_in_two_hands() {
    check_on(
        &Queue::builder().order(Liar(vec![])).build(),
        "add a, get, get, add a, get, done a, get",
        "a - - a",
    );
}

/// Does not bear to hear of an item again.
struct Touchy(Vec<&'static str>);

impl Order<&'static str> for Touchy {
    fn push(&mut self, item: &'static str, _priority: i32) {
        self.0.push(item);
    }

    fn touch(&mut self, item: &&'static str, _priority: i32) {
        panic!("{item} again");
    }

    fn pop(&mut self) -> Option<&'static str> {
        self.0.pop()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

#[test]
fn an_order_that_panics_does_not_close_the_queue() {
    let queue = Queue::builder().order(Touchy(vec![])).build();
    let other = queue.clone();
    let adder = std::thread::spawn(move || ["a", "a"].map(|item| other.add(item)));
    adder.join().unwrap_err();
    check_on(&queue, "len, get, done a, add b, get", "1 a b");
}

fn stack() -> Queue<&'static str> {
    Queue::builder().order(Stack::default()).build()
}
