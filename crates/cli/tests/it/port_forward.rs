//! `klient port-forward`, beside kubectl.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::task::spawn_blocking;

use crate::playground::{Program, soon};
use crate::pods::{as_kubectl, playground};
use crate::running::{Running, filled, line};

/// Sends bytes to a port and the end of them, and returns what comes back.
async fn sent(address: &str, bytes: &[u8]) -> String {
    let mut stream = soon("a connection", TcpStream::connect(address)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // A connection that is refused behind the server is closed, or reset.
    let _ = soon("the answer", stream.read_to_end(&mut answer)).await;
    String::from_utf8(answer).unwrap()
}

/// Reads the line about a port, and returns the local address.
async fn forwarding(running: &mut Running, remote: u16) -> String {
    let line = line(&mut running.stdout, "Forwarding from 127.0.0.1:").await;
    let (local, to) = line.strip_prefix("Forwarding from ").unwrap().split_once(" -> ").unwrap();
    assert_eq!(to, remote.to_string());
    local.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn local_ports_lead_to_ports_of_pods_and_services() {
    let playground = playground().await;
    for (args, remote) in [
        (&["web", ":80"][..], 80),
        (&["pod/web", ":http"], 80),
        (&["deployment/web", "0:9000"], 9000),
        (&["service/web", ":8080"], 80),
        (&["service/web", ":web"], 80),
        (&["service/db", ":80"], 80),
    ] {
        let args = [&["port-forward", "-n", "shop"], args].concat();
        let mut running = Running::start(&playground, &[], &args);
        let address = forwarding(&mut running, remote).await;
        let pod = if args[3] == "service/db" { "db" } else { "web" };
        let port = address.rsplit(':').next().unwrap().to_owned();
        let handling = format!("Handling connection for {port}");
        for bytes in [&b"abc"[..], b"", &[b'x'; 300_000]] {
            let answer = sent(&address, bytes).await;
            assert_eq!(answer, format!("{pod}:{remote}\n{}", String::from_utf8_lossy(bytes)), "{args:?}");
            assert_eq!(line(&mut running.stdout, "Handling").await, handling);
        }
        running.signal("-INT").await;
        assert_eq!(soon("the end", running.exit_code()).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_port_ends_it_and_a_port_in_use_is_told() {
    let playground = playground().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let in_use = format!("{port}:80");
    let args = ["port-forward", "-n", "shop", "--address=127.0.0.1", "web", &in_use, ":81", ":82"];
    let mut running = Running::start(&playground, &[], &args);
    line(&mut running.stderr, &format!(
            "Unable to listen on port {port}: Listeners failed to create with the following errors: [unable to create \
             listener: Error listen tcp4 127.0.0.1:{port}: bind: address already in use]"
        )).await;
    let refused = forwarding(&mut running, 81).await;
    let answered = forwarding(&mut running, 82).await;
    assert_eq!(sent(&answered, b"abc").await, "web:82\nabc");
    assert_eq!(sent(&refused, b"abc").await, "");
    let error = line(&mut running.stderr, "E").await;
    let local = refused.rsplit(':').next().unwrap();
    let told = format!(
        "\"An error occurred forwarding\" err=\"error forwarding port 81: connection refused\" localPort={local} remotePort=81"
    );
    assert!(error.ends_with(&told), "{error}");
    line(&mut running.stderr, "error: lost connection to pod").await;
    assert_eq!(soon("the end", running.exit_code()).await, 1);
    let args = ["port-forward", "-n", "shop", "--address=127.0.0.1", "web", &in_use];
    let done = as_kubectl_lenient(&playground, &args).await;
    assert!(
        done.ends_with(&format!("error: unable to listen on any of the requested ports: [{{{port} 80}}]\n")),
        "{done}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_go_on_while_nobody_reads_the_lines_about_others() {
    let playground = playground().await;
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut command = Command::from(playground.command(&Program::klient(), "admin"));
    command.args(["port-forward", "-n", "shop", "--address=127.0.0.1", "web", ":80"]);
    command.stdout(writer.try_clone().unwrap()).kill_on_drop(true);
    let _running = command.spawn().unwrap();
    let mut lines = BufReader::new(reader);
    let mut line = String::new();
    let reading = spawn_blocking(move || lines.read_line(&mut line).map(|_| (lines, line)));
    let (lines, line) = soon("a line", reading).await.unwrap().unwrap();
    let (address, _) = line.strip_prefix("Forwarding from ").unwrap().split_once(" -> ").unwrap();
    let mut first = soon("a connection", TcpStream::connect(address)).await.unwrap();
    let mut greeting = [0; "web:80\n".len()];
    soon("the greeting", first.read_exact(&mut greeting)).await.unwrap();
    // It ends when the reader is dropped.
    std::thread::spawn(move || while writer.write_all(b"x").is_ok() {});
    filled(lines.get_ref()).await;
    let _second = soon("a connection", TcpStream::connect(address)).await.unwrap();
    // The line about the second connection is being written when a third one is accepted by the system alone.
    let _third = soon("a connection", TcpStream::connect(address)).await.unwrap();
    first.write_all(&[b'x'; 300_000]).await.unwrap();
    first.shutdown().await.unwrap();
    let mut answer = Vec::new();
    soon("the answer", first.read_to_end(&mut answer)).await.unwrap();
    assert_eq!(answer.len(), 300_000);
}

/// Standard error of klient.
async fn as_kubectl_lenient(playground: &crate::playground::Playground, args: &[&str]) -> String {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    playground.run_lossy(&crate::playground::Program::klient(), &args, None).await.stderr
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_those_of_kubectl() {
    let playground = playground().await;
    for (args, err) in [
        ("web", "error: TYPE/NAME and list of ports are required for port-forward\n"),
        ("", "error: TYPE/NAME and list of ports are required for port-forward\n"),
        ("none 80", "Error from server (NotFound): pods \"none\" not found\n"),
        (
            "waiting 18080:80",
            "error: unable to forward port because pod is not running. Current status=Pending\n",
        ),
        ("web :none", "error: Pod 'web' does not have a named port 'none'\n"),
        ("web :53", "error: UDP protocol is not supported for 53\n"),
        ("svc/web :none", "error: Service 'web' does not have a named port 'none'\n"),
        ("svc/web :81", "error: Service web does not have a service port 81\n"),
        (
            "svc/none 80",
            "error: cannot attach to *v1.Service: invalid service 'none': Service is defined without a selector\n",
        ),
        (
            "cm/colors 80",
            "error: cannot attach to *v1.ConfigMap: selector for *v1.ConfigMap not implemented\n",
        ),
        (
            "web +18080:80",
            "error: error parsing local port '+18080': strconv.ParseUint: parsing \"+18080\": invalid syntax\n",
        ),
        (
            "web :+80",
            "error: error parsing remote port '+80': strconv.ParseUint: parsing \"+80\": invalid syntax\n",
        ),
        (
            "svc/web +8080",
            "error: error parsing local port '+8080': strconv.ParseUint: parsing \"+8080\": invalid syntax\n",
        ),
        ("-n nope web 80", "Error from server (NotFound): namespaces \"nope\" not found\n"),
        (
            "web 18081:80 --address=10.1.2.3",
            "Unable to listen on port 18081: Listeners failed to create with the following errors: [unable to create \
             listener: Error listen tcp4 10.1.2.3:18081: bind: cannot assign requested address]\n\
             error: unable to listen on any of the requested ports: [{18081 80}]\n",
        ),
        ("web 80 --address=here", "error: here is not a valid IP\n"),
        ("web 80 --address=", "error: you must specify at least 1 address\n"),
        ("web 80 --address=,", "error:  is not a valid IP\n"),
        ("web x:y:z", "error: Pod 'web' does not have a named port 'x'\n"),
        ("svc/web x:y:z", "error: Service 'web' does not have a named port 'x'\n"),
        ("web 1:", "error: UDP protocol is not supported for \n"),
        ("web :80 --pod-running-timeout=0s", "error: --pod-running-timeout must be higher than zero\n"),
    ] {
        let args: Vec<&str> =
            ["port-forward", "-n", "shop"].into_iter().chain(args.split_whitespace()).collect();
        let done = as_kubectl(&playground, &args, None).await;
        assert_eq!((done.exit, &*done.stdout), (1, ""), "{args:?}");
        assert!(done.stderr.starts_with(err), "{args:?}: {}", done.stderr);
    }
}
