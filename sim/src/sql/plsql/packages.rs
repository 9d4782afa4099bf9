//! The procedures and constants of Oracle's packages that a session manager uses.

use super::{Parameter, Signature};
use crate::conversation::Direction;
use crate::value::ColumnType;

const NUMBER: ColumnType = ColumnType::Number;
const TEXT: ColumnType = ColumnType::Varchar2(4000);
/// A line of DBMS_OUTPUT.
const LINE: ColumnType = ColumnType::Varchar2(32_767);

/// Name, direction, type, and whether it can be left out.
type Row = (&'static str, Direction, ColumnType, bool);

/// Name, parameters and result.
const PROCEDURES: &[(&str, &[Row], Option<ColumnType>)] = &[
    (
        "DBMS_LOCK.ALLOCATE_UNIQUE",
        &[
            ("LOCKNAME", Direction::In, TEXT, false),
            ("LOCKHANDLE", Direction::Out, TEXT, false),
            ("EXPIRATION_SECS", Direction::In, NUMBER, true),
        ],
        None,
    ),
    (
        "DBMS_LOCK.ALLOCATE_UNIQUE_AUTONOMOUS",
        &[
            ("LOCKNAME", Direction::In, TEXT, false),
            ("LOCKHANDLE", Direction::Out, TEXT, false),
            ("EXPIRATION_SECS", Direction::In, NUMBER, true),
        ],
        None,
    ),
    (
        "DBMS_LOCK.REQUEST",
        &[
            ("ID", Direction::In, NUMBER, false),
            ("LOCKMODE", Direction::In, NUMBER, true),
            ("TIMEOUT", Direction::In, NUMBER, true),
            ("RELEASE_ON_COMMIT", Direction::In, NUMBER, true),
        ],
        Some(NUMBER),
    ),
    (
        "DBMS_LOCK.REQUEST",
        &[
            ("LOCKHANDLE", Direction::In, TEXT, false),
            ("LOCKMODE", Direction::In, NUMBER, true),
            ("TIMEOUT", Direction::In, NUMBER, true),
            ("RELEASE_ON_COMMIT", Direction::In, NUMBER, true),
        ],
        Some(NUMBER),
    ),
    (
        "DBMS_LOCK.CONVERT",
        &[
            ("ID", Direction::In, NUMBER, false),
            ("LOCKMODE", Direction::In, NUMBER, false),
            ("TIMEOUT", Direction::In, NUMBER, true),
        ],
        Some(NUMBER),
    ),
    (
        "DBMS_LOCK.CONVERT",
        &[
            ("LOCKHANDLE", Direction::In, TEXT, false),
            ("LOCKMODE", Direction::In, NUMBER, false),
            ("TIMEOUT", Direction::In, NUMBER, true),
        ],
        Some(NUMBER),
    ),
    ("DBMS_LOCK.RELEASE", &[("ID", Direction::In, NUMBER, false)], Some(NUMBER)),
    ("DBMS_LOCK.RELEASE", &[("LOCKHANDLE", Direction::In, TEXT, false)], Some(NUMBER)),
    ("DBMS_LOCK.SLEEP", &[("SECONDS", Direction::In, NUMBER, false)], None),
    ("DBMS_SESSION.SLEEP", &[("SECONDS", Direction::In, NUMBER, false)], None),
    ("DBMS_SESSION.SET_IDENTIFIER", &[("CLIENT_ID", Direction::In, TEXT, false)], None),
    ("DBMS_SESSION.CLEAR_IDENTIFIER", &[], None),
    ("DBMS_SESSION.IS_SESSION_ALIVE", &[("UNIQUEID", Direction::In, TEXT, false)], Some(NUMBER)),
    ("DBMS_SESSION.UNIQUE_SESSION_ID", &[], Some(TEXT)),
    ("DBMS_SESSION.IS_ROLE_ENABLED", &[("ROLENAME", Direction::In, TEXT, false)], Some(NUMBER)),
    ("DBMS_SESSION.FREE_UNUSED_USER_MEMORY", &[], None),
    ("DBMS_SESSION.MODIFY_PACKAGE_STATE", &[("ACTION_FLAGS", Direction::In, NUMBER, false)], None),
    ("DBMS_SESSION.RESET_PACKAGE", &[], None),
    (
        "DBMS_SESSION.SET_CONTEXT",
        &[
            ("NAMESPACE", Direction::In, TEXT, false),
            ("ATTRIBUTE", Direction::In, TEXT, false),
            ("VALUE", Direction::In, TEXT, false),
            ("USERNAME", Direction::In, TEXT, true),
            ("CLIENT_ID", Direction::In, TEXT, true),
        ],
        None,
    ),
    (
        "DBMS_SESSION.CLEAR_CONTEXT",
        &[
            ("NAMESPACE", Direction::In, TEXT, false),
            ("CLIENT_ID", Direction::In, TEXT, true),
            ("ATTRIBUTE", Direction::In, TEXT, true),
        ],
        None,
    ),
    (
        "DBMS_SESSION.SET_NLS",
        &[("PARAM", Direction::In, TEXT, false), ("VALUE", Direction::In, TEXT, false)],
        None,
    ),
    ("DBMS_UTILITY.GET_CPU_TIME", &[], Some(NUMBER)),
    ("DBMS_UTILITY.GET_TIME", &[], Some(NUMBER)),
    (
        "DBMS_APPLICATION_INFO.SET_MODULE",
        &[("MODULE_NAME", Direction::In, TEXT, false), ("ACTION_NAME", Direction::In, TEXT, false)],
        None,
    ),
    ("DBMS_APPLICATION_INFO.SET_ACTION", &[("ACTION_NAME", Direction::In, TEXT, false)], None),
    ("DBMS_APPLICATION_INFO.SET_CLIENT_INFO", &[("CLIENT_INFO", Direction::In, TEXT, false)], None),
    (
        "DBMS_APPLICATION_INFO.READ_CLIENT_INFO",
        &[("CLIENT_INFO", Direction::Out, TEXT, false)],
        None,
    ),
    (
        "DBMS_APPLICATION_INFO.READ_MODULE",
        &[
            ("MODULE_NAME", Direction::Out, TEXT, false),
            ("ACTION_NAME", Direction::Out, TEXT, false),
        ],
        None,
    ),
    ("DBMS_OUTPUT.PUT_LINE", &[("A", Direction::In, LINE, false)], None),
    ("DBMS_OUTPUT.PUT", &[("A", Direction::In, LINE, false)], None),
    ("DBMS_OUTPUT.NEW_LINE", &[], None),
    ("DBMS_OUTPUT.ENABLE", &[("BUFFER_SIZE", Direction::In, NUMBER, true)], None),
    ("DBMS_OUTPUT.DISABLE", &[], None),
    (
        "DBMS_OUTPUT.GET_LINE",
        &[("LINE", Direction::Out, LINE, false), ("STATUS", Direction::Out, NUMBER, false)],
        None,
    ),
    (
        "RDSADMIN.RDSADMIN_UTIL.KILL",
        &[
            ("SID", Direction::In, NUMBER, false),
            ("SERIAL", Direction::In, NUMBER, false),
            ("METHOD", Direction::In, TEXT, true),
        ],
        None,
    ),
    (
        "RDSADMIN.RDSADMIN_UTIL.DISCONNECT",
        &[
            ("SID", Direction::In, NUMBER, false),
            ("SERIAL", Direction::In, NUMBER, false),
            ("METHOD", Direction::In, TEXT, true),
        ],
        None,
    ),
    (
        "RDSADMIN.RDSADMIN_UTIL.CANCEL",
        &[
            ("SID", Direction::In, NUMBER, false),
            ("SERIAL", Direction::In, NUMBER, false),
            ("SQL_ID", Direction::In, TEXT, true),
        ],
        None,
    ),
];

/// The signatures of Oracle's own packages that the simulation knows; none for any other name. SYS may stand in front.
pub fn signatures(name: &str) -> Vec<Signature> {
    let bare = name.strip_prefix("SYS.").unwrap_or(name);
    let found = PROCEDURES.iter().filter(|procedure| procedure.0 == bare);
    let signature = |(name, rows, returns): &(&str, &[Row], Option<ColumnType>)| Signature {
        name: (*name).to_owned(),
        parameters: rows
            .iter()
            .map(|(name, direction, column_type, optional)| Parameter {
                name: (*name).to_owned(),
                direction: *direction,
                column_type: *column_type,
                optional: *optional,
            })
            .collect(),
        returns: *returns,
    };
    found.map(signature).collect()
}

/// A constant of Oracle's packages.
pub(crate) fn constant(name: &str) -> Option<i64> {
    Some(match name.strip_prefix("SYS.").unwrap_or(name) {
        "DBMS_LOCK.NL_MODE" | "DBMS_SESSION.FREE_ALL_RESOURCES" => 1,
        "DBMS_LOCK.SS_MODE" | "DBMS_SESSION.REINITIALIZE" => 2,
        "DBMS_LOCK.SX_MODE" => 3,
        "DBMS_LOCK.S_MODE" => 4,
        "DBMS_LOCK.SSX_MODE" => 5,
        "DBMS_LOCK.X_MODE" => 6,
        "DBMS_LOCK.MAXWAIT" => 32_767,
        _ => return None,
    })
}
