//! Parsing of expressions, with the parser of the crate `cel` and cel-go's limits.

use cel::Env;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, operators};

use crate::expand::Expander;
use crate::issue::{Issues, SHOWN_MAX};
use crate::offsets::Offsets;
use crate::visit::visit;

/// The number of characters of an expression.
const LENGTH_MAX: usize = 100_000;

/// The depth of an expression, in its text and in its syntax tree.
const DEPTH_MAX: usize = 250;

/// The stack for the parser, which recurses through its grammar rules.
pub(crate) const STACK: usize = 64 << 20;

/// A parsed expression.
pub(crate) struct Parsed {
    pub(crate) root: IdedExpr,
    pub(crate) offsets: Offsets,
}

/// Parses an expression and expands its macros; problems are added to `issues`.
///
/// It needs [`STACK`] bytes of stack.
pub(crate) fn parse(source: &str, issues: &mut Issues<'_>) -> Option<Parsed> {
    let length = source.chars().count();
    if length > LENGTH_MAX {
        issues.add(format!("expression code point size exceeds limit: size: {length}, limit {LENGTH_MAX}"));
        return None;
    }
    if nesting(source) > DEPTH_MAX {
        issues.add(format!("expression recursion limit exceeded: {DEPTH_MAX}"));
        return None;
    }
    // The macros are expanded afterwards: they are Kubernetes', and their problems have its words.
    let parser = Env::default()
        .parser()
        .enable_optional_syntax(true)
        .enable_ident_escape_syntax(true)
        .max_recursion_depth(u16::try_from(DEPTH_MAX).unwrap_or(u16::MAX));
    let (mut root, info) = match parser.parse_with_source_info(source) {
        Ok(parsed) => parsed,
        Err(failed) => {
            // cel-go ends at the first error that is one too many.
            for error in failed.errors.into_iter().take(SHOWN_MAX + 1) {
                if error.msg.contains("Recursion limit of") {
                    *issues = Issues::new(issues.source());
                    issues.add(format!("expression recursion limit exceeded: {DEPTH_MAX}"));
                    return None;
                }
                let number = |number: isize| usize::try_from(number).unwrap_or_default();
                let (line, column) = error.pos;
                issues.add_place(number(line).max(1), number(column).saturating_sub(1), error.msg);
            }
            return None;
        }
    };
    if depth(&root) > DEPTH_MAX {
        issues.add("max recursion depth exceeded");
        return None;
    }
    let first_added = largest_id(&root) + 1;
    let mut offsets = Offsets::new(info, first_added);
    let mut expander = Expander { offsets: &mut offsets, issues, is_full: false };
    expander.expand(&mut root);
    issues.is_empty().then_some(Parsed { root, offsets })
}

/// The depth of brackets in an expression; those in strings and comments do not count.
fn nesting(source: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '"' | '\'' => {
                rest = &rest[string_end(rest, c)..];
                continue;
            }
            '/' if rest.starts_with("//") => {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            _ => {}
        }
        deepest = deepest.max(depth);
        rest = &rest[c.len_utf8()..];
    }
    deepest
}

/// The end of the string that text begins with; a raw string that ends in a backslash seems longer, which counts fewer
/// brackets only.
fn string_end(text: &str, quote: char) -> usize {
    let triple: String = [quote; 3].iter().collect();
    let (open, close) = if text.starts_with(&triple) { (3, triple) } else { (1, quote.to_string()) };
    let mut at = open;
    while at < text.len() {
        if text[at..].starts_with(&close) {
            return at + close.len();
        }
        let mut characters = text[at..].chars();
        if let Some(c) = characters.next() {
            at += c.len_utf8();
            if c == '\\' {
                at += characters.next().map_or(0, char::len_utf8);
            }
        }
    }
    text.len()
}

/// The depth of a syntax tree, as cel-go counts it: chains of `&&` and `||` count once.
fn depth(expr: &IdedExpr) -> usize {
    let deepest =
        |children: &mut dyn Iterator<Item = &IdedExpr>| children.map(depth).max().unwrap_or_default();
    match &expr.expr {
        Expr::Call(call) => {
            let below = deepest(&mut call.target.as_deref().into_iter().chain(&call.args));
            let joins = matches!(call.func_name.as_str(), operators::LOGICAL_AND | operators::LOGICAL_OR);
            let same =
                |arg: &IdedExpr| matches!(&arg.expr, Expr::Call(inner) if inner.func_name == call.func_name);
            if joins && call.args.iter().any(same) { below } else { below + 1 }
        }
        Expr::Select(select) => depth(&select.operand) + 1,
        Expr::List(list) => deepest(&mut list.elements.iter()) + 1,
        Expr::Map(map) => map.entries.iter().map(entry_depth).max().unwrap_or_default() + 1,
        Expr::Struct(object) => object.entries.iter().map(entry_depth).max().unwrap_or_default() + 1,
        _ => 1,
    }
}

fn entry_depth(entry: &cel::common::ast::IdedEntryExpr) -> usize {
    match &entry.expr {
        EntryExpr::MapEntry(entry) => depth(&entry.key).max(depth(&entry.value)),
        EntryExpr::StructField(field) => depth(&field.value),
    }
}

/// The largest number of a node in a syntax tree.
fn largest_id(expr: &IdedExpr) -> u64 {
    let mut largest = 0;
    visit(expr, &mut |expr| largest = largest.max(expr.id));
    largest
}

/// The depth of a syntax tree with all that macros made.
pub(crate) fn tree_depth(expr: &IdedExpr) -> usize {
    let mut deepest = 0;
    let mut below = |expr: &IdedExpr| deepest = deepest.max(tree_depth(expr));
    match &expr.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).for_each(&mut below),
        Expr::Select(select) => below(&select.operand),
        Expr::List(list) => list.elements.iter().for_each(&mut below),
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    below(&entry.key);
                    below(&entry.value);
                }
            }
        }
        Expr::Struct(object) => {
            for entry in &object.entries {
                if let EntryExpr::StructField(field) = &entry.expr {
                    below(&field.value);
                }
            }
        }
        Expr::Comprehension(fold) => {
            [&fold.iter_range, &fold.accu_init, &fold.loop_cond, &fold.loop_step, &fold.result]
                .into_iter()
                .for_each(below);
        }
        _ => {}
    }
    deepest + 1
}
