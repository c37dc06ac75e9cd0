//! The actions on an object: scale, restart, delete.

use serde_json::json;

use crate::browser::Browser;
use crate::objects::{DEPLOYMENTS, allowed};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_scaled() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    stage.deployment("web", 2, 2).await;
    let tab = browser.open(&stage.page("#/o/apps/v1/deployments/default/web")).await;
    tab.click("button", "Scale").await;
    tab.find("dialog", "Scale web").await;
    tab.focus("textbox", "Replicas").await;
    tab.see("2 wanted, 2 there now.").await;
    tab.press("ArrowUp").await;
    tab.find("button", "Scale from 2 to 3").await;
    tab.press("Enter").await;
    tab.see("Deployment web is scaled to 3").await;
    assert_eq!(stage.read(&format!("{DEPLOYMENTS}/web")).await["spec"]["replicas"], 3);
    tab.see("2/3 ready").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_restarted() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    stage.deployment("web", 2, 2).await;
    let tab = browser.open(&stage.page("#/o/apps/v1/deployments/default/web")).await;
    tab.click("button", "Restart").await;
    tab.find("dialog", "Restart web").await;
    tab.see("Its 2 pods are replaced by new ones").await;
    tab.focus("button", "Restart").await;
    tab.press("Enter").await;
    tab.see("Deployment web restarts").await;
    let deployment = stage.read(&format!("{DEPLOYMENTS}/web")).await;
    let annotations = &deployment["spec"]["template"]["metadata"]["annotations"];
    assert!(annotations["kubectl.kubernetes.io/restartedAt"].is_string(), "{annotations}");
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_tells_first_what_would_go_along() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    stage.deployment("web", 2, 2).await;
    let tab = browser.open(&stage.page("#/o/apps/v1/deployments/default/web")).await;
    tab.click("button", "Delete").await;
    tab.find("dialog", "Delete Deployment web?").await;
    tab.find("button", "Delete it and 3 more").await;
    let goes = "driver.one('region', 'What it owns').innerText";
    tab.until(
        "what goes along",
        &format!("['web-1', 'web-1-0', 'web-1-1'].every((name) => {goes}.includes(name))"),
    )
    .await;
    // It is not deleted by Enter right away.
    tab.focus("button", "Cancel").await;
    tab.press("Enter").await;
    tab.until("no dialog", "!driver.one('dialog')").await;
    tab.click("button", "Delete").await;
    tab.click("radio", "Only itself…").await;
    tab.see("which stay:").await;
    tab.click("radio", "With what it owns…").await;
    tab.click("button", "Delete it and 3 more").await;
    tab.see("Deployment web is ").await;
    tab.see("Deployment web was deleted.").await;
    assert!(stage.is_gone(&format!("{DEPLOYMENTS}/web")).await);
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_is_deleted_only_by_its_name() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    stage.create("/api/v1/namespaces", json!({ "metadata": { "name": "shop" } })).await;
    let tab = browser.open(&stage.page("#/o/core/v1/namespaces/-/shop")).await;
    tab.click("button", "Delete").await;
    tab.see("Everything in the namespace is deleted with it.").await;
    tab.focus("textbox", "Type shop to go on").await;
    tab.type_text("sho").await;
    tab.until("no way on", "driver.one('button', 'Delete…')?.disabled").await;
    tab.press("Enter").await;
    tab.type_text("p").await;
    // What would go along is known.
    tab.until("a way on", "!driver.one('button', 'Delete…')?.disabled").await;
    tab.press("Enter").await;
    tab.see("Namespace shop is").await;
    tab.see("Namespace shop was deleted.").await;
    tab.end().await;
}
