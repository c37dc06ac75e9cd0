//! Documentation from descriptions and from what the server validates.

use klient_codegen::names::pascal;
use serde_json::Value;

use crate::schema::Schema;

/// A description as lines of Markdown that rustdoc shows as they are, and does not run: no line is an example, a link or
/// HTML.
pub(crate) fn description(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let line: String =
            line.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| is_shown(*c)).collect();
        let line = line.trim_end();
        let content = line.trim_start();
        let indent = line.len() - content.len();
        let mark = ["```", "~~~"].into_iter().find(|mark| content.starts_with(mark));
        let is_fence = mark.is_some_and(|mark| !content.trim_start_matches(&mark[..1]).contains('`'));
        match fence {
            Some(open) if mark == Some(open) => {
                lines.push(open.to_owned());
                fence = None;
            }
            Some(_) => lines.push(line.to_owned()),
            None if is_fence => {
                lines.extend(mark.map(|mark| format!("{mark}text")));
                fence = mark;
            }
            None if content.is_empty() => {
                if lines.last().is_some_and(|last| !last.is_empty()) {
                    lines.push(String::new());
                }
            }
            // Four spaces begin an example.
            None => lines.push(format!("{}{}", " ".repeat(indent.min(3)), escaped(content))),
        }
    }
    lines.extend(fence.map(str::to_owned));
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    // Descriptions are indented as a whole.
    if let Some(first) = lines.first_mut() {
        *first = first.trim_start().to_owned();
    }
    lines
}

/// Returns false for characters that a comment cannot have: controls, and those that change the direction of text.
fn is_shown(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A line with brackets escaped, but in code.
fn escaped(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['`', '<', '[', ']']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let ticks = found.len() - found.trim_start_matches('`').len();
        let code = (ticks > 0).then(|| found[ticks..].find(&found[..ticks])).flatten();
        let length = match (ticks, code) {
            (0, _) => {
                out.push('\\');
                1
            }
            (_, Some(length)) => ticks + length + ticks,
            (_, None) => ticks,
        };
        out.push_str(&found[..length]);
        rest = &found[length..];
    }
    out.push_str(rest);
    out
}

/// Text as code, in one line.
pub(crate) fn code(text: &str) -> String {
    let text: Vec<&str> = text.split_whitespace().collect();
    let text: String = text.join(" ").chars().filter(|c| is_shown(*c)).collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    match longest {
        0 => format!("`{text}`"),
        _ => {
            let ticks = "`".repeat(longest + 1);
            format!("{ticks} {text} {ticks}")
        }
    }
}

/// The validation of a value: a line of limits, and a list of rules.
pub(crate) fn validation(schema: Schema<'_>, is_required: bool) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(is_required.then(|| "required".to_owned()));
    // The type has these.
    if !matches!(schema.text("format"), "" | "int32" | "int64" | "double" | "float" | "date-time" | "byte") {
        facts.push(format!("format {}", code(schema.text("format"))));
    }
    let limits = [
        ("minimum", "maximum", "", ""),
        ("minLength", "maxLength", "character", "characters"),
        ("minItems", "maxItems", "item", "items"),
        ("minProperties", "maxProperties", "entry", "entries"),
    ];
    for (minimum, maximum, one, many) in limits {
        facts.extend(range(schema, minimum, maximum, one, many));
    }
    if let Some(factor) = schema.get("multipleOf") {
        facts.push(format!("a multiple of {factor}"));
    }
    if !schema.text("pattern").is_empty() && !schema.has("x-kubernetes-int-or-string") {
        facts.push(format!("pattern {}", code(schema.text("pattern"))));
    }
    if let (Some(Value::Array(values)), true) = (schema.get("enum"), schema.text("type") != "string") {
        let values: Vec<String> = values.iter().map(|value| code(&value.to_string())).collect();
        facts.push(format!("one of {}", values.join(", ")));
    }
    match schema.text("x-kubernetes-list-type") {
        "map" => {
            let keys = schema.texts("x-kubernetes-list-map-keys").into_iter().map(code).collect::<Vec<_>>();
            facts.push(format!("one item for each {}", keys.join(" and ")));
        }
        "set" => facts.push("items differ".to_owned()),
        _ => {}
    }
    if let Some(default) = schema.get("default") {
        facts.push(format!("default {}", code(&default.to_string())));
    }
    let mut lines = Vec::new();
    if !facts.is_empty() {
        lines.push(pascal(&(facts.join("; ") + ".")));
    }
    let rules = rules(schema);
    if !rules.is_empty() {
        separate(&mut lines);
        lines.extend(rules);
    }
    lines
}

/// Limits of a value, or of the number of its parts.
fn range(schema: Schema<'_>, minimum: &str, maximum: &str, one: &str, many: &str) -> Option<String> {
    let (minimum, maximum) = (schema.get(minimum), schema.get(maximum));
    let unit = |value: &Value| match one {
        "" => String::new(),
        _ if *value == 1 => format!(" {one}"),
        _ => format!(" {many}"),
    };
    let is_open = |keyword: &str| one.is_empty() && schema.has(keyword);
    let least = minimum.map(|value| match is_open("exclusiveMinimum") {
        true => format!("more than {value}"),
        false => format!("at least {value}{}", unit(value)),
    });
    let most = maximum.map(|value| match is_open("exclusiveMaximum") {
        true => format!("less than {value}"),
        false => format!("at most {value}{}", unit(value)),
    });
    match (minimum, maximum) {
        (Some(least), Some(most)) if !is_open("exclusiveMinimum") && !is_open("exclusiveMaximum") => {
            Some(match least == most {
                true => format!("{least}{}", unit(least)),
                false => format!("{least} to {most}{}", unit(most)),
            })
        }
        _ => Some([least, most].into_iter().flatten().collect::<Vec<_>>().join(", "))
            .filter(|limits| !limits.is_empty()),
    }
}

/// Rules in CEL, and fields of which some must be set.
fn rules(schema: Schema<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (keyword, words) in [("oneOf", "exactly one"), ("anyOf", "at least one")] {
        let alternatives =
            schema.get(keyword).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let fields: Vec<String> = alternatives
            .iter()
            .filter_map(|alternative| match alternative["required"].as_array()?.as_slice() {
                [Value::String(field)] => Some(code(field)),
                _ => None,
            })
            .collect();
        if !fields.is_empty() && fields.len() == alternatives.len() {
            lines.push(format!("- {words} of {}", fields.join(", ")));
        }
    }
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
    for rule in rules.into_iter().flatten() {
        let text = code(rule["rule"].as_str().unwrap_or_default());
        let message: Vec<&str> = rule["message"].as_str().unwrap_or_default().split_whitespace().collect();
        lines.push(match message.is_empty() {
            true => format!("- rule {text}"),
            false => format!("- rule {text}: {}", escaped(&message.join(" "))),
        });
    }
    lines
}

/// Adds an empty line behind other lines.
pub(crate) fn separate(lines: &mut Vec<String>) {
    if !lines.is_empty() {
        lines.push(String::new());
    }
}

/// Paragraphs as one text.
pub(crate) fn paragraphs(parts: impl IntoIterator<Item = Vec<String>>) -> Vec<String> {
    let mut lines = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        separate(&mut lines);
        lines.extend(part);
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn descriptions_are_shown_and_not_run() {
        for (text, shown) in [
            ("A <name> or [link].", "A \\<name> or \\[link\\]."),
            ("Code `a[0] < b` stays, a ` alone too: [x]", "Code `a[0] < b` stays, a ` alone too: \\[x\\]"),
            ("A:\n\n    let x = 1;\n\n\n\tB", "A:\n\n   let x = 1;\n\n B"),
            ("```yaml\na: [1]\n```", "```text\na: [1]\n```"),
            ("```\nopen", "```text\nopen\n```"),
            ("~~~rust\nx\n~~~\n", "~~~text\nx\n~~~"),
            ("```inline``` [x]", "```inline``` \\[x\\]"),
            ("a\rb\u{202e}c\r\nd", "abc\nd"),
            ("  indented\n", "indented"),
        ] {
            assert_eq!(description(text).join("\n"), shown, "{text}");
        }
    }

    #[test]
    fn code_has_enough_ticks() {
        assert_eq!(code("a\n  b"), "`a b`");
        assert_eq!(code("a `b` ``c``"), "``` a `b` ``c`` ```");
    }

    #[test]
    fn limits_are_words() {
        for (schema, shown) in [
            (json!({"minimum": 1, "maximum": 9}), "Required; 1 to 9."),
            (json!({"minimum": 1, "exclusiveMinimum": true}), "Required; more than 1."),
            (json!({"minLength": 1}), "Required; at least 1 character."),
            (
                json!({"maxItems": 3, "x-kubernetes-list-type": "set"}),
                "Required; at most 3 items; items differ.",
            ),
            (json!({"minItems": 2, "maxItems": 2}), "Required; 2 items."),
            (
                json!({"default": {"a": [1]}, "format": "uri"}),
                "Required; format `uri`; default `{\"a\":[1]}`.",
            ),
            (
                json!({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}),
                "Required.\n\n- exactly one of `a`, `b`",
            ),
            (
                json!({"x-kubernetes-validations": [{"rule": "self\n == oldSelf", "message": "no [change]"}]}),
                "Required.\n\n- rule `self == oldSelf`: no \\[change\\]",
            ),
        ] {
            let lines = validation(Schema::new(schema.as_object().unwrap()), true);
            assert_eq!(lines.join("\n"), shown, "{schema}");
        }
    }
}
