//! [`Tab`], a page in a browser, with the hands and eyes of a person: roles, names, texts, keys and the mouse.

use std::path::Path;
use std::time::Duration;

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::emulation::{MediaFeature, SetDeviceMetricsOverrideParams};
use chromiumoxide::cdp::browser_protocol::input::{
    DispatchKeyEventParams, DispatchKeyEventType, DispatchMouseEventParams, DispatchMouseEventType,
};
use chromiumoxide::cdp::browser_protocol::page::{GetNavigationHistoryParams, NavigateToHistoryEntryParams};
use chromiumoxide::cdp::js_protocol::runtime::EvaluateParams;
use chromiumoxide::error::CdpError;
use chromiumoxide::keys::get_key_definition;
use chromiumoxide::layout::Point;
use chromiumoxide::page::ScreenshotParams;
use futures_util::future::join_all;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::browser::Browser;

/// The time after which a test fails if an awaited event does not occur.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Bits of `modifiers` in events of keys.
const CONTROL: i64 = 2;
const SHIFT: i64 = 8;

/// A page in a browser of its own.
pub(crate) struct Tab {
    browser: Browser,
    page: Page,
}

impl Tab {
    pub(crate) fn new(browser: Browser, page: Page) -> Self {
        Tab { browser, page }
    }

    /// Loads an address anew.
    pub(crate) async fn go(&self, address: &str) {
        self.page.goto(address).await.unwrap_or_else(|error| panic!("{address} does not load: {error}"));
    }

    /// Goes back to the document before this one.
    pub(crate) async fn back(&self) {
        let history = self.page.execute(GetNavigationHistoryParams::default()).await.unwrap().result;
        let before = usize::try_from(history.current_index - 1).unwrap();
        let entry = NavigateToHistoryEntryParams::new(history.entries[before].id);
        self.page.execute(entry).await.unwrap();
    }

    /// Goes to another place of the page.
    pub(crate) async fn go_to(&self, hash: &str) {
        self.run(&format!("location.hash = {}", json!(hash))).await;
    }

    /// Loads the page again, and waits until it is another document.
    pub(crate) async fn reload(&self) {
        self.check_faults().await;
        self.run("window.isOld = true; location.reload()").await;
        self.until("the page loads again", "!window.isOld").await;
    }

    /// Evaluates an expression, also a promise.
    async fn evaluate(&self, expression: String) -> Result<Value, CdpError> {
        let parameters = EvaluateParams::builder().expression(expression);
        let parameters = parameters.await_promise(true).return_by_value(true).build().unwrap();
        let result = self.page.execute(parameters).await?.result;
        match result.exception_details {
            Some(details) => Err(CdpError::JavascriptException(Box::new(details))),
            None => Ok(result.result.value.unwrap_or(Value::Null)),
        }
    }

    /// Evaluates an expression of the page.
    pub(crate) async fn run(&self, expression: &str) -> Value {
        self.evaluate(expression.to_owned())
            .await
            .unwrap_or_else(|error| panic!("{expression} fails: {error}"))
    }

    pub(crate) async fn value<T: DeserializeOwned>(&self, expression: &str) -> T {
        let value = self.run(expression).await;
        serde_json::from_value(value.clone())
            .unwrap_or_else(|error| panic!("{expression} is {value}: {error}"))
    }

    /// Evaluates a promise of the page that is null if the page was left meanwhile, in which case it is asked again.
    #[track_caller]
    fn soon<'a>(&'a self, what: String, promise: String) -> impl Future<Output = Value> + use<'a> {
        let caller = std::panic::Location::caller();
        async move {
            let end = Instant::now() + PATIENCE;
            loop {
                match timeout_at(end + Duration::from_secs(5), self.evaluate(promise.clone())).await {
                    Ok(Ok(value)) if !value.is_null() => return value,
                    Ok(Err(error @ CdpError::JavascriptException(_))) => panic!("{promise} fails: {error}"),
                    // The page is being left: the next document is asked.
                    Ok(_) if Instant::now() < end => tokio::task::yield_now().await,
                    _ => break,
                }
            }
            let state = timeout_at(
                Instant::now() + PATIENCE,
                self.evaluate("`${location.href} ${driver.wait.problem ?? ''}\n${driver.text()}`".into()),
            );
            let state = match state.await {
                Ok(Ok(state)) => state.as_str().unwrap_or_default().to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "that does not answer".to_owned(),
            };
            panic!("{caller}: {what} does not happen on the page {state}")
        }
    }

    /// Waits until an expression of the page has a value that is true, and returns it.
    #[track_caller]
    pub(crate) fn until<'a>(&'a self, what: &str, condition: &str) -> impl Future<Output = Value> + use<'a> {
        self.soon(what.to_owned(), format!("driver.until(() => ({condition}), {})", PATIENCE.as_millis()))
    }

    /// Waits until the page shows a text.
    #[track_caller]
    pub(crate) fn see<'a>(&'a self, text: &str) -> impl Future<Output = Value> + use<'a> {
        self.until(&format!("the text {text:?}"), &format!("driver.text().includes({})", json!(text)))
    }

    /// Waits until the page does not show a text.
    #[track_caller]
    pub(crate) fn see_no<'a>(&'a self, text: &str) -> impl Future<Output = Value> + use<'a> {
        self.until(&format!("no text {text:?}"), &format!("!driver.text().includes({})", json!(text)))
    }

    /// Waits until there is an element of a role and a name; a name that ends with `…` is the beginning of one.
    #[track_caller]
    pub(crate) fn find<'a>(&'a self, role: &str, name: &str) -> impl Future<Output = Value> + use<'a> {
        self.until(&format!("a {role} {name:?}"), &format!("driver.one({}, {})", json!(role), json!(name)))
    }

    /// Waits until the names of the rows that are in sight are these.
    #[track_caller]
    pub(crate) fn names<'a>(&'a self, names: &[&str]) -> impl Future<Output = Value> + use<'a> {
        self.until(
            &format!("the rows {names:?}"),
            &format!("JSON.stringify(driver.names()) === {}", json!(json!(names).to_string())),
        )
    }

    /// Waits until the page is at an address behind the `#`.
    #[track_caller]
    pub(crate) fn at<'a>(&'a self, hash: &str) -> impl Future<Output = Value> + use<'a> {
        self.until(&format!("the address {hash}"), &format!("location.hash === {}", json!(hash)))
    }

    /// Waits until an element of a role and a name has the focus.
    #[track_caller]
    pub(crate) fn focus<'a>(&'a self, role: &str, name: &str) -> impl Future<Output = Value> + use<'a> {
        let condition =
            format!("driver.all({}, {}).includes(document.activeElement)", json!(role), json!(name));
        self.until(&format!("the focus of the {role} {name:?}"), &condition)
    }

    /// Clicks on an element of a role and a name, once it is there.
    #[track_caller]
    pub(crate) fn click<'a>(&'a self, role: &str, name: &str) -> impl Future<Output = ()> + use<'a> {
        let promise = format!("driver.spot({}, {}, {})", json!(role), json!(name), PATIENCE.as_millis());
        let spot = self.soon(format!("a {role} {name:?} to click on"), promise);
        async move {
            let point = spot.await;
            let [x, y] = ["x", "y"].map(|axis| point[axis].as_f64().unwrap());
            self.page.click(Point::new(x, y)).await.unwrap();
        }
    }

    /// Turns the wheel of the mouse above a point.
    pub(crate) async fn wheel(&self, x: f64, y: f64, by: f64) {
        let wheel = DispatchMouseEventParams::builder().r#type(DispatchMouseEventType::MouseWheel);
        let wheel = wheel.x(x).y(y).delta_x(0.0).delta_y(by).build().unwrap();
        self.page.execute(wheel).await.unwrap();
    }

    /// Presses a key, such as `Enter`, `j` or `Control+k`, once the page is painted as it is.
    pub(crate) async fn press(&self, key: &str) {
        self.run("driver.painted()").await;
        self.press_all(&[key]).await;
    }

    /// Types a text.
    pub(crate) async fn type_text(&self, text: &str) {
        let keys: Vec<String> = text.chars().map(String::from).collect();
        let keys = keys.iter().map(|key| if key == "\n" { "Enter" } else { key });
        self.press_all(&keys.collect::<Vec<_>>()).await;
    }

    /// Presses keys one behind the other, without a look at the page in between.
    pub(crate) async fn press_all(&self, keys: &[&str]) {
        let events = keys.iter().flat_map(|key| key_events(key));
        for sent in join_all(events.map(|event| self.page.execute(event))).await {
            sent.unwrap();
        }
    }

    /// Types a text in place of what a field has, once the field is there.
    pub(crate) async fn fill(&self, role: &str, name: &str, text: &str) {
        self.click(role, name).await;
        self.press("Control+a").await;
        self.type_text(text).await;
    }

    /// Shows the page as on a screen of that size.
    pub(crate) async fn resize(&self, width: i64, height: i64, is_mobile: bool) {
        let metrics = SetDeviceMetricsOverrideParams::new(width, height, 1.0, is_mobile);
        self.page.execute(metrics).await.unwrap();
        self.until("the size of the window", &format!("innerWidth === {width}")).await;
    }

    /// Shows the page as a system with light or dark colours does.
    pub(crate) async fn colours(&self, scheme: &str) {
        let feature = MediaFeature::new("prefers-color-scheme", scheme);
        self.page.emulate_media_features(vec![feature]).await.unwrap();
        self.until("the colours", &format!("matchMedia('(prefers-color-scheme: {scheme})').matches")).await;
    }

    /// Writes a picture of the page to `target/tmp/screenshots`, for a person to look at.
    pub(crate) async fn screenshot(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let picture = self.page.screenshot(ScreenshotParams::builder().build()).await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }

    /// Fails if the document had errors that nobody caught, or something that its policy refused.
    pub(crate) async fn check_faults(&self) {
        let faults: Vec<String> = self.value("driver.faults").await;
        assert!(faults.is_empty(), "{faults:#?}");
    }

    /// Ends the browser; fails if the page had faults of its own.
    pub(crate) async fn end(self) {
        self.check_faults().await;
        drop(self.page);
        tokio::time::timeout(PATIENCE, self.browser.end()).await.expect("the browser ends");
    }
}

/// The events of a key that is pressed and let go, with `Control+` or `Shift+` in front.
fn key_events(keys: &str) -> [DispatchKeyEventParams; 2] {
    let (modifiers, key) = match keys.split_once('+') {
        Some(("Control", key)) => (CONTROL, key),
        Some(("Shift", key)) => (SHIFT, key),
        _ => (0, keys),
    };
    let definition = get_key_definition(key).unwrap_or_else(|| panic!("there is no key {key}"));
    let event = DispatchKeyEventParams::builder()
        .modifiers(modifiers)
        .key(definition.key)
        .code(definition.code)
        .windows_virtual_key_code(definition.key_code)
        .native_virtual_key_code(definition.key_code);
    let is_letter = definition.key.chars().count() == 1;
    let text = definition.text.or(is_letter.then_some(definition.key)).filter(|_| modifiers != CONTROL);
    let down = match text {
        Some(text) => event.clone().r#type(DispatchKeyEventType::KeyDown).text(text),
        None => event.clone().r#type(DispatchKeyEventType::RawKeyDown),
    };
    [down, event.r#type(DispatchKeyEventType::KeyUp)].map(|event| event.build().unwrap())
}
