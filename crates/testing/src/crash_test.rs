//! [`CrashTest`], a controller and the scenario that it is tested with.

use std::any::Any;
use std::collections::BTreeMap;
use std::env;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use klient_client::Client;
use serde_json::Value;

use crate::command::command;
use crate::finding::{Finding, Story};
use crate::options::Options;
use crate::parallel::in_parallel;
use crate::play::Play;
use crate::player::Scenario;
use crate::reference::{reference, reference_of};
use crate::replay::{PLAY, Replay};
use crate::report::Report;
use crate::run::Run;
use crate::script::{Outcome, Script, script, script_in_world};
use crate::world::{self, Outside, World};

/// A controller and the scenario that it is tested with. The type parameter is [`World`] if the controller has a state
/// outside of the cluster: see [`with_world`](CrashTest::with_world).
pub struct CrashTest<W = ()> {
    controller: Box<dyn Script>,
    setup: Option<Box<dyn Script>>,
    steps: Vec<(String, Box<dyn Script>)>,
    options: Options,
    outside: Outside,
    world: PhantomData<fn() -> W>,
}

impl CrashTest {
    /// A test of a controller: a function that runs until its future is dropped, with a client of its own for each start.
    /// All its requests have to go over that client.
    pub fn new<F, T>(controller: F) -> CrashTest
    where
        F: AsyncFn(Client) -> T + Send + Sync + 'static,
        T: Outcome + 'static,
    {
        CrashTest::of(script(controller), Outside::none())
    }

    /// Runs a function before the controller starts, such as one that creates the CustomResourceDefinitions.
    #[must_use]
    pub fn setup<F, T>(mut self, setup: F) -> CrashTest
    where
        F: AsyncFn(Client) -> T + Send + Sync + 'static,
        T: Outcome + 'static,
    {
        self.setup = Some(script(setup));
        self
    }

    /// Adds a step: a function that writes what the controller reacts to. After it the test waits until the controller is
    /// at rest. The client of a step is never hurt.
    #[must_use]
    pub fn step<F, T>(mut self, name: impl Into<String>, step: F) -> CrashTest
    where
        F: AsyncFn(Client) -> T + Send + Sync + 'static,
        T: Outcome + 'static,
    {
        self.steps.push((name.into(), script(step)));
        self
    }
}

impl<W: Clone + 'static> CrashTest<World<W>> {
    /// A test of a controller with a state outside of the cluster, such as a fake of the API of a cloud. Each play begins
    /// with a new one, which survives the kills of the controller; the controller and the steps are given clones of it,
    /// such as of an `Arc`. [`compare_world`](Self::compare_world) compares it with that of the reference run.
    ///
    /// ```no_run
    /// # use klient_client::{Client, Error};
    /// use std::sync::{Arc, Mutex};
    ///
    /// use klient_testing::CrashTest;
    ///
    /// #[derive(Default)]
    /// struct Cloud {
    ///     buckets: Mutex<Vec<String>>,
    /// }
    ///
    /// # async fn run(_: Client, _: Arc<Cloud>) -> Result<(), Error> { Ok(()) }
    /// # async fn create_claim(_: Client) -> Result<(), Error> { Ok(()) }
    /// CrashTest::with_world(Arc::<Cloud>::default, async |client, cloud| run(client, cloud).await)
    ///     .compare_world(|cloud| cloud.buckets.lock().unwrap().clone().into())
    ///     .step("create a claim", async |client, _| create_claim(client).await)
    ///     .run();
    /// ```
    pub fn with_world<M, F, T>(world: M, controller: F) -> CrashTest<World<W>>
    where
        M: Fn() -> W + Send + Sync + 'static,
        F: AsyncFn(Client, W) -> T + Send + Sync + 'static,
        T: Outcome + 'static,
    {
        let make = Box::new(move || Box::new(world()) as Box<dyn Any>);
        CrashTest::of(script_in_world(controller), Outside { make, compared: None })
    }

    /// Compares a value of the world, after each step, with that of the reference run. Without it, the world is not
    /// compared, and changes of it do not keep the controller from being at rest.
    #[must_use]
    pub fn compare_world(
        mut self,
        compared: impl Fn(&W) -> Value + Send + Sync + 'static,
    ) -> CrashTest<World<W>> {
        self.outside.compared = Some(Box::new(move |world| compared(world::of(world))));
        self
    }

    /// Runs a function before the controller starts, as the [`setup`](CrashTest::setup) of a test without a world.
    #[must_use]
    pub fn setup<F, T>(mut self, setup: F) -> CrashTest<World<W>>
    where
        F: AsyncFn(Client, W) -> T + Send + Sync + 'static,
        T: Outcome + 'static,
    {
        self.setup = Some(script_in_world(setup));
        self
    }

    /// Adds a step, as the [`step`](CrashTest::step) of a test without a world. It may change the world, too.
    #[must_use]
    pub fn step<F, T>(mut self, name: impl Into<String>, step: F) -> CrashTest<World<W>>
    where
        F: AsyncFn(Client, W) -> T + Send + Sync + 'static,
        T: Outcome + 'static,
    {
        self.steps.push((name.into(), script_in_world(step)));
        self
    }
}

impl<W> CrashTest<W> {
    fn of(controller: Box<dyn Script>, outside: Outside) -> CrashTest<W> {
        let (options, world) = (Options::default(), PhantomData);
        CrashTest { controller, setup: None, steps: Vec::new(), options, outside, world }
    }

    /// Sets the options.
    #[must_use]
    pub fn options(mut self, options: Options) -> CrashTest<W> {
        self.options = options;
        self
    }

    /// Runs the scenario unhurt, and once for each play.
    ///
    /// # Panics
    ///
    /// With the text of the [`Finding`], if there is one, and as [`try_run`](Self::try_run).
    #[track_caller]
    pub fn run(&self) -> Report {
        match self.try_run() {
            Ok(report) => report,
            Err(finding) => panic!("{finding}"),
        }
    }

    /// Runs the scenario unhurt, and once for each play; only one of them if the environment variable `KLIENT_PLAY` has its
    /// text. Blocks the thread, also of a tokio test.
    ///
    /// # Errors
    ///
    /// The finding with the fewest steps, and among those with the fewest writes.
    ///
    /// # Panics
    ///
    /// If `KLIENT_PLAY` is not a play of this test. The message lists those that there are.
    #[track_caller]
    pub fn try_run(&self) -> Result<Report, Finding> {
        let command = command(&self.options.cargo_arguments);
        match env::var(PLAY) {
            Ok(text) => match Replay::parse(&text, self.steps.len()) {
                Ok(replay) => self.replay(&replay, &command),
                Err(message) => panic!("{message}"),
            },
            Err(_) => self.run_all(&command),
        }
    }

    /// The scenario without some of its steps, which count from 1.
    fn scenario(&self, left_out: &[usize]) -> Scenario<'_> {
        let steps = self.steps.iter().enumerate().filter(|(index, _)| !left_out.contains(&(index + 1)));
        Scenario {
            controller: &*self.controller,
            setup: self.setup.as_deref(),
            steps: steps.map(|(_, (name, script))| (&**name, &**script)).collect(),
            options: &self.options,
            outside: &self.outside,
        }
    }

    fn story<'a>(&self, left_out: &[usize], command: &'a str, is_trace: bool) -> Story<'a> {
        let steps = self.scenario(left_out).steps.iter().map(|(name, _)| (*name).to_owned()).collect();
        Story { steps, left_out: left_out.to_vec(), command, is_trace }
    }

    fn run_all(&self, command: &str) -> Result<Report, Finding> {
        let began = Instant::now();
        let scenario = self.scenario(&[]);
        let story = self.story(&[], command, false);
        let (reference, is_ordered) = reference(&scenario, &story)?;
        let mut plays = reference.plays();
        plays.retain(|play| !self.options.skip.contains(&play.kind));
        let left_out = choose(&mut plays, &self.options);
        let runs = in_parallel(&plays, |play| scenario.run(Some(*play), Some(&reference)));
        let found = runs.iter().filter(|run| run.problem.is_some() && !run.is_impossible());
        if let Some(shortest) = found.min_by_key(|run| run.length()) {
            return Err(self.shrink(shortest, &reference, command));
        }
        Ok(Report { left_out, ..report(&runs, &reference, is_ordered, began.elapsed()) })
    }

    /// The finding of a run, or the same without the steps before that it does not need.
    fn shrink(&self, run: &Run, reference: &Run, command: &str) -> Finding {
        let (last, problem) = run.problem.as_ref().expect("it is found");
        let after: Vec<usize> = (last + 1..=self.steps.len()).collect();
        let mut left_out = after.clone();
        let mut shortest: Option<(Run, Run)> = None;
        for step in (1..*last).rev() {
            let fewer: Vec<usize> = [step].into_iter().chain(left_out.iter().copied()).collect();
            let scenario = self.scenario(&fewer);
            let Ok((reference, _)) = reference_of(&scenario) else { continue };
            let mut plays = reference.plays();
            plays.retain(|play| Some(play.kind) == run.play.map(|play| play.kind));
            let runs = in_parallel(&plays, |play| scenario.run(Some(*play), Some(&reference)));
            let same = runs.into_iter().filter(|run| {
                run.problem.as_ref().is_some_and(|(_, other)| other.kind == problem.kind)
                    && !run.is_impossible()
            });
            if let Some(run) = same.min_by_key(Run::length) {
                left_out = fewer;
                shortest = Some((run, reference));
            }
        }
        let (run, reference) =
            shortest.as_ref().map_or((run, reference), |(run, reference)| (run, reference));
        // Steps after the last are not begun.
        left_out.retain(|step| !after.contains(step));
        Finding::new(run, Some(reference), &self.story(&left_out, command, false))
    }

    /// Runs one play, and prints its trace.
    #[allow(clippy::print_stderr, reason = "a trace is what a replay is for")]
    #[track_caller]
    fn replay(&self, replay: &Replay, command: &str) -> Result<Report, Finding> {
        let began = Instant::now();
        let Replay { play, left_out } = replay;
        let scenario = self.scenario(left_out);
        let story = self.story(left_out, command, true);
        let (reference, is_ordered) = reference(&scenario, &story)?;
        if let Err(message) = replay.check(&reference.plays()) {
            panic!("{message}");
        }
        let runs = in_parallel(&[*play], |play| scenario.run(Some(*play), Some(&reference)));
        let run = &runs[0];
        if run.problem.is_some() {
            return Err(Finding::new(run, Some(&reference), &story));
        }
        eprintln!(
            "{play}: no finding{}\n{}",
            if run.is_hurt { "" } else { ": the run does not come to this point" },
            run.record.timeline.render(&story.steps, &run.record.writes, story.steps.len(), true)
        );
        Ok(report(&runs, &reference, is_ordered, began.elapsed()))
    }
}

/// The report of runs without a finding.
fn report(runs: &[Run], reference: &Run, is_ordered: bool, wall_time: Duration) -> Report {
    let (mut plays, mut not_applicable, mut virtual_time) = (BTreeMap::new(), Vec::new(), Duration::ZERO);
    for run in runs {
        let play = run.play.expect("each is of a play");
        if run.is_hurt && !run.is_impossible() {
            *plays.entry(play.kind).or_default() += 1;
        } else {
            not_applicable.push(play.to_string());
        }
        virtual_time += run.virtual_time;
    }
    let (writes, left_out) = (reference.record.writes.len(), Vec::new());
    Report { plays, not_applicable, left_out, writes, is_ordered, virtual_time, wall_time }
}

/// Leaves out plays at random if there are too many, and returns those.
fn choose(plays: &mut Vec<Play>, options: &Options) -> Vec<String> {
    let Some(max) = options.max_plays else { return Vec::new() };
    let mut random = fastrand::Rng::with_seed(options.seed);
    let mut left_out = Vec::new();
    while plays.len() > max {
        left_out.push(plays.remove(random.usize(..plays.len())).to_string());
    }
    left_out
}
