//! [`NamedFormat`], a format of names and other strings (`format.dns1123Label`).

use klient_apimachinery::validation as names;

use super::url::Url;
use crate::format::Format;

/// A format of names and other strings.
#[derive(Debug)]
pub(crate) struct NamedFormat {
    /// The name in `format.named`.
    key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) problems: fn(&str) -> Vec<String>,
    /// The length of a regular expression for the format, for the cost of a match.
    pub(crate) pattern_size: u64,
}

impl NamedFormat {
    /// The format with a name in `format.named`.
    pub(crate) fn find(key: &str) -> Option<&'static NamedFormat> {
        FORMATS.iter().find(|format| format.key == key)
    }
}

static FORMATS: [NamedFormat; 13] = [
    NamedFormat { key: "dns1123Label", name: "DNS1123Label", problems: names::dns_label, pattern_size: 30 },
    NamedFormat {
        key: "dns1123Subdomain",
        name: "DNS1123Subdomain",
        problems: names::dns_subdomain,
        pattern_size: 60,
    },
    NamedFormat {
        key: "dns1035Label",
        name: "DNS1035Label",
        problems: names::dns_1035_label,
        pattern_size: 30,
    },
    NamedFormat {
        key: "qualifiedName",
        name: "QualifiedName",
        problems: names::qualified_name,
        pattern_size: 60,
    },
    NamedFormat {
        key: "dns1123LabelPrefix",
        name: "DNS1123LabelPrefix",
        problems: |text| names::dns_label(&without_dash(text)),
        pattern_size: 30,
    },
    NamedFormat {
        key: "dns1123SubdomainPrefix",
        name: "DNS1123SubdomainPrefix",
        problems: |text| names::dns_subdomain(&without_dash(text)),
        pattern_size: 60,
    },
    NamedFormat {
        key: "dns1035LabelPrefix",
        name: "DNS1035LabelPrefix",
        problems: |text| names::dns_1035_label(&without_dash(text)),
        pattern_size: 30,
    },
    NamedFormat { key: "labelValue", name: "LabelValue", problems: names::label_value, pattern_size: 40 },
    NamedFormat {
        key: "uri",
        name: "URI",
        problems: |text| Url::parse_request(text).err().into_iter().collect(),
        pattern_size: 1103,
    },
    NamedFormat {
        key: "uuid",
        name: "uuid",
        problems: |text| problem(Format::Uuid.matches(text), "does not match the UUID format"),
        pattern_size: 70,
    },
    NamedFormat {
        key: "byte",
        name: "byte",
        problems: |text| problem(Format::Byte.matches(text), "invalid base64"),
        pattern_size: 84,
    },
    NamedFormat {
        key: "date",
        name: "date",
        problems: |text| problem(Format::Date.matches(text), "invalid date"),
        pattern_size: 71,
    },
    NamedFormat {
        key: "datetime",
        name: "datetime",
        problems: |text| problem(Format::DateTime.matches(text), "invalid datetime"),
        pattern_size: 71,
    },
];

/// A name to which a suffix will be added may end with a dash.
fn without_dash(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(start) if !start.is_empty() => format!("{start}a"),
        _ => text.to_owned(),
    }
}

fn problem(matches: bool, message: &str) -> Vec<String> {
    if matches { Vec::new() } else { vec![message.to_owned()] }
}
