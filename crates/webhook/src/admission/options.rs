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

/// The requests that a webhook is asked about, of those in other versions of its resources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MatchPolicy {
    /// All: the API server converts their objects to the version of the webhook.
    #[default]
    Equivalent,
    /// None: a client evades the webhook if it writes in another version.
    Exact,
}

impl MatchPolicy {
    /// The value in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            MatchPolicy::Equivalent => "Equivalent",
            MatchPolicy::Exact => "Exact",
        }
    }
}

/// The number of times that a webhook that changes objects is asked about one write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReinvocationPolicy {
    /// Once.
    #[default]
    Never,
    /// Once more if others have changed the object after it: its handler must take an object that it has changed before.
    IfNeeded,
}

impl ReinvocationPolicy {
    /// The value in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            ReinvocationPolicy::Never => "Never",
            ReinvocationPolicy::IfNeeded => "IfNeeded",
        }
    }
}

/// Changes besides that of the object, which the handler of a webhook makes when it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SideEffects {
    /// Nothing.
    #[default]
    None,
    /// Something, but nothing in a [dry run](crate::Request::dry_run).
    NoneOnDryRun,
}

impl SideEffects {
    /// The value in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            SideEffects::None => "None",
            SideEffects::NoneOnDryRun => "NoneOnDryRun",
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
    /// Writes in other versions of the resources; by default the webhook is asked about them, too.
    pub match_policy: MatchPolicy,
    /// A second call after changes of others, for webhooks that change objects; by default there is none.
    pub reinvocation_policy: ReinvocationPolicy,
    /// Changes of other things; by default the handler makes none.
    pub side_effects: SideEffects,
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
            match_policy: MatchPolicy::Equivalent,
            reinvocation_policy: ReinvocationPolicy::Never,
            side_effects: SideEffects::None,
        }
    }
}
