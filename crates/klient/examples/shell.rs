//! A shell with a terminal in a container, whose input is what is typed here, line by line.

#![allow(clippy::print_stdout)]

mod containers;

use std::io::Write as _;

use klient::api::core::v1::Pod;
use klient::apiserver::Containers;
use klient::{DeleteOptions, ExecOptions, TerminalSize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, server) = containers::connect(Containers::built_in()).await?;
    containers::create_pod(&client, server.as_ref()).await?;
    let pods = client.api::<Pod>().namespace("default");

    let options = ExecOptions { stdin: true, tty: true, ..Default::default() };
    let mut process = pods.exec("klient-web", ["sh"], &options).await?;
    process.resize(TerminalSize { width: 80, height: 24 }).await?;
    let mut stdin = process.stdin.take().ok_or("it is requested")?;
    let mut stdout = process.stdout.take().ok_or("it is requested")?;
    let (lines, mut typed) = mpsc::unbounded_channel();
    // Reading standard input cannot be cancelled, so that it has a thread of its own.
    std::thread::spawn(move || {
        // A test types nothing.
        if !cfg!(test) {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        }
        // If the shell has ended, nobody reads it.
        let _ = lines.send("exit 3".to_owned());
    });
    let mut buffer = vec![0; 8 * 1024];
    loop {
        tokio::select! {
            Some(line) = typed.recv() => stdin.write_all(format!("{line}\n").as_bytes()).await?,
            read = stdout.read(&mut buffer) => match read? {
                0 => break,
                count => {
                    print!("{}", String::from_utf8_lossy(&buffer[..count]));
                    // A prompt has no end of line.
                    std::io::stdout().flush()?;
                }
            },
        }
    }
    println!("{}", process.wait().await?);
    pods.delete("klient-web", &DeleteOptions::default()).await?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
