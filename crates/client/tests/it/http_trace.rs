//! The HTTP trace, by its details.

use http::Method;
use klient_client::{Client, Config, Credentials, HttpTrace};

use crate::front::Front;
use crate::log::Log;

const NAMESPACE: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: s3cr3t\r\n\r\n\
    {\"kind\":\"Namespace\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"default\"}}";

/// The trace of a write, with placeholders for the address and for times.
async fn trace(detail: Option<HttpTrace>, text: &str, body: &'static [u8]) -> String {
    let front = Front::saying(&[text]).await;
    let mut config = Config::from_url(&front.url()).unwrap();
    config.user_agent = "test".to_owned();
    config.credentials = Credentials::token("s3cr3t");
    config.http_trace = detail.unwrap_or_default();
    let client = Client::new(config).unwrap();
    let log = Log::of(if detail.is_some() { HttpTrace::TARGET } else { "other" });
    let _logging = tracing::subscriber::set_default(log.clone());
    let request = client.request(Method::PUT).group_version("", "v1").resource("namespaces").name("default");
    let _ = request.body("application/json", body).send().await;
    let text = log.text().replace(&front.address.to_string(), "HOST");
    let timeless = |line: &str| match line.split_once(": ") {
        Some((name, _)) if name.to_lowercase().ends_with("milliseconds") => format!("{name}: _\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(timeless).collect()
}

const REQUEST: &str = r#"message: Request
verb: "PUT"
url: "http://HOST/api/v1/namespaces/default"
headers: "Accept: application/json\nAuthorization: Bearer <masked>\nContent-Type: application/json\nUser-Agent: test\n"
"#;

const RESPONSE_HEADERS: &str = r#"headers: "Content-Type: application/json\nSet-Cookie: <masked>\n""#;

#[tokio::test]
async fn each_detail_has_the_fields_of_client_go() {
    let timing = "message: Response\nverb: \"PUT\"\nurl: \"http://HOST/api/v1/namespaces/default\"\n\
        status: \"200 OK\"\nmilliseconds: _\n";
    assert_eq!(trace(Some(HttpTrace::Timing), NAMESPACE, b"{}").await, timing);

    let response = "message: Response\nstatus: \"200 OK\"\n";
    let expected = format!("{REQUEST}{response}milliseconds: _\n");
    assert_eq!(trace(Some(HttpTrace::RequestHeaders), NAMESPACE, b"{}").await, expected);

    let sent = "message: Request Body\nbody: \"{}\"\n";
    let said = "message: Response Body\n\
        body: \"{\\\"kind\\\":\\\"Namespace\\\",\\\"apiVersion\\\":\\\"v1\\\",\\\"metadata\\\":{\\\"name\\\":\\\"default\\\"}}\"\n";
    let expected = format!("{sent}{REQUEST}{response}{RESPONSE_HEADERS}\nmilliseconds: _\n{said}");
    assert_eq!(trace(Some(HttpTrace::Bodies), NAMESPACE, b"{}").await, expected);

    let curl = r#"message: Request
curlCommand: "curl -v -XPUT  -H \"Accept: application/json\" -H \"Content-Type: application/json\" -H \"Authorization: Bearer <masked>\" -H \"User-Agent: test\" 'http://HOST/api/v1/namespaces/default'\n"
"#;
    let times = "milliseconds: _\ndnsLookupMilliseconds: _\ndialMilliseconds: _\ntlsHandshakeMilliseconds: _\n\
        serverProcessingMilliseconds: _\n";
    let dial = "message: HTTP Trace: Dial succeed\nnetwork: \"tcp\"\naddress: \"HOST\"\n";
    let head = timing.replace("milliseconds: _\n", RESPONSE_HEADERS);
    let expected = format!("{sent}{curl}{dial}{head}\n{times}{said}");
    for detail in [HttpTrace::Curl, HttpTrace::WholeBodies] {
        assert_eq!(trace(Some(detail), NAMESPACE, b"{}").await, expected, "{detail:?}");
    }
    assert_eq!(trace(None, NAMESPACE, b"{}").await, "");
}

#[tokio::test]
async fn long_bodies_are_cut_and_failures_are_logged() {
    let long: &'static [u8] = vec![b'a'; 20_000].leak();
    for (detail, kept) in
        [(HttpTrace::Bodies, 1024), (HttpTrace::Curl, 10_240), (HttpTrace::WholeBodies, 20_000)]
    {
        let trace = trace(Some(detail), "HTTP/1.1 500 Oh\r\ncontent-type: text/plain\r\n\r\nno", long).await;
        let cut = if kept < 20_000 { format!(" [truncated {} chars]", 20_000 - kept) } else { String::new() };
        assert!(trace.contains(&format!("body: \"{}{cut}\"\n", "a".repeat(kept))), "{trace}");
        assert!(trace.contains("message: Response Body\nbody: \"no\"\n"), "{trace}");
    }
    let cut = trace(Some(HttpTrace::Timing), "", b"").await;
    assert!(cut.ends_with("status: \"\"\nmilliseconds: _\n"), "{cut}");
}

#[tokio::test]
async fn lists_are_logged_to_their_end() {
    let list = r#"{"kind":"NamespaceList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[]}"#;
    let front =
        Front::saying(&[&format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{list}")]).await;
    let mut config = Config::from_url(&front.url()).unwrap();
    config.http_trace = HttpTrace::Bodies;
    let client = Client::new(config).unwrap();
    let log = Log::of(HttpTrace::TARGET);
    let _logging = tracing::subscriber::set_default(log.clone());
    let namespaces = client.api::<klient_api::core::v1::Namespace>();
    assert!(namespaces.list(&Default::default()).await.unwrap().items.is_empty());
    let body = format!("message: Response Body\nbody: {list:?}\n");
    assert!(log.text().ends_with(&body), "{}", log.text());
}
