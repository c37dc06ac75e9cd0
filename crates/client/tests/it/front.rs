//! [`Front`], what a test puts in the place of an API server, or in front of one.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use klient_apiserver::TestServer;
use klient_client::{Client, Config};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// A listener on this machine whose connections a test takes. It is gone when dropped.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    seen: Arc<Seen>,
    accepting: AbortHandle,
    /// The certificate that a front which speaks TLS has.
    certificate: Option<String>,
}

/// Connections and requests that a front has had.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
    /// The number of responses of a proxy, or connections of a tunnel, on their way.
    streams: watch::Sender<usize>,
    cuts: watch::Sender<()>,
}

/// An answer or a connection on its way.
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

/// A change of requests on their way to the server.
type Change = Arc<dyn Fn(&mut Request<Incoming>) + Send + Sync>;

impl Front {
    /// Speaks TLS in one protocol of ALPN, and hands every connection, with its number, to a function.
    pub(crate) async fn tls<F>(
        protocol: &str,
        take: impl Fn(tokio_rustls::server::TlsStream<TcpStream>, usize) -> F + Clone + Send + Sync + 'static,
    ) -> Front
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (tls, certificate) = self_signed(protocol);
        let mut front = Front::taking(move |stream, number, _| {
            let (tls, take) = (tls.clone(), take.clone());
            async move {
                if let Ok(stream) = tls.accept(stream).await {
                    take(stream, number).await;
                }
            }
        })
        .await;
        front.certificate = Some(certificate);
        front
    }

    /// Hands every connection, with its number, to a function.
    async fn taking<F>(take: impl Fn(TcpStream, usize, Arc<Seen>) -> F + Send + 'static) -> Front
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let noting = seen.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = noting.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(take(stream, number, noting.clone()));
            }
        });
        Front { address, seen, accepting: accepting.abort_handle(), certificate: None }
    }

    /// Answers the first request of each connection with a text, as it stands, and closes. The last text is for all
    /// connections that follow.
    pub(crate) async fn saying(texts: &[&str]) -> Front {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Front::taking(move |mut stream, number, seen| {
            let text = texts[number.min(texts.len() - 1)].clone();
            async move {
                let head = read_head(&mut stream).await;
                seen.requests.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    /// Answers the first request of each connection with a text once it is told to, and closes.
    pub(crate) async fn saying_later(text: &'static str, told: watch::Receiver<bool>) -> Front {
        Front::taking(move |mut stream, _, seen| {
            let mut told = told.clone();
            async move {
                let head = read_head(&mut stream).await;
                seen.requests.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
                let _passing = Passing::new(seen);
                let _ = told.wait_for(|told| *told).await;
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    /// Answers requests whose path begins with one of these with a JSON document, and others with 404.
    pub(crate) async fn routing(documents: &[(&str, &str)]) -> Front {
        let documents: Vec<(String, String)> =
            documents.iter().map(|(path, document)| ((*path).to_owned(), (*document).to_owned())).collect();
        Front::taking(move |mut stream, _, seen| {
            let documents = documents.clone();
            async move {
                let head = read_head(&mut stream).await;
                let line = head.lines().next().unwrap_or_default();
                seen.requests.lock().unwrap().push(line.to_owned());
                let path = line.split(' ').nth(1).unwrap_or_default();
                let found = documents.iter().find(|(start, _)| path.starts_with(start));
                let answer = match found {
                    Some((_, document)) => format!("HTTP/1.1 200 OK\r\n\r\n{document}"),
                    None => "HTTP/1.1 404 Not Found\r\n\r\n".to_owned(),
                };
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    /// Closes every connection at once.
    pub(crate) async fn closing() -> Front {
        Front::taking(|stream, _, _| async move { drop(stream) }).await
    }

    /// Takes connections and says nothing.
    pub(crate) async fn hanging() -> Front {
        Front::taking(|stream, _, _| async move {
            let _open = stream;
            std::future::pending().await
        })
        .await
    }

    /// Passes bytes to a server and back, so that TLS is between the client and the server.
    pub(crate) async fn tunnel(server: &TestServer) -> Front {
        let to = server.address();
        Front::taking(move |mut stream, _, seen| async move {
            let _passing = Passing::new(seen.clone());
            let mut cuts = seen.cuts.subscribe();
            let mut server = TcpStream::connect(to).await.unwrap();
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut stream, &mut server) => {}
                _ = cuts.changed() => {}
            }
        })
        .await
    }

    /// Cuts all connections of a tunnel.
    pub(crate) async fn cut(&mut self) {
        self.seen.cuts.send_replace(());
        self.streams(0).await;
    }

    /// Takes requests over plain HTTP, changes them and passes them to a server, as its admin.
    pub(crate) async fn proxy(
        server: &TestServer,
        change: impl Fn(&mut Request<Incoming>) + Send + Sync + 'static,
    ) -> Front {
        let (behind, change): (_, Change) = (Behind::of(server), Arc::new(change));
        Front::taking(move |stream, _, seen| serve(stream, behind.clone(), change.clone(), seen)).await
    }

    /// Takes requests over TLS, in one protocol of ALPN, and passes them to a server, as its admin.
    pub(crate) async fn tls_proxy(server: &TestServer, protocol: &str) -> Front {
        let (tls, certificate) = self_signed(protocol);
        let behind = Behind::of(server);
        let mut front = Front::taking(move |stream, _, seen| {
            let (tls, behind) = (tls.clone(), behind.clone());
            async move {
                let stream = tls.accept(stream).await.unwrap();
                serve(stream, behind, Arc::new(|_| {}), seen).await;
            }
        })
        .await;
        front.certificate = Some(certificate);
        front
    }

    /// The URL for plain HTTP.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client over plain HTTP.
    pub(crate) fn client(&self) -> Client {
        Client::new(Config::from_url(&self.url()).unwrap()).unwrap()
    }

    /// The certificate of a front that speaks TLS.
    pub(crate) fn certificate(&self) -> &str {
        self.certificate.as_deref().expect("it speaks TLS")
    }

    /// The configuration of a client over TLS.
    pub(crate) fn tls_config(&self) -> Config {
        let mut config = Config::from_url(&format!("https://{}", self.address)).unwrap();
        config.tls.ca = Some(self.certificate().into());
        config
    }

    /// A client over TLS.
    pub(crate) fn tls_client(&self) -> Client {
        Client::new(self.tls_config()).unwrap()
    }

    /// The number of connections that were made.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// The first lines of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// Waits until so many answers of a proxy are on their way.
    pub(crate) async fn streams(&self, wanted: usize) {
        self.seen.streams.subscribe().wait_for(|streams| *streams == wanted).await.unwrap();
    }
}

/// A TLS server with a certificate of its own for this machine, and that certificate.
pub(crate) fn self_signed(protocol: &str) -> (tokio_rustls::TlsAcceptor, String) {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::from_pem_slice(own.signing_key.serialize_pem().as_bytes()).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.into()];
    (Arc::new(config).into(), own.cert.pem())
}

/// Reads the head of a request.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => head.extend_from_slice(&buffer[..read]),
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    behind: Behind,
    change: Change,
    seen: Arc<Seen>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        seen.requests.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        change(&mut request);
        let (behind, passing) = (behind.clone(), Passing::new(seen.clone()));
        async move {
            let response = behind.pass(request).await?;
            Ok::<_, hyper::Error>(response.map(|body| {
                body.map_frame(move |frame| {
                    let _ = &passing;
                    frame
                })
            }))
        }
    });
    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
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
        let config = rustls::ClientConfig::builder_with_provider(provider())
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

    /// Passes a request on, over a connection of its own.
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
