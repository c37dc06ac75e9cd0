//! kuberc, the file of a user's preferences: `kubectl.config.k8s.io/v1beta1`, KEP-3104. It has aliases of commands,
//! defaults of flags and the policy for credential plugins.

mod arguments;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use klient_apimachinery::go::{os_error, quoted};
use klient_apimachinery::yaml;
use klient_client::PluginPolicy;
use serde::Deserialize;
use serde_json::{Map, Value};

use arguments::{Alias, CommandDefaults};

use crate::console::Console;
use crate::error::CliError;

const GROUP: &str = "kubectl.config.k8s.io/";

/// Returns true if `KUBECTL_KUBERC=false` turns kuberc off.
pub(crate) fn is_disabled() -> bool {
    std::env::var("KUBECTL_KUBERC").is_ok_and(|gate| gate.eq_ignore_ascii_case("false"))
}

/// The flag `--kuberc`, which is read before the others.
pub(crate) fn flag() -> Arg {
    Arg::new("kuberc")
        .long("kuberc")
        .global(true)
        .value_name("FILE")
        .value_parser(klient_config_flags::path())
        .help_heading("Global options")
        .help("Path of the kuberc file with your preferences; the default is $KUBERC, or else ~/.kube/kuberc")
}

/// The arguments with aliases and defaults of the preferences, and the policy for the credential plugin of the
/// kubeconfig. The preferences are in the file of `--kuberc`, of `$KUBERC`, or `~/.kube/kuberc`.
///
/// # Errors
///
/// If the file cannot be read although it was named, or is invalid, in kubectl's words.
pub(crate) fn apply(
    command: &Command,
    arguments: Vec<OsString>,
) -> Result<(Vec<OsString>, PluginPolicy), CliError> {
    let refuse =
        |problem: String| CliError::Verbatim(format!("error occurred while applying preferences {problem}"));
    let preference = match arguments.len() {
        0 | 1 => None,
        _ => file(&arguments).and_then(Preference::load).map_err(refuse)?,
    };
    let Some(preference) = preference else { return Ok((arguments, PluginPolicy::AllowAll)) };
    let aliases = preference.aliases.unwrap_or_default();
    let defaults = preference.defaults.unwrap_or_default();
    arguments::check(&aliases, &defaults).map_err(refuse)?;
    let policy = policy(preference.credential_plugin_policy, preference.credential_plugin_allowlist);
    let policy = policy.map_err(refuse)?;
    Ok((arguments::apply(command, &aliases, &defaults, arguments).map_err(refuse)?, policy))
}

/// The file to read.
enum File {
    /// None, since `KUBERC=off`.
    Off,
    /// That which the user named.
    Named(PathBuf),
    /// `~/.kube/kuberc`, if there is one.
    Default(PathBuf),
}

fn file(arguments: &[OsString]) -> Result<File, String> {
    let missing = || "kuberc file is not found".to_owned();
    let mut before_separator = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    let mut named = None;
    while let Some(argument) = before_separator.next() {
        named = match argument.to_str().and_then(|argument| argument.strip_prefix("--kuberc")) {
            Some("") => Some(before_separator.next().ok_or_else(missing)?.clone()),
            Some("=") => return Err(missing()),
            Some(value) => value.strip_prefix('=').map(OsString::from),
            None => None,
        };
        if named.is_some() {
            break;
        }
    }
    let named = named.filter(|path| !path.is_empty());
    let from_env = std::env::var_os("KUBERC").filter(|path| !path.is_empty());
    if from_env.as_ref().is_some_and(|value| value == "off") {
        if named.is_some() {
            let problem =
                "kuberc error disabling kuberc via KUBERC=off and passing kuberc flag are mutually exclusive";
            return Err(problem.to_owned());
        }
        return Ok(File::Off);
    }
    if let Some(path) = named.or(from_env) {
        return Ok(File::Named(path.into()));
    }
    Ok(std::env::home_dir().map_or(File::Off, |home| File::Default(home.join(".kube/kuberc"))))
}

/// The fields of a `Preference` that are read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preference {
    aliases: Option<Vec<Alias>>,
    #[serde(alias = "overrides")]
    defaults: Option<Vec<CommandDefaults>>,
    credential_plugin_policy: Option<String>,
    credential_plugin_allowlist: Option<Vec<AllowlistEntry>>,
}

/// A command that may be run; `name` is the old name of the field.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AllowlistEntry {
    command: Option<String>,
    name: Option<String>,
}

/// The failure of reading a kuberc.
enum Unreadable {
    Missing(String),
    Other(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Unreadable::Missing(problem) | Unreadable::Other(problem)) = self;
        f.write_str(problem)
    }
}

impl Preference {
    /// Reads the preferences of a file. One that is not named and cannot be read is warned of.
    fn load(file: File) -> Result<Option<Self>, String> {
        let (path, is_named) = match file {
            File::Off => return Ok(None),
            File::Named(path) => (path, true),
            File::Default(path) => (path, false),
        };
        match Preference::read(&path) {
            Ok(preference) => Ok(preference),
            Err(problem) if is_named => Err(format!("kuberc error kuberc: {problem}")),
            Err(Unreadable::Missing(_)) => Ok(None),
            Err(problem) => {
                let path = path.display();
                Console::new().eprintln(format_args!("kuberc: no preferences loaded from {path}: {problem}"));
                Ok(None)
            }
        }
    }

    /// Reads the first document that is a preference; `None` if the file is empty. Fields that are not known are warned
    /// of.
    fn read(path: &Path) -> Result<Option<Self>, Unreadable> {
        let name = path.display();
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Unreadable::Missing(format!("open {name}: {}", os_error(&error))),
            io::ErrorKind::IsADirectory => Unreadable::Other(format!("read {name}: {}", os_error(&error))),
            _ => Unreadable::Other(format!("open {name}: {}", os_error(&error))),
        })?;
        let text = yaml::text(&bytes);
        let mut is_empty = true;
        for document in yaml::documents(&text) {
            is_empty = false;
            let Some((preference, unknown)) = document.ok().and_then(Self::decode) else { continue };
            if !unknown.is_empty() {
                let unknown: Vec<String> =
                    unknown.iter().map(|field| format!("unknown field {}", quoted(field))).collect();
                Console::new().eprintln(format_args!(
                    "kuberc: ignoring strict decoding error in {name}: strict decoding error: {}",
                    unknown.join(", ")
                ));
            }
            return Ok(Some(preference));
        }
        if is_empty {
            return Ok(None);
        }
        Err(Unreadable::Other(format!("no valid preferences found in {name}, use --v=5 to see details")))
    }

    /// The preference of a document and the fields that are not known; `None` if it is none.
    fn decode(mut document: Value) -> Option<(Self, BTreeSet<String>)> {
        let fields = document.as_object_mut()?;
        let version = fields.get("apiVersion")?.as_str()?.strip_prefix(GROUP)?.to_owned();
        if fields.get("kind")? != "Preference" {
            return None;
        }
        let known: &[&str] = match version.as_str() {
            "v1alpha1" => &["apiVersion", "kind", "aliases", "overrides"],
            "v1beta1" => &[
                "apiVersion",
                "kind",
                "aliases",
                "defaults",
                "credentialPluginAllowlist",
                "credentialPluginPolicy",
            ],
            _ => return None,
        };
        let mut unknown = BTreeSet::new();
        fields.retain(|name, _| {
            let is_known = known.contains(&&**name);
            if !is_known {
                unknown.insert(name.clone());
            }
            is_known
        });
        for (index, entry) in fields
            .get("credentialPluginAllowlist")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .enumerate()
        {
            let names = entry.as_object().into_iter().flat_map(Map::keys);
            let names = names.filter(|name| !["command", "name"].contains(&name.as_str()));
            unknown.extend(names.map(|name| format!("credentialPluginAllowlist[{index}].{name}")));
        }
        let preference: Preference = serde_json::from_value(document).ok()?;
        let has_both = |entry: &AllowlistEntry| {
            let is_set = |field: &Option<String>| field.as_ref().is_some_and(|text| !text.is_empty());
            is_set(&entry.command) && is_set(&entry.name)
        };
        if preference.credential_plugin_allowlist.iter().flatten().any(has_both) {
            return None;
        }
        Some((preference, unknown))
    }
}

/// The policy, which is checked.
fn policy(kind: Option<String>, allowlist: Option<Vec<AllowlistEntry>>) -> Result<PluginPolicy, String> {
    let kind = kind.unwrap_or_default();
    let policy = match (kind.as_str(), allowlist) {
        ("" | "AllowAll" | "DenyAll", Some(_)) => {
            return Err(format!(
                "misconfigured credential plugin allowlist: plugin policy is {} but allowlist is non-nil",
                quoted(&kind)
            ));
        }
        ("" | "AllowAll", None) => PluginPolicy::AllowAll,
        ("DenyAll", None) => PluginPolicy::DenyAll,
        ("Allowlist", None) => {
            return Err(
                r#"credential plugin policy set to "Allowlist", but allowlist is unspecified"#.to_owned()
            );
        }
        ("Allowlist", Some(list)) => {
            let commands = list.into_iter().map(|entry| {
                let command = entry.command.filter(|command| !command.is_empty());
                command.or(entry.name).unwrap_or_default()
            });
            PluginPolicy::Allowlist(commands.collect())
        }
        _ => return Err(format!("unknown plugin policy: {}", quoted(&kind))),
    };
    policy.validate().map_err(|error| error.cause().map_or_else(String::new, ToString::to_string))?;
    Ok(policy)
}
