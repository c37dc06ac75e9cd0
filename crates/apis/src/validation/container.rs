//! Containers of Pods: the main ones, those before them, and those attached later.

use std::collections::{BTreeMap, HashSet};

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use serde_json::Value;

use super::at::At;
use super::form::{dns_label, port_name, port_number};
use super::{env, mount, probe, resources, security};

/// The parts of a Pod that the validation of its containers depends on.
pub(super) struct Pod<'p, 'v> {
    pub(super) spec: &'p At<'p, 'v>,
    /// The volumes that can be mounted.
    pub(super) volumes: BTreeMap<&'v str, &'v Value>,
    /// The names of resource claims.
    pub(super) claims: HashSet<&'v str>,
}

impl Pod<'_, '_> {
    fn grace(&self) -> Option<i64> {
        self.spec.get("terminationGracePeriodSeconds").int()
    }

    fn os(&self) -> &str {
        self.spec.get("os.name").text()
    }

    fn has_host_users(&self) -> bool {
        let users = self.spec.get("hostUsers");
        !users.is_set() || users.flag()
    }
}

/// Checks the containers of a Pod: ordinary, init and ephemeral ones.
pub(super) fn containers(pod: &Pod<'_, '_>, problems: &mut ErrorList) {
    main_containers(pod, problems);
    init_containers(pod, problems);
    ephemeral_containers(pod, problems);
}

fn main_containers(pod: &Pod<'_, '_>, problems: &mut ErrorList) {
    let containers = pod.spec.get("containers");
    if containers.is_empty() {
        return problems.add(containers.required(""));
    }
    let mut names = HashSet::new();
    for container in containers.items() {
        common(&container, pod, problems);
        let name = container.get("name");
        if names.contains(&name.text()) {
            problems.add(name.duplicate(name.text()));
        }
        names.insert(name.text());
        probe::probes(&container, pod.grace(), pod.os(), problems);
        restart_policy(&container, problems);
    }
    host_ports(containers.items(), problems);
}

fn init_containers(pod: &Pod<'_, '_>, problems: &mut ErrorList) {
    let containers = pod.spec.get("initContainers");
    let mut names = names_in(pod.spec, "containers");
    for container in containers.items() {
        common(&container, pod, problems);
        restart_policy(&container, problems);
        let name = container.get("name");
        if names.contains(&name.text()) {
            problems.add(name.duplicate(name.text()));
        } else if !name.is_empty() {
            names.insert(name.text());
        }
        host_ports([container], problems);
        if container.get("restartPolicy").text() == "Always" {
            probe::probes(&container, pod.grace(), pod.os(), problems);
        } else {
            runs_once(&container, problems);
        }
    }
}

/// A container that runs to its end before others start is not probed.
fn runs_once(container: &At<'_, '_>, problems: &mut ErrorList) {
    for name in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
        let at = container.get(name);
        if at.is_set() {
            problems.add(at.forbidden("may not be set for init containers without restartPolicy=Always"));
        }
    }
    for policy in container.get("resizePolicy").items() {
        let restart = policy.get("restartPolicy");
        if restart.text() == "RestartContainer" {
            let problem = "must not be set to 'RestartContainer' for non-sidecar initContainers";
            problems.add(restart.invalid(problem));
        }
    }
}

fn ephemeral_containers(pod: &Pod<'_, '_>, problems: &mut ErrorList) {
    let mut names = names_in(pod.spec, "containers");
    names.extend(names_in(pod.spec, "initContainers"));
    let others = names.clone();
    for container in pod.spec.get("ephemeralContainers").items() {
        common(&container, pod, problems);
        image_is_trimmed(&container, problems);
        let name = container.get("name");
        if names.contains(&name.text()) {
            problems.add(name.duplicate(name.text()));
        } else {
            names.insert(name.text());
        }
        let target = container.get("targetContainerName");
        if !target.is_empty() && !others.contains(&target.text()) {
            problems.add(target.not_found());
        }
        for name in [
            "ports",
            "resources",
            "resizePolicy",
            "restartPolicy",
            "restartPolicyRules",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle",
        ] {
            let at = container.get(name);
            if at.is_set() && !at.is_empty() {
                problems.add(at.forbidden(NOT_EPHEMERAL));
            }
        }
        for mount in container.get("volumeMounts").items() {
            for name in ["subPath", "subPathExpr"] {
                if !mount.get(name).is_empty() {
                    problems.add(mount.get(name).forbidden(NOT_EPHEMERAL));
                }
            }
        }
    }
}

const NOT_EPHEMERAL: &str = "cannot be set for an Ephemeral Container";

fn names_in<'v>(spec: &At<'_, 'v>, list: &str) -> HashSet<&'v str> {
    spec.get(list).items().map(|container| container.get("name").text()).collect()
}

/// Checks the fields that all kinds of containers have.
fn common(container: &At<'_, '_>, pod: &Pod<'_, '_>, problems: &mut ErrorList) {
    container.get("name").must_have(dns_label, problems);
    container.get("image").must_be_set("", problems);
    let message_policies = ["File", "FallbackToLogsOnError"];
    container.get("terminationMessagePolicy").must_have_one_of(&message_policies, problems);
    ports(&container.get("ports"), problems);
    env::variables(&container.get("env"), problems);
    env::sources(&container.get("envFrom"), problems);
    mount::mounts(container, &pod.volumes, problems);
    container.get("imagePullPolicy").must_have_one_of(&["Always", "IfNotPresent", "Never"], problems);
    resources::requirements(&container.get("resources"), &pod.claims, problems);
    resize_policies(&container.get("resizePolicy"), pod.spec.get("restartPolicy").text(), problems);
    security::of_container(&container.get("securityContext"), pod.has_host_users(), problems);
}

fn ports(ports: &At<'_, '_>, problems: &mut ErrorList) {
    let mut names = HashSet::new();
    for port in ports.items() {
        let (name, number) = (port.get("name"), port.get("containerPort"));
        if !name.is_empty() {
            let found = port_name(name.text());
            if !found.is_empty() {
                problems.invalid(&name.path(), name.text(), found);
            } else if names.contains(&name.text()) {
                problems.add(name.duplicate(name.text()));
            } else {
                names.insert(name.text());
            }
        }
        if number.number() == 0 {
            problems.add(number.required(""));
        }
        for at in [number, port.get("hostPort")] {
            if at.number() != 0 {
                problems.0.extend(port_number(at.number()).into_iter().map(|problem| at.invalid(problem)));
            }
        }
        port.get("protocol").must_have_one_of(&["SCTP", "TCP", "UDP"], problems);
    }
}

fn host_ports<'p, 'v: 'p>(containers: impl IntoIterator<Item = At<'p, 'v>>, problems: &mut ErrorList) {
    let mut taken = HashSet::new();
    for container in containers {
        for port in container.get("ports").items() {
            let number = port.get("hostPort");
            if number.number() == 0 {
                continue;
            }
            let (protocol, ip) = (port.get("protocol").text(), port.get("hostIP").text());
            let shown = format!("{protocol}/{ip}/{}", number.number());
            if taken.contains(&shown) {
                problems.add(number.duplicate(shown));
            } else {
                taken.insert(shown);
            }
        }
    }
}

fn resize_policies(policies: &At<'_, '_>, restart_policy: &str, problems: &mut ErrorList) {
    let mut seen = HashSet::new();
    for policy in policies.items() {
        let (resource, restart) = (policy.get("resourceName").text(), policy.get("restartPolicy").text());
        if seen.contains(&resource) {
            problems.add(policy.duplicate(resource));
        }
        seen.insert(resource);
        let mut check = |value: &str, allowed: &[&str]| match value {
            "" => problems.add(policies.required("")),
            _ if allowed.contains(&value) => {}
            _ => problems.add(FieldError::not_supported(policies.path(), value, allowed)),
        };
        check(resource, &["cpu", "memory"]);
        check(restart, &["NotRequired", "RestartContainer"]);
        if restart_policy == "Never" && restart != "NotRequired" {
            let problem = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            problems.add(policies.invalid_as(restart, problem));
        }
    }
}

/// Checks a container's own restart policy and its rules.
fn restart_policy(container: &At<'_, '_>, problems: &mut ErrorList) {
    let (policy, rules) = (container.get("restartPolicy"), container.get("restartPolicyRules"));
    if policy.is_set() {
        policy.must_be_one_of(&["Always", "Never", "OnFailure"], problems);
    } else if !rules.is_empty() {
        problems.add(policy.required("must specify restartPolicy when restart rules are used"));
    }
    rules.must_have_at_most(20, problems);
    for rule in rules.items() {
        rule.get("action").must_be_one_of(&["Restart", "RestartAllContainers"], problems);
        let codes = rule.get("exitCodes");
        if codes.is_set() {
            codes.get("operator").must_be_one_of(&["In", "NotIn"], problems);
        } else {
            problems.add(codes.required("must be specified"));
        }
    }
}

/// Real Pods, unlike templates, may have no blanks around images.
pub(super) fn image_is_trimmed(container: &At<'_, '_>, problems: &mut ErrorList) {
    let image = container.get("image");
    if image.text().trim() != image.text() {
        problems.add(image.invalid("must not have leading or trailing whitespace"));
    }
}
