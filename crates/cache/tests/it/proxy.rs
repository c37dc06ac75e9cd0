//! [`Proxy`], a proxy between clients and a server that applies a test's plan to requests and responses.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use klient_apiserver::Server;
use klient_client::{Client, Config, RequestBody, ResponseBody, Transport};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tower::{Layer, ServiceExt as _};

use crate::stage::{config, soon};

/// A local listener that forwards requests to a server as its admin. Dropping it stops it.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Mutex<AbortHandle>,
}

struct Shared {
    plan: Plan,
    behind: watch::Sender<Behind>,
    asked: watch::Sender<Vec<Asked>>,
    /// The number of responses in progress.
    streams: watch::Sender<usize>,
}

/// The server behind a proxy.
#[derive(Clone)]
struct Behind {
    transport: Transport,
    url: String,
    authorization: String,
}

/// The parts of a request that tests use.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    path: String,
    query: BTreeMap<String, String>,
    /// The `User-Agent` of the client.
    agent: String,
    /// The number of requests of this kind before.
    pub(crate) number: usize,
}

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A list, in pages or in one piece.
    List,
    /// A list that is streamed as watch events.
    Stream,
    Watch,
}

impl Asked {
    fn parse(request: &Request<Incoming>) -> Self {
        let uri = request.uri();
        let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let agent = agent.unwrap_or_default().to_owned();
        let query = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let query = query.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Asked { path: uri.path().to_owned(), query, agent, number: 0 }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn kind(&self) -> Kind {
        match (self.get("watch"), self.get("sendInitialEvents")) {
            ("true", "true") => Kind::Stream,
            ("true", _) => Kind::Watch,
            _ => Kind::List,
        }
    }

    /// The client, and the resource it requests.
    pub(crate) fn source(&self) -> String {
        format!("{} {}", self.agent, self.path)
    }

    /// A query parameter of the request.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.query.get(key).map_or("", |value| value)
    }

    /// `list from 0, 500 at most`, `list on`, `stream`, `watch from 12`.
    fn words(&self) -> String {
        let mut words = match self.kind() {
            Kind::List => "list",
            Kind::Stream => "stream",
            Kind::Watch => "watch",
        }
        .to_owned();
        for (key, word) in [("resourceVersion", " from "), ("limit", ", at most ")] {
            if !self.get(key).is_empty() {
                words.extend([word, self.get(key)]);
            }
        }
        if !self.get("continue").is_empty() {
            words.push_str(", going on");
        }
        words
    }
}

/// The plan for requests.
pub(crate) type Plan = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

/// The treatment of a request.
pub(crate) enum Answer {
    /// Forwards it.
    Pass,
    /// Forwards it with other query parameters.
    With(&'static [(&'static str, &'static str)]),
    /// Forwards it, and edits each event of the response, or the list as a whole.
    Edit(Edit),
    /// A failure with a code and a reason.
    Failure(u16, &'static str),
    /// A failure in full.
    Status(serde_json::Value),
    /// 429 with a `Retry-After`.
    Later(u64),
    /// Another response, in JSON.
    Text(String),
    /// No response, ever.
    Silence,
    /// The connection is closed.
    Close,
}

/// The treatment of an event, or of a list.
pub(crate) type Edit = Box<dyn FnMut(&Bytes) -> Act + Send>;

#[derive(Debug)]
pub(crate) enum Act {
    Pass,
    Skip,
    /// Other bytes replace it.
    Instead(Bytes),
    /// It passes after a delay.
    Delay(Duration),
    /// The response ends before it.
    End,
    /// The connection breaks within it, after this many bytes.
    Cut(usize),
    /// Nothing more comes, and the connection stays open.
    Silence,
}

impl Proxy {
    /// Forwards everything.
    pub(crate) async fn passing(server: &Server) -> Proxy {
        Self::new(server, |_| Answer::Pass).await
    }

    pub(crate) async fn new(
        server: &Server,
        plan: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Proxy {
        let shared = Arc::new(Shared {
            plan: Arc::new(plan),
            behind: watch::Sender::new(Behind::of(server)),
            asked: watch::Sender::default(),
            streams: watch::Sender::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(accept(listener, shared.clone())).abort_handle();
        Proxy { address, shared, accepting: Mutex::new(accepting) }
    }

    pub(crate) fn config(&self) -> Config {
        Config::from_url(&format!("http://{}", self.address)).unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.config()).unwrap()
    }

    /// Forwards requests to another server from now on.
    pub(crate) fn turn_to(&self, server: &Server) {
        self.shared.behind.send_replace(Behind::of(server));
    }

    /// Closes all connections.
    pub(crate) async fn cut(&self) {
        self.stop_listening().await;
        self.listen().await;
    }

    /// Closes all connections, and refuses others.
    pub(crate) async fn stop_listening(&self) {
        self.accepting.lock().unwrap().abort();
        soon("the end of all streams", self.streams(0)).await;
        // The port is free once the listener is dropped, which shows by a refused connection.
        soon("a refusal", async { while TcpStream::connect(self.address).await.is_ok() {} }).await;
    }

    /// Accepts connections again.
    pub(crate) async fn listen(&self) {
        // The port may have been given to another connection for a moment.
        let listening = async {
            loop {
                if let Ok(listener) = TcpListener::bind(self.address).await {
                    return listener;
                }
                tokio::task::yield_now().await;
            }
        };
        let listener = soon("a free port", listening).await;
        *self.accepting.lock().unwrap() = tokio::spawn(accept(listener, self.shared.clone())).abort_handle();
    }

    /// Accepts connections, if it does not already.
    pub(crate) async fn listen_if_not(&self) {
        let is_over = self.accepting.lock().unwrap().is_finished();
        if is_over {
            self.listen().await;
        }
    }

    /// The requests so far, in words.
    pub(crate) fn words(&self) -> Vec<String> {
        self.shared.asked.borrow().iter().map(Asked::words).collect()
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.borrow().clone()
    }

    /// Waits for this many requests, and returns them in words.
    pub(crate) async fn requests(&self, wanted: usize) -> Vec<String> {
        let mut asked = self.shared.asked.subscribe();
        let what = format!("request {wanted}");
        let came =
            tokio::time::timeout(Duration::from_secs(10), asked.wait_for(|asked| asked.len() >= wanted));
        if came.await.is_err() {
            panic!("{what} does not come: {:?}", self.words());
        }
        self.words()
    }

    /// Waits until this many responses are in progress.
    pub(crate) async fn streams(&self, wanted: usize) {
        self.shared.streams.subscribe().wait_for(|streams| *streams == wanted).await.unwrap();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.lock().unwrap().abort();
    }
}

/// Captures the transport of a client.
struct Taking(Arc<OnceLock<Transport>>);

impl Layer<Transport> for Taking {
    type Service = Transport;

    fn layer(&self, transport: Transport) -> Transport {
        let _ = self.0.set(transport.clone());
        transport
    }
}

impl Behind {
    fn of(server: &Server) -> Self {
        let taken = Arc::new(OnceLock::new());
        Client::with_layer(config(server), Taking(taken.clone())).unwrap();
        Behind {
            transport: taken.get().unwrap().clone(),
            url: server.url(),
            authorization: format!("Bearer {}", server.admin_token()),
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let shared = shared.clone();
                let service = service_fn(move |request| answer(request, shared.clone()));
                let builder = hyper::server::conn::http1::Builder::new();
                connections.spawn(async move {
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> io::Result<Response<Carried>> {
    let mut asked = Asked::parse(&request);
    shared.asked.send_modify(|all| {
        asked.number = all.iter().filter(|other| other.kind() == asked.kind()).count();
        all.push(asked.clone());
    });
    match (shared.plan)(&asked) {
        Answer::Pass => pass(request, &asked, shared, Box::new(|_| Act::Pass)).await,
        Answer::Edit(edit) => pass(request, &asked, shared, edit).await,
        Answer::With(options) => {
            let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            asked.query.extend(options);
            pass(request, &asked, shared, Box::new(|_| Act::Pass)).await
        }
        Answer::Failure(code, reason) => Ok(failure(code, reason, "as it was planned")),
        Answer::Status(status) => {
            let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok());
            Ok(said(code.unwrap(), status.to_string()))
        }
        Answer::Later(seconds) => {
            let mut response = failure(429, "TooManyRequests", "later");
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            Ok(response)
        }
        Answer::Text(text) => Ok(said(200, text)),
        Answer::Silence => std::future::pending().await,
        Answer::Close => Err(io::ErrorKind::ConnectionReset.into()),
    }
}

/// A failure as the server writes it.
pub(crate) fn status(code: u16, reason: &str, message: &str) -> serde_json::Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": reason, "code": code})
}

fn failure(code: u16, reason: &str, message: &str) -> Response<Carried> {
    said(code, status(code, reason, message).to_string())
}

fn said(code: u16, text: String) -> Response<Carried> {
    let (sender, receiver) = mpsc::channel(1);
    sender.try_send(Ok(text.into())).unwrap();
    let mut response = Response::new(Carried { receiver, _passing: None });
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
    response
}

async fn pass(
    request: Request<Incoming>,
    asked: &Asked,
    shared: Arc<Shared>,
    edit: Edit,
) -> io::Result<Response<Carried>> {
    let behind = shared.behind.borrow().clone();
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let query: Vec<String> = asked.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    parts.uri = format!("{}{}?{}", behind.url, asked.path, query.join("&")).parse().unwrap();
    parts.headers.remove(HOST);
    parts.headers.insert(AUTHORIZATION, behind.authorization.parse().unwrap());
    let request = Request::from_parts(parts, RequestBody::from(body));
    let response = behind.transport.oneshot(request).await.map_err(io::Error::other)?;
    let (parts, body) = response.into_parts();
    let mut headers = parts.headers;
    headers.remove(CONTENT_LENGTH);
    // The `Retry-After` for a future version: a client would retry ten times, three seconds apart, before it
    // fails.
    headers.remove(RETRY_AFTER);
    let cut = Pieces::of(asked, &headers);
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(carry(body, cut, edit, sender));
    let mut response = Response::new(Carried { receiver, _passing: Some(Passing::new(shared)) });
    *response.status_mut() = parts.status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// Forwards a response until either side ends it.
async fn carry(mut body: ResponseBody, pieces: Pieces, mut edit: Edit, out: mpsc::Sender<io::Result<Bytes>>) {
    let mut arrived = BytesMut::new();
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = out.closed() => return,
        };
        let has_ended = match frame {
            Some(Ok(frame)) => {
                arrived.extend_from_slice(&frame.into_data().unwrap_or_default());
                false
            }
            Some(Err(error)) => {
                let _ = out.send(Err(io::Error::other(error))).await;
                return;
            }
            None => true,
        };
        while let Some(piece) = pieces.split(&mut arrived, has_ended) {
            let passes = match edit(&piece) {
                Act::Pass => out.send(Ok(piece)).await,
                Act::Skip => Ok(()),
                Act::Instead(other) => out.send(Ok(other)).await,
                Act::Delay(time) => {
                    tokio::time::sleep(time).await;
                    out.send(Ok(piece)).await
                }
                Act::End => return,
                Act::Cut(length) => {
                    let length = length % (piece.len() + 1);
                    let _ = out.send(Ok(piece.slice(..length))).await;
                    let _ = out.send(Err(io::ErrorKind::ConnectionReset.into())).await;
                    return;
                }
                Act::Silence => return out.closed().await,
            };
            if passes.is_err() {
                return;
            }
        }
        if has_ended {
            return;
        }
    }
}

/// The pieces that a response is cut into.
#[derive(Clone, Copy)]
enum Pieces {
    Whole,
    Lines,
    Frames,
}

impl Pieces {
    fn of(asked: &Asked, headers: &HeaderMap) -> Self {
        let media = headers.get(CONTENT_TYPE).map_or(&b""[..], |media| media.as_bytes());
        match asked.kind() {
            Kind::List => Pieces::Whole,
            _ if media.starts_with(b"application/vnd.kubernetes.protobuf") => Pieces::Frames,
            _ => Pieces::Lines,
        }
    }

    fn split(self, arrived: &mut BytesMut, has_ended: bool) -> Option<Bytes> {
        let length = match self {
            Pieces::Whole => has_ended.then_some(arrived.len()),
            Pieces::Lines => arrived.iter().position(|byte| *byte == b'\n').map(|end| end + 1),
            Pieces::Frames => (arrived.len() >= 4)
                .then(|| 4 + (&arrived[..4]).get_u32() as usize)
                .filter(|length| arrived.len() >= *length),
        };
        let length = length.or(has_ended.then_some(arrived.len())).filter(|length| *length > 0)?;
        Some(arrived.split_to(length).freeze())
    }
}

/// A response in progress.
struct Passing(Arc<Shared>);

impl Passing {
    fn new(shared: Arc<Shared>) -> Self {
        shared.streams.send_modify(|streams| *streams += 1);
        Passing(shared)
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.0.streams.send_modify(|streams| *streams -= 1);
    }
}

/// The body of a response.
struct Carried {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    _passing: Option<Passing>,
}

impl http_body::Body for Carried {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.receiver.poll_recv(context).map(|bytes| bytes.map(|bytes| bytes.map(Frame::data)))
    }
}
