//! `klient attach`, beside kubectl.

use crate::pods::{as_kubectl, playground};

const NOTICE: &str = "All commands and output from this session will be recorded in container logs, including credentials and \
     sensitive information passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n";

#[tokio::test(flavor = "multi_thread")]
async fn containers_are_attached_to_as_by_kubectl() {
    let playground = playground().await;
    for (args, exit, out, err) in [
        ("db -q -c main", 0, "attached to db/main\r\n", ""),
        ("db -qi -c side", 0, "attached to db/side\r\nsent", ""),
        ("svc/db -q", 0, "attached to db/main\r\n", ""),
        ("deployment web -q", 0, "attached to web/nginx\r\n", ""),
        ("pinned -q", 0, "attached to pinned/second\r\n", ""),
        ("db -q -it -c side", 0, "attached to db/side\r\nsent", ""),
        ("done", 1, "", "error: cannot attach a container in a completed pod; current phase is Succeeded\n"),
        ("none", 1, "", "Error from server (NotFound): pods \"none\" not found\n"),
        ("", 1, "", "error: at least 1 argument is required for attach\n"),
        (
            "a b c",
            1,
            "",
            "error: expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw 3: [a b c]\n",
        ),
        (
            "1.37: db -c none",
            1,
            "",
            "error: cannot attach to the container: container none is not valid for pod db out of: main, side, setup (init)\n",
        ),
        ("web --pod-running-timeout=0s", 1, "", "error: --pod-running-timeout must be higher than zero\n"),
    ] {
        let args: Vec<&str> = ["attach", "-n", "shop"].into_iter().chain(args.split_whitespace()).collect();
        let done = as_kubectl(&playground, &args, Some("sent")).await;
        assert_eq!((done.exit, &*done.stdout), (exit, out), "{args:?}: {}", done.stderr);
        let is_expected = done.stderr.starts_with(err) && done.stderr.is_empty() == err.is_empty();
        assert!(is_expected, "{args:?}: {}", done.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_with_a_notice() {
    let playground = playground().await;
    let args = ["attach", "-n", "shop", "db", "-c", "side"];
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let done = playground.run_lossy(&crate::playground::Program::klient(), &args, None).await;
    assert_eq!((done.exit, &*done.stdout, &*done.stderr), (0, "attached to db/side\r\n", NOTICE));
}
