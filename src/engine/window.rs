//! When a rule is awake: windows of local time. Pure: now is an argument.

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;

use super::time::Timestamp;

/// A stretch of local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    /// On these weekdays (Monday first) from one time of day until another, exclusive; over midnight when `until` is
    /// before `from`, and then it belongs to the day on which it starts.
    Weekly {
        /// Monday to Sunday.
        days: [bool; 7],
        /// Start of the window.
        from: NaiveTime,
        /// End of the window, exclusive; `None` is the end of the day (24:00).
        until: Option<NaiveTime>,
    },
    /// From one local moment until another, exclusive.
    Dated {
        /// Start.
        from: NaiveDateTime,
        /// End, exclusive.
        until: NaiveDateTime,
    },
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Window {
    /// Reads `Mon-Fri 08:00-18:00`, `22:00-06:00`, `Sat,Sun` or `2026-12-24 00:00 / 2026-12-27 00:00`. The error says
    /// what is wrong, in a lowercase fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some((from, until)) = text.split_once(" / ") {
            return dated(from.trim(), until.trim());
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, times) = match words.as_slice() {
            [times] if times.contains(':') => (None, Some(*times)),
            [days] => (Some(*days), None),
            [days, times] => (Some(*days), Some(*times)),
            _ => return Err(format!("`{text}` is no window, such as `Mon-Fri 08:00-18:00`")),
        };
        let days = days.map_or(Ok([true; 7]), weekdays)?;
        let (from, until) = times.map_or(Ok((NaiveTime::MIN, None)), times_of_day)?;
        Ok(Self::Weekly { days, from, until })
    }

    /// Whether `now` lies in the window, in the local time of `timezone`.
    pub fn contains(&self, now: Timestamp, timezone: Tz) -> bool {
        let local = now.to_utc().with_timezone(&timezone).naive_local();
        match self {
            Self::Dated { from, until } => (*from..*until).contains(&local),
            Self::Weekly { days, from, until } => {
                let on = |date: NaiveDate| days[date.weekday().num_days_from_monday() as usize];
                let (today, time) = (local.date(), local.time());
                let yesterday = today - TimeDelta::days(1);
                match until {
                    None => on(today) && time >= *from,
                    Some(until) if from < until => on(today) && time >= *from && time < *until,
                    Some(until) => (on(today) && time >= *from) || (on(yesterday) && time < *until),
                }
            }
        }
    }
}

fn dated(from: &str, until: &str) -> Result<Window, String> {
    let (from, until) = (moment(from)?, moment(until)?);
    if until <= from {
        return Err(format!("the window ends ({until}) before it begins ({from})"));
    }
    Ok(Window::Dated { from, until })
}

fn moment(text: &str) -> Result<NaiveDateTime, String> {
    let formats = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"];
    let moment = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let midnight = || {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(date.and_time(NaiveTime::MIN))
    };
    moment
        .or_else(midnight)
        .ok_or_else(|| format!("`{text}` is no date and time, such as `2026-12-24 08:00`"))
}

/// `Mon-Fri`, `Sat,Sun`, `Fri-Mon`, `Mon,Wed-Thu`.
fn weekdays(text: &str) -> Result<[bool; 7], String> {
    let mut days = [false; 7];
    for item in text.split(',') {
        let (from, until) = item.split_once('-').unwrap_or((item, item));
        let (from, until) = (weekday(from)?, weekday(until)?);
        let until = if until < from { until + 7 } else { until };
        (from..=until).for_each(|day| days[day % 7] = true);
    }
    Ok(days)
}

fn weekday(text: &str) -> Result<usize, String> {
    DAYS.iter()
        .position(|day| day.eq_ignore_ascii_case(text))
        .ok_or_else(|| format!("`{text}` is no weekday: Mon to Sun"))
}

fn times_of_day(text: &str) -> Result<(NaiveTime, Option<NaiveTime>), String> {
    let (from, until) = text
        .split_once('-')
        .ok_or_else(|| format!("`{text}` is no span of time, such as `08:00-18:00`"))?;
    let from = time_of_day(from)?;
    let until = if until == "24:00" { None } else { Some(time_of_day(until)?) };
    if until == Some(from) {
        return Err(format!("the window `{text}` is empty"));
    }
    Ok((from, until))
}

fn time_of_day(text: &str) -> Result<NaiveTime, String> {
    let formats = ["%H:%M", "%H:%M:%S"];
    let time = formats.iter().find_map(|format| NaiveTime::parse_from_str(text, format).ok());
    time.ok_or_else(|| format!("`{text}` is no time of day, such as `08:00`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_contain_what_they_say() {
        // 2 March 2026 is a Monday; Berlin is an hour ahead of UTC.
        for (window, utc, expected) in [
            ("Mon-Fri 08:00-18:00", "2026-03-02T06:59:59Z", false),
            ("Mon-Fri 08:00-18:00", "2026-03-02T07:00:00Z", true),
            ("Mon-Fri 08:00-18:00", "2026-03-02T17:00:00Z", false),
            ("mon-fri 08:00-18:00", "2026-03-01T09:00:00Z", false),
            ("22:00-06:00", "2026-03-02T21:00:00Z", true),
            ("22:00-06:00", "2026-03-02T04:59:00Z", true),
            ("22:00-06:00", "2026-03-02T05:00:00Z", false),
            // The night from Monday belongs to Monday.
            ("Mon 22:00-06:00", "2026-03-03T04:00:00Z", true),
            ("Mon 22:00-06:00", "2026-03-02T04:00:00Z", false),
            ("Sat,Sun", "2026-03-01T12:00:00Z", true),
            ("Fri-Mon", "2026-03-02T12:00:00Z", true),
            ("Fri-Mon", "2026-03-03T12:00:00Z", false),
            ("08:00-24:00", "2026-03-02T22:59:59Z", true),
            ("2026-12-24 00:00 / 2026-12-27 00:00", "2026-12-23T23:00:00Z", true),
            ("2026-12-24 / 2026-12-27", "2026-12-26T23:00:00Z", false),
        ] {
            let now: chrono::DateTime<chrono::Utc> = utc.parse().expect("a time");
            let found =
                Window::parse(window).expect("a window").contains(now.into(), Tz::Europe__Berlin);
            assert_eq!(found, expected, "{window} at {utc}");
        }
    }

    #[test]
    fn windows_that_cannot_be_are_refused() {
        for window in [
            "",
            "Mon-Fry",
            "08:00",
            "08:00-08:00",
            "8-18",
            "25:00-26:00",
            "Mon Tue 08:00-09:00",
            "2026-12-27 / 2026-12-24",
            "2026-13-01 / 2026-12-24",
        ] {
            assert!(Window::parse(window).is_err(), "{window}");
        }
    }
}
