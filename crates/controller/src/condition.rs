//! The conditions of a status, by the rules of meta/v1: [`set_condition`], [`remove_condition`], [`find_condition`],
//! [`is_condition_true`].

use klient_apimachinery::Time;
use klient_apimachinery::meta::v1::Condition;

/// Sets a condition, and returns true if that changed something (`meta.SetStatusCondition`).
///
/// A condition of the same type is changed, others are left alone. Its `lastTransitionTime` changes with its `status` only:
/// to that of the new condition, or to now if that has none.
///
/// ```
/// use klient_apimachinery::meta::v1::Condition;
/// use klient_controller::{is_condition_true, set_condition};
///
/// let ready = |status: &str| Condition {
///     type_: "Ready".into(),
///     status: status.into(),
///     reason: "PagesServed".into(),
///     observed_generation: Some(1), // website.generation()
///     ..Default::default()
/// };
/// let mut conditions = Vec::new();
/// assert!(set_condition(&mut conditions, ready("True")));
/// assert!(is_condition_true(&conditions, "Ready"));
/// // The same again is no change, so that no status need be written.
/// assert!(!set_condition(&mut conditions, ready("True")));
/// ```
#[doc(alias = "SetStatusCondition")]
pub fn set_condition(conditions: &mut Vec<Condition>, new: Condition) -> bool {
    let time = |new: &Condition| match new.last_transition_time {
        Time::ZERO => Time::now(),
        time => time,
    };
    let Some(old) = conditions.iter_mut().find(|old| old.type_ == new.type_) else {
        conditions.push(Condition { last_transition_time: time(&new), ..new });
        return true;
    };
    let last_transition_time = if old.status == new.status { old.last_transition_time } else { time(&new) };
    let new = Condition { last_transition_time, unknown: old.unknown.clone(), ..new };
    let is_changed = *old != new;
    *old = new;
    is_changed
}

/// Removes the condition of a type, and returns true if there was one (`meta.RemoveStatusCondition`).
#[doc(alias = "RemoveStatusCondition")]
pub fn remove_condition(conditions: &mut Vec<Condition>, type_: &str) -> bool {
    let before = conditions.len();
    conditions.retain(|condition| condition.type_ != type_);
    conditions.len() != before
}

/// The condition of a type (`meta.FindStatusCondition`).
#[doc(alias = "FindStatusCondition")]
pub fn find_condition<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// Returns true if the condition of a type is there and `True` (`meta.IsStatusConditionTrue`).
#[doc(alias = "IsStatusConditionTrue")]
pub fn is_condition_true(conditions: &[Condition], type_: &str) -> bool {
    find_condition(conditions, type_).is_some_and(|condition| condition.status == "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(type_: &str, status: &str, reason: &str, generation: i64, at: i64) -> Condition {
        Condition {
            type_: type_.into(),
            status: status.into(),
            reason: reason.into(),
            observed_generation: Some(generation),
            last_transition_time: if at == 0 { Time::ZERO } else { Time::from_unix(at) },
            ..Default::default()
        }
    }

    #[test]
    fn the_transition_time_changes_with_the_status_only() {
        let mut conditions = vec![condition("Other", "True", "A", 1, 5)];
        for (status, reason, generation, at, is_changed, transition) in [
            ("True", "A", 1, 10, true, 10),
            ("True", "A", 1, 20, false, 10),
            ("True", "B", 1, 30, true, 10),
            ("True", "B", 2, 40, true, 10),
            ("False", "B", 2, 50, true, 50),
        ] {
            let changed = set_condition(&mut conditions, condition("Ready", status, reason, generation, at));
            let ready = find_condition(&conditions, "Ready").unwrap();
            assert_eq!((changed, ready.last_transition_time.unix()), (is_changed, transition), "at {at}");
            assert_eq!((ready.observed_generation, &*ready.reason), (Some(generation), reason), "at {at}");
        }
        // Without a time it is now.
        assert!(set_condition(&mut conditions, condition("Ready", "True", "B", 2, 0)));
        assert!(find_condition(&conditions, "Ready").unwrap().last_transition_time.unix() > 1_000_000_000);
        assert!(is_condition_true(&conditions, "Ready"));
        assert_eq!(conditions[0], condition("Other", "True", "A", 1, 5));
        assert!(remove_condition(&mut conditions, "Ready") && !remove_condition(&mut conditions, "Ready"));
        assert!(!is_condition_true(&conditions, "Ready") && conditions.len() == 1);
    }
}
