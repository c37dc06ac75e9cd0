//! Files of manifests: lists, and patterns in place of names.

use expect_test::expect;

use crate::session::Session;

const FILES: &str = r#"-- dir/1.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
-- dir/2.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
-- dir/3.txt --
not read
-- tree/1.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: three}
-- tree/none/a.txt --
not read
-- tree/nothing/a.txt --
not read
-- typed.yaml --
apiVersion: v1
kind: ConfigMapList
items:
- metadata: {name: a}
- metadata: {name: b}
-- mixed.yaml --
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
- {apiVersion: v1, kind: Secret, metadata: {name: d}}
-- nested.yaml --
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
- apiVersion: v1
  kind: SecretList
  items:
  - metadata: {name: d}
-- unknown.yaml --
apiVersion: v1
kind: List
items:
- metadata: {name: e}
-- labeled.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: x, labels: {app: x}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: z, labels: {app: z}}
-- empty.yaml --
apiVersion: v1
kind: ConfigMapList
items: null
"#;

#[tokio::test(flavor = "multi_thread")]
async fn lists_stand_for_their_items_and_say_what_these_are() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "create -f typed.yaml
        apply -f mixed.yaml
        get -f typed.yaml -o name
        get -f mixed.yaml -o name
        diff -f mixed.yaml
        convert -f typed.yaml
        convert -f mixed.yaml
        delete -f typed.yaml -f mixed.yaml
        create -f nested.yaml
        apply -f nested.yaml
        get -f nested.yaml
        diff -f nested.yaml
        delete -f nested.yaml
        apply -f unknown.yaml
        diff -f unknown.yaml
        apply -f empty.yaml",
    );
    expect![[r#"
        $ create -f typed.yaml
        configmap/a created
        configmap/b created
        $ apply -f mixed.yaml
        configmap/c created
        secret/d created
        $ get -f typed.yaml -o name
        configmap/a
        configmap/b
        $ get -f mixed.yaml -o name
        configmap/c
        secret/d
        $ diff -f mixed.yaml
        $ convert -f typed.yaml
        apiVersion: v1
        items:
        - metadata:
            name: a
        - metadata:
            name: b
        kind: ConfigMapList
        metadata: {}
        $ convert -f mixed.yaml
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: c
        ---
        apiVersion: v1
        kind: Secret
        metadata:
          name: d
        $ delete -f typed.yaml -f mixed.yaml
        configmap "a" deleted from shop namespace
        configmap "b" deleted from shop namespace
        configmap "c" deleted from shop namespace
        secret "d" deleted from shop namespace
        $ create -f nested.yaml
        error: *unstructured.Unstructured is not a list: no Items field in this object
        exit 1
        $ apply -f nested.yaml
        error: *unstructured.Unstructured is not a list: no Items field in this object
        exit 1
        $ get -f nested.yaml
        *unstructured.Unstructured is not a list: no Items field in this object
        exit 1
        $ diff -f nested.yaml
        error: *unstructured.Unstructured is not a list: no Items field in this object
        exit 2
        $ delete -f nested.yaml
        error: *unstructured.Unstructured is not a list: no Items field in this object
        exit 1
        $ apply -f unknown.yaml
        error: error validating "unknown.yaml": error validating data: [apiVersion not set, kind not set]; if you choose to ignore these errors, turn validation off with --validate=false
        exit 1
        $ diff -f unknown.yaml
        error: unable to decode "unknown.yaml": Object 'Kind' is missing in '{"metadata":{"name":"e"}}'
        exit 2
        $ apply -f empty.yaml
        error: no objects passed to apply
        exit 1
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_chooses_among_the_objects_of_files() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "create -f labeled.yaml -l app=x
        apply -f labeled.yaml
        get -f labeled.yaml -l app=x -o name
        apply view-last-applied -f labeled.yaml -l app=nope
        delete -f labeled.yaml -l app=x
        get configmap -o name
        delete configmap --field-selector x=y
        apply -f labeled.yaml x",
    );
    expect![[r#"
        $ create -f labeled.yaml -l app=x
        configmap/x created
        $ apply -f labeled.yaml
        configmap/x configured
        configmap/z created
        Warning: resource configmaps/x is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.
        $ get -f labeled.yaml -l app=x -o name
        configmap/x
        $ apply view-last-applied -f labeled.yaml -l app=nope
        $ delete -f labeled.yaml -l app=x
        configmap "x" deleted from shop namespace
        $ get configmap -o name
        configmap/z
        $ delete configmap --field-selector x=y
        Error from server (BadRequest): Unable to find "/v1, Resource=configmaps" that match label selector "", field selector "x=y": "x" is not a known field selector: only "metadata.name", "metadata.namespace"
        exit 1
        $ apply -f labeled.yaml x
        error: Unexpected args: [x]
        See 'kubectl apply -h' for help and examples
        exit 1
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_get_raw_prints_can_be_created() {
    let session = Session::new(FILES).await;
    session.run("apply -f typed.yaml").await;
    let list = session.playground.klient(&["get", "--raw", "/api/v1/namespaces/shop/configmaps"], None).await;
    session.run("delete -f typed.yaml").await;
    let made = session.playground.klient(&["apply", "-f", "-"], Some(&list)).await;
    assert_eq!(made, "configmap/a created\nconfigmap/b created\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_may_be_a_pattern_that_the_shell_has_left_alone() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f dir/*.yaml
        apply -f d?r/[12].yaml
        get -f dir/[^1].yaml -o name
        diff -f dir/*.yaml
        delete -f dir/*.y*ml
        apply -f dir/*.json
        diff -f dir/*.json
        apply -f tree/* -o name
        apply -f tree/n* -o name
        apply -f dir/[
        create -f missing.yaml -f missing/*.yaml
        apply -f ''
        delete -f '' -f dir/1.yaml",
    );
    expect![[r#"
        $ apply -f dir/*.yaml
        configmap/one created
        configmap/two created
        $ apply -f d?r/[12].yaml
        configmap/one unchanged
        configmap/two unchanged
        $ get -f dir/[^1].yaml -o name
        configmap/two
        $ diff -f dir/*.yaml
        $ delete -f dir/*.y*ml
        configmap "one" deleted from shop namespace
        configmap "two" deleted from shop namespace
        $ apply -f dir/*.json
        error: the path "dir/*.json" does not exist
        exit 1
        $ diff -f dir/*.json
        error: the path "dir/*.json" does not exist
        exit 2
        $ apply -f tree/* -o name
        configmap/three
        $ apply -f tree/n* -o name
        error: error reading [tree/none tree/nothing]: recognized file extensions are [.json .yaml .yml]
        exit 1
        $ apply -f dir/[
        error: pattern "dir/[" is not valid: syntax error in pattern
        exit 1
        $ create -f missing.yaml -f missing/*.yaml
        the path "missing.yaml" does not exist
        the path "missing/*.yaml" does not exist
        exit 1
        $ apply -f ''
        error: must specify one of -f and -k
        exit 1
        $ delete -f '' -f dir/1.yaml
        Error from server (NotFound): error when deleting "dir/1.yaml": configmaps "one" not found
        exit 1
    "#]]
    .assert_eq(&transcript.await);
}
