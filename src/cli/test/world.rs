//! The sessions of a policy test, and how time passes for them.

use std::collections::BTreeMap;

use crate::config::cells::{Cell, DEFAULT_TEXTS};
use crate::config::tests_file::{TestCase, TestKey, TestSession, TestTick};
use crate::engine::session::{Column, NumberColumn, SessionKey, Sessions, Snapshot, TextColumn};
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
    cells: BTreeMap<Column, Cell>,
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
        let lives = test.sessions.iter().map(|session| Life::new(session, start)).collect();
        Self { start, lives, captured }
    }

    /// What a daemon would see at a tick. The error says which session a change does not find.
    pub(super) fn advance(&mut self, test: &TestCase, tick: &TestTick) -> Result<Snapshot, String> {
        let now = self.start.plus(tick.after);
        if let Some(last) = self.captured.iter().rfind(|snapshot| snapshot.taken_at <= now) {
            return Ok(Snapshot { unlisted_live_sessions: test.population, ..last.clone() });
        }
        for gone in &tick.gone {
            let before = self.lives.len();
            self.lives.retain(|life| !is(*gone, life.key));
            if self.lives.len() == before {
                return Err(format!("no session {},@{} to take away", gone.sid, gone.inst_id));
            }
        }
        for change in &tick.change {
            match self.lives.iter_mut().find(|life| is(change.key, life.key)) {
                Some(life) => life.change(&change.cells, now),
                None => self.lives.push(Life::new(change, now)),
            }
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

/// Whether a test's name for a session means this one.
fn is(wanted: TestKey, key: SessionKey) -> bool {
    (wanted.sid, wanted.inst_id) == (key.sid, key.inst_id)
        && wanted.serial.is_none_or(|serial| serial == key.serial)
}

const fn column_of(cell: &Cell) -> Column {
    match cell {
        Cell::Text(column, _) => Column::Text(*column),
        Cell::Number(column, _) => Column::Number(*column),
    }
}

fn by_column(cells: &[Cell]) -> impl Iterator<Item = (Column, Cell)> {
    cells.iter().map(|cell| (column_of(cell), cell.clone()))
}

impl Life {
    fn new(session: &TestSession, since: Timestamp) -> Self {
        let TestKey { sid, inst_id, serial } = session.key;
        let key = SessionKey { inst_id, sid, serial: serial.unwrap_or(1) };
        Self { key, cells: by_column(&session.cells).collect(), since }
    }

    /// The clock has moved this session's columns until now; then it says something new.
    fn change(&mut self, cells: &[Cell], now: Timestamp) {
        let elapsed = now.since(self.since);
        for cell in self.cells.values_mut() {
            *cell = moved(cell, elapsed);
        }
        self.since = now;
        self.cells.extend(by_column(cells));
    }

    fn write(&self, sessions: &mut Sessions, start: Timestamp, now: Timestamp) {
        let row = sessions.push(self.key);
        let elapsed = now.since(self.since);
        let mut cells = self.defaults(start, now);
        cells.extend(self.cells.iter().map(|(column, cell)| (*column, moved(cell, elapsed))));
        for cell in cells.into_values() {
            match cell {
                Cell::Text(column, text) => {
                    sessions.set_text(row, column, text.as_deref().unwrap_or_default());
                }
                Cell::Number(column, number) => sessions.set_number(row, column, number.into()),
            }
        }
    }

    /// An ordinary pooled session that logged on yesterday; what the test says of it decides the rest.
    fn defaults(&self, start: Timestamp, now: Timestamp) -> BTreeMap<Column, Cell> {
        const DAY: Span = Span::seconds(86_400);
        let has = |column| self.cells.contains_key(&column);
        let text =
            |column, text: &str| (Column::Text(column), Cell::Text(column, Some(text.to_owned())));
        let number = |column, number| (Column::Number(column), Cell::Number(column, Some(number)));
        let status = self.cells.get(&Column::Text(TextColumn::Status));
        let active =
            matches!(status, Some(Cell::Text(_, Some(it))) if it.eq_ignore_ascii_case("ACTIVE"));
        let told_event = has(Column::Text(TextColumn::Event));
        let state = if active && !told_event { "WAITED SHORT TIME" } else { "WAITING" };
        let mut cells: BTreeMap<Column, Cell> =
            DEFAULT_TEXTS.iter().map(|(column, value)| text(*column, value)).collect();
        cells.extend([
            text(TextColumn::State, state),
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
fn moved(cell: &Cell, elapsed: Span) -> Cell {
    match cell {
        Cell::Number(
            column @ (NumberColumn::LastCallEt | NumberColumn::SecondsInWait),
            Some(number),
        ) => Cell::Number(*column, Some(number + elapsed.0 / MICROS_PER_SECOND)),
        Cell::Number(column @ NumberColumn::WaitTimeMicro, Some(number)) => {
            Cell::Number(*column, Some(number + elapsed.0))
        }
        still => still.clone(),
    }
}
