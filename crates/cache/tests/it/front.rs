//! [`Front`], a proxy in front of an API server, or in its place.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use klient_apiserver::TestServer;
use klient_client::{Client, Config};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// A local proxy that speaks plain HTTP, and forwards requests to a server as its admin unless a test answers
/// them. Dropping it stops it.
pub(crate) struct Front {
    address: SocketAddr,
    seen: Arc<Seen>,
    accepting: AbortHandle,
}

/// The requests and responses that a front has seen.
#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    /// The number of responses in progress.
    streams: watch::Sender<usize>,
    cuts: watch::Sender<()>,
}

/// A response in progress.
struct Passing(Arc<Seen>);

impl Passing {
    fn new(seen: Arc<Seen>) -> Self {
        seen.streams.send_modify(|streams| *streams += 1);
        Passing(seen)
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.0.streams.send_modify(|streams| *streams -= 1);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The answer of a test, a code and a body; `None` for a request to forward.
pub(crate) type Answer = Option<(u16, String)>;

impl Front {
    /// A front of a server. The function receives the first line of each request and the number of requests
    /// before, and may answer in the server's place.
    pub(crate) async fn of(
        server: &TestServer,
        answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static,
    ) -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, behind, answer) = (Arc::new(Seen::default()), Behind::of(server), Arc::new(answer));
        let noting = seen.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, behind, answer) = (noting.clone(), behind.clone(), answer.clone());
                let mut cuts = seen.cuts.subscribe();
                let service = service_fn(move |request: Request<Incoming>| {
                    let line = format!("{} {}", request.method(), request.uri());
                    let mut requests = seen.requests.lock().unwrap();
                    let answer = answer(&line, requests.len());
                    requests.push(line);
                    let (behind, passing) = (behind.clone(), Passing::new(seen.clone()));
                    async move {
                        let response: Response<BoxBody<Bytes, hyper::Error>> = match answer {
                            Some((code, body)) => {
                                let body = Full::from(body).map_err(|never| match never {}).boxed();
                                Response::builder().status(code).body(body).unwrap()
                            }
                            None => behind.pass(request).await?.map(|body| body.boxed()),
                        };
                        Ok::<_, hyper::Error>(response.map(|body| {
                            body.map_frame(move |frame| {
                                let _ = &passing;
                                frame
                            })
                        }))
                    }
                });
                tokio::spawn(async move {
                    let builder = hyper::server::conn::http1::Builder::new();
                    tokio::select! {
                        _ = builder.serve_connection(TokioIo::new(stream), service) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Front { address, seen, accepting: accepting.abort_handle() }
    }

    /// A front that forwards everything.
    pub(crate) async fn passing(server: &TestServer) -> Front {
        Front::of(server, |_, _| None).await
    }

    /// A client of the front.
    pub(crate) fn client(&self) -> Client {
        Client::new(Config::from_url(&format!("http://{}", self.address)).unwrap()).unwrap()
    }

    /// Closes all connections.
    pub(crate) fn cut(&self) {
        self.seen.cuts.send_replace(());
    }

    /// The first lines of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// Waits until this many responses are in progress.
    pub(crate) async fn streams(&self, wanted: usize) {
        self.seen.streams.subscribe().wait_for(|streams| *streams == wanted).await.unwrap();
    }
}

/// A failure `Status` as the server writes it.
pub(crate) fn status(code: u16, reason: &str) -> String {
    format!(
        r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"{reason}","reason":"{reason}","code":{code}}}"#
    )
}

/// The server behind a front.
#[derive(Clone)]
struct Behind {
    address: SocketAddr,
    tls: tokio_rustls::TlsConnector,
    authorization: String,
}

impl Behind {
    fn of(server: &TestServer) -> Behind {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(server.ca_pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Behind {
            address: server.address(),
            tls: Arc::new(config).into(),
            authorization: format!("Bearer {}", server.admin_token()),
        }
    }

    /// Forwards a request, over a connection of its own.
    async fn pass(self, mut request: Request<Incoming>) -> Result<Response<Incoming>, hyper::Error> {
        let headers = request.headers_mut();
        headers.insert(http::header::AUTHORIZATION, self.authorization.parse().unwrap());
        let stream = TcpStream::connect(self.address).await.unwrap();
        let stream = self.tls.connect(ServerName::from(self.address.ip()), stream).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        sender.send_request(request).await
    }
}
