//! Kubeconfigs that are used, and those that cannot be.

use std::fs;
use std::path::PathBuf;

use expect_test::{Expect, expect};
use klient_client::{Client, Config, ErrorKind, LoadingRules};
use tempfile::TempDir;

fn written(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

/// A kubeconfig of one cluster and one user, given as fields.
fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Config, current-context: here, \
           clusters: [{{name: c, cluster: {{{cluster}}}}}], users: [{{name: u, user: {{{user}}}}}], \
           contexts: [{{name: here, context: {{cluster: c, user: u}}}}]}}"
    )
}

/// The error of a kubeconfig in a file, with `FILE` for its path.
#[track_caller]
fn check(text: &str, problem: Expect) {
    let folder = TempDir::new().unwrap();
    let path = written(&folder, "config", text);
    let config = Config::from_kubeconfig_file(&path).and_then(Client::new);
    let error = config.expect_err("it can be used");
    assert_eq!(error.kind(), ErrorKind::Config);
    let told = format!("{error:?}").replace(path.to_str().unwrap(), "FILE");
    let told = told.replace(folder.path().to_str().unwrap(), "FOLDER");
    problem.assert_eq(&told);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Config::from_kubeconfig_file("/no/such/config").unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        "kubeconfig /no/such/config: cannot be used: No such file or directory (os error 2)"
    );
    let folder = TempDir::new().unwrap();
    let error = Config::from_kubeconfig_file(folder.path()).unwrap_err();
    assert!(format!("{error:?}").ends_with("Is a directory (os error 21)"), "{error:?}");
    let binary = folder.path().join("binary");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let error = Config::from_kubeconfig_file(&binary).unwrap_err();
    assert!(format!("{error:?}").contains(binary.to_str().unwrap()), "{error:?}");
}

#[test]
fn a_missing_file_of_a_list_is_passed_over_and_a_broken_one_is_named() {
    let folder = TempDir::new().unwrap();
    let load = |files: &[PathBuf]| {
        let rules = LoadingRules { precedence: files.to_vec(), ..Default::default() };
        let told = rules.load().map_or_else(|error| error.to_string(), |_| "loaded".to_owned());
        told.replace(folder.path().to_str().unwrap(), "FOLDER")
    };
    let missing = folder.path().join("missing");
    assert_eq!(load(std::slice::from_ref(&missing)), "loaded");
    let below_a_file = written(&folder, "file", "").join("config");
    let below = "kubeconfig FOLDER/file/config: cannot be used: Not a directory (os error 20)";
    assert_eq!(load(&[missing.clone(), below_a_file.clone()]), below);
    let broken = written(&folder, "broken", "clusters: [");
    let broken_told =
        "kubeconfig FOLDER/broken: cannot be used: yaml: line 1: did not find expected node content";
    assert_eq!(load(&[broken.clone(), missing]), broken_told);
    assert_eq!(load(&[below_a_file, broken]), format!("kubeconfig: cannot be used: {below}; {broken_told}"));
    let explicit = LoadingRules::explicit("/no/such/config").load().unwrap_err().to_string();
    assert_eq!(
        explicit,
        "kubeconfig /no/such/config: cannot be used: No such file or directory (os error 2)"
    );
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    std::os::unix::fs::symlink(&one, &two).unwrap();
    std::os::unix::fs::symlink(&two, &one).unwrap();
    let told = load(&[one]);
    assert!(
        told.starts_with("kubeconfig FOLDER/one: cannot be used: Too many levels of symbolic links"),
        "{told}"
    );
}

#[test]
fn text_that_is_no_kubeconfig_is_told_by_its_place() {
    check(
        "clusters: [",
        expect!["kubeconfig FILE: cannot be used: yaml: line 1: did not find expected node content"],
    );
    check(
        "- a\n- b",
        expect!["kubeconfig FILE: cannot be used: expected an object with clusters, users and contexts"],
    );
}

#[test]
fn types_that_differ_are_told_as_client_go_tells_them() {
    let scheme = "in scheme \"pkg/runtime/scheme.go:111\"";
    let json = "json: cannot unmarshal";
    for (text, problem) in [
        ("kind: Pod", format!("no kind \"Pod\" is registered for version \"v1\" {scheme}")),
        ("apiVersion: v2", format!("no kind \"Config\" is registered for version \"v2\" {scheme}")),
        (
            "apiVersion: 5",
            format!("couldn't get version/kind; json parse error: {json} number into Go struct field .apiVersion of type string"),
        ),
        ("clusters: {a: b}", format!("{json} object into Go struct field Config.clusters of type []v1.NamedCluster")),
        ("current-context: [a]", format!("{json} array into Go struct field Config.current-context of type string")),
        ("preferences: x", format!("{json} string into Go struct field Config.preferences of type v1.Preferences")),
        (
            "clusters: [{name: 5}]",
            format!("{json} number into Go struct field NamedCluster.clusters.name of type string, in clusters[0]"),
        ),
        (
            "clusters: [7]",
            format!("{json} number into Go struct field Config.clusters of type v1.NamedCluster, in clusters[0]"),
        ),
        (
            "users: [{name: a, user: {token: [s3cret]}}]",
            format!("{json} array into Go struct field AuthInfo.users.user.token of type string, in users[0] \"a\""),
        ),
        (
            "users: [null, {name: a, user: {as-groups: s3cret}}]",
            format!("{json} string into Go struct field AuthInfo.users.user.as-groups of type []string, in users[1] \"a\""),
        ),
        (
            "users: [{name: a, user: {exec: {env: [{value: 5}]}}}]",
            format!(
                "{json} number into Go struct field ExecEnvVar.users.user.exec.env.value of type string, in users[0] \"a\""
            ),
        ),
        (
            "users: [{name: a, user: {auth-provider: {config: {a: 5}}}}]",
            format!(
                "{json} number into Go struct field AuthProviderConfig.users.user.auth-provider.config of type string, \
                 in users[0] \"a\""
            ),
        ),
        (
            "users: [{name: a, user: {as-user-extra: {a: x}}}]",
            format!(
                "{json} string into Go struct field AuthInfo.users.user.as-user-extra of type []string, in users[0] \"a\""
            ),
        ),
        (
            "contexts: [{name: a, context: {namespace: n}}]",
            format!(
                "{json} bool into Go struct field Context.contexts.context.namespace of type string, in contexts[0] \"a\""
            ),
        ),
        (
            "clusters: [{name: a}, {name: b}, {name: a}]",
            "error converting *[]NamedCluster into *map[string]*api.Cluster: duplicate name \"a\" in list: clusters[0] \
             and clusters[2]"
                .to_owned(),
        ),
        (
            "users: [{name: a, user: {token: s3cret}}, {name: a}]",
            "error converting *[]NamedAuthInfo into *map[string]*api.AuthInfo: duplicate name \"a\" in list: users[0] \
             and users[1]"
                .to_owned(),
        ),
        (
            "clusters: [{name: a, cluster: {extensions: [{name: e}, {name: f}, {name: e}]}}]",
            "error converting *[]NamedExtension into *map[string]runtime.Object: duplicate name \"e\" in list: \
             clusters.cluster.extensions[0] and clusters.cluster.extensions[2], in clusters[0] \"a\""
                .to_owned(),
        ),
        (
            "extensions: [{name: e, extension: 1}, {name: e, extension: 2}]",
            "error converting *[]NamedExtension into *map[string]runtime.Object: duplicate name \"e\" in list: \
             extensions[0] and extensions[1]"
                .to_owned(),
        ),
        (
            "contexts: [{name: a}, {name: a}]",
            "error converting *[]NamedContext into *map[string]*api.Context: duplicate name \"a\" in list: contexts[0] \
             and contexts[1]"
                .to_owned(),
        ),
    ] {
        let error = Config::from_kubeconfig(text).unwrap_err().to_string();
        assert_eq!(error, format!("kubeconfig: cannot be used: {problem}"), "{text}");
    }
}

/// The places are those that kubectl 1.37 tells.
#[test]
fn data_that_is_no_base64_is_refused_with_its_place() {
    for (data, place) in [
        ("abc", 0),
        ("YWJj=", 4),
        ("YWJjZA", 4),
        ("YW Jj", 2),
        ("====", 0),
        ("YQ==YQ==", 4),
        ("YWJ?", 3),
        ("not base64!", 3),
    ] {
        let text = format!("users: [{{name: a, user: {{client-key-data: \"{data}\"}}}}]");
        let error = Config::from_kubeconfig(&text).unwrap_err().to_string();
        let problem = format!("illegal base64 data at input byte {place}, in users[0] \"a\"");
        assert_eq!(error, format!("kubeconfig: cannot be used: {problem}"), "{data}");
    }
    let lines = r#"users: [{name: a, user: {client-key-data: "YW\nJj\r\n"}}]"#;
    Config::from_kubeconfig(lines).unwrap();
}

#[test]
fn an_entry_that_is_empty_does_not_spoil_the_others() {
    let server = "server: 'https://h'";
    let (entry, list) = ("{name: here, context: {cluster: c, user: u}}", "[{name: c, cluster: {SERVER}}");
    for (clusters, users, contexts) in [
        ("{name: z}", "{name: z}", "{name: z}"),
        ("{name: z, cluster: null}", "{name: z, user: null}", "{name: z, context: null}"),
        ("null", "null", "null"),
        ("{cluster: {server: x}}", "{user: {}}", "{context: {cluster: c, user: u}}"),
        ("{name: z, cluster: {server: null}}", "{name: z, user: {token: null, exec: null}}", "{name: null}"),
        (
            "{name: z, cluster: {extensions: [{name: a, extension: 1}]}}",
            "{name: z, user: {as: b, as-uid: '1', as-groups: [g], as-user-extra: {k: [v]}}}",
            "{name: z, context: {extensions: null}}",
        ),
    ] {
        let list = list.replace("SERVER", server);
        let text = format!(
            "{{current-context: here, clusters: {list}, {clusters}], users: [{{name: u, user: null}}, {users}], \
             contexts: [{contexts}, {entry}]}}"
        );
        let config = Config::from_kubeconfig(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(config.url.to_string(), "https://h/");
    }
}

#[test]
fn names_with_nothing_behind_them_are_told() {
    check(
        "current-context: there",
        expect![
            "kubeconfig FILE: cannot be used: invalid configuration: context was not found for specified context: there"
        ],
    );
    check(
        "{current-context: a, contexts: [{name: a, context: {cluster: b, user: c}}]}",
        expect![[
            r#"kubeconfig FILE: cannot be used: invalid configuration: [user "c" was not found for context "a", cluster "b" was not found for context "a"]"#
        ]],
    );
    check(
        "{current-context: a, contexts: [{name: a, context: {cluster: b, user: c}}], clusters: [{name: b, cluster: {server: 'https://h'}}]}",
        expect![[
            r#"kubeconfig FILE: cannot be used: invalid configuration: user "c" was not found for context "a""#
        ]],
    );
}

#[test]
fn servers_that_are_none_are_told() {
    check(
        &kubeconfig("server: 'ftp://h'", ""),
        expect![[
            r#"server of "c" in kubeconfig FILE: cannot be used: "ftp://h": it must begin with http:// or https://"#
        ]],
    );
    check(
        &kubeconfig("server: 'https://'", ""),
        expect![[r#"server of "c" in kubeconfig FILE: cannot be used: "https://": it names no host"#]],
    );
    check(
        &kubeconfig("server: 'https://me:pw@h'", ""),
        expect![[
            r#"server of "c" in kubeconfig FILE: cannot be used: user and password do not belong into it"#
        ]],
    );
    check(
        &kubeconfig("server: 'https://h', proxy-url: 'ftp://u:secret@p'", ""),
        expect![[
            r#"kubeconfig FILE: cannot be used: invalid configuration: invalid 'proxy-url' "ftp://***@p" for cluster "c": unsupported scheme "ftp", must be http, https, or socks5"#
        ]],
    );
    check(
        &kubeconfig("server: 'https://h', proxy-url: 'http://:80'", ""),
        expect![[
            r#"proxy-url of "c" in kubeconfig FILE: cannot be used: "http://:80": it is no URL of a host"#
        ]],
    );
    check(
        &kubeconfig("server: 'https://h', tls-server-name: 'a b'", ""),
        expect![[r#"tls-server-name "a b": cannot be used: invalid dns name"#]],
    );
}

#[test]
fn certificates_and_keys_that_are_none_are_told() {
    check(
        &kubeconfig("server: 'https://h', certificate-authority-data: '%%'", ""),
        expect![[
            r#"kubeconfig FILE: cannot be used: illegal base64 data at input byte 0, in clusters[0] "c""#
        ]],
    );
    check(
        &kubeconfig("server: 'https://h', certificate-authority-data: aGVsbG8=", ""),
        expect![[
            r#"certificate-authority-data of "c" in kubeconfig FILE: cannot be used: there is no certificate in the PEM text"#
        ]],
    );
    check(
        &kubeconfig("server: 'https://h', certificate-authority: ca.crt", ""),
        expect![
            "kubeconfig FILE: cannot be used: invalid configuration: unable to read certificate-authority FOLDER/ca.crt for c due to open FOLDER/ca.crt: no such file or directory"
        ],
    );
    check(
        &kubeconfig(
            "server: 'https://h', certificate-authority: /ca.crt, insecure-skip-tls-verify: true",
            "",
        ),
        expect![
            "kubeconfig FILE: cannot be used: invalid configuration: unable to read certificate-authority /ca.crt for c due to open /ca.crt: no such file or directory"
        ],
    );
    check(
        &kubeconfig("server: 'https://h'", "client-certificate-data: aGVsbG8="),
        expect![
            "kubeconfig FILE: cannot be used: invalid configuration: client-key-data or client-key must be specified for u to use the clientCert authentication method."
        ],
    );
    check(
        &kubeconfig("server: 'https://h'", "client-certificate-data: aGVsbG8=, client-key-data: aGVsbG8="),
        expect![[
            r#"client-certificate-data of "u" in kubeconfig FILE: cannot be used: there is no certificate in the PEM text"#
        ]],
    );
    check(
        &kubeconfig("server: 'https://h', certificate-authority: config", ""),
        expect!["certificate-authority FILE: cannot be used: there is no certificate in the PEM text"],
    );
    check(
        &kubeconfig("server: 'https://h'", "tokenFile: token"),
        expect!["token file FOLDER/token: cannot be used: No such file or directory (os error 2)"],
    );
    check(
        &kubeconfig("server: 'https://h'", "token: a, username: b"),
        expect![
            "kubeconfig FILE: cannot be used: invalid configuration: more than one authentication method found for u; found [token basicAuth], only one is allowed"
        ],
    );
    check(
        &kubeconfig("server: 'https://h'", "token: a, as-groups: [g]"),
        expect![
            "kubeconfig FILE: cannot be used: invalid configuration: requesting uid, groups or user-extra for u without impersonating a user"
        ],
    );
}

/// The error of a user whose credentials come from a program.
#[track_caller]
fn check_user(user: &str, problem: Expect) {
    check(&kubeconfig("server: 'https://h'", user), problem);
}

#[test]
fn a_plugin_or_an_auth_provider_that_cannot_be_used_is_told_with_the_user() {
    let v1 = "apiVersion: client.authentication.k8s.io/v1";
    check_user(
        &format!("exec: {{{v1}}}"),
        expect![[
            r#"kubeconfig FILE: cannot be used: invalid configuration: [command must be specified for u to use exec authentication plugin, interactiveMode must be specified for u to use exec authentication plugin]"#
        ]],
    );
    check_user(
        "exec: {command: aws}",
        expect![[
            r#"kubeconfig FILE: cannot be used: invalid configuration: [apiVersion must be specified for u to use exec authentication plugin, interactiveMode must be specified for u to use exec authentication plugin]"#
        ]],
    );
    check_user(
        "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1alpha1}",
        expect![[
            r#"exec of "u" in kubeconfig FILE: cannot be used: exec plugin aws: client.authentication.k8s.io/v1alpha1 was removed in Kubernetes 1.24: write the kubeconfig anew with a present version of the tool that wrote it"#
        ]],
    );
    check_user(
        "exec: {command: aws, apiVersion: v2, interactiveMode: Never}",
        expect![[
            r#"exec of "u" in kubeconfig FILE: cannot be used: exec plugin aws: invalid apiVersion "v2": use client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1"#
        ]],
    );
    check_user(
        &format!("exec: {{command: aws, {v1}, args: null, env: null}}"),
        expect![[
            r#"kubeconfig FILE: cannot be used: invalid configuration: interactiveMode must be specified for u to use exec authentication plugin"#
        ]],
    );
    check_user(
        &format!("exec: {{command: aws, {v1}, interactiveMode: Sometimes}}"),
        expect![[
            r#"kubeconfig FILE: cannot be used: invalid configuration: invalid interactiveMode for u: "Sometimes""#
        ]],
    );
    check_user(
        &format!("exec: {{command: aws, {v1}, interactiveMode: Never, env: [{{value: x}}]}}"),
        expect![[
            r#"kubeconfig FILE: cannot be used: invalid configuration: env variable name must be specified for u to use exec authentication plugin"#
        ]],
    );
    check_user(
        &format!("exec: {{command: aws, {v1}, interactiveMode: Never}}, auth-provider: {{name: oidc}}"),
        expect![[
            r#"kubeconfig FILE: cannot be used: invalid configuration: authProvider cannot be provided in combination with an exec plugin for u"#
        ]],
    );
    check_user(
        "auth-provider: {name: gcp}",
        expect![[
            r#"auth-provider of "u" in kubeconfig FILE: cannot be used: The gcp auth plugin has been removed: use the credential plugin gke-gcloud-auth-plugin instead, see https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin"#
        ]],
    );
    check_user(
        "auth-provider: {name: own}",
        expect![[
            r#"auth-provider of "u" in kubeconfig FILE: cannot be used: no Auth Provider found for name "own""#
        ]],
    );
    check_user(
        "auth-provider: {name: oidc, config: {client-id: me}}",
        expect![[
            r#"auth-provider of "u" in kubeconfig FILE: cannot be used: auth provider oidc: Must provide idp-issuer-url"#
        ]],
    );
    check_user(
        "auth-provider: {name: oidc, config: {client-id: me, idp-issuer-url: 'ldap://idp'}}",
        expect![[
            r#"idp-issuer-url of the auth provider oidc: cannot be used: "ldap://idp": it must begin with http:// or https://"#
        ]],
    );
    check_user(
        "auth-provider: {name: oidc, config: {client-id: me, idp-issuer-url: 'https://idp', \
         idp-certificate-authority: ca.crt}}",
        expect![
            "certificate authority FOLDER/ca.crt: cannot be used: No such file or directory (os error 2)"
        ],
    );
}
