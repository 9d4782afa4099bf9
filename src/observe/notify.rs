//! Tells others what the daemon did: webhooks and programs. Each hook has a thread and a bounded queue of its own, so
//! that a receiver that is slow or gone holds up neither a tick nor another hook; what finds no room is counted.

mod form;
pub mod news;
mod send;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::board::Board;
use super::log::redact::Redaction;
use super::log::say;
use news::Message;

/// Messages of one hook that wait: a storm is told in a few messages a tick, so that more means nobody takes them.
pub const WAITING_MAX: usize = 256;

/// Attempts for one message.
pub const ATTEMPTS_MAX: u32 = 4;

/// The second attempt is made after so long, and each further one after four times as long as the one before.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// How long messages that wait may take when the daemon leaves.
pub const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// How long messages that wait for a hook may take once it is taken out or changed: a receiver that hangs would keep
/// its thread for hours, and there is another one at each reload.
pub const REPLACED_WITHIN: Duration = Duration::from_mins(2);

/// What a hook can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Sessions began to wait for their rule's `for`, or for its next rung.
    Pending,
    /// Sessions were ended, or would have been.
    Ended,
    /// Sessions match a rule that only reports.
    Reported,
    /// Sessions were to be ended, and were not, or nobody knows.
    Trouble,
    /// A rule found more than a limit allows, or could not see everything.
    Halted,
    /// A rule's breaker opened or closed.
    Breaker,
    /// A database cannot be looked at, or can again.
    Unreachable,
    /// An instance that was expected does not answer, or does again.
    MissingInstance,
    /// Nothing can be written down, so nobody is ended; or it can again.
    NoAudit,
    /// Files were to be read again and what was in force stayed.
    NotReloaded,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Ended,
        Self::Reported,
        Self::Trouble,
        Self::Halted,
        Self::Breaker,
        Self::Unreachable,
        Self::MissingInstance,
        Self::NoAudit,
        Self::NotReloaded,
    ];

    /// The word in the configuration and in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ended => "ended",
            Self::Reported => "reported",
            Self::Trouble => "trouble",
            Self::Halted => "halted",
            Self::Breaker => "breaker",
            Self::Unreachable => "unreachable",
            Self::MissingInstance => "missing-instance",
            Self::NoAudit => "no-audit",
            Self::NotReloaded => "not-reloaded",
        }
    }
}

/// Reads a secret where it is, each time it is needed.
pub type ReadSecret = Arc<dyn Fn() -> Result<Zeroizing<String>, String> + Send + Sync>;

/// Somebody who is told.
#[derive(Clone)]
pub struct Hook {
    /// The name, for the log and metrics.
    pub name: String,
    /// Of everything that is configured: what stays the same over a reload goes on.
    pub fingerprint: u64,
    /// How.
    pub way: Way,
    /// Of what.
    pub events: Vec<Event>,
    /// About these rules; empty is all.
    pub rules: Vec<String>,
    /// About these databases; empty is all.
    pub databases: Vec<String>,
    /// Of rehearsals, too.
    pub dry_run: bool,
    /// What it is not told of people.
    pub redact: Redaction,
    /// For one attempt.
    pub deadline: Duration,
}

/// How a hook is told.
#[derive(Clone)]
pub enum Way {
    /// By HTTP.
    Webhook {
        /// Where to.
        url: ReadSecret,
        /// In which form.
        format: Format,
        /// The bearer token.
        token: Option<ReadSecret>,
    },
    /// By a program: its path and its arguments.
    Exec(Vec<String>),
}

/// The form of a webhook's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The whole message.
    Json,
    /// For an incoming webhook of Slack.
    Slack,
    /// An adaptive card for a workflow of Teams.
    Teams,
}

impl Hook {
    fn wants(&self, message: &Message) -> bool {
        let among = |names: &[String], name: Option<&str>| {
            name.is_none_or(|name| names.is_empty() || names.iter().any(|it| it == name))
        };
        self.events.contains(&message.event)
            && (self.dry_run || message.dry_run != Some(true))
            && among(&self.rules, message.rule.as_ref().map(|rule| &*rule.name))
            && among(&self.databases, message.database.as_deref())
    }
}

/// The hooks in force.
pub struct Hooks {
    at_work: BTreeMap<String, AtWork>,
    board: Board,
}

struct AtWork {
    hook: Hook,
    queue: SyncSender<Arc<Message>>,
    /// When its thread gives up what waits, once that is known.
    until: Arc<OnceLock<Instant>>,
    /// Closed when its thread is done.
    done: Receiver<()>,
}

/// What became of messages to a hook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// They were taken.
    pub sent: u64,
    /// They were not, after all attempts.
    pub failed: u64,
    /// They found no room.
    pub dropped: u64,
}

impl Hooks {
    /// None yet.
    pub const fn new(board: Board) -> Self {
        Self { at_work: BTreeMap::new(), board }
    }

    /// These and no others from now on. What waits for one that is gone or changed is still sent, for a while.
    pub fn replace(&mut self, hooks: Vec<Hook>) {
        let mut before = std::mem::take(&mut self.at_work);
        self.board.hooks(hooks.iter().map(|hook| hook.name.as_str()));
        for hook in hooks {
            let is_same = |it: &AtWork| it.hook.fingerprint == hook.fingerprint;
            let stays = before.get(&hook.name).is_some_and(is_same);
            let kept = if stays { before.remove(&hook.name) } else { None };
            if let Some(at_work) = kept.or_else(|| self.begin(hook)) {
                self.at_work.insert(at_work.hook.name.clone(), at_work);
            }
        }
        for gone in before.into_values() {
            gone.until.set(Instant::now() + REPLACED_WITHIN).expect("it goes once");
        }
    }

    fn begin(&self, hook: Hook) -> Option<AtWork> {
        let (queue, messages) = sync_channel::<Arc<Message>>(WAITING_MAX);
        let (working, done) = sync_channel(1);
        let until = Arc::default();
        let (board, mine, by) = (self.board.clone(), hook.clone(), Arc::clone(&until));
        let work = move || {
            tell_all(&mine, messages, &board, &by);
            drop(working);
        };
        match thread::Builder::new().name("notify".to_owned()).spawn(work) {
            Ok(_) => Some(AtWork { hook, queue, until, done }),
            Err(error) => {
                let cause = format!("no thread for it: {error}");
                say!(NotifyFailed, hook = hook.name, told = "", cause = cause);
                None
            }
        }
    }

    /// Whether anybody is told of anything.
    pub fn are_there(&self) -> bool {
        !self.at_work.is_empty()
    }

    /// Puts each message before those whom it concerns; never waits.
    pub fn tell(&self, messages: Vec<Message>) {
        for message in messages {
            let message = Arc::new(message);
            for at_work in self.at_work.values().filter(|it| it.hook.wants(&message)) {
                let name = &at_work.hook.name;
                match at_work.queue.try_send(Arc::clone(&message)) {
                    Ok(()) => {}
                    Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                        let first = self.board.told(name, |told| {
                            told.dropped += 1;
                            told.dropped == 1
                        });
                        if first {
                            say!(NotifyDropped, hook = name);
                        }
                    }
                }
            }
        }
    }

    /// Waits for what is still to be sent, for [`LEAVE_WITHIN`] in all.
    pub fn leave(self) {
        let by = Instant::now() + LEAVE_WITHIN;
        let waits = self.at_work.into_values().map(|it| (it.hook.name, it.done));
        // Dropping the queues tells the threads that nothing more comes.
        for (name, done) in waits.collect::<Vec<_>>() {
            let left = by.saturating_duration_since(Instant::now());
            if done.recv_timeout(left) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                say!(NotifyUnfinished, hook = name);
            }
        }
    }
}

/// Until nobody sends any more, or what still waits is given up.
fn tell_all(
    hook: &Hook,
    messages: Receiver<Arc<Message>>,
    board: &Board,
    until: &OnceLock<Instant>,
) {
    let is_over = || until.get().is_some_and(|by| *by <= Instant::now());
    for message in messages {
        if is_over() || tell(hook, &message, board, is_over).is_break() {
            say!(NotifyUnfinished, hook = hook.name);
            return;
        }
    }
}

fn tell(
    hook: &Hook,
    message: &Message,
    board: &Board,
    is_over: impl Fn() -> bool,
) -> ControlFlow<()> {
    let mut wait = AGAIN_AFTER;
    for attempt in 1..=ATTEMPTS_MAX {
        let event = message.event.word();
        match send::send(hook, message) {
            Ok(()) => {
                board.told(&hook.name, |told| told.sent += 1);
                say!(NotifySent, hook = hook.name, told = event);
                break;
            }
            Err(refusal) if refusal.is_final || attempt == ATTEMPTS_MAX => {
                board.told(&hook.name, |told| told.failed += 1);
                say!(NotifyFailed, hook = hook.name, told = event, cause = refusal.why);
                break;
            }
            Err(_) if is_over() => return ControlFlow::Break(()),
            // Nobody calls; it is only as long as it takes.
            Err(_) => pause(wait),
        }
        wait *= 4;
    }
    ControlFlow::Continue(())
}

fn pause(length: Duration) {
    let (_caller, call) = sync_channel::<()>(0);
    call.recv_timeout(length).ok();
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::sync::{Arc, OnceLock};
    use std::time::{Duration, Instant};

    use super::news::News;
    use super::{Event, Hook, Way, tell_all};
    use crate::observe::board::Board;
    use crate::observe::fixture::NOON;
    use crate::observe::log::redact::Redaction;

    /// Its program is not there, so that each message would be tried for most of a minute.
    fn hook() -> Hook {
        Hook {
            name: "h".to_owned(),
            fingerprint: 1,
            way: Way::Exec(vec!["/no/such/program".to_owned()]),
            events: vec![Event::NotReloaded],
            rules: Vec::new(),
            databases: Vec::new(),
            dry_run: false,
            redact: Redaction::default(),
            deadline: Duration::from_secs(1),
        }
    }

    #[test]
    fn what_waits_for_a_hook_that_was_replaced_is_given_up_when_its_time_is_over() {
        let (queue, messages) = sync_channel(4);
        for _ in 0..4 {
            queue.send(Arc::new(News::not_reloaded("why", NOON))).expect("there is room");
        }
        let board = Board::new(NOON);
        board.hooks(["h"].into_iter());
        // It comes back although somebody could still send.
        tell_all(&hook(), messages, &board, &OnceLock::from(Instant::now()));
        assert!(queue.send(Arc::new(News::not_reloaded("why", NOON))).is_err());
        assert_eq!(board.read().hooks["h"].failed, 0, "none was tried");
    }
}
