//! `--as` and its like, as they go to the server.

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::KLIENT;
use crate::playground::soon;

#[tokio::test(flavor = "multi_thread")]
async fn the_user_to_act_as_is_sent_with_requests() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut command = Command::new(KLIENT);
    command.env("KUBECONFIG", "/nowhere").args(["get", "configmap", "-s", &url]);
    command.args(["--as", "bob", "--as-uid=7", "--as-group=a", "--as-group", "b", "--as-user-extra=team=x"]);
    let _klient = command.kill_on_drop(true).spawn().unwrap();
    let (connection, _) = soon("a connection", listener.accept()).await.unwrap();
    let mut lines = BufReader::new(connection).lines();
    let mut sent = Vec::new();
    while let Some(line) = soon("a line", lines.next_line()).await.unwrap().filter(|line| !line.is_empty()) {
        sent.extend(line.starts_with("impersonate-").then_some(line));
    }
    sent.sort();
    assert_eq!(
        sent,
        [
            "impersonate-extra-team: x",
            "impersonate-group: a",
            "impersonate-group: b",
            "impersonate-uid: 7",
            "impersonate-user: bob"
        ]
    );
}
