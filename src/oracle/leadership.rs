//! One enforcing daemon per database, elected by the database's own lock manager on the very sessions that end others:
//! whoever loses the session loses the right (facts, section 7.1).
//!
//! Two locks. LEADER is held exclusively by the leader's first session. LANES is held in share mode by each of its
//! sessions that may end others, and a new leader has to get it exclusively once, which it cannot while any session of
//! the former leader is left. A further session of ours takes LANES between two proofs that we lead, so nobody else can
//! have led when it got it. Hence at any moment all sessions that may end others belong to one daemon.

use super::connection::Connection;
use super::datum::{Bind, Datum};
use super::error::CallError;

/// Lock names: one pair for all daemons that watch a database.
const LEADER: &str = "ORAWARDEN_LEADER";
const LANES: &str = "ORAWARDEN_LANES";

/// A handle is at most 128 characters.
const HANDLE_BYTES: u32 = 128;

/// DBMS_LOCK's answers.
const GRANTED: i64 = 0;
const ALREADY_OWNED: i64 = 4;

/// The handles of both locks, which are a session's own.
#[derive(Debug, Clone)]
pub(super) struct Handles {
    leader: String,
    lanes: String,
}

/// Whether a session got what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// It did.
    Granted,
    /// It has it from before. That proves nothing more: the block that asks may have failed half-way.
    Held,
    /// It did not; why, for people.
    Denied(String),
}

impl Handles {
    /// Asked for once per session: ALLOCATE_UNIQUE commits and writes a table.
    pub(super) fn of(connection: &mut Connection) -> Result<Self, CallError> {
        let text = "DECLARE
  v_leader VARCHAR2(128);
  v_lanes VARCHAR2(128);
BEGIN
  DBMS_LOCK.ALLOCATE_UNIQUE(:b_leader, v_leader);
  DBMS_LOCK.ALLOCATE_UNIQUE(:b_lanes, v_lanes);
  :o_leader := v_leader;
  :o_lanes := v_lanes;
END;";
        let binds = vec![
            Bind::In(Datum::Text(LEADER.to_owned())),
            Bind::In(Datum::Text(LANES.to_owned())),
            Bind::OutText(HANDLE_BYTES),
            Bind::OutText(HANDLE_BYTES),
        ];
        let within = connection.settings().connect_within;
        let values = connection.call(text, binds, within)?;
        let text = |place: usize| values.get(place).and_then(Datum::as_text).map(str::to_owned);
        let both = text(0).zip(text(1)).map(|(leader, lanes)| Self { leader, lanes });
        both.ok_or_else(|| CallError::Died("DBMS_LOCK gave no handle".to_owned()))
    }

    /// Asks to lead, or whether we still do. One round trip.
    pub(super) fn lead(&self, connection: &mut Connection) -> Result<Asked, CallError> {
        let text = "DECLARE
  b_leader CONSTANT VARCHAR2(128) := :b_leader;
  b_lanes CONSTANT VARCHAR2(128) := :b_lanes;
  v_leader NUMBER;
  v_lanes NUMBER := 0;
  v_let_go NUMBER;
BEGIN
  v_leader := DBMS_LOCK.REQUEST(b_leader, DBMS_LOCK.X_MODE, 0, FALSE);
  IF v_leader = 0 THEN
    v_lanes := DBMS_LOCK.REQUEST(b_lanes, DBMS_LOCK.X_MODE, 0, FALSE);
    IF v_lanes IN (0, 4) THEN
      v_lanes := DBMS_LOCK.CONVERT(b_lanes, DBMS_LOCK.S_MODE, 0);
    END IF;
    IF v_lanes <> 0 THEN
      v_let_go := DBMS_LOCK.RELEASE(b_leader);
    END IF;
  END IF;
  :o_leader := v_leader;
  :o_lanes := v_lanes;
END;";
        let binds = vec![
            Bind::In(Datum::Text(self.leader.clone())),
            Bind::In(Datum::Text(self.lanes.clone())),
            Bind::OutNumber,
            Bind::OutNumber,
        ];
        let within = connection.settings().connect_within;
        let values = connection.call(text, binds, within)?;
        let number = |place: usize| values.get(place).and_then(Datum::as_number);
        Ok(match (number(0), number(1)) {
            (Some(GRANTED), Some(GRANTED)) => Asked::Granted,
            (Some(ALREADY_OWNED), _) => Asked::Held,
            (Some(GRANTED), _) => {
                Asked::Denied("sessions of the former leader are still there".to_owned())
            }
            (Some(1), _) => Asked::Denied("another daemon leads".to_owned()),
            (answer, _) => Asked::Denied(format!("DBMS_LOCK.REQUEST answered {answer:?}")),
        })
    }

    /// Asks for LANES in share mode, between two proofs of the caller's that we lead.
    pub(super) fn join(&self, connection: &mut Connection) -> Result<Asked, CallError> {
        let text = "DECLARE
  b_lanes CONSTANT VARCHAR2(128) := :b_lanes;
BEGIN
  :o_lanes := DBMS_LOCK.REQUEST(b_lanes, DBMS_LOCK.S_MODE, 0, FALSE);
END;";
        let binds = vec![Bind::In(Datum::Text(self.lanes.clone())), Bind::OutNumber];
        let within = connection.settings().connect_within;
        let values = connection.call(text, binds, within)?;
        Ok(match values.first().and_then(Datum::as_number) {
            Some(GRANTED | ALREADY_OWNED) => Asked::Granted,
            _ => Asked::Denied("another daemon has begun to lead".to_owned()),
        })
    }
}
