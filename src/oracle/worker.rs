//! A connection process: one session of one database, asked through standard input and answering on standard output.
//!
//! It ends when its standard input does, whatever it is doing: a daemon that dies takes its sessions with it.

use std::io::{self, Write as _};
use std::panic;
use std::process;
use std::sync::mpsc;
use std::thread;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::error::DriverError;
use super::link::Link;
use super::protocol::{Reply, Request, read, write};

/// The argument that makes a connection process of this program. Not for people.
pub const ARGUMENT: &str = "connection-process";

/// Serves one session until the daemon has enough of it.
pub fn run() -> io::Result<()> {
    keep_secrets()?;
    // A stop is the daemon's business: it finishes what it has begun, and needs us for that.
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, std::sync::Arc::default())?;
    }
    panic::set_hook(Box::new(|info| {
        // Where, and not what: a message could hold what was on the wire. Nothing is left to do if it cannot be said.
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        drop(writeln!(io::stderr(), "a panic in the driver at {place}"));
    }));
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Ok(Some(request)) = read::<Request>(&mut input) {
            if sender.send(request).is_err() {
                break;
            }
        }
        // The call under way may take for ever. Nobody waits for its answer any more.
        process::exit(0);
    });
    let mut link = None;
    let mut output = io::stdout().lock();
    for request in requests {
        let reply = answer(&mut link, request);
        write(&mut output, &reply)?;
    }
    Ok(())
}

/// No core dump, and no debugger of another process of the user: a password is in memory here.
pub fn keep_secrets() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

fn answer(link: &mut Option<Link>, request: Request) -> Reply {
    let done = match (request, link.as_ref()) {
        (Request::Connect(login), None) => Link::connect(&login).and_then(|made| {
            let release = made.release()?;
            *link = Some(made);
            Ok(Reply::Connected(release))
        }),
        (Request::Query { sql, binds, kinds, prefetch }, Some(link)) => {
            link.query(&sql, &binds, &kinds, prefetch).map(Reply::Rows)
        }
        (Request::Call { sql, binds }, Some(link)) => link.call(&sql, &binds).map(Reply::Values),
        (Request::Tag { action }, Some(link)) => link.tag(&action).map(|()| Reply::Done),
        (Request::Connect(_), Some(_)) | (_, None) => Err(DriverError {
            code: None,
            text: "a connection process logs in once, and first".to_owned(),
            lost: true,
        }),
    };
    done.unwrap_or_else(Reply::Failed)
}

#[cfg(test)]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn secrets_are_kept_from_dumps_and_debuggers() {
        super::keep_secrets().expect("any process may");
        assert_eq!(dumpable_behavior().ok(), Some(DumpableBehavior::NotDumpable));
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
