//! The webhooks of lamps.

use klient_webhook::{
    AdmissionWebhook, Allowed, Denied, Error, Operation, Request, WebhookOptions, Webhooks,
};

use crate::lamp::{conversion, v2::Lamp};

pub(crate) fn all() -> Result<Webhooks, Error> {
    let operations = vec![Operation::Create, Operation::Update, Operation::Delete];
    Webhooks::builder()
        .admission(AdmissionWebhook::mutating("default.klient-lamps.example", (), default))
        .admission(
            AdmissionWebhook::validating("check.klient-lamps.example", (), check)
                .options(WebhookOptions { operations, ..Default::default() }),
        )
        .conversion(conversion())
        .build()
}

/// Gives lamps a color, and tells the version of the request.
async fn default(request: Request<Lamp>, (): ()) -> Result<Allowed<Lamp>, Denied> {
    let Some(mut lamp) = request.object else { return Ok(Allowed::unchanged()) };
    if lamp.spec.color == "undefaultable" {
        return Err(Denied::new("this color has no default"));
    }
    if lamp.spec.color.is_empty() {
        lamp.spec.color = "white".to_owned();
    }
    let version = request.request_kind.map(|kind| kind.version).unwrap_or_default();
    lamp.metadata.labels.insert("written-as", version);
    Ok(Allowed::changed(lamp))
}

/// Denies lamps that are too bright or move, and warns of those that are dim.
async fn check(request: Request<Lamp>, (): ()) -> Result<Allowed, Denied> {
    let Some(lamp) = &request.object else {
        let old = request.old_object.unwrap_or_default();
        return match old.metadata.labels.get("kept") {
            Some(_) => Err(Denied::new("a lamp that is kept cannot be deleted")),
            None => Ok(Allowed::new().warning("it gets dark")),
        };
    };
    let old_room = request.old_object.as_ref().map(|old| &*old.spec.room).unwrap_or_default();
    if !old_room.is_empty() && old_room != lamp.spec.room {
        let problem = format!("a lamp stays in its room, {old_room}");
        return Err(Denied::new(&*problem).cause("spec.room", "FieldValueForbidden", problem));
    }
    match &*lamp.spec.power {
        "1000W" => Err(Denied::new("1000W is too bright").code(422)),
        "1W" => Ok(Allowed::new().warning("1W is dim").warning("nobody will read by it")),
        "13W" => panic!("as planned"),
        _ => Ok(Allowed::new().audit_annotation("power", &*lamp.spec.power)),
    }
}
