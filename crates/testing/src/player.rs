//! [`Scenario::run`], one run of a scenario.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::VirtualClock;
use klient_client::Client;
use serde_json::Value;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use crate::collector::collect;
use crate::comparison::compare;
use crate::observer::client;
use crate::options::Options;
use crate::play::{Moment, Play, PlayKind};
use crate::problem::{FindingKind, Problem};
use crate::run::{Deletions, Run};
use crate::script::{Running, Script};
use crate::snapshot::Snapshot;
use crate::stage::Stage;
use crate::world::Outside;

/// A controller, and the steps that it is tested with.
#[derive(Clone)]
pub(crate) struct Scenario<'a> {
    pub(crate) controller: &'a dyn Script,
    pub(crate) setup: Option<&'a dyn Script>,
    /// The names of the steps, and the steps.
    pub(crate) steps: Vec<(&'a str, &'a dyn Script)>,
    pub(crate) options: &'a Options,
    pub(crate) outside: &'a Outside,
}

/// The time without a change after which a controller whose caches are behind has done what it does then.
const REST_BEHIND: Duration = Duration::from_secs(60);

/// The longest time for which caches are behind.
const LONGEST_BEHIND: Duration = Duration::from_secs(15 * 60);

impl Scenario<'_> {
    /// Runs the scenario, with the fault of a play, and compares it with a reference run. The runtime is of this run
    /// alone, and so is its time, which passes while all wait.
    pub(crate) fn run(&self, play: Option<Play>, reference: Option<&Run>) -> Run {
        fastrand::seed(self.options.seed);
        let runtime = runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let runtime = runtime.expect("the system has room for a runtime");
        runtime.block_on(async {
            let began = Instant::now();
            let _clock = VirtualClock::start(move || began.elapsed());
            let stage = Stage::start(play, self.options).await;
            let stage = Arc::new(stage.expect("certificates can be made"));
            let world = (self.outside.make)();
            let empty = if reference.is_none() { stage.whole_snapshot() } else { Snapshot::default() };
            let mut director = Director {
                scenario: self,
                stage: &stage,
                client: client(&stage, None),
                world: &*world,
                reference,
                snapshots: BTreeMap::new(),
                deleted: BTreeMap::new(),
            };
            stage.watchdog.tick();
            let _watch = stage.watchdog.watch(self.options.stalled);
            let (start, started) = oneshot::channel();
            let problem = tokio::select! {
                biased;
                problem = stage.watchdog.bark() => Err(problem),
                problem = supervise(self.controller, &stage, &*world, started) => Err(problem),
                directed = director.direct(start) => directed,
            };
            let Director { snapshots, deleted, .. } = director;
            let state = stage.state();
            Run {
                play,
                moments: state.moments.clone(),
                is_hurt: state.is_hurt,
                empty,
                snapshots,
                deleted,
                record: state.record.clone(),
                problem: problem.err().map(|problem| (state.step, problem)),
                virtual_time: began.elapsed(),
            }
        })
    }
}

/// Runs the controller, and starts it again whenever it is killed. Returns if it ends by itself.
async fn supervise(
    controller: &dyn Script,
    stage: &Arc<Stage>,
    world: &dyn Any,
    started: oneshot::Receiver<()>,
) -> Problem {
    if started.await.is_err() {
        return pending().await;
    }
    let mut incarnations = stage.incarnation.subscribe();
    loop {
        let incarnation = incarnations.borrow_and_update().clone();
        let run = async {
            if incarnation.is_down {
                return pending().await;
            }
            catch(controller, client(stage, Some(incarnation)), world).await
        };
        let ended = tokio::select! {
            biased;
            _ = incarnations.changed() => continue,
            ended = run => ended,
        };
        return match ended {
            Ok(Ok(())) => Problem::new(FindingKind::Ended, ["the controller has ended by itself".to_owned()]),
            Ok(Err(error)) => {
                Problem::new(FindingKind::Ended, [format!("the controller has ended: {error}")])
            }
            Err(panic) => Problem::new(FindingKind::Panicked, [format!("the controller panics: {panic}")]),
        };
    }
}

/// Runs a script to its end or its panic.
async fn catch(script: &dyn Script, client: Client, world: &dyn Any) -> Result<Result<(), String>, String> {
    let begun = catch_unwind(AssertUnwindSafe(|| script.begin(client, world)));
    let mut running: Running<'_> = begun.map_err(|panic| message(&*panic))?;
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => std::task::Poll::Ready(Err(message(&*panic))),
        }
    })
    .await
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

/// Takes the steps of a scenario, and compares the outcome of each.
struct Director<'a> {
    scenario: &'a Scenario<'a>,
    stage: &'a Arc<Stage>,
    client: Client,
    world: &'a dyn Any,
    reference: Option<&'a Run>,
    snapshots: BTreeMap<usize, Snapshot>,
    deleted: BTreeMap<usize, Deletions>,
}

impl Director<'_> {
    async fn direct(&mut self, start: oneshot::Sender<()>) -> Result<(), Problem> {
        if let Some(setup) = self.scenario.setup {
            self.take("the setup", setup).await?;
        }
        self.stage.pass_moment(Moment::Written(0));
        start.send(()).expect("the controller is not started before");
        self.settle(0).await?;
        for (index, (_, script)) in self.scenario.steps.iter().enumerate() {
            let step = index + 1;
            self.stage.state().step = step;
            self.begin_fault(step);
            self.take("the step", *script).await?;
            self.stage.pass_moment(Moment::Written(step));
            self.end_fault(step);
            if !self.is(PlayKind::MergedSteps, Moment::Step(step + 1)) {
                self.settle(step).await?;
            }
        }
        Ok(())
    }

    /// Returns true if the play is one of a kind at a moment.
    fn is(&self, kind: PlayKind, at: Moment) -> bool {
        self.stage.play.is_some_and(|play| play.is(kind, at))
    }

    /// Begins the fault of a play that lasts as long as a step, or two.
    fn begin_fault(&self, step: usize) {
        let stage = self.stage;
        let note = if self.is(PlayKind::MergedSteps, Moment::Step(step + 1)) {
            stage.current().gate.hold();
            "the watches show nothing until the next step is done, and then its outcome only"
        } else if self.is(PlayKind::Relist, Moment::Written(step)) {
            stage.current().gate.hold();
            "the watches show nothing until the step is done, and end then"
        } else if self.is(PlayKind::Down, Moment::Written(step)) {
            stage.stop();
            "the controller is killed"
        } else {
            return;
        };
        stage.note(note);
        stage.state().is_hurt = true;
    }

    /// Ends the fault of a play that lasts as long as a step, or two.
    fn end_fault(&self, step: usize) {
        let stage = self.stage;
        if self.is(PlayKind::MergedSteps, Moment::Step(step))
            || self.is(PlayKind::Relist, Moment::Written(step))
        {
            stage.current().gate.expire();
        } else if self.is(PlayKind::Down, Moment::Written(step)) {
            stage.note("the controller is started again");
            stage.kill(None);
        }
    }

    /// Runs the setup or a step.
    async fn take(&self, role: &str, script: &dyn Script) -> Result<(), Problem> {
        let limit = self.scenario.options.limit;
        let error = match timeout(limit, catch(script, self.client.clone(), self.world)).await {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(error))) => format!("{role} fails: {error}"),
            Ok(Err(panic)) => format!("{role} panics: {panic}"),
            Err(_) => format!("{role} has not ended after {} s of virtual time", limit.as_secs()),
        };
        Err(Problem::new(FindingKind::StepFailed, [error]))
    }

    /// Waits until the controller is at rest, hurts it if that is its moment, and compares its objects.
    async fn settle(&mut self, step: usize) -> Result<(), Problem> {
        self.stage.watchdog.reset();
        self.rest().await?;
        self.stage.pass_moment(Moment::Step(step));
        if let Some(play) = self.stage.play.filter(|play| play.at == Moment::Step(step)) {
            match play.kind {
                PlayKind::Restart => {
                    self.stage.note("the controller is killed at rest, and started again");
                    self.stage.state().is_hurt = true;
                    self.stage.kill(None);
                    self.rest().await?;
                }
                PlayKind::Behind => {
                    self.stage.note(
                        "the controller is killed at rest, and started again with caches that are behind",
                    );
                    let version = play.from.and_then(|from| self.stage.state().moments.version(from));
                    self.stage.state().is_hurt = version.is_some();
                    self.stage.kill(version);
                    self.rest().await?;
                }
                _ => {}
            }
        }
        self.compare(step)
    }

    /// Waits until the controller is at rest, with caches that have caught up.
    async fn rest(&self) -> Result<(), Problem> {
        let options = self.scenario.options;
        let current = self.stage.current();
        if current.behind().is_some() {
            // A server is not behind for ever, whatever the controller does meanwhile.
            let _ = self.quiet(REST_BEHIND, LONGEST_BEHIND).await;
            self.stage.note("the caches catch up");
            current.catch_up();
        }
        self.quiet(options.rest, options.limit).await?;
        let current = self.stage.current();
        if current.behind().is_some() {
            // It was killed meanwhile.
            return Box::pin(self.rest()).await;
        }
        if current.gate.is_held() {
            self.stage.note("the watches end, and show the outcome only");
            current.gate.expire();
            self.quiet(options.rest, options.limit).await?;
        }
        Ok(())
    }

    /// Waits until there was no change for a time. The garbage collector works whenever there was none.
    async fn quiet(&self, quiet: Duration, limit: Duration) -> Result<(), Problem> {
        let began = Instant::now();
        let (mut version, mut world, mut last, mut since) = (0, None, None, began);
        let pause = (quiet / 20).max(Duration::from_millis(10));
        let mut incarnation = self.stage.current().number;
        loop {
            sleep(pause).await;
            let current = self.stage.current();
            if current.number != incarnation {
                if current.behind().is_some() {
                    return Ok(());
                }
                // It has begun its work just now.
                (incarnation, since) = (current.number, Instant::now());
            }
            let now = (self.stage.server.resource_version(), self.compared_world());
            if now != (version, world.take()) {
                let fingerprint = Some((self.stage.fingerprint(), now.1.clone()));
                if fingerprint != last {
                    (last, since) = (fingerprint, Instant::now());
                }
            }
            (version, world) = now;
            if since.elapsed() >= quiet {
                if !collect(self.stage, &self.client).await {
                    return Ok(());
                }
                since = Instant::now();
            }
            if began.elapsed() >= limit {
                return Err(self.restless(limit));
            }
        }
    }

    /// The part of the state outside of the cluster that is compared.
    fn compared_world(&self) -> Option<Value> {
        self.scenario.outside.compared.as_ref().map(|compared| compared(self.world))
    }

    fn restless(&self, limit: Duration) -> Problem {
        let state = self.stage.state();
        let writes = &state.record.writes;
        let hours = limit.as_secs_f64() / 3600.0;
        let mut details =
            vec![format!("it still changes objects after {hours} hours of virtual time; its last writes:")];
        let last = writes.iter().enumerate().skip(writes.len().saturating_sub(5));
        details.extend(last.map(|(index, write)| format!("  {}  {write}", index + 1)));
        Problem::new(FindingKind::NotAtRest, details)
    }

    /// Compares the objects after a step with those of the reference run.
    fn compare(&mut self, step: usize) -> Result<(), Problem> {
        let mut snapshot = self.stage.snapshot();
        if let Some(state) = self.compared_world() {
            snapshot.add_world(state);
        }
        let state = self.stage.state();
        if let Some(reference) = self.reference {
            compare(&snapshot, &state.record, self.stage.play, reference, step)?;
        }
        let deleted = state.record.deleted.clone();
        drop(state);
        self.snapshots.insert(step, snapshot);
        self.deleted.insert(step, deleted);
        Ok(())
    }
}
