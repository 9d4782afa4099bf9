//! From the names in a header to what their cells fill.
//!
//! Three ways a name is known, the earlier wins: the user's mapping, Oracle's own name, another name that exports
//! carry. The names that lose and the names nobody knows are kept for the warnings.

use std::str::FromStr;

use super::CaptureError;
use crate::engine::session::Column;

/// Most columns of a capture: GV$SESSION has 113, joined with everything else it stays below 500.
pub(super) const COLUMNS_MAX: usize = 2_048;

/// Oracle's pseudo-column: the number of the row.
pub(super) const ROW_NUMBER: &str = "ROWNUM";

/// What a cell fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Target {
    /// When the snapshot was taken. First, because it decides where the row goes.
    TakenAt,
    Sid,
    Serial,
    /// `sid,serial` and perhaps `,@inst` in one cell.
    SidSerial,
    InstId,
    /// A time of the row that is only looked at where nothing says when the snapshot was taken.
    PrevExecStart,
    Column(Column),
}

/// Columns of Oracle's that nothing here reads, so that a whole row of GV$SESSION is no row of unknown columns. From
/// the Database Reference (GV$SESSION of 11.2 to 19c); the DRAIN ones and the two WAITED ones are from listings of
/// later releases, which the Reference does not have.
#[rustfmt::skip]
const UNUSED: [&str; 66] = [
    "SADDR", "PADDR", "LOCKWAIT", "SCHEMA#", "SQL_ADDRESS", "SQL_HASH_VALUE", "PREV_SQL_ADDR", "PREV_HASH_VALUE",
    "PREV_CHILD_NUMBER", "PREV_EXEC_ID", "PLSQL_ENTRY_OBJECT_ID", "PLSQL_ENTRY_SUBPROGRAM_ID", "PLSQL_OBJECT_ID",
    "PLSQL_SUBPROGRAM_ID", "MODULE_HASH", "ACTION_HASH", "FIXED_TABLE_SEQUENCE", "ROW_WAIT_OBJ#", "ROW_WAIT_FILE#",
    "ROW_WAIT_BLOCK#", "ROW_WAIT_ROW#", "TOP_LEVEL_CALL#", "PDML_ENABLED", "FAILOVER_METHOD", "FAILED_OVER",
    "PDML_STATUS", "PDDL_STATUS", "PQ_STATUS", "CURRENT_QUEUE_DURATION", "FINAL_BLOCKING_SESSION_STATUS",
    "FINAL_BLOCKING_INSTANCE", "FINAL_BLOCKING_SESSION", "SEQ#", "EVENT#", "P1TEXT", "P1", "P1RAW", "P2TEXT", "P2",
    "P2RAW", "P3TEXT", "P3", "P3RAW", "WAIT_CLASS_ID", "WAIT_CLASS#", "WAIT_TIME", "TIME_REMAINING_MICRO",
    "TOTAL_TIME_WAITED_MICRO", "HEUR_TIME_WAITED_MICRO", "TIME_SINCE_LAST_WAIT_MICRO", "SQL_TRACE", "SQL_TRACE_WAITS",
    "SQL_TRACE_BINDS", "SQL_TRACE_PLAN_STATS", "SESSION_EDITION_ID", "CREATOR_ADDR", "CREATOR_SERIAL#", "ECID",
    "SQL_TRANSLATION_PROFILE_ID", "PGA_TUNABLE_MEM", "SHARD_DDL_STATUS", "EXTERNAL_NAME", "PLSQL_DEBUGGER_CONNECTED",
    "DRAIN_STATUS", "DRAIN_DEADLINE", "DRAIN_ORIGIN",
];

impl Target {
    const KEYS: [(&str, Self); 6] = [
        ("TAKEN_AT", Self::TakenAt),
        ("SID", Self::Sid),
        ("SERIAL#", Self::Serial),
        ("SID:SERIAL#", Self::SidSerial),
        ("INST_ID", Self::InstId),
        ("PREV_EXEC_START", Self::PrevExecStart),
    ];

    /// Names as the product documents them; `SERIAL` because many tools cannot write `#`.
    fn named(name: &str) -> Option<Self> {
        Self::key_named(name).or_else(|| Column::named(name).map(Self::Column))
    }

    fn key_named(name: &str) -> Option<Self> {
        let name = if name.eq_ignore_ascii_case("SERIAL") { "SERIAL#" } else { name };
        let key = Self::KEYS.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        key.map(|(_, target)| *target)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Column(column) => column.name(),
            key => {
                Self::KEYS.iter().find(|(_, target)| *target == key).map_or("", |(name, _)| name)
            }
        }
    }
}

/// How foreign headers are to be read: `event_truncated_33=EVENT,sid_serial=SID:SERIAL#`.
///
/// The right side is a column of Oracle's, `TAKEN_AT`, `INST_ID`, `SID`, `SERIAL#`, or `SID:SERIAL#` for cells such as
/// `1378,5` and `1378,5,@1`. A left side `ROWNUM` that is no header stands for the number of the row: `ROWNUM=SERIAL#`
/// makes a key for listings without SERIAL#, `ROWNUM=SID:SERIAL#` for those without both. Durations
/// (`00:00:05:40`, `1:02:03`, `10.6 Hour(s)`) can be mapped to columns of seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnMap {
    targets: Vec<(String, Target)>,
}

/// A column mapping that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnMapError {
    /// Not of the form `header=COLUMN`.
    #[error("`{0}` is not of the form header=COLUMN")]
    NoEquals(String),
    /// The right side is no column of a session.
    #[error("`{0}` is not a column of a session")]
    UnknownColumn(String),
    /// A header stands on two left sides.
    #[error("the header `{0}` is mapped twice")]
    Twice(String),
}

impl FromStr for ColumnMap {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        let mut targets: Vec<(String, Target)> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = || ColumnMapError::NoEquals(part.to_owned());
            let (header, column) = part.rsplit_once('=').ok_or_else(wrong)?;
            let (header, column) = (header.trim(), column.trim());
            let unknown = || ColumnMapError::UnknownColumn(column.to_owned());
            let target = Target::named(column).ok_or_else(unknown)?;
            if targets.iter().any(|(known, _)| known.eq_ignore_ascii_case(header)) {
                return Err(ColumnMapError::Twice(header.to_owned()));
            }
            targets.push((header.to_owned(), target));
        }
        Ok(Self { targets })
    }
}

impl ColumnMap {
    fn target(&self, header: &str) -> Option<Target> {
        let found = self.targets.iter().find(|(known, _)| known.eq_ignore_ascii_case(header));
        found.map(|(_, target)| *target)
    }

    /// What the row's number fills, where the mapping says so.
    pub(super) fn row_number(&self) -> Option<Target> {
        self.target(ROW_NUMBER)
    }

    /// The headers that the mapping names.
    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().map(|(header, _)| header.as_str())
    }
}

/// How sure a name is; the surer name gets the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Alias,
    Name,
    Mapped,
}

/// One cell of a record that is read.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// Which cell of the record, from 0.
    pub(super) cell: usize,
    /// The name in the header.
    pub(super) header: String,
    pub(super) target: Target,
    claim: Claim,
}

/// Which cells of a record fill what, keys first.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    pub(super) slots: Vec<Slot>,
    /// Names that nothing is known about.
    pub(super) unknown: Vec<String>,
    /// Names whose column another name holds: loser, winner.
    pub(super) unused: Vec<(String, String)>,
    /// How many cells a record has.
    pub(super) width: usize,
    /// What the row's number fills; it is the last cell then.
    pub(super) row_number: Option<Target>,
}

impl Layout {
    /// Reads a header.
    pub(super) fn of<'a>(
        names: impl IntoIterator<Item = &'a str>,
        map: &ColumnMap,
    ) -> Result<Self, CaptureError> {
        let mut layout = Self::default();
        for (cell, name) in names.into_iter().enumerate() {
            if cell == COLUMNS_MAX {
                return Err(CaptureError::TooMany { what: "columns", max: COLUMNS_MAX });
            }
            layout.width = cell + 1;
            layout.add(cell, clean(name), map)?;
        }
        layout.add_row_number(map)?;
        layout.slots.sort_by_key(|slot| slot.target);
        Ok(layout)
    }

    fn add(&mut self, cell: usize, name: &str, map: &ColumnMap) -> Result<(), CaptureError> {
        let mapped = map.target(name);
        let Some(target) = mapped.or_else(|| Target::named(name)) else {
            if !name.is_empty() && !is_unused(name) {
                self.unknown.push(name.to_owned());
            }
            return Ok(());
        };
        let is_own_name = target.name().eq_ignore_ascii_case(name);
        let claim = match mapped {
            Some(_) => Claim::Mapped,
            None if is_own_name || target == Target::Serial => Claim::Name,
            None => Claim::Alias,
        };
        let slot = Slot { cell, header: name.to_owned(), target, claim };
        let rival = self.slots.iter_mut().find(|slot| slot.target == target);
        match rival {
            None => self.slots.push(slot),
            Some(rival) if rival.claim == claim && claim != Claim::Alias => {
                return Err(CaptureError::DuplicateColumn {
                    name: name.to_owned(),
                    first: rival.cell + 1,
                    second: cell + 1,
                });
            }
            Some(rival) if rival.claim < claim => {
                self.unused.push((rival.header.clone(), name.to_owned()));
                *rival = slot;
            }
            Some(rival) => self.unused.push((name.to_owned(), rival.header.clone())),
        }
        Ok(())
    }

    /// Makes the row's number one more cell of every record.
    fn add_row_number(&mut self, map: &ColumnMap) -> Result<(), CaptureError> {
        let is_real = self.slots.iter().any(|slot| slot.header.eq_ignore_ascii_case(ROW_NUMBER));
        if map.row_number().is_some() && !is_real {
            self.row_number = map.row_number();
            self.add(self.width, ROW_NUMBER, map)?;
            self.width += 1;
        }
        Ok(())
    }

    pub(super) fn slot(&self, target: Target) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.target == target)
    }

    /// True when rows can be told apart: SID and SERIAL# are there, in one column or in two.
    pub(super) fn has_key(&self) -> bool {
        let has = |target| self.slot(target).is_some();
        has(Target::SidSerial) || (has(Target::Sid) && has(Target::Serial))
    }

    /// The columns that a snapshot of this layout has.
    pub(super) fn columns(&self) -> impl Iterator<Item = Column> {
        self.slots.iter().filter_map(|slot| match slot.target {
            Target::Column(column) => Some(column),
            _ => None,
        })
    }
}

/// True when names tell rows apart: one of them is SID and one SERIAL#, or one is both, or the row's number stands in.
pub(super) fn names_key<'a>(names: impl IntoIterator<Item = &'a str>, map: &ColumnMap) -> bool {
    let (mut sid, mut serial) = match map.row_number() {
        Some(Target::SidSerial) => (true, true),
        stand_in => (stand_in == Some(Target::Sid), stand_in == Some(Target::Serial)),
    };
    for name in names {
        let target = map.target(clean(name)).or_else(|| Target::key_named(clean(name)));
        sid |= matches!(target, Some(Target::Sid | Target::SidSerial));
        serial |= matches!(target, Some(Target::Serial | Target::SidSerial));
    }
    sid && serial
}

/// True for the name of a column, be it of use or not.
pub(super) fn is_known(name: &str, map: &ColumnMap) -> bool {
    map.target(name).or_else(|| Target::named(name)).is_some() || is_unused(name)
}

fn is_unused(name: &str) -> bool {
    UNUSED.iter().any(|unused| unused.eq_ignore_ascii_case(name))
}

/// A name without the quotes and blanks round it.
pub(super) fn clean(name: &str) -> &str {
    name.trim().trim_matches('"').trim()
}
