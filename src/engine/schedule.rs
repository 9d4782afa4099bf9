//! When a rule is due: cron expressions in a time zone. Pure: now is an argument.
//!
//! The crate `cron` only ever sees local wall-clock time; what happens when the clocks change is decided here.

use std::str::FromStr as _;

use chrono::{DateTime, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::time::Timestamp;

/// Local times looked at by one [`Schedule::next_after`]: more than the seconds of the longest ambiguous stretch.
const STEPS_MAX: usize = 100_000;

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A cron expression in a time zone.
///
/// Weekdays are 0 or 7 for Sunday and 1 for Monday in all forms. With five fields, a day of the month and a weekday
/// that are both restricted are alternatives, as in Vixie's cron; with six or seven both must hold. When the hour is
/// `*` or `*/n` the schedule follows real time; otherwise each local time is due once: one that does not exist at the
/// first moment after the gap, one that exists twice at its first occurrence.
#[derive(Debug, Clone)]
pub struct Schedule {
    expression: String,
    timezone: Tz,
    alternatives: Vec<cron::Schedule>,
    follows_real_time: bool,
}

impl Schedule {
    /// Compiles an expression of five fields, or six or seven with seconds (and year).
    pub fn parse(expression: &str, timezone: Tz) -> Result<Self, String> {
        let (forms, follows_real_time) = crate_forms(expression.trim())?;
        let mut alternatives = Vec::new();
        for form in forms {
            let parsed = cron::Schedule::from_str(&form).map_err(|error| unreadable(&error))?;
            alternatives.push(parsed);
        }
        if alternatives.iter().all(|one| one.after(&DateTime::UNIX_EPOCH).next().is_none()) {
            return Err(format!("`{expression}` is never due"));
        }
        Ok(Self { expression: expression.to_owned(), timezone, alternatives, follows_real_time })
    }

    /// The expression as written.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The first moment after `now` at which the rule is due; `None` when there is none.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let now = now.to_utc();
        let next = if self.follows_real_time { self.next_real(now) } else { self.next_once(now) };
        next.map(Timestamp::from)
    }

    fn next_local(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        self.alternatives
            .iter()
            .filter_map(|one| one.after(&local.and_utc()).next())
            .map(|at| at.naive_utc())
            .min()
    }

    fn next_once(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut local = now.with_timezone(&self.timezone).naive_local();
        for _ in 0..STEPS_MAX {
            local = self.next_local(local)?;
            let at = first_moment(local, self.timezone);
            if at > now {
                return Some(at);
            }
        }
        None
    }

    fn next_real(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut from = now;
        for _ in 0..STEPS_MAX {
            let offset = offset_at(from, self.timezone);
            let at = (self.next_local(from.naive_utc() + offset)? - offset).and_utc();
            if at - from > TimeDelta::days(3) {
                from = at - TimeDelta::days(2);
            } else if offset_at(at, self.timezone) == offset {
                return Some(at);
            } else {
                // One second before the new offset begins, seen with the new offset: the change itself may be due.
                let change = change_between(from, at, self.timezone);
                let after = offset_at(change, self.timezone);
                let due = (self.next_local(change.naive_utc() + after - TimeDelta::seconds(1))?
                    - after)
                    .and_utc();
                if offset_at(due, self.timezone) == after {
                    return Some(due);
                }
                from = change;
            }
        }
        None
    }
}

/// The crate's reason: the last line of what it says, below the expression and a caret.
fn unreadable(error: &cron::error::Error) -> String {
    let text = error.to_string().to_lowercase();
    let reason = text.lines().map(str::trim).rfind(|line| !line.is_empty() && *line != "^");
    let reason = reason.unwrap_or_default().trim_start_matches('^').trim().trim_end_matches('.');
    format!("not a cron expression: {reason}")
}

fn offset_at(at: DateTime<Utc>, timezone: Tz) -> TimeDelta {
    TimeDelta::seconds(i64::from(
        timezone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc(),
    ))
}

/// The first whole second in `(from, until]` whose offset is not that of `from`.
fn change_between(from: DateTime<Utc>, until: DateTime<Utc>, timezone: Tz) -> DateTime<Utc> {
    let offset = offset_at(from, timezone);
    let (mut low, mut high) = (from.timestamp(), until.timestamp());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let at = DateTime::from_timestamp(middle, 0).unwrap_or(until);
        if offset_at(at, timezone) == offset { low = middle } else { high = middle }
    }
    DateTime::from_timestamp(high, 0).unwrap_or(until)
}

/// When a local time is first reached; one inside a gap at the first moment after it.
fn first_moment(local: NaiveDateTime, timezone: Tz) -> DateTime<Utc> {
    if let Some(at) = timezone.from_local_datetime(&local).earliest() {
        return at.to_utc();
    }
    let day = TimeDelta::days(2);
    change_between((local - day).and_utc(), (local + day).and_utc(), timezone)
}

/// The expression as the crate reads it, one or two alternatives, and whether its hours follow real time.
fn crate_forms(text: &str) -> Result<(Vec<String>, bool), String> {
    if text.starts_with('@') {
        let text = text.to_ascii_lowercase();
        let hourly = text == "@hourly";
        return Ok((vec![text], hourly));
    }
    let mut fields: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let five = fields.len() == 5;
    if five {
        fields.insert(0, "0".to_owned());
    }
    if !matches!(fields.len(), 6 | 7) {
        return Err(format!(
            "a schedule has five fields, or six or seven with seconds, not {}",
            fields.len()
        ));
    }
    let real = fields[2].starts_with('*');
    let restricted = |field: &str| !field.starts_with(['*', '?']);
    let either = five && restricted(&fields[3]) && restricted(&fields[5]);
    fields[5] = weekdays(&fields[5])?;
    if !either {
        return Ok((vec![fields.join(" ")], real));
    }
    let (mut by_date, mut by_day) = (fields.clone(), fields);
    "*".clone_into(&mut by_date[5]);
    "*".clone_into(&mut by_day[3]);
    Ok((vec![by_date.join(" "), by_day.join(" ")], real))
}

fn weekday(text: &str) -> Result<usize, String> {
    let wrong = || format!("`{text}` is no weekday: 0 to 7 or sun to sat");
    if let Ok(number) = text.parse::<usize>() {
        return if number <= 7 { Ok(number) } else { Err(wrong()) };
    }
    WEEKDAYS.iter().position(|day| day.eq_ignore_ascii_case(text)).ok_or_else(wrong)
}

/// The weekday field as a list of names, so that the crate's own numbering never shows.
fn weekdays(field: &str) -> Result<String, String> {
    if matches!(field, "*" | "?") {
        return Ok(field.to_owned());
    }
    let mut names = Vec::new();
    for item in field.split(',') {
        let (range, step) =
            item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        let every = step.map_or(Ok(1), |step| {
            step.parse::<usize>().map_err(|_| format!("`{step}` is no step"))
        })?;
        if !(1..=7).contains(&every) {
            return Err(format!("a step of weekdays is 1 to 7, not {every}"));
        }
        let (from, until) = match range.split_once('-') {
            _ if matches!(range, "*" | "?") => (0, 6),
            Some((from, until)) => (weekday(from)?, weekday(until)?),
            None if step.is_some() => (weekday(range)?, 6),
            None => (weekday(range)?, weekday(range)?),
        };
        let until = if until < from { until + 7 } else { until };
        names.extend((from..=until).step_by(every).map(|day| WEEKDAYS[day % 7]));
    }
    Ok(names.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn due(expression: &str, zone: Tz, after: &str) -> String {
        let schedule = Schedule::parse(expression, zone).expect("a schedule");
        let next = schedule.next_after(time(after).into());
        next.map_or_else(|| "never".to_owned(), |at| at.to_string())
    }

    #[test]
    fn schedules_are_due() {
        let (berlin, york, howe) =
            (Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe);
        for (expression, zone, after, expected) in [
            ("* * * * *", Tz::UTC, "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
            ("* * * * *", Tz::UTC, "2026-01-01T00:00:59.5Z", "2026-01-01T00:01:00Z"),
            ("*/10 * * * * *", Tz::UTC, "2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z"),
            ("0 0 12 * * * 2027", Tz::UTC, "2026-01-01T00:00:00Z", "2027-01-01T12:00:00Z"),
            // Sunday is 0 or 7 in every form.
            ("0 0 * * 7", Tz::UTC, "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
            ("0 0 * * 0", Tz::UTC, "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
            ("0 0 0 * * 1", Tz::UTC, "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"),
            ("0 0 * * 5-7", Tz::UTC, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
            ("0 0 * jan mon-fri", Tz::UTC, "2026-01-02T12:00:00Z", "2026-01-05T00:00:00Z"),
            // A date and a weekday are alternatives with five fields, and both with six.
            ("0 0 13 * 1", Tz::UTC, "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"),
            ("0 0 0 13 * 5", Tz::UTC, "2026-01-01T00:00:00Z", "2026-02-13T00:00:00Z"),
            // 02:30 does not exist on 29 March in Berlin: due when the gap is over, once.
            ("30 2 * * *", berlin, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
            ("30 2 * * *", berlin, "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
            // 02:30 exists twice on 25 October: due the first time only.
            ("30 2 * * *", berlin, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
            ("30 2 * * *", berlin, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
            // Every hour follows real time.
            ("30 * * * *", berlin, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            ("30 * * * *", berlin, "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
            ("0 */2 * * *", berlin, "2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z"),
            ("30 2 * * *", york, "2026-03-08T00:00:00Z", "2026-03-08T07:00:00Z"),
            ("15 2 * * *", howe, "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z"),
            ("*/10 * * * *", howe, "2026-04-04T14:55:00Z", "2026-04-04T15:00:00Z"),
            ("0 0 29 2 *", Tz::UTC, "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ] {
            assert_eq!(due(expression, zone, after), expected, "{expression} after {after}");
        }
    }

    #[test]
    fn expressions_that_cannot_be_are_refused() {
        for expression in [
            "0 0 30 2 *",
            "* * * *",
            "61 * * * *",
            "0 0 * * 8",
            "0 0 * * monxyz",
            "often",
            "",
            "* * * * * * * *",
        ] {
            assert!(Schedule::parse(expression, Tz::UTC).is_err(), "{expression}");
        }
    }

    /// Every minute of the two days around a change of the clocks: nothing is skipped, nothing comes twice.
    #[test]
    fn next_is_the_first_minute_that_matches() {
        for (zone, start) in [
            (Tz::Europe__Berlin, "2026-03-28T12:00:00Z"),
            (Tz::Europe__Berlin, "2026-10-24T12:00:00Z"),
            (Tz::Australia__Lord_Howe, "2026-04-03T12:00:00Z"),
            (Tz::Australia__Lord_Howe, "2026-10-02T12:00:00Z"),
        ] {
            let schedule = Schedule::parse("5,35 */3 * * *", zone).expect("a schedule");
            let matches = |at: &DateTime<Utc>| {
                let local = at.with_timezone(&zone).naive_local();
                let (hour, minute) =
                    (local.format("%H").to_string(), local.format("%M").to_string());
                hour.parse::<u32>().is_ok_and(|hour| hour % 3 == 0)
                    && ["05", "35"].contains(&minute.as_str())
            };
            let minutes = (1..2 * 24 * 60).map(|minute| time(start) + TimeDelta::minutes(minute));
            let mut now: Timestamp = time(start).into();
            for expected in minutes.filter(matches) {
                now = schedule.next_after(now).expect("there is always a next one");
                assert_eq!(now, expected.into(), "{zone}");
            }
        }
    }
}
