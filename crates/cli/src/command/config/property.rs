//! `klient config set` and `unset`: single fields by a dotted path, with the names of client-go's internal type.

use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
use base64::{DecodeError, Engine};
use clap::Args;
use klient_apimachinery::go::quoted;
use klient_client::{AuthInfo, Cluster, Context, Kubeconfig, LoadingRules, Named};

use super::{exactly, find, find_or_add};
use crate::configuration::modify;
use crate::error::CliError;
use crate::flag_values::go_bool;
use crate::session::Session;

/// Arguments of `config set`.
#[derive(Args, Debug)]
pub(super) struct SetArgs {
    /// Take the value of a field in base64, such as `client-key-data`, as it is
    #[arg(long)]
    set_raw_bytes: bool,
    /// Path of the field, and its value
    #[arg(value_names = ["FIELD", "VALUE"])]
    arguments: Vec<String>,
}

pub(super) fn set(args: &SetArgs, rules: &LoadingRules, session: &mut Session) -> Result<(), CliError> {
    let [path, value] = exactly(&args.arguments)?;
    if value.is_empty() {
        return Err(CliError::message("you cannot use set to unset a property"));
    }
    change(path, Change::Set { value, raw: args.set_raw_bytes }, rules)?;
    session.console.println(format_args!("Property {} set.", quoted(path)))
}

pub(super) fn unset([path]: [&str; 1], rules: &LoadingRules, session: &mut Session) -> Result<(), CliError> {
    change(path, Change::Unset, rules)?;
    session.console.println(format_args!("Property {} unset.", quoted(path)))
}

/// A change of a field.
#[derive(Clone, Copy)]
enum Change<'a> {
    Set {
        value: &'a str,
        /// Bytes are given as they are, and not in base64.
        raw: bool,
    },
    Unset,
}

fn change(path: &str, change: Change<'_>, rules: &LoadingRules) -> Result<(), CliError> {
    if path.is_empty() {
        return Err(CliError::message("you must specify a property"));
    }
    modify(rules, |kubeconfig| change.apply(path, kubeconfig))
}

impl Change<'_> {
    fn apply(self, path: &str, kubeconfig: &mut Kubeconfig) -> Result<(), CliError> {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let unparsable = || CliError::Message(format!("unable to parse one or more field values of {path}"));
        match (first, rest) {
            ("clusters", _) => self.entry(&mut kubeconfig.clusters, path, CLUSTER, cluster_field),
            ("users", _) => self.entry(&mut kubeconfig.users, path, USER, user_field),
            ("contexts", _) => self.entry(&mut kubeconfig.contexts, path, CONTEXT, context_field),
            ("preferences", None) if self.is_unset() => {
                kubeconfig.preferences = Default::default();
                Ok(())
            }
            ("preferences", Some("colors")) => self.bool(&mut kubeconfig.preferences.colors),
            ("preferences", Some("extensions")) if self.is_unset() => {
                kubeconfig.preferences.extensions.clear();
                Ok(())
            }
            ("current-context", None) => {
                self.text(&mut kubeconfig.current_context);
                Ok(())
            }
            ("extensions", None) if self.is_unset() => {
                kubeconfig.extensions.clear();
                Ok(())
            }
            // Files have always the same values.
            ("kind" | "apiVersion", None) => Ok(()),
            ("kind" | "apiVersion" | "current-context" | "preferences" | "extensions", _) => {
                Err(unparsable())
            }
            _ => Err(CliError::Message(format!("unable to parse {path} after [] at api.Config"))),
        }
    }

    fn is_unset(self) -> bool {
        matches!(self, Change::Unset)
    }

    /// Changes a field of an entry, or removes the entry. A name can have dots: it ends before the first part that is the
    /// name of a field.
    fn entry<T: Default>(
        self,
        entries: &mut Vec<Named<T>>,
        path: &str,
        fields: &[&str],
        field: fn(Self, &str, &mut T) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let parts: Vec<&str> = path.split('.').skip(1).collect();
        let at = parts.iter().skip(1).position(|part| fields.contains(part)).map_or(parts.len(), |at| at + 1);
        let name = parts[..at].join(".");
        match (&parts[at..], self) {
            ([], Change::Unset) => {
                entries.retain(|entry| !parts.is_empty() && entry.name != name);
                Ok(())
            }
            ([], Change::Set { .. }) => {
                let mut names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
                names.sort_unstable();
                Err(CliError::Message(format!("can't set a map to a value: map[{}]", names.join(" "))))
            }
            ([one], Change::Unset) => match find(entries, &name) {
                Some(entry) => field(self, one, &mut entry.value),
                None => Err(CliError::Message(format!("current map key `{name}` is invalid"))),
            },
            ([one], Change::Set { .. }) => field(self, one, &mut find_or_add(entries, &name).value),
            _ => Err(CliError::Message(format!("unable to parse one or more field values of {path}"))),
        }
    }

    fn text(self, field: &mut String) {
        match self {
            Change::Set { value, .. } => value.clone_into(field),
            Change::Unset => field.clear(),
        }
    }

    fn optional<T: for<'a> From<&'a str>>(self, field: &mut Option<T>) -> Result<(), CliError> {
        *field = match self {
            Change::Set { value, .. } => Some(T::from(value)),
            Change::Unset => None,
        };
        Ok(())
    }

    fn bool(self, field: &mut bool) -> Result<(), CliError> {
        *field = match self {
            Change::Set { value, .. } => go_bool(value).map_err(CliError::Message)?,
            Change::Unset => false,
        };
        Ok(())
    }

    fn bytes(self, field: &mut Option<String>) -> Result<(), CliError> {
        const BASE64: GeneralPurpose =
            GeneralPurpose::new(&STANDARD, PAD.with_decode_allow_trailing_bits(true));
        *field = match self {
            Change::Set { value, raw: true } => Some(BASE64.encode(value)),
            Change::Set { value, raw: false } => {
                let bytes = BASE64.decode(value).map_err(|error| {
                    let at = match error {
                        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => at,
                        DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => value.len() / 4 * 4,
                    };
                    CliError::Message(format!(
                        "error decoding input value: illegal base64 data at input byte {at}"
                    ))
                })?;
                Some(BASE64.encode(bytes))
            }
            Change::Unset => None,
        };
        Ok(())
    }

    /// Removes a field that is not a single value.
    fn structured<T: Default>(self, name: &str, field: &mut T) -> Result<(), CliError> {
        match self {
            Change::Unset => {
                *field = T::default();
                Ok(())
            }
            Change::Set { .. } => {
                Err(CliError::Message(format!("can't set {name}, which is not a single value")))
            }
        }
    }
}

const CLUSTER: &[&str] = &[
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
    "extensions",
];

fn cluster_field(change: Change<'_>, name: &str, cluster: &mut Cluster) -> Result<(), CliError> {
    match name {
        "server" => {
            change.text(&mut cluster.server);
            Ok(())
        }
        "tls-server-name" => change.optional(&mut cluster.tls_server_name),
        "insecure-skip-tls-verify" => change.bool(&mut cluster.insecure_skip_tls_verify),
        "certificate-authority" => change.optional(&mut cluster.certificate_authority),
        "certificate-authority-data" => change.bytes(&mut cluster.certificate_authority_data),
        "proxy-url" => change.optional(&mut cluster.proxy_url),
        "disable-compression" => change.bool(&mut cluster.disable_compression),
        _ => change.structured(name, &mut cluster.extensions),
    }
}

const USER: &[&str] = &[
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
    "act-as",
    "act-as-uid",
    "act-as-groups",
    "act-as-user-extra",
    "username",
    "password",
    "auth-provider",
    "exec",
    "extensions",
];

fn user_field(change: Change<'_>, name: &str, user: &mut AuthInfo) -> Result<(), CliError> {
    match name {
        "client-certificate" => change.optional(&mut user.client_certificate),
        "client-certificate-data" => change.bytes(&mut user.client_certificate_data),
        "client-key" => change.optional(&mut user.client_key),
        "client-key-data" => change.bytes(&mut user.client_key_data),
        "token" => change.optional(&mut user.token),
        "tokenFile" => change.optional(&mut user.token_file),
        "act-as" => change.optional(&mut user.impersonate),
        "act-as-uid" => change.optional(&mut user.impersonate_uid),
        "act-as-groups" => change.structured(name, &mut user.impersonate_groups),
        "act-as-user-extra" => change.structured(name, &mut user.impersonate_user_extra),
        "username" => change.optional(&mut user.username),
        "password" => change.optional(&mut user.password),
        "auth-provider" => change.structured(name, &mut user.auth_provider),
        "exec" => change.structured(name, &mut user.exec),
        _ => change.structured(name, &mut user.extensions),
    }
}

const CONTEXT: &[&str] = &["cluster", "user", "namespace", "extensions"];

fn context_field(change: Change<'_>, name: &str, context: &mut Context) -> Result<(), CliError> {
    match name {
        "cluster" => change.text(&mut context.cluster),
        "user" => change.text(&mut context.user),
        "namespace" => return change.optional(&mut context.namespace),
        _ => return change.structured(name, &mut context.extensions),
    }
    Ok(())
}
