//! The least that has to be granted, as SQL that a DBA can read, change and run; and the wrapper, a procedure that ends
//! sessions with its owner's rights so that the daemon's account needs no ALTER SYSTEM. Facts, section 5.3.

use std::fmt::Write as _;

use super::columns::Join;
use super::protocol::Release;
use crate::engine::protect::MAINTAINED_ACCOUNTS;

/// What the account is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The daemon's account.
    pub account: String,
    /// How sessions are to be ended.
    pub ending: Ending,
    /// One daemon is to be elected, which takes DBMS_LOCK.
    pub leadership: bool,
    /// The database has containers and the account is a common user of the root.
    pub root: bool,
    /// Each instance is looked at through its own connection, which reads V$ views.
    pub per_instance: bool,
    /// The server's release.
    pub release: Release,
}

/// How sessions are ended, as far as grants go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Not at all: dry runs need no more than to look.
    Never,
    /// ALTER SYSTEM.
    AlterSystem,
    /// The procedure OWNER.NAME.
    Wrapper(String),
    /// Amazon RDS.
    Rds,
}

/// Views that every look needs.
const ALWAYS: [&str; 5] =
    ["GV_$SESSION", "V_$SESSION", "GV_$INSTANCE", "V_$ACTIVE_INSTANCES", "V_$DATABASE"];

/// Views that the comparison before an end reads.
const ENDING: [&str; 2] = ["GV_$PX_SESSION", "V_$PX_SESSION"];

/// Dictionary views are granted as such, fixed views as SYS's objects behind their synonyms.
pub(super) fn objects(wanted: &Wanted) -> Vec<String> {
    let mut objects: Vec<&str> = ALWAYS.to_vec();
    let there = Join::ALL.iter().filter(|join| wanted.release >= join.since());
    objects.extend(there.flat_map(|join| join.views()));
    if wanted.ending != Ending::Never {
        objects.extend(ENDING);
    }
    if wanted.root {
        objects.extend(["CDB_USERS", "CDB_SCHEDULER_RUNNING_JOBS"]);
    }
    let mut objects: Vec<String> = objects.into_iter().map(str::to_owned).collect();
    if wanted.per_instance {
        let local = |it: &String| it.strip_prefix("GV_$").map(|name| format!("V_${name}"));
        objects.extend(objects.iter().filter_map(local).collect::<Vec<_>>());
        // Who waits for whom is asked of the whole cluster.
        objects.retain(|it| !it.starts_with("GV_$") || it == "GV_$SESSION");
    }
    objects.sort_unstable();
    objects.dedup();
    objects
}

/// The script, to be run by a DBA.
pub fn script(wanted: &Wanted) -> String {
    let account = &wanted.account;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut line = |line: &str| writeln!(text, "{line}").unwrap_or_default();
    line(&format!(
        "-- What orawarden needs as {account}. Run as a DBA; nothing here is changed by orawarden itself."
    ));
    let everywhere = if wanted.root { " CONTAINER=ALL" } else { "" };
    line(&format!(
        "-- Where there is no such account yet: CREATE USER {account} IDENTIFIED BY \"a password\"{everywhere};"
    ));
    if wanted.root {
        line(
            "-- The name of a common user begins with COMMON_USER_PREFIX, which is C## unless it was changed.",
        );
    }
    line(&format!("GRANT CREATE SESSION TO {account};"));
    if wanted.ending == Ending::Rds {
        line("-- On RDS the master user grants what it holds through RDSADMIN.");
        for object in objects(wanted) {
            line(&format!(
                "EXEC rdsadmin.rdsadmin_util.grant_sys_object('{object}', '{}', 'SELECT');",
                account.to_ascii_uppercase()
            ));
        }
    } else {
        line(
            "-- Views: one grant each. SELECT_CATALOG_ROLE instead of all of them works too, and opens more.",
        );
        for object in objects(wanted) {
            line(&format!("GRANT SELECT ON sys.{} TO {account};", object.to_ascii_lowercase()));
        }
    }
    if wanted.root {
        line(
            "-- Without this a common user sees the root's sessions only, and the listing looks healthy.",
        );
        line(&container_data(account));
    }
    match &wanted.ending {
        Ending::Never | Ending::Rds => {}
        Ending::AlterSystem => {
            line(
                "-- ALTER SYSTEM is far more than ending sessions; see `orawarden grants --wrapper OWNER.NAME`.",
            );
            line(&format!("GRANT ALTER SYSTEM TO {account};"));
        }
        Ending::Wrapper(procedure) => line(&format!("GRANT EXECUTE ON {procedure} TO {account};")),
    }
    if wanted.leadership && wanted.ending != Ending::Never {
        line("-- The election of one enforcing daemon; not needed with `leadership: false`.");
        line(&format!("GRANT EXECUTE ON sys.dbms_lock TO {account};"));
    }
    text
}

fn container_data(account: &str) -> String {
    format!("ALTER USER {account} SET CONTAINER_DATA=ALL CONTAINER=CURRENT;")
}

/// Views that the wrapper reads. Its owner needs them granted directly: roles do not count in it.
const WRAPPER_READS: [&str; 3] = ["gv_$session", "gv_$px_session", "gv_$process"];

/// The first release with accounts that nobody can log in to.
const NO_AUTHENTICATION: Release = Release::new(18, 0);

/// The first release in which DBA_USERS says whom Oracle maintains.
const ORACLE_MAINTAINED: Release = Release::new(12, 1);

/// The wrapper and what its owner needs, to be run by a DBA. `procedure` is OWNER.NAME.
pub fn wrapper(procedure: &str, wanted: &Wanted) -> String {
    let release = wanted.release;
    let owner = procedure.split('.').next().unwrap_or(procedure);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut line = |line: &str| writeln!(text, "{line}").unwrap_or_default();
    line(&format!("-- {owner} owns the procedure and never logs in."));
    if release >= NO_AUTHENTICATION {
        line(&format!("CREATE USER {owner} NO AUTHENTICATION ACCOUNT LOCK;"));
    } else {
        line("-- Choose a password that nobody will know.");
        line(&format!("CREATE USER {owner} IDENTIFIED BY \"&password\" ACCOUNT LOCK;"));
    }
    line(&format!("GRANT ALTER SYSTEM TO {owner};"));
    for view in WRAPPER_READS {
        line(&format!("GRANT SELECT ON sys.{view} TO {owner};"));
    }
    line(&format!("GRANT SELECT ON sys.dba_users TO {owner};"));
    if wanted.root {
        line("-- The procedure sees what its owner sees.");
        line(&container_data(owner));
    }
    line("");
    line(&format!(
        "CREATE OR REPLACE PROCEDURE {procedure} ({}) AUTHID DEFINER AS",
        WRAPPER_PARAMETERS.join(", ")
    ));
    line(wrapper_body(release).trim_end());
    line("/");
    text
}

/// The wrapper's parameters.
pub const WRAPPER_PARAMETERS: [&str; 9] = [
    "p_inst IN NUMBER",
    "p_sid IN NUMBER",
    "p_serial IN NUMBER",
    "p_logon IN VARCHAR2",
    "p_verb IN VARCHAR2",
    "p_sql_id IN VARCHAR2",
    "p_rule IN VARCHAR2",
    "p_code OUT NUMBER",
    "p_text OUT VARCHAR2",
];

/// How the body asks whether Oracle maintains an account.
const MAINTAINED: &str = "u.oracle_maintained = 'Y'";

/// Declarations and body as they compile on a release: a list stands in where DBA_USERS does not say who is maintained.
pub fn wrapper_body(release: Release) -> String {
    if release >= ORACLE_MAINTAINED {
        return WRAPPER_BODY.to_owned();
    }
    let names: Vec<String> = MAINTAINED_ACCOUNTS.iter().map(|name| format!("'{name}'")).collect();
    let lines: Vec<String> = names.chunks(6).map(|names| names.join(", ")).collect();
    let listed = format!("u.username IN ({})", lines.join(",\n                               "));
    WRAPPER_BODY.replace(MAINTAINED, &listed)
}

/// Declarations and body. It trusts nothing that it is told but identity and verb, and looks again at what must never
/// be ended: -20901 says that the session is such a one, -20902 that it is not the one that was meant.
const WRAPPER_BODY: &str = include_str!("wrapper.sql");

#[cfg(test)]
mod tests {
    use super::{Ending, Wanted, script, wrapper, wrapper_body};
    use crate::oracle::protocol::Release;

    #[test]
    fn a_script_says_how_the_account_is_made_and_makes_none() {
        for (root, account, made) in [
            (false, "WARDEN", r#"CREATE USER WARDEN IDENTIFIED BY "a password";"#),
            (
                true,
                "C##WARDEN",
                r#"CREATE USER C##WARDEN IDENTIFIED BY "a password" CONTAINER=ALL;"#,
            ),
        ] {
            let wanted = Wanted {
                account: account.to_owned(),
                ending: Ending::Never,
                leadership: true,
                root,
                per_instance: false,
                release: Release::new(19, 0),
            };
            let script = script(&wanted);
            let line = script.lines().find(|line| line.contains("CREATE USER")).unwrap_or_default();
            assert!(line.starts_with("--") && line.ends_with(made), "{script}");
            assert_eq!(script.contains("COMMON_USER_PREFIX"), root, "{script}");
        }
    }

    #[test]
    fn a_release_is_asked_only_for_what_it_has() {
        let old = Release::new(11, 2);
        for (release, has) in
            [(old, false), (Release::new(12, 1), true), (Release::new(19, 0), true)]
        {
            assert_eq!(wrapper_body(release).contains("oracle_maintained"), has);
            assert_eq!(wrapper_body(release).contains("'OUTLN'"), !has);
            let ending = Ending::Never;
            let account = "WARDEN".to_owned();
            let wanted = Wanted {
                account,
                ending,
                leadership: true,
                root: has,
                per_instance: false,
                release,
            };
            let script = script(&wanted);
            let wrapper = wrapper("A.B", &wanted);
            assert_eq!(wrapper.contains("NO AUTHENTICATION"), release >= Release::new(18, 0));
            assert_eq!(wrapper.contains("ALTER USER A SET CONTAINER_DATA=ALL"), has, "{wrapper}");
            assert_eq!(script.contains("ALTER USER WARDEN SET CONTAINER_DATA=ALL"), has);
            assert_eq!(script.contains("v_$containers"), has, "{script}");
            assert!(!script.contains("dbms_lock") && !script.contains("GRANT ALTER"), "{script}");
        }
    }
}
