//! `/v1/diff`: the result of applying an object, which is not stored.

use http::{Method, StatusCode};
use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::{Object as _, Unstructured};
use klient_client::RestMapper;
use serde_json::{Value, json};

use super::{Context, RequestBody};
use crate::failure::{Code, Failure};
use crate::masked::mask;
use crate::response::{self, Response};

/// The field manager of objects that are applied here.
const FIELD_MANAGER: &str = "klient-gateway";

/// The fields without which there is no object to apply.
const FIELDS: [&[&str]; 3] = [&["apiVersion"], &["kind"], &["metadata", "name"]];

/// Answers with the object before and after it is applied: server-side apply, as a dry run.
pub(super) async fn diff(context: Context, body: RequestBody) -> Result<Response, Failure> {
    let query = context.query();
    query.check(&["force"])?;
    if !context.gateway.options.writes {
        let problem = "the gateway reads only: start it with --allow-writes";
        return Err(Failure::new(Code::ReadOnly, problem));
    }
    let force = query.flag("force")?;
    let invalid = |problem: String| Failure::new(Code::BadRequest, problem);
    let text = std::str::from_utf8(&body.0).map_err(|_| invalid("the object is no UTF-8".to_owned()))?;
    // YAML includes JSON.
    let object = Unstructured::from_yaml(text).map_err(|error| invalid(format!("the object: {error}")))?;
    let missing = FIELDS.iter().find(|path| {
        let value = object.at(path);
        value.and_then(Value::as_str).is_none_or(str::is_empty)
    });
    if let Some(path) = missing {
        return Err(invalid(format!("the object has no {}", path.join("."))));
    }
    let kind = object.group_version_kind();
    let mapper = RestMapper::new(context.caller.identity.discovery.resources().await?);
    let resource = mapper.kind(&kind.group, &kind.kind, Some(&kind.version));
    let resource = resource.map_err(|error| Failure::new(Code::KindUnknown, error.to_string()))?;
    let info = &resource.info;
    let request = |method: Method| {
        let mut request =
            context.caller.identity.client.request(method).group_version(&info.group, &info.version);
        if info.namespaced {
            let default = context.caller.identity.client.default_namespace();
            request = request.namespace(object.namespace().unwrap_or(default));
        }
        request.resource(&info.plural).name(object.name())
    };
    let before = match request(Method::GET).send().await {
        Ok(response) => Some(response.decode::<Unstructured>()?),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(error.into()),
    };
    let mut json = Vec::new();
    object.to_json(&mut json);
    let applied = request(Method::PATCH)
        .query("dryRun", "All")
        .query("fieldManager", FIELD_MANAGER)
        .query("force", if force { "true" } else { "false" })
        .body("application/apply-patch+yaml", json);
    let after: Unstructured = applied.send().await?.decode()?;
    let hides = info.group.is_empty() && info.plural == "secrets" && !context.gateway.options.secrets;
    let shown = |object: Unstructured| {
        let mut object = Value::Object(object.0);
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        if hides {
            mask(&mut object);
        }
        object
    };
    let body = json!({ "before": before.map(shown), "after": shown(after) });
    Ok(response::json(StatusCode::OK, &body))
}
