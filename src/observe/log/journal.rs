//! The journal's own protocol: a datagram of fields for each event, as systemd documents it under "Native Journal
//! Protocol". What makes one event is put together where it happens; the log's thread sends it, so that a journal that
//! stands still stops nobody.
//!
//! A value with a line break in it is sent with its length before it, so that no value can look like another field.
//! Values are cut: a datagram that is too large would be refused as a whole.

use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{DefaultFields, FormatFields as _, Writer};
use tracing_subscriber::layer::Context;

use super::json::Values;
use super::kind::Kind;
use super::redact::cut;
use crate::engine::text::{printable, shown};

/// Where the journal listens.
pub const SOCKET: &str = "/run/systemd/journal/socket";

/// Bytes of one value. All the fields of an event together stay far below what a socket takes at once (212,992 bytes,
/// unless the kernel was told otherwise).
pub const VALUE_BYTES_MAX: usize = 8 << 10;

/// Bytes of a field's name, which the journal sets.
const NAME_BYTES_MAX: usize = 64;

/// What keeps its line breaks: diagnostics of files are text of many lines. In what a client says of itself a line
/// break could only look like a line of the catalog's.
const OF_MANY_LINES: [&str; 3] = ["MESSAGE", "CAUSE", "DIAGNOSTICS"];

/// Sends events as datagrams.
pub(super) struct Journal<W>(pub(super) W);

impl<S, W> Layer<S> for Journal<W>
where
    S: Subscriber,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // It never fails: what cannot be sent is counted where it is sent.
        self.0.make_writer().write_all(&datagram(event)).ok();
    }
}

/// The fields of an event. The message has all of them in it, too: it is what `journalctl` shows.
fn datagram(event: &Event<'_>) -> Vec<u8> {
    let mut message = String::new();
    // A string takes everything.
    DefaultFields::new().format_fields(Writer::new(&mut message), event).ok();
    let mut datagram = Vec::new();
    put(&mut datagram, "MESSAGE", &message);
    put(&mut datagram, "PRIORITY", priority(*event.metadata().level()));
    put(&mut datagram, "SYSLOG_IDENTIFIER", "orawarden");
    if let Some(kind) = Kind::of(event.metadata()) {
        put(&mut datagram, "MESSAGE_ID", &format!("{:032x}", kind.id()));
        put(&mut datagram, "EVENT", kind.word());
    }
    let mut values = Values::default();
    event.record(&mut values);
    for (key, value) in values.0.iter().filter(|(key, _)| *key != "message") {
        match value {
            Value::String(text) => put(&mut datagram, &name(key), text),
            value => put(&mut datagram, &name(key), &value.to_string()),
        }
    }
    datagram
}

/// A field name as the journal takes it. The keys of our own events only have to be written in capitals; those of other
/// crates may be anything, and a name with an underscore in front would be the journal's own.
fn name(key: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = key.chars().map(allowed).take(NAME_BYTES_MAX).collect();
    name.trim_start_matches(|c: char| c == '_' || c.is_ascii_digit()).to_owned()
}

const fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    }
}

fn put(datagram: &mut Vec<u8>, name: &str, value: &str) {
    // The catalog's texts quote fields, and `journalctl -x` writes them to a terminal as they are.
    let value = if OF_MANY_LINES.contains(&name) {
        printable(value)
    } else {
        value.chars().map(shown).collect()
    };
    let value = cut(&value, VALUE_BYTES_MAX);
    datagram.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        datagram.push(b'\n');
        datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        datagram.push(b'=');
    }
    datagram.extend_from_slice(value.as_bytes());
    datagram.push(b'\n');
}

/// The journal's end of the log's thread. It may wait for as long as the journal takes.
pub(super) struct Socket {
    ours: UnixDatagram,
    journal: PathBuf,
}

impl Socket {
    /// Sends to the socket at that path, whoever listens there at the time: the journal may be started again.
    pub(super) fn to(journal: &Path) -> io::Result<Self> {
        Ok(Self { ours: UnixDatagram::unbound()?, journal: journal.to_owned() })
    }
}

impl Write for Socket {
    fn write(&mut self, datagram: &[u8]) -> io::Result<usize> {
        self.ours.send_to(datagram, &self.journal)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
