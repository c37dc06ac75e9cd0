//! `get --sort-by`. What is printed is what kubectl prints.

use expect_test::expect;

use crate::session::Session;

const FILES: &str = r#"-- all.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {size: 10Mi, even: "x"}}
data: {k: "3"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, labels: {size: 2Gi}}
data: {k: "20"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {k: "1"}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn objects_come_in_the_order_of_a_field() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "create -f all.yaml
        get configmap --sort-by=.data.k
        get configmap --sort-by=data.k -o name
        get configmap --sort-by={.metadata.labels.size} -o name
        get configmap --sort-by={.metadata.labels.size} --no-headers
        get configmap,secret --sort-by=.metadata.name -o name
        get configmap c a --sort-by=.metadata.name -o name
        get configmap c --sort-by=.nothing",
    );
    expect![[r#"
        $ create -f all.yaml
        configmap/a created
        configmap/b created
        configmap/c created
        secret/s created
        $ get configmap --sort-by=.data.k
        NAME   DATA   AGE
        c      1      AGE
        a      1      AGE
        b      1      AGE
        $ get configmap --sort-by=data.k -o name
        configmap/c
        configmap/a
        configmap/b
        $ get configmap --sort-by={.metadata.labels.size} -o name
        configmap/c
        configmap/a
        configmap/b
        $ get configmap --sort-by={.metadata.labels.size} --no-headers
        c     1     AGE
        a     1     AGE
        b     1     AGE
        $ get configmap,secret --sort-by=.metadata.name -o name
        configmap/a
        configmap/b
        configmap/c
        secret/s
        $ get configmap c a --sort-by=.metadata.name -o name
        configmap/a
        configmap/c
        $ get configmap c --sort-by=.nothing
        NAME   DATA   AGE
        c      1      AGE
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_nothing_can_be_sorted_by_is_named_where_kubectl_names_it() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "create -f all.yaml
        get configmap --sort-by=.nothing -o name
        get configmap --sort-by={.metadata. -o name
        get configmap --sort-by=x{y -o name
        get configmap --sort-by=.data -o name
        get configmap --sort-by=.nothing
        get configmap --sort-by=.data
        get configmap,secret --sort-by=.metadata.name
        get configmap a b --sort-by=.metadata.name
        get configmap nothing --sort-by=.metadata.name",
    );
    expect![[r#"
        $ create -f all.yaml
        configmap/a created
        configmap/b created
        configmap/c created
        secret/s created
        $ get configmap --sort-by=.nothing -o name
        error: couldn't find any field with path "{.nothing}" in the list of objects
        exit 1
        $ get configmap --sort-by={.metadata. -o name
        error: unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'
        exit 1
        $ get configmap --sort-by=x{y -o name
        error: unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'
        exit 1
        $ get configmap --sort-by=.data -o name
        error: Field {.data} is an unsortable type: map[string]interface {}
        exit 1
        $ get configmap --sort-by=.nothing
        No resources found in shop namespace.
        $ get configmap --sort-by=.data
        error: Field {.data} is an unsortable type: map[string]interface {}
        exit 1
        $ get configmap,secret --sort-by=.metadata.name
        error: couldn't find any field with path "{.metadata.name}" in the list of objects
        exit 1
        $ get configmap a b --sort-by=.metadata.name
        error: couldn't find any field with path "{.metadata.name}" in the list of objects
        exit 1
        $ get configmap nothing --sort-by=.metadata.name
        Error from server (NotFound): configmaps "nothing" not found
        exit 1
    "#]]
    .assert_eq(&transcript.await);
}
