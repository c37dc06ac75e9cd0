//! Functions of JSON patches.

use crate::failure::Result;
use crate::value::Value;

/// A key as a step of a path.
pub(super) fn escape_key<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::string(arguments[0].as_str()?.replace('~', "~0").replace('/', "~1")))
}
