//! `pause`, `resume`, `silence` and `silences`: what operators tell a running daemon, through the file of holds that
//! the configuration names. The daemon reads it at each tick, and again while it ends sessions.

use std::fs;
use std::path::PathBuf;

use chrono::Utc;

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::{load_policies, load_service, policy_paths};
use super::run::holds_path;
use super::{Format, Global, table};
use crate::config::conditions::compile_match_text;
use crate::config::holds::{Hold, length};
use crate::config::service::Service;
use crate::daemon::holds::{HoldsError, change, read};
use crate::engine::text::{fold, with_causes};
use crate::engine::time::Timestamp;

/// Longer reasons belong elsewhere: each stands in the log and the audit, once for every session that it spares.
const REASON_MAX: usize = 500;

/// Where the system keeps the names of its users.
const USERS: &str = "/etc/passwd";

/// What a hold is confined to.
#[derive(Debug, clap::Args)]
pub(super) struct ScopeArgs {
    /// Only this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Only this database
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
}

/// What can be typed after `pause`.
#[derive(Debug, clap::Args)]
pub(super) struct PauseArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// How long, such as 2h; until `resume` if left out
    #[arg(long = "for", value_name = "TIME")]
    within: Option<String>,
    /// Why, for people
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who, instead of the user of the system
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
}

/// What can be typed after `resume`.
#[derive(Debug, clap::Args)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    scope: ScopeArgs,
}

/// What can be typed after `silence`.
#[derive(Debug, clap::Args)]
pub(super) struct SilenceArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Whom, written as in a policy: '{username: APP}'
    #[arg(long = "match", value_name = "CONDITION", required_unless_present = "remove")]
    condition: Option<String>,
    /// How long, such as 2h
    #[arg(long = "for", value_name = "TIME", required_unless_present = "remove")]
    within: Option<String>,
    /// Why, for people
    #[arg(long, value_name = "TEXT", required_unless_present = "remove")]
    reason: Option<String>,
    /// Who, instead of the user of the system
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// End the silence of this number
    #[arg(
        long,
        value_name = "ID",
        conflicts_with_all = ["condition", "within", "reason", "author", "rule", "database"]
    )]
    remove: Option<u64>,
}

/// The file, and the scope as the configuration spells it.
struct Place {
    path: PathBuf,
    rule: Option<String>,
    database: Option<String>,
    now: Timestamp,
}

/// Pauses.
pub(super) fn pause(
    args: &PauseArgs,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    global.format.among(&[Format::Text])?;
    let place = place(&args.scope, global, console)?;
    let hold = place.hold(None, args.within.as_deref(), &args.reason, args.author.as_deref())?;
    place.add(hold, console)
}

/// Ends pauses of exactly this scope.
pub(super) fn resume(
    args: &ResumeArgs,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    global.format.among(&[Format::Text])?;
    let Place { path, rule, database, now } = place(&args.scope, global, console)?;
    let ended =
        |hold: &Hold| hold.kind() == "pause" && (&hold.rule, &hold.database) == (&rule, &database);
    let (ended, left) = change(&path, now, |holds| {
        let ended = holds.remove(ended);
        Ok((ended, holds.at(now).filter(|hold| hold.kind() == "pause").count()))
    })
    .map_err(refuse)?;
    writeln!(console.out(), "pauses ended: {ended}; still in force: {left}")?;
    Ok(ExitStatus::Fine)
}

/// Silences, or ends a silence.
pub(super) fn silence(
    args: &SilenceArgs,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    global.format.among(&[Format::Text])?;
    let place = place(&args.scope, global, console)?;
    if let Some(id) = args.remove {
        let gone = |hold: &Hold| hold.kind() == "silence" && hold.id == id;
        let none = || format!("there is no silence {id}");
        change(&place.path, place.now, |holds| match holds.remove(gone) {
            0 => Err(none()),
            _ => Ok(()),
        })
        .map_err(refuse)?;
        writeln!(console.out(), "silence {id} ended")?;
        return Ok(ExitStatus::Fine);
    }
    let condition = args.condition.as_deref().unwrap_or_default();
    let (compiled, diagnostics) = compile_match_text("--match", condition);
    super::inputs::show(&diagnostics, console);
    if compiled.is_none() {
        return Err(CliError::BadPolicy("the condition does not load".to_owned()));
    }
    let reason = args.reason.as_deref().unwrap_or_default();
    let author = args.author.as_deref();
    let hold = place.hold(Some(condition), args.within.as_deref(), reason, author)?;
    place.add(hold, console)
}

/// What the list says of a hold that is over by this machine's clock. The daemon goes by the later of two clocks, and
/// that of the database is not known here.
const OVER_HERE: &str = "over here; holds where the database's clock is behind";

/// Lists what is in force, or may be.
pub(super) fn list(global: &Global, console: &mut Console) -> Result<ExitStatus, CliError> {
    let format = global.format.among(&[Format::Text, Format::Json])?;
    let service = load_service(&global.config, console)?;
    let path = path_of(&service, global)?;
    let holds = read(&path).map_err(refuse)?;
    let now = Utc::now().into();
    if format == Format::Json {
        for hold in holds.kept_at(now) {
            let mut line = serde_json::to_value(hold).expect("texts and numbers always serialise");
            line["over_here"] = (!hold.holds_at(now)).into();
            writeln!(console.out(), "{line}")?;
        }
        return Ok(ExitStatus::Fine);
    }
    let header = ["ID", "KIND", "MATCH", "RULE", "DATABASE", "SINCE", "UNTIL", "AUTHOR", "REASON"];
    let rows: Vec<Vec<String>> = holds.kept_at(now).map(|hold| cells(hold, now)).collect();
    table::write(console.out(), &header, &rows)?;
    Ok(ExitStatus::Fine)
}

fn cells(hold: &Hold, now: Timestamp) -> Vec<String> {
    let Hold { id, matched, rule, database, since, until, author, reason } = hold;
    let all = |text: &Option<String>| text.clone().unwrap_or_else(|| "all".to_owned());
    vec![
        id.to_string(),
        hold.kind().to_owned(),
        all(matched),
        all(rule),
        all(database),
        since.clone(),
        match until {
            None => "resumed".to_owned(),
            Some(until) if hold.holds_at(now) => until.clone(),
            Some(until) => format!("{until} ({OVER_HERE})"),
        },
        author.clone(),
        reason.clone(),
    ]
}

impl Place {
    fn hold(
        &self,
        matched: Option<&str>,
        within: Option<&str>,
        reason: &str,
        author: Option<&str>,
    ) -> Result<Hold, CliError> {
        let usage = |text: String| CliError::Usage(text);
        let reason = checked_reason(reason)?;
        let until = within.map(|text| {
            let span = length(text).map_err(|why| usage(format!("--for {text}: {why}")))?;
            Ok::<_, CliError>(self.now.plus(span).to_string())
        });
        Ok(Hold {
            id: 0,
            matched: matched.map(str::to_owned),
            rule: self.rule.clone(),
            database: self.database.clone(),
            since: self.now.to_string(),
            until: until.transpose()?,
            author: author.map_or_else(os_user, str::to_owned),
            reason: reason.to_owned(),
        })
    }

    fn add(&self, hold: Hold, console: &mut Console) -> Result<ExitStatus, CliError> {
        let kind = hold.kind();
        let until = hold.until.clone().map_or_else(String::new, |until| format!(", until {until}"));
        let id = change(&self.path, self.now, |holds| holds.add(hold)).map_err(refuse)?;
        writeln!(
            console.out(),
            "{kind} {id} holds, within a second also for a tick that runs{until}"
        )?;
        Ok(ExitStatus::Fine)
    }
}

/// A name that means nothing would hold nothing, and whoever typed it would not know. Policies that do not load are no
/// reason to refuse a pause.
fn place(scope: &ScopeArgs, global: &Global, console: &mut Console) -> Result<Place, CliError> {
    let service = load_service(&global.config, console)?;
    let path = path_of(&service, global)?;
    let (policies, _) = load_policies(&policy_paths(&service, &global.config));
    if let (Some(policies), Some(rule)) = (policies, &scope.rule)
        && !policies.rules.iter().any(|known| known.name == *rule)
    {
        return Err(CliError::Usage(format!("no rule is called {rule}")));
    }
    let database = scope.database.as_ref().map(|name| {
        let known = service.databases.iter().find(|it| fold(&it.name) == fold(name));
        let none = || CliError::Usage(format!("no database is called {name}"));
        known.map(|it| it.name.clone()).ok_or_else(none)
    });
    Ok(Place {
        path,
        rule: scope.rule.clone(),
        database: database.transpose()?,
        now: Utc::now().into(),
    })
}

fn path_of(service: &Service, global: &Global) -> Result<PathBuf, CliError> {
    holds_path(service, &global.config).ok_or_else(|| {
        let config = global.config.display();
        CliError::BadPolicy(format!("{config} names no file of holds: holds: {{file: PATH}}"))
    })
}

fn refuse(error: HoldsError) -> CliError {
    match error {
        HoldsError::Refused(why) => CliError::Usage(why),
        other => CliError::Audit(with_causes(&other)),
    }
}

/// A reason says something, and not too much.
pub(super) fn checked_reason(reason: &str) -> Result<&str, CliError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > REASON_MAX {
        let why = format!("--reason: from 1 to {REASON_MAX} bytes of text are due");
        return Err(CliError::Usage(why));
    }
    Ok(reason)
}

/// The name of the user who runs this, else the number.
pub(super) fn os_user() -> String {
    let number = rustix::process::getuid().as_raw().to_string();
    let users = fs::read_to_string(USERS).unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(&number)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("user {number}"))
}
