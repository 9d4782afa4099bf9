//! What the audit tells a daemon that starts: whom earlier runs ended, and what they did not come to write down. It
//! reads the end of the file and skips what it does not know.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use chrono::DateTime;
use serde_json::Value;

use crate::engine::policy::Verb;
use crate::engine::pursuit::Recalled;
use crate::engine::report::{Failure, Outcome};
use crate::engine::session::{SessionKey, SessionLife};
use crate::engine::time::Timestamp;

/// Bytes at the end of the file that are read: the hour for which ends count, also where each tick of ten seconds
/// spares some thousands. It takes a second or two, once.
const TAIL_BYTES_MAX: u64 = 512 << 20;

/// What most records say, and none that tells of an end: they are skipped unread.
const SPARED: &[u8] = br#""kind":"spared""#;

/// It stands within so many bytes: behind times, the tick and the name of the database.
const HEAD_BYTES_MAX: usize = 512;

/// Longer than any record; what is longer is none, and fills no memory.
const RECORD_BYTES_MAX: u64 = 1 << 20;

/// Why an outcome is unknown when nobody was there to write it down.
const INTERRUPTED: &str = "interrupted";

/// Intents of enforcing rules in the order in which they were written, with what came of them.
#[derive(Debug, Default)]
pub struct Recall(Vec<Told>);

#[derive(Debug)]
struct Told {
    database: String,
    recalled: Recalled,
    /// The record of the intent, while no outcome follows it.
    interrupted: Option<Value>,
}

impl Recall {
    /// Reads the end of an audit, and of the one that was before it where there is one and this one is short.
    pub(super) fn read(file: &mut File, before: &Path) -> io::Result<Self> {
        let here = file.metadata()?.len();
        let mut recall = Self::default();
        let mut places = HashMap::new();
        let mut take = |file: &mut File, bytes| recall.take_end(file, bytes, &mut places);
        rotated(before)
            .and_then(|file| {
                file.map_or(Ok(()), |mut it| take(&mut it, TAIL_BYTES_MAX.saturating_sub(here)))
            })
            .map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", before.display()))
            })?;
        take(file, TAIL_BYTES_MAX)?;
        Ok(recall)
    }

    /// At most so many bytes at the end of a file.
    fn take_end(
        &mut self,
        file: &mut File,
        bytes: u64,
        places: &mut HashMap<Place, usize>,
    ) -> io::Result<()> {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
        let mut lines = BufReader::new(file.take(bytes));
        let mut line = Vec::new();
        while (&mut lines).take(RECORD_BYTES_MAX).read_until(b'\n', &mut line)? > 0 {
            let head = &line[..line.len().min(HEAD_BYTES_MAX)];
            // What is no record, such as half a line, says nothing.
            if !head.windows(SPARED.len()).any(|it| it == SPARED)
                && let Ok(record) = serde_json::from_slice(&line)
            {
                self.take(record, places);
            }
            line.clear();
        }
        Ok(())
    }

    /// What was done on one database.
    pub fn of(&self, database: &str) -> Vec<Recalled> {
        let of_it = self.0.iter().filter(|told| told.database == database);
        of_it.map(|told| told.recalled.clone()).collect()
    }

    /// Whom an earlier run was about to end when it ended itself, and where.
    pub fn interrupted(&self) -> impl Iterator<Item = (&str, &Recalled)> {
        let interrupted = self.0.iter().filter(|told| told.interrupted.is_some());
        interrupted.map(|told| (told.database.as_str(), &told.recalled))
    }

    /// The outcomes that are missing, as lines of the audit.
    pub(super) fn missing(&self, now: Timestamp) -> Vec<u8> {
        let mut lines = Vec::new();
        for intent in self.0.iter().filter_map(|told| told.interrupted.as_ref()) {
            let mut record = intent.clone();
            if let Value::Object(fields) = &mut record {
                fields.shift_remove("ladder");
                fields.shift_remove("reasons");
                fields.insert("time".to_owned(), now.to_string().into());
                fields.insert("kind".to_owned(), "outcome".into());
                fields.insert("outcome".to_owned(), Outcome::Unknown.word().into());
                fields.insert("why".to_owned(), INTERRUPTED.into());
            }
            super::push_line(&mut lines, &record);
        }
        lines
    }

    fn take(&mut self, record: Value, places: &mut HashMap<Place, usize>) {
        let Some(place) = Place::of(&record) else { return };
        match text(&record, "kind") {
            Some("intent") if record["dry_run"] == Value::Bool(false) => {
                // Written twice where the file was moved away meanwhile.
                if places.contains_key(&place) {
                    return;
                }
                let Some(recalled) = recalled(&record) else { return };
                places.insert(place.clone(), self.0.len());
                places.insert(place.clone().of_any_tick(), self.0.len());
                let database = place.database;
                self.0.push(Told { database, recalled, interrupted: Some(record) });
            }
            Some("outcome") => {
                let told = places.get(&place).and_then(|at| self.0.get_mut(*at));
                if let Some(told) = told {
                    told.interrupted = None;
                    told.recalled.outcome = outcome(&record);
                    told.recalled.is_over = !matches!(
                        told.recalled.outcome,
                        Outcome::Ended | Outcome::Accepted | Outcome::Unknown
                    );
                }
            }
            Some("verified") => {
                // It is of a later tick than the intent, and about the last one.
                let told = places.get(&place.of_any_tick()).and_then(|at| self.0.get_mut(*at));
                if let Some(told) = told {
                    told.recalled.is_over = true;
                }
            }
            _ => {}
        }
    }
}

/// The file before, which need not be there. One that is and cannot be read may name who was ended: nobody knows.
fn rotated(path: &Path) -> io::Result<Option<File>> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => File::open(path).map(Some),
        Ok(_) => Err(io::Error::other("it is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the records of one end share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    tick: String,
    database: String,
    rule: String,
    life: SessionLife,
}

impl Place {
    fn of_any_tick(self) -> Self {
        Self { tick: String::new(), ..self }
    }

    fn of(record: &Value) -> Option<Self> {
        let owned = |name| text(record, name).map(str::to_owned);
        let number = |name: &str| u32::try_from(record[name].as_u64()?).ok();
        let key = SessionKey {
            inst_id: number("inst_id")?,
            sid: number("sid")?,
            serial: number("serial")?,
        };
        let life = SessionLife { key, logon_time: time(record, "logon_time") };
        let [tick, database, rule] = [owned("tick")?, owned("database")?, owned("rule")?];
        Some(Self { tick, database, rule, life })
    }
}

fn recalled(intent: &Value) -> Option<Recalled> {
    let Place { rule, life, .. } = Place::of(intent)?;
    let action = text(intent, "action")?;
    Some(Recalled {
        rule,
        life,
        username: text(intent, "username").map(str::to_owned),
        // What only reports sends nothing.
        verb: Verb::ALL.into_iter().find(|verb| verb.text() == action)?,
        taken: time(intent, "taken_at"),
        outcome: Outcome::Unknown,
        is_over: false,
    })
}

/// What an outcome says, as far as it matters whether anything was sent.
fn outcome(record: &Value) -> Outcome {
    let word = text(record, "outcome").unwrap_or_default();
    let not_tried = Failure::NotTried;
    let told = [
        Outcome::Ended,
        Outcome::Accepted,
        Outcome::Unknown,
        Outcome::AlreadyGone,
        Outcome::Changed,
    ];
    match told.into_iter().find(|it| it.word() == word) {
        Some(outcome) => outcome,
        None if text(record, "why") == Some(not_tried.word()) => Outcome::Failed(not_tried),
        None => Outcome::Failed(Failure::Server),
    }
}

fn text<'a>(record: &'a Value, name: &str) -> Option<&'a str> {
    record[name].as_str()
}

fn time(record: &Value, name: &str) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc3339(text(record, name)?).ok()?;
    Some(Timestamp::from(time.to_utc()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::FileAudit;
    use super::super::tests::STAMP;
    use crate::engine::guard::End;
    use crate::engine::policy::{Mode, Verb};
    use crate::engine::pursuit::{Finding, Verified};
    use crate::engine::report::{Failure, Outcome};
    use crate::observe::fixture::{NOON, RuleSketch, plan_of, snapshot};
    use crate::ports::AuditSink as _;

    #[test]
    fn a_later_run_knows_who_was_ended_and_says_once_of_whom_nothing_is_known() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("audit.jsonl");
        let rule = RuleSketch { mode: Mode::Enforce, ..RuleSketch::DEFAULT };
        let rows = [(1, "APP"), (2, "APP"), (3, "APP"), (4, "APP"), (5, "APP")];
        let plan = plan_of(&[rule.build()], &snapshot(&rows));
        let rehearsed = plan_of(&[RuleSketch::DEFAULT.build()], &snapshot(&[(9, "APP")]));
        let mut audit = FileAudit::open(&path).expect("it can be created");
        let known = [Outcome::Ended, Outcome::Accepted, Outcome::Changed];
        audit.intend(STAMP, &rehearsed, NOON).expect("it can be written");
        audit.intend(STAMP, &plan, NOON).expect("it can be written");
        let outcomes = known.into_iter().chain([Outcome::Failed(Failure::NotTried)]);
        for (end, outcome) in plan.ends().iter().zip(outcomes) {
            audit.outcome(STAMP, end, outcome, NOON).expect("it can be written");
        }
        let end = &plan.ends()[0];
        audit.verified(STAMP, &[gone(end)], NOON).expect("it can be written");
        drop(audit);
        let before = fs::read_to_string(&path).expect("it is text");
        fs::write(&path, format!("{before}{{\"time\":\"20")).expect("half a record");

        let mut audit = FileAudit::open(&path).expect("nobody has it");
        let recall = audit.recall(NOON).expect("it can be read");
        let told = recall.of("prod");
        let over: Vec<_> = told.iter().map(|it| (it.life.key.sid, it.is_over)).collect();
        assert_eq!(over, [(1, true), (2, false), (3, true), (4, true), (5, false)]);
        assert!(told.iter().all(|it| it.verb == Verb::KillImmediate && it.taken == Some(NOON)));
        assert_eq!(told.iter().map(|it| it.life).collect::<Vec<_>>(), lives(plan.ends()));
        assert!(recall.of("other").is_empty());
        let interrupted: Vec<_> = recall.interrupted().map(|(_, it)| it.life.key.sid).collect();
        assert_eq!(interrupted, [5]);
        let text = fs::read_to_string(&path).expect("it is text");
        let last = text.lines().last().expect("there are lines");
        assert!(
            last.ends_with(r#""action":"kill immediate","outcome":"unknown","why":"interrupted"}"#),
            "{last}"
        );
        assert!(last.contains(r#""sid":5"#) && !last.contains("reasons"), "{last}");

        let again = audit.recall(NOON).expect("it can be read");
        assert_eq!((again.interrupted().count(), again.of("prod")), (0, told));
        assert_eq!(fs::read_to_string(&path).expect("it is text"), text);
    }

    /// What a rule that spares thousands at each tick writes within the hour.
    #[test]
    fn who_was_ended_is_found_behind_many_who_were_spared() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("audit.jsonl");
        let rule = RuleSketch { mode: Mode::Enforce, ..RuleSketch::DEFAULT };
        let plan = plan_of(&[rule.build()], &snapshot(&[(1, "APP")]));
        let mut audit = FileAudit::open(&path).expect("it can be created");
        audit.intend(STAMP, &plan, NOON).expect("it can be written");
        audit.outcome(STAMP, &plan.ends()[0], Outcome::Ended, NOON).expect("it can be written");
        drop(audit);
        let mut text = fs::read_to_string(&path).expect("it is text");
        let spared = r#"{"time":"2026-03-29T12:00:00Z","kind":"spared","detail":"774 victims"}"#;
        text.push_str(&format!("{spared}\n").repeat((33 << 20) / spared.len()));
        fs::write(&path, text).expect("it can be written");
        let recall = FileAudit::open(&path).expect("nobody has it").recall(NOON);
        assert_eq!(recall.expect("it can be read").of("prod").len(), 1);
    }

    /// As logrotate moves it, at any moment.
    #[test]
    fn what_was_rotated_away_is_known_too() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("audit.jsonl");
        let rule = RuleSketch { mode: Mode::Enforce, ..RuleSketch::DEFAULT };
        let plan = plan_of(&[rule.build()], &snapshot(&[(1, "APP"), (2, "APP"), (3, "APP")]));
        let mut audit = FileAudit::open(&path).expect("it can be created");
        audit.intend(STAMP, &plan, NOON).expect("it can be written");
        audit.outcome(STAMP, &plan.ends()[0], Outcome::Ended, NOON).expect("it can be written");
        fs::rename(&path, place.path().join("audit.jsonl.1")).expect("it can be moved");
        audit.outcome(STAMP, &plan.ends()[1], Outcome::Ended, NOON).expect("it can be written");
        drop(audit);
        for interrupted in [1, 0] {
            let mut audit = FileAudit::open(&path).expect("nobody has it");
            let recall = audit.recall(NOON).expect("both can be read");
            let told: Vec<_> = recall.of("prod").iter().map(|it| it.outcome).collect();
            assert_eq!(told, [Outcome::Ended, Outcome::Ended, Outcome::Unknown]);
            assert_eq!(recall.interrupted().count(), interrupted);
        }
        fs::remove_file(place.path().join("audit.jsonl.1")).expect("it is there");
        fs::create_dir(place.path().join("audit.jsonl.1")).expect("it can be made");
        let why = FileAudit::open(&path).expect("nobody has it").recall(NOON);
        assert!(why.is_err(), "nobody knows what was in it");
    }

    fn lives(ends: &[End]) -> Vec<crate::engine::session::SessionLife> {
        ends.iter().map(|end| end.life).collect()
    }

    fn gone(end: &End) -> Verified {
        Verified {
            rule: end.rule.clone(),
            life: end.life,
            username: None,
            verb: Verb::KillImmediate,
            outcome: Outcome::Ended,
            finding: Finding::Gone,
            after: None,
        }
    }
}
