//! The users of a gateway, and what each of them sees.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use klient_client::{Client, Config, ResponseBody};
use klient_gateway::{Access, Gateway, Options};
use serde_json::json;
use tokio::net::TcpListener;

use crate::stage::{Answer, Events, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn the_address_with_the_token_signs_a_browser_in_by_a_cookie() {
    let stage = Stage::start(Options::default()).await;
    let page = stage.gateway.page();
    let open =
        |path: &str, cookie: &str| Request::get(path).header("cookie", cookie).body(String::new()).unwrap();
    let signed_in = stage.send(open(&format!("{page}&view=pods%20a"), "")).await;
    assert_eq!(signed_in.status, 303);
    assert_eq!(signed_in.header("location"), "/?view=pods%20a");
    let cookie = signed_in.header("set-cookie").to_owned();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert!(cookie.starts_with(&format!("klient-gateway-{}=", stage.address.port())));
    for path in ["/", "/v1/kinds", "/api/v1/namespaces"] {
        assert_eq!(stage.send(open(path, &format!("a=b; {cookie}"))).await.status, 200, "{path}");
        assert_eq!(stage.send(open(path, &format!("{cookie}x"))).await.status, 401, "{path}");
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_without_the_token_gets_a_page_that_takes_it() {
    let stage = Stage::start(Options::default()).await;
    let (token, own) = (stage.gateway.token().unwrap(), format!("http://{}", stage.address));
    let browser = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).header("accept", "text/html,*/*");
        request.header("origin", &own).header("content-type", FORM).header("sec-fetch-site", "same-origin")
    };
    let send = async |request: http::request::Builder, body: &str| {
        stage.send(request.body(body.to_owned()).unwrap()).await
    };
    let page = send(browser("GET", "/?context=prod"), "").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (401, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").contains("default-src 'none'; style-src 'self'"));
    assert!(page.header("content-security-policy").contains("form-action 'self'"));
    assert_eq!([page.header("referrer-policy"), page.header("cache-control")], ["same-origin", "no-store"]);
    let text = page.text();
    let files: Vec<&str> = text.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(files.iter().any(|file| file.ends_with(".css")), "{files:?}");
    for file in files {
        assert_eq!(send(browser("GET", file), "").await.status, 200, "{file}");
    }
    // Those of the page itself are not among them.
    let index = stage.get("/").await.text();
    let scripts: Vec<&str> = index.split('"').filter(|part| part.ends_with(".js")).collect();
    assert!(!scripts.is_empty());
    for script in scripts {
        assert_eq!(send(browser("GET", script), "").await.status, 401, "{script}");
    }

    // The address that was printed, from anywhere in it, or the token alone.
    let mut cookie = String::new();
    for typed in [
        token.to_owned(),
        format!("%20{token}%0D%0A"),
        format!("http%3A%2F%2F127.0.0.1%3A8888%2F%3Ftoken%3D{token}"),
        format!("http%3A%2F%2Fgw%2F%3Fa%3Db%26token%3D{token}%26c%3Dd%23%2Foverview"),
    ] {
        let answer = send(browser("POST", "/?context=prod&token=old"), &format!("token={typed}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/?context=prod"), "{typed}");
        cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        assert_eq!(send(browser("GET", "/v1/kinds").header("cookie", &cookie), "").await.status, 200);
    }
    // One that has the cookie, and came by a link of another web site, needs no token.
    assert_eq!(send(browser("POST", "/").header("cookie", &cookie), "token=").await.status, 303);

    for wrong in ["token=nonsense", "token=", "", "token=%ff", "token=token%3D", "other=x"] {
        let answer = send(browser("POST", "/"), wrong).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (401, ""), "{wrong}");
        assert!(answer.text().contains("not the token of this gateway"), "{wrong}");
        let program = Request::post("/").header("content-type", FORM);
        assert_eq!(send(program, wrong).await.failure(), (401, "unauthorized".to_owned()), "{wrong}");
    }
    let long = format!("token={}", "x".repeat(10_000));
    assert_eq!(send(browser("POST", "/"), &long).await.failure(), (413, "body_too_large".to_owned()));
    // Another web site signs nobody in.
    for origin in ["http://evil.example", "null"] {
        let request = Request::post("/").header("content-type", FORM).header("origin", origin);
        let answer = send(request, &format!("token={token}")).await;
        assert_eq!(answer.failure(), (403, "origin_refused".to_owned()), "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_proxy_signs_users_in_there_is_no_form() {
    let stage = Stage::start(Options { access: Access::Bearer, ..Options::default() }).await;
    let open = |method: &str| Request::builder().method(method).uri("/").header("accept", "text/html");
    for method in ["GET", "POST"] {
        let page = stage.send(open(method).body("token=x".to_owned()).unwrap()).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (401, "text/html; charset=utf-8"));
        assert!(
            page.text().contains("proxy that signs you in") && !page.text().contains("<form"),
            "{method}"
        );
    }
    let known = open("POST").header("authorization", format!("Bearer {}", stage.server.admin_token()));
    let answer = stage.send(known.body(String::new()).unwrap()).await;
    assert_eq!(answer.failure(), (405, "method_not_allowed".to_owned()));
}

/// The gateway in front of the stage's cluster, with users of their own.
async fn shared(options: Options) -> Stage {
    let stage = Stage::start(options).await;
    stage.config_map("web", json!({})).await;
    stage.allow("ada", None, &["configmaps", "namespaces"]).await;
    stage.allow("bob", Some("default"), &["services"]).await;
    stage
}

async fn check_permissions(get: impl AsyncFn(&str, &str) -> Answer) {
    for (user, path, status) in [
        ("ada", "/v1/table/core/v1/configmaps", 200),
        ("bob", "/v1/table/core/v1/configmaps", 403),
        ("bob", "/v1/table/core/v1/configmaps?namespace=default", 403),
        ("ada", "/v1/table/core/v1/services", 403),
        ("bob", "/v1/table/core/v1/services", 403),
        ("bob", "/v1/table/core/v1/services?namespace=default", 200),
        ("bob", "/v1/changes/core/v1/configmaps", 403),
        ("ada", "/api/v1/configmaps", 200),
        ("bob", "/api/v1/configmaps", 403),
        ("ada", "/v1/object/core/v1/configmaps/web?namespace=default", 200),
        ("bob", "/v1/object/core/v1/configmaps/web?namespace=default", 403),
    ] {
        let answer = get(user, path).await;
        assert_eq!(answer.status, status, "{user} {path}: {}", answer.text());
        if status == 403 && path.starts_with("/v1") {
            assert_eq!(answer.failure().1, "forbidden");
        }
    }
    assert_eq!(get("bob", "/configmaps/core/v1").await.json()["code"], 40000);
    assert_eq!(get("ada", "/configmaps/core/v1").await.json()["code"], 20000);
    let namespaces = get("bob", "/v1/namespaces").await.json();
    assert_eq!(namespaces, json!({ "namespaces": ["default"], "default": "default", "complete": false }));
    let overview = get("ada", "/v1/overview").await.json();
    assert_eq!(overview["pods"]["error"]["code"], "forbidden", "{overview}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_token_is_who_asks_and_one_users_cache_is_not_anothers() {
    let stage = shared(Options { access: Access::Bearer, ..Options::default() }).await;
    let [ada, bob] = ["ada", "bob"].map(|user| stage.server.token(user, &[]));
    check_permissions(async |user: &str, path: &str| {
        let token = if user == "ada" { &ada } else { &bob };
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        stage.send(request.body(String::new()).unwrap()).await
    })
    .await;
    // Without one, and with one that the cluster does not know.
    for value in ["", "Bearer nonsense", "Basic YTpi"] {
        let request = Request::get("/v1/kinds").header("authorization", value).body(String::new()).unwrap();
        assert_eq!(stage.send(request).await.failure(), (401, "unauthorized".to_owned()), "{value}");
    }
    assert_eq!((stage.gateway.token(), stage.gateway.page()), (None, "/".to_owned()));
}

#[tokio::test]
async fn a_program_without_a_token_is_told_how_to_send_one() {
    let client = Client::new(Config::from_url("http://localhost:1").unwrap()).unwrap();
    let impersonate = Access::Impersonate { user_header: "X-Remote-User".into(), group_header: None };
    for (access, authorization, problem) in [
        (Access::Token, "", "the request has no token of the gateway"),
        (Access::Token, "Basic YTpi", "the request has no token of the gateway"),
        (Access::Token, "Bearer wrong", "the bearer token of the request is not that of the gateway"),
        (Access::Bearer, "", "the request has no token that is known"),
        (impersonate, "Bearer wrong", "the request has no token that is known"),
    ] {
        let gateway = Gateway::new(client.clone(), Options { access, ..Options::default() }).unwrap();
        for (path, accept) in
            [("/", "*/*"), ("/", "application/json"), ("/", "text/html,*/*"), ("/v1/kinds", "text/html")]
        {
            let request = Request::get(path).header("host", "localhost").header("accept", accept);
            let request = request.header("authorization", authorization).body(String::new()).unwrap();
            let (head, body) = gateway.answer(request).await.into_parts();
            assert_eq!(head.status, 401);
            assert_eq!(head.headers["www-authenticate"], "Bearer realm=\"klient gateway\"");
            let body = body.collect().await.unwrap().to_bytes();
            let text = std::str::from_utf8(&body).unwrap();
            if path == "/" && accept.contains("html") {
                assert!(text.starts_with("<!"), "{text}");
                continue;
            }
            assert_eq!(head.headers["content-type"], "application/json");
            assert!(text.contains(problem) && text.contains("Authorization: Bearer TOKEN"), "{text}");
            let is_of_gateway = text.contains("--access-token-file");
            assert_eq!(is_of_gateway, problem.ends_with("gateway"), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_in_front_names_the_user_and_proves_itself_by_the_token() {
    let access = Access::Impersonate {
        user_header: "X-Remote-User".into(),
        group_header: Some("X-Remote-Group".into()),
    };
    let stage = shared(Options { access, ..Options::default() }).await;
    check_permissions(async |user: &str, path: &str| {
        let request = stage.request(path).header("x-remote-user", user).header("x-remote-group", "people");
        stage.send(request.body(String::new()).unwrap()).await
    })
    .await;
    let send = async |request: http::request::Builder| stage.send(request.body(String::new()).unwrap()).await;
    let without_token = Request::get("/v1/kinds").header("x-remote-user", "ada");
    assert_eq!(send(without_token).await.status, 401);
    assert_eq!(send(stage.request("/v1/kinds")).await.status, 401);
    let two = stage.request("/v1/kinds").header("x-remote-user", "ada").header("x-remote-user", "admin");
    assert_eq!(send(two).await.failure(), (400, "bad_request".to_owned()));
    // A group is one value of the header, whatever is in it.
    let list = stage.request("/v1/table/core/v1/services").header("x-remote-user", "eve");
    let list = list.header("x-remote-group", "people,system:masters");
    assert_eq!(send(list).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_taken_away_ends_the_informer_and_its_streams() {
    let recheck = std::time::Duration::from_secs(4);
    let stage = shared(Options { access: Access::Bearer, recheck, ..Options::default() }).await;
    let token = stage.server.token("ada", &[]);
    let get = |path: &str| {
        Request::get(path).header("authorization", format!("Bearer {token}")).body(String::new())
    };
    let table = "/v1/table/core/v1/configmaps";
    assert_eq!(stage.send(get(table).unwrap()).await.status, 200);
    let mut events = Events::of(stage.open(get("/v1/changes/core/v1/configmaps").unwrap()).await);
    stage.delete("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ada").await;
    let mut last = events.next().await.unwrap();
    while last.0 != "gone" {
        last = events.next().await.expect("the last event says why");
    }
    assert_eq!(last.1["error"]["code"], "forbidden", "{last:?}");
    assert_eq!(events.words().await, "end");
    assert_eq!(stage.send(get(table).unwrap()).await.failure(), (403, "forbidden".to_owned()));
}

/// The answer of a gateway in front of a cluster whose answer is a function of the request's head.
async fn through(
    options: Options,
    request: http::request::Builder,
    cluster: impl Fn(&http::request::Parts) -> Response<()> + Clone + Send + 'static,
) -> Response<ResponseBody> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        loop {
            let cluster = cluster.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let response = cluster(&request.into_parts().0).map(|()| Full::<Bytes>::from("{}"));
                async move { Ok::<_, Infallible>(response) }
            });
            let stream = TokioIo::new(listener.accept().await.unwrap().0);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(stream, service));
        }
    });
    let gateway = Gateway::new(Client::new(Config::from_url(&url).unwrap()).unwrap(), options).unwrap();
    let token = gateway.token().unwrap_or("that-of-a-user");
    let request = request.header("host", "localhost").header("authorization", format!("Bearer {token}"));
    let answer = gateway.answer(request.body(String::new()).unwrap()).await;
    serving.abort();
    answer
}

fn with_status(status: StatusCode) -> Response<()> {
    Response::builder().status(status).body(()).unwrap()
}

#[tokio::test]
async fn a_token_counts_unless_the_cluster_says_that_it_does_not_know_it() {
    for (of_cluster, expected) in [
        (StatusCode::CREATED, 200),
        // Reviews may be forbidden, and clusters before 1.28 have none.
        (StatusCode::FORBIDDEN, 200),
        (StatusCode::NOT_FOUND, 200),
        (StatusCode::UNAUTHORIZED, 401),
        (StatusCode::NOT_IMPLEMENTED, 502),
    ] {
        let options = Options { access: Access::Bearer, ..Options::default() };
        let answer = through(options, Request::get("/ping"), move |_| with_status(of_cluster)).await;
        assert_eq!(answer.status(), expected, "{of_cluster}");
    }
}

#[tokio::test]
async fn a_request_names_no_user_to_the_cluster() {
    let request = Request::get("/api/v1/pods").header("cookie", "a=b").header("x-remote-user", "admin");
    let request = request.header("x-remote-group", "system:masters").header("x-remote-extra-scopes", "all");
    let answer = through(Options::default(), request, |head| {
        let names: Vec<&str> = head.headers.keys().map(HeaderName::as_str).collect();
        let is_clean = !names.iter().any(|name| name.starts_with("x-remote") || *name == "cookie");
        with_status(if is_clean { StatusCode::OK } else { StatusCode::IM_A_TEAPOT })
    });
    assert_eq!(answer.await.status(), 200);
}

/// A page of a pod has the origin of the gateway, whose cookie has the token.
#[tokio::test]
async fn a_response_of_a_pod_acts_upon_nothing_but_itself() {
    let of_origin = [
        ("Set-Cookie", "klient-gateway-8888=x; Path=/"),
        ("Clear-Site-Data", "\"*\""),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ("Alt-Svc", "h2=\"evil.example:443\"; ma=86400; persist=1"),
        ("Service-Worker-Allowed", "/"),
        ("Public-Key-Pins", "pin-sha256=\"x\"; max-age=1"),
        ("NEL", "{\"report_to\": \"all\", \"max_age\": 86400}"),
        ("Report-To", "{\"group\": \"all\", \"endpoints\": [{\"url\": \"https://evil.example\"}]}"),
        ("Reporting-Endpoints", "all=\"https://evil.example\""),
        ("Content-Security-Policy-Report-Only", "default-src 'none'; report-to all"),
        ("Accept-CH", "Sec-CH-UA-Model"),
        ("Use-As-Dictionary", "match=\"/*\""),
        ("Access-Control-Allow-Origin", "https://evil.example"),
        ("Access-Control-Allow-Credentials", "true"),
    ];
    let pods = "/api/v1/namespaces/shop/pods/web";
    for path in [format!("{pods}/proxy/"), format!("/context/own{pods}/proxy/"), pods.to_owned()] {
        let options = Options { exec: true, context: Some("own".into()), ..Options::default() };
        let answer = through(options, Request::get(path), move |_| {
            let response = Response::builder().header("content-security-policy", "default-src *");
            let response = response.header("x-of-the-pod", "kept").header("cache-control", "max-age=5");
            let with_all =
                of_origin.iter().fold(response, |response, (name, value)| response.header(*name, *value));
            with_all.body(()).unwrap()
        });
        let headers = answer.await.into_parts().0.headers;
        for (name, _) in of_origin {
            assert_eq!(headers.get(name), None, "{name}");
        }
        let policies: Vec<_> = headers.get_all("content-security-policy").iter().collect();
        assert_eq!(policies, ["sandbox; default-src 'none'; frame-ancestors 'none'"]);
        assert_eq!([&headers["x-of-the-pod"], &headers["cache-control"]], ["kept", "max-age=5"]);
    }
}

#[test]
fn options_that_cannot_be_are_errors() {
    let client = Client::new(Config::from_url("http://localhost:1").unwrap()).unwrap();
    for (options, problem) in [
        (Options { token: Some("short".into()), ..Options::default() }, "at least 16 characters"),
        (Options { token: Some("x".repeat(20) + ";"), ..Options::default() }, "letters or digits"),
        (
            Options { access: Access::Bearer, token: Some("x".repeat(20)), ..Options::default() },
            "a token has no effect",
        ),
        (Options { hosts: vec!["http://gw".into()], ..Options::default() }, "without scheme and port"),
        (Options { hosts: vec!["gw:80".into()], ..Options::default() }, "without scheme and port"),
        (
            Options {
                access: Access::Impersonate { user_header: "a b".into(), group_header: None },
                ..Options::default()
            },
            "no name of a header",
        ),
    ] {
        let error = Gateway::new(client.clone(), options).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
    let gateway = Gateway::new(client, Options::default()).unwrap();
    assert!(!format!("{gateway:?}").contains(gateway.token().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_a_certificate_speaks_tls_over_both_versions_of_http() {
    use klient_client::{Credentials, HttpVersion, Pem};
    use klient_gateway::Tls;

    let day = std::time::Duration::from_secs(86_400);
    let certificate = klient_certificate::self_signed_certificate(&["127.0.0.1"], day).unwrap();
    let tls = Some(Tls::certificate(certificate.clone()));
    let stage = Stage::start(Options { tls, ..Options::default() }).await;
    for http in [HttpVersion::Negotiate, HttpVersion::Http11] {
        let mut config = Config::from_url(&format!("https://{}", stage.address)).unwrap();
        config.http = http;
        config.tls.ca = Some(Pem::from(certificate.certificate_pem().as_bytes().to_vec()));
        config.credentials = Credentials::token(stage.gateway.token().unwrap());
        let client = Client::new(config).unwrap();
        let kinds = client.request(http::Method::GET).request_uri("/v1/kinds").send().await.unwrap();
        assert!(kinds.text().contains("apps/v1/deployments"));
        assert!(client.discovery().version().await.unwrap().git_version.starts_with('v'));
    }
    assert!(!stage.raw(b"GET /ping HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 200"));
}
