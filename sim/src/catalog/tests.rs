//! Every view on every release, privileges, containers, and how fast it goes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Catalog as _;
use super::account::{Account, ContainerData, Grant};
use super::books::Managed;
use super::default_nls;
use super::definition::{RELEASES, tables};
use super::view::{View, Viewer};
use crate::cluster::session::SessionKey;
use crate::cluster::spec::{InstanceSpec, Spec, Workload};
use crate::conversation::Release;
use crate::database::SimDatabase;
use crate::scenario::{DatabaseSpec, Scenario};
use crate::value::Value;

/// Views that may be empty, since the model has nothing of the kind or nothing at the moment.
const MAY_BE_EMPTY: [&str; 27] = [
    "V$ENQUEUE_LOCK",
    "V$OPEN_CURSOR",
    "V$SQL_MONITOR",
    "V$SQLTEXT_WITH_NEWLINES",
    "V$WAIT_CHAINS",
    "V$TRANSACTION",
    "V$LOCKED_OBJECT",
    "V$PX_SESSION",
    "V$PX_PROCESS",
    "V$SESSION_BLOCKERS",
    "V$DEAD_CLEANUP",
    "V$TEMPSEG_USAGE",
    "V$SORT_USAGE",
    "V$SESSION_LONGOPS",
    "V$GOLDENGATE_CAPTURE",
    "V$XSTREAM_CAPTURE",
    "V$STREAMS_APPLY_SERVER",
    "V$DATAGUARD_PROCESS",
    "V$GLOBAL_TRANSACTION",
    "V$FAST_START_TRANSACTIONS",
    "V$SQL",
    "V$SQLAREA",
    "V$SQLTEXT",
    "V$SESSION_CONNECT_INFO",
    "V$MYSTAT",
    "V$PDBS",
    "V$LOCK",
];

fn database(model: Spec) -> SimDatabase {
    let spec = DatabaseSpec { model: Some(model), ..DatabaseSpec::default() };
    let scenario = Scenario { databases: vec![spec], ..Scenario::default() };
    scenario.build().expect("the scenario is sound").remove(0)
}

fn model(release: Release) -> Spec {
    let workloads = vec![Workload { name: "w".into(), sessions: 20, ..Workload::default() }];
    Spec { release, instances: vec![InstanceSpec::default(); 2], workloads, ..Spec::default() }
}

fn viewer(database: &SimDatabase, grants: &[&str], con_id: u32) -> Viewer {
    let mut account = Account::new("JOE", "pw", 500);
    let read = |text: &&str| Grant::read(text, &BTreeSet::new()).expect("a grant");
    account.grants = grants.iter().map(read).collect();
    let rights = database.lock().books.accounts.rights(&account);
    Viewer {
        key: SessionKey { inst_id: 1, sid: 1, serial: 1 },
        con_id,
        user: "JOE".into(),
        schema: "JOE".into(),
        rights,
        container_data: ContainerData::Root,
        nls: default_nls(),
        read_only: None,
    }
}

/// All rows of a table, or the error's number.
fn rows(database: &SimDatabase, viewer: &Viewer, table: &str) -> Result<Vec<Vec<Value>>, u32> {
    let state = database.lock();
    let view = View { cluster: &state.cluster, books: &state.books, viewer };
    let count = view.columns(table).map_err(|error| error.code)?.len();
    let wanted: Vec<usize> = (0..count).collect();
    let mut all = Vec::new();
    let scanned = view.scan(table, &wanted, &mut |row| {
        all.push(row);
        true
    });
    scanned.map_err(|error| error.code)?;
    Ok(all)
}

#[test]
fn every_view_answers_on_every_release() {
    for release in RELEASES {
        let database = database(model(release));
        database.advance(60_000_000);
        let viewer = viewer(&database, &["DBA"], 0);
        for (name, table) in tables(release) {
            let name = if name == "DBMS_LOCK_ALLOCATED" { "SYS.DBMS_LOCK_ALLOCATED" } else { name };
            let all = rows(&database, &viewer, name)
                .unwrap_or_else(|code| panic!("{release:?} {name}: {code}"));
            assert!(all.iter().all(|row| row.len() == table.columns.len()), "{name}");
            let empty = name.ends_with("_JOBS") || MAY_BE_EMPTY.contains(&table.base.as_str());
            let more = [
                "DBA_BLOCK",
                "DBA_DB_LINKS",
                "DBA_IND",
                "DBA_MVIEW",
                "DBA_CONS",
                "DBA_SEQUENCES",
                "DBA_SEGMENTS",
                "DBA_TAB_IDENTITY_COLS",
                "DBA_WAIT",
                "DBA_DATAP",
                "CDB_",
                "USER_",
                "DBA_2PC",
                "DBA_LOCK",
                "ALL_",
            ];
            let dictionary =
                more.iter().any(|one| name.starts_with(one)) || name.contains("LOCK_ALLOCATED");
            let privileges = name.ends_with("PRIVS");
            assert!(
                empty || dictionary || privileges || !all.is_empty(),
                "{release:?} {name} is empty"
            );
        }
    }
}

#[test]
fn global_views_have_the_rows_of_every_instance() {
    let database = database(model(Release::R19));
    let viewer = viewer(&database, &["SELECT_CATALOG_ROLE"], 0);
    let global = rows(&database, &viewer, "GV$SESSION").expect("it is readable");
    let local = rows(&database, &viewer, "V$SESSION").expect("it is readable");
    let first = global.iter().filter(|row| row[0] == Value::integer(1)).count();
    assert_eq!(first, local.len());
    assert!(global.len() > local.len());
    let instances = rows(&database, &viewer, "GV$INSTANCE").expect("it is readable");
    assert_eq!(instances.len(), 2);
}

#[test]
fn names_and_privileges_are_oracles() {
    let database = database(model(Release::R19));
    for (grants, table, result) in [
        (&[][..], "V$SESSION", Err(942)),
        (&[], "DUAL", Ok(())),
        (&[], "V$VERSION", Ok(())),
        (&[], "SESSION_PRIVS", Ok(())),
        (&[], "NO_SUCH_TABLE", Err(942)),
        (&["SELECT ON SYS.V_$SESSION"], "V$SESSION", Ok(())),
        (&["SELECT ON SYS.V_$SESSION"], "SYS.V_$SESSION", Ok(())),
        (&["SELECT ON SYS.V_$SESSION"], "V_$SESSION", Err(942)),
        (&["SELECT ON SYS.V_$SESSION"], "SYS.V$SESSION", Err(942)),
        (&["SELECT ON SYS.V_$SESSION"], "GV$SESSION", Err(942)),
        (&["SELECT ON SYS.GV_$SESSION"], "GV$SESSION", Ok(())),
        (&["SELECT ON SYS.DBA_USERS"], "DBA_USERS", Ok(())),
        (&["SELECT ON SYS.DBA_USERS"], "CDB_USERS", Err(942)),
        (&["SELECT ANY TABLE"], "V$SESSION", Err(942)),
        (&["SELECT ANY DICTIONARY"], "V$SESSION", Ok(())),
        (&["SELECT ANY DICTIONARY"], "DBMS_LOCK_ALLOCATED", Err(942)),
        (&["SELECT ANY DICTIONARY"], "SYS.DBMS_LOCK_ALLOCATED", Ok(())),
        (&["INSERT ON SYS.V_$LOCK"], "V$LOCK", Err(1031)),
    ] {
        let viewer = viewer(&database, grants, 0);
        assert_eq!(rows(&database, &viewer, table).map(|_| ()), result, "{grants:?} {table}");
    }
}

#[test]
fn an_autonomous_database_keeps_sys_shut() {
    let database = database(model(Release::R19));
    database.lock().books.managed = Managed::Autonomous;
    let any = viewer(&database, &["SELECT ANY DICTIONARY"], 0);
    assert_eq!(rows(&database, &any, "V$SESSION").map(|_| ()), Err(942));
    let role = viewer(&database, &["SELECT_CATALOG_ROLE"], 0);
    assert!(rows(&database, &role, "V$SESSION").is_ok());
}

#[test]
fn containers_see_what_is_theirs() {
    let in_pdb = |container: &str| Workload {
        name: container.into(),
        sessions: 5,
        user: format!("U_{container}"),
        container: container.into(),
        ..Workload::default()
    };
    let containers = vec!["PDB1".to_owned(), "PDB2".to_owned()];
    let spec =
        Spec { containers, workloads: vec![in_pdb("PDB1"), in_pdb("PDB2")], ..Spec::default() };
    let database = database(spec);
    let users = |viewer: &Viewer| {
        let all = rows(&database, viewer, "V$SESSION").expect("it is readable");
        let names: BTreeSet<String> = all
            .iter()
            .filter_map(|row| match &row[6] {
                Value::Text(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        ["U_PDB1", "U_PDB2"].map(|name| names.contains(name))
    };
    let mut root = viewer(&database, &["SELECT_CATALOG_ROLE"], 1);
    assert_eq!(users(&root), [false, false]);
    root.container_data = ContainerData::All;
    assert_eq!(users(&root), [true, true]);
    assert_eq!(users(&viewer(&database, &["SELECT_CATALOG_ROLE"], 3)), [true, false]);
    assert_eq!(users(&viewer(&database, &["SELECT_CATALOG_ROLE"], 4)), [false, true]);
}

#[test]
fn twenty_thousand_sessions_are_read_quickly() {
    let workloads = vec![Workload { name: "w".into(), sessions: 20_000, ..Workload::default() }];
    let limits = crate::cluster::spec::Limits { processes: 25_000, ..Default::default() };
    let database = database(Spec { workloads, limits, ..Spec::default() });
    let viewer = viewer(&database, &["DBA"], 0);
    let state = database.lock();
    let view = View { cluster: &state.cluster, books: &state.books, viewer: &viewer };
    let wanted: Vec<usize> = (0..40).map(|place| place * 103 / 40).collect();
    let mut count = 0;
    let best = (0..3)
        .map(|_| {
            count = 0;
            let begun = Instant::now();
            let scanned = view.scan("GV$SESSION", &wanted, &mut |row| {
                count += row.len();
                true
            });
            scanned.expect("it is readable");
            begun.elapsed()
        })
        .min()
        .expect("three runs");
    assert!(count >= 20_000 * 40, "{count}");
    // About a third of this where nothing else runs.
    // Far beyond what it takes on a busy machine: a scan that looks at all rows for each row would take minutes.
    assert!(best < Duration::from_secs(10), "{best:?}");
}
