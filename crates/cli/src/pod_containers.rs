//! Containers of a pod by name, and the default one (kubectl's `podcmd`).

use klient_api::core::v1::Pod;
use klient_apimachinery::go::quoted;

use crate::console::Console;
use crate::error::CliError;

/// The annotation that names the default container of a pod.
pub(crate) const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// Checks that a pod has not ended, before a command does something in a container of it: `exec into`, `attach`.
///
/// # Errors
///
/// If it has, with its phase.
pub(crate) fn check_not_completed(pod: &Pod, action: &str) -> Result<(), CliError> {
    match pod.status.phase.as_deref() {
        Some(phase @ ("Succeeded" | "Failed")) => Err(CliError::Message(format!(
            "cannot {action} a container in a completed pod; current phase is {phase}"
        ))),
        _ => Ok(()),
    }
}

/// Returns the name of the container to use: the given one unless it is empty, that of the annotation, or the first with a
/// notice if there are others.
///
/// # Errors
///
/// If the pod has no container of the name.
pub(crate) fn find_or_default(
    pod: &Pod,
    name: &str,
    quiet: bool,
    console: &mut Console,
) -> Result<String, CliError> {
    let Some(first) = pod.spec.containers.first() else {
        let [namespace, name] = [&pod.metadata.namespace, &pod.metadata.name].map(|text| text.as_deref());
        return Err(CliError::Message(format!(
            "pod {}/{} does not have any containers",
            namespace.unwrap_or_default(),
            name.unwrap_or_default()
        )));
    };
    let annotated = pod.metadata.annotations.get(DEFAULT_CONTAINER).map(|name| &**name);
    let wanted = [Some(name), annotated].into_iter().flatten().find(|name| !name.is_empty());
    if let Some(wanted) = wanted {
        return check(pod, wanted).map(|()| wanted.to_owned());
    }
    if !quiet {
        notice_default(pod, &first.name, console);
    }
    Ok(first.name.to_string())
}

/// Says which container is used, if there are others.
pub(crate) fn notice_default(pod: &Pod, container: &str, console: &mut Console) {
    let spec = &pod.spec;
    if spec.containers.len() > 1 || !spec.init_containers.is_empty() || !spec.ephemeral_containers.is_empty()
    {
        let container = quoted(container);
        console.eprintln(format_args!("Defaulted container {container} out of: {}", all_names(pod)));
    }
}

/// Checks that the pod has a container.
///
/// # Errors
///
/// If it has none of the name.
pub(crate) fn check(pod: &Pod, container: &str) -> Result<(), CliError> {
    if has(pod, container) {
        return Ok(());
    }
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let names = all_names(pod);
    Err(CliError::Message(format!("container {container} is not valid for pod {name} out of: {names}")))
}

/// Returns true if the pod has a container of any kind.
pub(crate) fn has(pod: &Pod, name: &str) -> bool {
    in_order(pod).any(|container| container == name)
}

/// Returns true if a container has a terminal.
pub(crate) fn has_terminal(pod: &Pod, name: &str) -> bool {
    let spec = &pod.spec;
    let mut containers = spec.containers.iter().chain(&spec.init_containers);
    let ephemeral = || {
        let mut ephemeral = spec.ephemeral_containers.iter();
        ephemeral.any(|container| container.name == name && container.tty == Some(true))
    };
    containers.any(|container| container.name == name && container.tty == Some(true)) || ephemeral()
}

/// The names of all containers, in the order in which they run: init containers first.
pub(crate) fn in_order(pod: &Pod) -> impl Iterator<Item = &str> {
    let init = pod.spec.init_containers.iter().map(|container| &*container.name);
    let main = pod.spec.containers.iter().map(|container| &*container.name);
    init.chain(main).chain(pod.spec.ephemeral_containers.iter().map(|container| &*container.name))
}

/// Lists the names of all containers, and their kinds.
fn all_names(pod: &Pod) -> String {
    let main = pod.spec.containers.iter().map(|container| container.name.to_string());
    let ephemeral =
        pod.spec.ephemeral_containers.iter().map(|container| format!("{} (ephem)", container.name));
    let init = pod.spec.init_containers.iter().map(|container| format!("{} (init)", container.name));
    main.chain(ephemeral).chain(init).collect::<Vec<_>>().join(", ")
}
