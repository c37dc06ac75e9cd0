//! Validation and overrides of kubeconfigs, with client-go's messages.

use klient_client::{Client, ConfigurationInvalid, Impersonation, Kubeconfig, Overrides};

const KUBECONFIG: &str = "
current-context: a
contexts:
- {name: a, context: {cluster: c, user: u}}
- {name: b, context: {cluster: nc, user: nu, namespace: Bad_NS}}
- {name: empty, context: {}}
clusters:
- {name: c, cluster: {server: 'https://c', tls-server-name: in-file}}
- {name: e, cluster: {}}
- {name: proxied, cluster: {server: 'https://p', proxy-url: 'ftp://me:s3cret@x'}}
- {name: data, cluster: {server: 'https://d', certificate-authority: /nope, certificate-authority-data: aGVsbG8=}}
users:
- {name: u, user: {}}
- {name: two, user: {token: s3cret, username: x}}
- {name: cert, user: {client-certificate: /nope}}
- name: both
  user: {client-certificate: /nope, client-certificate-data: aGVsbG8=, client-key: /nope, client-key-data: aGVsbG8=}
- {name: exec, user: {exec: {}}}
- name: exec2
  user:
    exec: {command: x, apiVersion: client.authentication.k8s.io/v1, env: [{value: s3cret}], interactiveMode: Foo}
    auth-provider: {name: oidc}
- {name: groups, user: {as-groups: [g]}}
";

/// The problems of an error, a line each.
fn problems(error: &klient_client::Error) -> Vec<String> {
    assert!(!error.to_string().contains("s3cret"), "{error}");
    let invalid = error.cause().and_then(|cause| cause.downcast_ref::<ConfigurationInvalid>());
    invalid.map_or_else(|| vec![error.cause().unwrap().to_string()], |invalid| invalid.problems().to_vec())
}

fn given(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn the_entries_that_are_selected_are_checked() {
    let kubeconfig = Kubeconfig::parse(KUBECONFIG).unwrap();
    let none = Overrides::default;
    let user = |name: &str| Overrides { user: given(name), ..none() };
    let cluster = |name: &str| Overrides { cluster: given(name), ..none() };
    let impersonate = Impersonation { groups: vec!["g".to_owned()], ..Default::default() };
    let no_file = "open /nope: no such file or directory";
    let cases: Vec<(Overrides, Vec<String>)> = vec![
        (none(), vec![]),
        (
            Overrides { context: given("gone"), ..none() },
            vec!["context was not found for specified context: gone".into()],
        ),
        (
            Overrides { context: given("b"), ..none() },
            vec![
                r#"user "nu" was not found for context "b""#.into(),
                r#"cluster "nc" was not found for context "b""#.into(),
            ],
        ),
        (Overrides { context: given("empty"), ..none() }, vec![]),
        (cluster("gone"), vec![r#"no server found for cluster "gone""#.into()]),
        (cluster("e"), vec![]),
        (
            cluster("proxied"),
            vec![
                r#"invalid 'proxy-url' "ftp://***@x" for cluster "proxied": unsupported scheme "ftp", must be http, https, or socks5"#
                    .into(),
            ],
        ),
        (
            cluster("data"),
            vec![
                "certificate-authority-data and certificate-authority are both specified for data. \
                 certificate-authority-data will override."
                    .into(),
                format!("unable to read certificate-authority /nope for data due to {no_file}"),
            ],
        ),
        (
            user("two"),
            vec![
                "more than one authentication method found for two; found [token basicAuth], only one is allowed"
                    .into(),
            ],
        ),
        (
            user("cert"),
            vec![
                "client-key-data or client-key must be specified for cert to use the clientCert authentication method."
                    .into(),
                format!("unable to read client-cert /nope for cert due to {no_file}"),
            ],
        ),
        (
            user("both"),
            vec![
                "client-cert-data and client-cert are both specified for both. client-cert-data will override.".into(),
                "client-key-data and client-key are both specified for both; client-key-data will override".into(),
                format!("unable to read client-cert /nope for both due to {no_file}"),
                format!("unable to read client-key /nope for both due to {no_file}"),
            ],
        ),
        (
            user("exec"),
            ["command", "apiVersion", "interactiveMode"]
                .map(|field| format!("{field} must be specified for exec to use exec authentication plugin"))
                .to_vec(),
        ),
        (
            user("exec2"),
            vec![
                "authProvider cannot be provided in combination with an exec plugin for exec2".into(),
                "env variable name must be specified for exec2 to use exec authentication plugin".into(),
                r#"invalid interactiveMode for exec2: "Foo""#.into(),
            ],
        ),
        (
            user("groups"),
            vec!["requesting uid, groups or user-extra for groups without impersonating a user".into()],
        ),
        (
            Overrides { impersonate, ..none() },
            vec!["requesting uid, groups or user-extra for u without impersonating a user".into()],
        ),
        (
            Overrides { proxy_url: given(":"), ..none() },
            vec![r#"invalid 'proxy-url' ":" for cluster "c": could not parse: :"#.into()],
        ),
        (
            Overrides { token: given("s3cret"), username: given("me"), ..none() },
            vec!["more than one authentication method found for u; found [token basicAuth], only one is allowed".into()],
        ),
        (
            Overrides { certificate_authority: Some("/nope".into()), ..none() },
            vec![format!("unable to read certificate-authority /nope for c due to {no_file}")],
        ),
    ];
    for (overrides, expected) in cases {
        let found = kubeconfig.confirm_usable(&overrides).map_or_else(|error| problems(&error), |()| vec![]);
        assert_eq!(found, expected, "{overrides:?}");
    }
}

#[test]
fn all_entries_can_be_checked() {
    let whole = Kubeconfig::parse(
        "{current-context: gone, clusters: [{name: c}, {name: d, cluster: {tls-server-name: x}}],
          users: [{name: u, user: {token: t, username: x}}],
          contexts: [{name: '', context: {cluster: c, user: u}}, {name: b, context: {cluster: x, namespace: Bad_NS}},
                     {name: e, context: {user: x}}]}",
    );
    let error = whole.unwrap().validate().unwrap_err();
    assert_eq!(
        problems(&error),
        [
            "context was not found for specified context: gone",
            r#"empty context name is not allowed: the context of cluster "c" and user "u""#,
            r#"user was not specified for context "b""#,
            r#"cluster "x" was not found for context "b""#,
            r#"namespace "Bad_NS" for context "b" does not conform to the kubernetes DNS_LABEL rules"#,
            r#"user "x" was not found for context "e""#,
            r#"cluster was not specified for context "e""#,
            "more than one authentication method found for u; found [token basicAuth], only one is allowed",
            "cluster has no server defined",
            r#"no server found for cluster "d""#,
        ]
    );
    let error = Kubeconfig::default().validate().unwrap_err().to_string();
    let none = "no configuration has been provided, try setting KUBERNETES_MASTER environment variable";
    assert_eq!(error, format!("kubeconfig: cannot be used: invalid configuration: {none}"));
}

#[test]
fn an_override_of_an_entry_that_is_missing_is_told_first() {
    let kubeconfig = Kubeconfig::parse(KUBECONFIG).unwrap();
    for (overrides, problem) in [
        (Overrides { context: given("gone"), ..Default::default() }, r#"context "gone" does not exist"#),
        (Overrides { cluster: given("gone"), ..Default::default() }, r#"cluster "gone" does not exist"#),
        (
            Overrides { user: given("gone"), cluster: given("gone"), ..Default::default() },
            r#"auth info "gone" does not exist"#,
        ),
    ] {
        assert_eq!(problems(&kubeconfig.config(&overrides).unwrap_err()), [problem]);
    }
}

#[test]
fn an_override_resets_its_group() {
    let text = "{current-context: a, contexts: [{name: a, context: {cluster: c, user: u, namespace: shop}}],
        clusters: [{name: c, cluster: {server: 'https://c', tls-server-name: in-file, insecure-skip-tls-verify: true}}],
        users: [{name: u, user: {token: in-file, tokenFile: /nope, as: bob, as-groups: [g], as-user-extra: {a: [b]}}}]}";
    let kubeconfig = Kubeconfig::parse(text).unwrap();
    let none = Overrides::default;
    let cases = [
        (none(), "https://c/ shop name=in-file insecure=true bob [\"g\"]"),
        (
            Overrides { server: given("https://o"), ..none() },
            "https://o/ shop name= insecure=true bob [\"g\"]",
        ),
        (
            Overrides { server: given("https://o"), tls_server_name: given("n"), ..none() },
            "https://o/ shop name=n insecure=true bob [\"g\"]",
        ),
        (
            Overrides { namespace: given("n"), server: given(""), context: given(""), ..none() },
            "https://c/ n name=in-file insecure=true bob [\"g\"]",
        ),
        (
            Overrides {
                impersonate: Impersonation {
                    user: "ann".into(),
                    groups: vec!["h".into()],
                    ..Default::default()
                },
                ..none()
            },
            "https://c/ shop name=in-file insecure=true ann [\"h\"]",
        ),
    ];
    for (overrides, expected) in cases {
        let config = kubeconfig.config(&overrides).unwrap();
        let impersonate = config.impersonate.as_ref().unwrap();
        let shown = format!(
            "{} {} name={} insecure={} {} {:?}",
            config.url,
            config.namespace,
            config.tls.server_name.as_deref().unwrap_or_default(),
            config.tls.insecure,
            impersonate.user,
            impersonate.groups
        );
        assert_eq!(shown, expected, "{overrides:?}");
        Client::new(config).unwrap();
    }
}

#[test]
fn an_authority_and_no_verification_exclude_each_other() {
    let text = "{current-context: a, contexts: [{name: a, context: {cluster: c}}],
        clusters: [{name: c, cluster: {server: 'https://c', insecure-skip-tls-verify: true, AUTHORITY}}]}";
    for authority in ["certificate-authority: /dev/null", "certificate-authority-data: aGVsbG8="] {
        let kubeconfig = Kubeconfig::parse(&text.replace("AUTHORITY", authority)).unwrap();
        let error = kubeconfig.config(&Overrides::default()).unwrap_err();
        let problem = "specifying a root certificates file with the insecure flag is not allowed: remove one from \
                       cluster \"c\"";
        assert_eq!(problems(&error), [problem]);
        // Each override resets the other.
        let insecure = Overrides { insecure_skip_tls_verify: true, ..Default::default() };
        assert!(kubeconfig.config(&insecure).unwrap().tls.insecure);
    }
}
