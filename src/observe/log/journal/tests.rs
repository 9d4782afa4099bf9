//! What arrives at a socket that stands for the journal's, taken apart as systemd documents it.

use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use tempfile::TempDir;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{Socket, VALUE_BYTES_MAX, name};
use crate::engine::policy::Mode;
use crate::engine::report::{Outcome, TickReport};
use crate::observe::log::kind::Kind;
use crate::observe::log::tests::report;
use crate::observe::log::{LINES_WAITING_MAX, LogFormat, TickLog, in_background, layer, say};

/// Datagrams are small; a value that was not cut would not fit.
const DATAGRAM_BYTES_MAX: usize = 1 << 20;

struct Journal {
    place: TempDir,
    socket: UnixDatagram,
}

impl Journal {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a directory for the test");
        let socket = UnixDatagram::bind(place.path().join("socket")).expect("it is new");
        Self { place, socket }
    }

    fn path(&self) -> PathBuf {
        self.place.path().join("socket")
    }

    /// The fields of the next datagram, in their order.
    fn next(&self) -> Vec<(String, String)> {
        let mut bytes = vec![0; DATAGRAM_BYTES_MAX];
        let length = self.socket.recv(&mut bytes).expect("it was sent");
        fields(&bytes[..length])
    }
}

fn fields(mut bytes: &[u8]) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it is text");
    while !bytes.is_empty() {
        let end = bytes.iter().position(|byte| *byte == b'\n').expect("a line ends");
        let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
        if let Some(equals) = line.iter().position(|byte| *byte == b'=') {
            fields.push((text(&line[..equals]), text(&line[equals + 1..])));
            bytes = rest;
        } else {
            let (length, rest) = rest.split_first_chunk::<8>().expect("a length follows");
            let length = usize::try_from(u64::from_le_bytes(*length)).expect("it is short");
            fields.push((text(line), text(&rest[..length])));
            assert_eq!(rest[length], b'\n');
            bytes = &rest[length + 1..];
        }
    }
    fields
}

/// Logs these ticks to the journal; the second line of each is its decision.
fn log(journal: &Journal, reports: &[TickReport]) {
    log_with(journal, || {
        for report in reports {
            TickLog::default().tick(report);
        }
    });
}

fn log_with(journal: &Journal, log: impl FnOnce()) {
    let socket = Socket::to(&journal.path()).expect("there are sockets");
    let (writer, worker, _) = in_background(Box::new(socket));
    let layer = layer(LogFormat::Journald, false, writer);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
    drop(worker);
}

fn value<'f>(fields: &'f [(String, String)], name: &str) -> &'f str {
    let found: Vec<_> = fields.iter().filter(|(it, _)| it == name).collect();
    assert_eq!(found.len(), 1, "{name} in {fields:?}");
    &found[0].1
}

#[test]
fn a_decision_is_fields() {
    let journal = Journal::new();
    log(&journal, &[report(Mode::DryRun, Outcome::Simulated, "APP")]);
    let tick = journal.next();
    assert_eq!([value(&tick, "EVENT"), value(&tick, "SESSIONS")], ["tick", "2"]);
    let expected = [
        ("PRIORITY", "6"),
        ("SYSLOG_IDENTIFIER", "orawarden"),
        ("MESSAGE_ID", "2528f11799db4f658f1f534330d1293e"),
        ("EVENT", "would-end"),
        ("RULE", "idle"),
        ("OWNER", "payroll"),
        ("RUNBOOK", "https://wiki/idle"),
        ("DATABASE", "prod"),
        ("TICK", "1774785600000000-1"),
        ("INST_ID", "1"),
        ("SID", "7"),
        ("SERIAL", "70"),
        ("USERNAME", "APP"),
        ("ACTION", "kill immediate"),
        ("OUTCOME", "simulated"),
        ("MODE", "dry-run"),
        ("DRY_RUN", "true"),
        ("REASONS", "session_age 1h (> 30m); username APP (= APP)"),
    ];
    let decision = journal.next();
    let (message, rest) = decision.split_first().expect("there are fields");
    assert_eq!(rest, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(message.0, "MESSAGE");
    assert!(message.1.starts_with(r#"would end rule="idle" owner="payroll""#), "{}", message.1);
    let spared = journal.next();
    assert_eq!([value(&spared, "PRIORITY"), value(&spared, "BECAUSE")], ["7", "oracle-maintained"]);
    assert_eq!(value(&journal.next(), "PRIORITY"), "4", "what was missed is a warning");
}

#[test]
fn a_user_name_forges_no_field() {
    let journal = Journal::new();
    let name = "APP\nRULE=other\nMESSAGE_ID\n\u{8}\0\0\0\0\0\0\0=x\n";
    log(&journal, &[report(Mode::Enforce, Outcome::Ended, name)]);
    journal.next();
    let fields = journal.next();
    assert_eq!(value(&fields, "USERNAME"), name.replace(['\u{8}', '\0', '\n'], "\u{fffd}"));
    assert_eq!(value(&fields, "RULE"), "idle");
    assert_eq!(value(&fields, "MESSAGE_ID"), format!("{:032x}", Kind::Ended.id()));
    assert!(!fields.iter().any(|(_, text)| text.contains('\n')), "one line each: {fields:?}");
}

#[test]
fn diagnostics_of_files_keep_their_lines() {
    let journal = Journal::new();
    let cause = "error: no such field\n  3 | idel: 30m\nLEVEL=\u{1b}[1m";
    log_with(&journal, || {
        say!(NotReloaded, rules = 1, databases = 1, hanging = 0, cause = cause);
    });
    let fields = journal.next();
    assert_eq!(value(&fields, "CAUSE"), cause.replace('\u{1b}', "\u{fffd}"));
    assert_eq!(value(&fields, "EVENT"), "not-reloaded");
}

/// The catalog quotes fields, and `journalctl -x` writes them to a terminal as they are.
#[test]
fn no_field_moves_the_cursor_or_turns_what_follows() {
    let journal = Journal::new();
    log(&journal, &[report(Mode::Enforce, Outcome::Ended, "A\u{1b}]0;x\u{7}\u{202e}B")]);
    journal.next();
    let fields = journal.next();
    assert_eq!(value(&fields, "USERNAME"), "A\u{fffd}]0;x\u{fffd}\u{fffd}B");
    let hostile = |text: &str| text.contains(['\u{1b}', '\u{7}', '\u{202e}']);
    assert!(!fields.iter().any(|(_, text)| hostile(text)), "{fields:?}");
}

#[test]
fn values_that_are_too_long_are_cut_and_arrive() {
    let journal = Journal::new();
    let name = "Ü".repeat(1 << 20);
    log(&journal, &[report(Mode::Enforce, Outcome::Ended, &name)]);
    journal.next();
    let fields = journal.next();
    let shown = value(&fields, "USERNAME");
    assert_eq!(shown, format!("{}…", "Ü".repeat(VALUE_BYTES_MAX / 2)));
    assert!(value(&fields, "REASONS").len() < VALUE_BYTES_MAX, "they have a bound of their own");
}

#[test]
fn every_kind_fits_into_a_datagram() {
    // The default of a socket's buffer, of which the kernel takes some for itself.
    const BUFFER_BYTES: usize = 212_992 - 4_096;
    let most = Kind::ALL.iter().map(|kind| kind.keys().len()).max().unwrap_or_default();
    // The message, the value of every key, their names, and the fields that all events have.
    assert!((most + 1) * (VALUE_BYTES_MAX + 128) + 256 < BUFFER_BYTES);
}

#[test]
fn a_journal_that_stands_still_stops_nobody_and_the_loss_is_counted() {
    let journal = Journal::new();
    let socket = Socket::to(&journal.path()).expect("there are sockets");
    let (mut writer, worker, lost) = in_background(Box::new(socket));
    // Nobody reads: the socket takes some, the queue the next, and this ends all the same.
    let sent = LINES_WAITING_MAX + 10_000;
    for _ in 0..sent {
        writer.write_all(b"MESSAGE=x\n").expect("it never fails");
    }
    let unwritten = lost.count();
    assert!((1..=10_000).contains(&unwritten), "{unwritten}");
    for _ in 0..sent - unwritten {
        journal.next();
    }
    drop(worker);
    assert_eq!(lost.count(), unwritten);
}

#[test]
fn a_journal_that_goes_and_comes_again_loses_what_was_said_meanwhile() {
    let Journal { place, socket } = Journal::new();
    let path = place.path().join("socket");
    let mut ours = Socket::to(&path).expect("there are sockets");
    drop(socket);
    assert!(ours.write_all(b"MESSAGE=1\n").is_err(), "nobody listens");
    std::fs::remove_file(&path).expect("it is there");
    assert!(ours.write_all(b"MESSAGE=2\n").is_err(), "it is not there");
    let socket = UnixDatagram::bind(&path).expect("its place is free");
    ours.write_all(b"MESSAGE=3\n").expect("somebody listens");
    assert_eq!(value(&Journal { place, socket }.next(), "MESSAGE"), "3");
}

#[test]
fn names_are_what_the_journal_takes() {
    for (key, expected) in [
        ("dry_run", "DRY_RUN"),
        ("log.target", "LOG_TARGET"),
        ("_pid", "PID"),
        ("__2nd", "ND"),
        ("größe", "GR__E"),
    ] {
        assert_eq!(name(key), expected);
    }
    assert_eq!(name(&"k".repeat(100)).len(), 64);
}
