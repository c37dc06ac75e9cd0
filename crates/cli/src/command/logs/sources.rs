//! [`Source`], the containers whose logs are printed.

use klient_api::core::v1::Pod;
use klient_apimachinery::go::quoted;
use klient_client::LogOptions;

use crate::console::Console;
use crate::error::CliError;
use crate::pod_containers::{self, DEFAULT_CONTAINER};

/// A container whose log is printed.
pub(super) struct Source {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) container: String,
    pub(super) options: LogOptions,
}

impl Source {
    /// The beginning of its lines.
    pub(super) fn prefix(&self) -> String {
        format!("[pod/{}/{}] ", self.pod, self.container)
    }
}

/// The flags that choose more than one container.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    pub(super) all_containers: bool,
    pub(super) all_pods: bool,
}

/// Returns the containers of pods: all, the named one, or the default one, which is told if there are others.
///
/// # Errors
///
/// If a pod has no container of the name.
pub(super) fn of(
    pods: Vec<Pod>,
    options: &LogOptions,
    choice: Choice,
    console: &mut Console,
) -> Result<Vec<Source>, CliError> {
    let mut sources = Vec::new();
    for pod in pods {
        let containers: Vec<String> = match choice.all_containers {
            true => pod_containers::in_order(&pod).map(str::to_owned).collect(),
            false => vec![one(&pod, options.container.as_deref(), choice, console)?],
        };
        let [namespace, name] = [&pod.metadata.namespace, &pod.metadata.name]
            .map(|text| text.as_deref().unwrap_or_default().to_owned());
        sources.extend(containers.into_iter().map(|container| Source {
            namespace: namespace.clone(),
            pod: name.clone(),
            options: LogOptions { container: Some(container.clone()), ..options.clone() },
            container,
        }));
    }
    Ok(sources)
}

/// The named container, or the default one. One of the annotation that the pod does not have is only told.
fn one(pod: &Pod, named: Option<&str>, choice: Choice, console: &mut Console) -> Result<String, CliError> {
    if let Some(named) = named.filter(|name| !name.is_empty()) {
        return pod_containers::check(pod, named).map(|()| named.to_owned());
    }
    let annotated = pod.metadata.annotations.get(DEFAULT_CONTAINER).map(|name| &**name);
    if let Some(annotated) = annotated.filter(|name| !name.is_empty()) {
        if pod_containers::has(pod, annotated) {
            return Ok(annotated.to_owned());
        }
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let annotated = quoted(annotated);
        console.eprintln(format_args!("Default container name {annotated} not found in pod {name}"));
    }
    let first = pod.spec.containers.first().map(|container| container.name.to_string()).unwrap_or_default();
    if !choice.all_pods {
        pod_containers::notice_default(pod, &first, console);
    }
    Ok(first)
}
