//! Rows of jobs and cron jobs.

use serde_json::Value;

use super::age;
use super::row::Row;
use super::text::{NONE, UNSET, containers, selector};

pub(super) fn job(row: &Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row.list(&["spec", "template", "spec", "containers"]));
    vec![
        row.name(),
        status(row).into(),
        completions(row).into(),
        duration(row).into(),
        row.age(),
        names,
        images,
        selector(row.at(&["spec", "selector"])).into(),
    ]
}

fn status(row: &Row<'_>) -> &'static str {
    let first_true = |types: &[&'static str]| types.iter().copied().find(|ty| row.is_true(ty));
    match first_true(&["Complete", "Failed"]) {
        Some(ended) => ended,
        None if row.deleted() => "Terminating",
        None => first_true(&["Suspended", "FailureTarget", "SuccessCriteriaMet"]).unwrap_or("Running"),
    }
}

fn completions(row: &Row<'_>) -> String {
    let succeeded = row.number(&["status", "succeeded"]);
    match (row.at(&["spec", "completions"]).as_i64(), row.number(&["spec", "parallelism"])) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, parallelism @ 2..) => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

/// The duration from start to completion, or until now; empty for a job that has not started.
fn duration(row: &Row<'_>) -> String {
    let moment = |name| age::moment(row.text(&["status", name]));
    match (moment("startTime"), moment("completionTime")) {
        (None, _) => String::new(),
        (Some(start), None) => row.since(start),
        (Some(start), Some(end)) => age::since(start, end),
    }
}

pub(super) fn cron_job(row: &Row<'_>) -> Vec<Value> {
    let template = |path: &[&str]| row.at(&[&["spec", "jobTemplate", "spec"], path].concat());
    let pod_containers = template(&["template", "spec", "containers"]).as_array();
    let [names, images] = containers(pod_containers.map_or(&[], Vec::as_slice));
    let suspended = match row.at(&["spec", "suspend"]) {
        Value::Bool(true) => "True",
        Value::Bool(false) => "False",
        _ => UNSET,
    };
    let last = match row.text(&["status", "lastScheduleTime"]) {
        "" => NONE.to_owned(),
        time => row.age_of(time),
    };
    vec![
        row.name(),
        row.text(&["spec", "schedule"]).into(),
        row.text_or(&["spec", "timeZone"], NONE).into(),
        suspended.into(),
        row.size(&["status", "active"]).into(),
        last.into(),
        row.age(),
        names,
        images,
        selector(template(&["selector"])).into(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::printers::tests::check;

    #[track_caller]
    fn check_job(object: Value, expected: [&str; 3]) {
        let [status, completions, duration] = expected;
        check("batch/v1/jobs", object, json!(["a", status, completions, duration, "22s", "", "", "<none>"]));
    }

    #[test]
    fn jobs_count_what_succeeded_of_what_is_wanted() {
        for (spec, succeeded, expected) in [
            (json!({"completions": 1, "parallelism": 1}), 0, "0/1"),
            (json!({"completions": 3, "parallelism": 2}), 1, "1/3"),
            (json!({"parallelism": 3}), 1, "1/1 of 3"),
            (json!({"parallelism": 1}), 1, "1/1"),
            (json!({}), 0, "0/1"),
        ] {
            check_job(json!({"spec": spec, "status": {"succeeded": succeeded}}), ["Running", expected, ""]);
        }
    }

    #[test]
    fn jobs_last_from_start_to_completion_or_until_now() {
        for (status, expected) in [
            (json!({}), ""),
            (json!({"startTime": "2026-01-10T11:55:00Z"}), "5m"),
            (json!({"startTime": "2026-01-10T11:00:00Z", "completionTime": "2026-01-10T11:03:05Z"}), "3m5s"),
            (
                json!({"startTime": "2026-01-10T11:00:00Z", "completionTime": "2026-01-10T10:00:00Z"}),
                "<invalid>",
            ),
        ] {
            check_job(json!({"status": status}), ["Running", "0/1", expected]);
        }
    }

    #[test]
    fn the_status_of_a_job_is_its_weightiest_condition() {
        for (conditions, deleted, expected) in [
            (vec!["SuccessCriteriaMet", "Complete"], true, "Complete"),
            (vec!["FailureTarget", "Failed"], true, "Failed"),
            (vec!["Suspended"], true, "Terminating"),
            (vec!["FailureTarget", "Suspended"], false, "Suspended"),
            (vec!["SuccessCriteriaMet", "FailureTarget"], false, "FailureTarget"),
            (vec!["SuccessCriteriaMet"], false, "SuccessCriteriaMet"),
            (vec!["Other"], false, "Running"),
        ] {
            let conditions: Vec<Value> =
                conditions.into_iter().map(|ty| json!({"type": ty, "status": "True"})).collect();
            let deleted = if deleted { json!("2026-01-10T12:00:00Z") } else { Value::Null };
            check_job(
                json!({"metadata": {"deletionTimestamp": deleted}, "status": {"conditions": conditions}}),
                [expected, "0/1", ""],
            );
        }
        let untrue =
            json!([{"type": "Complete", "status": "False"}, {"type": "Suspended", "status": "Unknown"}]);
        check_job(json!({"status": {"conditions": untrue}}), ["Running", "0/1", ""]);
    }

    #[test]
    fn cron_jobs_show_their_schedule() {
        let template = json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}});
        check(
            "batch/v1/cronjobs",
            json!({
                "spec": {
                    "schedule": "*/5 * * * *", "timeZone": "Etc/UTC", "suspend": false,
                    "jobTemplate": template,
                },
                "status": {
                    "active": [{"name": "x"}, {"name": "y"}], "lastScheduleTime": "2026-01-10T11:50:00Z",
                },
            }),
            json!(["a", "*/5 * * * *", "Etc/UTC", "False", 2, "10m", "22s", "c", "i", "<none>"]),
        );
        for (suspend, expected) in [(json!(null), "<unset>"), (json!(true), "True")] {
            check(
                "batch/v1/cronjobs",
                json!({"spec": {"suspend": suspend}}),
                json!(["a", "", "<none>", expected, 0, "<none>", "22s", "", "", "<none>"]),
            );
        }
    }
}
