//! [`CrashTest`], a controller and the scenario that it is tested with.

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use klient_client::Client;

use crate::finding::{Finding, Story};
use crate::options::Options;
use crate::play::{Play, PlayKind};
use crate::player::Scenario;
use crate::problem::{FindingKind, Problem};
use crate::report::Report;
use crate::run::Run;
use crate::script::{Outcome, Script, script};

/// A controller and the scenario that it is tested with.
pub struct CrashTest {
    controller: Box<dyn Script>,
    setup: Option<Box<dyn Script>>,
    steps: Vec<(String, Box<dyn Script>)>,
    options: Options,
}

/// The environment variable with the one play to run.
const PLAY: &str = "KLIENT_PLAY";

impl CrashTest {
    /// A test of a controller: a function that runs until its future is dropped, with a client of its own for each start.
    /// All its requests have to go over that client.
    pub fn new<F, T>(controller: F) -> CrashTest
    where
        F: AsyncFn(Client) -> T + Send + Sync + 'static,
        T: Outcome + 'static,
    {
        let options = Options::default();
        CrashTest { controller: script(controller), setup: None, steps: Vec::new(), options }
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

    /// Sets the options.
    #[must_use]
    pub fn options(mut self, options: Options) -> CrashTest {
        self.options = options;
        self
    }

    /// Runs the scenario once unhurt, and once for each play.
    ///
    /// # Panics
    ///
    /// With the text of the [`Finding`], if there is one.
    #[track_caller]
    pub fn run(&self) -> Report {
        match self.try_run() {
            Ok(report) => report,
            Err(finding) => panic!("{finding}"),
        }
    }

    /// Runs the scenario once unhurt, and once for each play. Blocks the thread, also of a tokio test.
    ///
    /// # Errors
    ///
    /// The finding with the fewest steps, and among those with the fewest writes.
    ///
    /// # Panics
    ///
    /// If the environment variable `KLIENT_PLAY` has no play of this test.
    pub fn try_run(&self) -> Result<Report, Finding> {
        let command = command();
        match env::var(PLAY) {
            Ok(play) => self.replay(&play, &command),
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
        let reference = reference(&scenario, &story)?;
        let mut plays = reference.moments.plays();
        plays.retain(|play| !self.options.skip.contains(&play.kind));
        let left_out = choose(&mut plays, &self.options);
        let runs = in_parallel(&plays, |play| scenario.run(Some(*play), Some(&reference)));
        let mut report = Report { writes: reference.writes.len(), left_out, ..Report::default() };
        for run in &runs {
            let play = run.play.expect("each is of a play");
            *report.plays.entry(play.kind).or_default() += 1;
            report.virtual_time += run.virtual_time;
            if !run.is_hurt || is_impossible(run) {
                report.not_applicable.push(play.to_string());
            }
        }
        let found = runs.iter().filter(|run| run.problem.is_some() && !is_impossible(run));
        if let Some(shortest) = found.min_by_key(|run| length(run)) {
            return Err(self.shrink(shortest, &reference, command));
        }
        report.wall_time = began.elapsed();
        Ok(report)
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
            let Ok(reference) = reference_of(&scenario) else { continue };
            let plays = reference.moments.plays();
            let mut plays: Vec<Play> = plays;
            plays.retain(|play| Some(play.kind) == run.play.map(|play| play.kind));
            let runs = in_parallel(&plays, |play| scenario.run(Some(*play), Some(&reference)));
            let same = runs.into_iter().filter(|run| {
                run.problem.as_ref().is_some_and(|(_, other)| other.kind == problem.kind)
                    && !is_impossible(run)
            });
            if let Some(run) = same.min_by_key(length) {
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
    fn replay(&self, text: &str, command: &str) -> Result<Report, Finding> {
        let began = Instant::now();
        let (text, left_out) = text.split_once(":without-").unwrap_or((text, ""));
        let left_out: Vec<usize> = left_out.split('-').filter_map(|step| step.parse().ok()).collect();
        let Ok(play) = text.parse::<Play>() else {
            panic!("{PLAY} is {text:?}, which is no play: take the line of a finding");
        };
        let scenario = self.scenario(&left_out);
        let story = self.story(&left_out, command, true);
        let reference = reference(&scenario, &story)?;
        let run = in_parallel(&[play], |play| scenario.run(Some(*play), Some(&reference))).remove(0);
        if run.problem.is_some() {
            return Err(Finding::new(&run, Some(&reference), &story));
        }
        eprintln!(
            "{play}: no finding{}\n{}",
            if run.is_hurt { "" } else { ": the run does not come to this point" },
            run.timeline.render(&story.steps, &run.writes, story.steps.len(), true)
        );
        let plays = [(play.kind, 1)].into();
        let (virtual_time, wall_time) = (run.virtual_time, began.elapsed());
        Ok(Report { plays, virtual_time, wall_time, writes: reference.writes.len(), ..Report::default() })
    }
}

/// Runs the scenario unhurt, twice.
fn reference(scenario: &Scenario<'_>, story: &Story<'_>) -> Result<Run, Finding> {
    reference_of(scenario).map_err(|run| Finding::new(&run, None, story))
}

fn reference_of(scenario: &Scenario<'_>) -> Result<Run, Box<Run>> {
    let reference = in_parallel(&[()], |()| scenario.run(None, None)).remove(0);
    if reference.problem.is_some() {
        return Err(Box::new(reference));
    }
    let mut again = in_parallel(&[()], |()| scenario.run(None, Some(&reference))).remove(0);
    match again.problem.take() {
        Some((step, Problem { details, .. })) => {
            again.problem = Some((step, Problem { kind: FindingKind::NotRepeatable, details }));
            Err(Box::new(again))
        }
        None => Ok(reference),
    }
}

/// Returns true if two steps cannot follow each other without the controller's work in between.
fn is_impossible(run: &Run) -> bool {
    let is_merged = run.play.is_some_and(|play| play.kind == PlayKind::MergedSteps);
    is_merged && run.problem.as_ref().is_some_and(|(_, problem)| problem.kind == FindingKind::StepFailed)
}

/// The steps and writes of a run with a problem.
fn length(run: &Run) -> (usize, usize) {
    (run.problem.as_ref().map_or(0, |(step, _)| *step), run.writes.len())
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

/// Runs a function for each item, on as many threads as the machine has, and returns the results in order. The threads
/// are others than the caller's, whose runtime must not be entered again.
fn in_parallel<T: Sync, R: Send>(items: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    let result = run(item);
                    results.lock().expect("no panics while held").push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no panics while held");
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The command that runs the test of this thread.
fn command() -> String {
    match thread::current().name().filter(|name| *name != "main") {
        Some(test) => format!("cargo test -- --exact {test}"),
        None => "cargo test".to_owned(),
    }
}
