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
//!
//! # The names of controller-runtime and kube
//!
//! | controller-runtime | kube-runtime | here |
//! |---|---|---|
//! | `manager.Manager` | | informers of a factory, [`Controller::run`] of each controller, and the program's own `select!` |
//! | `builder.ControllerManagedBy(m).For(…)` | `Controller::new` | [`Controller::builder`] |
//! | `Owns`, `Watches` | `owns`, `watches` | [`owns`](ControllerBuilder::owns), [`watches`](ControllerBuilder::watches) |
//! | `handler.EnqueueRequestsFromMapFunc` | mapper of `watches` | function of [`watches`](ControllerBuilder::watches) |
//! | `handler.EnqueueRequestForOwner` | | [`map_to_owner`] |
//! | `WithEventFilter`, `predicate.GenerationChangedPredicate` | `predicate_filter`, `predicates::generation` | [`Source::filter`], [`Predicate::generation_changed`] |
//! | `MaxConcurrentReconciles` | `Config::concurrency` | [`workers`](ControllerBuilder::workers) |
//! | `reconcile.Request`, `client.Get` | `Arc<K>` | a cached object with [`reconcile`](ControllerBuilder::reconcile), keys with [`reconcile_keys`](ControllerBuilder::reconcile_keys) |
//! | `ctrl.Result{}`, `RequeueAfter` | `Action::await_change`, `Action::requeue` | [`Action::done`], [`Action::requeue`] |
//! | returned error, `RateLimiter` | `error_policy` | returned error, [`rate_limiter`](ControllerBuilder::rate_limiter) |
//! | `reconcile.TerminalError` | | [`TerminalError`] |
//! | `source.Channel`, `GenericEvent` | `reconcile_on`, `reconcile_all_on` | [`ControllerHandle::reconcile`], [`ControllerHandle::reconcile_all`] |
//! | `ReconciliationTimeout` | | [`reconcile_timeout`](ControllerBuilder::reconcile_timeout) |
//! | `LeaderElection` of the manager | | [`run_while_leading`](Controller::run_while_leading) |
//! | `ctrl.SetupSignalHandler` | `shutdown_on_signal` | [`shutdown_signal`] |
//! | `controllerutil.AddFinalizer`, `RemoveFinalizer` | `finalizer()` | [`Finalizer`] |
//! | `controllerutil.SetControllerReference`, `SetOwnerReference` | `controller_owner_ref`, `owner_ref` | [`set_controller_reference`], [`set_owner_reference`] |
//! | `controllerutil.CreateOrUpdate` | | [`create_or_update`], [`create_or_apply`] |
//! | `meta.SetStatusCondition` | | [`set_condition`] |
//! | `record.EventRecorder` | `events::Recorder` | [`events`] |
//! | `wait.PollUntil…` | `wait::await_condition` | [`wait::wait_for`] |
//! | `EnableReadYourWritesConsistency` | | always on: [`own_writes_timeout`](ControllerBuilder::own_writes_timeout) |
//! | `envtest` | | the embedded server, and the crate `klient-testing` |

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
