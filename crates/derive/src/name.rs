//! Names of resources: their plurals, and the characters that they may have.

use syn::LitStr;

/// The English plural of a kind, in lower case.
pub(crate) fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| kind.ends_with(suffix));
    match kind.strip_suffix('y') {
        Some(stem) if !ends(&["ay", "ey", "iy", "oy", "uy"]) => format!("{stem}ies"),
        _ if ends(&["s", "x", "z", "ch", "sh"]) => format!("{kind}es"),
        _ => format!("{kind}s"),
    }
}

/// Checks that a name is a DNS label, which it is in URLs.
pub(crate) fn check_label(literal: &LitStr, what: &str) -> syn::Result<()> {
    let name = literal.value();
    if name.chars().any(|c| c.is_ascii_uppercase()) {
        let lower = name.to_ascii_lowercase();
        let message = format!("a {what} has no capitals, since it is a part of URLs: write \"{lower}\"");
        return Err(syn::Error::new(literal.span(), message));
    }
    if is_label(&name) {
        return Ok(());
    }
    let message = format!(
        "a {what} has lower-case letters, digits and `-`, begins with a letter or digit, ends with one, and has at most 63 of \
         them"
    );
    Err(syn::Error::new(literal.span(), message))
}

/// Checks that a name is that of an API group of one's own: a DNS subdomain with a dot.
pub(crate) fn check_group(literal: &LitStr) -> syn::Result<()> {
    let name = literal.value();
    if name.contains('.') && name.len() <= 253 && name.split('.').all(is_label) {
        return Ok(());
    }
    Err(syn::Error::new(
        literal.span(),
        "an API group is a domain in lower case with a dot, such as \"example.com\"",
    ))
}

/// Checks that a name is a kind: an identifier that begins with a capital.
pub(crate) fn check_kind(literal: &LitStr) -> syn::Result<()> {
    let name = literal.value();
    let begins = name.starts_with(|c: char| c.is_ascii_uppercase());
    if begins && name.len() <= 63 && name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(syn::Error::new(literal.span(), "a kind is in CamelCase, such as \"Website\""))
}

fn is_label(name: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= 63 && ends(name.chars().next()) && ends(name.chars().last()) && name.chars().all(is_part)
}
