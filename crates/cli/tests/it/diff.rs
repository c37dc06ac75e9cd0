//! `diff` beyond the recorded cases. What is printed is what kubectl prints.

use expect_test::expect;

use crate::session::Session;

const FILES: &str = r#"-- a.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {gone: x, k: "1"}
-- changed.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {k: "2"}
-- secret.yaml --
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {changed: one, same: x}
-- secret2.yaml --
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {changed: two, same: x}
-- namespace.yaml --
apiVersion: v1
kind: Namespace
metadata: {name: new}
-- wrong.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {"k/k": "2"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn differences_are_shown_and_told_by_the_exit_code() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f a.yaml
        diff -f a.yaml
        diff -f changed.yaml
        diff -f namespace.yaml
        get configmap a -o jsonpath={.data}",
    );
    expect![[r#"
        $ apply -f a.yaml
        configmap/a created
        $ diff -f a.yaml
        $ diff -f changed.yaml
        diff -u -N TMP/LIVE/v1.ConfigMap.shop.a TMP/MERGED/v1.ConfigMap.shop.a
        --- TMP/LIVE/v1.ConfigMap.shop.a	TIME
        +++ TMP/MERGED/v1.ConfigMap.shop.a	TIME
        @@ -1,7 +1,6 @@
         apiVersion: v1
         data:
        -  gone: x
        -  k: "1"
        +  k: "2"
         kind: ConfigMap
         metadata:
           annotations:
        exit 1
        $ diff -f namespace.yaml
        diff -u -N TMP/LIVE/v1.Namespace..new TMP/MERGED/v1.Namespace..new
        --- TMP/LIVE/v1.Namespace..new	TIME
        +++ TMP/MERGED/v1.Namespace..new	TIME
        @@ -0,0 +1,13 @@
        +apiVersion: v1
        +kind: Namespace
        +metadata:
        +  creationTimestamp: "TIME"
        +  labels:
        +    kubernetes.io/metadata.name: new
        +  name: new
        +  uid: UID
        +spec:
        +  finalizers:
        +  - kubernetes
        +status:
        +  phase: Active
        exit 1
        $ get configmap a -o jsonpath={.data}
        {"gone":"x","k":"1"}
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_end_with_two() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "diff
        diff x.yaml
        diff --nope
        diff -f missing.yaml
        diff -f a.yaml --force-conflicts
        diff -f a.yaml -l =
        diff -f a.yaml --prune --prune-allowlist=ConfigMap
        diff -f wrong.yaml
        KUBECTL_EXTERNAL_DIFF=no-such-program diff -f a.yaml
        KUBECTL_EXTERNAL_DIFF=false+-x diff -f a.yaml
        LC_ALL=C KUBECTL_EXTERNAL_DIFF=diff+--nope diff -f a.yaml
        KUBECTL_EXTERNAL_DIFF=true+/etc/passwd diff -f a.yaml",
    );
    expect![[r#"
        $ diff
        error: must specify one of -f and -k
        exit 2
        $ diff x.yaml
        error: Unexpected args: [x.yaml]
        See 'kubectl diff -h' for help and examples
        exit 2
        $ diff --nope
        error: unknown flag: --nope
        See 'kubectl diff -h' for help and examples
        exit 2
        $ diff -f missing.yaml
        error: the path "missing.yaml" does not exist
        exit 2
        $ diff -f a.yaml --force-conflicts
        error: --force-conflicts only works with --server-side
        exit 2
        $ diff -f a.yaml -l =
        error: the provided selector "=" is not valid: found '=', expected: !, identifier, or 'end of string'
        exit 2
        $ diff -f a.yaml --prune --prune-allowlist=ConfigMap
        error: invalid GroupVersionKind format: ConfigMap, please follow <group/version/kind>
        exit 2
        $ diff -f wrong.yaml
        The ConfigMap "a" is invalid: data[k/k]: Invalid value: "k/k": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')
        exit 2
        $ KUBECTL_EXTERNAL_DIFF=no-such-program diff -f a.yaml
        error: failed to run "no-such-program": executable file not found in $PATH
        exit 2
        $ KUBECTL_EXTERNAL_DIFF=false+-x diff -f a.yaml
        exit 1
        $ LC_ALL=C KUBECTL_EXTERNAL_DIFF=diff+--nope diff -f a.yaml
        diff: unrecognized option '--nope'
        diff: Try 'diff --help' for more information.
        error: failed to run "diff": exit status 2
        exit 2
        $ KUBECTL_EXTERNAL_DIFF=true+/etc/passwd diff -f a.yaml
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_masked() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "diff -f secret.yaml
        apply -f secret.yaml
        diff -f secret2.yaml
        diff -f secret2.yaml --show-secrets",
    );
    expect![[r#"
        $ diff -f secret.yaml
        diff -u -N TMP/LIVE/v1.Secret.shop.s TMP/MERGED/v1.Secret.shop.s
        --- TMP/LIVE/v1.Secret.shop.s	TIME
        +++ TMP/MERGED/v1.Secret.shop.s	TIME
        @@ -1 +1,11 @@
        -null
        +apiVersion: v1
        +data:
        +  changed: '***'
        +  same: '***'
        +kind: Secret
        +metadata:
        +  creationTimestamp: "TIME"
        +  name: s
        +  namespace: shop
        +  uid: UID
        +type: Opaque
        exit 1
        $ apply -f secret.yaml
        secret/s created
        $ diff -f secret2.yaml
        diff -u -N TMP/LIVE/v1.Secret.shop.s TMP/MERGED/v1.Secret.shop.s
        --- TMP/LIVE/v1.Secret.shop.s	TIME
        +++ TMP/MERGED/v1.Secret.shop.s	TIME
        @@ -1,6 +1,6 @@
         apiVersion: v1
         data:
        -  changed: '*** (before)'
        +  changed: '*** (after)'
           same: '***'
         kind: Secret
         metadata:
        exit 1
        $ diff -f secret2.yaml --show-secrets
        diff -u -N TMP/LIVE/v1.Secret.shop.s TMP/MERGED/v1.Secret.shop.s
        --- TMP/LIVE/v1.Secret.shop.s	TIME
        +++ TMP/MERGED/v1.Secret.shop.s	TIME
        @@ -1,6 +1,6 @@
         apiVersion: v1
         data:
        -  changed: b25l
        +  changed: dHdv
           same: eA==
         kind: Secret
         metadata:
        exit 1
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pruning_would_delete_is_shown() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f a.yaml -f secret.yaml
        KUBECTL_EXTERNAL_DIFF=diff+-N+-q diff -f secret.yaml --prune
        KUBECTL_EXTERNAL_DIFF=diff+-N+-q diff -f secret.yaml --prune --prune-allowlist=core/v1/Secret
        KUBECTL_EXTERNAL_DIFF=diff+-N+-q diff -f secret.yaml --prune -l app=x",
    );
    expect![[r#"
        $ apply -f a.yaml -f secret.yaml
        configmap/a created
        secret/s created
        $ KUBECTL_EXTERNAL_DIFF=diff+-N+-q diff -f secret.yaml --prune
        Files TMP/LIVE/v1.ConfigMap.shop.a and TMP/MERGED/v1.ConfigMap.shop.a differ
        Warning: Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.
        Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice
        exit 1
        $ KUBECTL_EXTERNAL_DIFF=diff+-N+-q diff -f secret.yaml --prune --prune-allowlist=core/v1/Secret
        $ KUBECTL_EXTERNAL_DIFF=diff+-N+-q diff -f secret.yaml --prune -l app=x
        Warning: Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.
    "#]]
    .assert_eq(&transcript.await);
}
