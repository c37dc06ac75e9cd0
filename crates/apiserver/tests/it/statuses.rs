//! Writes of the `status` subresource of built-in kinds: cases played in order, with kube-apiserver's answer below each.
//!
//! `UPDATE_EXPECT=1` rewrites the file. With `KLIENT_JUDGE` set to a kubeconfig they are played to that server
//! instead of the embedded one: `cargo xtask e2e` does so with a real kube-apiserver, and both together record its answers.

use expect_test::expect_file;
use klient_apimachinery::yaml;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::client::Client;

#[tokio::test]
async fn a_status_is_refused_in_the_words_of_a_real_server() {
    let cases = include_str!("statuses.txt");
    let played = match std::env::var("KLIENT_JUDGE") {
        Ok(kubeconfig) => play(&Client::of_kubeconfig(&kubeconfig).await, cases).await,
        Err(_) => {
            let server = TestServer::start().await.expect("a server starts");
            play(&Client::admin(&server).await, cases).await
        }
    };
    expect_file!["statuses.txt"].assert_eq(&played);
}

/// Plays cases, and gives them with the answers, which are the lines that begin with two spaces. `create PATH OBJECT` makes
/// an object with a generated name; `NS` is a namespace of their own. `status STATUS` replaces its status.
async fn play(client: &Client, cases: &str) -> String {
    let namespace = json!({"metadata": {"generateName": "statuses-"}});
    let namespace = client.post("/api/v1/namespaces", &namespace).await.expect(201);
    let namespace = namespace["metadata"]["name"].as_str().expect("a name").to_owned();
    let mut out = String::new();
    let mut object = String::new();
    let mut made = vec![format!("/api/v1/namespaces/{namespace}")];
    for line in cases.lines().filter(|line| !line.starts_with("  ")) {
        out += &format!("{line}\n");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (verb, rest) = line.split_once(' ').expect("a verb");
        let parse =
            |text: &str| -> Value { yaml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")) };
        if verb == "create" {
            let (path, body) = rest.split_once(' ').expect("a path and an object");
            let path = path.replace("NS", &namespace);
            let mut body = parse(body);
            if body["metadata"]["name"].is_null() {
                body["metadata"]["generateName"] = "case-".into();
            }
            let answer = client.post(&path, &body).await.expect(201);
            object = format!("{path}/{}", answer["metadata"]["name"].as_str().expect("a name"));
            made.push(object.clone());
            continue;
        }
        let answer = loop {
            let mut body = client.get(&object).await.expect(200);
            body["status"] = parse(rest);
            let answer = client.put(&format!("{object}/status"), &body).await;
            // A controller writes the status of definitions.
            if answer.status != 409 {
                break answer;
            }
        };
        out += &shown(&answer, &object);
    }
    for path in made.iter().rev() {
        client.delete(path).await;
    }
    out
}

/// The answer: its code, and the message of a refusal without the name of the object; and the warnings.
fn shown(answer: &Answer, object: &str) -> String {
    let json = answer.json();
    let name = object.rsplit('/').next().unwrap_or_default();
    let message = match json["kind"].as_str() {
        Some("Status") => format!(" {}", json["message"].as_str().unwrap_or_default().replace(name, "NAME")),
        _ => String::new(),
    };
    let mut out = format!("  {}{message}\n", answer.status.as_u16());
    for warning in answer.warnings() {
        out += &format!("  warning {warning}\n");
    }
    out
}
