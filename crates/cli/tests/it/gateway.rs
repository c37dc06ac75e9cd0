//! `klient gateway`, as a program that others use.

use klient_client::{Client, Config, Credentials};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::playground::{Playground, Program, soon};

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_its_address_with_the_token_and_ends_when_told() {
    let playground = Playground::new().await;
    let mut command = Command::from(playground.command(&Program::klient(), "admin"));
    let mut gateway = command.args(["gateway", "--port=0"]).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(gateway.stdout.take().unwrap()).lines();
    let line = soon("the address", lines.next_line()).await.unwrap().unwrap();
    let address = line.strip_prefix("Serving at ").unwrap_or_else(|| panic!("{line}"));
    let (url, token) = address.split_once("/?token=").unwrap_or_else(|| panic!("{line}"));
    assert!(url.starts_with("http://127.0.0.1:"), "{line}");
    let mut config = Config::from_url(url).unwrap();
    assert_eq!(status(&config).await, Some(401));
    config.credentials = Credentials::token(token);
    assert_eq!(status(&config).await, None);
    let pid = gateway.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    let ended = soon("the end", gateway.wait()).await.unwrap();
    assert!(ended.success(), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_the_contexts_of_the_kubeconfig_unless_flags_select_a_user() {
    let playground = Playground::new().await;
    let extra = "- name: other\n  context: {cluster: klient, user: klient}\n- name: lost\n  context: {cluster: gone, user: gone}\n";
    playground.write_kubeconfig("many", |text| text.replace("contexts:\n", &format!("contexts:\n{extra}")));
    for (flags, expected) in [
        (&[][..], &["klient", "other"][..]),
        (&["--context=other"], &["other", "klient"]),
        (&["--token=abc"], &["klient"]),
        (&["--access=bearer"], &["klient"]),
    ] {
        let mut command = Command::from(playground.command(&Program::klient(), "many"));
        command.args(["gateway", "--port=0"]).args(flags).stderr(std::process::Stdio::piped());
        let mut gateway = command.kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(gateway.stdout.take().unwrap()).lines();
        let line = soon("the address", lines.next_line()).await.unwrap().unwrap();
        let address = line.strip_prefix("Serving at ").unwrap_or_else(|| panic!("{line}"));
        if let Some((url, token)) = address.split_once("/?token=") {
            let mut config = Config::from_url(url).unwrap();
            config.credentials = Credentials::token(token);
            let request = Client::new(config).unwrap().request(http::Method::GET);
            let contexts = request.request_uri("/v1/contexts").send().await.unwrap();
            let contexts: serde_json::Value = serde_json::from_slice(contexts.bytes()).unwrap();
            let contexts = contexts["contexts"].as_array().unwrap();
            let names: Vec<&str> = contexts.iter().map(|context| context["name"].as_str().unwrap()).collect();
            assert_eq!(names, expected, "{flags:?}");
        }
        gateway.kill().await.unwrap();
        let warnings = soon("the warnings", gateway.wait_with_output()).await.unwrap().stderr;
        let warnings = String::from_utf8(warnings).unwrap();
        let has_others = expected.len() > 1;
        let is_left_out = warnings.contains("the context \"lost\" is left out");
        assert_eq!(is_left_out, has_others, "{flags:?} {warnings}");
    }
}

/// The status of a failure; `None` of a success.
async fn status(config: &Config) -> Option<u16> {
    let client = Client::new(config.clone()).unwrap();
    let table = client.request(http::Method::GET).request_uri("/v1/table/core/v1/namespaces");
    table.send().await.err().map(|error| error.code().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_warns_of_a_kubeconfig_that_does_not_exist_and_names_the_cluster_that_it_serves() {
    let playground = Playground::new().await;
    let (none, admin) = (playground.kubeconfig("none"), playground.kubeconfig("admin"));
    let both = std::env::join_paths([&none, &admin]).unwrap();
    let server = playground.address().to_string();
    for (files, flags, server) in [
        (none.clone().into_os_string(), &[][..], Some("localhost:8080")),
        (both, &[], Some(&*server)),
        // That of the home.
        ("".into(), &[], Some("localhost:8080")),
        ("".into(), &["--server=http://127.0.0.1:1"], None),
        (admin.into_os_string(), &[], None),
    ] {
        let mut command = Command::from(playground.command(&Program::klient(), "admin"));
        command.env("KUBECONFIG", &files).args(["gateway", "--port=0"]).args(flags);
        let mut gateway = command.kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(gateway.stdout.take().unwrap()).lines();
        soon("the address", lines.next_line()).await.unwrap().unwrap();
        gateway.kill().await.unwrap();
        let warnings = soon("the warnings", gateway.wait_with_output()).await.unwrap().stderr;
        let warnings = String::from_utf8(warnings).unwrap();
        let expected =
            server.map(|server| format!("does not exist: the gateway serves the cluster at {server}\n"));
        let is_told = expected.as_ref().is_some_and(|expected| warnings.contains(expected));
        assert_eq!(is_told, warnings.contains("does not exist"), "{files:?} {flags:?} {warnings}");
        assert_eq!(is_told, expected.is_some(), "{files:?} {flags:?} {warnings}");
        let names_file = files.is_empty() || warnings.contains(none.to_str().unwrap());
        assert!(!is_told || names_file, "{warnings}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_names_what_is_wrong_with_its_flags() {
    let playground = Playground::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (args, complaint) in [
        (&["--port", &port][..], "Address already in use"),
        (&["--host", "http://gw"], "without scheme and port"),
        (&["--access-token-file", "/none"], "cannot read /none: no such file or directory"),
        (&["--tls-cert-file", "a", "--tls-private-key-file", "b", "--port=0"], "cannot read a"),
        (
            &["--access=bearer", "--access-token-file=/none"],
            "--access-token-file has no effect with --access=bearer: there is no token of the gateway",
        ),
        (
            &["--access=bearer", "--user-header=X"],
            "--user-header has no effect with --access=bearer: only a proxy",
        ),
        (&["--group-header=X"], "--group-header has no effect with --access=token: only a proxy"),
        (&["--access=bearer", "--as=ada"], "--as has no effect with --access=bearer: each request acts"),
        (&["--access=impersonate", "--as-uid=1"], "--as-uid has no effect with --access=impersonate"),
        (&["--access=impersonate", "--as-group=a"], "--as-group has no effect with --access=impersonate"),
        (&["--access=bearer", "--as-user-extra=a=b"], "--as-user-extra has no effect with --access=bearer"),
    ] {
        let mut command = Command::from(playground.command(&Program::klient(), "admin"));
        let output = command.arg("gateway").args(args).output().await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{args:?}");
        assert!(stderr.to_lowercase().contains(&complaint.to_lowercase()), "{stderr}");
    }
}
