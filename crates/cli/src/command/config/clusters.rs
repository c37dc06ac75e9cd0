//! The commands of `klient config` for clusters.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use klient_apimachinery::go::{os_error, quoted};
use klient_client::{Cluster, LoadingRules};
use klient_config_flags::{go_bool, path};

use super::{default_file, exactly, find_or_add, print_names, remove};
use crate::configuration::{load, modify};
use crate::error::CliError;
use crate::session::Session;

/// Arguments of `config set-cluster`. Flags of the connection have another meaning here: they are set in the cluster.
#[derive(Args, Debug)]
pub(super) struct SetClusterArgs {
    /// URL of the server
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Server name for the verification of the server's certificate
    #[arg(long, value_name = "NAME")]
    tls_server_name: Option<String>,
    /// Skip the verification of the server's certificate
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    insecure_skip_tls_verify: Option<bool>,
    /// Path of a certificate file of the certificate authority
    #[arg(long, value_name = "FILE", value_parser = path())]
    certificate_authority: Option<PathBuf>,
    /// Write the contents of the file into the kubeconfig
    #[arg(long)]
    embed_certs: bool,
    /// URL of a proxy
    #[arg(long, value_name = "URL")]
    proxy_url: Option<String>,
    /// Name of the cluster
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl SetClusterArgs {
    fn check(&self) -> Result<(), CliError> {
        let authority = self.certificate_authority.as_deref().filter(|path| !path.as_os_str().is_empty());
        if self.insecure_skip_tls_verify == Some(true) && authority.is_some() {
            return Err(CliError::message(
                "you cannot specify a certificate authority and insecure mode at the same time",
            ));
        }
        match authority {
            None if self.embed_certs => {
                Err(CliError::message("you must specify a --certificate-authority to embed"))
            }
            Some(file) if self.embed_certs => check_file("certificate-authority", file),
            _ => Ok(()),
        }
    }

    fn apply(&self, cluster: &mut Cluster) -> Result<(), CliError> {
        if let Some(server) = &self.server {
            cluster.server = server.clone();
            cluster.tls_server_name = None;
        }
        if self.tls_server_name.is_some() {
            cluster.tls_server_name = self.tls_server_name.clone();
        }
        if let Some(insecure) = self.insecure_skip_tls_verify {
            cluster.insecure_skip_tls_verify = insecure;
            if insecure {
                (cluster.certificate_authority, cluster.certificate_authority_data) = (None, None);
            }
        }
        if let Some(file) = &self.certificate_authority {
            let is_set = set_file(
                file,
                self.embed_certs,
                &mut cluster.certificate_authority,
                &mut cluster.certificate_authority_data,
            )?;
            if is_set {
                cluster.insecure_skip_tls_verify = false;
            }
        }
        if self.proxy_url.is_some() {
            cluster.proxy_url = self.proxy_url.clone();
        }
        Ok(())
    }
}

/// Checks that a file to embed exists.
pub(super) fn check_file(flag: &str, file: &Path) -> Result<(), CliError> {
    file.metadata().map(drop).map_err(|error| {
        let (file, error) = (file.display(), os_error(&error));
        CliError::Message(format!("could not stat {flag} file {file}: stat {file}: {error}"))
    })
}

/// Sets a field that has a path or data: the other is removed. Returns false if the path is empty.
pub(super) fn set_file(
    file: &Path,
    embed: bool,
    path: &mut Option<PathBuf>,
    data: &mut Option<String>,
) -> Result<bool, CliError> {
    let unreadable = |error| {
        let file = file.display();
        CliError::Message(format!("open {file}: {}", os_error(&error)))
    };
    if embed {
        *data = Some(BASE64.encode(std::fs::read(file).map_err(unreadable)?));
        *path = None;
        return Ok(true);
    }
    if file.as_os_str().is_empty() {
        *path = None;
        return Ok(false);
    }
    *path = Some(std::path::absolute(file).map_err(unreadable)?);
    *data = None;
    Ok(true)
}

pub(super) fn get(rules: &LoadingRules, session: &mut Session) -> Result<(), CliError> {
    let kubeconfig = load(rules)?;
    print_names(kubeconfig.clusters.iter().map(|cluster| cluster.name.as_str()), session)
}

pub(super) fn set(
    args: &SetClusterArgs,
    rules: &LoadingRules,
    session: &mut Session,
) -> Result<(), CliError> {
    let [name] = exactly(&args.names)?;
    if name.is_empty() {
        return Err(CliError::message("you must specify a non-empty cluster name"));
    }
    args.check()?;
    let file = default_file(rules)?;
    modify(rules, |kubeconfig| {
        let cluster = find_or_add(&mut kubeconfig.clusters, name);
        args.apply(&mut cluster.value)?;
        let file = cluster.origin().unwrap_or(Path::new(&file)).to_owned();
        cluster.relativize_paths(&file);
        Ok(())
    })?;
    session.console.println(format_args!("Cluster {} set.", quoted(name)))
}

pub(super) fn delete([name]: [&str; 1], rules: &LoadingRules, session: &mut Session) -> Result<(), CliError> {
    let file = default_file(rules)?;
    modify(rules, |kubeconfig| remove(&mut kubeconfig.clusters, "cluster", name, &file))?;
    session.console.println(format_args!("deleted cluster {name} from {file}"))
}
