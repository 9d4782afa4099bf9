//! Several databases in one daemon: one that accepts connections and never answers, or falls silent while its rows are
//! fetched, is reported, delays no other, and is looked at again once it answers.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use orawarden::engine::needs::Needs;
use orawarden::engine::policy::Verb;
use orawarden::engine::report::{Failure, Outcome};
use orawarden::engine::session::TextColumn;
use orawarden::engine::witness::Witness;
use orawarden::oracle::block::Via;
use orawarden::oracle::connection::{Account, Connection, Settings};
use orawarden::oracle::killer::{OracleKiller, Task, Way};
use orawarden::oracle::protocol::DriverKind;
use orawarden::oracle::source::OracleSource;
use serde_json::{Value, json};

use crate::daemon::{Running, until};
use crate::relay::Relay;
use crate::rig::{OLTP, Rig, with_both_drivers};

with_both_drivers!(
    one_that_hangs_delays_no_other_and_comes_back,
    a_look_takes_two_round_trips_on_the_wire,
    an_end_without_an_answer_is_unknown_and_the_next_look_settles_it,
);

/// So far apart that a second one never comes in time if it waits for the first.
const LONG: Duration = Duration::from_mins(10);

/// As instances that hang: each accepts a connection and says nothing.
#[test]
fn who_logs_on_with_a_password_that_was_right_waits_for_nobody_else() {
    let rig = Rig::start("{seed: 3, speed: 1, databases: [{like: quiet}]}");
    let account = Account::default();
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback");
    silent.set_nonblocking(true).expect("it is a socket");
    let connect = format!("//{}/RACDB", silent.local_addr().expect("it is bound"));
    let settings =
        Arc::new(Settings { connect, connect_within: LONG, ..(*rig.settings("RACDB")).clone() });
    let log_on = || Connection::new(Arc::clone(&settings), account.clone()).reach().map(drop);
    let mut proven = Connection::new(rig.settings("RACDB"), account.clone());
    proven.reach().expect("it answers");
    let mut hung = Vec::new();
    thread::scope(|threads| {
        let all: Vec<_> = (0..3).map(|_| threads.spawn(log_on)).collect();
        until("three at once", || {
            hung.extend(silent.accept());
            hung.len() == 3
        });
        hung.clear();
        drop(silent);
        for one in all {
            assert!(one.join().expect("it does not panic").is_err());
        }
    });
}

/// Far more than a tick takes, and many ticks of the others long.
const SECONDS: &str = "10s";

/// Ticks of a healthy database while the other hangs: it is looked at each second, ten times within the deadline.
const TICKS_MEANWHILE: usize = 3;

/// In the middle of the rows of 4,000 sessions, behind the log-on.
const SOME_ROWS: usize = 100_000;

const RULE: &str = "\
version: 1
rules:
  - name: idle
    schedule: '* * * * * *'
    match: {idle_for: '> 30m'}
    limits: {percent: unlimited, per_tick: unlimited, per_hour: unlimited}
    action: report
";

/// The configuration again, with a database `well` beside one that is reached through the relay.
fn with_two_databases(rig: &Rig, relay: &Relay) {
    rig.configure(
        "orawarden",
        &format!("{{deadlines: {{connect: {SECONDS}, snapshot: {SECONDS}}}}}"),
    );
    let mut config: Value = serde_json::from_str(&rig.read("c.yaml")).expect("it is JSON");
    let mut well = config["databases"][0].clone();
    well["name"] = json!("well");
    let mut hung = well.clone();
    hung["name"] = json!("hung");
    hung["connect"] = json!(format!("//{}/RACDB", relay.address()));
    config["databases"] = json!([hung, well]);
    rig.write("c.yaml", &config.to_string());
    rig.write("p.yaml", RULE);
}

fn one_that_hangs_delays_no_other_and_comes_back(driver: DriverKind) {
    let rig = Rig::with(driver, OLTP);
    let relay = Relay::to(rig.address());
    with_two_databases(&rig, &relay);
    relay.hold_after(0);
    let mut command = rig.command(&["run"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut daemon = Running::of(child.expect("it can be started"));
    for rows in [0, SOME_ROWS] {
        relay.hold_after(rows);
        let said = daemon.says_all_until("could not look database=\"hung\"");
        assert!(said.contains("no answer within 10s"), "{said}");
        let meanwhile = said.matches(" tick database=\"well\"").count();
        assert!(meanwhile >= TICKS_MEANWHILE, "{meanwhile} ticks:\n{said}");
        assert!(!said.contains("could not look database=\"well\""), "{said}");
        relay.release();
        daemon.says(" tick database=\"hung\"");
    }
    daemon.signal("TERM");
    assert_eq!(daemon.ends().0, Some(0));
}

/// The simulated server cuts its answers to the thin driver short unless their end is marked, as from 23ai on.
const MARKED: &str =
    "{seed: 3, speed: 1, databases: [{model: {name: RACDB, release: 23ai, instances: [{}, {}],
    limits: {processes: 6000}, workloads: [{name: shop, sessions: 4000, user: SHOP}]}}]}";

fn a_look_takes_two_round_trips_on_the_wire(driver: DriverKind) {
    let rig = Rig::with(driver, MARKED);
    let relay = Relay::to(rig.address());
    let connect = format!("//{}/RACDB", relay.address());
    let settings = Settings {
        connect,
        snapshot_within: Duration::from_mins(1),
        ..(*rig.settings("RACDB")).clone()
    };
    let mut source = OracleSource::new(settings.into(), Account::default());
    source.look(&Needs::always()).expect("the first look probes views");
    for _ in 0..3 {
        let before = relay.turns();
        let seen = source.look(&Needs::always()).expect("it looks");
        assert!(seen.sessions.len() > 3_900, "{}", seen.sessions.len());
        assert_eq!((relay.turns() - before, seen.fetched.round_trips), (2, 2));
    }
}

/// How often something is asked for that has to come.
const TRIES_MAX: usize = 10_000;

fn an_end_without_an_answer_is_unknown_and_the_next_look_settles_it(driver: DriverKind) {
    let rig = Rig::with(driver, "{seed: 3, speed: 1, databases: [{like: quiet}]}");
    let relay = Relay::to(rig.address());
    let victim = rig.database().connect("app", "RACDB2").expect("the account can log in");
    let account = Account::default();
    let mut source = OracleSource::new(rig.settings("RACDB"), account.clone());
    let settings = Settings {
        connect: format!("//{}/RACDB", relay.address()),
        kill_within: Duration::from_secs(3),
        ..(*rig.settings("RACDB")).clone()
    };
    let way =
        Way { via: Via::AlterSystem, leadership: true, width: 1, disconnect_names_instance: false };
    let killer = OracleKiller::new(settings.into(), account, way);
    assert_eq!(killer.may_end(), Ok(()));
    let seen = source.look(&Needs::always()).expect("it looks");
    let row = seen.sessions.iter().find(|one| one.is(TextColumn::Username, "APP"));
    let witness = Witness::of(&[], row.expect("it is there"));
    let end = |witness: &Witness| {
        killer.carry_out(Task { witness, verb: Verb::KillImmediate, rule: "idle" }, &seen)
    };
    // What a session asks but once is asked now.
    let busy = Witness { last_call_et: Some(1_000_000), ..witness.clone() };
    assert_eq!((end(&busy), victim.death()), (Outcome::Changed, None));
    relay.hold_after(0);
    assert_eq!(end(&witness), Outcome::Unknown);
    assert_eq!(end(&witness), Outcome::Failed(Failure::Disconnected), "who led does no more");
    let seen = source.look(&Needs::always()).expect("it looks");
    let there = seen.sessions.iter().any(|one| one.is(TextColumn::Username, "APP"));
    assert!(!there && victim.death().is_some(), "the server had heard it");
    relay.release();
    // The server notices the closed connection, and lets go of the lock, in its own time.
    let mut asked = 0;
    while killer.may_end().is_err() {
        asked += 1;
        assert!(asked < TRIES_MAX, "it never leads again");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
