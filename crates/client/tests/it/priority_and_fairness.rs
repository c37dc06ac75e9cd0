//! The server's classification of requests.

use http::Method;

use crate::front::Front;

#[tokio::test]
async fn responses_and_errors_name_the_flow_schema_and_the_priority_level() {
    let headers = "X-Kubernetes-PF-FlowSchema-UID: abc\r\nX-Kubernetes-PF-PriorityLevel-UID: def\r\n";
    let front = Front::saying(&[
        &format!("HTTP/1.1 200 OK\r\n{headers}\r\n{{}}"),
        &format!("HTTP/1.1 429 Too Many Requests\r\n{headers}\r\n"),
        "HTTP/1.1 200 OK\r\n\r\n{}",
    ])
    .await;
    let client = front.client();
    let get = || client.request(Method::GET).absolute_path("/version").send();
    let response = get().await.unwrap().priority_and_fairness().unwrap();
    assert_eq!((&*response.flow_schema_uid, &*response.priority_level_uid), ("abc", "def"));
    let error = get().await.unwrap_err();
    assert_eq!(error.priority_and_fairness(), Some(&response));
    assert_eq!(get().await.unwrap().priority_and_fairness(), None);
}
