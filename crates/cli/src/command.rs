//! The commands, one each.

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

use crate::args::Command;
use crate::failure::Failure;
use crate::session::Session;

/// Does what a command line asks for.
pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
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
