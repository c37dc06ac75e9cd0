//! [`Expression`], a compiled expression.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::authorizer::{AccessCheck, Authorizer};
use crate::check::check;
use crate::cost::{self, Estimate};
use crate::declaration::Names;
use crate::effort::{self, Interrupted};
use crate::environment::Environment;
use crate::evaluate::Frame;
use crate::failure::Failure;
use crate::issue::Issues;
use crate::output::{Output, output};
use crate::parse::{self, parse};
use crate::plan::{Node, plan};
use crate::schema::Schema;
use crate::types::Type;
use crate::validate::validate;
use crate::value::{Authorization, Check, Map, Value};

/// A compiled expression: its types are checked, and the cost of an evaluation is estimated.
pub struct Expression {
    root: Node,
    ty: Type,
    cost: Estimate,
    variables: Vec<(Arc<Schema>, bool)>,
    used: Vec<String>,
    depth: usize,
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

impl CompileError {
    /// The problem in the words of Kubernetes' admission policies.
    pub fn reported(&self) -> String {
        match self {
            CompileError::Issues(text) => format!("compilation failed: {text}"),
            CompileError::Program(text) => format!("program instantiation failed: {text}"),
        }
    }
}

/// The limits of an evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The cost, in cel-go's units.
    pub cost: u64,
}

impl Limits {
    /// Kubernetes' limit of one evaluation.
    pub const COST: u64 = 1_000_000;
}

impl Default for Limits {
    fn default() -> Self {
        Limits { cost: Limits::COST }
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

/// The reason that an evaluation has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvaluationError {
    /// An error, such as a missing key or a division by zero.
    Failed(String),
    /// The limit of the cost was exceeded.
    CostExceeded,
    /// The [`Effort`](crate::Effort) of the thread did not suffice.
    Interrupted,
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvaluationError::Failed(message) => f.write_str(message),
            EvaluationError::CostExceeded => f.write_str("operation cancelled: actual cost limit exceeded"),
            EvaluationError::Interrupted => Interrupted.fmt(f),
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
    /// An authorizer.
    Authorizer(&'a dyn Authorizer),
    /// An authorization check of a resource, which lacks its verb.
    ResourceCheck(&'a dyn Authorizer, &'a AccessCheck),
}

impl<'a> Variable<'a> {
    /// The value by a schema; `None` if there is none.
    pub(crate) fn value(self, schema: &'a Schema, optional: bool) -> Result<Option<Value<'a>>, Failure> {
        let value = match self {
            Variable::Absent if optional => return Ok(Some(Value::Optional(None))),
            Variable::Absent => return Ok(None),
            Variable::Json(value) => Value::from_json(value, schema)?,
            Variable::Object(fields) => Value::Map(Map::Json { fields, schema }),
            Variable::Authorizer(authorizer) => {
                let check = Check { authorizer, attributes: AccessCheck::default() };
                Value::Authorization(Arc::new(Authorization::Authorizer(check)))
            }
            Variable::ResourceCheck(authorizer, attributes) => {
                let check = Check { authorizer, attributes: attributes.clone() };
                Value::Authorization(Arc::new(Authorization::Resource(check)))
            }
        };
        Ok(Some(if optional { Value::some(value) } else { value }))
    }
}

/// The nodes below which evaluations do not get a stack of their own.
const SHALLOW: usize = 100;

/// The stack for the evaluation of a deep expression.
const EVALUATION_STACK: usize = 32 << 20;

/// The effort of a thread with a stack of its own.
const THREAD: u64 = 1_500;

/// The effort of compiling a byte of an expression.
const COMPILATION: u64 = 100;

/// The effort of compiling a node that a macro made.
const NODE: u64 = 50;

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// [`CompileError::Issues`] for problems of syntax and types, [`CompileError::Program`] for constants that cannot
    /// be evaluated.
    pub fn compile(source: &str, environment: &Environment) -> Result<Expression, CompileError> {
        effort::take((source.len() as u64).saturating_mul(COMPILATION)).map_err(|_| interrupted())?;
        on_large_stack(parse::STACK, || Expression::compile_here(source, environment))
    }

    fn compile_here(source: &str, environment: &Environment) -> Result<Expression, CompileError> {
        let mut issues = Issues::new(source);
        let Some(parsed) = parse(source, &mut issues) else {
            return Err(CompileError::Issues(issues.show()));
        };
        effort::take((parsed.offsets.added.len() as u64).saturating_mul(NODE)).map_err(|_| interrupted())?;
        let names = Names { variables: &environment.types, has_patch_types: environment.has_patch_types };
        let checked = check(parsed, names, &mut issues);
        if issues.is_empty() {
            validate(&checked, &mut issues);
        }
        if !issues.is_empty() {
            return Err(CompileError::Issues(issues.show()));
        }
        let cost = cost::estimate(&checked, environment.sizes.as_ref());
        let planned = plan(&checked, &environment.names, &environment.composited);
        let (root, deepest) = planned.map_err(|failure| match failure {
            Failure::Error(message) => CompileError::Program(message),
            Failure::Budget => CompileError::Program("actual cost limit exceeded".to_owned()),
        })?;
        let mut used: Vec<String> = checked.variables.iter().cloned().collect();
        used.sort_unstable();
        Ok(Expression {
            ty: checked.ty(&checked.root).clone(),
            cost,
            root,
            variables: environment.variables.clone(),
            used,
            depth: parse::tree_depth(&checked.root) + deepest,
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

    /// The name of the expression's type as Kubernetes' admission policies show it: `google.protobuf.Timestamp` for
    /// `timestamp`.
    pub fn runtime_type_name(&self) -> String {
        self.ty.runtime_name()
    }

    /// The problem with an expression whose values have none of these types, by their [runtime
    /// names](Self::runtime_type_name), in the words of Kubernetes' admission policies.
    pub fn type_problem(&self, types: &[&str]) -> Option<String> {
        let ty = self.runtime_type_name();
        match types {
            types if types.contains(&ty.as_str()) => None,
            [one] => Some(format!("must evaluate to {one} but got {ty}")),
            types => Some(format!("must evaluate to one of [{}] but got {ty}", types.join(" "))),
        }
    }

    pub(crate) fn ty(&self) -> &Type {
        &self.ty
    }

    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    pub(crate) fn into_root(self) -> Arc<Node> {
        Arc::new(self.root)
    }

    /// The depth of the expression with the composited variables that it reads.
    pub(crate) fn depth(&self) -> usize {
        self.depth
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
        on_evaluation_stack(self.depth, || self.evaluate_here(variables, limits))
    }

    fn evaluate_here(&self, variables: &[Variable<'_>], limits: Limits) -> Evaluation {
        let mut values = Vec::with_capacity(self.variables.len());
        for ((schema, optional), variable) in self.variables.iter().zip(variables) {
            match variable.value(schema, *optional) {
                Ok(value) => values.push(value),
                Err(failure) => return Evaluation { result: Err(failure.into()), cost: 0 },
            }
        }
        let mut frame = Frame::new(&values, limits.cost);
        let result = evaluated(&mut frame, &self.root);
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

/// The result of a plan, whose effort is taken.
pub(crate) fn evaluated(frame: &mut Frame<'_, '_>, root: &Node) -> Result<Output, EvaluationError> {
    let result = frame.evaluate(root);
    if frame.take_effort().is_err() {
        return Err(EvaluationError::Interrupted);
    }
    result.map_err(EvaluationError::from).map(|value| output(&value))
}

/// Runs an evaluation of this depth, on a stack of its own if it is deep.
pub(crate) fn on_evaluation_stack<T: Send>(depth: usize, run: impl FnOnce() -> T + Send) -> T {
    if depth > SHALLOW { on_large_stack(EVALUATION_STACK, run) } else { run() }
}

/// The error of a compilation that is interrupted, which has no result.
fn interrupted() -> CompileError {
    CompileError::Program(Interrupted.to_string())
}

/// Runs a function on a thread with a stack of this size, with the effort of this thread.
fn on_large_stack<T: Send>(stack: usize, run: impl FnOnce() -> T + Send) -> T {
    // What is interrupted ends soon.
    let _ = effort::take(THREAD);
    let (before, flag) = (effort::current(), effort::flag());
    let run = move || {
        effort::set(before);
        effort::set_flag(flag);
        (run(), effort::current())
    };
    let (result, after) = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("klient-cel".to_owned()).stack_size(stack);
        let thread = thread.spawn_scoped(scope, run).expect("the system has memory for a thread");
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    effort::set(after);
    result
}
