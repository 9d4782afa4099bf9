//! Reads the cells of records into snapshots.
//!
//! A row is read completely before anything of it is stored, so that a row with one bad cell leaves no trace. What can
//! only be known at the end of the file (the order of day, month and year, the latest time) is settled in
//! [`Table::finish`].

use rustc_hash::{FxHashMap, FxHashSet};

use super::cell::{self, Kind, shown, visible};
use super::cells::{Cells, Texts};
use super::date::{Calendar, DateFault, Days, Reading, Written, YearDigits};
use super::header::{COLUMNS_MAX, ColumnMap, Layout, Slot, Target};
use super::{Capture, CaptureError, PROBLEMS_MAX, ReadOptions, RowProblem};
use crate::engine::command::command_name;
use crate::engine::session::{
    Column, Number, NumberColumn, SessionKey, Sessions, Snapshot, TextColumn, TimeBasis,
};
use crate::engine::text::Symbol;
use crate::engine::time::Timestamp;

/// Most sessions of one capture, over all its snapshots: some GiB of columns.
const SESSIONS_MAX: usize = 10_000_000;

/// Most snapshots of one capture: two weeks of one a minute.
const SNAPSHOTS_MAX: usize = 20_000;

/// Most distinct text of one capture, each snapshot counted by itself, in MiB.
const TEXT_MIB_MAX: usize = 2_048;

/// What separates snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Taken {
    At(Timestamp),
    Pending(Written),
    /// The latest time in the rows, once all are read.
    Unknown,
}

/// One snapshot in the making.
struct Group {
    taken: Taken,
    sessions: Sessions,
    keys: FxHashSet<SessionKey>,
    /// The layout whose columns the sessions have.
    layout: u64,
    /// Columns of the sessions that this layout lacks.
    lacking: Vec<Column>,
    /// Times that wait for the order of day, month and year, as in [`Draft`].
    pending: Vec<(usize, Option<NumberColumn>, Written)>,
    /// The latest time that no column of the sessions holds.
    latest: Option<Timestamp>,
    /// The value above, by column: neighbours are often equal, and then nothing has to be looked up.
    above: Vec<(String, Symbol)>,
}

/// Why a row is not taken.
enum Reject {
    Cell(usize, String),
    Row(String),
    Capture(CaptureError),
}

/// The values of one row before it is known to be good.
#[derive(Default)]
struct Draft {
    texts: Vec<(TextColumn, Symbol)>,
    numbers: Vec<(NumberColumn, Number)>,
    /// Without a column, a time counts only for the snapshot's.
    pending: Vec<(Option<NumberColumn>, Written)>,
    latest: Option<Timestamp>,
}

/// A value in a line.
struct Seen {
    column: String,
    line: u64,
    text: String,
    written: Written,
}

/// Snapshots in the making.
pub(super) struct Table<'o> {
    options: &'o ReadOptions,
    calendar: Calendar,
    groups: Vec<Group>,
    index: FxHashMap<Taken, usize>,
    last_taken: Option<(String, usize)>,
    draft: Draft,
    layout: u64,
    sessions: usize,
    text_bytes: usize,
    /// The first value that waits for the order, of each kind of year in [`YearDigits::ALL`].
    first_pending: [Option<Seen>; 2],
    /// Where an order was ruled out last.
    order_line: u64,
    problems: Vec<RowProblem>,
    further_problems: u64,
    unknown: Vec<String>,
    unused: Vec<(String, String)>,
    headers: FxHashSet<String>,
    date_only: Vec<String>,
    /// The line of the first header that is not the one before it again.
    other_header: Option<u64>,
}

impl<'o> Table<'o> {
    pub(super) fn new(options: &'o ReadOptions) -> Self {
        Self {
            options,
            calendar: Calendar::new(options.timezone, options.date_format.as_ref()),
            groups: Vec::new(),
            index: FxHashMap::default(),
            last_taken: None,
            draft: Draft::default(),
            layout: 0,
            sessions: 0,
            text_bytes: 0,
            first_pending: [None, None],
            order_line: 0,
            problems: Vec::new(),
            further_problems: 0,
            unknown: Vec::new(),
            unused: Vec::new(),
            headers: FxHashSet::default(),
            date_only: Vec::new(),
            other_header: None,
        }
    }

    pub(super) fn column_map(&self) -> &'o ColumnMap {
        &self.options.columns
    }

    /// Announces the layout of the rows that follow.
    pub(super) fn use_layout(&mut self, layout: &Layout) {
        self.layout += 1;
        for name in &layout.unknown {
            if self.unknown.len() < COLUMNS_MAX && !self.unknown.contains(name) {
                self.unknown.push(name.clone());
            }
        }
        for pair in &layout.unused {
            if self.unused.len() < COLUMNS_MAX && !self.unused.contains(pair) {
                self.unused.push(pair.clone());
            }
        }
        for slot in &layout.slots {
            if !self.headers.contains(&slot.header) {
                self.headers.insert(slot.header.clone());
            }
        }
    }

    /// Announces the layout of a further header. Columns that only one of them has are NULL in the other's rows where
    /// both are of one snapshot, which somebody should know.
    pub(super) fn use_other_layout(&mut self, line: u64, layout: &Layout) {
        self.use_layout(layout);
        self.other_header.get_or_insert(line);
    }

    /// Notes that a row is left out.
    pub(super) fn problem(
        &mut self,
        line: u64,
        column: Option<(Option<&str>, Option<usize>)>,
        message: String,
    ) {
        if self.problems.len() == PROBLEMS_MAX {
            self.further_problems += 1;
            return;
        }
        let (name, column_number) = column.unwrap_or_default();
        self.problems.push(RowProblem {
            line,
            column: name.map(|name| visible(name).into_owned()),
            column_number,
            message,
        });
    }

    /// Reads one row.
    pub(super) fn row(
        &mut self,
        line: u64,
        layout: &Layout,
        cells: &Cells<'_>,
    ) -> Result<(), CaptureError> {
        let result = match Texts::of(*cells) {
            Ok(texts) => self.read_row(line, layout, texts),
            Err((cell, fault)) => Err(Reject::Cell(cell, fault.to_owned())),
        };
        match result {
            Ok(()) => {}
            Err(Reject::Capture(error)) => return Err(error),
            Err(Reject::Row(message)) => self.problem(line, None, message),
            Err(Reject::Cell(cell, message)) => {
                let slot = layout.slots.iter().find(|slot| slot.cell == cell);
                // JSON's keys are not numbered.
                let number = cells.null_words.then_some(cell + 1);
                self.problem(line, Some((slot.map(|slot| slot.header.as_str()), number)), message);
            }
        }
        for (year, at) in YearDigits::ALL.into_iter().zip(0..) {
            if self.first_pending[at].is_some() && self.calendar.is_settled(year) {
                self.first_pending[at] = None;
                self.settle(year)?;
            }
        }
        Ok(())
    }

    fn read_row(&mut self, line: u64, layout: &Layout, texts: Texts<'_>) -> Result<(), Reject> {
        if self.sessions == SESSIONS_MAX {
            return Err(too_many("sessions", SESSIONS_MAX));
        }
        let group = self.group(line, layout, texts)?;
        let key = read_key(layout, texts)?;
        if self.groups[group].keys.contains(&key) {
            return Err(Reject::Row(format!("the session {key} is in this snapshot already")));
        }
        if self.groups[group].layout != self.layout {
            self.groups[group].offer(layout, self.layout);
        }
        self.draft.clear();
        let bytes = self.groups[group].sessions.texts().bytes();
        let read = self.read_cells(line, group, layout, texts);
        self.text_bytes += self.groups[group].sessions.texts().bytes() - bytes;
        read?;
        if self.text_bytes >> 20 >= TEXT_MIB_MAX {
            return Err(too_many("MiB of distinct text", TEXT_MIB_MAX));
        }
        self.groups[group].add(key, &self.draft);
        self.sessions += 1;
        Ok(())
    }

    /// The snapshot that the row belongs to, new or known.
    fn group(&mut self, line: u64, layout: &Layout, texts: Texts<'_>) -> Result<usize, Reject> {
        let slot = layout.slots.first().filter(|slot| slot.target == Target::TakenAt);
        let Some(slot) = slot.filter(|_| self.options.at.is_none()) else {
            return self.group_taken(self.options.at.map_or(Taken::Unknown, Taken::At));
        };
        let text = texts.get(slot);
        if let Some((last, group)) = &self.last_taken
            && last == text
        {
            return Ok(*group);
        }
        if text.is_empty() {
            return Err(Reject::Cell(
                slot.cell,
                "is empty: nothing says which snapshot the row is of".to_owned(),
            ));
        }
        let taken = match self.read_time(line, slot, text)? {
            Reading::At(at) => Taken::At(at),
            Reading::Pending(written) => Taken::Pending(written),
            Reading::DateOnly => {
                return Err(Reject::Cell(slot.cell, format!("{} has no time of day", shown(text))));
            }
        };
        let group = self.group_taken(taken)?;
        self.last_taken = Some((text.to_owned(), group));
        Ok(group)
    }

    fn group_taken(&mut self, taken: Taken) -> Result<usize, Reject> {
        if let Some(group) = self.index.get(&taken) {
            return Ok(*group);
        }
        if self.groups.len() == SNAPSHOTS_MAX {
            return Err(too_many("snapshots", SNAPSHOTS_MAX));
        }
        self.groups.push(Group::new(taken));
        self.index.insert(taken, self.groups.len() - 1);
        Ok(self.groups.len() - 1)
    }

    fn read_cells(
        &mut self,
        line: u64,
        group: usize,
        layout: &Layout,
        texts: Texts<'_>,
    ) -> Result<(), Reject> {
        for slot in &layout.slots {
            let text = texts.get(slot);
            match slot.target {
                Target::Column(Column::Text(column)) => {
                    let symbol = self.groups[group].symbol(column, text);
                    self.draft.texts.push((column, symbol));
                }
                Target::Column(Column::Number(column)) => {
                    if text.is_empty() {
                        continue;
                    }
                    if column.is_time() {
                        self.read_time_cell(line, slot, Some(column), text)?;
                        continue;
                    }
                    let number = cell::number(text, kind(column));
                    let number = number.map_err(|message| Reject::Cell(slot.cell, message))?;
                    self.draft.numbers.push((column, Number::from(number)));
                }
                Target::PrevExecStart if !text.is_empty() => {
                    if matches!(self.groups[group].taken, Taken::Unknown) {
                        self.read_time_cell(line, slot, None, text)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_time_cell(
        &mut self,
        line: u64,
        slot: &Slot,
        column: Option<NumberColumn>,
        text: &str,
    ) -> Result<(), Reject> {
        match (self.read_time(line, slot, text)?, column) {
            (Reading::At(at), Some(column)) => {
                self.draft.numbers.push((column, Number::from(at.0)));
            }
            (Reading::At(at), None) => self.draft.latest = Some(at),
            (Reading::Pending(written), _) => self.draft.pending.push((column, written)),
            (Reading::DateOnly, _) if self.date_only.contains(&slot.header) => {}
            (Reading::DateOnly, _) => self.date_only.push(slot.header.clone()),
        }
        Ok(())
    }

    fn read_time(&mut self, line: u64, slot: &Slot, text: &str) -> Result<Reading, Reject> {
        let seen = self.calendar.seen();
        let read = self.calendar.read(text);
        if self.calendar.seen() != seen {
            self.order_line = line;
        }
        match read {
            Ok(Reading::Pending(written)) => {
                let at = YearDigits::ALL.iter().position(|year| Some(*year) == written.year());
                self.first_pending[at.unwrap_or(0)].get_or_insert_with(|| Seen {
                    column: slot.header.clone(),
                    line,
                    text: text.to_owned(),
                    written,
                });
                Ok(Reading::Pending(written))
            }
            Ok(reading) => Ok(reading),
            Err(DateFault::NotATime) => {
                Err(Reject::Cell(slot.cell, format!("{} is not a time", shown(text))))
            }
            Err(DateFault::Contradiction { needs }) => {
                Err(Reject::Capture(CaptureError::ContradictoryDates {
                    column: slot.header.clone(),
                    line,
                    text: text.to_owned(),
                    needs: needs.to_string(),
                    other_line: self.order_line,
                }))
            }
        }
    }

    /// Reads what was waiting for the order of day, month and year.
    fn settle(&mut self, year: YearDigits) -> Result<(), CaptureError> {
        self.last_taken = None;
        let is_ready = |written: &Written| written.year() == Some(year);
        for (at, group) in self.groups.iter_mut().enumerate() {
            for (row, column, written) in
                group.pending.extract_if(.., |(_, _, written)| is_ready(written))
            {
                let time = self.calendar.resolve(written);
                match column {
                    Some(column) => group.sessions.set_number(row, column, Number::from(time.0)),
                    None => group.latest = group.latest.max(Some(time)),
                }
            }
            if let Taken::Pending(written) = group.taken
                && is_ready(&written)
            {
                let time = self.calendar.resolve(written);
                self.index.remove(&group.taken);
                group.taken = Taken::At(time);
                if self.index.insert(group.taken, at).is_some() {
                    return Err(CaptureError::MixedSnapshotTimes { at: time });
                }
            }
        }
        Ok(())
    }

    /// Times of one file lie together; that says where two-digit years stand, where nothing else does.
    fn guess_short_years(&mut self) -> Result<Option<&'static str>, CaptureError> {
        let mut days = Days::default();
        for group in &self.groups {
            group.pending.iter().for_each(|(_, _, written)| days.add_open(written));
            match &group.taken {
                Taken::At(at) => days.add_sure(*at),
                Taken::Pending(written) => days.add_open(written),
                Taken::Unknown => {}
            }
            times(&group.sessions).chain(group.latest).for_each(|at| days.add_sure(at));
        }
        if !self.calendar.guess_short_years(&days) {
            return Ok(None);
        }
        for (year, at) in YearDigits::ALL.into_iter().zip(0..) {
            if self.calendar.is_settled(year) {
                self.first_pending[at] = None;
                self.settle(year)?;
            }
        }
        Ok(Some(if self.calendar.year_leads() { "first" } else { "last" }))
    }

    /// The snapshots in the order of their times.
    pub(super) fn finish(mut self) -> Result<Capture, CaptureError> {
        let short_years_wait = self.first_pending[0].is_some();
        let guess = if short_years_wait { self.guess_short_years()? } else { None };
        if let Some(Seen { column, line, text, written }) =
            self.first_pending.iter_mut().find_map(Option::take)
        {
            let readings = self.calendar.left_for(&written).to_string();
            return Err(CaptureError::AmbiguousDates { column, line, text, readings });
        }
        if self.sessions == 0 && self.problems.is_empty() {
            return Err(CaptureError::NoSessions);
        }
        let mut warnings = self.header_warnings();
        if let Some(place) = guess {
            warnings.push(format!(
                "years of two digits are read as standing {place}, which leaves the times much closer together; \
                 `--date-format` says it for sure"
            ));
        }
        let groups = std::mem::take(&mut self.groups).into_iter();
        let mut snapshots: Vec<Snapshot> = groups
            .filter(|group| !group.sessions.is_empty())
            .map(|group| group.into_snapshot(&self.options.database, &mut warnings))
            .collect();
        snapshots.sort_by_key(|snapshot| snapshot.taken_at);
        let Self { problems, further_problems, .. } = self;
        Ok(Capture { snapshots, problems, further_problems, warnings })
    }

    fn header_warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.unknown.is_empty() {
            let names: Vec<_> = self.unknown.iter().map(|name| visible(name)).collect();
            warnings.push(format!("unknown columns are not used: {}", names.join(", ")));
        }
        for (loser, winner) in &self.unused {
            let (loser, winner) = (visible(loser), visible(winner));
            warnings.push(format!("the column {loser} is not used, {winner} says the same"));
        }
        let is_seen =
            |header: &str| self.headers.iter().any(|seen| seen.eq_ignore_ascii_case(header));
        for header in self.column_map().headers().filter(|header| !is_seen(header)) {
            warnings.push(format!("no column is called {header}, which `--columns` maps"));
        }
        if let Some(line) = self.other_header {
            warnings.push(format!(
                "line {line} is another header than the first; a column that one of them lacks is unknown in its rows"
            ));
        }
        for column in &self.date_only {
            warnings.push(format!(
                "{column} has dates without a time of day; these are taken as unknown"
            ));
        }
        warnings
    }
}

impl Draft {
    fn clear(&mut self) {
        let Self { texts, numbers, pending, latest } = self;
        texts.clear();
        numbers.clear();
        pending.clear();
        *latest = None;
    }
}

impl Group {
    fn new(taken: Taken) -> Self {
        Self {
            taken,
            sessions: Sessions::with_columns([]),
            keys: FxHashSet::default(),
            layout: 0,
            lacking: Vec::new(),
            pending: Vec::new(),
            latest: None,
            above: vec![(String::new(), Symbol::NULL); TextColumn::ALL.len()],
        }
    }

    /// Adds the columns of a layout. Symbols stay what they are.
    fn offer(&mut self, layout: &Layout, number: u64) {
        self.layout = number;
        self.lacking = Vec::new();
        if !layout.columns().all(|column| self.sessions.has(column)) {
            self.widen(layout);
        }
        let own: FxHashSet<Column> = layout.columns().collect();
        let lacks = |column: &Column| self.sessions.has(*column) && !own.contains(column);
        self.lacking = Column::all().filter(lacks).collect();
    }

    /// Adds the columns of a layout, which the rows so far do not have.
    fn widen(&mut self, layout: &Layout) {
        let old = std::mem::take(&mut self.sessions);
        let has =
            |column: &Column| old.has(*column) || layout.columns().any(|other| other == *column);
        let mut new = Sessions::with_columns(Column::all().filter(has));
        for symbol in 1..old.texts().table_len() {
            new.intern(
                old.texts()
                    .get(Symbol::from_index(symbol))
                    .expect("symbols below the table's length exist"),
            );
        }
        for session in old.iter() {
            let row = new.push(session.key());
            for column in TextColumn::ALL {
                new.set_symbol(row, *column, session.symbol(*column));
            }
            for column in NumberColumn::ALL {
                new.set_number(row, *column, Number::from(session.number(*column)));
            }
            for column in Column::all().filter(|column| !session.has(*column)).filter(has) {
                new.set_gap(row, column);
            }
        }
        self.sessions = new;
    }

    fn symbol(&mut self, column: TextColumn, text: &str) -> Symbol {
        let (above, symbol) = &mut self.above[column.index()];
        if above != text {
            let value = if column == TextColumn::Command { command(text) } else { text };
            *symbol = self.sessions.intern(value);
            above.clear();
            above.push_str(text);
        }
        *symbol
    }

    fn add(&mut self, key: SessionKey, draft: &Draft) {
        let Draft { texts, numbers, pending, latest } = draft;
        self.keys.insert(key);
        self.latest = self.latest.max(*latest);
        let row = self.sessions.push(key);
        for column in &self.lacking {
            self.sessions.set_gap(row, *column);
        }
        for (column, symbol) in texts {
            self.sessions.set_symbol(row, *column, *symbol);
        }
        for (column, number) in numbers {
            self.sessions.set_number(row, *column, *number);
        }
        self.pending.extend(pending.iter().map(|(column, written)| (row, *column, *written)));
    }

    fn into_snapshot(self, database: &str, warnings: &mut Vec<String>) -> Snapshot {
        if let Taken::At(at) = self.taken {
            return Snapshot::of_sessions(database, at, self.sessions);
        }
        let Some(at) = latest_time(&self.sessions).max(self.latest) else {
            warnings.push(
                "nothing says when the snapshot was taken, and no row holds a time; `--at` says it"
                    .to_owned(),
            );
            let mut snapshot = Snapshot::of_sessions(database, Timestamp::default(), self.sessions);
            snapshot.time_basis = TimeBasis::Unknown;
            return snapshot;
        };
        warnings.push(format!(
            "nothing says when the snapshot was taken; {at}, the latest time in it, stands in, so ages are lower bounds"
        ));
        let mut snapshot = Snapshot::of_sessions(database, at, self.sessions);
        snapshot.time_basis = TimeBasis::LowerBound;
        snapshot
    }
}

fn latest_time(sessions: &Sessions) -> Option<Timestamp> {
    times(sessions).max()
}

fn times(sessions: &Sessions) -> impl Iterator<Item = Timestamp> {
    let columns = NumberColumn::ALL.iter().filter(|column| column.is_time());
    let cells = columns.filter_map(|column| sessions.number_column(*column)).flatten();
    cells.filter_map(|number| number.get()).map(Timestamp)
}

fn read_key(layout: &Layout, texts: Texts<'_>) -> Result<SessionKey, Reject> {
    let mut key = SessionKey { inst_id: 1, sid: 0, serial: 0 };
    // Keys stand first in a layout.
    for slot in layout.slots.iter().take_while(|slot| !matches!(slot.target, Target::Column(_))) {
        let text = texts.get(slot);
        let wrong = |message| Reject::Cell(slot.cell, message);
        match slot.target {
            Target::Sid => key.sid = cell::identifier(text).map_err(wrong)?,
            Target::Serial => key.serial = cell::identifier(text).map_err(wrong)?,
            Target::SidSerial => {
                let (sid, serial, inst_id) = cell::sid_serial(text).map_err(wrong)?;
                key = SessionKey { inst_id: inst_id.unwrap_or(1), sid, serial };
            }
            Target::InstId if text.is_empty() => {}
            Target::InstId => key.inst_id = cell::identifier(text).map_err(wrong)?,
            Target::TakenAt | Target::PrevExecStart | Target::Column(_) => {}
        }
        if key.inst_id == 0 {
            return Err(wrong("`0` is not an instance".to_owned()));
        }
    }
    Ok(key)
}

fn too_many(what: &'static str, max: usize) -> Reject {
    Reject::Capture(CaptureError::TooMany { what, max })
}

const fn kind(column: NumberColumn) -> Kind {
    match column {
        NumberColumn::LastCallEt | NumberColumn::SecondsInWait => Kind::Seconds,
        NumberColumn::CpuSeconds => Kind::SecondThousandths,
        _ if column.scale() == 1 => Kind::Whole,
        _ => Kind::Thousandths,
    }
}

/// The name for a number of V$SQLCOMMAND; a number without a name, and a name, as they are.
fn command(text: &str) -> &str {
    match text.parse() {
        Ok(0) => "",
        Ok(number) => command_name(number).unwrap_or(text),
        Err(_) => text,
    }
}
