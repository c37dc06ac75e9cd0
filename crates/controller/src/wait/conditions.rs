//! Conditions for [`wait_for`](super::wait_for), for objects of any form.

use std::fmt::Write as _;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Object, Str};
use serde_json::Value;

use super::Condition;
use crate::create_or_update::to_value;

/// A condition on an object of any kind, built-in, custom or dynamic, by what its fields say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectCondition(Test);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Deleted,
    Status { type_: Str, status: Str },
    JobCompleted,
}

/// The object does not exist. With [`WaitOptions::uid`](super::WaitOptions::uid), another of its name may.
#[doc(alias = "is_deleted")]
pub fn deleted() -> ObjectCondition {
    ObjectCondition(Test::Deleted)
}

/// A condition of the status is `True`, such as `Ready`. As in `kubectl wait`, one that was observed at an earlier
/// generation of the object does not count.
///
/// ```
/// use klient_api::core::v1::Pod;
/// use klient_controller::wait::{Condition, conditions};
///
/// let pod: Pod = serde_json::from_value(serde_json::json!({
///     "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]},
/// }))?;
/// let mut ready = conditions::condition("Ready");
/// assert_eq!(ready.is_met(Some(&pod)), Ok(false));
/// assert_eq!(ready.seen(&pod), "its condition Ready is False (ContainersNotReady)");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn condition(type_: impl Into<Str>) -> ObjectCondition {
    condition_with_status(type_, "True")
}

/// A condition of the status has a value: `True`, `False` or `Unknown`.
pub fn condition_with_status(type_: impl Into<Str>, status: impl Into<Str>) -> ObjectCondition {
    ObjectCondition(Test::Status { type_: type_.into(), status: status.into() })
}

/// A CustomResourceDefinition is served: its condition `Established` is true.
#[doc(alias = "is_crd_established")]
pub fn established() -> ObjectCondition {
    condition("Established")
}

/// A Deployment or an APIService is available: its condition `Available` is true.
#[doc(alias = "is_deployment_completed")]
pub fn available() -> ObjectCondition {
    condition("Available")
}

/// A Job has completed: its condition `Complete` is true. The wait fails at once if its condition `Failed` is true.
#[doc(alias = "is_job_completed")]
pub fn job_completed() -> ObjectCondition {
    ObjectCondition(Test::JobCompleted)
}

impl<K: Wire + Object> Condition<K> for ObjectCondition {
    fn is_met(&mut self, object: Option<&K>) -> Result<bool, String> {
        let Some(object) = object else { return Ok(self.0 == Test::Deleted) };
        match &self.0 {
            Test::Deleted => Ok(false),
            Test::Status { type_, status } => Ok(has(&to_value(object), type_, status)),
            Test::JobCompleted => {
                let job = to_value(object);
                if has(&job, "Failed", "True") {
                    return Err(format!("the job has failed: {}", shown(&job, "Failed")));
                }
                Ok(has(&job, "Complete", "True"))
            }
        }
    }

    fn seen(&self, object: &K) -> String {
        match &self.0 {
            Test::Deleted => match object.deletion_timestamp() {
                None => "it is not being deleted".to_owned(),
                Some(time) => {
                    let finalizers = object.finalizers().collect::<Vec<_>>().join(", ");
                    let finalizers = if finalizers.is_empty() { "no finalizers" } else { &finalizers };
                    format!("it is being deleted since {time} and has the finalizers: {finalizers}")
                }
            },
            Test::Status { type_, .. } => shown(&to_value(object), type_),
            Test::JobCompleted => shown(&to_value(object), "Complete"),
        }
    }

    fn describe(&self) -> String {
        match &self.0 {
            Test::Deleted => "its deletion".to_owned(),
            Test::Status { type_, status } => format!("the condition {type_}={status}"),
            Test::JobCompleted => "the condition Complete=True".to_owned(),
        }
    }
}

/// Returns true if a condition has a status that was observed at the present generation.
fn has(object: &Value, type_: &str, status: &str) -> bool {
    let Some(condition) = find(object, type_) else { return false };
    condition["status"].as_str() == Some(status) && !is_outdated(object, condition)
}

fn find<'a>(object: &'a Value, type_: &str) -> Option<&'a Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"].as_str() == Some(type_))
}

fn is_outdated(object: &Value, condition: &Value) -> bool {
    let observed = condition["observedGeneration"].as_i64();
    let observed = observed.or_else(|| object["status"]["observedGeneration"].as_i64());
    matches!((observed, object["metadata"]["generation"].as_i64()), (Some(observed), Some(now)) if observed < now)
}

/// A condition as text, for errors.
fn shown(object: &Value, type_: &str) -> String {
    let Some(condition) = find(object, type_) else { return format!("it has no condition {type_}") };
    let text = |field: &str| condition[field].as_str().unwrap_or_default();
    let mut shown = format!("its condition {type_} is {}", text("status"));
    let details: Vec<_> =
        [text("reason"), text("message")].into_iter().filter(|text| !text.is_empty()).collect();
    if !details.is_empty() {
        write!(shown, " ({})", details.join(": ")).expect("a String takes all text");
    }
    if is_outdated(object, condition) {
        shown.push_str(", as of an earlier generation");
    }
    shown
}
