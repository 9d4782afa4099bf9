//! `kill`: one deliberate act of a person. It makes a rule of what was typed and takes it through the path of every
//! other rule: the production compiler, `decide` with the protections of the configured policies, the executor, and
//! the killer that compares before it ends. What it adds is the person: who is asked first, and stands in the audit.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};

use super::console::{Console, is_interactive};
use super::exit::{CliError, ExitStatus};
use super::explain::{Wanted, parse_session, rows_of};
use super::holds::{checked_reason, os_user};
use super::inputs::{load_policies, load_service, policy_paths, show};
use super::live::Live;
use super::plan::write_for_people;
use super::run::{audit_path, holds_path};
use super::{Format, Global, sessions, table};
use crate::config::diagnostic::SourceFile;
use crate::config::policies;
use crate::config::service::{Database, Service};
use crate::daemon::executor::{Leaving, Means, execute};
use crate::daemon::holds;
use crate::daemon::killer::Killers;
use crate::daemon::pace::{Beat, Pace};
use crate::daemon::recheck::{Held, Recheck};
use crate::engine::breaker::Fuses;
use crate::engine::command::command_name;
use crate::engine::condition::Field;
use crate::engine::decide::{Question, decide};
use crate::engine::facts::{Facts, Value as Fact, columns};
use crate::engine::guard::{ApprovedPlan, End};
use crate::engine::history::History;
use crate::engine::needs::Needs;
use crate::engine::plan::PlanOptions;
use crate::engine::policy::PolicySet;
use crate::engine::report::{Acting, Outcome, Refusal, TickId};
use crate::engine::session::{InstanceState, NumberColumn, Snapshot, TextColumn};
use crate::engine::standing::{Hold, Standing};
use crate::engine::text::{counted, fold, with_causes};
use crate::engine::time::Timestamp;
use crate::observe::audit::{ByHand, FileAudit};
use crate::observe::plan_json::plan_json;
use crate::oracle::killer::OracleKiller;
use crate::ports::{AuditError, AuditSink as _, TickStamp};

/// What the rule is called, in the table and in the audit.
const RULE: &str = "by-hand";

/// A SQL_ID has so many characters.
const SQL_ID_LENGTH: usize = 13;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The session: SID,SERIAL[,@INST]
    #[arg(
        value_name = "SID,SERIAL[,@INST]",
        required_unless_present = "sql_id",
        conflicts_with = "sql_id"
    )]
    session: Option<String>,
    /// Every session that runs this statement now
    #[arg(long, value_name = "ID")]
    sql_id: Option<String>,
    /// Which database of the configuration; needed if there are several
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// What is done, as in a policy: kill, 'kill force', cancel_sql, 'disconnect immediate', …
    #[arg(long, value_name = "VERB", default_value = "kill")]
    action: String,
    /// Why; it stands in the audit
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// End nobody, and write no audit
    #[arg(long)]
    dry_run: bool,
    /// Lift a protection that a policy may lift: job-slave, data-pump, rman, replication, xa-branch, self-protected
    #[arg(long = "allow-protected", value_name = "CLASS")]
    allow_protected: Vec<String>,
    /// End also whom a pause or a silence holds
    #[arg(long)]
    despite_holds: bool,
    /// With --sql-id: up to so many sessions, instead of 10 and at most 10% of all
    #[arg(long, value_name = "N", requires = "sql_id")]
    max: Option<u64>,
    /// Undo records of a session's transaction, or unlimited; beyond it is spared [default: 1000000]
    #[arg(long, value_name = "N")]
    max_undo_records: Option<String>,
}

/// Where it is done, and what is remembered of it.
struct Place {
    service: Service,
    database: Database,
    live: Live,
    /// The configuration's audit; a dry run has none.
    audit: Option<PathBuf>,
    holds: Option<PathBuf>,
}

/// What was decided, and on what.
struct Decided {
    seen: Snapshot,
    plan: ApprovedPlan,
    killers: Killers,
    holds: Vec<Hold>,
    held_at: Timestamp,
}

/// Looks, shows, asks, ends.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let format = global.format.among(&[Format::Text, Format::Json])?;
    let reason = checked_reason(&args.reason)?;
    let is_asked = !args.yes && !args.dry_run;
    if is_asked && !is_interactive() {
        let why = "nobody is there to be asked: type it at a terminal, or add --yes or --dry-run";
        return Err(CliError::Usage(why.to_owned()));
    }
    let place = place(args, global, console)?;
    let policies = policies(args, &place, global, console)?;
    let mut pace = Pace::new(Beat::of_machine(Leaving::default()));
    let decided = look_and_decide(args, &place, &policies)?;
    show_plan(args, &decided, format, global, console)?;
    if decided.plan.ends().is_empty() {
        let nobody = decided.plan.spared().is_empty() && decided.plan.halted().is_empty();
        console.note(if nobody {
            "nobody is ended: no such session is there"
        } else {
            "nobody is ended"
        });
        return Ok(ExitStatus::Found);
    }
    let many = counted(decided.plan.ends().len() as u64, "session");
    let question = format!("{} of {many} in {}? yes/no: ", args.action, place.database.name);
    if is_asked && !console.confirms(&question)? {
        console.note("nobody is ended");
        return Ok(ExitStatus::Found);
    }
    let recheck = recheck(args, &place, &decided);
    if let Some(why) = recheck.stops(pace.now()) {
        console.note(&format!("nobody is ended: {why}; look again"));
        return Ok(ExitStatus::Found);
    }
    let act = ByHand {
        os_user: &os_user(),
        reason,
        asked: args.session.as_deref().or(args.sql_id.as_deref()).unwrap_or_default(),
        action: &args.action,
        despite_holds: args.despite_holds,
        allow_protected: &args.allow_protected,
    };
    let (told, carried_out) = carry_out(&place, &decided, &act, (&mut pace, &recheck), console)?;
    // Told also when the audit failed on the way: these were ended.
    show_outcomes(&told, format, console)?;
    carried_out.map_err(|error| CliError::Audit(with_causes(&error)))?;
    let rehearsed = !args.dry_run && decided.killers.acting() == Acting::DryRun;
    Ok(status(&told, decided.plan.spared().is_empty() && !rehearsed))
}

fn place(args: &Args, global: &Global, console: &mut Console) -> Result<Place, CliError> {
    let service = load_service(&global.config, console)?;
    let chosen = |database: &&Database| {
        args.database.as_ref().is_none_or(|name| fold(name) == fold(&database.name))
    };
    let found: Vec<&Database> = service.databases.iter().filter(chosen).collect();
    let database = match (found.as_slice(), &args.database) {
        ([one], _) => (*one).clone(),
        ([], Some(name)) => return Err(CliError::Usage(format!("no database is called {name}"))),
        _ => {
            let names: Vec<&str> = found.iter().map(|it| it.name.as_str()).collect();
            let why = format!("which database: --database {}", names.join(" or --database "));
            return Err(CliError::Usage(why));
        }
    };
    let Some(live) = Live::of(&database, &global.config) else {
        let why = format!("{} is a capture: nobody can be ended there", database.name);
        return Err(CliError::Usage(why));
    };
    let audit = audit_path(&service, &global.config);
    if audit.is_none() && !args.dry_run {
        let config = global.config.display();
        let why = format!("{config} names no audit, and nobody is ended without one");
        return Err(CliError::BadPolicy(format!("{why}: audit: {{file: PATH}}")));
    }
    let audit = audit.filter(|_| !args.dry_run);
    let holds = holds_path(&service, &global.config);
    Ok(Place { service, database, live, audit, holds })
}

/// The rule of what was typed, among the protections of the configured policies. If those do not load, nobody knows
/// whom they protect.
fn policies(
    args: &Args,
    place: &Place,
    global: &Global,
    console: &mut Console,
) -> Result<PolicySet, CliError> {
    let (site, diagnostics) = load_policies(&policy_paths(&place.service, &global.config));
    let site = site.ok_or_else(|| {
        show(&diagnostics, console);
        CliError::BadPolicy("the policies do not load, and whom they protect is unknown".to_owned())
    })?;
    let text = rule(args)?.to_string();
    let (set, diagnostics) = policies::compile(&[SourceFile { name: RULE.to_owned(), text }]);
    show(&diagnostics, console);
    let set = set.ok_or_else(|| CliError::Usage("that cannot be done".to_owned()))?;
    Ok(PolicySet { protections: site.protections, queries: site.queries, ..set })
}

/// A policy file with one rule. JSON is YAML, and quotes what was typed.
fn rule(args: &Args) -> Result<Value, CliError> {
    let mut limits = json!({});
    let matched = if let Some(sql_id) = &args.sql_id {
        let is_one = |it: &str| {
            it.len() == SQL_ID_LENGTH && it.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if !is_one(sql_id) {
            return Err(CliError::Usage(format!("--sql-id {sql_id}: not a SQL_ID")));
        }
        if let Some(max) = args.max {
            limits["per_tick"] = max.into();
            limits["per_hour"] = "unlimited".into();
            limits["percent"] = "unlimited".into();
        }
        json!({"sql_id": sql_id})
    } else {
        // Whoever names one session means one, however few there are.
        limits["percent"] = "unlimited".into();
        let Wanted { sid, serial, inst_id } = wanted(args)?;
        let mut matched = json!({"sid": sid, "serial": serial});
        if let Some(inst_id) = inst_id {
            matched["inst_id"] = inst_id.into();
        }
        matched
    };
    if let Some(undo) = &args.max_undo_records {
        limits["max_undo_records"] = undo.parse::<u64>().map_or_else(|_| json!(undo), Value::from);
    }
    let mut rule = json!({
        "name": RULE,
        "mode": "enforce",
        "match": matched,
        "action": action(&args.action),
        "limits": limits,
    });
    if !args.allow_protected.is_empty() {
        rule["allow_protected"] = args.allow_protected.clone().into();
    }
    Ok(json!({"version": 1, "rules": [rule]}))
}

fn wanted(args: &Args) -> Result<Wanted, CliError> {
    parse_session(args.session.as_deref().unwrap_or_default())
}

/// `kill force`, `{kill: force}` and `kill: force` are the same; what is no verb is the compiler's to refuse.
fn action(typed: &str) -> Value {
    let bare = typed.replace(['{', '}', ':'], " ");
    match bare.split_whitespace().collect::<Vec<_>>().as_slice() {
        [verb, mode] => json!({(*verb): mode}),
        _ => json!(bare.trim()),
    }
}

fn look_and_decide(args: &Args, place: &Place, policies: &PolicySet) -> Result<Decided, CliError> {
    let (name, held_at) = (&place.database.name, Utc::now().into());
    let (found, warning) = place
        .holds
        .as_ref()
        .map_or_else(Default::default, |path| holds::standing(path, name, held_at));
    let mut needs = Needs::of(policies, &[0]);
    needs.columns.extend([Field::BlockedSessions, Field::Command].into_iter().flat_map(columns));
    let needs = needs.with_holds(&found);
    let (mut source, killer) = place.live.by_hand();
    let mut seen = source.look(&needs).map_err(|error| place.live.failed(&error))?;
    seen.warnings.extend(warning);
    if args.session.is_some() {
        refuse_unless_one_is_meant(wanted(args)?, &seen)?;
    }
    let killers = killers(args, killer, &mut seen);
    let acting = killers.acting();
    let in_force = if args.despite_holds { Vec::new() } else { found.clone() };
    let standing = Standing { acting, holds: in_force, ..Standing::default() };
    let plan = decide(Question {
        policies,
        due: &[0],
        snapshot: &seen,
        history: &History::default(),
        options: PlanOptions::default(),
        limits: place.database.limits,
        standing: &standing,
    });
    Ok(Decided { seen, plan, killers, holds: found, held_at })
}

/// A person may take long to answer, and somebody may pause meanwhile.
fn recheck<'a>(args: &Args, place: &'a Place, decided: &'a Decided) -> Recheck<'a> {
    let path = place.holds.as_deref().filter(|_| !args.despite_holds);
    let held = path.map(|path| Held {
        path,
        database: &place.database.name,
        at: decided.held_at,
        holds: &decided.holds,
    });
    Recheck::new(Duration::ZERO, Duration::ZERO, held)
}

/// As for the daemon: who is not on an open primary is rehearsed on.
fn killers(args: &Args, killer: OracleKiller, seen: &mut Snapshot) -> Killers {
    let acting = match &seen.read_only {
        _ if args.dry_run => Acting::DryRun,
        Some(why) => {
            seen.warnings.push(format!("nobody is ended, this is a rehearsal: {why}"));
            Acting::DryRun
        }
        None => Acting::AsRulesSay,
    };
    Killers::new(Some(Box::new(killer)), acting)
}

/// A SID and a SERIAL# without an instance must not be taken for somebody else's on another one.
fn refuse_unless_one_is_meant(wanted: Wanted, seen: &Snapshot) -> Result<(), CliError> {
    let here: Vec<String> =
        rows_of(seen, wanted).map(|row| seen.sessions.get(row).key().to_string()).collect();
    let is_missing = seen.instances.iter().any(|it| it.state == InstanceState::Missing);
    if wanted.inst_id.is_none() && is_missing {
        let why = "an instance did not answer: say which is meant, SID,SERIAL,@INST";
        return Err(CliError::Usage(why.to_owned()));
    }
    if here.len() > 1 {
        return Err(CliError::Usage(format!("say which is meant: {}", here.join(" or "))));
    }
    Ok(())
}

fn show_plan(
    args: &Args,
    decided: &Decided,
    format: Format,
    global: &Global,
    console: &mut Console,
) -> Result<(), CliError> {
    for hold in &decided.holds {
        let what = if args.despite_holds { "it is disregarded" } else { "it is obeyed" };
        console.note(&format!("in force: {} ({what})", hold.why));
    }
    let Decided { seen, plan, .. } = decided;
    if format == Format::Json {
        for warning in plan.warnings() {
            console.note(&format!("warning: {warning}"));
        }
        writeln!(console.out(), "{}", plan_json(plan))?;
        return Ok(());
    }
    let meant = plan.ends().iter().map(|end| end.life.key);
    let meant: Vec<_> = meant.chain(plan.spared().iter().map(|it| it.life.key)).collect();
    let is_meant = |row: &usize| meant.contains(&seen.sessions.get(*row).key());
    let rows: Vec<usize> = (0..seen.sessions.len()).filter(is_meant).collect();
    sessions::write_table(seen, &rows, console)?;
    write_ties(seen, &rows, console)?;
    write_for_people(console, plan, global.verbose)
}

/// What they run, whom they wait for, and how many wait for them.
fn write_ties(seen: &Snapshot, rows: &[usize], console: &mut Console) -> Result<(), CliError> {
    let facts = Facts::new(seen);
    let cells = |row: &usize| {
        let session = seen.sessions.get(*row);
        let field = |field| match facts.value(field, *row) {
            Fact::Null(_) | Fact::Absent(_) => String::new(),
            value => facts.show(field, value),
        };
        let is_blocked = session.is(TextColumn::BlockingSessionStatus, "VALID");
        let blocker = [NumberColumn::BlockingSession, NumberColumn::BlockingInstance]
            .map(|column| session.number(column).filter(|_| is_blocked));
        let blocker = match blocker {
            [Some(sid), Some(inst_id)] => format!("{sid},@{inst_id}"),
            _ => String::new(),
        };
        let command = field(Field::Command);
        let runs = command.parse().ok().and_then(command_name).map_or(command, str::to_owned);
        vec![session.key().to_string(), runs, blocker, field(Field::BlockedSessions)]
    };
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    if !cells.is_empty() {
        let out = console.out();
        table::write(out, &["SESSION", "RUNS", "BLOCKED BY", "BLOCKS"], &cells)?;
        writeln!(out)?;
    }
    Ok(())
}

/// What became of each, and whether the audit held.
type CarriedOut = (Vec<(End, Outcome)>, Result<(), AuditError>);

fn carry_out(
    place: &Place,
    decided: &Decided,
    act: &ByHand<'_>,
    (pace, recheck): (&mut Pace, &Recheck<'_>),
    console: &mut Console,
) -> Result<CarriedOut, CliError> {
    let Decided { seen, plan, killers, .. } = decided;
    let acting = killers.acting();
    let stamp = TickStamp {
        tick: TickId { run: Utc::now().into(), number: 1 },
        database: &place.database.name,
        taken_at: plan.taken_at(),
        acting,
    };
    let failed = |error: AuditError| CliError::Audit(with_causes(&error));
    let mut audit = match &place.audit {
        Some(path) => Some(open_audit(path, console).map_err(failed)?),
        None => None,
    };
    if let Some(audit) = &mut audit {
        audit.by_hand(stamp, act, Utc::now().into()).map_err(failed)?;
        audit.intend(stamp, plan, Utc::now().into()).map_err(failed)?;
    }
    let mut told = Vec::new();
    let leaving = &Leaving::default();
    let per_second = place.database.limits.per_second;
    let means = Means { seen, killers, acting, leaving, per_second, recheck };
    let (_, done) = execute(plan, means, pace, Fuses::default(), |end, outcome| {
        told.push((end.clone(), outcome));
        let Some(audit) = &mut audit else { return Ok(()) };
        audit.outcome(stamp, end, outcome, Utc::now().into())
    });
    let settled = done.and_then(|()| audit.as_mut().map_or(Ok(()), FileAudit::settle));
    Ok((told, settled))
}

/// The configuration's audit, unless a daemon writes it: then one beside it.
fn open_audit(path: &Path, console: &mut Console) -> Result<FileAudit, AuditError> {
    match FileAudit::open(path) {
        Err(error) if error.is_locked() => {
            let beside = path.with_extension("by-hand.jsonl");
            console.note(&format!("the audit is in use; this goes to {}", beside.display()));
            FileAudit::open(beside)
        }
        opened => opened,
    }
}

fn show_outcomes(
    told: &[(End, Outcome)],
    format: Format,
    console: &mut Console,
) -> Result<(), CliError> {
    let out = console.out();
    if format == Format::Json {
        for (end, outcome) in told {
            let key = end.life.key;
            let logon_time = end.life.logon_time.map(|time| time.to_string());
            let line = json!({
                "inst_id": key.inst_id, "sid": key.sid, "serial": key.serial, "logon_time": logon_time,
                "username": end.username, "action": end.verb_text(),
                "outcome": outcome.word(), "why": outcome.kind(),
            });
            writeln!(out, "{line}")?;
        }
        return Ok(());
    }
    let row = |(end, outcome): &(End, Outcome)| {
        let username = end.username.clone().unwrap_or_default();
        let (key, verb) = (end.life.key.to_string(), end.verb_text().to_owned());
        vec![key, username, verb, outcome.to_string(), advice(*outcome).to_owned()]
    };
    let rows: Vec<Vec<String>> = told.iter().map(row).collect();
    table::write(out, &["SESSION", "USERNAME", "ACTION", "OUTCOME", ""], &rows)?;
    Ok(())
}

const fn advice(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "marked; it goes when it notices, or has rolled back",
        Outcome::Changed => "it is not what was shown any more; look again",
        Outcome::Unknown => "no answer; look whether it is still there",
        Outcome::Refused(Refusal::Privilege) => "`orawarden grants` prints what is missing",
        Outcome::Ended
        | Outcome::AlreadyGone
        | Outcome::Simulated
        | Outcome::Reported
        | Outcome::Refused(_)
        | Outcome::Failed(_) => "",
    }
}

fn status(told: &[(End, Outcome)], all_were_meant_to_be: bool) -> ExitStatus {
    let is_fine = |outcome: &Outcome| {
        matches!(
            outcome,
            Outcome::Ended | Outcome::Accepted | Outcome::AlreadyGone | Outcome::Simulated
        )
    };
    if told.iter().any(|(_, outcome)| *outcome == Outcome::Refused(Refusal::Privilege)) {
        ExitStatus::Forbidden
    } else if all_were_meant_to_be && told.iter().all(|(_, outcome)| is_fine(outcome)) {
        ExitStatus::Fine
    } else {
        ExitStatus::Found
    }
}

#[cfg(test)]
mod tests {
    use super::action;
    use serde_json::json;

    #[test]
    fn a_verb_is_written_as_in_a_policy_or_as_a_plan_shows_it() {
        for typed in ["kill force", "{kill: force}", "kill: force"] {
            assert_eq!(action(typed), json!({"kill": "force"}), "{typed}");
        }
        assert_eq!(action(" cancel_sql "), json!("cancel_sql"));
        assert_eq!(action("kill now or never"), json!("kill now or never"));
    }
}
