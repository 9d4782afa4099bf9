//! How sessions begin and how their rows go.

use std::sync::Arc;

use super::error::error;
use super::history::What;
use super::instance::{Instance, InstanceState, Process};
use super::kill::Parting;
use super::session::{
    Client, Marks, NO_OWNER, Role, Server, Session, SessionKey, SessionType, User,
};
use super::{Cluster, Micros, SECOND};
use crate::ora::OraError;

/// What a new session is made of.
#[derive(Debug, Clone)]
pub(super) struct Birth {
    pub(super) user: Option<Arc<User>>,
    pub(super) session_type: SessionType,
    pub(super) connected: Server,
    pub(super) client: Arc<Client>,
    pub(super) marks: Marks,
    pub(super) con_id: u32,
    pub(super) role: Role,
    /// PNAME of its process.
    pub(super) process_name: Option<Arc<str>>,
    /// The instance's own: it is not refused, and its serial is 1.
    pub(super) starting: bool,
    /// On the model's clock.
    pub(super) logon: Micros,
    /// AUDSID, if it is another one's.
    pub(super) audsid: Option<u64>,
}

impl Cluster {
    /// The user of a name, made if it is new. SYS is 0, and the ids of the others follow from the order of appearance.
    pub(crate) fn user(&mut self, name: &str, id: Option<u32>) -> Arc<User> {
        if let Some(user) = self.users.get(name) {
            return Arc::clone(user);
        }
        let id = id.unwrap_or_else(|| match name {
            "SYS" => 0,
            "PUBLIC" => 1,
            "SYSTEM" => 9,
            "DBSNMP" => 50,
            _ => 90 + u32::try_from(self.users.len()).expect("few users"),
        });
        let user = Arc::new(User { id, name: name.into() });
        self.users.insert(name.into(), Arc::clone(&user));
        user
    }

    pub(super) fn make_instances(&mut self) {
        let (sessions, processes) = (self.spec.limits.sessions(), self.spec.limits.processes);
        for place in 0..self.spec.instances.len() {
            let id = u32::try_from(place + 1).expect("few instances");
            let spec = &self.spec.instances[place];
            let name = if spec.name.is_empty() {
                format!("{}{id}", self.spec.name)
            } else {
                spec.name.clone()
            };
            let host = if spec.host.is_empty() {
                format!("{}n{id}", self.spec.name.to_lowercase())
            } else {
                spec.host.clone()
            };
            let (skew, down) = (spec.skew_millis * 1_000, spec.down);
            let up = i64::from(spec.up_hours) * 3_600 * SECOND;
            let mut instance = Instance::new(id, &name, &host, sessions, processes, &mut self.rng);
            instance.skew = skew;
            self.instances.push(instance);
            if !down {
                self.open_at(id, self.now - up);
            }
        }
    }

    /// Opens an instance as if it had happened at a moment, with its backgrounds.
    pub(super) fn open_at(&mut self, inst_id: u32, at: Micros) {
        let Some(instance) = self.instance_mut(inst_id) else { return };
        instance.state = InstanceState::Open;
        instance.restricted = false;
        instance.startup = at + instance.skew;
        self.start_backgrounds(inst_id, at);
        self.record(What::Opened, SessionKey { inst_id, sid: 0, serial: 0 }, 0);
    }

    /// Makes a session and its process. The error is ORA-00018, 00020, 01033, 01034 or 01089.
    pub(super) fn spawn(&mut self, inst_id: u32, birth: Birth) -> Result<SessionKey, OraError> {
        self.check_open(inst_id)?;
        self.check_room(inst_id)?;
        let audsid = birth.audsid.unwrap_or_else(|| match birth.user.as_deref() {
            None => 0,
            Some(User { id: 0, .. }) => 4_294_967_295,
            Some(_) => {
                self.next_audsid += 1;
                self.next_audsid
            }
        });
        let schema = birth.user.clone().unwrap_or_else(|| self.user("SYS", Some(0)));
        let mut rng = self.rng.fork();
        let instance = self.instance_mut(inst_id).expect("it is open");
        let background = birth.session_type == SessionType::Background;
        let program = Arc::clone(&birth.client.program);
        let process = instance.start_process(birth.process_name.clone(), background, program);
        let pid = process.ok_or_else(|| error(20))?;
        let key = instance.take_slot(&mut rng, birth.starting).ok_or_else(|| error(18))?;
        let (saddr, logon) = (instance.session_addr(key.sid), instance.clock(birth.logon));
        let process = instance.process_mut(pid).expect("it was just started");
        process.session = Some(key);
        let mut session = newborn(key, process, birth, schema);
        (session.saddr, session.logon, session.audsid) = (saddr, logon, audsid);
        session.seq = u32::try_from(rng.below(3_000)).expect("small");
        instance.seat(session);
        self.record(What::LogOn, key, audsid);
        Ok(key)
    }

    /// Whether an instance has room for a session and its process.
    fn check_room(&self, inst_id: u32) -> Result<(), OraError> {
        let instance = self.instance(inst_id).expect("it is open");
        let taken = instance
            .trouble
            .taken
            .filter(|(until, _)| *until > self.now)
            .map_or(0, |(_, taken)| taken);
        if instance.processes_used.now + taken >= self.spec.limits.processes {
            return Err(error(20));
        }
        if instance.sessions_used.now >= self.spec.limits.sessions() {
            return Err(error(18));
        }
        Ok(())
    }

    /// Whether somebody may log on to an instance.
    pub(super) fn check_open(&self, inst_id: u32) -> Result<(), OraError> {
        match self.instance(inst_id).map_or(InstanceState::Down, |instance| instance.state) {
            InstanceState::Open => Ok(()),
            InstanceState::Starting => Err(error(1_033)),
            InstanceState::Stopping => Err(error(1_089)),
            InstanceState::Down => Err(error(1_034)),
        }
    }

    /// Ends a session for good: its locks are released, its transaction is rolled back, in the background if that takes
    /// long, and its row and process go. `parting` is for a client that did not ask for it.
    pub(super) fn remove(&mut self, key: SessionKey, parting: Option<Parting>) {
        if self.session(key).is_none() {
            return;
        }
        self.leave_queues(key);
        self.release_locks(key);
        if let Some(transaction) = self.session(key).and_then(|session| session.transaction) {
            self.start_rollback(transaction);
            self.orphan(transaction);
        }
        self.end_slaves(key);
        let instance = self.home(key);
        let session = instance.unseat(key).expect("it was there");
        let process = session.pid.and_then(|pid| instance.end_process(pid));
        if session.pid.is_none() {
            instance.processes_used.fall();
        }
        if let Some(px) = session.px {
            let name = process.and_then(|process| process.name).unwrap_or_default();
            self.slave_gone(key, px, &name, parting);
        }
        self.dying.remove(&key);
        self.record(What::LogOff, key, u64::from(parting.is_some()));
        match (session.role, parting) {
            (Role::Live, Some(parting)) => {
                self.obituaries.insert(key, parting.death());
            }
            (Role::Seat(seat), _) => self.seat_lost(seat, key),
            _ => {}
        }
    }
}

/// A session as it is when it begins.
fn newborn(key: SessionKey, process: &Process, birth: Birth, schema: Arc<User>) -> Session {
    let mut client = birth.client;
    if process.name.is_some() {
        // Such a process is its own client.
        Arc::make_mut(&mut client).process = process.spid.to_string().into();
    }
    Session {
        key,
        saddr: 0,
        paddr: process.addr,
        creator_addr: process.addr,
        creator_serial: process.serial,
        pid: Some(process.pid),
        audsid: 0,
        user: birth.user,
        schema,
        session_type: birth.session_type,
        connected: birth.connected,
        client,
        marks: birth.marks,
        logon: birth.logon,
        con_id: birth.con_id,
        owner_id: NO_OWNER,
        command: 0,
        current: None,
        previous: None,
        call: None,
        boundary: birth.logon,
        transaction: None,
        doom: None,
        sniped: false,
        cached: false,
        px: None,
        calls: 1,
        seq: 0,
        plsql_entry: None,
        parallel: ["DISABLED", "ENABLED", "ENABLED"],
        failover: ["NONE", "NONE", "NO"],
        consumer_group: (birth.session_type == SessionType::User).then_some("OTHER_GROUPS"),
        locks: 0,
        temp_blocks: 0,
        leave: None,
        cancel_next: false,
        cancelled: None,
        cpu: 0,
        on_cpu_since: None,
        role: birth.role,
    }
}
