//! `klient logs`, beside kubectl.

use crate::playground::soon;
use crate::pods::{as_kubectl, playground};
use crate::running::{Running, line};

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_empty_are_refused_as_by_kubectl() {
    let playground = playground().await;
    let resources = "error: You must provide one or more resources by argument or filename.\n";
    let target = "error: pod, type/name or --filename must be specified\n";
    for (args, error) in [
        (&["logs", ""][..], resources),
        (&["logs", "", "c"], resources),
        (&["logs", "-f", ""], resources),
        (&["logs", "", "-l", "a=b"], "error: only a selector (-l) or a POD name is allowed\n"),
        (&["exec", "", "--", "ls"], target),
        (&["exec", ""], target),
        (&["attach", ""], "error: resource name may not be empty\n"),
        (&["port-forward", "", "80"], "error: resource name may not be empty\n"),
        (&["port-forward", ""], "error: TYPE/NAME and list of ports are required for port-forward\n"),
        (&["cp", "", "b"], "error: filepath can not be empty\n"),
        (&["logs", "pod/"], "error: arguments in resource/name form must have a single resource and name\n"),
    ] {
        let done = as_kubectl(&playground, args, None).await;
        assert_eq!((done.exit, &*done.stdout), (1, ""), "{args:?}");
        assert!(done.stderr.starts_with(error), "{args:?}: {}", done.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_those_of_kubectl() {
    let playground = playground().await;
    for (args, exit, out, err) in [
        ("web", 0, "one\ntwo\nthree\n\u{fffd}\u{fffd}\n", ""),
        ("pod/web nginx", 0, "one\ntwo\nthree\n\u{fffd}\u{fffd}\n", ""),
        ("web --tail=1 --timestamps", 0, "2026-01-02T03:04:09.5", ""),
        ("web --tail=2 --prefix", 0, "[pod/web/nginx] three\n[pod/web/nginx] ", ""),
        ("web --limit-bytes=5", 0, "one\nt", ""),
        ("web --since-time=2026-01-02T03:04:03Z", 0, "three\n", ""),
        ("-f web", 0, "one\ntwo\nthree\n", ""),
        ("deployment/web --tail=1", 0, "", ""),
        ("-l app=web", 0, "one\n", ""),
        ("db --tail=1", 0, "", "Defaulted container \"main\" out of: main, side, setup (init)\n"),
        ("service/db -c main --tail=1", 0, "", ""),
        ("pinned --tail=0", 0, "", ""),
        ("web --tail=0x2 --prefix", 0, "[pod/web/nginx] three\n[pod/web/nginx] ", ""),
        ("web --tail=0b10 --limit-bytes=06 --max-log-requests=0x1", 0, "three\n", ""),
        (
            "web --tail=0x",
            1,
            "",
            "error: invalid argument \"0x\" for \"--tail\" flag: strconv.ParseInt: parsing \"0x\": invalid syntax\n",
        ),
        ("pinned -c first --tail=1", 0, "", ""),
        (
            "1.37: db -c none",
            1,
            "",
            "error: container none is not valid for pod db out of: main, side, setup (init)\n",
        ),
        (
            "none",
            1,
            "",
            "error: error from server (NotFound): pods \"none\" not found in namespace \"shop\"\n",
        ),
        ("web --previous", 1, "", "Error from server (BadRequest): previous terminated container"),
        ("web --previous -f", 1, "", "Error from server (BadRequest): previous terminated container"),
        (
            "web --since=1x",
            1,
            "",
            "error: invalid argument \"1x\" for \"--since\" flag: time: unknown unit \"x\" in duration \"1x\"\n",
        ),
        ("web --ignore-errors -p", 0, "error: previous terminated container", ""),
        (
            "configmap/colors",
            1,
            "",
            "error: cannot get the logs from *v1.ConfigMap: selector for *v1.ConfigMap not implemented\n",
        ),
        (
            "service/none",
            1,
            "",
            "error: cannot get the logs from *v1.Service: invalid service 'none': Service is defined",
        ),
        ("-l app=none", 0, "", "No resources found in shop namespace.\n"),
        (
            "",
            1,
            "",
            "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required",
        ),
        ("web -l app=web", 1, "", "error: only a selector (-l) or a POD name is allowed\n"),
        ("web a b", 1, "", "error: expected 'logs"),
        ("web --tail=-2", 1, "", "error: --tail must be greater than or equal to -1\n"),
        ("web --since=-1s", 1, "", "error: --since must be greater than 0\n"),
        ("web --limit-bytes=-1", 1, "", "error: --limit-bytes must be greater than 0\n"),
        ("web nginx -c nginx", 1, "", "error: only one of -c or an inline [CONTAINER] arg is allowed\n"),
        ("web -c nginx --all-containers", 1, "", "error: --all-containers=true should not be specified"),
        ("web --since=1s --since-time=2026-01-02T03:04:03Z", 1, "", "error: at most one of `sinceTime` or"),
        ("web --pod-running-timeout=0s", 1, "", "error: --pod-running-timeout must be higher than zero\n"),
        ("web/a/b", 1, "", "error: arguments in resource/name form may not have more than one slash\n"),
    ] {
        let args: Vec<&str> = ["logs", "-n", "shop"].into_iter().chain(args.split_whitespace()).collect();
        let done = as_kubectl(&playground, &args, None).await;
        assert_eq!(done.exit, exit, "{args:?}: {}", done.stderr);
        assert!(done.stdout.starts_with(out), "{args:?}: {}", done.stdout);
        assert!(
            done.stderr.starts_with(err) && done.stderr.is_empty() == err.is_empty(),
            "{args:?}: {}",
            done.stderr
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_may_not_be_read_is_not_waited_for() {
    let playground = playground().await;
    let role = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: reader}]
";
    playground.klient(&["create", "-f", "-"], Some(role)).await;
    let done = as_kubectl(&playground, &["logs", "-n", "shop", "-f", "web", "--as=reader"], None).await;
    let refused = "Error from server (Forbidden): pods \"web\" is forbidden: User \"reader\" cannot get";
    assert!(done.stderr.starts_with(refused), "{}", done.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_several_containers_are_printed_one_after_another_or_followed_together() {
    let playground = playground().await;
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let args =
        ["logs", "-n", "shop", "pinned", "--all-containers", "--tail=4", "--prefix", "--limit-bytes=14"];
    let printed = lines(&playground.klient(&args, None).await);
    let of = |container: &str| ["one", "two", "three"].map(|line| format!("[pod/pinned/{container}] {line}"));
    assert_eq!(printed, [of("first"), of("second")].concat());
    let mut followed = lines(&playground.klient(&[&args[..], &["-f"]].concat(), None).await);
    followed.sort();
    let mut expected = [of("first"), of("second")].concat();
    expected.sort();
    assert_eq!(followed, expected);
    let refused = [&args[..], &["-f", "--max-log-requests=1"]].concat();
    let done = as_kubectl(&playground, &refused, None).await;
    assert_eq!(
        done.stderr,
        "error: you are attempting to follow 2 log streams, but maximum allowed concurrency is 1, use \
         --max-log-requests to increase the limit\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_followed_is_printed_as_it_grows_until_a_signal() {
    let log = klient_apiserver::ContainerLog::default();
    let growing = log.clone();
    let containers = klient_apiserver::Containers::default().log(move |_| Some(growing.clone()));
    let options = klient_apiserver::Options { containers: Some(containers), ..Default::default() };
    let playground = crate::playground::Playground::with(options).await;
    let shop = serde_json::from_value(serde_json::json!({"metadata": {"name": "shop"}})).unwrap();
    playground.client().api::<klient_api::core::v1::Namespace>().create(&shop).await.unwrap();
    playground.set_up(&["run".to_owned(), "web".to_owned(), "--image=web".to_owned()], None).await;
    let mut following = Running::start(&playground, &[], &["logs", "-n", "shop", "-f", "web"]);
    for text in ["first", "second"] {
        log.stdout(text);
        assert_eq!(line(&mut following.stdout, text).await, text);
    }
    following.signal("-INT").await;
    assert_eq!(soon("the end", following.exit_code()).await, 1);
    let front = crate::cutting::Cutting::before(&playground).await;
    let address = playground.address().to_string();
    playground.write_kubeconfig("admin", |text| text.replace(&address, &front.address));
    let mut following = Running::start(&playground, &[], &["logs", "-n", "shop", "-f", "web"]);
    assert_eq!(line(&mut following.stdout, "second").await, "second");
    front.cut();
    let told = soon("the error", following.stderr.next_line()).await.unwrap();
    assert_eq!(told.as_deref(), Some("error: unexpected EOF"));
    assert_eq!(soon("the end", following.stderr.next_line()).await.unwrap(), None);
    assert_eq!(soon("the end", following.exit_code()).await, 1);
}
