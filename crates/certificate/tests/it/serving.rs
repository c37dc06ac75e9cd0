//! A server whose certificate is renewed while it runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use klient_certificate::{
    Certificate, CertificateManagerOptions, CertificateRequest, CertificateTemplate, MemoryStore, signers,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::cluster::{Cluster, soon};

/// A server that does handshakes only, with the last certificate of a channel.
pub(crate) struct TlsServer(SocketAddr);

impl TlsServer {
    pub(crate) async fn start(certificate: &Certificate) -> Self {
        let (_, receiver) = watch::channel(Some(certificate.clone()));
        Self::of(receiver).await
    }

    async fn of(certificates: watch::Receiver<Option<Certificate>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let config = server_config(certificates.borrow().as_ref().unwrap());
                // A client that does not trust it ends the handshake.
                let _ = TlsAcceptor::from(Arc::new(config)).accept(stream).await;
            }
        });
        TlsServer(address)
    }
}

fn server_config(certificate: &Certificate) -> ServerConfig {
    let chain = CertificateDer::pem_slice_iter(certificate.certificate_pem().as_bytes());
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem().as_bytes()).unwrap();
    ServerConfig::builder_with_provider(crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.collect::<Result<_, _>>().unwrap(), key)
        .unwrap()
}

/// The certificate that a server of that name has, in DER, for a client that trusts an authority.
pub(crate) async fn handshake(server: &TlsServer, name: &str, ca: &str) -> Result<Vec<u8>, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.0).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let stream = stream.map_err(|error| error.to_string())?;
    Ok(stream.get_ref().1.peer_certificates().unwrap()[0].to_vec())
}

#[tokio::test]
async fn a_server_serves_each_new_certificate() {
    let cluster = Cluster::start().await;
    let _approver = cluster.approver();
    let request = CertificateRequest {
        signer_name: signers::KUBELET_SERVING.into(),
        template: CertificateTemplate {
            common_name: "system:node:n1".into(),
            organizations: vec!["system:nodes".into()],
            dns_names: vec!["n1.example.com".into()],
            ip_addresses: vec![[10, 0, 0, 1].into(), "fd00::1".parse().unwrap()],
        },
        duration: Some(Duration::from_secs(3600)),
        ..Default::default()
    };
    let template = request.template.clone();
    let options = CertificateManagerOptions { request, ..Default::default() };
    let manager = cluster.manager(options, MemoryStore::new()).await.unwrap();
    soon("a certificate", manager.ready()).await.unwrap();
    let server = TlsServer::of(manager.subscribe()).await;
    let ca = cluster.server.ca_pem();
    let mut served = Vec::new();
    for name in ["n1.example.com", "10.0.0.1", "fd00::1"] {
        served.push(handshake(&server, name, ca).await.unwrap());
    }
    served.dedup();
    assert_eq!(served.len(), 1);

    // The node gets another address.
    let ip_addresses = vec![[10, 0, 0, 1].into(), [10, 0, 0, 2].into()];
    manager.set_template(CertificateTemplate { ip_addresses, ..template }).unwrap();
    soon("another certificate", manager.rotate_now()).await.unwrap();
    served.push(handshake(&server, "10.0.0.2", ca).await.unwrap());
    assert_ne!(served[0], served[1]);
}
