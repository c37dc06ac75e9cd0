//! `/v1/kinds` and `/v1/namespaces`.

use klient_client::ApiResource;
use serde_json::{Value, json};

use super::Context;
use crate::digest;
use crate::failure::{Code, Failure};
use crate::response::{self, Response};
use crate::selection::Filter;

/// The kinds that the cluster serves, in its order.
pub(super) async fn kinds(context: Context) -> Result<Response, Failure> {
    let query = context.query();
    query.check(&["refresh"])?;
    if query.flag("refresh")? {
        context.caller.identity.forget_kinds().await;
    }
    let served = context.caller.identity.discovery.resources().await?;
    let preferred: Vec<&ApiResource> = served.preferred().collect();
    let kind = |resource: &ApiResource| {
        let info = &resource.info;
        let group = if info.group.is_empty() { "core" } else { &info.group };
        json!({
            "group": info.group,
            "version": info.version,
            "resource": info.plural,
            "kind": info.kind,
            "namespaced": info.namespaced,
            "preferred": preferred.iter().any(|other| std::ptr::eq(*other, resource)),
            "verbs": resource.verbs,
            "shortNames": resource.short_names,
            "categories": resource.categories,
            "subresources": resource.subresources.iter().map(|one| &one.name).collect::<Vec<_>>(),
            "path": format!("{group}/{}/{}", info.version, info.plural),
        })
    };
    let kinds: Vec<Value> = served.resources.iter().map(kind).collect();
    let failed: Vec<Value> = (served.failed.groups.iter())
        .map(|(group_version, error)| json!({ "groupVersion": group_version, "message": error.to_string() }))
        .collect();
    let body = json!({ "kinds": kinds, "failed": failed }).to_string().into_bytes();
    Ok(response::tagged(&context.headers, &digest::short(&body), || body))
}

/// The namespaces that there are, or the one of the kubeconfig for those who may not list them.
pub(super) async fn namespaces(context: Context) -> Result<Response, Failure> {
    context.query().check(&[])?;
    let default = context.caller.identity.client.default_namespace();
    let (mut names, is_complete) = match context.rows_of("core", "v1", "namespaces", None).await {
        Ok(feed) => {
            let rows = Filter::default().rows(&feed);
            (rows.iter().map(|row| row.name().to_owned()).collect(), true)
        }
        Err(failure) if failure.code == Code::Forbidden => (vec![default.to_owned()], false),
        Err(failure) => return Err(failure),
    };
    names.sort();
    let body = json!({ "namespaces": names, "default": default, "complete": is_complete });
    let body = body.to_string().into_bytes();
    Ok(response::tagged(&context.headers, &digest::short(&body), || body))
}
