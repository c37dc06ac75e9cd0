//! A cluster that is not there for a while.

use klient_gateway::Options;
use serde_json::json;

use crate::browser::Browser;
use crate::stage::{MAPS, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_goes_away_and_comes_back_with_another_history_is_followed() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.config_map("old", json!({})).await;
    let tab = browser.open(&stage.page("#/k/core/v1/configmaps?ns=default")).await;
    tab.names(&["old"]).await;
    stage.server.stop().await;
    tab.see("The gateway cannot reach the cluster.").await;
    tab.see("Not live").await;
    tab.names(&["old"]).await;
    stage.server.restart_empty().await.unwrap();
    stage.config_map("new", json!({})).await;
    tab.names(&["new"]).await;
    tab.see_no("The gateway cannot reach the cluster.").await;
    stage.config_map("newer", json!({})).await;
    tab.names(&["new", "newer"]).await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_followed_when_its_cluster_comes_back() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.data("web", json!({}), json!({ "a": "before" })).await;
    let tab = browser.open(&stage.page("#/o/core/v1/configmaps/default/web")).await;
    tab.see("a: before").await;
    stage.server.stop().await;
    tab.see("The object is shown as it was last.").await;
    tab.see("a: before").await;
    stage.server.restart().await.unwrap();
    stage.change(&format!("{MAPS}/web"), json!({ "data": { "a": "after" } })).await;
    tab.see("a: after").await;
    tab.see_no("as it was last").await;
    tab.end().await;
}
