//! Plans: checked expressions in the form in which they are evaluated.
//!
//! Names are resolved to slots, functions to their implementations, literals and lists of literals to values, and
//! constant regular expressions are compiled. Every node has the cost that cel-go charges for it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr, SelectExpr,
    StructExpr,
};

use crate::check::Checked;
use crate::cost::{LIST, MAP, OBJECT};
use crate::expand::ACCUMULATOR;
use crate::failure::{Failure, Result as Planned};
use crate::library::{self, Function, PatternFunction};
use crate::pattern::Pattern;
use crate::price::{Price, price};
use crate::types::Type;
use crate::value::{Key, MapBuilder, Value};

/// The name of the variable whose fields are composited variables.
pub(crate) const COMPOSITION: &str = "variables";

/// A variable that is an expression itself, evaluated when it is first read.
#[derive(Clone)]
pub(crate) struct Composited {
    pub(crate) name: String,
    /// The depth of the expression with the composited variables that it reads.
    pub(crate) depth: usize,
    /// The expression, or the message of the problem with it.
    pub(crate) root: Result<Arc<Node>, String>,
}

impl std::fmt::Debug for Composited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Composited").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A step of an evaluation.
pub(crate) enum Node {
    Constant(Value<'static>),
    /// A variable of the expression. `cost` is 0 for the branches of conditions, as in cel-go.
    Variable {
        name: Box<str>,
        index: usize,
        cost: u64,
    },
    /// A variable of a comprehension.
    Local {
        slot: usize,
        cost: u64,
    },
    /// A field of an object or the value of a key. `root` is the cost of an operand which is no variable.
    Select {
        operand: Box<Node>,
        field: Box<str>,
        optional: bool,
        root: u64,
    },
    Has {
        operand: Box<Node>,
        field: Box<str>,
        root: u64,
    },
    Index {
        operand: Box<Node>,
        index: Box<Node>,
        optional: bool,
        root: u64,
    },
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Condition(Box<[Node; 3]>),
    Equal {
        one: Box<Node>,
        other: Box<Node>,
        negated: bool,
    },
    /// Membership in a list of literals.
    Member {
        value: Box<Node>,
        known: HashSet<Key>,
        doubles: Vec<f64>,
    },
    Call {
        function: library::Native,
        arguments: Vec<Node>,
        price: Price,
    },
    Pattern {
        function: PatternFunction,
        arguments: Vec<Node>,
        compiled: Option<Arc<Pattern>>,
        price: Price,
    },
    /// `or` and `orValue`
    Else {
        optional: Box<Node>,
        other: Box<Node>,
        is_value: bool,
    },
    NotFalse(Box<Node>),
    List {
        items: Vec<(Node, bool)>,
    },
    Map {
        entries: Vec<(Node, Node, bool)>,
    },
    /// The value of a composited variable, or a test for it.
    Composited {
        index: usize,
        test: bool,
        cost: u64,
    },
    /// An object with fields, some of which may be left out.
    Object {
        name: Arc<str>,
        fields: Vec<(String, Node, bool)>,
    },
    /// A variable for a value, in a result.
    Bind {
        value: Box<Node>,
        result: Box<Node>,
    },
    Fold(Box<Fold>),
}

/// A comprehension. Its accumulator and variables have the slots after those of the comprehensions around it.
pub(crate) struct Fold {
    pub(crate) range: Node,
    pub(crate) start: Node,
    pub(crate) two: bool,
    pub(crate) condition: Node,
    pub(crate) step: Step,
    pub(crate) result: Node,
}

/// The change of an accumulator.
pub(crate) enum Step {
    Replace(Node),
    /// Adds an item to a list, if the filter is true.
    Append {
        filter: Option<Node>,
        item: Node,
        cost: u64,
    },
    /// Adds entries to a map, if the filter is true.
    Insert {
        filter: Option<Node>,
        entry: Vec<Node>,
    },
}

/// Plans an expression whose variables have these names; returns the depth of the composited variables that it reads.
pub(crate) fn plan(
    checked: &Checked,
    variables: &[String],
    composited: &[Composited],
) -> Planned<(Node, usize)> {
    let indices = variables.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
    let mut planner = Planner { checked, variables: indices, composited, deepest: 0, locals: Vec::new() };
    let root = planner.plan(&checked.root, true)?;
    Ok((root, planner.deepest))
}

struct Planner<'p> {
    checked: &'p Checked,
    variables: HashMap<&'p str, usize>,
    composited: &'p [Composited],
    /// The depth of the deepest composited variable that is read.
    deepest: usize,
    /// The names of the slots.
    locals: Vec<&'p str>,
}

impl<'p> Planner<'p> {
    /// Plans an expression; a variable or chain of fields that is not `observed` costs one less.
    fn plan(&mut self, expr: &'p IdedExpr, observed: bool) -> Planned<Node> {
        let cost = u64::from(observed);
        Ok(match &expr.expr {
            Expr::Literal(literal) => Node::Constant(constant(literal)),
            Expr::Ident(name) => {
                if let Some(slot) = self.locals.iter().rposition(|own| own == name) {
                    return Ok(Node::Local { slot, cost });
                }
                if self.checked.type_names.contains(&expr.id) {
                    if self.checked.ty(expr).is_patch_type() {
                        return Err(Failure::Error(format!("reference to undefined type: {name}")));
                    }
                    return Ok(Node::Constant(type_value(self.checked.ty(expr))));
                }
                let index = self.variables.get(name.as_str()).copied();
                Node::Variable {
                    name: name.as_str().into(),
                    index: index.ok_or_else(Failure::overload)?,
                    cost,
                }
            }
            Expr::Select(select) if let Some(index) = self.composited(select) => {
                Node::Composited { index, test: select.test, cost }
            }
            Expr::Select(select) => {
                let (operand, root) = self.operand(&select.operand, observed)?;
                let field = select.field.as_str().into();
                if select.test {
                    Node::Has { operand, field, root }
                } else {
                    Node::Select { operand, field, optional: false, root }
                }
            }
            Expr::Call(call) => self.call(expr, call, observed)?,
            Expr::List(list) => self.list(list)?,
            Expr::Map(map) => self.map(map)?,
            Expr::Comprehension(fold) => self.comprehension(fold)?,
            Expr::Struct(object) => self.object(object)?,
            Expr::Unspecified => return Err(Failure::overload()),
        })
    }

    /// Plans what a field is selected from, with its cost if it is no variable.
    fn operand(&mut self, expr: &'p IdedExpr, observed: bool) -> Planned<(Box<Node>, u64)> {
        let operand = self.plan(expr, observed)?;
        let is_root = !is_chain(&operand) && observed;
        Ok((Box::new(operand), u64::from(is_root)))
    }

    fn plans(&mut self, exprs: impl IntoIterator<Item = &'p IdedExpr>) -> Planned<Vec<Node>> {
        exprs.into_iter().map(|expr| self.plan(expr, true)).collect()
    }

    fn call(&mut self, expr: &'p IdedExpr, call: &'p CallExpr, observed: bool) -> Planned<Node> {
        let args = &call.args;
        let boxed = |planner: &mut Self, index: usize| -> Planned<Box<Node>> {
            let argument = args.get(index).ok_or_else(Failure::overload)?;
            planner.plan(argument, true).map(Box::new)
        };
        match call.func_name.as_str() {
            "_&&_" => return Ok(Node::And(boxed(self, 0)?, boxed(self, 1)?)),
            "_||_" => return Ok(Node::Or(boxed(self, 0)?, boxed(self, 1)?)),
            "_?:_" | "_?_:_" => {
                let [condition, yes, no] = &args[..] else { return Err(Failure::overload()) };
                let branches = [self.plan(condition, true)?, self.plan(yes, false)?, self.plan(no, false)?];
                return Ok(Node::Condition(Box::new(branches)));
            }
            name @ ("_==_" | "_!=_") => {
                let (one, other) = (boxed(self, 0)?, boxed(self, 1)?);
                return Ok(Node::Equal { one, other, negated: name == "_!=_" });
            }
            "_[_]" | "_[?_]" => {
                let [operand, index] = &args[..] else { return Err(Failure::overload()) };
                let (operand, root) = self.operand(operand, observed)?;
                let index = Box::new(self.plan(index, false)?);
                return Ok(Node::Index { operand, index, optional: call.func_name == "_[?_]", root });
            }
            "_?._" => {
                let [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. }] = &args[..]
                else {
                    return Err(Failure::overload());
                };
                let (operand, root) = self.operand(operand, observed)?;
                return Ok(Node::Select { operand, field: field.inner().into(), optional: true, root });
            }
            "@not_strictly_false" => return Ok(Node::NotFalse(boxed(self, 0)?)),
            name @ ("or" | "orValue") if call.target.is_some() => {
                let target = call.target.as_deref().ok_or_else(Failure::overload)?;
                let optional = Box::new(self.plan(target, true)?);
                return Ok(Node::Else { optional, other: boxed(self, 0)?, is_value: name == "orValue" });
            }
            _ => {}
        }
        let arguments = self.plans(call.target.as_deref().into_iter().chain(args))?;
        let overload = match self.checked.overloads(expr.id) {
            [overload] => Some(*overload),
            _ => None,
        };
        function_call(&call.func_name, overload, arguments)
    }

    fn list(&mut self, list: &'p ListExpr) -> Planned<Node> {
        let mut items = Vec::with_capacity(list.elements.len());
        for (index, item) in list.elements.iter().enumerate() {
            items.push((self.plan(item, true)?, list.optional_indices.contains(&index)));
        }
        let constants: Option<Vec<Value<'static>>> = items
            .iter()
            .map(|(item, optional)| match item {
                Node::Constant(value) if !optional => Some(value.clone()),
                _ => None,
            })
            .collect();
        Ok(constants.map_or(Node::List { items }, |items| Node::Constant(Value::list(items))))
    }

    fn map(&mut self, map: &'p MapExpr) -> Planned<Node> {
        let mut entries = Vec::with_capacity(map.entries.len());
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else { return Err(Failure::overload()) };
            entries.push((self.plan(&entry.key, true)?, self.plan(&entry.value, true)?, entry.optional));
        }
        let mut constant = MapBuilder::default();
        for (key, value, optional) in &entries {
            let (Node::Constant(key), Node::Constant(value), false) = (key, value, optional) else {
                return Ok(Node::Map { entries });
            };
            constant.set(key.clone(), value.clone())?;
        }
        Ok(Node::Constant(Value::Map(constant.build())))
    }

    fn object(&mut self, object: &'p StructExpr) -> Planned<Node> {
        let mut fields = Vec::with_capacity(object.entries.len());
        for entry in &object.entries {
            let EntryExpr::StructField(field) = &entry.expr else { return Err(Failure::overload()) };
            fields.push((field.field.clone(), self.plan(&field.value, true)?, field.optional));
        }
        Ok(Node::Object { name: object.type_name.as_str().into(), fields })
    }

    /// The index of the composited variable that a selection reads.
    fn composited(&mut self, select: &SelectExpr) -> Option<usize> {
        let is_composition = matches!(&select.operand.expr, Expr::Ident(name) if name == COMPOSITION)
            && !self.locals.contains(&COMPOSITION);
        // The last one with the name is that of the checked type.
        let index = self.composited.iter().rposition(|variable| variable.name == select.field);
        let index = index.filter(|_| is_composition)?;
        self.deepest = self.deepest.max(self.composited[index].depth);
        Some(index)
    }

    fn comprehension(&mut self, fold: &'p ComprehensionExpr) -> Planned<Node> {
        let start = self.plan(&fold.accu_init, true)?;
        let range = self.plan(&fold.iter_range, true)?;
        let outer = self.locals.len();
        self.locals.push(&fold.accu_var);
        if matches!(&range, Node::Constant(value) if value.size() == 0) {
            let result = self.plan(&fold.result, true)?;
            self.locals.truncate(outer);
            return Ok(Node::Bind { value: Box::new(start), result: Box::new(result) });
        }
        self.locals.push(&fold.iter_var);
        self.locals.extend(fold.iter_var2.as_deref());
        let condition = self.plan(&fold.loop_cond, true)?;
        let step = self.step(&fold.loop_step)?;
        self.locals.truncate(outer + 1);
        let result = self.plan(&fold.result, true)?;
        self.locals.truncate(outer);
        let two = fold.iter_var2.is_some();
        Ok(Node::Fold(Box::new(Fold { range, start, two, condition, step, result })))
    }

    /// The step of a comprehension; additions to the accumulator change it in place.
    fn step(&mut self, step: &'p IdedExpr) -> Planned<Step> {
        let is_accumulator = |expr: &IdedExpr| matches!(&expr.expr, Expr::Ident(name) if name == ACCUMULATOR);
        let Expr::Call(call) = &step.expr else { return self.plan(step, true).map(Step::Replace) };
        let (filter, addition) = match (call.func_name.as_str(), &call.args[..]) {
            ("_?:_" | "_?_:_", [filter, addition, other]) if is_accumulator(other) => {
                (Some(filter), addition)
            }
            _ => (None, step),
        };
        let Expr::Call(added) = &addition.expr else { return self.plan(step, true).map(Step::Replace) };
        match (added.func_name.as_str(), &added.args[..]) {
            ("_+_", [own, IdedExpr { expr: Expr::List(list), .. }])
                if is_accumulator(own) && list.elements.len() == 1 && list.optional_indices.is_empty() =>
            {
                let filter = filter.map(|filter| self.plan(filter, true)).transpose()?;
                let item = self.plan(&list.elements[0], true)?;
                let cost = 2 + if matches!(item, Node::Constant(_)) { 0 } else { LIST };
                Ok(Step::Append { filter, item, cost })
            }
            ("cel.@mapInsert", [own, entry @ ..]) if is_accumulator(own) => {
                let filter = filter.map(|filter| self.plan(filter, true)).transpose()?;
                Ok(Step::Insert { filter, entry: self.plans(entry)? })
            }
            _ => self.plan(step, true).map(Step::Replace),
        }
    }
}

fn function_call(name: &str, overload: Option<&'static str>, arguments: Vec<Node>) -> Planned<Node> {
    if overload == Some("in_list")
        && let [_, Node::Constant(list)] = &arguments[..]
        && let Some((known, doubles)) = members(list)
    {
        let value = arguments.into_iter().next().ok_or_else(Failure::overload)?;
        if known.is_empty() && doubles.is_empty() {
            return Ok(Node::Constant(Value::Bool(false)));
        }
        return Ok(Node::Member { value: Box::new(value), known, doubles });
    }
    let function = library::function(name, overload);
    let price = price(name, overload);
    match function.ok_or_else(|| Failure::Error(format!("no such overload: {name}")))? {
        Function::Format(format) => Ok(Node::Call {
            function: library::identity,
            arguments: vec![Node::Constant(Value::Format(format))],
            price,
        }),
        Function::Pattern(function) => {
            let compiled = match arguments.get(1) {
                Some(Node::Constant(Value::String(pattern))) => {
                    let compiled = Pattern::new(pattern);
                    if let Some(error) = compiled.error() {
                        return Err(Failure::error(error));
                    }
                    Some(Arc::new(compiled))
                }
                _ => None,
            };
            Ok(Node::Pattern { function, arguments, compiled, price })
        }
        Function::Native(function) => {
            let converts =
                ["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"];
            if let ([Node::Constant(value)], true) = (&arguments[..], converts.contains(&name)) {
                return function(std::slice::from_ref(value)).map(Node::Constant);
            }
            Ok(Node::Call { function, arguments, price })
        }
    }
}

/// The items of a list of literals, by their keys; doubles that are no integers apart.
fn members(list: &Value<'static>) -> Option<(HashSet<Key>, Vec<f64>)> {
    let Value::List(list) = list else { return None };
    let (mut known, mut doubles) = (HashSet::new(), Vec::new());
    for item in list.iter() {
        let item = item.ok()?;
        match (Key::of(&item), &item) {
            (Some(key), _) => {
                known.insert(key);
            }
            (None, Value::Double(number)) => doubles.push(*number),
            _ => return None,
        }
    }
    Some((known, doubles))
}

fn constant(literal: &LiteralValue) -> Value<'static> {
    match literal {
        LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
        LiteralValue::Bytes(bytes) => Value::Bytes(bytes.inner().into()),
        LiteralValue::Double(number) => Value::Double(*number.inner()),
        LiteralValue::Int(number) => Value::Int(*number.inner()),
        LiteralValue::Null => Value::Null,
        LiteralValue::String(text) => Value::string(text.inner().to_owned()),
        LiteralValue::UInt(number) => Value::Uint(*number.inner()),
    }
}

/// The value of a type's name.
fn type_value(ty: &Type) -> Value<'static> {
    let Type::Meta(Some(ty)) = ty else { return Value::Type("type".into()) };
    let name: Arc<str> = match &**ty {
        Type::Null => "null_type".into(),
        Type::Duration => "google.protobuf.Duration".into(),
        Type::Timestamp => "google.protobuf.Timestamp".into(),
        Type::List(_) => "list".into(),
        Type::Map(_) => "map".into(),
        Type::Meta(_) => "type".into(),
        Type::Opaque(name, _) => Arc::clone(name),
        ty => ty.to_string().into(),
    };
    Value::Type(name)
}

/// Returns true for a variable with fields, which cel-go charges as one.
fn is_chain(node: &Node) -> bool {
    matches!(
        node,
        Node::Variable { .. }
            | Node::Local { .. }
            | Node::Select { .. }
            | Node::Has { .. }
            | Node::Index { .. }
            | Node::Condition(_)
            | Node::Composited { .. }
    )
}

/// The cost of a new list.
pub(crate) const NEW_LIST: u64 = LIST;
/// The cost of a new map.
pub(crate) const NEW_MAP: u64 = MAP;
/// The cost of a new object.
pub(crate) const NEW_OBJECT: u64 = OBJECT;
