//! A client's life: it logs on, calls, loses its session and comes back.

use super::{Forced, Kind, Plan};
use crate::cluster::history::What;
use crate::cluster::live::Cursor;
use crate::cluster::rng::Rng;
use crate::cluster::session::SessionKey;
use crate::cluster::{Cluster, Micros, SECOND};

impl Cluster {
    /// A client's time has come.
    pub(in crate::cluster) fn seat_due(&mut self, place: u32, token: u32) {
        let seat = &self.seats[place as usize];
        if seat.token != token {
            return;
        }
        let inst_id = seat.session.map_or(seat.home, |key| key.inst_id);
        if let Some(until) = self.hung_until(inst_id) {
            // Nothing moves there; everything goes on where it was.
            let seat = &mut self.seats[place as usize];
            let at = until.min(self.now + 5 * SECOND) + seat.rng.between(0, SECOND);
            let plan = seat.plan;
            self.plan(place, plan, at);
            return;
        }
        match (self.seats[place as usize].plan, self.seats[place as usize].session) {
            (Plan::LogOn, _) => self.seat_logs_on(place),
            (Plan::Call, Some(key)) => self.seat_calls(place, key),
            (Plan::Finish, Some(key)) => self.seat_finishes(place, key),
            (Plan::Nothing | Plan::Call | Plan::Finish, _) => {}
        }
    }

    fn seat_logs_on(&mut self, place: u32) {
        let home = self.seats[place as usize].home;
        let allowed = &self.work_of(place).spec.instances;
        // A service moves to where it may when its instance is gone.
        let other = self
            .instances()
            .map(|instance| instance.id)
            .find(|id| self.is_open(*id) && (allowed.is_empty() || allowed.contains(id)));
        let inst_id = if self.is_open(home) { home } else { other.unwrap_or(home) };
        let birth = self.birth_of(place);
        match self.spawn(inst_id, birth) {
            Ok(key) => {
                let kind = self.work_of(place).spec.kind;
                let seat = &mut self.seats[place as usize];
                seat.session = Some(key);
                self.moved_in(key, kind);
                let seat = &mut self.seats[place as usize];
                let soon = self.now + seat.rng.between(1_000, 200_000);
                match kind {
                    Kind::Leak => self.plan_nothing(place),
                    Kind::Monitor | Kind::Rman => self.start_forever(place, key, self.now),
                    _ => self.plan(place, Plan::Call, soon),
                }
            }
            Err(error) => {
                self.record(
                    What::Refused,
                    SessionKey { inst_id, sid: 0, serial: 0 },
                    u64::from(error.code),
                );
                let delay = self.seats[place as usize].rng.between(SECOND, 30 * SECOND);
                self.plan(place, Plan::LogOn, self.now + delay);
            }
        }
    }

    /// What the kind of client makes of a new session.
    pub(super) fn moved_in(&mut self, key: SessionKey, kind: Kind) {
        if let Some(session) = self.session_mut(key) {
            session.cached = kind == Kind::Xa;
        }
    }

    /// A client's session is gone: it comes back after a while.
    pub(in crate::cluster) fn seat_lost(&mut self, place: u32, key: SessionKey) {
        if self.seats[place as usize].session != Some(key) {
            return;
        }
        let delay = self.comes_back_after(place);
        let seat = &mut self.seats[place as usize];
        seat.session = None;
        seat.more_rows = 0;
        seat.forced = None;
        match delay {
            Some(delay) => self.plan(place, Plan::LogOn, self.now + delay),
            None => self.plan_nothing(place),
        }
    }

    fn comes_back_after(&mut self, place: u32) -> Option<Micros> {
        let seat = &mut self.seats[place as usize];
        let work = &self.works[seat.work as usize];
        let range = match work.spec.kind {
            Kind::Leak => return None,
            Kind::Job => return Some(seat.rng.exponential(work.think)),
            Kind::Pool | Kind::Xa | Kind::Dashboard | Kind::Link => (SECOND / 5, 3 * SECOND),
            Kind::Agent | Kind::Monitor => (5 * SECOND, 20 * SECOND),
            Kind::Batch | Kind::Parallel | Kind::Rman => (30 * SECOND, 300 * SECOND),
            Kind::Person | Kind::IdleInTransaction | Kind::Blocker => (60 * SECOND, 600 * SECOND),
        };
        Some(seat.rng.between(range.0, range.1))
    }

    /// A row for which a client waited is its own now.
    pub(in crate::cluster) fn seat_granted(&mut self, place: u32) {
        let Some(key) = self.seats[place as usize].session else { return };
        self.grow(key, self.work_of(place).spec.undo_per_second);
        self.after_row(place, key);
    }

    /// A client's call was cancelled: its application rolls back and goes on.
    pub(in crate::cluster) fn seat_cancelled(&mut self, place: u32) {
        let seat = &mut self.seats[place as usize];
        let Some(key) = seat.session else { return };
        (seat.forced, seat.more_rows, seat.writing) = (None, 0, false);
        self.end_slaves(key);
        let transaction = self.session(key).and_then(|session| session.transaction);
        let until = transaction.map_or(self.now, |transaction| self.start_rollback(transaction));
        if until <= self.now {
            self.seat_rolled_back(key);
        } else {
            self.plan_nothing(place);
        }
    }

    /// The rollback of a session that lives on is done.
    pub(in crate::cluster) fn seat_rolled_back(&mut self, key: SessionKey) {
        let Some(place) = self.seat_of(key) else { return };
        self.end_call(key, Cursor::Closed);
        self.release_on_commit(key);
        self.leave_if_asked(key);
        if self.seats[place as usize].session == Some(key) {
            self.think(place);
        }
    }

    fn seat_of(&self, key: SessionKey) -> Option<u32> {
        match self.session(key)?.role {
            crate::cluster::session::Role::Seat(place) => Some(place),
            _ => None,
        }
    }

    /// Plans the next call.
    pub(super) fn think(&mut self, place: u32) {
        let now = self.now;
        let seat = &mut self.seats[place as usize];
        let work = &self.works[seat.work as usize];
        let length = match work.spec.kind {
            _ if seat.reserve => super::micros(work.spec.ping_seconds),
            // On the second, every so often.
            Kind::Dashboard => work.think - (now % work.think),
            Kind::Person if seat.rng.chance(0.3) => seat.rng.exponential(work.think * 10),
            _ => seat.rng.exponential(work.think),
        };
        self.plan(place, Plan::Call, now + length.max(1_000));
    }

    /// Clients of a workload all want its hot rows, and the first holds them. How deep they queue is as measured: one
    /// to four steps in the proportion 11:14:3:7 (realdata, section 5.1).
    pub(in crate::cluster) fn start_lock_storm(
        &mut self,
        workload: &str,
        clients: u32,
        seconds: u32,
    ) {
        let mut rng = self.rng.fork();
        let hold = Forced::Hold { row: 0, length: i64::from(seconds) * SECOND };
        for (turn, place) in
            self.idle_clients(workload, clients as usize + 1, &mut rng).into_iter().enumerate()
        {
            let step = match rng.below(35) {
                0..11 => 0,
                11..25 => 1,
                25..28 => 4,
                _ => 7,
            };
            let row =
                if step == 0 { 0 } else { step + u32::try_from(rng.below(3)).expect("small") };
            let delay = rng.between(10_000, 20 * SECOND);
            let (forced, delay) = if turn == 0 { (hold, 1) } else { (Forced::Want { row }, delay) };
            self.force(place, forced, delay);
        }
    }

    /// Clients of a workload all run the same statement.
    pub(in crate::cluster) fn start_latch_storm(
        &mut self,
        workload: &str,
        clients: u32,
        seconds: u32,
    ) {
        let mut rng = self.rng.fork();
        for place in self.idle_clients(workload, clients as usize, &mut rng) {
            let length =
                i64::from(seconds) * SECOND / 2 + rng.exponential(i64::from(seconds) * SECOND / 2);
            let delay = rng.between(1, SECOND);
            self.force(place, Forced::Latch { length }, delay);
        }
    }

    fn force(&mut self, place: u32, forced: Forced, delay: Micros) {
        self.seats[place as usize].forced = Some(forced);
        self.plan(place, Plan::Call, self.now + delay);
    }

    /// So many clients of a workload that are between two calls.
    fn idle_clients(&self, workload: &str, count: usize, rng: &mut Rng) -> Vec<u32> {
        let Some(work) = self.works.iter().position(|work| work.spec.name == workload) else {
            return Vec::new();
        };
        let idle = |(_, seat): &(u32, &super::Seat)| {
            seat.work as usize == work && seat.plan == Plan::Call && seat.session.is_some()
        };
        let places: Vec<u32> =
            (0..).zip(&self.seats).filter(idle).map(|(place, _)| place).collect();
        let from = rng.index(places.len().saturating_sub(count) + 1);
        places.into_iter().skip(from).take(count).collect()
    }

    /// More clients of a workload come.
    pub(in crate::cluster) fn start_log_on_burst(&mut self, workload: &str, clients: u32) {
        let Some(work) = self.works.iter().position(|work| work.spec.name == workload) else {
            return;
        };
        let work = u32::try_from(work).expect("few workloads");
        let known = self.seats.iter().filter(|seat| seat.work == work).count();
        for number in 0..clients {
            let number = u32::try_from(known).expect("few clients") + number;
            let place = self.make_seat(work, number);
            let delay = self.seats[place as usize].rng.between(0, 60 * SECOND);
            self.plan(place, Plan::LogOn, self.now + delay);
        }
    }

    /// A client's call will not end.
    pub(in crate::cluster) fn forget_client(&mut self, key: SessionKey) {
        if let Some(place) = self.seat_of(key) {
            self.plan_nothing(place);
        }
    }

    /// A client forgets its connection.
    pub(in crate::cluster) fn forget_connection(&mut self, key: SessionKey) {
        if let Some(place) = self.seat_of(key)
            && self.seats[place as usize].plan == Plan::Call
        {
            self.plan_nothing(place);
        }
    }
}
