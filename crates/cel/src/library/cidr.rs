//! Functions of networks of IP addresses.

use crate::failure::{Failure, Result};
use crate::value::{Address, Cidr, Value};

fn of(value: &Value<'_>) -> Result<Cidr> {
    match value {
        Value::Cidr(cidr) => Ok(*cidr),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn cidr<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Cidr::parse(arguments[0].as_str()?).map(Value::Cidr)
}

pub(super) fn is_cidr<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(Cidr::parse(arguments[0].as_str()?).is_ok()))
}

pub(super) fn contains_ip<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let address = match &arguments[1] {
        Value::Ip(address) => *address,
        text => Address::parse(text.as_str()?).map_err(|_| Failure::overload())?,
    };
    Ok(Value::Bool(of(&arguments[0])?.contains(address.0)))
}

pub(super) fn contains_cidr<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let network = of(&arguments[0])?;
    let other = match &arguments[1] {
        Value::Cidr(cidr) => *cidr,
        text => Cidr::parse(text.as_str()?)?,
    };
    Ok(Value::Bool(network.prefix <= other.prefix && network.contains(other.address)))
}

pub(super) fn prefix_length<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Int(of(&arguments[0])?.prefix.into()))
}

pub(super) fn masked<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Cidr(of(&arguments[0])?.masked()))
}
