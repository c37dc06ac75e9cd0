//! `klient options`.

use crate::args;
use crate::error::CliError;
use crate::session::Session;

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Print the options that all commands have
  klient options";

pub(crate) fn run(session: &mut Session) -> Result<(), CliError> {
    let options = args::global_options();
    session.console.print(&format!("The following options can be passed to any command:\n\n{options}"))
}
