//! The sessions of a policy test, and how time passes for them.

use std::collections::BTreeMap;

use crate::config::tests_file::{CellValue, TestCase, TestSession, TestTick};
use crate::engine::session::{
    Column, NumberColumn, SessionKey, Sessions, Snapshot, TextColumn,
};
use crate::engine::time::{MICROS_PER_SECOND, Span, Timestamp};

/// Sessions that live through the ticks of one test.
pub(super) struct World {
    start: Timestamp,
    lives: Vec<Life>,
    /// Of the file that the test names; then there are no lives.
    captured: Vec<Snapshot>,
}

struct Life {
    key: SessionKey,
    cells: BTreeMap<Column, CellValue>,
    /// When the columns that move with the clock were last set.
    since: Timestamp,
}

/// The moment at which a test without `at` plays.
const DEFAULT_START: Timestamp = Timestamp(1_767_225_600 * MICROS_PER_SECOND);

impl World {
    /// The world at the start of a test.
    pub(super) fn new(test: &TestCase, captured: Vec<Snapshot>) -> Self {
        let first = captured.first().map(|snapshot| snapshot.taken_at);
        let start = test.at.or(first).unwrap_or(DEFAULT_START);
        let life = |session: &TestSession| Life {
            key: session.key,
            cells: session.cells.iter().cloned().collect(),
            since: start,
        };
        Self { start, lives: test.sessions.iter().map(life).collect(), captured }
    }

    /// What a daemon would see at a tick. The error says which session a change does not find.
    pub(super) fn advance(&mut self, test: &TestCase, tick: &TestTick) -> Result<Snapshot, String> {
        let now = self.start.plus(tick.after);
        if let Some(last) = self.captured.iter().rfind(|snapshot| snapshot.taken_at <= now) {
            return Ok(Snapshot { unlisted_live_sessions: test.population, ..last.clone() });
        }
        for change in &tick.change {
            let life = self.lives.iter_mut().find(|life| life.key == change.key);
            let life = life.ok_or_else(|| format!("no session {} to change", change.key))?;
            life.change(&change.cells, now);
        }
        for gone in &tick.gone {
            if !self.lives.iter().any(|life| life.key == *gone) {
                return Err(format!("no session {gone} to take away"));
            }
            self.lives.retain(|life| life.key != *gone);
        }
        let mut sessions = Sessions::with_columns(Column::all());
        for life in &self.lives {
            life.write(&mut sessions, self.start, now);
        }
        let database = test.database.clone().unwrap_or_else(|| "test".to_owned());
        let mut snapshot = Snapshot::of_sessions(database, now, sessions);
        snapshot.unlisted_live_sessions = test.population;
        Ok(snapshot)
    }
}

impl Life {
    /// The clock has moved this session's columns until now; then it says something new.
    fn change(&mut self, cells: &[(Column, CellValue)], now: Timestamp) {
        let elapsed = now.since(self.since);
        for (column, value) in &mut self.cells {
            *value = moved(*column, value, elapsed);
        }
        self.since = now;
        self.cells.extend(cells.iter().cloned());
    }

    fn write(&self, sessions: &mut Sessions, start: Timestamp, now: Timestamp) {
        let row = sessions.push(self.key);
        let elapsed = now.since(self.since);
        let mut cells = self.defaults(start, now);
        cells.extend(self.cells.iter().map(|(column, value)| (*column, moved(*column, value, elapsed))));
        for (column, value) in cells {
            match (column, value) {
                (Column::Text(column), CellValue::Text(text)) => sessions.set_text(row, column, &text),
                (Column::Number(column), CellValue::Number(number)) => {
                    sessions.set_number(row, column, number.into());
                }
                // The file's decoder gives each column its own kind of value.
                _ => {}
            }
        }
    }

    /// An ordinary pooled session that logged on yesterday; what the test says of it decides the rest.
    fn defaults(&self, start: Timestamp, now: Timestamp) -> BTreeMap<Column, CellValue> {
        const DAY: Span = Span::seconds(86_400);
        let has = |column| self.cells.contains_key(&column);
        let text = |column, text: &str| (Column::Text(column), CellValue::Text(text.to_owned()));
        let number = |column, number| (Column::Number(column), CellValue::Number(number));
        let active = matches!(self.cells.get(&Column::Text(TextColumn::Status)),
            Some(CellValue::Text(status)) if status.eq_ignore_ascii_case("ACTIVE"));
        let told_event = has(Column::Text(TextColumn::Event));
        let mut cells = BTreeMap::from([
            text(TextColumn::Username, "APP"),
            text(TextColumn::Type, "USER"),
            text(TextColumn::Status, "INACTIVE"),
            text(TextColumn::Server, "DEDICATED"),
            text(TextColumn::OracleMaintained, "N"),
            text(TextColumn::BlockingSessionStatus, "NO HOLDER"),
            text(TextColumn::State, if active && !told_event { "WAITED SHORT TIME" } else { "WAITING" }),
            text(TextColumn::Event, "SQL*Net message from client"),
            number(NumberColumn::LastCallEt, now.since(start).0 / MICROS_PER_SECOND),
            number(NumberColumn::LogonTime, start.0 - DAY.0),
        ]);
        if !told_event {
            cells.extend([text(TextColumn::WaitClass, "Idle")]);
        }
        if has(Column::Number(NumberColumn::BlockingSession)) {
            cells.extend([
                text(TextColumn::BlockingSessionStatus, "VALID"),
                number(NumberColumn::BlockingInstance, i64::from(self.key.inst_id)),
                number(NumberColumn::SecondsInWait, 0),
            ]);
        }
        let undo = [NumberColumn::UsedUrec, NumberColumn::StartDate];
        if undo.into_iter().any(|column| has(Column::Number(column))) {
            cells.extend([text(TextColumn::Taddr, "00"), number(NumberColumn::UsedUrec, 1)]);
        }
        cells
    }
}

/// Columns that count up by themselves.
fn moved(column: Column, value: &CellValue, elapsed: Span) -> CellValue {
    let unit = match column {
        Column::Number(NumberColumn::LastCallEt | NumberColumn::SecondsInWait) => MICROS_PER_SECOND,
        Column::Number(NumberColumn::WaitTimeMicro) => 1,
        _ => return value.clone(),
    };
    match value {
        CellValue::Number(number) => CellValue::Number(number + elapsed.0 / unit),
        text => text.clone(),
    }
}
