//! Server-side apply beyond the recorded cases.

use expect_test::expect;

use crate::session::Session;

const FILES: &str = r#"-- one.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {gone: x, k: "1"}
-- two.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {k: "2"}
-- fields.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: a, managedFields: [{manager: me}]}
-- set.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: member}
-- other.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
"#;

/// Fields that client-side apply has set are removed when they are no longer in the file.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_applied_by_the_client_is_taken_over() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f one.yaml
        apply --server-side -f two.yaml
        get configmap a -o yaml --show-managed-fields
        apply --server-side -f two.yaml",
    );
    expect![[r#"
        $ apply -f one.yaml
        configmap/a created
        $ apply --server-side -f two.yaml
        configmap/a serverside-applied
        $ get configmap a -o yaml --show-managed-fields
        apiVersion: v1
        data:
          k: "2"
        kind: ConfigMap
        metadata:
          annotations:
            kubectl.kubernetes.io/last-applied-configuration: |
              {"apiVersion":"v1","data":{"k":"2"},"kind":"ConfigMap","metadata":{"name":"a","namespace":"shop"}}
          creationTimestamp: "TIME"
          managedFields:
          - apiVersion: v1
            fieldsType: FieldsV1
            fieldsV1:
              f:metadata:
                f:annotations:
                  f:kubectl.kubernetes.io/last-applied-configuration: {}
            manager: kubectl-last-applied
            operation: Apply
          - apiVersion: v1
            fieldsType: FieldsV1
            fieldsV1:
              f:data:
                f:k: {}
            manager: kubectl
            operation: Apply
            time: "TIME"
          name: a
          namespace: shop
          resourceVersion: VERSION
          uid: UID
        $ apply --server-side -f two.yaml
        configmap/a serverside-applied
    "#]].assert_eq(&transcript.await);
}

/// Another field manager takes no fields over, and gets a warning.
#[tokio::test(flavor = "multi_thread")]
async fn fields_of_others_are_a_conflict() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f one.yaml
        apply --server-side --field-manager=flux -f two.yaml
        apply --server-side --field-manager=flux --force-conflicts -f two.yaml
        get configmap a -o jsonpath={.data}
        apply --server-side -f fields.yaml",
    );
    expect![[r#"
        $ apply -f one.yaml
        configmap/a created
        $ apply --server-side --field-manager=flux -f two.yaml
        error: Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.k
        Please review the fields above--they currently have other managers. Here
        are the ways you can resolve this warning:
        * If you intend to manage all of these fields, please re-run the apply
          command with the `--force-conflicts` flag.
        * If you do not intend to manage all of the fields, please edit your
          manifest to remove references to the fields that should keep their
          current managers.
        * You may co-own fields by updating your manifest to match the existing
          value; in this case, you'll become the manager if the other manager(s)
          stop managing the field (remove it from their configuration).
        See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
        exit 1
        $ apply --server-side --field-manager=flux --force-conflicts -f two.yaml
        configmap/a serverside-applied
        $ get configmap a -o jsonpath={.data}
        {"k":"2"}
        $ apply --server-side -f fields.yaml
        Error from server (BadRequest): metadata.managedFields must be nil
        exit 1
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_are_what_the_server_would_make() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "diff --server-side -f one.yaml
        apply --server-side -f one.yaml
        diff --server-side -f one.yaml
        diff --server-side -f two.yaml
        diff --server-side --field-manager=flux -f two.yaml
        get configmap a -o jsonpath={.data}",
    );
    expect![[r#"
        $ diff --server-side -f one.yaml
        diff -u -N TMP/LIVE/v1.ConfigMap.shop.a TMP/MERGED/v1.ConfigMap.shop.a
        --- TMP/LIVE/v1.ConfigMap.shop.a	TIME
        +++ TMP/MERGED/v1.ConfigMap.shop.a	TIME
        @@ -0,0 +1,10 @@
        +apiVersion: v1
        +data:
        +  gone: x
        +  k: "1"
        +kind: ConfigMap
        +metadata:
        +  creationTimestamp: "TIME"
        +  name: a
        +  namespace: shop
        +  uid: UID
        exit 1
        $ apply --server-side -f one.yaml
        configmap/a serverside-applied
        $ diff --server-side -f one.yaml
        $ diff --server-side -f two.yaml
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
           creationTimestamp: "TIME"
        exit 1
        $ diff --server-side --field-manager=flux -f two.yaml
        Warning: Object (/v1, Kind=ConfigMap: a) keeps changing, diffing without lock
        Error from server (Conflict): Apply failed with 1 conflict: conflict with "kubectl": .data.k
        exit 2
        $ get configmap a -o jsonpath={.data}
        {"gone":"x","k":"1"}
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_leave_a_set_are_pruned() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "KUBECTL_APPLYSET=true apply --prune --applyset=secrets/mine --server-side -f set.yaml -f other.yaml -n shop
        KUBECTL_APPLYSET=true apply --prune --applyset=secrets/mine --server-side -f set.yaml -n shop
        get configmaps -n shop -o name
        get secret mine -n shop -o jsonpath={.metadata.annotations}",
    );
    expect![[r#"
        $ KUBECTL_APPLYSET=true apply --prune --applyset=secrets/mine --server-side -f set.yaml -f other.yaml -n shop
        configmap/member serverside-applied
        configmap/other serverside-applied
        $ KUBECTL_APPLYSET=true apply --prune --applyset=secrets/mine --server-side -f set.yaml -n shop
        configmap/member serverside-applied
        configmap/other pruned
        $ get configmaps -n shop -o name
        configmap/member
        $ get secret mine -n shop -o jsonpath={.metadata.annotations}
        {"applyset.kubernetes.io/additional-namespaces":"","applyset.kubernetes.io/contains-group-kinds":"ConfigMap","applyset.kubernetes.io/tooling":"kubectl/v0.1.0"}
    "#]].assert_eq(&transcript.await);
}
