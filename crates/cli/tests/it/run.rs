//! `klient run` and `klient debug` at a terminal and when they are interrupted. Their sessions are in `transcripts`.

use klient_api::core::v1::{Namespace, Pod};
use klient_apiserver::{ContainerLog, Containers, Options};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::playground::{Playground, soon};
use crate::running::{Running, line};
use crate::terminal::Terminal;

const NOTICE: &str = "If you don't see a command prompt, try pressing enter.";

/// A server whose pods run, with the namespace `shop`.
async fn playground(containers: Containers) -> Playground {
    let playground = Playground::with(Options { containers: Some(containers), ..Options::default() }).await;
    let shop: Namespace = serde_json::from_value(json!({"metadata": {"name": "shop"}})).unwrap();
    playground.client().api::<Namespace>().create(&shop).await.unwrap();
    playground
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_at_a_terminal_ends_with_its_exit_code_and_takes_its_pod_with_it() {
    let playground = playground(Containers::built_in()).await;
    let arguments = "run -it --rm box --image=busybox --restart=Never -- sh";
    let Some(mut terminal) = Terminal::start(&playground, arguments) else { return };
    terminal.shows(NOTICE).await;
    terminal.stdin.write_all(b"echo in $HOSTNAME\r").await.unwrap();
    terminal.shows("in box").await;
    terminal.stdin.write_all(b"exit 3\r").await.unwrap();
    terminal.shows("the same again").await;
    let again = "Session ended, resume using 'klient attach box -c box -n shop -i -t' command";
    for part in [again, "pod \"box\" deleted from shop namespace", "pod shop/box terminated (Error)"] {
        assert!(terminal.shown.contains(part), "no {part:?} in {}", terminal.shown);
    }
    assert_eq!(terminal.between("code=", ","), "3");
    soon("the end", terminal.child.wait()).await.unwrap();
    assert!(playground.client().api::<Pod>().namespace("shop").get_opt("box").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ephemeral_container_has_a_terminal() {
    let playground = playground(Containers::built_in()).await;
    playground.klient(&["run", "web", "--image=nginx"], None).await;
    let arguments = "debug -it web --image=busybox -c dbg -- sh";
    let Some(mut terminal) = Terminal::start(&playground, arguments) else { return };
    terminal.shows(NOTICE).await;
    terminal.stdin.write_all(b"exit 3\r").await.unwrap();
    terminal.shows("the same again").await;
    let again = "Session ended, the ephemeral container will not be restarted but may be reattached using 'klient attach \
                 web -c dbg -n shop -i -t' if it is still running";
    assert!(terminal.shown.contains(again), "{}", terminal.shown);
    assert_eq!(terminal.between("code=", ","), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_detach_from_a_pod_that_goes_on() {
    let playground = playground(Containers::built_in()).await;
    let arguments = "run -it box --image=busybox --detach-keys=ctrl-a,d -- sh";
    let Some(mut terminal) = Terminal::start(&playground, arguments) else { return };
    terminal.shows(NOTICE).await;
    terminal.stdin.write_all(b"\x01d").await.unwrap();
    terminal.shows("the same again").await;
    assert_eq!(terminal.between("code=", ","), "0");
    let pod = playground.client().api::<Pod>().namespace("shop").get("box").await.unwrap();
    assert_eq!(pod.status.phase.as_deref(), Some("Running"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_go_over_spdy_on_request() {
    let playground = playground(Containers::built_in()).await;
    let env = [("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false")];
    let run = ["run", "web", "-v=8", "-i", "--image=busybox", "--restart=Never", "--", "sh"];
    let debug = ["debug", "web", "-v=8", "-i", "--image=busybox", "-c", "dbg", "--", "sh"];
    // The pod is there as long as the first session.
    let mut sessions = Vec::new();
    for args in [&run[..], &debug] {
        let mut running = Running::start(&playground, &env, args);
        line(&mut running.stderr, "\tX-Stream-Protocol-Version").await;
        sessions.push(running);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_session_ends_with_1_and_leaves_the_pod() {
    let playground = playground(Containers::built_in()).await;
    for (name, signal) in [("a", "-INT"), ("b", "-TERM")] {
        let args = ["run", name, "-i", "--rm", "--image=busybox", "--restart=Never", "--", "sh"];
        let mut running = Running::start(&playground, &[], &args);
        line(&mut running.stderr, NOTICE).await;
        running.signal(signal).await;
        assert_eq!(soon("the end", running.exit_code()).await, 1);
        playground.client().api::<Pod>().namespace("shop").get(name).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_wait_ends_with_1() {
    // Without a node, pods are pending.
    let playground = playground(Containers::default()).await;
    let args = ["run", "a", "--attach", "--rm", "--image=busybox"];
    let mut running = Running::start(&playground, &[], &args);
    let pods = playground.client().api::<Pod>().namespace("shop");
    let created = async {
        while pods.get_opt("a").await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    };
    soon("the pod", created).await;
    assert_eq!(running.end_by("-INT").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_cannot_be_attached_to_shows_its_log() {
    let log = ContainerLog::default();
    log.stdout("printed");
    log.close();
    let containers = Containers::built_in()
        .attach(|_, _| async { Err("no streams today".into()) })
        .log(move |_| Some(log.clone()));
    let playground = playground(containers).await;
    let args = ["run", "a", "--attach", "--image=nginx"];
    let mut running = Running::start(&playground, &[], &args);
    line(&mut running.stdout, "printed").await;
    let told = line(&mut running.stderr, "warning: couldn't attach to pod/a, falling back to").await;
    assert!(told.contains("no streams today"), "{told}");
    assert_eq!(soon("the end", running.exit_code()).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_has_ended_before_it_is_attached_to_shows_its_log_and_has_its_exit_code() {
    let log = ContainerLog::default();
    log.stdout("printed");
    log.close();
    let playground = playground(Containers::default().log(move |_| Some(log.clone()))).await;
    let pods = playground.client().api::<Pod>().namespace("shop");
    for (code, phase) in [(0, "Succeeded"), (7, "Failed")] {
        let args = ["run", "a", "--attach", "--rm", "--image=busybox", "--restart=Never"];
        let mut running = Running::start(&playground, &[], &args);
        let created = async {
            loop {
                match pods.get_opt("a").await.unwrap() {
                    Some(pod) => return pod,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        let mut pod = soon("the pod", created).await;
        let end = json!({
            "exitCode": code, "reason": "Error", "message": "out of luck", "containerID": "x://1",
        });
        let statuses = json!([{
            "name": "a", "image": "busybox", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": end},
        }]);
        pod.status.phase = Some(phase.into());
        pod.status.container_statuses = serde_json::from_value(statuses).unwrap();
        pods.update_status(&pod).await.unwrap();
        for printed in ["printed", "pod \"a\" deleted from shop namespace"] {
            let line = soon(printed, running.stdout.next_line()).await.unwrap();
            assert_eq!(line.as_deref(), Some(printed));
        }
        assert_eq!(soon("the end", running.exit_code()).await, code);
        if code != 0 {
            line(&mut running.stderr, "pod shop/a terminated (Error)").await;
            line(&mut running.stderr, "out of luck").await;
        }
    }
}
