//! Credential plugins of the kubeconfig.

use expect_test::expect;
use serde_json::json;

use crate::KLIENT;
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

/// The line about the plugin, or the object's name.
async fn with_kuberc(playground: &Playground, env: &[(&str, &str)], args: &[&str]) -> String {
    let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let args = ["get", "namespace", "default", "-o", "name"].iter().chain(args);
    let args: Vec<String> = args.map(|arg| (*arg).to_owned()).collect();
    let done = playground.run_with(&Program::klient(), "plugin", &env, &args, None).await;
    format!("{}{}", done.stdout, done.stderr).trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn kuberc_says_which_plugins_may_be_run() {
    let playground = Playground::new().await;
    with_plugin(&playground, "plugin", "sh", &["-c", "echo 'CREDENTIAL'"]);
    let preference =
        |fields: &str| format!("apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n{fields}\n");
    let allowlist = |list: &str| {
        preference(&format!("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: {list}"))
    };
    let deny = preference("credentialPluginPolicy: DenyAll");
    let allowed = "namespace/default";
    let denied = "Unable to connect to the server: getting credentials: exec plugin sh of user \"klient\": not \
                  allowed: the credential plugin policy is set to DenyAll";
    let not_listed = "Unable to connect to the server: getting credentials: exec plugin sh of user \"klient\": not \
                      permitted by the credential plugin allowlist: add it there to use it";
    let refused = "error occurred while applying preferences ";
    let no_preferences = "kuberc error kuberc: no valid preferences found in rc, use --v=5 to see details";
    for (kuberc, expected) in [
        (deny.clone(), denied.to_owned()),
        (preference("credentialPluginPolicy: AllowAll"), allowed.to_owned()),
        (preference(""), allowed.to_owned()),
        (allowlist("[{name: sh}]"), allowed.to_owned()),
        (allowlist("[{command: aws}, {command: sh}]"), allowed.to_owned()),
        (allowlist("[{name: aws}]"), not_listed.to_owned()),
        (format!("kind: Other\n---\n{deny}"), denied.to_owned()),
        (
            deny.replace("v1beta1", "v1alpha1"),
            format!(
                "{allowed}\nkuberc: ignoring strict decoding error in rc: strict decoding error: unknown field \
             \"credentialPluginPolicy\""
            ),
        ),
        (
            preference("foo: bar\nbaz: 1"),
            format!(
                "{allowed}\nkuberc: ignoring strict decoding error in rc: strict decoding error: unknown field \"baz\", \
             unknown field \"foo\""
            ),
        ),
        (String::new(), allowed.to_owned()),
        (
            allowlist("[]"),
            format!(
                "{refused}credential plugin policy set to \"Allowlist\", but allowlist is empty; use \"DenyAll\" policy \
             instead"
            ),
        ),
        (
            preference("credentialPluginPolicy: Allowlist"),
            format!("{refused}credential plugin policy set to \"Allowlist\", but allowlist is unspecified"),
        ),
        (
            preference("credentialPluginAllowlist: [{name: sh}]"),
            format!(
                "{refused}misconfigured credential plugin allowlist: plugin policy is \"\" but allowlist is non-nil"
            ),
        ),
        (
            allowlist("[{}]"),
            format!("{refused}misconfigured credential plugin allowlist: empty allowlist entry #1"),
        ),
        (
            allowlist("[{name: /bin//sh}]"),
            format!("{refused}non-normalized file path: \"/bin//sh\" vs \"/bin/sh\""),
        ),
        (allowlist("[{name: sh, command: sh}]"), format!("{refused}{no_preferences}")),
        (preference("credentialPluginPolicy: Foo"), format!("{refused}unknown plugin policy: \"Foo\"")),
        (preference("credentialPluginPolicy: [a]"), format!("{refused}{no_preferences}")),
        ("a: [".to_owned(), format!("{refused}{no_preferences}")),
    ] {
        playground.write_bytes("rc", kuberc.as_bytes());
        assert_eq!(with_kuberc(&playground, &[], &["--kuberc", "rc"]).await, expected, "{kuberc}");
    }

    playground.write_bytes("rc", deny.as_bytes());
    assert_eq!(with_kuberc(&playground, &[("KUBERC", "rc")], &[]).await, denied);
    assert_eq!(with_kuberc(&playground, &[("KUBERC", "off")], &[]).await, allowed);
    assert_eq!(
        with_kuberc(&playground, &[("KUBERC", "off")], &["--kuberc=rc"]).await,
        format!(
            "{refused}kuberc error disabling kuberc via KUBERC=off and passing kuberc flag are mutually exclusive"
        )
    );
    assert_eq!(
        with_kuberc(&playground, &[("KUBERC", "rc"), ("KUBECTL_KUBERC", "False")], &[]).await,
        allowed
    );
    let missing = format!("{refused}kuberc error kuberc: open nowhere: no such file or directory");
    assert_eq!(with_kuberc(&playground, &[("KUBERC", "nowhere")], &[]).await, missing);
    playground.write_at_home(".kube/kuberc", &deny);
    assert_eq!(with_kuberc(&playground, &[], &[]).await, denied);
    playground.write_at_home(".kube/kuberc", "a: [");
    let warning = with_kuberc(&playground, &[], &[]).await;
    assert!(warning.starts_with("namespace/default\nkuberc: no preferences loaded from /"), "{warning}");
}

/// `script` runs a command with a terminal as its standard input.
#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_does_not_read_the_manifest_from_standard_input() {
    if !std::path::Path::new("/usr/bin/script").exists() {
        println!("skipped: there is no /usr/bin/script");
        return;
    }
    let playground = Playground::new().await;
    with_plugin(&playground, "plugin", "sh", &["-c", "echo 'CREDENTIAL'"]);
    let kubeconfig = std::fs::read_to_string(playground.kubeconfig("plugin")).unwrap();
    std::fs::write(playground.kubeconfig("plugin"), kubeconfig.replace("\"Never\"", "\"Always\"")).unwrap();
    let script = Program { path: "/usr/bin/script".into(), name: "script" };
    for (arguments, expected) in [
        ("get namespace default -o name", "namespace/default"),
        (
            "create -f -",
            "exec plugin cannot support interactive mode: standard input is unavailable: used by stdin resource \
             manifest reader",
        ),
    ] {
        let command = format!("{KLIENT} {arguments}");
        let args = ["-qec", &command, "/dev/null"].map(str::to_owned);
        let manifest = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n\u{4}";
        let done = playground.run(&script, "plugin", &args, Some(manifest)).await;
        assert!(done.stdout.contains(expected), "{done:?}");
    }
}
