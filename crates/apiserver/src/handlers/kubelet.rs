//! Subresources of pods that a node's kubelet answers: logs, exec, attach and port-forward.
//!
//! No node of this server has a kubelet. Where the program stands in for containers, its functions answer, for pods with
//! and without a node. Otherwise a pod without a node has no logs yet, and all else is refused as upstream refuses it
//! when the kubelet cannot be reached.

mod status;

use http::{Response, StatusCode};
use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, at, list_at, text_at};
use klient_schema::core_v1;
use serde_json::Value;

use super::log::LogOptions;
use super::{Context, connect, exec, log, port_forward, upgrade};
use crate::auth::{Attributes, Rbac};
use crate::containers::{Containers, LogRequest};
use crate::request::Verb;
use crate::respond::{self, Body};
use crate::status::{Failure, Result};

/// The types of a node's addresses, best first.
const ADDRESS_TYPES: [&str; 5] = ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"];

/// The feature of nodes whose kubelets translate WebSocket to SPDY.
const EXTEND_WEBSOCKETS: &str = "ExtendWebSocketsToKubelet";

/// The port of a kubelet that does not name its own.
const KUBELET_PORT: i64 = 10250;

/// Answers a request for a container's log.
pub(super) fn log(context: &Context) -> Result<Response<Body>> {
    let logs = context.state.containers.as_ref().and_then(Containers::logs);
    let options = LogOptions::read(context, logs.is_some())?;
    let pod = pod(context)?;
    let container = container(context, &pod)?;
    if let Some(logs) = logs {
        let request = LogRequest {
            namespace: context.namespace().unwrap_or_default().to_owned(),
            pod: context.name().to_owned(),
            container: container.clone(),
            previous: options.previous,
        };
        status::has_log(&pod, &container, options.previous).map_err(Failure::bad_request)?;
        let missing = || Failure::bad_request(status::no_log(&pod, &container, options.previous));
        let log = logs(request).ok_or_else(missing)?;
        return Ok(log::answer(context, log, options));
    }
    let node = text_at(&pod, &["spec", "nodeName"]);
    if node.is_empty() {
        let mut response = Response::new(respond::whole(""));
        *response.status_mut() = StatusCode::NO_CONTENT;
        return Ok(response);
    }
    let address = address(context, node)?;
    let path = format!("{}/{}", text_at(&pod, &["metadata", "namespace"]), context.name());
    let url = format!("https://{address}/containerLogs/{path}/{container}");
    Err(Failure::bare(500, format!("Get \"{url}\": {}", refused(&address))))
}

/// Runs a command in a container, attaches to one, or forwards ports to a pod, if the program stands in for containers.
pub(super) async fn stream(context: &mut Context, subresource: &str) -> Result<Response<Body>> {
    if context.info.verb != Verb::Create {
        // A web socket is opened by a GET, and does no less than a POST.
        let verb = Verb::Create.as_str().to_owned();
        let attributes = Attributes { verb, ..Attributes::of(&context.info, &context.query) };
        let rbac = Rbac { store: &*context.state.store, registry: &context.state.registry };
        if !rbac.allows(&context.user, &attributes) {
            return Err(Failure::forbidden(&context.target(), ""));
        }
    }
    connect::admit(
        context,
        subresource,
        match subresource {
            "exec" => &core_v1::POD_EXEC_OPTIONS,
            "attach" => &core_v1::POD_ATTACH_OPTIONS,
            _ => &core_v1::POD_PORT_FORWARD_OPTIONS,
        },
    )
    .await?;
    let pod = pod(context)?;
    let containers = context.state.containers.clone().unwrap_or_default();
    if subresource == "portforward" {
        if let Some(forward) = containers.forwards() {
            return port_forward::run(context, forward, status::is_running(&pod).err());
        }
    } else {
        let container = container(context, &pod)?;
        let is_attach = subresource == "attach";
        let run = if is_attach { containers.attaches() } else { containers.runs() };
        if let Some(run) = run {
            let refusal = match status::is_container_running(&pod, &container) {
                true => None,
                false if is_attach => Some(status::not_attachable(&pod, &container)),
                false => Some(format!("container not found ({})", quoted(&container))),
            };
            let node_has_v5 = has_v5(context, text_at(&pod, &["spec", "nodeName"]));
            return exec::Exec { run, container, is_attach, node_has_v5, refusal }.serve(context);
        }
    }
    let node = text_at(&pod, &["spec", "nodeName"]);
    if node.is_empty() {
        return Err(Failure::bad_request(format!("pod {} does not have a host assigned", context.name())));
    }
    let address = address(context, node)?;
    upgrade::require(&context.headers)?;
    let problem = refused(&address);
    if subresource != "portforward" {
        let namespace = text_at(&pod, &["metadata", "namespace"]);
        let path = format!("{subresource}/{namespace}/{}/{}", context.name(), container(context, &pod)?);
        let node_has_v5 = has_v5(context, node);
        if let Some(switched) = exec::unreachable(context, &address, &path, node_has_v5, &problem) {
            return switched;
        }
    }
    Err(Failure::bare(500, format!("error dialing backend: {problem}")))
}

/// Returns true if a node declares that its kubelet takes `v5.channel.k8s.io` itself.
fn has_v5(context: &Context, node: &str) -> bool {
    self::node(context, node).is_some_and(|node| {
        list_at(&node, &["status", "declaredFeatures"]).iter().any(|feature| feature == EXTEND_WEBSOCKETS)
    })
}

fn node(context: &Context, name: &str) -> Option<Map> {
    let nodes = context.state.registry.built_in("", "v1", "nodes");
    context.state.store.get(&nodes.table, &nodes.key(None, name)).map(|node| node.value())
}

/// Go's error of a connection that is refused.
pub(super) fn refused(address: &str) -> String {
    format!("dial tcp {address}: connect: connection refused")
}

fn pod(context: &Context) -> Result<Map> {
    let pod = context.state.store.get(&context.resource.table, &context.key());
    pod.map(|pod| pod.value()).ok_or_else(|| Failure::not_found(&context.target()))
}

/// The requested container's name, or that of the pod's only one.
fn container(context: &Context, pod: &Map) -> Result<String> {
    let names = |lists: &[&str]| -> Vec<String> {
        let containers = lists.iter().flat_map(|list| list_at(pod, &["spec", list]));
        let names = containers.filter_map(|container| container.get("name").and_then(Value::as_str));
        names.map(str::to_owned).collect()
    };
    let all = names(&["initContainers", "containers", "ephemeralContainers"]);
    let (wanted, pod) = (context.query.text("container").into_owned(), context.name());
    if !wanted.is_empty() {
        return if all.contains(&wanted) {
            Ok(wanted)
        } else {
            Err(Failure::bad_request(format!("container {wanted} is not valid for pod {pod}")))
        };
    }
    match &names(&["containers"])[..] {
        [one] => Ok(one.clone()),
        [] => Err(Failure::bad_request(format!("a container name must be specified for pod {pod}"))),
        _ => Err(Failure::bad_request(format!(
            "a container name must be specified for pod {pod}, choose one of: [{}]",
            all.join(" ")
        ))),
    }
}

/// `HOST:PORT` of a node's kubelet.
pub(super) fn address(context: &Context, node: &str) -> Result<String> {
    // Upstream takes the resource of the request for that of the node.
    let missing = || Failure::not_found(&context.resource.target(node));
    let found = self::node(context, node).ok_or_else(missing)?;
    let addresses = list_at(&found, &["status", "addresses"]);
    let text = |address: &Value, name: &str| address[name].as_str().unwrap_or_default().to_owned();
    let of_type = |ty: &&str| addresses.iter().find(|address| address["type"] == **ty);
    let Some(best) = ADDRESS_TYPES.iter().find_map(of_type) else {
        let known =
            addresses.iter().map(|known| format!("{{{} {}}}", text(known, "type"), text(known, "address")));
        let known = known.collect::<Vec<_>>().join(" ");
        let problem = format!("no preferred addresses found; known addresses: [{known}]");
        return Err(Failure::bare(500, problem));
    };
    let port = at(&found, &["status", "daemonEndpoints", "kubeletEndpoint", "Port"]).and_then(Value::as_i64);
    let port = port.filter(|port| *port > 0).unwrap_or(KUBELET_PORT);
    let host = text(best, "address");
    Ok(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}
