//! `apply` beyond the recorded cases. What is printed is what kubectl prints.

use expect_test::expect;
use regex::Regex;

use crate::session::Session;

const FILES: &str = r#"-- two.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {app: x}}
data: {k: "1"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, labels: {app: x}}
-- one.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {app: x}}
data: {k: "2"}
-- other.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: other, labels: {app: z}}
---
apiVersion: v1
kind: Service
metadata: {name: s, labels: {app: x}}
spec: {ports: [{port: 80}]}
-- fixed.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: fixed}
data: {k: "1"}
immutable: true
-- unfixed.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: fixed}
data: {k: "2"}
-- wrong.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: fixed}
data: {"k/k": "2"}
-- nulls.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: nulls, resourceVersion: "7"}
data: {gone: null, k: "1"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_no_file_any_more_is_pruned_if_it_was_applied_and_is_selected() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f two.yaml -f other.yaml
        create configmap made
        apply -f one.yaml --prune -l app=x --dry-run=client
        apply -f one.yaml --prune -l app=x --dry-run=server --prune-allowlist=core/v1/ConfigMap
        apply -f one.yaml --prune -l app=x --prune-allowlist=core/v1/ConfigMap --prune-allowlist=apps/v1/Deployment
        get configmap,service -o name
        apply -f one.yaml --prune --all
        get configmap,service -o name",
    );
    expect![[r#"
        $ apply -f two.yaml -f other.yaml
        configmap/a created
        configmap/b created
        configmap/other created
        service/s created
        $ create configmap made
        configmap/made created
        $ apply -f one.yaml --prune -l app=x --dry-run=client
        configmap/a configured (dry run)
        configmap/b pruned (dry run)
        service/s pruned (dry run)
        Warning: Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.
        Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice
        $ apply -f one.yaml --prune -l app=x --dry-run=server --prune-allowlist=core/v1/ConfigMap
        configmap/a configured (server dry run)
        configmap/b pruned (server dry run)
        $ apply -f one.yaml --prune -l app=x --prune-allowlist=core/v1/ConfigMap --prune-allowlist=apps/v1/Deployment
        configmap/a configured
        configmap/b pruned
        $ get configmap,service -o name
        configmap/a
        configmap/made
        configmap/other
        service/s
        $ apply -f one.yaml --prune --all
        configmap/a unchanged
        configmap/other pruned
        service/s pruned
        Warning: Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.
        Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice
        $ get configmap,service -o name
        configmap/a
        configmap/made
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_that_do_not_go_together_are_refused() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply
        apply -f two.yaml --force-conflicts
        apply -f two.yaml --server-side --dry-run=client
        apply -f two.yaml --server-side --force
        apply -f two.yaml --dry-run=server --force
        apply -f two.yaml --all -l app=x
        apply -f two.yaml --prune
        apply -f two.yaml --prune --all --force
        apply -f two.yaml --prune --all --server-side
        apply -f two.yaml --prune --all --prune-allowlist=ConfigMap
        apply -f two.yaml --prune --all --prune-allowlist=core/v1/Nope
        apply -f two.yaml --subresource=status
        apply -f two.yaml -l app=none
        apply -f two.yaml -l =
        apply -f two.yaml --prune --applyset=set",
    );
    expect![[r#"
        $ apply
        error: must specify one of -f and -k
        exit 1
        $ apply -f two.yaml --force-conflicts
        error: --force-conflicts only works with --server-side
        exit 1
        $ apply -f two.yaml --server-side --dry-run=client
        error: --dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)
        exit 1
        $ apply -f two.yaml --server-side --force
        error: --force cannot be used with --server-side
        exit 1
        $ apply -f two.yaml --dry-run=server --force
        error: --dry-run=server cannot be used with --force
        exit 1
        $ apply -f two.yaml --all -l app=x
        error: cannot set --all and --selector at the same time
        exit 1
        $ apply -f two.yaml --prune
        error: all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector
        exit 1
        $ apply -f two.yaml --prune --all --force
        error: --force cannot be used with --prune
        exit 1
        $ apply -f two.yaml --prune --all --server-side
        error: --prune is in alpha and doesn't currently work on objects created by server-side apply
        exit 1
        $ apply -f two.yaml --prune --all --prune-allowlist=ConfigMap
        error: invalid GroupVersionKind format: ConfigMap, please follow <group/version/kind>
        exit 1
        $ apply -f two.yaml --prune --all --prune-allowlist=core/v1/Nope
        error: no matches for kind "Nope" in version "v1"
        exit 1
        $ apply -f two.yaml --subresource=status
        error: --subresource can only be specified for --server-side
        exit 1
        $ apply -f two.yaml -l app=none
        error: no objects passed to apply
        exit 1
        $ apply -f two.yaml -l =
        error: the provided selector "=" is not valid: found '=', expected: !, identifier, or 'end of string'
        exit 1
        $ apply -f two.yaml --prune --applyset=set
        error: unknown flag: --applyset
        See 'kubectl apply --help' for usage.
        exit 1
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_needs_a_parent_that_may_be_one() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "KUBECTL_APPLYSET=true apply -f two.yaml --applyset=set
        KUBECTL_APPLYSET=true apply -f two.yaml --prune --applyset=set
        KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=set --all
        KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=set -l app=x
        KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=set --prune-allowlist=core/v1/ConfigMap
        KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=pods/set
        KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=nope.example/set
        KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=secrets/
        create configmap set
        KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=configmaps/set
        get configmap a --ignore-not-found",
    );
    expect![[r#"
        $ KUBECTL_APPLYSET=true apply -f two.yaml --applyset=set
        error: --applyset requires --prune
        exit 1
        $ KUBECTL_APPLYSET=true apply -f two.yaml --prune --applyset=set
        error: namespace is required to use namespace-scoped ApplySet
        exit 1
        $ KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=set --all
        error: --all is incompatible with --applyset
        exit 1
        $ KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=set -l app=x
        error: --selector is incompatible with --applyset
        exit 1
        $ KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=set --prune-allowlist=core/v1/ConfigMap
        error: --prune-allowlist is incompatible with --applyset
        exit 1
        $ KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=pods/set
        error: resource "/v1, Resource=pods" is not permitted as an ApplySet parent
        exit 1
        $ KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=nope.example/set
        error: invalid parent reference "nope.example/set": no matches for example/, Resource=nope
        exit 1
        $ KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=secrets/
        error: invalid parent reference "secrets/": name cannot be blank
        exit 1
        $ create configmap set
        configmap/set created
        $ KUBECTL_APPLYSET=true apply -n shop -f two.yaml --prune --applyset=configmaps/set
        error: ApplySet parent object "configmaps./set" already exists and is missing required annotation "applyset.kubernetes.io/tooling"
        exit 1
        $ get configmap a --ignore-not-found
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_changed_is_replaced_by_force() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f fixed.yaml
        apply -f unfixed.yaml
        apply -f unfixed.yaml --force
        get configmap fixed -o jsonpath={.data}{.immutable}
        apply -f fixed.yaml
        apply -f wrong.yaml --force
        get configmap fixed -o jsonpath={.data}{.immutable}",
    );
    expect![[r#"
        $ apply -f fixed.yaml
        configmap/fixed created
        $ apply -f unfixed.yaml
        The ConfigMap "fixed" is invalid:
        * immutable: Forbidden: field is immutable when `immutable` is set
        * data: Forbidden: field is immutable when `immutable` is set
        exit 1
        $ apply -f unfixed.yaml --force
        configmap/fixed configured
        $ get configmap fixed -o jsonpath={.data}{.immutable}
        {"k":"2"}
        $ apply -f fixed.yaml
        configmap/fixed configured
        $ apply -f wrong.yaml --force
        The ConfigMap "fixed" is invalid: data[k/k]: Invalid value: "k/k": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')
        exit 1
        $ get configmap fixed -o jsonpath={.data}{.immutable}
        {"k":"1"}true
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_changed_is_overwritten_or_not() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f two.yaml
        apply set-last-applied -f one.yaml
        apply -f one.yaml --overwrite=false",
    );
    let transcript = transcript.await;
    let (before, patch) = transcript.split_once("creating patch with:\noriginal:\n{").unwrap();
    expect![[r#"
        $ apply -f two.yaml
        configmap/a created
        configmap/b created
        $ apply set-last-applied -f one.yaml
        configmap/a configured
        $ apply -f one.yaml --overwrite=false
        error: error when applying patch:

        to:
        Resource: "/v1, Resource=configmaps", GroupVersionKind: "/v1, Kind=ConfigMap"
        Name: "a", Namespace: "shop"
        for: "one.yaml": error when patching "one.yaml": "#]]
    .assert_eq(before);
    let (_, patch) = patch.split_once("\nfor: ").unwrap();
    // The order of the managers depends on the second of their times.
    let managed = Regex::new(r"(?s)  managedFields:\n.*?(  resourceVersion)").unwrap();
    let patch = managed.replace(patch, "$1");
    expect![[r#"
        patch:
        data:
          k: "2"
        metadata:
          annotations:
            kubectl.kubernetes.io/last-applied-configuration: |
              {"apiVersion":"v1","data":{"k":"2"},"kind":"ConfigMap","metadata":{"annotations":{},"labels":{"app":"x"},"name":"a","namespace":"shop"}}

        conflicts with changes made from original to current:
        data:
          k: "1"
        metadata:
          annotations:
            kubectl.kubernetes.io/last-applied-configuration: |
              {"apiVersion":"v1","data":{"k":"2"},"kind":"ConfigMap","metadata":{"labels":{"app":"x"},"name":"a","namespace":"shop"}}
          creationTimestamp: "TIME"
          resourceVersion: VERSION
          uid: UID

        exit 1
    "#]].assert_eq(&patch);
    let overwritten = session.run("apply -f one.yaml -o jsonpath={.data}").await;
    expect![[r#"
        $ apply -f one.yaml -o jsonpath={.data}
        {"k":"2"}
    "#]]
    .assert_eq(&overwritten);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_what_would_be() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f nulls.yaml --dry-run=client -o yaml
        apply -f nulls.yaml
        apply -f two.yaml
        apply -f one.yaml --dry-run=client -o jsonpath={.data}
        apply -f one.yaml --dry-run=server -o jsonpath={.data}
        get configmap a -o jsonpath={.data}
        apply -f two.yaml --dry-run=client",
    );
    expect![[r#"
        $ apply -f nulls.yaml --dry-run=client -o yaml
        apiVersion: v1
        data:
          k: "1"
        kind: ConfigMap
        metadata:
          annotations:
            kubectl.kubernetes.io/last-applied-configuration: |
              {"apiVersion":"v1","data":{"gone":null,"k":"1"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"nulls","namespace":"shop","resourceVersion":"7"}}
          name: nulls
          namespace: shop
        $ apply -f nulls.yaml
        configmap/nulls created
        $ apply -f two.yaml
        configmap/a created
        configmap/b created
        $ apply -f one.yaml --dry-run=client -o jsonpath={.data}
        {"k":"2"}
        $ apply -f one.yaml --dry-run=server -o jsonpath={.data}
        {"k":"2"}
        $ get configmap a -o jsonpath={.data}
        {"k":"1"}
        $ apply -f two.yaml --dry-run=client
        configmap/a unchanged (dry run)
        configmap/b unchanged (dry run)
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_applied_last_can_be_seen_and_set() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f two.yaml
        apply view-last-applied cm/a
        apply view-last-applied cm a -o json
        apply view-last-applied cm --all
        apply view-last-applied cm -l app=x -o xml
        apply view-last-applied cm
        apply view-last-applied cm/none
        apply set-last-applied -f two.yaml
        apply set-last-applied -f one.yaml --dry-run=client
        apply set-last-applied -f one.yaml --dry-run=server
        apply set-last-applied -f one.yaml
        apply view-last-applied -f one.yaml
        get configmap a -o jsonpath={.data}
        create configmap fixed
        apply view-last-applied configmap/fixed
        apply view-last-applied -f fixed.yaml
        apply set-last-applied -f fixed.yaml
        apply set-last-applied -f fixed.yaml --create-annotation -o name
        apply set-last-applied -f fixed.yaml",
    );
    expect![[r#"
        $ apply -f two.yaml
        configmap/a created
        configmap/b created
        $ apply view-last-applied cm/a
        apiVersion: v1
        data:
          k: "1"
        kind: ConfigMap
        metadata:
          annotations: {}
          labels:
            app: x
          name: a
          namespace: shop
        $ apply view-last-applied cm a -o json
        {
          "apiVersion": "v1",
          "data": {
            "k": "1"
          },
          "kind": "ConfigMap",
          "metadata": {
            "annotations": {},
            "labels": {
              "app": "x"
            },
            "name": "a",
            "namespace": "shop"
          }
        }
        $ apply view-last-applied cm --all
        apiVersion: v1
        data:
          k: "1"
        kind: ConfigMap
        metadata:
          annotations: {}
          labels:
            app: x
          name: a
          namespace: shop
        apiVersion: v1
        kind: ConfigMap
        metadata:
          annotations: {}
          labels:
            app: x
          name: b
          namespace: shop
        $ apply view-last-applied cm -l app=x -o xml
        error: Unexpected -o output mode: xml, the flag 'output' must be one of yaml|json
        See 'kubectl apply view-last-applied -h' for help and examples
        exit 1
        $ apply view-last-applied cm
        error: resource(s) were provided, but no name was specified
        exit 1
        $ apply view-last-applied cm/none
        Error from server (NotFound): configmaps "none" not found
        exit 1
        $ apply set-last-applied -f two.yaml
        configmap/a configured
        configmap/b configured
        $ apply set-last-applied -f one.yaml --dry-run=client
        configmap/a configured (dry run)
        $ apply set-last-applied -f one.yaml --dry-run=server
        configmap/a configured (server dry run)
        $ apply set-last-applied -f one.yaml
        configmap/a configured
        $ apply view-last-applied -f one.yaml
        apiVersion: v1
        data:
          k: "2"
        kind: ConfigMap
        metadata:
          labels:
            app: x
          name: a
          namespace: shop
        $ get configmap a -o jsonpath={.data}
        {"k":"1"}
        $ create configmap fixed
        configmap/fixed created
        $ apply view-last-applied configmap/fixed
        $ apply view-last-applied -f fixed.yaml
        error: error when no last-applied-configuration annotation found on resource: fixed
         "fixed.yaml": <nil>
        exit 1
        $ apply set-last-applied -f fixed.yaml
        error: no last-applied-configuration annotation found on resource: fixed, to create the annotation, run the command with --create-annotation
        exit 1
        $ apply set-last-applied -f fixed.yaml --create-annotation -o name
        configmap/fixed
        $ apply set-last-applied -f fixed.yaml
        set-last-applied fixed: no changes required.
    "#]].assert_eq(&transcript.await);
}
