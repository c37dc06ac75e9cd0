//! An object: its YAML, what changed since it was opened, its family and its events.

use klient_gateway::Options;
use serde_json::json;

use crate::browser::Browser;
use crate::objects::PODS;
use crate::stage::{MAPS, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_yaml_with_what_changed_since_it_was_opened() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.data("web", json!({ "app": "web" }), json!({ "banner": "Welcome" })).await;
    let tab = browser.open(&stage.page("#/k/core/v1/configmaps?ns=default")).await;
    tab.click("link", "web").await;
    tab.at("#/o/core/v1/configmaps/default/web").await;
    tab.until(
        "its YAML",
        "driver.one('region', 'YAML of ConfigMap web')?.innerText.includes('banner: Welcome')",
    )
    .await;
    tab.see("No changes since it was opened").await;
    stage.change(&format!("{MAPS}/web"), json!({ "data": { "banner": "Closed" } })).await;
    tab.see("banner: Closed").await;
    tab.see("1 line changed since it was opened").await;
    tab.press("c").await;
    let diff = "driver.one('region', 'Changes since the object was opened')?.textContent";
    tab.until(
        "both values",
        &format!(
            "['removed:   banner: Welcome', 'added:   banner: Closed'].every((line) => {diff}.includes(line))"
        ),
    )
    .await;
    tab.click("button", "Mark as seen").await;
    tab.see("Nothing has changed").await;
    tab.press("c").await;
    // Managed fields are there on request.
    tab.see_no("managedFields").await;
    tab.press("m").await;
    tab.see("managedFields").await;
    // It stays as it was last when it is deleted.
    stage.delete(&format!("{MAPS}/web")).await;
    tab.see("ConfigMap web was deleted.").await;
    tab.see("banner: Closed").await;
    // A label leads to all objects that have it.
    tab.click("link", "appweb").await;
    tab.see("No config maps in default match the selectors").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_and_what_is_owned_are_a_tree_with_their_states() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.deployment("web", 2, 1).await;
    let tab = browser.open(&stage.page("#/o/apps/v1/deployments/default/web/tree")).await;
    let items = |items: &[&str]| {
        format!("driver.all('treeitem').map(driver.nameOf).join() === {}", json!(items.join(",")))
    };
    let all =
        ["Deployment web1/2 ready", "ReplicaSet web-11/2 ready", "Pod web-1-0Running", "Pod web-1-1Running"];
    tab.until("the tree", &items(&all)).await;
    tab.see("owns 1 ReplicaSet, 2 Pods").await;
    // By keys: to the replica set, fold it, and open it.
    tab.run("driver.one('treeitem', 'Deployment…').focus()").await;
    tab.press("ArrowDown").await;
    tab.focus("treeitem", "ReplicaSet…").await;
    tab.press("ArrowLeft").await;
    tab.until("the pods folded", "driver.all('treeitem').length === 2").await;
    tab.press("Enter").await;
    tab.at("#/o/apps/v1/replicasets/default/web-1").await;
    tab.click("tab", "Tree").await;
    // The state of the owner is not known here.
    let all = [&["Deployment web"][..], &all[1..]].concat();
    tab.until("the same tree", &items(&all)).await;
    // A pod that goes leaves it.
    stage.delete(&format!("{PODS}/web-1-1")).await;
    tab.until("the tree without the pod", &items(&all[..3])).await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_an_object_are_there_as_they_happen() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.pod("web", json!({})).await;
    stage.pod("other", json!({})).await;
    let tab = browser.open(&stage.page("#/o/core/v1/pods/default/web/events")).await;
    tab.see("No events").await;
    stage.event("one", "other", "Failed", "Of another pod").await;
    stage.event("two", "web", "BackOff", "Restarting the container").await;
    tab.see("Restarting the container").await;
    tab.see_no("Of another pod").await;
    tab.see("BackOff").await;
    tab.end().await;
}
