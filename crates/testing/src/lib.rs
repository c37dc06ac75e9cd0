//! Tests that crash a Kubernetes controller at every step.
//!
//! A controller that works may still leave a mess when it is killed between two writes, when it starts again on a cache
//! that is behind, or when it was not told of a change. A [`CrashTest`] runs a controller against an embedded API server
//! and takes it through a scenario: steps that write, each followed by a wait until the controller is at rest. It records
//! that run, the *reference run*, and then plays the scenario again once for every point at which the controller can be
//! hurt: see [`PlayKind`]. After each step of each play
//!
//! - the objects on the server are those of the reference run;
//! - the controller has changed no object that it did not change there, deleted none that is needed, and given no field a
//!   value that it never had there;
//! - it has come to rest.
//!
//! The first play that shows otherwise, with the fewest steps and writes, is the [`Finding`]. Its text has the difference,
//! the writes of both runs, and a line that plays it again with a trace of all requests. The arguments that cargo needs for
//! the test, such as features, are in that line if [`Options::cargo_arguments`] has them.
//!
//! ```text
//! the controller leaves other objects than the reference run, after step 1, create the site
//!   secrets default/second: is missing; the reference run leaves it
//!
//!   kill-after:write1
//!     start
//!     step 1: create the site
//!       1  create secrets default/first: 201, created; the controller is killed before it has the answer, and started again
//!
//!   the reference run
//!     start
//!     step 1: create the site
//!       1  create secrets default/first: 201, created
//!       2  create secrets default/second: 201, created
//!
//!   KLIENT_PLAY='kill-after:write1' cargo test -p shop --test it -- --exact both_secrets_are_made --nocapture
//! ```
//!
//! The approach is that of [Sieve](https://www.usenix.org/conference/osdi22/presentation/sun) (OSDI 2022).
//!
//! ```
//! use std::future::pending;
//! use std::sync::Arc;
//!
//! use klient_api::core::v1::{ConfigMap, Namespace};
//! use klient_apimachinery::Object as _;
//! use klient_apimachinery::meta::v1::{ObjectMeta, OwnerReference};
//! use klient_cache::{Cached, InformerFactory};
//! use klient_client::{Client, Error, Patch};
//! use klient_controller::{Action, Controller};
//! use klient_testing::CrashTest;
//!
//! /// Gives each namespace that has a label a config map with its value.
//! async fn reconcile(namespace: Cached<Namespace>, client: Arc<Client>) -> Result<Action, Error> {
//!     let Some(team) = namespace.metadata.labels.get("team") else { return Ok(Action::done()) };
//!     let config_maps = client.api::<ConfigMap>().namespace(namespace.name());
//!     let mut about = ConfigMap { metadata: ObjectMeta::named("about"), ..Default::default() };
//!     about.metadata.owner_references = vec![OwnerReference::controller_of(&*namespace)];
//!     about.data.insert("team", team.clone().into());
//!     match config_maps.create(&about).await {
//!         Err(error) if error.is_already_exists() => {
//!             config_maps.patch("about", &Patch::Merge(serde_json::json!({"data": about.data}))).await?
//!         }
//!         created => created?,
//!     };
//!     Ok(Action::done())
//! }
//!
//! // A test, with `#[test]`.
//! fn config_maps_survive_crashes() {
//!     let controller = async |client: Client| {
//!         let namespaces = InformerFactory::new(client.clone()).informer::<Namespace>();
//!         Controller::builder(&namespaces).reconcile(Arc::new(client), reconcile).run(pending()).await
//!     };
//!     let label = async |client: Client, team: &str| {
//!         let patch = Patch::Merge(serde_json::json!({"metadata": {"labels": {"team": team}}}));
//!         client.api::<Namespace>().patch("default", &patch).await
//!     };
//!     let report = CrashTest::new(controller)
//!         .step("label a namespace", async move |client| label(client, "red").await)
//!         .step("change the label", async move |client| label(client, "blue").await)
//!         .run();
//!     println!("{report}");
//! }
//! # config_maps_survive_crashes();
//! ```
//!
//! # Plays
//!
//! Each play has a server, a thread and a tokio runtime of its own, on which the server runs as well, in paused time: it
//! passes at once while all wait, so that [`Options::rest`] costs little: a play takes some tenths of a second of CPU in a
//! debug build. That holds as long as the controller waits for tokio's timers and for the server only. A controller that sleeps on a thread, or asks
//! a server outside, is slower, and its time-outs come early. One that works without a pause would stop the time: it is a
//! finding after [`Options::max_requests`], or after [`Options::stalled`] if it sends none.
//!
//! The clock of the thread is virtual, too ([`VirtualClock`](klient_apimachinery::VirtualClock)): by
//! [`Time::now`](klient_apimachinery::Time::now) objects age, and leader election waits for a Lease to expire. The standard
//! library's `SystemTime` and `Instant`, and other threads, have the clock of the machine.
//!
//! The controller is any function of a [`Client`](klient_client::Client) that runs until its future is dropped. A killed
//! controller is dropped, and started again with another client. The requests of tasks that it has spawned wait for ever
//! from the moment of the kill on. What it keeps outside of its future, such as in a static, survives, and is shared by all
//! plays: state outside of the cluster, such as a fake of a cloud, belongs in the world of a play, see
//! [`CrashTest::with_world`].
//!
//! Resource versions, generations and times are not compared, nor the order of conditions, finalizers and owners, nor
//! Events and Leases. A uid counts as the name of its object, and a generated name as its prefix, also within names, keys
//! and texts. Managed fields are not compared: they tell which request set a field, and in which order, and a play changes
//! just that; a field that should not be set, or should not stay, is compared itself.
//!
//! Objects whose owners are gone are deleted, as by kube-controller-manager's garbage collector, whenever the controller is
//! at rest. Of several objects with the same generated name, one too many may be deleted. Values that were wrong for a while
//! are found outside of the status, and only in plays in which the caches are not behind: a controller that sees two caches
//! at different times may rightly write a mixture of both, and mend it.
//!
//! Caches are behind as with an API server whose own cache lags: lists that accept any version (`resourceVersion=0`), as
//! informers send them, are answered from an earlier one, streamed lists are refused, and watches show nothing until the
//! controller is at rest. Reads that ask for the latest state get it.
//!
//! # Limits
//!
//! The reference run is played twice. The objects and the effects of writes have to be the same; the order and the number of
//! writes may differ, such as those of two workers, and then a play may hurt another write than the reference run has:
//! [`Report::is_ordered`] tells. Leases are never hurt. Conversion and admission webhooks are not called. A play hurts a run
//! once.

mod answer;
mod collector;
mod command;
mod comparison;
mod crash_test;
mod finding;
mod gate;
mod identity;
mod incarnation;
mod known;
mod normalize;
mod observer;
mod options;
mod parallel;
mod play;
mod player;
mod problem;
mod reference;
mod replay;
mod report;
mod run;
mod script;
mod snapshot;
mod stage;
mod target;
mod timeline;
mod watchdog;
mod world;
mod write;

pub use crash_test::CrashTest;
pub use finding::Finding;
pub use options::Options;
pub use play::PlayKind;
pub use problem::FindingKind;
pub use report::Report;
pub use script::Outcome;
pub use world::World;
