//! [`Scenario::run`], one run of a scenario.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use klient_client::Client;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use crate::collector::collect;
use crate::identity::Identity;
use crate::observer::client;
use crate::options::Options;
use crate::play::{Moment, Play, PlayKind};
use crate::problem::{FindingKind, Problem};
use crate::run::Run;
use crate::script::{Running, Script};
use crate::snapshot::Snapshot;
use crate::stage::Stage;

/// A controller, and the steps that it is tested with.
#[derive(Clone)]
pub(crate) struct Scenario<'a> {
    pub(crate) controller: &'a dyn Script,
    pub(crate) setup: Option<&'a dyn Script>,
    /// The names of the steps, and the steps.
    pub(crate) steps: Vec<(&'a str, &'a dyn Script)>,
    pub(crate) options: &'a Options,
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
            let stage = Stage::start(play, self.options).await;
            let stage = Arc::new(stage.expect("certificates can be made"));
            let client = client(&stage, None);
            let empty = if reference.is_none() { stage.snapshot(0) } else { Snapshot::default() };
            let mut director = Director {
                scenario: self,
                stage: &stage,
                client,
                reference,
                snapshots: BTreeMap::new(),
                deleted: BTreeMap::new(),
            };
            let (start, started) = oneshot::channel();
            let problem = tokio::select! {
                biased;
                problem = supervise(self.controller, &stage, started) => Err(problem),
                directed = director.direct(start) => directed,
            };
            let Director { snapshots, deleted, .. } = director;
            let state = stage.state();
            Run {
                play,
                writes: state.writes.clone(),
                moments: state.moments.clone(),
                timeline: state.timeline.clone(),
                is_hurt: state.is_hurt,
                empty,
                snapshots,
                written: state.written.clone(),
                deleted,
                problem: problem.err().map(|problem| (state.step, problem)),
                virtual_time: began.elapsed(),
            }
        })
    }
}

/// Runs the controller, and starts it again whenever it is killed. Returns if it ends by itself.
async fn supervise(controller: &dyn Script, stage: &Arc<Stage>, started: oneshot::Receiver<()>) -> Problem {
    if started.await.is_err() {
        return pending().await;
    }
    let mut incarnations = stage.incarnation.subscribe();
    loop {
        let incarnation = incarnations.borrow_and_update().clone();
        let client = client(stage, Some(incarnation));
        let ended = tokio::select! {
            biased;
            _ = incarnations.changed() => continue,
            ended = catch(controller, client) => ended,
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
async fn catch(script: &dyn Script, client: Client) -> Result<Result<(), String>, String> {
    let begun = catch_unwind(AssertUnwindSafe(|| script.begin(client)));
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
    reference: Option<&'a Run>,
    snapshots: BTreeMap<usize, Snapshot>,
    deleted: BTreeMap<usize, BTreeMap<Identity, usize>>,
}

impl Director<'_> {
    async fn direct(&mut self, start: oneshot::Sender<()>) -> Result<(), Problem> {
        if let Some(setup) = self.scenario.setup {
            self.take("the setup", setup).await?;
        }
        self.stage.pass_moment(Moment::Written(0));
        start.send(()).expect("the controller is not started before");
        self.settle(0).await?;
        let merged = self.stage.play.and_then(|play| play.step_of(PlayKind::MergedSteps));
        for (index, (_, script)) in self.scenario.steps.iter().enumerate() {
            let step = index + 1;
            self.stage.state().step = step;
            let is_first_of_two = merged == Some(step + 1);
            if is_first_of_two {
                self.stage
                    .note("the watches show nothing until the next step is done, and then its outcome only");
                self.stage.current().gate.hold();
                self.stage.state().is_hurt = true;
            }
            self.take("the step", *script).await?;
            self.stage.pass_moment(Moment::Written(step));
            if is_first_of_two {
                continue;
            }
            if merged == Some(step) {
                self.stage.current().gate.expire();
            }
            self.settle(step).await?;
        }
        Ok(())
    }

    /// Runs the setup or a step.
    async fn take(&self, role: &str, script: &dyn Script) -> Result<(), Problem> {
        let limit = self.scenario.options.limit;
        let error = match timeout(limit, catch(script, self.client.clone())).await {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(error))) => format!("{role} fails: {error}"),
            Ok(Err(panic)) => format!("{role} panics: {panic}"),
            Err(_) => format!("{role} has not ended after {limit:?} of virtual time"),
        };
        Err(Problem::new(FindingKind::StepFailed, [error]))
    }

    /// Waits until the controller is at rest, hurts it if that is its moment, and compares its objects.
    async fn settle(&mut self, step: usize) -> Result<(), Problem> {
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
        let (mut version, mut last, mut since) = (0, Vec::new(), began);
        let pause = (quiet / 20).max(Duration::from_millis(10));
        let incarnation = self.stage.current().number;
        loop {
            sleep(pause).await;
            let now = self.stage.server.resource_version();
            if now != version {
                version = now;
                let fingerprint = self.stage.fingerprint();
                if fingerprint != last {
                    (last, since) = (fingerprint, Instant::now());
                }
            }
            if since.elapsed() >= quiet {
                if !collect(self.stage, &self.client).await {
                    return Ok(());
                }
                since = Instant::now();
            }
            let current = self.stage.current();
            if current.number != incarnation && current.behind().is_some() {
                return Ok(());
            }
            if began.elapsed() >= limit {
                return Err(self.restless(limit));
            }
        }
    }

    fn restless(&self, limit: Duration) -> Problem {
        let state = self.stage.state();
        let mut details =
            vec![format!("it still changes objects after {limit:?} of virtual time; its last writes:")];
        let last = state.writes.iter().enumerate().skip(state.writes.len().saturating_sub(5));
        details.extend(last.map(|(index, write)| format!("  {}  {write}", index + 1)));
        Problem::new(FindingKind::NotAtRest, details)
    }

    /// Compares the objects after a step with those of the reference run.
    fn compare(&mut self, step: usize) -> Result<(), Problem> {
        let snapshot = self.stage.snapshot(self.stage.since);
        let state = self.stage.state();
        let deleted: BTreeMap<_, _> =
            state.deleted.iter().map(|(identity, uids)| (identity.clone(), uids.len())).collect();
        if let Some(reference) = self.reference
            && let Some(expected) = reference.snapshots.get(&step)
        {
            let differences = snapshot.differences(expected, &reference.empty);
            if !differences.is_empty() {
                return Err(Problem::differs(&differences));
            }
            let touched =
                state.written.iter().find(|(identity, _)| !reference.written.contains_key(identity));
            if let Some((identity, number)) = touched {
                let write = &state.writes[number - 1];
                let details = [format!(
                    "{identity}: write {number} changes it, which the reference run never does: {write}"
                )];
                return Err(Problem::new(FindingKind::Touched, details));
            }
            let before = reference.deleted.get(&step);
            let needed =
                |identity| before.and_then(|before| before.get(identity)).copied().unwrap_or_default();
            // One that is not needed in the end may be made by mistake, and deleted.
            let is_needed = |identity: &Identity| expected.contains(identity);
            let again =
                deleted.iter().find(|(identity, times)| **times > needed(identity) && is_needed(identity));
            if let Some((identity, times)) = again {
                let needed = needed(identity);
                let details =
                    [format!("{identity}: deleted {times} times; the reference run needs {needed}")];
                return Err(Problem::new(FindingKind::DeletedAgain, details));
            }
        }
        drop(state);
        self.snapshots.insert(step, snapshot);
        self.deleted.insert(step, deleted);
        Ok(())
    }
}
