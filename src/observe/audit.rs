//! The audit: JSON lines, appended and synced, that say what was decided before it is done and what became of it.
//! It takes no part in a decision, but nothing is ended that it could not write down.
//!
//! One record a line, keys in this order:
//!
//! - always: `time` (wall clock, RFC 3339), `tick`, `database`, `taken_at` (the snapshot's time; null where nothing
//!   tells it), `kind`, `rule`
//! - `intent`, for every end, before anyone is ended: `mode` (the rule's), `dry_run` (whether it is only a rehearsal,
//!   be it for the mode, `--dry-run` or a capture), `owner` and `runbook` (of the rule, cut at 256 bytes; null where it
//!   has none; records of earlier versions lack both), `inst_id`, `sid`, `serial`, `logon_time`, `username`, `action`,
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
//! An intent without an outcome means that the daemon or the machine died between the two. The next run says so: its
//! outcome is `unknown`, `why` is `interrupted`. A line may also have been cut off then: it is closed before the next
//! record, and a reader skips what is not JSON. One process writes a file,
//! which is locked while it is open: two would cut each other's lines, and their intents could not be told apart. The
//! text of statements is never written: it may hold secrets, and audits are kept for years.
//!
//! The file may be moved away, as by logrotate: before and after each record it is compared with the one at the path,
//! and what may have gone to another is written again. A daemon that starts reads the end of `FILE.1` too.
//!
//! On a full disk nothing is left of a record that could not be written whole. An intent that failed is forgotten:
//! nobody was ended. What did happen is kept, and comes first once there is room again.

pub mod recall;

use std::borrow::Cow;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use recall::Recall;
use serde::Serialize;

use crate::engine::explain::Reason;
use crate::engine::guard::{ApprovedPlan, End, Halted, Spared};
use crate::engine::pursuit::Verified;
use crate::engine::report::Outcome;
use crate::engine::session::SessionLife;
use crate::engine::time::{MICROS_PER_SECOND, Timestamp};
use crate::observe::log::redact::{Redaction, label};
use crate::ports::{AuditError, AuditSink, TickStamp};

/// The audit names people and machines: for its owner only.
const MODE_OF_NEW_FILES: u32 = 0o600;

/// What logrotate appends to the name of the file that it moves away last.
const ROTATED: &str = ".1";

/// How every record begins.
const FIRST_BYTES: &[u8] = br#"{"time":"#;

/// Bytes of records that are kept until they are known to be on disk: the outcomes of some 50,000 ends. No more are
/// kept while they cannot be written; the log has them.
const PENDING_BYTES_MAX: usize = 16 << 20;

/// The audit in a file.
#[derive(Debug)]
pub struct FileAudit {
    path: PathBuf,
    file: File,
    pending: Pending,
    /// Bytes of the largest batch that could not be written since one could; zero while nothing is wrong.
    lacking: usize,
}

/// What has happened, and is not known to be on disk.
#[derive(Debug, Default)]
struct Pending {
    /// Whole lines.
    lines: Vec<u8>,
    /// Where they begin in the file, or what is being written; `None` while nothing of it is there.
    from: Option<u64>,
    /// Writing them or syncing them failed: nothing of them counts as written.
    failed: bool,
}

impl FileAudit {
    /// Opens the file for appending, or creates it, and locks it. It fails when another process has the lock.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, AuditError> {
        let path = path.into();
        let file = open(&path).map_err(|cause| unwritable(&path, cause))?;
        Ok(Self { path, file, pending: Pending::default(), lacking: 0 })
    }

    /// What earlier runs wrote down at the end of the file, and of the one before it if it was rotated. Each intent
    /// without an outcome gets one: it is unknown.
    pub fn recall(&mut self, now: Timestamp) -> Result<Recall, AuditError> {
        let mut before = self.path.clone().into_os_string();
        before.push(ROTATED);
        let recall = Recall::read(&mut self.file, Path::new(&before))
            .map_err(|cause| unwritable(&self.path, cause))?;
        self.write_down(&recall.missing(now))?;
        Ok(recall)
    }

    /// Does `write`. What it leaves behind when it fails is taken back, with all that was not synced before.
    fn whole(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) -> Result<(), AuditError> {
        let written = write(self);
        written.map_err(|cause| {
            self.take_back();
            unwritable(&self.path, cause)
        })
    }

    /// Cuts off what may be there in part. That needs no room; if it fails, the next record closes the line.
    fn take_back(&mut self) {
        if let Some(from) = self.pending.from.take()
            && self.file.metadata().is_ok_and(|it| it.len() > from)
        {
            drop(self.file.set_len(from));
        }
        self.pending.failed = !self.pending.lines.is_empty();
    }

    /// Before anything else is written: the file at the path, and what could not be written earlier.
    fn catch_up(&mut self) -> Result<(), AuditError> {
        self.whole(Self::follow_the_path)?;
        if !self.pending.failed {
            return Ok(());
        }
        self.whole(|audit| {
            audit.begin()?;
            audit.file.write_all(&audit.pending.lines)?;
            audit.sync()
        })
    }

    /// The next record begins a line.
    fn begin(&mut self) -> io::Result<()> {
        // An intent that is glued to half a line is none, and the lock does not hold everybody off.
        close_last_line(&mut self.file)?;
        if self.pending.from.is_none() {
            self.pending.from = Some(self.file.metadata()?.len());
        }
        Ok(())
    }

    /// Nobody looks for a record in a file that was moved away while it was written, and it may be deleted next.
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        if !self.is_at_the_path() {
            return Err(io::Error::other("it was moved away"));
        }
        self.pending = Pending::default();
        Ok(())
    }

    /// Takes in what has happened: it is kept until it is on disk.
    fn happened(
        &mut self,
        lines: &[u8],
        write: fn(&mut Self, &[u8]) -> io::Result<()>,
    ) -> Result<(), AuditError> {
        let caught_up = self.catch_up();
        if self.pending.lines.len() + lines.len() > PENDING_BYTES_MAX {
            caught_up.and_then(|()| self.settle())?;
        } else if caught_up.is_err() {
            self.pending.lines.extend_from_slice(lines);
            self.pending.failed = true;
            return caught_up;
        }
        self.whole(|audit| {
            let begun = if audit.pending.lines.is_empty() { audit.begin() } else { Ok(()) };
            audit.pending.lines.extend_from_slice(lines);
            begun.and_then(|()| write(audit, lines))
        })
        .or_else(|error| self.again_if_moved(error, Self::catch_up))
    }

    /// What failed because the file was moved away is done in the next one.
    fn again_if_moved(
        &mut self,
        error: AuditError,
        again: impl FnOnce(&mut Self) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        if self.is_at_the_path() { Err(error) } else { again(self) }
    }

    fn is_at_the_path(&self) -> bool {
        let place = |it: Metadata| (it.dev(), it.ino());
        let ours = self.file.metadata().map(place);
        fs::metadata(&self.path).map(place).is_ok_and(|there| ours.is_ok_and(|it| it == there))
    }

    /// Goes on in a new file when the old one was moved away: a record in a deleted file is no record.
    fn follow_the_path(&mut self) -> io::Result<()> {
        if self.is_at_the_path() {
            return Ok(());
        }
        let next = open(&self.path)?;
        if self.file.metadata()?.nlink() == 0 {
            self.pending.failed = !self.pending.lines.is_empty();
        } else if !self.pending.failed {
            self.file.sync_data()?;
            self.pending = Pending::default();
        }
        self.pending.from = None;
        self.file = next;
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

    /// Has whole lines on disk when it returns, or none of them. An empty batch fails where a batch would: whoever
    /// hears that it did not may say that the audit works.
    fn write_down(&mut self, batch: &[u8]) -> Result<(), AuditError> {
        let write = |audit: &mut Self| {
            audit.catch_up()?;
            if batch.is_empty() {
                return audit.probe();
            }
            audit.whole(|audit| {
                audit.begin()?;
                audit.file.write_all(batch)?;
                audit.sync()
            })
        };
        let written = write(self).or_else(|error| self.again_if_moved(error, write));
        self.lacking = match written {
            Ok(()) => 0,
            Err(_) => self.lacking.max(batch.len()).max(1),
        };
        written
    }

    /// Whether there is room by now for what found none: as many empty lines, which are cut off again. A crash in
    /// between leaves them, and readers skip them.
    fn probe(&mut self) -> Result<(), AuditError> {
        if self.lacking == 0 {
            return Ok(());
        }
        let blank = vec![b'\n'; self.lacking.min(PENDING_BYTES_MAX)];
        self.whole(|audit| {
            audit.begin()?;
            let end = audit.file.metadata()?.len();
            audit.file.write_all(&blank)?;
            let synced = audit.sync();
            audit.file.set_len(end)?;
            synced
        })
    }
}

impl Drop for FileAudit {
    /// The last chance for what is kept; the next run says of an intent without an outcome that it is unknown.
    fn drop(&mut self) {
        if self.pending.failed {
            drop(self.catch_up());
        }
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
        if batch.is_empty() {
            return self.catch_up();
        }
        self.happened(&batch, |audit, lines| {
            audit.file.write_all(lines)?;
            audit.sync()
        })
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
        self.happened(&line, |audit, line| audit.file.write_all(line))
    }

    fn settle(&mut self) -> Result<(), AuditError> {
        self.catch_up()?;
        self.whole(Self::sync).or_else(|error| self.again_if_moved(error, Self::catch_up))
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
    owner: Option<Cow<'a, str>>,
    runbook: Option<Cow<'a, str>>,
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
            owner: label(end.owner.as_deref()),
            runbook: label(end.runbook.as_deref()),
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
        let (observed, test) = Redaction::default().shown(reason);
        Self { field: reason.field, observed, test }
    }
}

#[cfg(test)]
mod tests;
