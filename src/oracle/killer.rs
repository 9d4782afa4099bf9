//! Ends sessions of one database, several at once: each lane is a session of ours that does one after the other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::block::{Order, Via, block, can, outcome};
use super::connection::{Account, Connection, Settings, Topology};
use super::error::CallError;
use super::leadership::{Asked, Handles};
use super::source::is_closed;
use crate::engine::guard::End;
use crate::engine::policy::Verb;
use crate::engine::report::{Failure, Outcome, Refusal};
use crate::engine::session::Snapshot;
use crate::engine::standing::Authority;
use crate::engine::witness::Witness;
use crate::ports::SessionKiller;

/// ACTION holds 32 bytes, and longer ones are cut without a word (facts, section 7.2).
const ACTION_BYTES_MAX: usize = 32;

/// How sessions of one database are ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Way {
    /// By which statement.
    pub via: Via,
    /// One daemon is elected.
    pub leadership: bool,
    /// Ends under way at once.
    pub width: usize,
    /// A DISCONNECT may name another instance.
    pub disconnect_names_instance: bool,
}

/// Ends sessions of one database.
pub struct OracleKiller {
    settings: Arc<Settings>,
    account: Account,
    way: Way,
    /// The session that holds the leader's lock. It ends sessions too.
    first: Mutex<Lane>,
    /// Further ones that nobody uses at the moment, by the instance that they were led to.
    spare: Mutex<BTreeMap<Option<u32>, Vec<Lane>>>,
}

/// A session of ours that ends others.
struct Lane {
    connection: Connection,
    /// Those of the present session; gone with it.
    handles: Option<Handles>,
    /// Whether the present session was granted the lock that lets it end others. Handles are no proof: a session that
    /// was made anew and denied the lock has them too.
    granted: bool,
    /// Whether slaves of parallel statements can be told from others, once that is known.
    px_readable: Option<bool>,
}

/// What one end was asked to do.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// What must still hold.
    pub witness: &'a Witness,
    /// What is done then.
    pub verb: Verb,
    /// By which rule.
    pub rule: &'a str,
}

impl OracleKiller {
    /// Nothing is reached for yet. `account` is shared with whoever looks at the same database.
    pub fn new(settings: Arc<Settings>, account: Account, way: Way) -> Self {
        let names_instance = way.disconnect_names_instance && way.via == Via::AlterSystem;
        let way = Way { disconnect_names_instance: names_instance, ..way };
        let first = Mutex::new(Lane::new(Connection::new(Arc::clone(&settings), account.clone())));
        Self { settings, account, way, first, spare: Mutex::default() }
    }

    /// Whether we may end sessions now; the error says why not, for people.
    pub fn may_end(&self) -> Result<(), String> {
        if !self.way.leadership {
            return Ok(());
        }
        let led = lock(&self.first).lead();
        if led.is_err() {
            // Ours may only be there while we lead.
            lock(&self.spare).clear();
        }
        led
    }

    /// Does it, if the session still is what was judged.
    pub fn carry_out(&self, task: Task<'_>, seen: &Snapshot) -> Outcome {
        let target = task.witness.life.key.inst_id;
        if let Ok(mut first) = self.first.try_lock() {
            if !self.way.leadership && first.reach().is_err() {
                return Outcome::Failed(Failure::Disconnected);
            }
            let here = first.connection.identity().map(|identity| identity.key.inst_id);
            match here {
                Some(here) if self.leads_to(here, target, task.verb) => {
                    return self.on(&mut first, task, seen);
                }
                Some(_) => {}
                // The session that led is lost, and with it the right to end anybody.
                None => return Outcome::Failed(Failure::Disconnected),
            }
        }
        let here_only = self.settings.topology == Topology::PerInstance
            || task.verb.disconnects() && !self.way.disconnect_names_instance;
        let pinned = here_only.then_some(target);
        let mut lane = match self.further(pinned, seen) {
            Ok(lane) => lane,
            Err(outcome) => return outcome,
        };
        let outcome = self.on(&mut lane, task, seen);
        if lane.connection.identity().is_some() {
            lock(&self.spare).entry(pinned).or_default().push(lane);
        }
        outcome
    }

    /// Whether a session on instance `here` can do it to one on `target`.
    fn leads_to(&self, here: u32, target: u32, verb: Verb) -> bool {
        let any = self.settings.topology == Topology::Gv;
        here == target || any && (!verb.disconnects() || self.way.disconnect_names_instance)
    }

    /// One that is free, or a new one, which may end sessions: it holds its lock, and we lead.
    fn further(&self, pinned: Option<u32>, seen: &Snapshot) -> Result<Lane, Outcome> {
        if let Some(lane) = lock(&self.spare).get_mut(&pinned).and_then(Vec::pop) {
            return Ok(lane);
        }
        let unsupported = Outcome::Refused(Refusal::Unsupported);
        let connection = match pinned {
            None => Connection::new(Arc::clone(&self.settings), self.account.clone()),
            Some(inst_id) => {
                let name = seen.instance_names.get(&inst_id).ok_or(unsupported)?;
                Connection::pinned(Arc::clone(&self.settings), self.account.clone(), name)
                    .ok_or(unsupported)?
            }
        };
        let mut lane = Lane::new(connection);
        let failed = Outcome::Failed(Failure::Disconnected);
        if self.way.leadership {
            let mut join = || -> Result<(), String> {
                lock(&self.first).lead()?;
                lane.join()?;
                lock(&self.first).lead()
            };
            join().map_err(|_| failed)?;
        }
        lane.reach().map_err(|_| failed)?;
        Ok(lane)
    }

    fn on(&self, lane: &mut Lane, task: Task<'_>, seen: &Snapshot) -> Outcome {
        let Some(identity) = lane.connection.identity().cloned() else {
            return Outcome::Failed(Failure::Disconnected);
        };
        if self.way.leadership && !lane.granted {
            return Outcome::Failed(Failure::Disconnected);
        }
        let target = task.witness.life.key.inst_id;
        let remote = target != identity.key.inst_id;
        let names_instance = self.way.disconnect_names_instance;
        if !can(&self.way.via, task.verb, identity.release, remote, names_instance) {
            return Outcome::Refused(Refusal::Unsupported);
        }
        let done = lane.run(&self.way.via, task, identity.key.inst_id, seen);
        if lane.connection.identity().is_none() {
            lane.forget();
        }
        done
    }
}

impl SessionKiller for OracleKiller {
    fn authority(&self) -> Authority {
        match self.may_end() {
            Ok(()) => Authority::Leads,
            Err(why) => Authority::Follows(why.into()),
        }
    }

    fn release(&self) {
        lock(&self.first).hang_up();
        lock(&self.spare).clear();
    }

    fn width(&self) -> usize {
        self.way.width.max(1)
    }

    fn end(&self, end: &End, seen: &Snapshot) -> Outcome {
        let Some(verb) = end.verb() else { return Outcome::Reported };
        self.carry_out(Task { witness: &end.witness, verb, rule: &end.rule }, seen)
    }
}

impl Lane {
    fn new(connection: Connection) -> Self {
        Self { connection, handles: None, granted: false, px_readable: None }
    }

    fn forget(&mut self) {
        self.handles = None;
        self.granted = false;
        self.px_readable = None;
    }

    /// Ends the session, and with it what it was granted.
    fn hang_up(&mut self) {
        self.connection.drop_session();
        self.forget();
    }

    /// Makes a session if there is none; a new one holds nothing.
    fn reach(&mut self) -> Result<(), CallError> {
        if self.connection.identity().is_none() {
            self.forget();
        }
        self.connection.reach().map(drop)
    }

    /// The handles of the present session, which may be another than the last time.
    fn handles(&mut self) -> Result<Handles, CallError> {
        self.reach()?;
        if let Some(handles) = &self.handles {
            return Ok(handles.clone());
        }
        let handles = Handles::of(&mut self.connection)?;
        self.handles = Some(handles.clone());
        Ok(handles)
    }

    fn lead(&mut self) -> Result<(), String> {
        self.ask(Handles::lead)
    }

    fn join(&mut self) -> Result<(), String> {
        self.ask(Handles::join)
    }

    /// Asks for a lock. Whoever does not get it has no session that could end anybody.
    fn ask(
        &mut self,
        ask: fn(&Handles, &mut Connection) -> Result<Asked, CallError>,
    ) -> Result<(), String> {
        let asked = self.handles().and_then(|handles| ask(&handles, &mut self.connection));
        let was_granted = self.granted;
        self.granted = match &asked {
            Ok(Asked::Granted) => true,
            Ok(Asked::Held) => was_granted,
            Ok(Asked::Denied(_)) | Err(_) => false,
        };
        match asked {
            Ok(_) if self.granted => Ok(()),
            Ok(Asked::Granted | Asked::Held) => {
                // The next session asks for all of it.
                self.connection.drop_session();
                self.forget();
                Err("whether sessions of a former leader are left is not known".to_owned())
            }
            Ok(Asked::Denied(why)) => Err(why),
            Err(error) => {
                if self.connection.identity().is_none() {
                    self.forget();
                }
                let hint = if hidden(&error) { "EXECUTE on DBMS_LOCK is missing: " } else { "" };
                Err(format!("{hint}{error}"))
            }
        }
    }

    fn run(&mut self, via: &Via, task: Task<'_>, own_instance: u32, seen: &Snapshot) -> Outcome {
        let px_readable = match self.px_readable() {
            Ok(readable) => readable,
            Err(error) => return outcome(task.verb, &Err(error)),
        };
        let order = Order {
            witness: task.witness,
            verb: task.verb,
            own_instance,
            rule: task.rule,
            seen,
            px_readable,
        };
        let (text, binds) = block(via, &order);
        if self.connection.act_as(&cut(task.rule)).is_err() {
            // Nothing was sent yet.
            return Outcome::Failed(Failure::Disconnected);
        }
        let within = self.connection.settings().kill_within;
        let answer = self.connection.call(&text, binds, within);
        outcome(task.verb, &answer)
    }

    /// Asked once per session.
    fn px_readable(&mut self) -> Result<bool, CallError> {
        if let Some(readable) = self.px_readable {
            return Ok(readable);
        }
        let settings = self.connection.settings();
        let (within, view) = (settings.connect_within, slaves_in(settings.topology));
        let sql = format!("SELECT COUNT(*) FROM {view} WHERE 1 = 0");
        let kinds = vec![super::datum::Kind::Number];
        let readable = match self.connection.query(&sql, Vec::new(), kinds, 2, within) {
            Ok(_) => true,
            Err(error) if is_closed(&error) => false,
            Err(error) => return Err(error),
        };
        self.px_readable = Some(readable);
        Ok(readable)
    }
}

/// The view that shows slaves of parallel statements to a lane: each instance has lanes of its own, or one reaches all.
const fn slaves_in(topology: Topology) -> &'static str {
    match topology {
        Topology::Gv => "gv$px_session",
        Topology::PerInstance => "v$px_session",
    }
}

fn hidden(error: &CallError) -> bool {
    error.code() == Some(6_550) && error.to_string().contains("PLS-00201")
}

/// At most so many bytes, at a character's end.
fn cut(rule: &str) -> String {
    let mut end = rule.len().min(ACTION_BYTES_MAX);
    while !rule.is_char_boundary(end) {
        end -= 1;
    }
    rule[..end].to_owned()
}

/// Whoever panicked while it was held left a session behind, which says itself whether it still is one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::slaves_in;
    use crate::oracle::connection::Topology;
    use crate::oracle::grants::{Ending, Wanted, objects};
    use crate::oracle::protocol::Release;

    #[test]
    fn slaves_are_looked_for_where_the_least_grants_let_us_look() {
        for (topology, per_instance) in [(Topology::Gv, false), (Topology::PerInstance, true)] {
            let granted = objects(&Wanted {
                account: "A".to_owned(),
                ending: Ending::AlterSystem,
                leadership: false,
                root: false,
                per_instance,
                release: Release::new(19, 0),
            });
            let view = slaves_in(topology).to_uppercase().replace("V$", "V_$");
            assert!(granted.contains(&view), "{view}: {granted:?}");
        }
    }
}
