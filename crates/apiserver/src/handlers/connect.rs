//! Admission of connections to subresources, such as `exec` and `proxy`.

use klient_apimachinery::go::quoted;
use klient_apimachinery::schema::{Schema, Type};
use klient_apimachinery::values::Map;
use serde_json::Value;

use super::Context;
use crate::admission::{Attributes, Operation};
use crate::request::number_problem;
use crate::status::{Failure, Result};
use crate::warnings::Warnings;

/// The field with the path of a request that is passed on.
const PATH: &str = "path";

/// Takes a connection to a subresource through admission, as an object with its options.
///
/// # Errors
///
/// 400 for a dry run and for ports that are no numbers, and the refusals of admission.
pub(super) async fn admit(context: &mut Context, subresource: &str, options: &'static Schema) -> Result<()> {
    if context.query.get("dryRun").is_some() {
        return Err(Failure::bad_request("dryRun is not supported"));
    }
    let warnings = Warnings::default();
    let admitted = admit_with(context, subresource, options, &warnings).await;
    context.warnings.extend(warnings.take());
    admitted
}

async fn admit_with(
    context: &Context,
    subresource: &str,
    schema: &'static Schema,
    warnings: &Warnings,
) -> Result<()> {
    let mut options = read(context, schema)?;
    let attributes = Attributes {
        operation: Operation::Connect,
        resource: &context.resource,
        form: &context.resource,
        subresource: Some(subresource),
        presented: Some(schema),
        namespace: context.namespace(),
        name: context.name(),
        old: None,
        request: context.request(None, warnings),
        reinvocation: None,
    };
    context.state.admission.admit(&attributes, Some(&mut options)).await?;
    context.state.admission.validate(&attributes, Some(&options)).await
}

/// The options in a query.
fn read(context: &Context, schema: &'static Schema) -> Result<Map> {
    let query = &context.query;
    let mut options = Map::new();
    for field in schema.fields {
        let value = match field.ty {
            Type::Bool => query.is_true(field.json).then_some(Value::Bool(true)),
            Type::String if field.json == PATH => {
                Some(&*context.info.subpath).filter(|path| !path.is_empty()).map(Value::from)
            }
            Type::String => query.get(field.json).map(Value::from),
            _ if field.json == "ports" => {
                let texts = query.all(field.json).flat_map(|text| text.split(','));
                Some(Value::Array(texts.map(port).collect::<Result<_>>()?))
            }
            _ => Some(query.all(field.json).map(Value::from).collect()),
        };
        options.extend(value.map(|value| (field.json.to_owned(), value)));
    }
    Ok(options)
}

/// A port: upstream's `Convert_Slice_string_To_Slice_int32`.
fn port(text: &str) -> Result<Value> {
    let problem = match text.parse::<u16>() {
        // Go takes no sign.
        Ok(port) if !text.starts_with('+') => return Ok(port.into()),
        Ok(_) => "invalid syntax",
        Err(error) => number_problem(&error),
    };
    let text = quoted(text);
    Err(Failure::bad_request(format!(
        "cannot convert to []int32: strconv.ParseUint: parsing {text}: {problem}"
    )))
}
