//! One attempt to tell one message: an HTTP POST, or a program with JSON on its standard input. Both are over when the
//! deadline is. No error here quotes an address, which may be a secret.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::form::{card, json, slack};
use super::news::Message;
use super::{Format, Hook, ReadSecret, Way};

/// What a program may be found by; nothing else of the daemon's environment is its business.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Why it was not taken.
pub(super) struct Refusal {
    /// For people.
    pub(super) why: String,
    /// Another attempt would end the same way.
    pub(super) is_final: bool,
}

impl Refusal {
    fn passing(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_final: false }
    }

    fn lasting(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_final: true }
    }
}

pub(super) fn send(hook: &Hook, message: &Message) -> Result<(), Refusal> {
    match &hook.way {
        Way::Webhook { url, format, token } => {
            let text = match format {
                Format::Json => json(message, hook.redact),
                Format::Slack => slack(message, hook.redact),
                Format::Teams => card(message, hook.redact),
            };
            post(url, token.as_ref(), &text, hook.deadline)
        }
        Way::Exec(arguments) => start(arguments, &json(message, hook.redact), hook.deadline),
    }
}

fn post(
    url: &ReadSecret,
    token: Option<&ReadSecret>,
    text: &str,
    deadline: Duration,
) -> Result<(), Refusal> {
    let url = url().map_err(Refusal::passing)?;
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(deadline))
        .max_redirects(0)
        .http_status_as_error(false)
        .tls_config(tls)
        .user_agent(concat!("orawarden/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut request = agent.post(url.trim()).content_type("application/json");
    if let Some(token) = token {
        let token = token().map_err(Refusal::passing)?;
        request = request.header("Authorization", format!("Bearer {}", token.trim()));
    }
    let status = match request.send(text) {
        Ok(answer) => answer.status(),
        Err(error) => return Err(trouble(&error)),
    };
    let why = || format!("the receiver answered {}", status.as_u16());
    match status.as_u16() {
        200..=299 => Ok(()),
        // Too early, too many, or its own trouble: that passes.
        408 | 425 | 429 | 500..=599 => Err(Refusal::passing(why())),
        _ => Err(Refusal::lasting(why())),
    }
}

/// The library's own texts may quote the address.
fn trouble(error: &ureq::Error) -> Refusal {
    match error {
        ureq::Error::Timeout(_) => Refusal::passing("no answer within the deadline"),
        ureq::Error::HostNotFound => Refusal::passing("its host is not known"),
        ureq::Error::ConnectionFailed => Refusal::passing("no connection"),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            // What TLS says of certificates comes in this disguise, and names no more than the host.
            Refusal::passing(format!("TLS: {error}"))
        }
        ureq::Error::Io(error) => Refusal::passing(error.kind().to_string()),
        ureq::Error::Tls(why) => Refusal::passing(format!("TLS: {why}")),
        ureq::Error::Rustls(error) => Refusal::passing(format!("TLS: {error}")),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => {
            Refusal::lasting("its address cannot be used")
        }
        _ => Refusal::passing("the request failed"),
    }
}

fn start(arguments: &[String], text: &str, deadline: Duration) -> Result<(), Refusal> {
    let (program, rest) = arguments.split_first().expect("a hook has a program");
    let failed = |error: io::Error| Refusal::passing(error.to_string());
    let mut command = Command::new(program);
    command.args(rest).env_clear().env("PATH", PATH).process_group(0);
    command.stdin(input(text).map_err(failed)?).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(failed)?;
    let id =
        i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process has a number");
    let (over, is_over) = channel();
    let in_time = thread::scope(|scope| {
        // It stays a zombie, and its number its own, until everything that it started is ended, too.
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        scope.spawn(move || over.send(waitid(WaitId::Pid(id), ended).is_ok()));
        let in_time = is_over.recv_timeout(deadline).is_ok();
        // There may be nobody left, and it may have gone to another group.
        kill_process_group(id, Signal::KILL).ok();
        kill_process(id, Signal::KILL).ok();
        in_time
    });
    let status = child.wait().map_err(failed)?;
    if !in_time {
        return Err(Refusal::passing("the program was not done within the deadline"));
    }
    if status.success() {
        return Ok(());
    }
    Err(Refusal::passing(format!("the program ended with {status}")))
}

/// A file in memory, unlike a pipe, is never full: nobody waits for a program that reads nothing, or for what it
/// started and left behind with its standard input.
fn input(text: &str) -> io::Result<File> {
    let mut input = File::from(memfd_create("message", MemfdFlags::CLOEXEC)?);
    input.write_all(text.as_bytes())?;
    input.rewind()?;
    Ok(input)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use rustix::process::{Pid, Signal, kill_process};

    use super::start;

    /// More than a pipe holds.
    const LARGE: usize = 1 << 20;

    fn run(program: &[&str], deadline: Duration) -> Result<(), String> {
        let arguments: Vec<String> = program.iter().map(|it| (*it).to_owned()).collect();
        start(&arguments, &"x".repeat(LARGE), deadline).map_err(|refusal| refusal.why)
    }

    #[test]
    fn a_program_reads_all_of_it_or_nothing() {
        let deadline = Duration::from_mins(1);
        let reads = format!("test $(wc -c) = {LARGE}");
        assert_eq!(run(&["/bin/sh", "-c", &reads], deadline), Ok(()));
        assert_eq!(run(&["/bin/true"], deadline), Ok(()));
    }

    #[test]
    fn what_a_program_leaves_behind_with_its_input_is_not_waited_for() {
        let place = tempfile::tempdir().expect("a directory");
        let id = place.path().join("id");
        let leaves = format!("setsid sh -c 'echo $$ >{}; exec sleep 60' <&0 & ", id.display());
        let waits = format!("while ! test -s {}; do :; done", id.display());
        let told = run(&["/bin/sh", "-c", &(leaves + &waits)], Duration::from_mins(1));
        let left = fs::read_to_string(&id).expect("it is there");
        let left = left.trim().parse().ok().and_then(Pid::from_raw).expect("it is a number");
        assert_eq!(told, Ok(()));
        kill_process(left, Signal::KILL).expect("it still runs");
    }

    #[test]
    fn a_program_that_leaves_its_group_is_ended_in_time() {
        let place = tempfile::tempdir().expect("a directory");
        let end = place.path().join("end");
        let text = format!(
            "setpgrp(0, getpgrp(getppid())); sleep 5; open(my $end, '>', '{}')",
            end.display()
        );
        let told = run(&["/usr/bin/perl", "-e", &text], Duration::from_secs(1));
        assert_eq!(told, Err("the program was not done within the deadline".to_owned()));
        assert!(!end.exists(), "it went on");
    }
}
