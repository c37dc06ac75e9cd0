//! Flags as kubectl parses them, and usage errors.

use expect_test::expect;

use crate::session::Session;

const FILES: &str = r#"-- a.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn diff_ends_with_two_where_its_command_line_cannot_be_understood() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "diff -f
        diff --filename
        diff -f a.yaml -l
        diff -n
        -n shop diff --field-manager
        diff --server-side=x
        diff -f a.yaml --request-timeout=x
        diff -f a.yaml --kubeconfig missing",
    );
    expect![[r#"
        $ diff -f
        error: flag needs an argument: 'f' in -f
        See 'kubectl diff -h' for help and examples
        exit 2
        $ diff --filename
        error: flag needs an argument: --filename
        See 'kubectl diff -h' for help and examples
        exit 2
        $ diff -f a.yaml -l
        error: flag needs an argument: 'l' in -l
        See 'kubectl diff -h' for help and examples
        exit 2
        $ diff -n
        error: flag needs an argument: 'n' in -n
        See 'kubectl diff -h' for help and examples
        exit 2
        $ -n shop diff --field-manager
        error: flag needs an argument: --field-manager
        See 'kubectl diff -h' for help and examples
        exit 2
        $ diff --server-side=x
        error: invalid argument "x" for "--server-side" flag: strconv.ParseBool: parsing "x": invalid syntax
        See 'kubectl diff -h' for help and examples
        exit 2
        $ diff -f a.yaml --request-timeout=x
        error: Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. AGE | AGE | 3h)
        exit 2
        $ diff -f a.yaml --kubeconfig missing
        error: stat missing: no such file or directory
        exit 2
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_may_begin_with_a_hyphen_and_may_not_be_missing() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "get configmap -l -app=1
        get configmap -l -A
        get configmap --field-selector -x=1
        get configmap -n -x
        get configmap -o -x
        get configmap -l
        get configmap --selector
        get configmap -Ao
        get configmap -Z
        get configmap --chunk-size=x
        get configmap --chunk-size=9223372036854775808
        get configmap --chunk-size=-1
        get configmap -w=x
        get configmap --no-headers=T
        delete configmap a --timeout=5
        delete configmap a --cascade=x
        delete configmap a -o yaml
        create -f a.yaml --validate=x",
    );
    expect![[r#"
        $ get configmap -l -app=1
        Error from server (BadRequest): Unable to find "/v1, Resource=configmaps" that match label selector "-app=1", field selector "": unable to parse requirement: <nil>: Invalid value: "-app": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        exit 1
        $ get configmap -l -A
        Error from server (BadRequest): Unable to find "/v1, Resource=configmaps" that match label selector "-A", field selector "": unable to parse requirement: <nil>: Invalid value: "-A": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        exit 1
        $ get configmap --field-selector -x=1
        Error from server (BadRequest): Unable to find "/v1, Resource=configmaps" that match label selector "", field selector "-x=1": "-x" is not a known field selector: only "metadata.name", "metadata.namespace"
        exit 1
        $ get configmap -n -x
        No resources found in -x namespace.
        $ get configmap -o -x
        error: unable to match a printer suitable for the output format "-x", allowed formats are: custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml
        exit 1
        $ get configmap -l
        error: flag needs an argument: 'l' in -l
        See 'kubectl get --help' for usage.
        exit 1
        $ get configmap --selector
        error: flag needs an argument: --selector
        See 'kubectl get --help' for usage.
        exit 1
        $ get configmap -Ao
        error: flag needs an argument: 'o' in -o
        See 'kubectl get --help' for usage.
        exit 1
        $ get configmap -Z
        error: unknown shorthand flag: 'Z' in -Z
        See 'kubectl get --help' for usage.
        exit 1
        $ get configmap --chunk-size=x
        error: invalid argument "x" for "--chunk-size" flag: strconv.ParseInt: parsing "x": invalid syntax
        See 'kubectl get --help' for usage.
        exit 1
        $ get configmap --chunk-size=9223372036854775808
        error: invalid argument "9223372036854775808" for "--chunk-size" flag: strconv.ParseInt: parsing "9223372036854775808": value out of range
        See 'kubectl get --help' for usage.
        exit 1
        $ get configmap --chunk-size=-1
        No resources found in shop namespace.
        $ get configmap -w=x
        error: invalid argument "x" for "-w, --watch" flag: strconv.ParseBool: parsing "x": invalid syntax
        See 'kubectl get --help' for usage.
        exit 1
        $ get configmap --no-headers=T
        No resources found in shop namespace.
        $ delete configmap a --timeout=5
        error: invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"
        See 'kubectl delete --help' for usage.
        exit 1
        $ delete configmap a --cascade=x
        error: invalid cascade value (x). Must be "background", "foreground", or "orphan"
        exit 1
        $ delete configmap a -o yaml
        error: unexpected -o output mode: yaml. We only support '-o name'
        exit 1
        $ create -f a.yaml --validate=x
        error: invalid - validate option "x"; must be one of: strict (or true), warn, ignore (or false)
        exit 1
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_without_a_value_or_with_a_boolean_is_taken_with_a_warning() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "create -f a.yaml --dry-run
        create configmap c --dry-run=true
        create namespace n --dry-run=false
        create namespace n2 --dry-run=x
        apply -f a.yaml --dry-run
        apply -f a.yaml --dry-run -o name
        apply -f a.yaml
        apply set-last-applied -f a.yaml --dry-run
        delete configmap a --dry-run
        delete configmap a --cascade=false --dry-run=client
        get configmap -o name
        get namespace n -o name",
    );
    expect![[r#"
        $ create -f a.yaml --dry-run
        configmap/a created (dry run)
        Warning: --dry-run is deprecated and can be replaced with --dry-run=client.
        $ create configmap c --dry-run=true
        configmap/c created (dry run)
        Warning: --dry-run=true is deprecated (boolean value) and can be replaced with --dry-run=client.
        $ create namespace n --dry-run=false
        namespace/n created
        Warning: --dry-run=false is deprecated (boolean value) and can be replaced with --dry-run=none.
        $ create namespace n2 --dry-run=x
        error: Invalid dry-run value (x). Must be "none", "server", or "client".
        exit 1
        $ apply -f a.yaml --dry-run
        configmap/a created (dry run)
        Warning: --dry-run is deprecated and can be replaced with --dry-run=client.
        $ apply -f a.yaml --dry-run -o name
        configmap/a
        Warning: --dry-run is deprecated and can be replaced with --dry-run=client.
        $ apply -f a.yaml
        configmap/a created
        $ apply set-last-applied -f a.yaml --dry-run
        configmap/a configured (dry run)
        Warning: --dry-run is deprecated and can be replaced with --dry-run=client.
        $ delete configmap a --dry-run
        configmap "a" deleted from shop namespace (dry run)
        Warning: --dry-run is deprecated and can be replaced with --dry-run=client.
        $ delete configmap a --cascade=false --dry-run=client
        configmap "a" deleted from shop namespace (dry run)
        warning: --cascade=false is deprecated (boolean value) and can be replaced with --cascade=orphan.
        $ get configmap -o name
        configmap/a
        $ get namespace n -o name
        namespace/n
    "#]]
    .assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_of_the_connection_are_named_where_they_are_at_fault_and_may_be_empty() {
    let session = Session::new(FILES).await;
    session.playground.write(&[("broken".to_owned(), "a b".to_owned())].into());
    let transcript = session.run(
        "get configmap --context=nowhere
        get configmap --cluster=nowhere
        get configmap --user=nobody
        get configmap --context=nowhere --cluster=nothing --user=nobody
        get configmap --cluster=nothing --user=nobody
        get configmap --as-group=g
        get configmap --as-uid=u
        get configmap --as= --as-user-extra=a=b
        get configmap --kubeconfig=broken
        KUBECONFIG=broken get configmap
        get configmap --kubeconfig=emptydir
        get configmap --context= --cluster= --user= --server= --token= --namespace= --tls-server-name=
        get configmap --kubeconfig= --certificate-authority= --client-certificate= --client-key= --request-timeout=",
    );
    expect![[r#"
        $ get configmap --context=nowhere
        Error in configuration: context was not found for specified context: nowhere
        exit 1
        $ get configmap --cluster=nowhere
        error: no server found for cluster "nowhere"
        exit 1
        $ get configmap --user=nobody
        error: auth info "nobody" does not exist
        exit 1
        $ get configmap --context=nowhere --cluster=nothing --user=nobody
        Error in configuration:
        * context was not found for specified context: nowhere
        * no server found for cluster "nothing"
        exit 1
        $ get configmap --cluster=nothing --user=nobody
        error: no server found for cluster "nothing"
        exit 1
        $ get configmap --as-group=g
        error: requesting uid, groups or user-extra for klient without impersonating a user
        exit 1
        $ get configmap --as-uid=u
        error: requesting uid, groups or user-extra for klient without impersonating a user
        exit 1
        $ get configmap --as= --as-user-extra=a=b
        error: requesting uid, groups or user-extra for klient without impersonating a user
        exit 1
        $ get configmap --kubeconfig=broken
        error: error loading config file "broken": expected an object with clusters, users and contexts
        exit 1
        $ KUBECONFIG=broken get configmap
        error: error loading config file "broken": expected an object with clusters, users and contexts
        exit 1
        $ get configmap --kubeconfig=emptydir
        error: error loading config file "emptydir": read emptydir: is a directory
        exit 1
        $ get configmap --context= --cluster= --user= --server= --token= --namespace= --tls-server-name=
        No resources found in shop namespace.
        $ get configmap --kubeconfig= --certificate-authority= --client-certificate= --client-key= --request-timeout=
        No resources found in shop namespace.
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_a_flag_does_not_take_is_told_with_those_that_it_takes() {
    let session = Session::new(FILES).await;
    let transcript = session.run(
        "gateway --access=nope
        gateway --address=localhost
        gateway --tls-cert-file=tls.crt
        convert -f a.yaml -o yml
        server --listen=6443",
    );
    expect![[r#"
        $ gateway --access=nope
        error: invalid argument "nope" for "--access" flag: it must be one of: token, bearer, impersonate
        See 'kubectl gateway --help' for usage.
        exit 1
        $ gateway --address=localhost
        error: invalid argument "localhost" for "--address" flag: invalid IP address syntax: it must be like 127.0.0.1
        See 'kubectl gateway --help' for usage.
        exit 1
        $ gateway --tls-cert-file=tls.crt
        error: required arguments are missing: --tls-private-key-file <FILE>
        See 'kubectl gateway --help' for usage.
        exit 1
        $ convert -f a.yaml -o yml
        error: invalid argument "yml" for "-o, --output" flag: it must be one of: json, yaml, protobuf
        See 'kubectl convert --help' for usage.
        exit 1
        $ server --listen=6443
        error: invalid argument "6443" for "--listen" flag: invalid socket address syntax: it must be like 127.0.0.1:6443
        See 'kubectl server --help' for usage.
        exit 1
    "#]].assert_eq(&transcript.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_of_a_command_has_a_command_and_a_flag() {
    let session = Session::new(FILES).await;
    for names in ["", "get", "config view"] {
        let by_command = session.run(&format!("help {names}")).await;
        let by_flag = session.run(&format!("{names} --help")).await;
        let (_, by_command) = by_command.split_once('\n').expect("the command is above its output");
        let (_, by_flag) = by_flag.split_once('\n').expect("the command is above its output");
        assert!(by_flag.contains("Usage: kubectl"), "{by_flag}");
        assert_eq!(by_command, by_flag);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn global_options_are_listed_once_and_each_help_says_where() {
    let session = Session::new(FILES).await;
    let options = session.run("options").await;
    let head =
        "$ options\nThe following options can be passed to any command:\n\n      --kubeconfig <FILE>\n";
    assert!(options.starts_with(head), "{options}");
    for flag in
        ["-n, --namespace <NAME>", "-v, --v <LEVEL>", "--vmodule", "--log-flush-frequency", "--kuberc"]
    {
        assert!(options.contains(&format!(" {flag}")), "{flag}: {options}");
    }
    assert!(!options.contains("--help") && !options.contains("exit "), "{options}");
    assert!(options.ends_with("/kuberc\n") && !options.ends_with("\n\n"), "{options}");

    let help = session.run("--help").await;
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands = commands.lines().map(|line| line.split_whitespace().next().unwrap());
    let below_config = ["", "config view", "config set-context", "create configmap"];
    for command in commands.chain(below_config) {
        let help = session.run(&format!("{command} --help")).await;
        let end = "\n\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n";
        assert!(help.ends_with(end) && help.matches(end).count() == 1, "{help}");
        assert!(
            !help.contains("--kubeconfig <FILE>") && help.contains(&format!("Usage: kubectl {command}")),
            "{help}"
        );
    }
}
