//! The daemon's end of a connection process: starts it, asks it, and ends it when it does not answer in time.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::error::CallError;
use super::protocol::{Reply, Request, read, write};
use super::worker::ARGUMENT;

/// How much of what a connection process says as its last words is kept.
const LAST_WORDS_MAX: u64 = 1_024;

/// Environment variables that make a driver write what is on the wire.
const TALKATIVE: [&str; 2] = ["RSO_DEBUG_PACKETS", "DPI_DEBUG_LEVEL"];

/// Where the dynamic linker looks.
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

/// Environment variables that hold passwords, of any database that was configured since this process started. They are
/// no part of what a connection is made from: that another's password moved makes none anew. Only what the environment
/// has is in it, which bounds it.
static SECRETS: Mutex<BTreeSet<OsString>> = Mutex::new(BTreeSet::new());

fn secrets() -> MutexGuard<'static, BTreeSet<OsString>> {
    SECRETS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// No connection process that is started from now on sees these environment variables.
pub fn hide(variables: impl IntoIterator<Item = OsString>) {
    secrets().extend(variables.into_iter().filter(|name| std::env::var_os(name).is_some()));
}

/// What a connection process is started from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Program {
    path: PathBuf,
    /// Where the dynamic linker looks first: the directory of Oracle Client libraries.
    libraries: Option<PathBuf>,
}

impl Default for Program {
    /// This very program, also after its file was replaced by a newer one.
    fn default() -> Self {
        Self { path: PathBuf::from("/proc/self/exe"), libraries: None }
    }
}

impl Program {
    /// Another file: tests run in a program of their own.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// With Oracle Client libraries from this directory.
    #[must_use]
    pub fn with_libraries(mut self, directory: Option<impl Into<PathBuf>>) -> Self {
        self.libraries = directory.map(Into::into);
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        // Its own process group: Ctrl-C is for the daemon.
        command.arg0("orawarden").arg(ARGUMENT).process_group(0);
        for variable in TALKATIVE {
            command.env_remove(variable);
        }
        for variable in secrets().iter() {
            command.env_remove(variable);
        }
        if let Some(libraries) = &self.libraries {
            let others = std::env::var_os(LIBRARY_PATH).unwrap_or_default();
            let others = std::env::split_paths(&others).filter(|it| !it.as_os_str().is_empty());
            // A path with a colon in it cannot be said; then it is as if nothing had been.
            if let Ok(paths) =
                std::env::join_paths(std::iter::once(libraries.clone()).chain(others))
            {
                command.env(LIBRARY_PATH, paths);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// A connection process at work. Dropping it ends it.
pub struct Process {
    child: Child,
    /// What is to be written to it. A process that reads nothing must not stop whoever asks.
    requests: Option<Sender<Request>>,
    replies: Receiver<io::Result<Option<Reply>>>,
    last_words: Option<JoinHandle<String>>,
}

impl Process {
    /// Starts one. It does nothing until it is asked to log in.
    pub fn start(program: &Program) -> Result<Self, CallError> {
        let failed = |error: io::Error| {
            CallError::NotConnected(format!("a connection process cannot be started: {error}"))
        };
        let mut child = program.command().spawn().map_err(failed)?;
        let (Some(mut input), Some(mut output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed(io::Error::other("its pipes are missing")));
        };
        let (sender, replies) = mpsc::channel();
        thread::spawn(move || {
            loop {
                let reply = read::<Reply>(&mut output);
                let over = !matches!(reply, Ok(Some(_)));
                if sender.send(reply).is_err() || over {
                    return;
                }
            }
        });
        let (requests, asked) = mpsc::channel::<Request>();
        // It ends with the sender, or with the process.
        thread::spawn(move || while asked.recv().is_ok_and(|it| write(&mut input, &it).is_ok()) {});
        let last_words = thread::spawn(move || last_words(errors));
        Ok(Self { child, requests: Some(requests), replies, last_words: Some(last_words) })
    }

    /// Asks, and waits for the answer. After any error but the driver's own it is of no use any more.
    pub fn ask(&mut self, request: Request, within: Duration) -> Result<Reply, CallError> {
        if self.requests.as_ref().is_none_or(|requests| requests.send(request).is_err()) {
            return Err(self.died());
        }
        match self.replies.recv_timeout(within) {
            Ok(Ok(Some(Reply::Failed(error)))) => Err(CallError::Driver(error)),
            Ok(Ok(Some(reply))) => Ok(reply),
            Ok(Ok(None) | Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(self.died()),
            Err(RecvTimeoutError::Timeout) => {
                self.end();
                Err(CallError::Deadline(within))
            }
        }
    }

    /// What is known of its end.
    fn died(&mut self) -> CallError {
        let status = self.end();
        let words =
            self.last_words.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let words = words.trim();
        CallError::Died(if words.is_empty() { status } else { format!("{status}: {words}") })
    }

    /// Ends it, if it has not ended by itself, and says how it went.
    fn end(&mut self) -> String {
        self.requests = None;
        // One that ended by itself has its own status; the others get ours. A child that cannot be killed is gone.
        drop(self.child.kill());
        match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn last_words(mut errors: ChildStderr) -> String {
    let mut first = Vec::new();
    let kept = errors.by_ref().take(LAST_WORDS_MAX).read_to_end(&mut first);
    // The rest is read and forgotten: a pipe that is full would stop the process.
    if kept.is_ok() {
        drop(io::copy(&mut errors, &mut io::sink()));
    }
    String::from_utf8_lossy(&first).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::{Process, Program};
    use crate::oracle::error::CallError;
    use crate::oracle::protocol::Request;

    #[test]
    fn a_process_that_reads_nothing_costs_a_deadline() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("deaf");
        fs::write(&path, "#!/bin/sh\nexec tail -f /dev/null\n").expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("it is ours");
        let mut process = Process::start(&Program::at(&path)).expect("there is a shell");
        // More than a pipe takes.
        let request = Request::Tag { action: "x".repeat(4 << 20) };
        let asked = process.ask(request, Duration::from_millis(50));
        assert!(matches!(asked, Err(CallError::Deadline(_))), "{asked:?}");
        let again = Request::Tag { action: String::new() };
        let asked = process.ask(again, Duration::from_mins(1));
        assert!(matches!(asked, Err(CallError::Died(_))), "it was ended: {asked:?}");
    }
}
