//! [`Tenure`]: the time for which a Lease can be relied on.

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{Moment, sleep_until};

/// The reason for which a term ended.
pub(crate) trait Reason: Clone + Send + Sync + 'static {
    /// The Lease was not renewed in time.
    const EXPIRED: Self;
}

/// A term: valid up to a moment that renewals move, and never again after it was seen to be over.
#[derive(Debug)]
pub(crate) struct Tenure<L> {
    token: i32,
    state: watch::Sender<State<L>>,
}

#[derive(Clone, Debug)]
struct State<L> {
    valid_until: Moment,
    loss: Option<L>,
}

impl<L: Reason> Tenure<L> {
    pub(crate) fn new(token: i32, valid_until: Moment) -> Self {
        Tenure { token, state: watch::Sender::new(State { valid_until, loss: None }) }
    }

    pub(crate) fn token(&self) -> i32 {
        self.token
    }

    /// The moment up to which the term lasts if it is not renewed, or the reason for which it is over.
    pub(crate) fn valid_until(&self, now: Moment) -> Result<Moment, L> {
        {
            let state = self.state.borrow();
            if let Some(loss) = &state.loss {
                return Err(loss.clone());
            }
            if now < state.valid_until {
                return Ok(state.valid_until);
            }
        }
        // A renewal may have come between, before anyone saw the term end.
        let mut result = Err(L::EXPIRED);
        self.state.send_if_modified(|state| {
            let was_over = state.loss.is_some();
            state.expire(now);
            result = state.loss.clone().map_or(Ok(state.valid_until), Err);
            !was_over && state.loss.is_some()
        });
        result
    }

    /// Moves the end of the term, which is refused if it is over.
    pub(crate) fn extend(&self, valid_until: Moment, now: Moment) -> Result<(), L> {
        let mut result = Ok(());
        self.state.send_modify(|state| {
            state.expire(now);
            match &state.loss {
                Some(loss) => result = Err(loss.clone()),
                None => state.valid_until = state.valid_until.max(valid_until),
            }
        });
        result
    }

    /// Ends the term. The first reason counts, which is returned.
    pub(crate) fn end(&self, loss: L) -> L {
        let mut first = loss;
        self.state.send_modify(|state| first = state.loss.get_or_insert(first.clone()).clone());
        first
    }

    /// The time for which the term lasts if it is not renewed; zero if it is over.
    pub(crate) fn remaining(&self) -> Duration {
        let now = Moment::now();
        self.valid_until(now).map_or(Duration::ZERO, |end| end.duration_since(now))
    }

    /// Waits until the term is over.
    pub(crate) async fn ended(&self) -> L {
        let mut changes = self.state.subscribe();
        loop {
            match self.valid_until(Moment::now()) {
                Err(loss) => return loss,
                Ok(end) => tokio::select! {
                    () = sleep_until(end) => {}
                    _ = changes.changed() => {}
                },
            }
        }
    }

    /// Runs a future during the term, and drops it when the term is over. It is not polled after that, also if the
    /// machine has slept.
    pub(crate) async fn run<F: Future>(&self, work: F) -> Result<F::Output, L> {
        let (mut ended, mut work) = (pin!(self.ended()), pin!(work));
        poll_fn(|cx| {
            // The timer of `ended` stops while the machine sleeps, and is late afterwards.
            if let Err(loss) = self.valid_until(Moment::now()) {
                return Poll::Ready(Err(loss));
            }
            match ended.as_mut().poll(cx) {
                Poll::Ready(loss) => Poll::Ready(Err(loss)),
                Poll::Pending => work.as_mut().poll(cx).map(Ok),
            }
        })
        .await
    }
}

impl<L: Reason> State<L> {
    fn expire(&mut self, now: Moment) {
        if self.loss.is_none() && now >= self.valid_until {
            self.loss = Some(L::EXPIRED);
        }
    }
}
