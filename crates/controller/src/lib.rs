//! Kubernetes controllers: client-go's `leaderelection`, `record` and `events`, and the reconcile loop of
//! controller-runtime.
//!
//! - [`leader_election`]: one of several replicas at work, by a Lease;
//! - [`events`]: events about objects, correlated and sent in the background;
//! - [`Finalizer`], [`set_condition`], [`set_controller_reference`], [`create_or_apply`], [`create_or_update`],
//!   [`update_status`], [`wait`]: the parts that every reconciler has.

mod condition;
mod create_or_update;
mod error;
pub mod events;
mod finalizer;
mod identity;
pub mod leader_election;
mod operation_result;
mod owner;
mod update_status;
pub mod wait;

pub use condition::{find_condition, is_condition_true, remove_condition, set_condition};
pub use create_or_update::{create_or_apply, create_or_update};
pub use error::{Error, ErrorKind};
pub use finalizer::{Cleanup, Finalizer, FinalizerStep};
pub use operation_result::OperationResult;
pub use owner::{controller_reference, owner_reference, set_controller_reference, set_owner_reference};
pub use update_status::update_status;
