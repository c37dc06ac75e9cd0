//! The log of requests by `-v`.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use regex::Regex;

use crate::playground::{Playground, Program};
use crate::session::Session;

/// Checks the log of a command, with placeholders for heads, times and headers that change.
async fn check(playground: &Playground, args: &[&str], expected: Expect) {
    let args: Vec<String> = args.iter().map(|argument| (*argument).to_owned()).collect();
    let done = playground.run(&Program::klient(), "admin", &args, None).await;
    assert_eq!(done.exit, 0, "{}", done.stderr);
    let mut log = done.stderr;
    for (pattern, with) in [
        (r"(?m)^I\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ (\w+\.rs):\d+\] ", "$1] "),
        (r"(\w*)illiseconds=\d+", "${1}illiseconds=_"),
        (r"(?m)^\t(Audit-Id|Date|Content-Length): .*\n", ""),
        (r"User-Agent: [^\n\x22]*", "User-Agent: _"),
    ] {
        log = Regex::new(pattern).unwrap().replace_all(&log, with).into_owned();
    }
    expected.assert_eq(&log);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_verbosity_shows_as_much_of_a_request_as_kubectl() {
    let playground = Playground::new().await;
    let get = |verbosity| ["get", "--raw", "/readyz", verbosity];
    check(&playground, &get("-v=5"), expect![[""]]).await;
    check(
        &playground,
        &get("-v=6"),
        expect![[r#"
            http_trace.rs] "Response" verb="GET" url="https://127.0.0.1:6443/readyz" status="200 OK" milliseconds=_
        "#]],
    )
    .await;
    check(
        &playground,
        &get("-v7"),
        expect![[r#"
            http_trace.rs] "Request" verb="GET" url="https://127.0.0.1:6443/readyz" headers=<
            	Accept: application/json, */*
            	Authorization: Bearer <masked>
            	User-Agent: _
             >
            http_trace.rs] "Response" status="200 OK" milliseconds=_
        "#]],
    )
    .await;
    check(
        &playground,
        &["--v", "8", "get", "--raw", "/readyz"],
        expect![[r#"
        http_trace.rs] "Request Body" body=""
        http_trace.rs] "Request" verb="GET" url="https://127.0.0.1:6443/readyz" headers=<
        	Accept: application/json, */*
        	Authorization: Bearer <masked>
        	User-Agent: _
         >
        http_trace.rs] "Response" status="200 OK" headers=<
        	Cache-Control: no-cache, private
        	Content-Type: text/plain; charset=utf-8
        	X-Content-Type-Options: nosniff
         > milliseconds=_
    "#]],
    )
    .await;
    check(&playground, &get("-v=9"), expect![[r#"
        http_trace.rs] "Request Body" body=""
        http_trace.rs] "Request" curlCommand=<
        	curl -v -XGET  -H "Accept: application/json, */*" -H "Authorization: Bearer <masked>" -H "User-Agent: _" 'https://127.0.0.1:6443/readyz'
         >
        http_trace.rs] "HTTP Trace: Dial succeed" network="tcp" address="127.0.0.1:6443"
        http_trace.rs] "Response" verb="GET" url="https://127.0.0.1:6443/readyz" status="200 OK" headers=<
        	Cache-Control: no-cache, private
        	Content-Type: text/plain; charset=utf-8
        	X-Content-Type-Options: nosniff
         > milliseconds=_ dnsLookupMilliseconds=_ dialMilliseconds=_ tlsHandshakeMilliseconds=_ serverProcessingMilliseconds=_
    "#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_text_is_dumped() {
    let playground = Playground::new().await;
    let file = BTreeMap::from([("tab.txt".to_owned(), "a\tb".to_owned())]);
    playground.write(&file);
    let args = ["create", "--raw", "/api/v1/namespaces", "-f", "tab.txt", "-v=8"].map(str::to_owned);
    let done = playground.run(&Program::klient(), "admin", &args, None).await;
    let dump =
        "\"Request Body\" body=<\n\t00000000  61 09 62                                          |a.b|\n >\n";
    assert!(done.stderr.contains(dump), "{}", done.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verbosity_that_is_no_number_is_refused() {
    let playground = Playground::new().await;
    let args = ["get", "namespaces", "-v=x"].map(str::to_owned);
    let done = playground.run(&Program::klient(), "admin", &args, None).await;
    expect![[r#"
        error: invalid argument "x" for "-v, --v" flag: strconv.ParseInt: parsing "x": invalid syntax
        See 'kubectl get --help' for usage.
    "#]]
    .assert_eq(&done.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_of_the_log_are_those_of_kubectl() {
    let session = Session::new("").await;
    let transcript = session.run(
        "version --client --vmodule=a
        version --client --vmodule==1
        version --client --vmodule=a=-1
        version --client --vmodule=a=99999999999
        version --client --vmodule
        version --client --log-flush-frequency=x
        version --client --log-flush-frequency=5
        version --client --log-flush-frequency=0
        version --client --log-flush-frequency
        version --client -v=99999999999
        version --client --log-dir=/tmp
        version --client --logging-format=json
        get --raw /readyz --vmodule=a=1,b*=2, --log-flush-frequency 1m --log_flush_frequency=1s",
    );
    expect![[r#"
        $ version --client --vmodule=a
        error: invalid argument "a" for "--vmodule" flag: syntax error: expect comma-separated list of filename=N
        See 'kubectl version --help' for usage.
        exit 1
        $ version --client --vmodule==1
        error: invalid argument "=1" for "--vmodule" flag: syntax error: expect comma-separated list of filename=N
        See 'kubectl version --help' for usage.
        exit 1
        $ version --client --vmodule=a=-1
        error: invalid argument "a=-1" for "--vmodule" flag: negative value for vmodule level
        See 'kubectl version --help' for usage.
        exit 1
        $ version --client --vmodule=a=99999999999
        error: invalid argument "a=99999999999" for "--vmodule" flag: syntax error: expect comma-separated list of filename=N
        See 'kubectl version --help' for usage.
        exit 1
        $ version --client --vmodule
        error: flag needs an argument: --vmodule
        See 'kubectl version --help' for usage.
        exit 1
        $ version --client --log-flush-frequency=x
        error: invalid argument "x" for "--log-flush-frequency" flag: parse error
        See 'kubectl version --help' for usage.
        exit 1
        $ version --client --log-flush-frequency=5
        error: invalid argument "5" for "--log-flush-frequency" flag: parse error
        See 'kubectl version --help' for usage.
        exit 1
        $ version --client --log-flush-frequency=0
        error: invalid argument "0" for "--log-flush-frequency" flag: it must be greater than zero
        See 'kubectl version --help' for usage.
        exit 1
        $ version --client --log-flush-frequency
        error: flag needs an argument: --log-flush-frequency
        See 'kubectl version --help' for usage.
        exit 1
        $ version --client -v=99999999999
        error: invalid argument "99999999999" for "-v, --v" flag: strconv.ParseInt: parsing "99999999999": value out of range
        See 'kubectl version --help' for usage.
        exit 1
        $ version --client --log-dir=/tmp
        error: unknown flag: --log-dir
        See 'kubectl version --help' for usage.
        exit 1
        $ version --client --logging-format=json
        error: unknown flag: --logging-format
        See 'kubectl version --help' for usage.
        exit 1
        $ get --raw /readyz --vmodule=a=1,b*=2, --log-flush-frequency 1m --log_flush_frequency=1s
        ok
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_vmodule_shows_its_requests_alone() {
    let playground = Playground::new().await;
    check(
        &playground,
        &["get", "--raw", "/readyz", "--vmodule=http_trace=6,other=9"],
        expect![[r#"
            http_trace.rs] "Response" verb="GET" url="https://127.0.0.1:6443/readyz" status="200 OK" milliseconds=_
        "#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_ends_no_command() {
    let playground = Playground::new().await;
    let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
    drop(reader);
    let mut command = playground.command(&Program::klient(), "admin");
    command.args(["get", "--raw", "/readyz", "-v=9"]).stderr(std::os::fd::OwnedFd::from(writer));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), b"ok".as_slice()));
}
