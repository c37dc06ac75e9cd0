//! Removal of fields that a manager applied before and does not apply now.

use crate::typed::with_named_fields;
use crate::{Error, FieldSet, Managers, Owned, Typed, Updater};

impl Updater<'_> {
    /// Removes the fields that a manager had `last` and that no manager owns now. As in upstream's `prune`: first all
    /// that it had is removed, with the fields below; then fields that others own are put back, then those it had not
    /// owned itself.
    pub(super) fn prune<'s>(
        &'s self,
        merged: Typed<'s>,
        api_version: &str,
        managers: &Managers,
        last: &Owned,
    ) -> Result<Typed<'s>, Error> {
        let at = last.api_version.as_str();
        let whole = self.in_version(&merged, api_version, at);
        let whole =
            whole.map_err(|error| error.within("failed to convert merged object to last applied version"))?;
        let Some(whole) = whole else { return Ok(merged) };
        let root = whole.root();
        let named = |set: &FieldSet| with_named_fields(set, Some(root));
        let last = named(&last.fields);
        let pruned = whole.remove(&last);
        let pruned = self.put_back_owned(&whole, pruned, at, managers);
        let pruned = pruned.map_err(|error| error.within("failed add back owned items"))?;
        let Some(pruned) = pruned else { return Ok(merged) };
        let gone = named(&whole.field_set()).difference(&named(&pruned.field_set()));
        let pruned = whole.remove(&gone.intersection(&last));
        match self.in_version(&pruned, at, api_version)? {
            Some(pruned) => Ok(pruned),
            None => Err(Error::missing(api_version)),
        }
    }

    /// Puts back owned fields, those in the version `at` first: conversion may need them.
    fn put_back_owned<'s>(
        &'s self,
        whole: &Typed<'s>,
        mut pruned: Typed<'s>,
        at: &str,
        managers: &Managers,
    ) -> Result<Option<Typed<'s>>, Error> {
        let mut owned = managers.by_version();
        if let Some(owned) = owned.remove(at) {
            pruned = put_back(whole, &pruned, &owned);
        }
        for (version, owned) in owned {
            let converted = |what: &str, object| {
                let converted = self.in_version(object, at, &version);
                converted.map_err(|error| {
                    error.within(&format!("failed to convert {what} object at version {version}"))
                })
            };
            let Some(whole) = converted("merged", whole)? else { continue };
            let Some(other) = converted("pruned", &pruned)? else { continue };
            let put_back = put_back(&whole, &other, &owned);
            let Some(back) = self.in_version(&put_back, &version, at)? else { return Ok(None) };
            pruned = back;
        }
        Ok(Some(pruned))
    }

    fn in_version<'s>(
        &'s self,
        object: &Typed<'s>,
        from: &str,
        to: &str,
    ) -> Result<Option<Typed<'s>>, Error> {
        if from == to { Ok(Some(object.clone())) } else { self.convert(object, from, to) }
    }
}

/// The whole without the fields that were pruned and have no owner.
fn put_back<'s>(whole: &Typed<'s>, pruned: &Typed<'s>, owned: &FieldSet) -> Typed<'s> {
    let named = |set: &FieldSet| with_named_fields(set, Some(whole.root()));
    let kept = named(&pruned.field_set()).union(&named(owned));
    whole.remove(&named(&whole.field_set()).difference(&kept))
}
