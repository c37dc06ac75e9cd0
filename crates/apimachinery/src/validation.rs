//! Validation of names, labels and annotations, with the messages of the API server.
//!
//! Each function returns the problems of a value; none if it is valid.

pub mod field;

/// The maximum length of a DNS label, label value and label name.
const LABEL_MAX: usize = 63;

/// The maximum length of a DNS subdomain.
const SUBDOMAIN_MAX: usize = 253;

const QUALIFIED_NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/// Validates a name such as `my-name` (RFC 1123 label).
pub fn dns_label(value: &str) -> Vec<String> {
    let mut problems = too_long(value, LABEL_MAX, "characters");
    if !is_dns_label(value) {
        if value.split('.').all(is_dns_label) {
            problems.push("must not contain dots".to_owned());
            return problems;
        }
        problems.push(pattern(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "123-abc"],
        ));
    }
    problems
}

/// Validates a name such as `example.com` (RFC 1123 subdomain).
pub fn dns_subdomain(value: &str) -> Vec<String> {
    let mut problems = too_long(value, SUBDOMAIN_MAX, "characters");
    if !value.split('.').all(is_dns_label) {
        problems.push(pattern(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
            &["example.com"],
        ));
    }
    problems
}

/// Validates a name such as `abc-123` that begins with a letter (RFC 1035 label).
pub fn dns_1035_label(value: &str) -> Vec<String> {
    let mut problems = too_long(value, LABEL_MAX, "characters");
    if !is_dns_label(value) || !value.starts_with(|c: char| c.is_ascii_lowercase()) {
        problems.push(pattern(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    problems
}

/// Validates a key of a ConfigMap or Secret, such as `key.name`.
pub fn config_map_key(value: &str) -> Vec<String> {
    let mut problems = too_long(value, SUBDOMAIN_MAX, "characters");
    if value.is_empty() || !value.bytes().all(is_key_byte) {
        problems.push(pattern(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    problems.extend(like_parent_folder(value));
    problems
}

/// Validates the name of an environment variable, such as `MY_ENV.NAME`.
pub fn env_var_name(value: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if value.is_empty() || !value.bytes().all(is_key_byte) || value.starts_with(|c: char| c.is_ascii_digit())
    {
        problems.push(pattern(
            "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
            "[-._a-zA-Z][-._a-zA-Z0-9]*",
            &["my.env-name", "MY_ENV.NAME", "MyEnvName1"],
        ));
    }
    problems.extend(like_parent_folder(value));
    problems
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._".contains(&byte)
}

/// The problem of a name that is `.` or begins with `..`: as a path it would lead out of its folder.
fn like_parent_folder(value: &str) -> Option<String> {
    match value {
        "." | ".." => Some(format!("must not be '{value}'")),
        _ => value.starts_with("..").then(|| "must not start with '..'".to_owned()),
    }
}

/// Validates a label or annotation key such as `app` or `example.com/app`.
pub fn qualified_name(value: &str) -> Vec<String> {
    let explain = || {
        pattern(
            "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            QUALIFIED_NAME,
            &["MyName", "my.name", "123-abc"],
        )
    };
    let mut problems = Vec::new();
    let name = match value.split('/').collect::<Vec<_>>()[..] {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else {
                problems.extend(
                    dns_subdomain(prefix).into_iter().map(|problem| format!("prefix part {problem}")),
                );
            }
            name
        }
        _ => {
            return vec![format!(
                "a valid label key {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                explain()
            )];
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else {
        problems.extend(
            too_long(name, LABEL_MAX, "bytes").into_iter().map(|problem| format!("name part {problem}")),
        );
    }
    if !is_qualified(name) {
        problems.push(format!("name part {}", explain()));
    }
    problems
}

/// Validates a label value such as `MyValue`, or an empty one.
pub fn label_value(value: &str) -> Vec<String> {
    let mut problems = too_long(value, LABEL_MAX, "bytes");
    if !value.is_empty() && !is_qualified(value) {
        problems.push(pattern(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
            &["MyValue", "my_value", "12345"],
        ));
    }
    problems
}

/// Validates a name as one segment of a URL's path, which every object's name must be.
pub fn path_segment(value: &str) -> Vec<String> {
    if value == "." || value == ".." {
        return vec![format!("may not be '{value}'")];
    }
    ["/", "%"]
        .iter()
        .filter(|bad| value.contains(**bad))
        .map(|bad| format!("may not contain '{bad}'"))
        .collect()
}

fn is_dns_label(value: &str) -> bool {
    let alphanumeric = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    is_form(value, alphanumeric, |c| alphanumeric(c) || c == b'-')
}

fn is_qualified(value: &str) -> bool {
    is_form(value, |c| c.is_ascii_alphanumeric(), |c| c.is_ascii_alphanumeric() || b"-_.".contains(&c))
}

fn is_form(value: &str, edge: impl Fn(u8) -> bool, inside: impl Fn(u8) -> bool) -> bool {
    let bytes = value.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(&first), Some(&last)) if edge(first) && edge(last))
        && bytes.iter().all(|&c| inside(c))
}

fn too_long(value: &str, max: usize, unit: &str) -> Vec<String> {
    if value.len() > max { vec![format!("must be no more than {max} {unit}")] } else { Vec::new() }
}

fn pattern(problem: &str, regex: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{problem} (e.g. {}regex used for validation is '{regex}')", examples.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_told_in_the_servers_words() {
        assert_eq!(
            label_value("y z"),
            [
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            ]
        );
        assert_eq!(
            dns_subdomain("Bad_"),
            [
                r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            ]
        );
        assert_eq!(path_segment("a/b"), ["may not contain '/'"]);
        assert_eq!(path_segment(".."), ["may not be '..'"]);
    }

    #[test]
    fn forms_are_told_apart() {
        for (value, label, subdomain, qualified) in [
            ("web-0", true, true, true),
            ("web.example", false, true, true),
            ("Web", false, false, true),
            ("-web", false, false, false),
            ("", false, false, false),
            ("a..b", false, false, true),
            ("example.com/a_b", false, false, true),
            ("Example.com/a", false, false, false),
            ("a/b/c", false, false, false),
        ] {
            assert_eq!(dns_label(value).is_empty(), label, "{value}");
            assert_eq!(dns_subdomain(value).is_empty(), subdomain, "{value}");
            assert_eq!(qualified_name(value).is_empty(), qualified, "{value}");
        }
        assert_eq!(dns_1035_label("0a").len(), 1);
        assert_eq!(dns_label(&"a".repeat(64)), ["must be no more than 63 characters"]);
    }
}
