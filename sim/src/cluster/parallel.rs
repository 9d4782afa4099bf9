//! Parallel statements: slaves come with the coordinator's call and go with it. A query over GV$ is one too, with a PZ
//! slave on each instance, as the reader's own user (facts, section 4).

use std::sync::Arc;

use super::Cluster;
use super::birth::Birth;
use super::error::error;
use super::event::EventId;
use super::kill::Parting;
use super::session::{Call, CallKind, Client, Px, Role, Server, SessionKey, SessionType};
use super::wait::{Doing, Mix};
use crate::ora::OraError;

impl Cluster {
    /// Slaves for a coordinator, shared out over the instances. It runs with those that it gets.
    pub(super) fn start_slaves(&mut self, coordinator: SessionKey, degree: u32) {
        let open: Vec<u32> =
            self.instances().map(|instance| instance.id).filter(|id| self.is_open(*id)).collect();
        if open.is_empty() {
            return;
        }
        let limit = self.spec.limits.parallel_servers;
        let mut slaves = Vec::new();
        for turn in 0..degree {
            let inst_id = open[turn as usize % open.len()];
            let Some(instance) = self.instance_mut(inst_id) else { continue };
            if instance.slaves_used.now >= limit {
                continue;
            }
            let number = instance.take_slave_number();
            let name = format!("P{number:03}");
            let px = Px { coordinator, degree, set: 1, server: turn + 1, is_gv: false };
            match self.start_slave(inst_id, &name, px) {
                Some(key) => {
                    self.home(key).slaves_used.rise();
                    slaves.push(key);
                }
                None => self.instances[inst_id as usize - 1].free_slave_number(number),
            }
        }
        self.join(coordinator, degree, slaves);
    }

    /// PZ slaves for a reader of GV$. The error is ORA-12850, or what the switch says while an instance is hung.
    pub(super) fn start_readers(&mut self, reader: SessionKey) -> Result<(), OraError> {
        if self.no_slaves.is_some_and(|until| until > self.now) {
            return Err(error(12_850));
        }
        let shown: Vec<u32> = self.shown_in_gv().collect();
        let hung = self.spec.switches.hung_gv;
        if hung != 0 && shown.iter().any(|id| self.hung_until(*id).is_some()) {
            return Err(error(hung));
        }
        let mut slaves = Vec::new();
        let degree = u32::try_from(shown.len()).expect("few instances");
        for (turn, inst_id) in (1..).zip(shown) {
            let readers = self.instance(inst_id).map_or(0, |instance| {
                instance.sessions().filter(|s| s.px.is_some_and(|px| px.is_gv)).count()
            });
            let name = format!("PZ{:02}", 99 - readers.min(99));
            let px = Px { coordinator: reader, degree, set: 1, server: turn, is_gv: true };
            slaves.extend(self.start_slave(inst_id, &name, px));
        }
        self.join(reader, degree, slaves);
        Ok(())
    }

    fn join(&mut self, coordinator: SessionKey, degree: u32, slaves: Vec<SessionKey>) {
        if let Some(session) = self.session_mut(coordinator) {
            session.px = Some(Px { coordinator, degree, set: 0, server: 0, is_gv: false });
        }
        self.slaves.insert(coordinator, slaves);
    }

    fn start_slave(&mut self, inst_id: u32, name: &str, px: Px) -> Option<SessionKey> {
        let coordinator = self.session(px.coordinator)?;
        let host = Arc::clone(&self.instance(inst_id)?.host);
        let client = Client {
            osuser: "oracle".into(),
            process: "".into(),
            program: format!("oracle@{host} ({name})").into(),
            machine: host,
            port: 0,
            terminal: "UNKNOWN".into(),
            driver: "".into(),
            service: Arc::clone(&coordinator.client.service),
        };
        let birth = Birth {
            user: coordinator.user.clone(),
            session_type: SessionType::User,
            connected: Server::Dedicated,
            client: Arc::new(client),
            marks: coordinator.marks.clone(),
            con_id: coordinator.con_id,
            role: Role::Nobody,
            process_name: Some(name.into()),
            starting: false,
            logon: self.now,
            audsid: Some(coordinator.audsid),
        };
        let current = coordinator.current.clone();
        let key = self.spawn(inst_id, birth).ok()?;
        let now = self.now;
        let session = self.session_mut(key).expect("it was just made");
        // The low half names the coordinator's SID, the high half its instance (facts, section 1.1).
        session.owner_id = (px.coordinator.inst_id << 16) | (px.coordinator.sid & 0xffff);
        session.px = Some(px);
        session.current = current;
        let doing = match px.server % 3 {
            0 => Doing::Wait { event: EventId::PxExecutionMsg, since: now, round: 2_000_000 },
            _ => Doing::Work(Mix::Batch),
        };
        let seed = u64::from(key.sid) << 20 ^ now.unsigned_abs();
        session.call = Some(Call { kind: CallKind::Sql, began: now, doing, seed, expected: None });
        Some(key)
    }

    /// A call is over: its slaves go.
    pub(super) fn end_slaves(&mut self, coordinator: SessionKey) {
        let Some(slaves) = self.slaves.remove(&coordinator) else { return };
        if let Some(session) = self.session_mut(coordinator) {
            session.px = None;
        }
        for slave in slaves {
            self.remove(slave, None);
        }
    }

    /// A slave's row goes: its number is free, and if it was ended by force its statement fails with ORA-12805.
    pub(super) fn slave_gone(
        &mut self,
        key: SessionKey,
        px: Px,
        name: &str,
        parting: Option<Parting>,
    ) {
        if px.coordinator == key {
            return;
        }
        if let (false, Some(number)) =
            (px.is_gv, name.strip_prefix('P').and_then(|number| number.parse().ok()))
        {
            let instance = self.home(key);
            instance.free_slave_number(number);
            instance.slaves_used.fall();
        }
        if parting.is_none() {
            return;
        }
        if let Some(slaves) = self.slaves.get_mut(&px.coordinator) {
            slaves.retain(|slave| *slave != key);
        }
        let Some(session) = self.session_mut(px.coordinator) else { return };
        if session.doom.is_some() || session.call.is_none() {
            return;
        }
        session.cancelled = Some(12_805);
        match session.role {
            Role::Seat(seat) => self.seat_cancelled(seat),
            _ => self.end_slaves(px.coordinator),
        }
    }
}
