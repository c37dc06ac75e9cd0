//! Functions of URLs.

use std::sync::Arc;

use crate::failure::{Failure, Result};
use crate::value::{MapBuilder, Url, Value};

fn of<'v>(value: &'v Value<'_>) -> Result<&'v Url> {
    match value {
        Value::Url(url) => Ok(url),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn url<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Url(Arc::new(Url::parse(arguments[0].as_str()?)?)))
}

pub(super) fn is_url<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(Url::parse_request(arguments[0].as_str()?).is_ok()))
}

pub(super) fn scheme_of<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::string(of(&arguments[0])?.scheme.clone()))
}

pub(super) fn host_of<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::string(of(&arguments[0])?.host.clone()))
}

pub(super) fn hostname_of<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::string(of(&arguments[0])?.hostname().to_owned()))
}

pub(super) fn port_of<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::string(of(&arguments[0])?.port().to_owned()))
}

pub(super) fn escaped_path_of<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::string(of(&arguments[0])?.escaped_path()))
}

pub(super) fn query_of<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let mut map = MapBuilder::default();
    for (name, values) in of(&arguments[0])?.query() {
        let values = values.into_iter().map(Value::string).collect();
        map.insert(Value::string(name), Value::list(values))?;
    }
    Ok(Value::Map(map.build()))
}
