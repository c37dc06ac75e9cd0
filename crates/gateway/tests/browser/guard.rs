//! The limits of the page: writes, commands and Secrets that are off, and markup that stays text.

use klient_gateway::Options;
use serde_json::json;

use crate::browser::Browser;
use crate::objects::allowed;
use crate::stage::{MAPS, Stage};

/// Markup that would leave a trace.
const MARKUP: &str = "<img src=x onerror=bad=1><script>bad=1</script>";

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_reads_only_offers_no_writes_and_no_commands() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.pod("web", json!({ "ports": [{ "containerPort": 80 }] })).await;
    stage.deployment("shop", 1, 1).await;
    let tab = browser.open(&stage.page("#/o/apps/v1/deployments/default/shop")).await;
    tab.see("replicas: 1").await;
    tab.see("Read only").await;
    tab.until(
        "no buttons that write",
        "['Scale', 'Restart', 'Delete', 'Edit'].every((name) => !driver.one('button', name))",
    )
    .await;
    tab.press("e").await;
    tab.go_to("#/o/core/v1/pods/default/web/terminal").await;
    tab.see("The gateway runs no commands").await;
    tab.go_to("#/o/core/v1/pods/default/web/ports").await;
    tab.see("The gateway opens no ports").await;
    tab.until("no link to the port", "!driver.one('link', 'Open')").await;
    assert_eq!(tab.value::<usize>("document.querySelectorAll('textarea').length").await, 0);
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_secrets_are_hidden() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    let secrets = "/api/v1/namespaces/default/secrets";
    let secret = json!({ "metadata": { "name": "db" }, "stringData": { "password": "lovelace" } });
    stage.create(secrets, secret).await;
    let tab = browser.open(&stage.page("#/k/core/v1/secrets?ns=default")).await;
    tab.click("link", "db").await;
    tab.see("password: (hidden)").await;
    tab.see("The gateway hides the values of Secrets.").await;
    // Neither the value nor its encoding is in the document.
    let html: String = tab.value("document.documentElement.outerHTML").await;
    assert!(!html.contains("lovelace") && !html.contains("bG92ZWxhY2U"), "{html}");
    tab.see("Hidden values cannot be edited").await;
    // It is followed all the same.
    stage.change(&format!("{secrets}/db"), json!({ "stringData": { "user": "ada" } })).await;
    tab.see("user: (hidden)").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_objects_is_shown_as_text() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    stage.data("web", json!({}), json!({ "page": MARKUP })).await;
    stage.pod("web", json!({ "args": [MARKUP] })).await;
    stage.event("web.1", "web", MARKUP, MARKUP).await;
    let log = json!({ "annotations": { "containers.klient.dev/log": MARKUP } });
    stage.pod_of("logs", log, json!({})).await;
    let shown = json!(MARKUP);
    let sees = format!("driver.text().includes({shown})");
    let tab = browser.open(&stage.page("#/overview")).await;
    for place in [
        "#/overview",
        "#/k/core/v1/events",
        "#/o/core/v1/configmaps/default/web",
        "#/o/core/v1/pods/default/web/events",
        "#/o/core/v1/pods/default/logs/logs",
    ] {
        tab.go_to(place).await;
        tab.until(&format!("markup as text at {place}"), &sees).await;
        let elements: usize = tab.value("document.querySelectorAll('main img, main script').length").await;
        assert_eq!(elements, 0, "{place}");
    }
    // In a change and in an edit.
    tab.go_to("#/o/core/v1/configmaps/default/web").await;
    tab.see("No changes since").await;
    stage.change(&format!("{MAPS}/web"), json!({ "data": { "page": format!("{MARKUP}2") } })).await;
    tab.press("c").await;
    tab.until("the change as text", &sees).await;
    // In the address, as the name of an object and of a kind.
    for place in ["#/o/core/v1/pods/default/%3Cimg%20src%3Dx%3E", "#/k/a/b/%3Cimg%20src%3Dx%3E"] {
        tab.go_to(place).await;
        tab.see("<img src=x>").await;
    }
    assert_eq!(tab.value::<String>("typeof bad").await, "undefined");
    tab.end().await;
}
