//! The gateway of the demo, and the browser that shows its page.

use std::io::{self, IsTerminal as _};
use std::process::Stdio;

use clap::Args;
use klient_apimachinery::go::os_error;
use klient_gateway::{Gateway, Options};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::error::CliError;
use crate::session::Session;

/// The flags of the browser.
#[derive(Args, Debug)]
pub(super) struct BrowserArgs {
    /// Open the page in a browser, even without a terminal
    #[arg(long, conflicts_with_all = ["no_open", "once"])]
    open: bool,
    /// Do not open the page in a browser, as is done in a terminal with a display
    #[arg(long)]
    no_open: bool,
}

/// Serves the gateway until a signal, and opens its page. Everything is allowed: the cluster is the demo's own.
pub(super) async fn serve(browser: &BrowserArgs, session: &mut Session) -> Result<(), CliError> {
    let options = Options {
        context: Some("demo".to_owned()),
        writes: true,
        exec: true,
        secrets: true,
        ..Options::default()
    };
    let failed = |error: klient_gateway::Error| CliError::Message(error.to_string());
    let gateway = Gateway::new(session.cluster()?.client().clone(), options).map_err(failed)?;
    let not_bound = |error: io::Error| {
        CliError::Message(format!("cannot listen on a port for the gateway: {}", os_error(&error)))
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(not_bound)?;
    let url = format!("http://{}{}", listener.local_addr().map_err(not_bound)?, gateway.page());
    session.console.println(format_args!("\nSee it in a browser:\n  {url}\nCtrl-C ends it."))?;
    session.console.print("")?;
    let opener = (browser.open || !browser.no_open && has_display()).then(|| open(&url));
    if let Some(Err(error)) = opener {
        session.console.eprintln(format_args!("no browser could be started: {}", os_error(&error)));
    }
    let interrupt = session.interrupt.clone();
    let shutdown = async move {
        interrupt.wait().await;
    };
    gateway.serve(listener, shutdown).await.map_err(failed)
}

/// Returns true if somebody sees a window that is opened here: there is a terminal, not that of another machine, and a display.
fn has_display() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let needs_none = cfg!(any(target_os = "macos", windows));
    let has_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    has_terminal
        && !is_set("SSH_CONNECTION")
        && (needs_none || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") || is_set("BROWSER"))
}

/// Starts the browser of `$BROWSER`, or of the system. It goes on after the demo.
fn open(url: &str) -> io::Result<()> {
    let browser = std::env::var_os("BROWSER").filter(|browser| !browser.is_empty());
    let mut command = match browser {
        Some(browser) => Command::new(browser),
        None if cfg!(target_os = "macos") => Command::new("open"),
        None if cfg!(windows) => Command::new("explorer"),
        None => Command::new("xdg-open"),
    };
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // What has ended is waited for by the runtime.
    command.spawn().map(drop)
}
