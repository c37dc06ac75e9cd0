//! The page without a mouse.

use serde_json::json;

use crate::browser::Browser;
use crate::objects::allowed;
use crate::stage::Stage;

/// The name of the row that is selected.
const SELECTED: &str =
    "driver.all('row').find((row) => row.ariaSelected === 'true')?.querySelector('a').textContent";

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_reached_by_keys() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    for name in ["a", "b", "c"] {
        stage.data(&format!("web-{name}"), json!({}), json!({})).await;
    }
    let tab = browser.open(&stage.page("#/overview")).await;
    tab.find("heading", "Overview").await;
    // The palette finds kinds by their short names.
    tab.press("Control+k").await;
    tab.focus("combobox", "Go to").await;
    tab.type_text("cm").await;
    tab.until("the kind", "driver.all('option')[0]?.textContent.startsWith('ConfigMap')").await;
    tab.press("Enter").await;
    tab.at("#/k/core/v1/configmaps").await;
    tab.focus("grid", "Config Maps").await;
    tab.press("/").await;
    tab.focus("textbox", "Search rows…").await;
    tab.type_text("web").await;
    tab.names(&["web-a", "web-b", "web-c"]).await;
    tab.at("#/k/core/v1/configmaps?q=web").await;
    tab.press("Enter").await;
    tab.focus("grid", "Config Maps").await;
    for (key, row) in
        [("j", "web-b"), ("j", "web-c"), ("k", "web-b"), ("Home", "web-a"), ("End", "web-c"), ("k", "web-b")]
    {
        tab.press(key).await;
        tab.until(&format!("{row} selected by {key}"), &format!("{SELECTED} === '{row}'")).await;
    }
    tab.press("Enter").await;
    tab.at("#/o/core/v1/configmaps/default/web-b").await;
    tab.find("tab", "YAML").await;
    tab.press("2").await;
    tab.at("#/o/core/v1/configmaps/default/web-b/tree").await;
    tab.see("It stands alone").await;
    // Back to the table, as it was.
    tab.press("Escape").await;
    tab.at("#/k/core/v1/configmaps?q=web").await;
    tab.names(&["web-a", "web-b", "web-c"]).await;
    tab.press("?").await;
    tab.find("dialog", "Keys").await;
    tab.see("Choose the namespace").await;
    // The keys of the table are not those of the dialog.
    tab.press("g").await;
    tab.press("o").await;
    tab.press("Escape").await;
    tab.until("no dialog", "!driver.one('dialog')").await;
    tab.at("#/k/core/v1/configmaps?q=web").await;
    tab.press("g").await;
    tab.press("d").await;
    tab.at("#/k/apps/v1/deployments").await;
    tab.press("n").await;
    tab.focus("combobox", "Choose a namespace").await;
    tab.press("ArrowDown").await;
    tab.until("the second option", "driver.all('option')[1].ariaSelected === 'true'").await;
    tab.press("Enter").await;
    tab.at("#/k/apps/v1/deployments?ns=default").await;
    tab.press("t").await;
    tab.until("light colours", "document.documentElement.dataset.theme === 'light'").await;
    tab.press("t").await;
    tab.until("dark colours", "document.documentElement.dataset.theme === 'dark'").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_focus_comes_back_from_a_dialog_and_walks_through_the_page() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    stage.config_map("web", json!({})).await;
    let tab = browser.open(&stage.page("#/o/core/v1/configmaps/default/web")).await;
    tab.find("tab", "YAML").await;
    tab.run("driver.one('button', 'Delete').focus()").await;
    tab.press("Enter").await;
    tab.find("button", "Delete").await;
    tab.focus("button", "Cancel").await;
    // The focus stays in the dialog.
    for _ in 0..6 {
        tab.press("Tab").await;
        tab.until(
            "a focus in the dialog",
            "driver.scope().contains(document.activeElement) || document.activeElement === document.body",
        )
        .await;
    }
    tab.press("Escape").await;
    tab.until("no dialog", "!driver.one('dialog')").await;
    tab.focus("button", "Delete").await;
    // Tabs by arrows, each with its address.
    tab.run("driver.one('tab', 'YAML').focus()").await;
    tab.press("ArrowRight").await;
    tab.focus("tab", "Tree").await;
    tab.at("#/o/core/v1/configmaps/default/web/tree").await;
    tab.press("End").await;
    tab.focus("tab", "Events").await;
    tab.press("ArrowRight").await;
    tab.focus("tab", "YAML").await;
    // Something is always seen of where the focus is.
    for _ in 0..5 {
        tab.press("Tab").await;
        tab.until(
            "a focus that is seen",
            "(({ outlineStyle, boxShadow }) => outlineStyle !== 'none' || boxShadow !== 'none')\
             (getComputedStyle(document.activeElement))",
        )
        .await;
    }
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_right_behind_the_one_that_opens_something_are_not_lost() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    stage.config_map("web", json!({})).await;
    let tab = browser.open(&stage.page("#/overview")).await;
    tab.find("heading", "Overview").await;
    // The palette: the letters and Enter are its own.
    tab.press_all(&["Control+k", "c", "m", "Enter"]).await;
    tab.at("#/k/core/v1/configmaps").await;
    tab.focus("grid", "Config Maps").await;
    tab.press_all(&["n", "d", "e", "f", "a", "u", "Enter"]).await;
    tab.at("#/k/core/v1/configmaps?ns=default").await;
    // A dialog that is closed by the next key.
    tab.press_all(&["?", "Escape"]).await;
    tab.until("no dialog", "!driver.one('dialog')").await;
    tab.at("#/k/core/v1/configmaps?ns=default").await;
    // The search.
    tab.press_all(&["/", "w", "e", "b"]).await;
    tab.names(&["web"]).await;
    // The editor has what is typed at once, at the beginning of the text.
    tab.go_to("#/o/core/v1/configmaps/default/web").await;
    tab.see("a: b").await;
    tab.press_all(&["e", "#", "m", "1"]).await;
    tab.until("the text", "driver.one('textbox', 'YAML of web…')?.value.startsWith('#m1apiVersion')").await;
    // The question whether to discard it, which Enter answers by its first button.
    tab.press_all(&["Escape", "Enter"]).await;
    tab.until("no dialog", "!driver.one('dialog')").await;
    tab.focus("textbox", "YAML of web…").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_kept_when_its_row_is_opened_at_once() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    stage.config_map("web", json!({})).await;
    let tab = browser.open(&stage.page("#/k/core/v1/configmaps")).await;
    tab.focus("grid", "Config Maps").await;
    tab.press_all(&["/", "w", "e", "b", "Enter", "Enter"]).await;
    tab.at("#/o/core/v1/configmaps/default/web").await;
    tab.find("heading", "web").await;
    tab.press("Escape").await;
    tab.at("#/k/core/v1/configmaps?q=web").await;
    tab.end().await;
}
