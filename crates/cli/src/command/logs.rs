//! `klient logs`.

mod sources;
mod stream;

use std::time::Duration;

use clap::Args;
use klient_api::core::v1::Pod;
use klient_apimachinery::go::quoted;
use klient_apimachinery::{Resource as _, Time};
use klient_client::{ListOptions, LogOptions};

use crate::cluster::Cluster;
use crate::console::Console;
use crate::error::CliError;
use crate::flag_values::Timeout;
use crate::pod_order::by_logging;
use crate::pod_target::PodTarget;
use crate::resource_args;
use crate::resource_args::MUST_SPECIFY_RESOURCE;
use crate::session::Session;

/// The number of lines that are shown of each log if a selector chooses the pods.
const SELECTOR_TAIL: i64 = 10;

const NO_TARGET: &str = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";

pub(crate) const USAGE: &str = "klient logs [-f] [-p] (POD | TYPE/NAME | -l LABELS) [-c CONTAINER] [OPTIONS]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Print the log of a pod
  klient logs web-0

  # Follow the logs of all containers of the pods of a label
  klient logs -f -l app=web --all-containers --prefix

  # Print what a container printed before its last restart
  klient logs web-0 -c nginx --previous

  # Print the lines of the last hour of a deployment's pod, at most 20
  klient logs deployment/web --since=1h --tail=20";

/// Arguments of `logs`.
#[derive(Args, Debug)]
pub(crate) struct LogsArgs {
    /// The pod, or an object that has pods, and a container: POD or TYPE/NAME, and CONTAINER
    #[arg(value_name = "POD | TYPE/NAME")]
    arguments: Vec<String>,
    /// Print the logs of all pods, with prefixes
    #[arg(long)]
    all_pods: bool,
    /// Print the logs of all containers of a pod
    #[arg(long)]
    all_containers: bool,
    /// Print new lines as they come
    #[arg(short, long)]
    follow: bool,
    /// Begin each line with its time
    #[arg(long)]
    timestamps: bool,
    /// Number of bytes after which a log is cut; 0 means no limit
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    limit_bytes: i64,
    /// Print the log of the container before its last restart
    #[arg(short, long)]
    previous: bool,
    /// Number of lines from the end; -1 is all, and the default is 10 with a selector
    #[arg(long, value_name = "LINES")]
    tail: Option<i64>,
    /// Go on after errors
    #[arg(long)]
    ignore_errors: bool,
    /// Print lines from a time on, as 2024-08-30T06:00:00Z; not together with --since
    #[arg(long, value_name = "TIME", default_value = "", hide_default_value = true)]
    since_time: String,
    /// Print lines that are not older than a duration, as 5s, 2m or 3h; not together with --since-time
    #[arg(long, value_name = "DURATION", default_value = "0s", hide_default_value = true)]
    since: Timeout,
    /// Print the log of this container
    #[arg(short, long)]
    container: Option<String>,
    /// Skip the verification of the kubelet's certificate
    #[arg(long)]
    insecure_skip_tls_verify_backend: bool,
    /// Time to wait until at least one pod is running, as 5s, 2m or 3h
    #[arg(long, value_name = "DURATION", default_value = "20s")]
    pod_running_timeout: Timeout,
    /// Label selector of the pods, such as app=web,tier!=cache
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// Number of logs that can be followed at the same time
    #[arg(long, value_name = "LOGS", default_value_t = 5)]
    max_log_requests: i64,
    /// Begin each line with the names of the pod and the container
    #[arg(long)]
    prefix: bool,
}

pub(crate) async fn run(args: LogsArgs, session: &mut Session) -> Result<(), CliError> {
    let usage = |problem: &str| Err(CliError::usage(&session.program, "logs", problem));
    let (target, inline) = match &args.arguments[..] {
        [] if args.selector.is_empty() => return usage(NO_TARGET),
        [] => (None, None),
        [_] if !args.selector.is_empty() => return usage("only a selector (-l) or a POD name is allowed"),
        [target] => (Some(target), None),
        [target, container] => (Some(target), Some(container.clone())),
        _ => return usage(NO_TARGET),
    };
    if target.is_some_and(|target| target.is_empty()) {
        return Err(CliError::message(MUST_SPECIFY_RESOURCE));
    }
    let cluster = session.cluster()?;
    let timeout = args.pod_running_timeout.of_running_pod().map_err(CliError::message)?;
    let container = inline.clone().or_else(|| args.container.clone());
    let options = args.options(container)?;
    let found = match target {
        Some(target) => Found::Object(read(&cluster, target).await?),
        None => Found::Pods(selected(&cluster, &args.selector, session).await?),
    };
    args.check(&options, inline.is_some())?;
    let pods = match found {
        Found::Pods(pods) => pods,
        Found::Object(target) => match target.as_pod()? {
            Some(pod) => vec![pod],
            None => behind(&target, &cluster, &args, timeout, session).await?,
        },
    };
    let choice = sources::Choice { all_containers: args.all_containers, all_pods: args.all_pods };
    let sources = sources::of(pods, &options, choice, &mut session.console)?;
    let allowed = usize::try_from(args.max_log_requests.max(1)).unwrap_or(usize::MAX);
    if args.follow && sources.len() > allowed {
        return Err(CliError::Message(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {}, use --max-log-requests \
             to increase the limit",
            sources.len(),
            args.max_log_requests
        )));
    }
    let settings = stream::Settings {
        prefix: args.prefix || args.all_pods,
        ignore_errors: args.ignore_errors,
        // What a container printed before is there at once, or never.
        retries_for: (args.follow && !args.previous).then_some(timeout),
    };
    stream::print(&cluster, sources, settings).await
}

/// Prints the log of one container of a pod: the named one, or the default one, which is told if there are others.
///
/// # Errors
///
/// If the pod has no such container, or the server refuses its log.
pub(crate) async fn print_one(
    cluster: &Cluster,
    pod: &Pod,
    options: &LogOptions,
    console: &mut Console,
) -> Result<(), CliError> {
    let choice = sources::Choice { all_containers: false, all_pods: false };
    let sources = sources::of(vec![pod.clone()], options, choice, console)?;
    let settings = stream::Settings { prefix: false, ignore_errors: false, retries_for: None };
    stream::print(cluster, sources, settings).await
}

/// The pods, or the object that has them.
enum Found {
    Object(PodTarget),
    Pods(Vec<Pod>),
}

async fn read(cluster: &Cluster, target: &str) -> Result<PodTarget, CliError> {
    PodTarget::read(cluster, target).await.map_err(|failure| match failure {
        CliError::Client { error, .. } if error.is_not_found() => {
            let problem = CliError::from(*error).go_error();
            let namespace = quoted(cluster.namespace());
            CliError::Message(format!("error from server (NotFound): {problem} in namespace {namespace}"))
        }
        failure => failure,
    })
}

/// The pods that a label selector chooses.
async fn selected(cluster: &Cluster, selector: &str, session: &mut Session) -> Result<Vec<Pod>, CliError> {
    let pods = cluster.client().api::<Pod>().namespace(cluster.namespace());
    let options = ListOptions { label_selector: Some(selector.into()), ..ListOptions::default() };
    let list = pods.list(&options).await;
    let list = list.map_err(|error| resource_args::list_error(&Pod::INFO, selector, "", error))?;
    if list.items.is_empty() {
        let namespace = cluster.namespace();
        session.console.eprintln(format_args!("No resources found in {namespace} namespace."));
    }
    Ok(list.items)
}

/// The pods of an object: all of them, or the one whose logs tell most.
async fn behind(
    target: &PodTarget,
    cluster: &Cluster,
    args: &LogsArgs,
    timeout: Duration,
    session: &mut Session,
) -> Result<Vec<Pod>, CliError> {
    let selector = target.selector("cannot get the logs from")?;
    let mut pods = target.pods(cluster, &selector, by_logging, timeout).await?;
    if pods.len() > 1 && !args.all_pods {
        let name = pods[0].metadata.name.as_deref().unwrap_or_default();
        session.console.eprintln(format_args!("Found {} pods, using pod/{name}", pods.len()));
        pods.truncate(1);
    }
    Ok(pods)
}

impl LogsArgs {
    /// The options of the requests. What does not fit them is checked by [`check`](Self::check), as by kubectl after the
    /// object is read.
    fn options(&self, container: Option<String>) -> Result<LogOptions, CliError> {
        let since_time = match &*self.since_time {
            "" => None,
            text => Some(text.parse::<Time>().map_err(|_| {
                let text = quoted(text);
                CliError::Message(format!(
                    r#"parsing time {text} as "2006-01-02T15:04:05Z07:00": cannot parse {text} as "2006""#
                ))
            })?),
        };
        let tail = self.tail.unwrap_or(if self.selector.is_empty() { -1 } else { SELECTOR_TAIL });
        let since = self.since.0.to_std().filter(|since| !since.is_zero());
        Ok(LogOptions {
            container,
            follow: self.follow,
            previous: self.previous,
            since: since.map(to_second),
            since_time,
            timestamps: self.timestamps,
            tail_lines: u64::try_from(tail).ok(),
            limit_bytes: u64::try_from(self.limit_bytes).ok().filter(|limit| *limit > 0),
            insecure_skip_tls_verify_backend: self.insecure_skip_tls_verify_backend,
            ..LogOptions::default()
        })
    }

    fn check(&self, options: &LogOptions, has_inline: bool) -> Result<(), CliError> {
        let since_is_negative = self.since.0.to_std().is_none();
        if options.since_time.is_some() && (options.since.is_some() || since_is_negative) {
            let problem = "at most one of `sinceTime` or `sinceSeconds` may be specified";
            return Err(CliError::message(problem));
        }
        if let Some(container) =
            options.container.as_deref().filter(|name| self.all_containers && !name.is_empty())
        {
            return Err(CliError::Message(format!(
                "--all-containers=true should not be specified with container name {container}"
            )));
        }
        let problem = if self.container.is_some() && has_inline {
            "only one of -c or an inline [CONTAINER] arg is allowed"
        } else if self.limit_bytes < 0 {
            "--limit-bytes must be greater than 0"
        } else if since_is_negative {
            "--since must be greater than 0"
        } else if self.tail.is_some_and(|lines| lines < -1) {
            "--tail must be greater than or equal to -1"
        } else {
            return Ok(());
        };
        Err(CliError::message(problem))
    }
}

/// Rounds to seconds, as Go's `Round`; the parameter has no fractions.
fn to_second(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs() + u64::from(time.subsec_millis() >= 500))
}
