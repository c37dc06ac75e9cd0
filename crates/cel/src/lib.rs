//! CEL, the Common Expression Language, as Kubernetes uses it.
//!
//! An [`Expression`] is compiled in an [`Environment`] of variables whose types are given by [`Schema`]s: its types are
//! checked with the messages of cel-go, and its cost is estimated by the rules of Kubernetes. It is evaluated on JSON
//! values without copying them, up to a cost. The functions are those of Kubernetes 1.37.
//!
//! An expression of admission reads JSON without a schema, asks an [`Authorizer`], and refers to variables that are
//! expressions themselves: [`admission`] has its environments, and an [`Activation`] the values of its variables.
//!
//! An [`Effort`] bounds the time that compilations and evaluations take of their thread.
//!
//! The parser is that of the crate `cel`.
//!
//! ```
//! use std::sync::Arc;
//! use klient_cel::{Environment, Expression, Limits, Output, Schema, Variable};
//!
//! let schema = serde_json::json!({"type": "integer"});
//! let schema = Arc::new(Schema::parse(schema.as_object().unwrap(), false));
//! let environment = Environment::default().with_variable("self", &schema, "self");
//! let rule = Expression::compile("self > 2", &environment)?;
//! let evaluation = rule.evaluate(&[Variable::Json(&3.into())], Limits::default());
//! assert_eq!(evaluation.result, Ok(Output::Bool(true)));
//!
//! let error = Expression::compile("self > ''", &environment).unwrap_err();
//! assert!(error.to_string().contains("found no matching overload for '_>_' applied to '(int, string)'"));
//! # Ok::<(), klient_cel::CompileError>(())
//! ```

mod activation;
pub mod admission;
mod authorizer;
mod check;
mod composition;
mod cost;
mod declaration;
mod effort;
mod environment;
mod evaluate;
mod expand;
mod expression;
mod failure;
pub mod format;
mod issue;
mod library;
mod name;
mod object_type;
mod offsets;
mod output;
mod parse;
mod pattern;
mod plan;
mod price;
mod schema;
mod show;
mod steps;
mod types;
mod unify;
mod validate;
mod value;
mod visit;

pub use activation::Activation;
pub use authorizer::{AccessCheck, Authorizer, Decision};
pub use cost::Estimate;
pub use effort::{Effort, Interrupted};
pub use environment::Environment;
pub use expression::{CompileError, Evaluation, EvaluationError, Expression, Limits, Variable};
pub use name::{escape, is_reserved};
pub use object_type::ObjectType;
pub use output::Output;
pub use pattern::Pattern;
pub use schema::Schema;
