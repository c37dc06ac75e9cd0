//! `/v1/overview`: the state of the cluster, and what is wrong first.

mod changes;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use klient_apimachinery::BoxFuture;
use serde_json::{Value, json};

pub(super) use changes::changes;

use super::Context;
use crate::digest;
use crate::failure::Failure;
use crate::feed::Feed;
use crate::feed::ring::Row;
use crate::feed::table::cells_of;
use crate::response::{self, Response};
use crate::selection::{Filter, created};

/// The kinds of workloads, whose tables have the column Ready.
const WORKLOADS: [(&str, &str); 3] =
    [("apps", "deployments"), ("apps", "statefulsets"), ("apps", "daemonsets")];

/// The limit of names and of warnings.
const MOST: usize = 100;

/// States of pods in which nothing is wrong.
const GOOD: [&str; 4] = ["Running", "Completed", "Succeeded", "ContainerCreating"];

pub(super) async fn overview(context: Context) -> Result<Response, Failure> {
    context.query().check(&[])?;
    let feeds = feeds(&context).await;
    let [nodes, pods, events, workloads @ ..] = &feeds[..] else {
        return Err(Failure::not_found(context.uri.path()));
    };
    let workloads: Vec<Value> = (WORKLOADS.iter().zip(workloads))
        .map(|((group, plural), feed)| {
            let mut part = part(feed, workloads_of);
            part["path"] = format!("{group}/v1/{plural}").into();
            part
        })
        .collect();
    let body = json!({
        "nodes": part(nodes, |rows| by_status(rows, |status| status == "Ready")),
        "pods": part(pods, |rows| by_status(rows, |status| GOOD.contains(&status))),
        "workloads": workloads,
        "warnings": part(events, warnings),
    });
    let body = body.to_string().into_bytes();
    Ok(response::tagged(&context.headers, &digest::short(&body), || body))
}

/// The rows of a table with the places of its columns.
struct Rows {
    columns: Vec<String>,
    rows: Vec<(Row, Vec<Value>)>,
}

impl Rows {
    fn of(feed: &Feed) -> Self {
        let columns = feed.ring().columns().iter().map(|column| column.name.clone()).collect();
        let rows = Filter::default().rows(feed).into_iter();
        let mut rows: Vec<_> = rows
            .map(|row| {
                let cells = cells_of(row.encoded().bytes());
                (row, cells)
            })
            .collect();
        rows.sort_by(|(one, _), (other, _)| {
            (one.namespace(), one.name()).cmp(&(other.namespace(), other.name()))
        });
        Rows { columns, rows }
    }

    fn cell<'a>(&self, cells: &'a [Value], column: &str) -> &'a Value {
        let at = self.columns.iter().position(|name| name.eq_ignore_ascii_case(column));
        at.and_then(|at| cells.get(at)).unwrap_or(&Value::Null)
    }
}

/// The informers of nodes, pods, events and workloads, as far as the user may see them.
async fn feeds(context: &Context) -> Vec<Result<Arc<Feed>, Failure>> {
    let mut kinds = vec![("core", "nodes"), ("core", "pods"), ("core", "events")];
    kinds.extend(WORKLOADS);
    let mut waiting: Vec<BoxFuture<'_, _>> = Vec::new();
    for (group, plural) in kinds {
        waiting.push(Box::pin(context.rows_of(group, "v1", plural)));
    }
    join_all(waiting).await
}

/// A part of the overview, or the reason for which the user cannot see it.
fn part(feed: &Result<Arc<Feed>, Failure>, count: impl FnOnce(&Rows) -> Value) -> Value {
    match feed {
        Ok(feed) => {
            let mut part = count(&Rows::of(feed));
            part["total"] = feed.store().len().into();
            part
        }
        Err(failure) => json!({ "error": failure.to_value() }),
    }
}

fn name_of(row: &Row, why: &Value) -> Value {
    json!({ "namespace": row.namespace(), "name": row.name(), "why": why })
}

/// The numbers of objects by the column Status, and those in which something is wrong.
fn by_status(rows: &Rows, is_good: impl Fn(&str) -> bool) -> Value {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut problems = Vec::new();
    for (row, cells) in &rows.rows {
        let status = rows.cell(cells, "Status");
        let text = status.as_str().unwrap_or_default();
        *counts.entry(text.to_owned()).or_default() += 1;
        if !is_good(text) && problems.len() < MOST {
            problems.push(name_of(row, status));
        }
    }
    json!({ "byStatus": counts, "problems": problems })
}

/// The workloads with fewer pods that are ready than there should be, with both numbers.
fn workloads_of(rows: &Rows) -> Value {
    let short = rows.rows.iter().filter_map(|(row, cells)| {
        let ready = rows.cell(cells, "Ready");
        let (ready, desired) = match ready.as_str().and_then(|ready| ready.split_once('/')) {
            Some((ready, desired)) => (ready.to_owned(), desired.to_owned()),
            // Daemon sets have a column for each number.
            None => (ready.to_string(), rows.cell(cells, "Desired").to_string()),
        };
        (ready != desired).then(|| name_of(row, &format!("{ready}/{desired}").into()))
    });
    json!({ "problems": short.take(MOST).collect::<Vec<_>>() })
}

/// The last warnings.
fn warnings(rows: &Rows) -> Value {
    let is_warning = |cells: &[Value]| rows.cell(cells, "Type").as_str() == Some("Warning");
    let mut warnings: Vec<_> = rows.rows.iter().filter(|(_, cells)| is_warning(cells)).collect();
    warnings.sort_by_cached_key(|(row, _)| std::cmp::Reverse(created(row)));
    let shown = warnings.iter().take(MOST).map(|(row, cells)| {
        json!({
            "namespace": row.namespace(),
            "name": row.name(),
            "created": created(row),
            "reason": rows.cell(cells, "Reason"),
            "object": rows.cell(cells, "Object"),
            "message": rows.cell(cells, "Message"),
        })
    });
    json!({ "warnings": warnings.len(), "last": shown.collect::<Vec<_>>() })
}
