//! What a daemon is shown of the cluster, and beside it what was true.

use orawarden::engine::session::{
    Column, Instance, InstanceState, Number, NumberColumn as N, SessionKey, Sessions, Snapshot,
    TextColumn as T,
};
use orawarden::engine::time::Timestamp;
use rac_sim::cluster::SECOND;
use rac_sim::cluster::session::{NO_OWNER, Session};

use crate::mutation::Mutation;
use crate::truth::{Truth, whole_second};
use crate::world::{View, World};

const TEXTS: [T; 11] = [
    T::Username,
    T::Status,
    T::Type,
    T::Server,
    T::Program,
    T::Machine,
    T::Module,
    T::SqlId,
    T::Taddr,
    T::Pname,
    T::OracleMaintained,
];
const NUMBERS: [N; 9] = [
    N::LogonTime,
    N::LastCallEt,
    N::SqlExecId,
    N::UsedUrec,
    N::StartDate,
    N::Qcsid,
    N::QcinstId,
    N::Ownerid,
    N::UserNumber,
];

/// An instance that was seen is expected for so long.
const EXPECTED_FOR: i64 = 3_600_000_000;

pub(crate) const fn key(key: rac_sim::cluster::session::SessionKey) -> SessionKey {
    SessionKey { inst_id: key.inst_id, sid: key.sid, serial: key.serial }
}

impl World {
    /// The snapshot of one tick; what was true stays with the daemon's checks.
    pub(crate) fn show(&mut self, daemon: usize) -> Snapshot {
        let at = self.shown_now();
        let shown: Vec<u32> = self.cluster.shown_in_gv().collect();
        let memory = &mut self.daemons[daemon].memory;
        let look = (self.cluster.now(), self.jump);
        let looked = memory.looked.replace(look);
        memory.began.get_or_insert(look);
        if let Some((before, jump)) = looked
            && jump != self.jump
        {
            memory.set_after = Some(before);
        }
        // Columns that a grant or a release does not offer.
        let without: &[Column] = match self.rng.below(6) {
            0 => &[Column::Text(T::Module)],
            1 => &[Column::Number(N::UsedUrec), Column::Number(N::StartDate)],
            _ => &[],
        };
        let offered = TEXTS.map(Column::Text).into_iter().chain(NUMBERS.map(Column::Number));
        let mut sessions = Sessions::with_columns(
            offered.filter(|it| !without.contains(it) || self.is(Mutation::UndecidedIsFalse)),
        );
        let mut view = View {
            at: self.cluster.now(),
            read_only: self.read_only,
            held: Some(self.hold),
            ..View::default()
        };
        let sees = |it: &&Session| shown.contains(&it.key.inst_id);
        for session in self.cluster.sessions().filter(sees) {
            self.add(&mut sessions, session);
            let mut truth = Truth::of(&self.cluster, session, self.age(session));
            truth.jump = self.shown(session.logon) - session.logon;
            truth.module_shown = !without.contains(&Column::Text(T::Module));
            truth.undo = truth.undo.filter(|_| !without.contains(&Column::Number(N::UsedUrec)));
            view.rows.insert(session.key, truth);
        }
        let instances = self.instances(daemon, &shown, &mut view);
        let mut snapshot = Snapshot::of_sessions("prod", Timestamp(at), sessions);
        snapshot.instances = instances;
        let hides = self.is(Mutation::ReadOnlyIgnored);
        snapshot.read_only = (self.read_only && !hides).then(|| "a standby".to_owned());
        if !self.is(Mutation::OwnSessionShown) {
            snapshot.own_sessions = self.own(daemon).into_iter().map(key).collect();
        }
        self.stats.partial += u64::from(!view.missing.is_empty());
        self.daemons[daemon].view = view;
        snapshot
    }

    /// Seconds since the session logged on, by the clock that is shown.
    pub(crate) fn age(&self, session: &Session) -> i64 {
        (self.shown_now() - whole_second(self.shown(session.logon))) / SECOND
    }

    /// The sessions that a daemon knows to be its own.
    pub(crate) fn own(&self, daemon: usize) -> Vec<rac_sim::cluster::session::SessionKey> {
        let daemon = &self.daemons[daemon];
        daemon.first.into_iter().chain(daemon.spares.iter().copied()).collect()
    }

    fn instances(&mut self, daemon: usize, shown: &[u32], view: &mut View) -> Vec<Instance> {
        let all: Vec<u32> = self.cluster.instances().map(|it| it.id).collect();
        let said = self.rng.one_in(2);
        let mut instances = Vec::new();
        for inst_id in all {
            let answered = shown.contains(&inst_id);
            let known = &mut self.daemons[daemon].memory.instances;
            if answered {
                known.insert(inst_id, view.at);
            }
            let expected = known.get(&inst_id).is_some_and(|seen| view.at - seen < EXPECTED_FOR);
            if !answered && (said || expected) {
                view.missing.push(inst_id);
            }
            let state = if answered || self.is(Mutation::MissingAsEmpty) {
                InstanceState::Answered
            } else {
                InstanceState::Missing
            };
            let listed = answered || (said && !self.is(Mutation::MissingForgotten));
            if listed || self.is(Mutation::MissingAsEmpty) {
                instances.push(Instance { inst_id, state });
            }
        }
        instances
    }

    fn add(&self, sessions: &mut Sessions, session: &Session) {
        let row = sessions.push(key(session.key));
        let process = self.cluster.instance(session.key.inst_id).and_then(|instance| {
            instance.processes().find(|it| Some(it.pid) == session.pid && it.name.is_some())
        });
        let slave = session.px.is_some() && self.is(Mutation::SlaveShown);
        let texts = [
            (T::Username, session.username()),
            (T::Status, Some(session.status().as_str())),
            (T::Type, Some(session.session_type.as_str())),
            (T::Server, Some(session.server().as_str())),
            (T::Program, Some(&*session.client.program).filter(|_| !slave)),
            (T::Machine, Some(&*session.client.machine)),
            (T::Module, session.marks.module.as_deref()),
            (T::SqlId, session.current.as_ref().map(|it| it.statement.sql_id.as_str())),
            (T::Taddr, session.transaction.map(|_| "00")),
            (T::Pname, process.and_then(|it| it.name.as_deref()).filter(|_| !slave)),
            (T::OracleMaintained, Some("N")),
        ];
        for (column, text) in texts {
            let decided = column == T::Module && self.is(Mutation::UndecidedIsFalse);
            if let Some(text) = text.or(decided.then_some("nothing")) {
                sessions.set_text(row, column, text);
            }
        }
        let undo = session.transaction.and_then(|it| self.cluster.transaction(it));
        let records = undo.map(|it| i64::try_from(it.used_urec(self.cluster.now())).unwrap_or(0));
        let px = session.px.filter(|_| !self.is(Mutation::SlaveShown));
        let coordinator = px.filter(|it| it.coordinator != session.key);
        let user = session.user.as_ref().map(|it| i64::from(it.id));
        let owner = if self.is(Mutation::SlaveShown) { NO_OWNER } else { session.owner_id };
        let owner = Some(i64::from(owner));
        let numbers = [
            (N::LogonTime, Some(whole_second(self.shown(session.logon)))),
            (N::LastCallEt, i64::try_from(self.cluster.last_call_et(session)).ok()),
            (N::SqlExecId, session.current.as_ref().map(|it| i64::from(it.id))),
            (N::UsedUrec, records),
            (N::StartDate, undo.map(|it| whole_second(it.start))),
            (N::Qcsid, px.map(|it| i64::from(it.coordinator.sid))),
            (N::QcinstId, coordinator.map(|it| i64::from(it.coordinator.inst_id))),
            (N::Ownerid, owner),
            (N::UserNumber, user),
        ];
        for (column, number) in numbers {
            sessions.set_number(row, column, Number::from(number));
        }
    }
}
