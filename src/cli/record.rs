//! `record`: looks at a live database, once or again and again, and writes what it saw as a capture.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::load_service;
use super::live::Live;
use super::{Format, Global};
use crate::capture::write_jsonl;
use crate::config::durations::duration;
use crate::engine::needs::Needs;
use crate::engine::text::{counted, fold};
use crate::engine::time::Span;
use crate::oracle::connection::Account;
use crate::oracle::source::OracleSource;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The live database of the configuration; not needed where there is only one
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// The capture that is added to, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Look again and again, so far apart, until --count or Ctrl-C
    #[arg(long, value_name = "DURATION")]
    every: Option<String>,
    /// How often to look; default: once, with --every without end
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// Users' statements and clients stand in it.
const MODE_OF_CAPTURES: u32 = 0o600;

/// Looks until it has looked often enough, or is told to stop. A look that fails is told, and left out.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    global.format.among(&[Format::Text, Format::Json])?;
    let every = args.every.as_deref().map(every).transpose()?;
    let looks = args.count.or(every.is_none().then_some(1));
    let live = live(args, global, console)?;
    let mut source = OracleSource::new(live.settings.clone(), Account::default());
    let mut file = args.out.as_ref().map(|path| open(path, console)).transpose()?;
    let stop = stop()?;
    let needs = Needs::everything();
    let (mut done, mut written) = (0_u64, 0_u64);
    let mut failed = None;
    loop {
        let start = Instant::now();
        match source.look(&needs) {
            Ok(snapshot) => {
                for warning in &snapshot.warnings {
                    console.note(&format!("warning: {warning}"));
                }
                let mut lines = Vec::new();
                write_jsonl(&snapshot, &mut lines)?;
                match &mut file {
                    Some(file) => append(file, &lines)?,
                    None => console.out().write_all(&lines)?,
                }
                written += 1;
            }
            Err(error) => {
                let error = live.failed(&error);
                console.error(&error);
                failed = Some(error.status());
            }
        }
        done += 1;
        if looks.is_some_and(|looks| done >= looks) {
            break;
        }
        let pause = every.unwrap_or_default().saturating_sub(start.elapsed());
        match stop.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    console.note(&format!("{} of {} written", counted(written, "look"), done));
    Ok(failed.unwrap_or(ExitStatus::Fine))
}

fn every(text: &str) -> Result<Duration, CliError> {
    let usage = |why: &str| CliError::Usage(format!("--every {text}: {why}"));
    let span = duration(text).map_err(|why| usage(&why))?;
    if span < Span::seconds(1) {
        return Err(usage("at least 1s"));
    }
    Ok(span.to_duration())
}

fn live(args: &Args, global: &Global, console: &mut Console) -> Result<Live, CliError> {
    let service = load_service(&global.config, console)?;
    let chosen = |name: &str| args.database.as_ref().is_none_or(|it| fold(it) == fold(name));
    let named = service.databases.iter().filter(|it| chosen(&it.name));
    let mut live = named.filter_map(|database| Live::of(database, &global.config));
    match (live.next(), live.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => {
            Err(CliError::Usage("there are several databases; name one with --database".to_owned()))
        }
        (None, _) => Err(CliError::Usage("no such live database in the configuration".to_owned())),
    }
}

fn open(path: &PathBuf, console: &mut Console) -> Result<File, CliError> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(MODE_OF_CAPTURES);
    let file = options.open(path)?;
    // What one takes back must not be another's.
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            CliError::Usage(format!("--out {}: another process writes it", path.display()))
        }
        TryLockError::Error(cause) => cause.into(),
    })?;
    let length = file.metadata()?.len();
    if let Some(begins) = half_a_look(path)? {
        file.set_len(begins)?;
        let (name, cut) = (path.display(), counted(length - begins, "byte"));
        console.note(&format!("warning: {name} ended within a look: its last {cut} were cut off"));
    }
    Ok(file)
}

/// Where the last look begins if the file ends in the middle of a line, as when a recording was killed while it wrote.
/// What is cut off is rather too much: of a line that ends before it says its time, nobody knows whether it belonged to
/// the look before.
fn half_a_look(path: &Path) -> Result<Option<u64>, CliError> {
    // Nothing can be taken back from a pipe or a device.
    let length = fs::metadata(path)?;
    if !length.is_file() || length.len() == 0 {
        return Ok(None);
    }
    let mut file = File::open(path)?;
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(0))?;
    let mut lines = BufReader::new(file);
    let (mut line, mut here, mut begins, mut of) = (Vec::new(), 0, 0, None);
    while lines.read_until(b'\n', &mut line)? > 0 {
        let time = taken_at(&line);
        let may_be = line.starts_with(TAKEN_AT) || TAKEN_AT.starts_with(&line);
        if !may_be {
            let name = path.display();
            let why = "it ends in the middle of a line, and is no recording";
            return Err(CliError::Usage(format!("--out {name}: {why}")));
        }
        if time.is_some() && time != of {
            (of, begins) = (time, here);
        }
        here += line.len() as u64;
        line.clear();
    }
    Ok(Some(begins))
}

/// How every line of a recording begins.
const TAKEN_AT: &[u8] = br#"{"taken_at":""#;

/// The time of the look that a line belongs to.
fn taken_at(line: &[u8]) -> Option<Vec<u8>> {
    let rest = line.strip_prefix(TAKEN_AT)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    Some(rest[..end].to_vec())
}

/// Adds a look whole or not at all: in half of one, sessions that nobody wrote down would seem to have ended.
fn append(file: &mut File, lines: &[u8]) -> Result<(), CliError> {
    let before = file.metadata()?;
    let Err(error) = file.write_all(lines).and_then(|()| file.sync_data()) else { return Ok(()) };
    // Nothing can be taken back from a pipe or a device, and whoever reads it there sees the end.
    if before.is_file()
        && let Err(why) = file.set_len(before.len())
    {
        let whole = before.len();
        let what = format!("{error}; what is behind byte {whole} is half a look: {why}");
        return Err(io::Error::new(error.kind(), what).into());
    }
    Err(error.into())
}

/// Says when SIGINT or SIGTERM came. Looks have deadlines, so whoever asks waits for one at most.
fn stop() -> Result<Receiver<()>, CliError> {
    let runtime = |error: std::io::Error| CliError::Runtime(error.to_string());
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(runtime)?;
    let (told, stop) = mpsc::channel();
    let listen = move || {
        for _ in &mut signals {
            if told.send(()).is_err() {
                break;
            }
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(listen).map_err(runtime)?;
    Ok(stop)
}
