//! [`visit`], a walk over a syntax tree.

use cel::common::ast::{EntryExpr, Expr, IdedExpr};

/// Calls a function with an expression and all below it, parents first.
pub(crate) fn visit<'e>(expr: &'e IdedExpr, see: &mut dyn FnMut(&'e IdedExpr)) {
    see(expr);
    match &expr.expr {
        Expr::Call(call) => {
            call.target.as_deref().into_iter().chain(&call.args).for_each(|part| visit(part, see))
        }
        Expr::Select(select) => visit(&select.operand, see),
        Expr::List(list) => list.elements.iter().for_each(|item| visit(item, see)),
        Expr::Map(map) => map.entries.iter().for_each(|entry| visit_entry(&entry.expr, see)),
        Expr::Struct(object) => object.entries.iter().for_each(|entry| visit_entry(&entry.expr, see)),
        Expr::Comprehension(fold) => {
            for part in [&fold.iter_range, &fold.accu_init, &fold.loop_cond, &fold.loop_step, &fold.result] {
                visit(part, see);
            }
        }
        _ => {}
    }
}

fn visit_entry<'e>(entry: &'e EntryExpr, see: &mut dyn FnMut(&'e IdedExpr)) {
    match entry {
        EntryExpr::MapEntry(entry) => {
            visit(&entry.key, see);
            visit(&entry.value, see);
        }
        EntryExpr::StructField(field) => visit(&field.value, see),
    }
}
