//! `/v1/overview`: the state of the cluster, or of a namespace, and what is wrong first.

mod changes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::{join_all, join4};
use http::StatusCode;
use serde_json::{Value, json};

pub(super) use changes::changes;

use super::Context;
use crate::failure::Failure;
use crate::feed::Feed;
use crate::feed::ring::Row;
use crate::feed::table::cells_of;
use crate::overviews::{Overview, Source};
use crate::response::{self, Response};
use crate::selection::{Filter, Selection, created};

/// The kinds of workloads, whose tables have the column Ready.
const WORKLOADS: [(&str, &str); 3] =
    [("apps", "deployments"), ("apps", "statefulsets"), ("apps", "daemonsets")];

/// The limit of names and of warnings.
const MOST: usize = 100;

/// States of pods in which nothing is wrong.
const GOOD: [&str; 4] = ["Running", "Completed", "Succeeded", "ContainerCreating"];

/// The overview of all namespaces, or of the one of the parameter `namespace`, which has no nodes.
pub(super) async fn overview(context: Context) -> Result<Response, Failure> {
    let filter = filter(&context)?;
    let feeds = Feeds::of(&context, &filter).await;
    let overviews = &context.caller.identity.overviews;
    let compute = || {
        context.gateway.meters.overviews.fetch_add(1, Ordering::Relaxed);
        compute(&feeds, &filter).to_string().into_bytes()
    };
    // The versions are read before the rows, which so are no older.
    let Overview { tag, body } = overviews.get(filter.namespace.as_deref(), feeds.sources(), compute).await;
    let whole = || response::whole(StatusCode::OK, response::JSON, body);
    Ok(response::kept(&context.headers, &tag, response::CHECKED, whole))
}

fn compute(feeds: &Feeds, filter: &Filter) -> Value {
    let workloads: Vec<Value> = (WORKLOADS.iter().zip(&feeds.workloads))
        .map(|((group, plural), feed)| {
            let mut part = part(feed, filter, workloads_of);
            part["path"] = format!("{group}/v1/{plural}").into();
            part
        })
        .collect();
    let mut body = json!({
        "pods": part(&feeds.pods, filter, |rows| by_status(rows, |status| GOOD.contains(&status))),
        "workloads": workloads,
        "warnings": part(&feeds.events, filter, warnings),
    });
    if let Some(nodes) = &feeds.nodes {
        body["nodes"] = part(nodes, filter, |rows| by_status(rows, |status| status == "Ready"));
    }
    body
}

/// The rows of a table with the places of its columns.
struct Rows {
    columns: Vec<String>,
    rows: Vec<(Row, Vec<Value>)>,
}

impl Rows {
    fn of(feed: &Feed, filter: &Filter) -> Self {
        let columns = feed.ring().columns().iter().map(|column| column.name.clone()).collect();
        let rows = filter.rows(feed).into_iter();
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

/// The informers of the overview, as far as the user may see them.
struct Feeds {
    /// None in a namespace.
    nodes: Option<Found>,
    pods: Found,
    events: Found,
    /// In the order of [`WORKLOADS`].
    workloads: Vec<Found>,
}

/// An informer, or the reason for which the user cannot see its rows.
type Found = Result<Arc<Feed>, Failure>;

impl Feeds {
    async fn of(context: &Context, filter: &Filter) -> Self {
        let namespace = filter.namespace.as_deref();
        let rows = |group, plural| context.rows_of(group, "v1", plural, namespace);
        let nodes = async {
            match namespace {
                None => Some(rows("core", "nodes").await),
                Some(_) => None,
            }
        };
        let workloads = join_all(WORKLOADS.map(|(group, plural)| rows(group, plural)));
        let (nodes, pods, events, workloads) =
            join4(nodes, rows("core", "pods"), rows("core", "events"), workloads).await;
        Feeds { nodes, pods, events, workloads }
    }

    fn sources(&self) -> Vec<Source> {
        let all = self.nodes.iter().chain([&self.pods, &self.events]).chain(&self.workloads);
        let source = |feed: &Found| match feed {
            Ok(feed) => Source::of(feed),
            Err(failure) => Source::Failed(failure.clone()),
        };
        all.map(source).collect()
    }

    fn into_all(self) -> impl Iterator<Item = Found> {
        self.nodes.into_iter().chain([self.pods, self.events]).chain(self.workloads)
    }
}

/// The rows that a request asks for: those of a namespace, or all.
fn filter(context: &Context) -> Result<Filter, Failure> {
    let query = context.query();
    query.check(&["namespace"])?;
    Ok(Selection::of(&query, true)?.filter)
}

/// A part of the overview, or the reason for which the user cannot see it.
fn part(feed: &Found, filter: &Filter, count: impl FnOnce(&Rows) -> Value) -> Value {
    match feed {
        Ok(feed) => {
            let rows = Rows::of(feed, filter);
            let mut part = count(&rows);
            part["total"] = rows.rows.len().into();
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
