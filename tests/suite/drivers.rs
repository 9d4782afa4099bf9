//! What the two drivers owe to the adapter, alike: errors of log-ons by number, every way to name a database, our tags,
//! each release, deadlines, lost connections and errors that the drivers themselves would take for the end of theirs.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use orawarden::engine::needs::Needs;
use orawarden::engine::policy::Verb;
use orawarden::engine::report::Outcome;
use orawarden::engine::session::{Column, NumberColumn, Snapshot, TextColumn};
use orawarden::engine::witness::Witness;
use orawarden::oracle::block::Via;
use orawarden::oracle::codes::Class;
use orawarden::oracle::connection::{Account, Connection, Settings};
use orawarden::oracle::datum::{Bind, Datum, Kind};
use orawarden::oracle::error::CallError;
use orawarden::oracle::host::Program;
use orawarden::oracle::killer::{OracleKiller, Task, Way};
use orawarden::oracle::protocol::{DriverKind, Release};
use orawarden::oracle::source::OracleSource;
use rac_sim::cluster::fault::Fault;
use rac_sim::conversation::{Progress, Statement};

use crate::rig::{Rig, with_both_drivers};

with_both_drivers!(
    log_ons_fail_by_number,
    a_database_has_many_names,
    every_release_is_read,
    our_sessions_say_what_they_do,
    values_come_back_as_they_went,
    a_call_past_its_deadline_costs_its_connection_only,
    a_connection_that_was_ended_is_made_anew,
    a_session_that_is_only_marked_leaves_us_our_own,
);

const QUIET: &str = "{seed: 3, speed: 1, databases: [{like: quiet}]}";

/// Generous for anything that is expected to end well.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often something is asked for that has to come.
const TRIES_MAX: usize = 10_000;

fn connection(settings: Settings) -> Connection {
    Connection::new(Arc::new(settings), Account::default())
}

fn settings(rig: &Rig) -> Settings {
    (*rig.settings("RACDB")).clone()
}

fn refused(settings: Settings) -> CallError {
    connection(settings).reach().expect_err("nobody can log in so")
}

fn log_ons_fail_by_number(driver: DriverKind) {
    let rig = Rig::with(
        driver,
        "{seed: 3, speed: 1, databases: [{like: quiet, accounts: [
           {name: SHUT, password: orawarden, status: locked},
           {name: OLD, password: orawarden, status: expired},
           {name: BARE, password: orawarden, grants: [SELECT_CATALOG_ROLE]},
           {name: LATE, password: orawarden, status: grace, grants: [CREATE SESSION, SELECT_CATALOG_ROLE]}]}]}",
    );
    for (account, code, class) in [
        ("NOBODY", 1_017, Class::Password),
        ("SHUT", 28_000, Class::Account),
        ("OLD", 28_001, Class::Account),
        ("BARE", 1_045, Class::Account),
    ] {
        let error = refused(Settings { username: Some(account.to_owned()), ..settings(&rig) });
        assert_eq!((error.code(), error.class()), (Some(code), class), "{account}: {error}");
        assert!(error.to_string().contains(&format!("ORA-{code:05}")), "{error}");
    }
    let mut late = connection(Settings { username: Some("LATE".to_owned()), ..settings(&rig) });
    late.reach().expect("a password that expires soon is one still");
    for (code, class) in [(1_033, Class::Retry), (1_034, Class::Retry), (20, Class::Retry)] {
        for instance in [1, 2] {
            let fault = Fault::LogOnError { instance, code, log_ons: 1 };
            rig.database().lock().cluster.inject(&fault);
        }
        let error = refused(Settings { connect: rig.connect("RACDB1"), ..settings(&rig) });
        assert_eq!((error.code(), error.class()), (Some(code), class), "{error}");
        rig.database().lock().cluster.inject(&Fault::Lift);
    }
}

fn a_database_has_many_names(driver: DriverKind) {
    let rig = Rig::with(driver, QUIET);
    let easy = rig.connect("RACDB");
    let address = easy.trim_start_matches('/').trim_end_matches("/RACDB").to_owned();
    let (host, port) = address.split_once(':').expect("it has a port");
    let descriptor = |service: &str| {
        format!(
            "(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST={host})(PORT={port}))(CONNECT_DATA=(SERVICE_NAME={service})))"
        )
    };
    fs::create_dir(rig.path("admin")).expect("a directory");
    rig.write("admin/tnsnames.ora", &format!("WARDED.EXAMPLE =\n  {}\n", descriptor("RACDB")));
    let named = |connect: String| Settings {
        connect,
        config_dir: Some(rig.path("admin").to_string_lossy().into_owned()),
        ..settings(&rig)
    };
    for name in
        [easy.clone(), format!("{address}/RACDB"), descriptor("RACDB"), "WARDED.EXAMPLE".to_owned()]
    {
        let mut connection = connection(named(name.clone()));
        let identity = connection.reach().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(identity.username, "ORAWARDEN");
    }
    let nowhere = format!("{address}/NOWHERE");
    for (name, code, class) in [
        (nowhere.as_str(), 12_514, Class::Retry),
        (&descriptor("NOWHERE"), 12_514, Class::Retry),
        ("UNNAMED.EXAMPLE", 12_154, Class::Slow),
    ] {
        let error = refused(named(name.to_owned()));
        assert_eq!((error.code(), error.class()), (Some(code), class), "{name}: {error}");
    }
    // Nobody listens at a port that was just given back.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let free = closed.local_addr().expect("it has a port");
    drop(closed);
    let error = refused(named(format!("{free}/RACDB")));
    assert_eq!(error.class(), Class::Retry, "{error}");
    // As the daemon leads a session to a certain instance.
    for instance in ["RACDB1", "RACDB2"] {
        let settings = Arc::new(settings(&rig));
        let pinned = Connection::pinned(settings, Account::default(), instance);
        let mut pinned = pinned.expect("it has a place for it");
        let inst_id = pinned.reach().expect("it leads there").key.inst_id;
        assert_eq!(format!("RACDB{inst_id}"), instance);
    }
}

fn every_release_is_read(driver: DriverKind) {
    for (release, number) in [
        ("11.2", Release::new(11, 2)),
        ("12.1", Release::new(12, 1)),
        ("12.2", Release::new(12, 2)),
        ("19c", Release::new(19, 0)),
        ("23ai", Release::new(23, 0)),
    ] {
        // Older servers do not know what the thin driver says.
        if driver == DriverKind::Thin && number < Release::new(12, 1) {
            continue;
        }
        let rig = Rig::with(
            driver,
            &format!(
                "{{seed: 3, speed: 1, databases: [{{model: {{name: RACDB, release: '{release}',
                   instances: [{{}}, {{}}], workloads: [{{name: shop, sessions: 30, user: SHOP}}]}}}}]}}"
            ),
        );
        let mut connection = connection(settings(&rig));
        let identity = connection.reach().expect("it logs in");
        let found = identity.release;
        assert!(found.major == number.major && found >= number, "{release}: {found:?}");
        let mut source = OracleSource::new(rig.settings("RACDB"), Account::default());
        let seen = source.look(&Needs::everything()).expect("it looks");
        assert!(seen.sessions.len() > 30, "{release}: {}", seen.sessions.len());
        let shop = seen.sessions.iter().find(|it| it.is(TextColumn::Username, "SHOP"));
        assert!(shop.expect("it is there").number(NumberColumn::LogonTime).is_some(), "{release}");
    }
}

fn way() -> Way {
    Way { via: Via::AlterSystem, leadership: true, width: 4, disconnect_names_instance: false }
}

/// The row of an account's session.
fn of<'a>(seen: &'a Snapshot, account: &str) -> orawarden::engine::session::Session<'a> {
    let mut rows = seen.sessions.iter();
    rows.find(|it| it.is(TextColumn::Username, account)).expect("it is there")
}

fn our_sessions_say_what_they_do(driver: DriverKind) {
    let rig = Rig::with(driver, QUIET);
    let account = Account::default();
    let killer = OracleKiller::new(rig.settings("RACDB"), account.clone(), way());
    assert_eq!(killer.may_end(), Ok(()));
    let _victim = rig.database().connect("app", "RACDB2").expect("the account can log in");
    let mut source = OracleSource::new(rig.settings("RACDB"), account);
    let mut needs = Needs::always();
    needs.columns.insert(Column::Text(TextColumn::Action));
    let seen = source.look(&needs).expect("it looks");
    let mut witness = Witness::of(&[], of(&seen, "APP"));
    witness.username = Some("SOMEBODY ELSE".to_owned());
    let rule = "a rule whose name is longer than ACTION can hold";
    let task = Task { witness: &witness, verb: Verb::KillImmediate, rule };
    assert_eq!(killer.carry_out(task, &seen), Outcome::Changed);
    let seen = source.look(&needs).expect("it looks");
    let ours = seen.sessions.iter().filter(|it| it.is(TextColumn::Username, "ORAWARDEN"));
    let ours: Vec<_> = ours.filter(|it| it.text(TextColumn::Pname).is_none()).collect();
    let mut actions: Vec<&str> = Vec::new();
    for session in &ours {
        assert_eq!(session.text(TextColumn::Module), Some("orawarden"));
        assert_eq!(session.text(TextColumn::ClientInfo), Some("orawarden:keep"));
        let program = session.text(TextColumn::Program).unwrap_or_default();
        assert!(program.starts_with("orawarden"), "{program}");
        assert!(seen.own_sessions.contains(&session.key()));
        actions.push(session.text(TextColumn::Action).unwrap_or_default());
    }
    actions.sort_unstable();
    assert_eq!(actions, [&rule[..32], "observe"]);
}

fn values_come_back_as_they_went(driver: DriverKind) {
    let rig = Rig::with(driver, QUIET);
    let mut connection = connection(settings(&rig));
    connection.reach().expect("it logs in");
    let block = "DECLARE
  v_number CONSTANT NUMBER := :a;
  v_text CONSTANT VARCHAR2(4000) := :b;
  v_null CONSTANT VARCHAR2(4000) := :c;
BEGIN
  :d := v_number;
  :e := v_text;
  :f := v_null;
  :g := NULL;
END;";
    let texts = ["h\u{e9}\u{df}\u{20ac} '\"\n", &"x".repeat(400), "", "short"];
    for (number, text) in [0, -1, i64::from(u32::MAX), 7].into_iter().zip(texts) {
        let text = Datum::text((!text.is_empty()).then_some(text));
        let binds = vec![
            Bind::In(Datum::Number(number)),
            Bind::In(text.clone()),
            Bind::In(Datum::Null),
            Bind::OutNumber,
            Bind::OutText(400),
            Bind::OutText(400),
            Bind::OutNumber,
        ];
        let answer = connection.call(block, binds, PATIENCE).expect("it answers");
        assert_eq!(answer, [Datum::Number(number), text, Datum::Null, Datum::Null]);
    }
    let sql = "SELECT 4294967295, -3, NULL, 'a\u{e9}', NULL FROM dual";
    let kinds = vec![Kind::Number, Kind::Number, Kind::Number, Kind::Text, Kind::Text];
    let rows = connection.query(sql, Vec::new(), kinds, 2, PATIENCE).expect("it answers");
    let cells = rows.iter().next().expect("there is a row").to_vec();
    let shown: Vec<Option<&str>> = cells.iter().map(|cell| rows.text(*cell)).collect();
    assert_eq!(shown, [None, None, None, Some("a\u{e9}"), None], "{cells:?}");
    assert_eq!(format!("{:?}", &cells[..3]), "[Number(4294967295), Number(-3), Null]");
}

fn a_call_past_its_deadline_costs_its_connection_only(driver: DriverKind) {
    let rig = Rig::with(driver, QUIET);
    let mut connection = connection(settings(&rig));
    let first = connection.reach().expect("it logs in").key;
    let endless = "BEGIN DBMS_SESSION.SLEEP(86400); END;";
    let error = connection.call(endless, Vec::new(), Duration::from_secs(2));
    let error = error.expect_err("it sleeps for a day");
    assert!(matches!(error, CallError::Deadline(_)) && error.is_lost(), "{error}");
    assert_eq!(connection.identity(), None);
    let second = connection.reach().expect("nothing keeps it from logging in again").key;
    assert_ne!(first, second);
}

/// Ends our session as a DBA would, and says what our next call gives.
fn ended_by(rig: &Rig, connection: &mut Connection) -> CallError {
    let key = connection.reach().expect("it logs in").key;
    let mut dba = rig.database().connect("system", "RACDB1").expect("it can log in");
    let who = format!("{},{},@{}", key.sid, key.serial, key.inst_id);
    let sql = format!("ALTER SYSTEM KILL SESSION '{who}' IMMEDIATE");
    let mut progress = dba.execute(&Statement { sql, ..Statement::default() });
    let mut tries = 0;
    while matches!(progress, Progress::Waiting) {
        tries += 1;
        assert!(tries < TRIES_MAX, "it is never ended");
        std::thread::park_timeout(Duration::from_millis(5));
        progress = dba.resume();
    }
    let sql = "SELECT 1 FROM dual";
    connection.query(sql, Vec::new(), vec![Kind::Number], 2, PATIENCE).expect_err("it was ended")
}

fn a_connection_that_was_ended_is_made_anew(driver: DriverKind) {
    let rig = Rig::with(driver, QUIET);
    let mut connection = connection(settings(&rig));
    let error = ended_by(&rig, &mut connection);
    assert!(error.is_lost() && error.class() == Class::Reconnect, "{error} {:?}", error.code());
    assert!(error.to_string().is_ascii() && error.to_string().lines().count() == 1, "{error}");
    assert_eq!(connection.identity(), None);
    let key = connection.reach().expect("it logs in again").key;
    rig.database().lock().cluster.inject(&Fault::LoseConnection(
        rac_sim::cluster::session::SessionKey {
            inst_id: key.inst_id,
            sid: key.sid,
            serial: key.serial,
        },
    ));
    let sql = "SELECT 1 FROM dual";
    let error = connection.query(sql, Vec::new(), vec![Kind::Number], 2, PATIENCE);
    let error = error.expect_err("its connection is cut");
    assert!(error.is_lost(), "{error}");
    connection.reach().expect("it logs in again");
    connection.query(sql, Vec::new(), vec![Kind::Number], 2, PATIENCE).expect("it works");
}

fn a_session_that_is_only_marked_leaves_us_our_own(driver: DriverKind) {
    // Fast enough for the minute that KILL SESSION may wait.
    let rig = Rig::with(driver, "{seed: 3, speed: 60, databases: [{like: quiet}]}");
    let database = rig.database();
    let mut victim = database.connect("app", "RACDB2").expect("the account can log in");
    let sql = "BEGIN DBMS_SESSION.SLEEP(864000); END;".to_owned();
    assert!(matches!(
        victim.execute(&Statement { sql, ..Statement::default() }),
        Progress::Waiting
    ));
    let account = Account::default();
    let mut source = OracleSource::new(rig.settings("RACDB"), account.clone());
    let killer = OracleKiller::new(rig.settings("RACDB"), account.clone(), way());
    assert_eq!(killer.may_end(), Ok(()));
    let seen = source.look(&Needs::always()).expect("it looks");
    let ours = account.sessions();
    let witness = Witness::of(&[], of(&seen, "APP"));
    let task = Task { witness: &witness, verb: Verb::KillPlain, rule: "stuck" };
    assert_eq!(killer.carry_out(task, &seen), Outcome::Accepted);
    assert_eq!(account.sessions(), ours, "ORA-00031 costs nobody's connection");
    assert_eq!(killer.may_end(), Ok(()));
}

/// Without libraries the message names what helps.
#[test]
fn without_libraries_it_says_what_to_do() {
    let rig = Rig::start(QUIET);
    let nowhere = Program::at(env!("CARGO_BIN_EXE_orawarden")).with_libraries(Some(rig.path("no")));
    // One that is there, but is none, hides what the system may have.
    fs::create_dir(rig.path("no")).expect("a directory");
    rig.write("no/libclntsh.so", "no library");
    let settings = Settings { driver: DriverKind::Oci, program: nowhere, ..settings(&rig) };
    let error = refused(settings);
    let text = error.to_string();
    for part in ["DPI-1047", "client_lib", "driver: thin"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!((error.class(), error.is_lost()), (Class::Retry, true));
}
