//! What a client sees of a large cluster: how long 20,000 sessions of 40 columns take to reach Oracle's thin driver in
//! Rust over loopback, and what 500 connections weigh. `cargo bench -p rac-sim --bench wire`.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::time::Instant;

use oracledb::{Config, Connection};
use rac_sim::scenario::Scenario;
use rac_sim::server::{Options, Server};

const SCENARIO: &str = "
speed: 0
databases:
  - name: RACDB
    model:
      name: RACDB
      instances: [{}, {}]
      limits: {processes: 15000, sessions: 20000}
      workloads:
        - {name: shop, sessions: 19950, user: SHOP, think_seconds: 30}
";

const COLUMNS: &str = "inst_id, sid, serial#, audsid, paddr, user#, username, command, ownerid, taddr, lockwait, \
status, server, schema#, schemaname, osuser, process, machine, port, terminal, program, type, sql_id, \
sql_child_number, sql_exec_start, sql_exec_id, prev_sql_id, module, action, client_info, logon_time, last_call_et, \
blocking_session_status, blocking_instance, blocking_session, event, state, wait_time_micro, service_name, con_id";

const RUNS: usize = 5;
const CONNECTIONS: usize = 500;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let scenario = Scenario::parse(SCENARIO).expect("the scenario is read");
    let server = runtime.block_on(Server::start(&scenario, Options::default())).expect("it starts");
    let port = server.address().port();
    println!("resident before any client: {} MiB", resident_mib());

    let warden = connect(port);
    let sql = format!("SELECT {COLUMNS} FROM gv$session");
    let (mut best, mut rows) = (f64::MAX, 0);
    for _ in 0..RUNS {
        let began = Instant::now();
        rows = fetch(&warden, &sql);
        best = best.min(began.elapsed().as_secs_f64() * 1e3);
    }
    println!("{rows} rows of 40 columns: {best:.0} ms, the best of {RUNS}");

    let before = resident_mib();
    let began = Instant::now();
    let connections: Vec<Connection> = (0..CONNECTIONS).map(|_| connect(port)).collect();
    let took = began.elapsed().as_secs_f64();
    println!(
        "{CONNECTIONS} connections in {took:.1} s: {} MiB more, both ends in one process; {} in all",
        resident_mib().saturating_sub(before),
        resident_mib()
    );
    drop(connections);
    drop(warden);
    runtime.block_on(server.stop());
}

fn connect(port: u16) -> Connection {
    let text = format!(
        "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT={port}))(CONNECT_DATA=(SERVICE_NAME=RACDB)))"
    );
    let config = Config::default().set_credentials("orawarden", "orawarden");
    let config = config.set_connect_string(&text).expect("a descriptor");
    oracledb::connect(config).expect("it logs in")
}

fn fetch(connection: &Connection, sql: &str) -> usize {
    let statement = connection.statement(sql).expect("a statement");
    let statement =
        statement.fetch_array_size(1_000).prefetch_rows(1_000).build().expect("a statement");
    let rows = statement.query(&[]).expect("it runs");
    rows.map(|row| assert_eq!(row.expect("a row").columns().len(), 40)).count()
}

/// Resident memory of this process.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
