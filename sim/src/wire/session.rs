//! A logged-in client: its calls, one after the other, and what may come between them: a break, a death, the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::auth::{Message, SessionKey};
use super::bind::Given;
use super::codec::Writer;
use super::connection::version_number;
use super::cursor::Cursors;
use super::feed::{Feed, Incoming};
use super::packet::{Fault, Kind, Marker};
use super::piggyback::{AfterError, Piggyback};
use super::reply::{self, Block, End, Results, kind};
use super::request::{self, Again, Call, Execute, Function};
use super::scalar;
use crate::conversation::{
    About, Bind, Conversation, Database, Death, Outcome, Progress, ResultColumn, ResultSet,
    Statement,
};
use crate::ora::OraError;
use crate::value::{ColumnType, Value};

/// Where a client logged in, and how.
pub(super) struct Door {
    pub(super) database: Arc<dyn Database>,
    pub(super) key: SessionKey,
    pub(super) about: About,
}

/// A client that is logged in.
pub(super) struct Session {
    feed: Feed,
    conversation: Option<Box<dyn Conversation>>,
    cursors: Cursors,
    fields: u8,
    door: Door,
    ticks: watch::Receiver<u64>,
    /// The pipeline under way.
    pipeline: Option<Pipeline>,
}

/// Requests that a client sends without waiting for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pipeline {
    after_error: AfterError,
    failed: bool,
}

/// How long a client may take to close the connection after its log-off.
const PARTING: Duration = Duration::from_secs(5);

/// Whether the session goes on.
enum Flow {
    On,
    /// The connection closes at once.
    Over,
    /// It closes once the client has read what was sent.
    Parting,
}

/// How a statement came to its end.
enum Ended {
    Done(Result<Outcome, OraError>),
    Cancelled,
    Dead(Death),
}

/// Does what ALTER SESSION SET CURRENT_SCHEMA does.
fn set_schema(conversation: &mut dyn Conversation, schema: &str) -> Result<(), OraError> {
    let plain = schema.chars().all(|c| c.is_alphanumeric() || "_$#".contains(c));
    let quoted = schema.len() > 2 && schema.starts_with('"') && schema.ends_with('"');
    let inner = if quoted { &schema[1..schema.len() - 1] } else { schema };
    if inner.is_empty() || inner.contains('"') {
        return Err(OraError::new(1_435, "user does not exist"));
    }
    let name = if plain { inner.to_owned() } else { format!("\"{inner}\"") };
    let sql = format!("ALTER SESSION SET CURRENT_SCHEMA = {name}");
    let rows = vec![Vec::new()];
    match conversation.execute(&Statement { sql, rows, ..Statement::default() }) {
        Progress::Done(done) => done.map(drop),
        Progress::Waiting => {
            conversation.cancel();
            Err(OraError::new(1_013, "user requested cancel of current operation"))
        }
    }
}

/// What a statement was run for.
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of the client that stands alone")]
struct Run {
    sequence: u8,
    cursor: u16,
    /// In full, so that its answer describes it.
    full: bool,
    /// How many rows to answer with, if it is a query.
    rows: Option<u32>,
    /// Unless a column is LONG.
    ahead: bool,
    /// Commit when it succeeds.
    autocommit: bool,
    /// Go on behind iterations of DML that fail.
    batch_errors: bool,
    /// Say how many rows each iteration changed.
    row_counts: bool,
    /// The cursor is as new as the call.
    fresh: bool,
    /// Say which binds come back, also where it is RETURNING that fills them.
    directs: bool,
}

impl Run {
    const fn again(sequence: u8, cursor: u16, rows: Option<u32>, autocommit: bool) -> Self {
        Self {
            sequence,
            cursor,
            full: false,
            rows,
            ahead: false,
            autocommit,
            batch_errors: false,
            row_counts: false,
            fresh: false,
            directs: false,
        }
    }
}

impl Session {
    /// A session on messages of this version.
    pub(super) fn new(
        feed: Feed,
        conversation: Box<dyn Conversation>,
        fields: u8,
        door: Door,
    ) -> Self {
        let conversation = Some(conversation);
        let ticks = door.database.ticks();
        let (cursors, pipeline) = (Cursors::default(), None);
        Self { feed, conversation, cursors, fields, door, ticks, pipeline }
    }

    /// Serves the client until it leaves, dies, or breaks the protocol.
    pub(super) async fn run(mut self) {
        match self.serve().await {
            Ok(Flow::Parting) => {}
            Err(Fault::Protocol(why)) => {
                let error = OraError::new(3_106, format!("fatal two-task protocol error: {why}"));
                if self.die(0, Death::Error(error)).await.is_err() {
                    return;
                }
            }
            Ok(Flow::On | Flow::Over) | Err(_) => return,
        }
        let Self { feed, conversation, .. } = self;
        drop(conversation);
        feed.wire.part().await;
    }

    async fn serve(&mut self) -> Result<Flow, Fault> {
        loop {
            match self.turn().await? {
                Flow::On => {}
                over => return Ok(over),
            }
        }
    }

    /// Waits for one thing to happen and deals with it.
    async fn turn(&mut self) -> Result<Flow, Fault> {
        let (fields, cursors) = (self.fields, &self.cursors);
        let incoming = tokio::select! {
            incoming = self.feed.next(|reader| request::read(reader, fields, cursors)) => incoming?,
            ticked = self.ticks.changed() => return Ok(self.tick(ticked.is_ok())),
        };
        match incoming {
            Incoming::Message(call) => self.answer(call).await,
            Incoming::Marker(Marker::Reset) => Ok(Flow::On),
            Incoming::Marker(_) => self.cancelled(0).await,
            Incoming::End => Ok(Flow::Over),
        }
    }

    /// A session that is cut closes at once; one that was killed hears of it with its next call. Without a clock there
    /// is no database any more.
    fn tick(&self, clock: bool) -> Flow {
        let death = self.conversation.as_ref().and_then(|conversation| conversation.death());
        if !clock || death == Some(Death::Cut) { Flow::Over } else { Flow::On }
    }

    async fn answer(&mut self, call: Call) -> Result<Flow, Fault> {
        let Call { piggybacks, sequence, token, function } = call;
        self.feed.answers(token);
        let set = self.take_along(piggybacks);
        let Some(conversation) = &mut self.conversation else {
            return Ok(Flow::Over);
        };
        if let Some(death) = conversation.death() {
            return self.die(sequence, death).await;
        }
        if let (Err(error), false) = (&set, function == Function::LogOff) {
            return self.fail(sequence, 0, error).await;
        }
        let stopped = Pipeline { after_error: AfterError::Stop, failed: true };
        if self.pipeline == Some(stopped) && function != Function::EndPipeline {
            let error = OraError::new(1_013, "user requested cancel of current operation");
            return self.fail(sequence, 0, &error).await;
        }
        match function {
            Function::Execute(execute) => self.execute(sequence, execute).await,
            Function::Again(again) => self.again(sequence, again).await,
            Function::Fetch { cursor, rows } => self.fetch(sequence, cursor, rows).await,
            Function::LogOff => self.log_off().await,
            Function::ChangePassword(message) => match self.change_password(&message) {
                Ok(()) => self.succeed(sequence).await,
                Err(error) => self.fail(sequence, 0, &error).await,
            },
            Function::Unknown(code) => {
                let error = OraError::new(3_115, format!("unsupported network function {code}"));
                self.fail(sequence, 0, &error).await
            }
            simple @ (Function::Commit
            | Function::Rollback
            | Function::Ping
            | Function::EndPipeline
            | Function::Version) => self.simple(sequence, &simple).await,
        }
    }

    /// Does what came along with a call. The error is the call's.
    fn take_along(&mut self, piggybacks: Vec<Piggyback>) -> Result<(), OraError> {
        let Some(conversation) = &mut self.conversation else {
            return Ok(());
        };
        let mut done = Ok(());
        for piggyback in piggybacks {
            match piggyback {
                Piggyback::Close(numbers) => self.cursors.close(&numbers),
                Piggyback::Cancel(numbers) => self.cursors.cancel(&numbers),
                Piggyback::Tag(tags) => conversation.tag(&tags),
                Piggyback::Schema(schema) => done = set_schema(conversation.as_mut(), &schema),
                Piggyback::Refused(error) => done = Err(error),
                Piggyback::Pipeline(after_error) => {
                    self.pipeline = Some(Pipeline { after_error, failed: false });
                }
                Piggyback::Other => {}
            }
        }
        done
    }

    fn end(&self, sequence: u8, cursor: u16) -> End {
        let in_transaction = self.conversation.as_ref().is_some_and(|it| it.in_transaction());
        let (kind, row_id, rows) = (0, [0; 4], 0);
        End { fields: self.fields, sequence, cursor, kind, row_id, rows, in_transaction }
    }

    async fn fail(&mut self, sequence: u8, cursor: u16, error: &OraError) -> Result<Flow, Fault> {
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.failed = true;
        }
        let mut answer = Writer::new();
        self.end(sequence, cursor).write_error(&mut answer, error);
        self.feed.send(answer).await?;
        Ok(Flow::On)
    }

    async fn succeed(&mut self, sequence: u8) -> Result<Flow, Fault> {
        let mut answer = Writer::new();
        self.end(sequence, 0).write_success(&mut answer);
        self.feed.send(answer).await?;
        Ok(Flow::On)
    }

    /// Gives an account another password, if the client knows the one that it has.
    fn change_password(&self, message: &Message) -> Result<(), OraError> {
        let Door { database, key, .. } = &self.door;
        let account = message.account();
        let old = key.open(message.get("AUTH_PASSWORD"));
        if old.is_none() || old != database.password(&account) {
            return Err(database.wrong_password(&account));
        }
        let new = key.open(message.get("AUTH_NEWPASSWORD")).unwrap_or_default();
        database.change_password(&account, &new)
    }

    /// The last that a client hears, if it hears anything.
    async fn die(&mut self, sequence: u8, death: Death) -> Result<Flow, Fault> {
        match death {
            Death::Cut => Ok(Flow::Over),
            Death::Error(error) => {
                self.fail(sequence, 0, &error).await?;
                self.feed.wire.send_end().await?;
                Ok(Flow::Parting)
            }
        }
    }

    /// What the client asked to break off is broken off.
    async fn cancelled(&mut self, sequence: u8) -> Result<Flow, Fault> {
        self.feed.begin_reset().await?;
        loop {
            tokio::select! {
                reset = self.feed.client_reset() => break reset?,
                ticked = self.ticks.changed() => {
                    if matches!(self.tick(ticked.is_ok()), Flow::Over) {
                        return Ok(Flow::Over);
                    }
                }
            }
        }
        self.feed.end_reset().await?;
        let error = OraError::new(1_013, "user requested cancel of current operation");
        self.fail(sequence, 0, &error).await
    }

    async fn simple(&mut self, sequence: u8, function: &Function) -> Result<Flow, Fault> {
        let open = self.cursors.any_open();
        let Some(conversation) = &mut self.conversation else {
            return Ok(Flow::Over);
        };
        let begun = match function {
            Function::Commit => conversation.commit(),
            Function::Rollback => conversation.rollback(),
            Function::EndPipeline => {
                self.pipeline = None;
                Progress::Done(Ok(Outcome::Done))
            }
            _ => conversation.knock(),
        };
        match self.finish(begun).await? {
            Ended::Done(Ok(_)) => {}
            Ended::Done(Err(error)) => return self.fail(sequence, 0, &error).await,
            Ended::Cancelled => return self.cancelled(sequence).await,
            Ended::Dead(death) => return self.die(sequence, death).await,
        }
        if let (Function::Ping | Function::Version, Some(conversation)) =
            (function, &mut self.conversation)
        {
            conversation.call(open);
        }
        let mut answer = Writer::new();
        let end = self.end(sequence, 0);
        if *function == Function::Version {
            let number = version_number(self.door.about.version, self.fields);
            reply::write_version(&mut answer, &self.door.about.banner, number);
            end.write_success(&mut answer);
        } else {
            end.write_status(&mut answer);
        }
        self.feed.send(answer).await?;
        Ok(Flow::On)
    }

    async fn log_off(&mut self) -> Result<Flow, Fault> {
        if let Some(conversation) = self.conversation.take() {
            conversation.log_off();
        }
        let mut answer = Writer::new();
        self.end(0, 0).write_status(&mut answer);
        self.feed.send(answer).await?;
        // The client says good-bye and closes; closing first would look like a failure to it.
        drop(tokio::time::timeout(PARTING, self.feed.wire.packet()).await);
        Ok(Flow::Over)
    }

    async fn execute(&mut self, sequence: u8, execute: Execute) -> Result<Flow, Fault> {
        if execute.scrollable {
            let error = OraError::new(3_001, "unimplemented feature: a scrollable cursor");
            return self.fail(sequence, 0, &error).await;
        }
        if execute.sql.is_none() && !execute.has(Execute::EXECUTE) {
            return self.fetch(sequence, execute.cursor, execute.rows_wanted).await;
        }
        let rows = execute.has(Execute::FETCH).then_some(execute.rows_wanted);
        let describe = execute.has(Execute::DESCRIBE) || !execute.has(Execute::EXECUTE);
        let mut run = Run {
            full: true,
            ahead: execute.ahead,
            batch_errors: execute.has(Execute::BATCH_ERRORS),
            row_counts: execute.row_counts,
            fresh: execute.cursor == 0,
            directs: execute.has(Execute::PLSQL),
            ..Run::again(sequence, 0, rows, execute.has(Execute::COMMIT))
        };
        let (cursor, given) = match self.prepare(execute) {
            Ok(prepared) => prepared,
            Err(error) => return self.fail(sequence, 0, &error).await,
        };
        run.cursor = cursor;
        if describe {
            return self.describe(run).await;
        }
        self.run_statement(run, given).await
    }

    /// Finds or makes the cursor, and gives it what the client sent.
    fn prepare(&mut self, execute: Execute) -> Result<(u16, Given), OraError> {
        let given = execute.rows?;
        let most = self.cursors_at_most();
        let number = if execute.cursor == 0 { self.cursors.create(most)? } else { execute.cursor };
        let cursor = self.cursors.get(number)?;
        if let Some(sql) = execute.sql {
            cursor.sql = sql;
            cursor.binds.clear();
        }
        if let Some(binds) = execute.binds {
            cursor.binds = binds;
        }
        Ok((number, given))
    }

    async fn again(&mut self, sequence: u8, again: Again) -> Result<Flow, Fault> {
        if let Err(error) = self.cursors.get(again.cursor) {
            return self.fail(sequence, 0, &error).await;
        }
        let given = match again.rows {
            Ok(given) => given,
            Err(error) => return self.fail(sequence, 0, &error).await,
        };
        let run = Run::again(sequence, again.cursor, again.fetch, again.commit);
        self.run_statement(run, given).await
    }

    async fn run_statement(&mut self, run: Run, given: Given) -> Result<Flow, Fault> {
        let statement = match self.statement(&run, given) {
            Ok(statement) => statement,
            Err(error) => return self.fail(run.sequence, run.cursor, &error).await,
        };
        let Some(conversation) = &mut self.conversation else {
            return Ok(Flow::Over);
        };
        let begun = conversation.execute(&statement);
        match self.finish(begun).await? {
            Ended::Done(Ok(outcome)) => self.outcome(run, outcome).await,
            Ended::Done(Err(error)) => self.fail(run.sequence, run.cursor, &error).await,
            Ended::Cancelled => self.cancelled(run.sequence).await,
            Ended::Dead(death) => self.die(run.sequence, death).await,
        }
    }

    fn statement(&mut self, run: &Run, given: Given) -> Result<Statement, OraError> {
        let Given { mut rows, arrays } = given;
        let cursor = self.cursors.get(run.cursor)?;
        cursor.close();
        let binds = cursor.binds.iter().map(|bind| {
            let column_type = scalar::bind_type(bind.code, bind.size);
            let unknown = || scalar::unsupported(bind.code);
            column_type.map(|column_type| Bind { column_type }).ok_or_else(unknown)
        });
        let binds = binds.collect::<Result<Vec<_>, _>>()?;
        let opened = cursor.binds.iter().enumerate().filter(|(_, bind)| bind.is_cursor());
        let cursors: Vec<usize> = opened.map(|(place, _)| place).collect();
        let sql = cursor.sql.clone();
        for row in &mut rows {
            row.resize(binds.len(), Value::Null);
            for place in &cursors {
                // The client names the cursor that the bind held so far.
                let old = std::mem::replace(&mut row[*place], Value::Null);
                self.cursors.close(&scalar::cursor_number(&old).into_iter().collect::<Vec<_>>());
            }
        }
        let (autocommit, batch_errors) = (run.autocommit, run.batch_errors);
        Ok(Statement { sql, binds, rows, autocommit, batch_errors, cursors, arrays })
    }

    /// Waits until a call is over, the client breaks it off or the session dies.
    async fn finish(&mut self, mut progress: Progress) -> Result<Ended, Fault> {
        loop {
            if let Progress::Done(result) = progress {
                return Ok(Ended::Done(result));
            }
            let Some(conversation) = &mut self.conversation else {
                return Ok(Ended::Dead(Death::Cut));
            };
            if let Some(death) = conversation.death() {
                return Ok(Ended::Dead(death));
            }
            tokio::select! {
                packet = self.feed.wire.packet() => {
                    let packet = packet?;
                    if packet.kind != Kind::Marker {
                        if self.feed.keep(&packet)? {
                            return Err(Fault::Closed);
                        }
                    } else if packet.marker()? != Marker::Reset {
                        conversation.cancel();
                        return Ok(Ended::Cancelled);
                    }
                }
                ticked = self.ticks.changed() => {
                    if ticked.is_err() {
                        return Ok(Ended::Dead(Death::Cut));
                    }
                    if let Some(death) = conversation.death() {
                        return Ok(Ended::Dead(death));
                    }
                    progress = conversation.resume();
                }
            }
        }
    }

    async fn outcome(&mut self, run: Run, outcome: Outcome) -> Result<Flow, Fault> {
        let mut end = self.end(run.sequence, run.cursor);
        let mut answer = Writer::new();
        let mut extras = self.conversation.as_mut().map(|it| it.extras()).unwrap_or_default();
        let results = match self.open_all(std::mem::take(&mut extras.cursors)) {
            Ok(results) => results,
            Err(error) => return self.fail(run.sequence, run.cursor, &error).await,
        };
        let cursor = match self.cursors.get(run.cursor) {
            Ok(cursor) => cursor,
            Err(error) => return self.fail(run.sequence, run.cursor, &error).await,
        };
        let fits = match outcome {
            Outcome::Query { columns, cells } => return self.query(run, columns, cells).await,
            Outcome::Dml { count, returning } => {
                end = End { rows: count, kind: kind::DML, ..end };
                let last = self.conversation.as_ref().and_then(|it| it.last_rowid());
                end.row_id = last.as_deref().map_or([0; 4], scalar::rowid_parts);
                let all =
                    if extras.returning.is_empty() { vec![returning] } else { extras.returning };
                if run.directs {
                    reply::write_takers(&mut answer, &cursor.binds);
                }
                reply::write_returning(&mut answer, &cursor.binds, &all)
            }
            Outcome::Plsql { directions, values } => {
                end.kind = kind::BLOCK;
                let all =
                    if extras.iterations.is_empty() { vec![values] } else { extras.iterations };
                cursor.direct(&directions);
                let (fields, arrays) = (self.fields, extras.arrays.into_iter().collect());
                let block = Block { fields, directions, iterations: all, results, arrays };
                block.write(&mut answer, &cursor.binds)
            }
            Outcome::Done => Ok(()),
        };
        if let Err(error) = fits {
            return self.fail(run.sequence, run.cursor, &error).await;
        }
        if run.full {
            reply::write_return_parameters(&mut answer, run.row_counts.then_some(&extras.counts));
        }
        // Running a cursor again cannot ask for the counts: an array is kept from being run so.
        if run.fresh && (run.row_counts || extras.counts.len() > 1) {
            self.cursors.close(&[run.cursor]);
            end.cursor = 0;
        }
        if extras.failures.is_empty() {
            end.write_success(&mut answer);
        } else {
            end.write_failures(&mut answer, &extras.failures);
        }
        self.feed.send(answer).await?;
        Ok(Flow::On)
    }

    /// OPEN_CURSORS.
    fn cursors_at_most(&self) -> u16 {
        self.conversation.as_ref().map_or(0, |conversation| conversation.open_cursors())
    }

    /// Makes cursors of what a block opened.
    fn open_all(&mut self, sets: Vec<(usize, ResultSet)>) -> Result<Results, OraError> {
        let mut results = Results::new();
        let most = self.cursors_at_most();
        for (place, ResultSet { columns, cells }) in sets {
            self.cursors.room_for(cells.len())?;
            let number = self.cursors.create(most)?;
            results.insert(place, (number, columns.clone()));
            self.cursors.get(number)?.open(columns, cells);
        }
        Ok(results)
    }

    /// Parses a statement without running it.
    async fn describe(&mut self, run: Run) -> Result<Flow, Fault> {
        let described = match (&mut self.conversation, self.cursors.get(run.cursor)) {
            (Some(conversation), Ok(cursor)) => conversation.describe(&cursor.sql),
            (_, Err(error)) => Err(error),
            (None, _) => return Ok(Flow::Over),
        };
        let columns = match described {
            Ok(columns) => columns,
            Err(error) => return self.fail(run.sequence, run.cursor, &error).await,
        };
        let mut end = self.end(run.sequence, run.cursor);
        let mut answer = Writer::new();
        if !columns.is_empty() {
            end.kind = kind::QUERY;
            reply::write_description(&mut answer, self.fields, &columns);
        }
        reply::write_return_parameters(&mut answer, None);
        end.write_success(&mut answer);
        self.feed.send(answer).await?;
        Ok(Flow::On)
    }

    async fn query(
        &mut self,
        mut run: Run,
        columns: Vec<ResultColumn>,
        cells: Vec<Value>,
    ) -> Result<Flow, Fault> {
        let mut answer = Writer::new();
        if run.full {
            reply::write_description(&mut answer, self.fields, &columns);
        }
        if run.ahead && columns.iter().any(|column| column.column_type == ColumnType::Long) {
            run.rows = None;
        }
        let width = columns.len().max(1);
        let fits =
            cells.chunks(width).flat_map(|row| row.iter().zip(&columns)).all(|(cell, column)| {
                column.column_type != ColumnType::Number || scalar::fits_number(cell)
            });
        let fits = if fits { Ok(()) } else { Err(scalar::overflow()) };
        let opened = fits.and_then(|()| self.cursors.room_for(cells.len())).and_then(|()| {
            self.cursors.get(run.cursor)?.open(columns, cells);
            Ok(())
        });
        if let Err(error) = opened {
            return self.fail(run.sequence, run.cursor, &error).await;
        }
        self.rows(run, answer).await
    }

    async fn fetch(&mut self, sequence: u8, number: u16, rows: u32) -> Result<Flow, Fault> {
        let fetchable = self.cursors.get(number).and_then(|cursor| {
            let query = !cursor.columns.is_empty();
            query.then_some(()).ok_or_else(|| OraError::new(1_002, "fetch out of sequence"))
        });
        if let Err(error) = fetchable {
            return self.fail(sequence, number, &error).await;
        }
        let Some(conversation) = &mut self.conversation else {
            return Ok(Flow::Over);
        };
        let begun = conversation.knock();
        match self.finish(begun).await? {
            Ended::Done(Ok(_)) => {}
            Ended::Done(Err(error)) => return self.fail(sequence, number, &error).await,
            Ended::Cancelled => return self.cancelled(sequence).await,
            Ended::Dead(death) => return self.die(sequence, death).await,
        }
        let run = Run::again(sequence, number, Some(rows), false);
        self.rows(run, Writer::new()).await
    }

    /// The rows that were asked for, if any were, and the end of the answer.
    async fn rows(&mut self, run: Run, mut answer: Writer) -> Result<Flow, Fault> {
        let mut end = End { kind: kind::QUERY, ..self.end(run.sequence, run.cursor) };
        let cursor = match self.cursors.get(run.cursor) {
            Ok(cursor) => cursor,
            Err(error) => return self.fail(run.sequence, run.cursor, &error).await,
        };
        let mut last = false;
        if let Some(asked) = run.rows {
            let fetch = cursor.fetch(asked);
            last = fetch.last;
            reply::write_row_header(&mut answer, fetch.columns.len(), asked);
            let mut left = fetch.cells.len() / fetch.columns.len().max(1);
            for row in fetch.cells.chunks(fetch.columns.len().max(1)) {
                let before = answer.len();
                reply::write_row(&mut answer, fetch.columns, row);
                left -= 1;
                if self.feed.is_enough(answer.len(), answer.len() - before) {
                    break;
                }
                self.feed.spill(&mut answer).await?;
            }
            last &= left == 0;
            cursor.give_back(left);
        }
        if last {
            cursor.close();
        }
        end.rows = cursor.fetched;
        let open = self.cursors.any_open();
        if let Some(conversation) = &mut self.conversation {
            conversation.call(open);
        }
        if run.full {
            reply::write_return_parameters(&mut answer, None);
        }
        if last {
            end.write_no_more_rows(&mut answer);
        } else {
            end.write_success(&mut answer);
        }
        self.feed.send(answer).await?;
        Ok(Flow::On)
    }
}
