//! The cost of calls of CEL's functions.

use cel::common::ast::{Expr, IdedExpr, LiteralValue};

use super::{CHARACTER, Coster, EntrySize, Estimate, LIST, Operand, PATTERN};
use crate::types::Type;

/// A call of an overload.
pub(super) struct Call<'a, 'c> {
    pub(super) expr: &'c IdedExpr,
    pub(super) name: &'a str,
    pub(super) overload: &'a str,
    pub(super) target: Option<&'a Operand<'c>>,
    pub(super) arguments: &'a [Operand<'c>],
}

/// A cost, and the size of the result if it is known.
pub(super) type CallCost = (Estimate, Option<Estimate>);

impl<'c> Coster<'c> {
    /// The cost of a call with its arguments, and the size of its result.
    pub(super) fn overload(&mut self, call: &Call<'_, 'c>, costs: &[Estimate]) -> CallCost {
        let sum = costs.iter().fold(Estimate::default(), |sum, cost| sum.add(*cost));
        let own = self.of_lists(call).or_else(|| self.of_kubernetes(call));
        if let Some((cost, size)) = own {
            return (cost.add(sum), size);
        }
        match call.overload {
            "logical_and" | "logical_or" => {
                let first = costs.first().copied().unwrap_or_default();
                (Estimate { min: first.min, max: sum.max }, None)
            }
            "conditional" => {
                let [condition, yes, no] = costs else { return (sum, None) };
                let size = known(&call.arguments[1]).union(known(&call.arguments[2]));
                let entry = self.common_entry_size(&call.arguments[1], &call.arguments[2]);
                self.set_entry_size(call.expr, entry);
                (condition.add(yes.union(*no)), Some(size))
            }
            "add_string" | "add_bytes" | "add_list" => {
                let [one, other] = call.arguments else { return (sum, None) };
                let size = known(one).add(known(other));
                let entry = self.common_entry_size(one, other);
                self.set_entry_size(call.expr, entry);
                let own =
                    if call.overload == "add_list" { Estimate::fixed(1) } else { size.scale(CHARACTER) };
                (own.add(sum), Some(size))
            }
            _ => {
                let (cost, size) = of_standard(call);
                (cost.add(sum), size)
            }
        }
    }

    fn common_entry_size(&self, one: &Operand<'c>, other: &Operand<'c>) -> Option<EntrySize> {
        let (one, other) = (self.entry_size(one.expr?)?, self.entry_size(other.expr?)?);
        Some(EntrySize {
            is_list: one.is_list,
            key: one.key.union(other.key),
            value: one.value.union(other.value),
        })
    }

    /// The functions of lists and sets that cel-go's extensions have.
    fn of_lists(&self, call: &Call<'_, 'c>) -> Option<CallCost> {
        let allocating = |factor: f64, size: Estimate| {
            Some((size.scale(factor).add(Estimate::fixed(1 + LIST)), Some(size)))
        };
        let argument = |index: usize, default: u64| {
            call.arguments.get(index).map_or(default, |operand| literal(operand, default))
        };
        match call.overload {
            "list_slice" => {
                let size = self.estimated(call.target?);
                let (start, end) = (argument(0, 0), argument(1, size.max));
                allocating(1.0, Estimate::fixed(end.wrapping_sub(start)))
            }
            "lists_range" => allocating(1.0, Estimate::fixed(argument(0, u64::MAX))),
            "list_reverse" => allocating(1.0, self.estimated(call.target?)),
            "list_flatten" => allocating(1.0, self.estimated(call.target?)),
            "list_flatten_int" => allocating(argument(0, u64::MAX) as f64, self.estimated(call.target?)),
            "list_distinct" => {
                let size = self.estimated(call.target?);
                allocating(2.0, size.multiply(size))
            }
            overload if overload.ends_with("_sort") || overload.ends_with("_sortByAssociatedKeys") => {
                let sorted =
                    if overload.ends_with("_sort") { call.target? } else { call.arguments.first()? };
                let size = self.estimated(sorted);
                let texts = overload.starts_with("list_string") || overload.starts_with("list_bytes");
                allocating(if texts { 2.0 + CHARACTER } else { 2.0 }, size.multiply(size))
            }
            "list_sets_contains_list" | "list_sets_intersects_list" | "list_sets_equivalent_list" => {
                let [one, other] = call.arguments else { return None };
                let factor = if call.overload == "list_sets_equivalent_list" { 2.0 } else { 1.0 };
                let product = self.estimated(one).multiply(self.estimated(other));
                Some((product.scale(factor).add(Estimate::fixed(1)), None))
            }
            _ => None,
        }
    }

    /// The size of an operand, by the expression or by the schema.
    pub(super) fn estimated(&self, operand: &Operand<'_>) -> Estimate {
        operand.size.or_else(|| self.schema_size(&operand.path)).unwrap_or(Estimate::UNKNOWN)
    }
}

/// The size of an operand, by the expression.
fn known(operand: &Operand<'_>) -> Estimate {
    operand.size.unwrap_or(Estimate::UNKNOWN)
}

/// The value of a literal integer.
fn literal(operand: &Operand<'_>, default: u64) -> u64 {
    match operand.expr.map(|expr| &expr.expr) {
        Some(Expr::Literal(LiteralValue::Int(value))) => u64::try_from(*value.inner()).unwrap_or_default(),
        _ => default,
    }
}

fn of_standard(call: &Call<'_, '_>) -> CallCost {
    let one = (Estimate::fixed(1), None);
    let arguments = call.arguments;
    match call.overload {
        "string_format" => match call.target {
            Some(target) => (known(target).scale(CHARACTER), None),
            None => one,
        },
        "string_to_bytes" => {
            let size = known(&arguments[0]);
            (size.scale(CHARACTER), Some(Estimate { min: size.min, max: size.max.wrapping_mul(4) }))
        }
        "bytes_to_string" => {
            let size = known(&arguments[0]);
            (size.scale(CHARACTER), Some(Estimate { min: size.min / 4, max: size.max }))
        }
        "strings_quote" => {
            let size = known(&arguments[0]);
            let quoted =
                Estimate { min: size.min.wrapping_add(2), max: size.max.wrapping_mul(2).wrapping_add(2) };
            (size.scale(CHARACTER), Some(quoted))
        }
        "starts_with_string" | "ends_with_string" => (known(&arguments[0]).scale(CHARACTER), None),
        "in_list" => (known(&arguments[1]).scale(1.0), None),
        "matches" | "matches_string" => {
            let (text, pattern) = match (call.target, arguments) {
                (Some(target), [pattern]) => (target, pattern),
                (None, [text, pattern]) => (text, pattern),
                _ => return one,
            };
            (matching(known(text), known(pattern)), None)
        }
        "contains_string" => match (call.target, arguments) {
            (Some(target), [part]) => {
                (known(target).scale(CHARACTER).multiply(known(part).scale(CHARACTER)), None)
            }
            _ => one,
        },
        "less_string"
        | "greater_string"
        | "less_equals_string"
        | "greater_equals_string"
        | "less_bytes"
        | "greater_bytes"
        | "less_equals_bytes"
        | "greater_equals_bytes"
        | "equals"
        | "not_equals" => {
            let [one, other] = arguments else { return one };
            let max = known(one).max.min(known(other).max);
            (Estimate { min: u64::from(max > 0), max }.scale(CHARACTER), None)
        }
        _ => one,
    }
}

/// The cost of matching a text of some size with a pattern of some size.
pub(super) fn matching(text: Estimate, pattern: Estimate) -> Estimate {
    text.add(Estimate::fixed(1)).scale(CHARACTER).multiply(pattern.scale(PATTERN))
}

/// Returns true if the items of a list are strings or bytes.
pub(super) fn has_texts(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::Bytes)
}
