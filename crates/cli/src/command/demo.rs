//! `klient demo`.

mod caches;
mod environment;
mod shop;

use clap::Args;

use crate::error::CliError;
use crate::session::Session;
use environment::Environment;
use shop::Shop;

/// Arguments of `demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Exit at the end of the demo instead of waiting for Ctrl-C
    #[arg(long)]
    once: bool,
}

/// Runs the demo on an embedded API server, or on the cluster selected by flags, in a namespace that is deleted at the
/// end.
pub(crate) async fn run(args: DemoArgs, session: &mut Session) -> Result<(), CliError> {
    let mut environment = Environment::prepare(session).await?;
    let interrupt = session.interrupt.clone();
    let mut shown = tokio::select! {
        shown = show(&mut environment, session) => shown,
        signal = interrupt.wait() => Err(CliError::Interrupted(signal)),
    };
    // From here on a signal is the regular end of the demo, no interruption.
    if shown.is_ok() && !args.once {
        shown = session.console.println("Ctrl-C ends it.");
        if shown.is_ok() {
            interrupt.wait().await;
        }
    }
    // A second signal ends the program without the cleanup.
    let is_ended = interrupt.is_received();
    let removed = tokio::select! {
        removed = environment.remove(session) => removed,
        signal = interrupt.wait(), if !is_ended => Err(CliError::Interrupted(signal)),
    };
    shown.and(removed)
}

async fn show(environment: &mut Environment, session: &mut Session) -> Result<(), CliError> {
    environment.run_klient(&["apply", "-f", environment.application()], session).await?;
    let shop = Shop::open(session.cluster()?.client(), environment.namespace()).await?;
    environment.run_klient(&["apply", "-f", environment.coupons()], session).await?;
    environment
        .run_klient(&["get", "-n", environment.namespace(), "deployments,services,coupons"], session)
        .await?;
    shop.list(session).await?;
    shop.follow(session).await?;
    let client = session.cluster()?.client().clone();
    caches::show(&client, environment.namespace(), session).await?;
    session.console.println(environment.kubectl_hint())
}
