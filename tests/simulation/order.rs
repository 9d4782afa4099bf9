//! One statement that ends a session: the comparison of `oracle::block`, the statement, and what must hold when it is
//! carried out.

use orawarden::engine::policy::Verb;
use orawarden::engine::report::{Failure, Outcome, Refusal};
use orawarden::engine::session::TextColumn;
use orawarden::engine::witness::Witness;
use rac_sim::cluster::SECOND;
use rac_sim::cluster::kill::{Answer, Manner, Order, Target};
use rac_sim::cluster::session::{NO_OWNER, Session, SessionKey, SessionType};

use crate::mutation::Mutation;
use crate::truth::{Truth, statement, untouchable, whole_second};
use crate::world::World;

/// A block on its way to the server.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) daemon: usize,
    pub(crate) issuer: SessionKey,
    pub(crate) witness: Witness,
    pub(crate) verb: Verb,
    /// What the session was when it was judged.
    pub(crate) judged: Option<Truth>,
    pub(crate) own: Vec<SessionKey>,
    pub(crate) arrives: i64,
}

impl World {
    /// The server carries the block out, if the session that it came through is still there.
    pub(crate) fn arrive(&mut self, sent: &Sent) -> Option<Outcome> {
        self.cluster.session(sent.issuer).filter(|session| session.doom.is_none())?;
        let life = sent.witness.life.key;
        let remote = life.inst_id != sent.issuer.inst_id;
        let shown = !remote || self.cluster.shown_in_gv().any(|id| id == life.inst_id);
        let Some(session) = self.found(life).filter(|_| shown) else {
            return Some(Outcome::AlreadyGone);
        };
        let same = self.mutation == Some(Mutation::NoRecheck) || self.is_same(sent, session);
        let victim = session.key;
        if !same {
            return Some(Outcome::Changed);
        }
        self.check_victim(sent, victim);
        self.check_fence(sent);
        let target = Target {
            sid: victim.sid,
            serial: victim.serial,
            inst_id: remote.then_some(victim.inst_id),
        };
        let order = order(sent.verb, sent.witness.sql_id.clone());
        let answer = self.cluster.order(sent.issuer, target, &order);
        Some(self.outcome(sent.verb, answer))
    }

    fn found(&self, key: orawarden::engine::session::SessionKey) -> Option<&Session> {
        let there = self.cluster.instance(key.inst_id)?.session(key.sid)?;
        let reuse = self.mutation == Some(Mutation::SidReuseIgnored);
        (reuse || there.key.serial == key.serial).then_some(there)
    }

    /// The SELECT of the block.
    fn is_same(&self, sent: &Sent, now: &Session) -> bool {
        // The policies here ask neither queries nor who blocks.
        let Witness {
            life,
            username,
            status,
            sql_id,
            sql_exec_id,
            last_call_et,
            looked_at,
            queries: _,
            blocks: _,
        } = &sent.witness;
        let without = |mutation| self.mutation == Some(mutation);
        let reuse = without(Mutation::SidReuseIgnored);
        let logon = life.logon_time.is_some_and(|at| at.0 == whole_second(self.shown(now.logon)));
        let user = now.user.as_ref().filter(|user| user.id != 0).map(|user| &*user.name);
        let state = now.status().as_str();
        let et = i64::try_from(self.cluster.last_call_et(now)).unwrap_or(i64::MAX);
        let active = status.as_deref() == Some("ACTIVE") || sent.verb == Verb::CancelSql;
        let running = statement(now);
        let same_statement = running.as_ref().map(|it| it.0.as_str()) == sql_id.as_deref()
            && running.as_ref().map(|it| i64::from(it.1)) == *sql_exec_id;
        let slave = now.owner_id != NO_OWNER || now.px.is_some_and(|px| px.coordinator != now.key);
        let slave = slave && !without(Mutation::SlaveShown);
        let looked = looked_at.iter().all(|(column, then)| match column {
            TextColumn::Module => now.marks.module.as_deref() == then.as_deref(),
            _ => true,
        });
        let who = (logon || reuse)
            && now.session_type == SessionType::User
            && user.is_some()
            && (user == username.as_deref() || reuse);
        let call =
            without(Mutation::CallAgeNotCompared) || last_call_et.is_some_and(|then| et >= then);
        let status = without(Mutation::StatusNotCompared)
            || (status.as_deref() == Some(state) && !["KILLED", "CACHED"].contains(&state));
        let statement = without(Mutation::StatementNotCompared) || !active || same_statement;
        who && call && status && statement && looked && !slave
    }

    /// Whoever is ended is still what was judged, and somebody who may be ended at all.
    fn check_victim(&mut self, sent: &Sent, victim: SessionKey) {
        let Some(session) = self.cluster.session(victim) else { return };
        let now = Truth::of(&self.cluster, session, self.age(session));
        let mut wrong = untouchable(session).map(str::to_owned);
        if sent.own.contains(&victim) {
            wrong = Some("a session of the daemon's own".to_owned());
        }
        let judged = sent.judged.as_ref().filter(|was| was.logon == now.logon);
        let judged = judged.filter(|_| victim.serial == sent.witness.life.key.serial);
        let again = judged.is_some_and(|was| was.calls != now.calls && was.status != "ACTIVE");
        let changed = match judged {
            None => Some("another life than the one that was judged"),
            Some(was) if was.username != now.username => Some("another user"),
            Some(was) if was.status != now.status => Some("in another status"),
            Some(was) if now.et < was.et => Some("in another call"),
            Some(was) if was.status == "ACTIVE" && was.statement != now.statement => {
                Some("in another statement")
            }
            Some(_) => None,
        };
        self.stats.idle_again += u64::from(again && changed.is_none());
        if let Some(wrong) = wrong.or(changed.map(str::to_owned)) {
            self.violate(format!(
                "{victim:?} is ended, which is {wrong}: {now:?}, judged {judged:?}"
            ));
        }
    }

    /// All sessions that may end others belong to one daemon, at the moment when one does.
    fn check_fence(&mut self, sent: &Sent) {
        if !self.leadership {
            return;
        }
        if self.granted.get(&sent.issuer) != Some(&sent.daemon) {
            self.violate(format!("{:?} ends sessions without the right to", sent.issuer));
        }
        let Self { granted, cluster, .. } = self;
        granted.retain(|key, _| cluster.session(*key).is_some());
        if let Some((key, other)) = granted.iter().find(|(_, daemon)| **daemon != sent.daemon) {
            let what =
                format!("daemon {} ends sessions while {key:?} of daemon {other} may", sent.daemon);
            self.violate(what);
        }
    }

    fn outcome(&mut self, verb: Verb, mut answer: Answer) -> Outcome {
        while let Answer::Wait(pending) = answer {
            self.cluster.advance(5 * SECOND);
            answer = self.cluster.ask_again(pending);
        }
        match answer {
            Answer::Error(error) => match error.code {
                30 => Outcome::AlreadyGone,
                31 => Outcome::Accepted,
                27 => Outcome::Refused(Refusal::OwnSession),
                29 => Outcome::Refused(Refusal::NotUserSession),
                43 | 1_013 => Outcome::Unknown,
                _ => Outcome::Failed(Failure::Server),
            },
            _ if verb == Verb::DisconnectPostTransaction => Outcome::Accepted,
            _ => Outcome::Ended,
        }
    }
}

fn order(verb: Verb, sql_id: Option<String>) -> Order {
    let kill = |manner| Order::Kill { manner, timeout: None };
    match verb {
        Verb::CancelSql => Order::Cancel { sql_id },
        Verb::KillPlain => kill(Manner::Plain),
        Verb::KillImmediate => kill(Manner::Immediate),
        Verb::KillNoreplay => kill(Manner::NoReplay),
        Verb::KillForce => kill(Manner::Force),
        Verb::DisconnectPostTransaction => {
            Order::Disconnect { post_transaction: true, manner: Manner::Plain, timeout: None }
        }
        Verb::DisconnectImmediate => {
            Order::Disconnect { post_transaction: false, manner: Manner::Immediate, timeout: None }
        }
    }
}
