//! Credential plugins that fail: each error names the command, the user and the remedy, and nothing that the plugin
//! printed.

use std::process::{Command, Stdio};
use std::time::Duration;

use expect_test::{Expect, expect};
use klient_apiserver::TestServer;
use klient_client::{Client, Config, Credentials, ErrorKind, ExecConfig, PluginPolicy};
use serde_json::{Value, json};

use crate::cluster::soon;
use crate::exec_fixture::{Script, V1, config, kubeconfig, who};

/// Never in an error.
const SECRET: &str = "s3cr3t";

/// The error of a request, without the request.
async fn error(config: Config) -> String {
    let error = who(&Client::new(config).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    let text = format!("{error}");
    assert!(!format!("{text} {error:?} {error:#?}").contains(SECRET), "{text}");
    let (_, text) = text.split_once(": no credentials: ").expect("it is the error of a request");
    text.to_owned()
}

async fn check(server: &TestServer, script: Script, problem: Expect) {
    problem.assert_eq(&error(script.config(server)).await);
}

#[tokio::test]
async fn a_plugin_that_fails_is_named_with_its_user() {
    let server = TestServer::start().await.unwrap();
    check(
        &server,
        Script::new(&format!("echo {SECRET}; exit 3")),
        expect![[
            r#"exec plugin sh of user "ci": failed with exit code 3: its message is on standard error, where it gave one"#
        ]],
    )
    .await;
    check(
        &server,
        Script::new("kill -9 $$"),
        expect![[
            r#"exec plugin sh of user "ci": ended by signal: 9 (SIGKILL): its message is on standard error, where it gave one"#
        ]],
    )
    .await;
    for output in [format!("'{{ {SECRET}'"), SECRET.to_owned(), format!("'[{SECRET}]'")] {
        check(
            &server,
            Script::new(&format!("echo {output}")),
            expect![[
                r#"exec plugin sh of user "ci": its output is no ExecCredential of client.authentication.k8s.io/v1 in JSON or YAML"#
            ]],
        )
        .await;
    }
    check(
        &server,
        Script::new("true"),
        expect![[r#"exec plugin sh of user "ci": it printed nothing: expected an ExecCredential"#]],
    )
    .await;
    check(
        &server,
        Script::new("yes"),
        expect![[r#"exec plugin sh of user "ci": it printed more than 1 MiB: expected an ExecCredential"#]],
    )
    .await;
}

/// The error of an output.
async fn check_output(server: &TestServer, output: Value, problem: Expect) {
    let script = Script::new("cat $FOLDER/credential");
    script.write("credential", &output.to_string());
    check(server, script, problem).await;
}

#[tokio::test]
async fn an_output_that_is_no_credential_is_told_by_its_field() {
    let server = TestServer::start().await.unwrap();
    let output = |version: &str, status: Value| json!({"apiVersion": version, "kind": "ExecCredential", "status": status});
    check_output(
        &server,
        output("client.authentication.k8s.io/v1beta1", json!({"token": SECRET})),
        expect![[
            r#"exec plugin sh of user "ci": exec plugin is configured to use API version client.authentication.k8s.io/v1, plugin returned version client.authentication.k8s.io/v1beta1: change the apiVersion in the kubeconfig to it"#
        ]],
    )
    .await;
    check_output(
        &server,
        output(SECRET, json!({"token": SECRET})),
        expect![[
            r#"exec plugin sh of user "ci": the apiVersion of its output is not client.authentication.k8s.io/v1"#
        ]],
    )
    .await;
    check_output(
        &server,
        json!({"apiVersion": V1, "kind": "Secret", "status": {"token": SECRET}}),
        expect![[r#"exec plugin sh of user "ci": the kind of its output is not ExecCredential"#]],
    )
    .await;
    for (status, problem) in [
        (Value::Null, "exec plugin didn't return a status field"),
        (json!({}), "exec plugin didn't return a token or cert/key pair"),
        (json!({"token": ""}), "exec plugin didn't return a token or cert/key pair"),
        (json!({"token": {"a": SECRET}}), "status.token of its output is no string"),
        (
            json!({"token": format!("{SECRET}\n{SECRET}")}),
            "the token in its output has characters that no header can hold",
        ),
        (
            json!({"token": SECRET, "expirationTimestamp": SECRET}),
            "status.expirationTimestamp of its output is no RFC 3339 time",
        ),
        (json!({"clientCertificateData": SECRET}), "exec plugin returned only certificate or key, not both"),
        (json!({"clientKeyData": SECRET}), "exec plugin returned only certificate or key, not both"),
        (
            json!({"clientCertificateData": SECRET, "clientKeyData": SECRET}),
            "failed parsing client key/certificate: there is no certificate in the PEM text",
        ),
    ] {
        let script = Script::printing(status);
        let told = error(script.config(&server)).await;
        assert_eq!(told, format!(r#"exec plugin sh of user "ci": {problem}"#));
    }
    let [one, two] = ["ada", "bob"].map(|user| server.client_certificate(user, &[]).unwrap());
    let script =
        Script::printing(json!({"clientCertificateData": one.certificate_pem, "clientKeyData": two.key_pem}));
    let told = error(script.config(&server)).await;
    assert!(told.contains("failed parsing client key/certificate: keys may not be consistent"), "{told}");
}

#[tokio::test]
async fn a_plugin_that_is_missing_comes_with_its_install_hint() {
    let server = TestServer::start().await.unwrap();
    let exec = json!({
        "apiVersion": V1, "command": "no-such-plugin", "interactiveMode": "Never",
        "installHint": "Install it:\n\n\tbrew install no-such-plugin \u{1b}[1m",
    });
    let client = Client::new(config(&server, exec)).unwrap();
    let error = async || {
        let text = who(&client).await.unwrap_err().to_string();
        text.split_once(": no credentials: ").unwrap().1.to_owned()
    };
    let short = "exec plugin no-such-plugin of user \"ci\": executable no-such-plugin not found: install it, or add \
                 its folder to PATH";
    let hint = "\n\nIt looks like you are trying to use a client-go credential plugin that is not installed.\n\n\
        To learn more about this feature, consult the documentation available at:\n      \
        https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins\n\n\
        Install it:\n\n\tbrew install no-such-plugin U+001B[1m";
    // A log is not to be filled with it.
    for _ in 0..10 {
        assert_eq!(error().await, format!("{short}{hint}"));
    }
    assert_eq!(error().await, short);

    // A path is relative to the folder of the kubeconfig.
    let folder = tempfile::TempDir::new().unwrap();
    let exec = json!({"apiVersion": V1, "command": "bin/plugin", "interactiveMode": "Never"});
    let file = folder.path().join("config");
    std::fs::write(&file, kubeconfig(&server, json!({"exec": exec})).to_string()).unwrap();
    let config = Config::from_kubeconfig_file(&file).unwrap();
    let told = who(&Client::new(config).unwrap()).await.unwrap_err().to_string();
    let path = folder.path().join("bin/plugin");
    let problem = format!(
        "executable {} not found: install it there, or correct the command in the kubeconfig\n\n",
        path.display()
    );
    assert!(told.contains(&problem), "{told}");
    // One that cannot be run.
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    std::fs::write(&path, "").unwrap();
    let mut config = Config::from_kubeconfig_file(&file).unwrap();
    let Credentials::Exec(plugin) = &config.credentials else { panic!("the credentials are a plugin's") };
    config.credentials =
        Credentials::exec(ExecConfig { user: String::new(), ..plugin.config().clone() }).unwrap();
    let told = who(&Client::new(config).unwrap()).await.unwrap_err().to_string();
    let problem = "cannot be run: Permission denied (os error 13): check that the command is a program";
    assert!(told.ends_with(&format!("exec plugin {}: {problem}", path.display())), "{told}");
}

#[tokio::test]
async fn a_plugin_that_failed_is_not_started_again_at_once() {
    let server = TestServer::start().await.unwrap();
    let script = Script::new("test -e $FOLDER/credential && cat $FOLDER/credential");
    let client = Client::new(script.config(&server)).unwrap();
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { who(&client).await.unwrap_err().kind() })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), ErrorKind::Auth);
    }
    assert_eq!(script.runs(), 1);
    script.print(json!({"token": server.token("ada", &[])}));
    soon("a credential", async {
        while who(&client).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert_eq!(script.runs(), 2);
}

#[tokio::test]
async fn a_policy_says_which_plugins_may_run() {
    let server = TestServer::start().await.unwrap();
    let script = Script::printing(json!({"token": server.token("ada", &[])}));
    let with_policy = |policy: PluginPolicy| {
        let mut config = script.config(&server);
        let Credentials::Exec(plugin) = &config.credentials else { panic!("the credentials are a plugin's") };
        config.credentials = Credentials::exec(ExecConfig { policy, ..plugin.config().clone() })?;
        Ok::<_, klient_client::Error>(Client::new(config).unwrap())
    };
    let list = |commands: &[&str]| {
        PluginPolicy::Allowlist(commands.iter().map(|command| (*command).to_owned()).collect())
    };
    let full_path = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("sh"))
        .find(|path| path.exists())
        .unwrap();
    for policy in [PluginPolicy::AllowAll, list(&["aws", "sh"]), list(&[full_path.to_str().unwrap()])] {
        assert_eq!(who(&with_policy(policy).unwrap()).await.unwrap(), "ada");
    }
    let allowed = script.runs();
    for (policy, problem) in [
        (PluginPolicy::DenyAll, "not allowed: the credential plugin policy is set to DenyAll"),
        (
            list(&["aws", "/opt/sh"]),
            "not permitted by the credential plugin allowlist: add it there to use it",
        ),
    ] {
        let error = who(&with_policy(policy).unwrap()).await.unwrap_err();
        assert!(error.to_string().ends_with(&format!("exec plugin sh of user \"ci\": {problem}")), "{error}");
    }
    assert_eq!(script.runs(), allowed);
    let error = with_policy(list(&[])).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

/// The program of the tests may have a terminal for its standard input, so that they are run in one of their own.
#[test]
fn a_plugin_that_wants_a_terminal_is_refused_where_there_is_none() {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--exact", "exec_errors::without_terminal", "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let always = "Always: exec plugin sh of user \"ci\": exec plugin cannot support interactive mode: standard input \
                  is not a terminal: sign in from one\n";
    assert!(said.contains(always), "{said}");
    assert!(said.contains("IfAvailable: ada\n") && said.contains("Never: ada\n"), "{said}");
}

#[tokio::test]
#[ignore = "run by a_plugin_that_wants_a_terminal_is_refused_where_there_is_none"]
async fn without_terminal() {
    let server = TestServer::start().await.unwrap();
    let script = Script::printing(json!({"token": server.token("ada", &[])}));
    for mode in ["Always", "IfAvailable", "Never"] {
        let mut exec = script.exec();
        exec["interactiveMode"] = mode.into();
        let told = who(&Client::new(config(&server, exec)).unwrap())
            .await
            .unwrap_or_else(|error| error.to_string().split_once(": no credentials: ").unwrap().1.to_owned());
        println!("{mode}: {told}");
    }
}
