//! A session of SPDY takes any bytes: it ends, holds no more than its limits, and does not panic.
#![no_main]

use std::sync::LazyLock;

use klient_streams::spdy::{Options, Session};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

async fn read(session: &Session) {
    let mut streams = Vec::new();
    while let Some(incoming) = session.accept().await {
        streams.push(incoming.accept());
        assert!(streams.len() <= 4, "{} streams", streams.len());
    }
    for mut stream in streams {
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received).await;
        assert!(received.len() <= 2 * 4096 + 65536, "{} bytes", received.len());
    }
}

fuzz_target!(|bytes: &[u8]| {
    RUNTIME.block_on(async {
        let (mut near, far) = tokio::io::duplex(1 << 20);
        let options = Options { stream_buffer: 4096, max_streams: 4, ..Default::default() };
        let session = Session::server(far, &options);
        let send = async {
            let _ = near.write_all(bytes).await;
            let _ = near.shutdown().await;
            let _ = tokio::io::copy(&mut near, &mut tokio::io::sink()).await;
        };
        let served = async {
            read(&session).await;
            let _ = session.ended().await;
            drop(session);
        };
        tokio::join!(send, served);
    });
});
