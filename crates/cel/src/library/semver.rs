//! Functions of semantic versions.

use std::sync::Arc;

use crate::failure::{Failure, Result};
use crate::value::{Semver, Value};

fn parsed(arguments: &[Value<'_>]) -> Result<Semver> {
    let tolerant = arguments.get(1).map_or(Ok(false), Value::as_bool)?;
    let text = arguments[0].as_str()?;
    if tolerant { Semver::parse_tolerant(text) } else { Semver::parse(text) }
}

pub(super) fn semver<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Semver(Arc::new(parsed(arguments)?)))
}

pub(super) fn is_semver<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    arguments[0].as_str()?;
    Ok(Value::Bool(parsed(arguments).is_ok()))
}

fn part<'a>(arguments: &[Value<'a>], index: usize) -> Result<Value<'a>> {
    match &arguments[0] {
        Value::Semver(version) => Ok(Value::Int(version.numbers[index].cast_signed())),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn major<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    part(arguments, 0)
}

pub(super) fn minor<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    part(arguments, 1)
}

pub(super) fn patch<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    part(arguments, 2)
}
