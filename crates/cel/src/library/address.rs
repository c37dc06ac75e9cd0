//! Functions of IP addresses.

use std::net::IpAddr;

use crate::failure::{Failure, Result};
use crate::value::{Address, Value};

fn of(value: &Value<'_>) -> Result<IpAddr> {
    match value {
        Value::Ip(address) => Ok(address.0),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn is_ip<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(Address::parse(arguments[0].as_str()?).is_ok()))
}

/// `ip(string)`, or the address of a CIDR.
pub(super) fn ip<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match &arguments[0] {
        Value::Cidr(cidr) => Ok(Value::Ip(Address(cidr.address))),
        text => Address::parse(text.as_str()?).map(Value::Ip),
    }
}

pub(super) fn is_canonical<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let text = arguments[0].as_str()?;
    Ok(Value::Bool(Address::parse(text)?.to_string() == text))
}

pub(super) fn family<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Int(if of(&arguments[0])?.is_ipv4() { 4 } else { 6 }))
}

pub(super) fn is_unspecified<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(of(&arguments[0])?.is_unspecified()))
}

pub(super) fn is_loopback<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(of(&arguments[0])?.is_loopback()))
}

pub(super) fn is_link_local_multicast<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(match of(&arguments[0])? {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }))
}

pub(super) fn is_link_local_unicast<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(is_link_local(of(&arguments[0])?)))
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.segments()[0] & 0xffc0 == 0xfe80,
    }
}

pub(super) fn is_global_unicast<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let address = of(&arguments[0])?;
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    Ok(Value::Bool(!(broadcast || special || is_link_local(address))))
}
