//! `create namespace` and `create configmap`. What is printed is what kubectl prints.

use expect_test::expect;

use crate::session::Session;

const FILES: &str = r#"-- folder/a --
x
-- folder/b --
y
-- names/not-ok! --
x
-- ..dots --
x
-- env --
A=1
B=two words
# a comment

  C=x=y
FROM_OUTSIDE
D=
-- env.digit --
1A=x
-- env.twice --
A=1
A=2
"#;

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_made_of_flags_without_asking_a_server() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "create namespace n --dry-run=client -o yaml -s https://127.0.0.1:1
        create configmap c --dry-run=client -o yaml -s https://127.0.0.1:1
        create configmap c --dry-run=client -o yaml -n other
        create configmap c --from-literal=a=b=c --from-literal=d= --dry-run=client -o yaml
        create configmap c --from-file=folder --dry-run=client -o yaml
        create configmap c --from-file=folder/a,k=folder/b --dry-run=client -o yaml
        FROM_OUTSIDE=here create configmap c --from-env-file=env --dry-run=client -o yaml",
    );
    expect![[r#"
        $ create namespace n --dry-run=client -o yaml -s https://127.0.0.1:1
        apiVersion: v1
        kind: Namespace
        metadata:
          name: "n"
        spec: {}
        status: {}
        $ create configmap c --dry-run=client -o yaml -s https://127.0.0.1:1
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: c
        $ create configmap c --dry-run=client -o yaml -n other
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: c
          namespace: other
        $ create configmap c --from-literal=a=b=c --from-literal=d= --dry-run=client -o yaml
        apiVersion: v1
        data:
          a: b=c
          d: ""
        kind: ConfigMap
        metadata:
          name: c
        $ create configmap c --from-file=folder --dry-run=client -o yaml
        apiVersion: v1
        data:
          a: |
            x
          b: |
            y
        kind: ConfigMap
        metadata:
          name: c
        $ create configmap c --from-file=folder/a,k=folder/b --dry-run=client -o yaml
        apiVersion: v1
        data:
          a: |
            x
          k: |
            y
        kind: ConfigMap
        metadata:
          name: c
        $ FROM_OUTSIDE=here create configmap c --from-env-file=env --dry-run=client -o yaml
        apiVersion: v1
        data:
          A: "1"
          B: two words
          C: x=y
          D: ""
          FROM_OUTSIDE: here
        kind: ConfigMap
        metadata:
          name: c
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_no_key_or_file_is_refused() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "create configmap c --from-literal=a
        create configmap c --from-literal==a
        create configmap c --from-literal=a/b=c
        create configmap c --from-literal=..=c
        create configmap c --from-literal=a=1 --from-literal=a=2
        create configmap c --from-file=names
        create configmap c --from-file=..dots
        create configmap c --from-file==f
        create configmap c --from-file===f
        create configmap c --from-file=k=
        create configmap c --from-file=a=b=c
        create configmap c --from-file=k=folder
        create configmap c --from-file=missing
        create configmap c --from-file=folder/a --from-literal=a=1
        create configmap c --from-env-file=env.digit
        create configmap c --from-env-file=env.twice
        create configmap c --from-env-file=folder
        create configmap c --from-env-file=missing
        create configmap c --from-env-file=env --from-literal=a=b
        get configmap c",
    );
    expect![[r#"
        $ create configmap c --from-literal=a
        error: invalid literal source a, expected key=value
        exit 1
        $ create configmap c --from-literal==a
        error: invalid literal source =a, expected key=value
        exit 1
        $ create configmap c --from-literal=a/b=c
        error: "a/b" is not a valid key name for a ConfigMap: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')
        exit 1
        $ create configmap c --from-literal=..=c
        error: ".." is not a valid key name for a ConfigMap: must not be '..'
        exit 1
        $ create configmap c --from-literal=a=1 --from-literal=a=2
        error: cannot add key "a", another key by that name already exists in Data for ConfigMap "c"
        exit 1
        $ create configmap c --from-file=names
        error: "not-ok!" is not a valid key name for a ConfigMap: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')
        exit 1
        $ create configmap c --from-file=..dots
        error: "..dots" is not a valid key name for a ConfigMap: must not start with '..'
        exit 1
        $ create configmap c --from-file==f
        error: key name for file path f missing
        exit 1
        $ create configmap c --from-file===f
        error: key names or file paths cannot contain '='
        exit 1
        $ create configmap c --from-file=k=
        error: file path for key name k missing
        exit 1
        $ create configmap c --from-file=a=b=c
        error: key names or file paths cannot contain '='
        exit 1
        $ create configmap c --from-file=k=folder
        error: cannot give a key name for a directory path
        exit 1
        $ create configmap c --from-file=missing
        error: error reading missing: no such file or directory
        exit 1
        $ create configmap c --from-file=folder/a --from-literal=a=1
        error: cannot add key "a", another key by that name already exists in Data for ConfigMap "c"
        exit 1
        $ create configmap c --from-env-file=env.digit
        error: "1A" is not a valid key name: a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')
        exit 1
        $ create configmap c --from-env-file=env.twice
        error: cannot add key "A", another key by that name already exists in Data for ConfigMap "c"
        exit 1
        $ create configmap c --from-env-file=folder
        error: env config file cannot be a directory
        exit 1
        $ create configmap c --from-env-file=missing
        error: error reading missing: no such file or directory
        exit 1
        $ create configmap c --from-env-file=env --from-literal=a=b
        error: from-env-file cannot be combined with from-file or from-literal
        exit 1
        $ get configmap c
        Error from server (NotFound): configmaps "c" not found
        exit 1
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_one_name_is_asked_for() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "create namespace
        create ns a b
        create namespace ''
        create configmap
        create cm a b
        create cm ''",
    );
    expect![[r#"
        $ create namespace
        error: exactly one NAME is required, got 0
        See 'kubectl create namespace -h' for help and examples
        exit 1
        $ create ns a b
        error: exactly one NAME is required, got 2
        See 'kubectl create namespace -h' for help and examples
        exit 1
        $ create namespace ''
        error: name must be specified
        exit 1
        $ create configmap
        error: exactly one NAME is required, got 0
        See 'kubectl create configmap -h' for help and examples
        exit 1
        $ create cm a b
        error: exactly one NAME is required, got 2
        See 'kubectl create configmap -h' for help and examples
        exit 1
        $ create cm ''
        error: name must be specified
        exit 1
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_json_fields_have_the_order_of_go_structs() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "create namespace n --dry-run=client -o json
        create configmap c --from-literal=a=<b> --save-config --dry-run=server -o json
        create configmap c --from-literal=a=b --dry-run=client -o jsonpath={}",
    );
    expect![[r#"
        $ create namespace n --dry-run=client -o json
        {
            "kind": "Namespace",
            "apiVersion": "v1",
            "metadata": {
                "name": "n"
            },
            "spec": {},
            "status": {}
        }
        $ create configmap c --from-literal=a=<b> --save-config --dry-run=server -o json
        {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": {
                "name": "c",
                "namespace": "shop",
                "uid": "UID",
                "creationTimestamp": "TIME",
                "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"c\"},\"data\":{\"a\":\"\\u003cb\\u003e\"}}\n"
                }
            },
            "data": {
                "a": "\u003cb\u003e"
            }
        }
        $ create configmap c --from-literal=a=b --dry-run=client -o jsonpath={}
        {"apiVersion":"v1","data":{"a":"b"},"kind":"ConfigMap","metadata":{"name":"c"}}
    "#]].assert_eq(&transcript.await);
}

/// The hashes are those of kubectl 1.37.
#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_the_contents_can_be_appended_to_the_name() {
    let session = Session::new(FILES).await;
    session.playground.write_bytes("bytes", b"\xff\x00");
    let transcript = session.run(
        "create configmap x --append-hash --dry-run=client
        create configmap x --append-hash --from-literal=a=b -o name
        create configmap x --append-hash --from-literal=a=<b>&é --dry-run=client -o name
        create configmap x --append-hash --from-file=bytes --dry-run=client -o name",
    );
    expect![[r#"
        $ create configmap x --append-hash --dry-run=client
        configmap/x-62ctbmbfd2 created (dry run)
        $ create configmap x --append-hash --from-literal=a=b -o name
        configmap/x-64686gkt6c
        $ create configmap x --append-hash --from-literal=a=<b>&é --dry-run=client -o name
        configmap/x-cf6bgc9hfk
        $ create configmap x --append-hash --from-file=bytes --dry-run=client -o name
        configmap/x-9d9m5d429c
    "#]]
    .assert_eq(&transcript.await);
}
