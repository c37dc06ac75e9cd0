//! Copies a folder to a container and back, as `kubectl cp`, and prints each file.

#![allow(clippy::print_stdout)]

mod containers;

use std::sync::{Arc, Mutex};

use klient::api::core::v1::Pod;
use klient::apiserver::Containers;
use klient::{CopyOptions, CopyProgress, DeleteOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, server) = containers::connect(stand_in()).await?;
    containers::create_pod(&client, server.as_ref()).await?;
    let pods = client.api::<Pod>().namespace("default");

    let folder = std::env::temp_dir().join(format!("klient-cp-{}", std::process::id()));
    let (site, back) = (folder.join("site"), folder.join("back"));
    std::fs::create_dir_all(&site)?;
    std::fs::write(site.join("index.html"), "<h1>welcome</h1>\n")?;

    // A large file is told several times, until it is complete.
    let progress = CopyProgress::new(|entry| {
        if entry.is_complete() {
            println!("{} ({} bytes so far)", entry.path.display(), entry.total);
        }
    });
    let options = CopyOptions { progress: Some(progress), ..Default::default() };
    pods.copy_to("klient-web", &site, "site", &options).await?;
    let copied = pods.copy_from("klient-web", "site", &back, &options).await?;
    println!("{} files and folders, {} bytes", copied.entries, copied.bytes);
    for (path, reason) in &copied.skipped {
        println!("{} is skipped: {reason}", path.display());
    }
    print!("{}", std::fs::read_to_string(back.join("index.html"))?);

    std::fs::remove_dir_all(&folder)?;
    pods.delete("klient-web", &DeleteOptions::default()).await?;
    Ok(())
}

/// The `tar` of the embedded server's container: it gives back the archive that it got.
fn stand_in() -> Containers {
    let kept = Arc::<Mutex<Vec<u8>>>::default();
    Containers::new(move |command, mut stdio| {
        let kept = kept.clone();
        async move {
            match command.args.join(" ").as_str() {
                "tar -xmf -" => {
                    let mut archive = Vec::new();
                    stdio.stdin.as_mut().ok_or("closed")?.read_to_end(&mut archive).await?;
                    *kept.lock().map_err(|_| "poisoned")? = archive;
                }
                "tar cf - site" => {
                    let archive = kept.lock().map_err(|_| "poisoned")?.clone();
                    stdio.stdout.as_mut().ok_or("closed")?.write_all(&archive).await?;
                }
                // Nothing else is there: `test -d site`.
                _ => return Ok(1.into()),
            }
            Ok(0.into())
        }
    })
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
