//! Views must not contradict each other, whatever goes on. Each query looks for a contradiction, and finds none.

use rac_sim::conversation::{Outcome, Progress, Statement};
use rac_sim::database::SimDatabase;
use rac_sim::scenario::Scenario;

const CONTRADICTIONS: &[(&str, &str)] = &[
    (
        "a session names a transaction that is not there",
        "SELECT s.sid FROM gv$session s LEFT JOIN gv$transaction t ON t.inst_id = s.inst_id AND t.addr = s.taddr
          WHERE s.taddr IS NOT NULL AND t.addr IS NULL",
    ),
    (
        "a transaction's lock is held by a session without a transaction",
        "SELECT l.sid FROM gv$lock l JOIN gv$session s ON s.inst_id = l.inst_id AND s.sid = l.sid
          WHERE l.type = 'TX' AND l.lmode = 6 AND s.taddr IS NULL",
    ),
    (
        "a transaction is locked under another number than its own",
        "SELECT s.sid FROM gv$session s JOIN gv$transaction t ON t.inst_id = s.inst_id AND t.addr = s.taddr
           LEFT JOIN gv$lock l ON l.inst_id = s.inst_id AND l.sid = s.sid AND l.type = 'TX' AND l.lmode = 6
                AND l.id1 = t.xidusn * 65536 + t.xidslot AND l.id2 = t.xidsqn
          WHERE l.sid IS NULL",
    ),
    (
        "a wait for a row is no request in V$LOCK",
        "SELECT s.sid FROM gv$session s LEFT JOIN gv$lock l ON l.inst_id = s.inst_id AND l.sid = s.sid
                AND l.type = 'TX' AND l.request = 6 AND l.id1 = s.p2 AND l.id2 = s.p3 AND l.kaddr = s.lockwait
          WHERE s.event = 'enq: TX - row lock contention' AND s.state = 'WAITING' AND l.sid IS NULL",
    ),
    (
        "a request in V$LOCK is no wait",
        "SELECT l.sid FROM gv$lock l JOIN gv$session s ON s.inst_id = l.inst_id AND s.sid = l.sid
          WHERE l.request > 0 AND (s.lockwait IS NULL OR s.event NOT LIKE 'enq: %')",
    ),
    (
        "who waits for a row has not locked the table",
        "SELECT s.sid FROM gv$session s LEFT JOIN gv$lock l ON l.inst_id = s.inst_id AND l.sid = s.sid
                AND l.type = 'TM' AND l.lmode = 3 AND l.id1 = s.row_wait_obj#
          WHERE s.event = 'enq: TX - row lock contention' AND s.state = 'WAITING' AND l.sid IS NULL",
    ),
    (
        "the holder of what is waited for is not the blocking session",
        "SELECT w.sid FROM gv$lock w JOIN gv$lock h ON h.type = w.type AND h.id1 = w.id1 AND h.id2 = w.id2
                AND h.lmode = 6 JOIN gv$session s ON s.inst_id = w.inst_id AND s.sid = w.sid
          WHERE w.request = 6 AND (s.blocking_instance <> h.inst_id OR s.blocking_session <> h.sid)",
    ),
    (
        "a blocker of V$SESSION is none of V$SESSION_BLOCKERS",
        "SELECT inst_id, sid, serial#, blocking_instance, blocking_session FROM gv$session
          WHERE blocking_session_status = 'VALID'
         MINUS SELECT inst_id, sid, sess_serial#, blocker_instance_id, blocker_sid FROM gv$session_blockers",
    ),
    (
        "a blocker of V$SESSION_BLOCKERS is none of V$WAIT_CHAINS",
        "SELECT inst_id, sid, sess_serial#, blocker_instance_id, blocker_sid, blocker_sess_serial#
           FROM gv$session_blockers
         MINUS SELECT instance, sid, sess_serial#, blocker_instance, blocker_sid, blocker_sess_serial#
                 FROM v$wait_chains",
    ),
    (
        "a chain of V$WAIT_CHAINS is not in V$SESSION",
        "SELECT instance, sid, sess_serial#, blocker_instance, blocker_sid FROM v$wait_chains
          WHERE blocker_is_valid = 'TRUE'
         MINUS SELECT inst_id, sid, serial#, blocking_instance, blocking_session FROM gv$session",
    ),
    (
        "the end of a chain waits itself",
        "SELECT s.sid FROM gv$session s JOIN gv$session f ON f.inst_id = s.final_blocking_instance
                AND f.sid = s.final_blocking_session WHERE f.blocking_session_status = 'VALID'",
    ),
    (
        "DBA_WAITERS has a wait that V$SESSION has not",
        "SELECT waiting_session, holding_session FROM dba_waiters
         MINUS SELECT sid, blocking_session FROM v$session",
    ),
    (
        "DBA_WAITERS lacks a wait for a session of this instance",
        "SELECT sid, blocking_session FROM v$session
          WHERE blocking_instance = SYS_CONTEXT('USERENV', 'INSTANCE') AND lockwait IS NOT NULL
         MINUS SELECT waiting_session, holding_session FROM dba_waiters",
    ),
    (
        "DBA_WAITERS waits for another lock than V$LOCK",
        "SELECT waiting_session, lock_id1, lock_id2 FROM dba_waiters
         MINUS SELECT sid, id1, id2 FROM v$lock WHERE request > 0",
    ),
    (
        "V$LOCKED_OBJECT and V$LOCK disagree",
        "SELECT inst_id, session_id, object_id FROM gv$locked_object
         MINUS SELECT inst_id, sid, id1 FROM gv$lock WHERE type = 'TM'",
    ),
    (
        "V$LOCK and V$LOCKED_OBJECT disagree",
        "SELECT inst_id, sid, id1 FROM gv$lock WHERE type = 'TM'
         MINUS SELECT inst_id, session_id, object_id FROM gv$locked_object",
    ),
    (
        "a session that lives has no process",
        "SELECT s.sid FROM gv$session s LEFT JOIN gv$process p ON p.inst_id = s.inst_id AND p.addr = s.paddr
          WHERE s.status <> 'KILLED' AND s.server <> 'NONE' AND p.addr IS NULL",
    ),
    (
        "a statement of a session is not in V$SQL",
        "SELECT inst_id, sql_id FROM gv$session WHERE sql_id IS NOT NULL
         MINUS SELECT inst_id, sql_id FROM gv$sql",
    ),
    (
        "a running statement is no open cursor",
        "SELECT inst_id, sid, sql_id FROM gv$session WHERE sql_id IS NOT NULL
         MINUS SELECT inst_id, sid, sql_id FROM gv$open_cursor WHERE cursor_type = 'OPEN'",
    ),
    (
        "a monitored statement does not run",
        "SELECT inst_id, sid, session_serial#, sql_id, sql_exec_id FROM gv$sql_monitor
         MINUS SELECT inst_id, sid, serial#, sql_id, sql_exec_id FROM gv$session WHERE status = 'ACTIVE'",
    ),
    (
        "V$SESSION_WAIT and V$SESSION disagree",
        "SELECT inst_id, sid, event, state, p1, p2, p3 FROM gv$session_wait
         MINUS SELECT inst_id, sid, event, state, p1, p2, p3 FROM gv$session",
    ),
    (
        "the table that is waited for is unknown",
        "SELECT s.sid FROM gv$session s LEFT JOIN dba_objects o ON o.object_id = s.row_wait_obj#
          WHERE s.row_wait_obj# > 0 AND o.object_id IS NULL",
    ),
    (
        "the package that runs is unknown",
        "SELECT s.sid FROM gv$session s LEFT JOIN dba_objects o ON o.object_id = s.plsql_entry_object_id
          WHERE s.plsql_entry_object_id IS NOT NULL AND o.object_type IS NULL",
    ),
    (
        "V$TRANSACTION and V$RESOURCE_LIMIT disagree",
        "SELECT r.inst_id FROM gv$resource_limit r WHERE r.resource_name = 'transactions'
            AND r.current_utilization <> (SELECT COUNT(*) FROM gv$transaction t WHERE t.inst_id = r.inst_id)",
    ),
    (
        "V$PROCESS_MEMORY and V$PROCESS disagree",
        "SELECT inst_id, pid, SUM(used), SUM(allocated), SUM(max_allocated) FROM gv$process_memory
          GROUP BY inst_id, pid
         MINUS SELECT inst_id, pid, pga_used_mem, pga_alloc_mem, pga_max_mem FROM gv$process",
    ),
    (
        "a job runs that is none",
        "SELECT owner, job_name FROM dba_scheduler_running_jobs
         MINUS SELECT owner, job_name FROM dba_scheduler_jobs WHERE state = 'RUNNING'",
    ),
    (
        "V$RSRC_SESSION_INFO and V$SESSION disagree",
        "SELECT inst_id, sid, current_consumer_group FROM gv$rsrc_session_info WHERE active = 'TRUE'
         MINUS SELECT inst_id, sid, resource_consumer_group FROM gv$session WHERE status = 'ACTIVE'",
    ),
    (
        "V$SESS_IO and V$SESSTAT disagree",
        "SELECT i.inst_id, i.sid, i.block_gets + i.consistent_gets, i.physical_reads FROM gv$sess_io i
         MINUS SELECT l.inst_id, l.sid, l.value, r.value FROM gv$sesstat l
                 JOIN v$statname ln ON ln.statistic# = l.statistic# AND ln.name = 'session logical reads'
                 JOIN gv$sesstat r ON r.inst_id = l.inst_id AND r.sid = l.sid
                 JOIN v$statname rn ON rn.statistic# = r.statistic# AND rn.name = 'physical reads'",
    ),
];

fn database(seed: u64, chances: &str) -> SimDatabase {
    let text = format!(
        "seed: {seed}
databases:
  - accounts: [{{name: WATCHER, password: w, grants: [CREATE SESSION, SELECT_CATALOG_ROLE]}}]
    model:
      name: V
      instances: [{{}}, {{skew_millis: 1300}}]
      workloads:
        - {{name: pool, sessions: 60, user: SHOP, table: SHOP.ORDERS, think_seconds: 3, call_seconds: 2,
            write_share: 0.6, hot_rows: 4, hold_share: 0.3}}
        - {{name: px, kind: parallel, sessions: 1, degree: 4, call_seconds: 40}}
        - {{name: sleepers, kind: monitor, sessions: 2, statements: ['begin dbms_lock.sleep(60); end;']}}
        - {{name: shared, sessions: 10, server: shared, think_seconds: 2}}
        - {{name: jobs, kind: job, sessions: 3, actions: [REFRESH, PURGE], call_seconds: 30, think_seconds: 5}}
      schedule: [{chances}]"
    );
    let scenario = Scenario::parse(&text).expect("it is read");
    scenario.build().expect("it is sound").remove(0)
}

/// How many rows a query has.
fn count(database: &SimDatabase, sql: &str) -> Option<usize> {
    let mut client = database.connect("watcher", "V1").ok()?;
    let statement = Statement { sql: sql.to_owned(), ..Statement::default() };
    let mut progress = client.execute(&statement);
    for _ in 0..100 {
        match progress {
            Progress::Waiting => database.advance(100_000),
            Progress::Done(Ok(Outcome::Query { columns, cells })) => {
                return Some(cells.len() / columns.len());
            }
            // The instance may be gone; a query that is wrong in itself is no answer.
            Progress::Done(Err(error)) if matches!(error.code, 1033 | 1089 | 3113 | 12_801) => {
                return None;
            }
            Progress::Done(other) => panic!("{sql}: {other:?}"),
        }
        progress = client.resume();
    }
    None
}

#[test]
fn views_agree() {
    const FAULTS: [&str; 4] = [
        "",
        "{after_seconds: 20, fault: {kind: lock_storm, workload: pool, clients: 30, seconds: 60}}",
        "{after_seconds: 20, fault: {kind: lose_connections, instance: 2, share: 0.5}},
         {after_seconds: 50, fault: {kind: archiver_stuck, instance: 1, seconds: 30}}",
        "{after_seconds: 30, fault: {kind: evict, instance: 2, seconds: 30}}",
    ];
    let (mut waits, mut asked, mut answered) = (0, 0, 0);
    for (seed, faults) in (1..).zip(FAULTS) {
        let database = database(seed, faults);
        for _ in 0..5 {
            database.advance(17_300_000);
            waits += count(&database, "SELECT sid FROM v$wait_chains").unwrap_or(0);
            for (name, sql) in CONTRADICTIONS {
                let found = count(&database, sql);
                asked += 1;
                answered += usize::from(found.is_some());
                assert!(
                    found.is_none_or(|rows| rows == 0),
                    "seed {seed}: {name}: {found:?} rows\n{sql}"
                );
            }
        }
    }
    assert!(waits > 20, "there is something to contradict: {waits}");
    assert!(answered > asked * 9 / 10, "{answered} of {asked} were answered");
}
