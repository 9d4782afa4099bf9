//! Databases that somebody else operates, and procedures with definer's rights.

use rac_sim::value::Value;

use crate::support::{Client, database};

#[test]
fn rds_has_procedures_instead_of_alter_system() {
    let database = database("databases: [{name: R, instances: 1, managed: rds}]");
    let mut app = Client::new(&database, "APP", 1);
    let mut master = Client::new(&database, "ORAWARDEN", 1);
    let (sid, serial) = app.talk.session();
    assert_eq!(master.code(&format!("ALTER SYSTEM KILL SESSION '{sid},{serial}'")), 1031);
    assert_eq!(Client::new(&database, "SYSTEM", 1).code("ALTER SYSTEM SET open_cursors = 1"), 1031);
    let block = format!(
        "BEGIN rdsadmin.rdsadmin_util.kill(sid => {sid}, serial => {serial}, method => 'IMMEDIATE'); END;"
    );
    assert_eq!(app.code(&block), 6550);
    assert_eq!(master.code(&block), 0);
    assert_eq!(app.code("SELECT 1 FROM dual"), 3113);
    assert_eq!(master.code(&block), 30);
}

#[test]
fn an_autonomous_database_only_kills() {
    let database = database("databases: [{name: A, managed: autonomous}]");
    let app = Client::new(&database, "APP", 1);
    let mut warden = Client::new(&database, "ORAWARDEN", 1);
    let target = app.target();
    assert_eq!(warden.code(&format!("ALTER SYSTEM DISCONNECT SESSION '{target}' IMMEDIATE")), 1031);
    assert_eq!(warden.code(&format!("ALTER SYSTEM CANCEL SQL '{target}'")), 1031);
    assert_eq!(warden.code(&format!("ALTER SYSTEM KILL SESSION '{target}' IMMEDIATE")), 0);
}

#[test]
fn a_procedure_acts_with_its_owners_rights() {
    let database = database(
        "
databases:
  - name: W
    accounts:
      - {name: KILLER, grants: [ALTER SYSTEM, SELECT ON SYS.V_$SESSION]}
      - {name: DAEMON, password: x, grants: [CREATE SESSION, EXECUTE ON KILLER.SAFE_KILL]}
    procedures:
      - owner: KILLER
        name: SAFE_KILL
        parameters: [P_SID NUMBER, P_SERIAL NUMBER, P_CODE OUT NUMBER]
        body: |
          DECLARE n NUMBER;
          BEGIN
            SELECT COUNT(*) INTO n FROM v$session
             WHERE sid = :P_SID AND serial# = :P_SERIAL AND username NOT IN ('SYS', 'SYSTEM');
            IF n = 1 THEN
              EXECUTE IMMEDIATE 'ALTER SYSTEM KILL SESSION ''' || :P_SID || ',' || :P_SERIAL || ''' IMMEDIATE';
              :P_CODE := 0;
            ELSE
              :P_CODE := 1;
            END IF;
          EXCEPTION WHEN OTHERS THEN :P_CODE := SQLCODE;
          END;
",
    );
    let mut app = Client::new(&database, "APP", 1);
    let system = Client::new(&database, "SYSTEM", 1);
    let mut daemon = Client::new(&database, "DAEMON", 1);
    assert_eq!(daemon.code("SELECT COUNT(*) FROM v$session"), 942);
    let mut kill = |sid: u32, serial: u32| {
        let values = [Value::integer(sid), Value::integer(serial), Value::Null];
        let out =
            daemon.block("BEGIN killer.safe_kill(:s, :n, :rc); END;", &values).expect("it may");
        out[2].clone()
    };
    let (sid, serial) = system.talk.session();
    assert_eq!(kill(sid, serial), Value::integer(1));
    let (sid, serial) = app.talk.session();
    assert_eq!(kill(sid, serial), Value::integer(0));
    assert_eq!(app.code("SELECT 1 FROM dual"), 3113);
}
