//! The examples, each of which says itself that it runs.

#[cfg(feature = "webhook")]
#[path = "../../examples/admission_webhook.rs"]
mod admission_webhook;
#[path = "../../examples/apply.rs"]
mod apply;
#[path = "../../examples/cached_discovery.rs"]
mod cached_discovery;
#[cfg(feature = "certificate-manager")]
#[path = "../../examples/certificate_manager.rs"]
mod certificate_manager;
#[path = "../../examples/clientset.rs"]
mod clientset;
#[path = "../../examples/config.rs"]
mod config;
#[cfg(feature = "config-flags")]
#[path = "../../examples/config_flags.rs"]
mod config_flags;
#[cfg(feature = "controller")]
#[path = "../../examples/configmapgen_controller.rs"]
mod configmapgen_controller;
#[cfg(feature = "controller")]
#[path = "../../examples/controller.rs"]
mod controller;
#[cfg(all(feature = "derive", feature = "webhook"))]
#[path = "../../examples/conversion_webhook.rs"]
mod conversion_webhook;
#[cfg(feature = "streams")]
#[path = "../../examples/cp.rs"]
mod cp;
#[path = "../../examples/delaying_queue.rs"]
mod delaying_queue;
#[path = "../../examples/deployment.rs"]
mod deployment;
#[cfg(feature = "derive")]
#[path = "../../examples/derive.rs"]
mod derive;
#[path = "../../examples/discovery.rs"]
mod discovery;
#[path = "../../examples/dynamic_client.rs"]
mod dynamic_client;
#[cfg(feature = "controller")]
#[path = "../../examples/event_recorder.rs"]
mod event_recorder;
#[cfg(feature = "streams")]
#[path = "../../examples/exec.rs"]
mod exec;
#[cfg(feature = "gateway")]
#[path = "../../examples/gateway.rs"]
mod gateway;
#[cfg(feature = "gateway")]
#[path = "../../examples/gateway_in_axum.rs"]
mod gateway_in_axum;
#[cfg(feature = "controller")]
#[path = "../../examples/generate.rs"]
mod generate;
#[path = "../../examples/http_trace.rs"]
mod http_trace;
#[path = "../../examples/indexer.rs"]
mod indexer;
#[path = "../../examples/informer.rs"]
mod informer;
#[path = "../../examples/informer_options.rs"]
mod informer_options;
#[cfg(feature = "klog")]
#[path = "../../examples/klog.rs"]
mod klog;
#[cfg(feature = "controller")]
#[path = "../../examples/leader_election.rs"]
mod leader_election;
#[path = "../../examples/manifests.rs"]
mod manifests;
#[path = "../../examples/many_namespaces.rs"]
mod many_namespaces;
#[path = "../../examples/namespaces.rs"]
mod namespaces;
#[cfg(feature = "controller")]
#[path = "../../examples/operator.rs"]
mod operator;
#[path = "../../examples/paging.rs"]
mod paging;
#[path = "../../examples/patch.rs"]
mod patch;
#[path = "../../examples/pod_logs.rs"]
mod pod_logs;
#[cfg(feature = "streams")]
#[path = "../../examples/port_forward.rs"]
mod port_forward;
#[path = "../../examples/rate_limited_queue.rs"]
mod rate_limited_queue;
#[path = "../../examples/rest_client.rs"]
mod rest_client;
#[path = "../../examples/retry_watch.rs"]
mod retry_watch;
#[path = "../../examples/scale.rs"]
mod scale;
#[cfg(feature = "controller")]
#[path = "../../examples/secret_syncer.rs"]
mod secret_syncer;
#[path = "../../examples/server_version.rs"]
mod server_version;
#[cfg(feature = "controller")]
#[path = "../../examples/sharding.rs"]
mod sharding;
#[path = "../../examples/shared_informers.rs"]
mod shared_informers;
#[path = "../../examples/shared_test_server.rs"]
mod shared_test_server;
#[cfg(feature = "streams")]
#[path = "../../examples/shell.rs"]
mod shell;
#[path = "../../examples/subresources.rs"]
mod subresources;
#[path = "../../examples/timeouts.rs"]
mod timeouts;
#[path = "../../examples/warnings_and_spans.rs"]
mod warnings_and_spans;
#[path = "../../examples/watch.rs"]
mod watch;
#[path = "../../examples/watch_again.rs"]
mod watch_again;
#[cfg(feature = "proxy")]
#[path = "../../examples/web_service.rs"]
mod web_service;
#[path = "../../examples/work_queue.rs"]
mod work_queue;
#[path = "../../examples/work_queue_shutdown.rs"]
mod work_queue_shutdown;

#[test]
fn every_example_is_here_and_in_the_readme() {
    let readme = std::fs::read_to_string("../../README.md").expect("tests run in the folder of their crate");
    for example in std::fs::read_dir("examples").expect("tests run in the folder of their crate") {
        let path = example.expect("it can be read").path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".rs")) else {
            continue;
        };
        let listed = include_str!("examples.rs").contains(&format!("/{name}.rs\""));
        assert!(listed, "examples/{name}.rs is not run by tests/it/examples.rs");
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let about = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        let row = format!("| [{name}](crates/klient/examples/{name}.rs) | {about} |");
        assert!(readme.lines().any(|line| line == row), "README.md lacks the row\n{row}");
    }
}
