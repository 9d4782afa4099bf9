//! `sessions`: what a capture holds, all of it or those that a condition matches.

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::{CaptureArgs, show};
use super::{Format, Global, table};
use crate::capture::{write_csv, write_jsonl};
use crate::config::conditions::compile_match_text;
use crate::engine::condition::{Condition, Field, Truth};
use crate::engine::explain::truth;
use crate::engine::facts::{Facts, Value};
use crate::engine::needs::Needs;
use crate::engine::session::{Session, Snapshot, TextColumn};

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    captures: CaptureArgs,
    /// Only sessions that meet this condition, written as in a policy: '{username: APP, idle_for: "> 1h"}'
    #[arg(long = "match", value_name = "CONDITION")]
    condition: Option<String>,
}

/// Lists the sessions of every snapshot.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let format = global.format.among(&[Format::Text, Format::Json, Format::Csv])?;
    let condition = args.condition.as_deref().map(|text| compile(text, console)).transpose()?;
    let sources = args.captures.read(&needs(format, condition.as_ref()), global, console)?;
    for snapshot in sources.databases.iter().flat_map(|source| &source.snapshots) {
        let rows = matching(snapshot, condition.as_ref());
        match format {
            Format::Csv => write_csv(&only(snapshot, &rows), console.out())?,
            Format::Json => write_jsonl(&only(snapshot, &rows), console.out())?,
            _ => write_table(snapshot, &rows, console)?,
        }
    }
    Ok(sources.status)
}

/// What the table shows and the condition asks; exports have everything.
fn needs(format: Format, condition: Option<&Condition>) -> Needs {
    if format != Format::Text {
        return Needs::everything();
    }
    condition.map_or_else(Needs::always, |condition| Needs::always().and(condition))
}

fn compile(text: &str, console: &mut Console) -> Result<Condition, CliError> {
    let (condition, diagnostics) = compile_match_text("--match", text);
    show(&diagnostics, console);
    condition.ok_or_else(|| CliError::BadPolicy("the condition does not load".to_owned()))
}

fn matching(snapshot: &Snapshot, condition: Option<&Condition>) -> Vec<usize> {
    let facts = Facts::new(snapshot);
    let matches = |row: &usize| condition.is_none_or(|it| truth(it, &facts, *row) == Truth::True);
    (0..snapshot.sessions.len()).filter(matches).collect()
}

fn only(snapshot: &Snapshot, rows: &[usize]) -> Snapshot {
    Snapshot { sessions: snapshot.sessions.only(rows), ..snapshot.clone() }
}

/// What people see of these rows.
pub(super) fn write_table(
    snapshot: &Snapshot,
    rows: &[usize],
    console: &mut Console,
) -> Result<(), CliError> {
    let facts = Facts::new(snapshot);
    let shown: Vec<Vec<String>> =
        rows.iter().map(|row| cells(&facts, snapshot.sessions.get(*row))).collect();
    let header = [
        "SESSION",
        "USERNAME",
        "STATUS",
        "FOR",
        "LOGON",
        "SQL_ID",
        "WAITS FOR",
        "PROGRAM",
        "MACHINE",
        "OSUSER",
    ];
    let out = console.out();
    writeln!(
        out,
        "{} at {}: {} of {} sessions",
        snapshot.database,
        table::time_or_unknown(snapshot.known_time()),
        rows.len(),
        snapshot.sessions.len()
    )?;
    table::write(out, &header, &shown)?;
    writeln!(out)?;
    Ok(())
}

fn cells(facts: &Facts<'_>, session: Session<'_>) -> Vec<String> {
    let text = |column| session.text(column).unwrap_or_default().to_owned();
    let field = |field| match facts.value(field, session.row()) {
        Value::Null(_) | Value::Absent(_) => String::new(),
        value => facts.show(field, value),
    };
    let in_state = match field(Field::IdleFor) {
        idle if idle.is_empty() => field(Field::ActiveFor),
        idle => idle,
    };
    vec![
        session.key().to_string(),
        text(TextColumn::Username),
        text(TextColumn::Status),
        in_state,
        field(Field::LogonTime),
        field(Field::SqlId),
        field(Field::WaitEvent),
        text(TextColumn::Program),
        text(TextColumn::Machine),
        text(TextColumn::Osuser),
    ]
}
