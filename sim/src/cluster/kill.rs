//! KILL SESSION, DISCONNECT SESSION and CANCEL SQL: what the issuer is told, what the victim is told and what the row
//! shows meanwhile (facts, sections 2.2 to 2.6).

use super::error::error;
use super::event::EventId;
use super::history::What;
use super::instance::InstanceState;
use super::queue::Due;
use super::session::{Role, Session, SessionKey, SessionType};
use super::spec::{DeadInstance, PseudoAgain};
use super::wait::Doing;
use super::{Cluster, Micros, SECOND};
use crate::conversation::{Death, Release};
use crate::ora::OraError;

/// How an order reaches its target: `'sid, serial# [, @inst]'`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// SID.
    pub sid: u32,
    /// SERIAL#.
    pub serial: u32,
    /// The instance; the issuer's own if absent.
    pub inst_id: Option<u32>,
}

impl Target {
    /// Reads the text between the quotes of KILL and DISCONNECT. The error is ORA-00026.
    pub fn parse(text: &str) -> Result<Self, OraError> {
        Self::read(text, false).map(|(target, _)| target)
    }

    /// Reads the text between the quotes of CANCEL SQL, which may have a SQL_ID at its end.
    pub fn parse_cancel(text: &str) -> Result<(Self, Option<String>), OraError> {
        Self::read(text, true)
    }

    fn read(text: &str, with_sql_id: bool) -> Result<(Self, Option<String>), OraError> {
        let number = |part: Option<&str>| -> Result<u32, OraError> {
            let part = part.unwrap_or("").trim();
            part.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| part.parse().ok())
                .flatten()
                .ok_or_else(|| error(26))
        };
        let mut parts = text.split(',');
        let (sid, serial) = (number(parts.next())?, number(parts.next())?);
        let mut rest = parts.map(str::trim).peekable();
        let instance = rest
            .next_if(|part| part.starts_with('@'))
            .map(|part| number(part.get(1..)))
            .transpose()?;
        let sql_id = if with_sql_id { rest.next().map(str::to_owned) } else { None };
        match rest.next() {
            None => Ok((Self { sid, serial, inst_id: instance }, sql_id)),
            Some(_) => Err(error(26)),
        }
    }
}

/// The word behind KILL SESSION; at most one is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// None: waits up to 60 seconds.
    #[default]
    Plain,
    /// IMMEDIATE
    Immediate,
    /// NOREPLAY
    NoReplay,
    /// FORCE
    Force,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// KILL SESSION
    Kill {
        /// IMMEDIATE, NOREPLAY or FORCE.
        manner: Manner,
        /// TIMEOUT in seconds.
        timeout: Option<u32>,
    },
    /// DISCONNECT SESSION
    Disconnect {
        /// POST_TRANSACTION
        post_transaction: bool,
        /// IMMEDIATE, NOREPLAY or FORCE.
        manner: Manner,
        /// TIMEOUT in seconds.
        timeout: Option<u32>,
    },
    /// CANCEL SQL
    Cancel {
        /// Only if this is what runs.
        sql_id: Option<String>,
    },
}

/// What the issuer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// It failed, or was only accepted (ORA-00031).
    Error(OraError),
    /// The issuer's call goes on: ask again with [`Cluster::ask_again`], at the latest when the time is over.
    Wait(Pending),
}

/// An order that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// Who ordered.
    pub issuer: SessionKey,
    /// The victim; `None` while the order is stuck on its way to another instance.
    pub target: Option<SessionKey>,
    /// When the wait is over.
    pub until: Micros,
    /// Then the connection is torn down.
    pub force: bool,
}

/// How the client learns of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// An error.
    Error(u32),
    /// Its connection closes.
    Cut,
}

impl Parting {
    /// The error that the client sees, also if it has to make it up.
    pub(super) fn error(self) -> OraError {
        match self {
            Self::Error(code) => error(code),
            Self::Cut => error(3_113),
        }
    }

    pub(super) fn death(self) -> Death {
        match self {
            Self::Error(code) => Death::Error(error(code)),
            Self::Cut => Death::Cut,
        }
    }
}

/// How far a marked session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It has not noticed.
    Marked,
    /// Its transaction is rolled back.
    RollingBack,
    /// All is freed; its client has to be told.
    AwaitingAcknowledgement,
}

/// The end of a session that was marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doom {
    /// When.
    pub marked: Micros,
    /// How far it is.
    pub stage: Stage,
    /// How the client learns of it.
    pub parting: Parting,
    /// The row stays until the client was told.
    pub(super) waits_for_client: bool,
}

impl Doom {
    /// SERVER is PSEUDO.
    pub fn is_acknowledgement_missing(&self) -> bool {
        self.stage == Stage::AwaitingAcknowledgement
    }
}

/// How soon a working session notices that it was marked.
const NOTICE: Micros = 200_000;
/// How soon a call notices that it was cancelled: measured on a quiet system.
const CANCEL_NOTICE: Micros = 1_500_000;
/// How long a plain KILL waits.
const PLAIN_WAIT: u32 = 60;
/// How long FORCE waits.
const FORCE_WAIT: u32 = 5;

/// What to do to a session, and how long to wait for it.
#[derive(Debug, Clone, Copy)]
struct Sentence {
    parting_idle: Parting,
    parting_active: Parting,
    waits_for_client: bool,
    wait: u32,
    force: bool,
}

impl Cluster {
    /// Carries out an order of a session.
    pub fn order(&mut self, issuer: SessionKey, target: Target, order: &Order) -> Answer {
        let answer = match self.try_order(issuer, target, order) {
            Ok(answer) => answer,
            Err(error) => Answer::Error(error),
        };
        self.mind_issuer(issuer, answer)
    }

    /// Asks about an order that is not over.
    pub fn ask_again(&mut self, pending: Pending) -> Answer {
        let over = pending.target.is_some_and(|key| {
            self.session(key).is_none_or(|session| {
                session.doom.is_some_and(|doom| doom.is_acknowledgement_missing())
            })
        });
        let answer = match pending.target {
            _ if over => Answer::Done,
            _ if self.now < pending.until => Answer::Wait(pending),
            Some(key) if pending.force => {
                self.remove(key, Some(Parting::Cut));
                Answer::Done
            }
            _ => Answer::Error(error(31)),
        };
        self.mind_issuer(pending.issuer, answer)
    }

    /// With the switch for it, ORA-00031 costs the issuer its connection.
    fn mind_issuer(&mut self, issuer: SessionKey, answer: Answer) -> Answer {
        let marked = matches!(&answer, Answer::Error(error) if error.code == 31);
        if marked && self.spec.switches.marked_cuts_issuer {
            self.remove(issuer, Some(Parting::Cut));
        }
        answer
    }

    fn try_order(
        &mut self,
        issuer: SessionKey,
        target: Target,
        order: &Order,
    ) -> Result<Answer, OraError> {
        self.check_grammar(target, order)?;
        let inst_id = target.inst_id.unwrap_or(issuer.inst_id);
        if self.instance(inst_id).is_none_or(|instance| instance.state != InstanceState::Open) {
            return self.dead_instance(issuer);
        }
        let victim = SessionKey { inst_id, sid: target.sid, serial: target.serial };
        self.check_victim(issuer, victim)?;
        match *order {
            Order::Cancel { ref sql_id } => self.order_cancel(victim, sql_id.as_deref()),
            Order::Disconnect { post_transaction: true, manner, .. }
                if self.in_transaction(victim) =>
            {
                let session = self.session_mut(victim).expect("it was checked");
                session.leave = Some(cut(manner));
                Ok(Answer::Done)
            }
            Order::Disconnect { post_transaction: false, manner, .. }
                if manner != Manner::Plain && self.hung_until(inst_id).is_none() =>
            {
                self.record(What::Marked, victim, 1);
                self.remove(victim, Some(cut(manner)));
                Ok(Answer::Done)
            }
            // Without a transaction, or without a word behind it, DISCONNECT acts as KILL.
            Order::Kill { manner, timeout } | Order::Disconnect { manner, timeout, .. } => {
                let sentence = self.sentence(manner, timeout);
                self.order_kill(issuer, victim, sentence)
            }
        }
    }

    /// What the release does not know is a syntax error.
    fn check_grammar(&self, target: Target, order: &Order) -> Result<(), OraError> {
        let (release, switches) = (self.release(), &self.spec.switches);
        let force_known =
            release >= Release::R23 || (switches.force_before_23 && release >= Release::R12_2);
        let (manner, timeout) = match order {
            Order::Cancel { .. } => {
                let known = release >= Release::R19
                    || (switches.cancel_in_12_2 && release == Release::R12_2);
                return if known { Ok(()) } else { Err(error(2_065)) };
            }
            Order::Kill { manner, timeout } | Order::Disconnect { manner, timeout, .. } => {
                (*manner, *timeout)
            }
        };
        if matches!(order, Order::Disconnect { .. })
            && target.inst_id.is_some()
            && !switches.disconnect_at_instance
        {
            return Err(error(26));
        }
        if manner == Manner::NoReplay && release < Release::R12_1 {
            return Err(error(922));
        }
        if (manner == Manner::Force || timeout.is_some()) && !force_known {
            return Err(error(922));
        }
        Ok(())
    }

    fn dead_instance(&self, issuer: SessionKey) -> Result<Answer, OraError> {
        match self.spec.switches.dead_instance {
            DeadInstance::Gone => Err(error(30)),
            DeadInstance::RemoteFailed => Err(error(43)),
            DeadInstance::Invalid => Err(error(26)),
            DeadInstance::Waits => {
                let until = self.now + i64::from(PLAIN_WAIT) * SECOND;
                Ok(Answer::Wait(Pending { issuer, target: None, until, force: false }))
            }
        }
    }

    fn check_victim(&self, issuer: SessionKey, victim: SessionKey) -> Result<(), OraError> {
        let session = self.session(victim).ok_or_else(|| error(30))?;
        if victim == issuer {
            return Err(error(27));
        }
        let own = self.session(issuer).map_or(0, |session| session.con_id);
        if own > 2 && session.con_id != own {
            return Err(error(self.spec.switches.other_container));
        }
        if session.session_type != SessionType::User {
            return Err(error(29));
        }
        Ok(())
    }

    fn sentence(&self, manner: Manner, timeout: Option<u32>) -> Sentence {
        let lost =
            if self.spec.switches.lost_contact { Parting::Error(3_135) } else { Parting::Cut };
        let plain = manner == Manner::Plain
            || (manner == Manner::NoReplay && self.spec.switches.no_replay_waits);
        let default_wait = match manner {
            Manner::Force => FORCE_WAIT,
            _ if plain => PLAIN_WAIT,
            _ => 0,
        };
        let (parting_idle, parting_active) = match manner {
            Manner::Plain => (Parting::Error(28), Parting::Error(28)),
            Manner::NoReplay => (Parting::Error(45), Parting::Error(45)),
            Manner::Immediate | Manner::Force => (lost, Parting::Error(28)),
        };
        Sentence {
            parting_idle,
            parting_active,
            waits_for_client: manner == Manner::Plain,
            wait: timeout.unwrap_or(default_wait),
            force: manner == Manner::Force,
        }
    }

    fn order_kill(
        &mut self,
        issuer: SessionKey,
        victim: SessionKey,
        sentence: Sentence,
    ) -> Result<Answer, OraError> {
        let session = self.session(victim).expect("it was checked");
        match session.doom.map(|doom| doom.stage) {
            None => self.mark(victim, sentence),
            Some(Stage::AwaitingAcknowledgement) if sentence.waits_for_client => {
                return match self.spec.switches.pseudo_again {
                    PseudoAgain::Gone => Err(error(30)),
                    PseudoAgain::Marked => Err(error(31)),
                    PseudoAgain::Nothing => Ok(Answer::Done),
                };
            }
            Some(Stage::AwaitingAcknowledgement) => {
                let parting = session.doom.map(|doom| doom.parting);
                self.remove(victim, parting);
            }
            Some(_) => {}
        }
        let until = self.now + i64::from(sentence.wait) * SECOND;
        Ok(self.ask_again(Pending { issuer, target: Some(victim), until, force: sentence.force }))
    }

    /// Marks a session. If it is idle and has little to roll back, all is over at once.
    fn mark(&mut self, victim: SessionKey, sentence: Sentence) {
        let now = self.now;
        let session = self.session_mut(victim).expect("it was checked");
        session.sniped = false;
        let active = session.call.is_some();
        let parting = if active { sentence.parting_active } else { sentence.parting_idle };
        let waits_for_client = sentence.waits_for_client && !active;
        session.doom = Some(Doom { marked: now, stage: Stage::Marked, parting, waits_for_client });
        let notice = if active { notice_at(session, now) } else { Some(now) };
        self.dying.insert(victim);
        self.record(What::Marked, victim, u64::from(active));
        match notice {
            Some(at) if at > now => self.queue.plan(at, Due::Notice(victim)),
            Some(_) => self.notice(victim),
            None => {}
        }
    }

    /// A marked session notices it: it lets go of what it waits for and rolls back.
    pub(super) fn notice(&mut self, victim: SessionKey) {
        let Some(session) = self.session(victim) else { return };
        if session.doom.is_none_or(|doom| doom.stage != Stage::Marked) {
            return;
        }
        if let Some(until) = self.hung_until(victim.inst_id) {
            self.queue.plan(until.min(self.now + 5 * SECOND), Due::Notice(victim));
            return;
        }
        let transaction = session.transaction;
        self.leave_queues(victim);
        self.set_stage(victim, Stage::RollingBack);
        let until = transaction.map_or(self.now, |transaction| self.start_rollback(transaction));
        if until <= self.now {
            self.after_rollback(victim);
        }
    }

    fn set_stage(&mut self, victim: SessionKey, stage: Stage) {
        if let Some(doom) = self.session_mut(victim).and_then(|session| session.doom.as_mut()) {
            doom.stage = stage;
        }
    }

    /// The rollback of a session is done; if it was marked, it is over now.
    pub(super) fn after_rollback(&mut self, victim: SessionKey) {
        let Some(doom) = self.session(victim).and_then(|session| session.doom) else {
            self.seat_rolled_back(victim);
            self.leave_if_asked(victim);
            return;
        };
        if doom.stage != Stage::RollingBack {
            return;
        }
        if !doom.waits_for_client {
            self.remove(victim, Some(doom.parting));
            return;
        }
        self.release_locks(victim);
        self.set_stage(victim, Stage::AwaitingAcknowledgement);
        let rewritten = self.spec.switches.paddr_rewritten;
        let instance = self.home(victim);
        let pseudo = instance.process_addr(1);
        if let Some(pid) = instance.session_mut(victim.sid).and_then(|session| session.pid.take()) {
            instance.end_process_of_ghost(pid);
        }
        if rewritten && let Some(session) = instance.session_mut(victim.sid) {
            session.paddr = pseudo;
        }
    }

    /// DISCONNECT POST_TRANSACTION: the transaction is over.
    pub(super) fn leave_if_asked(&mut self, key: SessionKey) {
        if let Some(parting) = self.session(key).and_then(|session| session.leave) {
            self.remove(key, Some(parting));
        }
    }

    fn order_cancel(
        &mut self,
        victim: SessionKey,
        sql_id: Option<&str>,
    ) -> Result<Answer, OraError> {
        let (mismatch, reaches) =
            (self.spec.switches.cancel_mismatch, self.spec.switches.cancel_reaches_next);
        let now = self.now;
        let session = self.session_mut(victim).expect("it was checked");
        let running = session
            .call
            .as_ref()
            .and(session.current.as_ref())
            .map(|current| current.statement.sql_id);
        if let Some(sql_id) = sql_id
            && running.is_none_or(|running| running.as_str() != sql_id)
        {
            return if mismatch == 0 { Ok(Answer::Done) } else { Err(error(mismatch)) };
        }
        if session.call.is_none() {
            session.cancel_next |= reaches;
            return Ok(Answer::Done);
        }
        let due = Due::Cancel { key: victim, call: session.calls };
        if notice_at(session, now).is_some() {
            self.queue.plan(now + CANCEL_NOTICE, due);
        }
        Ok(Answer::Done)
    }

    /// A call notices that it was cancelled, if it is still the same one. When it began does not tell: the next one may
    /// begin at the same moment.
    pub(super) fn cancel_due(&mut self, key: SessionKey, call: u64) {
        let Some(session) = self.session(key) else { return };
        if session.doom.is_some() || session.call.is_none() || session.calls != call {
            return;
        }
        self.record(What::Cancelled, key, 0);
        self.fail_call(key, 1_013);
    }

    /// The call of a session fails while it works or waits.
    pub(super) fn fail_call(&mut self, key: SessionKey, code: u32) {
        self.leave_queues(key);
        let Some(session) = self.session_mut(key) else { return };
        session.cancelled = Some(code);
        if let Role::Seat(seat) = session.role {
            self.seat_cancelled(seat);
        }
    }
}

/// What a client is told whose connection is taken away.
fn cut(manner: Manner) -> Parting {
    if manner == Manner::NoReplay { Parting::Error(45) } else { Parting::Cut }
}

/// When a session in a call notices that it was marked; `None`: not before the call ends by itself.
fn notice_at(session: &Session, now: Micros) -> Option<Micros> {
    let call = session.call.as_ref()?;
    match call.doing {
        Doing::Sleep { until, .. } => Some(until.max(now)),
        // A monitor's sleep: it ends when its round does.
        Doing::Wait { event: EventId::LockTimer, since, round } if round > 0 => {
            Some(since + ((now - since) / round + 1) * round)
        }
        Doing::Wait { event: EventId::MessageFromDblink | EventId::ReliableMessage, .. } => None,
        _ => Some(now + NOTICE + i64::try_from(call.seed % 300_000).unwrap_or(0)),
    }
}
