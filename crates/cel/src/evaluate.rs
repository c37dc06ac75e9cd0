//! Evaluation of plans, with a limit of their cost.

use std::collections::HashMap;
use std::sync::Arc;

use klient_apimachinery::go::quoted;

use crate::effort;
use crate::failure::{Failure, Result};
use crate::library::{self, PatternFunction};
use crate::pattern::Pattern;
use crate::plan::{Composited, Fold, NEW_LIST, NEW_MAP, NEW_OBJECT, Node, Step};
use crate::price::{Price, smaller};
use crate::steps::Steps;
use crate::value::{Key, List, Map, MapBuilder, Object, Value, out_of_bounds};

/// The number of patterns that are not constant.
const PATTERNS_MAX: usize = 500;

/// The steps after which the effort of the thread is taken.
const STEPS: u32 = 1024;

/// The steps of an evaluation besides those of its nodes.
const EVALUATION: u32 = 4;

/// The bytes of a text that functions read in one step.
const BYTES: usize = 256;

/// The state of an evaluation.
pub(crate) struct Frame<'f, 'a> {
    variables: &'f [Option<Value<'a>>],
    /// The variables of comprehensions. An accumulator may be an error.
    locals: Vec<Result<Value<'a>>>,
    limit: u64,
    pub(crate) spent: u64,
    /// The steps since the effort of the thread was taken.
    steps: u32,
    /// The visits of parts of values.
    parts: Steps,
    patterns: HashMap<String, Arc<Pattern>>,
    pub(crate) composites: Option<&'f mut Composites<'a>>,
}

/// The values of composited variables.
#[derive(Debug)]
pub(crate) struct Composites<'a> {
    pub(crate) variables: &'a [Composited],
    pub(crate) values: Vec<Option<Result<Value<'a>>>>,
    /// The cost of their evaluations.
    pub(crate) cost: u64,
    /// The cost after which there is no evaluation.
    pub(crate) budget: u64,
}

impl<'f, 'a> Frame<'f, 'a> {
    pub(crate) fn new(variables: &'f [Option<Value<'a>>], limit: u64) -> Self {
        Frame {
            variables,
            locals: Vec::new(),
            limit,
            spent: 0,
            steps: EVALUATION,
            parts: Steps::new(limit),
            patterns: HashMap::new(),
            composites: None,
        }
    }

    fn charge(&mut self, cost: u64) -> Result<()> {
        self.spent = self.spent.saturating_add(cost);
        self.steps = self.steps.saturating_add(1);
        if self.steps >= STEPS {
            self.take_effort()?;
        }
        if self.spent > self.limit { Err(Failure::Budget) } else { Ok(()) }
    }

    /// Takes the steps since the last time from the effort of the thread.
    ///
    /// # Errors
    ///
    /// [`Failure::Budget`] if it is interrupted.
    #[cold]
    pub(crate) fn take_effort(&mut self) -> Result<()> {
        effort::take(u64::from(std::mem::take(&mut self.steps)))
    }

    /// Counts the steps of a function that reads or makes a value. A text has them however little it costs.
    fn weigh(&mut self, value: &Value<'a>) {
        let bytes = match value {
            Value::String(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => return,
        };
        self.steps = self.steps.saturating_add(u32::try_from(bytes / BYTES).unwrap_or(u32::MAX));
    }

    pub(crate) fn evaluate(&mut self, node: &Node) -> Result<Value<'a>> {
        match node {
            Node::Constant(value) => Ok(value.clone()),
            Node::Variable { name, index, cost } => {
                self.charge(*cost)?;
                let value = self.variables.get(*index).and_then(Option::as_ref);
                value.cloned().ok_or_else(|| Failure::Error(format!("no such attribute(s): {name}")))
            }
            Node::Local { slot, cost } => {
                self.charge(*cost)?;
                self.locals.get(*slot).cloned().unwrap_or_else(|| Err(Failure::overload()))
            }
            Node::Select { operand, field, optional, root } => {
                let operand = self.evaluate(operand)?;
                self.charge(*root)?;
                self.select(operand, *optional, |value| find_field(value, field), || missing_key(field))
            }
            Node::Has { operand, field, root } => {
                let operand = self.evaluate(operand)?;
                self.charge(*root)?;
                match operand {
                    Value::Optional(None) => Ok(Value::Bool(false)),
                    Value::Optional(Some(value)) => has(&value, field),
                    value => has(&value, field),
                }
            }
            Node::Index { operand, index, optional, root } => self.index(operand, index, *optional, *root),
            Node::And(one, other) => self.logical(one, other, false),
            Node::Or(one, other) => self.logical(one, other, true),
            Node::Condition(parts) => {
                let [condition, yes, no] = &**parts;
                let condition = self.evaluate(condition)?.as_bool()?;
                self.evaluate(if condition { yes } else { no })
            }
            Node::Equal { one, other, negated } => {
                let pair = self.pair(one, other, Price::Smaller)?;
                let equal = pair[0].equals(&pair[1], &mut self.parts);
                self.charge(smaller(&pair))?;
                match (equal, negated) {
                    (Ok(equal), negated) => Ok(Value::Bool(equal != *negated)),
                    (Err(Failure::Error(_)), true) => Ok(Value::Bool(true)),
                    (Err(failure), _) => Err(failure),
                }
            }
            Node::Member { value, known, doubles } => {
                let value = self.evaluate(value)?;
                let found = match &value {
                    Value::Double(number) if doubles.contains(number) => true,
                    value => Key::of(value).is_some_and(|key| known.contains(&key)),
                };
                Ok(Value::Bool(found))
            }
            Node::Call { function, arguments, price } => self.call(*function, arguments, *price),
            Node::Pattern { function, arguments, compiled, price } => {
                self.pattern(*function, arguments, compiled.as_ref(), *price)
            }
            Node::Else { optional, other, is_value } => match self.evaluate(optional)? {
                Value::Optional(None) => self.evaluate(other),
                Value::Optional(Some(value)) if *is_value => Ok((*value).clone()),
                value @ Value::Optional(Some(_)) => Ok(value),
                _ => Err(Failure::overload()),
            },
            Node::NotFalse(inner) => {
                let value = match self.evaluate(inner) {
                    Ok(Value::Bool(false)) => false,
                    Ok(_) | Err(Failure::Error(_)) => true,
                    Err(Failure::Budget) => return Err(Failure::Budget),
                };
                self.charge(1)?;
                Ok(Value::Bool(value))
            }
            Node::List { items } => self.list(items),
            Node::Map { entries } => self.map(entries),
            Node::Bind { value, result } => {
                let value = match self.evaluate(value) {
                    Err(Failure::Budget) => return Err(Failure::Budget),
                    value => value,
                };
                self.locals.push(value);
                let result = self.evaluate(result);
                self.locals.pop();
                result
            }
            Node::Fold(fold) => self.fold(fold),
            Node::Composited { index, test: true, cost } => {
                self.charge(*cost)?;
                // The test evaluates it, and its errors do not matter.
                match self.composited(*index) {
                    Err(Failure::Budget) => Err(Failure::Budget),
                    _ => Ok(Value::Bool(true)),
                }
            }
            Node::Composited { index, cost, .. } => {
                self.charge(*cost + 1)?;
                self.composited(*index)
            }
            Node::Object { name, fields } => self.object(name, fields),
        }
    }

    /// `&&` and `||`, which absorb an error of one side if the other decides.
    fn logical(&mut self, one: &Node, other: &Node, decides: bool) -> Result<Value<'a>> {
        let first = self.evaluate(one).and_then(|value| value.as_bool());
        match first {
            Ok(value) if value == decides => return Ok(Value::Bool(decides)),
            Err(Failure::Budget) => return Err(Failure::Budget),
            _ => {}
        }
        let second = self.evaluate(other).and_then(|value| value.as_bool());
        match (first, second) {
            (_, Err(Failure::Budget)) => Err(Failure::Budget),
            (_, Ok(value)) if value == decides => Ok(Value::Bool(decides)),
            (Err(failure), _) | (Ok(_), Err(failure)) => Err(failure),
            (Ok(_), Ok(value)) => Ok(Value::Bool(value)),
        }
    }

    fn index(&mut self, operand: &Node, index: &Node, optional: bool, root: u64) -> Result<Value<'a>> {
        let operand = self.evaluate(operand)?;
        self.charge(root)?;
        let index = self.evaluate(index)?;
        let find = |value: &Value<'a>| match value {
            Value::List(list) => {
                let number = match &index {
                    Value::Int(number) => usize::try_from(*number).ok(),
                    Value::Uint(number) => usize::try_from(*number).ok(),
                    Value::Double(number) if number.fract() == 0.0 => Some(*number as usize),
                    other => {
                        return Err(Failure::Error(format!(
                            "unsupported index type '{}' in list",
                            other.type_name()
                        )));
                    }
                };
                number.filter(|number| *number < list.len()).map(|number| list.get(number)).transpose()
            }
            Value::Map(map) => map.find(&index),
            _ => Err(Failure::overload()),
        };
        let is_list = matches!(&operand, Value::List(_));
        self.select(operand, optional, find, || {
            let shown = library::string_format::show(&index);
            if is_list { out_of_bounds(shown) } else { missing_key(&shown) }
        })
    }

    /// The part of a value, or of that of an optional one; the result is then optional as well. A part that is not there
    /// costs nothing if it is optional.
    fn select(
        &mut self,
        operand: Value<'a>,
        optional: bool,
        find: impl Fn(&Value<'a>) -> Result<Option<Value<'a>>>,
        missing: impl Fn() -> Failure,
    ) -> Result<Value<'a>> {
        let found = match operand {
            Value::Optional(None) => None,
            Value::Optional(Some(value)) => find(&value)?,
            value if optional => find(&value)?,
            value => {
                self.charge(1)?;
                return find(&value)?.ok_or_else(missing);
            }
        };
        if found.is_some() {
            self.charge(1)?;
        }
        Ok(Value::Optional(found.map(Arc::new)))
    }

    fn arguments(&mut self, arguments: &[Node]) -> Result<Vec<Value<'a>>> {
        arguments.iter().map(|argument| self.evaluate(argument)).collect()
    }

    /// Evaluates two arguments of a call, which costs something even if one of them is an error.
    fn pair(&mut self, one: &Node, other: &Node, price: Price) -> Result<[Value<'a>; 2]> {
        match (self.evaluate(one), self.evaluate(other)) {
            (Ok(one), Ok(other)) => {
                self.weigh(&one);
                self.weigh(&other);
                Ok([one, other])
            }
            (Err(Failure::Budget), _) | (_, Err(Failure::Budget)) => Err(Failure::Budget),
            (one, other) => {
                let size = |value: &Result<Value<'a>>| value.clone().unwrap_or(Value::Null);
                let arguments = [size(&one), size(&other)];
                self.admit(&arguments, price)?;
                self.charge(price.of(&arguments, None))?;
                Err(one.err().or(other.err()).unwrap_or(Failure::Budget))
            }
        }
    }

    fn call(&mut self, function: library::Native, arguments: &[Node], price: Price) -> Result<Value<'a>> {
        let result;
        let cost;
        match arguments {
            [one] => {
                let argument = match self.evaluate(one) {
                    Err(Failure::Error(message)) => {
                        self.charge(price.of(&[Value::Null], None))?;
                        return Err(Failure::Error(message));
                    }
                    argument => argument?,
                };
                self.weigh(&argument);
                let arguments = [argument];
                self.admit(&arguments, price)?;
                result = function(&arguments);
                cost = price.of(&arguments, result.as_ref().ok());
            }
            [one, other] => {
                let arguments = self.pair(one, other, price)?;
                self.admit(&arguments, price)?;
                result = function(&arguments);
                cost = price.of(&arguments, result.as_ref().ok());
            }
            _ => {
                let arguments = self.arguments(arguments)?;
                arguments.iter().for_each(|argument| self.weigh(argument));
                self.admit(&arguments, price)?;
                result = function(&arguments);
                cost = price.of(&arguments, result.as_ref().ok());
            }
        }
        if let Ok(made) = &result {
            self.weigh(made);
        }
        self.charge(cost)?;
        result
    }

    /// Refuses lists that are too long to be worth what is left, and takes the steps of functions that visit all parts of
    /// their arguments.
    fn admit(&mut self, arguments: &[Value<'a>], price: Price) -> Result<()> {
        let left = usize::try_from(self.limit - self.spent.min(self.limit)).unwrap_or(usize::MAX);
        let most = left.saturating_mul(10).saturating_add(100_000);
        let too_long =
            |value: &Value<'a>| matches!(value, Value::List(list @ List::Joined(..)) if list.len() > most);
        if arguments.iter().any(too_long) {
            return Err(Failure::Budget);
        }
        let Some(times) = price.visits(arguments) else { return Ok(()) };
        // A price of pairs is known before they are compared, and may be more than there is.
        let is_of_pairs = matches!(price, Price::Pairs(_) | Price::Sets(_));
        if is_of_pairs && price.of(arguments, None) > self.limit.saturating_sub(self.spent) {
            self.spent = self.spent.saturating_add(price.of(arguments, None));
            return Err(Failure::Budget);
        }
        arguments.iter().try_for_each(|argument| self.parts.take_parts(argument, times))
    }

    fn pattern(
        &mut self,
        function: PatternFunction,
        arguments: &[Node],
        compiled: Option<&Arc<Pattern>>,
        price: Price,
    ) -> Result<Value<'a>> {
        let arguments = self.arguments(arguments)?;
        arguments.iter().for_each(|argument| self.weigh(argument));
        let pattern = match compiled {
            Some(pattern) => Ok(Arc::clone(pattern)),
            None => {
                arguments.get(1).ok_or_else(Failure::overload).and_then(Value::as_str).and_then(|source| {
                    let pattern = self.compile(source)?;
                    match (pattern.error(), function) {
                        (None, _) => Ok(pattern),
                        (Some(error), PatternFunction::Matches) => Err(Failure::error(error)),
                        (Some(error), _) => Err(Failure::Error(format!("Illegal regex: {error}"))),
                    }
                })
            }
        };
        let result = pattern.and_then(|pattern| {
            let text = arguments[0].as_str()?;
            let owned = |text: &str| Value::string(text.to_owned());
            Ok(match function {
                PatternFunction::Matches => Value::Bool(pattern.matches(text)),
                PatternFunction::Find => owned(pattern.find(text).unwrap_or_default()),
                PatternFunction::FindAll => {
                    let most = arguments.get(2).map_or(Ok(-1), Value::as_int)?;
                    let most = usize::try_from(most).unwrap_or(usize::MAX);
                    Value::list(pattern.find_all(text).take(most).map(owned).collect())
                }
            })
        });
        self.charge(price.of(&arguments, result.as_ref().ok()))?;
        result
    }

    /// A pattern that is not constant.
    fn compile(&mut self, source: &str) -> Result<Arc<Pattern>> {
        if let Some(known) = self.patterns.get(source) {
            return Ok(Arc::clone(known));
        }
        if self.patterns.len() >= PATTERNS_MAX {
            return Err(Failure::Budget);
        }
        let pattern = Arc::new(Pattern::new(source));
        self.patterns.insert(source.to_owned(), Arc::clone(&pattern));
        Ok(pattern)
    }

    fn list(&mut self, items: &[(Node, bool)]) -> Result<Value<'a>> {
        let mut values = Vec::with_capacity(items.len());
        for (item, optional) in items {
            let value = self.evaluate(item)?;
            match (value, optional) {
                (Value::Optional(value), true) => values.extend(value.map(|value| (*value).clone())),
                (_, true) => return Err(Failure::overload()),
                (value, false) => values.push(value),
            }
        }
        self.charge(NEW_LIST)?;
        Ok(Value::list(values))
    }

    fn map(&mut self, entries: &[(Node, Node, bool)]) -> Result<Value<'a>> {
        let mut map = MapBuilder::default();
        for (key, value, optional) in entries {
            let key = self.evaluate(key)?;
            let value = match (self.evaluate(value)?, optional) {
                (Value::Optional(Some(value)), true) => (*value).clone(),
                (Value::Optional(None), true) => continue,
                (_, true) => return Err(Failure::overload()),
                (value, false) => value,
            };
            map.set(key, value)?;
        }
        self.charge(NEW_MAP)?;
        Ok(Value::Map(map.build()))
    }

    fn object(&mut self, name: &Arc<str>, fields: &[(String, Node, bool)]) -> Result<Value<'a>> {
        let mut values = Vec::with_capacity(fields.len());
        for (field, node, optional) in fields {
            let value = match (self.evaluate(node), optional) {
                (Ok(Value::Optional(Some(value))), true) => (*value).clone(),
                (Ok(Value::Optional(None)), true) => continue,
                (Ok(_), true) => return Err(Failure::overload()),
                (Ok(value), false) => value,
                (Err(failure), _) => {
                    self.charge(NEW_OBJECT)?;
                    return Err(failure);
                }
            };
            values.push((field.clone(), value));
        }
        self.charge(NEW_OBJECT)?;
        Object::new(name, values).map(|object| Value::Object(Arc::new(object)))
    }

    /// The value of a composited variable, which has a limit and a cost of its own.
    fn composited(&mut self, index: usize) -> Result<Value<'a>> {
        let composites = self.composites.as_deref_mut().ok_or_else(Failure::overload)?;
        if let Some(Some(known)) = composites.values.get(index) {
            return known.clone();
        }
        if composites.cost > composites.budget {
            return Err(Failure::Budget);
        }
        let variable = composites.variables.get(index).ok_or_else(Failure::overload)?;
        let name = quoted(&variable.name);
        let result = match &variable.root {
            Err(message) => {
                Err(Failure::Error(format!("composited variable {name} fails to compile: {message}")))
            }
            Ok(root) => {
                let mut frame = Frame::new(self.variables, self.limit);
                frame.composites = Some(&mut *composites);
                let result = frame.evaluate(root);
                let (spent, steps) = (frame.spent, frame.steps);
                self.steps = self.steps.saturating_add(steps);
                composites.cost = composites.cost.saturating_add(spent);
                result.map_err(|failure| {
                    Failure::Error(format!("composited variable {name} fails to evaluate: {failure}"))
                })
            }
        };
        if composites.cost > composites.budget {
            return Err(Failure::Budget);
        }
        composites.values[index] = Some(result.clone());
        result
    }

    fn fold(&mut self, fold: &Fold) -> Result<Value<'a>> {
        let range = self.evaluate(&fold.range)?;
        let start = match self.evaluate(&fold.start) {
            Err(Failure::Budget) => return Err(Failure::Budget),
            start => start,
        };
        let slot = self.locals.len();
        self.locals.push(start);
        let result = match &range {
            Value::List(list) => self.fold_list(fold, slot, list),
            Value::Map(map) => self.fold_map(fold, slot, map),
            other => Err(Failure::Error(format!("got '{}', expected iterable type", other.type_name()))),
        };
        self.locals.truncate(slot + 1);
        let result = result.and_then(|()| self.evaluate(&fold.result));
        self.locals.truncate(slot);
        result
    }

    fn fold_list(&mut self, fold: &Fold, slot: usize, list: &List<'a>) -> Result<()> {
        for (index, item) in list.iter().enumerate() {
            let index = || Ok(Value::Int(i64::try_from(index).unwrap_or(i64::MAX)));
            let go_on = if fold.two {
                self.round(fold, slot, [index(), item])
            } else {
                self.round(fold, slot, [item])
            };
            if !go_on? {
                break;
            }
        }
        Ok(())
    }

    fn fold_map(&mut self, fold: &Fold, slot: usize, map: &Map<'a>) -> Result<()> {
        for key in map.keys() {
            let go_on = if fold.two {
                let value = map.find(&key).and_then(|value| value.ok_or_else(Failure::overload));
                self.round(fold, slot, [Ok(key), value])
            } else {
                self.round(fold, slot, [Ok(key)])
            };
            if !go_on? {
                break;
            }
        }
        Ok(())
    }

    /// An iteration; returns false after the last.
    fn round<const N: usize>(
        &mut self,
        fold: &Fold,
        slot: usize,
        variables: [Result<Value<'a>>; N],
    ) -> Result<bool> {
        self.locals.truncate(slot + 1);
        self.locals.extend(variables);
        if !self.evaluate(&fold.condition)?.as_bool()? {
            return Ok(false);
        }
        let filter = match &fold.step {
            Step::Replace(_) => None,
            Step::Append { filter, .. } | Step::Insert { filter, .. } => filter.as_ref(),
        };
        let filtered = match filter {
            Some(filter) => self.evaluate(filter).and_then(|value| value.as_bool()),
            None => Ok(true),
        };
        let changed = match (filtered, &fold.step) {
            (Ok(false), _) => return Ok(true),
            (Err(failure), _) => Err(failure),
            (Ok(true), Step::Replace(step)) => self.evaluate(step),
            (Ok(true), Step::Append { item, cost, .. }) => self.append(slot, item, *cost),
            (Ok(true), Step::Insert { entry, .. }) => self.insert(slot, entry),
        };
        // An accumulator that is an error goes on: a later step may not need it.
        match changed {
            Err(Failure::Budget) => return Err(Failure::Budget),
            changed => self.locals[slot] = changed,
        }
        Ok(true)
    }

    /// The list that a comprehension accumulates, with one more item.
    fn append(&mut self, slot: usize, item: &Node, cost: u64) -> Result<Value<'a>> {
        let item = self.evaluate(item);
        self.charge(cost)?;
        let own = std::mem::replace(&mut self.locals[slot], Ok(Value::Null))?;
        let Value::List(List::Items(mut items)) = own else { return Err(Failure::overload()) };
        Arc::make_mut(&mut items).push(item?);
        Ok(Value::List(List::Items(items)))
    }

    /// The map that a comprehension accumulates, with more entries.
    fn insert(&mut self, slot: usize, entry: &[Node]) -> Result<Value<'a>> {
        let entry = self.arguments(entry);
        self.charge(2)?;
        let own = std::mem::replace(&mut self.locals[slot], Ok(Value::Null))?;
        let Value::Map(map) = own else { return Err(Failure::overload()) };
        Ok(Value::Map(library::extend(map, &entry?)?.build()))
    }
}

fn missing_key(key: &str) -> Failure {
    Failure::Error(format!("no such key: {key}"))
}

fn find_field<'a>(value: &Value<'a>, field: &str) -> Result<Option<Value<'a>>> {
    match value {
        Value::Map(map) => {
            let found = map.find_str(field)?;
            if found.is_none() && crate::name::is_reserved(field) {
                return map.find_str(&format!("__{field}__"));
            }
            Ok(found)
        }
        Value::Object(object) => Ok(object.find(field)),
        _ => Ok(None),
    }
}

fn has<'a>(value: &Value<'a>, field: &str) -> Result<Value<'a>> {
    find_field(value, field).map(|found| Value::Bool(found.is_some()))
}
