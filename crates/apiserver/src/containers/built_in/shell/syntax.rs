//! The syntax of the shell: words, with commands in them, pipelines, lists, the background, `if`, `while`, `until` and
//! `for`.

use std::sync::Arc;

/// A node of the syntax tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    Command {
        assignments: Vec<(String, Word)>,
        words: Vec<Word>,
        redirects: Vec<Redirect>,
    },
    /// Commands that run at once, each of them by a shell that shares its part of the tree.
    Pipeline(Vec<Arc<Node>>),
    /// A command, and those behind it: each with true if it runs after success (`&&`), or false if after failure (`||`).
    AndOr(Box<Node>, Vec<(bool, Node)>),
    Not(Box<Node>),
    List(Vec<Node>),
    /// Commands that are not waited for (`&`), in a shell that shares its part of the tree.
    Background(Arc<Node>),
    /// Conditions, each with what runs if it is the first that holds.
    If {
        branches: Vec<(Node, Node)>,
        otherwise: Option<Box<Node>>,
    },
    /// `while`, or `until` if it goes on as long as the condition fails.
    While {
        until: bool,
        condition: Box<Node>,
        body: Box<Node>,
    },
    For {
        name: String,
        words: Vec<Word>,
        body: Box<Node>,
    },
}

/// A word before its variables are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word(pub(super) Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text {
        text: String,
        quoted: bool,
    },
    Variable {
        name: String,
        quoted: bool,
    },
    /// Commands whose output it is: `$(…)`.
    Command {
        node: Arc<Node>,
        quoted: bool,
    },
}

impl Part {
    pub(super) fn is_quoted(&self) -> bool {
        let (Part::Text { quoted, .. } | Part::Variable { quoted, .. } | Part::Command { quoted, .. }) = self;
        *quoted
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    Input(Word),
    /// To a file; `descriptor` is 1 or 2.
    Output {
        descriptor: u8,
        append: bool,
        file: Word,
    },
    /// `2>&1` and `1>&2`: one stream to where another goes.
    Join {
        from: u8,
        to: u8,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(Word),
    Operator(&'static str),
    Redirect { descriptor: u8, operator: &'static str },
}

/// The depth of commands in each other.
const MAX_DEPTH: usize = 64;

const TOO_DEEP: &str = "syntax error: the commands are nested too deeply";

/// Parses a script.
///
/// # Errors
///
/// The shell's words about what it does not understand.
pub(super) fn parse(script: &str) -> Result<Node, String> {
    parse_at(script, 0)
}

/// Parses a script that is so deep in another one.
fn parse_at(script: &str, depth: usize) -> Result<Node, String> {
    let mut parser = Parser { tokens: tokens(script, depth)?, at: 0, depth };
    let list = parser.list(&[])?;
    match parser.tokens.get(parser.at) {
        None => Ok(list),
        Some(token) => Err(unexpected(Some(token))),
    }
}

fn unexpected(token: Option<&Token>) -> String {
    let text = match token {
        None => "end of file".to_owned(),
        Some(Token::Operator("\n")) => "newline".to_owned(),
        Some(Token::Operator(operator) | Token::Redirect { operator, .. }) => format!("\"{operator}\""),
        Some(Token::Word(word)) => format!("\"{}\"", word.literal().unwrap_or("$")),
    };
    format!("syntax error: unexpected {text}")
}

impl Word {
    /// The word, if it is one text without quotes and variables: only such words are keywords.
    fn literal(&self) -> Option<&str> {
        match &self.0[..] {
            [Part::Text { text, quoted: false }] => Some(text),
            _ => None,
        }
    }
}

fn tokens(script: &str, depth: usize) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = script.chars().peekable();
    while let Some(&next) = rest.peek() {
        match next {
            ' ' | '\t' | '\r' => {
                rest.next();
            }
            '#' => while rest.next_if(|c| *c != '\n').is_some() {},
            '\n' | ';' => {
                rest.next();
                tokens.push(Token::Operator(if next == ';' { ";" } else { "\n" }));
            }
            '&' | '|' => {
                rest.next();
                let is_double = rest.next_if_eq(&next).is_some();
                tokens.push(Token::Operator(match (next, is_double) {
                    ('&', true) => "&&",
                    ('|', true) => "||",
                    ('|', false) => "|",
                    _ => "&",
                }));
            }
            '(' | ')' => return Err(format!("syntax error: unexpected \"{next}\"")),
            '<' | '>' => {
                rest.next();
                tokens.push(redirect(if next == '<' { 0 } else { 1 }, next, &mut rest));
            }
            _ => {
                let word = word(&mut rest, depth)?;
                // `2>file`
                let descriptor = word.literal().and_then(|text| text.parse().ok()).filter(|d| *d <= 2);
                match (descriptor, rest.peek().copied()) {
                    (Some(descriptor), Some(operator @ ('<' | '>'))) => {
                        rest.next();
                        tokens.push(redirect(descriptor, operator, &mut rest));
                    }
                    _ => tokens.push(Token::Word(word)),
                }
            }
        }
    }
    Ok(tokens)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn redirect(descriptor: u8, operator: char, rest: &mut Chars<'_>) -> Token {
    let operator = match operator {
        '<' => "<",
        _ if rest.next_if_eq(&'>').is_some() => ">>",
        _ if rest.next_if_eq(&'&').is_some() => ">&",
        _ => ">",
    };
    Token::Redirect { descriptor, operator }
}

fn word(rest: &mut Chars<'_>, depth: usize) -> Result<Word, String> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let plain = |text: &mut String, parts: &mut Vec<Part>| {
        if !text.is_empty() {
            parts.push(Part::Text { text: std::mem::take(text), quoted: false });
        }
    };
    while let Some(&next) = rest.peek() {
        if next.is_whitespace() || ";&|<>()".contains(next) {
            break;
        }
        rest.next();
        match next {
            '\'' => {
                plain(&mut text, &mut parts);
                let quoted: String = std::iter::from_fn(|| rest.next_if(|c| *c != '\'')).collect();
                rest.next().ok_or("syntax error: unterminated quoted string")?;
                parts.push(Part::Text { text: quoted, quoted: true });
            }
            '"' => {
                plain(&mut text, &mut parts);
                quoted(rest, depth, &mut parts)?;
            }
            '\\' => match rest.next() {
                Some('\n') => {}
                escaped => {
                    plain(&mut text, &mut parts);
                    parts.extend(escaped.map(|c| Part::Text { text: c.into(), quoted: true }));
                }
            },
            '$' => {
                plain(&mut text, &mut parts);
                parts.push(variable(rest, depth, false)?);
            }
            '`' => {
                plain(&mut text, &mut parts);
                parts.push(commands(&backquoted(rest)?, depth, false)?);
            }
            next => text.push(next),
        }
    }
    plain(&mut text, &mut parts);
    parts.shrink_to_fit();
    Ok(Word(parts))
}

fn quoted(rest: &mut Chars<'_>, depth: usize, parts: &mut Vec<Part>) -> Result<(), String> {
    let mut text = String::new();
    let first = parts.len();
    // Without other parts, `"$@"` is no word if there are no parameters.
    let plain = |text: &mut String, parts: &mut Vec<Part>| {
        if !text.is_empty() {
            parts.push(Part::Text { text: std::mem::take(text), quoted: true });
        }
    };
    loop {
        match rest.next() {
            None => return Err("syntax error: unterminated quoted string".to_owned()),
            Some('"') => break,
            Some('\\') => match rest.next() {
                Some(escaped @ ('"' | '\\' | '$' | '`')) => text.push(escaped),
                Some('\n') => {}
                other => {
                    text.push('\\');
                    text.extend(other);
                }
            },
            Some('$') => {
                plain(&mut text, parts);
                parts.push(variable(rest, depth, true)?);
            }
            Some('`') => {
                plain(&mut text, parts);
                parts.push(commands(&backquoted(rest)?, depth, true)?);
            }
            Some(next) => text.push(next),
        }
    }
    if !text.is_empty() || parts.len() == first {
        parts.push(Part::Text { text, quoted: true });
    }
    Ok(())
}

/// The commands of a part of a word, which is so deep in a script.
fn commands(script: &str, depth: usize, quoted: bool) -> Result<Part, String> {
    let node = Arc::new(parse_at(script, depth + 1)?);
    Ok(Part::Command { node, quoted })
}

/// The text up to the next backquote.
fn backquoted(rest: &mut Chars<'_>) -> Result<String, String> {
    let mut text = String::new();
    loop {
        match rest.next() {
            None => return Err("syntax error: unterminated backquote substitution".to_owned()),
            Some('`') => return Ok(text),
            Some('\\') => match rest.next() {
                Some(escaped @ ('`' | '\\' | '$')) => text.push(escaped),
                other => {
                    text.push('\\');
                    text.extend(other);
                }
            },
            Some(next) => text.push(next),
        }
    }
}

/// Takes the text up to the parenthesis that belongs to one before it, or in quotes up to their end.
fn enclosed(rest: &mut Chars<'_>, end: char, depth: usize, text: &mut String) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(TOO_DEEP.to_owned());
    }
    let in_quotes = end == '"';
    let mut before = ' ';
    loop {
        let next = rest.next().ok_or("syntax error: unterminated command substitution")?;
        let begins_word = before.is_whitespace() || ";|&(".contains(before);
        before = next;
        if next == end {
            return Ok(());
        }
        text.push(next);
        let inner = match next {
            '\\' => {
                text.extend(rest.next());
                continue;
            }
            '#' if begins_word && !in_quotes => {
                text.extend(std::iter::from_fn(|| rest.next_if(|c| *c != '\n')));
                continue;
            }
            '\'' if !in_quotes => {
                text.extend(std::iter::from_fn(|| rest.next_if(|c| *c != '\'')));
                text.extend(rest.next());
                continue;
            }
            '$' if rest.next_if_eq(&'(').is_some() => {
                text.push('(');
                ')'
            }
            '(' if !in_quotes => ')',
            '"' => '"',
            _ => continue,
        };
        enclosed(rest, inner, depth + 1, text)?;
        text.push(inner);
    }
}

/// A variable or commands: the text behind a `$`.
fn variable(rest: &mut Chars<'_>, depth: usize, quoted: bool) -> Result<Part, String> {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let is_special = |c: &char| "?$!@*#".contains(*c);
    let name = match rest.peek() {
        Some('{') => {
            rest.next();
            let special = rest.next_if(is_special).map(String::from);
            let name = special.unwrap_or_else(|| std::iter::from_fn(|| rest.next_if(is_name)).collect());
            if name.is_empty() || rest.next() != Some('}') {
                return Err("syntax error: bad substitution".to_owned());
            }
            name
        }
        Some('(') => {
            rest.next();
            if rest.peek() == Some(&'(') {
                return Err("syntax error: arithmetic is not known".to_owned());
            }
            let mut script = String::new();
            enclosed(rest, ')', depth, &mut script)?;
            return commands(&script, depth, quoted);
        }
        // A parameter has one digit.
        Some(c) if is_special(c) || c.is_ascii_digit() => rest.next().map(String::from).unwrap_or_default(),
        Some(c) if is_name(c) => std::iter::from_fn(|| rest.next_if(is_name)).collect(),
        _ => return Ok(Part::Text { text: "$".to_owned(), quoted }),
    };
    Ok(Part::Variable { name, quoted })
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    /// Commands up to one of some keywords, or to the end.
    fn list(&mut self, ends: &[&str]) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(TOO_DEEP.to_owned());
        }
        let mut nodes = Vec::new();
        loop {
            while self.operator(&[";", "\n"]).is_some() {}
            if self.at == self.tokens.len() || self.keyword().is_some_and(|word| ends.contains(&word)) {
                break;
            }
            let node = self.and_or()?;
            nodes.push(match self.operator(&[";", "\n", "&"]) {
                Some("&") => Node::Background(Arc::new(node)),
                None if self.at < self.tokens.len() => return Err(unexpected(self.tokens.get(self.at))),
                _ => node,
            });
        }
        self.depth -= 1;
        nodes.shrink_to_fit();
        Ok(Node::List(nodes))
    }

    fn and_or(&mut self) -> Result<Node, String> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        while let Some(operator) = self.operator(&["&&", "||"]) {
            while self.operator(&["\n"]).is_some() {}
            rest.push((operator == "&&", self.pipeline()?));
        }
        Ok(if rest.is_empty() { first } else { Node::AndOr(Box::new(first), rest) })
    }

    fn pipeline(&mut self) -> Result<Node, String> {
        let mut is_not = false;
        while self.keyword() == Some("!") {
            self.at += 1;
            is_not = !is_not;
        }
        let mut nodes = vec![self.command()?];
        while self.operator(&["|"]).is_some() {
            while self.operator(&["\n"]).is_some() {}
            nodes.push(self.command()?);
        }
        let node = if nodes.len() == 1 {
            nodes.remove(0)
        } else {
            Node::Pipeline(nodes.into_iter().map(Arc::new).collect())
        };
        Ok(if is_not { Node::Not(Box::new(node)) } else { node })
    }

    fn command(&mut self) -> Result<Node, String> {
        match self.keyword() {
            Some("if") => {
                self.at += 1;
                self.condition()
            }
            Some(word @ ("while" | "until")) => {
                let until = word == "until";
                self.at += 1;
                let condition = Box::new(self.list(&["do"])?);
                Ok(Node::While { until, condition, body: self.body()? })
            }
            Some("for") => {
                self.at += 1;
                let name = self.keyword().ok_or("syntax error: bad for loop variable")?.to_owned();
                self.at += 1;
                self.expect("in")?;
                let mut words = Vec::new();
                while let Some(Token::Word(word)) = self.tokens.get(self.at) {
                    words.push(word.clone());
                    self.at += 1;
                }
                while self.operator(&[";", "\n"]).is_some() {}
                Ok(Node::For { name, words, body: self.body()? })
            }
            Some("then" | "else" | "elif" | "fi" | "do" | "done") => {
                Err(unexpected(self.tokens.get(self.at)))
            }
            _ => self.simple(),
        }
    }

    fn condition(&mut self) -> Result<Node, String> {
        let mut branches = Vec::new();
        let otherwise = loop {
            let condition = self.list(&["then"])?;
            self.expect("then")?;
            branches.push((condition, self.list(&["else", "elif", "fi"])?));
            match self.keyword() {
                Some("elif") => self.at += 1,
                Some("else") => {
                    self.at += 1;
                    break Some(Box::new(self.list(&["fi"])?));
                }
                _ => break None,
            }
        };
        self.expect("fi")?;
        Ok(Node::If { branches, otherwise })
    }

    /// `do`, commands, `done`.
    fn body(&mut self) -> Result<Box<Node>, String> {
        self.expect("do")?;
        let body = self.list(&["done"])?;
        self.expect("done")?;
        Ok(Box::new(body))
    }

    fn simple(&mut self) -> Result<Node, String> {
        let (mut assignments, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(token) = self.tokens.get(self.at).cloned() {
            match token {
                Token::Word(word) => match assignment(&word).filter(|_| words.is_empty()) {
                    Some(assignment) => assignments.push(assignment),
                    None => words.push(word),
                },
                Token::Redirect { descriptor, operator } => {
                    self.at += 1;
                    let Some(Token::Word(target)) = self.tokens.get(self.at).cloned() else {
                        return Err(unexpected(self.tokens.get(self.at)));
                    };
                    redirects.push(match operator {
                        "<" => Redirect::Input(target),
                        ">&" => {
                            let to = target.literal().and_then(|to| to.parse().ok());
                            let to = to.filter(|to| matches!(to, 1 | 2));
                            Redirect::Join { from: descriptor, to: to.ok_or("syntax error: bad fd number")? }
                        }
                        _ => Redirect::Output { descriptor, append: operator == ">>", file: target },
                    });
                }
                Token::Operator(_) => break,
            }
            self.at += 1;
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() {
            return Err(unexpected(self.tokens.get(self.at)));
        }
        words.shrink_to_fit();
        Ok(Node::Command { assignments, words, redirects })
    }

    /// The next token, if it can be a keyword.
    fn keyword(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => word.literal(),
            _ => None,
        }
    }

    fn expect(&mut self, keyword: &str) -> Result<(), String> {
        if self.keyword() != Some(keyword) {
            return Err(format!("{} (expecting \"{keyword}\")", unexpected(self.tokens.get(self.at))));
        }
        self.at += 1;
        Ok(())
    }

    fn operator(&mut self, operators: &[&str]) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some(Token::Operator(operator)) if operators.contains(operator) => {
                self.at += 1;
                Some(operator)
            }
            _ => None,
        }
    }
}

/// The name and value of a word such as `NAME=value`.
fn assignment(word: &Word) -> Option<(String, Word)> {
    let Some(Part::Text { text, quoted: false }) = word.0.first() else { return None };
    let (name, value) = text.split_once('=')?;
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name || name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut parts = word.0.clone();
    parts[0] = Part::Text { text: value.to_owned(), quoted: false };
    Some((name.to_owned(), Word(parts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(script: &str, expected: &str) {
        assert_eq!(parse(script).expect_err(script), expected, "{script}");
    }

    #[test]
    fn what_is_not_understood_is_a_syntax_error() {
        refused("echo 'a", "syntax error: unterminated quoted string");
        refused("echo \"a", "syntax error: unterminated quoted string");
        refused("a | ", "syntax error: unexpected end of file");
        refused("a && ; b", "syntax error: unexpected \";\"");
        refused("if true; then a", "syntax error: unexpected end of file (expecting \"fi\")");
        refused("while true; done", "syntax error: unexpected \"done\"");
        refused("done", "syntax error: unexpected \"done\"");
        refused("echo $(ls", "syntax error: unterminated command substitution");
        refused("echo `ls", "syntax error: unterminated backquote substitution");
        refused("echo \"$(ls", "syntax error: unterminated command substitution");
        refused("echo $(a; | b)", "syntax error: unexpected \"|\"");
        refused("echo $((1 + 1))", "syntax error: arithmetic is not known");
        refused(&"echo $(".repeat(100), TOO_DEEP);
        refused(&(r#"echo "$("#.repeat(50) + &r#")""#.repeat(50)), TOO_DEEP);
        refused("& sleep 1", "syntax error: unexpected \"&\"");
        refused("sleep 1 & &", "syntax error: unexpected \"&\"");
        refused("sleep 1 &&& true", "syntax error: unexpected \"&\"");
        refused("echo >", "syntax error: unexpected end of file");
        refused(&"if true; then ".repeat(100), TOO_DEEP);
    }

    #[test]
    fn commands_in_words_end_at_their_parenthesis() {
        for (script, inner) in [
            ("$(echo ')' \")\" \\) # )\n)", "echo ')' \")\" \\) # )\n"),
            ("$(echo \"$(echo \")\")\" $(b))", "echo \"$(echo \")\")\" $(b)"),
            ("$()", ""),
            ("`echo \\`b\\` \\$c '\\d'`", "echo `b` $c '\\d'"),
        ] {
            for (script, quoted) in [(script.to_owned(), false), (format!("\"{script}\""), true)] {
                let Ok(Node::List(nodes)) = parse(&script) else { panic!("{script}") };
                let [Node::Command { words, .. }] = &nodes[..] else { panic!("{script}") };
                let command = Part::Command { node: Arc::new(parse(inner).expect(inner)), quoted };
                assert!(words[0].0.contains(&command), "{script}");
            }
        }
    }

    #[test]
    fn words_have_quotes_and_variables() {
        let Ok(Node::List(nodes)) = parse(r#"A=1 echo "a $B" '$c' \$d ${e}f 2>&1 # rest"#) else { panic!() };
        let [Node::Command { assignments, words, redirects }] = &nodes[..] else { panic!() };
        assert_eq!((assignments[0].0.as_str(), words.len()), ("A", 5));
        assert_eq!(words[1].0[1], Part::Variable { name: "B".into(), quoted: true });
        assert_eq!(words[2].0[0], Part::Text { text: "$c".into(), quoted: true });
        assert_eq!(words[4].0[0], Part::Variable { name: "e".into(), quoted: false });
        assert_eq!(redirects[..], [Redirect::Join { from: 2, to: 1 }]);
    }
}
