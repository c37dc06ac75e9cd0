//! Recorded responses of kube-apiserver v1.37.0, compared with those of this server.

use std::collections::HashMap;
use std::time::Duration;

use http::Method;
use klient_apiserver::{Options, Server};

use crate::client::{Client, Identity, Protocol};
use crate::events::Events;
use crate::exchange::Exchange;
use crate::same::Counterparts;

/// Exchanges that do not match yet, and why.
const NOT_YET: &[(&str, &str)] = &[
    ("/.well-known/openid-configuration", "the server signs by ES256"),
    ("/livez?verbose", "the server has other parts, and so other checks"),
];

const NAMESPACE: &str = "wire";

#[tokio::test]
async fn exchanges_of_kube_apiserver_come_out_the_same() {
    let options = Options { client_timeout: Duration::from_secs(1), ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let mut replay = Replay::new(&server).await;
    let mut wrong = Vec::new();
    for exchange in Exchange::all() {
        let title = exchange.title.clone();
        let outcome = replay.run(exchange).await;
        let reason = NOT_YET.iter().find(|(other, _)| *other == title).map(|(_, reason)| reason);
        match (outcome, reason) {
            (Ok(()), None) | (Err(_), Some(_)) => {}
            (Ok(()), Some(reason)) => wrong.push(format!("{title}: matches, though {reason:?}")),
            (Err(difference), None) => wrong.push(format!("{title}: {difference}")),
        }
    }
    assert!(wrong.is_empty(), "{} exchanges:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_does_not_match_yet_is_on_record() {
    let titles: Vec<String> = Exchange::all().into_iter().map(|exchange| exchange.title).collect();
    for (title, _) in NOT_YET {
        assert!(titles.iter().any(|other| other == title), "{title}");
    }
}

struct Replay<'a> {
    server: &'a Server,
    clients: HashMap<String, Client>,
    counterparts: Counterparts,
}

impl Replay<'_> {
    async fn new(server: &Server) -> Replay<'_> {
        let token = |token: &str| Identity::Token(token.to_owned());
        let identities = [
            ("", token(server.admin_token())),
            ("unknown", token("nobody-has-this")),
            ("anonymous", Identity::Nobody),
            ("low-user", token(&server.token("low-user", &[]))),
        ];
        let mut clients = HashMap::new();
        for (user, identity) in identities {
            let client = Client::connect(server, Protocol::Http1, identity).await;
            clients.insert(user.to_owned(), client);
        }
        Replay { server, clients, counterparts: Counterparts::default() }
    }

    /// Sends a request and compares its answer with the one on record.
    async fn run(&mut self, exchange: Exchange) -> Result<(), String> {
        let headers: Vec<(&str, &str)> =
            exchange.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let path = self.counterparts.path(&in_namespace(&exchange.path), self.server.resource_version());
        // None is to wait so long between requests that the server closes it.
        let client = self.clients[exchange.user.as_deref().unwrap_or_default()].again().await;
        let Some(status) = exchange.status else {
            return self.step(&exchange).await;
        };
        if exchange.is_watch() && status == 200 {
            let (status, events) = client.stream(&path, &headers).await;
            if status != 200 || events.header("content-type") != exchange.content_type {
                return Err(format!("answered {status} {:?}", events.header("content-type")));
            }
            for step in &exchange.during {
                self.step(step).await?;
            }
            return match &exchange.answer {
                Some(recorded) => self.compare_events(&in_namespace(recorded), exchange.cut, events).await,
                None => frames(exchange.during.len(), events).await,
            };
        }
        let method = Method::from_bytes(exchange.method.as_bytes()).expect("it is a method");
        let answer = client.send(method, &path, &headers, in_namespace(&exchange.body)).await;
        if answer.status != status {
            return Err(format!("answered {} {}", answer.status, answer.text()));
        }
        for (name, recorded) in [
            ("content-type", &exchange.content_type),
            ("warning", &exchange.warning),
            ("retry-after", &exchange.retry_after),
            ("x-content-type-options", &exchange.content_type_options),
        ] {
            if answer.header(name) != recorded {
                return Err(format!("{name}: recorded {recorded:?}, answered {:?}", answer.header(name)));
            }
        }
        match &exchange.answer {
            Some(recorded) => self.counterparts.compare(&in_namespace(recorded), exchange.cut, answer.text()),
            None => Ok(()),
        }
    }

    /// Does what prepares for an exchange.
    async fn step(&self, step: &Exchange) -> Result<(), String> {
        let headers: Vec<(&str, &str)> =
            step.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let method = Method::from_bytes(step.method.as_bytes()).expect("it is a method");
        let client = self.clients[""].again().await;
        let answer = client.send(method, &in_namespace(&step.path), &headers, in_namespace(&step.body)).await;
        if answer.status.is_success() { Ok(()) } else { Err(answer.text().to_owned()) }
    }

    /// Compares as many events as were recorded. Bookmarks that only the clock brings are left out.
    async fn compare_events(&mut self, recorded: &str, cut: bool, mut events: Events) -> Result<(), String> {
        let timed = |line: &str| line.contains("BOOKMARK") && !line.contains("initial-events-end");
        let lines: Vec<&str> = recorded.split_inclusive('\n').filter(|line| !timed(line)).collect();
        for (index, line) in lines.iter().enumerate() {
            let event = events.line().await.unwrap_or_default();
            self.counterparts.compare(line, cut && index + 1 == lines.len(), &event)?;
        }
        if cut || events.is_silent().await || events.line().await.is_none() {
            return Ok(());
        }
        Err("answered more events".to_owned())
    }
}

/// Reads so many events in protobuf. Their content is not recorded, as it is binary.
async fn frames(count: usize, mut events: Events) -> Result<(), String> {
    for _ in 0..count {
        events.frame().await.ok_or("the watch ends")?;
    }
    if events.is_silent().await { Ok(()) } else { Err("answered more events".to_owned()) }
}

fn in_namespace(text: &str) -> String {
    let words = text.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
    words
        .map(|word| match word.strip_prefix("NS") {
            Some(end) if end.chars().all(|c| !c.is_alphanumeric()) && end.len() <= 1 => {
                format!("{NAMESPACE}{end}")
            }
            _ => word.to_owned(),
        })
        .collect()
}
