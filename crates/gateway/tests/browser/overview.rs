//! The first thing that a person sees: signing in, and the overview.

use http::Method;
use klient_gateway::{Gateway, Options};
use serde_json::json;
use tokio::net::TcpListener;

use crate::browser::Browser;
use crate::objects::{DEPLOYMENTS, PODS};
use crate::stage::Stage;

/// The items of a part of the overview.
fn items(part: &str) -> String {
    format!("[...driver.one('region', '{part}').querySelectorAll('li')].map((item) => item.textContent)")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_tells_nodes_workloads_and_pods_with_the_worst_first() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.node("good", true).await;
    stage.node("lost", false).await;
    stage.deployment("web", 1, 0).await;
    let broken = json!([{ "name": "main", "image": "main:1", "command": ["sh", "-c", "exit 1"] }]);
    let spec = json!({ "restartPolicy": "Never", "containers": broken });
    stage.create(PODS, json!({ "metadata": { "name": "broken" }, "spec": spec })).await;
    stage.event("broken.1", "broken", "Failed", "The disk is full").await;
    let tab = browser.open(&stage.page("")).await;
    // The token is not in the address any more.
    tab.until(
        "an address without the token",
        "location.search === '' && document.title === 'Overview · klient'",
    )
    .await;
    let worst_first = "['lost', 'web', 'broken'].every((name, at) => wrong[at]?.includes(name))";
    let condition = format!("(wrong => wrong.length === 3 && {worst_first})({})", items("What is wrong"));
    tab.until("the problems, the worst first", &condition).await;
    tab.see("The disk is full").await;
    for (part, what) in
        [("Pods", "Running1"), ("Pods", "Error1"), ("Workloads", "Deployments1 of 1 not ready")]
    {
        tab.until(what, &format!("{}.includes('{what}')", items(part))).await;
    }
    let nodes = "driver.one('region', 'Nodes').textContent";
    tab.until("the nodes", &format!("['good', 'lost', 'NotReady'].every((text) => {nodes}.includes(text))"))
        .await;
    // It follows the cluster.
    stage.delete(&format!("{PODS}/broken")).await;
    stage.delete(&format!("{DEPLOYMENTS}/web")).await;
    stage.set_ready(&json!({ "metadata": { "name": "lost" } }), true).await;
    tab.see("Nodes are ready, workloads have their pods, and pods run.").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_token_there_is_only_the_way_to_it() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    let tab = browser.open(&format!("http://{}/", stage.address)).await;
    tab.find("textbox", "Address that the gateway printed, or its token").await;
    assert!(!tab.value::<String>("document.documentElement.outerHTML").await.contains("script"));
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_another_token_is_signed_in_to_at_the_same_place() {
    let Some(browser) = Browser::start().await else { return };
    let mut stage = Stage::start(Options::default()).await;
    stage.config_map("web", json!({})).await;
    let place = "#/k/core/v1/configmaps?ns=default&q=web";
    let tab = browser.open(&stage.page(place)).await;
    tab.names(&["web"]).await;
    stage.stop().await;
    tab.see("This page cannot reach the gateway.").await;
    let gateway = Gateway::new(stage.admin.clone(), Options::default()).unwrap();
    let listener = TcpListener::bind(stage.address).await.unwrap();
    let serving = tokio::spawn(gateway.clone().serve(listener, std::future::pending()));
    tab.see("This browser is signed out.").await;
    tab.until("the rows as they were", "driver.names().join() === 'web'").await;
    let address = format!("http://{}{}", stage.address, gateway.page());
    tab.check_faults().await;
    tab.fill("textbox", "Address that the gateway printed, or its token", &address).await;
    tab.click("button", "Sign in").await;
    tab.see_no("signed out").await;
    tab.names(&["web"]).await;
    tab.at(place).await;
    stage.delete("/api/v1/namespaces/default/configmaps/web").await;
    tab.see("No config maps in default").await;
    tab.end().await;
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_as_they_happen_the_last_first() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    stage.event("one", "web", "Pulled", "The first").await;
    let tab = browser.open(&stage.page("#/overview")).await;
    let first = |message: &str| format!("{}[0]?.includes('{message}')", items("Events"));
    tab.until("the first event", &first("The first")).await;
    stage.event("two", "web", "BackOff", "The second").await;
    tab.until("the second event above it", &first("The second")).await;
    tab.go_to("#/k/core/v1/events?ns=default").await;
    tab.until("both in the table", "driver.rows().length === 2").await;
    let counted = json!({ "count": 7, "message": "The second again" });
    stage.write(Method::PATCH, "/api/v1/namespaces/default/events/two", counted).await;
    tab.see("The second again").await;
    // The object of an event is a link.
    tab.find("link", "pod/web").await;
    tab.end().await;
}
