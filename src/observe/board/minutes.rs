//! The last hour of one rule on one database, minute by minute, for small charts.

use crate::engine::time::{MICROS_PER_SECOND, Timestamp};

/// An hour.
pub const MINUTES: usize = 60;

/// The same, for minutes since 1970.
const HOUR: i64 = 60;

/// What happened in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Minute {
    /// Sessions that matched at the tick of the minute at which most did.
    pub matched: u32,
    /// Sessions that were ended, or would have been.
    pub ended: u32,
}

/// The last minutes, as far as ticks were told.
#[derive(Debug, Clone, Default)]
pub struct Minutes {
    /// By minute modulo [`MINUTES`]; empty until the first tick.
    ring: Vec<Minute>,
    /// The latest minute that was told, since 1970.
    latest: i64,
}

impl Minutes {
    /// A tick at `now` by the machine's clock. A clock that was set far begins the hour anew.
    pub fn tell(&mut self, matched: usize, ended: usize, now: Timestamp) {
        let minute = minute_of(now);
        if self.ring.is_empty() || (minute - self.latest).abs() >= HOUR {
            self.ring = vec![Minute::default(); MINUTES];
            self.latest = minute;
        }
        for passed in self.latest + 1..=minute {
            self.ring[place(passed)] = Minute::default();
        }
        self.latest = self.latest.max(minute);
        let slot = &mut self.ring[place(minute)];
        slot.matched = slot.matched.max(u32::try_from(matched).unwrap_or(u32::MAX));
        slot.ended = slot.ended.saturating_add(u32::try_from(ended).unwrap_or(u32::MAX));
    }

    /// The hour up to `now`, the oldest minute first; minutes without a tick are empty.
    pub fn hour(&self, now: Timestamp) -> [Minute; MINUTES] {
        let until = minute_of(now);
        let mut hour = [Minute::default(); MINUTES];
        if self.ring.is_empty() {
            return hour;
        }
        for (minute, slot) in (until - HOUR + 1..=until).zip(&mut hour) {
            if minute <= self.latest && minute > self.latest - HOUR {
                *slot = self.ring[place(minute)];
            }
        }
        hour
    }
}

fn minute_of(time: Timestamp) -> i64 {
    time.0.div_euclid(60 * MICROS_PER_SECOND)
}

fn place(minute: i64) -> usize {
    usize::try_from(minute.rem_euclid(HOUR)).expect("a remainder is not negative")
}

#[cfg(test)]
mod tests {
    use super::{MINUTES, Minutes};
    use crate::engine::time::{Span, Timestamp};

    fn at(minute: i64) -> Timestamp {
        Timestamp(1_774_785_600_000_000).plus(Span::seconds(minute * 60))
    }

    /// `matched/ended` of the last minutes, without the empty ones before.
    fn shown(minutes: &Minutes, now: i64) -> String {
        let hour = minutes.hour(at(now));
        let first = hour.iter().position(|it| it.matched > 0 || it.ended > 0).unwrap_or(MINUTES);
        let told = hour[first..].iter().map(|it| format!("{}/{}", it.matched, it.ended));
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_minute_keeps_its_highest_match_and_all_its_ends() {
        let mut minutes = Minutes::default();
        assert_eq!(shown(&minutes, 0), "");
        minutes.tell(3, 1, at(0));
        minutes.tell(2, 2, at(0));
        minutes.tell(7, 0, at(2));
        assert_eq!(shown(&minutes, 2), "3/3 0/0 7/0");
        assert_eq!(shown(&minutes, 3), "3/3 0/0 7/0 0/0");
    }

    #[test]
    fn an_hour_later_it_is_forgotten_and_a_clock_that_was_set_begins_anew() {
        let mut minutes = Minutes::default();
        minutes.tell(3, 1, at(0));
        assert_eq!(shown(&minutes, 59).len(), "3/1".len() + 59 * " 0/0".len());
        assert_eq!(shown(&minutes, 60), "");
        minutes.tell(4, 0, at(59));
        minutes.tell(5, 0, at(60));
        assert_eq!(shown(&minutes, 60), "4/0 5/0");
        minutes.tell(6, 0, at(58));
        assert_eq!(shown(&minutes, 60), "6/0 4/0 5/0");
        minutes.tell(1, 1, at(-1_000));
        assert_eq!(shown(&minutes, -1_000), "1/1");
    }
}
