//! `klient server`.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use klient_apimachinery::go::quoted;
use klient_apiserver::{Containers, Options, Server, ServiceAddress};

use crate::error::CliError;
use crate::session::Session;

pub(crate) const CONTAINERS: &str = "\
Built-in containers:
  Pods run in this process, without images. Commands of exec and of containers are those of a small shell (sh, bash): \
cat, chmod, cp, date, echo, env, false, grep, head, hostname, id, kill, ln, ls, mkdir, mv, printenv, printf, ps, pwd, \
readlink, rm, seq, sleep, stty, tail, tar, test, touch, true, uname, wc, which, whoami. Files are in memory. Declared ports \
answer HTTP, through port-forward.

  The log of a container has the lines of the pod's annotation containers.klient.dev/log, and what its main process \
prints.

Examples:
  # Run a server, and list its namespaces
  klient server --write-kubeconfig kubeconfig &
  klient --kubeconfig kubeconfig get namespaces";

/// Arguments of `server`.
#[derive(Args, Debug)]
pub(crate) struct ServerArgs {
    /// Address and port to listen on; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6443")]
    listen: SocketAddr,
    /// Write a kubeconfig with the credentials of a cluster admin to this file, once the server accepts requests
    #[arg(long, value_name = "FILE")]
    write_kubeconfig: Option<PathBuf>,
    /// Number of changes kept in memory; a list or watch from an older resourceVersion gets 410 Gone
    #[arg(long, value_name = "CHANGES", default_value_t = Options::default().history)]
    history: usize,
    /// CSV file of bearer tokens, one per line: token, user name, user UID, and optionally the groups, in double quotes
    /// if there are several
    #[arg(long, value_name = "FILE")]
    token_auth_file: Option<PathBuf>,
    /// User to write a kubeconfig for, which has the permissions that RBAC grants to NAME; can be repeated
    // clap keeps one value for this flag and the global one of this name, so both have the same type.
    #[arg(long, value_name = "NAME=FILE")]
    user: Vec<String>,
    /// Groups of a user of --user; can be repeated
    #[arg(long, value_name = "NAME=GROUP[,GROUP…]")]
    user_groups: Vec<String>,
    /// Address at which webhooks that are configured by this service are called; can be repeated
    #[arg(long, value_name = "NAMESPACE/NAME:PORT=HOST:PORT")]
    service_address: Vec<ServiceAddress>,
    /// Do not run controllers of kube-controller-manager: deleted namespaces stay Terminating until a client updates
    /// their finalize subresource, no CertificateSigningRequest is signed, and no status of a PodDisruptionBudget is kept
    #[arg(long)]
    no_controller_manager: bool,
    /// Do not run pods: they stay Pending, and have no logs, commands and ports
    #[arg(long)]
    no_containers: bool,
}

/// A user of `--user`, with the file of its kubeconfig.
struct User<'a> {
    name: &'a str,
    groups: Vec<&'a str>,
    kubeconfig: &'a Path,
}

impl ServerArgs {
    /// Returns the users of `--user`, with the groups of `--user-groups`.
    fn users(&self) -> Result<Vec<User<'_>>, CliError> {
        let invalid = |flag: &str, value: &str, problem: &str| {
            CliError::Message(format!("invalid value {} of {flag}: {problem}", quoted(value)))
        };
        let mut users: Vec<User<'_>> = Vec::new();
        for value in &self.user {
            let parts = value.split_once('=').filter(|(name, file)| !name.is_empty() && !file.is_empty());
            let expected = "it must be NAME=FILE, with the file for the user's kubeconfig";
            let (name, file) = parts.ok_or_else(|| invalid("--user", value, expected))?;
            if users.iter().any(|user| user.name == name) {
                return Err(invalid("--user", value, "the user is given twice"));
            }
            users.push(User { name, groups: Vec::new(), kubeconfig: Path::new(file) });
        }
        for value in &self.user_groups {
            let parts =
                value.split_once('=').filter(|(_, groups)| groups.split(',').all(|group| !group.is_empty()));
            let expected = "it must be NAME=GROUP[,GROUP…]";
            let (name, groups) = parts.ok_or_else(|| invalid("--user-groups", value, expected))?;
            let user = users
                .iter_mut()
                .find(|user| user.name == name)
                .ok_or_else(|| invalid("--user-groups", value, &format!("there is no --user {name}=FILE")))?;
            user.groups.extend(groups.split(','));
        }
        Ok(users)
    }
}

pub(crate) async fn run(args: ServerArgs, session: &mut Session) -> Result<(), CliError> {
    let users = args.users()?;
    let options = Options {
        listen: Some(args.listen),
        history: args.history,
        token_auth_file: args.token_auth_file.clone(),
        service_addresses: args.service_address.clone(),
        controller_manager: !args.no_controller_manager,
        containers: (!args.no_containers).then(Containers::built_in),
        ..Options::default()
    };
    let server = start(options).await?;
    for User { name, groups, kubeconfig } in &users {
        write_kubeconfig(kubeconfig, &server.kubeconfig_for(&server.token(name, groups)))?;
    }
    if let Some(path) = &args.write_kubeconfig {
        write_kubeconfig(path, &server.kubeconfig())?;
    }
    session.console.println(format_args!("Serving at {}", server.url()))?;
    if let Some(path) = &args.write_kubeconfig {
        session.console.println(format_args!("Use it with: kubectl --kubeconfig {}", path.display()))?;
    }
    for User { name, kubeconfig, .. } in &users {
        let path = kubeconfig.display();
        session.console.println(format_args!("Use it as {name} with: kubectl --kubeconfig {path}"))?;
    }
    session.interrupt.wait().await;
    server.stop().await;
    Ok(())
}

fn write_kubeconfig(path: &Path, text: &str) -> Result<(), CliError> {
    write_secret(path, text)
        .map_err(|error| CliError::Message(format!("cannot write kubeconfig {}: {error}", path.display())))
}

/// Starts a server.
pub(crate) async fn start(options: Options) -> Result<Server, CliError> {
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let started = Server::start(Options { threads: Some(threads), ..options }).await;
    started.map_err(|error| CliError::Message(error.to_string()))
}

/// Writes a file that only its owner can read, by renaming a temporary file.
pub(crate) fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = path.with_file_name(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}
