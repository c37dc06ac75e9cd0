//! The binding of pods to nodes, as a scheduler requests it.

use http::{Response, StatusCode};
use klient_apimachinery::Time;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::v1::Status;
use klient_apimachinery::meta::v1::schema::STATUS;
use klient_apimachinery::values::{self, Map, at, list_at, map_at, text_at};
use klient_schema::core_v1;
use serde_json::{Value, json};

use super::Context;
use super::body::{self, Sent};
use super::options::{Write, WriteOptions};
use crate::admission::{Attributes, Operation};
use crate::registry::deletion::is_terminating;
use crate::respond::{self, Body};
use crate::state::Committed;
use crate::status::{Failure, Result, Target};
use crate::storage::{StorageError, Write as Commit};
use crate::warnings::Warnings;

/// Binds the pod that the path or the body names to the node in the body.
pub(super) async fn create(context: &mut Context) -> Result<Response<Body>> {
    let format = context.format()?;
    let options = WriteOptions::parse(&context.query, Write::Create)?;
    let Sent { object, numbers, .. } = body::read(context, "Binding", "v1")?;
    let binding = values::decode_with_numbers(object, &core_v1::BINDING, &numbers).map_err(|mismatch| {
        let problem = mismatch.of_json;
        Failure::bad_request(format!("Binding in version \"v1\" cannot be handled as a Binding: {problem}"))
    })?;
    let warnings = Warnings::default();
    let done = admit_and_bind(context, &options, binding.object, &warnings).await;
    context.warnings.extend(warnings.take());
    done?;
    let status = Status { status: Some("Success".into()), code: Some(201), ..Default::default() };
    Ok(respond::written(StatusCode::CREATED, format, respond::status(&status), &STATUS))
}

async fn admit_and_bind(
    context: &Context,
    options: &WriteOptions,
    mut binding: Map,
    warnings: &Warnings,
) -> Result<()> {
    let name = text_at(&binding, &["metadata", "name"]).to_owned();
    let is_subresource = context.info.subresource.is_some();
    let attributes = Attributes {
        operation: Operation::Create,
        resource: &context.resource,
        form: &context.resource,
        subresource: context.info.subresource.as_deref(),
        presented: is_subresource.then_some(&core_v1::BINDING),
        namespace: context.namespace(),
        name: context.info.name.as_deref().unwrap_or(&name),
        old: None,
        request: context.request(Some(options), warnings),
        reinvocation: None,
    };
    context.state.admission.admit(&attributes, Some(&mut binding)).await?;
    if context.info.name.as_deref().is_some_and(|in_path| in_path != name) {
        return Err(Failure::bad_request("name in URL does not match name in Binding object"));
    }
    check_target(&binding)?;
    context.state.admission.validate(&attributes, Some(&binding)).await?;
    bind(context, &name, &binding, options.dry_run).await
}

/// Upstream gives these errors no reason.
fn check_target(binding: &Map) -> Result<()> {
    let target = |field: &str| text_at(binding, &["target", field]);
    if !matches!(target("kind"), "" | "Node") {
        let kind = target("kind");
        let message = format!(
            r#"target.kind: Unsupported value: {kind}: supported values: "Node", "<empty>""#,
            kind = quoted(kind)
        );
        return Err(Failure::bare(500, message));
    }
    if target("name").is_empty() {
        return Err(Failure::bare(500, "target.name: Required value"));
    }
    Ok(())
}

async fn bind(context: &Context, name: &str, binding: &Map, dry_run: bool) -> Result<()> {
    let state = &context.state;
    let pods = state.registry.built_in("", "v1", "pods");
    let key = pods.key(context.namespace(), name);
    let conflict =
        |problem: &str| Failure::conflict(&Target { group: "", plural: "pods/binding", name }, problem);
    loop {
        let current = state.store.get(&pods.table, &key);
        let current = current.ok_or_else(|| Failure::not_found(&pods.target(name)))?;
        let uid = text_at(binding, &["metadata", "uid"]);
        let version = text_at(binding, &["metadata", "resourceVersion"]);
        if (!uid.is_empty() && current.uid != uid)
            || (!version.is_empty() && version != current.version.to_string())
        {
            return Err(Failure::modified(&pods.target(name)));
        }
        let mut pod = current.value();
        assign(&mut pod, name, binding).map_err(|problem| conflict(&problem))?;
        if dry_run {
            return Ok(());
        }
        let object = pods.draft(key.clone(), &mut pod);
        let write = Commit::Update { object, from: current.version };
        match state.store.commit(&pods.table, write).await {
            Ok(object) => {
                let change = Committed { resource: &pods, object: &object, old: None, deleted: false };
                state.committed(&change).await;
                return Ok(());
            }
            // It has changed meanwhile: look again.
            Err(StorageError::Changed) => {}
            Err(_) => return Err(Failure::internal("cannot bind")),
        }
    }
}

/// Puts a pod onto the node of a binding, with the binding's annotations.
fn assign(pod: &mut Map, name: &str, binding: &Map) -> std::result::Result<(), String> {
    if is_terminating(pod) {
        return Err(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    let node = text_at(pod, &["spec", "nodeName"]);
    if !node.is_empty() {
        return Err(format!("pod {name} is already assigned to node {node}", node = quoted(node)));
    }
    if !list_at(pod, &["spec", "schedulingGates"]).is_empty() {
        return Err(format!("pod {name} has non-empty .spec.schedulingGates"));
    }
    let node = text_at(binding, &["target", "name"]);
    map_at(pod, "spec").insert("nodeName".to_owned(), node.into());
    if let Some(Value::Object(annotations)) = at(binding, &["metadata", "annotations"]) {
        map_at(map_at(pod, "metadata"), "annotations").extend(annotations.clone());
    }
    let mut conditions = list_at(pod, &["status", "conditions"]).to_vec();
    conditions.retain(|condition| condition["type"] != "PodScheduled");
    conditions.push(json!({
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": Value::Null,
        "lastTransitionTime": Time::now().to_string(),
    }));
    map_at(pod, "status").insert("conditions".to_owned(), conditions.into());
    Ok(())
}
