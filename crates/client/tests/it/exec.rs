//! Credential plugins that work: real processes, against the embedded server.

use std::time::Duration;

use klient_apiserver::TestServer;
use klient_client::{Client, Credentials, ErrorKind, ExecConfig};
use serde_json::{Value, json};

use crate::cluster::soon;
use crate::exec_fixture::{Script, V1, config, seconds, until_other_than, who};

async fn server() -> TestServer {
    TestServer::start().await.unwrap()
}

/// The user of a configuration, or the error.
async fn who_is(config: klient_client::Config) -> String {
    who(&Client::new(config).unwrap()).await.unwrap_or_else(|error| error.to_string())
}

#[tokio::test]
async fn a_plugin_gives_a_token_and_is_told_of_the_cluster() {
    let server = server().await;
    let token = server.token("ada", &[]);
    for version in [V1, "client.authentication.k8s.io/v1beta1"] {
        let script =
            Script::new("printf %s \"$KUBERNETES_EXEC_INFO\" > $FOLDER/info; cat $FOLDER/credential");
        // YAML is read as well.
        script.write(
            "credential",
            &format!("kind: ExecCredential\napiVersion: {version}\nstatus:\n  token: \"{token}\"\n"),
        );
        let mut exec = script.exec();
        exec["apiVersion"] = version.into();
        assert_eq!(who_is(config(&server, exec.clone())).await, "ada");
        let info: Value = serde_json::from_str(&script.read("info")).unwrap();
        let bare = json!({"kind": "ExecCredential", "apiVersion": version, "spec": {"interactive": false}});
        assert_eq!(info, bare);

        exec["provideClusterInfo"] = true.into();
        assert_eq!(who_is(config(&server, exec)).await, "ada");
        let info: Value = serde_json::from_str(&script.read("info")).unwrap();
        let mut told = bare;
        told["spec"]["cluster"] = json!({
            "server": server.url(),
            "certificate-authority-data": klient_apimachinery::ByteString::from(server.ca_pem()).to_base64(),
            "config": {"audience": "06e3fbd18de8"},
        });
        assert_eq!(info, told);
    }
}

#[tokio::test]
async fn a_hundred_callers_of_many_clients_share_one_process() {
    let server = server().await;
    let script = Script::new("sleep 0.2; cat $FOLDER/credential");
    script.print(json!({"token": server.token("ada", &[])}));
    let callers: Vec<_> = (0..100).map(|_| tokio::spawn(who_is(script.config(&server)))).collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "ada");
    }
    assert_eq!(script.runs(), 1);
}

#[tokio::test]
async fn another_credential_is_fetched_before_one_expires() {
    let server = server().await;
    let script = Script::new("cat $FOLDER/credential; test -e $FOLDER/slow && sleep 1; true");
    script.print(json!({"token": server.token("ada", &[]), "expirationTimestamp": seconds(3)}));
    let client = Client::new(script.config(&server)).unwrap();
    assert_eq!(who(&client).await.unwrap(), "ada");
    script.print(json!({"token": server.token("bob", &[]), "expirationTimestamp": seconds(3600)}));
    // Requests go on with the first credential while the second process runs, which takes a second.
    script.write("slow", "");
    soon("another credential", async {
        let mut while_it_ran = 0;
        while who(&client).await.unwrap() == "ada" {
            while_it_ran += usize::from(script.runs() == 2);
        }
        assert!(while_it_ran > 0, "requests waited for the process");
    })
    .await;
    assert_eq!(who(&client).await.unwrap(), "bob");
    assert_eq!(script.runs(), 2);
}

#[tokio::test]
async fn a_plugin_is_run_again_when_the_server_refuses_its_credential() {
    let server = server().await;
    let script = Script::printing(json!({"token": "stale"}));
    let client = Client::new(script.config(&server)).unwrap();
    // The server refuses the next one as well: it has the last word, and the plugin is left alone for a while.
    assert!(who(&client).await.unwrap_err().is_unauthorized());
    assert_eq!(script.runs(), 2);
    script.print(json!({"token": "stale as well"}));
    for _ in 0..50 {
        assert!(who(&client).await.unwrap_err().is_unauthorized());
    }
    assert!(script.runs() < 10, "{} runs", script.runs());
    script.print(json!({"token": server.token("ada", &[])}));
    soon("another credential", async {
        while who(&client).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn requests_that_were_refused_share_one_process() {
    let server = server().await;
    let script = Script::new(
        "if test $(wc -l < $FOLDER/runs) = 1; then cat $FOLDER/stale; else sleep 0.2; cat $FOLDER/credential; fi",
    );
    script.print(json!({"token": "stale"}));
    script.write("stale", &script.read("credential"));
    script.print(json!({"token": server.token("ada", &[])}));
    let client = Client::new(script.config(&server)).unwrap();
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { who(&client).await.unwrap() })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "ada");
    }
    assert_eq!(script.runs(), 2);
}

#[tokio::test]
async fn a_client_certificate_of_a_plugin_is_used_and_replaced() {
    let server = server().await;
    let status = |user: &str, expires: i64| {
        let own = server.client_certificate(user, &[]).unwrap();
        json!({
            "clientCertificateData": own.certificate_pem, "clientKeyData": own.key_pem,
            "expirationTimestamp": seconds(expires),
        })
    };
    let script = Script::printing(status("ada", 2));
    let client = Client::new(script.config(&server)).unwrap();
    assert_eq!(who(&client).await.unwrap(), "ada");
    script.print(status("bob", 3600));
    // No request is lost while the connections are replaced.
    until_other_than(&client, "ada").await;
    assert_eq!(who(&client).await.unwrap(), "bob");
    // A token beside it goes before it.
    let mut both = status("eve", 3600);
    both["token"] = server.token("ada", &[]).into();
    let script = Script::printing(both);
    assert_eq!(who_is(script.config(&server)).await, "eve");
}

#[tokio::test]
async fn a_plugin_is_not_run_where_there_is_another_credential() {
    let server = server().await;
    let script = Script::new("exit 1");
    let own = server.client_certificate("bob", &[]).unwrap();
    let base64 = |text: &str| klient_apimachinery::ByteString::from(text).to_base64();
    for (user, name) in [
        (json!({"token": server.token("ada", &[])}), "ada"),
        (
            json!({
                "client-certificate-data": base64(&own.certificate_pem), "client-key-data": base64(&own.key_pem),
            }),
            "bob",
        ),
    ] {
        let mut user = user;
        user["exec"] = script.exec();
        let text = crate::exec_fixture::kubeconfig(&server, user).to_string();
        assert_eq!(who_is(klient_client::Config::from_kubeconfig(&text).unwrap()).await, name);
    }
    assert_eq!(script.runs(), 0);
}

#[tokio::test]
async fn the_process_is_killed_when_nobody_waits_for_it() {
    let server = server().await;
    let script = Script::new("echo $$ > $FOLDER/pid; exec sleep 1000");
    let client = Client::new(script.config(&server)).unwrap();
    let [one, two] = [client.clone(), client].map(|client| tokio::spawn(async move { who(&client).await }));
    script.written("pid").await;
    one.abort();
    assert!(one.await.unwrap_err().is_cancelled());
    assert!(!std::fs::read(format!("/proc/{}/cmdline", script.read("pid").trim())).unwrap().is_empty());
    two.abort();
    script.ended().await;
    assert_eq!(script.runs(), 1);
}

#[tokio::test]
async fn a_plugin_that_takes_too_long_is_killed() {
    let server = server().await;
    let script = Script::new("echo $$ > $FOLDER/pid; exec sleep 1000");
    let mut config = script.config(&server);
    let Credentials::Exec(plugin) = &config.credentials else { panic!("the credentials are a plugin's") };
    let limited = ExecConfig { timeout: Some(Duration::from_millis(500)), ..plugin.config().clone() };
    config.credentials = Credentials::exec(limited).unwrap();
    let error = who(&Client::new(config).unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_timeout()), (ErrorKind::Auth, true));
    let text = "no credentials: exec plugin sh of user \"ci\": it was killed: run the command by itself to see if it \
                waits for something, or allow it more time with ExecConfig::timeout: no credentials within 0.5 s";
    assert!(error.to_string().ends_with(text), "{error}");
    script.ended().await;
}

/// A process that a plugin leaves behind holds its output open.
#[tokio::test]
async fn a_plugin_may_leave_a_process_behind() {
    let server = server().await;
    let script = Script::new("cat $FOLDER/credential; sleep 60 & echo $! > $FOLDER/pid");
    script.print(json!({"token": server.token("ada", &[])}));
    assert_eq!(who_is(script.config(&server)).await, "ada");
    std::process::Command::new("kill").arg(script.read("pid").trim()).status().unwrap();
}
