//! Copies a folder to a container and back, as `kubectl cp`, and prints each file.

#![allow(clippy::print_stdout)]

mod containers;

use klient::api::core::v1::Pod;
use klient::apiserver::Containers;
use klient::{CopyOptions, CopyProgress, DeleteOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, server) = containers::connect(Containers::built_in()).await?;
    containers::create_pod(&client, server.as_ref()).await?;
    let pods = client.api::<Pod>().namespace("default");

    let folder = std::env::temp_dir().join(format!("klient-cp-{}", std::process::id()));
    let (site, back) = (folder.join("site"), folder.join("back"));
    std::fs::create_dir_all(&site)?;
    std::fs::write(site.join("index.html"), "<h1>welcome</h1>\n")?;

    // A large file is told several times, until it is complete; a folder before the files in it.
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

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
