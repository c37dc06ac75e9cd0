//! [`Selection`] of rows by the parameters of a request: namespace, selectors, search, order and page.

use klient_apimachinery::codec::FieldPath;
use klient_apimachinery::labels::Selector;
use klient_apimachinery::{Unstructured, fields, validation};
use serde_json::Value;

use crate::failure::{Code, Failure};
use crate::feed::Feed;
use crate::feed::ring::Row;
use crate::feed::table::{Column, cells_of, cells_text};
use crate::query::Query;

/// The parameters by which rows are selected.
pub(crate) const PARAMETERS: [&str; 4] = ["namespace", "labelSelector", "fieldSelector", "search"];

/// The rows that a request asks for.
pub(crate) struct Selection {
    /// The server evaluates it, since rows do not have the fields.
    pub(crate) field_selector: Option<String>,
    pub(crate) filter: Filter,
}

/// The conditions that are evaluated here, so that all who look at a kind share an informer.
#[derive(Clone, Default)]
pub(crate) struct Filter {
    pub(crate) namespace: Option<String>,
    labels: Selector,
    /// A part of the name, the namespace or a cell, in lower case.
    search: Option<String>,
}

impl Selection {
    /// # Errors
    ///
    /// If a selector or the namespace is malformed, or the resource has no namespaces.
    pub(crate) fn of(query: &Query, namespaced: bool) -> Result<Self, Failure> {
        let namespace = query.get("namespace");
        if let Some(name) = namespace {
            if !namespaced {
                let problem = "the resource is not in namespaces: leave out the parameter namespace";
                return Err(Failure::new(Code::BadRequest, problem));
            }
            if let Some(problem) = validation::dns_label(name).first() {
                return Err(Failure::new(Code::BadRequest, format!("the namespace is malformed: {problem}")));
            }
        }
        let refused = |error: &dyn std::fmt::Display| Failure::new(Code::BadSelector, error.to_string());
        let labels = query.get("labelSelector").unwrap_or_default();
        let parsed = labels.parse().map_err(|error: klient_apimachinery::labels::InvalidSelector| {
            refused(&error.of("label selector", labels))
        });
        let field_selector = query.get("fieldSelector").map(str::to_owned);
        if let Some(fields) = &field_selector {
            let parsed = fields.parse::<fields::Selector>();
            parsed.map_err(|error| refused(&error.of("field selector", fields)))?;
        }
        let filter = Filter {
            namespace: namespace.map(str::to_owned),
            labels: parsed?,
            search: query.get("search").map(str::to_lowercase),
        };
        Ok(Selection { field_selector, filter })
    }
}

impl Filter {
    /// Returns true if the filter selects all rows of an informer of all namespaces.
    pub(crate) fn is_everything(&self) -> bool {
        self.namespace.is_none() && self.labels.is_everything() && self.search.is_none()
    }

    pub(crate) fn matches(&self, row: &Row) -> bool {
        let labels = row.labels();
        let label = |key: &str| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| value);
        self.namespace.as_deref().is_none_or(|namespace| row.namespace() == Some(namespace))
            && (self.labels.is_everything() || self.labels.matches(label))
            && self.search.as_ref().is_none_or(|part| is_in(row, part))
    }

    /// The rows of an informer that match, in no order.
    pub(crate) fn rows(&self, feed: &Feed) -> Vec<Row> {
        let store = feed.store();
        let mut rows = match &self.namespace {
            Some(namespace) => store.select_in(namespace, &self.labels),
            None => store.select(&self.labels),
        };
        if let Some(part) = &self.search {
            rows.retain(|row| is_in(row, part));
        }
        rows
    }
}

fn is_in(row: &Row, part: &str) -> bool {
    row.name().to_lowercase().contains(part)
        || row.namespace().is_some_and(|namespace| namespace.to_lowercase().contains(part))
        || cells_text(row.encoded().bytes()).to_lowercase().contains(part)
}

/// The order and the page of rows.
pub(crate) struct Page {
    /// The place of a column.
    column: Option<usize>,
    by_age: bool,
    descending: bool,
    limit: usize,
    continue_token: Option<String>,
}

/// The parameters of order and page.
pub(crate) const PAGE_PARAMETERS: [&str; 4] = ["sort", "descending", "limit", "continue"];

/// A cell, by which rows are ordered: the number at its beginning, then the whole text.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
struct CellOrder(f64, String);

impl Page {
    /// # Errors
    ///
    /// If a parameter is malformed, or there is no such column.
    pub(crate) fn of(query: &Query, columns: &[Column]) -> Result<Self, Failure> {
        let sort = query.get("sort");
        let by_age = sort.is_some_and(|name| name.eq_ignore_ascii_case("age"));
        let column = match sort.filter(|_| !by_age) {
            None => None,
            Some(name) => {
                let found = columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
                let names =
                    || columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
                Some(found.ok_or_else(|| {
                    Failure::new(Code::BadRequest, format!("sort must be one of the columns: {}", names()))
                })?)
            }
        };
        let limit = query.number("limit")?;
        if limit == Some(0) {
            return Err(Failure::new(Code::BadRequest, "limit must be at least 1"));
        }
        Ok(Page {
            column,
            by_age,
            descending: query.flag("descending")?,
            limit: limit.unwrap_or(usize::MAX),
            continue_token: query.get("continue").map(str::to_owned),
        })
    }

    /// The rows of the page in order, and the token for the next page.
    ///
    /// # Errors
    ///
    /// If the row at the end of the page before is gone, and the order is that of a column.
    pub(crate) fn cut(&self, mut rows: Vec<Row>) -> Result<(Vec<Row>, Option<String>), Failure> {
        rows.sort_by(|one, other| key(one).cmp(&key(other)));
        if self.by_age {
            // The youngest has the least age.
            rows.sort_by_cached_key(created);
            rows.reverse();
        } else if let Some(column) = self.column {
            let order = |row: Row| {
                let mut cells = cells_of(row.encoded().bytes());
                let cell = if column < cells.len() { cells.swap_remove(column) } else { Value::Null };
                (CellOrder::of(&cell), row)
            };
            let mut ordered: Vec<_> = rows.into_iter().map(order).collect();
            ordered.sort_by(|(one, _), (other, _)| one.cmp(other));
            rows = ordered.into_iter().map(|(_, row)| row).collect();
        }
        if self.descending {
            rows.reverse();
        }
        if let Some(token) = &self.continue_token {
            let is_by_key = self.column.is_none() && !self.by_age;
            let at = rows.iter().position(|row| row.key().as_str() == token);
            let begin = match at {
                Some(at) => at + 1,
                None if is_by_key => {
                    let (namespace, name) = token.split_once('/').unwrap_or(("", token));
                    rows.partition_point(|row| match self.descending {
                        false => key(row) <= (namespace, name),
                        true => key(row) >= (namespace, name),
                    })
                }
                None => {
                    let problem = "the last row of the page before is gone: begin at the first page";
                    return Err(Failure::new(Code::Expired, problem));
                }
            };
            rows.drain(..begin);
        }
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| has_more).map(|row| row.key().as_str().to_owned());
        Ok((rows, next))
    }
}

fn key(row: &Row) -> (&str, &str) {
    (row.namespace().unwrap_or_default(), row.name())
}

/// The time of creation, in a form that is ordered as text.
pub(crate) fn created(row: &Row) -> String {
    thread_local! {
        static PATH: FieldPath<Unstructured> =
            "metadata.creationTimestamp".parse().expect("it is the path of a field");
    }
    PATH.with(|path| row.text_at(path).map(std::borrow::Cow::into_owned)).unwrap_or_default()
}

impl CellOrder {
    fn of(cell: &Value) -> Self {
        let text = match cell {
            Value::Null => String::new(),
            Value::String(text) => text.to_lowercase(),
            other => other.to_string(),
        };
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        // Cells without a number come after those with one.
        CellOrder(text[..digits].parse().unwrap_or(f64::INFINITY), text)
    }

    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then_with(|| self.1.cmp(&other.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_numbers_are_ordered_by_them() {
        let mut cells = [
            Value::from("10 (5m ago)"),
            Value::from("Running"),
            Value::from(2),
            Value::Null,
            Value::from("2Gi"),
            Value::from("Failed"),
        ];
        cells.sort_by(|one, other| CellOrder::of(one).cmp(&CellOrder::of(other)));
        let ordered: Vec<String> = cells.iter().map(Value::to_string).collect();
        assert_eq!(ordered, ["2", "\"2Gi\"", "\"10 (5m ago)\"", "null", "\"Failed\"", "\"Running\""]);
    }
}
