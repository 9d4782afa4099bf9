//! What is asked again before a session is ended: the named queries of a policy, and who waits for whom.

use orawarden::config::diagnostic::SourceFile;
use orawarden::config::policies;
use orawarden::engine::decide::{Question, decide};
use orawarden::engine::guard::{ApprovedPlan, End};
use orawarden::engine::history::History;
use orawarden::engine::needs::Needs;
use orawarden::engine::plan::PlanOptions;
use orawarden::engine::policy::{Limits, PolicySet, Verb};
use orawarden::engine::report::{Failure, Outcome};
use orawarden::engine::session::{Instance, InstanceState, Snapshot};
use orawarden::engine::standing::Standing;
use orawarden::engine::time::MICROS_PER_SECOND;
use orawarden::engine::witness::AGE_MAX;
use orawarden::oracle::block::Via;
use orawarden::oracle::connection::Account;
use orawarden::oracle::killer::{OracleKiller, Task, Way};
use orawarden::oracle::source::OracleSource;
use rac_sim::cluster::fault::Fault;
use rac_sim::conversation::{Conversation, Progress, Statement};

use crate::rig::Rig;

/// Time stands still but for what a test lets pass. ORAWARDEN reads SHOP.LEASES, which APP writes.
const SHOP: &str = "{seed: 3, speed: 0, databases: [{like: quiet,
    tables: [{owner: SHOP, name: LEASES, columns: [SID NUMBER, SERIAL# NUMBER, INST_ID NUMBER, NOTE VARCHAR2(20)],
        rows: [[7, 7, 7, none]]}],
    accounts: [
        {name: APP, password: app, grants: [CREATE SESSION, INSERT ON SHOP.LEASES, UPDATE ON SHOP.LEASES,
            DELETE ON SHOP.LEASES, SELECT ON SHOP.LEASES]},
        {name: ORAWARDEN, password: orawarden, grants: [CREATE SESSION, SELECT ANY DICTIONARY, ALTER SYSTEM,
            EXECUTE ON SYS.DBMS_LOCK, SELECT ON SHOP.LEASES]}]}]}";

/// Microseconds, longer than `min_session_age`.
const OLD_ENOUGH: i64 = 600_000_000;

fn compiled(rules: &str) -> PolicySet {
    let text = format!("version: 1\n{rules}");
    let (policies, found) = policies::compile(&[SourceFile { name: "p.yaml".to_owned(), text }]);
    policies.unwrap_or_else(|| panic!("{found:?}"))
}

fn plan(policies: &PolicySet, seen: &Snapshot) -> ApprovedPlan {
    decide(Question {
        policies,
        due: &[0],
        snapshot: seen,
        history: &History::default(),
        options: PlanOptions::default(),
        limits: Limits::UNLIMITED,
        standing: &Standing::default(),
    })
}

/// A source and a killer of one daemon.
fn hands(rig: &Rig) -> (OracleSource, OracleKiller) {
    let account = Account::default();
    let way = Way {
        via: Via::AlterSystem,
        leadership: false,
        width: 1,
        disconnect_names_instance: false,
    };
    let source = OracleSource::new(rig.settings("RACDB1"), account.clone());
    (source, OracleKiller::new(rig.settings("RACDB1"), account, way))
}

fn does(session: &mut Box<dyn Conversation>, sql: &str) {
    let done = session.execute(&Statement { sql: sql.to_owned(), ..Statement::default() });
    assert!(matches!(done, Progress::Done(Ok(_))), "{sql}");
}

fn end(killer: &OracleKiller, end: &End, seen: &Snapshot) -> Outcome {
    killer.carry_out(Task { witness: &end.witness, verb: Verb::KillImmediate, rule: "r" }, seen)
}

/// Columns in another order than the identity's, and a comment at the end.
const LEASES: &str = "
queries:
  leases: {every: 1ms, sql: \"SELECT l.sid, l.serial#, l.inst_id, l.note FROM shop.leases l -- who has one\"}
";

/// The session's own identity as a lease.
const TAKES_A_LEASE: &str = "INSERT INTO shop.leases (sid, serial#, inst_id)
    SELECT s.sid, s.serial#, s.inst_id FROM gv$session s WHERE s.username = 'APP'";

#[test]
fn a_session_is_ended_only_while_the_query_says_what_it_said() {
    let rig = Rig::start(SHOP);
    let database = rig.database();
    let victim = database.connect("app", "RACDB1").expect("it can log in");
    let mut clerk = database.connect("system", "RACDB2").expect("it can log in");
    database.advance(OLD_ENOUGH);
    does(&mut clerk, TAKES_A_LEASE);
    does(&mut clerk, "COMMIT");
    let with = compiled(&format!(
        "{LEASES}rules: [{{name: r, match: {{in_query: leases}}, action: kill, limits: {{percent: unlimited}}}}]"
    ));
    let without = compiled(&format!(
        "{LEASES}rules: [{{name: r, match: {{username: APP}}, unless: [{{match: {{in_query: leases}}}}],
            action: kill, limits: {{percent: unlimited}}}}]"
    ));
    let (mut source, killer) = hands(&rig);
    let seen = source.look(&Needs::of(&with, &[0])).expect("it looks");
    assert_eq!(seen.warnings, [""; 0]);
    let (named, spared) = (plan(&with, &seen), plan(&without, &seen));
    assert_eq!((named.ends().len(), spared.ends().len()), (1, 0), "{named:?} {spared:?}");

    does(&mut clerk, "DELETE FROM shop.leases");
    does(&mut clerk, "COMMIT");
    assert_eq!(end(&killer, &named.ends()[0], &seen), Outcome::Changed, "it has no lease any more");
    let seen = source.look(&Needs::of(&without, &[0])).expect("it looks");
    let free = plan(&without, &seen);
    assert_eq!(free.ends().len(), 1, "{free:?}");

    does(&mut clerk, TAKES_A_LEASE);
    does(&mut clerk, "COMMIT");
    assert_eq!(end(&killer, &free.ends()[0], &seen), Outcome::Changed, "it has one now");
    assert_eq!(victim.death(), None);
    does(&mut clerk, "DELETE FROM shop.leases");
    does(&mut clerk, "COMMIT");
    assert_eq!(end(&killer, &free.ends()[0], &seen), Outcome::Ended);
}

#[test]
fn a_query_that_fails_is_unknown_and_the_look_goes_on() {
    let rig = Rig::start(SHOP);
    let _app = rig.database().connect("app", "RACDB1").expect("it can log in");
    rig.database().advance(OLD_ENOUGH);
    for (sql, why) in [
        ("SELECT inst_id, sid, serial# FROM shop.nowhere", "ORA-00942"),
        ("SELECT sid, serial# FROM v$session", "ORA-00904"),
        ("SELECT note inst_id, sid, serial# FROM shop.leases", "leases"),
        (
            "SELECT 1 inst_id, LEVEL sid, 1 serial# FROM dual CONNECT BY LEVEL <= 100001",
            "more than 100000 rows",
        ),
        ("SELECT inst_id, sid, serial# FROM gv$session) WHERE 1 = 1 OR (1 = 1", "ORA-009"),
    ] {
        let policies = compiled(&format!(
            "queries: {{leases: {{sql: '{sql}'}}}}
rules:
  - {{name: r, match: {{username: APP}}, unless: [{{match: {{in_query: leases}}}}], action: kill, limits: {{percent: unlimited}}}}"
        ));
        let (mut source, _) = hands(&rig);
        let seen = source.look(&Needs::of(&policies, &[0])).expect("it looks");
        assert!(seen.warnings.len() == 1 && seen.warnings[0].contains(why), "{:?}", seen.warnings);
        let plan = plan(&policies, &seen);
        assert!(plan.ends().is_empty(), "{plan:?}");
        let [spared] = plan.spared() else { panic!("{plan:?}") };
        assert!(format!("{spared:?}").contains("in_query"), "{spared:?}");
    }
}

#[test]
fn a_blocker_nobody_waits_for_any_more_is_left_alone() {
    let rig = Rig::start(SHOP);
    let database = rig.database();
    let mut blocker = database.connect("app", "RACDB1").expect("it can log in");
    let mut waiter = database.connect("app", "RACDB2").expect("it can log in");
    let change = "UPDATE shop.leases SET note = 'mine' WHERE sid = 7";
    does(&mut blocker, change);
    let statement = Statement { sql: change.to_owned(), ..Statement::default() };
    assert!(matches!(waiter.execute(&statement), Progress::Waiting), "the row is locked");
    database.advance(60_000_000);
    let policies = compiled(
        "rules: [{name: r, match: {root_blocker: true, blocking_for: '> 10s'}, action: kill, limits: {percent: unlimited}}]",
    );
    let (mut source, killer) = hands(&rig);
    let seen = source.look(&Needs::of(&policies, &[0])).expect("it looks");
    let plan = plan(&policies, &seen);
    assert_eq!(plan.ends().len(), 1, "{plan:?}");
    drop(waiter);
    assert_eq!(end(&killer, &plan.ends()[0], &seen), Outcome::Changed);
    assert_eq!(blocker.death(), None);
}

/// What GV$ does not show is no evidence while an instance is missing: neither that nobody waits, nor that a query
/// does not return a session.
#[test]
fn who_is_spared_for_what_a_missing_instance_may_show_is_left_alone() {
    let rig = Rig::start(SHOP);
    let database = rig.database();
    let mut blocker = database.connect("app", "RACDB1").expect("it can log in");
    does(&mut blocker, "UPDATE shop.leases SET note = 'mine' WHERE sid = 7");
    database.advance(OLD_ENOUGH);
    let rule =
        "rules: [{name: r, match: {username: APP}, action: kill, limits: {percent: unlimited}";
    let policies = [
        format!("{rule}, unless: [{{match: {{blocked_sessions: '> 0'}}}}]}}]"),
        format!("protect: [{{name: p, match: {{root_blocker: true}}}}]\n{rule}}}]"),
        format!("{LEASES}{rule}, unless: [{{match: {{in_query: leases}}}}]}}]"),
    ];
    let (mut source, killer) = hands(&rig);
    let inject = |fault| database.lock().cluster.inject(&fault);
    for policies in policies.map(|it| compiled(&it)) {
        let seen = source.look(&Needs::of(&policies, &[0])).expect("it looks");
        let judged = plan(&policies, &seen);
        assert_eq!(judged.ends().len(), 1, "{judged:?}");
        let mut partial = seen.clone();
        partial.instances.push(Instance { inst_id: 3, state: InstanceState::Missing });
        let stands_still = plan(&policies, &partial);
        assert!(stands_still.ends().is_empty(), "{stands_still:?}");

        inject(Fault::Hide { instance: 2, seconds: 0 });
        assert_eq!(end(&killer, &judged.ends()[0], &seen), Outcome::Changed);
        inject(Fault::Lift);
        // It is ended for as long as all can be seen: the witness holds, and only the time does not.
        database.advance(AGE_MAX.0 + MICROS_PER_SECOND);
        let late = Outcome::Failed(Failure::NotTried);
        assert_eq!(end(&killer, &judged.ends()[0], &seen), late);
    }
    assert_eq!(blocker.death(), None);
}

/// As when the call waited on a server that hung, or a clock was set meanwhile.
#[test]
fn nobody_is_ended_by_a_call_that_comes_to_run_long_after_the_look() {
    let rig = Rig::start(SHOP);
    let database = rig.database();
    let victim = database.connect("app", "RACDB1").expect("it can log in");
    database.advance(OLD_ENOUGH);
    let policies = compiled(
        "rules: [{name: r, match: {username: APP}, action: kill, limits: {percent: unlimited}}]",
    );
    let (mut source, killer) = hands(&rig);
    let mut judged = || {
        let seen = source.look(&Needs::of(&policies, &[0])).expect("it looks");
        (plan(&policies, &seen), seen)
    };
    let late = Outcome::Failed(Failure::NotTried);
    let (then, seen) = judged();
    database.advance(AGE_MAX.0 + MICROS_PER_SECOND);
    assert_eq!(end(&killer, &then.ends()[0], &seen), late);
    let (then, seen) = judged();
    let skew = |millis| Fault::Skew { instance: 1, millis };
    database.lock().cluster.inject(&skew(-61_000));
    assert_eq!(end(&killer, &then.ends()[0], &seen), late);
    database.lock().cluster.inject(&skew(0));
    assert_eq!(victim.death(), None);
    database.advance(AGE_MAX.0 - MICROS_PER_SECOND);
    assert_eq!(end(&killer, &then.ends()[0], &seen), Outcome::Ended);
}
