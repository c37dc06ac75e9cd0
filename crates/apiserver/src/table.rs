//! `Table`s of objects.

mod include;

use klient_apimachinery::Time;
use klient_apimachinery::meta::v1::schema::{LIST_META, TABLE_COLUMN_DEFINITION, TABLE_ROW};
use klient_apimachinery::values::{self, Map, at};
use serde_json::Value;

use crate::registry::Resource;
use crate::respond::kind::{partial, with_kind};
pub(crate) use include::Include;

/// A Table of objects, as JSON. It has column definitions if `with_columns`; in a watch only the first Table has
/// them.
pub(crate) fn table(
    version: &str,
    resource: &Resource,
    metadata: &Map,
    rows: impl IntoIterator<Item = Map>,
    include: Include,
    with_columns: bool,
) -> Vec<u8> {
    let mut out =
        format!(r#"{{"kind":"Table","apiVersion":"meta.k8s.io/{version}","metadata":"#).into_bytes();
    values::encode(metadata, &LIST_META, &mut out);
    out.extend_from_slice(br#","columnDefinitions":"#);
    if with_columns {
        separated(&mut out, resource.columns(), |column, out| {
            values::encode(&column, &TABLE_COLUMN_DEFINITION, out);
        });
    } else {
        out.extend_from_slice(b"null");
    }
    out.extend_from_slice(br#","rows":"#);
    let now = Time::now();
    separated(&mut out, rows, |object, out| {
        let mut row = Map::new();
        row.insert("cells".to_owned(), Value::Array(resource.cells(&object, now)));
        let conditions = resource.row_conditions(&object);
        if !conditions.is_empty() {
            row.insert("conditions".to_owned(), Value::Array(conditions));
        }
        values::encode(&row, &TABLE_ROW, out);
        out.pop();
        out.extend_from_slice(br#","object":"#);
        match include {
            Include::None => out.extend_from_slice(b"null"),
            Include::Metadata => out.extend(partial(version, &object)),
            Include::Object => out.extend(with_kind(resource, &resource.encode(&object))),
        }
        out.push(b'}');
    });
    out.push(b'}');
    out
}

/// The Table of one object, which has the object's version.
pub(crate) fn of_one(
    version: &str,
    resource: &Resource,
    object: Map,
    include: Include,
    with_columns: bool,
) -> Vec<u8> {
    let known = at(&object, &["metadata", "resourceVersion"]).cloned();
    let metadata = known.map(|known| ("resourceVersion".to_owned(), known)).into_iter().collect();
    table(version, resource, &metadata, [object], include, with_columns)
}

fn separated<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}
