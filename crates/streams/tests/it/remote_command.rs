//! Remote commands: klient's client on klient's server, over all protocols.

use klient_streams::remote_command::{
    ExitStatus, Output, Process, Protocol, Stdio, Streams, Subprotocol, TerminalSize, Version, serve,
};
use klient_streams::{BoxError, Error, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::connections::{CARRIERS, Carrier, bytes, no_tasks_remain, pair, soon};

const WEBSOCKET_V4: Protocol = Protocol::WebSocket(Subprotocol { version: Version::V4, base64: false });
const BASE64_V4: Protocol = Protocol::WebSocket(Subprotocol { version: Version::V4, base64: true });

/// All protocols, those that current programs use first.
fn protocols() -> Vec<Protocol> {
    let spdy = Version::ALL.map(Protocol::Spdy);
    let binary = Version::ALL.map(|version| Protocol::WebSocket(Subprotocol { version, base64: false }));
    let base64 = [Version::V4, Version::V1];
    let base64 = base64.map(|version| Protocol::WebSocket(Subprotocol { version, base64: true }));
    binary.into_iter().chain(spdy).chain(base64).collect()
}

const ALL: Streams = Streams { stdin: true, stdout: true, stderr: true, tty: false };
const OUTPUT: Streams = Streams { stdin: false, ..ALL };

type Served = JoinHandle<Result<ExitStatus, Error>>;

/// Starts a command.
async fn start<C, F>(carrier: Carrier, protocol: Protocol, streams: Streams, command: C) -> (Process, Served)
where
    C: FnOnce(Stdio) -> F + Send + 'static,
    F: Future<Output = Result<ExitStatus, BoxError>> + Send + 'static,
{
    let (near, far) = pair(carrier).await;
    let served = tokio::spawn(serve(far, protocol, streams, command));
    let process = soon("the start", Process::start(near, protocol, streams)).await.unwrap();
    (process, served)
}

/// Copies standard input to standard output, up to a length that tells the end where the protocol cannot.
async fn cat(mut stdio: Stdio, length: u64) -> Result<ExitStatus, BoxError> {
    let (stdin, stdout) = (stdio.stdin.as_mut().unwrap(), stdio.stdout.as_mut().unwrap());
    tokio::io::copy(&mut stdin.take(length), stdout).await?;
    Ok(ExitStatus::SUCCESS)
}

#[tokio::test]
async fn bytes_of_any_number_go_through_a_command_and_back() {
    for carrier in CARRIERS {
        for protocol in protocols() {
            for length in [0, 1, 64 * 1024] {
                echo(carrier, protocol, length).await;
            }
        }
    }
}

#[tokio::test]
async fn ten_mebibytes_go_through_a_command_and_back() {
    for protocol in [Protocol::WEBSOCKET_V5, WEBSOCKET_V4, Protocol::Spdy(Version::V4)] {
        echo(Carrier::Tcp, protocol, 10 * 1024 * 1024).await;
    }
}

#[tokio::test]
async fn a_hundred_mebibytes_go_through_a_command_and_back_to_a_reader_that_lags() {
    let part = bytes(1024 * 1024);
    for protocol in [Protocol::WEBSOCKET_V5, Protocol::Spdy(Version::V4)] {
        let streams = Streams { stderr: false, ..ALL };
        let (mut process, served) =
            start(Carrier::Tcp, protocol, streams, move |stdio| cat(stdio, u64::MAX)).await;
        let (mut stdin, mut stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let write = async {
            for _ in 0..100 {
                stdin.write_all(&part).await.unwrap();
            }
            drop(stdin);
        };
        let read = async {
            let mut received = vec![0; part.len()];
            for number in 0..100 {
                stdout.read_exact(&mut received).await.unwrap();
                assert!(received == part, "part {number} over {protocol}");
                tokio::task::yield_now().await;
            }
            assert_eq!(stdout.read(&mut received).await.unwrap(), 0);
        };
        tokio::join!(write, read);
        assert!(soon("the end", process.wait()).await.unwrap().success());
        soon("the server", served).await.unwrap().unwrap();
    }
}

async fn echo(carrier: Carrier, protocol: Protocol, length: usize) {
    let what = format!("{length} bytes, {protocol}, {carrier:?}");
    let limit = if protocol.has_half_close() { u64::MAX } else { u64::try_from(length).unwrap() };
    let streams = Streams { stderr: false, ..ALL };
    let (mut process, served) = start(carrier, protocol, streams, move |stdio| cat(stdio, limit)).await;
    let sent = bytes(length);
    let mut stdin = process.stdin.take().unwrap();
    let write = async {
        stdin.write_all(&sent).await.unwrap();
        drop(stdin);
    };
    let ((), output) = soon(&what, async { tokio::join!(write, process.wait_with_output()) }).await;
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(output.stdout == sent, "{what}: {} bytes", output.stdout.len());
    assert_eq!(output.status, ExitStatus::SUCCESS);
    soon(&what, served).await.unwrap().unwrap();
}

#[tokio::test]
async fn exit_codes_arrive_as_the_version_can_tell_them() {
    for protocol in protocols() {
        for code in [0, 1, 126, 255] {
            let what = format!("{code}, {protocol}");
            let (mut process, served) =
                start(Carrier::Memory, protocol, OUTPUT, move |_| async move { Ok(ExitStatus::from(code)) })
                    .await;
            let status = soon(&what, process.wait()).await;
            // The answer is kept.
            assert_eq!(format!("{status:?}"), format!("{:?}", process.wait().await));
            if protocol.version() >= Version::V4 || code == 0 {
                let status = status.unwrap();
                assert_eq!((status.code(), status.success()), (code, code == 0), "{what}");
                let error = status.exit_ok().err();
                assert_eq!(error.as_ref().and_then(Error::exit_code), (code > 0).then_some(code));
                assert!(error.is_none_or(|error| error.kind() == ErrorKind::ExitCode));
            } else {
                let error = status.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Refused);
                let text =
                    "error executing remote command: command terminated with non-zero exit code: exit status";
                assert_eq!(error.to_string(), format!("{text} {code}"));
            }
            assert_eq!(soon(&what, served).await.unwrap().unwrap().code(), code);
        }
    }
}

#[tokio::test]
async fn a_command_that_cannot_run_is_a_refusal_with_a_status() {
    for protocol in protocols() {
        let (mut process, served) =
            start(Carrier::Memory, protocol, OUTPUT, |_| async { Err("no such file".into()) }).await;
        let error = soon("the refusal", process.wait()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{protocol}");
        assert!(error.to_string().ends_with("error executing command in container: no such file"), "{error}");
        let reason = error.as_status().and_then(|status| status.reason.as_deref().map(str::to_owned));
        let expected = (protocol.version() >= Version::V4).then(|| "InternalError".to_owned());
        assert_eq!(reason, expected, "{protocol}");
        assert_eq!(served.await.unwrap().unwrap_err().kind(), ErrorKind::Refused);
    }
}

#[tokio::test]
async fn output_and_errors_are_separate_and_complete_before_the_exit_status() {
    for protocol in protocols() {
        let command = |mut stdio: Stdio| async move {
            let (stdout, stderr) = (stdio.stdout.as_mut().unwrap(), stdio.stderr.as_mut().unwrap());
            for _ in 0..100 {
                stdout.write_all(&[b'o'; 1000]).await?;
                stderr.write_all(&[b'e'; 1000]).await?;
            }
            Ok(ExitStatus::from(9))
        };
        let (process, served) = start(Carrier::Memory, protocol, OUTPUT, command).await;
        // The status has been sent before anything is read.
        if let Protocol::Spdy(Version::V4 | Version::V5) = protocol {
            let mut process = process;
            let (mut stdout, mut stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
            assert_eq!(soon("the status", process.wait()).await.unwrap().code(), 9);
            let (mut out, mut err) = (Vec::new(), Vec::new());
            soon("the output", stdout.read_to_end(&mut out)).await.unwrap();
            soon("the errors", stderr.read_to_end(&mut err)).await.unwrap();
            assert!(out == [b'o'; 100_000] && err == [b'e'; 100_000]);
            continue;
        }
        let output = soon("the output", process.wait_with_output()).await;
        if protocol.version() >= Version::V4 {
            let expected =
                Output { status: 9.into(), stdout: vec![b'o'; 100_000], stderr: vec![b'e'; 100_000] };
            assert!(output.unwrap() == expected, "{protocol}");
        } else {
            assert_eq!(output.unwrap_err().kind(), ErrorKind::Refused);
        }
        served.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn streams_that_are_not_requested_do_not_exist() {
    for protocol in protocols() {
        let (seen, stdio) = oneshot::channel();
        let command = |stdio: Stdio| async move {
            let Stdio { stdin, stdout, stderr, resizes } = &stdio;
            let _ = seen.send([stdin.is_some(), stdout.is_some(), stderr.is_some(), resizes.is_some()]);
            Ok(ExitStatus::SUCCESS)
        };
        // A terminal has no standard error.
        let streams = Streams { stdin: true, stdout: false, stderr: true, tty: true };
        let (mut process, _served) = start(Carrier::Memory, protocol, streams, command).await;
        assert!(process.stdin.is_some() && process.stdout.is_none() && process.stderr.is_none());
        let has_sizes = protocol.version() >= Version::V3;
        assert_eq!(soon("the command", stdio).await.unwrap(), [true, false, false, has_sizes], "{protocol}");
        soon("the end", process.wait()).await.unwrap();
    }
}

#[tokio::test]
async fn sizes_of_the_terminal_arrive_in_order() {
    let sizes = [(80, 24), (0, 0), (65535, 1)].map(|(width, height)| TerminalSize { width, height });
    for protocol in protocols() {
        let command = move |mut stdio: Stdio| async move {
            let mut seen = Vec::new();
            if let Some(resizes) = &mut stdio.resizes {
                while seen.len() < sizes.len() {
                    seen.extend(resizes.next().await);
                }
                assert_eq!(seen, sizes);
            }
            Ok(ExitStatus::SUCCESS)
        };
        let streams = Streams { stdout: true, tty: true, ..Default::default() };
        let (mut process, served) = start(Carrier::Memory, protocol, streams, command).await;
        for size in sizes {
            let resized = soon("the size", process.resize(size)).await;
            assert_eq!(resized.is_ok(), protocol.version() >= Version::V3, "{protocol}: {resized:?}");
        }
        soon("the end", process.wait()).await.unwrap();
        soon("the end", served).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn sizes_that_a_command_does_not_read_hold_up_nothing_and_the_newest_are_kept() {
    let size = |width| TerminalSize { width, height: 1 };
    for protocol in [Protocol::WEBSOCKET_V5, Protocol::Spdy(Version::V4)] {
        let command = move |mut stdio: Stdio| async move {
            let mut line = [0; 3];
            stdio.stdin.as_mut().unwrap().read_exact(&mut line).await?;
            let resizes = stdio.resizes.as_mut().unwrap();
            while resizes.next().await.ok_or("the last size is missing")? != size(20_000) {}
            stdio.stdout.as_mut().unwrap().write_all(&line).await?;
            Ok(ExitStatus::SUCCESS)
        };
        let streams = Streams { stdin: true, stdout: true, stderr: false, tty: true };
        let (mut process, served) = start(Carrier::Memory, protocol, streams, command).await;
        for width in 1..=20_000 {
            soon("the size", process.resize(size(width))).await.unwrap();
        }
        soon("the input", process.stdin.as_mut().unwrap().write_all(b"end")).await.unwrap();
        let output = soon("the end", process.wait_with_output()).await.unwrap();
        assert_eq!((&output.stdout[..], output.status), (&b"end"[..], ExitStatus::SUCCESS), "{protocol}");
        soon("the end", served).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn errors_that_nobody_reads_do_not_hold_up_output_within_a_buffer() {
    for protocol in protocols().into_iter().filter(|protocol| protocol.version() >= Version::V4) {
        // Between two klients streams of SPDY have windows, so any amount can stay unread.
        let unread = 200 * 1024;
        let command = move |mut stdio: Stdio| async move {
            stdio.stderr.as_mut().unwrap().write_all(&bytes(unread)).await?;
            stdio.stdout.as_mut().unwrap().write_all(&bytes(1024 * 1024)).await?;
            Ok(ExitStatus::SUCCESS)
        };
        let (mut process, _served) = start(Carrier::Memory, protocol, OUTPUT, command).await;
        let (mut stdout, mut stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        let mut output = vec![0; 1024 * 1024];
        soon("the output", stdout.read_exact(&mut output)).await.unwrap();
        let mut errors = Vec::new();
        soon("the errors", stderr.read_to_end(&mut errors)).await.unwrap();
        assert!(output == bytes(1024 * 1024) && errors == bytes(unread), "{protocol}");
        soon("the end", process.wait()).await.unwrap();
    }
}

#[tokio::test]
async fn a_flood_of_errors_that_is_dropped_holds_up_nothing() {
    for protocol in protocols().into_iter().filter(|protocol| protocol.version() >= Version::V4) {
        let command = move |mut stdio: Stdio| async move {
            let mut stderr = stdio.stderr.take().unwrap();
            // Over SPDY, writing to a closed pipe fails.
            let _ = stderr.write_all(&bytes(2 * 1024 * 1024)).await;
            stdio.stdout.as_mut().unwrap().write_all(b"done").await?;
            Ok(ExitStatus::SUCCESS)
        };
        let (mut process, _served) = start(Carrier::Memory, protocol, OUTPUT, command).await;
        drop(process.stderr.take());
        let output = soon("the output", process.wait_with_output()).await.unwrap();
        assert_eq!(output.stdout, b"done", "{protocol}");
    }
}

#[tokio::test]
async fn a_flood_of_errors_arrives_while_standard_input_is_not_read() {
    for protocol in [Protocol::WEBSOCKET_V5, WEBSOCKET_V4, Protocol::Spdy(Version::V4)] {
        let (enough, written) = oneshot::channel::<()>();
        let command = move |mut stdio: Stdio| async move {
            stdio.stderr.as_mut().unwrap().write_all(&bytes(2 * 1024 * 1024)).await?;
            let _ = written.await;
            let mut input = vec![0; 1024 * 1024];
            stdio.stdin.as_mut().unwrap().read_exact(&mut input).await?;
            assert!(input == bytes(1024 * 1024));
            Ok(ExitStatus::SUCCESS)
        };
        let (mut process, served) = start(Carrier::Memory, protocol, ALL, command).await;
        let mut stdin = process.stdin.take().unwrap();
        let mut stderr = process.stderr.take().unwrap();
        let write = async { stdin.write_all(&bytes(1024 * 1024)).await.unwrap() };
        let read = async {
            let mut errors = vec![0; 2 * 1024 * 1024];
            stderr.read_exact(&mut errors).await.unwrap();
            let _ = enough.send(());
        };
        soon("both", async { tokio::join!(write, read) }).await;
        soon("the end", process.wait()).await.unwrap();
        soon("the end", served).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_client_that_is_dropped_ends_the_command_and_leaves_no_task() {
    for carrier in CARRIERS {
        for protocol in protocols() {
            // While the command waits for input, while it floods its output, while the client waits, with input that nobody
            // reads, and after the end of the input.
            for stage in 0..5 {
                let (alive, dropped) = oneshot::channel::<()>();
                let command = move |stdio: Stdio| async move {
                    // All of it, so that no stream ends before.
                    let (_alive, mut stdio) = (alive, stdio);
                    if stage == 1 {
                        loop {
                            stdio.stdout.as_mut().unwrap().write_all(&[0; 10_000]).await?;
                        }
                    }
                    std::future::pending().await
                };
                let (mut process, served) = start(carrier, protocol, ALL, command).await;
                if stage == 2 {
                    let wait = process.wait();
                    tokio::select! {
                        biased;
                        status = wait => panic!("the command has not ended: {status:?}"),
                        () = tokio::task::yield_now() => {}
                    }
                }
                if stage == 3 {
                    let stdin = process.stdin.as_mut().unwrap();
                    soon("the buffers", stdin.write_all(&vec![0; 128 * 1024])).await.unwrap();
                }
                if stage == 4 {
                    process.stdin = None;
                }
                drop(process);
                assert!(soon("the command", dropped).await.is_err());
                let error = soon("the server", served).await.unwrap().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Connection, "{protocol}, {stage}: {error}");
                no_tasks_remain(0).await;
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_is_told_from_an_exit_status() {
    for carrier in CARRIERS {
        for protocol in protocols() {
            let command = |mut stdio: Stdio| async move {
                stdio.stdout.as_mut().unwrap().write_all(b"begun").await?;
                std::future::pending().await
            };
            let (mut process, served) = start(carrier, protocol, OUTPUT, command).await;
            let mut begun = [0; 5];
            soon("the output", process.stdout.as_mut().unwrap().read_exact(&mut begun)).await.unwrap();
            served.abort();
            let error = soon("the end", process.wait()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connection, "{protocol}: {error}");
        }
    }
}

#[tokio::test]
async fn waiting_can_be_cancelled_and_begun_again() {
    for protocol in [Protocol::WEBSOCKET_V5, BASE64_V4, Protocol::Spdy(Version::V4)] {
        let (go, gone) = oneshot::channel::<()>();
        let command = |mut stdio: Stdio| async move {
            let _ = gone.await;
            stdio.stdout.as_mut().unwrap().write_all(&bytes(100_000)).await?;
            Ok(ExitStatus::from(4))
        };
        let (mut process, _served) = start(Carrier::Memory, protocol, OUTPUT, command).await;
        for _ in 0..3 {
            tokio::select! {
                biased;
                status = process.wait() => panic!("the command has not ended: {status:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
        go.send(()).unwrap();
        assert_eq!(soon("the end", process.wait()).await.unwrap().code(), 4);
    }
}

#[tokio::test]
async fn output_so_far_is_kept_when_waiting_for_it_is_cancelled() {
    for protocol in [Protocol::WEBSOCKET_V5, WEBSOCKET_V4, BASE64_V4, Protocol::Spdy(Version::V4)] {
        let (go, gone) = oneshot::channel::<()>();
        let command = |mut stdio: Stdio| async move {
            stdio.stdout.as_mut().unwrap().write_all(b"before").await?;
            stdio.stderr.as_mut().unwrap().write_all(b"warning").await?;
            let _ = gone.await;
            stdio.stdout.as_mut().unwrap().write_all(&bytes(100_000)).await?;
            Ok(ExitStatus::from(4))
        };
        let (mut process, _served) = start(Carrier::Memory, protocol, OUTPUT, command).await;
        let (mut output, mut go) = (Output::default(), Some(go));
        let waiting = async {
            // A limit that is over as soon as nothing more is there.
            loop {
                tokio::select! {
                    biased;
                    ended = process.wait_into(&mut output) => break ended,
                    () = tokio::task::yield_now() => {}
                }
                if output.stdout == b"before"
                    && output.stderr == b"warning"
                    && let Some(go) = go.take()
                {
                    assert_eq!(format!("{output:?}").matches("before").count(), 1);
                    go.send(()).unwrap();
                }
            }
        };
        soon("the end", waiting).await.unwrap();
        assert_eq!(output.status.code(), 4, "{protocol}");
        assert!(output.stdout == [b"before".to_vec(), bytes(100_000)].concat(), "{protocol}");
        assert_eq!(output.stderr, b"warning", "{protocol}");
    }
}

#[tokio::test]
async fn readers_that_are_slow_get_everything() {
    for protocol in [Protocol::WEBSOCKET_V5, WEBSOCKET_V4, Protocol::Spdy(Version::V4)] {
        let length = 300_000;
        let command = move |mut stdio: Stdio| async move {
            let mut input = Vec::new();
            let stdin = stdio.stdin.as_mut().unwrap();
            while input.len() < length {
                let mut part = [0; 777];
                let count = stdin.read(&mut part).await?;
                input.extend_from_slice(&part[..count]);
                tokio::task::yield_now().await;
            }
            stdio.stdout.as_mut().unwrap().write_all(&input).await?;
            Ok(ExitStatus::SUCCESS)
        };
        let (mut process, _served) = start(Carrier::Memory, protocol, ALL, command).await;
        let (mut stdin, mut stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let write = async { stdin.write_all(&bytes(length)).await.unwrap() };
        let read = async {
            let mut output = Vec::new();
            while output.len() < length {
                let mut part = [0; 555];
                let count = stdout.read(&mut part).await.unwrap();
                output.extend_from_slice(&part[..count]);
                tokio::task::yield_now().await;
            }
            output
        };
        let ((), output) = soon("slow readers", async { tokio::join!(write, read) }).await;
        assert!(output == bytes(length), "{protocol}");
        assert!(soon("the end", process.wait()).await.unwrap().success());
    }
}

#[tokio::test(start_paused = true)]
async fn ends_that_say_nothing_are_given_up() {
    let (near, _far) = pair(Carrier::Memory).await;
    let error = Process::start(near, Protocol::Spdy(Version::V4), OUTPUT).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Timeout, "the peer did not accept a stream within 30 s")
    );
    let (_near, far) = pair(Carrier::Memory).await;
    let command = |_: Stdio| async { Err::<ExitStatus, BoxError>("the command must not run".into()) };
    let error = serve(far, Protocol::Spdy(Version::V4), OUTPUT, command).await.unwrap_err();
    assert_eq!(error.to_string(), "the client did not open its streams within 30 s");
    let (near, _far) = pair(Carrier::Memory).await;
    let mut process = Process::start(near, Protocol::WEBSOCKET_V5, OUTPUT).await.unwrap();
    let error = process.wait().await.unwrap_err();
    assert_eq!(error.to_string(), "the peer has sent nothing for 61 s");
}

#[test]
fn names_of_protocols_are_those_of_kubernetes() {
    for protocol in protocols() {
        let Protocol::WebSocket(subprotocol) = protocol else { continue };
        assert_eq!(Subprotocol::parse(&subprotocol.to_string()), Some(subprotocol));
    }
    assert_eq!(Subprotocol::parse(""), Subprotocol::parse("channel.k8s.io"));
    assert_eq!(Version::parse(""), Some(Version::V1));
    for unknown in
        ["v5.base64.channel.k8s.io", "v6.channel.k8s.io", "base64.v4.channel.k8s.io", "portforward.k8s.io"]
    {
        assert_eq!(Subprotocol::parse(unknown), None, "{unknown}");
    }
}

#[tokio::test]
async fn a_command_that_is_ended_while_nobody_reads_its_output_or_input_ends_at_once() {
    for carrier in CARRIERS {
        for protocol in [Protocol::WEBSOCKET_V5, WEBSOCKET_V4, Protocol::Spdy(Version::V4)] {
            let (end, ended) = oneshot::channel::<()>();
            let command = |stdio: Stdio| async move {
                tokio::select! {
                    copied = cat(stdio, u64::MAX) => copied,
                    _ = ended => Ok(ExitStatus::SUCCESS),
                }
            };
            let (mut process, served) = start(carrier, protocol, ALL, command).await;
            let (mut stdin, mut stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
            soon("input", stdin.write_all(&[0; 1000])).await.unwrap();
            soon("output", stdout.read_exact(&mut [0; 1000])).await.unwrap();
            let flood = tokio::spawn(async move { while stdin.write_all(&[0; 100_000]).await.is_ok() {} });
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            end.send(()).unwrap();
            let mut sink = tokio::io::sink();
            let reading = tokio::io::copy(&mut stdout, &mut sink);
            let (status, read) = soon("the status", async { tokio::join!(process.wait(), reading) }).await;
            assert!(status.unwrap().success(), "{carrier:?} {protocol}");
            read.unwrap();
            drop((process, stdout));
            soon("the end of the input", flood).await.unwrap();
            soon("the server", served).await.unwrap().unwrap();
        }
    }
}
