//! Tables of objects.

use klient_apimachinery::Time;
use serde_json::{Value, json};

use crate::registry::Resource;
use crate::request::Query;
use crate::respond::partial;
use crate::status::{Failure, Result};
use crate::storage::Object;
use crate::values::Map;

/// What of each object goes with its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    None,
    Metadata,
    Object,
}

impl Include {
    /// Reads `includeObject`.
    ///
    /// # Errors
    ///
    /// If it is none of the known words.
    pub(crate) fn parse(query: &Query) -> Result<Self> {
        match &*query.text("includeObject") {
            "" | "Metadata" => Ok(Include::Metadata),
            "None" => Ok(Include::None),
            "Object" => Ok(Include::Object),
            other => Err(Failure::bad_request(format!("unrecognized includeObject value: {other:?}"))),
        }
    }
}

/// A Table of objects. Its columns are defined where `with_columns`; in a watch only the first Table has them.
pub(crate) fn table(
    version: &str,
    resource: &Resource,
    rows: &[(&Object, Map)],
    include: Include,
    with_columns: bool,
    now: Time,
) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|(_, object)| {
            let shown = match include {
                Include::None => Value::Null,
                Include::Metadata => partial(version, object),
                Include::Object => whole(resource, object),
            };
            let mut row = Map::new();
            row.insert("cells".to_owned(), Value::Array(resource.cells(object, now)));
            let conditions = resource.row_conditions(object);
            if !conditions.is_empty() {
                row.insert("conditions".to_owned(), Value::Array(conditions));
            }
            row.insert("object".to_owned(), shown);
            Value::Object(row)
        })
        .collect();
    let columns = with_columns.then(|| resource.columns());
    let mut metadata = Map::new();
    if let [only] = &rows[..] {
        let version = only["object"]["metadata"]["resourceVersion"].clone();
        if version.is_string() {
            metadata.insert("resourceVersion".to_owned(), version);
        }
    }
    json!({
        "kind": "Table",
        "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    })
}

/// An object with its kind.
pub(crate) fn whole(resource: &Resource, object: &Map) -> Value {
    let mut object = object.clone();
    object.insert("apiVersion".to_owned(), resource.info.api_version().into());
    object.insert("kind".to_owned(), (*resource.info.kind).into());
    Value::Object(object)
}
