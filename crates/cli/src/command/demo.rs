//! `klient demo`.

use clap::Args;

use crate::failure::Failure;
use crate::session::Session;

/// How to show it.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// End when done, without waiting for Ctrl-C
    #[arg(long)]
    once: bool,
}

pub(crate) async fn run(args: DemoArgs, session: &mut Session) -> Result<(), Failure> {
    let _ = (args, session);
    Ok(())
}
