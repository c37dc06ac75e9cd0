//! A table of attacks: each is a request, and the answer that it gets.

use http::{Method, Request};
use klient_gateway::Options;
use serde_json::json;

use crate::stage::{MAPS, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_other_sites_and_for_other_hosts_are_refused() {
    let stage = Stage::start(Options {
        writes: true,
        exec: true,
        hosts: vec!["gw.example".into()],
        ..Options::default()
    })
    .await;
    let port = stage.address.port();
    let own = format!("http://localhost:{port}");
    let other_port = format!("http://localhost:{}", port ^ 1);
    let local = format!("localhost:{port}");
    for (host, headers, status, code) in [
        // DNS rebinding.
        ("evil.example", vec![], 421, "host_refused"),
        (&*format!("evil.example:{port}"), vec![], 421, "host_refused"),
        ("localhost.evil.example", vec![], 421, "host_refused"),
        ("127.0.0.1.nip.example", vec![], 421, "host_refused"),
        ("127.0.0.2", vec![], 421, "host_refused"),
        ("0.0.0.0", vec![], 421, "host_refused"),
        ("localhost@evil.example", vec![], 421, "host_refused"),
        ("evil.example@localhost", vec![], 421, "host_refused"),
        ("localhost:", vec![], 421, "host_refused"),
        ("", vec![], 421, "host_refused"),
        ("localhost", vec![], 200, ""),
        ("[::1]:80", vec![], 200, ""),
        ("GW.example:443", vec![], 200, ""),
        // Cross-site requests.
        (&*local, vec![("origin", "http://evil.example")], 403, "origin_refused"),
        (&*local, vec![("origin", "null")], 403, "origin_refused"),
        (&*local, vec![("origin", &*other_port)], 403, "origin_refused"),
        (&*local, vec![("origin", "file://")], 403, "origin_refused"),
        (&*local, vec![("origin", &*own), ("origin", "http://evil.example")], 403, "origin_refused"),
        (
            &*local,
            vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
            403,
            "origin_refused",
        ),
        (&*local, vec![("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")], 403, "origin_refused"),
        (&*local, vec![("sec-fetch-site", "cross-site")], 403, "origin_refused"),
        // A link of another web site, which can lead to the page alone.
        (
            &*local,
            vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
            403,
            "origin_refused",
        ),
        (&*local, vec![("origin", &*own), ("sec-fetch-site", "same-origin")], 200, ""),
        (&*local, vec![("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")], 200, ""),
        // The site without TLS, which somebody in the network may have made.
        (
            "gw.example",
            vec![("origin", "http://gw.example"), ("x-forwarded-proto", "https")],
            403,
            "origin_refused",
        ),
        ("gw.example", vec![("origin", "https://gw.example:80")], 403, "origin_refused"),
        ("gw.example", vec![("origin", "https://gw.example"), ("x-forwarded-proto", "https")], 200, ""),
        ("gw.example", vec![("origin", "https://gw.example")], 200, ""),
        // A user of the request's choice.
        (&*local, vec![("impersonate-user", "system:admin")], 400, "bad_request"),
        (&*local, vec![("impersonate-group", "system:masters")], 400, "bad_request"),
        (&*local, vec![("impersonate-extra-a", "b")], 400, "bad_request"),
    ] {
        for path in ["/ping", "/api/v1/namespaces/default", "/v1/kinds"] {
            let mut request = stage.request(path).header("host", host);
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let answer = stage.send(request.body(String::new()).unwrap()).await;
            match code {
                "" => assert_eq!(answer.status, status, "{host} {headers:?} {path}"),
                code => assert_eq!(answer.failure(), (status, code.to_owned()), "{host} {headers:?} {path}"),
            }
            assert_eq!(answer.header("access-control-allow-origin"), "");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"));
        }
    }
    let link = stage.request("/").header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate");
    assert_eq!(stage.send(link.body(String::new()).unwrap()).await.status, 200);
    // With a method that writes, and with an upgrade.
    for method in [Method::POST, Method::DELETE, Method::PATCH] {
        let request =
            stage.request(MAPS).method(method).header("host", &*local).header("origin", &*other_port);
        let answer = stage.send(request.body("{}".to_owned()).unwrap()).await;
        assert_eq!(answer.failure(), (403, "origin_refused".to_owned()));
    }
    let upgrade =
        stage.request("/api/v1/namespaces/default/pods/web/exec?command=ls").header("host", &*local);
    let upgrade = upgrade.header("upgrade", "websocket").header("connection", "upgrade");
    let answer =
        stage.send(upgrade.header("origin", "http://evil.example").body(String::new()).unwrap()).await;
    assert_eq!(answer.failure(), (403, "origin_refused".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_elsewhere() {
    let stage = Stage::start(Options::default()).await;
    let (token, host) = (stage.gateway.token().unwrap().to_owned(), stage.address);
    let long = "x".repeat(100_000);
    for (line, expected) in [
        ("GET /ping HTTP/1.1", "200 OK"),
        ("GET http://evil.example/ping HTTP/1.1", "400 Bad Request"),
        ("GET http://localhost/api/v1/pods HTTP/1.1", "400 Bad Request"),
        ("GET https://evil.example/apis HTTP/1.1", "400 Bad Request"),
        ("GET //evil.example/ping HTTP/1.1", "400 Bad Request"),
        ("GET /api/v1//pods HTTP/1.1", "400 Bad Request"),
        ("GET /v1/../api/v1/secrets HTTP/1.1", "400 Bad Request"),
        ("GET /assets/../v1/kinds HTTP/1.1", "400 Bad Request"),
        ("GET /assets/..%2f..%2fetc%2fpasswd HTTP/1.1", "400 Bad Request"),
        ("GET /api/v1/namespaces/default/pods/%2e%2e/%2e%2e/secrets HTTP/1.1", "400 Bad Request"),
        ("GET /api/v1/namespaces/a%2f..%2fdefault%2fsecrets HTTP/1.1", "400 Bad Request"),
        ("GET /api/v1/namespaces/default%5csecrets HTTP/1.1", "400 Bad Request"),
        ("GET /api/v1/namespaces/default/secrets/%00 HTTP/1.1", "400 Bad Request"),
        ("GET /v1/object/core/v1/pods/a%0d%0aX-Evil:1?namespace=default HTTP/1.1", "400 Bad Request"),
        ("CONNECT evil.example:443 HTTP/1.1", "405 Method Not Allowed"),
        ("TRACE /ping HTTP/1.1", "405 Method Not Allowed"),
        ("OPTIONS * HTTP/1.1", "400 Bad Request"),
    ] {
        let request =
            format!("{line}\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
        let answer = stage.raw(request.as_bytes()).await;
        assert_eq!(answer.strip_prefix("HTTP/1.1 "), Some(expected), "{line}");
    }
    for (head, expected) in [
        (format!("GET /ping HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n"), "400 Bad Request"),
        (
            format!("GET /ping HTTP/1.1\r\nHost: {host}\r\nX-Long: {}\r\n", &long[..40_000]),
            "431 Request Header Fields Too Large",
        ),
        (
            format!("GET /ping HTTP/1.1\r\nHost: {host}\r\nX-Long: {long}\r\n"),
            "431 Request Header Fields Too Large",
        ),
        (format!("GET /{long} HTTP/1.1\r\nHost: {host}\r\n"), "4"),
    ] {
        let answer = stage.raw(format!("{head}Authorization: Bearer {token}\r\n\r\n").as_bytes()).await;
        let status =
            answer.strip_prefix("HTTP/1.1 ").unwrap_or_else(|| panic!("{answer} to {}", &head[..60]));
        assert!(status.starts_with(expected), "{status} to {}", &head[..60]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_with_markup_are_data() {
    let stage = Stage::start(Options::default()).await;
    // A label's value cannot have markup; an annotation can, and so can the text of a search.
    let data = json!({ "<script>alert(1)</script>": "x" });
    let request = stage.admin.request(Method::POST).absolute_path(MAPS);
    let refused =
        request.body("application/json", json!({ "metadata": { "name": "a" }, "data": data }).to_string());
    assert!(refused.send().await.unwrap_err().is_invalid());
    for path in [
        "/%3Cscript%3Ealert(1)%3C/script%3E",
        "/v1/table/core/v1/%3Cscript%3E",
        "/v1/table/core/v1/pods?%3Cscript%3E=1",
        "/v1/table/core/v1/pods?sort=%3Cscript%3E",
    ] {
        let answer = stage.get(path).await;
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_token_nothing_but_health_answers() {
    let stage = Stage::start(Options::default()).await;
    let plain = |path: &str| Request::get(path).body(String::new()).unwrap();
    for path in [
        "/",
        "/ping",
        "/pod/list",
        "/pods/core/v1",
        "/v1/kinds",
        "/v1/table/core/v1/pods",
        "/v1/changes/core/v1/pods",
        "/v1/overview",
        "/metrics",
        "/openapi.json",
        "/api/v1/pods",
        "/version",
        "/apis",
        "/v1/contexts",
        "/assets/app.js",
        "/?token=wrong",
        "/ping?token=wrong",
    ] {
        assert_eq!(stage.send(plain(path)).await.failure(), (401, "unauthorized".to_owned()), "{path}");
        for wrong in ["Bearer ", "Bearer wrong", "Basic dXNlcjpwYXNz", ""] {
            let request = Request::get(path).header("authorization", wrong).body(String::new()).unwrap();
            assert_eq!(stage.send(request).await.status, 401, "{path} {wrong}");
        }
    }
    // In the query of other paths the token would be in logs.
    let token = stage.gateway.token().unwrap();
    assert_eq!(stage.send(plain(&format!("/ping?token={token}"))).await.status, 401);
    for path in ["/healthz", "/livez", "/readyz"] {
        let probe = Request::get(path).header("host", "10.0.0.7:8888").body(String::new()).unwrap();
        assert_eq!(stage.send(probe).await.text(), "ok", "{path}");
    }
    let page = Request::get("/").header("accept", "text/html").body(String::new()).unwrap();
    let page = stage.send(page).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (401, "text/html; charset=utf-8"));
}
