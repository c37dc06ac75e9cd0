//! The `proxy` subresource of pods, services and nodes.
//!
//! Nothing listens at the addresses of this server's pods and nodes, so requests are refused as upstream refuses those
//! that cannot be passed on.

use std::net::IpAddr;

use http::Response;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::values::{Map, list_at, text_at};
use klient_schema::core_v1;
use serde_json::Value;

use super::{Context, connect, kubelet};
use crate::respond::Body;
use crate::status::{Failure, Result};

/// Refuses to pass a request on, after admission.
pub(super) async fn refuse(context: &mut Context) -> Result<Response<Body>> {
    let kind = context.resource.info.kind.to_lowercase();
    connect::admit(
        context,
        "proxy",
        match &*kind {
            "pod" => &core_v1::POD_PROXY_OPTIONS,
            "service" => &core_v1::SERVICE_PROXY_OPTIONS,
            _ => &core_v1::NODE_PROXY_OPTIONS,
        },
    )
    .await?;
    let invalid = || Failure::bad_request(format!("invalid {kind} request {}", quoted(context.name())));
    let target = Target::parse(context.name()).ok_or_else(invalid)?;
    let address = match &*kind {
        "pod" => pod_address(context, &target)?,
        "service" => return Err(no_endpoints(context, &target)),
        _ => kubelet::address(context, target.name)?,
    };
    let problem = format!("error trying to reach service: {}", kubelet::refused(&address));
    Err(Failure::new(Reason::ServiceUnavailable, problem))
}

/// The target of a request, written as `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`.
struct Target<'a> {
    name: &'a str,
    port: &'a str,
}

impl<'a> Target<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, name, port) = match text.split(':').collect::<Vec<_>>()[..] {
            [name] => ("", name, ""),
            [name, port] => ("", name, port),
            [scheme, name, port] => (scheme, name, port),
            _ => return None,
        };
        (!name.is_empty() && matches!(scheme, "" | "http" | "https")).then_some(Target { name, port })
    }
}

fn object(context: &Context, name: &str) -> Result<Map> {
    let key = context.resource.key(context.namespace(), name);
    let object = context.state.store.get(&context.resource.table, &key);
    object.map(|object| object.value()).ok_or_else(|| Failure::not_found(&context.resource.target(name)))
}

fn pod_address(context: &Context, target: &Target<'_>) -> Result<String> {
    let pod = object(context, target.name)?;
    let containers = list_at(&pod, &["spec", "containers"]).iter();
    let first =
        containers.filter_map(|container| container["ports"].get(0)?.get("containerPort")?.as_i64()).next();
    let port =
        if target.port.is_empty() { first.map(|port| port.to_string()) } else { Some(target.port.into()) };
    let ip = text_at(&pod, &["status", "podIP"]).parse::<IpAddr>().ok();
    let ip = ip.filter(|ip| !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast());
    let ip = ip.ok_or_else(|| Failure::bad_request("address not allowed"))?;
    let host = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
    Ok(format!("{host}:{}", port.as_deref().unwrap_or("80")))
}

/// 503 for a service: it has no endpoints that can be reached.
fn no_endpoints(context: &Context, target: &Target<'_>) -> Failure {
    let name = quoted(target.name);
    if let Ok(port) = target.port.parse::<i64>() {
        let service = match object(context, target.name) {
            Ok(service) => service,
            Err(failure) => return failure,
        };
        let has = |other: &Value| other.get("port").and_then(Value::as_i64) == Some(port);
        if !list_at(&service, &["spec", "ports"]).iter().any(has) {
            let problem = format!("no service port {port} found for service {name}");
            return Failure::new(Reason::ServiceUnavailable, problem);
        }
    }
    Failure::new(Reason::ServiceUnavailable, format!("no endpoints available for service {name}"))
}
