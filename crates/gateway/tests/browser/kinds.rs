//! The choice of namespaces, contexts, and the kinds of definitions.

use http::Method;
use klient_apiserver::Server;
use klient_client::{Client, Config};
use klient_gateway::{Context, Options};
use serde_json::json;

use crate::browser::Browser;
use crate::stage::{DEFINITIONS, GADGETS, MAPS, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_is_chosen_for_all_tables() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.config_map("here", json!({})).await;
    let tab = browser.open(&stage.page("#/k/core/v1/configmaps")).await;
    tab.find("link", "here").await;
    // It is created after the page has read the namespaces.
    stage.create("/api/v1/namespaces", json!({ "metadata": { "name": "shop" } })).await;
    stage.create("/api/v1/namespaces/shop/configmaps", json!({ "metadata": { "name": "there" } })).await;
    tab.click("button", "NamespaceAll namespaces").await;
    tab.focus("combobox", "Choose a namespace").await;
    tab.type_text("shop").await;
    tab.until("the one option", "driver.all('option').map(driver.nameOf).join() === 'shopNamespace'").await;
    tab.press("Enter").await;
    tab.at("#/k/core/v1/configmaps?ns=shop").await;
    tab.until("its objects alone", "driver.names().includes('there') && !driver.names().includes('here')")
        .await;
    tab.click("link", "Services").await;
    tab.at("#/k/core/v1/services?ns=shop").await;
    tab.see("No services in shop").await;
    tab.click("button", "All namespaces").await;
    tab.find("link", "kubernetes").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_context_is_another_cluster() {
    let Some(browser) = Browser::start().await else { return };
    let away = Server::start(klient_apiserver::Options::default()).await.unwrap();
    let config = Config::from_kubeconfig(&away.kubeconfig()).unwrap();
    let admin = Client::new(config.clone()).unwrap();
    let map = json!({ "metadata": { "name": "there" } }).to_string();
    admin.request(Method::POST).absolute_path(MAPS).body("application/json", map).send().await.unwrap();
    let options = Options {
        context: Some("home".to_owned()),
        contexts: vec![Context { name: "away".to_owned(), config }],
        ..Options::default()
    };
    let stage = Stage::start(options).await;
    stage.config_map("here", json!({})).await;
    let tab = browser.open(&stage.page("#/k/core/v1/configmaps?ns=default")).await;
    tab.find("link", "here").await;
    tab.click("button", "Contexthome").await;
    tab.focus("combobox", "Choose a context").await;
    tab.type_text("away").await;
    tab.find("option", "awayContext").await;
    tab.press("Enter").await;
    tab.until(
        "the other context",
        "location.search === '?context=away' && driver.one('button', 'Contextaway')",
    )
    .await;
    tab.go_to("#/k/core/v1/configmaps?ns=default").await;
    tab.names(&["there"]).await;
    // The object is of that cluster, too.
    tab.click("link", "there").await;
    tab.see("YAML").await;
    tab.find("heading", "there").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_of_a_definition_has_a_table_that_ends_and_comes_back_with_it() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    let gadget = |name: &str, size: u32| json!({ "apiVersion": "shop.example/v1", "kind": "Gadget", "metadata": { "name": name }, "spec": { "size": size } });
    stage.define_gadgets().await;
    stage.create(GADGETS, gadget("one", 3)).await;
    let tab = browser.open(&stage.page("#/k/shop.example/v1/gadgets?ns=default")).await;
    tab.until("its table", "driver.rows().map(([name, size]) => name + size).join() === 'one3'").await;
    tab.find("heading", "Gadgets").await;
    tab.until("its column", "driver.one('columnheader', 'Size')").await;
    stage.create(GADGETS, gadget("two", 5)).await;
    tab.names(&["one", "two"]).await;
    tab.find("link", "Gadgets").await;
    stage.delete(&format!("{DEFINITIONS}/gadgets.shop.example")).await;
    tab.see("The cluster does not serve this kind").await;
    tab.until("no way to it", "!driver.one('link', 'Gadgets')").await;
    stage.define_gadgets().await;
    tab.see("No gadgets in default").await;
    stage.create(GADGETS, gadget("three", 1)).await;
    tab.names(&["three"]).await;
    tab.end().await;
}
