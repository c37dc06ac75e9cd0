//! Files to and from containers, by the `tar` of this machine or by an archive of the test.

use std::fs;
use std::path::Path;
use std::process::Stdio as Pipe;
use std::sync::{Arc, Mutex};

use klient_apiserver::{ContainerCommand, Containers, Server};
use klient_client::{Client, CopyOptions, CopyProgress, ErrorKind};
use klient_streams::BoxError;
use klient_streams::remote_command::{ExitStatus, Stdio};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::cluster::soon;
use crate::containers::{pods, running_pod, server_of};

/// Runs a command in a folder of this machine.
async fn run(folder: &Path, command: ContainerCommand, stdio: Stdio) -> Result<ExitStatus, BoxError> {
    let (program, args) = command.args.split_first().ok_or("no command")?;
    let mut child = Command::new(program);
    child.args(args).current_dir(folder).kill_on_drop(true);
    let mut child = child.stdin(Pipe::piped()).stdout(Pipe::piped()).stderr(Pipe::piped()).spawn()?;
    let (mut stdin, mut stdout, mut stderr) =
        (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let input = async move {
        if let Some(mut input) = stdio.stdin {
            // A program may end before.
            let _ = tokio::io::copy(&mut input, &mut stdin).await;
        }
    };
    let output = async move { tokio::io::copy(&mut stdout, &mut stdio.stdout.unwrap()).await };
    let errors = async move { tokio::io::copy(&mut stderr, &mut stdio.stderr.unwrap()).await };
    let (_, output, errors) = tokio::join!(input, output, errors);
    output?;
    errors?;
    let code = child.wait().await?.code().unwrap_or(137);
    Ok(ExitStatus::from(u8::try_from(code)?))
}

/// A pod whose container has a folder of this machine as its working directory.
async fn server() -> (Server, Client, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let containers = Containers::new(move |command, stdio| {
        let path = path.clone();
        async move { run(&path, command, stdio).await }
    });
    let (server, client) = server_of(containers).await;
    running_pod(&client, "web", json!([{"name": "web", "image": "nginx"}])).await;
    (server, client, folder)
}

/// A pod whose `tar` prints an archive.
async fn server_with(archive: Vec<u8>) -> (Server, Client) {
    let containers = Containers::new(move |_, mut stdio: Stdio| {
        let archive = archive.clone();
        async move {
            stdio.stdout.as_mut().unwrap().write_all(&archive).await?;
            Ok(ExitStatus::SUCCESS)
        }
    });
    let (server, client) = server_of(containers).await;
    running_pod(&client, "web", json!([{"name": "web", "image": "nginx"}])).await;
    (server, client)
}

#[tokio::test]
async fn folders_and_files_go_both_ways() {
    let (_server, client, container) = server().await;
    let local = tempfile::tempdir().unwrap();
    let site = local.path().join("site");
    fs::create_dir_all(site.join("deep/er")).unwrap();
    fs::create_dir(site.join("empty")).unwrap();
    let large: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    fs::write(site.join("deep/er/large"), &large).unwrap();
    fs::write(site.join("none"), b"").unwrap();
    fs::write(site.join("-f é"), b"odd").unwrap();
    let seen = Arc::<Mutex<Vec<(String, u64)>>>::default();
    let progress = {
        let (seen, root) = (seen.clone(), site.clone());
        CopyProgress::new(move |entry| {
            let path = entry.path.strip_prefix(&root).unwrap().display().to_string();
            seen.lock().unwrap().push((path, entry.total));
        })
    };
    let options = CopyOptions { progress: Some(progress), ..Default::default() };
    let copied = soon("copying", pods(&client).copy_to("web", &site, "www", &options)).await.unwrap();
    assert_eq!((copied.entries, copied.bytes), (7, 3_000_003));
    assert!(copied.skipped.is_empty());
    let total = seen.lock().unwrap().last().unwrap().1;
    assert_eq!((seen.lock().unwrap().len(), total), (7, 3_000_003));
    assert!(fs::read(container.path().join("www/deep/er/large")).unwrap() == large);
    // Into a folder that is there, under its own name.
    soon("copying", pods(&client).copy_to("web", &site, "www", &CopyOptions::default())).await.unwrap();
    assert_eq!(fs::read(container.path().join("www/site/-f é")).unwrap(), b"odd");
    let back = local.path().join("back");
    let options = CopyOptions::default();
    let copied = soon("copying", pods(&client).copy_from("web", "www/site", &back, &options)).await.unwrap();
    assert_eq!((copied.entries, copied.bytes), (7, 3_000_003));
    assert!(fs::read(back.join("deep/er/large")).unwrap() == large);
    assert!(back.join("empty").is_dir());
    // One file, by an absolute path, to a name and into a folder.
    let file = container.path().join("www/site/-f é");
    for target in [local.path().join("one"), back.join("empty")] {
        soon("copying", pods(&client).copy_from("web", file.to_str().unwrap(), &target, &options))
            .await
            .unwrap();
    }
    assert_eq!(fs::read(local.path().join("one")).unwrap(), b"odd");
    assert_eq!(fs::read(back.join("empty/-f é")).unwrap(), b"odd");
}

#[tokio::test]
async fn what_is_not_there_is_an_error_with_the_words_of_tar() {
    let (_server, client, _container) = server().await;
    let local = tempfile::tempdir().unwrap();
    let options = CopyOptions::default();
    let target = local.path().join("target");
    let error =
        soon("copying", pods(&client).copy_from("web", "nothing", &target, &options)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Copy);
    assert!(
        error.to_string().contains("command terminated with exit code 2: tar: nothing: Cannot stat"),
        "{error}"
    );
    assert!(!target.exists());
    let missing = local.path().join("missing");
    let error = soon("copying", pods(&client).copy_to("web", &missing, "www", &options)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Copy);
    fs::write(local.path().join("file"), b"x").unwrap();
    let copying = pods(&client).copy_to("web", local.path().join("file"), "no/folder/file", &options);
    let error = soon("copying", copying).await.unwrap_err();
    assert!(error.to_string().contains("exit code 2"), "{error}");
    let error = soon("copying", pods(&client).copy_from("none", "x", &target, &options)).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

/// An entry of an archive, with any name.
fn entry(archive: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, name: &str, link: &str, data: &[u8]) {
    let mut header = tar::Header::new_old();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_size(data.len() as u64);
    header.set_mode(0o755);
    header.set_cksum();
    archive.append(&header, data).unwrap();
}

#[tokio::test]
async fn a_hostile_archive_writes_nothing_outside_of_the_target() {
    use tar::EntryType::{Block, Char, Directory, Fifo, Link, Regular, Symlink};
    let outer = tempfile::tempdir().unwrap();
    let outside = outer.path().join("outside");
    let absolute = outside.to_str().unwrap().to_owned();
    let mut archive = tar::Builder::new(Vec::new());
    entry(&mut archive, Directory, "www/", "", b"");
    entry(&mut archive, Regular, "www/good", "", b"good");
    for name in ["../outside", "www/../../outside", "www/../outside", &absolute, "outside", "wwwx/outside"] {
        entry(&mut archive, Regular, name, "", b"bad");
    }
    entry(&mut archive, Symlink, "www/link", "..", b"");
    entry(&mut archive, Regular, "www/link/outside", "", b"below");
    entry(&mut archive, Symlink, "www/absolute", &absolute, b"");
    entry(&mut archive, Link, "www/hard", &absolute, b"");
    entry(&mut archive, Link, "www/copy", "www/good", b"");
    for kind in [Block, Char, Fifo] {
        entry(&mut archive, kind, "www/device", "", b"");
    }
    let archive = archive.into_inner().unwrap();
    let (_server, client) = server_with(archive.clone()).await;
    let target = outer.path().join("target");
    let options = CopyOptions::default();
    let copied = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await.unwrap();
    assert_eq!(copied.skipped.len(), 12, "{:?}", copied.skipped);
    assert!(!outside.exists());
    assert_eq!(fs::read(target.join("good")).unwrap(), b"good");
    assert_eq!(fs::read(target.join("copy")).unwrap(), b"good");
    // It is a folder of its own, and no link.
    assert_eq!(fs::read(target.join("link/outside")).unwrap(), b"below");
    assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
    assert!(!target.join("device").exists());
    // An archive that is cut is an error, never half a file in silence.
    let (_server, client) = server_with(archive[..1024 + 2].to_vec()).await;
    let error = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Copy, "{error}");
}
