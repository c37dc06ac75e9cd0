//! Random sequences of writes to play on an API server, and what must hold of its answers.
//!
//! A [`Sequence`] follows from a seed: one object, written again and again by several managers in all the ways there
//! are, with much that is wrong among it. Definitions of custom resources are written in dry runs. A [`Player`] plays it
//! on a server, step by step. What comes of a step, a [`Played`], is judged by itself, with [`Played::violations`], and
//! against what came of it on another server, with [`Played::differences`].
//!
//! [`Webhooks`] take part in some sequences: they change and refuse objects, and convert those of a kind.
//!
//! A server is known by a client of it only, so that the embedded one and a real kube-apiserver are played alike.

mod answer;
mod choose;
mod diff;
mod disturb;
mod invariants;
mod kind;
mod kinds;
mod played;
mod player;
mod request;
mod sequence;
mod shape;
mod step;
mod webhooks;

pub use answer::Answer;
pub use played::Played;
pub use player::{PlayError, Player};
pub use request::Request;
pub use sequence::Sequence;
pub use webhooks::Webhooks;
