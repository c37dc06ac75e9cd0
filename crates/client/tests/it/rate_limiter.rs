//! The client's own limit of requests per second.

use std::time::Duration;

use http::Method;
use klient_client::{Client, Config, Error, ErrorKind, RateLimiter};
use tokio::time::Instant;

use crate::front::Front;
use crate::log::Log;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}";

async fn get(client: &Client) -> Result<(), Error> {
    client.request(Method::GET).absolute_path("/version").send().await.map(drop)
}

fn client(front: &Front, limiter: &RateLimiter) -> Client {
    let mut config = Config::from_url(&front.url()).unwrap();
    config.rate_limiter = Some(limiter.clone());
    Client::new(config).unwrap()
}

/// The time since then, in tenths of a second.
fn tenths(since: Instant) -> u128 {
    (since.elapsed().as_millis() + 50) / 100
}

#[test]
fn a_limiter_that_lets_nothing_through_is_refused() {
    for (qps, burst, problem) in [
        (0.0, 1, "rate limiter: cannot be used: 0 requests per second: it must be more than 0"),
        (-1.0, 1, "rate limiter: cannot be used: -1 requests per second: it must be more than 0"),
        (f64::NAN, 1, "rate limiter: cannot be used: NaN requests per second: it must be more than 0"),
        (
            5.0,
            0,
            "rate limiter: cannot be used: the burst must be at least 1 if the rate is 5 requests per second",
        ),
    ] {
        let error = RateLimiter::token_bucket(qps, burst).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Config, problem));
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_come_at_the_rate_after_the_burst() {
    let limiter = RateLimiter::token_bucket(10.0, 2).unwrap();
    let began = Instant::now();
    for tenth in [0, 0, 1, 2, 3] {
        limiter.wait().await;
        assert_eq!(tenths(began), tenth);
    }
    assert!(!limiter.try_accept());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!([(); 3].map(|()| limiter.try_accept()), [true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn those_that_wait_have_their_turn_in_order_and_those_that_leave_take_nothing() {
    let limiter = RateLimiter::token_bucket(10.0, 1).unwrap();
    limiter.wait().await;
    let began = Instant::now();
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                limiter.wait().await;
                tenths(began)
            })
        })
        .collect();
    tokio::task::yield_now().await;
    assert!(!limiter.try_accept());
    // The first holds the line while it sleeps, the third waits in it.
    waiting[0].abort();
    waiting[2].abort();
    let mut turns = Vec::new();
    for task in waiting {
        turns.push(task.await.ok());
    }
    assert_eq!(turns, [None, Some(1), None, Some(2)]);
    limiter.wait().await;
    assert_eq!(tenths(began), 3);
}

#[tokio::test]
async fn clients_share_a_limiter_and_a_client_without_one_has_no_limit() {
    let front = Front::saying(&[OK]).await;
    let limiter = RateLimiter::token_bucket(0.001, 2).unwrap();
    let (one, other) = (client(&front, &limiter), client(&front, &limiter));
    get(&one).await.unwrap();
    get(&other.clone()).await.unwrap();
    for client in [&one, &other] {
        let held_back = tokio::time::timeout(Duration::from_millis(20), get(client)).await;
        assert!(held_back.is_err());
    }
    assert_eq!(front.requests().len(), 2);
    get(&front.client()).await.unwrap();
    assert_eq!(front.requests().len(), 3);
}

#[tokio::test]
async fn the_wait_is_no_part_of_the_time_out_and_is_logged_with_its_reason() {
    let front = Front::saying(&[OK]).await;
    let limiter = RateLimiter::token_bucket(4.0, 1).unwrap();
    let client = client(&front, &limiter);
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    get(&client).await.unwrap();
    assert!(!log.text().contains("Waited before sending request"));
    let request = client.request(Method::GET).absolute_path("/version");
    request.timeout(Duration::from_millis(200)).send().await.unwrap();
    let logged = format!(
        "reason: \"client-side throttling, not priority and fairness\"\nverb: \"GET\"\n\
         URL: \"{}/version?timeout=200ms\"\n",
        front.url()
    );
    assert!(log.text().contains(&logged) && log.text().contains("Waited before"), "{}", log.text());
}

#[tokio::test]
async fn a_retry_takes_a_token_too() {
    let too_many = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\n\
        x-kubernetes-pf-flowschema-uid: abc\r\nx-kubernetes-pf-prioritylevel-uid: def\r\ncontent-length: 0\r\n\r\n";
    let front = Front::saying(&[too_many, OK]).await;
    let limiter = RateLimiter::token_bucket(5.0, 1).unwrap();
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    get(&client(&front, &limiter)).await.unwrap();
    let reason = r#"reason: "retries: 1, retry-after: 0s - retry-reason: due to server-side throttling, FlowSchema UID: \"abc\"""#;
    assert_eq!(log.text().matches(reason).count(), 2, "{}", log.text());
}
