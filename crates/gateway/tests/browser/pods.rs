//! The logs, terminals and ports of pods.

use serde_json::json;

use crate::browser::Browser;
use crate::objects::allowed;
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_and_filtered() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    stage.pod("web", json!({})).await;
    stage.sh("web", "echo first line > /proc/1/fd/1").await;
    let tab = browser.open(&stage.page("#/o/core/v1/pods/default/web/logs")).await;
    tab.see("first line").await;
    tab.see("Following").await;
    stage.sh("web", "echo second line > /proc/1/fd/1; echo ERROR third > /proc/1/fd/1").await;
    tab.see("ERROR third").await;
    tab.press("/").await;
    tab.type_text("line").await;
    tab.see_no("ERROR third").await;
    tab.see("2 of ").await;
    stage.sh("web", "echo fourth line > /proc/1/fd/1").await;
    tab.see("fourth line").await;
    tab.press("Escape").await;
    tab.see("ERROR third").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_runs_commands_and_tells_their_end() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    stage.pod("web", json!({})).await;
    let tab = browser.open(&stage.page("#/o/core/v1/pods/default/web/terminal")).await;
    tab.see("Connected").await;
    // What is typed differs from what is printed.
    tab.type_text("echo one''two").await;
    tab.press("Enter").await;
    tab.see("onetwo").await;
    // F6 leaves the terminal, and Enter there is not the terminal's.
    tab.press("F6").await;
    tab.focus("tab", "Terminal").await;
    tab.run("driver.one('textbox', 'Terminal input').focus()").await;
    tab.type_text("exit 3").await;
    tab.press("Enter").await;
    tab.see("The command has ended with the exit code 3.").await;
    tab.focus("button", "Again").await;
    tab.press("Enter").await;
    tab.see("Connected").await;
    tab.see_no("exit code 3").await;
    tab.fill("textbox", "Command; a shell if empty", "echo three''four").await;
    tab.press("Enter").await;
    tab.see("threefour").await;
    tab.see("Ended with 0").await;
    tab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_are_opened_through_the_gateway_or_forwarded_by_a_command() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(allowed()).await;
    stage.pod("web", json!({ "ports": [{ "name": "http", "containerPort": 8080 }] })).await;
    let tab = browser.open(&stage.page("#/o/core/v1/pods/default/web")).await;
    tab.click("tab", "Ports").await;
    tab.see("klient port-forward").await;
    tab.see("-n default pod/web 8080").await;
    tab.find("link", "Open").await;
    let path: String = tab.value("new URL(driver.one('link', 'Open').href).pathname").await;
    assert_eq!(path, "/api/v1/namespaces/default/pods/web%3A8080/proxy/");
    tab.fill("textbox", "Another port", "70000").await;
    tab.see("A port is a number from 1 to 65535").await;
    tab.fill("textbox", "Another port", "80").await;
    tab.see("pod/web 8080:80").await;
    tab.end().await;
}
