//! Content negotiation: [`Accept`], the media types a client accepts, and [`Format`], the form of the response.

use http::HeaderMap;
use http::header::{ACCEPT, USER_AGENT};
use klient_apimachinery::meta::Reason;

use crate::request::Query;
use crate::status::{Failure, Result};
use crate::table::Include;

/// The form of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) media: Media,
    pub(crate) transform: Transform,
    /// The part of each object included in its row of a Table.
    pub(crate) include: Include,
    pub(crate) pretty: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Yaml,
    Protobuf,
}

impl Media {
    /// All media types, the default first.
    pub(crate) const ALL: [Media; 3] = [Media::Json, Media::Yaml, Media::Protobuf];

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Media::Json => "application/json",
            Media::Yaml => "application/yaml",
            Media::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }

    /// The content type of a watch's events. For JSON it is the same as for single objects.
    pub(crate) fn stream_type(self) -> &'static str {
        match self {
            Media::Protobuf => "application/vnd.kubernetes.protobuf;stream=watch",
            _ => self.content_type(),
        }
    }

    pub(crate) fn fits(self, wanted: &str) -> bool {
        matches!(wanted, "*/*" | "application/*") || wanted == self.content_type()
    }
}

/// The conversion of objects before they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transform {
    None,
    /// A `Table` of this version of meta.k8s.io.
    Table(&'static str),
    /// `PartialObjectMetadata`, or a list of them.
    Partial(&'static str),
}

/// The forms that a response can have.
#[derive(Clone, Copy)]
pub(crate) struct Offer {
    /// True if it can be `PartialObjectMetadata`, and a `Table` unless its kind has none.
    pub(crate) transforms: bool,
    /// True if its kind has no `Table`.
    pub(crate) tableless: bool,
    /// True for a list.
    pub(crate) list: bool,
    /// True for a stream.
    pub(crate) watch: bool,
    /// True for a custom resource, which has no protobuf, except for its metadata.
    pub(crate) custom: bool,
    /// True if upstream's router, which matches media types alone, does not route it, as for custom resources.
    pub(crate) unrouted: bool,
}

impl Offer {
    /// One object that is nothing but itself.
    pub(crate) const PLAIN: Offer = Offer {
        transforms: false,
        tableless: false,
        list: false,
        watch: false,
        custom: false,
        unrouted: false,
    };
}

const REPRESENTATIONS: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

const STREAMS: &str = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

/// One clause of an `Accept` header.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clause<'a> {
    pub(crate) media: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    quality: f32,
}

impl<'a> Clause<'a> {
    /// The value of a parameter, empty if it is missing.
    pub(crate) fn parameter(&self, name: &str) -> &'a str {
        self.parameters.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value)
    }
}

/// The clauses of `Accept` headers, by descending preference.
pub(crate) fn accepted(headers: &HeaderMap) -> Vec<Clause<'_>> {
    let texts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut clauses: Vec<Clause<'_>> = texts.flat_map(|text| text.split(',')).filter_map(clause).collect();
    clauses.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    if clauses.is_empty() {
        let says_nothing = headers.get_all(ACCEPT).iter().all(|value| value.is_empty());
        let media = if says_nothing { "*/*" } else { "" };
        clauses.push(Clause { media, parameters: Vec::new(), quality: 1.0 });
    }
    clauses
}

fn clause(text: &str) -> Option<Clause<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().filter(|media| !media.is_empty())?;
    let mut quality = 1.0;
    let mut parameters = Vec::new();
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match name.trim() {
            "q" => quality = value.trim().parse().unwrap_or(1.0),
            name => parameters.push((name, value.trim())),
        }
    }
    Some(Clause { media, parameters, quality })
}

/// Chooses the form of a response.
///
/// # Errors
///
/// 406 if the client accepts none of the possible forms, 400 if `includeObject` is not valid.
pub(crate) fn negotiate(headers: &HeaderMap, query: &Query, offer: Offer) -> Result<Format> {
    let clauses = accepted(headers);
    // The router takes no `application/*`.
    let is_routed = |clause: &Clause<'_>| {
        clause.media == "*/*" || Media::ALL.iter().any(|media| media.content_type() == clause.media)
    };
    if !offer.custom && !offer.unrouted && !clauses.iter().any(is_routed) {
        let streams = if offer.list || offer.watch { format!(", {STREAMS}") } else { String::new() };
        return Err(unrouted(&format!("{REPRESENTATIONS}{streams}")));
    }
    for clause in &clauses {
        if !matches!(clause.parameter("stream"), "" | "watch") {
            continue;
        }
        for media in Media::ALL.into_iter().filter(|media| media.fits(clause.media)) {
            let Some(transform) = transform(clause, media, offer) else { continue };
            if offer.watch && media == Media::Yaml {
                return Err(only(STREAMS));
            }
            let pretty = is_pretty(headers, query, clause.parameter("pretty"));
            let include = match transform {
                Transform::Table(_) => Include::parse(query)?,
                _ => Include::Metadata,
            };
            return Ok(Format { media, transform, include, pretty });
        }
    }
    Err(only(REPRESENTATIONS))
}

/// Checks that a client accepts a media type.
///
/// # Errors
///
/// 406 if it does not. As in upstream's router, `application/*` does not match.
pub(crate) fn accepts(headers: &HeaderMap, media_type: &str) -> Result<()> {
    if accepted(headers).iter().any(|clause| ["*/*", media_type].contains(&clause.media)) {
        return Ok(());
    }
    Err(unrouted(media_type))
}

/// The 406 of upstream's router.
fn unrouted(representations: &str) -> Failure {
    let message = format!("406: Not Acceptable\n\nAvailable representations: {representations}");
    Failure::new(Reason::NotAcceptable, message).with_details()
}

fn only(representations: &str) -> Failure {
    let message = format!("only the following media types are accepted: {representations}");
    Failure::new(Reason::NotAcceptable, message)
}

fn transform(clause: &Clause<'_>, media: Media, offer: Offer) -> Option<Transform> {
    let wanted = clause.parameter("as");
    if wanted.is_empty() {
        if !clause.parameter("g").is_empty() || !clause.parameter("v").is_empty() {
            return None;
        }
        return (!offer.custom || media != Media::Protobuf).then_some(Transform::None);
    }
    let version = match (clause.parameter("g"), clause.parameter("v")) {
        ("meta.k8s.io", "v1") => "v1",
        ("meta.k8s.io", "v1beta1") => "v1beta1",
        _ => return None,
    };
    match wanted {
        "Table" if offer.transforms && !offer.tableless && media != Media::Protobuf => {
            Some(Transform::Table(version))
        }
        "PartialObjectMetadata" if offer.transforms && !offer.list => Some(Transform::Partial(version)),
        "PartialObjectMetadataList" if offer.transforms && offer.list => Some(Transform::Partial(version)),
        _ => None,
    }
}

/// Responses are indented for browsers, curl and wget, and on request.
fn is_pretty(headers: &HeaderMap, query: &Query, parameter: &str) -> bool {
    let asked = query.get("pretty").or((!parameter.is_empty()).then_some(parameter));
    if let Some(asked) = asked {
        return !matches!(asked, "0" | "false");
    }
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    ["curl", "Wget", "Mozilla/5.0"].iter().any(|people| agent.starts_with(people))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const LIST: Offer = Offer { transforms: true, list: true, ..Offer::PLAIN };

    #[track_caller]
    fn check(accept: &str, offer: Offer, expected: Option<(Media, Transform)>) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        let chosen = negotiate(&headers, &Query::default(), offer).ok();
        assert_eq!(chosen.map(|format| (format.media, format.transform)), expected, "{accept}");
    }

    #[test]
    fn the_first_clause_that_can_be_given_is() {
        let get = Offer { list: false, ..LIST };
        let review = Offer::PLAIN;
        let watch = Offer { watch: true, list: false, ..LIST };
        check("", LIST, Some((Media::Json, Transform::None)));
        check("*/*", LIST, Some((Media::Json, Transform::None)));
        check("application/yaml", LIST, Some((Media::Yaml, Transform::None)));
        check("application/yaml", watch, None);
        check("text/plain, application/json;q=0.5", LIST, Some((Media::Json, Transform::None)));
        check("application/json;q=0.1, application/yaml", LIST, Some((Media::Yaml, Transform::None)));
        check("text/plain", LIST, None);
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        check(table, LIST, Some((Media::Json, Transform::Table("v1"))));
        check(table, review, None);
        check(&format!("{table},application/json"), review, Some((Media::Json, Transform::None)));
        check("application/json;as=Table;v=v2;g=meta.k8s.io", LIST, None);
        let partial = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        check(partial, get, Some((Media::Json, Transform::Partial("v1"))));
        check(partial, LIST, None);
        let partials = partial.replace("Metadata;", "MetadataList;");
        check(&partials, LIST, Some((Media::Json, Transform::Partial("v1"))));
    }

    #[test]
    fn protobuf_is_for_built_in_kinds_and_for_metadata() {
        let get = Offer { list: false, ..LIST };
        let custom = Offer { custom: true, ..get };
        let protobuf = "application/vnd.kubernetes.protobuf";
        let both = format!("{protobuf},application/json");
        let partial = format!("{protobuf};as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
        let table = format!("{protobuf};as=Table;g=meta.k8s.io;v=v1");
        check(protobuf, get, Some((Media::Protobuf, Transform::None)));
        check(&both, get, Some((Media::Protobuf, Transform::None)));
        check(&format!("{protobuf};q=0.5,application/json"), get, Some((Media::Json, Transform::None)));
        check(&partial, get, Some((Media::Protobuf, Transform::Partial("v1"))));
        check(&table, get, None);
        check(protobuf, custom, None);
        check(&both, custom, Some((Media::Json, Transform::None)));
        check(&partial, custom, Some((Media::Protobuf, Transform::Partial("v1"))));
    }
}
