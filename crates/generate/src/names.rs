//! Rust identifiers for names of definitions.

use klient_codegen::names::{pascal, snake};

/// Words of Rust that are no identifiers.
const KEYWORDS: [&str; 52] = [
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do",
    "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// Plurals that are their own singulars, or whose singulars no rule gives.
const IRREGULAR: [&str; 6] = ["aws", "kubernetes", "series", "species", "analysis", "alias"];

/// The name of a field or a module: snake case, with an underscore behind a keyword.
pub(crate) fn field(json: &str) -> String {
    let separated: String = json.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    // Words that are separated are not split again: `x-foo` is `x_foo`.
    let words = separated.split('_').filter(|word| !word.is_empty()).map(snake);
    identifier(words.collect::<Vec<_>>().join("_"), "field")
}

/// The part of a type's name that a field gives: `issuerRef` is `IssuerRef`.
pub(crate) fn type_part(json: &str) -> String {
    let mut name = String::new();
    for word in json.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        // `1.2` and `12` differ.
        if is_digit(name.chars().last()) && is_digit(word.chars().next()) {
            name.push('_');
        }
        name.push_str(&pascal(word));
    }
    name
}

/// The name of a type.
pub(crate) fn type_name(kind: &str) -> String {
    identifier(type_part(kind), "Type")
}

/// The name of an enum's variant. Words in capitals are in title case, and signs have names.
pub(crate) fn variant(value: &str) -> String {
    if value.is_empty() {
        return "Empty".to_owned();
    }
    let is_word = |c: char| c.is_ascii_alphanumeric();
    if !value.chars().any(is_word) {
        return identifier(value.chars().map(sign).collect(), "Value");
    }
    let mut value = match value.strip_prefix('-') {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => format!("minus {number}"),
        _ => value.to_owned(),
    };
    if !value.chars().any(|c| c.is_ascii_lowercase()) {
        value.make_ascii_lowercase();
    }
    identifier(type_part(&value), "Value")
}

/// The singular of a field's name: the name of an item of a list.
pub(crate) fn singular(name: &str) -> String {
    let last_word = name.rfind(|c: char| c.is_ascii_uppercase()).map_or(0, |at| {
        // A plural of capitals, such as `clusterIPs`, is one word.
        name[..at].rfind(|c: char| !c.is_ascii_uppercase()).map_or(0, |at| at + 1)
    });
    let word = name[last_word..].to_lowercase();
    let has_vowel = word.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    let is_capitals =
        name.strip_suffix('s').is_some_and(|stem| stem.ends_with(|c: char| c.is_ascii_uppercase()));
    if !is_capitals && (!has_vowel || word.len() < 4)
        || IRREGULAR.contains(&word.as_str())
        || ["ss", "us", "is"].iter().any(|end| word.ends_with(end))
    {
        return name.to_owned();
    }
    if let Some(stem) = name.strip_suffix("ies").filter(|_| word.len() > 4) {
        return format!("{stem}y");
    }
    if ["sses", "shes", "xes", "tches", "nches", "rches", "tuses"].iter().any(|end| name.ends_with(end)) {
        return name[..name.len() - 2].to_owned();
    }
    name.strip_suffix('s').unwrap_or(name).to_owned()
}

/// The first candidate that is free, or else a name with a number behind it.
pub(crate) fn first_free<const N: usize>(
    candidates: [String; N],
    name: &str,
    is_free: impl Fn(&str) -> bool,
) -> String {
    let numbered = (2_u32..).map(|number| format!("{name}_{number}"));
    let mut candidates = candidates.into_iter().chain(numbered);
    candidates.find(|candidate| is_free(candidate)).expect("names are fewer than numbers")
}

/// Makes a name an identifier: `empty` if nothing is left, with an underscore before a digit and behind a keyword.
fn identifier(name: String, empty: &str) -> String {
    match name.chars().next() {
        None => empty.to_owned(),
        Some(c) if c.is_ascii_digit() => format!("_{name}"),
        _ if KEYWORDS.contains(&name.as_str()) => format!("{name}_"),
        _ => name,
    }
}

fn sign(c: char) -> &'static str {
    match c {
        '*' => "Star",
        '=' => "Equal",
        '!' => "Not",
        '<' => "Less",
        '>' => "Greater",
        '~' => "Tilde",
        '+' => "Plus",
        '-' => "Minus",
        '.' => "Dot",
        '/' => "Slash",
        '%' => "Percent",
        '&' => "And",
        '|' => "Or",
        _ => "Sign",
    }
}

/// The JSON name that serde's `rename_all = "camelCase"` gives a field.
pub(crate) fn camel(field: &str) -> String {
    let pascal: String = field.split('_').map(pascal).collect();
    let mut chars = pascal.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_identifiers() {
        for (json, rust) in [
            ("issuerRef", "issuer_ref"),
            ("hostIP", "host_ip"),
            ("type", "type_"),
            ("self", "self_"),
            ("$ref", "ref_"),
            ("x-kubernetes-foo", "x_kubernetes_foo"),
            ("@id", "id"),
            ("foo.bar/baz", "foo_bar_baz"),
            ("2fa", "_2fa"),
            ("_", "field"),
            ("snake_case", "snake_case"),
            ("URLs", "urls"),
        ] {
            assert_eq!(field(json), rust);
        }
    }

    #[test]
    fn items_have_the_singular() {
        for (plural, one) in [
            ("rules", "rule"),
            ("parentRefs", "parentRef"),
            ("policies", "policy"),
            ("addresses", "address"),
            ("matches", "match"),
            ("caches", "cache"),
            ("prefixes", "prefix"),
            ("statuses", "status"),
            ("databases", "database"),
            ("clusterIPs", "clusterIP"),
            ("ingress", "ingress"),
            ("status", "status"),
            ("analysis", "analysis"),
            ("tls", "tls"),
            ("http", "http"),
            ("https", "https"),
            ("dns", "dns"),
            ("data", "data"),
            ("args", "arg"),
            ("ties", "tie"),
            ("podCIDRs", "podCIDR"),
        ] {
            assert_eq!(singular(plural), one);
        }
    }

    #[test]
    fn variants_are_identifiers_that_differ() {
        for (value, rust) in [
            ("IfNotPresent", "IfNotPresent"),
            ("RSA", "Rsa"),
            ("ROUND_ROBIN", "RoundRobin"),
            ("digital signature", "DigitalSignature"),
            ("TLSv1.2", "TLSv1_2"),
            ("1.2", "_1_2"),
            ("12", "_12"),
            ("-1", "Minus1"),
            ("", "Empty"),
            ("*", "Star"),
            ("=~", "EqualTilde"),
            ("self", "Self_"),
            ("application/json", "ApplicationJson"),
        ] {
            assert_eq!(variant(value), rust);
        }
    }

    #[test]
    fn serde_gives_names_in_camel_case_back() {
        for (field, json) in [("issuer_ref", "issuerRef"), ("type_", "type"), ("_2fa", "2fa"), ("a_1", "a1")]
        {
            assert_eq!(camel(field), json);
        }
    }
}
