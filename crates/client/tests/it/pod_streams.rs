//! One table of what exec, attach and port-forward have to bear, by the client on the embedded server, over each protocol.
//!
//! Frames and messages that violate the protocols are in `crates/streams/tests/it`: `hostile_spdy.rs` has unknown streams,
//! half a header block, a block that is larger than it says, floods of pings and windows that are not heeded;
//! `hostile_websocket.rs` unknown channels, messages that are too large, and servers that never close or break off. A local
//! port that is in use is in `port_forward.rs`.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{Request, Response};
use klient_apiserver::{ContainerCommand, Containers, Options, Server};
use klient_client::{
    BoxError as ClientBoxError, Client, Config, DeleteOptions, Dialer, ExecOptions, PortForwardOptions,
    RequestBody, ResponseBody, Transport,
};
use klient_streams::BoxError;
use klient_streams::remote_command::{ExitStatus, Process, Reader, Stdio, TerminalSize, Writer};
use ring::digest::{Context as Hash, SHA256};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tower::ServiceExt as _;

use crate::cluster::soon;
use crate::containers::{config_of, pods, running_pod, server_of};

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    WebSocketV5,
    WebSocketV4,
    Spdy,
    /// SPDY in a tunnel over WebSocket, which ports have.
    Tunnel,
}

/// The protocols of commands.
const ALL: [Over; 3] = [Over::WebSocketV5, Over::WebSocketV4, Over::Spdy];

impl Over {
    /// A client whose other protocols a proxy refuses.
    fn client(self, config: Config) -> Client {
        let layer = tower::layer::layer_fn(move |transport: Transport| {
            tower::service_fn(move |mut request: Request<RequestBody>| {
                let transport = transport.clone();
                async move {
                    if self.takes(&mut request) {
                        return transport.oneshot(request).await;
                    }
                    let body = ResponseBody::new(String::new());
                    Response::builder().status(403).body(body).map_err(ClientBoxError::from)
                }
            })
        });
        Client::with_layer(config, layer).unwrap()
    }

    /// Returns true for a request of the protocol, and for one that is not to be switched.
    fn takes(self, request: &mut Request<RequestBody>) -> bool {
        let Some(upgrade) = request.headers().get(UPGRADE) else { return true };
        let is_spdy = upgrade == "SPDY/3.1";
        let offered =
            request.headers().get(SEC_WEBSOCKET_PROTOCOL).map(|value| value.to_str().unwrap().to_owned());
        let offered = offered.unwrap_or_default();
        match self {
            Over::Spdy => is_spdy,
            Over::WebSocketV5 => offered.contains("v5"),
            Over::WebSocketV4 if offered.contains("v4") => {
                let v4 = HeaderValue::from_static("v4.channel.k8s.io");
                request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, v4);
                true
            }
            Over::WebSocketV4 => false,
            Over::Tunnel => offered.starts_with("SPDY/3.1+"),
        }
    }

    fn can_end_input(self) -> bool {
        self != Over::WebSocketV4
    }
}

const PART: usize = 64 * 1024;

/// The parts of some number of bytes; no two are the same.
struct Parts {
    part: Vec<u8>,
    number: u64,
    left: u64,
}

impl Parts {
    fn of(count: u64) -> Self {
        let part = (0..PART).map(|index| u8::try_from((index * 31 + index / 251) % 256).unwrap()).collect();
        Parts { part, number: 0, left: count }
    }

    fn next(&mut self) -> Option<&[u8]> {
        let count = usize::try_from(self.left.min(PART as u64)).unwrap();
        self.left -= count as u64;
        self.number += 1;
        self.part[..8].copy_from_slice(&self.number.to_le_bytes());
        (count > 0).then(|| &self.part[..count])
    }
}

/// Writes so many bytes; their hash.
async fn write(writer: &mut (impl AsyncWrite + Unpin), count: u64) -> io::Result<String> {
    let (mut parts, mut hash) = (Parts::of(count), Hash::new(&SHA256));
    while let Some(part) = parts.next() {
        writer.write_all(part).await?;
        hash.update(part);
    }
    writer.flush().await?;
    Ok(format!("{count} {:?}", hash.finish()))
}

/// Reads to the end, or so many bytes; their hash.
async fn read(reader: &mut (impl AsyncRead + Unpin), count: Option<u64>) -> io::Result<String> {
    let (mut part, mut hash, mut sum) = (vec![0; PART], Hash::new(&SHA256), 0);
    while count != Some(sum) {
        let read = reader.read(&mut part).await?;
        if read == 0 {
            break;
        }
        hash.update(&part[..read]);
        sum += read as u64;
    }
    Ok(format!("{sum} {:?}", hash.finish()))
}

/// A container with commands for the cases.
async fn run(command: ContainerCommand, mut stdio: Stdio) -> Result<ExitStatus, BoxError> {
    let args: Vec<&str> = command.args.iter().map(String::as_str).collect();
    let no_stream = "it is not requested";
    match args[..] {
        // The hash of the input, up to its end or of so many bytes.
        ["hash", ref count @ ..] => {
            let count = count.first().map(|count| count.parse()).transpose()?;
            let hash = read(stdio.stdin.as_mut().ok_or(no_stream)?, count).await?;
            stdio.stdout.as_mut().ok_or(no_stream)?.write_all(hash.as_bytes()).await?;
        }
        ["print", count] => {
            let hash = write(stdio.stdout.as_mut().ok_or(no_stream)?, count.parse()?).await?;
            stdio.stderr.as_mut().ok_or(no_stream)?.write_all(hash.as_bytes()).await?;
        }
        // The same from a reader that is slow.
        ["slow", count] => {
            let stdin = stdio.stdin.as_mut().ok_or(no_stream)?;
            let hash = read(&mut Slow(stdin), Some(count.parse()?)).await?;
            stdio.stdout.as_mut().ok_or(no_stream)?.write_all(hash.as_bytes()).await?;
        }
        ["exit", code] => return Ok(ExitStatus::from(code.parse::<u8>()?)),
        ["sizes", count] => {
            for _ in 0..count.parse::<usize>()? {
                let size = stdio.resizes.as_mut().ok_or(no_stream)?.next().await.ok_or("no size")?;
                let text = format!("{}x{}\r\n", size.width, size.height);
                stdio.stdout.as_mut().ok_or(no_stream)?.write_all(text.as_bytes()).await?;
            }
        }
        // Errors first, and then the input.
        ["complain", errors, input] => {
            write(stdio.stderr.as_mut().ok_or(no_stream)?, errors.parse()?).await?;
            let hash = read(stdio.stdin.as_mut().ok_or(no_stream)?, Some(input.parse()?)).await?;
            stdio.stdout.as_mut().ok_or(no_stream)?.write_all(hash.as_bytes()).await?;
        }
        ["flood"] => while write(stdio.stdout.as_mut().ok_or(no_stream)?, 1024 * 1024).await.is_ok() {},
        ["deaf"] => {
            // All streams stay.
            let _stdio = stdio;
            std::future::pending::<()>().await;
        }
        _ => return Err(format!("{}: not found", args.join(" ")).into()),
    }
    Ok(ExitStatus::SUCCESS)
}

/// A reader of a few bytes at a time.
struct Slow<'a, R>(&'a mut R);

impl<R: AsyncRead + Unpin> AsyncRead for Slow<'_, R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut few = buffer.take(777);
        let before = few.filled().len();
        let read = Pin::new(&mut self.0).poll_read(context, &mut few);
        let count = few.filled().len() - before;
        buffer.advance(count);
        read
    }
}

async fn server() -> Server {
    let (server, client) = server_of(Containers::new(run)).await;
    running_pod(&client, "web", json!([{"name": "web", "image": "nginx"}])).await;
    server
}

async fn exec(client: &Client, command: &str, stdin: bool) -> Process {
    let options = ExecOptions { stdin, ..Default::default() };
    soon(command, pods(client).exec("web", command.split(' '), &options)).await.unwrap()
}

/// Sends so many bytes to a command, and receives so many from another one.
async fn check_bytes(client: &Client, over: Over, count: u64) {
    let what = format!("{count} bytes over {over:?}");
    let command = if over.can_end_input() { "hash".to_owned() } else { format!("hash {count}") };
    let mut process = exec(client, &command, true).await;
    let mut stdin = process.stdin.take().unwrap();
    let sending = async {
        let sent = write(&mut stdin, count).await;
        drop(stdin);
        sent
    };
    let (sent, output) = tokio::join!(sending, process.wait_with_output());
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), sent.unwrap(), "{what}");
    let mut process = exec(client, &format!("print {count}"), false).await;
    let mut stdout = process.stdout.take().unwrap();
    let (received, output) = tokio::join!(read(&mut stdout, None), process.wait_with_output());
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), received.unwrap(), "{what}");
}

#[tokio::test]
async fn any_number_of_bytes_goes_in_each_direction() {
    let server = server().await;
    for over in ALL {
        let client = over.client(config_of(&server));
        for count in [0, 1, 64 * 1024, 1024 * 1024] {
            soon("all bytes", check_bytes(&client, over, count)).await;
        }
    }
}

#[tokio::test]
async fn a_hundred_mebibytes_go_in_each_direction() {
    let server = server().await;
    let all = ALL.map(|over| {
        let client = over.client(config_of(&server));
        tokio::spawn(async move { check_bytes(&client, over, 100 * 1024 * 1024).await })
    });
    for checked in all {
        checked.await.unwrap();
    }
}

#[tokio::test]
async fn input_ends_where_the_protocol_can_tell_it() {
    let server = server().await;
    for over in ALL {
        let client = over.client(config_of(&server));
        let mut process = exec(&client, "hash", true).await;
        let mut stdin = process.stdin.take().unwrap();
        let sent = write(&mut stdin, 1000).await.unwrap();
        drop(stdin);
        if over.can_end_input() {
            let output = soon("the end", process.wait_with_output()).await.unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), sent, "{over:?}");
            continue;
        }
        // The command waits for more, so it says nothing until the client goes.
        let mut stdout = process.stdout.take().unwrap();
        let mut byte = [0];
        tokio::select! {
            biased;
            read = stdout.read(&mut byte) => panic!("{over:?}: {read:?}"),
            () = turns(1000) => {}
        }
    }
}

/// Lets other tasks of the runtime go on.
async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn exit_codes_and_failures_are_told_apart() {
    let server = server().await;
    for over in ALL {
        let client = over.client(config_of(&server));
        for code in [0, 1, 127, 255] {
            let mut process = exec(&client, &format!("exit {code}"), false).await;
            let status = soon("the end", process.wait()).await.unwrap();
            assert_eq!((status.code(), status.success()), (code, code == 0), "{over:?}");
        }
        let error = soon("the end", exec(&client, "none", false).await.wait()).await.unwrap_err();
        assert_eq!(error.kind(), klient_streams::ErrorKind::Refused, "{over:?}");
        assert!(error.to_string().ends_with("none: not found"), "{error}");
    }
}

#[tokio::test]
async fn a_terminal_has_the_sizes_that_it_is_given() {
    let server = server().await;
    for over in ALL {
        let client = over.client(config_of(&server));
        let options = ExecOptions { stdin: true, tty: true, ..Default::default() };
        let mut process = pods(&client).exec("web", ["sizes", "3"], &options).await.unwrap();
        for (width, height) in [(80, 24), (0, 0), (65535, 1)] {
            process.resize(TerminalSize { width, height }).await.unwrap();
        }
        let mut stdout = process.stdout.take().unwrap();
        let mut text = String::new();
        soon("the sizes", stdout.read_to_string(&mut text)).await.unwrap();
        assert_eq!(text, "80x24\r\n0x0\r\n65535x1\r\n", "{over:?}");
        assert!(soon("the end", process.wait()).await.unwrap().success());
    }
}

#[tokio::test]
async fn readers_that_are_slow_get_all_bytes() {
    let server = server().await;
    let count = 512 * 1024;
    for over in ALL {
        let client = over.client(config_of(&server));
        let mut process = exec(&client, &format!("slow {count}"), true).await;
        let mut stdin = process.stdin.take().unwrap();
        let (sent, output) = soon("a slow server", async {
            tokio::join!(write(&mut stdin, count), process.wait_with_output())
        })
        .await;
        assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), sent.unwrap(), "{over:?}");
        let mut process = exec(&client, &format!("print {count}"), false).await;
        let mut stdout = process.stdout.take().unwrap();
        let received = soon("a slow client", read(&mut Slow(&mut stdout), Some(count))).await.unwrap();
        let output = soon("the end", process.wait_with_output()).await.unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), received, "{over:?}");
    }
}

#[tokio::test]
async fn a_flood_of_errors_passes_an_input_that_is_not_read() {
    let server = server().await;
    let (errors, input) = (4 * 1024 * 1024, 1024 * 1024);
    for over in ALL {
        let client = over.client(config_of(&server));
        let mut process = exec(&client, &format!("complain {errors} {input}"), true).await;
        let (mut stdin, mut stderr) = (process.stdin.take().unwrap(), process.stderr.take().unwrap());
        let (sent, received) =
            soon("both", async { tokio::join!(write(&mut stdin, input), read(&mut stderr, Some(errors))) })
                .await;
        received.unwrap();
        let output = soon("the end", process.wait_with_output()).await.unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), sent.unwrap(), "{over:?}");
    }
}

#[tokio::test]
async fn a_pod_that_ends_ends_its_commands_with_an_exit_code() {
    let (server, _) = server_of(Containers::built_in()).await;
    for over in ALL {
        let client = over.client(config_of(&server));
        running_pod(&client, "web", json!([{"name": "web", "image": "nginx"}])).await;
        let options = ExecOptions { stdin: true, ..Default::default() };
        let mut process = pods(&client).exec("web", ["sh", "-c", "echo begun; cat"], &options).await.unwrap();
        let (stdin, mut stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        soon("the command", stdout.read_exact(&mut [0; 6])).await.unwrap();
        let flood = tokio::spawn(flood(stdin));
        let at_once = DeleteOptions { grace_period_seconds: Some(0), ..Default::default() };
        pods(&client).delete("web", &at_once).await.unwrap();
        let (status, _) =
            soon("the end", async { tokio::join!(process.wait(), read(&mut stdout, None)) }).await;
        assert_eq!(status.unwrap().code(), 137, "{over:?}");
        drop((process, stdout));
        soon("the end of the input", flood).await.unwrap();
    }
}

/// Writes until nobody reads any more.
async fn flood(mut stdin: Writer) {
    while write(&mut stdin, 1024 * 1024).await.is_ok() {}
}

#[tokio::test]
async fn any_number_of_bytes_goes_to_a_port_and_back() {
    // It takes all, and answers with the same.
    let containers = Containers::default().port_forward(|_, mut connection| async move {
        let (mut reader, mut writer) = tokio::io::split(&mut connection);
        let received = read(&mut reader, None).await?;
        let count = received.split(' ').next().ok_or("no count")?.parse()?;
        if write(&mut writer, count).await? != received {
            return Err("other bytes have come".into());
        }
        Ok(())
    });
    let (server, client) = server_of(containers).await;
    running_pod(&client, "web", json!([{"name": "web", "image": "nginx"}])).await;
    for over in [Over::Tunnel, Over::Spdy] {
        let client = over.client(config_of(&server));
        let forwarder = pods(&client).port_forward("web", &PortForwardOptions::default()).await.unwrap();
        for count in [0, 1, 64 * 1024, 1024 * 1024, 100 * 1024 * 1024] {
            let mut connection = soon("a connection", forwarder.connect(80)).await.unwrap();
            let sent = write(&mut connection, count).await.unwrap();
            connection.shutdown().await.unwrap();
            let received = read(&mut connection, None).await.unwrap();
            assert_eq!(received, sent, "{over:?}");
        }
    }
}

/// A connection that is counted while it is open.
struct Counted(DuplexStream, #[expect(dead_code, reason = "it is held")] Arc<()>);

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// A server on the runtime of the test, so that all of its tasks can be counted, with its commands and connections.
struct Observed {
    config: Config,
    /// Held by each command that runs, and each connection to a port.
    commands: Arc<()>,
    /// Held by each open connection.
    connections: Arc<()>,
    _server: Server,
}

impl Observed {
    async fn start() -> Self {
        let (commands, connections) = (Arc::new(()), Arc::new(()));
        let running = commands.clone();
        let containers = Containers::new(move |command, stdio| {
            let running = running.clone();
            async move {
                let _running = running;
                run(command, stdio).await
            }
        });
        let running = commands.clone();
        let containers = containers.port_forward(move |_, connection| {
            let running = running.clone();
            async move {
                // Nobody reads it.
                let _held = (running, connection);
                std::future::pending().await
            }
        });
        let options =
            Options { containers: Some(containers), listen: None, threads: None, ..Options::default() };
        let server = Server::start(options).await.unwrap();
        let (connector, open) = (server.connector(), connections.clone());
        let mut config = config_of(&server);
        config.dialer = Some(Dialer::new(move |_, _| {
            let (connector, open) = (connector.clone(), open.clone());
            async move { connector.connect().await.map(|connection| Counted(connection, open)) }
        }));
        let client = Client::new(config.clone()).unwrap();
        let namespace = serde_json::from_value(json!({"metadata": {"name": "shop"}})).unwrap();
        client.api::<klient_api::core::v1::Namespace>().create(&namespace).await.unwrap();
        running_pod(&client, "web", json!([{"name": "web", "image": "nginx"}])).await;
        Observed { config, commands, connections, _server: server }
    }

    /// The tasks, the commands and the connections that there are now.
    fn count(&self) -> [usize; 3] {
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        [tasks, Arc::strong_count(&self.commands), Arc::strong_count(&self.connections)]
    }

    /// Waits until no more is there than before.
    async fn leaves_nothing(&self, what: &str, before: [usize; 3]) {
        let left = async {
            while self.count().iter().zip(before).any(|(now, before)| *now > before) {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(30), left).await;
        assert!(
            waited.is_ok(),
            "{what}: of {before:?} tasks, commands and connections there are {:?}",
            self.count()
        );
    }
}

#[tokio::test]
async fn a_client_that_goes_at_any_stage_leaves_nothing_at_either_end() {
    let observed = Observed::start().await;
    for over in ALL {
        let client = over.client(observed.config.clone());
        // Its other connections are open from now on.
        assert!(exec(&client, "exit 0", true).await.wait().await.unwrap().success());
        turns(1000).await;
        let before = observed.count();
        // Before the connection is switched, after each step of the request.
        let options = ExecOptions { stdin: true, ..Default::default() };
        let mut steps = 0;
        loop {
            let api = pods(&client);
            tokio::select! {
                biased;
                started = api.exec("web", ["deaf"], &options) => {
                    drop(started.unwrap());
                    break;
                }
                () = turns(steps) => {}
            }
            steps += 1;
            observed.leaves_nothing(&format!("{over:?}, step {steps}"), before).await;
        }
        observed.leaves_nothing(&format!("{over:?}, switched"), before).await;
        // While input is written that nobody reads.
        let mut process = exec(&client, "deaf", true).await;
        let mut stdin = process.stdin.take().unwrap();
        tokio::select! {
            biased;
            written = write(&mut stdin, u64::MAX) => panic!("{over:?}: {written:?}"),
            () = turns(1000) => {}
        }
        drop((process, stdin));
        observed.leaves_nothing(&format!("{over:?}, while it writes"), before).await;
        // While output is read.
        let mut process = exec(&client, "flood", false).await;
        let mut stdout: Reader = process.stdout.take().unwrap();
        read(&mut stdout, Some(1024 * 1024)).await.ok();
        drop((process, stdout));
        observed.leaves_nothing(&format!("{over:?}, while it reads"), before).await;
        // While it waits for the end.
        let mut process = exec(&client, "deaf", true).await;
        tokio::select! {
            biased;
            ended = process.wait() => panic!("{over:?}: {ended:?}"),
            () = turns(1000) => {}
        }
        drop(process);
        observed.leaves_nothing(&format!("{over:?}, while it waits"), before).await;
        // After the end, with what nobody has read.
        let mut process = exec(&client, "print 1000", false).await;
        let stdout = process.stdout.take();
        assert!(process.wait().await.unwrap().success());
        drop((process, stdout));
        observed.leaves_nothing(&format!("{over:?}, after the end"), before).await;
    }
}

#[tokio::test]
async fn a_client_of_ports_that_goes_at_any_stage_leaves_nothing_at_either_end() {
    let observed = Observed::start().await;
    for over in [Over::Tunnel, Over::Spdy] {
        let client = over.client(observed.config.clone());
        let options = PortForwardOptions::default();
        drop(pods(&client).port_forward("web", &options).await.unwrap());
        turns(1000).await;
        let before = observed.count();
        let mut steps = 0;
        loop {
            let api = pods(&client);
            tokio::select! {
                biased;
                forwarder = api.port_forward("web", &options) => {
                    drop(forwarder.unwrap());
                    break;
                }
                () = turns(steps) => {}
            }
            steps += 1;
            observed.leaves_nothing(&format!("{over:?}, step {steps}"), before).await;
        }
        observed.leaves_nothing(&format!("{over:?}, switched"), before).await;
        let forwarder = pods(&client).port_forward("web", &options).await.unwrap();
        let mut connection = forwarder.connect(80).await.unwrap();
        tokio::select! {
            biased;
            written = write(&mut connection, u64::MAX) => panic!("{over:?}: {written:?}"),
            () = turns(1000) => {}
        }
        drop((forwarder, connection));
        observed.leaves_nothing(&format!("{over:?}, while it writes"), before).await;
        let forwarder = pods(&client).port_forward("web", &options).await.unwrap();
        let mut connection = forwarder.connect(80).await.unwrap();
        tokio::select! {
            biased;
            received = connection.read_u8() => panic!("{over:?}: {received:?}"),
            () = turns(1000) => {}
        }
        drop((forwarder, connection));
        observed.leaves_nothing(&format!("{over:?}, while it reads"), before).await;
    }
}

#[tokio::test]
async fn ten_gibibytes_for_a_command_that_reads_nothing_stay_with_their_writer() {
    let observed = Observed::start().await;
    for over in ALL {
        let client = over.client(observed.config.clone());
        let mut process = exec(&client, "deaf", true).await;
        let mut stdin = process.stdin.take().unwrap();
        let taken = Mutex::new(0);
        let writing = async {
            let part = vec![0; PART];
            while *taken.lock().unwrap() < 10_u64 << 30 {
                let count = stdin.write(&part).await.unwrap();
                *taken.lock().unwrap() += count as u64;
            }
        };
        // Both ends are on this thread: when nothing more is taken for so long, all buffers are full.
        let settled = async {
            let mut last = u64::MAX;
            loop {
                turns(1000).await;
                let now = *taken.lock().unwrap();
                if now == last {
                    return;
                }
                last = now;
            }
        };
        tokio::select! {
            () = writing => panic!("{over:?}: all is taken"),
            () = settled => {}
        }
        // 64 KiB of the writer, 256 KiB of the reader, and what both ends and the connection between them hold at once.
        let taken = *taken.lock().unwrap();
        assert!((300 * 1024..1024 * 1024).contains(&taken), "{over:?}: {taken} bytes");
    }
}
