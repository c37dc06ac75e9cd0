//! [`Settings`], the pod and the service of the flags of `run`.

use klient_apimachinery::{Unstructured, validation};
use serde_json::{Map, Value, json};

use super::RunArgs;
use crate::error::CliError;
use crate::go_form;

/// The values of the flags of `run`.
pub(super) struct Settings<'a> {
    args: &'a RunArgs,
    /// The labels of `--labels`.
    labels: Map<String, Value>,
    annotations: Map<String, Value>,
    /// Objects of `name` and `value`.
    env: Vec<Value>,
}

impl<'a> Settings<'a> {
    /// Reads the values of the flags.
    ///
    /// # Errors
    ///
    /// If one is malformed.
    pub(super) fn of(args: &'a RunArgs) -> Result<Self, CliError> {
        let settings = Settings {
            args,
            annotations: annotations(&args.annotations)?,
            labels: labels(&args.labels)?,
            env: args.env.iter().map(|variable| self::variable(variable)).collect::<Result<_, _>>()?,
        };
        let (restart, pull) = (&args.restart, &args.image_pull_policy);
        match restart.as_str() {
            "" | "Always" | "OnFailure" | "Never" => {}
            _ => {
                return Err(CliError::Message(format!(
                    "invalid restart policy: {restart}, valid values are: Always, OnFailure, Never"
                )));
            }
        }
        match pull.as_str() {
            "" | "Always" | "IfNotPresent" | "Never" => Ok(settings),
            _ => Err(CliError::Message(format!(
                "invalid image pull policy: {pull}, valid values are: Always, IfNotPresent, Never"
            ))),
        }
    }

    fn name(&self) -> &'a str {
        self.args.words().next().map_or("", String::as_str)
    }

    /// The labels of the pod.
    fn pod_labels(&self) -> Map<String, Value> {
        match self.labels.is_empty() {
            true => [("run".to_owned(), self.name().into())].into_iter().collect(),
            false => self.labels.clone(),
        }
    }

    /// The number of the port, cut to 32 bits as by kubectl. The server checks its range.
    fn port(&self) -> Option<i32> {
        #[expect(clippy::cast_possible_truncation, reason = "kubectl truncates it")]
        self.args.port.parse::<i64>().ok().map(|port| port as i32)
    }

    /// The pod, in Go's form.
    pub(super) fn pod(&self) -> Unstructured {
        let RunArgs { image, image_pull_policy, restart, .. } = self.args;
        let mut container = json!({"name": self.name(), "image": image});
        let words: Vec<&String> = self.args.words().skip(1).collect();
        if !words.is_empty() {
            container[if self.args.command { "command" } else { "args" }] = json!(words);
        }
        if !self.env.is_empty() {
            container["env"] = json!(self.env);
        }
        if let Some(port) = self.port() {
            container["ports"] = json!([{"containerPort": port}]);
        }
        if self.args.privileged {
            container["securityContext"] = json!({"privileged": true});
        }
        container["imagePullPolicy"] = json!(image_pull_policy);
        container["stdin"] = json!(self.args.stdin);
        container["stdinOnce"] = json!(self.args.stdin && !self.args.leave_stdin_open);
        container["tty"] = json!(self.args.tty);
        let restart = match restart.as_str() {
            "" if self.args.stdin => "OnFailure",
            "" => "Always",
            restart => restart,
        };
        let mut pod = Unstructured::new("v1", "Pod", self.name());
        pod["metadata"]["labels"] = Value::Object(self.pod_labels());
        pod["metadata"]["annotations"] = Value::Object(self.annotations.clone());
        pod["spec"] =
            json!({"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart});
        go_form::of(pod).expect("its fields have the types of the schema")
    }

    /// The service, in Go's form.
    pub(super) fn service(&self) -> Unstructured {
        let mut service = Unstructured::new("v1", "Service", self.name());
        service["metadata"]["labels"] = Value::Object(self.labels.clone());
        let port = self.port().unwrap_or_default();
        service["spec"] = json!({
            "selector": self.pod_labels(),
            "ports": [{"port": port, "protocol": "TCP", "targetPort": port}],
        });
        go_form::of(service).expect("its fields have the types of the schema")
    }
}

/// Parses `NAME=VALUE,…`.
fn labels(text: &str) -> Result<Map<String, Value>, CliError> {
    let mut labels = Map::new();
    for label in text.split(',').filter(|_| !text.is_empty()) {
        match label.split('=').collect::<Vec<_>>()[..] {
            ["", _] => return Err(CliError::message("unexpected empty label key")),
            [key, value] => drop(labels.insert(key.to_owned(), value.into())),
            _ => return Err(CliError::Message(format!("unexpected label spec: {label}"))),
        }
    }
    Ok(labels)
}

/// Parses annotations of the form `NAME=VALUE`.
fn annotations(texts: &[String]) -> Result<Map<String, Value>, CliError> {
    let (mut annotations, mut invalid) = (Map::new(), Vec::new());
    for text in texts {
        match text.split_once('=').filter(|(name, _)| !name.is_empty()) {
            Some((name, value)) => drop(annotations.insert(name.to_owned(), value.into())),
            None => invalid.push(text.as_str()),
        }
    }
    match invalid.is_empty() {
        true => Ok(annotations),
        false => Err(CliError::Message(format!("invalid annotations format: {}", invalid.join(", ")))),
    }
}

/// Parses an environment variable of the form `NAME=VALUE`.
fn variable(text: &str) -> Result<Value, CliError> {
    let pair = text.split_once('=').filter(|(name, _)| validation::env_var_name(name).is_empty());
    match pair {
        Some((name, "")) => Ok(json!({"name": name})),
        Some((name, value)) => Ok(json!({"name": name, "value": value})),
        None => Err(CliError::Message(format!("invalid env: {text}"))),
    }
}
