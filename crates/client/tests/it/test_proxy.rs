//! [`TestProxy`], proxies of every kind through which a test sends requests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use crate::front::{read_head, self_signed};

/// A proxy on this machine. It is gone when dropped.
pub(crate) struct TestProxy {
    scheme: &'static str,
    address: SocketAddr,
    /// The certificate of a proxy that speaks TLS.
    pub(crate) certificate: String,
    requests: Arc<Mutex<Vec<String>>>,
    accepting: AbortHandle,
}

/// Behavior of a proxy.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    /// User and password that it wants, as `user:password`.
    pub(crate) user: Option<&'static str>,
    /// The status with which it refuses all connections: of HTTP, or a reply of SOCKS5.
    pub(crate) refusal: Option<u16>,
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl TestProxy {
    /// A proxy for a scheme, behind which every name leads to one address.
    pub(crate) async fn start(scheme: &'static str, to: SocketAddr, rules: Rules) -> TestProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tls, certificate) = self_signed("http/1.1");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let proxied = requests.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let passing = Passing { to, rules: rules.clone(), requests: proxied.clone() };
                let tls = tls.clone();
                tokio::spawn(async move {
                    match scheme {
                        "http" => passing.http(stream).await,
                        "https" => match tls.accept(stream).await {
                            Ok(stream) => passing.http(stream).await,
                            Err(_) => Some(()),
                        },
                        _ => passing.socks5(stream).await,
                    }
                });
            }
        });
        TestProxy { scheme, address, certificate, requests, accepting: accepting.abort_handle() }
    }

    /// Its URL, with a user such as `user:password@`.
    pub(crate) fn url(&self, user: &str) -> String {
        format!("{}://{user}{}", self.scheme, self.address)
    }

    /// The requests that it was sent, each with its header `Proxy-Authorization` decoded.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A connection through a proxy.
struct Passing {
    to: SocketAddr,
    rules: Rules,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Passing {
    fn note(&self, request: &str, user: &str) {
        self.requests.lock().unwrap().push(format!("{request} {user}").trim_end().to_owned());
    }

    async fn http(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
        let head = read_head(&mut stream).await;
        let (line, _) = head.split_once(" HTTP/1.1\r\n")?;
        let is_tunnel = line.starts_with("CONNECT ");
        // Old proxies know the headers of CONNECT in the case in which Go writes them.
        let name = if is_tunnel { "Proxy-Authorization: Basic " } else { "proxy-authorization: Basic " };
        let authorization = head.lines().find_map(|line| line.strip_prefix(name));
        let user = authorization.map(|user| String::from_utf8(BASE64.decode(user).unwrap()).unwrap());
        self.note(line, user.as_deref().unwrap_or_default());
        let status = match self.rules.user {
            Some(wanted) if user.as_deref() != Some(wanted) => Some(407),
            _ => self.rules.refusal,
        };
        if let Some(status) = status {
            let refusal = format!("HTTP/1.1 {status} No\r\ncontent-length: 9\r\n\r\nno access");
            return stream.write_all(refusal.as_bytes()).await.ok();
        }
        let mut server = TcpStream::connect(self.to).await.ok()?;
        if is_tunnel {
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
        } else {
            server.write_all(head.as_bytes()).await.ok()?;
        }
        copy_bidirectional(&mut stream, &mut server).await.ok().map(drop)
    }

    /// RFC 1928 and 1929.
    async fn socks5(self, mut stream: TcpStream) -> Option<()> {
        let methods = read(&mut stream, 2).await?[1];
        let methods = read(&mut stream, methods.into()).await?;
        let wanted = if self.rules.user.is_some() { 2 } else { 0 };
        if !methods.contains(&wanted) {
            return stream.write_all(&[5, 0xff]).await.ok();
        }
        stream.write_all(&[5, wanted]).await.ok()?;
        let mut user = String::new();
        if let Some(wanted) = self.rules.user {
            let length = read(&mut stream, 2).await?[1];
            user = String::from_utf8(read(&mut stream, length.into()).await?).ok()?;
            let length = read(&mut stream, 1).await?[0];
            user = format!("{user}:{}", String::from_utf8(read(&mut stream, length.into()).await?).ok()?);
            stream.write_all(&[1, u8::from(user != wanted)]).await.ok()?;
        }
        let request = read(&mut stream, 4).await?;
        let host = match request[3] {
            1 => std::net::Ipv4Addr::from(<[u8; 4]>::try_from(read(&mut stream, 4).await?).ok()?).to_string(),
            3 => {
                let length = read(&mut stream, 1).await?[0];
                String::from_utf8(read(&mut stream, length.into()).await?).ok()?
            }
            _ => return None,
        };
        let port = u16::from_be_bytes(read(&mut stream, 2).await?.try_into().ok()?);
        self.note(&format!("CONNECT {host}:{port}"), &user);
        let reply = u8::try_from(self.rules.refusal.unwrap_or(0)).ok()?;
        stream.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
        let mut server = TcpStream::connect(self.to).await.ok()?;
        copy_bidirectional(&mut stream, &mut server).await.ok().map(drop)
    }
}

async fn read(stream: &mut TcpStream, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.ok().map(|_| bytes)
}
