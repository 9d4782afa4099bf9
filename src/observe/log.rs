//! The log: what a tick decided and did, as lines of a closed list of kinds with stable keys ([`kind`]), for people, as
//! JSON, or as fields of the journal. Levels go by what the operator has to do: nothing (debug), know (info), look soon
//! (warn), act now (error). The text of statements is never logged, and what tells of people only as far as the
//! configuration wants it ([`redact`]); the audit has it all.
//!
//! A thread of its own writes it, so that a reader who stands still stops nobody. Lines that find no room are lost, and
//! how many is said when there is room again; the audit, which has to be whole, is another matter.

pub mod journal;
mod json;
pub mod kind;
#[cfg(test)]
mod page;
pub mod redact;
mod tick;

use std::error::Error;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::reload;

use journal::{Journal, Socket};
use json::JsonLines;
pub(crate) use kind::say;
use redact::Redaction;
pub use tick::{Teller, TickLog, WARNING_IS_NEWS_AFTER, WARNINGS_REMEMBERED_MAX};

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// Fields, to the journal itself.
    Journald,
}

/// What of the log can be changed while it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The least that is written.
    pub level: LevelFilter,
    /// What is withheld.
    pub redact: Redaction,
}

/// There is a log already, or no way to the journal.
#[derive(Debug, thiserror::Error)]
#[error("the log cannot be set up")]
pub struct LogInitError(#[source] Box<dyn Error + Send + Sync>);

/// Lines that wait to be written, some 30 MiB of them, or 80 MiB in the journal's form. More than one tick over the
/// largest captures writes at once, so that a reader who reads loses nothing.
pub const LINES_WAITING_MAX: usize = 65_536;

/// How long the last lines may take when the process leaves.
pub const FLUSH_WITHIN: Duration = Duration::from_secs(2);

/// The log of the process, until it is closed.
#[derive(Debug)]
pub struct Log {
    format: LogFormat,
    worker: WorkerGuard,
    lost: Lost,
    level: LevelHandle,
    settings: Settings,
}

/// Changes what the least is that is written.
type LevelHandle = reload::Handle<LevelFilter, Registry>;

/// Sends what `settings` let through to standard error or to the journal, for the whole process.
pub fn init(format: LogFormat, settings: Settings) -> Result<Log, LogInitError> {
    let failed = |cause: Box<dyn Error + Send + Sync>| LogInitError(cause);
    let to: Box<dyn Write + Send> = match format {
        LogFormat::Journald => {
            Box::new(Socket::to(Path::new(journal::SOCKET)).map_err(|cause| failed(cause.into()))?)
        }
        LogFormat::Text | LogFormat::Json => Box::new(io::stderr()),
    };
    let (writer, worker, lost) = in_background(to);
    let (filter, level) = reload::Layer::new(settings.level);
    let color = io::stderr().is_terminal();
    let subscriber = tracing_subscriber::registry().with(filter).with(layer(format, color, writer));
    tracing::subscriber::set_global_default(subscriber).map_err(|cause| failed(cause.into()))?;
    Ok(Log { format, worker, lost, level, settings })
}

/// A writer that never waits, and the thread behind it, which may.
fn in_background(to: Box<dyn Write + Send>) -> (NonBlocking, WorkerGuard, Lost) {
    let unsent = Arc::new(AtomicUsize::new(0));
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .thread_name("log")
        .finish(Counted { to, unsent: Arc::clone(&unsent) });
    let lost = Lost { no_room: writer.error_counter(), unsent };
    (writer, worker, lost)
}

impl Log {
    /// What its lines look like.
    pub fn format(&self) -> LogFormat {
        self.format
    }

    /// Where ticks are written to.
    pub fn of_ticks(&self) -> TickLog {
        TickLog::new(self.lost.clone(), self.level.clone(), self.settings)
    }

    /// Writes what is left, and these last words after it, unless that takes longer than [`FLUSH_WITHIN`]: a reader
    /// that stands still must not keep the process either.
    pub fn close(self, last_words: String) {
        let (done, is_done) = mpsc::channel();
        let flush = move || {
            drop(self.worker);
            // There is nobody left to tell, here and below.
            io::stderr().write_all(last_words.as_bytes()).ok();
            done.send(()).ok();
        };
        if thread::Builder::new().name("log-close".to_owned()).spawn(flush).is_ok() {
            is_done.recv_timeout(FLUSH_WITHIN).ok();
        }
    }
}

/// Lines that were not written.
#[derive(Debug, Clone)]
struct Lost {
    /// They found no room.
    no_room: ErrorCounter,
    /// Writing them failed.
    unsent: Arc<AtomicUsize>,
}

impl Lost {
    fn count(&self) -> usize {
        self.no_room.dropped_lines() + self.unsent.load(Ordering::Relaxed)
    }
}

/// Counts what cannot be written, and goes on.
struct Counted {
    to: Box<dyn Write + Send>,
    unsent: Arc<AtomicUsize>,
}

impl Write for Counted {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_all(line).map(|()| line.len())
    }

    /// All of a line or datagram, or it counts as lost.
    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        if self.to.write_all(line).is_err() {
            self.unsent.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Writes events in that format. It never reports a broken writer on standard error, which may be what is broken.
fn layer<S, W>(format: LogFormat, color: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_target(false).log_internal_errors(false);
    match format {
        LogFormat::Text => lines.with_ansi(color).with_writer(writer).boxed(),
        LogFormat::Json => lines.event_format(JsonLines).with_writer(writer).boxed(),
        LogFormat::Journald => Journal(writer).boxed(),
    }
}

#[cfg(test)]
mod tests;
