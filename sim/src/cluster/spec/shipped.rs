//! The scenarios that come with the program. The numbers are measured ones where there are any (realdata, sections 2.6
//! and 5); the rest lies in the same range.

use super::{InstanceSpec, Kind, Limits, ProfileSpec, ServerKind, Spec, Workload};
use crate::cluster::fault::{Chances, Fault, Scheduled};
use crate::conversation::Release;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// `prefix01.dom` and so on.
fn hosts(prefix: &str, count: u32) -> Vec<String> {
    (1..=count).map(|number| format!("{prefix}{number:02}")).collect()
}

/// A pool of JDBC sessions.
fn pool(name: &str, user: &str, sessions: u32, machines: Vec<String>) -> Workload {
    Workload {
        name: name.into(),
        sessions,
        user: user.into(),
        osuser: "wlsadm".into(),
        machines,
        service: format!("{}_RW", user.to_lowercase()),
        think_seconds: 20.0,
        call_seconds: 0.55,
        long_share: 0.01,
        long_seconds: 4.0,
        reserve_share: 0.25,
        write_share: 0.25,
        table: format!("{user}.ORDERS"),
        statement_count: 57,
        ..Workload::default()
    }
}

/// The application's users: the first three have the most sessions, as measured.
fn applications(scale: f64) -> Vec<Workload> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of sessions"
    )]
    let sized = |sessions: f64| (sessions * scale).round().max(1.0) as u32;
    let mut shop = pool("shop", "SHOP", sized(1_513.0), hosts("shopapp", 9));
    shop.modules = texts(&["JDBC Thin Client", "checkout", "catalog"]);
    shop.actions = texts(&["", "getProductDetails", "placeOrder"]);
    let mut billing = pool("billing", "BILLING", sized(774.0), hosts("billapp", 6));
    billing.hot_rows = 60;
    // Containers and several servers on one host all say `localhost`.
    let mut crm = pool("crm", "CRM", sized(669.0), vec!["localhost".into()]);
    crm.osuser = "tomcat".into();
    let mut desk =
        pool("desk", "DESK", sized(190.0), (1..=8).map(|n| format!("CORP\\DESK{n:02}")).collect());
    desk.program = "w3wp.exe".into();
    desk.osuser = "svc_desk".into();
    let mut portal = pool("portal", "PORTAL", sized(130.0), hosts("portal", 2));
    portal.program = "httpd@{host} (TNS V1-V3)".into();
    portal.reconnect_share = 0.1;
    portal.server = ServerKind::Pooled;
    portal.modules = texts(&["login", "basket", "search"]);
    let mut report = pool("report", "REPORT", sized(90.0), hosts("rep", 2));
    (report.kind, report.think_seconds, report.write_share) = (Kind::Dashboard, 60.0, 0.0);
    (report.reserve_share, report.reconnect_share) = (0.0, 0.0);
    let ship = pool("ship", "SHIP", sized(100.0), hosts("ship", 3));
    let hr = pool("hr", "HRAPP", sized(54.0), hosts("hr", 1));
    vec![shop, billing, crm, desk, portal, report, ship, hr]
}

/// Connections that nobody uses, calls over links, people, and those who hold what others need.
fn hangers_on(scale: f64) -> Vec<Workload> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of sessions"
    )]
    let sized = |sessions: f64| (sessions * scale).round().max(1.0) as u32;
    let leak = |user: &str, sessions, machine: &str| Workload {
        name: format!("{}-leak", user.to_lowercase()),
        kind: Kind::Leak,
        ..pool("", user, sessions, vec![machine.into()])
    };
    let tool = |name: &str, user: &str, program: &str, sessions| Workload {
        name: name.into(),
        kind: Kind::Person,
        sessions,
        user: user.into(),
        osuser: "kmeyer".into(),
        machines: (1..=4).map(|n| format!("CORP\\PC{n:03}")).collect(),
        program: program.into(),
        think_seconds: 240.0,
        call_seconds: 1.0,
        long_share: 0.05,
        long_seconds: 120.0,
        write_share: 0.1,
        hold_share: 0.5,
        ..Workload::default()
    };
    let link = Workload {
        kind: Kind::Link,
        program: "oracle@{host} (TNS V1-V3)".into(),
        think_seconds: 900.0,
        call_seconds: 1.5,
        ..pool("links", "DBLINK", sized(133.0), hosts("edw", 2))
    };
    let idle = Workload {
        kind: Kind::IdleInTransaction,
        think_seconds: 420.0,
        ..pool("forgetful", "CRM", sized(8.0), vec!["localhost".into()])
    };
    let long = Workload {
        kind: Kind::Batch,
        call_seconds: 7_200.0,
        think_seconds: 600.0,
        undo_per_second: 40,
        ..pool("orphans", "BILLING", sized(3.0), hosts("billapp", 6))
    };
    vec![
        leak("SHOP", sized(90.0), "shopapp03"),
        leak("CRM", sized(70.0), "localhost"),
        link,
        idle,
        long,
        tool("toad", "ANALYST", "Toad.exe", sized(5.0)),
        tool("sqldev", "DEVELOPER", "SQL Developer", sized(5.0)),
        Workload {
            osuser: "oracle".into(),
            ..tool("sqlplus", "SYSTEM", "sqlplus@{host} (TNS V1-V3)", 2)
        },
    ]
}

/// What every database has besides its users: agents, monitors, backups, jobs. Agents and monitors are per instance.
fn caretakers(instances: u32) -> Vec<Workload> {
    let mut all = Vec::new();
    for instance in 1..=instances {
        let pinned = |name: &str, kind, user: &str, program: &str, sessions| Workload {
            name: format!("{name}-{instance}"),
            kind,
            sessions,
            user: user.into(),
            program: program.into(),
            modules: texts(&[program.split('@').next().unwrap_or(program)]),
            instances: vec![instance],
            container: "CDB$ROOT".into(),
            think_seconds: 5.0 * 86_400.0,
            call_seconds: 0.05,
            ..Workload::default()
        };
        let agent = pinned("agent", Kind::Agent, "SYSRAC", "oraagent.bin@{host} (TNS V1-V3)", 6);
        all.push(Workload { user_id: Some(2_147_483_620), ..agent });
        all.push(Workload {
            think_seconds: 60.0,
            ..pinned("emagent", Kind::Agent, "DBSNMP", "emagent", 2)
        });
        let monitor = pinned("monitor", Kind::Monitor, "DBSNMP", "OMS", 1);
        all.push(Workload { statements: texts(&["begin dbms_lock.sleep(60); end;"]), ..monitor });
        // SYS in a process of the server, ACTIVE for days: it was seen in real systems.
        all.push(pinned("server", Kind::Monitor, "SYS", "oracle@{host}", 1));
    }
    all
}

/// Jobs of the scheduler.
fn jobs(sessions: u32, every_seconds: f64, length: f64) -> Workload {
    Workload {
        name: "jobs".into(),
        kind: Kind::Job,
        sessions,
        user: "BATCH".into(),
        service: "SYS$USERS".into(),
        actions: texts(&["ORA$AT_SA_SPC_SY_171", "REFRESH_MV", "PURGE_LOG", "SYNC_STOCK"]),
        think_seconds: every_seconds,
        call_seconds: length,
        write_share: 0.6,
        ..Workload::default()
    }
}

/// Processes of Data Pump.
fn data_pump(name: &str, process_name: &str, sessions: u32) -> Workload {
    Workload {
        name: name.into(),
        kind: Kind::Batch,
        sessions,
        user: "SYSTEM".into(),
        process_name: process_name.into(),
        modules: texts(&[if process_name == "DM" {
            "Data Pump Master"
        } else {
            "Data Pump Worker"
        }]),
        actions: texts(&["SYS_EXPORT_SCHEMA_03"]),
        call_seconds: 3_000.0,
        think_seconds: 5.0,
        ..Workload::default()
    }
}

impl Spec {
    /// Two instances and about 4,000 sessions of an online system on a calm day (realdata, section 5.1).
    pub fn oltp() -> Self {
        let mut workloads = applications(1.0);
        workloads.extend(hangers_on(1.0));
        workloads.extend(caretakers(2));
        workloads.push(jobs(8, 300.0, 20.0));
        Self {
            name: "SHOP".into(),
            instances: vec![
                InstanceSpec { weight: 52, ..InstanceSpec::default() },
                InstanceSpec { weight: 48, skew_millis: 1_300, ..InstanceSpec::default() },
            ],
            containers: texts(&["SHOPPDB"]),
            limits: Limits { processes: 3_000, ..Limits::default() },
            profiles: vec![ProfileSpec {
                user: "ANALYST".into(),
                idle_minutes: Some(60),
                connect_minutes: None,
                sessions: Some(40),
            }],
            workloads,
            ..Self::default()
        }
    }

    /// A batch night: few sessions more, ten times the work (realdata, section 5.4).
    pub fn batch() -> Self {
        let mut spec = Self::oltp();
        spec.start_seconds += 17 * 3_600; // three at night
        for workload in spec.workloads.iter_mut().filter(|workload| workload.kind == Kind::Pool) {
            workload.think_seconds = 400.0;
            workload.ping_seconds = 600.0;
        }
        let heavy = |name: &str, sessions, call_seconds, table: &str| Workload {
            kind: Kind::Batch,
            program: "sqlplus@{host} (TNS V1-V3)".into(),
            osuser: "batch".into(),
            modules: texts(&["SQL*Plus"]),
            think_seconds: 20.0,
            call_seconds,
            write_share: 0.8,
            undo_per_second: 900,
            table: table.into(),
            ..pool(name, "BATCH", sessions, hosts("batch", 3))
        };
        let parallel = Workload {
            kind: Kind::Parallel,
            degree: 16,
            call_seconds: 240.0,
            think_seconds: 120.0,
            write_share: 0.0,
            ..pool("warehouse", "DWH", 6, hosts("etl", 2))
        };
        let rman = Workload {
            name: "rman".into(),
            kind: Kind::Rman,
            sessions: 8,
            user: "SYSBACKUP".into(),
            program: "rman@{host} (TNS V1-V3)".into(),
            modules: texts(&["backup full datafile"]),
            ..Workload::default()
        };
        spec.workloads.extend([
            heavy("nightly", 40, 1_800.0, "BATCH.LEDGER"),
            Workload { hot_rows: 12, ..heavy("posting", 30, 90.0, "BATCH.ACCOUNTS") },
            heavy("endless", 4, 18_000.0, "BATCH.HISTORY"),
            parallel,
            rman,
            data_pump("pump-master", "DM", 1),
            data_pump("pump-workers", "DW", 4),
            Workload { name: "night-jobs".into(), ..jobs(40, 120.0, 200.0) },
        ]);
        spec.chances = Chances { lost_connections: 2.0, hung_calls: 0.5, ..Chances::default() };
        spec
    }

    /// Row-lock storms, bursts of log-ons and broken connections on the online system.
    pub fn storm() -> Self {
        let mut spec = Self::oltp();
        let at =
            |after_seconds, every_seconds, fault| Scheduled { after_seconds, every_seconds, fault };
        let storm = Fault::LockStorm { workload: "shop".into(), clients: 1_400, seconds: 120 };
        let billing = Fault::LockStorm { workload: "billing".into(), clients: 500, seconds: 60 };
        spec.schedule = vec![
            at(120, Some(900), storm),
            at(480, Some(900), billing),
            at(
                560,
                Some(1_800),
                Fault::LatchStorm { workload: "crm".into(), clients: 41, seconds: 90 },
            ),
            at(1_500, Some(3_600), Fault::ArchiverStuck { instance: 1, seconds: 45 }),
            at(600, Some(900), Fault::LoseConnections { instance: 2, share: 0.2 }),
            at(700, Some(3_600), Fault::LogOnBurst { workload: "portal".into(), clients: 40 }),
        ];
        spec.chances = Chances {
            lost_connections: 30.0,
            hung_calls: 4.0,
            leaks: 10.0,
            slow_minutes: 2.0,
            hidden_minutes: 1.0,
            hangs: 0.5,
            evictions: 0.05,
            ..Chances::default()
        };
        spec
    }

    /// Sixteen databases of many sizes and releases (realdata, section 5.2).
    pub fn fleet() -> Vec<Self> {
        const SIZES: [f64; 16] = [
            0.003, 0.003, 0.005, 0.005, 0.01, 0.02, 0.02, 0.03, 0.04, 0.05, 0.08, 0.12, 0.15, 0.16,
            0.35, 0.8,
        ];
        const RELEASES: [Release; 5] =
            [Release::R19, Release::R11_2, Release::R19, Release::R12_1, Release::R12_2];
        let one = |(place, size): (usize, f64)| {
            let release = if place == 5 { Release::R23 } else { RELEASES[place % RELEASES.len()] };
            let instances = if size < 0.05 { 1 } else { 2 };
            let mut workloads = applications(size);
            if size >= 0.02 {
                workloads.extend(hangers_on(size));
            }
            workloads.extend(caretakers(instances));
            let number = u32::try_from(place).expect("few databases");
            // Each is busy at another hour, and some are hardly ever.
            for workload in &mut workloads {
                if place % 3 == 0 && workload.kind == Kind::Pool {
                    workload.think_seconds = 1_200.0;
                }
            }
            let skew_millis = i64::from(number) * 3_700 - 30_000;
            let pluggable = release >= Release::R12_1 && place % 2 == 0;
            Self {
                name: format!("DB{:02}", number + 1),
                dbid: 1_504_289_451 + number,
                release,
                read_only: place == 9,
                instances: vec![
                    InstanceSpec { skew_millis, ..InstanceSpec::default() };
                    instances as usize
                ],
                containers: if pluggable { texts(&["PDB1", "PDB2"]) } else { Vec::new() },
                limits: Limits {
                    processes: if size < 0.1 { 600 } else { 3_000 },
                    ..Limits::default()
                },
                workloads,
                ..Self::default()
            }
        };
        SIZES.into_iter().enumerate().map(one).collect()
    }
}
