//! Keys by which events are compared.

use klient_api::core::v1::Event;
use klient_apimachinery::Str;

/// The key of events that are counted in one object.
pub(super) fn identity(event: &Event) -> String {
    let [component, host, kind, namespace, name, uid, api_version] = origin(event);
    let field_path = text(event.involved_object.field_path.as_ref());
    join(&[
        component,
        host,
        kind,
        namespace,
        name,
        field_path,
        uid,
        api_version,
        text(event.type_.as_ref()),
        text(event.reason.as_ref()),
        text(event.message.as_ref()),
    ])
}

/// The key of a reporter, an object, a type and a reason.
pub(super) fn by_reason(event: &Event) -> String {
    let rest = [&event.type_, &event.reason, &event.reporting_component, &event.reporting_instance];
    join(&[&origin(event)[..], &rest.map(|part| text(part.as_ref()))].concat())
}

/// The key of a reporter, an object and a type.
pub(super) fn by_object_and_type(event: &Event) -> String {
    join(&[&origin(event)[..], &[text(event.type_.as_ref())]].concat())
}

/// The reporter and the object.
fn origin(event: &Event) -> [&str; 7] {
    let object = &event.involved_object;
    let source = event.source.as_deref();
    [
        text(source.and_then(|source| source.component.as_ref())),
        text(source.and_then(|source| source.host.as_ref())),
        text(object.kind.as_ref()),
        text(object.namespace.as_ref()),
        text(object.name.as_ref()),
        text(object.uid.as_ref()),
        text(object.api_version.as_ref()),
    ]
}

fn text(part: Option<&Str>) -> &str {
    part.map_or("", Str::as_str)
}

fn join(parts: &[&str]) -> String {
    parts.join("\0")
}
