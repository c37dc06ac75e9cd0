//! Attributes of another form than theirs.

use klient::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", scale, scale(".spec.size"), scale(spec), derive = "PartialEq")]
#[resource(column, column = "Size", column(name), derive, derive("PartialEq"), not_served = true, apply(value))]
#[resource(annotation = "team", annotation("team"), deprecated(v2), status(WebsiteStatus), klient("klient"))]
#[resource(rule("true", "message"), rule("true", message("wrong")), rule("true", message = 3))]
#[resource(rule("true", optional_old_self), rule("true", optional_old_self = "yes"), selectable_field)]
struct WebsiteSpec {}

fn main() {}
