//! Giving the Lease up.

use super::super::clock::{Moment, Now};
use super::super::record;
use super::super::tenure::Loss;
use super::{Action, Answer, Election, Input, Request, State};

/// The number of conflicts after which a Lease is not given up but left to expire.
const RELEASE_CONFLICTS: u32 = 3;

impl Election {
    /// Ends the term, and begins to give the Lease up if this candidate holds it or may have got it.
    pub(super) fn stop(&mut self, now: Now, state: &State) -> Action {
        let end = now.moment + self.config.renew_deadline;
        let held = self.term.as_ref().filter(|term| term.tenure.valid_until(now.moment).is_ok());
        let token = match (held, state) {
            (Some(term), _) => Some(term.tenure.token()),
            (None, State::Writing(write)) if self.term.is_none() => Some(write.token),
            _ => self.claimed.filter(|_| self.term.is_none()),
        };
        self.claimed = None;
        let is_known = held.is_some() && !matches!(state, State::Writing(_));
        self.lose(Loss::Released);
        let Some(token) = token.filter(|_| self.config.release_on_cancel) else { return Action::Done };
        self.state = State::Releasing { token, end, conflicts: 0 };
        match &self.observed {
            Some(observed) if is_known && !observed.is_deleted && self.is_own(&observed.lease, token) => {
                Action::Send(Request::Update(Box::new(record::released(&observed.lease, now))), end)
            }
            _ => Action::Send(Request::Get, end),
        }
    }

    /// Goes on with giving the Lease up.
    pub(super) fn release(
        &mut self,
        now: Now,
        input: Input,
        token: i32,
        end: Moment,
        mut conflicts: u32,
    ) -> Action {
        let request = match input {
            Input::Answer(Answer::Found(lease)) => {
                let release = self.is_own(&lease, token);
                let request = Request::Update(Box::new(record::released(&lease, now)));
                self.observe(now, *lease);
                if !release {
                    return Action::Done;
                }
                request
            }
            // The write of a renewal that was under way came first.
            Input::Answer(Answer::Conflict) if conflicts < RELEASE_CONFLICTS => {
                conflicts += 1;
                Request::Get
            }
            Input::Answer(Answer::Written(lease)) => {
                self.observe(now, *lease);
                return Action::Done;
            }
            Input::Answer(_) | Input::Due | Input::Stop => return Action::Done,
        };
        self.state = State::Releasing { token, end, conflicts };
        Action::Send(request, end)
    }
}
