//! [`Player`], which plays a sequence on a server.

use std::fmt;

use klient_client::{Client, Error, ErrorKind};
use serde_json::{Value, json};

use crate::answer::{Answer, Stored};
use crate::kind::Kind;
use crate::kinds::{definitions, gauge};
use crate::played::Played;
use crate::request::Request;
use crate::sequence::Sequence;
use crate::step::Verb;
use crate::webhooks::{LABEL, Webhooks};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Plays a sequence on a server.
pub struct Player {
    client: Client,
    namespace: String,
    sequence: Sequence,
    next: usize,
    /// What was applied and what the object was like until now.
    seen: Vec<Value>,
    was_scaled: bool,
}

/// Why a step could not be played.
#[derive(Debug)]
pub struct PlayError(Problem);

#[derive(Debug)]
enum Problem {
    Send(Error),
    Json(String, serde_json::Error),
    Refused(String, Answer),
}

impl Player {
    /// Gives a server what sequences need: the definitions of their custom kinds.
    ///
    /// # Errors
    ///
    /// If it does not take them.
    pub async fn prepare(client: &Client) -> Result<(), PlayError> {
        for definition in definitions() {
            let path =
                format!("{DEFINITIONS}/{}", definition["metadata"]["name"].as_str().unwrap_or_default());
            let request = Request::create(DEFINITIONS.to_owned(), definition);
            let answer = exchange(client, &request).await?;
            if !answer.is_success() && answer.code != 409 {
                return Err(PlayError(Problem::Refused(request.to_string(), answer)));
            }
            await_answer(client, &Request::read(path), is_established).await?;
        }
        for kind in Kind::all().iter().filter(|kind| !kind.is_builtin && !kind.is_converted()) {
            for api_version in kind.api_versions {
                let request = Request::read(kind.path(api_version, "default"));
                // A kind is served some time after it is defined.
                await_answer(client, &request, Answer::is_success).await?;
            }
        }
        Ok(())
    }

    /// Gives a [prepared](Self::prepare) server the webhooks of sequences, and waits until it calls them.
    ///
    /// # Errors
    ///
    /// If it does not take them.
    pub async fn prepare_webhooks(client: &Client, webhooks: &Webhooks) -> Result<(), PlayError> {
        const PROBE: &str = "webhooks-probe";
        let accepted = async |request: Request| {
            let answer = exchange(client, &request).await?;
            if answer.is_success() {
                return Ok(());
            }
            Err(PlayError(Problem::Refused(request.to_string(), answer)))
        };
        let definition = gauge::gauge_definition(&webhooks.client_config("/convert"));
        let path = format!("{DEFINITIONS}/gauges.e2e.klient.example");
        accepted(Request::apply(path.clone(), definition)).await?;
        await_answer(client, &Request::read(path), is_established).await?;
        accepted(Request::apply(format!("/api/v1/namespaces/{PROBE}"), namespace(PROBE, true))).await?;
        for (plural, configuration) in webhooks.configurations() {
            let path = format!("/apis/admissionregistration.k8s.io/v1/{plural}/e2e.klient.example");
            accepted(Request::apply(path, configuration)).await?;
        }
        let config_maps = format!("/api/v1/namespaces/{PROBE}/configmaps");
        let config_map = |annotations: Value| {
            let metadata = json!({"name": "it", "labels": {"app": "2"}, "annotations": annotations});
            let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
            Request::create(config_maps.clone(), body).dry_run()
        };
        let is_changed = |answer: &Answer| {
            let metadata = &answer.body["metadata"];
            metadata["labels"]["seen"] == "2" && metadata["annotations"]["some"] == "yes"
        };
        await_answer(client, &config_map(json!({})), is_changed).await?;
        let refused = config_map(json!({"a.example/y": "2"}));
        await_answer(client, &refused, |answer| answer.code == 406).await?;
        let gauges =
            |version: &str| format!("/apis/e2e.klient.example/{version}/namespaces/{PROBE}/gauges/it");
        let gauge = json!({
            "apiVersion": "e2e.klient.example/v1", "kind": "Gauge", "metadata": {"name": "it"}, "spec": {"size": 1},
        });
        let applied = Request::apply(gauges("v1"), gauge);
        await_answer(client, &applied, Answer::is_success).await?;
        let is_converted = |answer: &Answer| answer.body["spec"]["amount"] == 1;
        await_answer(client, &Request::read(gauges("v2")), is_converted).await
    }

    /// Plays a sequence in a new namespace of a server that is [prepared](Self::prepare).
    ///
    /// # Errors
    ///
    /// If the namespace cannot be made.
    pub async fn new(client: &Client, namespace: &str, sequence: &Sequence) -> Result<Player, PlayError> {
        let body = self::namespace(namespace, sequence.is_hooked);
        let request = Request::create("/api/v1/namespaces".to_owned(), body);
        let answer = exchange(client, &request).await?;
        if !answer.is_success() {
            return Err(PlayError(Problem::Refused(request.to_string(), answer)));
        }
        let (client, namespace, sequence) = (client.clone(), namespace.to_owned(), sequence.clone());
        Ok(Player { client, namespace, sequence, next: 0, seen: Vec::new(), was_scaled: false })
    }

    /// Plays the next step; nothing is left when there is none.
    ///
    /// # Errors
    ///
    /// If the server does not answer, or not in JSON.
    pub async fn step(&mut self) -> Result<Option<Played>, PlayError> {
        let Some(step) = self.sequence.steps.get(self.next).cloned() else { return Ok(None) };
        self.next += 1;
        let kind = self.sequence.of();
        let before = self.stored().await?;
        let read = match (&step.verb, step.subresource) {
            (Verb::Update(_), subresource) => {
                let path = format!("{}/{}", kind.path(step.api_version, &self.namespace), kind.name());
                let path = subresource.map_or(path.clone(), |subresource| format!("{path}/{subresource}"));
                Some(exchange(&self.client, &Request::read(path)).await?)
            }
            _ => None,
        };
        let live = read.as_ref().filter(|answer| answer.is_success()).map(|answer| &answer.body);
        if let Verb::Apply { config, .. } = &step.verb {
            self.seen.push(config.clone());
        }
        self.seen.extend(before.iter().map(|before| before.object.clone()));
        self.was_scaled |= step.subresource == Some("scale");
        let (seen, was_scaled, is_hooked) = (self.seen.clone(), self.was_scaled, self.sequence.is_hooked);
        let request = Request::new(&step, kind, &self.namespace, live);
        let answer = exchange(&self.client, &request).await?;
        let after = self.stored().await?;
        let is_applied = matches!(step.verb, Verb::Apply { .. }) && !step.dry_run && answer.is_success();
        let again = if is_applied {
            let answer = exchange(&self.client, &request).await?;
            Some((answer, self.stored().await?))
        } else {
            None
        };
        Ok(Some(Played {
            read,
            request,
            answer,
            before,
            after,
            again,
            seen,
            was_scaled,
            is_hooked,
            step,
            kind,
        }))
    }

    /// Deletes the object, so that the server has its addresses and ports again, unless it is there for all sequences.
    ///
    /// # Errors
    ///
    /// If the server does not answer, or not in JSON.
    pub async fn finish(self) -> Result<(), PlayError> {
        if self.sequence.of().is_dry_run() {
            return Ok(());
        }
        let release = json!({"metadata": {"finalizers": null}});
        exchange(&self.client, &Request::merge(self.path(), release)).await?;
        exchange(&self.client, &Request::delete(self.path())).await.map(drop)
    }

    fn path(&self) -> String {
        let kind = self.sequence.of();
        format!("{}/{}", kind.path(kind.api_versions[0], &self.namespace), kind.name())
    }

    async fn stored(&self) -> Result<Option<Stored>, PlayError> {
        let request = Request::read(self.path());
        match request.on(&self.client).send().await {
            Ok(response) => {
                let stored = Stored::new(response.text());
                stored.map(Some).map_err(|error| PlayError(Problem::Json(request.to_string(), error)))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(PlayError(Problem::Send(error))),
        }
    }
}

/// A namespace, in which webhooks are called or not.
fn namespace(name: &str, is_hooked: bool) -> Value {
    let labels = if is_hooked { json!({LABEL: "yes"}) } else { json!({}) };
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

fn is_established(answer: &Answer) -> bool {
    let conditions = answer.body.pointer("/status/conditions").and_then(Value::as_array);
    conditions
        .is_some_and(|all| all.iter().any(|one| one["type"] == "Established" && one["status"] == "True"))
}

/// Sends a request until the answer is the one that is waited for.
async fn await_answer(
    client: &Client,
    request: &Request,
    is_it: impl Fn(&Answer) -> bool,
) -> Result<(), PlayError> {
    let mut answer = exchange(client, request).await?;
    for _ in 0..200 {
        if is_it(&answer) {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        answer = exchange(client, request).await?;
    }
    Err(PlayError(Problem::Refused(request.to_string(), answer)))
}

async fn exchange(client: &Client, request: &Request) -> Result<Answer, PlayError> {
    let (code, text) = match request.on(client).send().await {
        Ok(response) => (response.status().as_u16(), response.text()),
        Err(error) => match (error.code(), error.as_status()) {
            (Some(code), Some(status)) => (code, serde_json::to_string(status).expect("a Status is JSON")),
            _ if error.kind() == ErrorKind::Connection => return Ok(Answer::none()),
            _ => return Err(PlayError(Problem::Send(error))),
        },
    };
    match serde_json::from_str(&text) {
        Ok(body) => Ok(Answer { code, body }),
        Err(error) => Err(PlayError(Problem::Json(request.to_string(), error))),
    }
}

impl fmt::Display for PlayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::Send(error) => write!(f, "no answer: {error}"),
            Problem::Json(request, _) => write!(f, "the answer is no JSON: {request}"),
            Problem::Refused(request, answer) => {
                write!(f, "refused with {}: {request}: {}", answer.code, answer.body)
            }
        }
    }
}

impl std::error::Error for PlayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Problem::Send(error) => error.source(),
            Problem::Json(_, error) => Some(error),
            Problem::Refused(..) => None,
        }
    }
}
