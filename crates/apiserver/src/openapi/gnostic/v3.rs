//! The messages of `openapi.v3`.

use super::{Field, Shape, Type};

pub(super) static DOCUMENT: Shape = Shape::Fields(
    &[
        Field("openapi", 1, Type::String),
        Field("info", 2, Type::Message(&INFO)),
        Field("paths", 4, Type::Message(&Shape::Map(1, &PATH_ITEM, 2))),
        Field("components", 5, Type::Message(&COMPONENTS)),
    ],
    9,
);

static INFO: Shape = Shape::Fields(&[Field("title", 1, Type::String), Field("version", 6, Type::String)], 7);

static COMPONENTS: Shape = Shape::Fields(
    &[
        Field("schemas", 1, Type::Message(&Shape::Map(1, &SCHEMA_OR_REFERENCE, 0))),
        Field("securitySchemes", 7, Type::Message(&Shape::Map(1, &Shape::Within(1, &SECURITY_SCHEME), 0))),
    ],
    10,
);

static SECURITY_SCHEME: Shape = Shape::Fields(
    &[Field("type", 1, Type::String), Field("name", 3, Type::String), Field("in", 4, Type::String)],
    9,
);

static PATH_ITEM: Shape = Shape::Fields(
    &[
        Field("get", 4, Type::Message(&OPERATION)),
        Field("put", 5, Type::Message(&OPERATION)),
        Field("post", 6, Type::Message(&OPERATION)),
        Field("delete", 7, Type::Message(&OPERATION)),
        Field("options", 8, Type::Message(&OPERATION)),
        Field("head", 9, Type::Message(&OPERATION)),
        Field("patch", 10, Type::Message(&OPERATION)),
        Field("parameters", 13, Type::Messages(&Shape::Within(1, &PARAMETER))),
    ],
    14,
);

static OPERATION: Shape = Shape::Fields(
    &[
        Field("tags", 1, Type::Strings),
        Field("description", 3, Type::String),
        Field("operationId", 5, Type::String),
        Field("parameters", 6, Type::Messages(&Shape::Within(1, &PARAMETER))),
        Field("requestBody", 7, Type::Message(&Shape::Within(1, &REQUEST_BODY))),
        Field("responses", 8, Type::Message(&Shape::Map(2, &Shape::Within(1, &RESPONSE), 3))),
    ],
    13,
);

static PARAMETER: Shape = Shape::Fields(
    &[
        Field("name", 1, Type::String),
        Field("in", 2, Type::String),
        Field("required", 4, Type::Bool),
        Field("schema", 10, Type::Message(&SCHEMA_OR_REFERENCE)),
    ],
    14,
);

static REQUEST_BODY: Shape =
    Shape::Fields(&[Field("content", 2, Type::Message(&CONTENT)), Field("required", 3, Type::Bool)], 4);

static RESPONSE: Shape =
    Shape::Fields(&[Field("description", 1, Type::String), Field("content", 3, Type::Message(&CONTENT))], 5);

static CONTENT: Shape =
    Shape::Map(1, &Shape::Fields(&[Field("schema", 1, Type::Message(&SCHEMA_OR_REFERENCE))], 5), 0);

static SCHEMA_OR_REFERENCE: Shape = Shape::OrReference(&SCHEMA);

static SCHEMA: Shape = Shape::Fields(
    &[
        Field("nullable", 1, Type::Bool),
        Field("externalDocs", 6, Type::Message(&EXTERNAL_DOCS)),
        Field("example", 7, Type::Any),
        Field("title", 9, Type::String),
        Field("multipleOf", 10, Type::Double),
        Field("maximum", 11, Type::Double),
        Field("exclusiveMaximum", 12, Type::Bool),
        Field("minimum", 13, Type::Double),
        Field("exclusiveMinimum", 14, Type::Bool),
        Field("maxLength", 15, Type::Int),
        Field("minLength", 16, Type::Int),
        Field("pattern", 17, Type::String),
        Field("maxItems", 18, Type::Int),
        Field("minItems", 19, Type::Int),
        Field("uniqueItems", 20, Type::Bool),
        Field("maxProperties", 21, Type::Int),
        Field("minProperties", 22, Type::Int),
        Field("required", 23, Type::Strings),
        Field("enum", 24, Type::Anys),
        Field("type", 25, Type::String),
        Field("allOf", 26, Type::Messages(&SCHEMA_OR_REFERENCE)),
        Field("oneOf", 27, Type::Messages(&SCHEMA_OR_REFERENCE)),
        Field("anyOf", 28, Type::Messages(&SCHEMA_OR_REFERENCE)),
        Field("not", 29, Type::Message(&SCHEMA)),
        Field("items", 30, Type::Message(&Shape::Within(1, &SCHEMA_OR_REFERENCE))),
        Field("properties", 31, Type::Message(&Shape::Map(1, &SCHEMA_OR_REFERENCE, 0))),
        Field("additionalProperties", 32, Type::Message(&Shape::OrBool(&SCHEMA_OR_REFERENCE))),
        Field("default", 33, Type::Message(&Shape::Scalar)),
        Field("description", 34, Type::String),
        Field("format", 35, Type::String),
    ],
    36,
);

static EXTERNAL_DOCS: Shape =
    Shape::Fields(&[Field("description", 1, Type::String), Field("url", 2, Type::String)], 3);
