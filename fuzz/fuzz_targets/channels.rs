//! A remote command, and forwarded ports, over channels of WebSocket take any bytes of their client: they end and do not
//! panic.
#![no_main]

use std::sync::LazyLock;

use klient_streams::port_forward::{Channels, Forwarded, serve_channels};
use klient_streams::remote_command::{ExitStatus, Protocol, Stdio, Streams, Subprotocol, Version, serve};
use libfuzzer_sys::fuzz_target;
use tokio::io::AsyncWriteExt;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

async fn cat(mut stdio: Stdio) -> Result<ExitStatus, klient_streams::BoxError> {
    if let Some(resizes) = &mut stdio.resizes {
        while resizes.next().await.is_some() {}
    }
    let (stdin, stdout) = (stdio.stdin.as_mut().expect("requested"), stdio.stdout.as_mut().expect("requested"));
    tokio::io::copy(stdin, stdout).await?;
    Ok(ExitStatus::SUCCESS)
}

async fn echo(mut connection: Forwarded) -> Result<(), klient_streams::BoxError> {
    let (mut reader, mut writer) = tokio::io::split(&mut connection);
    tokio::io::copy(&mut reader, &mut writer).await?;
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let [choice, bytes @ ..] = bytes else { return };
    let version = Version::ALL[usize::from(choice >> 2) % 5];
    let base64 = choice & 1 == 1 && version < Version::V5;
    let protocol = Protocol::WebSocket(Subprotocol { version, base64 });
    let streams = Streams { stdin: true, stdout: true, stderr: false, tty: choice & 2 == 2 };
    RUNTIME.block_on(async {
        let (mut near, far) = tokio::io::duplex(1 << 20);
        let send = async {
            let _ = near.write_all(bytes).await;
            let _ = near.shutdown().await;
            let _ = tokio::io::copy(&mut near, &mut tokio::io::sink()).await;
        };
        if choice & 128 == 128 {
            let channels = Channels::new([80, 443], base64).expect("there are two");
            let _ = tokio::join!(send, serve_channels(far, channels, |_, connection| echo(connection)));
        } else {
            let _ = tokio::join!(send, serve(far, protocol, streams, cat));
        }
    });
});
