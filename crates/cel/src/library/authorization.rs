//! Functions of authorization checks.

use std::sync::Arc;

use klient_apimachinery::validation;

use super::Native;
use crate::authorizer::AccessCheck;
use crate::failure::{Failure, Result};
use crate::value::{Authorization, Check, Value};

/// The implementation of a function.
pub(super) fn of_function(name: &str) -> Option<Native> {
    Some(match name {
        "path" => path,
        "group" => group,
        "serviceAccount" => service_account,
        "resource" => resource,
        "subresource" => subresource,
        "namespace" => namespace,
        "name" => name_of,
        "fieldSelector" => field_selector,
        "labelSelector" => label_selector,
        "check" => check,
        "allowed" => allowed,
        "reason" => reason,
        "errored" => errored,
        "error" => error,
        _ => return None,
    })
}

fn value(authorization: Authorization<'_>) -> Value<'_> {
    Value::Authorization(Arc::new(authorization))
}

fn authorizer<'v, 'a>(arguments: &'v [Value<'a>]) -> Result<&'v Check<'a>> {
    match arguments.first() {
        Some(Value::Authorization(own)) => match &**own {
            Authorization::Authorizer(check) => Ok(check),
            _ => Err(Failure::overload()),
        },
        _ => Err(Failure::overload()),
    }
}

/// The string that is the argument at an index.
fn text<'v>(arguments: &'v [Value<'_>], index: usize) -> Result<&'v str> {
    arguments.get(index).ok_or_else(Failure::overload)?.as_str()
}

fn path<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let mut check = authorizer(arguments)?.clone();
    let path = text(arguments, 1)?;
    if path.trim().is_empty() {
        return Err(Failure::error("path must not be empty"));
    }
    check.attributes.path = Some(path.to_owned());
    Ok(value(Authorization::Path(check)))
}

fn group<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let mut check = authorizer(arguments)?.clone();
    text(arguments, 1)?.clone_into(&mut check.attributes.group);
    Ok(value(Authorization::Group(check)))
}

fn service_account<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let mut check = authorizer(arguments)?.clone();
    let (namespace, name) = (text(arguments, 1)?, text(arguments, 2)?);
    if !validation::dns_subdomain(name).is_empty() {
        return Err(Failure::error("Invalid service account name"));
    }
    if !validation::dns_label(namespace).is_empty() {
        return Err(Failure::error("Invalid service account namespace"));
    }
    check.attributes.service_account = Some((namespace.to_owned(), name.to_owned()));
    Ok(value(Authorization::Authorizer(check)))
}

fn resource<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let Some(Value::Authorization(own)) = arguments.first() else { return Err(Failure::overload()) };
    let Authorization::Group(check) = &**own else { return Err(Failure::overload()) };
    let resource = text(arguments, 1)?;
    if resource.trim().is_empty() {
        return Err(Failure::error("resource must not be empty"));
    }
    let mut check = check.clone();
    resource.clone_into(&mut check.attributes.resource);
    Ok(value(Authorization::Resource(check)))
}

/// A check of a resource with one more attribute.
fn with<'a>(arguments: &[Value<'a>], attribute: fn(&mut AccessCheck) -> &mut String) -> Result<Value<'a>> {
    let Some(Value::Authorization(own)) = arguments.first() else { return Err(Failure::overload()) };
    let Authorization::Resource(check) = &**own else { return Err(Failure::overload()) };
    let mut check = check.clone();
    text(arguments, 1)?.clone_into(attribute(&mut check.attributes));
    Ok(value(Authorization::Resource(check)))
}

fn subresource<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    with(arguments, |check| &mut check.subresource)
}

fn namespace<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    with(arguments, |check| &mut check.namespace)
}

fn name_of<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    with(arguments, |check| &mut check.name)
}

fn field_selector<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    with(arguments, |check| &mut check.field_selector)
}

fn label_selector<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    with(arguments, |check| &mut check.label_selector)
}

fn check<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let Some(Value::Authorization(own)) = arguments.first() else { return Err(Failure::overload()) };
    let (Authorization::Path(check) | Authorization::Resource(check)) = &**own else {
        return Err(Failure::overload());
    };
    let mut attributes = check.attributes.clone();
    text(arguments, 1)?.clone_into(&mut attributes.verb);
    Ok(value(Authorization::Decision(check.authorizer.check(&attributes))))
}

fn decision<'v>(arguments: &'v [Value<'_>]) -> Result<&'v crate::authorizer::Decision> {
    match arguments.first() {
        Some(Value::Authorization(own)) => match &**own {
            Authorization::Decision(decision) => Ok(decision),
            _ => Err(Failure::overload()),
        },
        _ => Err(Failure::overload()),
    }
}

fn allowed<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    decision(arguments).map(|decision| Value::Bool(decision.allowed))
}

fn reason<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    decision(arguments).map(|decision| Value::string(decision.reason.clone()))
}

fn errored<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    decision(arguments).map(|decision| Value::Bool(decision.error.is_some()))
}

fn error<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    decision(arguments).map(|decision| Value::string(decision.error.clone().unwrap_or_default()))
}
