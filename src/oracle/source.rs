//! Looks at a live database: at all instances through one connection and GV$ views, or at each through a connection and
//! a deadline of its own. Facts, section 4.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::codes::Class;
use super::connection::{Account, Connection, Settings, Topology};
use super::error::CallError;
use super::protocol::Release;
use super::queries::Queries;
use super::reader::{Reader, Scope};
use crate::engine::needs::Needs;
use crate::engine::session::{Instance, InstanceState, Sessions, Snapshot};
use crate::ports::{SessionSource, SourceError};

/// Reads the sessions of one database.
pub struct OracleSource {
    settings: Arc<Settings>,
    account: Account,
    first: Reader,
    /// By name, those of the other instances, where each has its own.
    others: BTreeMap<String, Reader>,
    queries: Queries,
}

impl OracleSource {
    /// Nothing is reached for yet. `account` is shared with whatever else has sessions there.
    pub fn new(settings: Arc<Settings>, account: Account) -> Self {
        let scope = match settings.topology {
            Topology::Gv => Scope::Cluster,
            Topology::PerInstance => Scope::Instance,
        };
        let connection = Connection::new(Arc::clone(&settings), account.clone());
        let first = Reader::new(connection, account.clone(), scope);
        let queries = Queries::new(Arc::clone(&settings), account.clone());
        Self { settings, account, first, others: BTreeMap::new(), queries }
    }

    /// Looks, and reads these columns.
    pub fn look(&mut self, needs: &Needs) -> Result<Snapshot, CallError> {
        let begun = Instant::now();
        self.first.reach()?;
        let mut warnings = Vec::new();
        // Before the sessions, so that these are no older than need be.
        let queries = self.queries.ask(needs, &mut warnings);
        let mut seen = match self.settings.topology {
            Topology::Gv => self.first.look(needs, begun)?,
            Topology::PerInstance => self.look_at_each(needs, begun)?,
        };
        seen.fetched.round_trips += self.queries.take_round_trips();
        seen.warnings.extend(warnings);
        seen.queries = queries;
        Ok(seen)
    }

    /// The server's release, if there is a session.
    pub fn release(&self) -> Option<Release> {
        self.first.identity().map(|identity| identity.release)
    }

    /// The first connection tells the time and which instances there are; the others look at the same time.
    fn look_at_each(&mut self, needs: &Needs, begun: Instant) -> Result<Snapshot, CallError> {
        let mut seen = self.first.look(needs, begun)?;
        let active = self.first.active_instances()?;
        seen.fetched.round_trips += 1;
        let here: Vec<u32> = seen.instances.iter().map(|instance| instance.inst_id).collect();
        let away: Vec<&(u32, String)> =
            active.iter().filter(|(inst_id, _)| !here.contains(inst_id)).collect();
        self.others.retain(|name, _| away.iter().any(|(_, away)| away == name));
        for (_, name) in &away {
            let pinned =
                || Connection::pinned(Arc::clone(&self.settings), self.account.clone(), name);
            if !self.others.contains_key(name)
                && let Some(connection) = pinned()
            {
                let reader = Reader::new(connection, self.account.clone(), Scope::Instance);
                self.others.insert(name.clone(), reader);
            }
        }
        let mut looks: BTreeMap<&String, Result<Snapshot, CallError>> = thread::scope(|threads| {
            let looks: Vec<_> = self
                .others
                .iter_mut()
                .map(|(name, reader)| (name, threads.spawn(|| reader.look(needs, begun))))
                .collect();
            let died = |_| Err(CallError::Died("the thread that looked died".to_owned()));
            looks.into_iter().map(|(name, look)| (name, look.join().unwrap_or_else(died))).collect()
        });
        let mut parts = vec![std::mem::take(&mut seen.sessions)];
        for (inst_id, name) in away {
            let look = looks.remove(name).unwrap_or_else(|| {
                Err(CallError::NotConnected(
                    "the connect string has no place for an instance's name; use Easy Connect or a descriptor"
                        .to_owned(),
                ))
            });
            take(&mut seen, &mut parts, (*inst_id, name), look);
        }
        seen.instances.sort_by_key(|instance| instance.inst_id);
        seen.sessions = Sessions::together(&parts);
        Ok(seen)
    }
}

/// Takes in how the look at another instance went.
fn take(
    seen: &mut Snapshot,
    parts: &mut Vec<Sessions>,
    (inst_id, name): (u32, &str),
    look: Result<Snapshot, CallError>,
) {
    let told = |part: &Snapshot| {
        let of_it = part.instances.iter().find(|it| it.inst_id == inst_id);
        of_it.map(|it| it.state)
    };
    let state = match look.map(|part| (told(&part), part)) {
        // One that shows nobody, not even its background processes, is missing there too.
        Ok((Some(state), part)) => {
            parts.push(join(seen, part));
            state
        }
        Ok((None, _)) => {
            seen.warnings.push(format!("the connection to instance {name} led to another one"));
            InstanceState::Missing
        }
        Err(error) => {
            seen.warnings.push(format!("instance {name}: {error}"));
            InstanceState::Missing
        }
    };
    seen.instances.push(Instance { inst_id, state });
    seen.instance_names.insert(inst_id, name.to_owned());
}

/// Adds what another instance told, and hands over its sessions.
fn join(seen: &mut Snapshot, part: Snapshot) -> Sessions {
    seen.own_sessions.extend(part.own_sessions);
    seen.own_sessions.sort_unstable();
    seen.own_sessions.dedup();
    for warning in part.warnings {
        if !seen.warnings.contains(&warning) {
            seen.warnings.push(warning);
        }
    }
    seen.read_only = seen.read_only.take().or(part.read_only);
    seen.fetched.rows += part.fetched.rows;
    seen.fetched.bytes += part.fetched.bytes;
    seen.fetched.round_trips += part.fetched.round_trips;
    part.sessions
}

impl SessionSource for OracleSource {
    fn observe(&mut self, needs: &Needs) -> Result<Snapshot, SourceError> {
        self.look(needs).map_err(source_error)
    }
}

/// What an error means to whoever wanted to look.
pub fn source_error(error: CallError) -> SourceError {
    let forbidden = is_closed(&error);
    let class = error.class();
    let remembered = matches!(error, CallError::NotTried { .. });
    let cause = error.into();
    match class {
        _ if forbidden => SourceError::Forbidden(cause),
        Class::Reconnect | Class::Retry => SourceError::Unavailable(cause),
        _ if remembered => SourceError::Refused(cause),
        Class::Gone | Class::Pending | Class::Never | Class::Fine => SourceError::Unusable(cause),
        Class::Slow | Class::Password | Class::Account => SourceError::Refused(cause),
    }
}

/// A view or a column that is not there, or not for us.
pub fn is_closed(error: &CallError) -> bool {
    matches!(error.code(), Some(904 | 942 | 1031))
}

#[cfg(test)]
mod tests {
    use super::{source_error, take};
    use crate::engine::session::{Instance, InstanceState, SessionKey, Sessions, Snapshot};
    use crate::engine::time::Timestamp;
    use crate::oracle::codes::Class;
    use crate::oracle::error::{CallError, DriverError};

    #[test]
    fn what_somebody_has_to_mend_is_told_as_that_also_while_it_is_not_tried_again() {
        let server = |code| {
            CallError::Driver(DriverError { code: Some(code), text: String::new(), lost: false })
        };
        let later = |class| CallError::NotTried { said: "as before".to_owned(), class };
        for (error, expected) in [
            (server(12_541), "reached now"),
            (later(Class::Retry), "reached now"),
            (later(Class::Reconnect), "reached now"),
            (server(1_017), "until somebody mends"),
            (later(Class::Password), "until somebody mends"),
            (later(Class::Account), "until somebody mends"),
            (later(Class::Slow), "until somebody mends"),
            (later(Class::Never), "until somebody mends"),
            (server(942), "a privilege is missing"),
            (server(1_031), "a privilege is missing"),
        ] {
            let told = source_error(error).to_string();
            assert!(told.contains(expected), "{told}, not {expected}");
        }
    }

    #[test]
    fn an_instance_is_missing_unless_its_own_connection_shows_somebody_there() {
        let of = |inst_ids: &[u32]| {
            let mut sessions = Sessions::with_columns([]);
            for inst_id in inst_ids {
                sessions.push(SessionKey { inst_id: *inst_id, sid: 1, serial: 1 });
            }
            Snapshot::of_sessions("prod", Timestamp(0), sessions)
        };
        let mut silent = of(&[]);
        silent.instances = vec![Instance { inst_id: 2, state: InstanceState::Missing }];
        let failed = Err(CallError::NotConnected("it hangs".to_owned()));
        for (look, state, count) in [
            (Ok(of(&[2])), InstanceState::Answered, 1),
            (Ok(silent), InstanceState::Missing, 1),
            (Ok(of(&[1])), InstanceState::Missing, 0),
            (failed, InstanceState::Missing, 0),
        ] {
            let (mut seen, mut parts) = (of(&[1]), Vec::new());
            take(&mut seen, &mut parts, (2, "PROD2"), look);
            assert_eq!(seen.instances[1], Instance { inst_id: 2, state });
            assert_eq!(parts.len(), count);
        }
    }
}
