//! Inputs and outputs of a member.

use klient_api::coordination::v1::Lease;
use klient_apimachinery::Str;

use super::super::term::ShardLoss;
use crate::clock::Moment;

/// The end of a wait, an answer, or the wish to leave, which comes in a wait.
#[derive(Debug)]
pub(in crate::sharding) enum Input {
    Due,
    Answer(Answer),
    Stop,
}

/// The answer to a request.
#[derive(Debug)]
pub(in crate::sharding) enum Answer {
    Written(Box<Lease>),
    Deleted,
    /// The Leases of the group, and the resourceVersion of the list.
    Listed {
        leases: Vec<Lease>,
        version: Str,
    },
    NotFound,
    /// Another version of the Lease, or one that exists already.
    Conflict,
    /// Another failure, or no answer in time.
    Failed,
}

/// The next thing to do for the member.
#[derive(Debug)]
pub(in crate::sharding) enum Action {
    /// Sends a request, for which there is no answer after the given moment.
    Send(Request, Moment),
    Wait(Moment),
    Done,
}

#[derive(Debug)]
pub(in crate::sharding) enum Request {
    Create(Box<Lease>),
    Update(Box<Lease>),
    /// The Leases of the group, by a list that is no older than the request.
    List,
    /// Deletes the Lease, if it has the uid and the resourceVersion of this one.
    Delete(Box<Lease>),
}

/// A change that others are told of.
#[derive(Debug)]
pub(in crate::sharding) enum Notice {
    /// The members of the group, with this one.
    Members(Vec<Str>),
    Lost(ShardLoss),
}
