//! Inputs and outputs of an election.

use std::sync::Arc;
use std::time::Duration;

use klient_api::coordination::v1::Lease;
use klient_apimachinery::Str;

use super::super::clock::Moment;
use super::super::tenure::{Loss, Tenure};

/// The end of a wait, an answer, or the wish to stop.
pub(in crate::leader_election) enum Input {
    Due,
    Answer(Answer),
    Stop,
}

/// The answer to a request.
pub(in crate::leader_election) enum Answer {
    Found(Box<Lease>),
    Written(Box<Lease>),
    NotFound,
    /// Another version of the Lease, or one that exists already.
    Conflict,
    /// Another failure, or no answer in time.
    Failed,
}

/// The next thing to do for the candidate.
#[derive(Debug)]
pub(in crate::leader_election) enum Action {
    /// Sends a request, for which there is no answer after the given moment.
    Send(Request, Moment),
    Wait(Moment),
    Done,
}

#[derive(Debug)]
pub(in crate::leader_election) enum Request {
    Get,
    Create(Box<Lease>),
    Update(Box<Lease>),
}

/// A change that others are told of.
#[derive(Debug)]
pub(in crate::leader_election) enum Notice {
    Elected(Arc<Tenure>),
    Lost(Loss),
    NewLeader(Str),
    SlowPath,
    /// A Lease in other hands that has not changed for long, and its duration.
    Unchanged {
        holder: Str,
        duration: Duration,
    },
}
