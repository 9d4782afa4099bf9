//! What was known of databases that are watched no more. An operator who takes a database out and puts it back must
//! not reset the limits of the hour with that. Timers are not kept: meanwhile nobody saw whether a match held.

use std::collections::BTreeMap;

use super::reload::TARGETS_MAX;
use crate::engine::history::History;
use crate::engine::time::{Span, Timestamp};

/// How long a database is remembered: as long as `per_hour` looks back.
pub const REMEMBERED_FOR: Span = Span::seconds(3_600);

/// Databases remembered. Beyond it the longest gone is forgotten.
pub const REMEMBERED_MAX: usize = TARGETS_MAX;

/// Histories by the names of their databases, and since when each is out of use.
#[derive(Debug, Default)]
pub(super) struct Memory(BTreeMap<String, (Timestamp, History)>);

impl Memory {
    /// Keeps the history of a database that goes.
    pub(super) fn keep(&mut self, database: &str, mut history: History, now: Timestamp) {
        self.forget(now);
        history.stop_timers();
        self.0.insert(database.to_owned(), (now, history));
        if self.0.len() > REMEMBERED_MAX {
            let longest = self.0.iter().min_by_key(|(_, (since, _))| *since);
            if let Some(name) = longest.map(|(name, _)| name.clone()) {
                self.0.remove(&name);
            }
        }
    }

    /// The history of a database that comes, empty if it is not remembered.
    pub(super) fn take(&mut self, database: &str, now: Timestamp) -> History {
        self.forget(now);
        self.0.remove(database).map_or_else(History::default, |(_, history)| history)
    }

    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, (since, _)| now.since(*since) < REMEMBERED_FOR);
    }
}

#[cfg(test)]
mod tests {
    use super::{Memory, REMEMBERED_FOR, REMEMBERED_MAX};
    use crate::engine::history::{Counted, History};
    use crate::engine::time::Span;
    use crate::observe::fixture::{NOON, RuleSketch, plan_of, snapshot};

    /// One rule's timer runs, and another has ended somebody.
    fn known() -> History {
        let waits = RuleSketch { name: "waits", hold: Span::seconds(60), ..RuleSketch::default() };
        let ends = RuleSketch { name: "ends", ..RuleSketch::default() };
        let seen = snapshot(&[(7, "APP")]);
        let mut history = History::default();
        history.record(&seen, &plan_of(&[ends.build(), waits.build()], &seen));
        assert_eq!((history.timers_len(), ended(&history)), (1, 1));
        history
    }

    fn ended(history: &History) -> usize {
        history.ended_by("ends", Counted::DryRun, Some(NOON)).len()
    }

    #[test]
    fn what_was_ended_is_remembered_for_an_hour_and_given_back_once() {
        let mut memory = Memory::default();
        memory.keep("prod", known(), NOON);
        let back = memory.take("prod", NOON.plus(Span::seconds(3_599)));
        assert_eq!((back.timers_len(), ended(&back)), (0, 1));
        assert_eq!(ended(&memory.take("prod", NOON)), 0);
        memory.keep("prod", back, NOON);
        assert_eq!(ended(&memory.take("prod", NOON.plus(REMEMBERED_FOR))), 0);
    }

    #[test]
    fn the_longest_gone_is_forgotten_first() {
        let mut memory = Memory::default();
        for second in (0_i64..).take(REMEMBERED_MAX + 1) {
            let since = NOON.plus(Span::seconds(second));
            memory.keep(&format!("db{second}"), known(), since);
        }
        let now = NOON.plus(Span::seconds(300));
        assert_eq!(memory.0.len(), REMEMBERED_MAX);
        assert_eq!(ended(&memory.take("db0", now)), 0);
        assert_eq!(ended(&memory.take("db1", now)), 1);
    }
}
