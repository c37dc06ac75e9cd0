//! Workload controllers: Deployments and the like, Jobs and CronJobs.

use serde_json::{Value, json};

use super::{LABEL, SUBDOMAIN, check, check_update, with};

fn deployment() -> Value {
    json!({"spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        },
    }})
}

#[track_caller]
fn refused(plural: &str, pointer: &str, value: Value, expected: &[&str]) {
    check("apps", plural, &with(deployment(), pointer, value), expected);
}

#[test]
fn what_a_real_server_says_of_deployments_is_said_here() {
    check("apps", "deployments", &deployment(), &[]);
    check(
        "apps",
        "deployments",
        &json!({"metadata": {"name": "Bad_"}, "spec": {"replicas": -1, "template": {}}}),
        &[
            &format!(r#"metadata.name: Invalid value: "Bad_": {SUBDOMAIN}"#),
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            "spec.selector: Required value",
            "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
            "spec.template.spec.containers: Required value",
        ],
    );
    let mut several = with(deployment(), "/spec/replicas", json!(-1));
    several = with(several, "/spec/template/metadata/labels/app", json!("other"));
    several = with(several, "/spec/template/spec/containers/0/name", json!("C_"));
    check(
        "apps",
        "deployments",
        &several,
        &[
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            r#"spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`"#,
            &format!(r#"spec.template.spec.containers[0].name: Invalid value: "C_": {LABEL}"#),
        ],
    );
    let mut other = with(deployment(), "/spec/selector/matchLabels/app", json!("other"));
    other = with(other, "/spec/template/metadata/labels/app", json!("other"));
    check_update(
        "apps",
        "deployments",
        &deployment(),
        &other,
        &[r#"spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable"#],
    );
}

#[test]
fn deployments_have_selectors_and_strategies() {
    refused(
        "deployments",
        "/spec/selector",
        json!({}),
        &["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
    );
    refused(
        "deployments",
        "/spec/selector",
        json!({"matchExpressions": [{"key": "app", "operator": "Is"}]}),
        &[
            r#"spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator"#,
            r#"spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Is"}]}: invalid label selector"#,
        ],
    );
    refused(
        "deployments",
        "/spec/strategy",
        json!({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "0%"}}),
        &["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    );
    refused(
        "deployments",
        "/spec/strategy",
        json!({"rollingUpdate": {"maxUnavailable": "101%", "maxSurge": "x"}}),
        &[
            r#"spec.strategy.rollingUpdate.maxSurge: Invalid value: "x": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"#,
            r#"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%"#,
        ],
    );
    refused(
        "deployments",
        "/spec/strategy",
        json!({"type": "Recreate", "rollingUpdate": {}}),
        &["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    );
    refused(
        "deployments",
        "/spec/progressDeadlineSeconds",
        json!(0),
        &["spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds"],
    );
    refused(
        "deployments",
        "/spec/template/spec/restartPolicy",
        json!("Never"),
        &[r#"spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always""#],
    );
    refused(
        "replicasets",
        "/spec/template/spec/activeDeadlineSeconds",
        json!(5),
        &[
            "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported",
        ],
    );
}

#[test]
fn daemon_sets_and_stateful_sets_have_their_own() {
    refused("daemonsets", "/spec/minReadySeconds", json!(0), &[]);
    refused(
        "daemonsets",
        "/spec/updateStrategy",
        json!({"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}),
        &[
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
        ],
    );
    refused("statefulsets", "/spec/serviceName", json!("db"), &[]);
    refused(
        "statefulsets",
        "/spec/podManagementPolicy",
        json!("Any"),
        &[r#"spec.podManagementPolicy: Invalid value: "Any": must be 'OrderedReady' or 'Parallel'"#],
    );
    let claims = json!([{"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }}]);
    let mut stateful = with(deployment(), "/spec/volumeClaimTemplates", claims);
    stateful = with(
        stateful,
        "/spec/template/spec/containers/0/volumeMounts",
        json!([{"name": "data", "mountPath": "/data"}]),
    );
    check("apps", "statefulsets", &stateful, &[]);
    check_update(
        "apps",
        "statefulsets",
        &stateful,
        &with(stateful.clone(), "/spec/serviceName", json!("db")),
        &[r#"spec.serviceName: Invalid value: "db": field is immutable"#],
    );
    check_update("apps", "statefulsets", &stateful, &with(stateful.clone(), "/spec/replicas", json!(3)), &[]);
    check_update(
        "apps",
        "daemonsets",
        &deployment(),
        &with(deployment(), "/spec/template/spec/containers/0/image", json!("b")),
        &[],
    );
}

#[test]
fn replication_controllers_find_numbers_last() {
    check(
        "",
        "replicationcontrollers",
        &json!({"spec": {"replicas": -1}}),
        &[
            "spec.selector: Required value",
            "spec.template: Required value",
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ],
    );
}

fn job() -> Value {
    json!({"spec": {"template": {"spec": {
        "containers": [{"name": "c", "image": "x"}],
        "restartPolicy": "Never",
    }}}})
}

#[test]
fn jobs_run_to_an_end() {
    check("batch", "jobs", &job(), &[]);
    check(
        "batch",
        "jobs",
        &with(job(), "/spec/template/spec/restartPolicy", json!("Always")),
        &[r#"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#],
    );
    check(
        "batch",
        "jobs",
        &json!({"spec": {
            "parallelism": -1,
            "completionMode": "Indexed",
            "backoffLimitPerIndex": 1,
            "template": job()["spec"]["template"],
        }}),
        &[
            "spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
            "spec.completions: Required value: when completion mode is Indexed",
        ],
    );
    check_update(
        "batch",
        "jobs",
        &job(),
        &with(with(job(), "/spec/completions", json!(5)), "/spec/parallelism", json!(2)),
        &[
            "spec.selector: Required value",
            "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
            "spec.completions: Invalid value: 5: field is immutable",
            "spec.selector: Invalid value: null: field is immutable",
            r#"spec.template: Invalid value: {"metadata":{},"spec":{"containers":[{"image":"x","imagePullPolicy":"Always","name":"c","resources":{},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],"dnsPolicy":"ClusterFirst","restartPolicy":"Never","schedulerName":"default-scheduler","securityContext":{},"terminationGracePeriodSeconds":30}}: field is immutable"#,
        ],
    );
}

#[test]
fn cron_jobs_have_schedules() {
    let cron_job = |schedule: &str| json!({"spec": {"schedule": schedule, "jobTemplate": job()}});
    check("batch", "cronjobs", &cron_job("*/5 * * * *"), &[]);
    check("batch", "cronjobs", &cron_job(""), &["spec.schedule: Required value"]);
    check(
        "batch",
        "cronjobs",
        &cron_job("x"),
        &[r#"spec.schedule: Invalid value: "x": expected exactly 5 fields, found 1: [x]"#],
    );
    check(
        "batch",
        "cronjobs",
        &cron_job("TZ=UTC 0 0 * * *"),
        &[
            r#"spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead"#,
        ],
    );
    let mut named = with(cron_job("@daily"), "/spec/concurrencyPolicy", json!("Sometimes"));
    named = with(named, "/metadata", json!({"name": "a".repeat(53)}));
    check(
        "batch",
        "cronjobs",
        &named,
        &[
            r#"spec.concurrencyPolicy: Unsupported value: "Sometimes": supported values: "Allow", "Forbid", "Replace""#,
            &format!(
                r#"metadata.name: Invalid value: "{}": must be no more than 52 characters"#,
                "a".repeat(53)
            ),
        ],
    );
}
