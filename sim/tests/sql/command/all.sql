ALTER SYSTEM KILL SESSION '252,45632'
----
KillSession { session: SessionLiteral { sid: 252, serial: 45632, inst_id: None }, mode: Plain, timeout_secs: None }

ALTER SYSTEM KILL SESSION '252, 45632, @2' IMMEDIATE
----
KillSession { session: SessionLiteral { sid: 252, serial: 45632, inst_id: Some(2) }, mode: Immediate, timeout_secs: None }

ALTER SYSTEM KILL SESSION '252,45632,1' IMMEDIATE
----
ORA-00026: missing or invalid session ID
at 26

ALTER SYSTEM KILL SESSION '252'
----
ORA-00026: missing or invalid session ID
at 26

ALTER SYSTEM KILL SESSION 252
----
ORA-00026: missing or invalid session ID
at 26

ALTER SYSTEM KILL SESSION '252,x'
----
ORA-00026: missing or invalid session ID
at 26

ALTER SYSTEM KILL SESSION '252,45632' NOREPLAY
----
KillSession { session: SessionLiteral { sid: 252, serial: 45632, inst_id: None }, mode: NoReplay, timeout_secs: None }

@release 11.2
ALTER SYSTEM KILL SESSION '252,45632' NOREPLAY
----
ORA-00922: missing or invalid option
at 38

ALTER SYSTEM KILL SESSION '252,45632' FORCE
----
ORA-00922: missing or invalid option
at 38

@release 23
ALTER SYSTEM KILL SESSION '252,45632' FORCE TIMEOUT 0
----
KillSession { session: SessionLiteral { sid: 252, serial: 45632, inst_id: None }, mode: Force, timeout_secs: Some(0) }

@release 23
ALTER SYSTEM KILL SESSION '252,45632' TIMEOUT 10
----
KillSession { session: SessionLiteral { sid: 252, serial: 45632, inst_id: None }, mode: Plain, timeout_secs: Some(10) }

ALTER SYSTEM KILL SESSION '252,45632' IMMEDIATE NOREPLAY
----
ORA-00922: missing or invalid option
at 48

ALTER SYSTEM DISCONNECT SESSION '1,2' POST_TRANSACTION IMMEDIATE
----
DisconnectSession { session: SessionLiteral { sid: 1, serial: 2, inst_id: None }, post_transaction: true, mode: Immediate, timeout_secs: None }

ALTER SYSTEM DISCONNECT SESSION '1,2,@1' IMMEDIATE
----
DisconnectSession { session: SessionLiteral { sid: 1, serial: 2, inst_id: Some(1) }, post_transaction: false, mode: Immediate, timeout_secs: None }

ALTER SYSTEM CANCEL SQL '1,2,@1,9babjv8yq8ru3'
----
CancelSql { session: SessionLiteral { sid: 1, serial: 2, inst_id: Some(1) }, sql_id: Some("9babjv8yq8ru3") }

ALTER SYSTEM CANCEL SQL '1, 2, 9babjv8yq8ru3'
----
CancelSql { session: SessionLiteral { sid: 1, serial: 2, inst_id: None }, sql_id: Some("9babjv8yq8ru3") }

@release 12.1
ALTER SYSTEM CANCEL SQL '1, 2'
----
ORA-02065: illegal option for ALTER SYSTEM
at 13

ALTER SYSTEM CANCEL SQL '1,2,short'
----
ORA-00026: missing or invalid session ID
at 24

ALTER SYSTEM SET resource_limit = TRUE SCOPE = MEMORY SID = '*'
----
SystemSet { settings: [Setting { name: "RESOURCE_LIMIT", value: "TRUE" }], scope: Some("MEMORY"), sid: Some("*") }

ALTER SYSTEM FLUSH SHARED_POOL
----
SystemOther("FLUSH SHARED_POOL")

ALTER SYSTEM DANCE
----
ORA-02065: illegal option for ALTER SYSTEM
at 13

ALTER SESSION SET NLS_LANGUAGE='AMERICAN' NLS_TERRITORY='AMERICA' TIME_ZONE='+01:00'
----
SessionSet([Setting { name: "NLS_LANGUAGE", value: "AMERICAN" }, Setting { name: "NLS_TERRITORY", value: "AMERICA" }, Setting { name: "TIME_ZONE", value: "+01:00" }])

ALTER SESSION SET CURRENT_SCHEMA = app
----
SessionSet([Setting { name: "CURRENT_SCHEMA", value: "APP" }])

ALTER SESSION DANCE
----
ORA-02248: invalid option for ALTER SESSION
at 14

COMMIT
----
Commit

COMMIT WORK WRITE BATCH NOWAIT
----
Commit

ROLLBACK TO SAVEPOINT a
----
Rollback { savepoint: Some("A") }

SAVEPOINT a
----
Savepoint("A")

SET TRANSACTION READ ONLY
----
SetTransaction("READ ONLY")

LOCK TABLE app.notes IN EXCLUSIVE MODE NOWAIT
----
LockTable { table: "APP.NOTES", mode: "EXCLUSIVE", wait: NoWait }

GRANT SELECT, INSERT ON app.notes TO scott, PUBLIC
----
Ddl(Ddl { verb: "GRANT", object_type: "", object: "APP.NOTES", privileges: ["SELECT", "INSERT"], grantees: ["SCOTT", "PUBLIC"], text: "GRANT SELECT, INSERT ON app.notes TO scott, PUBLIC" })

REVOKE ALTER SYSTEM FROM scott
----
Ddl(Ddl { verb: "REVOKE", object_type: "", object: "", privileges: ["ALTER SYSTEM"], grantees: ["SCOTT"], text: "REVOKE ALTER SYSTEM FROM scott" })

CREATE OR REPLACE PACKAGE BODY app.p AS BEGIN NULL; END;
----
Ddl(Ddl { verb: "CREATE", object_type: "PACKAGE BODY", object: "APP.P", privileges: [], grantees: [], text: "CREATE OR REPLACE PACKAGE BODY app.p AS BEGIN NULL; END;" })

CREATE TABLE t (id NUMBER)
----
Ddl(Ddl { verb: "CREATE", object_type: "TABLE", object: "T", privileges: [], grantees: [], text: "CREATE TABLE t (id NUMBER)" })

DROP USER scott CASCADE
----
Ddl(Ddl { verb: "DROP", object_type: "USER", object: "SCOTT", privileges: [], grantees: [], text: "DROP USER scott CASCADE" })

TRUNCATE TABLE notes
----
Ddl(Ddl { verb: "TRUNCATE", object_type: "TABLE", object: "NOTES", privileges: [], grantees: [], text: "TRUNCATE TABLE notes" })

CREATE DANCE
----
ORA-00901: invalid CREATE command
at 12

MERGE INTO notes USING dual ON (1 = 1) WHEN MATCHED THEN UPDATE SET id = 1
----
Dml(Dml(Merge(Merge { target: From { source: Table(["NOTES"]), alias: None, join: Comma, on: None, using: [], natural: false, pivot: None, at: 11 }, source: From { source: Table(["DUAL"]), alias: None, join: Comma, on: None, using: [], natural: false, pivot: None, at: 23 }, on: Expr { kind: Binary(Equal, Expr { kind: Literal(Number(1), Number), at: 32 }, Expr { kind: Literal(Number(1), Number), at: 36 }), at: 34 }, update: Some(MergeUpdate { set: [("ID", 68, Expr { kind: Literal(Number(1), Number), at: 73 })], filter: None }), insert: None })))

COMMIT NOW
----
ORA-00933: SQL command not properly ended
at 7

DANCE
----
ORA-00900: invalid SQL statement
at 0
