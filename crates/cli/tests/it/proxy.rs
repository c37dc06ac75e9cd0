//! The proxy that the environment names, and that of a kubeconfig.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::playground::{Playground, Program};

/// A name that only the proxy resolves.
const SERVER: &str = "api.no-such-domain.invalid";

/// Starts an HTTP proxy behind which every name is the server. Returns its address, and the first lines of requests.
async fn proxy(playground: &Playground) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (to, requests) = (playground.address(), Arc::new(Mutex::new(Vec::new())));
    let noting = requests.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let noting = noting.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { return };
                    head.push(byte);
                }
                let line = String::from_utf8_lossy(&head).lines().next().unwrap().to_owned();
                noting.lock().unwrap().push(line);
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let mut server = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
            });
        }
    });
    (address, requests)
}

/// Runs `klient get namespace default -o name` with variables in its environment.
async fn get(playground: &Playground, who: &str, variables: &[(&str, String)]) -> String {
    let none = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
    let none = none.map(|name| (name.to_owned(), String::new()));
    let own = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let variables: Vec<_> = none.into_iter().chain(own).collect();
    let args = ["get", "namespace", "default", "-o", "name"].map(str::to_owned);
    let done = playground.run_with(&Program::klient(), who, &variables, &args, None).await;
    format!("{}{}", done.stdout, done.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_of_the_environment_is_used_for_servers_that_no_proxy_does_not_list() {
    let playground = Playground::new().await;
    let (address, requests) = proxy(&playground).await;
    let named = format!("https://{SERVER}:6443\n    tls-server-name: localhost");
    playground.write_kubeconfig("named", |text| text.replace(&playground.url(), &named));
    let through = |requests: &Mutex<Vec<String>>| std::mem::take(&mut *requests.lock().unwrap());
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let proxied = get(&playground, "named", &[(name, format!("http://{address}"))]).await;
        assert_eq!(proxied, "namespace/default\n", "{name}");
        let seen = through(&requests);
        assert!(!seen.is_empty(), "{name}");
        assert!(seen.iter().all(|line| *line == format!("CONNECT {SERVER}:6443 HTTP/1.1")), "{seen:?}");
    }
    for list in ["*", ".invalid", "no-such-domain.invalid:6443"] {
        let variables = [("HTTPS_PROXY", address.clone()), ("NO_PROXY", list.to_owned())];
        let direct = get(&playground, "named", &variables).await;
        assert!(direct.contains("no such host"), "{list}: {direct}");
    }
    let other = [("HTTPS_PROXY", address.clone()), ("no_proxy", "no-such-domain.invalid:443".to_owned())];
    assert_eq!(get(&playground, "named", &other).await, "namespace/default\n");
    assert!(!through(&requests).is_empty());
    // This machine is reached without it.
    assert_eq!(get(&playground, "admin", &[("HTTPS_PROXY", address)]).await, "namespace/default\n");
    assert_eq!(through(&requests), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_cannot_be_used_is_named_without_its_password() {
    let playground = Playground::new().await;
    playground
        .write_kubeconfig("named", |text| text.replace(&playground.url(), &format!("https://{SERVER}")));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = get(&playground, "named", &[("HTTPS_PROXY", format!("http://ada:s3cret@{free}"))]).await;
    let expected = format!(
        "Unable to connect to the server: proxy http://{free} cannot be reached: tcp connect error: Connection refused \
         (os error 111)\n"
    );
    assert_eq!(refused, expected);
    let scheme = get(&playground, "named", &[("HTTPS_PROXY", "ftp://ada:s3cret@proxy".to_owned())]).await;
    assert!(scheme.contains(r#"HTTPS_PROXY"#) && scheme.contains(r#"unsupported scheme "ftp""#), "{scheme}");
    assert!(!format!("{refused}{scheme}").contains("s3cret"), "{refused}{scheme}");
}
