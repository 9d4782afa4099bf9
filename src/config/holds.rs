//! The file of holds: pauses and silences, written by the verbs `pause`, `resume` and `silence` and read at every tick.
//! Text in and out; the file itself is `daemon::holds`'s.
//!
//! JSON: `{"version":1,"next_id":3,"holds":[…]}`, each hold with `id`, `match` (a condition as in a policy; without one
//! it is a pause), `rule`, `database`, `since`, `until`, `author`, `reason`; null where a key says nothing. Times are
//! RFC 3339, by the clock of the machine.

use std::sync::Arc;

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::conditions::compile_match_text;
use super::durations::span_of;
use crate::engine::standing;
use crate::engine::time::{Span, Timestamp};

/// Holds in one file. Nobody keeps an eye on more.
pub const HOLDS_MAX: usize = 1_000;

/// How long a hold is kept when it is over by the machine's clock: the daemon lets it go only when the database's clock
/// says so, too. One that is further behind is a fault that `doctor` and the log tell.
const KEPT_FOR: Span = Span::seconds(24 * 3_600);

/// The only version there is.
const VERSION: u32 = 1;

/// All holds of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holds {
    version: u32,
    next_id: u64,
    #[serde(rename = "holds")]
    entries: Vec<Hold>,
}

/// One pause or silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Names it; never given twice.
    pub id: u64,
    /// Whom a silence is about, as written; a pause is about everybody.
    #[serde(rename = "match")]
    pub matched: Option<String>,
    /// The rule that it is confined to.
    pub rule: Option<String>,
    /// The database that it is confined to.
    pub database: Option<String>,
    /// When it was made.
    pub since: String,
    /// The moment from which on it no longer holds.
    pub until: Option<String>,
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: String,
}

impl Default for Holds {
    fn default() -> Self {
        Self { version: VERSION, next_id: 1, entries: Vec::new() }
    }
}

impl Holds {
    /// Reads a file, or says for people why it cannot be understood. All of it has to make sense: what one hold meant
    /// cannot be guessed.
    pub fn decode(text: &str) -> Result<Self, String> {
        let holds: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if holds.version != VERSION {
            return Err(format!("version {} is not known", holds.version));
        }
        if holds.entries.len() > HOLDS_MAX {
            return Err(format!("{} holds, {HOLDS_MAX} are the most", holds.entries.len()));
        }
        holds.entries.iter().try_for_each(|hold| hold.compile().map(drop))?;
        Ok(holds)
    }

    /// The file's text.
    pub fn encode(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("texts and numbers serialise");
        text.push('\n');
        text
    }

    /// Takes a hold in, under an id of its own, which is the answer.
    pub fn add(&mut self, hold: Hold) -> Result<u64, String> {
        if self.entries.len() >= HOLDS_MAX {
            return Err(format!("there are {HOLDS_MAX} holds already"));
        }
        let id = self.next_id;
        let hold = Hold { id, ..hold };
        hold.compile()?;
        self.next_id += 1;
        self.entries.push(hold);
        Ok(id)
    }

    /// Takes out what `gone` says, and answers how many that were.
    pub fn remove(&mut self, gone: impl Fn(&Hold) -> bool) -> usize {
        let before = self.entries.len();
        self.entries.retain(|hold| !gone(hold));
        before - self.entries.len()
    }

    /// Takes out what no longer holds by any clock.
    pub fn forget_expired(&mut self, now: Timestamp) {
        self.remove(|hold| !hold.is_kept_at(now));
    }

    /// Those that hold, or may while a database's clock is behind, in the order in which they were made.
    pub fn kept_at(&self, now: Timestamp) -> impl Iterator<Item = &Hold> {
        self.entries.iter().filter(move |hold| hold.is_kept_at(now))
    }

    /// Those that hold, in the order in which they were made.
    pub fn at(&self, now: Timestamp) -> impl Iterator<Item = &Hold> {
        self.entries.iter().filter(move |hold| hold.holds_at(now))
    }

    /// What of them concerns a database now.
    pub fn standing(&self, database: &str, now: Timestamp) -> Result<Vec<standing::Hold>, String> {
        let here = |hold: &&Hold| hold.database.as_ref().is_none_or(|it| it == database);
        self.at(now).filter(here).map(Hold::compile).collect()
    }
}

impl Hold {
    /// `pause` or `silence`.
    pub const fn kind(&self) -> &'static str {
        if self.matched.is_some() { "silence" } else { "pause" }
    }

    /// As the engine takes it.
    fn compile(&self) -> Result<standing::Hold, String> {
        let bad = |what: &str| format!("hold {}: {what}", self.id);
        let until = self.until.as_deref().map(moment).transpose();
        let until = until.map_err(|()| bad("`until` is no moment"))?;
        moment(&self.since).map_err(|()| bad("`since` is no moment"))?;
        let condition = self.matched.as_deref().map(|text| {
            let (condition, _) = compile_match_text("match", text);
            condition.ok_or_else(|| bad("its match cannot be understood"))
        });
        let until = until.map_or_else(String::new, |until| format!(" until {until}"));
        let why = format!("{} {} of {}{until}: {}", self.kind(), self.id, self.author, self.reason);
        Ok(standing::Hold {
            condition: condition.transpose()?,
            rule: self.rule.as_deref().map(Arc::from),
            why: why.into(),
        })
    }

    fn is_kept_at(&self, now: Timestamp) -> bool {
        self.holds_at(now.plus(Span(-KEPT_FOR.0)))
    }

    /// Whether it is not over at that time. What cannot be read as a moment never ends.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.until.as_deref().and_then(|until| moment(until).ok()).is_none_or(|until| now < until)
    }
}

fn moment(text: &str) -> Result<Timestamp, ()> {
    DateTime::parse_from_rfc3339(text).map(|at| at.to_utc().into()).map_err(drop)
}

/// Reads a length of time that was typed: `2h`, `1.5h`, `90m`.
pub fn length(text: &str) -> Result<Span, String> {
    match span_of(text) {
        Ok(span) if span > Span::ZERO => Ok(span),
        Ok(_) => Err("it is over at once".to_owned()),
        Err(_) => Err("a number and a unit are due: ms, s, m, h or d, such as 2h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Hold, Holds, length};
    use crate::engine::time::{Span, Timestamp};

    fn hold(matched: Option<&str>, until: Option<&str>) -> Hold {
        Hold {
            id: 0,
            matched: matched.map(str::to_owned),
            rule: None,
            database: Some("prod".to_owned()),
            since: "2026-03-29T12:00:00Z".to_owned(),
            until: until.map(str::to_owned),
            author: "ada".to_owned(),
            reason: "month's end".to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_ids_are_given_once() {
        let mut holds = Holds::default();
        assert_eq!(holds.add(hold(None, None)), Ok(1));
        assert_eq!(holds.add(hold(Some("{username: APP}"), Some("2026-03-29T14:00:00Z"))), Ok(2));
        assert_eq!(holds.remove(|hold| hold.id == 2), 1);
        let read = Holds::decode(&holds.encode());
        assert_eq!(read.as_ref(), Ok(&holds));
        assert_eq!(read.and_then(|mut read| read.add(hold(None, None))), Ok(3));
    }

    #[test]
    fn a_hold_ends_at_its_moment_and_concerns_its_database() {
        let mut holds = Holds::default();
        holds.add(hold(None, Some("2026-03-29T14:00:00Z"))).expect("it is well written");
        let end = Timestamp(1_774_792_800_000_000);
        let before = Timestamp(end.0 - 1);
        for (database, now, count) in [("prod", before, 1), ("prod", end, 0), ("other", before, 0)]
        {
            assert_eq!(holds.standing(database, now).map(|it| it.len()), Ok(count), "{database}");
        }
        assert_eq!((holds.at(end).count(), holds.kept_at(end).count()), (0, 1));
        // A database whose clock is behind has not come to its end yet.
        holds.forget_expired(Timestamp(end.0 + super::KEPT_FOR.0 - 1));
        assert_eq!(holds.at(before).count(), 1);
        holds.forget_expired(Timestamp(end.0 + super::KEPT_FOR.0));
        assert_eq!(holds.at(before).count(), 0);
    }

    #[test]
    fn what_is_not_understood_is_refused_as_a_whole() {
        let mut good = Holds::default();
        good.add(hold(Some("{username: APP}"), None)).expect("it is well written");
        let text = good.encode();
        for (from, to) in [
            ("\"version\": 1", "\"version\": 2"),
            ("\"reason\"", "\"raeson\""),
            ("{username: APP}", "{usrname: APP}"),
            ("{username: APP}", ""),
            ("2026-03-29T12:00:00Z", "yesterday"),
            ("\"until\": null", "\"until\": \"soon\""),
        ] {
            let bad = text.replace(from, to);
            assert_ne!(bad, text);
            assert!(Holds::decode(&bad).is_err(), "{bad}");
        }
        for at in 0..text.trim_end().len() {
            assert!(Holds::decode(&text[..at]).is_err(), "half a file is none");
        }
    }

    #[test]
    fn lengths_have_a_unit_and_are_not_nothing() {
        assert_eq!(length("2h"), Ok(Span::seconds(7_200)));
        assert!(length("0s").is_err() && length("2").is_err() && length("").is_err());
    }
}
