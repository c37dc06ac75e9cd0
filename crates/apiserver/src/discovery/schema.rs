//! Structs of discovery documents that are lists.

use klient_apimachinery::meta::v1::schema::{API_GROUP, LIST_META};
use klient_apimachinery::schema::{Field, Schema, Type};
use klient_schema::apidiscovery_v2::API_GROUP_DISCOVERY;

pub(super) static API_GROUP_LIST: Schema = Schema::new(
    "meta/v1",
    "APIGroupList",
    &[Field { json: "groups", ty: Type::List(&Type::Message(&API_GROUP)), number: 1, ..Field::PLAIN }],
);

pub(super) static API_GROUP_DISCOVERY_LIST: Schema = Schema::new(
    "apidiscovery/v2",
    "APIGroupDiscoveryList",
    &[
        Field { json: "metadata", ty: Type::Message(&LIST_META), number: 1, ..Field::PLAIN },
        Field {
            json: "items",
            ty: Type::List(&Type::Message(&API_GROUP_DISCOVERY)),
            number: 2,
            ..Field::PLAIN
        },
    ],
);
