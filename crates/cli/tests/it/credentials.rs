//! Credential plugins of the kubeconfig.

use expect_test::expect;
use serde_json::json;

use crate::playground::{Playground, Program};

/// Makes the user of a kubeconfig one with a plugin.
fn with_plugin(playground: &Playground, who: &str, command: &str, args: &[&str]) {
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "command": command, "args": args, "installHint": "Install it from example.com.",
    });
    playground.write_kubeconfig(who, |text| {
        let token =
            text.lines().find(|line| line.trim().starts_with("token: ")).expect("the admin has a token");
        let token_field = token.trim();
        let status = format!("{{{}}}", token_field.replacen("token:", "token: ", 1));
        let credential = format!(
            "{{apiVersion: client.authentication.k8s.io/v1, kind: ExecCredential, status: {status}}}"
        );
        let exec = exec.to_string().replace("CREDENTIAL", &credential);
        text.replace(token_field, &format!("exec: {exec}"))
    });
}

async fn get(playground: &Playground, who: &str) -> String {
    let args = ["get", "namespace", "default", "-o", "name"].map(str::to_owned);
    let done = playground.run(&Program::klient(), who, &args, None).await;
    format!("{}{}exit {}", done.stdout, done.stderr, done.exit)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_signs_in() {
    let playground = Playground::new().await;
    // Its standard error is that of klient.
    with_plugin(&playground, "plugin", "sh", &["-c", "echo Signing in >&2; echo 'CREDENTIAL'"]);
    expect![[r#"
        namespace/default
        Signing in
        exit 0"#]]
    .assert_eq(&get(&playground, "plugin").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_fails_is_told_as_by_kubectl() {
    let playground = Playground::new().await;
    with_plugin(&playground, "plugin", "sh", &["-c", "echo No session >&2; exit 2"]);
    expect![[r#"
        No session
        Unable to connect to the server: getting credentials: exec plugin sh of user "klient": failed with exit code 2: its message is on standard error, where it gave one
        exit 1"#]]
    .assert_eq(&get(&playground, "plugin").await);
    with_plugin(&playground, "plugin", "no-such-plugin", &[]);
    expect![[r#"
        Unable to connect to the server: getting credentials: exec plugin no-such-plugin of user "klient": executable no-such-plugin not found: install it, or add its folder to PATH

        It looks like you are trying to use a client-go credential plugin that is not installed.

        To learn more about this feature, consult the documentation available at:
              https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins

        Install it from example.com.
        exit 1"#]]
    .assert_eq(&get(&playground, "plugin").await);
}
