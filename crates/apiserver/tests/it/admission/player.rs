//! [`Player`], which plays cases to a server and writes down its answers.

use std::sync::LazyLock;
use std::time::Duration;

use http::Method;
use regex::Regex;
use serde_json::Value;

use super::definitions::{called, defined, labelled};
use crate::answer::Answer;
use crate::client::Client;
use crate::hook::Hook;

const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/v1";
const CALLS: &str = "/api/v1/namespaces/admission-responses/configmaps?dryRun=All";

pub(super) struct Player {
    pub(super) client: Client,
    pub(super) hook: Hook,
}

impl Player {
    /// Plays cases, and gives them with the answers. Lines that begin with two spaces are the answer to the line above, and
    /// those that begin with `#` are words. A request is `METHOD PATH BODY`; one behind `until CODE` is sent until that is
    /// the code of the answer. A `PLURAL FIELDS` is the creation, as a dry run, of an object that configures admission:
    /// that of [`defined`] with these fields. `register PLURAL NAMES` creates a configuration of the [`called`] webhooks with
    /// these names, which are their paths, too, and `call NAME` is a write for which that of the name is called. A string
    /// `HOOK/PATH` in a body is the `clientConfig` of a webhook.
    pub(super) async fn play(self, cases: &str) -> String {
        let mut out = String::new();
        for line in cases.lines().filter(|line| !line.starts_with("  ")) {
            out += &format!("{line}\n");
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(rest) = line.strip_prefix("until ") {
                let (code, request) = rest.split_once(' ').expect("a code and a request");
                let mut attempts = 0..200;
                while self.send(request).await.status.as_str() != code {
                    assert!(attempts.next().is_some(), "not until {line}");
                    // A real server looks at what configures admission some time later, and says nothing of it.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                continue;
            }
            out += &shown(&self.send(line).await);
        }
        out
    }

    async fn send(&self, line: &str) -> Answer {
        let (first, rest) = line.split_once(' ').expect("a method, or a plural");
        let json = |text: &str| -> Value {
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        let (method, path, mut body) = match first {
            "POST" | "PUT" | "PATCH" | "DELETE" | "GET" => {
                let (path, body) = rest.split_once(' ').unwrap_or((rest, "null"));
                (first.parse().expect("it is one"), path.to_owned(), json(body))
            }
            "register" => {
                let (plural, names) = rest.split_once(' ').expect("a plural and names");
                (Method::POST, format!("{CONFIGURATIONS}/{plural}"), called(plural, names))
            }
            "call" => (Method::POST, CALLS.to_owned(), labelled(rest)),
            plural => {
                let path = format!("{CONFIGURATIONS}/{plural}?dryRun=All");
                (Method::POST, path, defined(plural, &json(rest)))
            }
        };
        self.fill(&mut body);
        let media = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.client.send(method, &path, &[("content-type", media)], body).await
    }

    /// Fills in the addresses of webhooks.
    fn fill(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(path) = text.strip_prefix("HOOK") {
                    *value = self.hook.at_url(path);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.fill(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.fill(field)),
            _ => {}
        }
    }
}

/// An answer: the code and the message with its causes, or what is not the server's own in an object; and the warnings.
fn shown(answer: &Answer) -> String {
    let json = answer.json();
    let code = answer.status.as_u16();
    let mut lines = Vec::new();
    if json["kind"] == "Status" {
        let text = |name: &str| json[name].as_str().unwrap_or_default();
        lines.push(format!("{code} {} {}", text("reason"), text("message")));
        let details = &json["details"];
        let causes = details["causes"].as_array().map_or(&[][..], Vec::as_slice);
        // The message has them already.
        if causes.iter().any(|cause| !text("message").contains(cause["message"].as_str().unwrap_or_default()))
        {
            lines.extend(causes.iter().map(|cause| format!("cause {cause}")));
        }
        if !details["retryAfterSeconds"].is_null() {
            lines.push(format!("retry after {}", details["retryAfterSeconds"]));
        }
    } else {
        let metadata = &json["metadata"];
        lines.push(format!("{code} {} {} {}", json["data"], metadata["labels"], metadata["annotations"]));
    }
    lines.extend(answer.warnings().into_iter().map(|warning| format!("warning {warning}")));
    lines.iter().map(|line| format!("  {}\n", masked(line).replace('\n', "\n  "))).collect()
}

/// A text without what no two servers have in common.
fn masked(text: &str) -> String {
    static OWN: LazyLock<Regex> = LazyLock::new(|| {
        let uid = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}";
        Regex::new(&format!(r"127\.0\.0\.1:\d\d\d+|timeout=\d+s|{uid}")).expect("the expression is valid")
    });
    OWN.replace_all(text, "*").into_owned()
}
