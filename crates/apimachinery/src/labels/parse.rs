//! Parses label selectors, with the API server's grammar and messages.

use super::{InvalidSelector, Operator, Requirement};
use crate::{Str, go, validation};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    End,
    Identifier(&'a str),
    Comma,
    Open,
    Close,
    Not,
    Operator(&'a str),
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Token::End => "",
            Token::Comma => ",",
            Token::Open => "(",
            Token::Close => ")",
            Token::Not => "!",
            Token::Identifier(text) | Token::Operator(text) => text,
        }
    }
}

pub(super) fn selector(text: &str) -> Result<Vec<Requirement>, InvalidSelector> {
    let mut parser = Parser { rest: text };
    let mut requirements = Vec::new();
    loop {
        match parser.peek() {
            Token::End => return Ok(requirements),
            Token::Identifier(_) | Token::Not => {}
            other => {
                let found = other.text();
                return fail(format!("found '{found}', expected: !, identifier, or 'end of string'"));
            }
        }
        let requirement = parser
            .requirement()
            .map_err(|problem| InvalidSelector::new(format!("unable to parse requirement: {problem}")))?;
        requirements.push(requirement);
        match parser.next() {
            Token::End => return Ok(requirements),
            Token::Comma => match parser.peek() {
                Token::Identifier(_) | Token::Not => {}
                other => return fail(format!("found '{}', expected: identifier after ','", other.text())),
            },
            other => return fail(format!("found '{}', expected: ',' or 'end of string'", other.text())),
        }
    }
}

fn fail<T>(problem: String) -> Result<T, InvalidSelector> {
    Err(InvalidSelector::new(problem))
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        Parser { rest: self.rest }.next()
    }

    /// A zero byte ends the string where a token should begin, and is skipped behind a token, as upstream.
    fn next(&mut self) -> Token<'a> {
        self.rest = self.rest.trim_start_matches(is_space);
        if self.rest.is_empty() || self.rest.starts_with('\0') {
            self.rest = "";
            return Token::End;
        }
        let len = if self.rest.starts_with(is_special) {
            if ["==", "!="].iter().any(|two| self.rest.starts_with(two)) { 2 } else { 1 }
        } else {
            let end = |c| is_special(c) || is_space(c) || c == '\0';
            self.rest.find(end).unwrap_or(self.rest.len())
        };
        let (text, rest) = self.rest.split_at(len);
        self.rest = rest.strip_prefix('\0').unwrap_or(rest);
        match text {
            "," => Token::Comma,
            "(" => Token::Open,
            ")" => Token::Close,
            "!" => Token::Not,
            "=" | "==" | "!=" | ">" | "<" => Token::Operator(text),
            _ => Token::Identifier(text),
        }
    }

    fn requirement(&mut self) -> Result<Requirement, InvalidSelector> {
        let mut absent = false;
        if self.peek() == Token::Not {
            self.next();
            absent = true;
        }
        let key = match self.next() {
            Token::Identifier(key) => key,
            other => return fail(format!("found '{}', expected: identifier", other.text())),
        };
        let problems = validation::qualified_name(key);
        if !problems.is_empty() {
            let key = go::quoted(key);
            return fail(format!("<nil>: Invalid value: {key}: {}", problems.join("; ")));
        }
        if absent {
            return Requirement::new(key, Operator::DoesNotExist, Vec::new());
        }
        if matches!(self.peek(), Token::End | Token::Comma) {
            return Requirement::new(key, Operator::Exists, Vec::new());
        }
        let operator = match self.next() {
            Token::Identifier("in") => Operator::In,
            Token::Identifier("notin") => Operator::NotIn,
            Token::Operator("=" | "==") => Operator::Equals,
            Token::Operator("!=") => Operator::NotEquals,
            Token::Operator(">") => Operator::GreaterThan,
            Token::Operator("<") => Operator::LessThan,
            other => {
                return fail(format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", other.text()));
            }
        };
        let values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => vec![self.exact_value()?],
        };
        Requirement::new(key, operator, values)
    }

    fn exact_value(&mut self) -> Result<Str, InvalidSelector> {
        if matches!(self.peek(), Token::End | Token::Comma) {
            return Ok(Str::EMPTY);
        }
        match self.next() {
            Token::Identifier(value) => Ok(value.into()),
            other => fail(format!("found '{}', expected: identifier", other.text())),
        }
    }

    fn values(&mut self) -> Result<Vec<Str>, InvalidSelector> {
        match self.next() {
            Token::Open => {}
            other => return fail(format!("found '{}' expected: '('", other.text())),
        }
        match self.peek() {
            Token::Identifier(_) | Token::Comma => self.identifiers(),
            Token::Close => {
                self.next();
                Ok(vec![Str::EMPTY])
            }
            other => fail(format!("found '{}', expected: ',', ')' or identifier", other.text())),
        }
    }

    /// Values up to the closing parenthesis, sorted, without duplicates. A comma without a value beside it stands for
    /// an empty one.
    fn identifiers(&mut self) -> Result<Vec<Str>, InvalidSelector> {
        let mut values: Vec<Str> = Vec::new();
        loop {
            match self.next() {
                Token::Identifier(value) => {
                    values.push(value.into());
                    if let other @ (Token::End
                    | Token::Open
                    | Token::Not
                    | Token::Operator(_)
                    | Token::Identifier(_)) = self.peek()
                    {
                        return fail(format!("found '{}', expected: ',' or ')'", other.text()));
                    }
                }
                Token::Comma => {
                    if values.is_empty() || matches!(self.peek(), Token::Comma | Token::Close) {
                        values.push(Str::EMPTY);
                    }
                }
                other => return fail(format!("found '{}', expected: ',', or identifier", other.text())),
            }
            if self.peek() == Token::Close {
                self.next();
                values.sort();
                values.dedup();
                return Ok(values);
            }
        }
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_special(c: char) -> bool {
    "=!(),><".contains(c)
}
