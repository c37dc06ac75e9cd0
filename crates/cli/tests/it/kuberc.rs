//! Aliases of commands and defaults of flags in kuberc.

use crate::playground::{Playground, Program};

const PREFERENCE: &str = "
apiVersion: kubectl.config.k8s.io/v1beta1
kind: Preference
defaults:
- {command: get, options: [{name: output, default: name}]}
- {command: create namespace, options: [{name: dry-run, default: client}, {name: output, default: name}]}
aliases:
- {name: getn, command: get, prependArgs: [namespaces], options: [{name: output, default: name}]}
- {name: mkns, command: create namespace, appendArgs: [shop, --dry-run=client], options: [{name: output, default: name}]}
- {name: get, command: delete}
";

/// The output of klient with a kuberc, on either stream.
async fn run(playground: &Playground, kuberc: &str, arguments: &str) -> String {
    playground.write_bytes("rc", kuberc.as_bytes());
    let arguments = format!("{arguments} --kuberc=rc");
    let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
    let done = playground.run(&Program::klient(), "admin", &arguments, None).await;
    format!("{}{}", done.stdout, done.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_and_defaults_change_the_arguments() {
    let playground = Playground::new().await;
    for (arguments, expected) in [
        ("get namespaces default", "namespace/default\n"),
        ("-n shop get namespaces default", "namespace/default\n"),
        ("get namespaces default -ojsonpath={.metadata.name}", "default"),
        ("get namespaces default --output=jsonpath={.metadata.name}", "default"),
        ("create namespace shop", "namespace/shop\n"),
        ("create namespace shop -o jsonpath={.metadata.name}", "shop"),
        ("getn default", "namespace/default\n"),
        ("-n shop getn default -o jsonpath={.metadata.name}", "default"),
        ("mkns", "namespace/shop\n"),
    ] {
        assert_eq!(run(&playground, PREFERENCE, arguments).await, expected, "{arguments}");
        // The names of the first version.
        let first = PREFERENCE.replace("v1beta1", "v1alpha1");
        let first = first.replace("defaults:", "overrides:").replace("options:", "flags:");
        assert_eq!(run(&playground, &first, arguments).await, expected, "{arguments}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_alias_or_default_is_named_as_by_kubectl() {
    let playground = Playground::new().await;
    for (fields, arguments, problem) in [
        (
            "aliases: [{name: get-n, command: get}]",
            "get pods",
            "invalid alias name, can only include alphabetical characters",
        ),
        ("aliases: [{name: a, command: get}, {name: a, command: get}]", "get pods", "duplicate alias name a"),
        (
            "aliases: [{name: a, command: get, options: [{name: -o}]}]",
            "get pods",
            "flag name -o should be in long form without dashes",
        ),
        (
            "aliases: [{name: a, command: get, options: [{name: nope, default: x}]}]",
            "a pods",
            "invalid alias flag nope in alias kubectl",
        ),
        (
            "aliases: [{name: a, command: nope}]",
            "a pods",
            r#"command "nope" not found to set alias "a": [nope]"#,
        ),
        (
            "defaults: [{command: get, options: [{name: nope, default: x}]}]",
            "get pods",
            "invalid flag nope for command get",
        ),
    ] {
        let kuberc = format!("apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n{fields}\n");
        let expected = format!("error occurred while applying preferences {problem}\n");
        assert_eq!(run(&playground, &kuberc, arguments).await, expected, "{fields}");
    }
    let done = playground.run(&Program::klient(), "admin", &["getn".into()], None).await;
    assert!(done.stderr.contains("unknown command \"getn\""), "{done:?}");
}
