//! The texts of the errors that the model raises (19c, English). A fault may raise any other as well.

use crate::ora::OraError;

/// The error of a number.
pub(super) fn error(code: u32) -> OraError {
    let unknown = || format!("Message {code} not found;  product=RDBMS; facility=ORA");
    OraError::new(code, text(code).map_or_else(unknown, str::to_owned))
}

const fn text(code: u32) -> Option<&'static str> {
    Some(match code {
        18 => "maximum number of sessions exceeded",
        20 => "maximum number of processes exceeded",
        26 => "missing or invalid session ID",
        27 => "cannot kill current session",
        28 => "your session has been killed",
        29 => "session is not a user session",
        30 => "User session ID does not exist.",
        31 => "session marked for kill",
        43 => "remote operation failed",
        45 => "your session has been terminated with no replay",
        52 => "maximum number of enqueue resources exceeded",
        60 => "deadlock detected while waiting for resource",
        600 => "internal error code, arguments: []",
        922 => "missing or invalid option",
        1012 => "not logged on",
        1013 => "user requested cancel of current operation",
        1031 => "insufficient privileges",
        1033 => "ORACLE initialization or shutdown in progress",
        1034 => "ORACLE not available",
        1089 => "immediate shutdown or close in progress - no operations are permitted",
        1092 => "ORACLE instance terminated. Disconnection forced",
        1555 => "snapshot too old",
        2065 => "illegal option for ALTER SYSTEM",
        2391 => "exceeded simultaneous SESSIONS_PER_USER limit",
        2396 => "exceeded maximum idle time, please connect again",
        2399 => "exceeded maximum connect time, you are being logged off",
        3113 => "end-of-file on communication channel",
        3114 => "not connected to ORACLE",
        3135 => "connection lost contact",
        4031 => "unable to allocate bytes of shared memory",
        12801 => "error signaled in parallel query server",
        12805 => "parallel query server died unexpectedly",
        12850 => "Could not allocate slaves on all specified instances: 2 needed, 1 allocated",
        12520 => "TNS:listener could not find available handler for requested type of server",
        30006 => "resource busy; acquire with WAIT timeout expired",
        _ => return None,
    })
}
