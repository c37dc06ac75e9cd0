//! Estimates of the cost of expressions, in the units and by the rules of cel-go.

mod call;
mod estimate;
mod kubernetes;

use std::collections::HashMap;
use std::sync::Arc;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr,
};

use crate::check::Checked;
use crate::expand::ACCUMULATOR;
use crate::schema::{Schema, SchemaKind};
use crate::types::Type;

pub use estimate::Estimate;

/// The cost of an access to a variable or field.
pub(crate) const ACCESS: u64 = 1;
/// The cost of a new list.
pub(crate) const LIST: u64 = 10;
/// The cost of a new map.
pub(crate) const MAP: u64 = 30;
/// The cost of a new object.
pub(crate) const OBJECT: u64 = 40;
/// The cost of reading a character.
pub(crate) const CHARACTER: f64 = 0.1;
/// The cost of a character of a regular expression.
pub(crate) const PATTERN: f64 = 0.25;

/// The place of a value in a variable: the variable, then fields, `@items`, `@keys` and `@values`.
type Path = Vec<Arc<str>>;

/// Estimates the cost of an expression on values of a schema.
pub(crate) fn estimate(checked: &Checked, schema: Option<&Arc<Schema>>) -> Estimate {
    let mut coster = Coster {
        checked,
        schema,
        paths: HashMap::new(),
        locals: Vec::new(),
        sizes: HashMap::new(),
        entry_sizes: HashMap::new(),
    };
    coster.cost(&checked.root)
}

struct Coster<'c> {
    checked: &'c Checked,
    schema: Option<&'c Arc<Schema>>,
    paths: HashMap<u64, Path>,
    /// The variables of comprehensions, the innermost last.
    locals: Vec<Local<'c>>,
    sizes: HashMap<u64, Estimate>,
    entry_sizes: HashMap<u64, EntrySize>,
}

struct Local<'c> {
    name: &'c str,
    path: Path,
    size: Option<Estimate>,
    entry_size: Option<EntrySize>,
}

/// The sizes of the entries of a list or map.
#[derive(Clone, Copy)]
struct EntrySize {
    is_list: bool,
    key: Estimate,
    value: Estimate,
}

/// A target or argument of a call.
#[derive(Clone)]
struct Operand<'c> {
    expr: Option<&'c IdedExpr>,
    ty: &'c Type,
    path: Path,
    size: Option<Estimate>,
}

impl<'c> Coster<'c> {
    fn cost(&mut self, expr: &'c IdedExpr) -> Estimate {
        match &expr.expr {
            Expr::Ident(name) => {
                let local = self.local(name).map(|local| local.path.clone());
                self.paths.insert(expr.id, local.unwrap_or_else(|| vec![name.as_str().into()]));
                // The names of types are constants.
                Estimate::fixed(ACCESS)
            }
            Expr::Select(select) => {
                let cost = self.cost(&select.operand);
                if select.test {
                    return cost;
                }
                let mut path = self.path(&select.operand);
                path.push(select.field.as_str().into());
                self.paths.insert(expr.id, path);
                match self.checked.ty(&select.operand) {
                    Type::Map(_) | Type::Struct(_) | Type::Param(_) => cost.add(Estimate::fixed(ACCESS)),
                    _ => cost,
                }
            }
            Expr::Call(call) => self.call(expr, call),
            Expr::List(list) => self.list(expr, list),
            Expr::Map(map) => self.map(expr, map),
            Expr::Struct(object) => {
                let fields = object.entries.iter().filter_map(|entry| match &entry.expr {
                    EntryExpr::StructField(field) => Some(&field.value),
                    EntryExpr::MapEntry(_) => None,
                });
                let mut sum = Estimate::fixed(OBJECT);
                for field in fields {
                    sum = sum.add(self.cost(field));
                }
                sum
            }
            Expr::Comprehension(fold) if is_bind(fold) => self.bind(expr, fold),
            Expr::Comprehension(fold) => self.comprehension(expr, fold),
            Expr::Literal(_) | Expr::Unspecified => Estimate::default(),
        }
    }

    fn local(&self, name: &str) -> Option<&Local<'c>> {
        self.locals.iter().rev().find(|local| local.name == name)
    }

    fn path(&self, expr: &IdedExpr) -> Path {
        if let Expr::Ident(name) = &expr.expr
            && let Some(local) = self.local(name)
        {
            return local.path.clone();
        }
        self.paths.get(&expr.id).cloned().unwrap_or_default()
    }

    fn operand(&mut self, expr: &'c IdedExpr) -> Operand<'c> {
        let mut path = self.path(expr);
        if path.first().is_some_and(|root| matches!(&**root, ACCUMULATOR | "__result__")) {
            path.clear();
        }
        Operand { expr: Some(expr), ty: self.checked.ty(expr), path, size: self.size(expr) }
    }

    fn set_size(&mut self, expr: &IdedExpr, size: Option<Estimate>) {
        if let Some(size) = size {
            self.sizes.insert(expr.id, size);
        }
    }

    fn set_entry_size(&mut self, expr: &IdedExpr, size: Option<EntrySize>) {
        if let Some(size) = size {
            self.entry_sizes.insert(expr.id, size);
        }
    }

    fn size(&mut self, expr: &IdedExpr) -> Option<Estimate> {
        if let Some(size) = self.sizes.get(&expr.id) {
            return Some(*size);
        }
        if let Some(size) = own_size(expr) {
            return Some(Estimate::fixed(size));
        }
        if let Some(size) = self.schema_size(&self.path(expr)) {
            self.sizes.insert(expr.id, size);
            return Some(size);
        }
        if is_scalar(self.checked.ty(expr)) {
            return Some(Estimate::fixed(1));
        }
        match &expr.expr {
            Expr::Ident(name) => self.local(name).and_then(|local| local.size),
            _ => None,
        }
    }

    fn size_or_unknown(&mut self, expr: &IdedExpr) -> Estimate {
        self.size(expr).unwrap_or(Estimate::UNKNOWN)
    }

    fn entry_size(&self, expr: &IdedExpr) -> Option<EntrySize> {
        if let Some(size) = self.entry_sizes.get(&expr.id) {
            return Some(*size);
        }
        match &expr.expr {
            Expr::Ident(name) => self.local(name).and_then(|local| local.entry_size),
            _ => None,
        }
    }

    /// The size that the schema allows at a path; the variable at its beginning does not matter.
    fn schema_size(&self, path: &[Arc<str>]) -> Option<Estimate> {
        let mut schema = &**self.schema?;
        let mut names = path.iter();
        names.next()?;
        while let Some(name) = names.next() {
            schema = match (&**name, &schema.kind) {
                ("@items" | "@values", SchemaKind::List(inner, _) | SchemaKind::Map(inner)) => inner,
                // Nothing is known of the length of keys, which Kubernetes takes for none.
                ("@keys", SchemaKind::Map(_)) => return names.next().is_none().then(Estimate::default),
                (name, SchemaKind::Object(_)) => schema.declared_field(name)?,
                _ => return None,
            };
        }
        Some(Estimate { min: 0, max: u64::try_from(schema.max_size).unwrap_or_default() })
    }

    fn list(&mut self, expr: &'c IdedExpr, list: &'c ListExpr) -> Estimate {
        let mut sum = Estimate::fixed(LIST);
        let min = if list.elements.is_empty() { 0 } else { u64::MAX };
        let mut size = Estimate { min, max: 0 };
        for item in &list.elements {
            sum = sum.add(self.cost(item));
            size = size.union(self.size_or_unknown(item));
        }
        let entry = EntrySize { is_list: true, key: Estimate::fixed(1), value: size };
        self.entry_sizes.insert(expr.id, entry);
        sum
    }

    fn map(&mut self, expr: &'c IdedExpr, map: &'c MapExpr) -> Estimate {
        let mut sum = Estimate::fixed(MAP);
        let min = if map.entries.is_empty() { 0 } else { u64::MAX };
        let (mut keys, mut values) = (Estimate { min, max: 0 }, Estimate { min, max: 0 });
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
            sum = sum.add(self.cost(&entry.key)).add(self.cost(&entry.value));
            keys = keys.union(self.size_or_unknown(&entry.key));
            values = values.union(self.size_or_unknown(&entry.value));
        }
        self.entry_sizes.insert(expr.id, EntrySize { is_list: false, key: keys, value: values });
        sum
    }

    fn bind(&mut self, expr: &'c IdedExpr, fold: &'c ComprehensionExpr) -> Estimate {
        let sum = self.cost(&fold.iter_range).add(self.cost(&fold.accu_init));
        self.push_value(&fold.accu_var, &fold.accu_init);
        let sum = sum.add(self.cost(&fold.result));
        self.copy_size(expr, &fold.result);
        self.locals.pop();
        sum
    }

    fn copy_size(&mut self, to: &IdedExpr, from: &IdedExpr) {
        let size = self.size(from);
        self.set_size(to, size);
        let entry_size = self.entry_size(from);
        self.set_entry_size(to, entry_size);
    }

    /// Declares a variable for the value of an expression.
    fn push_value(&mut self, name: &'c str, expr: &'c IdedExpr) {
        let (path, size, entry_size) = (self.path(expr), self.size(expr), self.entry_size(expr));
        self.locals.push(Local { name, path, size, entry_size });
    }

    /// Declares a variable for the keys or values of a range.
    fn push_entry(&mut self, name: &'c str, range: &'c IdedExpr, part: Part) {
        let entry = self.entry_size(range);
        let is_list = entry.map_or(matches!(self.checked.ty(range), Type::List(_)), |entry| entry.is_list);
        let (below, size) = match (part, is_list) {
            (Part::Key, true) => ("@indices", entry.map(|entry| entry.key)),
            (Part::Key, false) | (Part::Single, false) => ("@keys", entry.map(|entry| entry.key)),
            (Part::Value, false) => ("@values", entry.map(|entry| entry.value)),
            (Part::Value, true) | (Part::Single, true) => ("@items", entry.map(|entry| entry.value)),
        };
        let mut path = self.path(range);
        path.push(below.into());
        self.locals.push(Local { name, path, size, entry_size: None });
    }

    fn comprehension(&mut self, expr: &'c IdedExpr, fold: &'c ComprehensionExpr) -> Estimate {
        let sum = self.cost(&fold.iter_range).add(self.cost(&fold.accu_init));
        let outer = self.locals.len();
        self.push_value(&fold.accu_var, &fold.accu_init);
        match &fold.iter_var2 {
            Some(second) => {
                self.push_entry(&fold.iter_var, &fold.iter_range, Part::Key);
                self.push_entry(second, &fold.iter_range, Part::Value);
            }
            None => self.push_entry(&fold.iter_var, &fold.iter_range, Part::Single),
        }
        let round = self.cost(&fold.loop_cond).add(self.cost(&fold.loop_step));
        self.locals.truncate(outer + 1);
        let sum = sum.add(self.cost(&fold.result));
        self.locals.truncate(outer);
        let rounds = self.size_or_unknown(&fold.iter_range);
        match &fold.accu_init.expr {
            Expr::Literal(_) => {
                let size = self.size(&fold.accu_init);
                self.set_size(expr, size);
            }
            Expr::List(_) | Expr::Map(_) => {
                self.set_size(expr, Some(rounds));
                let entry_size = self.entry_size(&fold.loop_step);
                self.set_entry_size(expr, entry_size);
            }
            _ => {}
        }
        sum.add(rounds.multiply(round))
    }

    fn call(&mut self, expr: &'c IdedExpr, call: &'c CallExpr) -> Estimate {
        if call.func_name == "dyn"
            && let Some(argument) = call.args.first()
        {
            let cost = self.cost(argument);
            self.copy_size(expr, argument);
            return cost.add(Estimate::fixed(1));
        }
        let mut costs = Vec::with_capacity(call.args.len());
        let mut arguments = Vec::with_capacity(call.args.len());
        for argument in &call.args {
            costs.push(self.cost(argument));
            arguments.push(self.operand(argument));
        }
        let checked = self.checked;
        let overloads = checked.overloads(expr.id);
        if overloads.is_empty() {
            return Estimate::default();
        }
        let mut sum = Estimate::default();
        let target = match &call.target {
            Some(target) => {
                sum = sum.add(self.cost(target));
                Some(self.operand(target))
            }
            None => None,
        };
        let mut own = Estimate { min: u64::MAX, max: 0 };
        let mut size: Option<Estimate> = None;
        for overload in overloads {
            let call = call::Call {
                expr,
                name: &call.func_name,
                overload,
                target: target.as_ref(),
                arguments: &arguments,
            };
            let (cost, result) = self.overload(&call, &costs);
            own = own.union(cost);
            if let Some(result) = result {
                size = Some(size.map_or(result, |size| size.union(result)));
            }
            let below = match *overload {
                "index_list" => Some("@items"),
                "index_map" => Some("@values"),
                _ => None,
            };
            if let (Some(below), Some(indexed)) =
                (below, call.arguments.first().and_then(|operand| operand.expr))
            {
                size = self.entry_size(indexed).map(|entry| entry.value);
                let mut path = self.path(indexed);
                path.push(below.into());
                self.paths.insert(expr.id, path);
            }
            if size.is_none() {
                size = self.size(expr);
            }
        }
        self.set_size(expr, size);
        sum.add(own)
    }
}

/// A part of the entries of a range.
#[derive(Clone, Copy)]
enum Part {
    Key,
    Value,
    /// The key of a map, or the item of a list.
    Single,
}

/// Returns true for a comprehension that declares a variable and has no iterations.
fn is_bind(fold: &ComprehensionExpr) -> bool {
    let no_range = matches!(&fold.iter_range.expr, Expr::List(list) if list.elements.is_empty());
    let no_rounds =
        matches!(&fold.loop_cond.expr, Expr::Literal(LiteralValue::Boolean(value)) if !*value.inner());
    no_range && no_rounds && fold.accu_var != "__result__"
}

/// The size of a literal.
fn own_size(expr: &IdedExpr) -> Option<u64> {
    Some(match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => text.inner().chars().count() as u64,
        Expr::Literal(LiteralValue::Bytes(bytes)) => bytes.inner().len() as u64,
        Expr::Literal(_) => 1,
        Expr::List(list) => list.elements.len() as u64,
        Expr::Map(map) => map.entries.len() as u64,
        _ => return None,
    })
}

fn is_scalar(ty: &Type) -> bool {
    match ty {
        Type::Bool | Type::Double | Type::Duration | Type::Int | Type::Timestamp | Type::Uint => true,
        ty => ty.unwrap_optional().is_some_and(is_scalar),
    }
}
