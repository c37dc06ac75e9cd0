//! Requests through proxies.

use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_client::{Client, Config, Error, ErrorKind, HttpVersion, ListOptions, Proxy, WatchOptions};

use crate::cluster::{cluster, config, config_map, soon, told};
use crate::front::Front;
use crate::test_proxy::{Rules, TestProxy};

/// A name for which the server has a certificate, and which only a proxy can resolve.
const SERVER: &str = "kubernetes.default.svc";

/// A configuration of a server by its name in the cluster.
fn config_by_name(server: &klient_apiserver::TestServer) -> Config {
    let mut config = config(server);
    config.url = Config::from_url(&format!("https://{SERVER}:6443")).unwrap().url;
    config
}

#[tokio::test]
async fn every_kind_of_proxy_carries_requests() {
    let (server, _) = cluster().await;
    for (number, scheme) in ["http", "https", "socks5", "socks5h"].into_iter().enumerate() {
        for (user, rules) in [
            ("", Rules::default()),
            ("ada:p%40ss%20w0rd@", Rules { user: Some("ada:p@ss w0rd"), ..Default::default() }),
        ] {
            let proxy = TestProxy::start(scheme, server.address(), rules.clone()).await;
            let mut config = config_by_name(&server);
            config.tls.ca = Some(format!("{}{}", server.ca_pem(), proxy.certificate).into());
            config.proxy = Proxy::url(&proxy.url(user)).unwrap();
            let client = Client::new(config).unwrap();
            let config_maps = client.api::<ConfigMap>().namespace("default");
            let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
            let name = format!("sky-{number}-{}", user.len());
            config_maps.create(&config_map(&name, "blue")).await.unwrap();
            assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), format!("+{name}"));
            config_maps.delete(&name, &Default::default()).await.unwrap();
            let shown = rules.user.map(|user| format!(" {user}")).unwrap_or_default();
            assert_eq!(proxy.requests(), [format!("CONNECT {SERVER}:6443{shown}")], "{scheme}");
        }
    }
}

#[tokio::test]
async fn each_connection_of_http_1_1_has_its_tunnel() {
    let (server, _) = cluster().await;
    let proxy = TestProxy::start("http", server.address(), Rules::default()).await;
    let config = Config {
        http: HttpVersion::Http11,
        proxy: Proxy::url(&proxy.url("")).unwrap(),
        ..config_by_name(&server)
    };
    let client = Client::new(config).unwrap();
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let _watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
    config_maps.list(&ListOptions::default()).await.unwrap();
    assert_eq!(proxy.requests().len(), 2);
}

#[tokio::test]
async fn a_kubeconfig_names_the_proxy_of_its_cluster() {
    let (server, _) = cluster().await;
    let proxy = TestProxy::start("socks5", server.address(), Rules::default()).await;
    let server_line = format!("server: {}", server.url());
    let with_proxy = format!("{server_line}\n    proxy-url: {}", proxy.url(""));
    let kubeconfig = server.kubeconfig();
    assert!(kubeconfig.contains(&server_line), "{kubeconfig}");
    let config = Config::from_kubeconfig(&kubeconfig.replace(&server_line, &with_proxy)).unwrap();
    Client::new(config).unwrap().discovery().version().await.unwrap();
    // Other than with the proxy of the environment, a server on this machine is no exception.
    assert_eq!(proxy.requests(), [format!("CONNECT {}", server.address())]);
}

#[tokio::test]
async fn an_http_proxy_gets_the_requests_to_an_http_server() {
    let (server, _) = cluster().await;
    let front = Front::proxy(&server, |request| {
        assert_eq!(request.uri().authority().unwrap(), "api.example");
        let path = request.uri().path_and_query().unwrap().clone();
        *request.uri_mut() = path.into();
    })
    .await;
    let rules = Rules { user: Some("ada:pw"), ..Default::default() };
    let proxy = TestProxy::start("http", front.address, rules).await;
    let mut config = Config::from_url("http://api.example").unwrap();
    config.proxy = Proxy::url(&proxy.url("ada:pw@")).unwrap();
    let client = Client::new(config).unwrap();
    client.api::<ConfigMap>().list(&ListOptions::default()).await.unwrap();
    client.api::<ConfigMap>().namespace("default").create(&config_map("a", "red")).await.unwrap();
    let requests = proxy.requests();
    assert_eq!(requests[0], "GET http://api.example/api/v1/configmaps ada:pw");
    assert!(requests.iter().all(|request| request.ends_with(" ada:pw")), "{requests:?}");
}

#[tokio::test]
async fn a_socks_proxy_opens_a_tunnel_to_an_http_server() {
    let (server, _) = cluster().await;
    let front = Front::proxy(&server, |_| {}).await;
    let proxy = TestProxy::start("socks5", front.address, Rules::default()).await;
    let mut config = Config::from_url("http://api.example").unwrap();
    config.proxy = Proxy::url(&proxy.url("")).unwrap();
    Client::new(config).unwrap().api::<ConfigMap>().list(&ListOptions::default()).await.unwrap();
    assert_eq!(proxy.requests(), ["CONNECT api.example:80"]);
    assert_eq!(front.requests(), ["GET /api/v1/configmaps"]);
}

/// The error of a write through a proxy.
async fn error_through(mut config: Config, proxy: &str) -> Error {
    config.proxy = Proxy::url(proxy).unwrap();
    let client = Client::new(config).unwrap();
    let created = client.api::<ConfigMap>().namespace("default").create(&config_map("a", "red")).await;
    let error = created.expect_err("the proxy refuses");
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(!format!("{error:?} {error}").contains("s3cret"), "{error}");
    error
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_its_password() {
    let (server, client) = cluster().await;
    let other = Some("eve:other");
    for (scheme, user, rules, expected) in [
        ("http", "", Rules { refusal: Some(403), user: None }, "403 Forbidden"),
        ("https", "ada:s3cret@", Rules { refusal: Some(503), user: None }, "503 Service Unavailable"),
        (
            "http",
            "",
            Rules { user: other, refusal: None },
            "407 Proxy Authentication Required: the URL of the proxy has no user name and password",
        ),
        (
            "http",
            "ada:s3cret@",
            Rules { user: other, refusal: None },
            "407 Proxy Authentication Required: check the user and password in its URL",
        ),
        ("socks5", "", Rules { refusal: Some(5), user: None }, "SOCKS error: connection refused"),
        ("socks5", "", Rules { refusal: Some(2), user: None }, "SOCKS error: connection not allowed"),
        (
            "socks5h",
            "",
            Rules { user: other, refusal: None },
            "SOCKS error: user and password are required: the URL of the proxy has no user name and password",
        ),
        (
            "socks5",
            "ada:s3cret@",
            Rules { user: other, refusal: None },
            "SOCKS error: credentials not accepted",
        ),
        (
            "socks5",
            "ada:s3cret@",
            Rules::default(),
            "SOCKS error: server does not support user/pass authentication",
        ),
    ] {
        let proxy = TestProxy::start(scheme, server.address(), rules).await;
        let mut config = config_by_name(&server);
        config.tls.ca = Some(format!("{}{}", server.ca_pem(), proxy.certificate).into());
        let error = error_through(config, &proxy.url(user)).await;
        assert_eq!(error.proxy(), Some(&*proxy.url("")));
        assert_eq!(
            error.to_string(),
            format!(
                "POST https://{SERVER}:6443/api/v1/namespaces/default/configmaps: cannot connect: proxy {} does not \
                 connect to {SERVER}:6443: {expected}",
                proxy.url("")
            )
        );
    }
    assert!(client.api::<ConfigMap>().namespace("default").get_opt("a").await.unwrap().is_none());
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_named() {
    let (server, _) = cluster().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let untrusted = TestProxy::start("https", server.address(), Rules::default()).await;
    let no_host = "socks5://ada:s3cret@no-such-host.invalid";
    for (proxy, expected) in [
        (
            format!("http://ada:s3cret@{free}"),
            format!("http://{free} cannot be reached: tcp connect error: "),
        ),
        (no_host.to_owned(), "socks5://no-such-host.invalid:1080 cannot be reached: dns error: ".to_owned()),
        (
            untrusted.url(""),
            format!("{} cannot be reached: invalid peer certificate: UnknownIssuer", untrusted.url("")),
        ),
    ] {
        let error = error_through(config_by_name(&server), &proxy).await;
        assert!(error.to_string().contains(&format!(": cannot connect: proxy {expected}")), "{error}");
    }
    assert!(untrusted.requests().is_empty());
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_not_waited_for_longer_than_allowed() {
    let (server, _) = cluster().await;
    let silent = Front::hanging().await;
    for scheme in ["http", "https", "socks5"] {
        let proxy = format!("{scheme}://{}", silent.address);
        let mut config = config_by_name(&server);
        config.timeouts.connect = Duration::from_millis(500);
        let error = error_through(config, &proxy).await;
        assert!(error.is_timeout(), "{error}");
        let expected =
            format!("proxy {proxy} does not connect to {SERVER}:6443: no response of the proxy within 0.5 s");
        assert!(error.to_string().ends_with(&expected), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_speaks_another_protocol_is_named() {
    let (server, _) = cluster().await;
    let other = Front::saying(&["220 smtp.example ESMTP\r\n"]).await;
    let error = error_through(config_by_name(&server), &format!("http://{}", other.address)).await;
    let expected = format!("proxy http://{} does not connect to {SERVER}:6443: invalid HTTP", other.address);
    assert!(error.to_string().contains(&expected), "{error}");
}

#[tokio::test]
async fn no_proxy_can_be_asked_for() {
    let (server, _) = cluster().await;
    let direct = Config { proxy: Proxy::None, ..config(&server) };
    Client::new(direct).unwrap().discovery().version().await.unwrap();
}

#[test]
fn urls_that_are_of_no_proxy_are_refused() {
    for (url, expected) in [
        (
            "",
            r#"proxy URL: cannot be used: "": unsupported scheme "", must be http, https, socks5 or socks5h"#,
        ),
        (
            "proxy.example:3128",
            r#"proxy URL: cannot be used: "proxy.example:3128": unsupported scheme "", must be http, https, socks5 or socks5h"#,
        ),
        ("http://u:s3cret@", r#"proxy URL: cannot be used: "http://***@": it is no URL of a host"#),
        ("socks5://a b", r#"proxy URL: cannot be used: "socks5://a b": it is no URL of a host"#),
    ] {
        assert_eq!(Proxy::url(url).unwrap_err().to_string(), expected);
    }
}
