//! `klient cp`.

use clap::Args;
use klient_api::core::v1::Pod;
use klient_apimachinery::go::quoted;
use klient_client::{CopyOptions, ErrorKind};

use crate::error::CliError;
use crate::pod_containers;
use crate::remote_session::{REMOTE_COMMAND_WEBSOCKETS, refused};
use crate::session::Session;

pub(crate) const USAGE: &str = "klient cp SOURCE DESTINATION [-c CONTAINER] [OPTIONS]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Copy a folder into a pod of the current namespace
  klient cp site web-0:/usr/share/nginx/html

  # Copy a file out of a container of a pod of another namespace
  klient cp shop/web-0:/etc/nginx/nginx.conf nginx.conf -c nginx

  # Copy much over a connection that breaks at times
  klient cp web-0:/var/log logs --retries=10

The container needs tar; with --retries also sh and tail.";

/// Arguments of `cp`.
#[derive(Args, Debug)]
pub(crate) struct CpArgs {
    /// The source and the destination, of which one is [NAMESPACE/]POD:PATH and the other a local path
    #[arg(value_name = "SOURCE | DESTINATION")]
    arguments: Vec<String>,
    /// Container name; the default is that of the annotation kubectl.kubernetes.io/default-container, or the first
    #[arg(short, long, value_name = "CONTAINER", default_value = "", hide_default_value = true)]
    container: String,
    /// Do not preserve owners and permissions in the container
    #[arg(long)]
    no_preserve: bool,
    /// Number of times that a copy from a container is continued after its connection broke; negative for any number
    #[arg(long, value_name = "RETRIES", default_value_t = 0)]
    retries: i64,
}

pub(crate) async fn run(args: CpArgs, session: &mut Session) -> Result<(), CliError> {
    let cluster = session.streaming_cluster(REMOTE_COMMAND_WEBSOCKETS)?;
    let [source, destination] = &args.arguments[..] else {
        return Err(CliError::message("source and destination are required"));
    };
    let (source, destination) = (FileSpec::parse(source)?, FileSpec::parse(destination)?);
    if source.path.is_empty() || destination.path.is_empty() {
        return Err(CliError::message("filepath can not be empty"));
    }
    let (remote, local) = match (source.pod, destination.pod) {
        (Some(_), Some(_)) => {
            return Err(CliError::message("one of src or dest must be a local file specification"));
        }
        (None, None) => {
            return Err(CliError::message("one of src or dest must be a remote file specification"));
        }
        (Some(pod), None) => (pod, destination.path),
        (None, Some(pod)) => (pod, source.path),
    };
    let copies_to_pod = source.pod.is_none();
    if copies_to_pod && std::fs::metadata(local).is_err() {
        return Err(CliError::Message(format!("{local} doesn't exist in local filesystem")));
    }
    let namespace = remote.namespace.unwrap_or_else(|| cluster.namespace());
    let pods = cluster.client().api::<Pod>().namespace(namespace);
    let pod = pods.get(remote.name).await?;
    pod_containers::check_not_completed(&pod, "exec into")?;
    let container = pod_containers::find_or_default(&pod, &args.container, false, &mut session.console)?;
    let options = CopyOptions {
        container: Some(container),
        no_preserve: args.no_preserve,
        // Any number, as long as one can wait for.
        retries: u32::try_from(args.retries).unwrap_or(u32::MAX),
        ..CopyOptions::default()
    };
    let copied = match copies_to_pod {
        true => pods.copy_to(remote.name, local, destination.path, &options).await,
        false => pods.copy_from(remote.name, source.path, local, &options).await,
    };
    let copied = copied.map_err(|error| failure(error, remote.name))?;
    for (path, reason) in copied.skipped {
        session
            .console
            .eprintln(format_args!("warning: skipping {}: {reason}", quoted(path.to_string_lossy())));
    }
    Ok(())
}

/// The error of a copy. The exit code of a command in the container becomes that of the program, as kubectl's.
fn failure(error: klient_client::Error, pod: &str) -> CliError {
    let text = error.to_string();
    match (error.exit_code(), text.split_once(&format!(" pod {pod}: "))) {
        (Some(code), _) => CliError::ExitCode { message: format!("error: {text}"), code },
        // kubectl tells the words of the server alone.
        (None, Some((_, words))) if error.kind() == ErrorKind::Refused => CliError::message(words),
        (None, _) => refused(error),
    }
}

/// A path, and the pod that it is in.
#[derive(Clone, Copy)]
struct FileSpec<'a> {
    pod: Option<RemotePod<'a>>,
    path: &'a str,
}

#[derive(Clone, Copy)]
struct RemotePod<'a> {
    namespace: Option<&'a str>,
    name: &'a str,
}

impl<'a> FileSpec<'a> {
    /// Parses `[[NAMESPACE/]POD:]PATH`.
    fn parse(text: &'a str) -> Result<Self, CliError> {
        let problem = "filespec must match the canonical format: [[namespace/]pod:]file/path";
        let Some((pod, path)) = text.split_once(':') else { return Ok(FileSpec { pod: None, path: text }) };
        if pod.is_empty() {
            return Err(CliError::message(problem));
        }
        let pod = match pod.split_once('/') {
            None => RemotePod { namespace: None, name: pod },
            Some((_, name)) if name.contains('/') => return Err(CliError::message(problem)),
            Some((namespace, name)) => {
                RemotePod { namespace: Some(namespace).filter(|namespace| !namespace.is_empty()), name }
            }
        };
        Ok(FileSpec { pod: Some(pod).filter(|pod| !pod.name.is_empty()), path })
    }
}
