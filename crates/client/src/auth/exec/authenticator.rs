//! [`Authenticator`], the credential of a plugin and the rules for when it is run.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use klient_workqueue::{Backoff, ResettingBackoff};
use tokio::time::Instant;

use super::credential::{Credential, exec_info};
use super::error::ExecError;
use super::process::{self, Failure};
use super::run::{Outcome, Run};
use super::{ExecConfig, InteractiveMode, policy, validation};
use crate::error::step_timeout::StepTimeout;
use crate::metrics;

/// The default limit of a plugin, and that where a user can sign in.
const TIMEOUT: Duration = Duration::from_secs(60);
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(300);

/// The time after which a plugin that still runs is logged.
const SLOW: Duration = Duration::from_secs(10);

/// The number of errors with instructions to install the plugin in an hour, as in client-go.
const HINTS: u32 = 10;
const HINTS_IN: Duration = Duration::from_secs(3600);

/// The delay before a plugin is started again that failed, or whose credential was refused or has expired already.
const DELAY: Backoff = Backoff {
    duration: Duration::from_secs(1),
    factor: 2.0,
    jitter: 0.0,
    steps: u32::MAX,
    cap: Some(Duration::from_secs(60)),
};

/// The time without a failure or a refusal after which the delay is the first one again.
const DELAY_RESET: Duration = Duration::from_secs(300);

/// A plugin and its last credential.
pub(super) struct Authenticator {
    config: ExecConfig,
    state: Mutex<State>,
}

struct State {
    credential: Option<Arc<Credential>>,
    /// The error of the last run, if it failed.
    failure: Option<ExecError>,
    /// The time before which it is not started again.
    rest: Option<Instant>,
    delays: ResettingBackoff,
    /// The run that requests wait for; they hold it.
    run: Weak<Run>,
    /// The run that fetches the next credential ahead of the expiry of the present one, for which nobody waits.
    ahead: Option<Arc<Run>>,
    /// The number of errors with instructions to install the plugin since a time.
    hints: Option<(Instant, u32)>,
}

impl Authenticator {
    pub(super) fn new(config: ExecConfig) -> Self {
        let state = State {
            credential: None,
            failure: None,
            rest: None,
            delays: DELAY.resetting(DELAY_RESET),
            run: Weak::new(),
            ahead: None,
            hints: None,
        };
        Authenticator { config, state: Mutex::new(state) }
    }

    pub(super) fn config(&self) -> &ExecConfig {
        &self.config
    }

    /// The credential that it gave last, if any.
    pub(super) fn last(&self) -> Option<Arc<Credential>> {
        self.lock().credential.clone()
    }

    /// The credential for a request, other than one that the server refused if possible.
    pub(super) async fn credential(self: &Arc<Self>, refused: Option<&Arc<Credential>>) -> Outcome {
        loop {
            let run = {
                let mut state = self.lock();
                match self.known(&mut state, refused) {
                    Some(known) => return known,
                    None => self.join(&mut state, refused.is_some()),
                }
            };
            if let Some(outcome) = run.outcome().await {
                return outcome.map_err(|error| self.hinted(&mut self.lock(), error));
            }
        }
    }

    /// The answer without a run, if there is one.
    fn known(self: &Arc<Self>, state: &mut State, refused: Option<&Arc<Credential>>) -> Option<Outcome> {
        let rests = state.rest.is_some_and(|until| Instant::now() < until);
        if let Some(credential) = &state.credential {
            let is_refused = refused.is_some_and(|refused| Arc::ptr_eq(refused, credential));
            if !is_refused && !credential.is_expired() {
                let credential = credential.clone();
                if credential.is_due() && !rests && !state.ahead.as_ref().is_some_and(|run| run.is_alive()) {
                    state.ahead = Some(self.join(state, false));
                }
                return Some(Ok(credential));
            }
        }
        if !rests {
            return None;
        }
        match (&state.failure, &state.credential) {
            (Some(error), _) => {
                let error = error.clone();
                Some(Err(self.hinted(state, error)))
            }
            (None, Some(credential)) => Some(Ok(credential.clone())),
            (None, None) => None,
        }
    }

    /// The present run, or one that is started.
    fn join(self: &Arc<Self>, state: &mut State, is_refused: bool) -> Arc<Run> {
        if let Some(run) = state.run.upgrade().filter(|run| run.is_alive()) {
            return run;
        }
        let authenticator = self.clone();
        let run = Run::start(async move {
            let outcome = authenticator.run().await;
            authenticator.record(&outcome, is_refused);
            outcome
        });
        state.run = Arc::downgrade(&run);
        run
    }

    /// Takes the result of a run, which may have taken place since the server refused the credential before.
    fn record(&self, outcome: &Outcome, is_refused: bool) {
        let mut state = self.lock();
        let rests = match outcome {
            Ok(credential) => {
                if credential.is_expired() {
                    tracing::warn!(
                        plugin = %self.config.command,
                        "the credential of the plugin has expired already: check the clock of this machine"
                    );
                }
                let before = state.credential.replace(credential.clone());
                state.failure = None;
                if let Some(before) = before.as_ref().filter(|before| before.identity != credential.identity)
                    && let Some(validity) = before.validity
                {
                    metrics::exec_plugin_certificate_rotation(validity.not_before);
                }
                // Where the user has no access, each credential is refused.
                is_refused
                    || credential.is_expired()
                    || before.is_some_and(|before| before.is_same(credential))
            }
            Err(error) => {
                if state.ahead.is_some() {
                    tracing::warn!("{error}; the credential from before is used until it expires");
                }
                state.failure = Some(error.clone());
                true
            }
        };
        state.rest = rests.then(|| Instant::now() + state.delays.step());
        // The next to ask is answered by the state.
        state.run = Weak::new();
        state.ahead = None;
    }

    /// Runs the plugin, within its time.
    async fn run(&self) -> Outcome {
        let config = &self.config;
        let refuse = |problem: &str| ExecError::new(config, problem);
        let interactive = self.is_interactive()?;
        let program = policy::allowed(&config.policy, &config.command);
        metrics::exec_plugin_policy_call(program.is_ok());
        let program = program.map_err(|problem| refuse(&problem.0))?;
        let info = exec_info(config, interactive);
        let attended = std::io::stdin().is_terminal() || interactive;
        let limit = config.timeout.unwrap_or(if attended { SIGN_IN_TIMEOUT } else { TIMEOUT });
        tracing::debug!(plugin = %config.command, "running the exec plugin");
        let running = async {
            let mut output = std::pin::pin!(process::output(&program, config, &info, interactive));
            if let Ok(output) = tokio::time::timeout(SLOW, &mut output).await {
                return output;
            }
            tracing::warn!(
                plugin = %config.command, user = %config.user,
                "the exec plugin has run for {} s, still waiting", SLOW.as_secs()
            );
            output.await
        };
        let output = tokio::time::timeout(limit, running).await;
        let (code, status) = match &output {
            Ok(Ok(_)) => (0, "no_error"),
            Ok(Err(failure)) => failure.call(),
            Err(_) => (process::SIGNALED, "plugin_execution_error"),
        };
        metrics::exec_plugin_call(code, status);
        let output = match output {
            Ok(Ok(output)) => output,
            Ok(Err(Failure::NotFound)) => return Err(ExecError::not_found(config)),
            Ok(Err(Failure::Ended(status))) => return Err(refuse(&process::ending(status))),
            Ok(Err(Failure::NotStarted(problem) | Failure::Other(problem))) => return Err(refuse(&problem)),
            Err(_) => return Err(ExecError::timeout(config, StepTimeout { step: "credentials", limit })),
        };
        let credential = Credential::decode(&output, &config.api_version);
        Ok(Arc::new(credential.map_err(|problem| refuse(&problem.0))?))
    }

    /// Returns true if the plugin gets standard input.
    fn is_interactive(&self) -> Result<bool, ExecError> {
        let is_terminal = std::io::stdin().is_terminal();
        let unavailable = &self.config.stdin_unavailable;
        let refuse = |problem: &str| {
            let problem = format!("exec plugin cannot support interactive mode: {problem}");
            Err(ExecError::new(&self.config, problem))
        };
        match validation::mode(&self.config) {
            Some(InteractiveMode::Never) | None => Ok(false),
            Some(InteractiveMode::IfAvailable) => Ok(is_terminal && unavailable.is_none()),
            Some(InteractiveMode::Always) if !is_terminal => {
                refuse("standard input is not a terminal: sign in from one")
            }
            Some(InteractiveMode::Always) => match unavailable.as_deref() {
                None => Ok(true),
                Some("") => refuse("standard input is unavailable"),
                Some(reason) => refuse(&format!("standard input is unavailable: {reason}")),
            },
        }
    }

    /// An error with instructions to install the plugin, if not many had them.
    fn hinted(&self, state: &mut State, error: ExecError) -> ExecError {
        if !error.has_hint() {
            return error;
        }
        let (since, hints) = state.hints.get_or_insert_with(|| (Instant::now(), 0));
        if since.elapsed() >= HINTS_IN {
            (*since, *hints) = (Instant::now(), 0);
        }
        *hints += 1;
        if *hints <= HINTS { error } else { error.without_hint() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
