//! The case `pod-list`: how many answers of `/pod/list` a web service gives per second, and what they cost it.
//!
//! The service is another process on the same processors, so that the client does as little as it can: it reads to the end of
//! a connection, which is good for one answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use measure::{Args, Process};
use serde_json::{Map, Value, json};

/// The end of an answer, before that of its last chunk.
const END: &[u8] = br#""message":"success"}"#;

/// Asks for `--seconds` seconds, `--conc` at once, for all `--count` pods.
pub(crate) fn run(args: &Args, out: &mut Map<String, Value>) {
    let (conc, count) = (args.num("conc", 4), args.num("count", 10_000));
    let time = Duration::from_secs(args.num("seconds", 5) as u64);
    let service = Service::of(args);
    let process = Process(args.num("pid", 0));

    // In HTTP/1.0 a body has no chunks.
    let (head, body) = service.first("HTTP/1.0");
    let answer: Value = serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {head}"));
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(count), "{head}");
    drop((answer, body));
    let bytes = service.get(&mut vec![0; BUFFER]);
    thread::sleep(Duration::from_secs(1));
    out.insert("rest_kib".into(), json!(process.vm("VmRSS")));

    let (begin, cpu) = (Instant::now(), process.cpu());
    let workers: Vec<_> = (0..conc)
        .map(|_| {
            let service = service.clone();
            thread::spawn(move || {
                let mut buffer = vec![0; BUFFER];
                let mut answers = 0_u32;
                while begin.elapsed() < time {
                    assert!(service.get(&mut buffer) > count * 100);
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    let answers: f64 = workers.into_iter().map(|worker| f64::from(worker.join().unwrap())).sum();
    let seconds = begin.elapsed().as_secs_f64();
    out.insert("answers_per_s".into(), json!(answers / seconds));
    out.insert("cpu_ms_per_answer".into(), json!((process.cpu() - cpu) / answers));
    out.insert("bytes".into(), json!(bytes));
    out.insert("peak_kib".into(), json!(process.vm("VmHWM")));
}

/// The length of a read.
const BUFFER: usize = 256 << 10;

#[derive(Clone)]
struct Service {
    address: String,
    token: String,
}

impl Service {
    fn of(args: &Args) -> Self {
        Service { address: args.str("address", "127.0.0.1:28888"), token: args.str("token", "none") }
    }

    fn ask(&self, version: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (address, token) = (&self.address, &self.token);
        let request = format!(
            "GET /pod/list {version}\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// The head and the body of an answer.
    fn first(&self, version: &str) -> (String, Vec<u8>) {
        let mut answer = Vec::new();
        self.ask(version).read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
        (String::from_utf8_lossy(&answer[..end]).into_owned(), answer.split_off(end + 4))
    }

    /// Reads an answer, and returns its length.
    fn get(&self, buffer: &mut [u8]) -> usize {
        let mut stream = self.ask("HTTP/1.1");
        let (mut length, mut last) = (0, Vec::new());
        loop {
            match stream.read(buffer).unwrap() {
                0 => break,
                read => {
                    length += read;
                    last.extend_from_slice(&buffer[read.saturating_sub(64)..read]);
                    last.drain(..last.len().saturating_sub(64));
                }
            }
        }
        assert!(last.windows(END.len()).any(|part| part == END), "{}", String::from_utf8_lossy(&last));
        length
    }
}
