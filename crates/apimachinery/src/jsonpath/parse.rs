//! Parses templates.

use crate::go::is_printable;

use super::JsonPathError;
use super::compare::Operator;
use super::lexer::{Lexer, ends_name, starts_name, unquote};

/// A part of a template: a literal string, or an action in braces.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Text(String),
    Action(Vec<Node>),
}

/// A step that maps the values found so far to others.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// `range`, `end`, or a word without a meaning.
    Word(String),
    Field(String),
    Wildcard,
    Recursive,
    Slice(Slice),
    Union(Vec<Vec<Node>>),
    Filter {
        left: Vec<Node>,
        operator: Operator,
        right: Vec<Node>,
    },
}

/// `[start:end:step]`, or `[start]` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) start: Option<i64>,
    pub(super) end: End,
    pub(super) step: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Only the start is given: the end is the item behind it.
    Next,
    At(i64),
    Last,
}

type Parsed<T> = Result<T, JsonPathError>;

fn fail<T>(text: impl Into<String>) -> Parsed<T> {
    Err(JsonPathError(text.into()))
}

pub(super) fn template(text: &str) -> Parsed<Vec<Part>> {
    let mut lexer = Lexer::new(text);
    let mut parts = Vec::new();
    loop {
        lexer.skip_while(|c| c != '{');
        if !lexer.is_at_start() {
            parts.push(Part::Text(lexer.piece().to_owned()));
        }
        if !lexer.accept("{") {
            return Ok(parts);
        }
        lexer.piece();
        parts.push(Part::Action(action(&mut lexer)?));
    }
}

/// Parses the inside of an action.
fn nodes(text: &str) -> Parsed<Vec<Node>> {
    match template(&format!("{{{text}}}"))?.into_iter().next() {
        Some(Part::Action(nodes)) => Ok(nodes),
        _ => Ok(Vec::new()),
    }
}

fn action(lexer: &mut Lexer<'_>) -> Parsed<Vec<Node>> {
    let mut nodes = Vec::new();
    loop {
        if lexer.accept("}") {
            lexer.piece();
            return Ok(nodes);
        } else if lexer.accept("[?(") {
            lexer.piece();
            nodes.push(filter(lexer)?);
        } else if lexer.accept("..") {
            nodes.push(recursive(lexer, nodes.last())?);
            if lexer.peek().is_some_and(starts_name) {
                nodes.push(field(lexer));
            }
        } else {
            step(lexer, &mut nodes)?;
        }
    }
}

fn step(lexer: &mut Lexer<'_>, nodes: &mut Vec<Node>) -> Parsed<()> {
    match lexer.next() {
        None | Some('\r' | '\n') => return fail("unclosed action"),
        Some(' ' | '@' | '$') => {
            lexer.piece();
        }
        Some('[') => brackets(lexer, nodes)?,
        Some(quote @ ('"' | '\'')) => nodes.push(quoted(lexer, quote)?),
        Some('.') => nodes.push(field(lexer)),
        Some('+' | '-' | '0'..='9') => nodes.push(number(lexer)?),
        Some(c) if starts_name(c) => nodes.push(word(lexer)),
        Some(c) => return fail(format!("unrecognized character in action: {}", code_point(c))),
    }
    Ok(())
}

fn code_point(c: char) -> String {
    let number = format!("U+{:04X}", c as u32);
    if is_printable(c) { format!("{number} '{c}'") } else { number }
}

fn word(lexer: &mut Lexer<'_>) -> Node {
    lexer.skip_while(|c| !ends_name(c));
    match lexer.piece() {
        "true" => Node::Bool(true),
        "false" => Node::Bool(false),
        word => Node::Word(word.to_owned()),
    }
}

fn recursive(lexer: &mut Lexer<'_>, last: Option<&Node>) -> Parsed<Node> {
    if last == Some(&Node::Recursive) {
        return fail("invalid multiple recursive descent");
    }
    lexer.piece();
    Ok(Node::Recursive)
}

fn number(lexer: &mut Lexer<'_>) -> Parsed<Node> {
    lexer.skip_while(|c| c == '.' || c.is_ascii_digit());
    let number = lexer.piece();
    if let Ok(number) = number.parse() {
        return Ok(Node::Int(number));
    }
    match number.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Node::Float(number)),
        _ => fail(format!("cannot parse number {number}")),
    }
}

fn quoted(lexer: &mut Lexer<'_>, quote: char) -> Parsed<Node> {
    loop {
        match lexer.next() {
            None | Some('\n') => return fail("unterminated quoted string"),
            Some(c) if c == quote && !lexer.is_escaped() => break,
            Some(_) => {}
        }
    }
    let text = lexer.piece();
    match unquote(text) {
        Some(text) => Ok(Node::Text(text)),
        None => fail(format!("unquote string {text} error invalid syntax")),
    }
}

fn field(lexer: &mut Lexer<'_>) -> Node {
    lexer.piece();
    while let Some(c) = lexer.peek().filter(|c| !ends_name(*c)) {
        lexer.next();
        if c == '\\' {
            lexer.next();
        }
    }
    match lexer.piece() {
        "*" => Node::Wildcard,
        name => Node::Field(name.replace('\\', "")),
    }
}

/// `['key']`, `[1]`, `[1:2]`, or several of them with commas between.
fn brackets(lexer: &mut Lexer<'_>, all: &mut Vec<Node>) -> Parsed<()> {
    loop {
        match lexer.next() {
            None | Some('\n') => return fail("unterminated array"),
            Some(']') => break,
            Some(_) => {}
        }
    }
    let piece = lexer.piece();
    let text = piece.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(piece);
    if text.contains(',') {
        let union = text.split(',').map(|text| nodes(&format!("[{}]", text.trim_matches(' '))));
        all.push(Node::Union(union.collect::<Result<_, _>>()?));
    } else if let Some(key) = quoted_key(text) {
        all.extend(nodes(&format!(".{key}"))?);
    } else {
        all.push(Node::Slice(slice(if text == "*" { ":" } else { text })?));
    }
    Ok(())
}

fn quoted_key(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'').filter(|key| !key.contains('\''))
}

fn slice(text: &str) -> Parsed<Slice> {
    let parts: Vec<_> = text.split(':').collect();
    let is_number = |part: &&str| part.strip_prefix('-').unwrap_or(part).bytes().all(|b| b.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(is_number) {
        return fail(format!("invalid array index {text}"));
    }
    let number = |part: &str| match part.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) if part.is_empty() => Ok(None),
        Err(_) => fail(format!("array index {part} is not a number")),
    };
    let start = parts.first().map_or(Ok(None), |part| number(part))?;
    let end = parts.get(1).map(|part| number(part)).transpose()?;
    let end = end.map_or(End::Next, |end| end.map_or(End::Last, End::At));
    let step = parts.get(2).map_or(Ok(None), |part| number(part))?;
    Ok(Slice { start, end, step })
}

fn filter(lexer: &mut Lexer<'_>) -> Parsed<Node> {
    skip_filter(lexer)?;
    if lexer.next() != Some(']') {
        return fail("unclosed array expect ]");
    }
    let piece = lexer.piece();
    let text = piece.strip_suffix(")]").unwrap_or(piece);
    let Some((left, operator, right)) = comparison(text) else {
        return Ok(Node::Filter { left: nodes(text)?, operator: Operator::Exists, right: Vec::new() });
    };
    Ok(Node::Filter { left: nodes(left)?, operator: operator.into(), right: nodes(right)? })
}

/// Skips to behind the parenthesis that ends a filter: the first outside its one quoted string.
fn skip_filter(lexer: &mut Lexer<'_>) -> Parsed<()> {
    let mut quote = None;
    let mut ended = false;
    loop {
        match (lexer.next(), quote) {
            (None | Some('\n'), _) => return fail("unterminated filter"),
            (Some(c @ ('"' | '\'')), None) => quote = Some(c),
            (Some(c @ ('"' | '\'')), Some(quote)) => ended |= c == quote && !lexer.is_escaped(),
            (Some(')'), quote) if quote.is_some() == ended => return Ok(()),
            _ => {}
        }
    }
}

/// Splits at the first run of comparison signs: before, operator, behind.
fn comparison(text: &str) -> Option<(&str, &str, &str)> {
    let is_sign = |c: char| matches!(c, '!' | '<' | '>' | '=');
    let start = text.find(is_sign).filter(|start| *start > 0)?;
    let length = text[start..].find(|c: char| !is_sign(c)).unwrap_or(text.len() - start);
    // If nothing follows the run, its last sign is the right side.
    let end = if start + length < text.len() { start + length } else { text.len() - 1 };
    (end > start).then(|| (&text[..start], &text[start..end], &text[end..]))
}
