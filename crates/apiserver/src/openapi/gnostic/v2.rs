//! The messages of `openapi.v2`.

use super::{Field, Shape, Type};

pub(super) static DOCUMENT: Shape = Shape::Fields(
    &[
        Field("swagger", 1, Type::String),
        Field("info", 2, Type::Message(&INFO)),
        Field("paths", 8, Type::Message(&Shape::Map(2, &PATH_ITEM, 1))),
        Field("definitions", 9, Type::Message(&Shape::Map(1, &SCHEMA, 0))),
        Field("parameters", 10, Type::Message(&Shape::Map(1, &Shape::Parameter, 0))),
        Field("security", 12, Type::Messages(&Shape::Map(1, &Shape::Strings, 0))),
        Field("securityDefinitions", 13, Type::Message(&Shape::Map(1, &Shape::Within(2, &API_KEY), 0))),
    ],
    16,
);

static INFO: Shape = Shape::Fields(&[Field("title", 1, Type::String), Field("version", 2, Type::String)], 7);

static API_KEY: Shape = Shape::Fields(
    &[Field("type", 1, Type::String), Field("name", 2, Type::String), Field("in", 3, Type::String)],
    5,
);

static PATH_ITEM: Shape = Shape::Fields(
    &[
        Field("get", 2, Type::Message(&OPERATION)),
        Field("put", 3, Type::Message(&OPERATION)),
        Field("post", 4, Type::Message(&OPERATION)),
        Field("delete", 5, Type::Message(&OPERATION)),
        Field("options", 6, Type::Message(&OPERATION)),
        Field("head", 7, Type::Message(&OPERATION)),
        Field("patch", 8, Type::Message(&OPERATION)),
        Field("parameters", 9, Type::Messages(&Shape::OrReference(&Shape::Parameter))),
    ],
    10,
);

static OPERATION: Shape = Shape::Fields(
    &[
        Field("tags", 1, Type::Strings),
        Field("description", 3, Type::String),
        Field("operationId", 5, Type::String),
        Field("produces", 6, Type::Strings),
        Field("consumes", 7, Type::Strings),
        Field("parameters", 8, Type::Messages(&Shape::OrReference(&Shape::Parameter))),
        Field("responses", 9, Type::Message(&Shape::Map(1, &Shape::Within(1, &RESPONSE), 2))),
        Field("schemes", 10, Type::Strings),
    ],
    13,
);

static RESPONSE: Shape = Shape::Fields(
    &[Field("description", 1, Type::String), Field("schema", 2, Type::Message(&Shape::Within(1, &SCHEMA)))],
    5,
);

pub(super) static BODY: Shape = Shape::Fields(
    &[
        Field("name", 2, Type::String),
        Field("in", 3, Type::String),
        Field("required", 4, Type::Bool),
        Field("schema", 5, Type::Message(&SCHEMA)),
    ],
    6,
);

pub(super) static QUERY: Shape = Shape::Within(
    3,
    &Shape::Fields(
        &[
            Field("required", 1, Type::Bool),
            Field("in", 2, Type::String),
            Field("name", 4, Type::String),
            Field("type", 6, Type::String),
            Field("uniqueItems", 20, Type::Bool),
        ],
        23,
    ),
);

pub(super) static PATH: Shape = Shape::Within(
    4,
    &Shape::Fields(
        &[
            Field("required", 1, Type::Bool),
            Field("in", 2, Type::String),
            Field("name", 4, Type::String),
            Field("type", 5, Type::String),
            Field("uniqueItems", 19, Type::Bool),
        ],
        22,
    ),
);

static SCHEMA: Shape = Shape::Fields(
    &[
        Field("$ref", 1, Type::String),
        Field("format", 2, Type::String),
        Field("title", 3, Type::String),
        Field("description", 4, Type::String),
        Field("multipleOf", 6, Type::Double),
        Field("maximum", 7, Type::Double),
        Field("exclusiveMaximum", 8, Type::Bool),
        Field("minimum", 9, Type::Double),
        Field("exclusiveMinimum", 10, Type::Bool),
        Field("maxLength", 11, Type::Int),
        Field("minLength", 12, Type::Int),
        Field("pattern", 13, Type::String),
        Field("maxItems", 14, Type::Int),
        Field("minItems", 15, Type::Int),
        Field("uniqueItems", 16, Type::Bool),
        Field("maxProperties", 17, Type::Int),
        Field("minProperties", 18, Type::Int),
        Field("required", 19, Type::Strings),
        Field("enum", 20, Type::Anys),
        Field("additionalProperties", 21, Type::Message(&Shape::OrBool(&SCHEMA))),
        Field("type", 22, Type::Message(&Shape::Strings)),
        Field("items", 23, Type::Message(&Shape::Within(1, &SCHEMA))),
        Field("properties", 25, Type::Message(&Shape::Map(1, &SCHEMA, 0))),
        Field("externalDocs", 29, Type::Message(&EXTERNAL_DOCS)),
        Field("example", 30, Type::Any),
    ],
    31,
);

static EXTERNAL_DOCS: Shape =
    Shape::Fields(&[Field("description", 1, Type::String), Field("url", 2, Type::String)], 3);
