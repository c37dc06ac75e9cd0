//! A page that was left, and comes back.

use klient_gateway::Options;
use serde_json::json;

use crate::browser::Browser;
use crate::stage::{MAPS, Stage, soon};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_left_gives_its_streams_back_and_goes_on_when_it_comes_back() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.data("web", json!({}), json!({ "a": "before" })).await;
    let tab = browser.open(&stage.page("#/o/core/v1/configmaps/default/web")).await;
    for (place, before, after) in [
        ("#/k/core/v1/configmaps?ns=default", "web", "new-1"),
        ("#/o/core/v1/configmaps/default/web", "a: before", "a: after"),
        ("#/overview", "Nodes", "Nodes"),
    ] {
        tab.go_to(place).await;
        tab.see(before).await;
        soon("an open stream", async {
            while stage.metric("klient_gateway_streams").await == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        tab.run("addEventListener('pageshow', (event) => (window.isKept = event.persisted))").await;
        tab.go(&format!("http://{}/healthz", stage.address)).await;
        soon("the end of the streams of a page that was left", async {
            while stage.metric("klient_gateway_streams").await > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        stage.data("new-1", json!({}), json!({})).await;
        stage.change(&format!("{MAPS}/web"), json!({ "data": { "a": "after" } })).await;
        tab.back().await;
        tab.until("the page as it was kept", "window.isKept").await;
        tab.see(after).await;
        stage.delete(&format!("{MAPS}/new-1")).await;
        stage.change(&format!("{MAPS}/web"), json!({ "data": { "a": "before" } })).await;
    }
    tab.end().await;
}
