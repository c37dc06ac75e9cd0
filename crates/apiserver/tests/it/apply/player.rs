//! [`Player`], which plays cases to a server and writes down what came of them.

use http::Method;
use klient_apimachinery::yaml;
use klient_structured_merge::{Managers, Operation};
use regex::Regex;
use serde_json::{Value, json};

use super::step::{Step, Verb};
use crate::client::Client;

pub(super) struct Player {
    client: Client,
    namespace: String,
    /// Objects created outside the namespace, to be removed after the case.
    outside: Vec<String>,
    out: String,
}

impl Player {
    pub(super) fn new(client: Client) -> Self {
        Player { client, namespace: String::new(), outside: Vec::new(), out: String::new() }
    }

    /// Plays cases, and gives them with what came of their steps. Below a headline, lines that begin with `#` begin a case, and those
    /// that begin with two spaces are what came of the step above; `define` makes what the indented YAML under it
    /// says, and `redefine` changes it.
    pub(super) async fn play(mut self, cases: &str) -> String {
        let mut lines = cases.lines().peekable();
        let headline = lines.next().unwrap_or_default();
        self.out = format!("{headline}\n");
        while let Some(line) = lines.next() {
            let is_outcome = line.starts_with("  ");
            if is_outcome {
                continue;
            }
            self.out += &format!("{line}\n");
            if line.starts_with('#') {
                self.begin().await;
            } else if line == "define" || line == "redefine" {
                let mut text = String::new();
                while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
                    self.out += &format!("{line}\n");
                    text += &format!("{line}\n");
                }
                self.define(&text, line == "redefine").await;
            } else if let Some(show) = line.strip_prefix("? ") {
                self.show(show).await;
            } else if !line.is_empty() {
                self.step(&Step::parse(line)).await;
            }
        }
        self.end().await;
        self.out
    }

    async fn begin(&mut self) {
        self.end().await;
        let namespace = json!({"metadata": {"generateName": "case-"}});
        let made = self.client.post("/api/v1/namespaces", &namespace).await.expect(201);
        self.namespace = made["metadata"]["name"].as_str().expect("a name").to_owned();
    }

    async fn end(&mut self) {
        for path in std::mem::take(&mut self.outside) {
            self.client.delete(&path).await;
        }
    }

    /// Makes a definition, or gives one another `spec`, and waits until it is served.
    async fn define(&self, text: &str, again: bool) {
        const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let definition: Value = yaml::from_str(text).expect("a definition");
        let name = definition["metadata"]["name"].as_str().expect("a name");
        if again {
            let patch = json!([{"op": "replace", "path": "/spec", "value": definition["spec"]}]);
            self.client.patch(&format!("{DEFINITIONS}/{name}"), "json", &patch).await.expect(200);
            return;
        }
        self.client.delete(&format!("{DEFINITIONS}/{name}")).await;
        while self.client.get(&format!("{DEFINITIONS}/{name}")).await.status != 404 {
            tokio::task::yield_now().await;
        }
        self.client.post(DEFINITIONS, &definition).await.expect(201);
        let group = definition["spec"]["group"].as_str().expect("a group");
        let plural = definition["spec"]["names"]["plural"].as_str().expect("a plural");
        for version in definition["spec"]["versions"].as_array().expect("versions") {
            let version = version["name"].as_str().expect("a name");
            while self.client.get(&format!("/apis/{group}/{version}/{plural}")).await.status != 200 {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn step(&mut self, step: &Step) {
        let object = step.on.object(&self.namespace);
        let before = self.client.get(&object).await.json();
        let path = match step.verb {
            Verb::Create => step.on.collection(&self.namespace),
            _ => step.on.path(&self.namespace),
        };
        let present = match &step.on.subresource {
            Some(_) => self.client.get(&step.on.path(&self.namespace)).await.json(),
            None => before.clone(),
        };
        let path = format!("{path}?{}", step.query());
        let headers = [("content-type", step.content_type()), ("user-agent", "agent/1.0 (cases)")];
        let body = match step.verb {
            Verb::Delete => String::new(),
            _ => step.body(&present, &self.namespace).to_string(),
        };
        let answer = self.client.send(step.method(), &path, &headers, body).await;
        let answered = answer.json();
        let after = self.client.get(&object).await.json();
        let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
        let unchanged = before["kind"] != "Status" && version(&before) == version(&after);
        if !step.on.resource.namespaced && answer.status == 201 {
            self.outside.push(object.clone());
        }
        let same = if unchanged { " =" } else { "" };
        if answered["kind"] == "Status" && answered["status"] == "Failure" {
            let message = answered["message"].as_str().unwrap_or_default().replace('\n', "\n      ");
            let reason = answered["reason"].as_str().unwrap_or("without a reason");
            self.say(&format!("{} {reason}: {message}", answer.status.as_u16()));
            // A kube-apiserver gives those of several managers in any order.
            let mut causes: Vec<String> = Vec::new();
            for cause in answered["details"]["causes"].as_array().into_iter().flatten() {
                let text = |name: &str| cause[name].as_str().unwrap_or_default().to_owned();
                causes.push(format!("    {} {}: {}", text("reason"), text("field"), text("message")));
            }
            causes.sort();
            causes.iter().for_each(|cause| self.say(cause));
            return;
        }
        self.say(&format!("{}{same}", answer.status.as_u16()));
        if step.verb != Verb::Delete && step.on.subresource.as_deref() != Some("scale") {
            self.owners(&answered, step.on.resource.api_version);
        } else if step.verb != Verb::Delete {
            self.owners(&after, step.on.resource.api_version);
        }
    }

    /// Prints the managers and their fields by name: in the object they are ordered by time.
    fn owners(&mut self, object: &Value, api_version: &str) {
        let managers =
            Managers::of(object.as_object().expect("an object")).expect("managed fields can be read");
        let mut lines = Vec::new();
        for entry in object["metadata"]["managedFields"].as_array().into_iter().flatten() {
            let text = |name: &str| entry[name].as_str().unwrap_or_default();
            let (manager, owned) = managers
                .iter()
                .find(|(manager, _)| {
                    manager.name == text("manager")
                        && manager.operation.as_str() == text("operation")
                        && manager.subresource == text("subresource")
                        && (manager.operation == Operation::Apply
                            || manager.api_version == text("apiVersion"))
                })
                .expect("the entry was read");
            let subresource = match manager.subresource.as_str() {
                "" => String::new(),
                subresource => format!("/{subresource}"),
            };
            let version = match text("apiVersion") {
                same if same == api_version => String::new(),
                other => format!(" in {other}"),
            };
            let time = if owned.time.is_none() { " at no time" } else { "" };
            let fields: Vec<String> = owned.fields.iter().map(|path| path.to_string()).collect();
            lines.push(format!(
                "{} {}{subresource}{version}{time}: {}",
                manager.name,
                text("operation"),
                fields.join(" ")
            ));
        }
        lines.sort();
        lines.iter().for_each(|line| self.say(line));
    }

    /// Says what values are at paths: `configmaps/a .data .metadata.labels`.
    async fn show(&mut self, line: &str) {
        let step = Step::parse(&format!("- delete {}", line.split_whitespace().next().unwrap_or_default()));
        let object = self.client.send(Method::GET, &step.on.object(&self.namespace), &[], "").await.json();
        for path in line.split_whitespace().skip(1) {
            let value = object.pointer(&path.replace('.', "/")).unwrap_or(&Value::Null);
            self.say(&format!("{path} {value}"));
        }
    }

    fn say(&mut self, text: &str) {
        let times = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").expect("a pattern");
        let text = times.replace_all(text, "TIME").replace(&self.namespace, "NS");
        let uids = Regex::new(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").expect("a pattern");
        self.out += &format!("  {}\n", uids.replace_all(&text, "UID"));
    }
}
