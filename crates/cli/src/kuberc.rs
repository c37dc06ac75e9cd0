//! kuberc, the file of a user's preferences: `kubectl.config.k8s.io/v1beta1`, KEP-3104. Only the policy for credential
//! plugins is read; aliases and defaults of flags are not.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use klient_apimachinery::go::{os_error, quoted};
use klient_apimachinery::yaml;
use klient_client::PluginPolicy;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::console::Console;
use crate::error::CliError;

const GROUP: &str = "kubectl.config.k8s.io/";

/// The policy for the credential plugin of the kubeconfig, of the file of `--kuberc`, of `$KUBERC`, or `~/.kube/kuberc`.
///
/// # Errors
///
/// If the file cannot be read although it was named, or its policy is invalid, in kubectl's words.
pub(crate) fn plugin_policy(flag: Option<&Path>) -> Result<PluginPolicy, CliError> {
    let refuse =
        |problem: String| CliError::Verbatim(format!("error occurred while applying preferences {problem}"));
    let flag = flag.filter(|path| !path.as_os_str().is_empty());
    if std::env::var("KUBECTL_KUBERC").is_ok_and(|gate| gate.eq_ignore_ascii_case("false")) {
        return match flag {
            Some(_) => Err(CliError::message("unknown flag: --kuberc")),
            None => Ok(PluginPolicy::AllowAll),
        };
    }
    let from_env = std::env::var_os("KUBERC").filter(|path| !path.is_empty()).map(PathBuf::from);
    let is_off = from_env.as_deref() == Some(Path::new("off"));
    let named = match flag {
        Some(_) if is_off => {
            let problem =
                "kuberc error disabling kuberc via KUBERC=off and passing kuberc flag are mutually exclusive";
            return Err(refuse(problem.to_owned()));
        }
        None if is_off => return Ok(PluginPolicy::AllowAll),
        Some(path) => Some(path.to_owned()),
        None => from_env,
    };
    let is_named = named.is_some();
    let Some(path) = named.or_else(|| Some(std::env::home_dir()?.join(".kube/kuberc"))) else {
        return Ok(PluginPolicy::AllowAll);
    };
    match Preference::read(&path) {
        Ok(Some(preference)) => preference.policy().map_err(refuse),
        Ok(None) => Ok(PluginPolicy::AllowAll),
        Err(problem) if is_named => Err(refuse(format!("kuberc error kuberc: {problem}"))),
        Err(Unreadable::Missing(_)) => Ok(PluginPolicy::AllowAll),
        Err(problem) => {
            let path = path.display();
            Console::new().eprintln(format_args!("kuberc: no preferences loaded from {path}: {problem}"));
            Ok(PluginPolicy::AllowAll)
        }
    }
}

/// The fields of a `Preference` that are read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preference {
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
        if fields.get("kind")? != "Preference" || !["v1alpha1", "v1beta1"].contains(&version.as_str()) {
            return None;
        }
        let common = ["apiVersion", "kind", "aliases", "defaults"];
        let of_v1beta1 = ["credentialPluginAllowlist", "credentialPluginPolicy"];
        let mut unknown = BTreeSet::new();
        fields.retain(|name, _| {
            let is_known = common.contains(&&**name) || version == "v1beta1" && of_v1beta1.contains(&&**name);
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

    /// The policy, which is checked.
    fn policy(self) -> Result<PluginPolicy, String> {
        let kind = self.credential_plugin_policy.unwrap_or_default();
        let policy = match (kind.as_str(), self.credential_plugin_allowlist) {
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
}
