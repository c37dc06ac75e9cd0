//! Tables: columns, search, order, selectors, and changes as they happen.

use futures_util::{StreamExt as _, stream};
use klient_gateway::Options;
use serde_json::json;

use crate::browser::Browser;
use crate::stage::{MAPS, Stage};

/// The names of the columns.
const COLUMNS: &str = "driver.all('columnheader').map(driver.nameOf).join()";

#[tokio::test(flavor = "multi_thread")]
async fn a_table_has_the_columns_of_the_server_and_the_wide_ones_on_request() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.pod("web", json!({})).await;
    let tab = browser.open(&stage.page("#/k/core/v1/pods?ns=default")).await;
    tab.until("the columns", &format!("{COLUMNS} === 'Name,Ready,Status,Restarts,Age'")).await;
    tab.until("the row", "driver.rows()[0]?.slice(0, 4).join() === 'web,1/1,Running,0'").await;
    tab.press("w").await;
    tab.until("the wide columns", &format!("{COLUMNS}.startsWith('Name,Ready,Status,Restarts,Age,IP,Node')"))
        .await;
    tab.at("#/k/core/v1/pods?ns=default&wide").await;
    tab.go_to("#/k/core/v1/pods").await;
    tab.until(
        "a column for the namespace",
        &format!("{COLUMNS} === 'Name,Namespace,Ready,Status,Restarts,Age'"),
    )
    .await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_and_order_are_in_the_address_and_stay() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.data("web-large", json!({}), json!({ "a": "1", "b": "2", "c": "3" })).await;
    stage.data("web-small", json!({}), json!({ "a": "1" })).await;
    stage.data("web-old", json!({}), json!({ "a": "1", "b": "2" })).await;
    stage.data("other", json!({}), json!({})).await;
    let tab = browser.open(&stage.page("#/k/core/v1/configmaps?ns=default")).await;
    tab.find("link", "web-large").await;
    tab.press("/").await;
    tab.type_text("web -old").await;
    tab.names(&["web-large", "web-small"]).await;
    tab.see("2 of ").await;
    tab.at("#/k/core/v1/configmaps?ns=default&q=web%20-old").await;
    tab.click("button", "Data").await;
    tab.names(&["web-small", "web-large"]).await;
    tab.click("button", "Data").await;
    tab.names(&["web-large", "web-small"]).await;
    let place = "#/k/core/v1/configmaps?ns=default&q=web%20-old&sort=data&desc";
    tab.at(place).await;
    tab.reload().await;
    tab.names(&["web-large", "web-small"]).await;
    tab.until("the order", "driver.one('columnheader', 'Data').ariaSort === 'descending'").await;
    tab.click("link", "web-small").await;
    tab.find("heading", "web-small").await;
    tab.run("history.back()").await;
    tab.names(&["web-large", "web-small"]).await;
    tab.at(place).await;
    tab.until("the search", "document.querySelector('[data-search]').value === 'web -old'").await;
    // Esc in the search takes it away.
    tab.press("/").await;
    tab.press("Escape").await;
    tab.find("link", "other").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn label_selectors_are_evaluated_by_the_server() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.config_map("web", json!({ "app": "web" })).await;
    stage.config_map("cache", json!({ "app": "cache" })).await;
    let tab = browser.open(&stage.page("#/k/core/v1/configmaps?ns=default")).await;
    tab.find("link", "cache").await;
    tab.click("button", "Selectors").await;
    tab.fill("textbox", "Labels", "app in (web)").await;
    tab.press("Enter").await;
    tab.names(&["web"]).await;
    tab.see("Only rows with").await;
    tab.at("#/k/core/v1/configmaps?ns=default&labels=app%20in%20(web)").await;
    // A row that the selector takes in, and one that it lets go.
    stage.change(&format!("{MAPS}/cache"), json!({ "metadata": { "labels": { "app": "web" } } })).await;
    tab.names(&["cache", "web"]).await;
    stage.change(&format!("{MAPS}/web"), json!({ "metadata": { "labels": { "app": "cache" } } })).await;
    tab.names(&["cache"]).await;
    tab.go_to("#/k/core/v1/configmaps?ns=default&labels=app%20in").await;
    tab.see("The selector is malformed").await;
    tab.click("button", "Clear the selectors").await;
    tab.find("link", "web").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_through_the_api_appear_by_themselves() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.data("b", json!({}), json!({})).await;
    let tab = browser.open(&stage.page("#/k/core/v1/configmaps?ns=default")).await;
    tab.names(&["b"]).await;
    tab.see("Live").await;
    stage.data("a", json!({}), json!({})).await;
    stage.data("c", json!({}), json!({})).await;
    tab.names(&["a", "b", "c"]).await;
    stage.change(&format!("{MAPS}/b"), json!({ "data": { "x": "1", "y": "2" } })).await;
    tab.until("the changed cell", "driver.rows().some(([name, data]) => name === 'b' && data === '2')").await;
    stage.delete(&format!("{MAPS}/a")).await;
    tab.names(&["b", "c"]).await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rows_scroll_with_few_of_them_in_the_document() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    let create = |at: usize| {
        let stage = &stage;
        async move { stage.data(&format!("row-{at:05}"), json!({}), json!({})).await }
    };
    stream::iter(0..10_000).map(create).buffer_unordered(64).for_each(|_| async {}).await;
    let tab = browser.open(&stage.page("#/k/core/v1/configmaps?ns=default&q=row")).await;
    tab.see("10,000 of 10,000").await;
    let in_document = "document.querySelectorAll('[role=row]').length";
    tab.until("the first rows", "driver.names()[0] === 'row-00000'").await;
    assert!(tab.value::<usize>(in_document).await < 100);
    // By the wheel, some rows are in sight all the time.
    tab.wheel(640.0, 500.0, 3000.0).await;
    tab.until(
        "rows farther down",
        "driver.names().includes('row-00110') && !driver.names().includes('row-00000')",
    )
    .await;
    tab.press("End").await;
    let is_shown = |name: &str| {
        format!(
            "(row => row && row.top >= 0 && row.bottom <= innerHeight)\
             (driver.one('link', '{name}')?.getBoundingClientRect())"
        )
    };
    tab.until("the last row in sight", &is_shown("row-09999")).await;
    assert!(tab.value::<usize>(in_document).await < 100);
    stage.delete(&format!("{MAPS}/row-09999")).await;
    tab.until("the row before it", &is_shown("row-09998")).await;
    tab.press("Home").await;
    tab.until("the first row in sight", &is_shown("row-00000")).await;
    tab.end().await;
}
