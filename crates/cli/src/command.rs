//! The commands, a module each.

pub(crate) mod api_resources;
pub(crate) mod apply;
pub(crate) mod convert;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod get;
pub(crate) mod server;
pub(crate) mod version;

use clap::Subcommand;

use crate::error::CliError;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the objects of files what the files say, creating those that are missing
    Apply(apply::ApplyArgs),
    /// Create objects from files or stdin, or a namespace or ConfigMap from flags
    Create(create::CreateArgs),
    /// Show what applying files would change
    Diff(diff::DiffArgs),
    /// Delete objects by files, names, or selectors
    Delete(delete::DeleteArgs),
    /// Show objects
    Get(get::GetArgs),
    /// Turn built-in objects and lists from one encoding into another, without a server
    Convert(convert::ConvertArgs),
    /// List the resources the server serves
    #[command(name = "api-resources")]
    ApiResources(api_resources::ApiResourcesArgs),
    /// Print the version of this program and of the server
    Version(version::VersionArgs),
    /// Run an API server: no etcd, no containers, nothing kept when it ends
    Server(server::ServerArgs),
    /// See it work: apply an application, list it, watch it change
    Demo(demo::DemoArgs),
}

/// Runs a command.
pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), CliError> {
    match command {
        Command::Apply(args) => apply::run(args, session).await,
        Command::Convert(args) => convert::run(args, session).await,
        Command::Create(args) => create::run(args, session).await,
        Command::Delete(args) => delete::run(args, session).await,
        Command::Diff(args) => diff::run(args, session).await,
        Command::Get(args) => get::run(args, session).await,
        Command::ApiResources(args) => api_resources::run(args, session).await,
        Command::Version(args) => version::run(args, session).await,
        Command::Server(args) => server::run(args, session).await,
        Command::Demo(args) => demo::run(args, session).await,
    }
}
