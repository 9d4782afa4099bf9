//! The daemon's end of a connection process: starts it, asks it, and ends it when it does not answer in time.

use std::ffi::OsString;
use std::io::{self, BufWriter, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
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

/// What a connection process is started from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Program {
    path: PathBuf,
    /// Variables that it must not see: they hold passwords of others.
    hidden: Vec<OsString>,
    /// Where the dynamic linker looks first: the directory of Oracle Client libraries.
    libraries: Option<PathBuf>,
}

impl Default for Program {
    /// This very program, also after its file was replaced by a newer one.
    fn default() -> Self {
        Self { path: PathBuf::from("/proc/self/exe"), hidden: Vec::new(), libraries: None }
    }
}

impl Program {
    /// Another file: tests run in a program of their own.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// Without these environment variables.
    #[must_use]
    pub fn without(mut self, variables: impl IntoIterator<Item = OsString>) -> Self {
        self.hidden.extend(variables);
        self
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
        for variable in &self.hidden {
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
    input: Option<BufWriter<ChildStdin>>,
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
        let (Some(input), Some(mut output), Some(errors)) =
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
        let last_words = thread::spawn(move || last_words(errors));
        Ok(Self {
            child,
            input: Some(BufWriter::new(input)),
            replies,
            last_words: Some(last_words),
        })
    }

    /// Asks, and waits for the answer. After any error but the driver's own it is of no use any more.
    pub fn ask(&mut self, request: &Request, within: Duration) -> Result<Reply, CallError> {
        let written = self.input.as_mut().is_some_and(|input| write(input, request).is_ok());
        if !written {
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
        self.input = None;
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
