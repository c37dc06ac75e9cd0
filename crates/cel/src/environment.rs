//! [`Environment`], the variables and types that expressions may refer to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use crate::object_type::ObjectType;
use crate::plan::{COMPOSITION, Composited};
use crate::schema::Schema;
use crate::types::{Fields, Type};

/// The name of the type of [`COMPOSITION`].
pub(crate) const COMPOSITION_TYPE: &str = "kubernetes.variables";

static DYNAMIC: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(Schema::DYNAMIC));

/// The variables that expressions may refer to, with their types.
///
/// A variable has a schema, by which its values are read, or its values are JSON of any form.
///
/// ```
/// use klient_cel::{Activation, Environment, Expression, Output, Variable};
///
/// let mut environment = Environment::default()
///     .with_type("Request", &[("name", "string"), ("groups", "list(string)")])
///     .with_declared_variable("request", "Request")
///     .with_dynamic_variable("object")
///     .with_composition();
/// environment.compose("limit", "object.spec.replicas * 2").unwrap();
/// let expression = Expression::compile("variables.limit > 5 && request.name == 'a'", &environment)?;
///
/// let (request, object) = (serde_json::json!({"name": "a"}), serde_json::json!({"spec": {"replicas": 3}}));
/// let variables = [("request", Variable::Json(&request)), ("object", Variable::Json(&object))];
/// let mut activation = Activation::new(&environment, &variables);
/// assert_eq!(activation.evaluate(&expression, 1_000).result, Ok(Output::Bool(true)));
/// # Ok::<(), klient_cel::CompileError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub(crate) types: HashMap<String, Type>,
    pub(crate) names: Vec<String>,
    /// The schemas of the variables, and true for those that are optional.
    pub(crate) variables: Vec<(Arc<Schema>, bool)>,
    pub(crate) sizes: Option<Arc<Schema>>,
    objects: HashMap<String, Type>,
    /// True if expressions can make `Object` and `JSONPatch`.
    pub(crate) has_patch_types: bool,
    pub(crate) composited: Vec<Composited>,
}

impl Environment {
    /// Adds a variable with values of a schema. `type_name` is the name of the type in messages, if it is an object.
    #[must_use]
    pub fn with_variable(mut self, name: &str, schema: &Arc<Schema>, type_name: &str) -> Self {
        let ty = schema.ty(type_name);
        self.declare(name, schema, ty, false);
        self.sizes.get_or_insert_with(|| Arc::clone(schema));
        self
    }

    /// Adds a variable that may have no value: its type is optional.
    #[must_use]
    pub fn with_optional_variable(mut self, name: &str, schema: &Arc<Schema>, type_name: &str) -> Self {
        let ty = Type::optional(schema.ty(type_name));
        self.declare(name, schema, ty, true);
        self.sizes.get_or_insert_with(|| Arc::clone(schema));
        self
    }

    /// Adds a variable of type `dyn`, whose values are JSON of any form.
    #[must_use]
    pub fn with_dynamic_variable(mut self, name: &str) -> Self {
        self.declare(name, &DYNAMIC, Type::Dyn, false);
        self
    }

    /// Adds a variable of a type, such as `list(string)` or the name of one that was added; its values are JSON that
    /// is read as it is.
    #[must_use]
    pub fn with_declared_variable(mut self, name: &str, ty: &str) -> Self {
        let ty = self.parse(ty);
        self.declare(name, &DYNAMIC, ty, false);
        self
    }

    /// Adds a variable with objects of a kind, for checks: expressions that read it are not evaluated.
    #[must_use]
    pub fn with_object_variable(mut self, name: &str, ty: &ObjectType) -> Self {
        self.declare(name, &DYNAMIC, ty.0.clone(), false);
        self
    }

    /// Adds an object type with the types of its fields.
    #[must_use]
    pub fn with_type(mut self, name: &str, fields: &[(&str, &str)]) -> Self {
        let fields: BTreeMap<String, Type> =
            fields.iter().map(|(name, ty)| ((*name).to_owned(), self.parse(ty))).collect();
        self.objects.insert(name.to_owned(), Type::object(name, Fields::Declared(Arc::new(fields))));
        self
    }

    /// Adds the types of patches, `Object` and `JSONPatch`, and the function `jsonpatch.escapeKey`.
    #[must_use]
    pub fn with_patch_types(mut self) -> Self {
        self.has_patch_types = true;
        self
    }

    /// Adds the variable `variables`, whose fields [`compose`](Self::compose) adds.
    #[must_use]
    pub fn with_composition(mut self) -> Self {
        // It has no value of its own, and no index.
        let ty = Type::object(COMPOSITION_TYPE, Fields::Declared(Arc::default()));
        self.types.insert(COMPOSITION.to_owned(), ty);
        self
    }

    /// Adds the variable `variables` with the fields that it has in another environment, in which expressions were
    /// compiled with the same variables in the same order.
    #[must_use]
    pub fn with_composition_of(mut self, other: &Environment) -> Self {
        if let Some(ty) = other.types.get(COMPOSITION) {
            self.types.insert(COMPOSITION.to_owned(), ty.clone());
            self.composited.clone_from(&other.composited);
        }
        self
    }

    fn declare(&mut self, name: &str, schema: &Arc<Schema>, ty: Type, optional: bool) {
        self.types.insert(name.to_owned(), ty);
        self.names.push(name.to_owned());
        self.variables.push((Arc::clone(schema), optional));
    }

    fn parse(&self, ty: &str) -> Type {
        Type::parse_with(ty, &|name| self.objects.get(name).cloned().unwrap_or_else(|| Type::named(name)))
    }
}
