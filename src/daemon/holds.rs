//! The file of holds on disk: read within bounds, and replaced as a whole under a lock. What cannot be read or
//! understood holds everything: somebody may have paused, and nobody can tell.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use crate::config::holds::Holds;
use crate::engine::standing::Hold;
use crate::engine::time::Timestamp;

/// Bytes of the file: several times what so many holds need.
pub const BYTES_MAX: u64 = 4 << 20;

/// How long a tick waits for the file: longer than any disk that works takes.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// Threads that read the file at once. More than the ticks of a daemon's databases need while the disk works; with so
/// many left behind everything stays paused until one comes back.
const LEFT_BEHIND_MAX: usize = 512;

static LEFT_BEHIND: AtomicUsize = AtomicUsize::new(0);

/// The daemon reads what operators write, and there are no secrets in it.
const MODE_OF_NEW_FILES: u32 = 0o644;

/// Why holds could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum HoldsError {
    /// There is no such file.
    #[error("{0} is not there; `orawarden resume` makes it")]
    Missing(String),
    /// It cannot be read, or is no regular file, or is too long.
    #[error("{0} cannot be read")]
    Unreadable(String, #[source] io::Error),
    /// It cannot be understood; why, for people.
    #[error("{0} cannot be understood: {1}")]
    Unclear(String, String),
    /// It cannot be written.
    #[error("{0} cannot be written")]
    Unwritable(String, #[source] io::Error),
    /// What was asked for cannot be done; why, for people.
    #[error("{0}")]
    Refused(String),
}

/// What holds for a database now. When the file says nothing that can be relied on, everything is paused, and the
/// second half says why.
pub fn standing(path: &Path, database: &str, now: Timestamp) -> (Vec<Hold>, Option<String>) {
    let name = || path.display().to_string();
    let place = path.to_owned();
    let answer = within(READ_WITHIN, &LEFT_BEHIND, move || read(&place));
    let held = answer.unwrap_or_else(|| {
        let why = io::Error::other("its file system does not answer");
        Err(HoldsError::Unreadable(name(), why))
    });
    let held = held.and_then(|holds| {
        holds.standing(database, now).map_err(|why| HoldsError::Unclear(name(), why))
    });
    match held {
        Ok(holds) => (holds, None),
        Err(error) => {
            let why = format!("the holds are not known: {error}");
            let everything = Hold { condition: None, rule: None, why: Arc::from(why.as_str()) };
            (vec![everything], Some(format!("everything is paused: {why}")))
        }
    }
}

/// Does it on a thread of its own, which is left behind when it does not answer in time, as on a file system that
/// hangs; not at all while too many are left behind.
fn within<T: Send + 'static>(
    deadline: Duration,
    left_behind: &'static AtomicUsize,
    ask: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if left_behind.fetch_add(1, Ordering::SeqCst) >= LEFT_BEHIND_MAX {
        left_behind.fetch_sub(1, Ordering::SeqCst);
        return None;
    }
    let (sender, answer) = mpsc::channel();
    thread::spawn(move || {
        let asked = ask();
        left_behind.fetch_sub(1, Ordering::SeqCst);
        // Nobody waits any more when it took too long.
        sender.send(asked).ok();
    });
    answer.recv_timeout(deadline).ok()
}

/// Reads the file.
pub fn read(path: &Path) -> Result<Holds, HoldsError> {
    let name = || path.display().to_string();
    let text = read_text(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => HoldsError::Missing(name()),
        _ => HoldsError::Unreadable(name(), error),
    })?;
    Holds::decode(&text).map_err(|why| HoldsError::Unclear(name(), why))
}

fn read_text(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(io::Error::other(format!("it is longer than {BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// Changes the holds: whoever reads sees all of it or nothing. What no longer holds is dropped on the way, a file that
/// is not there begins empty, and one that cannot be understood stays as it is.
pub fn change<T>(
    path: &Path,
    now: Timestamp,
    change: impl FnOnce(&mut Holds) -> Result<T, String>,
) -> Result<T, HoldsError> {
    let unwritable = |error| HoldsError::Unwritable(path.display().to_string(), error);
    let lock = lock(path).map_err(unwritable)?;
    let mut holds = match read(path) {
        Err(HoldsError::Missing(_)) => Holds::default(),
        read => read?,
    };
    holds.forget_expired(now);
    let answer = change(&mut holds).map_err(HoldsError::Refused)?;
    replace(path, &holds.encode()).map_err(unwritable)?;
    drop(lock);
    Ok(answer)
}

/// Held until it is dropped. It never waits: a person who types can type again.
fn lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(MODE_OF_NEW_FILES);
    let file = options.open(beside(path, ".lock"))?;
    file.try_lock().map_err(|_| io::Error::other("somebody else is changing it just now"))?;
    Ok(file)
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = beside(path, ".new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(MODE_OF_NEW_FILES);
    let mut file = options.open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;
    use std::time::Duration;

    use super::{LEFT_BEHIND_MAX, change, lock, read, standing, within};
    use crate::config::holds::Hold;
    use crate::observe::fixture::NOON;

    fn pause() -> Hold {
        Hold {
            id: 0,
            matched: None,
            rule: None,
            database: None,
            since: "2026-03-29T12:00:00Z".to_owned(),
            until: None,
            author: "ada".to_owned(),
            reason: "patching".to_owned(),
        }
    }

    #[test]
    fn what_is_written_holds_and_a_file_that_says_nothing_pauses_everything() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("holds.json");
        let (held, why) = standing(&path, "prod", NOON);
        assert_eq!(held.len(), 1);
        assert!(why.is_some_and(|why| why.contains("is not there")));
        change(&path, NOON, |_| Ok(())).expect("it can be made");
        assert_eq!(standing(&path, "prod", NOON).0.len(), 0);
        change(&path, NOON, |holds| holds.add(pause())).expect("it can be changed");
        let (held, why) = standing(&path, "prod", NOON);
        assert_eq!((&*held[0].why, why), ("pause 1 of ada: patching", None));
        fs::write(&path, "{}").expect("it can be spoilt");
        let (held, why) = standing(&path, "prod", NOON);
        assert!(held.len() == 1 && held[0].condition.is_none() && held[0].rule.is_none());
        assert!(why.is_some_and(|why| why.starts_with("everything is paused: ")));
        assert!(change(&path, NOON, |_| Ok(())).is_err(), "what is not understood is not replaced");
        assert_eq!(fs::read_to_string(&path).expect("it is text"), "{}");
    }

    #[test]
    fn a_file_system_that_hangs_is_not_waited_for_and_keeps_few_threads() {
        static LEFT_BEHIND: AtomicUsize = AtomicUsize::new(0);
        let ask = |wait: Receiver<()>| {
            within(Duration::from_millis(1), &LEFT_BEHIND, move || wait.recv().is_ok())
        };
        let hung: Vec<_> = (0..LEFT_BEHIND_MAX)
            .map(|_| {
                let (answer, wait) = channel::<()>();
                assert_eq!(ask(wait), None);
                answer
            })
            .collect();
        let never_asked = || panic!("too many hang");
        assert_eq!(within::<()>(Duration::from_mins(1), &LEFT_BEHIND, never_asked), None);
        drop(hung);
        while LEFT_BEHIND.load(Ordering::SeqCst) > 0 {
            thread::yield_now();
        }
        assert_eq!(within(Duration::from_mins(1), &LEFT_BEHIND, || 7), Some(7));
    }

    #[test]
    fn one_changes_it_at_a_time_and_what_is_refused_changes_nothing() {
        let place = tempfile::tempdir().expect("a directory for the test");
        let path = place.path().join("holds.json");
        change(&path, NOON, |holds| holds.add(pause())).expect("it can be made");
        let before = read(&path).expect("it is there");
        let held = lock(&path).expect("nobody has it");
        assert!(change(&path, NOON, |holds| holds.add(pause())).is_err());
        drop(held);
        assert!(change(&path, NOON, |_| Err::<(), _>("no".to_owned())).is_err());
        assert_eq!(read(&path).expect("it is there"), before);
    }
}
