//! One call of a client, from its choice of a statement to the end.

use std::sync::Arc;

use super::{Forced, Kind, Plan, Seat, Work};
use crate::cluster::event::EventId;
use crate::cluster::live::Cursor;
use crate::cluster::lock::Row;
use crate::cluster::locking::Grant;
use crate::cluster::session::{Call, CallKind, SessionKey};
use crate::cluster::spec::ServerKind;
use crate::cluster::statement::Statement;
use crate::cluster::wait::{Doing, Mix};
use crate::cluster::{Cluster, Micros, SECOND};

/// What a call will be like.
#[derive(Debug)]
struct Intent {
    kind: CallKind,
    statement: Option<Arc<Statement>>,
    doing: Doing,
    length: Micros,
    writing: bool,
    temp_blocks: u32,
}

impl Cluster {
    /// A client calls.
    pub(super) fn seat_calls(&mut self, place: u32, key: SessionKey) {
        let session = self.session(key).expect("a client knows when its session is gone");
        if session.sniped || session.doom.is_some_and(|doom| doom.is_acknowledgement_missing()) {
            // The call is answered with the reason, and the client takes a new connection.
            self.remove(key, None);
            return;
        }
        if session.doom.is_some() || session.call.is_some() {
            // It is still rolling back: the client waits for its answer.
            self.plan(place, Plan::Call, self.now + 2 * SECOND);
            return;
        }
        let cancelled = session.cancel_next;
        let now = self.now;
        let intent = {
            let seat = &mut self.seats[place as usize];
            intent(&self.works[seat.work as usize], seat, now)
        };
        let slow = self.instance(key.inst_id).and_then(|instance| instance.trouble.slow);
        let slow = slow.filter(|(until, _)| *until > now).map_or(0, |(_, by)| by);
        let until = now + intent.length + slow;
        self.enter_call(key, intent.kind, intent.statement, intent.doing);
        if let Some(session) = self.session_mut(key) {
            session.cancel_next = false;
            session.temp_blocks = intent.temp_blocks;
            if let Some(call) = &mut session.call {
                call.expected = Some(until);
            }
        }
        self.seats[place as usize].writing = intent.writing;
        if self.work_of(place).spec.server != ServerKind::Dedicated {
            self.change_hands(place, key);
        }
        if cancelled {
            self.seat_cancelled(place);
            return;
        }
        if self.work_of(place).spec.kind == Kind::Parallel {
            self.start_slaves(key, self.work_of(place).spec.degree);
        }
        let stuck = self.instance(key.inst_id).and_then(|instance| instance.trouble.stuck);
        if let (true, Some(stuck)) = (intent.writing, stuck.filter(|stuck| *stuck > now)) {
            // It cannot even write its first redo record.
            self.do_now(key, Doing::Wait { event: EventId::LogFileSwitch, since: now, round: 0 });
            self.plan(place, Plan::Finish, stuck + intent.length);
        } else if intent.writing {
            self.begin_writing(place, key, until);
        } else {
            self.plan(place, Plan::Finish, until);
        }
    }

    /// Another person uses the session.
    fn change_hands(&mut self, place: u32, key: SessionKey) {
        let seat = &mut self.seats[place as usize];
        let work = &self.works[seat.work as usize];
        let person = format!("user{}", seat.rng.below(500));
        let module = (!work.modules.is_empty())
            .then(|| Arc::clone(&work.modules[seat.rng.index(work.modules.len())]));
        if let Some(session) = self.session_mut(key) {
            session.marks.client_identifier = Some(person.into());
            session.marks.module = module.or(session.marks.module.take());
        }
    }

    /// A client changes its table: its transaction begins, if there is none, and grows.
    fn write(&mut self, place: u32, key: SessionKey) {
        let transaction = self.ensure_transaction(key);
        let now = self.now;
        let (rate, table) = (self.work_of(place).spec.undo_per_second, self.work_of(place).table);
        if let Some(transaction) = self.transaction_mut(transaction) {
            transaction.set_rate(now, i64::from(rate));
            if !transaction.tables.contains(&table) {
                transaction.tables.push(table);
            }
        }
    }

    /// A changing call wants its rows; it has changed nothing before it has the first.
    fn begin_writing(&mut self, place: u32, key: SessionKey, until: Micros) {
        let table = self.work_of(place).table;
        match self.want_table(key, table) {
            Ok(Grant::Granted) => {}
            Ok(Grant::Queued) => return self.plan_nothing(place),
            Err(_) => return self.seat_cancelled(place),
        }
        let seat = &mut self.seats[place as usize];
        let hot = self.works[seat.work as usize].spec.hot_rows;
        seat.more_rows = 0;
        let number = match seat.forced {
            Some(Forced::Hold { row, .. } | Forced::Want { row }) => {
                seat.more_rows = u32::from(row > 0);
                row
            }
            Some(Forced::Latch { .. }) | None if hot == 0 => {
                self.write(place, key);
                self.plan(place, Plan::Finish, until);
                return;
            }
            Some(Forced::Latch { .. }) | None => {
                seat.more_rows = u32::from(seat.rng.chance(0.3));
                u32::try_from(seat.rng.below(u64::from(hot))).expect("below a u32")
            }
        };
        self.seat_wants(place, key, Row { object: table, number });
    }

    /// From now on a transaction grows by so many undo records a second.
    pub(super) fn grow(&mut self, key: SessionKey, per_second: u32) {
        let now = self.now;
        let transaction = self.session(key).and_then(|session| session.transaction);
        if let Some(transaction) = transaction.and_then(|key| self.transaction_mut(key))
            && !transaction.is_rolling_back()
        {
            transaction.set_rate(now, i64::from(per_second));
        }
    }

    /// A client has the table for which it waited, and changes it.
    pub(in crate::cluster) fn seat_has_table(&mut self, place: u32) {
        let seat = &mut self.seats[place as usize];
        let Some(key) = seat.session else { return };
        let length = seat.rng.exponential(self.works[seat.work as usize].common).max(500);
        self.begin_writing(place, key, self.now + length);
    }

    fn seat_wants(&mut self, place: u32, key: SessionKey, row: Row) {
        match self.want_row(key, row) {
            Ok(Grant::Granted) => self.after_row(place, key),
            Ok(Grant::Queued) => {
                self.grow(key, 0);
                self.plan_nothing(place);
            }
            // A deadlock: the statement is rolled back, and so does the application.
            Err(_) => self.seat_cancelled(place),
        }
    }

    /// A client has its row: it wants another, sleeps on it, or works and ends its call.
    pub(super) fn after_row(&mut self, place: u32, key: SessionKey) {
        self.write(place, key);
        let now = self.now;
        let table = self.work_of(place).table;
        let seat = &mut self.seats[place as usize];
        let work = &self.works[seat.work as usize];
        if seat.more_rows > 0 {
            seat.more_rows -= 1;
            let number = match seat.forced {
                // Down towards the root.
                Some(Forced::Want { row }) => row.saturating_sub(3),
                _ => u32::try_from(seat.rng.below(u64::from(work.spec.hot_rows.max(1))))
                    .expect("below a u32"),
            };
            self.seat_wants(place, key, Row { object: table, number });
            return;
        }
        let sleep = match (seat.forced, work.spec.kind) {
            (Some(Forced::Hold { length, .. }), _) => Some(length),
            (None, Kind::Blocker) => Some(seat.rng.exponential(work.long)),
            _ => None,
        };
        let until = now + sleep.unwrap_or_else(|| seat.rng.exponential(work.common)).max(500);
        if sleep.is_some() {
            self.do_now(key, Doing::Sleep { since: now, until });
        }
        self.plan(place, Plan::Finish, until);
    }

    /// A client's call ends.
    pub(super) fn seat_finishes(&mut self, place: u32, key: SessionKey) {
        let session = self.session(key).expect("a client knows when its session is gone");
        if session.doom.is_some() {
            self.notice(key);
            return;
        }
        // Whoever forgets a transaction does so once: with the next call it ends.
        let began = session.call.as_ref().map_or(0, |call| call.began);
        let transaction = session.transaction.and_then(|key| self.transaction(key));
        let clock = self.instance(key.inst_id).map_or(0, |instance| instance.clock(began));
        let is_new = transaction.is_some_and(|transaction| transaction.start >= clock);
        self.grow(key, 0);
        let seat = &mut self.seats[place as usize];
        let spec = &self.works[seat.work as usize].spec;
        let holds = seat.writing
            && seat.forced.is_none()
            && match spec.kind {
                Kind::IdleInTransaction => is_new,
                _ => seat.rng.chance(spec.hold_share),
            };
        let open = matches!(spec.kind, Kind::Person | Kind::Dashboard) && seat.rng.chance(0.35);
        let leaves = spec.kind == Kind::Job || (!holds && seat.rng.chance(spec.reconnect_share));
        seat.forced = None;
        seat.writing = false;
        self.end_call(key, if open { Cursor::Open } else { Cursor::Closed });
        if !holds {
            self.finish_commit(key);
        }
        if leaves {
            self.remove(key, None);
        } else if self.seats[place as usize].session == Some(key) {
            self.think(place);
        }
    }

    /// Begins a call that has no end: a monitor's loop, a backup.
    pub(super) fn start_forever(&mut self, place: u32, key: SessionKey, since: Micros) {
        let seat = &mut self.seats[place as usize];
        let work = &self.works[seat.work as usize];
        let doing = match (work.spec.kind, seat.number % 4) {
            (Kind::Monitor, _) => {
                Doing::Wait { event: EventId::LockTimer, since, round: 60 * SECOND }
            }
            (_, 0) => Doing::Wait { event: EventId::MessageFromClient, since, round: 0 },
            (_, 1) => Doing::Wait { event: EventId::ResmgrCpu, since, round: 90_000 },
            _ => Doing::Wait { event: EventId::RmanIo, since, round: 700_000 },
        };
        let statement = Arc::clone(&work.reads[0]);
        self.enter_call(key, CallKind::Plsql, Some(statement), doing);
        if let Some(session) = self.session_mut(key) {
            session.boundary = since;
            if let Some(Call { began, .. }) = &mut session.call {
                *began = since;
            }
        }
        self.plan_nothing(place);
    }
}

/// Chooses what a client's next call is.
fn intent(work: &Work, seat: &mut Seat, now: Micros) -> Intent {
    let rng = &mut seat.rng;
    if seat.reserve && seat.forced.is_none() {
        let statement = Some(Arc::clone(&work.ping));
        let length = rng.between(300, 2_000);
        return Intent {
            kind: CallKind::Sql,
            statement,
            doing: Doing::Work(Mix::Cpu),
            length,
            writing: false,
            temp_blocks: 0,
        };
    }
    if let Some(Forced::Latch { length }) = seat.forced {
        let statement = work.reads.first().map(Arc::clone);
        return Intent {
            kind: CallKind::Sql,
            statement,
            doing: Doing::Work(Mix::Latch),
            length,
            writing: false,
            temp_blocks: 0,
        };
    }
    let spec = &work.spec;
    let long = rng.chance(spec.long_share);
    let length = rng.exponential(if long { work.long } else { work.common }).max(200);
    let holder = matches!(spec.kind, Kind::Blocker | Kind::IdleInTransaction);
    let writing = seat.forced.is_some() || holder || rng.chance(spec.write_share);
    let list = if writing && !work.writes.is_empty() { &work.writes } else { &work.reads };
    // In one call of twenty nothing is seen of the statement: it parses, or runs recursive ones.
    let unseen = rng.chance(0.05);
    let statement =
        (!unseen).then(|| list.get(zipf(rng.unit(), list.len())).map(Arc::clone)).flatten();
    let wait = |event| Doing::Wait { event, since: now, round: 0 };
    let doing = match spec.kind {
        Kind::Link if rng.chance(0.7) => wait(EventId::MessageFromDblink),
        Kind::Parallel => wait(EventId::PxExecuteReply),
        Kind::Batch | Kind::Job => Doing::Work(Mix::Batch),
        _ => Doing::Work(Mix::Oltp),
    };
    let kind =
        if matches!(spec.kind, Kind::Batch | Kind::Job) { CallKind::Plsql } else { CallKind::Sql };
    // Sorts of long calls spill; a person's open cursor keeps what it took (realdata, O12).
    let spills = matches!(spec.kind, Kind::Batch | Kind::Job | Kind::Parallel | Kind::Person)
        && rng.chance(0.5);
    let temp_blocks = if spills && statement.is_some() {
        u32::try_from(rng.between(128, 200_000)).unwrap_or(0)
    } else {
        0
    };
    Intent { kind, statement, doing, length, writing, temp_blocks }
}

/// A place in a list, the first ones far oftener: about as SQL_IDs are distributed (realdata, section 5.1).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the list's length"
)]
fn zipf(unit: f64, len: usize) -> usize {
    let place = ((len + 1) as f64).powf(unit) - 1.0;
    (place as usize).min(len.saturating_sub(1))
}
