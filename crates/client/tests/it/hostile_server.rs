//! [`check`], operations of a client on a server that attacks it. The server is in memory, so that hours pass at once.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::Expect;
use http::Method;
use klient_apimachinery::BoxFuture;
use klient_client::{Client, Config, CopyOptions, Dialer, ExecOptions, LogOptions, PortForwardOptions};
use klient_streams::remote_command::Process;
use klient_streams::websocket::accept_key;
use tokio::io::{AsyncWriteExt as _, DuplexStream};

use crate::cluster::soon;
use crate::containers::pods;
use crate::front::read_head;
use crate::raw_spdy::RawPeer;

/// The most that a client takes of what it does not want, in bytes.
const MOST: usize = 10 * 1024 * 1024;

/// The bytes of a standard input that nobody reads.
const INPUT: usize = 1024 * 1024;

/// The time after which an operation goes on for ever.
const EVER: Duration = Duration::from_secs(60 * 60);

/// The behaviour of a server for a request and its connection.
pub(crate) type Attack = fn(Asked) -> BoxFuture<'static, ()>;

/// A request, and its connection.
pub(crate) struct Asked {
    stream: DuplexStream,
    head: String,
    sent: Arc<AtomicUsize>,
}

impl Asked {
    /// Sends bytes; false if the client is gone.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> bool {
        for part in bytes.chunks(16 * 1024) {
            if self.stream.write_all(part).await.is_err() {
                return false;
            }
            self.sent.fetch_add(part.len(), Ordering::Relaxed);
        }
        true
    }

    pub(crate) async fn say(&mut self, text: &str) -> bool {
        self.send(text.as_bytes()).await
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let headers = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = headers.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        values.next().unwrap_or_default()
    }

    pub(crate) fn wants_websocket(&self) -> bool {
        self.header("upgrade") == "websocket"
    }

    /// Switches the connection to the first protocol that the client offers.
    pub(crate) async fn switch(&mut self) {
        let answer = if self.wants_websocket() {
            let protocol = self.header("sec-websocket-protocol").split(", ").next().unwrap_or_default();
            let accept = accept_key(self.header("sec-websocket-key"));
            format!("websocket\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}")
        } else {
            let protocol = self.header("x-stream-protocol-version").split(", ").next().unwrap_or_default();
            format!("SPDY/3.1\r\nX-Stream-Protocol-Version: {protocol}")
        };
        self.say(&format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {answer}\r\n\r\n"
        ))
        .await;
    }

    /// Switches the connection to SPDY, which it does after it has refused WebSocket; none for the refusal.
    pub(crate) async fn switch_to_spdy(mut self) -> Option<RawPeer> {
        if self.wants_websocket() {
            self.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
            return None;
        }
        self.switch().await;
        Some(RawPeer::new(Box::new(self.stream)))
    }

    /// Keeps the connection until the client is gone, and reads what it sends.
    pub(crate) async fn stay(mut self) {
        // A client that breaks off is gone as well.
        let _ = tokio::io::copy(&mut self.stream, &mut tokio::io::sink()).await;
    }
}

/// A frame of WebSocket that has not the length 126 or 127.
pub(crate) fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len();
    let head = match u8::try_from(length) {
        Ok(length @ ..126) => vec![0x80 | kind, length],
        _ => match u16::try_from(length) {
            Ok(length) => [&[0x80 | kind, 126][..], &length.to_be_bytes()].concat(),
            Err(_) => [&[0x80 | kind, 127][..], &(length as u64).to_be_bytes()].concat(),
        },
    };
    [&head, payload].concat()
}

pub(crate) fn message(channel: u8, data: &[u8]) -> Vec<u8> {
    frame(2, &[&[channel], data].concat())
}

pub(crate) const SUCCESS: &[u8] = br#"{"status":"Success"}"#;

/// An operation of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Exec,
    Attach,
    Forward,
    CopyFrom,
    CopyTo,
    Logs,
}

use Operation::{Attach, CopyFrom, CopyTo, Exec, Forward, Logs};

pub(crate) const ALL: [Operation; 6] = [Exec, Attach, Forward, CopyFrom, CopyTo, Logs];
pub(crate) const SWITCHED: [Operation; 5] = [Exec, Attach, Forward, CopyFrom, CopyTo];
pub(crate) const COMMANDS: [Operation; 4] = [Exec, Attach, CopyFrom, CopyTo];

impl Operation {
    async fn run(self, client: &Client) -> Result<String, Box<dyn StdError>> {
        let pods = pods(client);
        let local = tempfile::tempdir()?;
        let file = local.path().join("file");
        Ok(match self {
            Exec => {
                let options = ExecOptions { stdin: true, ..Default::default() };
                ended(pods.exec("web", ["sh"], &options).await?).await?
            }
            Attach => ended(pods.attach("web", &ExecOptions::default()).await?).await?,
            Forward => {
                let forwarder = pods.port_forward("web", &PortForwardOptions::default()).await?;
                let mut connection = forwarder.connect(80).await?;
                let read = tokio::io::copy(&mut connection, &mut tokio::io::sink()).await?;
                format!("{read} bytes")
            }
            CopyFrom => {
                let copied = pods.copy_from("web", "/file", &file, &CopyOptions::default()).await;
                format!("{} entries", copied.map_err(|error| without(&error, &local))?.entries)
            }
            CopyTo => {
                std::fs::write(&file, vec![7_u8; INPUT])?;
                let copied = pods.copy_to("web", &file, "/file", &CopyOptions::default()).await;
                format!("{} entries", copied.map_err(|error| without(&error, &local))?.entries)
            }
            Logs => {
                let mut logs = pods.logs("web", &LogOptions::default()).await?;
                let mut lines = 0;
                while logs.line().await?.is_some() {
                    lines += 1;
                }
                format!("{lines} lines")
            }
        })
    }
}

/// The words of an error without the name of a temporary folder.
fn without(error: &klient_client::Error, folder: &tempfile::TempDir) -> String {
    error.to_string().replace(&folder.path().display().to_string(), "LOCAL")
}

/// Waits for the end of a process that gets some input.
async fn ended(mut process: Process) -> Result<String, klient_streams::Error> {
    let stdin = process.stdin.take();
    let writing = async {
        if let Some(mut stdin) = stdin {
            // The process may end before it has all.
            let _ = stdin.write_all(&vec![1; INPUT]).await;
        }
        std::future::pending::<()>().await;
    };
    let status = tokio::select! {
        status = process.wait() => status?,
        () = writing => unreachable!("it never ends"),
    };
    Ok(format!("exit code {}", status.code()))
}

/// A client of a server that does as it should with what precedes the attack, and the names of the hosts that it connects to.
fn client_of(attack: Attack, sent: &Arc<AtomicUsize>) -> (Client, Arc<Mutex<Vec<String>>>) {
    let hosts = Arc::<Mutex<Vec<String>>>::default();
    let (seen, sent) = (hosts.clone(), sent.clone());
    let mut config = Config::from_url("http://server.example").unwrap();
    config.dialer = Some(Dialer::new(move |host, _| {
        seen.lock().unwrap().push(host);
        let (near, mut stream) = tokio::io::duplex(64 * 1024);
        let sent = sent.clone();
        tokio::spawn(async move {
            let head = read_head(&mut stream).await;
            let line = head.lines().next().unwrap_or_default().to_owned();
            let mut asked = Asked { stream, head, sent };
            let answer = |status: &str, body: &str| {
                let length = body.len();
                format!(
                    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
                     Connection: close\r\n\r\n{body}"
                )
            };
            if line.contains(" /before ") {
                asked.say(&answer("404 Not Found", "{}")).await;
            } else if line.ends_with("/pods/web HTTP/1.1") {
                asked.say(&answer("200 OK", POD)).await;
            } else {
                attack(asked).await;
            }
        });
        std::future::ready(Ok(near))
    }));
    (Client::new(config).unwrap(), hosts)
}

const POD: &str = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"shop","uid":"u"},
    "spec":{"containers":[{"name":"c"}]},"status":{"phase":"Running"}}"#;

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Runs operations on a server that attacks each of them, and compares their outcomes.
pub(crate) async fn check(operations: &[Operation], attack: Attack, expected: Expect) {
    let mut outcomes = String::new();
    for operation in operations {
        let sent = Arc::<AtomicUsize>::default();
        let (client, hosts) = client_of(attack, &sent);
        // The tasks that look after the connections of a client remain as long as that.
        client.request(Method::GET).absolute_path("/before").send().await.unwrap_err();
        client.request(Method::GET).absolute_path("/before").upgrade("echo").await.unwrap_err();
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let before = tasks();
        let outcome = match tokio::time::timeout(EVER, operation.run(&client)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "goes on for ever".to_owned(),
        };
        writeln!(outcomes, "{operation:?}: {outcome}").unwrap();
        assert!(!outcome.contains('\n') && outcome.len() < 4096, "{operation:?}: {outcome}");
        soon("the end of the tasks", async {
            while tasks() > before {
                // The clock is paused, and goes on when nothing else does.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        let sent = sent.load(Ordering::Relaxed);
        assert!(sent < MOST, "{operation:?} takes {sent} bytes");
        // Credentials are for one server.
        let hosts = hosts.lock().unwrap();
        assert!(hosts.iter().all(|host| host == "server.example"), "{hosts:?}");
    }
    expected.assert_eq(&outcomes);
}
