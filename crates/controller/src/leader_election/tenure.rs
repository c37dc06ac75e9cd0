//! [`Tenure`]: the time for which a term of office is safe, and [`Loss`], its end.

use std::fmt;

use klient_apimachinery::Str;
use klient_apimachinery::go::quoted;
use tokio::sync::watch;

use super::clock::Moment;

/// The reason for which a leadership ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// The Lease was not renewed in time: the API server could not be reached or refused, or the machine slept.
    Expired,
    /// The Lease has another holder, or none if it is empty.
    Taken {
        /// The identity that the Lease names.
        holder: Str,
    },
    /// Another process took the Lease under the identity of this one.
    SameIdentity,
    /// Coordinated leader election prefers another candidate.
    EndOfTerm {
        /// The candidate that the Lease names.
        preferred_holder: Str,
    },
    /// The last handle of the leadership was dropped, or it was released.
    Released,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Expired => f.write_str("leadership lost: the Lease was not renewed in time"),
            Loss::Taken { holder } if holder.is_empty() => {
                f.write_str("leadership lost: the holder of the Lease was removed")
            }
            Loss::Taken { holder } => {
                write!(f, "leadership lost: the Lease is held by {}", quoted(holder))
            }
            Loss::SameIdentity => f.write_str(
                "leadership lost: another process took the Lease under the same identity; give each process one of its own",
            ),
            Loss::EndOfTerm { preferred_holder } => {
                write!(f, "leadership lost: {} is preferred as the holder of the Lease", quoted(preferred_holder))
            }
            Loss::Released => f.write_str("leadership ended: it was released"),
        }
    }
}

impl std::error::Error for Loss {}

/// A term of office: valid up to a moment that renewals move, and never again after it was seen to be over.
#[derive(Debug)]
pub(super) struct Tenure {
    token: i32,
    state: watch::Sender<State>,
}

#[derive(Clone, Debug)]
struct State {
    valid_until: Moment,
    loss: Option<Loss>,
}

impl Tenure {
    pub(super) fn new(token: i32, valid_until: Moment) -> Self {
        Tenure { token, state: watch::Sender::new(State { valid_until, loss: None }) }
    }

    pub(super) fn token(&self) -> i32 {
        self.token
    }

    /// The moment up to which the term lasts if it is not renewed, or the reason for which it is over.
    pub(super) fn valid_until(&self, now: Moment) -> Result<Moment, Loss> {
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
        let mut result = Err(Loss::Expired);
        self.state.send_if_modified(|state| {
            let was_over = state.loss.is_some();
            state.expire(now);
            result = state.loss.clone().map_or(Ok(state.valid_until), Err);
            !was_over && state.loss.is_some()
        });
        result
    }

    /// Moves the end of the term, which is refused if it is over.
    pub(super) fn extend(&self, valid_until: Moment, now: Moment) -> Result<(), Loss> {
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
    pub(super) fn end(&self, loss: Loss) -> Loss {
        let mut first = loss;
        self.state.send_modify(|state| first = state.loss.get_or_insert(first.clone()).clone());
        first
    }

    /// Reports changes of the term.
    pub(super) fn changes(&self) -> watch::Receiver<impl Send + Sync + use<>> {
        self.state.subscribe()
    }
}

impl State {
    fn expire(&mut self, now: Moment) {
        if self.loss.is_none() && now >= self.valid_until {
            self.loss = Some(Loss::Expired);
        }
    }
}
