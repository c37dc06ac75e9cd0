//! `klient debug`.

mod containers;
mod custom_profile;
mod debugger;
mod profile;

use clap::Args;
use klient_api::core::v1::{ContainerStatus, Pod};
use klient_apimachinery::go::quoted;
use klient_apimachinery::patch::strategic;
use klient_apimachinery::{Object, Resource, Unstructured};
use klient_client::{Api, DeleteOptions, DynamicPlace, LogOptions, Patch};
use serde_json::Value;

use crate::attachment::{Attachment, DETACH_KEYS};
use crate::cluster::Cluster;
use crate::command::logs;
use crate::error::CliError;
use crate::flag_values::Pairs;
use crate::go_form;
use crate::image_reference;
use crate::manifest::{self, FilenameOptions, ReadOptions, ValidationDirective};
use crate::pod_target::PodTarget;
use crate::pod_wait::wait_for_pod;
use crate::remote_session::REMOTE_COMMAND_WEBSOCKETS;
use crate::session::Session;
use debugger::Debugger;

pub(crate) const USAGE: &str =
    "klient debug (POD | TYPE/NAME | -f FILE) [OPTIONS] [-- COMMAND [ARGUMENT...]]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Open a shell in an ephemeral container of a pod
  klient debug web-0 -it --image=busybox

  # The same among the processes of a container, with the privileges to trace them
  klient debug web-0 -it --image=busybox --target=app --profile=sysadmin

  # Open a shell beside the containers of a copy of a pod
  klient debug web-0 -it --image=busybox --copy-to=web-debug

  # Start a shell in place of a container's command in a copy of a pod
  klient debug web-0 -it --copy-to=web-debug --container=app -- sh

  # Copy a pod with another image in all containers
  klient debug web-0 --copy-to=web-debug --set-image=*=busybox

  # Open a shell in a pod on a node, whose files are in /host
  klient debug node/node-1 -it --image=busybox";

/// Arguments of `debug`.
#[derive(Args, Debug)]
pub(crate) struct DebugArgs {
    /// Pods or nodes: POD or TYPE/NAME
    #[arg(value_name = "POD | TYPE/NAME")]
    targets: Vec<String>,
    /// The command of the container and its arguments
    #[arg(last = true, value_name = "COMMAND", allow_hyphen_values = true)]
    command: Vec<String>,
    #[command(flatten)]
    files: FilenameOptions,
    /// The command line becomes the arguments of the container, and its command remains
    #[arg(long)]
    arguments_only: bool,
    /// Wait until the container runs, and attach to it; the default is true with --stdin
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = crate::flag_values::go_bool)]
    attach: Option<bool>,
    /// Name of the debug container
    #[arg(short, long, value_name = "CONTAINER", default_value = "", hide_default_value = true)]
    container: String,
    /// Create a copy of the pod with this name
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    copy_to: String,
    /// With --copy-to, delete the original pod
    #[arg(long)]
    replace: bool,
    /// Environment variables to set in the container; can be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<Pairs>,
    /// The image for the debug container
    #[arg(long, value_name = "IMAGE", default_value = "", hide_default_value = true)]
    image: String,
    /// The image pull policy for the container: Always, IfNotPresent or Never; the default is that of the server
    #[arg(long, value_name = "POLICY", default_value = "", hide_default_value = true)]
    image_pull_policy: String,
    /// With --copy-to, keep the labels of the pod
    #[arg(long)]
    keep_labels: bool,
    /// With --copy-to, keep the annotations of the pod
    #[arg(long)]
    keep_annotations: bool,
    /// With --copy-to, keep the liveness probes of the pod
    #[arg(long)]
    keep_liveness: bool,
    /// With --copy-to, keep the readiness probes of the pod
    #[arg(long)]
    keep_readiness: bool,
    /// With --copy-to, keep the startup probes of the pod
    #[arg(long)]
    keep_startup: bool,
    /// With --copy-to, keep the init containers of the pod
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set, value_parser = crate::flag_values::go_bool)]
    keep_init_containers: bool,
    /// With --copy-to, other images for containers of the pod; * is all of them
    #[arg(long, value_name = "CONTAINER=IMAGE")]
    set_image: Vec<Pairs>,
    /// Keep standard input open on the container, even if nothing is attached
    #[arg(short = 'i', long)]
    stdin: bool,
    /// Allocate a terminal for the container
    #[arg(short, long)]
    tty: bool,
    /// Suppress informational messages
    #[arg(short, long)]
    quiet: bool,
    /// With --copy-to, schedule the copy on the same node
    #[arg(long)]
    same_node: bool,
    /// With --copy-to, share the process namespace of the copy among its containers; the default is that of the profile
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = crate::flag_values::go_bool)]
    share_processes: Option<bool>,
    /// The container whose processes an ephemeral container sees
    #[arg(long, value_name = "CONTAINER", default_value = "", hide_default_value = true)]
    target: String,
    /// The privileges of the container: general, baseline, restricted, netadmin, sysadmin or legacy
    #[arg(long, value_name = "PROFILE", default_value = "general")]
    profile: String,
    /// JSON or YAML file of a part of a container, which changes that of the profile
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true)]
    custom: String,
}

impl DebugArgs {
    fn attaches(&self) -> bool {
        self.attach.unwrap_or(self.stdin)
    }

    fn copies(&self) -> bool {
        !self.copy_to.is_empty()
    }

    /// Checks the combination of flags, with their images.
    fn check(&self, set_images: &[(String, String)], session: &mut Session) -> Result<(), CliError> {
        if let Some(problem) = self.misuse(set_images) {
            return Err(CliError::message(problem));
        }
        if !self.image.is_empty() {
            image_reference::check(&self.image)?;
        }
        if self.targets.is_empty() && self.files.is_empty() {
            return Err(CliError::message("NAME or filename is required for debug"));
        }
        if !matches!(self.image_pull_policy.as_str(), "" | "Always" | "IfNotPresent" | "Never") {
            let policy = &self.image_pull_policy;
            return Err(CliError::Message(format!("invalid image pull policy: {policy}")));
        }
        if let Some((name, image)) = set_images.iter().find(|(_, image)| !image_reference::is_valid(image)) {
            return Err(CliError::Message(format!(
                "invalid image name {} for container {}: {}",
                quoted(image),
                quoted(name),
                image_reference::INVALID
            )));
        }
        if !self.target.is_empty() {
            if self.copies() {
                let problem = "--target is incompatible with --copy-to. Use --share-processes instead.";
                return Err(CliError::message(problem));
            }
            if !self.quiet {
                session.console.println(format_args!(
                    "Targeting container {}. If you don't see processes from this container it may be because the \
                     container runtime doesn't support this feature.",
                    quoted(&self.target)
                ))?;
            }
        }
        if self.tty && !self.stdin {
            return Err(CliError::message("-i/--stdin is required for containers with -t/--tty=true"));
        }
        Ok(())
    }

    /// The problem of flags that do not go together.
    fn misuse(&self, set_images: &[(String, String)]) -> Option<&'static str> {
        let (has_image, has_container) = (!self.image.is_empty(), !self.container.is_empty());
        let problem = if self.attach == Some(true) && !has_image && !has_container {
            "you must specify --container or create a new container using --image in order to attach."
        } else if self.copies() {
            if !has_image && set_images.is_empty() && self.command.is_empty() {
                "you must specify --image, --set-image or command arguments."
            } else if !self.command.is_empty() && !has_container && !has_image {
                "you must specify an existing container or a new image when specifying args."
            } else {
                return None;
            }
        } else if self.replace {
            "--replace may only be used with --copy-to."
        } else if self.same_node {
            "--same-node may only be used with --copy-to."
        } else if !set_images.is_empty() {
            "--set-image may only be used with --copy-to."
        } else if !has_image {
            "you must specify --image when not using --copy-to."
        } else {
            return None;
        };
        Some(problem)
    }
}

pub(crate) async fn run(args: DebugArgs, session: &mut Session) -> Result<(), CliError> {
    let cluster = session.streaming_cluster(REMOTE_COMMAND_WEBSOCKETS)?;
    let debugger = Debugger::of(&args)?;
    args.check(&debugger.set_images, session)?;
    debugger.check()?;
    if args.profile == profile::LEGACY {
        session.console.eprintln(
            "--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other \
             profile, for example \"--profile=general\".",
        );
    }
    if !args.files.is_empty() {
        if !args.targets.is_empty() {
            let problem = "resource/name arguments cannot be provided when a path is specified";
            return Err(CliError::message(problem));
        }
        let options = ReadOptions { validation: ValidationDirective::Ignore, enforce_namespace: true };
        for item in manifest::read(&cluster, &args.files, options).await? {
            let item = item?;
            let failed = |problem| format!("unable to decode {}: {problem}", quoted(&item.source));
            debug(&debugger, item.object, failed, &cluster, session).await?;
        }
        return Ok(());
    }
    for target in &args.targets {
        let object = PodTarget::read(&cluster, target).await?.into_object();
        debug(&debugger, object, |problem| problem, &cluster, session).await?;
    }
    Ok(())
}

/// Debugs a pod or a node, and attaches to the container. `undecodable` makes the error of an object with a field of
/// another type.
async fn debug(
    debugger: &Debugger<'_>,
    object: Unstructured,
    undecodable: impl FnOnce(String) -> String,
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(), CliError> {
    let object = go_form::of(object).map_err(|error| CliError::Message(undecodable(error.of_json)))?;
    let args = debugger.args;
    let kind = object.group_version_kind();
    let (pod, container) = match (&*kind.group, &*kind.version, &*kind.kind) {
        ("", "v1", "Node") => {
            let (pod, container) = debugger.node_pod(object.name(), &mut session.console)?;
            (pods(cluster, cluster.namespace()).create(&pod).await?, container)
        }
        ("", "v1", "Pod") if args.copies() => create_copy(debugger, &object, cluster, session).await?,
        ("", "v1", "Pod") => add_ephemeral_container(debugger, &object, cluster, session).await?,
        (group, version, kind) => {
            let kind = format!("{group}/{version}, Kind={kind}");
            return Err(CliError::Message(format!("{} not supported by debug", quoted(kind))));
        }
    };
    if args.attaches() && !container.is_empty() {
        attach(args, &pod, &container, cluster, session).await?;
    }
    Ok(())
}

fn pods(cluster: &Cluster, namespace: &str) -> Api<Unstructured, DynamicPlace> {
    cluster.client().dynamic(Pod::INFO.clone()).namespace(namespace)
}

/// Adds an ephemeral container to a pod. Returns the pod, and the name of the container.
async fn add_ephemeral_container(
    debugger: &Debugger<'_>,
    pod: &Unstructured,
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(Unstructured, String), CliError> {
    let (changed, container) = debugger.with_ephemeral_container(pod, &mut session.console)?;
    warn_of_user(&changed, &container, pod, session);
    let patch = strategic::diff(&pod.0, &changed.0, go_form::pod()).map_err(|error| {
        CliError::Message(format!("error creating patch to add debug container: {error}"))
    })?;
    let pods = pods(cluster, pod.namespace().unwrap_or_default());
    let patch = Patch::Strategic(Value::Object(patch));
    let patched = pods.patch_subresource(pod.name(), "ephemeralcontainers", &patch).await;
    let patched = patched.map_err(|error| {
        // A server without the subresource names no object.
        let details = error.as_status().and_then(|status| status.details.as_ref());
        let names_none = details.is_none_or(|details| details.name.as_deref().unwrap_or_default().is_empty());
        match error.is_not_found() && names_none {
            true => CliError::Message(format!(
                "ephemeral containers are disabled for this cluster (error from server: {})",
                quoted(CliError::from(error).go_error())
            )),
            false => error.into(),
        }
    })?;
    Ok((patched, container))
}

/// Creates a copy of a pod. Returns it and the name of the debug container, which is empty if there is none.
async fn create_copy(
    debugger: &Debugger<'_>,
    pod: &Unstructured,
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(Unstructured, String), CliError> {
    let (copy, container) = debugger.copy(pod, &mut session.console)?;
    warn_of_user(&copy, &container, &copy, session);
    let pods = pods(cluster, pod.namespace().unwrap_or_default());
    let created = pods.create(&copy).await?;
    if debugger.args.replace {
        let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
        pods.delete(pod.name(), &options).await?;
    }
    Ok((created, container))
}

/// Warns if a container has privileges of which its user, that of the whole pod, makes no use.
fn warn_of_user(pod: &Unstructured, container: &str, of_user: &Unstructured, session: &mut Session) {
    let user = of_user.at(&["spec", "securityContext", "runAsUser"]).and_then(Value::as_i64);
    let context = containers::find(&pod.0, container).and_then(|container| container.get("securityContext"));
    let Some(context) = context.filter(|_| user.is_some_and(|user| user != 0)) else { return };
    let adds = context["capabilities"]["add"].as_array().is_some_and(|added| !added.is_empty());
    if context["runAsUser"] != 0 && (context["privileged"] == true || adds) {
        session.console.eprintln(
            "Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug \
             profile may not work. Please consider using \"--custom\" with a custom profile that specifies \
             \"securityContext.runAsUser: 0\".",
        );
    }
}

/// Attaches to a container when it runs, or prints its log if it has ended.
async fn attach(
    args: &DebugArgs,
    pod: &Unstructured,
    container: &str,
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(), CliError> {
    let console = &mut session.console;
    let mut has_ended = false;
    let begun = |pod: &Pod| {
        let Some(state) = status(pod, container).and_then(|status| status.state.as_ref()) else {
            return false;
        };
        has_ended = state.terminated.is_some();
        let waiting = state.waiting.as_ref().and_then(|waiting| waiting.message.as_deref());
        let begins = has_ended || state.running.is_some();
        if let Some(message) = waiting.filter(|message| !begins && !args.quiet && !message.is_empty()) {
            console.eprintln(format_args!("Warning: container {container}: {message}"));
        }
        begins
    };
    let named = [pod.namespace().unwrap_or_default(), pod.name()];
    let pod = wait_for_pod(cluster, named, None, begun).await?;
    let options = LogOptions { container: Some(container.to_owned()), ..LogOptions::default() };
    if has_ended {
        return logs::print_one(cluster, &pod, &options, &mut session.console).await;
    }
    let attachment = Attachment {
        container: container.to_owned(),
        stdin: args.stdin,
        tty: args.tty,
        quiet: args.quiet,
        detach_keys: DETACH_KEYS.to_owned(),
    };
    attachment.attach_or_print_log(cluster, &pod, &options, session).await
}

/// The status of a container of any kind.
fn status<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerStatus> {
    let status = &pod.status;
    let lists =
        [&status.init_container_statuses, &status.container_statuses, &status.ephemeral_container_statuses];
    lists.into_iter().flatten().find(|status| status.name == container)
}
