//! [`WebhookOptions`], which writes the API server asks a webhook about.

use std::time::Duration;

use klient_api::admissionregistration::v1::MatchCondition;
use klient_apimachinery::Str;
use klient_apimachinery::meta::v1::LabelSelector;

use super::request::Operation;

/// The outcome of a write whose webhook cannot be reached, does not answer in time, or answers with no review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FailurePolicy {
    /// The write is refused.
    #[default]
    Fail,
    /// The write is allowed.
    Ignore,
}

impl FailurePolicy {
    /// The value in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            FailurePolicy::Fail => "Fail",
            FailurePolicy::Ignore => "Ignore",
        }
    }
}

/// The path of a webhook, and the entry of its configuration: which writes the API server asks it about, and how long.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// The path. By default that of controller-runtime, such as `/validate-shop-example-v1-website`, or, for several
    /// resources, `/validate-NAME`.
    pub path: Option<String>,
    /// The operations; by default create and update.
    pub operations: Vec<Operation>,
    /// Subresources besides the resource itself, such as `status`. Objects of `scale` and some others are of another kind.
    pub subresources: Vec<Str>,
    /// The outcome of a write without an answer; by default it is refused.
    pub failure_policy: FailurePolicy,
    /// The time for an answer, in whole seconds from 1 to 30; by default 10 s. Users wait for it.
    pub timeout: Duration,
    /// The namespaces with objects that the webhook is asked about; by default all.
    pub namespace_selector: Option<LabelSelector>,
    /// The objects that the webhook is asked about; by default all. Users may set labels to evade it.
    pub object_selector: Option<LabelSelector>,
    /// Conditions in CEL, all of which a write must meet.
    pub match_conditions: Vec<MatchCondition>,
}

impl Default for WebhookOptions {
    fn default() -> Self {
        WebhookOptions {
            path: None,
            operations: vec![Operation::Create, Operation::Update],
            subresources: Vec::new(),
            failure_policy: FailurePolicy::Fail,
            timeout: Duration::from_secs(10),
            namespace_selector: None,
            object_selector: None,
            match_conditions: Vec::new(),
        }
    }
}
