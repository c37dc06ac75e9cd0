//! `klient exec`, beside kubectl.

use std::os::unix::process::ExitStatusExt;

use klient_api::core::v1::Pod;
use klient_apiserver::{Containers, Options};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::KLIENT;
use crate::playground::{Playground, Program, soon};
use crate::pods::{as_kubectl, playground};
use crate::running::{Running, filled, line};
use crate::terminal::Terminal;

/// A command with a terminal.
const SIZE: &str = "exec -n shop web -it -- size";

#[tokio::test(flavor = "multi_thread")]
async fn commands_have_the_output_and_the_exit_codes_of_kubectl() {
    let playground = playground().await;
    for (args, exit, out, err) in [
        ("web -- echo a -b", 0, "web/nginx: a -b\n", ""),
        ("pod/web -c nginx -- echo", 0, "web/nginx: \n", ""),
        ("deploy/web -- echo a", 0, "web/nginx: a\n", ""),
        (
            "svc/db -- echo a",
            0,
            "db/main: a\n",
            "Defaulted container \"main\" out of: main, side, setup (init)\n",
        ),
        ("db -q -- echo a", 0, "db/main: a\n", ""),
        ("pinned -- echo a", 0, "pinned/second: a\n", ""),
        ("db -c side -- both", 0, "to stdout\n", "to stderr\n"),
        ("web -i -- cat", 0, "sent", ""),
        ("web -- cat", 0, "", ""),
        (
            "web -it -- cat",
            0,
            "sent",
            "Unable to use a TTY - input is not a terminal or the right kind of file\n",
        ),
        ("web -itq -- cat", 0, "sent", ""),
        ("web -- exit 7", 7, "", "command terminated with exit code 7\n"),
        ("web -- exit 255", 255, "", "command terminated with exit code 255\n"),
        (
            "web -- nothing",
            1,
            "",
            "error: Internal error occurred: Internal error occurred: error executing command in container: exec",
        ),
        ("none -- ls", 1, "", "Error from server (NotFound): pods \"none\" not found\n"),
        (
            "1.37: db -c none -- ls",
            1,
            "",
            "error: container none is not valid for pod db out of: main, side, setup (init)\n",
        ),
        (
            "done -- ls",
            1,
            "",
            "error: cannot exec into a container in a completed pod; current phase is Succeeded\n",
        ),
        (
            "cm/colors -- ls",
            1,
            "",
            "error: cannot attach to *v1.ConfigMap: selector for *v1.ConfigMap not implemented\n",
        ),
        ("-n nope web -- ls", 1, "", "Error from server (NotFound): namespaces \"nope\" not found\n"),
        ("-n nope deploy/web -- ls", 1, "", "Error from server (NotFound): namespaces \"nope\" not found\n"),
        ("'' -- ls", 1, "", "error: pod, type/name or --filename must be specified\n"),
        ("-- ls", 1, "", "error: pod, type/name or --filename must be specified\n"),
        ("web", 1, "", "error: you must specify at least one command for the container\n"),
        ("", 1, "", "error: pod, type/name or --filename must be specified\n"),
        (
            "web ls",
            1,
            "",
            "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n",
        ),
        ("1.37: web ls -- a", 1, "", "error: exec [POD] [COMMAND] is not supported anymore."),
        (
            "web --pod-running-timeout=0s -- ls",
            1,
            "",
            "error: --pod-running-timeout must be higher than zero\n",
        ),
    ] {
        let args: Vec<&str> = ["exec", "-n", "shop"].into_iter().chain(args.split_whitespace()).collect();
        let args: Vec<&str> = args.into_iter().map(|arg| if arg == "''" { "" } else { arg }).collect();
        let done = as_kubectl(&playground, &args, Some("sent")).await;
        assert_eq!(done.exit, exit, "{args:?}: {}", done.stderr);
        assert_eq!(done.stdout, out, "{args:?}");
        assert!(
            done.stderr.starts_with(err) && done.stderr.is_empty() == err.is_empty(),
            "{args:?}: {}",
            done.stderr
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_of_a_kubelet_is_told_alone_over_spdy() {
    let playground = playground().await;
    let pods = playground.client().api::<Pod>().namespace("shop");
    let mut pod = pods.get("web").await.unwrap();
    let statuses = json!([{
        "name": "nginx", "image": "nginx", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    }]);
    pod.status.container_statuses = serde_json::from_value(statuses).unwrap();
    pods.update_status(&pod).await.unwrap();
    let env = [("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false")];
    for (args, told) in [
        (&["exec", "-n", "shop", "web", "--", "ls"][..], "container not found (\"nginx\")"),
        (&["attach", "-n", "shop", "-q", "web"], "container nginx not found in pod web_shop"),
    ] {
        let mut running = Running::start(&playground, &env, args);
        line(&mut running.stderr, &format!("error: unable to upgrade connection: {told}")).await;
        assert_eq!(soon("the end", running.exit_code()).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn input_is_passed_on_while_it_comes() {
    let playground = playground().await;
    let mut running = Running::start(&playground, &[], &["exec", "-n", "shop", "web", "-i", "--", "cat"]);
    for text in ["first", "second"] {
        let sent = format!("{text}\n");
        running.stdin.as_mut().unwrap().write_all(sent.as_bytes()).await.unwrap();
        assert_eq!(line(&mut running.stdout, text).await, text);
    }
    drop(running.stdin.take());
    assert_eq!(soon("the end", running.exit_code()).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_is_told_as_by_kubectl_and_spdy_is_used_on_request() {
    let websocket = "error: error reading from error stream: next reader: websocket: close 1006 (abnormal closure): unexpected EOF";
    for (variable, told, subprotocol) in
        [("true", websocket, "Sec-Websocket-Protocol"), ("False", "error: ", "X-Stream-Protocol-Version")]
    {
        let playground = playground().await;
        let front = crate::cutting::Cutting::before(&playground).await;
        playground.write_kubeconfig("admin", |text| {
            let text = text.replace("namespace: default", "namespace: shop");
            text.replace(&playground.address().to_string(), &front.address)
        });
        let env = [("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", variable)];
        let args = ["exec", "-v=8", "-n", "shop", "web", "--", "sleep"];
        let mut running = Running::start(&playground, &env, &args);
        line(&mut running.stdout, "sleeping").await;
        line(&mut running.stderr, &format!("\t{subprotocol}")).await;
        front.cut();
        line(&mut running.stderr, told).await;
        assert_eq!(soon("the end", running.exit_code()).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_cannot_be_read_is_told() {
    let playground = playground().await;
    let mut command = Command::from(playground.command(&Program::klient(), "admin"));
    command.args(["exec", "-n", "shop", "web", "-i", "--", "cat"]);
    command.stdin(std::fs::File::open("/").unwrap()).kill_on_drop(true);
    let done = soon("the end", command.output()).await.unwrap();
    let stderr = String::from_utf8(done.stderr).unwrap();
    let told = "\"Unhandled Error\" err=\"read /dev/stdin: is a directory\"\n";
    assert!(stderr.ends_with(told), "{stderr}");
    assert_eq!((done.status.code(), done.stdout), (Some(0), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_ends_it_as_sigpipe_does() {
    let playground = playground().await;
    let mut running = Running::start(&playground, &[], &["exec", "-n", "shop", "web", "-i", "--", "cat"]);
    drop(running.stdout);
    running.stdin.as_mut().unwrap().write_all(b"text\n").await.unwrap();
    let status = soon("the end", running.child.wait()).await.unwrap();
    assert_eq!(status.signal(), Some(13));
}

/// Signals that end a program, and its exit code. SIGHUP, for which it has no handler, does not under `nohup`.
fn ending_signals() -> Vec<(&'static str, i32)> {
    const SIGHUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    let hangup = (ignored & 1 << (SIGHUP - 1) == 0).then_some(("-HUP", 129));
    [("-TERM", 143), ("-INT", 130)].into_iter().chain(hangup).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_command_without_a_terminal_with_its_own_code() {
    let playground = playground().await;
    for (signal, code) in ending_signals() {
        let mut running = Running::start(&playground, &[], &["exec", "-n", "shop", "web", "--", "sleep"]);
        line(&mut running.stdout, "sleeping").await;
        running.signal(signal).await;
        assert_eq!(running.exit_code().await, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_loop_of_a_script() {
    let playground = playground().await;
    // Tests that run in the background of a script ignore the signal, and so would bash.
    let script = format!(
        "exec env --default-signal=INT bash -c \
         'for i in 1 2 3; do echo turn $i; {KLIENT} exec -n shop web -- sleep; done; echo went on'"
    );
    let Some(mut terminal) = Terminal::of_script(&playground, &script) else { return };
    terminal.shows("sleeping").await;
    terminal.stdin.write_all(b"\x03").await.unwrap();
    terminal.ends().await;
    assert!(!terminal.shown.contains("turn 2") && !terminal.shown.contains("went on"), "{}", terminal.shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_does_not_run_is_not_found_in_the_words_of_kubelet() {
    let containers = Some(Containers::built_in());
    let playground = Playground::with(Options { containers, ..Options::default() }).await;
    let manifest = "\
apiVersion: v1
kind: Pod
metadata: {name: crash, namespace: default}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, exit 1]}]}
";
    playground.write(&[("crash.yaml".to_owned(), manifest.to_owned())].into());
    playground.klient(&["create", "-f", "crash.yaml"], None).await;
    let state =
        ["get", "-n", "default", "pod", "crash", "-o", "jsonpath={.status.containerStatuses[0].state}"];
    soon("the end of the container", async {
        while !playground.klient(&state, None).await.contains("CrashLoopBackOff") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let not_found = "container not found (\"c\")\n";
    for (args, told) in [
        (&["exec", "-n", "default", "crash", "--", "ls"][..], not_found),
        (&["1.37:", "attach", "-n", "default", "crash"], "container c not found in pod crash_default\n"),
        (&["cp", "-n", "default", "crash:/a", "b"], not_found),
    ] {
        let done = as_kubectl(&playground, args, None).await;
        assert_eq!(done.exit, 1, "{args:?}");
        let told = format!("error: Internal error occurred: unable to upgrade connection: {told}");
        assert!(done.stderr.ends_with(&told), "{args:?}: {}", done.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_command_whose_output_nobody_reads() {
    let playground = playground().await;
    for (signal, code) in ending_signals() {
        let mut running = Running::start(&playground, &[], &["exec", "-n", "shop", "web", "--", "yes"]);
        line(&mut running.stdout, "y").await;
        filled(running.stdout.get_ref().get_ref()).await;
        running.signal(signal).await;
        assert_eq!(running.exit_code().await, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_nobody_reads_is_itself_again_after_a_signal() {
    let playground = playground().await;
    let Some(mut terminal) = Terminal::start(&playground, "exec -n shop web -it -- yes") else { return };
    terminal.shows("y\n").await;
    terminal.is_full().await;
    let pid = terminal.between("pid=", ",").to_owned();
    let kill = |signal: &'static str| tokio::process::Command::new("kill").args([signal, &pid]).output();
    assert!(kill("-TERM").await.unwrap().status.success());
    let ended = async {
        while kill("-0").await.unwrap().status.success() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    soon("the end", ended).await;
    terminal.shows("the same again").await;
    assert_eq!(terminal.between("code=", ","), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_its_size_passes_keys_on_and_is_itself_again() {
    let playground = playground().await;
    let Some(mut terminal) = Terminal::start(&playground, SIZE) else { return };
    terminal.shows("80x24").await;
    // Ctrl-C is a key of the remote program.
    terminal.stdin.write_all(b"a\x03bq").await.unwrap();
    terminal.shows("got 61 03 62 71").await;
    terminal.shows("the same again").await;
    assert_eq!(terminal.between("code=", ","), "7");
    soon("the end", terminal.child.wait()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_itself_again_after_a_signal() {
    let playground = playground().await;
    for signal in ["-TERM", "-HUP", "-QUIT", "-INT"] {
        let Some(mut terminal) = Terminal::start(&playground, SIZE) else { return };
        terminal.shows("80x24").await;
        let pid = terminal.between("pid=", ",").to_owned();
        let killed = tokio::process::Command::new("kill").args([signal, &pid]).status().await;
        assert!(killed.unwrap().success());
        terminal.shows("the same again").await;
        assert_eq!(terminal.between("code=", ","), "1", "{signal}");
    }
}
