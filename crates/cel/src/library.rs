//! The functions of expressions: those of CEL and of Kubernetes' libraries.

mod address;
mod arithmetic;
mod authorization;
mod calendar;
mod cidr;
mod conversion;
mod json_patch;
mod lists;
mod named_format;
mod quantity;
mod semver;
pub(crate) mod string_format;
mod strings;
mod url;

use crate::failure::Result;
use crate::value::{Map, NamedFormat, Value};

/// The size in bytes beyond which no string is made.
const TEXT_MAX: usize = 32 << 20;

/// The number of items beyond which no list is made.
const ITEMS_MAX: usize = 1 << 24;

/// The implementation of a function.
pub(crate) type Native = for<'a> fn(&[Value<'a>]) -> Result<Value<'a>>;

/// A function, with what its calls need besides arguments.
#[derive(Clone, Copy)]
pub(crate) enum Function {
    Native(Native),
    /// `matches`, `find` and `findAll`, whose second argument is a regular expression.
    Pattern(PatternFunction),
    /// The format that a function such as `format.uuid` returns.
    Format(&'static NamedFormat),
}

/// A function of regular expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatternFunction {
    Matches,
    Find,
    FindAll,
}

/// The function with a name, and the overload if there is only one.
pub(crate) fn function(name: &str, overload: Option<&str>) -> Option<Function> {
    let native: Native = match name {
        "matches" => return Some(Function::Pattern(PatternFunction::Matches)),
        "find" => return Some(Function::Pattern(PatternFunction::Find)),
        "findAll" => return Some(Function::Pattern(PatternFunction::FindAll)),
        "!_" => arithmetic::not,
        "-_" => arithmetic::negate,
        "_+_" => arithmetic::add,
        "_-_" => arithmetic::subtract,
        "_*_" => arithmetic::multiply,
        "_/_" => arithmetic::divide,
        "_%_" => arithmetic::modulo,
        "_<_" => arithmetic::less,
        "_<=_" => arithmetic::less_equals,
        "_>_" => arithmetic::greater,
        "_>=_" => arithmetic::greater_equals,
        "@in" => arithmetic::is_in,
        "int" => conversion::to_int,
        "uint" => conversion::to_uint,
        "double" => conversion::to_double,
        "bool" => conversion::to_bool,
        "bytes" => conversion::to_bytes,
        "string" => conversion::to_string,
        "duration" => conversion::to_duration,
        "timestamp" => conversion::to_timestamp,
        "dyn" => conversion::to_dyn,
        "type" => conversion::to_type,
        "size" => conversion::size,
        "optional.of" => conversion::optional_of,
        "optional.ofNonZeroValue" => conversion::optional_of_non_zero,
        "optional.none" => conversion::optional_none,
        "optional.unwrap" | "unwrapOpt" => lists::unwrap_optionals,
        "hasValue" => conversion::has_value,
        "value" => conversion::value_of,
        "cel.@mapInsert" => insert,
        "sum" => match overload {
            Some("list_int_sum_int") => lists::sum_int,
            Some("list_uint_sum_uint") => lists::sum_uint,
            Some("list_double_sum_double") => lists::sum_double,
            Some("list_duration_sum_duration") => lists::sum_duration,
            _ => lists::sum_any,
        },
        _ => return named_format::of_function(name).map(Function::Format).or_else(|| of_library(name)),
    };
    Some(Function::Native(native))
}

fn of_library(name: &str) -> Option<Function> {
    let native: Native = match name {
        "contains" => strings::contains,
        "startsWith" => strings::starts_with,
        "endsWith" => strings::ends_with,
        "charAt" => strings::char_at,
        "indexOf" => strings::index_of,
        "lastIndexOf" => strings::last_index_of,
        "lowerAscii" => strings::lower_ascii,
        "upperAscii" => strings::upper_ascii,
        "replace" => strings::replace,
        "split" => strings::split,
        "substring" => strings::substring,
        "trim" => strings::trim,
        "join" => strings::join,
        "strings.quote" => strings::quote,
        "format" => string_format::format,
        "isSorted" => lists::is_sorted,
        "max" => lists::max,
        "min" => lists::min,
        "includes" => lists::includes,
        "slice" => lists::slice,
        "flatten" => lists::flatten,
        "sort" => lists::sort,
        "@sortByAssociatedKeys" => lists::sort_by_keys,
        "lists.range" => lists::range,
        "reverse" => lists::reverse,
        "distinct" => lists::distinct,
        "first" => lists::first,
        "last" => lists::last,
        "sets.contains" => lists::set_contains,
        "sets.equivalent" => lists::set_equivalent,
        "sets.intersects" => lists::set_intersects,
        "getFullYear" => calendar::full_year,
        "getMonth" => calendar::month,
        "getDayOfYear" => calendar::day_of_year,
        "getDayOfMonth" => calendar::day_of_month,
        "getDate" => calendar::date,
        "getDayOfWeek" => calendar::day_of_week,
        "getHours" => calendar::hours,
        "getMinutes" => calendar::minutes,
        "getSeconds" => calendar::seconds,
        "getMilliseconds" => calendar::milliseconds,
        _ => return of_kubernetes(name),
    };
    Some(Function::Native(native))
}

fn of_kubernetes(name: &str) -> Option<Function> {
    let native: Native = match name {
        "url" => url::url,
        "isURL" => url::is_url,
        "getScheme" => url::scheme_of,
        "getHost" => url::host_of,
        "getHostname" => url::hostname_of,
        "getPort" => url::port_of,
        "getEscapedPath" => url::escaped_path_of,
        "getQuery" => url::query_of,
        "ip" => address::ip,
        "isIP" => address::is_ip,
        "ip.isCanonical" => address::is_canonical,
        "family" => address::family,
        "isUnspecified" => address::is_unspecified,
        "isLoopback" => address::is_loopback,
        "isLinkLocalMulticast" => address::is_link_local_multicast,
        "isLinkLocalUnicast" => address::is_link_local_unicast,
        "isGlobalUnicast" => address::is_global_unicast,
        "cidr" => cidr::cidr,
        "isCIDR" => cidr::is_cidr,
        "containsIP" => cidr::contains_ip,
        "containsCIDR" => cidr::contains_cidr,
        "prefixLength" => cidr::prefix_length,
        "masked" => cidr::masked,
        "quantity" => quantity::quantity,
        "isQuantity" => quantity::is_quantity,
        "sign" => quantity::sign,
        "isInteger" => quantity::is_integer,
        "asInteger" => quantity::as_integer,
        "asApproximateFloat" => quantity::as_approximate_float,
        "add" => quantity::add,
        "sub" => quantity::sub,
        "compareTo" => quantity::compare_to,
        "isGreaterThan" => quantity::is_greater_than,
        "isLessThan" => quantity::is_less_than,
        "semver" => semver::semver,
        "isSemver" => semver::is_semver,
        "major" => semver::major,
        "minor" => semver::minor,
        "patch" => semver::patch,
        "format.named" => named_format::named,
        "validate" => named_format::validate,
        "jsonpatch.escapeKey" => json_patch::escape_key,
        _ => return authorization::of_function(name).map(Function::Native),
    };
    Some(Function::Native(native))
}

/// A map with one more entry, or with the entries of another.
fn insert<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let [Value::Map(map), rest @ ..] = arguments else { return Err(crate::failure::Failure::overload()) };
    extend(map.clone(), rest).map(|map| Value::Map(map.build()))
}

/// A map with the entries that the arguments of an insertion have: a key and a value, or a map.
pub(crate) fn extend<'a>(map: Map<'a>, rest: &[Value<'a>]) -> Result<crate::value::MapBuilder<'a>> {
    use crate::failure::Failure;
    let mut builder = map.into_builder()?;
    let mut insert = |key: Value<'a>, value: Value<'a>| {
        if builder.insert(key.clone(), value)? {
            return Ok(());
        }
        let shown = string_format::show(&key);
        Err(Failure::Error(format!("insert failed: key {shown} already exists")))
    };
    match rest {
        [key, value] => insert(key.clone(), value.clone())?,
        [Value::Map(more)] => {
            for key in more.keys() {
                let value = more.find(&key)?.ok_or_else(Failure::overload)?;
                insert(key, value)?;
            }
        }
        _ => return Err(Failure::overload()),
    }
    Ok(builder)
}

/// The only argument, for functions that are constants.
pub(crate) fn identity<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(arguments[0].clone())
}
