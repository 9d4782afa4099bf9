//! The adapter for live databases against the simulated one, over the wire.

use std::collections::BTreeMap;

use orawarden::engine::needs::Needs;
use orawarden::engine::policy::Verb;
use orawarden::engine::report::Outcome;
use orawarden::engine::session::{Column, Session, Snapshot, TextColumn};
use orawarden::engine::witness::Witness;
use orawarden::oracle::block::Via;
use orawarden::oracle::connection::OwnSessions;
use orawarden::oracle::killer::{OracleKiller, Task, Way};
use orawarden::oracle::source::OracleSource;

use crate::rig::{OLTP, Rig};

fn way() -> Way {
    Way { via: Via::AlterSystem, leadership: false, width: 4, disconnect_names_instance: false }
}

fn idle_users(seen: &Snapshot) -> Vec<Session<'_>> {
    let idle = |session: &Session<'_>| {
        session.is(TextColumn::Status, "INACTIVE")
            && !session.is(TextColumn::Username, "ORAWARDEN")
            && session.text(TextColumn::Username).is_some_and(|name| !name.starts_with("SYS"))
            && session.text(TextColumn::Pname).is_none()
    };
    seen.sessions.iter().filter(idle).collect()
}

#[test]
fn sessions_of_all_instances_are_seen_in_two_round_trips() {
    let rig = Rig::start(OLTP);
    let mut source = OracleSource::new(rig.settings("RACDB"), OwnSessions::default());
    source.look(&Needs::always()).expect("the first look probes views");
    let seen = source.look(&Needs::always()).expect("it looks");
    assert_eq!(seen.fetched.round_trips, 2, "{:?}", seen.fetched);
    assert!(seen.sessions.len() > 3_900, "{}", seen.sessions.len());
    let by_instance = seen.sessions.keys().iter().fold(BTreeMap::new(), |mut counts, key| {
        *counts.entry(key.inst_id).or_insert(0) += 1;
        counts
    });
    assert_eq!(by_instance.keys().copied().collect::<Vec<_>>(), [1, 2]);
    assert_eq!((seen.read_only.as_deref(), seen.warnings.as_slice()), (None, [].as_slice()));
    assert!(!seen.own_sessions.is_empty());
    for column in Needs::always().columns {
        assert!(seen.sessions.has(column), "{}", column.name());
    }
    assert!(!seen.sessions.has(Column::Text(TextColumn::SqlText)), "nobody asked for it");
}

#[test]
fn an_idle_session_is_ended_and_one_that_changed_is_not() {
    let rig = Rig::start(OLTP);
    let own = OwnSessions::default();
    let mut source = OracleSource::new(rig.settings("RACDB"), own.clone());
    let killer = OracleKiller::new(rig.settings("RACDB"), own, way());
    assert_eq!(killer.may_end(), Ok(()));
    let seen = source.look(&Needs::always()).expect("it looks");
    let victim = idle_users(&seen)[0];
    let witness = Witness::of(&[], victim);
    let end = |witness: &Witness| {
        killer.carry_out(Task { witness, verb: Verb::KillImmediate, rule: "idle" }, &seen)
    };
    let mut busy = witness.clone();
    busy.last_call_et = Some(1_000_000);
    assert_eq!(end(&busy), Outcome::Changed);
    let mut other = witness.clone();
    other.username = Some("SOMEBODY".to_owned());
    assert_eq!(end(&other), Outcome::Changed);
    assert_eq!(end(&witness), Outcome::Ended);
    assert_eq!(end(&witness), Outcome::AlreadyGone);
}
