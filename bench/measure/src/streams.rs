//! Bytes through streams, which all Rust programs send and receive alike.

use std::time::Instant;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::task::JoinSet;

use crate::{Args, Clock, median, percentiles};

/// The port of the server that takes as many bytes as the first eight say, and answers one.
pub const TAKES: u16 = 9;

/// The port that sends as many bytes as the first eight say.
pub const SENDS: u16 = 19;

/// The port that sends back what it gets.
pub const ECHOES: u16 = 7;

/// The number of bytes that are read or written at once.
const CHUNK: usize = 32 * 1024;

/// Reads to the end, and returns the number of bytes.
pub async fn read(mut stream: impl AsyncRead + Unpin) -> usize {
    let mut buffer = vec![0; CHUNK];
    let mut count = 0;
    loop {
        match stream.read(&mut buffer).await.unwrap() {
            0 => return count,
            read => count += read,
        }
    }
}

/// Writes so many bytes.
pub async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: usize) {
    let chunk = vec![0; CHUNK];
    for _ in 0..bytes / CHUNK {
        stream.write_all(&chunk).await.unwrap();
    }
}

/// Reads what the port that [sends](SENDS) sends.
pub async fn download(mut connection: impl AsyncRead + AsyncWrite + Unpin, bytes: usize) {
    connection.write_u64(bytes as u64).await.unwrap();
    assert_eq!(read(connection).await, bytes);
}

/// Writes what the port that [takes](TAKES) takes.
pub async fn upload(mut connection: impl AsyncRead + AsyncWrite + Unpin, bytes: usize) {
    connection.write_u64(bytes as u64).await.unwrap();
    write(&mut connection, bytes).await;
    connection.read_exact(&mut [0]).await.unwrap();
}

/// Sends 64 bytes and reads them back, `--count` times after some that are not measured.
pub async fn trips(
    mut reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
    args: &Args,
    out: &mut Map<String, Value>,
) {
    let count = args.num("count", 10_000);
    let mut micros = Vec::with_capacity(count);
    let mut bytes = [1; 64];
    let mut clock = Clock::start();
    for number in 0..count + count / 10 {
        if number == count / 10 {
            micros.clear();
            clock = Clock::start();
        }
        let begin = Instant::now();
        writer.write_all(&bytes).await.unwrap();
        reader.read_exact(&mut bytes).await.unwrap();
        micros.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    clock.stop(out);
    let cpu = out["cpu_ms"].as_f64().unwrap();
    out.insert("cpu_us_per_trip".into(), json!(cpu * 1e3 / count as f64));
    percentiles(micros, out);
}

/// In `--rounds`, begins and then opens a hundred connections at once, each of which sends 64 KiB and gets them back.
pub async fn hundreds<B, C>(
    args: &Args,
    out: &mut Map<String, Value>,
    begin: impl AsyncFn() -> B,
    connect: impl Fn(&B) -> C,
) where
    C: Future<Output: AsyncRead + AsyncWrite + Unpin + Send> + Send + 'static,
{
    const CONNECTIONS: usize = 100;
    let rounds = args.num("rounds", 10);
    let mut millis = vec![];
    let clock = Clock::start();
    for _ in 0..rounds {
        let began = Instant::now();
        let forwarder = begin().await;
        let mut connections = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let connecting = connect(&forwarder);
            connections.spawn(async move { echo(connecting.await).await });
        }
        connections.join_all().await;
        millis.push(began.elapsed().as_secs_f64() * 1e3);
    }
    clock.stop(out);
    let cpu = out["cpu_ms"].as_f64().unwrap();
    out.insert("cpu_ms_per_round".into(), json!(cpu / rounds as f64));
    out.insert("round_ms".into(), json!(median(millis)));
}

/// Sends 64 KiB, and gets them back.
async fn echo(connection: impl AsyncRead + AsyncWrite) {
    const BYTES: usize = 64 * 1024;
    let (mut reader, mut writer) = tokio::io::split(connection);
    let (sent, mut received) = (vec![1; BYTES], vec![0; BYTES]);
    let (written, read) = tokio::join!(writer.write_all(&sent), reader.read_exact(&mut received));
    written.unwrap();
    read.unwrap();
    assert!(sent == received);
}
