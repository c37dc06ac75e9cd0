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
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
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
    let seen = Arc::<Mutex<Vec<(String, u64, u64, u64, Option<u64>)>>>::default();
    let progress = {
        let (seen, root) = (seen.clone(), site.clone());
        CopyProgress::new(move |entry| {
            let path = entry.path.strip_prefix(&root).unwrap().display().to_string();
            seen.lock().unwrap().push((path, entry.bytes, entry.length, entry.total, entry.total_length));
        })
    };
    let options = CopyOptions { progress: Some(progress), ..Default::default() };
    let copied = soon("copying", pods(&client).copy_to("web", &site, "www", &options)).await.unwrap();
    assert_eq!((copied.entries, copied.bytes), (7, 3_000_003));
    assert!(copied.skipped.is_empty());
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert!(seen.iter().all(|(.., total_length)| *total_length == Some(3_000_003)));
    let complete = seen.iter().filter(|(_, bytes, length, ..)| bytes == length).count();
    assert_eq!((complete, seen.last().unwrap().3), (7, 3_000_003));
    let steps: Vec<u64> =
        seen.iter().filter(|(path, ..)| path == "deep/er/large").map(|(_, bytes, ..)| *bytes).collect();
    assert!(steps.len() > 10 && steps.is_sorted(), "{steps:?}");
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
    // An archive that is cut is an error, never half a file in silence, nor the first of the files.
    for length in [1024 + 2, 1024 + 512, 512, 0] {
        let (_server, client) = server_with(archive[..length].to_vec()).await;
        let copying = pods(&client).copy_from("web", "/www", &target, &options);
        let error = soon("copying", copying).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Copy, "{length}: {error}");
    }
}

#[tokio::test]
async fn a_copy_goes_on_behind_its_last_byte_and_is_whole_or_an_error() {
    use tar::EntryType::{Directory, Regular};
    let mut archive = tar::Builder::new(Vec::new());
    entry(&mut archive, Directory, "www/", "", b"");
    entry(&mut archive, Regular, "www/first", "", &[1; 512]);
    entry(&mut archive, Regular, "www/second", "", &[2; 512]);
    let archive = archive.into_inner().unwrap();
    // Behind the first file a `tar` that ends early leaves a whole entry, and its exit code is not that of the pipeline.
    for (end, is_whole) in [(archive.len(), true), (3 * 512, false)] {
        let all = archive[..end].to_vec();
        let containers = Containers::new(move |command: ContainerCommand, mut stdio: Stdio| {
            let all = all.clone();
            async move {
                let stdout = stdio.stdout.as_mut().unwrap();
                if command.args[0] == "tar" {
                    stdout.write_all(&all[..1000]).await?;
                    return Err("the node is gone".into());
                }
                let next: usize = command.args.last().unwrap().parse()?;
                stdout.write_all(&all[next - 1..]).await?;
                Ok(ExitStatus::SUCCESS)
            }
        });
        let (_server, client) = server_of(containers).await;
        running_pod(&client, "web", json!([{"name": "web", "image": "nginx"}])).await;
        let outer = tempfile::tempdir().unwrap();
        let target = outer.path().join("target");
        let options = CopyOptions { retries: 1, ..Default::default() };
        let copied = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await;
        assert_eq!(fs::read(target.join("first")).unwrap(), [1; 512]);
        assert_eq!(copied.map(|copied| copied.bytes).ok(), is_whole.then_some(1024));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_tar_that_fails_behind_a_broken_connection_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut archive = tar::Builder::new(Vec::new());
    entry(&mut archive, tar::EntryType::Regular, "www/good", "", &[1; 512]);
    let archive = archive.into_inner().unwrap();
    let tools = tempfile::tempdir().unwrap();
    fs::write(tools.path().join("archive"), &archive).unwrap();
    let path = format!("{}:{}", tools.path().display(), std::env::var("PATH").unwrap());
    for (code, is_error) in [(0, false), (2, true)] {
        let tar = tools.path().join("tar");
        let script =
            format!("#!/bin/sh\ncat \"${{0%tar}}archive\"\necho 'tar: a: Cannot open' >&2\nexit {code}\n");
        fs::write(&tar, script).unwrap();
        fs::set_permissions(&tar, fs::Permissions::from_mode(0o755)).unwrap();
        let (archive, path) = (archive.clone(), path.clone());
        let containers = Containers::new(move |command: ContainerCommand, mut stdio: Stdio| {
            let (archive, path) = (archive.clone(), path.clone());
            async move {
                let stdout = stdio.stdout.as_mut().unwrap();
                if command.args[0] == "tar" {
                    stdout.write_all(&archive[..600]).await?;
                    return Err("the node is gone".into());
                }
                let done = Command::new("sh").args(&command.args[1..]).env("PATH", path).output().await?;
                stdout.write_all(&done.stdout).await?;
                stdio.stderr.as_mut().unwrap().write_all(&done.stderr).await?;
                // As container runtimes, which tell a signal so.
                Ok(ExitStatus::from(if done.status.success() { 0 } else { 143 }))
            }
        });
        let (_server, client) = server_of(containers).await;
        running_pod(&client, "web", json!([{"name": "web", "image": "nginx"}])).await;
        let outer = tempfile::tempdir().unwrap();
        let options = CopyOptions { retries: 1, ..Default::default() };
        let target = outer.path().join("target");
        let copied = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await;
        assert_eq!(
            copied.as_ref().err().map(klient_client::Error::kind),
            is_error.then_some(ErrorKind::Copy)
        );
        match copied {
            Ok(copied) => assert_eq!(copied.bytes, 512),
            Err(error) => assert!(error.to_string().contains("tar: a: Cannot open"), "{error}"),
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_that_are_in_the_target_lead_nothing_outside() {
    use std::os::unix::fs::symlink;
    use tar::EntryType::{Directory, Link, Regular};
    let outer = tempfile::tempdir().unwrap();
    let (target, outside) = (outer.path().join("target"), outer.path().join("outside"));
    fs::create_dir(&target).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), b"mine").unwrap();
    symlink(outside.join("file"), target.join("linked")).unwrap();
    symlink(outside.join("file"), target.join("written")).unwrap();
    symlink(&outside, target.join("sub")).unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    entry(&mut archive, Directory, "www/", "", b"");
    entry(&mut archive, Regular, "www/good", "", b"good");
    entry(&mut archive, Link, "www/linked", "www/good", b"");
    entry(&mut archive, Regular, "www/written", "", b"good");
    entry(&mut archive, Regular, "www/sub/file", "", b"bad");
    entry(&mut archive, Directory, "www/sub/folder/", "", b"");
    entry(&mut archive, Link, "www/sub/hard", "www/good", b"");
    entry(&mut archive, Link, "www/good", "www/good", b"");
    let (_server, client) = server_with(archive.into_inner().unwrap()).await;
    let options = CopyOptions::default();
    // A target that is a link itself was named by the caller.
    let named = outer.path().join("named");
    symlink(&target, &named).unwrap();
    let copied = soon("copying", pods(&client).copy_from("web", "/www", &named, &options)).await.unwrap();
    assert_eq!(fs::read(outside.join("file")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    for file in ["good", "linked", "written"] {
        assert_eq!(fs::read(target.join(file)).unwrap(), b"good", "{file}");
        assert!(!fs::symlink_metadata(target.join(file)).unwrap().is_symlink(), "{file}");
    }
    let skipped: Vec<_> = copied.skipped.iter().map(|(path, _)| path.to_str().unwrap()).collect();
    assert_eq!(skipped, ["www/sub/file", "www/sub/folder/", "www/sub/hard"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_the_caller_named_is_written_through() {
    use std::os::unix::fs::symlink;
    let outer = tempfile::tempdir().unwrap();
    let (file, named) = (outer.path().join("file"), outer.path().join("named"));
    fs::write(&file, b"before").unwrap();
    symlink(&file, &named).unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    entry(&mut archive, tar::EntryType::Regular, "etc/hosts", "", b"hosts");
    let (_server, client) = server_with(archive.into_inner().unwrap()).await;
    let options = CopyOptions::default();
    soon("copying", pods(&client).copy_from("web", "/etc/hosts", &named, &options)).await.unwrap();
    assert!(fs::symlink_metadata(&named).unwrap().is_symlink());
    assert_eq!(fs::read(&file).unwrap(), b"hosts");
}

#[cfg(unix)]
#[tokio::test]
async fn hard_links_of_an_archive_have_one_file() {
    use std::os::unix::fs::MetadataExt as _;
    use tar::EntryType::{Link, Regular};
    let outer = tempfile::tempdir().unwrap();
    let target = outer.path().join("target");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("first"), b"was there").unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    entry(&mut archive, Regular, "www/good", "", &[7; 100]);
    entry(&mut archive, Link, "www/first", "www/good", b"");
    entry(&mut archive, Link, "www/second", "www/good", b"");
    entry(&mut archive, Link, "www/third", "www/good", b"");
    // It is another file from here on.
    entry(&mut archive, Regular, "www/third", "", b"other");
    let (_server, client) = server_with(archive.into_inner().unwrap()).await;
    let options = CopyOptions::default();
    let copied = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await.unwrap();
    assert_eq!((copied.entries, copied.bytes), (5, 105));
    let inode = |name: &str| fs::metadata(target.join(name)).unwrap().ino();
    assert_eq!([inode("first"), inode("second")], [inode("good"); 2]);
    assert_eq!(fs::read(target.join("first")).unwrap(), [7; 100]);
    assert_eq!(fs::read(target.join("third")).unwrap(), b"other");
}

#[tokio::test]
async fn zeros_without_end_behind_an_archive_end_nothing() {
    let mut archive = tar::Builder::new(Vec::new());
    entry(&mut archive, tar::EntryType::Regular, "www/good", "", b"good");
    let archive = archive.into_inner().unwrap();
    let containers = Containers::new(move |_, mut stdio: Stdio| {
        let archive = archive.clone();
        async move {
            let stdout = stdio.stdout.as_mut().unwrap();
            stdout.write_all(&archive).await?;
            loop {
                stdout.write_all(&[0; 32 * 1024]).await?;
            }
        }
    });
    let (_server, client) = server_of(containers).await;
    running_pod(&client, "web", json!([{"name": "web", "image": "nginx"}])).await;
    let outer = tempfile::tempdir().unwrap();
    let options = CopyOptions::default();
    let target = outer.path().join("target");
    let copied = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await.unwrap();
    assert_eq!((copied.entries, copied.bytes), (1, 4));
}

#[cfg(unix)]
#[tokio::test]
async fn names_of_an_archive_are_quoted_in_reasons() {
    let mut archive = tar::Builder::new(Vec::new());
    entry(&mut archive, tar::EntryType::Directory, "www/\u{1b}[2J\n", "", b"");
    entry(&mut archive, tar::EntryType::Regular, "www/\u{1b}[2J\n", "", b"a");
    let (_server, client) = server_with(archive.into_inner().unwrap()).await;
    let outer = tempfile::tempdir().unwrap();
    let options = CopyOptions::default();
    let target = outer.path().join("target");
    let error = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await.unwrap_err();
    assert!(error.to_string().contains(r"/\x1b[2J\n"), "{error}");
    assert!(!error.to_string().contains(char::is_control), "{error}");
    let mut archive = tar::Builder::new(Vec::new());
    entry(&mut archive, tar::EntryType::Symlink, "www/link", "a\u{1b}[2J\nwarning: b", b"");
    let (_server, client) = server_with(archive.into_inner().unwrap()).await;
    let copied = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await.unwrap();
    assert_eq!(copied.skipped[0].1, r#"it is a symbolic link to "a\x1b[2J\nwarning: b""#);
}

#[tokio::test]
async fn an_archive_takes_no_more_memory_and_disk_than_it_has_bytes() {
    use tar::EntryType::Regular;
    // A sparse file that claims to have a byte behind 2^50 others.
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_path("www/sparse").unwrap();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_size(1);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.sparse[0].offset.copy_from_slice(b"40000000000\0");
    gnu.sparse[0].numbytes.copy_from_slice(b"00000000001\0");
    gnu.realsize.copy_from_slice(b"40000000001\0");
    header.set_cksum();
    archive.append(&header, &b"x"[..]).unwrap();
    entry(&mut archive, Regular, "www/good", "", b"good");
    let (_server, client) = server_with(archive.into_inner().unwrap()).await;
    let outer = tempfile::tempdir().unwrap();
    let options = CopyOptions::default();
    let target = outer.path().join("target");
    let copied = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await.unwrap();
    assert_eq!((copied.entries, copied.skipped.len()), (1, 1), "{copied:?}");
    assert_eq!(fs::read(target.join("good")).unwrap(), b"good");
    assert!(!target.join("sparse").exists());
    // A name of 8 MiB.
    let mut archive = tar::Builder::new(Vec::new());
    let name = vec![b'a'; 8 << 20];
    let mut header = tar::Header::new_gnu();
    header.set_path("././@LongLink").unwrap();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(name.len() as u64);
    header.set_cksum();
    archive.append(&header, &name[..]).unwrap();
    entry(&mut archive, Regular, "www/good", "", b"good");
    let (_server, client) = server_with(archive.into_inner().unwrap()).await;
    let error = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await.unwrap_err();
    assert!(error.to_string().contains("between two entries"), "{error}");
}

#[tokio::test]
async fn names_of_skipped_entries_take_no_more_memory_than_those_that_are_told() {
    // Each name, and each target of a link, has almost a mebibyte.
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    for number in 0..40 {
        let name = format!("www/{number}{}", "x".repeat(400_000));
        archive.append_link(&mut header, name, "y".repeat(400_000)).unwrap();
    }
    let (_server, client) = server_with(archive.into_inner().unwrap()).await;
    let outer = tempfile::tempdir().unwrap();
    let options = CopyOptions::default();
    let target = outer.path().join("target");
    let copied = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await.unwrap();
    let length = |(name, reason): &(std::path::PathBuf, String)| name.as_os_str().len() + reason.len();
    let bytes: usize = copied.skipped.iter().map(length).sum();
    assert!((8 << 20..=16 << 20).contains(&bytes), "{bytes} bytes");
}

#[tokio::test]
async fn a_hard_link_names_its_file_in_any_form() {
    use tar::EntryType::{Directory, Link, Regular};
    let mut archive = tar::Builder::new(Vec::new());
    entry(&mut archive, Directory, "www/", "", b"");
    entry(&mut archive, Regular, "./www/.//good", "", b"good");
    entry(&mut archive, Link, "www/hard", "www/good", b"");
    entry(&mut archive, Link, "www/folder", "www/", b"");
    let (_server, client) = server_with(archive.into_inner().unwrap()).await;
    let outer = tempfile::tempdir().unwrap();
    let options = CopyOptions::default();
    let target = outer.path().join("target");
    let copied = soon("copying", pods(&client).copy_from("web", "/www", &target, &options)).await.unwrap();
    assert_eq!(fs::read(target.join("hard")).unwrap(), b"good");
    let skipped: Vec<_> = copied.skipped.iter().map(|(path, _)| path.to_str().unwrap()).collect();
    assert_eq!(skipped, ["www/folder"]);
}

#[tokio::test]
async fn a_file_that_changes_its_length_while_it_is_copied_leaves_the_others_whole() {
    const LENGTH: usize = 16 << 20;
    let local = tempfile::tempdir().unwrap();
    let folder = local.path().join("logs");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a"), vec![1; LENGTH]).unwrap();
    fs::write(folder.join("b"), b"whole").unwrap();
    // Nothing but a hole, of which some make an entry that small programs do not know.
    fs::File::create(folder.join("c")).unwrap().set_len(1 << 20).unwrap();
    for shrinks in [false, true] {
        let unpacked = Arc::<Mutex<Vec<u8>>>::default();
        let (kept, changing) = (unpacked.clone(), folder.join("a"));
        let containers = Containers::new(move |command, stdio: Stdio| {
            let (kept, changing) = (kept.clone(), changing.clone());
            async move {
                let Some(mut stdin) = stdio.stdin else { return Ok(ExitStatus::from(1)) };
                assert_eq!(command.args[0], "tar");
                // The header of the file is on its way, and much of the file is not.
                let mut bytes = vec![0; 4096];
                stdin.read_exact(&mut bytes).await?;
                let mut file = fs::OpenOptions::new().append(true).open(&changing)?;
                match shrinks {
                    true => file.set_len(100)?,
                    false => std::io::Write::write_all(&mut file, &[2; 100_000])?,
                }
                stdin.read_to_end(&mut bytes).await?;
                *kept.lock().unwrap() = bytes;
                Ok(ExitStatus::SUCCESS)
            }
        });
        let (_server, client) = server_of(containers).await;
        running_pod(&client, "web", json!([{"name": "web", "image": "nginx"}])).await;
        let options = CopyOptions::default();
        let length = fs::metadata(folder.join("a")).unwrap().len();
        soon("copying", pods(&client).copy_to("web", &folder, "logs", &options)).await.unwrap();
        let bytes = unpacked.lock().unwrap().clone();
        let mut archive = tar::Archive::new(&bytes[..]);
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            assert!(entry.header().entry_type() != tar::EntryType::GNUSparse);
            found.push((entry.path().unwrap().display().to_string(), entry.size()));
        }
        let wanted = [("logs", 0), ("logs/a", length), ("logs/b", 5), ("logs/c", 1 << 20)];
        assert_eq!(found, wanted.map(|(name, size)| (name.to_owned(), size)));
    }
}

#[tokio::test]
async fn a_folder_does_not_replace_a_file_and_a_container_needs_tar() {
    let (_server, client, container) = server().await;
    let local = tempfile::tempdir().unwrap();
    fs::write(local.path().join("index.html"), b"new").unwrap();
    fs::write(container.path().join("www"), b"kept").unwrap();
    let copied = pods(&client).copy_to("web", local.path(), "www", &CopyOptions::default());
    let error = soon("the refusal", copied).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Copy);
    let shown = local.path().display();
    let expected =
        format!("cannot copy {shown} to pod web: www is a file there, which a folder does not replace");
    assert_eq!(error.to_string(), expected);
    assert_eq!(fs::read(container.path().join("www")).unwrap(), b"kept");

    // As by a shell that does not find it.
    let (_server, client) = server_of(Containers::new(async |_, _| Ok(ExitStatus::from(127)))).await;
    running_pod(&client, "web", json!([{"name": "web", "image": "nginx"}])).await;
    let copied = pods(&client).copy_from("web", "www", local.path(), &CopyOptions::default());
    let error = soon("the refusal", copied).await.unwrap_err();
    let expected =
        "cannot copy www from pod web: command terminated with exit code 127: the container has no tar";
    assert_eq!(error.to_string(), expected);
}
