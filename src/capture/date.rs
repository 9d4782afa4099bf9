//! Dates and times as databases and their tools write them, read without a format where the text leaves no doubt.
//!
//! `03/04/2026` alone leaves doubt, and `26-03-28` more of it. Such values are handed back as [`Reading::Pending`], and
//! what other values rule out (`29/03/2026` that the month comes first) settles it for the whole file; see
//! [`Calendar::is_settled`]. Nothing is stored here but the orders that are left.
//!
//! Times without a zone are in the calendar's zone. Where the clock is put back or forward, a local time that exists
//! twice or not at all is read with the offset in force before the change.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::format::{Item, Parsed, StrftimeItems};
use chrono::{
    Datelike as _, MappedLocalTime, NaiveDate, NaiveDateTime, Offset as _, TimeDelta,
    TimeZone as _, Timelike as _,
};
use chrono_tz::Tz;
use rustc_hash::FxHashMap;

use crate::engine::time::{MICROS_PER_SECOND, Timestamp};

const SECONDS_PER_DAY: i64 = 86_400;

/// Days whose offset is remembered: eleven years of them. More only means that they are worked out again.
const OFFSET_DAYS_MAX: usize = 4_096;

/// How dates are written that could be read in two ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateFormat {
    /// Day before month: `29/03/2026`.
    Dmy,
    /// Month before day: `03/29/2026`.
    Mdy,
    /// Year, month, day where the year has two digits: `26-03-29`. It says nothing about `03/04/2026`.
    Ymd,
    /// A format of chrono's (`%d.%m.%y %H:%M`), tried before the usual ones.
    Custom(CustomFormat),
}

/// A checked `strftime` format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomFormat {
    items: Vec<Item<'static>>,
}

/// A date format that is neither `dmy` nor `mdy` nor `ymd` nor a `strftime` format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no date format: dmy, mdy, ymd, or a format such as %d.%m.%Y %H:%M:%S")]
pub struct DateFormatError(String);

impl FromStr for DateFormat {
    type Err = DateFormatError;

    fn from_str(text: &str) -> Result<Self, DateFormatError> {
        let wrong = || DateFormatError(text.to_owned());
        match text.to_ascii_lowercase().as_str() {
            "dmy" => Ok(Self::Dmy),
            "mdy" => Ok(Self::Mdy),
            "ymd" => Ok(Self::Ymd),
            // Without a field to fill, a format matches only itself.
            _ if !text.contains('%') => Err(wrong()),
            _ => {
                let items = StrftimeItems::new(text).parse_to_owned().map_err(|_| wrong())?;
                Ok(Self::Custom(CustomFormat { items }))
            }
        }
    }
}

/// Orders of day, month and year, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Orders(u8);

impl Orders {
    const DMY: Self = Self(1);
    const MDY: Self = Self(2);
    const YMD: Self = Self(4);
    const ALL: Self = Self(7);
    const NONE: Self = Self(0);
    const EACH: [(Self, &'static str); 3] =
        [(Self::DMY, "dmy"), (Self::MDY, "mdy"), (Self::YMD, "ymd")];

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn is_one(self) -> bool {
        self.0.is_power_of_two()
    }

    const fn has(self, order: Self) -> bool {
        self.and(order).0 != 0
    }
}

/// `dmy or ymd`.
impl fmt::Display for Orders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_left = |(order, _): &&(Self, &str)| self.and(*order) != Self::NONE;
        let names: Vec<&str> = Self::EACH.iter().filter(is_left).map(|(_, name)| *name).collect();
        f.write_str(&names.join(" or "))
    }
}

/// What a text turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    At(Timestamp),
    /// A date without a time of day: no age can be had from it.
    DateOnly,
    /// A time whose day and month wait for [`Calendar::is_settled`].
    Pending(Written),
}

/// Why a text is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DateFault {
    NotATime,
    /// It needs another order than the file's.
    Contradiction {
        needs: Orders,
    },
}

/// A time as written, not yet in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Written {
    day: Day,
    /// Microseconds since midnight.
    time: Option<i64>,
    zone: Zone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Day {
    /// Days since 1970.
    Sure(i64),
    Open(Open),
}

/// Days since 1970 in each order of [`Orders::EACH`] that makes a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Open {
    days: [Option<i64>; 3],
    year: YearDigits,
}

/// How the year of a date is written whose order is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum YearDigits {
    /// Any of the three numbers may be the year.
    Two,
    /// The last number is the year. Such a value says nothing about those with two digits but day and month.
    Four,
}

impl YearDigits {
    pub(super) const ALL: [Self; 2] = [Self::Two, Self::Four];

    /// The orders that values of this kind are in doubt about.
    const fn orders(self) -> Orders {
        match self {
            Self::Two => Orders::ALL,
            Self::Four => Orders::DMY.or(Orders::MDY),
        }
    }
}

impl Open {
    fn orders(&self) -> Orders {
        let fits = Orders::EACH.iter().zip(self.days).filter(|(_, day)| day.is_some());
        fits.fold(Orders::NONE, |all, ((order, _), _)| all.or(*order))
    }

    /// The day, where the orders that are left agree on one.
    fn day(&self, orders: Orders) -> Option<i64> {
        let fits = Orders::EACH.iter().zip(self.days);
        let mut days = fits
            .filter(|((order, _), _)| orders.and(*order) != Orders::NONE)
            .filter_map(|(_, day)| day);
        let first = days.next()?;
        days.all(|day| day == first).then_some(first)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Zone {
    Local,
    /// Seconds east of Greenwich.
    East(i64),
    Region(Tz),
}

/// The orders that the values themselves have left, those with each kind of year by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Evidence {
    two: Orders,
    four: Orders,
}

impl Evidence {
    /// What is left for values with such years. Day and month are in one order throughout a file, so that either kind
    /// says something about the other; nothing but a two-digit year says where two-digit years stand.
    fn left(self, year: YearDigits) -> Orders {
        match year {
            YearDigits::Two => self.two.and(self.four.or(Orders::YMD)),
            YearDigits::Four if self.two.and(Orders::YMD) == Orders::NONE => {
                self.four.and(self.two)
            }
            YearDigits::Four => self.four,
        }
    }

    /// What is left after a value; nothing if they cannot all be right.
    fn after(self, open: Open) -> Option<Self> {
        let needs = open.orders();
        let next = match open.year {
            YearDigits::Two => Self { two: self.two.and(needs), ..self },
            YearDigits::Four => Self { four: self.four.and(needs), ..self },
        };
        let two = next.left(YearDigits::Two);
        let is_guess = two == Orders::YMD && next.two != Orders::YMD;
        let is_whole = YearDigits::ALL.iter().all(|year| next.left(*year) != Orders::NONE);
        (is_whole && !is_guess).then_some(next)
    }
}

/// With fewer different days, chance may make the wrong order look like the right one: the instance started on a day of
/// the month near today's.
const DAYS_MIN: usize = 4;

/// How much closer, as a difference of mean logarithms, the times of the right order lie. With both bounds, 6 of 86,400
/// made-up captures of 3 to 102 rows were read in the wrong order, and captures end nobody.
const CLEARLY: f64 = 1.0;

/// The days of a file's times, in each order of [`Orders::EACH`].
#[derive(Debug, Default)]
pub(super) struct Days([BTreeSet<i64>; 3]);

impl Days {
    /// A time that is the same in each order.
    pub(super) fn add_sure(&mut self, time: Timestamp) {
        let day = time.0.div_euclid(MICROS_PER_SECOND * SECONDS_PER_DAY);
        self.add([Some(day); 3]);
    }

    /// A value that waits.
    pub(super) fn add_open(&mut self, written: &Written) {
        match written.day {
            Day::Open(Open { days: [dmy, mdy, _], year: YearDigits::Four }) => {
                self.add([dmy, mdy, dmy.or(mdy)]);
            }
            Day::Open(open) => self.add(open.days),
            Day::Sure(_) => {}
        }
    }

    fn add(&mut self, days: [Option<i64>; 3]) {
        for (known, day) in self.0.iter_mut().zip(days) {
            known.extend(day);
        }
    }

    /// How far the days lie from the last of them: the mean of the logarithms, in which one old row is only one.
    fn distance(&self, order: usize) -> Option<f64> {
        let days = &self.0[order];
        let last = days.last().filter(|_| days.len() >= DAYS_MIN)?;
        let sum: f64 = days.iter().map(|day| ((last - day) as f64).ln_1p()).sum();
        Some(sum / (days.len() - 1) as f64)
    }
}

/// Reads the times of one file.
#[derive(Debug)]
pub(super) struct Calendar {
    zone: Tz,
    custom: Option<CustomFormat>,
    seen: Evidence,
    /// The order that the user named.
    given: Option<Orders>,
    /// Offset of each local day that has one offset only.
    offsets: FxHashMap<i64, Option<i64>>,
}

impl Calendar {
    pub(super) fn new(zone: Tz, format: Option<&DateFormat>) -> Self {
        let (given, custom) = match format {
            None => (None, None),
            Some(DateFormat::Dmy) => (Some(Orders::DMY), None),
            Some(DateFormat::Mdy) => (Some(Orders::MDY), None),
            Some(DateFormat::Ymd) => (Some(Orders::YMD), None),
            Some(DateFormat::Custom(format)) => (None, Some(format.clone())),
        };
        let two = given.unwrap_or(Orders::ALL);
        let four = given.filter(|order| *order != Orders::YMD).unwrap_or(YearDigits::Four.orders());
        let seen = Evidence { two, four };
        Self { zone, custom, seen, given, offsets: FxHashMap::default() }
    }

    /// What the values have said so far.
    pub(super) fn seen(&self) -> Evidence {
        self.seen
    }

    /// True when every value with such years can be resolved.
    pub(super) fn is_settled(&self, year: YearDigits) -> bool {
        self.seen.left(year).is_one()
    }

    /// The orders that a value could still have.
    pub(super) fn left_for(&self, written: &Written) -> Orders {
        match written.day {
            Day::Sure(_) => Orders::NONE,
            Day::Open(open) => open.orders().and(self.seen.left(open.year)),
        }
    }

    /// Decides where two-digit years stand, where no value rules it out but the times of the file lie clearly closer
    /// together one way: read the wrong way, yesterday is a year ago. True when it was decided so.
    pub(super) fn guess_short_years(&mut self, days: &Days) -> bool {
        let left = self.seen.left(YearDigits::Two);
        let last = left.and(YearDigits::Four.orders());
        if !left.has(Orders::YMD) || last == Orders::NONE {
            return false;
        }
        let of = |orders: Orders| {
            let each =
                Orders::EACH.iter().zip(0..).filter(move |((order, _), _)| orders.has(*order));
            each.filter_map(|(_, at)| days.distance(at)).min_by(f64::total_cmp)
        };
        let (Some(first), Some(later)) = (of(Orders::YMD), of(last)) else { return false };
        if (first - later).abs() < CLEARLY {
            return false;
        }
        self.seen.two = if first < later { Orders::YMD } else { last };
        true
    }

    /// True where two-digit years stand first.
    pub(super) fn year_leads(&self) -> bool {
        self.seen.left(YearDigits::Two) == Orders::YMD
    }

    /// Reads one text; it may rule out orders.
    pub(super) fn read(&mut self, text: &str) -> Result<Reading, DateFault> {
        if let Some(written) = self.custom.as_ref().and_then(|format| format.read(text)) {
            return Ok(self.reading(written));
        }
        let mut written = scan(text).ok_or(DateFault::NotATime)?;
        if let Day::Open(open) = written.day {
            // A format of the user's that does not fit leaves nothing to guess from.
            if self.custom.is_some() {
                return Err(DateFault::NotATime);
            }
            self.narrow(open)?;
            match open.day(self.seen.left(open.year)) {
                Some(day) => written.day = Day::Sure(day),
                None if written.time.is_some() => return Ok(Reading::Pending(written)),
                None => {}
            }
        }
        Ok(self.reading(written))
    }

    /// The point in time, now that the order is settled.
    pub(super) fn resolve(&mut self, written: Written) -> Timestamp {
        let day = match written.day {
            Day::Sure(day) => day,
            Day::Open(open) => open.day(self.seen.left(open.year)).unwrap_or_default(),
        };
        let seconds = day * SECONDS_PER_DAY;
        let time = written.time.unwrap_or(0);
        let east = match written.zone {
            Zone::East(east) => east,
            Zone::Local if self.zone == Tz::UTC => 0,
            Zone::Local => self.offset_on(day, seconds + time / MICROS_PER_SECOND),
            Zone::Region(zone) => offset_at(zone, seconds + time / MICROS_PER_SECOND),
        };
        Timestamp((seconds - east) * MICROS_PER_SECOND + time)
    }

    fn reading(&mut self, written: Written) -> Reading {
        if written.time.is_none() {
            return Reading::DateOnly;
        }
        Reading::At(self.resolve(written))
    }

    /// Rules out the orders in which a value makes no date.
    fn narrow(&mut self, open: Open) -> Result<(), DateFault> {
        let is_given = match self.given {
            Some(order) => order != Orders::YMD || open.year == YearDigits::Two,
            None => false,
        };
        match self.seen.after(open) {
            Some(seen) => {
                self.seen = seen;
                Ok(())
            }
            None if is_given => Err(DateFault::NotATime),
            None => Err(DateFault::Contradiction { needs: open.orders() }),
        }
    }

    /// The zone's offset at a local time, remembered by day: most days have only one.
    fn offset_on(&mut self, day: i64, local: i64) -> i64 {
        if self.offsets.len() > OFFSET_DAYS_MAX {
            self.offsets.clear();
        }
        let zone = self.zone;
        let whole_day = *self.offsets.entry(day).or_insert_with(|| {
            let first = offset_at(zone, day * SECONDS_PER_DAY);
            let last = offset_at(zone, (day + 1) * SECONDS_PER_DAY);
            (first == last).then_some(first)
        });
        whole_day.unwrap_or_else(|| offset_at(zone, local))
    }
}

/// Seconds east of Greenwich at a local time; before the change where the time exists twice or never.
fn offset_at(zone: Tz, local: i64) -> i64 {
    let Some(time) = chrono::DateTime::from_timestamp(local, 0) else { return 0 };
    let mut time = time.naive_utc();
    // A gap is an hour as a rule, a day where a country crossed the date line.
    for _ in 0..=48 {
        match zone.offset_from_local_datetime(&time) {
            MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => {
                return i64::from(offset.fix().local_minus_utc());
            }
            MappedLocalTime::None => time -= TimeDelta::minutes(30),
        }
    }
    0
}

impl CustomFormat {
    fn read(&self, text: &str) -> Option<Written> {
        let mut parsed = Parsed::new();
        chrono::format::parse(&mut parsed, text.trim(), self.items.iter()).ok()?;
        let zone = parsed.offset().map_or(Zone::Local, |east| Zone::East(i64::from(east)));
        if let Ok(time) = parsed.to_naive_datetime_with_offset(0) {
            return Some(Written::of(time, zone));
        }
        let date = parsed.to_naive_date().ok()?;
        Some(Written { day: Day::Sure(days(date)), time: None, zone })
    }
}

impl Written {
    /// How the year is written, where the order is open.
    pub(super) fn year(&self) -> Option<YearDigits> {
        match self.day {
            Day::Sure(_) => None,
            Day::Open(open) => Some(open.year),
        }
    }

    fn of(time: NaiveDateTime, zone: Zone) -> Self {
        let seconds = i64::from(time.num_seconds_from_midnight());
        let micros = seconds * MICROS_PER_SECOND + i64::from(time.nanosecond() / 1_000);
        Self { day: Day::Sure(days(time.date())), time: Some(micros), zone }
    }
}

fn days(date: NaiveDate) -> i64 {
    /// Days from the first day of our era to 1970.
    const EPOCH: i64 = 719_163;
    i64::from(date.num_days_from_ce()) - EPOCH
}

/// Days since 1970 of a date, if there is such a date.
fn days_of(year: u32, month: u32, day: u32) -> Option<i64> {
    // Oracle's DATE ends there, and it keeps every sum below in range.
    if !(1..=9_999).contains(&year) {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).map(days)
}

fn scan(text: &str) -> Option<Written> {
    let mut scan = Scan { rest: text.trim().as_bytes() };
    let day = scan.day()?;
    let time = scan.time()?;
    let zone = if time.is_some() { scan.zone()? } else { Zone::Local };
    Some(Written { day, time, zone })
}

/// What is left of a date's text.
struct Scan<'a> {
    rest: &'a [u8],
}

impl Scan<'_> {
    fn day(&mut self) -> Option<Day> {
        let (first, width) = self.digits()?;
        let separator = self.one_of(b"-/. ")?;
        if let Some(month) = self.month_name() {
            self.one_of(b"-/. ,")?;
            let (third, third_width) = self.digits()?;
            let date = match width {
                4 => days_of(first, month, third),
                _ => days_of(full_year(third, third_width)?, month, first),
            };
            return date.map(Day::Sure);
        }
        let (second, _) = self.digits()?;
        self.one_of(b"-/.")?;
        let (third, third_width) = self.digits()?;
        if width == 4 {
            return days_of(first, second, third).map(Day::Sure);
        }
        // Points are never written where the month comes first.
        let month_may_lead = separator != b'.';
        let last = full_year(third, third_width);
        let dmy = last.and_then(|year| days_of(year, second, first));
        let mdy = last.filter(|_| month_may_lead).and_then(|year| days_of(year, first, second));
        let ymd = (width == 2 && third_width == 2)
            .then(|| full_year(first, width).and_then(|year| days_of(year, second, third)))
            .flatten();
        let year = if third_width == 4 { YearDigits::Four } else { YearDigits::Two };
        let open = Open { days: [dmy, mdy, ymd], year };
        match dmy {
            Some(day) if !month_may_lead && year == YearDigits::Four => Some(Day::Sure(day)),
            _ if open.orders() == Orders::NONE => None,
            _ => Some(Day::Open(open)),
        }
    }

    /// Microseconds since midnight; `Some(None)` when the text ends before a time.
    #[expect(
        clippy::option_option,
        reason = "the outer level is the failure, the inner one SQL's NULL"
    )]
    fn time(&mut self) -> Option<Option<i64>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        self.one_of(b" Tt")?;
        self.blanks();
        let (hour, _) = self.digits()?;
        self.one_of(b":.")?;
        let (minute, _) = self.digits()?;
        let mut second = 0;
        let mut micros = 0;
        if self.one_of(b":.").is_some() {
            second = self.digits()?.0;
            if self.one_of(b".,").is_some() {
                micros = self.fraction()?;
            }
        }
        let hour = self.half_of_day(hour)?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
        Some(Some(seconds * MICROS_PER_SECOND + micros))
    }

    /// The hour of 24, after `AM`, `PM`, `a.m.` or nothing of the kind.
    fn half_of_day(&mut self, hour: u32) -> Option<u32> {
        let Some((after_noon, rest)) = meridiem(self.rest.trim_ascii_start()) else {
            return Some(hour);
        };
        self.rest = rest;
        (1..=12).contains(&hour).then(|| hour % 12 + if after_noon { 12 } else { 0 })
    }

    fn zone(&mut self) -> Option<Zone> {
        self.blanks();
        match self.rest {
            [] => Some(Zone::Local),
            b"Z" | b"z" => Some(Zone::East(0)),
            [sign @ (b'+' | b'-'), ..] => {
                let sign = if *sign == b'-' { -1 } else { 1 };
                self.rest = &self.rest[1..];
                let east = self.offset()?;
                self.rest.is_empty().then_some(Zone::East(sign * east))
            }
            name => region(name).map(Zone::Region),
        }
    }

    /// `01:00`, `1:00`, `0100` or `01`, in seconds.
    fn offset(&mut self) -> Option<i64> {
        let (hours, width) = self.digits()?;
        let (hours, minutes) = match width {
            1 | 2 if self.one_of(b":").is_some() => (hours, self.digits()?.0),
            1 | 2 => (hours, 0),
            4 => (hours / 100, hours % 100),
            _ => return None,
        };
        (hours <= 15 && minutes <= 59).then_some(i64::from(hours) * 3_600 + i64::from(minutes) * 60)
    }

    /// Up to nine digits and how many there were.
    fn digits(&mut self) -> Option<(u32, usize)> {
        let width = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&width) {
            return None;
        }
        let value =
            self.rest[..width].iter().fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0'));
        self.rest = &self.rest[width..];
        Some((value, width))
    }

    /// Digits after the point, as microseconds; finer ones are cut off.
    fn fraction(&mut self) -> Option<i64> {
        let (value, width) = self.digits()?;
        let width = u32::try_from(width).ok()?;
        let value = i64::from(value);
        Some(if width <= 6 { value * 10_i64.pow(6 - width) } else { value / 10_i64.pow(width - 6) })
    }

    fn month_name(&mut self) -> Option<u32> {
        const MONTHS: [&str; 12] = [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ];
        let width = self.rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let name = &self.rest[..width];
        let is = |month: &&str| {
            let month = month.as_bytes();
            name.eq_ignore_ascii_case(&month[..3]) || name.eq_ignore_ascii_case(month)
        };
        let at = (1..).zip(&MONTHS).find(|(_, month)| is(month))?.0;
        self.rest = &self.rest[width..];
        // `29-MARCH    -26`: month names are padded where a format says MONTH without FM.
        if self.rest.starts_with(b"  ") {
            self.blanks();
        }
        Some(at)
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        bytes.contains(first).then(|| {
            self.rest = rest;
            *first
        })
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

/// Whether it is after noon, and what follows; `None` when the text does not say (`America/Lima` is a zone).
fn meridiem(text: &[u8]) -> Option<(bool, &[u8])> {
    let (half, rest) = text.split_first()?;
    let rest = rest.strip_prefix(b".").unwrap_or(rest);
    let (m, rest) = rest.split_first()?;
    let rest = rest.strip_prefix(b".").unwrap_or(rest);
    let is_word =
        m.eq_ignore_ascii_case(&b'm') && !rest.first().is_some_and(u8::is_ascii_alphabetic);
    match half.to_ascii_lowercase() {
        b'a' if is_word => Some((false, rest)),
        b'p' if is_word => Some((true, rest)),
        _ => None,
    }
}

/// Years of two digits follow Oracle's RR in the first half of a century: 00 to 49 are 20xx, 50 to 99 are 19xx.
fn full_year(year: u32, width: usize) -> Option<u32> {
    match (width, year) {
        (2, 0..=49) => Some(2_000 + year),
        (2, _) => Some(1_900 + year),
        (4, _) => Some(year),
        _ => None,
    }
}

/// `Europe/Berlin`, `EUROPE/BERLIN CEST`, `UTC`.
fn region(name: &[u8]) -> Option<Tz> {
    let mut words = std::str::from_utf8(name).ok()?.split_ascii_whitespace();
    let zone = Tz::from_str_insensitive(words.next()?).ok()?;
    let is_abbreviation = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
    (words.next().is_none_or(is_abbreviation) && words.next().is_none()).then_some(zone)
}
