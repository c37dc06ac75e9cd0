//! Expansion of macros: calls such as `all` and `has` that are written in terms of other expressions.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr, operators,
};

use crate::effort::{self, Interrupted};
use crate::issue::Issues;
use crate::offsets::Offsets;
use crate::visit::visit;

/// The variable that comprehensions accumulate in.
pub(crate) const ACCUMULATOR: &str = "@result";

/// The iteration variable of a comprehension without iterations.
const UNUSED: &str = "#unused";

const SORTED: &str = "@__sortBy_input__";

/// The nodes that macros may make. One that copies its target doubles it, so that a chain of them grows exponentially.
const NODES_MAX: usize = 250_000;

/// The effort of copying a node.
const COPY: u64 = 8;

pub(crate) struct Expander<'x, 's> {
    pub(crate) offsets: &'x mut Offsets,
    pub(crate) issues: &'x mut Issues<'s>,
    /// True after a macro that makes too many nodes, which is reported once.
    pub(crate) is_full: bool,
}

/// The variables of a comprehension.
type Variables = (String, Option<String>);

/// A problem with a macro, and the node it is at.
type Problem = (u64, String);

impl Expander<'_, '_> {
    /// Expands the macros of an expression, those inside of others first.
    pub(crate) fn expand(&mut self, expr: &mut IdedExpr) {
        match &mut expr.expr {
            Expr::Call(call) => {
                if let Some(target) = &mut call.target {
                    self.expand(target);
                }
                call.args.iter_mut().for_each(|argument| self.expand(argument));
            }
            Expr::Select(select) => self.expand(&mut select.operand),
            Expr::List(list) => list.elements.iter_mut().for_each(|item| self.expand(item)),
            Expr::Map(MapExpr { entries }) => {
                entries.iter_mut().for_each(|entry| self.entry(&mut entry.expr))
            }
            Expr::Struct(object) => object.entries.iter_mut().for_each(|entry| self.entry(&mut entry.expr)),
            Expr::Comprehension(fold) => {
                let parts = [
                    &mut fold.iter_range,
                    &mut fold.accu_init,
                    &mut fold.loop_cond,
                    &mut fold.loop_step,
                    &mut fold.result,
                ];
                parts.into_iter().for_each(|part| self.expand(part));
            }
            _ => {}
        }
        let Expr::Call(CallExpr { func_name, target, args }) = &expr.expr else { return };
        if self.is_full {
            return;
        }
        if target.is_none() {
            if func_name == "has" && args.len() == 1 {
                self.has(expr);
            }
            return;
        }
        let expand: fn(&mut Self, u64, IdedExpr, Vec<IdedExpr>) -> Result<Expr, Problem> =
            match (func_name.as_str(), args.len()) {
                ("optMap", 2) => Self::opt_map,
                ("optFlatMap", 2) => Self::opt_flat_map,
                ("sortBy", 2) => Self::sort_by,
                ("all", 2 | 3) => Self::all,
                ("exists", 2 | 3) => Self::exists,
                ("exists_one", 2 | 3) | ("existsOne", 3) => Self::exists_one,
                ("map", 2 | 3) => Self::map,
                ("filter", 2) => Self::filter,
                ("transformList", 3 | 4) => Self::transform_list,
                ("transformMap", 3 | 4) => Self::transform_map,
                ("transformMapEntry", 3 | 4) => Self::transform_map_entry,
                _ => return,
            };
        let Expr::Call(CallExpr { target: Some(target), args, .. }) = std::mem::take(&mut expr.expr) else {
            return;
        };
        match expand(self, expr.id, *target, args) {
            Ok(expanded) => expr.expr = expanded,
            Err((id, message)) => self.issues.add_at(self.offsets.of(id), message),
        }
    }

    /// `has(a.b)`: a selection that tests for the field.
    fn has(&mut self, expr: &mut IdedExpr) {
        let Expr::Call(call) = &mut expr.expr else { return };
        let argument = call.args.remove(0);
        match argument.expr {
            Expr::Select(mut select) => {
                select.test = true;
                expr.expr = Expr::Select(select);
            }
            _ => self.issues.add_at(self.offsets.of(argument.id), "invalid argument to has() macro"),
        }
    }

    fn entry(&mut self, entry: &mut EntryExpr) {
        match entry {
            EntryExpr::MapEntry(entry) => {
                self.expand(&mut entry.key);
                self.expand(&mut entry.value);
            }
            EntryExpr::StructField(field) => self.expand(&mut field.value),
        }
    }

    /// A node at the place of another.
    fn node(&mut self, origin: u64, expr: Expr) -> IdedExpr {
        let id = self.offsets.first_added + self.offsets.added.len() as u64;
        let origin = origin.checked_sub(self.offsets.first_added).map_or(origin, |index| {
            let known = usize::try_from(index).ok().and_then(|index| self.offsets.added.get(index));
            known.copied().unwrap_or(origin)
        });
        self.offsets.added.push(origin);
        IdedExpr { id, expr }
    }

    fn ident(&mut self, origin: u64, name: &str) -> IdedExpr {
        self.node(origin, Expr::Ident(name.to_owned()))
    }

    fn boolean(&mut self, origin: u64, value: bool) -> IdedExpr {
        self.node(origin, Expr::Literal(LiteralValue::Boolean(value.into())))
    }

    fn int(&mut self, origin: u64, value: i64) -> IdedExpr {
        self.node(origin, Expr::Literal(LiteralValue::Int(value.into())))
    }

    fn call(&mut self, origin: u64, name: &str, args: Vec<IdedExpr>) -> IdedExpr {
        self.node(origin, call(name, None, args))
    }

    fn list(&mut self, origin: u64, items: Vec<IdedExpr>) -> IdedExpr {
        self.node(origin, Expr::List(ListExpr::new(items)))
    }

    /// A copy of an expression with nodes of its own, for the macro at a node.
    fn copy(&mut self, at: u64, expr: &IdedExpr) -> Result<IdedExpr, Problem> {
        let mut nodes = self.offsets.added.len();
        let before = nodes;
        visit(expr, &mut |_| nodes += 1);
        if nodes > NODES_MAX {
            self.is_full = true;
            return Err((
                at,
                format!("expression is too large: its macros make more than {NODES_MAX} nodes"),
            ));
        }
        effort::take((nodes - before) as u64 * COPY).map_err(|_| (at, Interrupted.to_string()))?;
        let mut copy = expr.clone();
        self.renumber(&mut copy);
        Ok(copy)
    }

    fn renumber(&mut self, expr: &mut IdedExpr) {
        let inner = std::mem::take(&mut expr.expr);
        *expr = self.node(expr.id, inner);
        match &mut expr.expr {
            Expr::Call(call) => {
                call.target.iter_mut().for_each(|target| self.renumber(target));
                call.args.iter_mut().for_each(|argument| self.renumber(argument));
            }
            Expr::Select(select) => self.renumber(&mut select.operand),
            Expr::List(list) => list.elements.iter_mut().for_each(|item| self.renumber(item)),
            Expr::Map(map) => map.entries.iter_mut().for_each(|entry| self.renumber_entry(&mut entry.expr)),
            Expr::Struct(object) => {
                object.entries.iter_mut().for_each(|entry| self.renumber_entry(&mut entry.expr))
            }
            Expr::Comprehension(fold) => {
                let parts = [
                    &mut fold.iter_range,
                    &mut fold.accu_init,
                    &mut fold.loop_cond,
                    &mut fold.loop_step,
                    &mut fold.result,
                ];
                parts.into_iter().for_each(|part| self.renumber(part));
            }
            _ => {}
        }
    }

    fn renumber_entry(&mut self, entry: &mut EntryExpr) {
        match entry {
            EntryExpr::MapEntry(entry) => {
                self.renumber(&mut entry.key);
                self.renumber(&mut entry.value);
            }
            EntryExpr::StructField(field) => self.renumber(&mut field.value),
        }
    }

    /// An expression with a variable for the value of another.
    fn bind(&mut self, at: u64, name: &str, value: IdedExpr, result: IdedExpr) -> Expr {
        let fold = ComprehensionExpr {
            iter_range: self.list(at, Vec::new()),
            iter_var: UNUSED.to_owned(),
            iter_var2: None,
            accu_var: name.to_owned(),
            accu_init: value,
            loop_cond: self.boolean(at, false),
            loop_step: self.ident(at, name),
            result,
        };
        Expr::Comprehension(Box::new(fold))
    }

    fn opt_map(&mut self, at: u64, target: IdedExpr, args: Vec<IdedExpr>) -> Result<Expr, Problem> {
        self.map_optional(at, target, args, "optMap", true)
    }

    fn opt_flat_map(&mut self, at: u64, target: IdedExpr, args: Vec<IdedExpr>) -> Result<Expr, Problem> {
        self.map_optional(at, target, args, "optFlatMap", false)
    }

    fn map_optional(
        &mut self,
        at: u64,
        target: IdedExpr,
        args: Vec<IdedExpr>,
        name: &str,
        wrap: bool,
    ) -> Result<Expr, Problem> {
        let [variable, transform] = <[IdedExpr; 2]>::try_from(args).map_err(|_| (at, String::new()))?;
        let Expr::Ident(variable) = variable.expr else {
            return Err((variable.id, format!("{name}() variable name must be a simple identifier")));
        };
        let copy = self.copy(at, &target)?;
        let present = self.node(at, call("hasValue", Some(target), Vec::new()));
        let value = self.node(at, call("value", Some(copy), Vec::new()));
        let bound = self.bind(at, &variable, value, transform);
        let bound = self.node(at, bound);
        let bound = if wrap { self.call(at, "optional.of", vec![bound]) } else { bound };
        let none = self.call(at, "optional.none", Vec::new());
        Ok(call(operators::CONDITIONAL, None, vec![present, bound, none]))
    }

    fn sort_by(&mut self, at: u64, target: IdedExpr, args: Vec<IdedExpr>) -> Result<Expr, Problem> {
        let sortable = matches!(
            target.expr,
            Expr::List(_) | Expr::Select(_) | Expr::Ident(_) | Expr::Comprehension(_) | Expr::Call(_)
        );
        if !sortable {
            let message =
                "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
            return Err((target.id, message.to_owned()));
        }
        let input = self.ident(at, SORTED);
        let keys = self.map(at, input, args)?;
        let keys = self.node(at, keys);
        let input = self.ident(at, SORTED);
        let sorted = self.node(at, call("@sortByAssociatedKeys", Some(input), vec![keys]));
        Ok(self.bind(at, SORTED, target, sorted))
    }

    fn all(&mut self, at: u64, target: IdedExpr, args: Vec<IdedExpr>) -> Result<Expr, Problem> {
        self.quantified(at, target, args, true)
    }

    fn exists(&mut self, at: u64, target: IdedExpr, args: Vec<IdedExpr>) -> Result<Expr, Problem> {
        self.quantified(at, target, args, false)
    }

    /// `all`, or `exists`: it goes on while the accumulated value is what it starts with.
    fn quantified(
        &mut self,
        at: u64,
        target: IdedExpr,
        args: Vec<IdedExpr>,
        all: bool,
    ) -> Result<Expr, Problem> {
        let (variables, mut rest) = variables(args)?;
        let mut condition = self.ident(at, ACCUMULATOR);
        if !all {
            condition = self.call(at, operators::LOGICAL_NOT, vec![condition]);
        }
        let condition = self.call(at, operators::NOT_STRICTLY_FALSE, vec![condition]);
        let accumulated = self.ident(at, ACCUMULATOR);
        let operator = if all { operators::LOGICAL_AND } else { operators::LOGICAL_OR };
        let step = self.call(at, operator, vec![accumulated, rest.remove(0)]);
        let start = self.boolean(at, all);
        let result = self.ident(at, ACCUMULATOR);
        Ok(fold(target, variables, start, condition, step, result))
    }

    fn exists_one(&mut self, at: u64, target: IdedExpr, args: Vec<IdedExpr>) -> Result<Expr, Problem> {
        let (variables, mut rest) = variables(args)?;
        let (accumulated, one) = (self.ident(at, ACCUMULATOR), self.int(at, 1));
        let counted = self.call(at, operators::ADD, vec![accumulated, one]);
        let accumulated = self.ident(at, ACCUMULATOR);
        let step = self.call(at, operators::CONDITIONAL, vec![rest.remove(0), counted, accumulated]);
        let (start, condition) = (self.int(at, 0), self.boolean(at, true));
        let (accumulated, one) = (self.ident(at, ACCUMULATOR), self.int(at, 1));
        let result = self.call(at, operators::EQUALS, vec![accumulated, one]);
        Ok(fold(target, variables, start, condition, step, result))
    }

    fn map(&mut self, at: u64, target: IdedExpr, mut args: Vec<IdedExpr>) -> Result<Expr, Problem> {
        let variable = iteration_variable(&args[0])?;
        let transform = args.pop().unwrap_or_default();
        let filter = args.drain(1..).next();
        Ok(self.collect(at, target, variable, filter, transform))
    }

    fn filter(&mut self, at: u64, target: IdedExpr, mut args: Vec<IdedExpr>) -> Result<Expr, Problem> {
        let variable = iteration_variable(&args[0])?;
        let filter = args.pop();
        let item = args.pop().unwrap_or_default();
        Ok(self.collect(at, target, variable, filter, item))
    }

    /// A list of what becomes of the items that the filter lets through.
    fn collect(
        &mut self,
        at: u64,
        target: IdedExpr,
        variable: String,
        filter: Option<IdedExpr>,
        transform: IdedExpr,
    ) -> Expr {
        let start = self.list(at, Vec::new());
        let accumulated = self.ident(at, ACCUMULATOR);
        let item = self.list(at, vec![transform]);
        let step = self.call(at, operators::ADD, vec![accumulated, item]);
        self.transform(at, target, (variable, None), filter, start, step)
    }

    fn transform_list(&mut self, at: u64, target: IdedExpr, args: Vec<IdedExpr>) -> Result<Expr, Problem> {
        let (variables, mut rest) = variables(args)?;
        let transform = rest.pop().unwrap_or_default();
        let accumulated = self.ident(at, ACCUMULATOR);
        let item = self.list(at, vec![transform]);
        let step = self.call(at, operators::ADD, vec![accumulated, item]);
        let start = self.list(at, Vec::new());
        Ok(self.transform(at, target, variables, rest.pop(), start, step))
    }

    fn transform_map(&mut self, at: u64, target: IdedExpr, args: Vec<IdedExpr>) -> Result<Expr, Problem> {
        let (variables, mut rest) = variables(args)?;
        let transform = rest.pop().unwrap_or_default();
        let (accumulated, key) = (self.ident(at, ACCUMULATOR), self.ident(at, &variables.0));
        let step = self.call(at, "cel.@mapInsert", vec![accumulated, key, transform]);
        let start = self.node(at, Expr::Map(MapExpr { entries: Vec::new() }));
        Ok(self.transform(at, target, variables, rest.pop(), start, step))
    }

    fn transform_map_entry(
        &mut self,
        at: u64,
        target: IdedExpr,
        args: Vec<IdedExpr>,
    ) -> Result<Expr, Problem> {
        let (variables, mut rest) = variables(args)?;
        let transform = rest.pop().unwrap_or_default();
        let accumulated = self.ident(at, ACCUMULATOR);
        let step = self.call(at, "cel.@mapInsert", vec![accumulated, transform]);
        let start = self.node(at, Expr::Map(MapExpr { entries: Vec::new() }));
        Ok(self.transform(at, target, variables, rest.pop(), start, step))
    }

    fn transform(
        &mut self,
        at: u64,
        target: IdedExpr,
        variables: Variables,
        filter: Option<IdedExpr>,
        start: IdedExpr,
        step: IdedExpr,
    ) -> Expr {
        let step = match filter {
            Some(filter) => {
                let accumulated = self.ident(at, ACCUMULATOR);
                self.call(at, operators::CONDITIONAL, vec![filter, step, accumulated])
            }
            None => step,
        };
        let condition = self.boolean(at, true);
        let result = self.ident(at, ACCUMULATOR);
        fold(target, variables, start, condition, step, result)
    }
}

fn call(name: &str, target: Option<IdedExpr>, args: Vec<IdedExpr>) -> Expr {
    Expr::Call(CallExpr { func_name: name.to_owned(), target: target.map(Box::new), args })
}

fn fold(
    range: IdedExpr,
    variables: Variables,
    start: IdedExpr,
    condition: IdedExpr,
    step: IdedExpr,
    result: IdedExpr,
) -> Expr {
    Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: range,
        iter_var: variables.0,
        iter_var2: variables.1,
        accu_var: ACCUMULATOR.to_owned(),
        accu_init: start,
        loop_cond: condition,
        loop_step: step,
        result,
    }))
}

fn simple_name(expr: &IdedExpr) -> Result<String, Problem> {
    match &expr.expr {
        Expr::Ident(name) => Ok(name.clone()),
        _ => Err((expr.id, "argument must be a simple name".to_owned())),
    }
}

/// The name of a variable, which must not be that of the accumulator.
fn iteration_variable(expr: &IdedExpr) -> Result<String, Problem> {
    let name = simple_name(expr)?;
    if matches!(name.as_str(), ACCUMULATOR | "__result__") {
        return Err((expr.id, "iteration variable overwrites accumulator variable".to_owned()));
    }
    Ok(name)
}

/// The one or two variables of a macro, and its last arguments.
fn variables(mut args: Vec<IdedExpr>) -> Result<(Variables, Vec<IdedExpr>), Problem> {
    if args.len() == 2 {
        let rest = args.split_off(1);
        return Ok(((iteration_variable(&args[0])?, None), rest));
    }
    let rest = args.split_off(2);
    let (one, other) = (simple_name(&args[0])?, simple_name(&args[1])?);
    if one == other {
        return Err((args[1].id, format!("duplicate variable name: {one}")));
    }
    let variables = (iteration_variable(&args[0])?, Some(iteration_variable(&args[1])?));
    Ok((variables, rest))
}
