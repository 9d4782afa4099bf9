//! One switch for each point that the documentation leaves open (facts, section 11). A program under test has to be
//! right in every position.

use serde::Deserialize;

/// The switches. The defaults are what seems likeliest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one open question, and all combinations are possible"
)]
pub struct Switches {
    /// What CANCEL SQL answers when the SQL_ID is not the one that runs; 0 for success. The code is not known.
    pub cancel_mismatch: u32,
    /// CANCEL SQL without a SQL_ID on an idle session cancels its next statement, as the manual says. Otherwise nothing
    /// happens, as was measured.
    pub cancel_reaches_next: bool,
    /// CANCEL SQL exists in 12.2, where it is not documented.
    pub cancel_in_12_2: bool,
    /// FORCE and TIMEOUT work from 12.2 on, where they are not documented.
    pub force_before_23: bool,
    /// DISCONNECT takes `@inst`; otherwise it is ORA-00026.
    pub disconnect_at_instance: bool,
    /// NOREPLAY alone waits up to 60 seconds like a plain KILL.
    pub no_replay_waits: bool,
    /// What an order to an instance that is not open does.
    pub dead_instance: DeadInstance,
    /// The error for a session of another container, when the issuer is in a pluggable database.
    pub other_container: u32,
    /// What KILL answers for a session that is KILLED and PSEUDO already.
    pub pseudo_again: PseudoAgain,
    /// ORA-00031 costs the issuer its own connection, as several drivers make of it (facts, section 2.7).
    pub marked_cuts_issuer: bool,
    /// Instead of ORA-03113, a session that was killed with IMMEDIATE while idle gets ORA-03135.
    pub lost_contact: bool,
    /// PADDR of a killed session points at one address for all of them, as old releases did; otherwise it stays and
    /// dangles.
    pub paddr_rewritten: bool,
    /// LAST_CALL_ET moves in steps of so many seconds.
    pub last_call_et_step: u32,
    /// User locks are known per container, not in the whole database.
    pub user_locks_per_container: bool,
    /// The error of a query over GV$ while an instance is hung and not yet evicted; 0: it just waits.
    pub hung_gv: u32,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            cancel_mismatch: 26,
            cancel_reaches_next: true,
            cancel_in_12_2: true,
            force_before_23: false,
            disconnect_at_instance: true,
            no_replay_waits: false,
            dead_instance: DeadInstance::RemoteFailed,
            other_container: 30,
            pseudo_again: PseudoAgain::Gone,
            marked_cuts_issuer: false,
            lost_contact: false,
            paddr_rewritten: false,
            last_call_et_step: 1,
            user_locks_per_container: true,
            hung_gv: 0,
        }
    }
}

/// What an order to an instance that is not open does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadInstance {
    /// ORA-00030.
    Gone,
    /// ORA-00043.
    RemoteFailed,
    /// ORA-00026.
    Invalid,
    /// It waits for a minute, then ORA-00031.
    Waits,
}

/// What KILL answers for a session that is KILLED and PSEUDO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PseudoAgain {
    /// ORA-00030.
    Gone,
    /// ORA-00031.
    Marked,
    /// Success.
    Nothing,
}
