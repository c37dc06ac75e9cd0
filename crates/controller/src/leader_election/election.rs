//! [`Election`], the rules of one candidate as a state machine without I/O and without clocks.
//!
//! - Others are believed to hold the Lease for its own duration after this candidate saw its record change. Their clocks
//!   do not count, nor does the time in the record.
//! - A term lasts for the renew deadline after the last renewal was *sent*, which is shorter than the duration that others
//!   wait, and they wait from a later moment. An answer that comes when the term is over does not bring it back.
//! - A write names the version of the Lease that it is based on, so that one that arrives late changes nothing.

mod observed;
mod release;
mod step;

use std::sync::Arc;

use klient_api::coordination::v1::Lease;
use klient_apimachinery::Str;

use super::clock::{Moment, Now};
use super::config::{JITTER_FACTOR, LeaderElectionConfig, LeaseLock};
use super::record;
use super::tenure::{Loss, Tenure};
use observed::Observed;
pub(super) use step::{Action, Answer, Input, Notice, Request};

/// One candidate: from its first attempt to the end of its term.
pub(super) struct Election {
    lock: LeaseLock,
    config: LeaderElectionConfig,
    random: fastrand::Rng,
    observed: Option<Observed>,
    state: State,
    term: Option<Term>,
    /// The token of an attempt to take the Lease that failed without a clear answer, and may have succeeded.
    claimed: Option<i32>,
    notices: Vec<Notice>,
    /// The leader that was reported last.
    reported: Str,
    has_warned: bool,
}

enum State {
    Idle,
    Getting,
    Writing(Write),
    Releasing { token: i32, end: Moment, conflicts: u32 },
}

/// A write of which the answer is awaited.
#[derive(Clone, Copy)]
struct Write {
    sent: Moment,
    token: i32,
    /// Without a read before, so that one follows if it fails.
    is_fast: bool,
}

/// The present term.
#[derive(Clone)]
pub(super) struct Term {
    pub(super) tenure: Arc<Tenure>,
    /// The moment at which the last renewal that succeeded was sent.
    pub(super) renewed: Moment,
    /// The moment at which the last attempt began, or at which its write was sent.
    tried: Moment,
}

impl Election {
    pub(super) fn new(lock: LeaseLock, config: LeaderElectionConfig, random: fastrand::Rng) -> Self {
        Election {
            lock,
            config,
            random,
            observed: None,
            state: State::Idle,
            term: None,
            claimed: None,
            notices: Vec::new(),
            reported: Str::default(),
            has_warned: false,
        }
    }

    /// The changes since the last call.
    pub(super) fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// The Lease as it was last seen.
    pub(super) fn lease(&self) -> Option<&Lease> {
        self.observed.as_ref().map(|observed| &observed.lease)
    }

    pub(super) fn term(&self) -> Option<&Term> {
        self.term.as_ref()
    }

    pub(super) fn step(&mut self, now: Now, input: Input) -> Action {
        let state = std::mem::replace(&mut self.state, State::Idle);
        if let State::Releasing { token, end, conflicts } = state {
            return self.release(now, input, token, end, conflicts);
        }
        if matches!(input, Input::Stop) {
            return self.stop(now, &state);
        }
        if let Some(term) = &self.term
            && let Err(loss) = term.tenure.valid_until(now.moment)
        {
            return self.lose(loss);
        }
        match (state, input) {
            (State::Getting, Input::Answer(Answer::Found(lease))) => self.found(now, *lease),
            (State::Getting, Input::Answer(Answer::NotFound)) => self.not_found(now),
            (State::Writing(write), Input::Answer(Answer::Written(lease))) => {
                self.written(now, write, *lease)
            }
            (State::Writing(write), Input::Answer(answer)) => {
                if self.term.is_none() && matches!(answer, Answer::Failed) {
                    self.claimed = Some(write.token);
                }
                if write.is_fast { self.get(now) } else { self.wait(now) }
            }
            (_, Input::Answer(_)) => self.wait(now),
            (_, Input::Due | Input::Stop) => self.attempt(now),
        }
    }

    /// The first request of an attempt: for a leader the write without a read (client-go's fast path).
    fn attempt(&mut self, now: Now) -> Action {
        if let Some(term) = &mut self.term {
            term.tried = now.moment;
        }
        match (&self.term, &self.observed) {
            (Some(term), Some(observed))
                if !self.config.coordinated
                    && !observed.is_deleted
                    && self.is_own(&observed.lease, term.tenure.token()) =>
            {
                self.renew(now, true)
            }
            _ => self.get(now),
        }
    }

    fn get(&mut self, now: Now) -> Action {
        self.state = State::Getting;
        Action::Send(Request::Get, self.request_end(now))
    }

    fn found(&mut self, now: Now, lease: Lease) -> Action {
        self.observe(now, lease);
        let Some(observed) = &self.observed else { return self.wait(now) };
        let lease = &observed.lease;
        let is_end_of_term = self.config.coordinated && !record::preferred_holder(lease).is_empty();
        if let Some(term) = &self.term {
            let token = term.tenure.token();
            return if !self.is_own(lease, token) {
                self.lose(self.taken_by(lease))
            } else if is_end_of_term {
                self.lose(Loss::EndOfTerm { preferred_holder: record::preferred_holder(lease).into() })
            } else {
                self.notices.push(Notice::SlowPath);
                self.renew(now, false)
            };
        }
        let is_ours = record::holder(lease) == self.lock.identity.as_str();
        let is_valid = observed.is_valid(now);
        let may_take = if self.config.coordinated {
            is_ours && is_valid && !is_end_of_term
        } else {
            is_ours || !is_valid || record::holder(lease).is_empty()
        };
        if may_take { self.take(now) } else { self.wait(now) }
    }

    fn not_found(&mut self, now: Now) -> Action {
        if let Some(observed) = self.observed.as_mut().filter(|observed| !observed.is_deleted) {
            observed.is_deleted = true;
            // Its holder may have renewed it, unseen, up to its deletion.
            observed.since = now.moment;
        }
        // The deleted Lease may still be in use: its holder does not know yet that it was deleted.
        let in_use = self.observed.as_ref().is_some_and(|observed| {
            let holder = record::holder(&observed.lease);
            !holder.is_empty() && holder != self.lock.identity.as_str() && observed.is_valid(now)
        });
        if self.config.coordinated {
            self.wait(now)
        } else if self.term.is_some() {
            self.renew(now, false)
        } else if in_use {
            self.wait(now)
        } else {
            self.take(now)
        }
    }

    fn take(&mut self, now: Now) -> Action {
        let lease = record::taken(&self.lock, &self.config, self.lease(), now);
        let token = record::transitions(&lease);
        self.write(now, lease, Write { sent: now.moment, token, is_fast: false })
    }

    fn renew(&mut self, now: Now, is_fast: bool) -> Action {
        let lease = record::renewed(&self.lock, &self.config, self.lease(), now);
        let token = record::transitions(&lease);
        self.write(now, lease, Write { sent: now.moment, token, is_fast })
    }

    fn write(&mut self, now: Now, lease: Lease, write: Write) -> Action {
        self.state = State::Writing(write);
        if let Some(term) = &mut self.term {
            term.tried = write.sent;
        }
        let request = match &self.observed {
            Some(observed) if !observed.is_deleted => Request::Update(Box::new(lease)),
            _ => Request::Create(Box::new(record::recreated(&self.lock, lease))),
        };
        Action::Send(request, self.request_end(now))
    }

    fn written(&mut self, now: Now, write: Write, lease: Lease) -> Action {
        self.observe(now, lease);
        let is_own = self.lease().is_some_and(|lease| self.is_own(lease, write.token));
        let valid_until = write.sent + self.config.renew_deadline;
        match &mut self.term {
            Some(term) if is_own => match term.tenure.extend(valid_until, now.moment) {
                Ok(()) => term.renewed = write.sent,
                Err(loss) => return self.lose(loss),
            },
            Some(_) => {
                let loss = self.lease().map_or(Loss::Expired, |lease| self.taken_by(lease));
                return self.lose(loss);
            }
            None if is_own && now.moment < valid_until => {
                self.claimed = None;
                let tenure = Arc::new(Tenure::new(write.token, valid_until));
                self.term = Some(Term { tenure: tenure.clone(), renewed: write.sent, tried: write.sent });
                self.notices.push(Notice::Elected(tenure));
            }
            None => self.claimed = Some(write.token),
        }
        self.wait(now)
    }

    /// Ends the attempt: the next one follows after the retry period, for candidates with a random part. That of a leader
    /// does not begin with the answer, so that slow answers do not cost the term.
    fn wait(&mut self, now: Now) -> Action {
        let retry = self.config.retry_period;
        match &self.term {
            Some(term) => {
                let next = now.moment.max(term.tried + retry);
                let end = term.tenure.valid_until(now.moment).unwrap_or(now.moment);
                Action::Wait(next.min(end))
            }
            None => {
                self.warn(now);
                Action::Wait(now.moment + retry + retry.mul_f64(JITTER_FACTOR * self.random.f64()))
            }
        }
    }

    /// Ends the term, and this candidature with it.
    fn lose(&mut self, loss: Loss) -> Action {
        if let Some(term) = self.term.take() {
            let loss = term.tenure.end(loss);
            self.notices.push(Notice::Lost(loss));
        }
        Action::Done
    }

    /// The Lease is in the hands of this candidate's term.
    fn is_own(&self, lease: &Lease, token: i32) -> bool {
        record::holder(lease) == self.lock.identity.as_str() && record::transitions(lease) == token
    }

    fn taken_by(&self, lease: &Lease) -> Loss {
        let holder = record::holder(lease);
        if holder == self.lock.identity.as_str() {
            Loss::SameIdentity
        } else {
            Loss::Taken { holder: holder.into() }
        }
    }

    /// The end of a request: the time-out, and for a leader the end of its term, after which the answer is of no use.
    fn request_end(&self, now: Now) -> Moment {
        let end = now.moment + self.config.request_timeout();
        let term = self.term.as_ref().and_then(|term| term.tenure.valid_until(now.moment).ok());
        term.map_or(end, |valid_until| end.min(valid_until))
    }
}
