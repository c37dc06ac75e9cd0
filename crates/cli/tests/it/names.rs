//! Resources and objects by name, as arguments have them.

use expect_test::expect;

use crate::session::Session;

const FILES: &str = r#"-- definitions.yaml --
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: volumes.zzz.io}
spec:
  group: zzz.io
  scope: Namespaced
  names: {plural: volumes, singular: volume, kind: Volume, shortNames: [vol, vols]}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: volcanoes.aaa.io}
spec:
  group: aaa.io
  scope: Cluster
  names: {plural: volcanoes, singular: volcano, kind: Volcano, shortNames: [vol, cm]}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
  - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}
-- a.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_beginning_of_a_group_is_enough() {
    let session = Session::new(FILES).await;
    session.run("apply -f definitions.yaml").await;
    let transcript = session.run(
        "get vols.zzz
        get volumes.z
        get volume.zzz.io
        get volcanoes.a
        get deploy.app
        get Deployment.app
        get volumes.v1.zzz
        get Vols.nope
        get nope.v1.apps
        delete vols.zzz x
        apply view-last-applied volumes.zz x",
    );
    expect![[r#"
        $ get vols.zzz
        No resources found in shop namespace.
        $ get volumes.z
        No resources found in shop namespace.
        $ get volume.zzz.io
        No resources found in shop namespace.
        $ get volcanoes.a
        No resources found
        $ get deploy.app
        No resources found in shop namespace.
        $ get Deployment.app
        No resources found in shop namespace.
        $ get volumes.v1.zzz
        error: the server doesn't have a resource type "volumes" in group "v1.zzz"
        exit 1
        $ get Vols.nope
        error: the server doesn't have a resource type "Vols" in group "nope"
        exit 1
        $ get nope.v1.apps
        error: the server doesn't have a resource type "nope" in group "v1.apps"
        exit 1
        $ delete vols.zzz x
        Error from server (NotFound): volumes.zzz.io "x" not found
        exit 1
        $ apply view-last-applied volumes.zz x
        Error from server (NotFound): volumes.zzz.io "x" not found
        exit 1
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_name_of_two_kinds_is_warned_of() {
    let session = Session::new(FILES).await;
    session.run("apply -f definitions.yaml -f a.yaml").await;
    let transcript = session.run(
        "get vol
        get cm -o name
        get cm/a cm/a -o name
        get cm.aaa.io
        get configmap -o name
        delete vol x",
    );
    expect![[r#"
        $ get vol
        Warning: short name "vol" could also match lower priority resource volumes.zzz.io
        No resources found
        $ get cm -o name
        configmap/a
        Warning: short name "cm" could also match lower priority resource volcanoes.aaa.io
        $ get cm/a cm/a -o name
        configmap/a
        configmap/a
        Warning: short name "cm" could also match lower priority resource volcanoes.aaa.io
        $ get cm.aaa.io
        No resources found
        $ get configmap -o name
        configmap/a
        $ delete vol x
        Warning: short name "vol" could also match lower priority resource volumes.zzz.io
        Error from server (NotFound): volcanoes.aaa.io "x" not found
        exit 1
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_type_or_name_is_refused() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f a.yaml
        get configmap,
        get ,
        get ''
        get configmap ''
        get configmap '' a -o name
        get configmap/
        delete configmap ''
        delete configmap, a
        apply view-last-applied configmap ''",
    );
    expect![[r#"
        $ apply -f a.yaml
        configmap/a created
        $ get configmap,
        error: the server doesn't have a resource type ""
        exit 1
        $ get ,
        error: the server doesn't have a resource type ""
        exit 1
        $ get ''
        error: the server doesn't have a resource type ""
        exit 1
        $ get configmap ''
        error: resource name may not be empty
        exit 1
        $ get configmap '' a -o name
        error: resource name may not be empty
        exit 1
        $ get configmap/
        error: arguments in resource/name form must have a single resource and name
        exit 1
        $ delete configmap ''
        error: resource name may not be empty
        exit 1
        $ delete configmap, a
        error: arguments in resource/name form must have a single resource and name
        exit 1
        $ apply view-last-applied configmap ''
        error: resource name may not be empty
        exit 1
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_behind_several_types_are_objects_of_each() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "apply -f a.yaml
        get configmap,secret a
        get configmap,cm,configmaps -o name
        get configmap,configmaps
        delete configmap,secret b
        delete configmap a --all
        delete configmap/a --all
        delete configmap/a -l x=y
        get configmap/a -l x=y
        get namespace shop -A -o name
        delete namespace/shop configmap/a -n shop --dry-run=client
        get configmap -o name",
    );
    expect![[r#"
        $ apply -f a.yaml
        configmap/a created
        $ get configmap,secret a
        NAME   DATA   AGE
        a      0      AGE
        Error from server (NotFound): secrets "a" not found
        exit 1
        $ get configmap,cm,configmaps -o name
        configmap/a
        $ get configmap,configmaps
        NAME   DATA   AGE
        a      0      AGE
        $ delete configmap,secret b
        Error from server (NotFound): configmaps "b" not found
        Error from server (NotFound): secrets "b" not found
        exit 1
        $ delete configmap a --all
        error: name cannot be provided when a selector is specified
        exit 1
        $ delete configmap/a --all
        error: selectors and the all flag cannot be used when passing resource/name arguments
        exit 1
        $ delete configmap/a -l x=y
        error: selectors and the all flag cannot be used when passing resource/name arguments
        exit 1
        $ get configmap/a -l x=y
        error: selectors and the all flag cannot be used when passing resource/name arguments
        exit 1
        $ get namespace shop -A -o name
        namespace/shop
        $ delete namespace/shop configmap/a -n shop --dry-run=client
        namespace "shop" deleted (dry run)
        configmap "a" deleted from shop namespace (dry run)
        Warning: deleting cluster-scoped resources, not scoped to the provided namespace
        $ get configmap -o name
        configmap/a
    "#]]
    .assert_eq(&transcript.await);
}
