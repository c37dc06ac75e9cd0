//! Warnings beside responses.

use std::io::Write;
use std::sync::{Arc, Mutex};

use http::Method;
use klient_client::{Client, Config, WarningHandler, WarningWriterOptions};

use crate::front::Front;
use crate::log::Log;

const OLD: &str =
    "HTTP/1.1 200 OK\r\nwarning: 299 - \"old\"\r\nwarning: 299 kas \"odd\", 199 - \"x\"\r\n\r\n{}";
const FAILED: &str = "HTTP/1.1 404 Not Found\r\nwarning: 299 - \"old\"\r\n\r\n";

/// Sends two requests, of which one fails, with a handler.
async fn run(warnings: WarningHandler) {
    let front = Front::saying(&[OLD, FAILED]).await;
    let mut config = Config::from_url(&front.url()).unwrap();
    config.warnings = warnings;
    let client = Client::new(config).unwrap();
    let response = client.request(Method::GET).absolute_path("/a").send().await.unwrap();
    let texts: Vec<String> = response.warnings().into_iter().map(|warning| warning.text).collect();
    assert_eq!(texts, ["old", "odd"]);
    client.request(Method::GET).absolute_path("/a").send().await.unwrap_err();
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_writer_writes_lines_once_if_asked_and_in_color_if_asked() {
    for (deduplicate, color, expected) in [
        (false, false, "Warning: old\nWarning: odd\nWarning: old\n"),
        (true, false, "Warning: old\nWarning: odd\n"),
        (true, true, "\u{1b}[33;1mWarning:\u{1b}[0m old\n\u{1b}[33;1mWarning:\u{1b}[0m odd\n"),
    ] {
        let out = Written::default();
        run(WarningHandler::writer(out.clone(), WarningWriterOptions { deduplicate, color })).await;
        assert_eq!(String::from_utf8(out.0.lock().unwrap().clone()).unwrap(), expected);
    }
}

#[tokio::test]
async fn warnings_are_collected_with_their_agents() {
    let (handler, warnings) = WarningHandler::collector();
    run(handler).await;
    let taken: Vec<_> = warnings.take().into_iter().map(|warning| (warning.agent, warning.text)).collect();
    let expected = [("-", "old"), ("kas", "odd"), ("-", "old")];
    assert_eq!(taken, expected.map(|(agent, text)| (agent.to_owned(), text.to_owned())));
    assert!(warnings.take().is_empty());
}

#[tokio::test]
async fn warnings_are_logged_each_or_once_or_not_at_all() {
    for (handler, old, odd) in [
        (WarningHandler::default(), 2, 1),
        (WarningHandler::log(), 2, 1),
        (WarningHandler::log_once(), 1, 1),
        (WarningHandler::none(), 0, 0),
    ] {
        let log = Log::of("klient_client::warning");
        let _logging = tracing::subscriber::set_default(log.clone());
        run(handler).await;
        let count = |text: &str| log.text().matches(text).count();
        assert_eq!((count("message: old\n"), count("message: odd\n")), (old, odd), "{}", log.text());
    }
}

#[tokio::test]
async fn one_request_may_have_its_own_handler() {
    let front = Front::saying(&[OLD]).await;
    let mut config = Config::from_url(&front.url()).unwrap();
    let (all, of_client) = WarningHandler::collector();
    let (own, of_request) = WarningHandler::collector();
    config.warnings = all;
    let client = Client::new(config).unwrap();
    client.request(Method::GET).absolute_path("/a").warning_handler(own).send().await.unwrap();
    assert_eq!((of_client.take().len(), of_request.take().len()), (0, 2));
}
