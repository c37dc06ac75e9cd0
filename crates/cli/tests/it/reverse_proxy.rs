//! `klient proxy`, beside kubectl's.

use std::os::unix::fs::PermissionsExt as _;

use http::Method;
use klient_api::core::v1::Pod;
use klient_client::{Client, Config, Dialer, ExecOptions, ListOptions};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::playground::{Playground, Program, soon};
use crate::pods::{as_kubectl, playground};
use crate::running::Running;

/// A proxy of either program, which ends with this.
struct Proxy {
    _child: Child,
    /// The address in the first line of output, behind `Starting to serve on`.
    address: String,
}

impl Proxy {
    async fn start(playground: &Playground, program: &Program, args: &[&str]) -> Self {
        let mut command = Command::from(playground.command(program, "admin"));
        let mut child = command.arg("proxy").args(args).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = soon("the first line", lines.next_line()).await.unwrap().unwrap_or_default();
        let address = line.strip_prefix("Starting to serve on ").unwrap_or_else(|| panic!("{line}"));
        Proxy { address: address.to_owned(), _child: child }
    }

    /// Sends a request, and returns the code, the content type, the location and the body.
    async fn answer(&self, line: &str, host: &str) -> [String; 4] {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon("the answer", stream.read_to_string(&mut answer)).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let header = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            let found = lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        let code = head.split(' ').nth(1).unwrap().to_owned();
        [code, header("content-type"), header("location"), body.to_owned()]
    }
}

/// The programs that are compared: klient, and kubectl if the machine has it.
fn programs() -> impl Iterator<Item = Program> {
    [Some(Program::klient()), Program::kubectl()].into_iter().flatten()
}

const FORBIDDEN: [&str; 4] = ["403", "text/plain; charset=utf-8", "", "Forbidden\n"];
const NOT_FOUND: [&str; 4] = ["404", "text/plain; charset=utf-8", "", "404 page not found\n"];

#[tokio::test(flavor = "multi_thread")]
async fn requests_pass_the_filter_of_kubectl() {
    let playground = playground().await;
    for program in programs() {
        let proxy = Proxy::start(&playground, &program, &["--port=0"]).await;
        let ok = ["200", "text/plain; charset=utf-8", "", "ok"];
        for (line, host, answer) in [
            ("GET /healthz", "localhost", ok),
            ("GET /healthz", "127.0.0.1:8001", ok),
            ("GET /healthz", "[::1]", ok),
            ("GET /healthz", "evil.example", FORBIDDEN),
            ("GET /healthz", "[::1]:8001", FORBIDDEN),
            ("GET /api/v1/namespaces/shop/pods/web/exec?command=ls", "localhost", FORBIDDEN),
            ("GET /api/v1/namespaces/shop/pods/web/%65xec", "localhost", FORBIDDEN),
            ("POST /api/v1/namespaces/shop/pods/web/attach", "localhost", FORBIDDEN),
        ] {
            assert_eq!(proxy.answer(line, host).await, answer, "{} {line} {host}", program.name);
        }
        let header = format!("localhost{}", "\r\nX-Header: value".repeat(200));
        for (line, host, code) in [
            ("GET /healthz", "localhost:80@evil.example", "400"),
            ("GET /healthz", "localhost/evil", "400"),
            ("GET /healthz", "localhost\r\nHost: evil.example", "400"),
            ("GET http://localhost:1@evil.example/healthz", "localhost", "403"),
            ("GET http://localhost@evil.example:80/healthz", "localhost", "403"),
            ("GET http://localhost/healthz", "evil.example", "200"),
            ("GET /healthz", &header, "200"),
        ] {
            // The words for a malformed request differ between versions of kubectl.
            let [answered, ..] = proxy.answer(line, host).await;
            assert_eq!(answered, code, "{} {line} {host}", program.name);
        }
        // Escaped slashes separate no segments, so that nothing is redirected.
        for path in ["/api/v1/%2F%2F", "/api/v1/%2F%2e%2e%2f..%2F", "/api/v1/%ff"] {
            let [code, _, location, _] = proxy.answer(&format!("GET {path}"), "localhost").await;
            assert_eq!((&*code, &*location), ("404", ""), "{} {path}", program.name);
        }
        let args = ["--port=0", "--accept-paths=^/healthz,^/readyz", "--reject-methods=POST,DELETE"];
        let proxy = Proxy::start(&playground, &program, &args).await;
        for (line, answer) in [
            ("GET /healthz", ok),
            ("GET /readyz", ok),
            ("GET /version", FORBIDDEN),
            ("POST /healthz", FORBIDDEN),
            ("DELETE /healthz", FORBIDDEN),
        ] {
            assert_eq!(proxy.answer(line, "localhost").await, answer, "{} {line}", program.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_the_api_have_prefixes() {
    let playground = playground().await;
    let files = [
        ("www/a.txt", "text"),
        ("www/page.html", "<p>"),
        ("www/in/index.html", "index"),
        ("www/list/x y.json", "{}"),
    ];
    playground.write(&files.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
    let www = playground.path("www").display().to_string();
    for program in programs() {
        let args = ["--port=0", "--www", &www, "--www-prefix=/files", "--api-prefix=/custom"];
        let proxy = Proxy::start(&playground, &program, &args).await;
        let plain = "text/plain; charset=utf-8";
        let html = "text/html; charset=utf-8";
        let list = "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n\
                    <a href=\"x%20y.json\">x y.json</a>\n</pre>\n";
        for (line, answer) in [
            ("GET /files/a.txt", ["200", plain, "", "text"]),
            ("GET /files/page.html", ["200", html, "", "<p>"]),
            ("GET /files/in/", ["200", html, "", "index"]),
            ("GET /files/list/", ["200", html, "", list]),
            ("GET /files/list/x%20y.json", ["200", "application/json", "", "{}"]),
            ("HEAD /files/a.txt", ["200", plain, "", ""]),
            ("GET /files/in", ["301", "", "in/", ""]),
            ("GET /files/a.txt/", ["301", "", "../a.txt", ""]),
            ("GET /files/in/index.html", ["301", "", "./", ""]),
            ("GET /files/none", NOT_FOUND),
            ("GET /custom/healthz", ["200", plain, "", "ok"]),
            ("GET /healthz", NOT_FOUND),
        ] {
            assert_eq!(proxy.answer(line, "localhost").await, answer, "{} {line}", program.name);
        }
        // Kubernetes' Go decides between 301 and 307.
        for (line, to) in
            [("GET /custom?a=b", "/custom/?a=b"), ("GET /files/../custom/x/..//healthz", "/custom/healthz")]
        {
            let [code, content_type, location, _] = proxy.answer(line, "localhost").await;
            assert!(matches!(&*code, "301" | "307"), "{code}");
            assert_eq!((&*content_type, &*location), (html, to), "{} {line}", program.name);
        }
        let outside = proxy.answer("GET /files/%2e%2e/objects.yaml", "localhost").await;
        assert_ne!(outside[0], "200", "{outside:?}");
        let below_the_api = Proxy::start(&playground, &program, &["--port=0", "--www", &www]).await;
        let [code, _, location, _] = below_the_api.answer("GET /static", "localhost").await;
        assert!(matches!(&*code, "301" | "307"), "{code}");
        assert_eq!(location, "/static/", "{}", program.name);
        for path in ["/static/a.txt", "/static/list/"] {
            let mut stream = TcpStream::connect(&below_the_api.address).await.unwrap();
            let request = format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            soon("the answer", stream.read_to_string(&mut answer)).await.unwrap();
            let answer = answer.to_ascii_lowercase();
            assert!(answer.contains("\r\nlast-modified: "), "{} {path}: {answer}", program.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_have_ranges_and_conditions() {
    let playground = playground().await;
    let files =
        [("www/a.txt", "hello world\n"), ("www/empty", ""), ("www/sub/b.txt", ""), ("www/epoch", "old")];
    playground.write(&files.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_323_045);
    for name in ["www/a.txt", "www"] {
        std::fs::File::open(playground.path(name)).unwrap().set_modified(time).unwrap();
    }
    // Go's file server counts it as a file without a time.
    let epoch = std::fs::File::open(playground.path("www/epoch")).unwrap();
    epoch.set_modified(std::time::UNIX_EPOCH).unwrap();
    let www = playground.path("www").display().to_string();
    let (same, older) = ("Fri, 02 Jan 2026 03:04:05 GMT", "Thu, 01 Jan 2026 03:04:05 GMT");
    let newer = "Sat, 03 Jan 2026 03:04:05 GMT";
    let whole = "200 bytes,,12,yes hello world\n".to_owned();
    let not_modified = "304 ,,,yes ".to_owned();
    let invalid = "416 ,,14, invalid range\n".to_owned();
    let two = "206 bytes,,346,yes --B\r\nContent-Range: bytes 0-1/12\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
               he\r\n--B\r\nContent-Range: bytes 4-5/12\r\nContent-Type: text/plain; charset=utf-8\r\n\r\no \r\n--B--\r\n";
    let none_and_two = "206 bytes,,346,yes --B\r\nContent-Range: bytes 12-11/12\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         \r\n--B\r\nContent-Range: bytes 0-1/12\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhe\r\n--B--\r\n";
    let none = "206 bytes,bytes 12-11/12,0,yes ".to_owned();
    let none_of_none = "206 bytes,bytes 0--1/0,0,yes ".to_owned();
    let cases: Vec<(&str, String, String)> = vec![
        ("GET /static/a.txt", String::new(), whole.clone()),
        ("HEAD /static/a.txt", String::new(), "200 bytes,,12,yes ".into()),
        ("POST /static/a.txt", String::new(), whole.clone()),
        ("GET /static/a.txt", "Range: bytes=0-3".into(), "206 bytes,bytes 0-3/12,4,yes hell".into()),
        ("GET /static/a.txt", "Range: bytes=-3".into(), "206 bytes,bytes 9-11/12,3,yes ld\n".into()),
        ("GET /static/a.txt", "Range: bytes=6-99".into(), "206 bytes,bytes 6-11/12,6,yes world\n".into()),
        ("HEAD /static/a.txt", "Range: bytes=0-0".into(), "206 bytes,bytes 0-0/12,1,yes ".into()),
        ("GET /static/a.txt", "Range: bytes=0-1,4-5".into(), two.into()),
        ("GET /static/a.txt", "Range: bytes=0-11,0-11".into(), whole.clone()),
        (
            "GET /static/a.txt",
            "Range: bytes=50-".into(),
            "416 ,bytes */12,33, invalid range: failed to overlap\n".into(),
        ),
        ("GET /static/a.txt", "Range: bytes=5-2".into(), invalid.clone()),
        ("GET /static/a.txt", "Range: lines=1-2".into(), invalid.clone()),
        ("GET /static/empty", "Range: bytes=0-".into(), "200 bytes,,0,yes ".into()),
        (
            "GET /static/a.txt",
            "Range: bytes=-30".into(),
            "206 bytes,bytes 0-11/12,12,yes hello world\n".into(),
        ),
        ("GET /static/a.txt", "Range: bytes= 0-1 , ,".into(), "206 bytes,bytes 0-1/12,2,yes he".into()),
        ("GET /static/a.txt", "Range: bytes=50-,0-0".into(), "206 bytes,bytes 0-0/12,1,yes h".into()),
        ("GET /static/a.txt", "Range: bytes=--2".into(), invalid.clone()),
        ("GET /static/a.txt", "Range: bytes=1".into(), invalid.clone()),
        ("GET /static/a.txt", "Range: bytes=99999999999999999999-".into(), invalid.clone()),
        ("GET /static/a.txt", "Range: ".into(), whole.clone()),
        ("GET /static/a.txt", "Range: Bytes=0-1".into(), invalid.clone()),
        ("GET /static/a.txt", "Range: bytes=-0".into(), none.clone()),
        ("HEAD /static/a.txt", "Range: bytes= - 0".into(), none.clone()),
        ("GET /static/a.txt", "Range: bytes=50-,-0".into(), none),
        ("GET /static/a.txt", "Range: bytes=-0,0-1".into(), none_and_two.into()),
        ("GET /static/empty", "Range: bytes=-0".into(), none_of_none.clone()),
        ("GET /static/empty", "Range: bytes=-5".into(), none_of_none),
        ("GET /static/empty", "Range: bytes=0-0".into(), "200 bytes,,0,yes ".into()),
        ("GET /static/epoch", String::new(), "200 bytes,,3, old".into()),
        ("GET /static/epoch", format!("If-Modified-Since: {same}"), "200 bytes,,3, old".into()),
        ("GET /static/epoch", format!("If-Unmodified-Since: {older}"), "200 bytes,,3, old".into()),
        ("GET /static/epoch", format!("Range: bytes=0-0\r\nIf-Range: {same}"), "200 bytes,,3, old".into()),
        ("GET /static/a.txt", format!("If-Modified-Since: {same}"), not_modified.clone()),
        ("HEAD /static/a.txt", format!("If-Modified-Since: {same}"), not_modified.clone()),
        ("GET /static/a.txt", format!("If-Modified-Since: {older}"), whole.clone()),
        ("GET /static/a.txt", "If-Modified-Since: yesterday".into(), whole.clone()),
        ("GET /static/a.txt", "If-None-Match: *".into(), not_modified.clone()),
        ("POST /static/a.txt", "If-None-Match: *".into(), "412 ,,0,yes ".into()),
        ("GET /static/a.txt", "If-None-Match: \"x\"".into(), whole.clone()),
        ("GET /static/a.txt", "If-None-Match: \"x\", W/\"*\"".into(), whole.clone()),
        ("GET /static/a.txt", format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {same}"), whole.clone()),
        ("GET /static/a.txt", format!("If-None-Match: \r\nIf-Modified-Since: {same}"), not_modified.clone()),
        ("POST /static/a.txt", format!("If-Modified-Since: {same}"), whole.clone()),
        ("GET /static/a.txt", "If-Match: *".into(), whole.clone()),
        ("GET /static/a.txt", format!("If-Match: *\r\nIf-Unmodified-Since: {older}"), whole.clone()),
        ("GET /static/a.txt", "If-Match: x".into(), "412 ,,0,yes ".into()),
        ("GET /static/a.txt", format!("If-Unmodified-Since: {same}"), whole.clone()),
        ("GET /static/a.txt", "If-Unmodified-Since: tomorrow".into(), whole.clone()),
        ("GET /static/a.txt", "If-Match: \"x\"".into(), "412 ,,0,yes ".into()),
        ("GET /static/a.txt", format!("If-Unmodified-Since: {older}"), "412 ,,0,yes ".into()),
        (
            "GET /static/a.txt",
            format!("Range: bytes=0-1\r\nIf-Range: {same}"),
            "206 bytes,bytes 0-1/12,2,yes he".into(),
        ),
        ("GET /static/a.txt", format!("Range: bytes=0-1\r\nIf-Range: {older}"), whole.clone()),
        ("GET /static/a.txt", format!("Range: bytes=0-1\r\nIf-Range: {newer}"), whole.clone()),
        (
            "POST /static/a.txt",
            format!("Range: bytes=0-1\r\nIf-Range: {older}"),
            "206 bytes,bytes 0-1/12,2,yes he".into(),
        ),
        ("GET /static/a.txt", "Range: bytes=0-1\r\nIf-Range: \"x\"".into(), whole),
        ("GET /static/", format!("If-Modified-Since: {same}"), "304 ,,, ".into()),
        ("GET /static/sub?a=b", String::new(), "301 sub/?a=b,,0, ".into()),
        ("HEAD /static/sub", String::new(), "301 sub/,,, ".into()),
    ];
    for program in programs() {
        let proxy = Proxy::start(&playground, &program, &["--port=0", "--www", &www]).await;
        for (line, headers, expected) in &cases {
            let mut stream = TcpStream::connect(&proxy.address).await.unwrap();
            let headers = if headers.is_empty() { String::new() } else { format!("{headers}\r\n") };
            let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            soon("the answer", stream.read_to_string(&mut answer)).await.unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let header = |name: &str| {
                let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value).unwrap_or_default()
            };
            let boundary =
                header("content-type").split_once("boundary=").map_or("-", |(_, boundary)| boundary);
            let body = if boundary == "-" { body.to_owned() } else { body.replace(boundary, "B") };
            let modified = if header("last-modified").is_empty() { "" } else { "yes" };
            let answered = format!(
                "{} {}{},{},{},{modified} {body}",
                head.split(' ').nth(1).unwrap(),
                header("accept-ranges"),
                header("location"),
                header("content-range"),
                header("content-length"),
            );
            assert_eq!(&answered, expected, "{}: {line} {headers}", program.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_older_than_dates_of_http_is_served_without_a_time() {
    let playground = playground().await;
    playground.write(&[("www/a.txt".to_owned(), "old".to_owned())].into());
    let file = std::fs::File::open(playground.path("www/a.txt")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH - std::time::Duration::from_secs(1)).unwrap();
    let www = playground.path("www").display().to_string();
    let proxy = Proxy::start(&playground, &Program::klient(), &["--port=0", "--www", &www]).await;
    let answer = proxy.answer("GET /static/a.txt", "localhost").await;
    assert_eq!(answer, ["200", "text/plain; charset=utf-8", "", "old"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_regular_expression_that_is_none_ends_it_with_255() {
    let playground = playground().await;
    for program in programs() {
        let args = ["proxy", "--port=0", "--accept-paths=["].map(str::to_owned);
        let done = playground.run_lossy(&program, &args, None).await;
        assert_eq!((done.exit, &*done.stdout), (255, ""), "{}", program.name);
        let told = "] Error compiling re: error parsing regexp: missing closing ]: `[`\n";
        assert!(done.stderr.starts_with('F') && done.stderr.ends_with(told), "{}", done.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_several_parts_is_sent_whole() {
    let playground = playground().await;
    let text: String = (0..40_000).map(|number| format!("{number}\n")).collect();
    playground.write(
        &[("www/numbers.txt".to_owned(), text.clone()), ("www/empty.txt".to_owned(), String::new())].into(),
    );
    let www = playground.path("www").display().to_string();
    let proxy = Proxy::start(&playground, &Program::klient(), &["--port=0", "--www", &www]).await;
    for (line, body) in
        [("GET /static/numbers.txt", &*text), ("HEAD /static/numbers.txt", ""), ("GET /static/empty.txt", "")]
    {
        let answer = proxy.answer(line, "localhost").await;
        assert_eq!(answer[..3], ["200", "text/plain; charset=utf-8", ""], "{line}");
        assert!(answer[3] == body, "{line}: {} bytes", answer[3].len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prefix_of_the_api_may_be_escaped() {
    let playground = playground().await;
    let args = ["--port=0", "--api-prefix=/custom"];
    let proxy = Proxy::start(&playground, &Program::klient(), &args).await;
    assert_eq!(proxy.answer("GET /%63ustom/healthz", "localhost").await[0], "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_go_through_the_proxy_with_its_credentials() {
    let playground = playground().await;
    let args = ["--port=0", "--reject-paths=^$", "--keepalive=30s"];
    let proxy = Proxy::start(&playground, &Program::klient(), &args).await;
    let client = Client::new(Config::from_url(&format!("http://{}", proxy.address)).unwrap()).unwrap();
    let pods = client.api::<Pod>().namespace("shop");
    assert_eq!(pods.list(&ListOptions::default()).await.unwrap().items.len(), 5);
    let process = pods.exec("web", ["exit", "3"], &ExecOptions::default()).await.unwrap();
    assert_eq!(process.wait_with_output().await.unwrap().status.code(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_is_reached_by_its_user_only() {
    let playground = playground().await;
    let socket = playground.path("socket");
    let path = socket.display().to_string();
    for _ in 0..2 {
        // The second one takes the place of the socket that the first one left.
        let proxy = Proxy::start(&playground, &Program::klient(), &["-u", &path]).await;
        assert_eq!(proxy.address, path);
        assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o077, 0);
        let mut config = Config::from_url("http://localhost").unwrap();
        config.dialer = Some(Dialer::unix(&socket));
        let client = Client::new(config).unwrap();
        let answer = client.request(Method::GET).absolute_path("/healthz").send().await.unwrap();
        assert_eq!(&answer.bytes()[..], b"ok");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_errors_are_those_of_kubectl() {
    let playground = playground().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("--port={}", taken.local_addr().unwrap().port());
    for (args, error) in [
        (
            &["--port=1", "--unix-socket=x"][..],
            "error: cannot set --unix-socket and --port at the same time\n",
        ),
        (&[&*port], "address already in use\n"),
        (&["--port=0", "--address=::1"], "error: listen tcp: address ::1:0: too many colons in address\n"),
        (&["--port=x"], "error: invalid argument \"x\" for \"-p, --port\" flag: "),
        (&["--port=70000"], "error: listen tcp: address 70000: invalid port\n"),
        (&["--port=-1"], "error: listen tcp: address -1: invalid port\n"),
    ] {
        let args = [&["proxy"], args].concat();
        let done = as_kubectl(&playground, &args, None).await;
        assert_eq!((done.exit, done.stdout.as_str()), (1, ""), "{args:?}");
        assert!(done.stderr.contains(error), "{args:?}: {}", done.stderr);
    }
    // Go names the address of the resolver, too.
    let args = ["proxy", "--address=api.no-such-domain.invalid"].map(str::to_owned);
    let done = playground.run_lossy(&Program::klient(), &args, None).await;
    assert_eq!(done.stderr, "error: listen tcp: lookup api.no-such-domain.invalid: no such host\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relaxed_filter_and_a_server_that_is_gone_are_told() {
    let playground = playground().await;
    let args = ["proxy", "--port=0", "--disable-filter", "--kubeconfig"];
    let down = playground.kubeconfig("down").display().to_string();
    let mut running = Running::start(&playground, &[], &[&args[..], &[&down]].concat());
    let warning = soon("a warning", running.stderr.next_line()).await.unwrap().unwrap();
    assert!(warning.starts_with('W') && warning.ends_with("please be cautious"), "{warning}");
    let line = soon("the first line", running.stdout.next_line()).await.unwrap().unwrap();
    let address = line.strip_prefix("Starting to serve on ").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    soon("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(answer.ends_with("connect: connection refused\n"), "{answer}");
    let error = soon("an error", running.stderr.next_line()).await.unwrap().unwrap();
    assert!(
        error.starts_with('E') && error.contains("Error while proxying request: dial tcp 127.0.0.1:"),
        "{error}"
    );
}
