//! Checks of literals after the types: durations, times, regular expressions, format strings, and lists and maps with
//! items of several types.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

use crate::check::Checked;
use crate::issue::Issues;
use crate::library::string_format::{self, Clause, Part};
use crate::library::{self, Function};
use crate::pattern::Pattern;
use crate::types::Type;
use crate::value::Value;
use crate::visit::visit;

/// Checks the literals of an expression; problems are added to `issues`.
pub(crate) fn validate(checked: &Checked, issues: &mut Issues<'_>) {
    visit(&checked.root, &mut |expr| {
        if let Expr::Call(call) = &expr.expr {
            literal_argument(checked, call, issues);
            format_call(checked, expr, call, issues);
        }
    });
    aggregates(checked, &checked.root, issues);
}

fn literal_argument(checked: &Checked, call: &CallExpr, issues: &mut Issues<'_>) {
    let Some(IdedExpr { id, expr: Expr::Literal(literal) }) = call.args.first() else { return };
    let name = call.func_name.as_str();
    let value = match literal {
        LiteralValue::String(text) => Value::string(text.inner().to_owned()),
        LiteralValue::Int(number) => Value::Int(*number.inner()),
        _ => return,
    };
    let good = match (name, &value) {
        ("duration" | "timestamp", value) => match library::function(name, None) {
            Some(Function::Native(function)) => function(std::slice::from_ref(value)).is_ok(),
            _ => true,
        },
        ("matches", Value::String(text)) => Pattern::new(text).error().is_none(),
        _ => true,
    };
    if !good {
        issues.add_at(checked.offsets.of(*id), format!("invalid {name} argument"));
    }
}

fn format_call(checked: &Checked, expr: &IdedExpr, call: &CallExpr, issues: &mut Issues<'_>) {
    let (Some(target), "format", [arguments]) = (&call.target, call.func_name.as_str(), &call.args[..])
    else {
        return;
    };
    let (Expr::Literal(LiteralValue::String(format)), Expr::List(list)) = (&target.expr, &arguments.expr)
    else {
        return;
    };
    let mut used = 0;
    for part in string_format::parts(format.inner()) {
        let Part::Clause(clause) = part else { continue };
        let Some(argument) = list.elements.get(used) else {
            // A clause without its argument is reported before its form is looked at.
            return issues.add_at(checked.offsets.of(expr.id), format!("index {used} out of range"));
        };
        used += 1;
        let problem = match clause {
            Ok(clause) => refused(checked, clause, argument)
                .map(|(id, message)| (id, format!("error during formatting: {message}"))),
            Err(message) => Some((expr.id, message)),
        };
        if let Some((id, message)) = problem {
            return issues.add_at(checked.offsets.of(id), message);
        }
    }
    if list.elements.len() > used {
        let given = list.elements.len();
        let message = format!("too many arguments supplied to string.format (expected {used}, got {given})");
        issues.add_at(checked.offsets.of(expr.id), message);
    }
}

/// The argument that a clause does not accept, and the message for it.
fn refused(checked: &Checked, clause: Clause, argument: &IdedExpr) -> Option<(u64, String)> {
    if clause == Clause::String {
        return not_printable(checked, argument).map(|(id, ty)| (id, clause.refusal(&ty)));
    }
    let ty = checked.ty(argument);
    let accepted = match clause {
        Clause::Decimal | Clause::Octal => matches!(ty, Type::Int | Type::Uint),
        Clause::Fixed(_) | Clause::Scientific(_) => matches!(ty, Type::Double | Type::String),
        Clause::Binary => matches!(ty, Type::Int | Type::Uint | Type::Bool),
        Clause::Hex { .. } => matches!(ty, Type::Int | Type::Uint | Type::String | Type::Bytes),
        Clause::String => true,
    };
    (!accepted && !matches!(ty, Type::Dyn)).then(|| (argument.id, clause.refusal(&type_name(ty))))
}

fn not_printable(checked: &Checked, expr: &IdedExpr) -> Option<(u64, String)> {
    let ty = checked.ty(expr);
    if matches!(ty, Type::Struct(_) | Type::Opaque(..) | Type::Error) {
        return Some((expr.id, type_name(ty)));
    }
    match &expr.expr {
        Expr::List(list) => list.elements.iter().find_map(|item| not_printable(checked, item)),
        Expr::Map(map) => map.entries.iter().find_map(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => {
                not_printable(checked, &entry.key).or_else(|| not_printable(checked, &entry.value))
            }
            EntryExpr::StructField(_) => None,
        }),
        _ => None,
    }
}

/// The name of a type without its parameters, as at run time.
fn type_name(ty: &Type) -> String {
    match ty {
        Type::Null => "null_type".to_owned(),
        Type::Duration => "google.protobuf.Duration".to_owned(),
        Type::Timestamp => "google.protobuf.Timestamp".to_owned(),
        Type::List(_) => "list".to_owned(),
        Type::Map(_) => "map".to_owned(),
        Type::Meta(_) => "type".to_owned(),
        Type::Opaque(name, _) => name.to_string(),
        ty => ty.to_string(),
    }
}

/// Literals of lists and maps have one type, except in the arguments of `format`.
fn aggregates(checked: &Checked, expr: &IdedExpr, issues: &mut Issues<'_>) {
    let mut mismatch = |item: &IdedExpr, expected: &Type, found: &Type| {
        let message = format!("expected type '{expected}' but found '{found}'");
        issues.add_at(checked.offsets.of(item.id), message);
    };
    match &expr.expr {
        Expr::Call(call) if call.func_name == "format" => return,
        Expr::List(list) => {
            let ty = |index: usize, item: &IdedExpr| {
                of_optional(checked.ty(item), list.optional_indices.contains(&index))
            };
            let mut items = list.elements.iter().enumerate();
            if let Some((index, first)) = items.next() {
                let first = ty(index, first);
                let other = items.find(|(index, item)| !first.is_equivalent(&ty(*index, item)));
                if let Some((index, item)) = other {
                    mismatch(item, &first, &ty(index, item));
                }
            }
        }
        Expr::Map(map) => {
            let mut first: Option<(Type, Type)> = None;
            for entry in &map.entries {
                let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
                let (key, value) =
                    (checked.ty(&entry.key).clone(), of_optional(checked.ty(&entry.value), entry.optional));
                match &first {
                    None => first = Some((key, value)),
                    Some((keys, values)) => {
                        if !keys.is_equivalent(&key) {
                            mismatch(&entry.key, keys, &key);
                        }
                        if !values.is_equivalent(&value) {
                            mismatch(&entry.value, values, &value);
                        }
                    }
                }
            }
        }
        _ => {}
    }
    children(expr, &mut |child| aggregates(checked, child, issues));
}

fn of_optional(ty: &Type, optional: bool) -> Type {
    match ty.unwrap_optional() {
        Some(inner) if optional => inner.clone(),
        _ => ty.clone(),
    }
}

fn children<'e>(expr: &'e IdedExpr, see: &mut dyn FnMut(&'e IdedExpr)) {
    match &expr.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).for_each(see),
        Expr::Select(select) => see(&select.operand),
        Expr::List(list) => list.elements.iter().for_each(see),
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    see(&entry.key);
                    see(&entry.value);
                }
            }
        }
        Expr::Struct(object) => {
            for entry in &object.entries {
                if let EntryExpr::StructField(field) = &entry.expr {
                    see(&field.value);
                }
            }
        }
        Expr::Comprehension(fold) => {
            for part in [&fold.iter_range, &fold.accu_init, &fold.loop_cond, &fold.loop_step, &fold.result] {
                see(part);
            }
        }
        _ => {}
    }
}
