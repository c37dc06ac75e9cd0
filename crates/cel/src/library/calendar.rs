//! Parts of times and durations, such as `getHours`.

use jiff::tz::TimeZone;

use crate::failure::{Failure, Result};
use crate::value::{Timestamp, Value};

/// A part of a time or duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    FullYear,
    Month,
    DayOfYear,
    DayOfMonth,
    Date,
    DayOfWeek,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

fn get<'a>(arguments: &[Value<'a>], part: Part) -> Result<Value<'a>> {
    match (&arguments[0], arguments.get(1)) {
        (Value::Timestamp(time), None) => Ok(Value::Int(of_time(time, 0, part))),
        (Value::Timestamp(time), Some(zone)) => {
            let offset = offset(time, zone.as_str()?)?;
            Ok(Value::Int(of_time(time, offset, part)))
        }
        (Value::Duration(nanos), None) => of_duration(*nanos, part).map(Value::Int),
        _ => Err(Failure::overload()),
    }
}

fn of_time(time: &Timestamp, offset: i64, part: Part) -> i64 {
    let civil = time.civil(offset);
    match part {
        Part::FullYear => civil.year,
        Part::Month => civil.month - 1,
        Part::DayOfYear => civil.day_of_year,
        Part::DayOfMonth => civil.day - 1,
        Part::Date => civil.day,
        Part::DayOfWeek => civil.weekday,
        Part::Hours => civil.seconds / 3600,
        Part::Minutes => civil.seconds / 60 % 60,
        Part::Seconds => civil.seconds % 60,
        Part::Milliseconds => i64::from(time.nanos / 1_000_000),
    }
}

fn of_duration(nanos: i64, part: Part) -> Result<i64> {
    match part {
        Part::Hours => Ok(nanos / 3_600_000_000_000),
        Part::Minutes => Ok(nanos / 60_000_000_000),
        Part::Seconds => Ok(nanos / 1_000_000_000),
        Part::Milliseconds => Ok(nanos / 1_000_000),
        _ => Err(Failure::overload()),
    }
}

/// The offset of a time zone in seconds: of a name such as `Europe/Paris`, or of `+02:00`.
fn offset(time: &Timestamp, zone: &str) -> Result<i64> {
    if let Some((hours, minutes)) = zone.split_once(':') {
        let number = |text: &str| -> Result<i64> {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let plain = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
            plain.then(|| text.parse::<i32>().ok()).flatten().map(i64::from).ok_or_else(|| {
                let text = klient_apimachinery::go::quoted(text);
                Failure::Error(format!("strconv.Atoi: parsing {text}: invalid syntax"))
            })
        };
        let (hours_number, minutes) = (number(hours)?, number(minutes)?);
        let minutes = if hours.starts_with('-') { -minutes } else { minutes };
        return Ok((hours_number * 60 + minutes) * 60);
    }
    if matches!(zone, "" | "UTC" | "Local") {
        return Ok(0);
    }
    let found = TimeZone::get(zone).map_err(|_| Failure::Error(format!("unknown time zone {zone}")))?;
    let instant =
        jiff::Timestamp::from_second(time.seconds).map_err(|_| Failure::error("timestamp overflow"))?;
    Ok(i64::from(found.to_offset(instant).seconds()))
}

pub(super) fn full_year<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    get(arguments, Part::FullYear)
}

pub(super) fn month<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    get(arguments, Part::Month)
}

pub(super) fn day_of_year<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    get(arguments, Part::DayOfYear)
}

pub(super) fn day_of_month<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    get(arguments, Part::DayOfMonth)
}

pub(super) fn date<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    get(arguments, Part::Date)
}

pub(super) fn day_of_week<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    get(arguments, Part::DayOfWeek)
}

pub(super) fn hours<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    get(arguments, Part::Hours)
}

pub(super) fn minutes<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    get(arguments, Part::Minutes)
}

pub(super) fn seconds<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    get(arguments, Part::Seconds)
}

pub(super) fn milliseconds<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    get(arguments, Part::Milliseconds)
}
