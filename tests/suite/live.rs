//! The adapter for live databases against the simulated one, over the wire.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use orawarden::engine::needs::Needs;
use orawarden::engine::policy::Verb;
use orawarden::engine::report::Outcome;
use orawarden::engine::session::{Column, InstanceState, Session, Snapshot, TextColumn};
use orawarden::engine::witness::Witness;
use orawarden::oracle::block::Via;
use orawarden::oracle::connection::{Account, Settings, Topology};
use orawarden::oracle::killer::{OracleKiller, Task, Way};
use orawarden::oracle::protocol::DriverKind;
use orawarden::oracle::source::OracleSource;
use rac_sim::cluster::fault::Fault;
use rac_sim::conversation::{Progress, Statement};

use crate::rig::{OLTP, Rig, with_both_drivers};

with_both_drivers!(
    sessions_of_all_instances_are_seen_in_two_round_trips,
    an_idle_session_is_ended_and_one_that_changed_is_not,
    a_session_that_began_a_call_since_it_was_judged_survives,
    each_instance_can_be_looked_at_and_ended_on_through_its_own_connection,
    an_instance_that_does_not_answer_is_missing_and_the_others_are_seen,
    an_instance_that_gv_leaves_out_from_the_first_look_on_is_missing_as_long_as_it_is_up,
    a_wrong_password_is_tried_once_by_all_our_connections_together,
    one_daemon_leads_and_another_takes_over_when_its_sessions_are_gone
);

fn way() -> Way {
    Way { via: Via::AlterSystem, leadership: true, width: 4, disconnect_names_instance: false }
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

fn sessions_of_all_instances_are_seen_in_two_round_trips(driver: DriverKind) {
    let rig = Rig::with(driver, OLTP);
    let mut source = OracleSource::new(rig.settings("RACDB"), Account::default());
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

fn an_idle_session_is_ended_and_one_that_changed_is_not(driver: DriverKind) {
    let rig = Rig::with(driver, OLTP);
    let account = Account::default();
    let mut source = OracleSource::new(rig.settings("RACDB"), account.clone());
    let killer = OracleKiller::new(rig.settings("RACDB"), account, way());
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

fn a_session_that_began_a_call_since_it_was_judged_survives(driver: DriverKind) {
    let rig = Rig::with(driver, "{seed: 3, speed: 0, databases: [{like: quiet}]}");
    let account = Account::default();
    let mut source = OracleSource::new(rig.settings("RACDB"), account.clone());
    let killer = OracleKiller::new(rig.settings("RACDB"), account, way());
    assert_eq!(killer.may_end(), Ok(()));
    let database = rig.database();
    let mut victim = database.connect("app", "RACDB2").expect("the account can log in");
    let statement = Statement { sql: "SELECT 1 FROM dual".to_owned(), ..Statement::default() };
    for round in 0..1_000 {
        // Time stands still but for this second.
        database.advance(1_000_000);
        let seen = source.look(&Needs::always()).expect("it looks");
        let row = seen.sessions.iter().find(|one| one.is(TextColumn::Username, "APP"));
        let witness = Witness::of(&[], row.expect("it is there"));
        assert!(matches!(victim.execute(&statement), Progress::Done(Ok(_))));
        let task = Task { witness: &witness, verb: Verb::KillImmediate, rule: "idle" };
        assert_eq!(killer.carry_out(task, &seen), Outcome::Changed, "{round}");
    }
    assert_eq!(victim.death(), None);
}

fn each_instance_can_be_looked_at_and_ended_on_through_its_own_connection(driver: DriverKind) {
    let rig = Rig::with(driver, "{seed: 3, speed: 1, databases: [{like: oltp, instances: 3}]}");
    let settings = |topology| Arc::new(Settings { topology, ..(*rig.settings("RACDB")).clone() });
    let look = |topology| {
        let mut source = OracleSource::new(settings(topology), Account::default());
        source.look(&Needs::everything()).expect("it looks")
    };
    let (together, each) = (look(Topology::Gv), look(Topology::PerInstance));
    assert_eq!(each.instances, together.instances);
    assert_eq!(each.instance_names, together.instance_names);
    let users = |seen: &Snapshot| -> BTreeSet<_> {
        idle_users(seen).into_iter().map(Session::key).collect()
    };
    let (of_all, of_each) = (users(&together), users(&each));
    // Some came and went between the two looks.
    assert!(of_all.len() > 1_000 && of_all.intersection(&of_each).count() * 10 > of_all.len() * 9);
    let columns = |seen: &Snapshot| -> Vec<_> {
        Column::all().filter(|it| seen.sessions.has_everywhere(*it)).collect()
    };
    assert_eq!(columns(&each), columns(&together));

    let killer = OracleKiller::new(settings(Topology::PerInstance), Account::default(), way());
    assert_eq!(killer.may_end(), Ok(()));
    for inst_id in 1..=3 {
        let idle = idle_users(&each);
        let idle = idle.into_iter().filter(|session| session.key().inst_id == inst_id);
        let mut outcomes = idle.map(|session| {
            let witness = Witness::of(&[], session);
            let task = Task { witness: &witness, verb: Verb::DisconnectImmediate, rule: "idle" };
            killer.carry_out(task, &each)
        });
        // Many served a call meanwhile.
        assert!(outcomes.any(|outcome| outcome == Outcome::Ended), "nobody ends on {inst_id}");
    }
}

fn an_instance_that_does_not_answer_is_missing_and_the_others_are_seen(driver: DriverKind) {
    let rig = Rig::with(driver, "{seed: 3, speed: 1, databases: [{like: quiet, instances: 3}]}");
    let per_instance = |connect: String| Settings {
        topology: Topology::PerInstance,
        connect,
        connect_within: Duration::from_secs(2),
        snapshot_within: Duration::from_secs(2),
        ..(*rig.settings("RACDB1")).clone()
    };
    let mut source =
        OracleSource::new(Arc::new(per_instance(rig.connect("RACDB"))), Account::default());
    let needs = Needs::always();
    let seen = source.look(&needs).expect("it looks");
    assert!(
        seen.instances.iter().all(|it| it.state == InstanceState::Answered),
        "{:?}",
        seen.warnings
    );
    let here = seen.own_sessions[0].inst_id;
    let hung = if here == 1 { 2 } else { 1 };
    rig.database().lock().cluster.inject(&Fault::Hang { instance: hung, seconds: 3_600 });
    let seen = source.look(&needs).expect("it looks");
    let state = |inst_id| seen.instances.iter().find(|it| it.inst_id == inst_id).map(|it| it.state);
    assert_eq!(state(hung), Some(InstanceState::Missing), "{:?}", seen.warnings);
    assert!(seen.sessions.keys().iter().all(|key| key.inst_id != hung));
    let answered = seen.instances.iter().filter(|it| it.state == InstanceState::Answered);
    assert_eq!(answered.count(), 2, "{:?}", seen.warnings);
}

fn an_instance_that_gv_leaves_out_from_the_first_look_on_is_missing_as_long_as_it_is_up(
    driver: DriverKind,
) {
    let few = "CREATE SESSION, SELECT ON SYS.GV_$SESSION, SELECT ON SYS.V_$SESSION, SELECT ON SYS.GV_$INSTANCE, \
               SELECT ON SYS.V_$DATABASE";
    let rig = Rig::with(
        driver,
        &format!(
            "{{seed: 3, speed: 1, databases: [{{like: quiet, accounts: [
           {{name: FEW, password: orawarden, grants: [{few}]}}]}}]}}"
        ),
    );
    let inject = |fault| rig.database().lock().cluster.inject(&fault);
    inject(Fault::Hide { instance: 2, seconds: 0 });
    let look = |source: &mut OracleSource| source.look(&Needs::always()).expect("it looks");
    let states = |seen: &Snapshot| -> Vec<_> {
        seen.instances.iter().map(|it| (it.inst_id, it.state)).collect()
    };
    let (here, away) = ((1, InstanceState::Answered), (2, InstanceState::Missing));
    let mut source = OracleSource::new(rig.settings("RACDB1"), Account::default());
    for _ in 0..2 {
        let seen = look(&mut source);
        assert_eq!(states(&seen), [here, away]);
        assert_eq!(seen.instance_names[&2], "RACDB2");
    }
    assert_eq!(look(&mut source).fetched.round_trips, 3, "it is asked for while it is left out");

    // Whoever may not ask sees a cluster of one, and is told so.
    let few = Settings { username: Some("FEW".to_owned()), ..(*rig.settings("RACDB1")).clone() };
    let seen = look(&mut OracleSource::new(Arc::new(few), Account::default()));
    assert_eq!(states(&seen), [here]);
    let warned = |it: &String| it.starts_with("V_$ACTIVE_INSTANCES cannot be read: ");
    assert!(seen.warnings.iter().any(warned), "{:?}", seen.warnings);

    inject(Fault::Lift);
    look(&mut source);
    let seen = look(&mut source);
    assert_eq!(states(&seen), [here, (2, InstanceState::Answered)]);
    assert_eq!(seen.fetched.round_trips, 2);

    inject(Fault::Evict { instance: 2, seconds: 0 });
    assert_eq!(states(&look(&mut source)), [here], "it is down, and nobody says otherwise");
    let seen = look(&mut source);
    assert_eq!((states(&seen), seen.fetched.round_trips), (vec![here], 2));
}

fn a_wrong_password_is_tried_once_by_all_our_connections_together(driver: DriverKind) {
    let grants = "SELECT ANY DICTIONARY, ALTER SYSTEM, CREATE SESSION, EXECUTE ON SYS.DBMS_LOCK";
    let rig = Rig::with(driver, &format!(
        "{{seed: 3, speed: 1, databases: [{{like: quiet, profiles: {{SHY: {{failed_logins: 2}}}}, accounts: [
           {{name: ORAWARDEN, password: orawarden, profile: SHY, grants: [{grants}]}}]}}]}}"
    ));
    rig.write("password", "outdated");
    let account = Account::default();
    let killer = OracleKiller::new(rig.settings("RACDB"), account.clone(), way());
    let mut sources: Vec<_> =
        (0..4).map(|_| OracleSource::new(rig.settings("RACDB"), account.clone())).collect();
    std::thread::scope(|threads| {
        for source in &mut sources {
            threads.spawn(|| {
                let why = source.look(&Needs::always()).expect_err("it is wrong").to_string();
                assert!(why.contains("ORA-01017"), "{why}");
            });
        }
        threads.spawn(|| assert!(killer.may_end().expect_err("it is wrong").contains("ORA-01017")));
    });
    // The second failure would have locked the account.
    rig.write("password", "orawarden");
    assert_eq!(killer.may_end(), Ok(()));
    sources[0].look(&Needs::always()).expect("it looks");
}

fn one_daemon_leads_and_another_takes_over_when_its_sessions_are_gone(driver: DriverKind) {
    let rig = Rig::with(driver, "{seed: 3, speed: 1, databases: [{like: quiet}]}");
    let killer = || OracleKiller::new(rig.settings("RACDB"), Account::default(), way());
    let (first, second) = (killer(), killer());
    assert_eq!(first.may_end(), Ok(()));
    assert_eq!(second.may_end(), Err("another daemon leads".to_owned()));
    assert_eq!(first.may_end(), Ok(()), "asking again changes nothing");
    drop(first);
    // The server notices the closed connection in its own time.
    let mut asked = 0;
    while second.may_end().is_err() {
        asked += 1;
        assert!(asked < 10_000, "nobody ever leads");
    }
}
