//! Kubeconfigs that are used, and those that cannot be.

use std::fs;
use std::path::PathBuf;

use expect_test::{Expect, expect};
use klient_client::{Client, Config, ErrorKind, Kubeconfig};
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
fn only_a_file_that_is_not_there_is_passed_over() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    assert!(Kubeconfig::load(std::slice::from_ref(&missing)).is_ok());
    let below_a_file = written(&folder, "file", "").join("config");
    let error = Kubeconfig::load(&[missing, below_a_file]).unwrap_err();
    assert!(
        format!("{error:?}").ends_with("file/config: cannot be used: Not a directory (os error 20)"),
        "{error:?}"
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
    check("kind: Pod", expect!["kubeconfig FILE: cannot be used: expected kind Config, found Pod"]);
    check(
        "clusters: {a: b}",
        expect!["kubeconfig FILE: cannot be used: clusters: invalid type: map, expected a sequence"],
    );
    check(
        "current-context: [a]",
        expect![
            "kubeconfig FILE: cannot be used: current-context: invalid type: sequence, expected a string"
        ],
    );
    check(
        "clusters: [{cluster: {}}]",
        expect!["kubeconfig FILE: cannot be used: clusters[0]: missing field `name`"],
    );
    check(
        "users: [{name: a, user: {token: [x]}}]",
        expect![[
            r#"kubeconfig FILE: cannot be used: users[0] "a": invalid type: sequence, expected a string"#
        ]],
    );
}

#[test]
fn names_with_nothing_behind_them_are_told() {
    check(
        "current-context: there",
        expect![[r#"kubeconfig FILE: cannot be used: context "there" does not exist"#]],
    );
    check(
        "{current-context: a, contexts: [{name: a, context: {cluster: b, user: c}}]}",
        expect![[
            r#"kubeconfig FILE: cannot be used: cluster "b" does not exist, though a context names it"#
        ]],
    );
    check(
        "{current-context: a, contexts: [{name: a, context: {cluster: b, user: c}}], clusters: [{name: b, cluster: {server: 'https://h'}}]}",
        expect![[r#"kubeconfig FILE: cannot be used: user "c" does not exist, though a context names it"#]],
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
            r#"proxy-url of "c" in kubeconfig FILE: cannot be used: "ftp://***@p": unsupported scheme "ftp", must be http, https, socks5 or socks5h"#
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
        expect![[r#"certificate-authority-data of "c" in kubeconfig FILE: cannot be used: it is no base64"#]],
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
            "certificate-authority FOLDER/ca.crt: cannot be used: No such file or directory (os error 2)"
        ],
    );
    check(
        &kubeconfig(
            "server: 'https://h', certificate-authority: /ca.crt, insecure-skip-tls-verify: true",
            "",
        ),
        expect!["certificate-authority /ca.crt: cannot be used: No such file or directory (os error 2)"],
    );
    check(
        &kubeconfig("server: 'https://h'", "client-certificate-data: aGVsbG8="),
        expect![[
            r#"client-certificate-data of "u" in kubeconfig FILE: cannot be used: there is no certificate in the PEM text"#
        ]],
    );
    check(
        &kubeconfig("server: 'https://h'", "client-key-data: aGVsbG8="),
        expect![[
            r#"client-key-data of "u" in kubeconfig FILE: cannot be used: there is no private key in the PEM text"#
        ]],
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
        expect![[
            r#"kubeconfig FILE: cannot be used: user "u" has a token and a password: drop one of both"#
        ]],
    );
    check(
        &kubeconfig("server: 'https://h'", "token: a, as-groups: [g]"),
        expect![
            "kubeconfig FILE: cannot be used: requesting uid, groups or user-extra for u without impersonating a user"
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
            r#"exec of "u" in kubeconfig FILE: cannot be used: command must be specified to use exec authentication plugin"#
        ]],
    );
    check_user(
        "exec: {command: aws}",
        expect![[
            r#"exec of "u" in kubeconfig FILE: cannot be used: apiVersion must be specified to use exec authentication plugin"#
        ]],
    );
    check_user(
        "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1alpha1}",
        expect![[
            r#"exec of "u" in kubeconfig FILE: cannot be used: exec plugin aws: client.authentication.k8s.io/v1alpha1 was removed in Kubernetes 1.24: write the kubeconfig anew with a present version of the tool that wrote it"#
        ]],
    );
    check_user(
        "exec: {command: aws, apiVersion: v2}",
        expect![[
            r#"exec of "u" in kubeconfig FILE: cannot be used: exec plugin aws: invalid apiVersion "v2": use client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1"#
        ]],
    );
    check_user(
        &format!("exec: {{command: aws, {v1}, args: null, env: null}}"),
        expect![[
            r#"exec of "u" in kubeconfig FILE: cannot be used: exec plugin aws: interactiveMode must be specified to use exec authentication plugin: Never, IfAvailable or Always"#
        ]],
    );
    check_user(
        &format!("exec: {{command: aws, {v1}, interactiveMode: Sometimes}}"),
        expect![[r#"exec of "u" in kubeconfig FILE: cannot be used: interactiveMode is not valid"#]],
    );
    check_user(
        "exec: {command: aws, args: {s3cr3t: s3cr3t}}",
        expect![[r#"exec of "u" in kubeconfig FILE: cannot be used: args is not valid"#]],
    );
    check_user(
        "exec: [s3cr3t]",
        expect![[r#"exec of "u" in kubeconfig FILE: cannot be used: it is no object"#]],
    );
    check_user(
        &format!("exec: {{command: aws, {v1}, interactiveMode: Never, env: [{{value: x}}]}}"),
        expect![[
            r#"exec of "u" in kubeconfig FILE: cannot be used: env variable name must be specified to use exec authentication plugin"#
        ]],
    );
    check_user(
        &format!("exec: {{command: aws, {v1}, interactiveMode: Never}}, auth-provider: {{name: oidc}}"),
        expect![[
            r#"exec of "u" in kubeconfig FILE: cannot be used: authProvider cannot be provided in combination with an exec plugin: drop one of both"#
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
