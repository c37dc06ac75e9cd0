//! Printing of the responses of `get`.

use std::io::Write;

use serde_json::{Value, json};

use super::GetArgs;
use super::builder::{FetchResult, Response};
use super::sort;
use crate::cluster::Cluster;
use crate::error::CliError;
use crate::print::table::{TableOptions, TablePrinter};
use crate::print::{ObjectFormat, Printer, TabWriter};
use crate::session::Session;

/// Prints whole objects: one requested by name as it is, others as a `List`.
pub(crate) fn objects(
    args: &GetArgs,
    format: ObjectFormat,
    fetched: FetchResult,
    session: &mut Session,
) -> Result<(), CliError> {
    let FetchResult { responses, mut failures, single } = fetched;
    if single && !failures.is_empty() {
        return CliError::aggregate(failures);
    }
    let mut found: Vec<Value> = responses.into_iter().flat_map(|response| items(response.object)).collect();
    if found.is_empty() && args.ignore_not_found {
        return CliError::aggregate(failures);
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
        failures.push(CliError::Message(error.to_string()));
    }
    session.console.print(&String::from_utf8_lossy(&text))?;
    CliError::aggregate(failures)
}

/// Returns the items of a list, each with `apiVersion` and `kind`, or the object itself.
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

/// Prints a table for each resource.
pub(crate) fn tables(
    args: &GetArgs,
    wide: bool,
    fetched: FetchResult,
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(), CliError> {
    let FetchResult { mut responses, failures, .. } = fetched;
    if !args.sort_by.is_empty() {
        sort::tables(&mut responses, &args.sort_by)?;
    }
    let several = responses.iter().any(|response| response.resource.info != responses[0].resource.info);
    let mut text = Vec::new();
    let mut tabs = TabWriter::new(&mut text);
    let mut last: Option<(&Response, TablePrinter)> = None;
    for response in &responses {
        let printer = match &mut last {
            Some((before, printer)) if before.resource.info == response.resource.info => printer,
            last => {
                tabs.start_group(last.is_some() && !args.no_headers).map_err(CliError::from_output)?;
                let options = options(args, wide, several || args.show_kind, response);
                &mut last.insert((response, TablePrinter::new(options))).1
            }
        };
        printer.print(&response.object, &mut tabs).map_err(CliError::from_output)?;
    }
    tabs.flush().map_err(CliError::from_output)?;
    let wrote = tabs.has_output();
    session.console.print(&String::from_utf8_lossy(&text))?;
    if !wrote && !args.ignore_not_found && failures.is_empty() {
        let in_namespace =
            !args.all_namespaces && responses.iter().all(|response| response.resource.info.namespaced);
        session.console.eprintln(match in_namespace {
            true => format!("No resources found in {} namespace.", cluster.namespace()),
            false => "No resources found".to_owned(),
        });
    }
    // kubectl prints one error in the form of several, without a prefix.
    if failures.is_empty() { Ok(()) } else { Err(CliError::Aggregate(failures)) }
}

/// Returns the table options for the responses of one resource.
pub(crate) fn options(args: &GetArgs, wide: bool, with_kind: bool, response: &Response) -> TableOptions {
    let info = &response.resource.info;
    TableOptions {
        no_headers: args.no_headers,
        wide,
        with_namespace: args.all_namespaces && info.namespaced,
        show_labels: args.show_labels,
        label_columns: args.label_columns.clone(),
        with_kind: with_kind.then(|| info.qualified_kind()),
    }
}
