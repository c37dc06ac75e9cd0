//! The appearance of the page: light and dark colours, a phone, and the accessibility tree (axe).

use std::path::PathBuf;

use serde_json::json;

use crate::browser::Browser;
use crate::objects::allowed;
use crate::stage::{MAPS, Stage};
use crate::tab::Tab;

/// A cluster in which something is wrong, and something is shown on each tab.
async fn stage() -> Stage {
    let stage = Stage::start(allowed()).await;
    stage.node("node-1", true).await;
    stage.node("node-2", false).await;
    stage.deployment("web", 2, 1).await;
    let log = "1 line of a log\nWARN it is slow\nERROR it is broken\n";
    let annotations =
        json!({ "annotations": { "containers.klient.dev/log": log }, "labels": { "app": "shop" } });
    let ports = json!({ "ports": [{ "name": "http", "containerPort": 8080 }] });
    stage.pod_of("shop", annotations, ports).await;
    stage.event("shop.1", "shop", "BackOff", "Back-off restarting failed container").await;
    stage.data("shop", json!({ "app": "shop" }), json!({ "banner": "Welcome", "colours": "3" })).await;
    stage
}

/// The places of the page with what is there when they are ready.
const PLACES: [(&str, &str, &str); 9] = [
    ("overview", "#/overview", "Back-off restarting"),
    ("table", "#/k/core/v1/pods", "web-1-1"),
    ("table-empty", "#/k/batch/v1/jobs?ns=default", "No jobs in default"),
    ("yaml", "#/o/core/v1/pods/default/shop", "containerPort: 8080"),
    ("tree", "#/o/apps/v1/deployments/default/web/tree", "ReplicaSet"),
    ("events", "#/o/core/v1/pods/default/shop/events", "Back-off restarting"),
    ("logs", "#/o/core/v1/pods/default/shop/logs", "ERROR it is broken"),
    ("terminal", "#/o/core/v1/pods/default/shop/terminal", "Connected"),
    ("ports", "#/o/core/v1/pods/default/shop/ports", "klient port-forward"),
];

/// The source of axe-core, which `npm ci` installs; without it there is no search for its findings.
#[expect(clippy::print_stderr, reason = "a part of a test that is skipped says so")]
fn axe() -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("page/node_modules/axe-core/axe.min.js");
    let source = std::fs::read_to_string(&path).ok();
    if source.is_none() {
        eprintln!(
            "skipped: {} is not there: run cargo xtask page --check, or npm ci in its folder",
            path.display()
        );
    }
    source
}

/// Takes a picture, and fails if axe-core has findings.
async fn look(tab: &Tab, axe: Option<&str>, name: &str) {
    tab.screenshot(name).await;
    let Some(axe) = axe else { return };
    tab.run(&format!("if (!globalThis.axe) {{ {axe} }}")).await;
    let run = "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, nodes }) => \
               nodes.map(({ target, html, failureSummary }) => `${id}: ${target} ${html} ${failureSummary}`)))";
    let findings: Vec<String> = tab.value(run).await;
    assert!(findings.is_empty(), "{name}: {findings:#?}");
}

async fn check(scheme: &str) {
    let Some(browser) = Browser::start().await else { return };
    let stage = stage().await;
    let axe = axe();
    let axe = axe.as_deref();
    let tab = browser.open(&stage.page("#/overview")).await;
    tab.colours(scheme).await;
    for (name, place, text) in PLACES {
        tab.go_to(place).await;
        tab.see(text).await;
        look(&tab, axe, &format!("{scheme}-{name}")).await;
    }
    // Dialogs.
    tab.go_to("#/o/apps/v1/deployments/default/web").await;
    for (name, button, text) in [
        ("scale", "Scale", "2 wanted"),
        ("restart", "Restart", "Its 2 pods are replaced"),
        ("delete", "Delete", "With it go"),
        ("palette", "Go to", "Light, dark, or as the system"),
        ("keys", "Keys", "In a table"),
    ] {
        tab.click("button", button).await;
        tab.until(text, &format!("driver.one('dialog')?.innerText.includes({})", json!(text))).await;
        look(&tab, axe, &format!("{scheme}-{name}")).await;
        tab.press("Escape").await;
        tab.until("no dialog", "!driver.one('dialog')").await;
    }
    // Changes, an edit, and what it would change.
    tab.go_to("#/o/core/v1/configmaps/default/shop").await;
    tab.see("No changes since").await;
    stage.change(&format!("{MAPS}/shop"), json!({ "data": { "banner": "Closed" } })).await;
    tab.click("button", "Changes…").await;
    tab.find("region", "Changes since the object was opened").await;
    look(&tab, axe, &format!("{scheme}-changes")).await;
    tab.click("button", "Edit").await;
    tab.focus("textbox", "YAML of shop…").await;
    tab.run("document.activeElement.setSelectionRange(0, 0)").await;
    tab.type_text("# ").await;
    tab.run(
        "((area) => area.setSelectionRange(area.value.length, area.value.length))(document.activeElement)",
    )
    .await;
    tab.type_text("more: 1\n").await;
    tab.press("Control+Enter").await;
    tab.find("alert", "…").await;
    look(&tab, axe, &format!("{scheme}-edit")).await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn light_colours_can_be_read_and_all_parts_have_names() {
    check("light").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dark_colours_can_be_read_and_all_parts_have_names() {
    check("dark").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_wider_than_a_phone() {
    let Some(browser) = Browser::start().await else { return };
    let stage = stage().await;
    let tab = browser.open(&stage.page("#/overview")).await;
    tab.resize(390, 844, true).await;
    for (name, place, text) in PLACES {
        tab.go_to(place).await;
        tab.see(text).await;
        tab.until(
            "a page that is as wide as the phone",
            "document.documentElement.scrollWidth <= 390 && document.body.scrollWidth <= 390 && scrollX === 0",
        )
        .await;
        tab.screenshot(&format!("phone-{name}")).await;
    }
    // Kinds are behind a button, and a row is a card that opens by a tap.
    tab.click("button", "Kinds").await;
    tab.click("link", "Pods").await;
    tab.at("#/k/core/v1/pods?ns=default").await;
    tab.until("no dialog", "!driver.one('dialog')").await;
    tab.click("row", "shop…").await;
    tab.at("#/o/core/v1/pods/default/shop").await;
    tab.end().await;
}
