//! Pods that run in the built-in containers: their beginning and end, their input, ports and logs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use klient_apiserver::{ContainerLog, Containers, Options, Server};
use klient_streams::port_forward;
use klient_streams::remote_command::{Protocol, Streams, TerminalSize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::client::{Client, soon};
use crate::objects::PODS;
use crate::upgrades::{port_forward, process};

const ALL: Streams = Streams { stdin: true, stdout: true, stderr: true, tty: false };
const TERMINAL: Streams = Streams { stdin: true, stdout: true, stderr: false, tty: true };

async fn server() -> (Server, Client) {
    let options = Options { containers: Some(Containers::built_in()), ..Options::default() };
    let server = Server::start(options).await.expect("a server starts");
    let client = Client::admin(&server).await;
    (server, client)
}

/// A pod of one container.
fn pod(name: &str, container: &Value) -> Value {
    let mut container = container.clone();
    container["name"] = "c".into();
    container["image"] = "busybox:1".into();
    json!({"metadata": {"name": name}, "spec": {"restartPolicy": "Never", "containers": [container]}})
}

/// Waits until a pod is in a phase.
async fn reaches(client: &Client, name: &str, phase: &str) {
    let reached = async {
        while client.get(&format!("{PODS}/{name}")).await.expect(200)["status"]["phase"] != phase {
            tokio::task::yield_now().await;
        }
    };
    soon(phase, reached).await;
}

#[tokio::test]
async fn a_server_on_the_runtime_of_its_caller_takes_its_pods_with_it() {
    let alive = Arc::new(());
    let state = Arc::downgrade(&alive);
    // The state of the server has the function, and the function has this.
    let containers = Containers::built_in().exec(move |_, _| {
        let _alive = alive.clone();
        std::future::pending()
    });
    let options = Options { containers: Some(containers), threads: None, ..Options::default() };
    let server = Server::start(options).await.expect("a server starts");
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("web", &json!({}))).await.expect(201);
    reaches(&client, "web", "Running").await;
    drop(client);
    soon("the end of the server", server.stop()).await;
    drop(server);
    let freed = async {
        while state.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the pod", freed).await;
}

#[tokio::test]
async fn the_log_of_an_init_container_is_empty() {
    let (_server, client) = server().await;
    let mut pod = pod("web", &json!({}));
    pod["spec"]["initContainers"] = json!([{"name": "i", "image": "busybox:1"}]);
    client.post(PODS, &pod).await.expect(201);
    reaches(&client, "web", "Running").await;
    for query in ["container=i", "container=i&follow=true"] {
        let answer = client.get(&format!("{PODS}/web/log?{query}")).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, ""), "{query}");
    }
    let previous = client.get(&format!("{PODS}/web/log?container=i&previous=true")).await;
    assert_eq!(previous.status, 400);
}

#[tokio::test]
async fn a_log_that_grows_faster_than_it_is_read_ends_where_it_ended_when_it_was_asked_for() {
    let log = ContainerLog::default();
    let read = log.clone();
    let containers = Containers::default().log(move |_| Some(read.clone()));
    let options = Options { containers: Some(containers), ..Options::default() };
    let server = Server::start(options).await.expect("a server starts");
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("web", &json!({}))).await.expect(201);
    let over = Arc::new(AtomicBool::new(false));
    let (is_over, (sender, begun)) = (over.clone(), mpsc::channel());
    let printing = std::thread::spawn(move || {
        let line = "x".repeat(16 * 1024);
        while !is_over.load(Ordering::Relaxed) {
            log.stdout(&line);
            // Nobody receives it but the first time.
            let _ = sender.send(());
        }
    });
    begun.recv().unwrap();
    drop(begun);
    let answer = soon("the end of the log", client.get(&format!("{PODS}/web/log"))).await;
    over.store(true, Ordering::Relaxed);
    printing.join().unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_long_line_is_several_lines_of_the_log() {
    let (_server, client) = server().await;
    for (name, length, expected) in
        [("exact", 64 * 1024, vec![64 * 1024]), ("long", 150_000, vec![64 * 1024, 64 * 1024, 18_928])]
    {
        let echo = json!({"command": ["echo", "x".repeat(length)]});
        client.post(PODS, &pod(name, &echo)).await.expect(201);
        reaches(&client, name, "Succeeded").await;
        let log = client.get(&format!("{PODS}/{name}/log")).await;
        let lines: Vec<usize> = log.text().lines().map(str::len).collect();
        assert_eq!(lines, expected, "{name}");
    }
}

#[tokio::test]
async fn a_command_in_a_pod_that_is_killed_is_killed() {
    let (server, client) = server().await;
    let mut pod = pod("web", &json!({}));
    pod["metadata"]["finalizers"] = json!(["a.example/b"]);
    client.post(PODS, &pod).await.expect(201);
    reaches(&client, "web", "Running").await;
    client.delete(&format!("{PODS}/web")).await.expect(200);
    for _ in 0..20 {
        let exec = format!("{PODS}/web/exec?command=true&stdin=true&stdout=true&stderr=true");
        let process = process(&server, &exec, Protocol::WEBSOCKET_V5, ALL).await.unwrap();
        let output = soon("the end of the command", process.wait_with_output()).await.unwrap();
        assert_eq!(output.status.code(), 137);
    }
}

#[tokio::test]
async fn a_connection_to_a_port_ends_with_the_pod() {
    let (server, client) = server().await;
    client.post(PODS, &pod("web", &json!({"ports": [{"containerPort": 80}]}))).await.expect(201);
    reaches(&client, "web", "Running").await;
    let transport = port_forward::Transport::WebSocket;
    let forward = port_forward(&server, &format!("{PODS}/web"), transport).await.unwrap();
    let mut connection = forward.connect(80).await.unwrap();
    connection.write_all(b"GET / HTTP/1.1\r\nhost: web\r\n\r\n").await.unwrap();
    let mut beginning = [0; 15];
    soon("an answer", connection.read_exact(&mut beginning)).await.unwrap();
    assert_eq!(&beginning, b"HTTP/1.1 200 OK");
    client.delete(&format!("{PODS}/web?gracePeriodSeconds=0")).await.expect(200);
    let mut rest = Vec::new();
    // Whether in order or not, it ends.
    let _ = soon("the end of the connection", connection.read_to_end(&mut rest)).await;
}

#[tokio::test]
async fn a_client_of_a_port_may_end_its_direction_or_break_off() {
    let (server, client) = server().await;
    client.post(PODS, &pod("web", &json!({"ports": [{"containerPort": 80}]}))).await.expect(201);
    reaches(&client, "web", "Running").await;
    let transport = port_forward::Transport::WebSocket;
    let forward = port_forward(&server, &format!("{PODS}/web"), transport).await.unwrap();
    for (request, end) in [
        ("GET /a HTTP/1.0\r\n\r\n", "port 80: GET /a\n"),
        ("GET /a HTTP/1.1\r\nhost: web\r\n\r\n", "port 80: GET /a\n"),
        ("GET /a HT", ""),
        ("", ""),
    ] {
        let mut connection = forward.connect(80).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        connection.shutdown().await.unwrap();
        let mut answer = String::new();
        soon("the answer", connection.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.ends_with(end) && answer.is_empty() == end.is_empty(), "{request:?}: {answer}");
    }
    let mut connection = forward.connect(80).await.unwrap();
    connection.write_all(b"\x16\x03\x01\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    soon("the answer", connection.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
}

/// Reads the output of a process up to a text.
async fn read_to(output: &mut (impl tokio::io::AsyncRead + Unpin), text: &str) {
    let mut read = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&read).ends_with(text) {
            read.push(output.read_u8().await.expect("it goes on"));
        }
    };
    soon(text, reading).await;
}

#[tokio::test]
async fn a_client_that_detaches_leaves_the_container_its_input() {
    let (server, client) = server().await;
    for tty in [false, true] {
        let name = format!("web-{tty}");
        let container = json!({"command": ["sh"], "stdin": true, "tty": tty});
        client.post(PODS, &pod(&name, &container)).await.expect(201);
        reaches(&client, &name, "Running").await;
        let streams = if tty { TERMINAL } else { ALL };
        let attach = format!("{PODS}/{name}/attach?stdin=true&stdout=true&stderr={}&tty={tty}", !tty);
        let start = async || process(&server, &attach, Protocol::WEBSOCKET_V5, streams).await.unwrap();
        // The first ends its input, at which it is detached, and the second breaks off.
        let mut first = start().await;
        first.stdin.as_mut().unwrap().write_all(b"A=kept; echo begun\n").await.unwrap();
        read_to(first.stdout.as_mut().unwrap(), "begun").await;
        assert!(soon("the end of the first", first.wait()).await.unwrap().success());
        let mut second = start().await;
        second.stdin.as_mut().unwrap().write_all(b"echo $A $A\n").await.unwrap();
        read_to(second.stdout.as_mut().unwrap(), "kept kept").await;
        drop(second);
        let mut third = start().await;
        third.stdin.as_mut().unwrap().write_all(b"echo $A; exit 3\n").await.unwrap();
        read_to(third.stdout.as_mut().unwrap(), "kept").await;
        // The process has ended, and with it the connection.
        let stdin = third.stdin.take();
        assert!(soon("the end of the third", third.wait()).await.unwrap().success());
        drop(stdin);
        reaches(&client, &name, "Failed").await;
    }
}

#[tokio::test]
async fn the_input_of_a_container_with_stdin_once_ends_with_its_first_client() {
    let (server, client) = server().await;
    for breaks in [false, true] {
        let name = format!("web-{breaks}");
        let script = "while read line; do echo got $line; done; echo end";
        let container = json!({"command": ["sh", "-c", script], "stdin": true, "stdinOnce": true});
        client.post(PODS, &pod(&name, &container)).await.expect(201);
        reaches(&client, &name, "Running").await;
        let attach = format!("{PODS}/{name}/attach?stdin=true&stdout=true&stderr=true");
        let mut first = process(&server, &attach, Protocol::WEBSOCKET_V5, ALL).await.unwrap();
        first.stdin.as_mut().unwrap().write_all(b"one\n").await.unwrap();
        read_to(first.stdout.as_mut().unwrap(), "got one\n").await;
        if breaks {
            drop(first);
        } else {
            // It sees what comes after its input.
            let output = soon("the output", first.wait_with_output()).await.unwrap();
            assert_eq!(output.stdout, b"end\n");
        }
        reaches(&client, &name, "Succeeded").await;
        let log = client.get(&format!("{PODS}/{name}/log")).await;
        assert_eq!(log.text(), "got one\nend\n");
    }
}

#[tokio::test]
async fn clients_that_are_attached_at_once_share_input_and_output() {
    let (server, client) = server().await;
    client.post(PODS, &pod("web", &json!({"command": ["sh"], "stdin": true}))).await.expect(201);
    reaches(&client, "web", "Running").await;
    let attach = format!("{PODS}/web/attach?stdin=true&stdout=true&stderr=true");
    let start = async || process(&server, &attach, Protocol::WEBSOCKET_V5, ALL).await.unwrap();
    let (mut first, mut second) = (start().await, start().await);
    for round in 0..20 {
        let (text, number) = (format!("echo {round}\n"), format!("{round}\n"));
        let typing = if round % 2 == 0 { &mut first } else { &mut second };
        typing.stdin.as_mut().unwrap().write_all(text.as_bytes()).await.unwrap();
        read_to(typing.stdout.as_mut().unwrap(), &number).await;
        let other = if round % 2 == 0 { &mut second } else { &mut first };
        // The second may have come after the first line.
        if round > 1 {
            read_to(other.stdout.as_mut().unwrap(), &number).await;
        }
    }
    // One that is gone holds nobody up.
    drop(second);
    let flood = "for i in 1 2 3 4 5 6 7 8 9; do tar c /etc | wc -c; done; echo over\n";
    first.stdin.as_mut().unwrap().write_all(flood.as_bytes()).await.unwrap();
    read_to(first.stdout.as_mut().unwrap(), "over\n").await;
}

#[tokio::test]
async fn a_client_that_detaches_without_reading_holds_the_process_up_no_more() {
    let (server, client) = server().await;
    client.post(PODS, &pod("web", &json!({"command": ["sh"], "stdin": true}))).await.expect(201);
    reaches(&client, "web", "Running").await;
    let attach = format!("{PODS}/web/attach?stdin=true&stdout=true&stderr=true");
    let start = async || process(&server, &attach, Protocol::WEBSOCKET_V5, ALL).await.unwrap();
    let mut first = start().await;
    first.stdin.as_mut().unwrap().write_all(b"while true; do ls / /; done\n").await.unwrap();
    read_to(first.stdout.as_mut().unwrap(), "tmp").await;
    // The log stands still once all buffers up to the client are full.
    let stands_still = async {
        let mut last = 0;
        loop {
            let now = client.get(&format!("{PODS}/web/log")).await.body.len();
            if now > 0 && now == last {
                return;
            }
            last = now;
        }
    };
    soon("full buffers", stands_still).await;
    drop(first.stdin.take());
    let mut second = start().await;
    read_to(second.stdout.as_mut().unwrap(), "tmp").await;
}

/// Runs a script in the pod `web`.
async fn script(server: &Server, script: &str) -> klient_streams::remote_command::Process {
    let script = script.replace(' ', "%20").replace(';', "%3B").replace('>', "%3E");
    let exec =
        format!("{PODS}/web/exec?command=sh&command=-c&command={script}&stdin=true&stdout=true&stderr=true");
    process(server, &exec, Protocol::WEBSOCKET_V5, ALL).await.expect("it runs")
}

#[tokio::test]
async fn archives_of_many_commands_at_once_share_the_memory_of_the_server() {
    let (server, client) = server().await;
    client.post(PODS, &pod("web", &json!({}))).await.expect(201);
    reaches(&client, "web", "Running").await;
    // A file of 128 MiB, of which the memory of 512 MiB takes three archives.
    let mut writing = script(
        &server,
        "cat > /a; for i in 1 2 3; do cat /a /a > /b; cat /b /b > /a; done; cat /a /a > /b; rm /a",
    )
    .await;
    writing.stdin.as_mut().unwrap().write_all(&vec![7; 1024 * 1024]).await.unwrap();
    let written = soon("the file", writing.wait_with_output()).await.unwrap();
    assert_eq!((written.status.code(), &written.stderr[..]), (0, &b""[..]));
    let mut archives = Vec::new();
    for _ in 0..3 {
        let mut archive = script(&server, "cd /; tar c b").await;
        // It has begun, and nobody reads on.
        soon("the archive", archive.stdout.as_mut().unwrap().read_u8()).await.unwrap();
        archives.push(archive);
    }
    let fourth = soon("the fourth", script(&server, "cd /; tar c b").await.wait_with_output()).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&fourth.stderr), "tar: Cannot allocate memory\n");
    assert_eq!((fourth.status.code(), fourth.stdout.len()), (1, 0));
    // A client that goes gives back the memory of its command.
    drop(archives.pop());
    let again = async {
        loop {
            let mut archive = script(&server, "cd /; tar c b").await;
            if archive.stdout.as_mut().unwrap().read_u8().await.is_ok() {
                return;
            }
        }
    };
    soon("the memory", again).await;
}

#[tokio::test]
async fn a_command_that_reads_nothing_is_interrupted_from_its_terminal() {
    let (server, client) = server().await;
    client.post(PODS, &pod("web", &json!({}))).await.expect(201);
    reaches(&client, "web", "Running").await;
    let exec = format!("{PODS}/web/exec?command=sleep&command=1000&stdin=true&stdout=true&tty=true");
    let mut process = process(&server, &exec, Protocol::WEBSOCKET_V5, TERMINAL).await.unwrap();
    let mut keyboard = process.stdin.take().unwrap();
    keyboard.write_all("a line that nobody reads\n".repeat(1000).as_bytes()).await.unwrap();
    keyboard.write_all(b"\x03").await.unwrap();
    let output = soon("the end of the command", process.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), 130);
}

#[tokio::test]
async fn a_container_that_fails_is_started_again_at_once_and_then_after_a_pause() {
    let (_server, client) = server().await;
    let mut pod = pod("web", &json!({"command": ["false"]}));
    pod["spec"]["restartPolicy"] = "Always".into();
    let created = client.post(PODS, &pod).await.expect(201);
    let path = format!("{PODS}/web");
    let waiting = async {
        loop {
            let status = client.get(&path).await.expect(200)["status"]["containerStatuses"][0].clone();
            if status["state"]["waiting"].is_object() {
                return status;
            }
            tokio::task::yield_now().await;
        }
    };
    let status = soon("the pause", waiting).await;
    let uid = created["metadata"]["uid"].as_str().unwrap();
    let message = format!("back-off 10s restarting failed container=c pod=web_default({uid})");
    assert_eq!(status["state"]["waiting"], json!({"reason": "CrashLoopBackOff", "message": message}));
    assert_eq!(status["restartCount"], 1);
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 1);
}

#[tokio::test]
async fn a_signal_to_the_main_process_restarts_its_container() {
    let (server, client) = server().await;
    let mut pod = pod("web", &json!({"command": ["nginx"]}));
    pod["spec"]["restartPolicy"] = "Always".into();
    client.post(PODS, &pod).await.expect(201);
    reaches(&client, "web", "Running").await;
    let exec = format!("{PODS}/web/exec?command=kill&command=1&stdout=true");
    let streams = Streams { stdout: true, ..Streams::default() };
    let process = process(&server, &exec, Protocol::WEBSOCKET_V5, streams).await.unwrap();
    let output = soon("the end of the command", process.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), 0);
    let restarted = async {
        loop {
            let status = client.get(&format!("{PODS}/web")).await.expect(200)["status"].clone();
            let status = status["containerStatuses"][0].clone();
            if status["restartCount"] == 1 {
                return status;
            }
            tokio::task::yield_now().await;
        }
    };
    let status = soon("the restart", restarted).await;
    let last = &status["lastState"]["terminated"];
    assert_eq!((&last["exitCode"], &last["reason"]), (&json!(143), &json!("Error")));
    assert!(status["state"]["running"].is_object(), "{status}");
}

#[tokio::test]
async fn programs_see_the_size_of_their_terminal() {
    let (server, client) = server().await;
    client.post(PODS, &pod("web", &json!({"command": ["sh"], "stdin": true, "tty": true}))).await.expect(201);
    reaches(&client, "web", "Running").await;
    for request in ["exec?command=sh", "attach?"] {
        let path = format!("{PODS}/web/{request}&stdin=true&stdout=true&tty=true");
        let mut process = process(&server, &path, Protocol::WEBSOCKET_V5, TERMINAL).await.unwrap();
        let (mut keyboard, mut screen) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut terminal = process.terminal.take().unwrap();
        for (width, height) in [(80, 24), (132, 50)] {
            terminal.resize(TerminalSize { width, height }).await.unwrap();
            // The size has a stream of its own, which may be later than the first line that is typed.
            let script = format!("until stty size | grep '^{height} {width}$'; do sleep 0.01; done\n");
            keyboard.write_all(script.as_bytes()).await.unwrap();
            soon("the size", read_to(&mut screen, &format!("\r\n{height} {width}\r\n"))).await;
        }
    }
}
