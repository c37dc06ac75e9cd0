//! Certificates that are replaced while requests are sent.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use klient_client::{Client, ClientIdentity, Config, Pem};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::cluster::soon;
use crate::front::provider;

const REQUESTS: usize = 10_000;
const REQUESTS_PER_ROTATION: usize = 500;
const AT_ONCE: usize = 16;
/// The time after which the test fails: ten thousand requests take longer than others are waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A certificate authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "ca");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Authority { certificate: der, pem, issuer: Issuer::new(params, key) }
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

/// A server whose certificate is replaced. Clients need a certificate.
struct Server {
    address: SocketAddr,
    clients: Authority,
    /// The authority of the server's certificate, that before and that after it.
    authorities: Mutex<[Authority; 3]>,
    tls: Mutex<TlsAcceptor>,
    rotations: watch::Sender<usize>,
    /// The number of times that each request arrived.
    requests: Vec<AtomicU8>,
    connections: AtomicUsize,
    client_certificates: Mutex<HashSet<Vec<u8>>>,
}

impl Server {
    async fn start() -> Arc<Server> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (clients, authorities) = (Authority::new(), [(); 3].map(|()| Authority::new()));
        let server = Arc::new(Server {
            address: listener.local_addr().unwrap(),
            tls: Mutex::new(acceptor(&authorities[1], &clients)),
            clients,
            authorities: Mutex::new(authorities),
            rotations: watch::Sender::new(0),
            requests: (0..REQUESTS).map(|_| AtomicU8::new(0)).collect(),
            connections: AtomicUsize::new(0),
            client_certificates: Mutex::default(),
        });
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        server
    }

    /// Serves a connection until the next rotation, and then closes it in order.
    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let mut rotations = self.rotations.subscribe();
        let tls = self.tls.lock().unwrap().clone();
        let stream = tls.accept(stream).await.unwrap();
        self.connections.fetch_add(1, Ordering::Relaxed);
        let certificate = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        self.client_certificates.lock().unwrap().insert(certificate);
        let service = service_fn(|request: Request<Incoming>| {
            let number: usize = request.uri().path().strip_prefix("/r/").unwrap().parse().unwrap();
            self.requests[number].fetch_add(1, Ordering::Relaxed);
            async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"{}")))) }
        });
        let builder = http2::Builder::new(TokioExecutor::new());
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            _ = connection.as_mut() => {}
            _ = rotations.changed() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }

    /// Writes new certificates to the files of a client, and takes the server's next certificate into use. Clients got
    /// its authority with the rotation before.
    fn rotate(&self, folder: &Path) -> Vec<u8> {
        let mut authorities = self.authorities.lock().unwrap();
        authorities.rotate_left(1);
        authorities[2] = Authority::new();
        let trusted: String = authorities.iter().map(|authority| authority.pem.as_str()).collect();
        replace(&folder.join("ca.crt"), &trusted);
        let (certificate, key) = self.clients.sign("client.example");
        replace(&folder.join("client.crt"), &certificate.pem());
        replace(&folder.join("client.key"), &key.serialize_pem());
        *self.tls.lock().unwrap() = acceptor(&authorities[1], &self.clients);
        self.rotations.send_modify(|rotations| *rotations += 1);
        certificate.der().to_vec()
    }
}

/// Replaces a file as a whole, as the kubelet and cert-manager do.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(&new, path).unwrap();
}

fn acceptor(authority: &Authority, clients: &Authority) -> TlsAcceptor {
    let mut roots = RootCertStore::empty();
    roots.add(clients.certificate.clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap();
    let (certificate, key) = authority.sign("127.0.0.1");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config).into()
}

#[tokio::test]
async fn no_request_is_lost_while_all_certificates_are_replaced() {
    let server = Server::start().await;
    let folder = TempDir::new().unwrap();
    server.rotate(folder.path());
    let mut config = Config::from_url(&format!("https://{}", server.address)).unwrap();
    let file = |name: &str| Pem::file(folder.path().join(name));
    config.tls.ca = Some(file("ca.crt"));
    config.tls.client = Some(ClientIdentity { certificate: file("client.crt"), key: file("client.key") });
    config.max_connection_age = Some(Duration::from_millis(500));
    let client = Client::new(config).unwrap();
    let (next, path) = (Arc::new(AtomicUsize::new(0)), Arc::new(folder.path().to_owned()));
    let sending: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (client, server, next, path) = (client.clone(), server.clone(), next.clone(), path.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= REQUESTS {
                        return;
                    }
                    if number % REQUESTS_PER_ROTATION == REQUESTS_PER_ROTATION / 2 {
                        server.rotate(&path);
                    }
                    let method = if number % 2 == 0 { Method::GET } else { Method::POST };
                    let request = client.request(method).absolute_path(&format!("/r/{number}"));
                    request.send().await.unwrap();
                }
            })
        })
        .collect();
    for sent in sending {
        tokio::time::timeout(PATIENCE, sent).await.expect("the requests are answered").unwrap();
    }
    let wrong = server.requests.iter().filter(|count| count.load(Ordering::Relaxed) != 1).count();
    assert_eq!(wrong, 0, "requests were lost or processed twice");
    let rotations = *server.rotations.borrow();
    assert_eq!(rotations, REQUESTS / REQUESTS_PER_ROTATION + 1);
    assert!(server.connections.load(Ordering::Relaxed) >= rotations);

    // The next connection has the new certificate.
    let last = server.rotate(folder.path());
    server.requests[0].store(0, Ordering::Relaxed);
    let used = async {
        while !server.client_certificates.lock().unwrap().contains(&last) {
            client.request(Method::GET).absolute_path("/r/0").send().await.unwrap();
        }
    };
    soon("a connection with the new certificate", used).await;
}
