//! Servers that are hostile to commands, copies, forwarded ports and logs: the client takes little of what they send, gets
//! one clear error, and no task remains.
//!
//! The servers are in memory, so that hours pass at once. What violates the protocols within a connection that is switched
//! has more cases in `crates/streams/tests/it`.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::{Expect, expect};
use http::Method;
use klient_apimachinery::BoxFuture;
use klient_client::{Client, Config, CopyOptions, Dialer, ExecOptions, LogOptions, PortForwardOptions};
use klient_streams::remote_command::Process;
use klient_streams::websocket::accept_key;
use tokio::io::{AsyncWriteExt as _, DuplexStream};

use crate::cluster::soon;
use crate::containers::pods;
use crate::front::read_head;
use crate::raw_spdy::{GOAWAY, PING, RST_STREAM, RawPeer, SYN_REPLY, WINDOW_UPDATE, control};

/// The most that a client takes of what it does not want, in bytes.
const MOST: usize = 10 * 1024 * 1024;

/// The bytes of a standard input that nobody reads.
const INPUT: usize = 1024 * 1024;

/// The time after which an operation goes on for ever.
const EVER: Duration = Duration::from_secs(60 * 60);

/// The behaviour of a server for a request and its connection.
type Attack = fn(Asked) -> BoxFuture<'static, ()>;

/// A request, and its connection.
struct Asked {
    stream: DuplexStream,
    head: String,
    sent: Arc<AtomicUsize>,
}

impl Asked {
    /// Sends bytes; false if the client is gone.
    async fn send(&mut self, bytes: &[u8]) -> bool {
        for part in bytes.chunks(16 * 1024) {
            if self.stream.write_all(part).await.is_err() {
                return false;
            }
            self.sent.fetch_add(part.len(), Ordering::Relaxed);
        }
        true
    }

    async fn say(&mut self, text: &str) -> bool {
        self.send(text.as_bytes()).await
    }

    fn header(&self, name: &str) -> &str {
        let headers = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = headers.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        values.next().unwrap_or_default()
    }

    fn wants_websocket(&self) -> bool {
        self.header("upgrade") == "websocket"
    }

    /// Switches the connection to the first protocol that the client offers.
    async fn switch(&mut self) {
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
    async fn switch_to_spdy(mut self) -> Option<RawPeer> {
        if self.wants_websocket() {
            self.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
            return None;
        }
        self.switch().await;
        Some(RawPeer::new(Box::new(self.stream)))
    }

    /// Keeps the connection until the client is gone, and reads what it sends.
    async fn stay(mut self) {
        // A client that breaks off is gone as well.
        let _ = tokio::io::copy(&mut self.stream, &mut tokio::io::sink()).await;
    }
}

/// A frame of WebSocket that has not the length 126 or 127.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
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

fn message(channel: u8, data: &[u8]) -> Vec<u8> {
    frame(2, &[&[channel], data].concat())
}

const SUCCESS: &[u8] = br#"{"status":"Success"}"#;

/// An operation of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Exec,
    Attach,
    Forward,
    CopyFrom,
    CopyTo,
    Logs,
}

use Operation::{Attach, CopyFrom, CopyTo, Exec, Forward, Logs};

const ALL: [Operation; 6] = [Exec, Attach, Forward, CopyFrom, CopyTo, Logs];
const SWITCHED: [Operation; 5] = [Exec, Attach, Forward, CopyFrom, CopyTo];
const COMMANDS: [Operation; 4] = [Exec, Attach, CopyFrom, CopyTo];

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
async fn check(operations: &[Operation], attack: Attack, expected: Expect) {
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

#[tokio::test(start_paused = true)]
async fn a_refusal_that_breaks_off() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            let head =
                "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n";
            asked.say(&format!("{head}{{\"kind\":")).await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_head_that_breaks_off() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upg").await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: connection closed before the response was complete: connection closed before message completed
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: connection closed before the response was complete: connection closed before message completed
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: connection closed before the response was complete: connection closed before message completed
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: connection closed before message completed
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: connection closed before message completed
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: connection closed before the response was complete: connection closed before message completed
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn another_protocol_than_http() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.say("SSH-2.0-OpenSSH_9.9\r\n").await;
            asked.stay().await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            let location = "Location: http://other.example/api/v1/namespaces/shop/pods/web/exec";
            asked
                .say(&format!(
                    "HTTP/1.1 302 Found\r\n{location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                ))
                .await;
            asked.stay().await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: exec in pod web: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
        Attach: attach in pod web: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
        Forward: port forwarding to pod web: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
        CopyFrom: exec in pod web: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
        CopyTo: exec in pod web: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn headers_of_a_mebibyte() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.say(&format!("HTTP/1.1 403 Forbidden\r\nX-Long: {}\r\n\r\n", "a".repeat(1 << 20))).await;
            asked.stay().await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: cannot decode the response: message head is too large
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: cannot decode the response: message head is too large
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: cannot decode the response: message head is too large
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: message head is too large
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: message head is too large
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: cannot decode the response: message head is too large
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_headers() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.say(&format!("HTTP/1.1 403 Forbidden\r\n{}\r\n", "A: b\r\n".repeat(100_000))).await;
            asked.stay().await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: cannot decode the response: message head is too large
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: cannot decode the response: message head is too large
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: cannot decode the response: message head is too large
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: message head is too large
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: message head is too large
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: cannot decode the response: message head is too large
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_without_an_answer() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            asked.stay().await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: timed out: no answer within 75 s
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: timed out: no answer within 75 s
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: timed out: no answer within 75 s
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: timed out: no answer within 75 s
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: timed out: no answer within 75 s
        Logs: goes on for ever
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_another_protocol() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked
                .say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
                .await;
            asked.stay().await;
        })
    };
    check(&SWITCHED, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "h2c" in place of "websocket"
        Attach: POST http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "h2c" in place of "SPDY/3.1"
        Forward: POST http://server.example/api/v1/namespaces/shop/pods/web/portforward: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "h2c" in place of "SPDY/3.1"
        CopyFrom: POST http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "h2c" in place of "SPDY/3.1"
        CopyTo: POST http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "h2c" in place of "SPDY/3.1"
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_nobody_asked_for() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked
                .say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
                .await;
            asked.stay().await;
        })
    };
    check(&[Logs], attack, expect![[r#"
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: the server responded with the status code 101 but did not return more information
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_another_key() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            let key = accept_key("dGhlIHNhbXBsZSBub25jZQ==");
            let protocol = if asked.wants_websocket() { "websocket" } else { "SPDY/3.2" };
            asked
                .say(&format!(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\
                     Sec-WebSocket-Accept: {key}\r\n\r\n"
                ))
                .await;
            asked.stay().await;
        })
    };
    check(&SWITCHED, attack, expect![[r#"
        Exec: GET /api/v1/namespaces/shop/pods/web/exec: connection closed before the response was complete: unable to upgrade connection: the server did not answer the key of the WebSocket
        Attach: POST http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "SPDY/3.2" in place of "SPDY/3.1"
        Forward: POST http://server.example/api/v1/namespaces/shop/pods/web/portforward: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "SPDY/3.2" in place of "SPDY/3.1"
        CopyFrom: POST http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "SPDY/3.2" in place of "SPDY/3.1"
        CopyTo: POST http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "SPDY/3.2" in place of "SPDY/3.1"
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_not_offered() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            let accept = accept_key(asked.header("sec-websocket-key"));
            let (protocol, name) = match asked.wants_websocket() {
                true => ("websocket", "Sec-WebSocket-Protocol"),
                false => ("SPDY/3.1", "X-Stream-Protocol-Version"),
            };
            asked
                .say(&format!(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\
                     Sec-WebSocket-Accept: {accept}\r\n{name}: v9.channel.k8s.io\r\n\r\n"
                ))
                .await;
            asked.stay().await;
        })
    };
    check(&SWITCHED, attack, expect![[r#"
        Exec: GET /api/v1/namespaces/shop/pods/web/exec: connection closed before the response was complete: unable to upgrade connection: the server chose a protocol that was not offered
        Attach: POST /api/v1/namespaces/shop/pods/web/attach: connection closed before the response was complete: unable to upgrade connection: the server chose a protocol that was not offered
        Forward: POST /api/v1/namespaces/shop/pods/web/portforward: connection closed before the response was complete: unable to upgrade connection: the server chose a protocol that was not offered
        CopyFrom: POST /api/v1/namespaces/shop/pods/web/exec: connection closed before the response was complete: unable to upgrade connection: the server chose a protocol that was not offered
        CopyTo: POST /api/v1/namespaces/shop/pods/web/exec: connection closed before the response was complete: unable to upgrade connection: the server chose a protocol that was not offered
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_and_an_end() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the connection broke: unexpected EOF
        Attach: attach in pod web: the connection broke: unexpected EOF
        Forward: port 80 of pod web: the connection broke: unexpected EOF
        CopyFrom: copying /file from pod web: exec in pod web: the connection broke: unexpected EOF
        CopyTo: copying LOCAL/file to pod web: exec in pod web: the connection broke: unexpected EOF
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_spdy_and_an_end() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            // The connection ends with what the result has.
            asked.switch_to_spdy().await;
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the connection is closed
        Attach: attach in pod web: the connection is closed
        Forward: port 80 of pod web: the connection is closed
        CopyFrom: exec in pod web: the connection is closed
        CopyTo: exec in pod web: the connection is closed
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_spdy_and_silence() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            if let Some(mut peer) = asked.switch_to_spdy().await {
                while peer.read().await.is_some() {}
            }
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the peer did not accept a stream within 30 s
        Attach: attach in pod web: the peer did not accept a stream within 30 s
        Forward: port 80 of pod web: the peer did not accept a stream within 30 s
        CopyFrom: exec in pod web: the peer did not accept a stream within 30 s
        CopyTo: exec in pod web: the peer did not accept a stream within 30 s
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn text_messages() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
            asked.send(&frame(1, b"hello")).await;
            asked.stay().await;
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the peer sent a text message
        Attach: attach in pod web: the peer sent a text message
        Forward: port 80 of pod web: the peer sent a text message in a tunnel
        CopyFrom: copying /file from pod web: exec in pod web: the peer sent a text message
        CopyTo: copying LOCAL/file to pod web: exec in pod web: the peer sent a text message
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn frames_for_unknown_channels() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
            for channel in [9, 77, 255, 0, 4] {
                asked.send(&message(channel, b"data")).await;
            }
            asked.send(&message(3, SUCCESS)).await;
            asked.stay().await;
        })
    };
    check(&COMMANDS, attack, expect![[r#"
        Exec: exec in pod web: the end of a channel has 4 bytes in place of one
        Attach: attach in pod web: the end of a channel has 4 bytes in place of one
        CopyFrom: copying /file from pod web: exec in pod web: the end of a channel has 4 bytes in place of one
        CopyTo: copying LOCAL/file to pod web: exec in pod web: the end of a channel has 4 bytes in place of one
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_status_message_of_a_hundred_mebibytes() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
            asked.send(&message(3, b"{\"message\":\"")).await;
            for _ in 0..100 * 32 {
                if !asked.send(&message(3, &[b'a'; 32 * 1024])).await {
                    return;
                }
            }
            asked.stay().await;
        })
    };
    check(
        &COMMANDS,
        attack,
        expect![[r#"
        Exec: exec in pod web: the error stream has more than 1048576 bytes
        Attach: attach in pod web: the error stream has more than 1048576 bytes
        CopyFrom: copying /file from pod web: exec in pod web: the error stream has more than 1048576 bytes
        CopyTo: copying LOCAL/file to pod web: exec in pod web: the error stream has more than 1048576 bytes
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_of_a_hundred_mebibytes() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
            asked.send(&[&[0x82, 127][..], &(100_u64 << 20).to_be_bytes()].concat()).await;
            while asked.send(&[0; 1024]).await {}
        })
    };
    check(&SWITCHED, attack, expect![[r#"
        Exec: exec in pod web: a message is too large: Message too long: 104857600 > 4194304
        Attach: attach in pod web: a message is too large: Message too long: 104857600 > 4194304
        Forward: port 80 of pod web: a message is too large: Message too long: 104857600 > 4194304
        CopyFrom: copying /file from pod web: exec in pod web: a message is too large: Message too long: 104857600 > 4194304
        CopyTo: copying LOCAL/file to pod web: exec in pod web: a message is too large: Message too long: 104857600 > 4194304
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn an_end_without_a_status() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
            asked.send(&message(1, b"output")).await;
            asked.send(&frame(8, &[3, 0xe8])).await;
            asked.stay().await;
        })
    };
    check(&COMMANDS, attack, expect![[r#"
        Exec: exec in pod web: the connection was closed before the command's exit status
        Attach: attach in pod web: the connection was closed before the command's exit status
        CopyFrom: copying /file from pod web: exec in pod web: the connection was closed before the command's exit status
        CopyTo: copying LOCAL/file to pod web: exec in pod web: the connection was closed before the command's exit status
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn half_a_header_block() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            let Some(mut peer) = asked.switch_to_spdy().await else { return };
            let block = peer.block(&[("a", "b")]);
            let half = [&1_u32.to_be_bytes()[..], &block[..block.len() / 2]].concat();
            // The client may end the connection meanwhile, here and below.
            let _ = peer.try_send(&control(SYN_REPLY, 0, &half)).await;
            while peer.read().await.is_some() {}
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: a header block ends within a header
        Attach: attach in pod web: a header block ends within a header
        Forward: port 80 of pod web: a header block ends within a header
        CopyFrom: exec in pod web: a header block ends within a header
        CopyTo: exec in pod web: a header block ends within a header
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_compression_bomb() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            let Some(mut peer) = asked.switch_to_spdy().await else { return };
            let block = peer.compressed(&vec![0; 16 * 1024 * 1024]);
            let _ = peer.try_send(&control(SYN_REPLY, 0, &[&1_u32.to_be_bytes()[..], &block].concat())).await;
            while peer.read().await.is_some() {}
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: a header block is larger than 65536 bytes
        Attach: attach in pod web: a header block is larger than 65536 bytes
        Forward: port 80 of pod web: a header block is larger than 65536 bytes
        CopyFrom: exec in pod web: a header block is larger than 65536 bytes
        CopyTo: exec in pod web: a header block is larger than 65536 bytes
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_control_frame_of_16_mebibytes() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            let Some(mut peer) = asked.switch_to_spdy().await else { return };
            let _ = peer.try_send(&control(SYN_REPLY, 0, &vec![0; (1 << 24) - 1])).await;
            while peer.read().await.is_some() {}
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: a control frame is larger than 66560 bytes
        Attach: attach in pod web: a control frame is larger than 66560 bytes
        Forward: port 80 of pod web: a control frame is larger than 66560 bytes
        CopyFrom: exec in pod web: a control frame is larger than 66560 bytes
        CopyTo: exec in pod web: a control frame is larger than 66560 bytes
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn frames_of_unknown_streams() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            let Some(mut peer) = asked.switch_to_spdy().await else { return };
            let numbers = |numbers: [u32; 2]| numbers.map(u32::to_be_bytes).concat();
            let frames = [
                control(RST_STREAM, 0, &numbers([99, 1])),
                control(WINDOW_UPDATE, 0, &numbers([98, 1])),
                [&97_u32.to_be_bytes()[..], &[1, 0, 0, 1, 7]].concat(),
                control(77, 0, b"of an unknown kind"),
                control(GOAWAY, 0, &numbers([0, 0])),
            ];
            let _ = peer.try_send(&frames.concat()).await;
            while peer.read().await.is_some() {}
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the connection is closed
        Attach: attach in pod web: the connection is closed
        Forward: port 80 of pod web: the connection is closed
        CopyFrom: exec in pod web: the connection is closed
        CopyTo: exec in pod web: the connection is closed
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_pings_without_readers() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            let Some(mut peer) = asked.switch_to_spdy().await else { return };
            let pings = control(PING, 0, &2_u32.to_be_bytes()).repeat(1000);
            while peer.try_send(&pings).await.is_ok() {}
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the peer does not read the answers to its frames
        Attach: attach in pod web: the peer does not read the answers to its frames
        Forward: port 80 of pod web: the peer does not read the answers to its frames
        CopyFrom: exec in pod web: the peer does not read the answers to its frames
        CopyTo: exec in pod web: the peer does not read the answers to its frames
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_breaks_off() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\none\ntwo\nthr").await;
        })
    };
    check(&[Logs], attack, expect![[r#"
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
    "#]]).await;
}
