//! `kubectl explain`, and files with kinds that do not exist, with this machine's kubectl: both read OpenAPI documents.

use std::collections::BTreeSet;
use std::sync::Arc;

use klient_apimachinery::schema::{ResourceSchema, Schema, Type};

use crate::playground::{Playground, Program};

fn words(args: &[&str]) -> Vec<String> {
    args.iter().map(|word| (*word).to_owned()).collect()
}

/// The paths of the fields that a recursive explanation shows, by their indentation.
fn explained(output: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let mut above: Vec<(usize, &str)> = Vec::new();
    let fields = output.lines().skip_while(|line| !line.starts_with("FIELDS"));
    for (name, _) in fields.filter_map(|line| line.split_once("\t<")) {
        let depth = name.len() - name.trim_start().len();
        above.retain(|(other, _)| *other < depth);
        above.push((depth, name.trim_start()));
        paths.insert(above.iter().map(|(_, name)| *name).collect::<Vec<_>>().join("."));
    }
    paths
}

/// Adds the paths of the fields of a struct; a struct within itself is not entered, as in kubectl.
fn add_fields(
    schema: &'static Schema,
    above: &str,
    within: &[&'static Schema],
    paths: &mut BTreeSet<String>,
) {
    if klient_schema::KINDS.iter().any(|(_, _, kind)| *kind == schema) {
        paths.extend(["apiVersion", "kind"].map(|name| format!("{above}{name}")));
    }
    let within: Vec<&'static Schema> = within.iter().copied().chain([schema]).collect();
    for field in schema.fields {
        let path = format!("{above}{}", field.json);
        if let Some(inner) = structure(&field.ty).filter(|inner| !within.contains(inner)) {
            add_fields(inner, &format!("{path}."), &within, paths);
        }
        paths.insert(path);
    }
}

/// The struct in a type.
fn structure(ty: &Type) -> Option<&'static Schema> {
    match ty {
        Type::Message(schema) => Some(schema),
        Type::List(item) | Type::Map(item) => structure(item),
        _ => None,
    }
}

async fn explain(playground: &Playground, kubectl: &Program, resource: &ResourceSchema, output: &str) {
    let api_version = match resource.group {
        "" => resource.version.to_owned(),
        group => format!("{group}/{}", resource.version),
    };
    let args = ["explain", resource.plural, "--api-version", &api_version, "--recursive", "--output", output];
    let done = playground.run(kubectl, "admin", &words(&args), None).await;
    assert_eq!((done.exit, done.stderr.as_str()), (0, ""), "{args:?}");
    let mut expected = BTreeSet::new();
    add_fields(resource.schema, "", &[], &mut expected);
    let found = explained(&done.stdout);
    let differences: Vec<&String> = found.symmetric_difference(&expected).collect();
    assert!(differences.is_empty(), "{args:?}: {differences:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_explains_every_field_of_every_kind() {
    let Some(kubectl) = Program::kubectl() else {
        eprintln!("skipped: kubectl.1.33 is not installed");
        return;
    };
    let playground = Arc::new(Playground::new().await);
    let served: Vec<&'static ResourceSchema> =
        klient_schema::RESOURCES.iter().copied().flatten().filter(|resource| resource.served).collect();
    assert!(served.len() > 60);
    let mut running = tokio::task::JoinSet::new();
    for at in 0..4 {
        let (playground, kubectl, served) = (playground.clone(), kubectl.clone(), served.clone());
        running.spawn(async move {
            for resource in served.into_iter().skip(at).step_by(4) {
                for output in ["plaintext", "plaintext-openapiv2"] {
                    explain(&playground, &kubectl, resource, output).await;
                }
            }
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_says_that_a_field_does_not_exist() {
    let Some(kubectl) = Program::kubectl() else {
        eprintln!("skipped: kubectl.1.33 is not installed");
        return;
    };
    let playground = Playground::new().await;
    let done = playground.run(&kubectl, "admin", &words(&["explain", "pod.nosuch"]), None).await;
    assert_eq!((done.exit, done.stderr.as_str()), (1, "error: field \"nosuch\" does not exist\n"));
    let done =
        playground.run(&kubectl, "admin", &words(&["explain", "deployment.spec.strategy"]), None).await;
    assert!(
        done.stdout.contains("Method by which a deployment replaces old pods by new ones."),
        "{}",
        done.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_creates_what_exists_of_a_file_with_unknown_kinds() {
    const FILE: &str = "\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: l1}}
- {apiVersion: v1, kind: Konfig, metadata: {name: l2}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: l3}}
---
apiVersion: no.such/v1
kind: Thing
metadata: {name: t1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: l4}
";
    const UNKNOWN: &str = "\
unable to recognize no matches for kind \"Konfig\" in version \"v1\"
resource mapping not found for name: \"t1\" namespace: \"\" from \"STDIN\": no matches for kind \"Thing\" in version \"no.such/v1\"
ensure CRDs are installed first
";
    let Some(kubectl) = Program::kubectl() else {
        eprintln!("skipped: kubectl.1.33 is not installed");
        return;
    };
    let playground = Playground::new().await;
    playground.set_up(&words(&["create", "ns", "shop"]), None).await;
    let done = playground.run(&kubectl, "admin", &words(&["create", "-f", "-"]), Some(FILE)).await;
    assert_eq!(done.stdout, "configmap/l1 created\nconfigmap/l3 created\nconfigmap/l4 created\n");
    assert_eq!((done.exit, done.stderr.as_str()), (1, UNKNOWN));
}
