//! The flags of `klient config set-credentials` for an exec plugin.

use clap::Args;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::flag_values::go_bool;

/// Flags for an exec plugin. All but the command have no effect on a user without one.
#[derive(Args, Debug)]
pub(super) struct ExecFlags {
    /// Command of an exec credential plugin
    #[arg(long, value_name = "COMMAND")]
    exec_command: Option<String>,
    /// API version of the plugin
    #[arg(long, value_name = "VERSION")]
    exec_api_version: Option<String>,
    /// Arguments of the command; can be repeated
    #[arg(long, value_name = "ARGUMENT", value_delimiter = ',')]
    exec_arg: Vec<String>,
    /// Environment variable of the command: NAME=VALUE, or NAME- to remove it; can be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    exec_env: Vec<String>,
    /// Use of standard input by the plugin: Never, IfAvailable or Always
    #[arg(long, value_name = "MODE")]
    exec_interactive_mode: Option<String>,
    /// Tell the plugin the cluster
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    exec_provide_cluster_info: Option<bool>,
}

impl ExecFlags {
    /// Returns the variables of the environment.
    ///
    /// # Errors
    ///
    /// If one is no `NAME=VALUE` and no `NAME-`.
    pub(super) fn env(&self) -> Result<Pairs, CliError> {
        Pairs::parse(&self.exec_env, "exec-env")
    }

    pub(super) fn check(&self) -> Result<(), CliError> {
        match self.exec_interactive_mode.as_deref() {
            None | Some("Never" | "IfAvailable" | "Always") => Ok(()),
            Some(_) => Err(CliError::message(
                "invalid interactive mode type, can be only IfAvailable, Never, Always",
            )),
        }
    }

    /// Sets the fields of a plugin. A new command has none of the old arguments.
    pub(super) fn apply(&self, exec: &mut Option<Value>, env: &Pairs) {
        if let Some(command) = &self.exec_command {
            let plugin = exec.get_or_insert_with(|| json!({}));
            plugin["command"] = command.as_str().into();
            plugin["args"] = Value::Null;
        }
        let Some(plugin) = exec else { return };
        if let Some(version) = &self.exec_api_version {
            plugin["apiVersion"] = version.as_str().into();
        }
        if !self.exec_arg.is_empty() {
            plugin["args"] = self.exec_arg.clone().into();
        }
        if let Some(mode) = &self.exec_interactive_mode {
            plugin["interactiveMode"] = mode.as_str().into();
        }
        if let Some(provide) = self.exec_provide_cluster_info {
            plugin["provideClusterInfo"] = provide.into();
        }
        if env.set.is_empty() && env.removed.is_empty() {
            return;
        }
        let mut variables = plugin["env"].as_array().cloned().unwrap_or_default();
        variables.retain(|variable| env.removed.iter().all(|name| variable["name"] != **name));
        for (name, value) in &env.set {
            match variables.iter_mut().find(|variable| variable["name"] == **name) {
                Some(variable) => variable["value"] = value.as_str().into(),
                None => variables.push(json!({"name": name, "value": value})),
            }
        }
        plugin["env"] = variables.into();
    }
}

/// Values to set and to remove (kubectl's `ParsePairs`).
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) set: Vec<(String, String)>,
    pub(super) removed: Vec<String>,
}

impl Pairs {
    pub(super) fn parse(args: &[String], flag: &str) -> Result<Self, CliError> {
        let mut pairs = Pairs::default();
        let mut invalid = Vec::new();
        for arg in args {
            match (arg.split_once('='), arg.strip_suffix('-')) {
                (Some((name, value)), _) if !name.is_empty() => {
                    pairs.set.push((name.to_owned(), value.to_owned()));
                }
                (_, Some(name)) if !name.is_empty() => pairs.removed.push(name.to_owned()),
                _ => invalid.push(arg.as_str()),
            }
        }
        if !invalid.is_empty() {
            return Err(CliError::Message(format!("invalid {flag} format: {}", invalid.join(", "))));
        }
        Ok(pairs)
    }
}
