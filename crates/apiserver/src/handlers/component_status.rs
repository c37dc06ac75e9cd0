//! ComponentStatuses: the health of the cluster's other components, computed for each request.

use std::sync::Arc;

use http::{Response, StatusCode};
use klient_apimachinery::values::Map;
use serde_json::json;

use super::list::{self, ListRequest};
use super::{Context, Offer, negotiate};
use crate::negotiate::Transform;
use crate::registry::Resource;
use crate::request::Verb;
use crate::respond::{self, Body};
use crate::status::{Failure, Result, Target};
use crate::storage::Object;
use crate::table;

/// The components and the ports of their health checks. The store is part of the server and has none.
const COMPONENTS: [(&str, Option<u16>); 3] =
    [("controller-manager", Some(10257)), ("etcd-0", None), ("scheduler", Some(10259))];

/// Returns true if a resource is ComponentStatuses.
pub(super) fn is_component_status(resource: &Resource) -> bool {
    resource.info.group.is_empty() && resource.info.kind == "ComponentStatus"
}

/// Answers a get or a list.
pub(super) fn answer(context: &Context) -> Result<Response<Body>> {
    let statuses = COMPONENTS.map(|(name, port)| Arc::new(status(&context.resource, name, port)));
    if context.info.verb == Verb::Get {
        let format = context.format()?;
        let found = statuses.iter().find(|status| status.key.name() == context.name());
        let target = Target { plural: "componentstatus", ..context.target() };
        let found = found.ok_or_else(|| Failure::not_found(&target))?;
        return Ok(respond::object(StatusCode::OK, format, &context.resource, found));
    }
    let offer = Offer { transforms: true, list: true, ..Offer::PLAIN };
    let format = negotiate(&context.headers, &context.query, offer)?;
    let request = ListRequest::parse(context, false)?;
    let selected: Vec<Arc<Object>> =
        statuses.into_iter().filter(|status| status.matches(&request.selection)).collect();
    if let Transform::Table(version) = format.transform {
        let rows = selected.iter().map(|object| object.value());
        let table = table::table(version, &context.resource, &Map::new(), rows, format.include, true);
        return Ok(respond::json(StatusCode::OK, format, table));
    }
    Ok(list::answer(context, format, &Map::new(), selected))
}

/// The status of a component. Those that are programs of their own are not there.
fn status(resource: &Resource, name: &str, port: Option<u16>) -> Object {
    let (status, message) = match port {
        None => ("True", "ok".to_owned()),
        Some(port) => {
            let address = format!("127.0.0.1:{port}");
            let refused = format!("dial tcp {address}: connect: connection refused");
            ("False", format!("Get \"https://{address}/healthz\": {refused}"))
        }
    };
    let mut object = Map::new();
    object.insert("metadata".to_owned(), json!({ "name": name }));
    let condition = json!({ "type": "Healthy", "status": status, "message": message });
    object.insert("conditions".to_owned(), json!([condition]));
    resource.object(resource.key(None, name), object, None)
}
