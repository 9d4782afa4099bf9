//! The audit: JSON lines, appended and synced, that say what was decided before it is done and what became of it.
//! It takes no part in a decision, but nothing is ended that it could not write down.
//!
//! One record a line, keys in this order:
//!
//! - always: `time` (wall clock, RFC 3339), `tick`, `database`, `taken_at` (the snapshot's time; null where nothing
//!   tells it), `kind`, `rule`
//! - `intent`, for every end, before anyone is ended: `mode` (the rule's), `dry_run` (whether it is only a rehearsal,
//!   be it for the mode, `--dry-run` or a capture), `inst_id`, `sid`, `serial`, `logon_time`, `username`, `action`,
//!   `ladder`, `reasons` (`field`, `observed`, `test`)
//! - `outcome`, one for every intent: the same up to `action`, then `outcome` and `why` (the kind of a refusal or
//!   failure, else null)
//! - `spared`: `inst_id`, `sid`, `serial`, `logon_time`, `because`, `detail`
//! - `halted`, for a rule that stood still: `because`, `detail`
//! - `verified`, once for a session that was ended, when a later snapshot shows that it is over: `inst_id`, `sid`,
//!   `serial`, `logon_time`, `username`, `action` and `outcome` (what was done last, and answered), `finding` (`gone`;
//!   `unnoticed`: ended, and only its client has not noticed; `cancelled`: the statement no longer runs), `seconds`
//!   (since it was done, by the database's clock; null where that is not known). `outcome` `unknown` is settled by it.
//!
//! - `by-hand`, before the intents of what a person did: `os_user`, `reason`, `asked` (the session or the SQL_ID),
//!   `action`, `despite_holds`, `allow_protected`. The records of the same `tick` belong to it.
//!
//! An intent without an outcome means that the daemon or the machine died between the two. Then a line may also have
//! been cut off: it is closed before the next intent, and a reader skips what is not JSON. One process writes a file,
//! which is locked while it is open: two would cut each other's lines, and their intents could not be told apart. The
//! text of statements is never written: it may hold secrets, and audits are kept for years.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::engine::condition::Field;
use crate::engine::explain::Reason;
use crate::engine::guard::{ApprovedPlan, End, Halted, Spared};
use crate::engine::pursuit::Verified;
use crate::engine::report::Outcome;
use crate::engine::session::SessionLife;
use crate::engine::time::{MICROS_PER_SECOND, Timestamp};
use crate::ports::{AuditError, AuditSink, TickStamp};

/// The audit names people and machines: for its owner only.
const MODE_OF_NEW_FILES: u32 = 0o600;

/// Stands where a statement's text was observed.
const WITHHELD: &str = "(withheld)";

/// How every record begins.
const FIRST_BYTES: &[u8] = br#"{"time":"#;

/// The audit in a file.
#[derive(Debug)]
pub struct FileAudit {
    path: PathBuf,
    file: File,
    broken: bool,
}

impl FileAudit {
    /// Opens the file for appending, or creates it, and locks it. It fails when another process has the lock.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, AuditError> {
        let path = path.into();
        let file = open(&path).map_err(|cause| unwritable(&path, cause))?;
        Ok(Self { path, file, broken: false })
    }

    /// Does `write`. After a failure nothing is known about what is on disk, so it is the last thing that was tried.
    fn unbroken(
        &mut self,
        write: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> Result<(), AuditError> {
        if self.broken {
            return Err(AuditError::Broken);
        }
        write(self).map_err(|cause| {
            self.broken = true;
            unwritable(&self.path, cause)
        })
    }

    /// Goes on in a new file when the old one was moved away: a record in a deleted file is no record.
    fn follow_the_path(&mut self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        let there = fs::metadata(&self.path);
        if !there.is_ok_and(|it| (it.dev(), it.ino()) == (ours.dev(), ours.ino())) {
            self.file = open(&self.path)?;
        }
        Ok(())
    }
}

/// What a person asked for.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ByHand<'a> {
    /// The user of the system.
    pub os_user: &'a str,
    /// Why, in the person's words.
    pub reason: &'a str,
    /// The session, or the SQL_ID, as it was typed.
    pub asked: &'a str,
    /// What was to be done, as it was typed.
    pub action: &'a str,
    /// Pauses and silences were to be disregarded.
    pub despite_holds: bool,
    /// Protections that were to be lifted.
    pub allow_protected: &'a [String],
}

impl FileAudit {
    /// Writes down what a person is about to do. When it returns, the record survives a crash of the machine.
    pub fn by_hand(
        &mut self,
        stamp: TickStamp<'_>,
        act: &ByHand<'_>,
        now: Timestamp,
    ) -> Result<(), AuditError> {
        let mut line = Vec::new();
        let record = ByHandRecord { head: Head::of(stamp, "by-hand", "by-hand", now), act: *act };
        push_line(&mut line, &record);
        self.write_down(&line)
    }

    /// Writes whole lines, and has them on disk when it returns.
    fn write_down(&mut self, batch: &[u8]) -> Result<(), AuditError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.unbroken(|audit| {
            audit.follow_the_path()?;
            // An intent that is glued to half a line is none, and the lock does not hold everybody off.
            close_last_line(&mut audit.file)?;
            audit.file.write_all(batch)?;
            audit.file.sync_data()
        })
    }
}

impl AuditSink for FileAudit {
    fn verified(
        &mut self,
        stamp: TickStamp<'_>,
        verified: &[Verified],
        now: Timestamp,
    ) -> Result<(), AuditError> {
        let mut batch = Vec::new();
        for verified in verified.iter().filter(|it| it.finding.is_over()) {
            push_line(&mut batch, &VerifiedRecord::of(stamp, verified, now));
        }
        self.write_down(&batch)
    }

    fn intend(
        &mut self,
        stamp: TickStamp<'_>,
        plan: &ApprovedPlan,
        now: Timestamp,
    ) -> Result<(), AuditError> {
        self.write_down(&decisions(stamp, plan, now))
    }

    fn outcome(
        &mut self,
        stamp: TickStamp<'_>,
        end: &End,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), AuditError> {
        let mut line = Vec::new();
        let record = OutcomeRecord {
            head: Head::of(stamp, "outcome", &end.rule, now),
            act: Act::of(stamp, end),
            outcome: outcome.word(),
            why: outcome.kind(),
        };
        push_line(&mut line, &record);
        self.unbroken(|audit| audit.file.write_all(&line))
    }

    fn settle(&mut self) -> Result<(), AuditError> {
        self.unbroken(|audit| audit.file.sync_data())
    }
}

fn unwritable(path: &Path, cause: io::Error) -> AuditError {
    AuditError::Unwritable { path: path.display().to_string(), cause: cause.into() }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(MODE_OF_NEW_FILES);
    let mut file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file, which could be synced"));
    }
    lock(&file)?;
    refuse_another_file(&mut file)?;
    close_last_line(&mut file)?;
    file.sync_all()?;
    sync_directory(path)?;
    Ok(file)
}

/// Until the file is closed, which the system sees to whatever ends the process. It never waits.
fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            let why = "another process has locked it: one daemon writes an audit file";
            io::Error::new(io::ErrorKind::WouldBlock, why)
        }
        TryLockError::Error(cause) => cause,
    })
}

/// What begins otherwise was not written here: a policy, perhaps, that a slip of the pen named.
fn refuse_another_file(file: &mut File) -> io::Result<()> {
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    (&mut *file).take(FIRST_BYTES.len() as u64).read_to_end(&mut start)?;
    if FIRST_BYTES.starts_with(&start) || start.starts_with(b"\n") {
        return Ok(());
    }
    Err(io::Error::other("it holds something else than an audit"))
}

fn close_last_line(file: &mut File) -> io::Result<()> {
    if file.metadata()?.len() == 0 {
        return Ok(());
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

/// A new file survives a crash only when its directory was synced too.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Everything that a plan decided, as one batch of lines.
fn decisions(stamp: TickStamp<'_>, plan: &ApprovedPlan, now: Timestamp) -> Vec<u8> {
    let mut batch = Vec::new();
    for end in plan.ends() {
        let record = IntentRecord {
            head: Head::of(stamp, "intent", &end.rule, now),
            act: Act::of(stamp, end),
            ladder: end.action.rungs(),
            reasons: end.reasons.iter().map(ReasonRecord::of).collect(),
        };
        push_line(&mut batch, &record);
    }
    for spared in plan.spared() {
        let Spared { rule, life, reason, detail } = spared;
        let record = SparedRecord {
            head: Head::of(stamp, "spared", rule, now),
            who: Who::of(*life),
            because: reason.because(),
            detail: detail.as_str(),
        };
        push_line(&mut batch, &record);
    }
    for halted in plan.halted() {
        let Halted { rule, reason, detail } = halted;
        let record = HaltedRecord {
            head: Head::of(stamp, "halted", rule, now),
            because: reason.because(),
            detail: detail.as_str(),
        };
        push_line(&mut batch, &record);
    }
    batch
}

fn push_line(lines: &mut Vec<u8>, record: &impl Serialize) {
    serde_json::to_writer(&mut *lines, record).expect("texts and numbers always serialise");
    lines.push(b'\n');
}

#[derive(Serialize)]
struct Head<'a> {
    time: String,
    tick: String,
    database: &'a str,
    taken_at: Option<String>,
    kind: &'static str,
    rule: &'a str,
}

impl<'a> Head<'a> {
    fn of(stamp: TickStamp<'a>, kind: &'static str, rule: &'a str, now: Timestamp) -> Self {
        Self {
            time: now.to_string(),
            tick: stamp.tick.to_string(),
            database: stamp.database,
            taken_at: stamp.taken_at.map(|at| at.to_string()),
            kind,
            rule,
        }
    }
}

#[derive(Serialize)]
struct Who {
    inst_id: u32,
    sid: u32,
    serial: u32,
    logon_time: Option<String>,
}

impl Who {
    fn of(life: SessionLife) -> Self {
        Self {
            inst_id: life.key.inst_id,
            sid: life.key.sid,
            serial: life.key.serial,
            logon_time: life.logon_time.map(|time| time.to_string()),
        }
    }
}

#[derive(Serialize)]
struct Act<'a> {
    mode: String,
    dry_run: bool,
    #[serde(flatten)]
    who: Who,
    username: Option<&'a str>,
    action: &'static str,
}

impl<'a> Act<'a> {
    fn of(stamp: TickStamp<'_>, end: &'a End) -> Self {
        Self {
            mode: end.mode.to_string(),
            dry_run: stamp.acting.is_dry_run(end.mode),
            who: Who::of(end.life),
            username: end.username.as_deref(),
            action: end.verb_text(),
        }
    }
}

#[derive(Serialize)]
struct IntentRecord<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    act: Act<'a>,
    ladder: Vec<String>,
    reasons: Vec<ReasonRecord<'a>>,
}

#[derive(Serialize)]
struct ByHandRecord<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    act: ByHand<'a>,
}

#[derive(Serialize)]
struct OutcomeRecord<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    act: Act<'a>,
    outcome: &'static str,
    why: Option<&'static str>,
}

#[derive(Serialize)]
struct SparedRecord<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    who: Who,
    because: String,
    detail: &'a str,
}

#[derive(Serialize)]
struct HaltedRecord<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    because: &'static str,
    detail: &'a str,
}

#[derive(Serialize)]
struct VerifiedRecord<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    who: Who,
    username: Option<&'a str>,
    action: &'static str,
    outcome: &'static str,
    finding: &'static str,
    seconds: Option<i64>,
}

impl<'a> VerifiedRecord<'a> {
    fn of(stamp: TickStamp<'a>, verified: &'a Verified, now: Timestamp) -> Self {
        let Verified { rule, life, username, verb, outcome, finding, after } = verified;
        Self {
            head: Head::of(stamp, "verified", rule, now),
            who: Who::of(*life),
            username: username.as_deref(),
            action: verb.text(),
            outcome: outcome.word(),
            finding: finding.word(),
            seconds: after.map(|after| after.0 / MICROS_PER_SECOND),
        }
    }
}

#[derive(Serialize)]
struct ReasonRecord<'a> {
    field: &'static str,
    observed: &'a str,
    test: &'a str,
}

impl<'a> ReasonRecord<'a> {
    fn of(reason: &'a Reason) -> Self {
        let Reason { field, observed, test } = reason;
        let is_sql =
            [Field::SqlText, Field::SqlTextNormalized].iter().any(|it| it.name() == *field);
        Self { field, observed: if is_sql { WITHHELD } else { observed }, test }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::{FileAudit, ReasonRecord};
    use crate::engine::explain::Reason;
    use crate::engine::policy::{Mode, Verb};
    use crate::engine::pursuit::{Finding, Verified};
    use crate::engine::report::{Acting, Failure, Outcome, TickId};
    use crate::engine::time::{Span, Timestamp};
    use crate::observe::fixture::{NOON, RuleSketch, plan_of, snapshot};
    use crate::ports::{AuditError, AuditSink as _, TickStamp};

    const STAMP: TickStamp<'static> = TickStamp {
        tick: TickId { run: NOON, number: 3 },
        database: "prod",
        taken_at: Some(NOON),
        acting: Acting::AsRulesSay,
    };

    #[test]
    fn every_decision_has_its_line_with_the_documented_keys() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("audit.jsonl");
        let mut audit = FileAudit::open(&path).expect("it can be created");
        let rule = RuleSketch { name: "idle", mode: Mode::Enforce, ..RuleSketch::default() };
        let plan = plan_of(&[rule.build()], &snapshot(&[(7, "APP"), (8, "SYS")]));
        let lost = Outcome::Failed(Failure::Disconnected);
        audit.intend(STAMP, &plan, NOON).expect("it can be written");
        audit.outcome(STAMP, &plan.ends()[0], lost, Timestamp(NOON.0 + 1_000)).expect("likewise");
        audit.settle().expect("it can be synced");
        let head = |time, kind| {
            let stamp = r#""tick":"1774785600000000-3","database":"prod","taken_at":"2026-03-29T12:00:00Z""#;
            format!(r#"{{"time":"{time}",{stamp},"kind":"{kind}","rule":"idle","#)
        };
        let act = concat!(
            r#""mode":"enforce","dry_run":false,"inst_id":1,"sid":7,"serial":70,"#,
            r#""logon_time":"2026-03-29T11:00:00Z","username":"APP","action":"kill immediate","#,
        );
        let expected = [
            head("2026-03-29T12:00:00Z", "intent"),
            act.to_owned(),
            r#""ladder":["kill immediate"],"#.to_owned(),
            r#""reasons":[{"field":"any_session","observed":"true","test":"true"}]}"#.to_owned(),
            "\n".to_owned(),
            head("2026-03-29T12:00:00Z", "spared"),
            r#""inst_id":1,"sid":8,"serial":80,"logon_time":"2026-03-29T11:00:00Z","#.to_owned(),
            r#""because":"oracle-maintained","#.to_owned(),
            r#""detail":"an account that Oracle or the platform maintains"}"#.to_owned(),
            "\n".to_owned(),
            head("2026-03-29T12:00:00.001Z", "outcome"),
            act.to_owned(),
            r#""outcome":"failed","why":"disconnected"}"#.to_owned(),
            "\n".to_owned(),
        ];
        assert_eq!(fs::read_to_string(&path).expect("it is text"), expected.concat());
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_over_is_written_down_once_and_what_is_not_is_not() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("audit.jsonl");
        let mut audit = FileAudit::open(&path).expect("it can be created");
        let seen = snapshot(&[(7, "APP")]);
        let found = |finding| Verified {
            rule: "idle".into(),
            life: seen.sessions.get(0).life(),
            username: Some("APP".to_owned()),
            verb: Verb::KillImmediate,
            outcome: Outcome::Unknown,
            finding,
            after: Some(Span::seconds(61)),
        };
        let ending = Finding::Ending { from: Some(2), to: Some(1) };
        let found = [ending, Finding::StillThere, Finding::NotKnown, Finding::Gone].map(found);
        audit.verified(STAMP, &found, NOON).expect("it can be written");
        let expected = concat!(
            r#"{"time":"2026-03-29T12:00:00Z","tick":"1774785600000000-3","database":"prod","#,
            r#""taken_at":"2026-03-29T12:00:00Z","kind":"verified","rule":"idle","#,
            r#""inst_id":1,"sid":7,"serial":70,"logon_time":"2026-03-29T11:00:00Z","#,
            r#""username":"APP","action":"kill immediate","outcome":"unknown","finding":"gone","#,
            r#""seconds":61}"#,
            "\n"
        );
        assert_eq!(fs::read_to_string(&path).expect("it is text"), expected);
    }

    #[test]
    fn a_line_that_was_cut_off_does_not_spoil_the_next() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("audit.jsonl");
        let whole = "{\"time\":1}\n";
        for (before, is_cut) in [("", false), (whole, false), ("{\"time\":1}\n{\"time", true)] {
            fs::write(&path, before).expect("it can be written");
            FileAudit::open(&path).expect("it can be opened");
            let after = if is_cut { format!("{before}\n") } else { before.to_owned() };
            assert_eq!(fs::read_to_string(&path).expect("it is text"), after);
        }
    }

    #[test]
    fn a_file_that_was_moved_away_is_begun_anew() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("audit.jsonl");
        let plan = plan_of(&[RuleSketch::default().build()], &snapshot(&[(7, "APP")]));
        let mut audit = FileAudit::open(&path).expect("it can be created");
        audit.intend(STAMP, &plan, NOON).expect("it can be written");
        fs::rename(&path, place.path().join("audit.jsonl.1")).expect("it can be moved");
        audit.intend(STAMP, &plan, NOON).expect("it can be written");
        for name in ["audit.jsonl", "audit.jsonl.1"] {
            let text = fs::read_to_string(place.path().join(name)).expect("it is text");
            assert_eq!(text.lines().count(), 1, "{name}");
        }
    }

    #[test]
    fn after_a_failure_nothing_more_is_taken() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let directory = place.path().join("audits");
        fs::create_dir(&directory).expect("it can be made");
        let plan = plan_of(&[RuleSketch::default().build()], &snapshot(&[(7, "APP")]));
        let mut audit = FileAudit::open(directory.join("audit.jsonl")).expect("it can be created");
        fs::remove_dir_all(&directory).expect("it can be removed");
        let lost = audit.intend(STAMP, &plan, NOON);
        assert!(matches!(lost, Err(AuditError::Unwritable { .. })));
        fs::create_dir(&directory).expect("it can be made again");
        assert!(matches!(audit.intend(STAMP, &plan, NOON), Err(AuditError::Broken)));
    }

    #[test]
    fn a_file_has_one_writer_at_a_time() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("audit.jsonl");
        let first = FileAudit::open(&path).expect("it can be created");
        let refused = FileAudit::open(&path).expect_err("it is locked");
        let AuditError::Unwritable { cause, .. } = refused else { panic!("{refused}") };
        assert!(cause.to_string().starts_with("another process has locked it"), "{cause}");
        drop(first);
        FileAudit::open(&path).expect("nobody has it any more");
    }

    #[test]
    fn another_file_is_not_written_to() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("policy.yaml");
        for (text, is_ours) in [("version: 1\n", false), ("{}", false), ("", true), ("{\"ti", true)]
        {
            fs::write(&path, text).expect("it can be written");
            assert_eq!(FileAudit::open(&path).is_ok(), is_ours, "{text}");
            assert!(is_ours || fs::read_to_string(&path).is_ok_and(|now| now == text));
        }
    }

    #[test]
    fn an_intent_begins_a_line_whoever_wrote_before() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("audit.jsonl");
        let plan = plan_of(&[RuleSketch::default().build()], &snapshot(&[(7, "APP")]));
        let mut audit = FileAudit::open(&path).expect("it can be created");
        fs::write(&path, "{\"time").expect("somebody does not ask for locks");
        audit.intend(STAMP, &plan, NOON).expect("it can be written");
        let text = fs::read_to_string(&path).expect("it is text");
        let intent = text.lines().nth(1).expect("there are two lines");
        assert!(intent.contains(r#""kind":"intent""#) && text.starts_with("{\"time\n"), "{text}");
    }

    #[test]
    fn what_cannot_be_synced_is_refused() {
        assert!(matches!(FileAudit::open("/dev/null"), Err(AuditError::Unwritable { .. })));
    }

    #[test]
    fn the_text_of_statements_is_withheld() {
        let reason = |field| Reason { field, observed: "x".to_owned(), test: "like %".to_owned() };
        assert_eq!(ReasonRecord::of(&reason("sql_text")).observed, "(withheld)");
        assert_eq!(ReasonRecord::of(&reason("sql_text_normalized")).observed, "(withheld)");
        assert_eq!(ReasonRecord::of(&reason("sql_id")).observed, "x");
    }
}
