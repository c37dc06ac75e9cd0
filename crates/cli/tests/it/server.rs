//! `server`, as a program that others use.

use std::path::Path;
use std::time::Duration;

use klient_api::core::v1::Namespace;
use klient_client::{Client, Config, ListOptions};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::KLIENT;
use crate::playground::soon;

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_once_the_kubeconfig_is_there_and_ends_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    let mut server = Command::new(KLIENT)
        .args(["server", "--listen", "127.0.0.1:0", "--write-kubeconfig"])
        .arg(&path)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    soon("the kubeconfig", appears(&path)).await;
    let client = Client::new(Config::from_kubeconfig_file(&path).unwrap()).unwrap();
    let namespaces = client.api::<Namespace>().list(&ListOptions::default()).await.unwrap();
    assert_eq!(namespaces.items.len(), 4);
    is_private(&path);

    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.starts_with("Serving at https://127.0.0.1:"), "{line}");
    let pid = server.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let status = soon("the end", server.wait()).await.unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_names_the_address_it_cannot_listen_on() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(KLIENT).args(["server", "--listen", &address]).output().await.unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint.contains(&address), "{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_log_ordinary_ends_of_connections() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    for (verbosity, expected) in [("-v=0", false), ("-v=4", true)] {
        let mut server = Command::new(KLIENT)
            .args(["server", "--listen", "127.0.0.1:0", verbosity, "--write-kubeconfig"])
            .arg(&path)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        soon("the kubeconfig", appears(&path)).await;
        let config = Config::from_kubeconfig_file(&path).unwrap();
        let address = config.url.authority().unwrap().to_string();
        let client = Client::new(config).unwrap();
        // One client hangs up in a watch, one after it has connected, and one does not speak TLS.
        let watch = client.api::<Namespace>().watch(&Default::default()).await.unwrap();
        drop((watch, client));
        for words in [b"".as_slice(), b"GET / HTTP/1.1\r\n\r\n"] {
            let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
            stream.write_all(words).await.unwrap();
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        let pid = server.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        let mut log = String::new();
        server.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
        assert_eq!(log.contains("a TLS handshake failed"), expected, "{verbosity}: {log}");
        assert_eq!(log.is_empty(), !expected, "{verbosity}: {log}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_knows_other_users_by_kubeconfigs_and_by_a_file_of_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let [admin, bob, tokens] = ["admin", "bob", "tokens.csv"].map(|name| folder.path().join(name));
    std::fs::write(&tokens, "secret,ann,u1,\"system:masters,devs\"\n,nobody,u2\n").unwrap();
    let account = "system:serviceaccount:shop:robot";
    let robot = folder.path().join("robot=1");
    let mut server = Command::new(KLIENT)
        .args(["server", "--listen", "127.0.0.1:0", "--no-controller-manager", "--token-auth-file"])
        .arg(&tokens)
        .args(["--user", &format!("bob={}", bob.display()), "--user-groups=bob=devs,system:nodes"])
        .args(["--user", &format!("{account}={}", robot.display()), "--write-kubeconfig"])
        .arg(&admin)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    soon("the kubeconfig", appears(&admin)).await;
    is_private(&bob);
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.starts_with('W') && line.contains("] empty token has been found in token file"), "{line}");
    for (kubeconfig, name) in [(&bob, "bob"), (&robot, account)] {
        let client = Client::new(Config::from_kubeconfig_file(kubeconfig).unwrap()).unwrap();
        let refusal = client.api::<Namespace>().list(&ListOptions::default()).await.unwrap_err();
        let expected = format!(r#"User "{name}" cannot list resource "namespaces""#);
        assert!(refusal.to_string().contains(&expected), "{refusal}");
    }
    let client = Client::new(Config::from_kubeconfig_file(&bob).unwrap()).unwrap();
    let review = klient_api::authentication::v1::SelfSubjectReview::default();
    let review =
        client.api::<klient_api::authentication::v1::SelfSubjectReview>().create(&review).await.unwrap();
    let groups = review.status.user_info.unwrap().groups;
    assert_eq!(groups, ["devs", "system:nodes", "system:authenticated"]);
    let mut config = Config::from_kubeconfig_file(&admin).unwrap();
    config.credentials = klient_client::Credentials::token("secret");
    let client = Client::new(config).unwrap();
    assert_eq!(client.api::<Namespace>().list(&ListOptions::default()).await.unwrap().items.len(), 4);
    server.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_names_the_user_and_the_token_file_it_does_not_understand() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.csv").display().to_string();
    let unclosed = folder.path().join("unclosed.csv");
    std::fs::write(&unclosed, "t1,ann,u1,\"devs\nt2,bob,u2\n").unwrap();
    let unclosed = unclosed.display().to_string();
    let complaint_of_unclosed = format!(
        "cannot read the token file {unclosed}: record on line 1; parse error on line 2, column 11: extraneous or \
         missing \" in quoted-field"
    );
    let of_user = "it must be NAME=FILE, with the file for the user's kubeconfig";
    for (args, complaint) in [
        (&["--user", "bob"][..], format!("invalid value \"bob\" of --user: {of_user}")),
        (&["--user", "=x"], format!("invalid value \"=x\" of --user: {of_user}")),
        (&["--user", "bob="], format!("invalid value \"bob=\" of --user: {of_user}")),
        (
            &["--user", "bob=a", "--user=bob=b"],
            "invalid value \"bob=b\" of --user: the user is given twice".to_owned(),
        ),
        (
            &["--user-groups", "bob=devs"],
            "invalid value \"bob=devs\" of --user-groups: there is no --user bob=FILE".to_owned(),
        ),
        (
            &["--user", "bob=a", "--user-groups", "bob=devs,"],
            "invalid value \"bob=devs,\" of --user-groups: it must be NAME=GROUP[,GROUP…]".to_owned(),
        ),
        (&["--service-address", "shop/hook"], "must be NAMESPACE/NAME:PORT=HOST:PORT".to_owned()),
        (&["--token-auth-file", &missing], format!("cannot read the token file {missing}: No such file")),
        (&["--token-auth-file", &unclosed], complaint_of_unclosed),
    ] {
        let output = Command::new(KLIENT).args(["server", "--listen", "127.0.0.1:0"]).args(args).output();
        let output = soon("the end", output).await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(&complaint), "{said}");
    }
}

async fn appears(path: &Path) {
    while !path.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn is_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0);
}
