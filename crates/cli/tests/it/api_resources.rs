//! `api-resources`, as klient and as this machine's kubectl do it.

use expect_test::expect;

use crate::playground::{Playground, Program};
use crate::session::Session;

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: coupons.shop.example}
spec:
  group: shop.example
  scope: Namespaced
  names: {plural: coupons, singular: coupon, kind: Coupon, shortNames: [cpn], categories: [all]}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
";

#[tokio::test(flavor = "multi_thread")]
async fn klient_lists_built_in_and_custom_resources() {
    let playground = Playground::new().await;
    define(&playground).await;
    let all = list(&playground, &Program::klient(), &[]).await;
    let lines: Vec<Vec<&str>> = all.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]);
    for line in [
        &["bindings", "v1", "true", "Binding"][..],
        &["pods", "po", "v1", "true", "Pod"],
        &["deployments", "deploy", "apps/v1", "true", "Deployment"],
        &["clusterroles", "rbac.authorization.k8s.io/v1", "false", "ClusterRole"],
        &["coupons", "cpn", "shop.example/v1", "true", "Coupon"],
    ] {
        assert!(lines.iter().any(|other| other == line), "{line:?} in\n{all}");
    }
    let names = list(&playground, &Program::klient(), &["--api-group=shop.example", "-o", "name"]).await;
    assert_eq!(names, "coupons.shop.example\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn klient_and_kubectl_list_the_same() {
    let Some(kubectl) = Program::kubectl() else {
        eprintln!("skipped: kubectl.1.33 is not installed");
        return;
    };
    let playground = Playground::new().await;
    define(&playground).await;
    for args in [
        &[][..],
        &["-o", "wide"],
        &["-o", "name"],
        &["--namespaced=false"],
        &["--api-group=apps", "--no-headers"],
        &["--sort-by=kind"],
        &["--sort-by=name", "--verbs=list,watch"],
        &["--categories=all"],
    ] {
        let klients = list(&playground, &Program::klient(), args).await;
        assert_eq!(klients, list(&playground, &kubectl, args).await, "{args:?}");
    }
}

async fn define(playground: &Playground) {
    playground.set_up(&["apply".to_owned(), "-f".to_owned(), "-".to_owned()], Some(DEFINITION)).await;
}

async fn list(playground: &Playground, program: &Program, args: &[&str]) -> String {
    let args: Vec<String> =
        ["api-resources"].iter().chain(args).map(|argument| (*argument).to_owned()).collect();
    let listed = playground.run(program, "admin", &args, None).await;
    assert_eq!((listed.exit, listed.stderr.as_str()), (0, ""), "{args:?}");
    listed.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_refused() {
    let session = Session::new("").await;
    let transcript = session.run(
        "api-resources x
        api-versions x
        version x",
    );
    expect![[r#"
        $ api-resources x
        error: unexpected arguments: [x]
        See 'kubectl api-resources -h' for help and examples
        exit 1
        $ api-versions x
        error: unexpected arguments: [x]
        See 'kubectl api-versions -h' for help and examples
        exit 1
        $ version x
        error: extra arguments: [x]
        exit 1
    "#]]
    .assert_eq(&transcript.await);
}

/// kubectl says it in other words where a command needs a namespace.
#[tokio::test(flavor = "multi_thread")]
async fn a_context_that_is_not_there_is_named_as_by_kubectl() {
    let playground = Playground::new().await;
    for (args, problem) in [
        (&["api-resources", "--context=no"][..], "error: context \"no\" does not exist\n"),
        (&["api-versions", "--context=no"], "error: context \"no\" does not exist\n"),
        (&["version", "--context=no"], "error: context \"no\" does not exist\n"),
        (&["version", "--cluster=no"], "error: cluster \"no\" does not exist\n"),
        (&["version", "--user=no"], "error: auth info \"no\" does not exist\n"),
        (
            &["get", "namespaces", "--context=no"],
            "Error in configuration: context was not found for specified context: no\n",
        ),
    ] {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let done = playground.run(&Program::klient(), "admin", &args, None).await;
        assert_eq!((done.stderr.as_str(), done.exit), (problem, 1), "{args:?}");
    }
}
