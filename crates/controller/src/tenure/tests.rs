//! Work during a term.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Tenure;
use crate::clock::Moment;
use crate::leader_election::Loss;

/// The timers of the runtime stand still in this test, as they do while the machine sleeps.
#[tokio::test]
async fn work_is_not_polled_after_the_term_has_ended_during_a_sleep_of_the_machine() {
    let end = Moment::now() + Duration::from_millis(200);
    let tenure = Tenure::<Loss>::new(0, end);
    let polls = Cell::new(0);
    let mut run = pin!(tenure.run(poll_fn(|_| {
        polls.set(polls.get() + 1);
        Poll::<()>::Pending
    })));
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(run.as_mut().poll(&mut cx), Poll::Pending);
    let before = polls.get();
    while Moment::now() < end {
        std::thread::yield_now();
    }
    assert_eq!(run.as_mut().poll(&mut cx), Poll::Ready(Err(Loss::Expired)));
    assert_eq!(polls.get(), before);
}
