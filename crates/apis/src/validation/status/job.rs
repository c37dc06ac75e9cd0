//! The status of a Job: what a controller may say of its Pods, and what it may not take back.
//!
//! Most rules run only if a field that they are about has changed.

use std::collections::HashSet;

use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;

use crate::validation::at::{At, same};

/// A Job with the conditions that its status has.
struct Job<'v> {
    object: &'v Map,
}

impl<'v> Job<'v> {
    fn get<'p>(&self, path: &'p str) -> At<'p, 'v> {
        At::new(self.object, path)
    }

    fn has(&self, condition: &str, status: &str) -> bool {
        let conditions = self.get("status.conditions");
        conditions.items().any(|at| at.get("type").text() == condition && at.get("status").text() == status)
    }

    fn is(&self, condition: &str) -> bool {
        self.has(condition, "True")
    }

    fn is_finished(&self) -> bool {
        self.is("Complete") || self.is("Failed")
    }

    fn is_indexed(&self) -> bool {
        self.get("spec.completionMode").text() == "Indexed"
    }
}

/// The rules for the new status of a Job, with the old one.
struct Status<'v> {
    new: Job<'v>,
    old: Job<'v>,
}

pub(super) fn status(object: &Map, old: &Map, problems: &mut ErrorList) {
    let status = Status { new: Job { object }, old: Job { object: old } };
    counts(&status.new, problems);
    status.completion(problems);
    status.finish(problems);
    status.indexes(problems);
    status.pods(problems);
    status.success(problems);
    status.transitions(problems);
}

fn counts(job: &Job<'_>, problems: &mut ErrorList) {
    for path in ["status.active", "status.succeeded", "status.failed", "status.ready", "status.terminating"] {
        job.get(path).must_not_be_negative(problems);
    }
    let mut seen = HashSet::new();
    for path in ["status.uncountedTerminatedPods.succeeded", "status.uncountedTerminatedPods.failed"] {
        for uid in job.get(path).items() {
            if uid.is_empty() {
                problems.add(uid.invalid_text("must not be empty"));
            } else if !seen.insert(uid.text()) {
                problems.add(uid.duplicate(uid.text()));
            }
        }
    }
}

/// Adds an error of all conditions.
fn conditions(detail: &str, problems: &mut ErrorList) {
    problems.add(FieldError::invalid_omitted("status.conditions", detail));
}

impl Status<'_> {
    fn differs(&self, path: &str) -> bool {
        !same(self.new.get(path).raw(), self.old.get(path).raw())
    }

    fn differs_in(&self, condition: &str) -> bool {
        self.new.is(condition) != self.old.is(condition)
    }

    fn differs_in_number(&self, path: &str) -> bool {
        self.new.get(path).number() != self.old.get(path).number()
    }

    fn finishes_or_not(&self) -> bool {
        self.new.is_finished() != self.old.is_finished()
    }

    fn completion(&self, problems: &mut ErrorList) {
        let (new, is_complete) = (&self.new, self.new.is("Complete"));
        let completes = self.differs_in("Complete");
        if (completes || self.differs_in("Failed")) && is_complete && new.is("Failed") {
            conditions("cannot set Complete=True and Failed=true conditions", problems);
        }
        if (completes || self.differs_in("FailureTarget")) && is_complete && new.is("FailureTarget") {
            conditions("cannot set Complete=True and FailureTarget=true conditions", problems);
        }
        let (start, end) = (new.get("status.startTime"), new.get("status.completionTime"));
        let is_retimed = self.differs("status.completionTime");
        if (completes || is_retimed) && end.is_set() && !is_complete {
            problems.add(end.invalid("cannot set completionTime when there is no Complete=True condition"));
        }
        if (completes || is_retimed) && !end.is_set() && is_complete {
            problems.add(end.required("completionTime is required for Complete jobs"));
        }
        let is_early = start.is_set() && end.is_set() && end.text() < start.text();
        if (is_retimed || self.differs("status.startTime")) && is_early {
            problems.add(end.invalid("must be equal to or after `startTime`"));
        }
    }

    fn finish(&self, problems: &mut ErrorList) {
        let new = &self.new;
        let fails = self.differs_in("Failed") || self.differs("status.failedIndexes");
        if fails && new.is("Failed") && !new.is("FailureTarget") {
            conditions("cannot set Failed=True condition without the FailureTarget=true condition", problems);
        }
        let completes = self.differs_in("Complete") || self.differs_in("SuccessCriteriaMet");
        if completes && new.is("Complete") && !new.is("SuccessCriteriaMet") {
            let problem = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
            conditions(problem, problems);
        }
        if !new.is_finished() {
            return;
        }
        let (finishes, active) = (self.finishes_or_not(), new.get("status.active"));
        if (finishes || self.differs_in_number("status.active")) && active.number() > 0 {
            problems.add(active.invalid("active>0 is invalid for finished job"));
        }
        let completions = new.get("spec.completions");
        let is_held = new.get("spec.suspend").flag() && completions.int() == Some(0);
        let start = new.get("status.startTime");
        if (finishes || self.differs("status.startTime")) && !is_held && !start.is_set() {
            problems.add(start.required("startTime is required for finished job"));
        }
        let uncounted = new.get("status.uncountedTerminatedPods");
        let is_counted = uncounted.get("failed").is_empty() && uncounted.get("succeeded").is_empty();
        if (finishes || self.differs("status.uncountedTerminatedPods")) && !is_counted {
            // Upstream shows its internal type.
            let list = |name: &str| uncounted.get(name).raw().cloned().unwrap_or_default();
            let shown = format!(r#"{{"Succeeded":{},"Failed":{}}}"#, list("succeeded"), list("failed"));
            problems.add(FieldError::invalid_shown(
                uncounted.path(),
                shown,
                "must be empty for finished job",
            ));
        }
    }

    fn indexes(&self, problems: &mut ErrorList) {
        let new = &self.new;
        let (completed, failed) = (new.get("status.completedIndexes"), new.get("status.failedIndexes"));
        let (completes, fails) =
            (self.differs("status.completedIndexes"), self.differs("status.failedIndexes"));
        let limit = new.get("spec.backoffLimitPerIndex");
        let completions = new.get("spec.completions").int();
        if let Some(completions) = completions {
            let parsed = [
                (&completed, completes, "completedIndexes"),
                (&failed, fails && limit.is_set() && failed.is_set(), "failedIndexes"),
            ];
            for (indexes, is_checked, name) in parsed {
                if let (true, Err(problem)) = (is_checked, check_indexes(indexes.text(), completions)) {
                    problems.add(indexes.invalid(format!("error parsing {name}: {problem}")));
                }
            }
        }
        if completes && !completed.is_empty() && !new.is_indexed() {
            let problem = "cannot set non-empty completedIndexes when non-indexed completion mode";
            problems.add(completed.invalid(problem));
        }
        if fails && !limit.is_set() && failed.is_set() {
            problems
                .add(failed.invalid("cannot set non-null failedIndexes when backoffLimitPerIndex is null"));
        }
        if let (true, Some(completions), true) = (completes || fails, completions, failed.is_set())
            && let Some(index) = overlap(completed.text(), failed.text(), completions)
        {
            let problem = format!("failedIndexes and completedIndexes overlap at index: {index}");
            problems.add(failed.invalid(problem));
        }
    }

    fn pods(&self, problems: &mut ErrorList) {
        let new = &self.new;
        let terminating = new.get("status.terminating");
        let is_asked = self.finishes_or_not() || self.differs("status.terminating");
        if is_asked && terminating.number() > 0 && new.is_finished() {
            problems.add(terminating.invalid("terminating>0 is invalid for finished job"));
        }
        let ready = new.get("status.ready");
        let is_asked = self.differs("status.ready") || self.differs_in_number("status.active");
        if is_asked && ready.int().is_some_and(|ready| ready > new.get("status.active").number()) {
            problems.add(ready.invalid("cannot set more ready pods than active"));
        }
    }

    fn success(&self, problems: &mut ErrorList) {
        let new = &self.new;
        let is_met = new.is("SuccessCriteriaMet");
        if is_met && new.is("Failed") {
            conditions("cannot set SuccessCriteriaMet=True and Failed=true conditions", problems);
        }
        if is_met && new.is("FailureTarget") {
            conditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions", problems);
        }
        if new.get("spec.successPolicy").is_set() && !is_met && new.is("Complete") {
            let problem =
                "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True";
            conditions(problem, problems);
        }
    }

    /// Refuses what takes back an earlier status.
    fn transitions(&self, problems: &mut ErrorList) {
        let (new, old) = (&self.new, &self.old);
        for condition in ["Failed", "Complete", "FailureTarget"] {
            if old.is(condition) && !new.is(condition) {
                conditions(&format!("cannot disable the terminal {condition}=True condition"), problems);
            }
        }
        let parallelism = new.get("spec.parallelism").int();
        let is_elastic = new.is_indexed() && new.get("spec.completions").int() == parallelism;
        for (name, is_kept) in [("failed", true), ("succeeded", !is_elastic)] {
            let path = format!("status.{name}");
            let count = new.get(&path);
            if is_kept && count.number() < old.get(&path).number() {
                problems.add(count.invalid_as(count.number(), format!("cannot decrease the {name} counter")));
            }
        }
        let (end, before) = (new.get("status.completionTime"), old.get("status.completionTime"));
        if end.is_set() && before.is_set() {
            end.must_equal(&before, problems);
        }
        let resumes = old.has("Suspended", "True") && new.has("Suspended", "False");
        let is_started = old.get("status.startTime").is_set();
        if self.differs("status.startTime") && !resumes && is_started && !new.get("spec.suspend").flag() {
            let problem = "field is immutable for unsuspended job once set";
            problems.add(new.get("status.startTime").invalid(problem));
        }
        if old.is("SuccessCriteriaMet") && !new.is("SuccessCriteriaMet") {
            conditions("cannot disable the SuccessCriteriaMet=True condition", problems);
        }
        if old.is("Complete") && !old.is("SuccessCriteriaMet") && new.is("SuccessCriteriaMet") {
            let problem = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
            conditions(problem, problems);
        }
    }
}

/// Checks intervals of indexes such as `1,3-5,7`.
fn check_indexes(indexes: &str, completions: i64) -> Result<(), String> {
    let mut last = None;
    for interval in indexes.split(',').filter(|_| !indexes.is_empty()) {
        let (first, end) = parse_interval(interval, completions)?;
        if let Some(last) = last.filter(|last| *last >= first) {
            return Err(format!("non-increasing order, previous: {last}, current: {first}"));
        }
        last = Some(end);
    }
    Ok(())
}

fn parse_interval(interval: &str, completions: i64) -> Result<(i64, i64), String> {
    let index = |text: &str| match text.parse::<i64>() {
        Err(_) => Err(format!("cannot convert string to integer for index: {}", quoted(text))),
        Ok(index) if index >= completions => Err(format!("too large index: {}", quoted(text))),
        Ok(index) => Ok(index),
    };
    let mut parts = interval.split('-');
    let (first, end) = (parts.next().unwrap_or_default(), parts.next());
    if parts.next().is_some() {
        return Err(format!(
            "the fragment {} violates the requirement that an index interval can have at most two parts separated by '-'",
            quoted(interval)
        ));
    }
    let first = index(first)?;
    let end = end.map_or(Ok(first), index)?;
    if first >= end && interval.contains('-') {
        return Err(format!("non-increasing order, previous: {first}, current: {end}"));
    }
    Ok((first, end))
}

/// The first index that two lists of intervals share; intervals that cannot be read are left out.
fn overlap(completed: &str, failed: &str, completions: i64) -> Option<i64> {
    let parse = |indexes: &str| -> Vec<(i64, i64)> {
        indexes.split(',').filter_map(|interval| parse_interval(interval, completions).ok()).collect()
    };
    let (completed, failed) = (parse(completed), parse(failed));
    let (mut completed, mut failed) = (completed.iter().peekable(), failed.iter().peekable());
    while let (Some(a), Some(b)) = (completed.peek(), failed.peek()) {
        if a.0 <= b.1 && b.0 <= a.1 {
            return Some(a.0.max(b.0));
        }
        if a.0 <= b.0 {
            completed.next();
        } else {
            failed.next();
        }
    }
    None
}
