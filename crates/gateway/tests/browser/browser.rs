//! [`Browser`], a Chromium of a test's own.

use chromiumoxide::browser::BrowserConfig;
use chromiumoxide::cdp::browser_protocol::page::AddScriptToEvaluateOnNewDocumentParams;
use futures_util::StreamExt as _;
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinHandle;

use crate::tab::{PATIENCE, Tab};

/// The browsers at a time: each takes a core while its page loads.
static TURNS: Semaphore = Semaphore::const_new(2);

/// The scripts that each document has.
const DRIVER: &str = include_str!("driver.js");

/// A Chromium with a profile of its own, which is ended and removed with it.
pub(crate) struct Browser {
    chromium: chromiumoxide::Browser,
    events: JoinHandle<()>,
    _profile: TempDir,
    _turn: SemaphorePermit<'static>,
}

impl Browser {
    /// Starts a browser; `None` where no Chromium is installed, which is printed.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub(crate) async fn start() -> Option<Browser> {
        let turn = TURNS.acquire().await.unwrap();
        let profile = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let config = BrowserConfig::builder()
            .no_sandbox()
            .user_data_dir(profile.path())
            .viewport(None)
            .window_size(1280, 800)
            .launch_timeout(PATIENCE)
            .request_timeout(2 * PATIENCE)
            .args(["disable-gpu", "disable-quic", "disable-component-update"])
            .build();
        let config = match config {
            Ok(config) => config,
            Err(problem) => {
                eprintln!("skipped: there is no Chromium ({problem})");
                return None;
            }
        };
        let (chromium, mut handler) = chromiumoxide::Browser::launch(config).await.unwrap();
        // Events that the crate does not know are errors of the stream, which goes on behind them.
        let events = tokio::spawn(async move { while handler.next().await.is_some() {} });
        Some(Browser { chromium, events, _profile: profile, _turn: turn })
    }

    /// Opens an address.
    pub(crate) async fn open(self, address: &str) -> Tab {
        let page = self.chromium.new_page("about:blank").await.unwrap();
        page.evaluate_on_new_document(AddScriptToEvaluateOnNewDocumentParams::new(DRIVER)).await.unwrap();
        let tab = Tab::new(self, page);
        tab.go(address).await;
        tab
    }

    /// Ends the browser, and waits for its end.
    pub(crate) async fn end(mut self) {
        self.chromium.close().await.unwrap();
        self.chromium.wait().await.unwrap();
        self.events.await.unwrap();
    }
}
