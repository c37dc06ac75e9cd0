//! An edit: its text, what the server would make of it, and the write.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::objects::allowed;
use crate::stage::{MAPS, Stage};
use crate::tab::Tab;

const PLACE: &str = "#/o/core/v1/configmaps/default/web";
const TEXT: &str = "YAML of web. Tab indents; F6 and then Tab leaves the text.";

/// A page with the editor of a config map.
async fn editor(browser: Browser, stage: &Stage) -> Tab {
    stage.data("web", json!({}), json!({ "banner": "Welcome" })).await;
    let tab = browser.open(&stage.page(PLACE)).await;
    tab.see("banner: Welcome").await;
    tab.press("e").await;
    tab.focus("textbox", TEXT).await;
    tab
}

/// Types a text in place of another one in the editor.
async fn replace(tab: &Tab, old: &str, new: &str) {
    let select = format!(
        "((area, text) => area.setSelectionRange(area.value.indexOf(text), area.value.indexOf(text) + text.length))\
         (driver.one('textbox', {}), {})",
        json!(TEXT),
        json!(old)
    );
    tab.focus("textbox", TEXT).await;
    tab.run(&select).await;
    match new {
        "" => tab.press("Backspace").await,
        _ => tab.type_text(new).await,
    }
}

async fn banner(stage: &Stage) -> Value {
    stage.read(&format!("{MAPS}/web")).await["data"]["banner"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_checked_by_the_server_shown_and_then_applied() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    let tab = editor(browser, &stage).await;
    // A field that the server does not know is told with its line.
    replace(&tab, "kind: ConfigMap", "kind: ConfigMap\nsize: 3").await;
    tab.press("Control+Enter").await;
    tab.until("the problem", "driver.one('alert')?.innerText.includes('line 3')").await;
    replace(&tab, "size: 3\n", "").await;
    replace(&tab, "Welcome", "Closed").await;
    tab.press("Control+Enter").await;
    tab.see("checked by the server, not written yet").await;
    let diff = "driver.one('region', 'What would change').textContent";
    tab.until(
        "what would change",
        &format!(
            "['removed:   banner: Welcome', 'added:   banner: Closed'].every((line) => {diff}.includes(line))"
        ),
    )
    .await;
    assert_eq!(banner(&stage).await, "Welcome");
    tab.press("Control+Enter").await;
    tab.see("ConfigMap web is applied").await;
    tab.until(
        "the object",
        "driver.one('region', 'YAML of ConfigMap web')?.innerText.includes('banner: Closed')",
    )
    .await;
    let map = stage.read(&format!("{MAPS}/web")).await;
    assert_eq!(map["data"], json!({ "banner": "Closed" }));
    let managers = map["metadata"]["managedFields"].as_array().unwrap();
    assert!(managers.iter().any(|fields| fields["manager"] == "klient-gateway"), "{managers:?}");
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_somebody_else_changed_meanwhile_is_decided_first() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    let tab = editor(browser, &stage).await;
    replace(&tab, "Welcome", "Mine").await;
    stage.change(&format!("{MAPS}/web"), json!({ "data": { "banner": "Theirs", "new": "kept" } })).await;
    tab.see("Others changed the object since you began.").await;
    tab.press("Control+Enter").await;
    tab.see("Someone else changed the same field").await;
    tab.click("radio", "Mine…").await;
    tab.click("button", "Review").await;
    tab.until(
        "what would change",
        "driver.one('region', 'What would change')?.textContent.includes('removed:   banner: Theirs')",
    )
    .await;
    assert_eq!(banner(&stage).await, "Theirs");
    tab.click("button", "Apply").await;
    tab.see("ConfigMap web is applied").await;
    assert_eq!(stage.read(&format!("{MAPS}/web")).await["data"], json!({ "banner": "Mine", "new": "kept" }));
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_not_lost_by_a_look_elsewhere_and_is_discarded_on_request() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    let tab = editor(browser, &stage).await;
    replace(&tab, "Welcome", "Closed").await;
    tab.click("tab", "Events").await;
    tab.see("No events").await;
    tab.click("tab", "YAMLedited").await;
    tab.focus("textbox", TEXT).await;
    tab.until(
        "the draft",
        &format!("driver.one('textbox', {}).value.includes('banner: Closed')", json!(TEXT)),
    )
    .await;
    tab.press("Escape").await;
    tab.find("dialog", "Discard what you changed?").await;
    tab.focus("button", "Keep editing").await;
    tab.press("Enter").await;
    tab.focus("textbox", TEXT).await;
    tab.press("Escape").await;
    tab.click("button", "Discard").await;
    tab.until(
        "the object",
        "driver.one('region', 'YAML of ConfigMap web')?.innerText.includes('banner: Welcome')",
    )
    .await;
    tab.end().await;
}
