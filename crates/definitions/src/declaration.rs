//! [`Declaration`]: all that a definition says of a version beside the schema of its objects.

use schemars::Schema;

/// All that a CustomResourceDefinition says of one version of a resource, beside its group, version, kind, plural and scope.
///
/// `#[derive(CustomResource)]` writes one from its attributes; a program may write its own for
/// [`Definition::new`](crate::Definition::new).
#[derive(Clone, Debug, Default)]
pub struct Declaration {
    /// The singular; the kind in lower case by default.
    pub singular: Option<&'static str>,
    /// Abbreviations for command lines.
    pub short_names: &'static [&'static str],
    /// Groups of resources that list it, too, such as `all`.
    pub categories: &'static [&'static str],
    /// Labels of the definition itself, as keys and values.
    pub labels: &'static [(&'static str, &'static str)],
    /// Annotations of the definition itself, as keys and values.
    pub annotations: &'static [(&'static str, &'static str)],
    /// The JSON schema of the field `spec`.
    pub spec: Option<Schema>,
    /// The JSON schema of the field `status`. With it the resource has the subresource `status`.
    pub status: Option<Schema>,
    /// The paths of the subresource `scale`.
    pub scale: Option<Scale>,
    /// Columns of `kubectl get`; only the age by default.
    pub columns: &'static [Column],
    /// JSON paths of the fields that field selectors may name.
    pub selectable_fields: &'static [&'static str],
    /// Rules for the whole object.
    pub rules: &'static [Rule],
    /// The version is served no more.
    pub is_not_served: bool,
    /// The version is deprecated, with the warning of its requests, or an empty one for that of the server.
    pub deprecated: Option<&'static str>,
}

/// The fields that the subresource `scale` reads and writes, as JSON paths.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// The number of replicas that is wished, such as `.spec.replicas`.
    pub spec: &'static str,
    /// The number of replicas that there are, such as `.status.replicas`.
    pub status: &'static str,
    /// The label selector of the replicas, as a string, such as `.status.selector`.
    pub selector: Option<&'static str>,
}

/// A column of `kubectl get`.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The heading.
    pub name: &'static str,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub ty: &'static str,
    /// The JSON path of the value, such as `.spec.replicas`.
    pub path: &'static str,
    /// The text of `kubectl explain`'s like; empty for none.
    pub description: &'static str,
    /// Such as `int32` or `date-time`; empty for none.
    pub format: &'static str,
    /// 0 for a column that is always shown, more for one of `-o wide`.
    pub priority: i32,
}

/// A rule in CEL, of `x-kubernetes-validations`.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The expression, which is true for a valid value of `self`.
    pub rule: &'static str,
    /// The message for values that are not valid; empty for `failed rule: …`.
    pub message: &'static str,
    /// An expression for the message; empty for none.
    pub message_expression: &'static str,
    /// The reason: `FieldValueInvalid`, `FieldValueForbidden`, `FieldValueRequired` or `FieldValueDuplicate`; empty for the
    /// first.
    pub reason: &'static str,
    /// The JSON path of the field at fault; empty for the value itself.
    pub field_path: &'static str,
    /// `oldSelf` is an optional value, and the rule holds for new objects, too.
    pub optional_old_self: bool,
}
