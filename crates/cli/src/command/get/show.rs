//! Showing what the server gave.

use std::io::Write;

use serde_json::{Value, json};

use super::GetArgs;
use super::fetch::{Answer, Fetched};
use super::sort;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::print::table::{TableOptions, TablePrinter};
use crate::print::{ObjectFormat, Printer, TabWriter};
use crate::session::Session;

/// Shows whole objects: one that was asked for by name as it is, others as a list.
pub(crate) fn objects(
    args: &GetArgs,
    format: ObjectFormat,
    fetched: Fetched,
    session: &mut Session,
) -> Result<(), Failure> {
    let Fetched { answers, mut failures, single } = fetched;
    if single && !failures.is_empty() {
        return Failure::collect(failures);
    }
    let mut found: Vec<Value> = answers.into_iter().flat_map(|answer| items(answer.object)).collect();
    if found.is_empty() && args.ignore_not_found {
        return Failure::collect(failures);
    }
    let shown = match (single, found.len()) {
        (true, 1) => found.remove(0),
        _ => {
            if !args.sort_by.is_empty() {
                sort::objects(&mut found, &args.sort_by)?;
            }
            json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": found})
        }
    };
    let mut text = Vec::new();
    if let Err(error) = Printer::new(format, args.printer_options()).print(&shown, &mut text) {
        failures.push(Failure::Message(error.to_string()));
    }
    session.console.write(&String::from_utf8_lossy(&text))?;
    Failure::collect(failures)
}

/// The objects of a list, each with its type; or the object itself.
pub(crate) fn items(object: Value) -> Vec<Value> {
    let Value::Object(mut fields) = object else { return Vec::new() };
    let kind = fields.get("kind").and_then(Value::as_str).and_then(|kind| kind.strip_suffix("List"));
    let kind = kind.map(str::to_owned).filter(|_| fields.get("items").is_some_and(Value::is_array));
    let Some(kind) = kind else { return vec![Value::Object(fields)] };
    let version = fields.get("apiVersion").cloned().unwrap_or_default();
    let Some(Value::Array(mut items)) = fields.remove("items") else { return Vec::new() };
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        item.entry("apiVersion").or_insert_with(|| version.clone());
        item.entry("kind").or_insert_with(|| kind.clone().into());
    }
    items
}

/// Shows tables, one for each resource.
pub(crate) fn tables(
    args: &GetArgs,
    wide: bool,
    fetched: Fetched,
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(), Failure> {
    let Fetched { mut answers, failures, .. } = fetched;
    if !args.sort_by.is_empty() {
        sort::tables(&mut answers, &args.sort_by)?;
    }
    let several = answers.iter().any(|answer| answer.resource.info != answers[0].resource.info);
    let mut text = Vec::new();
    let mut tabs = TabWriter::new(&mut text);
    let mut last: Option<(&Answer, TablePrinter)> = None;
    for answer in &answers {
        let printer = match &mut last {
            Some((before, printer)) if before.resource.info == answer.resource.info => printer,
            last => {
                tabs.start_group(last.is_some() && !args.no_headers).map_err(Failure::output)?;
                let options = options(args, wide, several || args.show_kind, answer);
                &mut last.insert((answer, TablePrinter::new(options))).1
            }
        };
        printer.print(&answer.object, &mut tabs).map_err(Failure::output)?;
    }
    tabs.flush().map_err(Failure::output)?;
    let wrote = tabs.wrote();
    session.console.write(&String::from_utf8_lossy(&text))?;
    if !wrote && !args.ignore_not_found && failures.is_empty() {
        let in_namespace =
            !args.all_namespaces && answers.iter().all(|answer| answer.resource.info.namespaced);
        session.console.note(match in_namespace {
            true => format!("No resources found in {} namespace.", cluster.namespace()),
            false => "No resources found".to_owned(),
        });
    }
    // kubectl prints them as several, even if it is one.
    if failures.is_empty() { Ok(()) } else { Err(Failure::Several(failures)) }
}

/// How the table of one resource is laid out.
pub(crate) fn options(args: &GetArgs, wide: bool, with_kind: bool, answer: &Answer) -> TableOptions {
    let info = &answer.resource.info;
    TableOptions {
        no_headers: args.no_headers,
        wide,
        with_namespace: args.all_namespaces && info.namespaced,
        show_labels: args.show_labels,
        label_columns: args.label_columns.clone(),
        with_kind: with_kind.then(|| info.qualified_kind()),
    }
}
