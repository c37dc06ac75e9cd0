//! Webhooks that cannot be served together.

use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::custom_resource;
use klient_webhook::{
    AdmissionWebhook, Allowed, Conversion, Denied, ErrorKind, ReinvocationPolicy, Request, WebhookOptions,
    Webhooks, WebhooksBuilder,
};

use crate::lamps::{conversion, v2};

custom_resource! {
    group: "hooks.example", version: "v1", kind: "Switch", plural: "switches", scope: Namespaced;

    struct Switch {}
}

impl From<Switch> for v2::Lamp {
    fn from(_: Switch) -> Self {
        v2::Lamp::default()
    }
}

impl From<v2::Lamp> for Switch {
    fn from(_: v2::Lamp) -> Self {
        Switch::default()
    }
}

async fn allow(_: Request<ConfigMap>, (): ()) -> Result<Allowed, Denied> {
    Ok(Allowed::new())
}

#[track_caller]
fn check(webhooks: WebhooksBuilder, expected: &str) {
    let error = webhooks.build().unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Webhooks, expected));
}

#[test]
fn webhooks_that_a_server_would_refuse_are_named() {
    let webhook = |name: &str| AdmissionWebhook::validating(name, (), allow);
    let with = |options| Webhooks::builder().admission(webhook("a.hooks.example").options(options));
    check(
        Webhooks::builder().admission(webhook("hooks.example")),
        r#"webhook "hooks.example": a name is a DNS name with three parts at least, such as websites.shop.example"#,
    );
    check(
        Webhooks::builder().admission(webhook("a.hooks.example")).admission(webhook("b.hooks.example")),
        r#"webhooks "a.hooks.example" and "b.hooks.example" have the same path /validate--v1-configmap: set WebhookOptions::path of one"#,
    );
    check(
        with(WebhookOptions { path: Some("/b".into()), ..Default::default() })
            .admission(webhook("a.hooks.example")),
        r#"two webhooks have the name "a.hooks.example""#,
    );
    check(
        with(WebhookOptions { path: Some("b".into()), ..Default::default() }),
        r#"webhook "a.hooks.example": the path "b" must begin with a slash and have no query"#,
    );
    for timeout in [Duration::ZERO, Duration::from_millis(1500), Duration::from_secs(31)] {
        check(
            with(WebhookOptions { timeout, ..Default::default() }),
            r#"webhook "a.hooks.example": WebhookOptions::timeout must be a number of seconds from 1 to 30"#,
        );
    }
    check(
        with(WebhookOptions { operations: Vec::new(), ..Default::default() }),
        r#"webhook "a.hooks.example": WebhookOptions::operations are empty"#,
    );
    check(
        with(WebhookOptions { reinvocation_policy: ReinvocationPolicy::IfNeeded, ..Default::default() }),
        r#"webhook "a.hooks.example": WebhookOptions::reinvocation_policy is for webhooks that change objects"#,
    );
    check(
        Webhooks::builder().admission(AdmissionWebhook::validating_dynamic(
            "a.hooks.example",
            [],
            (),
            async |_: Request<klient_apimachinery::Unstructured>, ()| Ok(Allowed::new()),
        )),
        r#"webhook "a.hooks.example": there is no resource that it is for"#,
    );
}

#[test]
fn conversions_that_are_not_of_one_resource_are_named() {
    check(
        Webhooks::builder().conversion(conversion()).conversion(conversion()),
        "two conversions are for Lamp of hooks.example",
    );
    check(
        Webhooks::builder().conversion(Conversion::<v2::Lamp>::new().version::<Switch>()),
        "conversion of Lamp of hooks.example: Switch of hooks.example is another kind",
    );
    check(
        Webhooks::builder().conversion(conversion().version::<crate::lamps::v1::Lamp>()),
        "conversion of Lamp of hooks.example: version v1 is there twice",
    );
}
