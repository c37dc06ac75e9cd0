//! Kubernetes controllers: client-go's `leaderelection`, `record` and `events`, and the reconcile loop of
//! controller-runtime.
//!
//! - [`Controller`]: a reconcile loop over shared informers;
//! - [`leader_election`]: one of several replicas at work, by a Lease;
//! - [`sharding`]: all of several replicas at work, each on its keys, by a Lease of each;
//! - [`events`]: events about objects, correlated and sent in the background;
//! - [`Finalizer`], [`set_condition`], [`set_controller_reference`], [`create_or_apply`], [`create_or_update`],
//!   [`update_status`], [`wait`]: the parts that every reconciler has;
//! - [`shutdown_signal`]: the signals with which a program is told to end.

mod attempt;
mod clock;
mod condition;
mod controller;
mod create_or_update;
mod error;
pub mod events;
mod finalizer;
mod host_name;
mod identity;
pub mod leader_election;
mod lease;
mod lease_requests;
mod operation_result;
mod owner;
pub mod sharding;
mod shutdown_signal;
#[cfg(test)]
mod simulation;
mod tenure;
mod terminal_error;
mod update_status;
pub mod wait;

pub use condition::{find_condition, is_condition_true, remove_condition, set_condition};
#[cfg(feature = "metrics")]
pub use controller::describe_metrics;
pub use controller::{
    Action, Controller, ControllerBuilder, ControllerHandle, ControllerMetrics, LOW_PRIORITY, OwnerScope,
    Predicate, Source, map_to_owner, wait_for_own_writes,
};
pub use create_or_update::{create_or_apply, create_or_update};
pub use error::{Error, ErrorKind};
pub use finalizer::{Cleanup, Finalizer, FinalizerStep};
pub use operation_result::OperationResult;
pub use owner::{controller_reference, owner_reference, set_controller_reference, set_owner_reference};
pub use shutdown_signal::shutdown_signal;
pub use terminal_error::TerminalError;
pub use update_status::update_status;
