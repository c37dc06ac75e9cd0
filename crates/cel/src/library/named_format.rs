//! Functions of formats of names and other strings.

use crate::failure::{Failure, Result};
use crate::value::{NamedFormat, Value};

/// The format of a function such as `format.dns1123Label`.
pub(super) fn of_function(name: &str) -> Option<&'static NamedFormat> {
    NamedFormat::find(name.strip_prefix("format.")?)
}

pub(super) fn named<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let found = NamedFormat::find(arguments[0].as_str()?);
    Ok(found.map_or(Value::Optional(None), |format| Value::some(Value::Format(format))))
}

pub(super) fn validate<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let Value::Format(format) = &arguments[0] else { return Err(Failure::overload()) };
    let problems = (format.problems)(arguments[1].as_str()?);
    if problems.is_empty() {
        return Ok(Value::Optional(None));
    }
    Ok(Value::some(Value::list(problems.into_iter().map(Value::string).collect())))
}
