//! [`Member`], the rules of one replica as a state machine without I/O and without clocks.
//!
//! A cycle is a write of the own Lease, then a list of the group. A list that follows an answered write decides about keys;
//! others tell of the group only. Time is that of this replica, and times in Leases do not count.

mod others;
mod step;

use std::sync::Arc;

use klient_api::coordination::v1::Lease;
use klient_apimachinery::Str;

use super::claim::{self, Claim, Written};
use super::config::{self, ShardingConfig};
use super::hands::Hands;
use super::record;
use super::share::{Share, View};
use super::term::{ShardLoss, Term};
use crate::clock::{Moment, Now};
use crate::lease::{holder, transitions};
use others::Others;
pub(super) use step::{Action, Answer, Input, Notice, Request};

/// One replica: from its first look at the group until it has left.
pub(super) struct Member {
    config: ShardingConfig,
    identity: Str,
    /// The name of its Lease.
    name: String,
    hands: Arc<Hands>,
    random: fastrand::Rng,
    state: State,
    /// Its Lease as it was last seen.
    own: Option<Lease>,
    /// The claims that its Lease may have by its own writes, as texts.
    possible: Vec<String>,
    /// The share of the claim that was sent last.
    share: Share,
    others: Others,
    /// The members by the last list. `None` if the group is to be listed before the next write.
    view: Option<Arc<View>>,
    term: Option<Arc<Term>>,
    /// The number of the last term, or of the attempt to begin one.
    epoch: i32,
    /// The moment at which the last cycle began.
    tried: Moment,
    /// The moment at which the last list that was answered was sent.
    listed: Moment,
    /// The time that there is to give the keys up, once that is wished.
    stop_end: Option<Moment>,
    notices: Vec<Notice>,
}

enum State {
    Waiting,
    Writing(Write),
    Listing { sent: Moment, wrote: Wrote },
    Tending,
}

/// A write of the own Lease of which the answer is awaited.
struct Write {
    sent: Moment,
    epoch: i32,
    /// It was sent without a term, and begins one.
    begins: bool,
    claim: Claim,
    text: String,
}

/// The write before a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrote {
    Nothing,
    Failed,
    Answered,
}

impl Member {
    pub(super) fn new(
        config: ShardingConfig,
        identity: Str,
        hands: Arc<Hands>,
        random: fastrand::Rng,
        now: Moment,
    ) -> Self {
        let name = config::lease_name(&config.name, &identity);
        Member {
            others: Others::default(),
            config,
            identity,
            name,
            hands,
            random,
            state: State::Waiting,
            own: None,
            possible: Vec::new(),
            share: Share::none(),
            view: None,
            term: None,
            epoch: -1,
            tried: now,
            listed: now,
            stop_end: None,
            notices: Vec::new(),
        }
    }

    /// The changes since the last call.
    pub(super) fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    pub(super) fn step(&mut self, now: Now, input: Input) -> Action {
        if let Some(term) = &self.term
            && let Err(loss) = term.valid_until(now.moment)
        {
            self.lose(loss);
        }
        match (std::mem::replace(&mut self.state, State::Waiting), input) {
            (State::Writing(write), Input::Answer(Answer::Written(lease))) => {
                self.written(now, write, *lease)
            }
            (State::Writing(_), Input::Answer(answer)) => {
                if matches!(answer, Answer::NotFound) {
                    self.own = None;
                    self.lose(ShardLoss::Changed);
                }
                self.list(now, Wrote::Failed)
            }
            (State::Listing { sent, wrote }, Input::Answer(Answer::Listed { leases, version })) => {
                self.listed(now, sent, wrote, leases, version)
            }
            (_, Input::Answer(_)) => self.wait(now),
            (_, Input::Due) => self.begin_cycle(now),
            (_, Input::Stop) => {
                self.stop_end = Some(now.moment + self.config.renew_deadline);
                self.begin_cycle(now)
            }
        }
    }

    fn begin_cycle(&mut self, now: Now) -> Action {
        self.tried = now.moment;
        // Without a list there are no keys but those before, while renewals keep the others from the claim.
        if now.moment >= self.listed + self.config.lease_duration && self.term.is_some() {
            self.lose(ShardLoss::Unlisted);
        }
        if let Some(end) = self.stop_end {
            let was_never_seen = self.own.is_none() && self.possible.is_empty();
            if self.term.is_none() && (was_never_seen || now.moment >= end) {
                return self.leave();
            }
        }
        if self.view.is_none() { self.list(now, Wrote::Nothing) } else { self.write(now) }
    }

    /// Publishes the share by the last list, or that of nobody.
    fn write(&mut self, now: Now) -> Action {
        self.share = match &self.view {
            Some(view) if self.stop_end.is_none() => Share::new(view.clone(), &self.identity),
            _ => Share::none(),
        };
        let claim = self.hands.claim(&self.share);
        let text = claim.encode();
        if !self.possible.contains(&text) {
            self.possible.push(text.clone());
        }
        let begins = self.term.is_none();
        if begins {
            let last = self.own.as_ref().map_or(-1, transitions).max(self.epoch);
            self.epoch = last.saturating_add(1);
        }
        let own = self.own.as_ref();
        let lease = record::renewed(&self.config, &self.name, &self.identity, self.epoch, own, &text, now);
        let request = match own {
            Some(_) => Request::Update(Box::new(lease)),
            None => Request::Create(Box::new(lease)),
        };
        self.state = State::Writing(Write { sent: now.moment, epoch: self.epoch, begins, claim, text });
        let end = now.moment + self.config.request_timeout();
        // After the end of the term the answer is of no use.
        let term_end = self.term.as_ref().and_then(|term| term.valid_until(now.moment).ok());
        Action::Send(request, term_end.map_or(end, |term_end| end.min(term_end)))
    }

    fn written(&mut self, now: Now, write: Write, lease: Lease) -> Action {
        let is_kept = record::claim_text(&lease) == Some(write.text.as_str());
        self.own = Some(lease);
        self.possible = vec![write.text];
        if !is_kept {
            self.lose(ShardLoss::Changed);
            return self.list(now, Wrote::Failed);
        }
        if self.stop_end.is_some() && write.claim.is_none() {
            return self.leave();
        }
        let valid_until = write.sent + self.config.renew_deadline;
        let is_valid = match &self.term {
            Some(term) => term.token() == write.epoch && term.extend(valid_until, now.moment).is_ok(),
            // An answer that comes late begins nothing, nor does a claim to nothing.
            None if write.begins && now.moment < valid_until && !write.claim.share.is_none() => {
                let term = Arc::new(Term::new(write.epoch, valid_until));
                self.hands.begin_term(term.clone());
                self.term = Some(term);
                true
            }
            None => false,
        };
        self.list(now, if is_valid { Wrote::Answered } else { Wrote::Failed })
    }

    fn list(&mut self, now: Now, wrote: Wrote) -> Action {
        self.state = State::Listing { sent: now.moment, wrote };
        Action::Send(Request::List, now.moment + self.config.request_timeout())
    }

    fn listed(&mut self, now: Now, sent: Moment, wrote: Wrote, leases: Vec<Lease>, version: Str) -> Action {
        self.listed = sent;
        let (own, others): (Vec<_>, Vec<_>) =
            leases.into_iter().partition(|lease| lease.metadata.name.as_deref() == Some(self.name.as_str()));
        let is_intact = self.check_own(own.into_iter().next());
        self.others.observe(others, sent, now.moment);
        let is_first = self.view.is_none();
        let view = Arc::new(View::new(self.others.members(sent).chain([self.identity.clone()])));
        if wrote == Wrote::Answered && self.term.is_some() {
            self.grant(sent, version);
        }
        let is_current = match self.stop_end {
            None => *self.share.view() == view,
            Some(_) => self.share.is_none(),
        };
        if self.view.as_ref() != Some(&view) {
            self.notices.push(Notice::Members(view.identities().to_vec()));
        }
        self.view = Some(view);
        let is_due = is_first || !is_current || self.term.is_none() || self.hands.has_retained_too_much();
        if is_due && is_intact && wrote != Wrote::Failed { self.write(now) } else { self.tend(now, sent) }
    }

    /// Compares the own Lease with what was written. If it is another's work, the claim was not there for a time.
    fn check_own(&mut self, found: Option<Lease>) -> bool {
        let is_own = match (&found, &self.own) {
            (Some(found), own) => {
                holder(found) == self.identity.as_str()
                    && transitions(found) == self.epoch
                    && own.as_ref().is_none_or(|own| own.metadata.uid == found.metadata.uid)
                    && record::claim_text(found)
                        .is_some_and(|text| self.possible.iter().any(|possible| possible == text))
            }
            (None, own) => own.is_none(),
        };
        self.own = found;
        if !is_own {
            self.lose(ShardLoss::Changed);
        }
        is_own
    }

    /// Takes the keys of the published share, by a list that was sent after the claim was published, but for those that
    /// others claim who are not known to be dead.
    fn grant(&mut self, sent: Moment, version: Str) {
        let mut blockers = Vec::new();
        let mut written = Written::new();
        for other in self.others.all() {
            for (resource, version) in &other.claim.written {
                claim::note(&mut written, resource, version);
            }
            // Two that are in the view of each other agree about all keys.
            let are_mutual = self.share.view().contains(&other.identity)
                && other.claim.share.view().contains(&self.identity)
                && other.claim.retained.is_empty();
            if other.may_act(sent) && !are_mutual {
                blockers.push(other.blocker());
            }
        }
        self.hands.grant(&self.share, blockers, version, written);
    }

    /// Clears up after one who is dead or has left: removes the claim of the dead, so that no other needs to find out, and
    /// deletes Leases without a claim after a time in which all others have seen that.
    fn tend(&mut self, now: Now, sent: Moment) -> Action {
        let request = match &self.view {
            Some(view) if self.term.is_some() && self.stop_end.is_none() => {
                let share = Share::new(view.clone(), &self.identity);
                self.others.clear_up(sent, self.config.lease_duration, &share)
            }
            _ => None,
        };
        match request {
            Some(request) => {
                self.state = State::Tending;
                Action::Send(request, now.moment + self.config.request_timeout())
            }
            None => self.wait(now),
        }
    }

    /// Ends the cycle. The next one begins a retry period after this one began; without a term, after an answer that failed
    /// and a random time.
    fn wait(&mut self, now: Now) -> Action {
        let retry = self.config.retry_period;
        match self.term.as_ref().and_then(|term| term.valid_until(now.moment).ok()) {
            Some(end) => Action::Wait(now.moment.max(self.tried + retry).min(end)),
            None => Action::Wait(now.moment + retry.mul_f64(0.5 + self.random.f64())),
        }
    }

    /// Ends the term. Another one begins with a list.
    fn lose(&mut self, loss: ShardLoss) {
        self.view = None;
        let Some(term) = self.term.take() else { return };
        let loss = term.end(loss);
        self.hands.end_term();
        self.notices.push(Notice::Lost(loss));
    }

    fn leave(&mut self) -> Action {
        self.lose(ShardLoss::Left);
        self.hands.close();
        Action::Done
    }
}
