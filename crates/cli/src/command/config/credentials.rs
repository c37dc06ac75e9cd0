//! `klient config set-credentials`.

use std::path::{Path, PathBuf};

use clap::Args;
use klient_apimachinery::go::quoted;
use klient_client::{AuthInfo, LoadingRules};
use klient_config_flags::{SecretFlag, path};
use serde_json::{Value, json};

use super::clusters::{check_file, set_file};
use super::exec_flags::{ExecFlags, Pairs};
use super::{default_file, exactly, find_or_add};
use crate::configuration::modify;
use crate::error::CliError;
use crate::session::Session;

/// Arguments of `config set-credentials`. Flags of the connection have another meaning here: they are set in the user.
#[derive(Args, Debug)]
pub(super) struct SetCredentialsArgs {
    /// Path of a client certificate file
    #[arg(long, value_name = "FILE", value_parser = path())]
    client_certificate: Option<PathBuf>,
    /// Path of a client key file
    #[arg(long, value_name = "FILE", value_parser = path())]
    client_key: Option<PathBuf>,
    /// Write the contents of these files into the kubeconfig
    #[arg(long)]
    embed_certs: bool,
    /// Bearer token
    #[arg(long)]
    token: Option<SecretFlag>,
    /// User name for basic authentication
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Password for basic authentication
    #[arg(long)]
    password: Option<SecretFlag>,
    /// Name of an auth provider
    #[arg(long, value_name = "NAME")]
    auth_provider: Option<String>,
    /// Field of the auth provider: NAME=VALUE, or NAME- to remove it; can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    auth_provider_arg: Vec<String>,
    #[command(flatten)]
    exec: ExecFlags,
    /// Name of the user
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

pub(super) fn set(
    args: &SetCredentialsArgs,
    rules: &LoadingRules,
    session: &mut Session,
) -> Result<(), CliError> {
    // The one command of `config` that kubectl has with a small letter.
    let unexpected = |_| CliError::Message(format!("unexpected args: [{}]", args.names.join(" ")));
    let [name] = exactly(&args.names).map_err(unexpected)?;
    let provider_args = Pairs::parse(&args.auth_provider_arg, "auth-provider-arg")?;
    let env = args.exec.env()?;
    if name.is_empty() {
        return Err(CliError::message("you must specify a non-empty user name"));
    }
    args.check()?;
    let file = default_file(rules)?;
    modify(rules, |kubeconfig| {
        let user = find_or_add(&mut kubeconfig.users, name);
        args.apply(&mut user.value)?;
        args.apply_auth_provider(&mut user.value, &provider_args);
        args.exec.apply(&mut user.value.exec, &env);
        let file = user.origin().unwrap_or(Path::new(&file)).to_owned();
        user.relativize_paths(&file);
        Ok(())
    })?;
    session.console.println(format_args!("User {} set.", quoted(name)))
}

impl SetCredentialsArgs {
    fn check(&self) -> Result<(), CliError> {
        let is_given =
            |secret: &Option<SecretFlag>| secret.as_ref().is_some_and(|secret| !secret.expose().is_empty());
        let has_basic =
            is_given(&self.password) || self.username.as_ref().is_some_and(|name| !name.is_empty());
        if is_given(&self.token) && has_basic {
            return Err(CliError::message(
                "you cannot specify more than one authentication method at the same time: --token, \
                 --username/--password",
            ));
        }
        if self.embed_certs {
            let files = [("client-certificate", &self.client_certificate), ("client-key", &self.client_key)];
            let files =
                files.map(|(flag, file)| (flag, file.as_deref().filter(|file| !file.as_os_str().is_empty())));
            if files.iter().all(|(_, file)| file.is_none()) {
                return Err(CliError::message(
                    "you must specify a --client-certificate or --client-key to embed",
                ));
            }
            for (flag, file) in files {
                file.map_or(Ok(()), |file| check_file(flag, file))?;
            }
        }
        self.exec.check()
    }

    /// Sets certificate, key, token and password. A token removes the password, and the other way round.
    fn apply(&self, user: &mut AuthInfo) -> Result<(), CliError> {
        let embed = self.embed_certs;
        if let Some(file) = &self.client_certificate {
            set_file(file, embed, &mut user.client_certificate, &mut user.client_certificate_data)?;
        }
        if let Some(file) = &self.client_key {
            set_file(file, embed, &mut user.client_key, &mut user.client_key_data)?;
        }
        let text = |secret: &Option<SecretFlag>| secret.as_ref().map(|secret| secret.expose().to_owned());
        let is_given = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
        let [token, password] = [text(&self.token), text(&self.password)];
        let sets_token = is_given(&token);
        let sets_basic = is_given(&password) || is_given(&self.username);
        for (own, given) in [
            (&mut user.token, token),
            (&mut user.username, self.username.clone()),
            (&mut user.password, password),
        ] {
            if given.is_some() {
                *own = given;
            }
        }
        if sets_basic && !sets_token {
            user.token = None;
        }
        if sets_token && !sets_basic {
            (user.username, user.password) = (None, None);
        }
        Ok(())
    }

    fn apply_auth_provider(&self, user: &mut AuthInfo, args: &Pairs) {
        if let Some(name) = &self.auth_provider
            && user.auth_provider.as_ref().is_none_or(|provider| provider["name"] != **name)
        {
            user.auth_provider = Some(json!({"name": name}));
        }
        let Some(Value::Object(provider)) = &mut user.auth_provider else { return };
        let config = provider.entry("config").or_insert_with(|| json!({}));
        if let Value::Object(config) = config {
            args.removed.iter().for_each(|name| drop(config.remove(name)));
            for (name, value) in &args.set {
                config.insert(name.clone(), value.as_str().into());
            }
        }
    }
}
