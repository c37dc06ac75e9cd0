//! `klient demo`.

mod caches;
mod environment;
mod page;
mod shop;

use clap::Args;

use crate::error::CliError;
use crate::session::Session;
use environment::Environment;
use page::BrowserArgs;
use shop::Shop;

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Watch the demo on an embedded API server, and end it by Ctrl-C
  klient demo

  # Run it once on a cluster of a kubeconfig
  klient demo --once --context=kind";

/// Arguments of `demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Exit at the end of the demo instead of waiting for Ctrl-C
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    browser: BrowserArgs,
}

/// Runs the demo on an embedded API server, with a gateway at the end, or on the cluster selected by flags, in a namespace that is deleted at the
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
        shown = match environment.has_own_server() {
            true => page::serve(&args.browser, session).await,
            false => wait(session).await,
        };
    }
    // A second signal ends the program without the cleanup.
    let is_ended = interrupt.is_received();
    let removed = tokio::select! {
        removed = environment.remove(session) => removed,
        signal = interrupt.wait(), if !is_ended => Err(CliError::Interrupted(signal)),
    };
    shown.and(removed)
}

/// Waits for a signal, on a cluster that is not the demo's: it gets no gateway unasked.
async fn wait(session: &mut Session) -> Result<(), CliError> {
    session.console.println("Ctrl-C ends it.")?;
    session.interrupt.wait().await;
    Ok(())
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
