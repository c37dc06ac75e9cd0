//! Tables as servers send them, and the rows that are kept of them.

use klient_apimachinery::codec::{Encoded, Format};
use klient_apimachinery::{Str, Unstructured};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// The media types that are accepted of a list or a watch: a Table, in the first version that the server has, or objects.
pub(crate) const ACCEPT: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,\
                                 application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Column {
    /// The heading, such as `Restarts`.
    pub(crate) name: String,
    /// The type of OpenAPI: `string`, `integer`, `number`, `boolean` or `date`.
    #[serde(rename = "type")]
    pub(crate) type_: String,
    /// The format of OpenAPI; `name` marks the column of the name.
    pub(crate) format: String,
    pub(crate) description: String,
    /// Columns of a priority above 0 are those of `kubectl get -o wide`.
    pub(crate) priority: i32,
}

/// A list, or the object of a watch event, in rows.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) resource_version: Str,
    pub(crate) continue_token: Str,
    pub(crate) remaining: Option<i64>,
    /// The columns, which only the first event of a watch has.
    pub(crate) columns: Option<Vec<Column>>,
    /// A row each: `{"metadata": …, "cells": […]}`. The metadata is that by which objects are found and ordered; annotations and
    /// managed fields are left out, since they can be large, and may repeat the values of a Secret.
    pub(crate) rows: Vec<Encoded<Unstructured>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw<'a> {
    #[serde(default)]
    kind: String,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(default)]
    column_definitions: Option<Vec<Column>>,
    #[serde(borrow, default)]
    rows: Option<Vec<RawRow<'a>>>,
    /// Absent in an object; null in a list of Go's that has none.
    #[serde(borrow, default, deserialize_with = "present")]
    items: Option<Option<Vec<RawObject<'a>>>>,
}

/// A member that is there, which may be null.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(member: D) -> Result<Option<T>, D::Error> {
    T::deserialize(member).map(Some)
}

#[derive(Deserialize)]
struct RawRow<'a> {
    #[serde(borrow)]
    cells: &'a RawValue,
    #[serde(borrow)]
    object: RawObject<'a>,
}

#[derive(Deserialize)]
struct RawObject<'a> {
    #[serde(borrow, default)]
    metadata: Metadata<'a>,
}

/// The metadata of a list.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListMetadata {
    resource_version: String,
    #[serde(rename = "continue")]
    continue_token: String,
    remaining_item_count: Option<i64>,
}

/// Defines the fields of metadata that rows have.
macro_rules! metadata {
    ($($field:ident)*) => {
        /// The metadata of a row, as it came.
        #[derive(Default, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Metadata<'a> {
            $(#[serde(borrow, skip_serializing_if = "Option::is_none")]
            $field: Option<&'a RawValue>,)*
        }
    };
}

metadata! {
    name namespace uid resource_version generation creation_timestamp deletion_timestamp labels owner_references
}

#[derive(Serialize)]
struct Row<'a, C> {
    metadata: &'a Metadata<'a>,
    cells: C,
}

impl Table {
    /// Reads a Table, or the list or object that a server without Tables sends.
    ///
    /// # Errors
    ///
    /// If it is neither.
    pub(crate) fn parse(json: &[u8]) -> serde_json::Result<Self> {
        let raw: Raw<'_> = serde_json::from_slice(json)?;
        let list: ListMetadata = match raw.metadata {
            Some(metadata) => serde_json::from_str(metadata.get())?,
            None => ListMetadata::default(),
        };
        let mut table = Table {
            resource_version: list.resource_version.into(),
            continue_token: list.continue_token.into(),
            remaining: list.remaining_item_count,
            ..Table::default()
        };
        if raw.kind == "Table" {
            table.columns = raw.column_definitions;
            let rows = raw.rows.unwrap_or_default();
            if table.resource_version.is_empty()
                && let Some(version) = rows.first().and_then(|row| row.object.metadata.resource_version)
            {
                table.resource_version = serde_json::from_str::<String>(version.get())?.into();
            }
            table.rows =
                rows.iter().map(|row| encode(&row.object.metadata, row.cells)).collect::<Result<_, _>>()?;
            return Ok(table);
        }
        table.columns = Some(columns_of_any());
        let objects = match raw.items {
            Some(items) => items.unwrap_or_default(),
            None => vec![serde_json::from_slice(json)?],
        };
        let row = |object: &RawObject<'_>| {
            let metadata = &object.metadata;
            encode(metadata, [metadata.name, metadata.creation_timestamp])
        };
        table.rows = objects.iter().map(row).collect::<Result<_, _>>()?;
        Ok(table)
    }
}

fn encode(metadata: &Metadata<'_>, cells: impl Serialize) -> serde_json::Result<Encoded<Unstructured>> {
    Ok(Encoded::new(Format::Json, serde_json::to_vec(&Row { metadata, cells })?))
}

/// The columns of objects of a server that makes no Tables.
fn columns_of_any() -> Vec<Column> {
    let column = |name: &str, type_: &str, format: &str| Column {
        name: name.to_owned(),
        type_: type_.to_owned(),
        format: format.to_owned(),
        ..Column::default()
    };
    vec![column("Name", "string", "name"), column("Created At", "date", "")]
}

/// The cells of a row, as it is in a cache.
pub(crate) fn cells_of(row: &[u8]) -> Vec<serde_json::Value> {
    #[derive(Deserialize)]
    struct Cells {
        cells: Vec<serde_json::Value>,
    }
    serde_json::from_slice(row).map(|Cells { cells }| cells).unwrap_or_default()
}

/// The JSON of the cells of a row.
pub(crate) fn cells_text(row: &[u8]) -> &str {
    #[derive(Deserialize)]
    struct Cells<'a> {
        #[serde(borrow)]
        cells: &'a RawValue,
    }
    serde_json::from_slice(row).map_or("", |Cells { cells }| cells.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> Vec<String> {
        let table = Table::parse(json.as_bytes()).unwrap();
        table.rows.iter().map(|row| String::from_utf8_lossy(row.bytes()).into_owned()).collect()
    }

    #[test]
    fn rows_have_no_annotations_and_no_managed_fields() {
        let table = r#"{"kind": "Table", "metadata": {"resourceVersion": "7"},
            "columnDefinitions": [{"name": "Name", "type": "string", "format": "name", "priority": 0}],
            "rows": [{"cells": ["web", "a\n\"b\""], "object": {"kind": "PartialObjectMetadata", "metadata":
            {"name": "web", "annotations": {"secret": "x"}, "managedFields": [{}], "labels": {"a": "b"}}}}]}"#;
        let expected = r#"{"metadata":{"name":"web","labels":{"a": "b"}},"cells":["web", "a\n\"b\""]}"#;
        assert_eq!(rows(table), [expected]);
        let parsed = Table::parse(table.as_bytes()).unwrap();
        assert_eq!(parsed.resource_version, "7");
        assert_eq!(parsed.columns.unwrap()[0].format, "name");
        assert_eq!(cells_of(expected.as_bytes()), ["web", "a\n\"b\""]);
        assert_eq!(cells_text(expected.as_bytes()), r#"["web", "a\n\"b\""]"#);
    }

    #[test]
    fn servers_without_tables_get_a_table_of_names() {
        let list = r#"{"kind": "GadgetList", "metadata": {"resourceVersion": "3", "continue": "c"},
            "items": [{"metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": {}}]}"#;
        let row = r#"{"metadata":{"name":"a","creationTimestamp":"2026-01-01T00:00:00Z"},"cells":["a","2026-01-01T00:00:00Z"]}"#;
        assert_eq!(rows(list), [row]);
        assert_eq!(Table::parse(list.as_bytes()).unwrap().continue_token, "c");
        let none: [String; 0] = [];
        assert_eq!(
            rows(r#"{"kind": "GadgetList", "metadata": {"resourceVersion": "3"}, "items": null}"#),
            none
        );
        let object = r#"{"kind": "Gadget", "metadata": {"name": "a", "resourceVersion": "4"}}"#;
        assert_eq!(rows(object), [r#"{"metadata":{"name":"a","resourceVersion":"4"},"cells":["a",null]}"#]);
        assert_eq!(Table::parse(object.as_bytes()).unwrap().resource_version, "4");
        assert!(Table::parse(b"{").is_err());
    }
}
