//! `klient cp`, beside kubectl.

use std::fs;

use crate::playground::Program;
use crate::pods::{as_kubectl, playground};

#[tokio::test(flavor = "multi_thread")]
async fn files_and_folders_are_copied_in_both_directions() {
    let playground = playground().await;
    playground.write(
        &[("from/a.txt", "a"), ("from/in/b.txt", "b"), ("one.txt", "one")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
    );
    fs::create_dir(playground.path("container")).unwrap();
    let path = |name: &str| playground.path(name).display().to_string();
    let (container, from, one) = (path("container"), path("from"), path("one.txt"));
    for (source, destination, copied, text) in [
        (one.clone(), format!("shop/web:{container}/other.txt"), "container/other.txt", "one"),
        (one.clone(), format!("shop/web:{container}"), "container/one.txt", "one"),
        // Without a namespace in front of the slash it is that of the command.
        (one, format!("/web:{container}/third.txt"), "container/third.txt", "one"),
        (from, format!("shop/web:{container}"), "container/from/in/b.txt", "b"),
        (format!("shop/web:{container}/from"), path("back"), "back/in/b.txt", "b"),
        (format!("shop/web:{container}/other.txt"), path("back.txt"), "back.txt", "one"),
    ] {
        let printed = playground.klient(&["cp", "-n", "shop", &source, &destination], None).await;
        assert_eq!(printed, "", "{source} {destination}");
        assert_eq!(fs::read_to_string(playground.path(copied)).unwrap(), text, "{source} {destination}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_warnings_are_quoted() {
    let playground = playground().await;
    let container = playground.path("container");
    fs::create_dir(&container).unwrap();
    let name = "l\u{1b}[2J\nwarning: forged";
    std::os::unix::fs::symlink("a\u{1b}[31m", container.join(name)).unwrap();
    let (source, target) = (format!("shop/web:{}", container.display()), playground.path("to"));
    let args = ["cp".to_owned(), source, target.display().to_string()];
    let done = playground.run_lossy(&Program::klient(), &args, None).await;
    let named = container.display().to_string();
    let named = named.trim_start_matches('/');
    let warning = format!(
        "warning: skipping \"{named}/l\\x1b[2J\\nwarning: forged\": it is a symbolic link to \"a\\x1b[31m\"\n"
    );
    assert_eq!((done.exit, done.stderr), (0, warning));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_is_that_of_the_command() {
    let playground = playground().await;
    playground.write(&[("one.txt".to_owned(), "one".to_owned())].into());
    let local = playground.path("one.txt").display().to_string();
    let upload = ["cp", "-n", "shop", &local, "web:/no/such/folder/file"].map(str::to_owned);
    let download = ["cp", "-n", "shop", "web:/no/such/file", "to"].map(str::to_owned);
    for args in [&upload[..], &download] {
        let done = playground.run_lossy(&Program::klient(), args, None).await;
        assert_eq!(done.exit, 2, "{}", done.stderr);
    }
    // kubectl ends a download at times before it has read the exit code.
    if let Some(program) = Program::kubectl() {
        assert_eq!(playground.run_lossy(&program, &upload, None).await.exit, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_those_of_kubectl() {
    let playground = playground().await;
    for (args, err) in [
        ("a", "error: source and destination are required\n"),
        ("a b", "error: one of src or dest must be a remote file specification\n"),
        ("web:/a web:/b", "error: one of src or dest must be a local file specification\n"),
        (":a web:/b", "error: filespec must match the canonical format: [[namespace/]pod:]file/path\n"),
        ("a/b/c:/a b", "error: filespec must match the canonical format: [[namespace/]pod:]file/path\n"),
        ("web: b", "error: filepath can not be empty\n"),
        ("missing web:/b", "error: missing doesn't exist in local filesystem\n"),
        (
            "1.37: done:/a b",
            "error: cannot exec into a container in a completed pod; current phase is Succeeded\n",
        ),
        ("1.37: none:/a b", "Error from server (NotFound): pods \"none\" not found\n"),
    ] {
        let args: Vec<&str> = ["cp", "-n", "shop"].into_iter().chain(args.split_whitespace()).collect();
        let done = as_kubectl(&playground, &args, None).await;
        assert_eq!((done.exit, &*done.stdout), (1, ""), "{args:?}: {}", done.stderr);
        assert!(done.stderr.starts_with(err), "{args:?}: {}", done.stderr);
    }
}
