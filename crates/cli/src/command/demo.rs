//! `klient demo`.

mod caches;
mod shop;
mod stage;

use clap::Args;

use crate::failure::Failure;
use crate::session::Session;
use shop::Shop;
use stage::Stage;

/// How to show it.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// End when done, without waiting for Ctrl-C
    #[arg(long)]
    once: bool,
}

/// Shows it on an API server of its own, or on the cluster that flags name, in a namespace that goes with it.
pub(crate) async fn run(args: DemoArgs, session: &mut Session) -> Result<(), Failure> {
    let mut stage = Stage::set(session).await?;
    let interrupt = session.interrupt.clone();
    let mut shown = tokio::select! {
        shown = show(&mut stage, session) => shown,
        signal = interrupt.wait() => Err(Failure::Interrupted(signal)),
    };
    // Apart from the above, where a signal is an interruption: from this line on it is the expected end.
    if shown.is_ok() && !args.once {
        shown = session.console.line("Ctrl-C ends it.");
        if shown.is_ok() {
            interrupt.wait().await;
        }
    }
    // A second signal ends the program without this.
    let is_ended = interrupt.came();
    let cleared = tokio::select! {
        cleared = stage.clear(session) => cleared,
        signal = interrupt.wait(), if !is_ended => Err(Failure::Interrupted(signal)),
    };
    shown.and(cleared)
}

async fn show(stage: &mut Stage, session: &mut Session) -> Result<(), Failure> {
    stage.klient(&["apply", "-f", stage.application()], session).await?;
    let shop = Shop::open(session.cluster()?.client(), stage.namespace()).await?;
    stage.klient(&["apply", "-f", stage.coupons()], session).await?;
    stage.klient(&["get", "-n", stage.namespace(), "deployments,services,coupons"], session).await?;
    shop.list(session).await?;
    shop.follow(session).await?;
    let client = session.cluster()?.client().clone();
    caches::show(&client, stage.namespace(), session).await?;
    session.console.line(stage.invitation())
}
