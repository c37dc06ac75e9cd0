//! Runs commands in a container, with standard input, output and the exit code, and tells a command that failed from one
//! that could not be run.

#![allow(clippy::print_stdout)]

mod containers;

use klient::api::core::v1::Pod;
use klient::apiserver::Containers;
use klient::streams::ErrorKind;
use klient::{DeleteOptions, ExecOptions};
use tokio::io::AsyncWriteExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, server) = containers::connect(Containers::built_in()).await?;
    containers::create_pod(&client, server.as_ref()).await?;
    let pods = client.api::<Pod>().namespace("default");

    // All output, and the exit code.
    let process = pods.exec("klient-web", ["cat", "/etc/none"], &ExecOptions::default()).await?;
    let output = process.wait_with_output().await?;
    println!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());

    // Standard input, which ends when its writer is dropped.
    let options = ExecOptions { stdin: true, ..Default::default() };
    let mut process = pods.exec("klient-web", ["wc", "-c"], &options).await?;
    let mut stdin = process.stdin.take().ok_or("it is requested")?;
    stdin.write_all(b"twelve bytes").await?;
    drop(stdin);
    let output = process.wait_with_output().await?;
    output.status.exit_ok()?;
    println!("{}", String::from_utf8_lossy(&output.stdout).trim());

    let mut process = pods.exec("klient-web", ["no-such-program"], &ExecOptions::default()).await?;
    match process.wait().await {
        Ok(status) => println!("{status}"),
        Err(error) if error.kind() == ErrorKind::Refused => println!("it cannot be run: {error}"),
        Err(error) => return Err(error.into()),
    }
    // A refusal comes before there is a process.
    if let Err(refused) = pods.exec("none", ["ls"], &ExecOptions::default()).await {
        println!("not found: {}", refused.is_not_found());
    }
    pods.delete("klient-web", &DeleteOptions::default()).await?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
