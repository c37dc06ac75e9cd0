//! Reading [`JsonPath`]s.

use serde_json::Value;

use super::jsonpath::{Comparison, Filter, JsonPath, Operand, Step, To};

/// How deep filters may stand in filters.
const DEPTH_MAX: usize = 2;

impl JsonPath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// If it is not one.
    pub fn parse(text: &str) -> Result<JsonPath, String> {
        path(text, 0)
    }
}

fn path(text: &str, depth: usize) -> Result<JsonPath, String> {
    let mut parser = Parser { rest: text, depth, steps: Vec::new() };
    while !parser.rest.is_empty() {
        parser.step()?;
    }
    Ok(JsonPath { steps: parser.steps })
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
    steps: Vec<Step>,
}

impl<'a> Parser<'a> {
    fn step(&mut self) -> Result<(), String> {
        let rest = self.rest;
        if let Some(after) = rest.strip_prefix("[?(") {
            return self.filter(after);
        }
        if let Some(after) = rest.strip_prefix("..") {
            return self.descend(after);
        }
        let Some(first) = rest.chars().next() else { return Ok(()) };
        let after = &rest[first.len_utf8()..];
        match first {
            '[' => self.subscript(after),
            '.' => {
                self.field(after);
                Ok(())
            }
            ' ' | '@' | '$' => {
                self.rest = after;
                Ok(())
            }
            '\r' | '\n' => Err("unclosed action".to_owned()),
            _ if first == '_' || first.is_alphanumeric() => {
                let name = rest.split(is_terminator).next().unwrap_or(rest);
                Err(format!("unrecognized identifier {name}"))
            }
            _ => Err(format!("unrecognized character in action: U+{:04X} '{first}'", u32::from(first))),
        }
    }

    fn descend(&mut self, after: &'a str) -> Result<(), String> {
        if self.steps.last() == Some(&Step::Descend) {
            return Err("invalid multiple recursive descent".to_owned());
        }
        self.steps.push(Step::Descend);
        self.rest = after;
        if after.starts_with(|c: char| c == '_' || c.is_alphanumeric()) {
            self.field(after);
        }
        Ok(())
    }

    /// A field, in which a backslash takes its meaning from the next character.
    fn field(&mut self, text: &'a str) {
        let mut name = String::new();
        let mut chars = text.char_indices();
        let mut end = text.len();
        while let Some((index, c)) = chars.next() {
            if c == '\\' {
                name.extend(chars.next().map(|(_, c)| c).filter(|c| *c != '\\'));
            } else if is_terminator(c) {
                end = index;
                break;
            } else {
                name.push(c);
            }
        }
        self.rest = &text[end..];
        self.steps.push(if &text[..end] == "*" { Step::All } else { Step::Field(name) });
    }

    fn subscript(&mut self, after: &'a str) -> Result<(), String> {
        let end = after.find([']', '\n']).filter(|end| after[*end..].starts_with(']'));
        let end = end.ok_or("unterminated array")?;
        let (text, rest) = (&after[..end], &after[end + 1..]);
        self.rest = rest;
        if !text.contains(',') {
            let path = subscript(text)?;
            self.steps.extend(path);
            return Ok(());
        }
        let paths = text.split(',').map(|text| Ok(JsonPath { steps: subscript(text.trim_matches(' '))? }));
        self.steps.push(Step::Union(paths.collect::<Result<_, String>>()?));
        Ok(())
    }

    fn filter(&mut self, after: &'a str) -> Result<(), String> {
        let end = filter_end(after).ok_or("unterminated filter")?;
        self.rest = after[end + 1..].strip_prefix(']').ok_or("unclosed array expect ]")?;
        if self.depth == DEPTH_MAX {
            return Err("filters stand too deep".to_owned());
        }
        let text = &after[..end];
        let filter = match split_comparison(text) {
            None => Filter::Exists(path(text, self.depth + 1)?),
            Some((left, operator, right)) => Filter::Compare(
                operand(left, self.depth + 1)?,
                comparison(operator)?,
                operand(right, self.depth + 1)?,
            ),
        };
        self.steps.push(Step::Filter(filter));
        Ok(())
    }
}

fn is_terminator(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

/// What stands in brackets: `'a field'`, an index, a range or `*`.
fn subscript(text: &str) -> Result<Vec<Step>, String> {
    let quoted = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    if let Some(name) = quoted.filter(|name| !name.contains('\'')) {
        // What is quoted is read as if it stood behind a dot.
        return Ok(path(&format!(".{name}"), DEPTH_MAX)?.steps);
    }
    if text == "*" {
        return Ok(vec![Step::Items { from: None, to: To::End, by: None }]);
    }
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 || !parts.iter().all(|part| is_integer(part)) {
        return Err(format!("invalid array index {text}"));
    }
    let part = |index: usize| -> Result<Option<i64>, String> {
        let Some(text) = parts.get(index).filter(|text| !text.is_empty()) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("array index {text} is not a number"))
    };
    let to = match (part(1)?, parts.len()) {
        (Some(to), _) => To::Index(to),
        (None, 1) => To::Next,
        (None, _) => To::End,
    };
    Ok(vec![Step::Items { from: part(0)?, to, by: part(2)? }])
}

fn is_integer(text: &str) -> bool {
    text.strip_prefix('-').unwrap_or(text).bytes().all(|c| c.is_ascii_digit())
}

/// Where the parenthesis of a filter closes, outside of quotes.
fn filter_end(text: &str) -> Option<usize> {
    let mut quote: Option<char> = None;
    let mut closed = false;
    let mut previous = ' ';
    for (index, c) in text.char_indices() {
        match (c, quote) {
            ('\n', _) => return None,
            ('"' | '\'', None) => quote = Some(c),
            (_, Some(open)) if c == open && previous != '\\' => closed = true,
            (')', quote) if quote.is_some() == closed => return Some(index),
            _ => {}
        }
        previous = c;
    }
    None
}

/// Both sides of a comparison and what stands between them.
fn split_comparison(text: &str) -> Option<(&str, &str, &str)> {
    let is_operator = |c: char| "!<>=".contains(c);
    let start = text.find(is_operator).filter(|start| *start > 0)?;
    let (left, rest) = text.split_at(start);
    let end = rest.find(|c: char| !is_operator(c))?;
    let (operator, right) = rest.split_at(end);
    Some((left, operator, right))
}

fn comparison(operator: &str) -> Result<Comparison, String> {
    Ok(match operator {
        "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return Err(format!("unrecognized filter operator {operator}")),
    })
}

fn operand(text: &str, depth: usize) -> Result<Operand, String> {
    let text = text.trim_matches(' ');
    let literal = match text {
        "true" => Some(true.into()),
        "false" => Some(false.into()),
        _ if text.starts_with(['"', '\'']) => Some(quoted(text)?),
        _ if text.starts_with(|c: char| c == '+' || c == '-' || c.is_ascii_digit()) => Some(number(text)?),
        _ => None,
    };
    match literal {
        Some(value) => Ok(Operand::Literal(value)),
        None => path(text, depth).map(Operand::Path),
    }
}

fn quoted(text: &str) -> Result<Value, String> {
    let invalid = || format!("unquote string {text} error invalid syntax");
    let quote = text.chars().next().ok_or_else(invalid)?;
    let body = text[1..].strip_suffix(quote).ok_or_else(invalid)?;
    let mut value = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        value.push(match c {
            '\\' => match chars.next().ok_or_else(invalid)? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            },
            c => c,
        });
    }
    Ok(value.into())
}

fn number(text: &str) -> Result<Value, String> {
    let plain = text.strip_prefix('+').unwrap_or(text);
    let integer = plain.parse::<i64>().map(Value::from);
    let value = integer.ok().or_else(|| plain.parse::<f64>().ok().map(Value::from));
    value.ok_or_else(|| format!("cannot parse number {text}"))
}
