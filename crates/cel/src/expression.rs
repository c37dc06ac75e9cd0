//! [`Expression`], a compiled expression.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::check::check;
use crate::cost::{self, Estimate};
use crate::evaluate::Frame;
use crate::failure::Failure;
use crate::issue::Issues;
use crate::parse::{self, parse};
use crate::plan::{Node, plan};
use crate::schema::Schema;
use crate::types::Type;
use crate::validate::validate;
use crate::value::Value;

/// The variables that expressions may refer to, with their types.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    types: HashMap<String, Type>,
    names: Vec<String>,
    schemas: Vec<Arc<Schema>>,
    optional: Vec<bool>,
    sizes: Option<Arc<Schema>>,
}

impl Environment {
    /// Adds a variable with values of a schema. `type_name` is the name of the type in messages, if it is an object.
    #[must_use]
    pub fn with_variable(mut self, name: &str, schema: &Arc<Schema>, type_name: &str) -> Self {
        let ty = schema.ty(type_name);
        self.declare(name, schema, ty, false);
        self
    }

    /// Adds a variable that may have no value: its type is optional.
    #[must_use]
    pub fn with_optional_variable(mut self, name: &str, schema: &Arc<Schema>, type_name: &str) -> Self {
        let ty = Type::optional(schema.ty(type_name));
        self.declare(name, schema, ty, true);
        self
    }

    fn declare(&mut self, name: &str, schema: &Arc<Schema>, ty: Type, optional: bool) {
        self.types.insert(name.to_owned(), ty);
        self.names.push(name.to_owned());
        self.schemas.push(Arc::clone(schema));
        self.optional.push(optional);
        self.sizes.get_or_insert_with(|| Arc::clone(schema));
    }
}

/// A compiled expression: its types are checked, and the cost of an evaluation is estimated.
pub struct Expression {
    root: Node,
    ty: Type,
    cost: Estimate,
    variables: Vec<(Arc<Schema>, bool)>,
    used: Vec<String>,
    is_deep: bool,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expression").field("type", &self.ty).field("cost", &self.cost).finish_non_exhaustive()
    }
}

/// The reason that an expression cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// Problems of the syntax or types, in the form of cel-go.
    Issues(String),
    /// A constant part cannot be evaluated.
    Program(String),
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompileError::Issues(text) => f.write_str(text),
            CompileError::Program(text) => write!(f, "program instantiation failed: {text}"),
        }
    }
}

impl std::error::Error for CompileError {}

/// The limits of an evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The cost, in cel-go's units.
    pub cost: u64,
    /// The time at which the evaluation ends as if the cost were exceeded.
    pub deadline: Instant,
}

impl Limits {
    /// Kubernetes' limit of one evaluation.
    pub const COST: u64 = 1_000_000;
}

impl Default for Limits {
    fn default() -> Self {
        Limits { cost: Limits::COST, deadline: Instant::now() + Duration::from_secs(10) }
    }
}

/// The result of an evaluation.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The value, or the error.
    pub result: Result<Output, EvaluationError>,
    /// The cost of the evaluation.
    pub cost: u64,
}

/// The value of an expression.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// `true` or `false`
    Bool(bool),
    /// A string.
    String(String),
    /// A value of another type, as messages show it.
    Other(String),
}

/// The reason that an evaluation has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvaluationError {
    /// An error, such as a missing key or a division by zero.
    Failed(String),
    /// The limit of the cost was exceeded.
    CostExceeded,
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvaluationError::Failed(message) => f.write_str(message),
            EvaluationError::CostExceeded => f.write_str("operation cancelled: actual cost limit exceeded"),
        }
    }
}

impl std::error::Error for EvaluationError {}

/// The value of a variable.
#[derive(Clone, Copy, Debug)]
pub enum Variable<'a> {
    /// No value. An optional variable is then `optional.none()`.
    Absent,
    /// A JSON value.
    Json(&'a Json),
    /// A JSON object.
    Object(&'a serde_json::Map<String, Json>),
}

/// The nodes below which evaluations do not get a stack of their own.
const SHALLOW: usize = 100;

/// The stack for the evaluation of a deep expression.
const EVALUATION_STACK: usize = 32 << 20;

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// [`CompileError::Issues`] for problems of syntax and types, [`CompileError::Program`] for constants that cannot
    /// be evaluated.
    pub fn compile(source: &str, environment: &Environment) -> Result<Expression, CompileError> {
        on_large_stack(parse::STACK, || Expression::compile_here(source, environment))
    }

    fn compile_here(source: &str, environment: &Environment) -> Result<Expression, CompileError> {
        let mut issues = Issues::new(source);
        let Some(parsed) = parse(source, &mut issues) else {
            return Err(CompileError::Issues(issues.show()));
        };
        let checked = check(parsed, &environment.types, &mut issues);
        if issues.is_empty() {
            validate(&checked, &mut issues);
        }
        if !issues.is_empty() {
            return Err(CompileError::Issues(issues.show()));
        }
        let cost = cost::estimate(&checked, environment.sizes.as_ref());
        let root = plan(&checked, &environment.names).map_err(|failure| match failure {
            Failure::Error(message) => CompileError::Program(message),
            Failure::Budget => CompileError::Program("actual cost limit exceeded".to_owned()),
        })?;
        let mut used: Vec<String> = checked.variables.iter().cloned().collect();
        used.sort_unstable();
        Ok(Expression {
            ty: checked.ty(&checked.root).clone(),
            cost,
            root,
            variables: environment
                .schemas
                .iter()
                .cloned()
                .zip(environment.optional.iter().copied())
                .collect(),
            used,
            is_deep: is_deep(&checked.root),
        })
    }

    /// Returns true if values of the expression have a type, such as `bool`.
    pub fn is_of_type(&self, name: &str) -> bool {
        self.ty.to_string() == name
    }

    /// The name of the expression's type.
    pub fn type_name(&self) -> String {
        self.ty.to_string()
    }

    /// The range of costs of an evaluation.
    pub fn cost(&self) -> Estimate {
        self.cost
    }

    /// Returns true if the expression refers to a variable.
    pub fn uses(&self, variable: &str) -> bool {
        self.used.iter().any(|used| used == variable)
    }

    /// Evaluates the expression. The variables have the order in which the environment declares them.
    pub fn evaluate(&self, variables: &[Variable<'_>], limits: Limits) -> Evaluation {
        if self.is_deep {
            return on_large_stack(EVALUATION_STACK, || self.evaluate_here(variables, limits));
        }
        self.evaluate_here(variables, limits)
    }

    fn evaluate_here(&self, variables: &[Variable<'_>], limits: Limits) -> Evaluation {
        let mut values = Vec::with_capacity(self.variables.len());
        for ((schema, optional), variable) in self.variables.iter().zip(variables) {
            let value = match variable {
                Variable::Absent if *optional => Ok(Some(Value::Optional(None))),
                Variable::Absent => Ok(None),
                Variable::Json(value) => Value::from_json(value, schema).map(Some),
                Variable::Object(fields) => Ok(Some(Value::Map(crate::value::Map::Json { fields, schema }))),
            };
            let value = match (value, variable, optional) {
                (Ok(Some(value)), Variable::Json(_) | Variable::Object(_), true) => {
                    Ok(Some(Value::some(value)))
                }
                (value, ..) => value,
            };
            match value {
                Ok(value) => values.push(value),
                Err(failure) => return Evaluation { result: Err(failure.into()), cost: 0 },
            }
        }
        let mut frame = Frame::new(&values, limits.cost, limits.deadline);
        let result = frame.evaluate(&self.root);
        let result = result.map_err(EvaluationError::from).map(|value| match value {
            Value::Bool(value) => Output::Bool(value),
            Value::String(text) => Output::String(text.to_string()),
            other => Output::Other(crate::show::show(&other)),
        });
        Evaluation { result, cost: frame.spent }
    }
}

impl From<Failure> for EvaluationError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Error(message) => EvaluationError::Failed(message),
            Failure::Budget => EvaluationError::CostExceeded,
        }
    }
}

/// Returns true for an expression that nests deeply.
fn is_deep(root: &cel::common::ast::IdedExpr) -> bool {
    crate::parse::tree_depth(root) > SHALLOW
}

/// Runs a function on a thread with a stack of this size.
fn on_large_stack<T: Send>(stack: usize, run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("klient-cel".to_owned()).stack_size(stack);
        let thread = thread.spawn_scoped(scope, run).expect("the system has memory for a thread");
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
