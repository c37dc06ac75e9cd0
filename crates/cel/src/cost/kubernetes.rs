//! The cost of calls of Kubernetes' functions.

use super::call::{Call, CallCost, has_texts, matching};
use super::{CHARACTER, Coster, Estimate, Operand, PATTERN};
use crate::types::Type;

/// The cost of an authorization check.
const CHECK: u64 = 350_000;
/// The length of the longest pattern of a format.
const FORMAT_PATTERN: f64 = 128.0;
/// The length of the longest name of a format.
const FORMAT_NAME: u64 = 64;

impl<'c> Coster<'c> {
    pub(super) fn of_kubernetes(&self, call: &Call<'_, 'c>) -> Option<CallCost> {
        let one = Some((Estimate::fixed(1), None));
        let first = call.arguments.first();
        let scan = |operand: Option<&Operand<'c>>, factor: f64| {
            operand.map(|operand| (self.estimated(operand).scale(factor), None))
        };
        match call.name {
            "check" => Some((Estimate::fixed(CHECK), None)),
            "serviceAccount"
            | "path"
            | "group"
            | "resource"
            | "subresource"
            | "namespace"
            | "name"
            | "allowed"
            | "reason"
            | "error"
            | "errored"
            | "masked"
            | "prefixLength"
            | "family"
            | "isUnspecified"
            | "isLoopback"
            | "isLinkLocalMulticast"
            | "isLinkLocalUnicast"
            | "isGlobalUnicast"
            | "format.named"
            | "sign"
            | "asInteger"
            | "isInteger"
            | "asApproximateFloat"
            | "isGreaterThan"
            | "isLessThan"
            | "compareTo"
            | "add"
            | "sub"
            | "major"
            | "minor"
            | "patch"
            | "getScheme"
            | "getHostname"
            | "getHost"
            | "getPort"
            | "getEscapedPath"
            | "getQuery" => one,
            "fieldSelector" | "labelSelector" => {
                let size = self.estimated(first?);
                let requirements = size.scale(0.5).scale(50.0);
                Some((Estimate::fixed(10).add(size.scale(CHARACTER)).add(requirements), None))
            }
            "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" | "includes" => {
                self.of_items(call)
            }
            "url" => {
                let size = self.estimated(first?);
                Some((size.scale(CHARACTER), Some(size)))
            }
            "lowerAscii" | "upperAscii" | "substring" | "trim" => {
                let size = self.estimated(call.target?);
                Some((size.scale(CHARACTER), Some(size)))
            }
            "replace" => self.replace(call),
            "split" => {
                let size = self.estimated(call.target?);
                let limit = call.arguments.get(1).and_then(int_literal);
                let parts = Estimate { min: 0, max: limit.unwrap_or(size.max) };
                Some((size.scale(2.0 * CHARACTER), Some(parts)))
            }
            "join" => self.join(call),
            "find" | "findAll" => {
                let size = self.estimated(call.target?);
                let pattern = self.estimated(first?);
                Some((matching(size, pattern), Some(Estimate { min: 0, max: size.max })))
            }
            "ip" if call.overload == "cidr_ip" => one,
            "cidr" | "isIP" | "isCIDR" | "ip" | "quantity" | "isQuantity" | "semver" | "isSemver" => {
                scan(first, CHARACTER)
            }
            "ip.isCanonical" => scan(first, 2.0 * CHARACTER),
            "containsIP" | "containsCIDR" => {
                let address = Estimate { min: 4, max: 16 };
                let mut cost = address.add(address).scale(CHARACTER);
                if call.name == "containsCIDR" {
                    cost = cost.add(address.scale(CHARACTER)).add(Estimate::fixed(1));
                }
                if call.overload.ends_with("_string") {
                    cost = cost.add(self.estimated(first?).scale(CHARACTER));
                }
                Some((cost, None))
            }
            "validate" => {
                let size = self.estimated(first?);
                Some((size.scale(CHARACTER).scale(FORMAT_PATTERN * PATTERN), None))
            }
            "_==_" => equality(call),
            _ => None,
        }
    }

    /// Functions that look at every item of a list, or at every character of a string.
    fn of_items(&self, call: &Call<'_, 'c>) -> Option<CallCost> {
        let target = call.target?;
        let size = self.estimated(target);
        let mut item_cost = Estimate::fixed(1);
        match target.ty.parameters().first() {
            Some(ty) if has_texts(ty) => {
                // Without a path, the size of the items is not known.
                let mut path = target.path.clone();
                if !path.is_empty() {
                    path.push("@items".into());
                }
                let item = self.schema_size(&path).unwrap_or(Estimate::UNKNOWN);
                item_cost = item_cost.add(item.scale(CHARACTER));
                Some((size.multiply(item_cost), None))
            }
            Some(_) => Some((size.multiply(item_cost), None)),
            None if call.name == "includes" => Some((size.multiply(item_cost), None)),
            None => Some((size.scale(CHARACTER), None)),
        }
    }

    fn replace(&self, call: &Call<'_, 'c>) -> Option<CallCost> {
        let size = self.estimated(call.target?);
        let [old, new, ..] = call.arguments else { return None };
        let (old, new) = (self.estimated(old), self.estimated(new));
        let (mut times, mut kept) = (Estimate::default(), Estimate::default());
        if old.min == 0 {
            // A new string is put around every character.
            times.max = size.max.saturating_add(1);
            kept.max = size.max;
        } else if new.max <= old.min {
            kept.max = size.max;
        } else {
            times.max = (size.max as f64 / old.min as f64).ceil() as u64;
        }
        if old.max == 0 {
            times.min = size.min.saturating_add(1);
            kept.min = size.min;
        } else if old.max <= new.min {
            kept.min = size.min;
        } else {
            times.min = (size.min as f64 / old.max as f64).ceil() as u64;
        }
        Some((size.scale(2.0 * CHARACTER), Some(times.multiply(new).add(kept))))
    }

    fn join(&self, call: &Call<'_, 'c>) -> Option<CallCost> {
        let target = call.target?;
        let items = self.estimated(target);
        let mut size = Estimate::default();
        if !target.ty.parameters().is_empty() {
            let mut path = target.path.clone();
            if !path.is_empty() {
                path.push("@items".into());
            }
            size = items.multiply(self.schema_size(&path).unwrap_or(Estimate::UNKNOWN));
        }
        if let Some(separator) = call.arguments.first() {
            let between = Estimate { min: items.min.saturating_sub(1), max: items.max.saturating_sub(1) };
            size = size.add(self.estimated(separator).multiply(between));
        }
        Some((size.scale(CHARACTER), Some(size)))
    }
}

fn equality(call: &Call<'_, '_>) -> Option<CallCost> {
    let [one, other] = call.arguments else { return None };
    if !one.ty.is(other.ty) {
        return None;
    }
    let name = match one.ty {
        Type::Struct(own) => &*own.name,
        Type::Opaque(name, _) => &**name,
        _ => return None,
    };
    match name {
        "net.IP" | "net.CIDR" | "kubernetes.Quantity" | "kubernetes.Semver" => {
            Some((Estimate::fixed(1), None))
        }
        "kubernetes.NamedFormat" => Some((Estimate { min: 1, max: FORMAT_NAME }.scale(CHARACTER), None)),
        "kubernetes.URL" => {
            let max = other.size.map_or(1, |size| size.max);
            Some((Estimate { min: 1, max }.scale(CHARACTER), None))
        }
        name if name.starts_with("kubernetes.authorization.") => Some((Estimate::fixed(1), None)),
        _ => None,
    }
}

/// The value of a literal integer, which may be negative.
fn int_literal(operand: &Operand<'_>) -> Option<u64> {
    use cel::common::ast::{Expr, LiteralValue};
    match operand.expr.map(|expr| &expr.expr) {
        Some(Expr::Literal(LiteralValue::Int(value))) => Some(value.inner().cast_unsigned()),
        _ => None,
    }
}
