//! The handler of `/debug/flags/v`.

use http::{Method, Request, StatusCode};
use klient_klog::{DebugFlags, Recorder};
use tower::ServiceExt as _;

async fn send(
    flags: &DebugFlags,
    method: Method,
    path: &str,
    body: impl Into<String>,
) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
    let response = flags.clone().oneshot(request).await.unwrap();
    (response.status(), response.into_body())
}

#[tokio::test]
async fn the_verbosity_is_set_as_in_kubernetes_components() {
    let recorder = Recorder::start(0);
    let flags = DebugFlags::new(recorder.verbosity());
    let set = "successfully set klog.logging.verbosity to 3\n".to_owned();
    assert_eq!(send(&flags, Method::PUT, "/debug/flags/v", "3").await, (StatusCode::OK, set));
    assert_eq!(recorder.verbosity().get(), 3);
    for (path, body, problem) in [
        ("/debug/flags/v", "x", "strconv.ParseUint: parsing \"x\": invalid syntax\n"),
        ("/debug/flags/v", "-1", "strconv.ParseUint: parsing \"-1\": invalid syntax\n"),
        ("/debug/flags/v", "", "strconv.ParseUint: parsing \"\": invalid syntax\n"),
        ("/debug/flags/v", "99999999999", "strconv.ParseUint: parsing \"99999999999\": value out of range\n"),
        (
            "/debug/flags/vmodule",
            "a",
            "--vmodule: \"a\": syntax error: expect comma-separated list of filename=N\n",
        ),
    ] {
        let answer = send(&flags, Method::PUT, path, body).await;
        assert_eq!(answer, (StatusCode::BAD_REQUEST, problem.to_owned()));
    }
    assert_eq!(recorder.verbosity().get(), 3);
    let (status, text) = send(&flags, Method::GET, "/debug/flags/v", "").await;
    assert_eq!((status, &*text), (StatusCode::NOT_ACCEPTABLE, "unsupported http method\n"));
    let (status, _) = send(&flags, Method::PUT, "/debug/flags/vmodule", "a=2").await;
    assert_eq!((status, recorder.verbosity().vmodule()), (StatusCode::OK, "a=2".to_owned()));
    let (status, text) = send(&flags, Method::PUT, "/debug/flags/v", "1".repeat(100_000)).await;
    assert_eq!(
        (status, &*text),
        (StatusCode::BAD_REQUEST, "error reading request body: length limit exceeded\n")
    );
    // Matching the pattern takes little time and stack.
    let pattern = format!("{}=1", "*".repeat(60_000));
    let (status, _) = send(&flags, Method::PUT, "/debug/flags/vmodule", pattern).await;
    assert!(status == StatusCode::OK && klient_klog::enabled!(1));
    let (status, text) = send(&flags, Method::GET, "/debug/flags/", "").await;
    assert!(status == StatusCode::OK && text.contains("vmodule"), "{text}");
}

#[tokio::test]
async fn a_router_of_axum_takes_the_handler() {
    let recorder = Recorder::start(0);
    let flags = DebugFlags::new(recorder.verbosity());
    let router = axum::Router::<()>::new()
        .route_service("/debug/flags", flags.clone())
        .route_service("/debug/flags/{flag}", flags);
    let request = Request::get("/debug/flags").body(axum::body::Body::empty()).unwrap();
    let list = router.clone().oneshot(request).await.unwrap();
    assert_eq!(list.headers()["content-type"], "text/html; charset=utf-8");
    let request = Request::put("/debug/flags/v").body(axum::body::Body::from("6")).unwrap();
    assert_eq!(router.oneshot(request).await.unwrap().status(), StatusCode::OK);
    assert_eq!(recorder.verbosity().get(), 6);
}
