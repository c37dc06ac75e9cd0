//! Tests that crash a Kubernetes controller at every step.

mod answer;
mod collector;
mod crash_test;
mod finding;
mod gate;
mod identity;
mod incarnation;
mod options;
mod play;
mod player;
mod report;
mod script;
mod snapshot;
mod stage;
mod target;
mod timeline;
mod write;

pub use crash_test::CrashTest;
pub use finding::{Finding, FindingKind};
pub use options::Options;
pub use play::PlayKind;
pub use report::Report;
pub use script::Outcome;
