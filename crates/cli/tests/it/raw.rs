//! `--raw`, requests to a path as it is.

use expect_test::expect;
use serde_json::Value;

use crate::playground::Playground;
use crate::session::Session;

const FILES: &str = r#"-- a.json --
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
-- options.json --
{"dryRun": ["All"]}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_sent_with_its_query() {
    let playground = Playground::new().await;
    let get = async |path: &str| -> Value {
        serde_json::from_str(&playground.klient(&["get", "--raw", path], None).await).unwrap()
    };
    let page = get("/api/v1/namespaces?limit=1&labelSelector=kubernetes.io%2Fmetadata.name").await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    let token = page["metadata"]["continue"].as_str().unwrap();
    let next = get(&format!("/api/v1/namespaces?limit=1&continue={token}")).await;
    assert_eq!(next["items"][0]["metadata"]["name"], "kube-node-lease");
    assert_eq!(get("/api/v1/namespaces/def%61ult").await["metadata"]["name"], "default");
    let healthy = playground.klient(&["get", "--raw", "/healthz?verbose"], None).await;
    assert!(healthy.ends_with("healthz check passed\n"), "{healthy}");
    let pretty = playground.klient(&["get", "--raw", "/version?pretty=true"], None).await;
    assert!(pretty.starts_with("{\n"), "{pretty}");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_created_and_deleted_at_a_path() {
    let session = Session::new(FILES).await;
    let created = session.run("create --raw /api/v1/namespaces/shop/configmaps -f a.json").await;
    assert!(
        created.contains(r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","#),
        "{created}"
    );
    let transcript = session.run(
        "create --raw /api/v1/namespaces/shop/configmaps?dryRun=All -f a.json
        delete --raw /api/v1/namespaces/shop/configmaps/a -f options.json
        delete --raw /api/v1/namespaces/shop/configmaps/a
        delete --raw /api/v1/namespaces/shop/configmaps/a",
    );
    expect![[r#"
        $ create --raw /api/v1/namespaces/shop/configmaps?dryRun=All -f a.json
        Error from server (AlreadyExists): configmaps "a" already exists
        exit 1
        $ delete --raw /api/v1/namespaces/shop/configmaps/a -f options.json
        {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":"a","kind":"configmaps","uid":"UID"}}
        $ delete --raw /api/v1/namespaces/shop/configmaps/a
        {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":"a","kind":"configmaps","uid":"UID"}}
        $ delete --raw /api/v1/namespaces/shop/configmaps/a
        Error from server (NotFound): configmaps "a" not found
        exit 1
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_go_with_a_path_is_refused() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "get --raw nothing
        get --raw /nothing
        get --raw /%zz
        get --raw /version -o yaml
        get --raw /version -l a=b
        get --raw /version pods
        create --raw /version
        create --raw version -f a.json
        create --raw /version -f a.json -f a.json
        create --raw /version -f http://localhost
        create --raw /version -f a.json -R
        create --raw /version -f a.json -o yaml
        create --raw /version -f missing.json
        delete --raw version
        delete --raw /version -o name
        delete --raw /version -o yaml
        delete --raw /version -R
        delete --raw /version configmap",
    );
    expect![[r#"
        $ get --raw nothing
        error: --raw must be a valid URL path: parse "nothing": invalid URI for request
        exit 1
        $ get --raw /nothing
        Error from server (NotFound): the server could not find the requested resource
        exit 1
        $ get --raw /%zz
        error: --raw must be a valid URL path: parse "/%zz": invalid URL escape "%zz"
        exit 1
        $ get --raw /version -o yaml
        error: --raw and --output are mutually exclusive
        exit 1
        $ get --raw /version -l a=b
        error: --raw may not be specified with other flags that filter the server request or alter the output
        exit 1
        $ get --raw /version pods
        error: arguments may not be passed when --raw is specified
        exit 1
        $ create --raw /version
        error: must specify one of -f and -k
        exit 1
        $ create --raw version -f a.json
        error: --raw must be a valid URL path: parse "version": invalid URI for request
        exit 1
        $ create --raw /version -f a.json -f a.json
        error: --raw can only use a single local file or stdin
        exit 1
        $ create --raw /version -f http://localhost
        error: --raw cannot read from a url
        exit 1
        $ create --raw /version -f a.json -R
        error: --raw and --recursive are mutually exclusive
        exit 1
        $ create --raw /version -f a.json -o yaml
        error: --raw and --output are mutually exclusive
        exit 1
        $ create --raw /version -f missing.json
        error: open missing.json: no such file or directory
        exit 1
        $ delete --raw version
        error: --raw must be a valid URL path: parse "version": invalid URI for request
        exit 1
        $ delete --raw /version -o name
        error: --raw and --output are mutually exclusive
        exit 1
        $ delete --raw /version -o yaml
        error: unexpected -o output mode: yaml. We only support '-o name'
        exit 1
        $ delete --raw /version -R
        error: --raw and --recursive are mutually exclusive
        exit 1
        $ delete --raw /version configmap
        error: arguments may not be passed when --raw is specified
        exit 1
    "#]]
    .assert_eq(&transcript.await);
}

#[test]
fn a_server_that_does_not_answer_is_given_the_time_of_the_request() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("--server=http://{}", silent.local_addr().unwrap());
    for verb in ["get", "delete"] {
        let mut command = std::process::Command::new(crate::KLIENT);
        let output =
            command.args([verb, "--raw", "/version", "--request-timeout=200ms", &server]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("within 0.2 s"), "{told}");
    }
}
