//! Policies, targets and the audit anew: the whole set that loads replaces the old one, or the old one stays. How they
//! are loaded is the caller's knowledge; what of a running target survives is [`super::target`]'s.
//!
//! Loading reads files, which may hang. So it has a thread, and after the start a deadline; a thread that outlives it
//! is left behind.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::shared_audit::SharedAudit;
use super::target::TargetSpec;
use crate::engine::policy::PolicySet;
use crate::engine::text::{counted, with_causes};
use crate::observe::audit::FileAudit;
use crate::observe::audit::recall::Recall;
use crate::observe::log::{self, say};
use crate::observe::notify::Hook;
use crate::ports::AuditError;

/// Databases of one daemon. Each may keep a thread busy; fleets are spread over several daemons.
pub const TARGETS_MAX: usize = 256;

/// How long a reload may take: longer than a large capture takes to read, shorter than an operator waits. The first
/// load has no deadline; whoever started the daemon has one, and signals are heeded meanwhile.
pub const RELOAD_WITHIN: Duration = Duration::from_mins(2);

/// Loads that hang and were left behind, each with its thread. With so many the next reload is refused.
pub const LOADS_LEFT_BEHIND_MAX: usize = 4;

/// Loads everything, or says why not.
pub type Loader = Arc<dyn Fn() -> Result<Loaded, LoadError> + Send + Sync>;

/// What a loader gives.
pub struct Loaded {
    /// The policies.
    pub policies: PolicySet,
    /// The databases.
    pub targets: Vec<TargetSpec>,
    /// The file of the audit; without one nobody is ended, whatever the rules say.
    pub audit: Option<PathBuf>,
    /// The file of holds.
    pub holds: Option<PathBuf>,
    /// How the log is written from here on; `None`: as before.
    pub log: Option<log::Settings>,
    /// Who is told of what is done.
    pub hooks: Vec<Hook>,
}

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The policies or the configuration are wrong: diagnostics, rendered for people.
    #[error("{0}")]
    Files(String),
    /// A capture cannot be used.
    #[error("{0}")]
    Capture(String),
    /// The audit cannot be written.
    #[error("nobody is ended without an audit")]
    Audit(#[source] AuditError),
}

impl LoadError {
    /// The first thing that is wrong, where it is, and how many more things are. Of diagnostics it takes the lines that
    /// quote nothing of the files.
    pub fn in_short(&self) -> String {
        let whole = with_causes(self);
        let mut errors = whole.lines().skip_while(|line| !line.starts_with("error"));
        let Some(first) = errors.next() else {
            return whole.lines().next().unwrap_or_default().to_owned();
        };
        let place = errors.next().and_then(|line| line.trim_start().strip_prefix("--> "));
        let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
        match errors.filter(|line| line.starts_with("error")).count() as u64 {
            0 => format!("{first}{place}"),
            more => format!("{first}{place}, and {}", counted(more, "more error")),
        }
    }
}

/// Where the audit in force goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AuditAt {
    /// Nothing is in force yet.
    Unsettled,
    /// To what the daemon was set up with, whatever is loaded.
    Given,
    /// To this file.
    File(PathBuf),
    /// Nowhere.
    Nowhere,
}

impl AuditAt {
    /// True when nothing is to be opened. The same file under another name is locked, by ourselves.
    fn stays(&self, wanted: &Self) -> bool {
        let file = |path: &PathBuf| path.canonicalize().ok();
        match (self, wanted) {
            (Self::Given, _) => true,
            (Self::File(now), Self::File(then)) if now != then => {
                file(now).is_some_and(|now| Some(now) == file(then))
            }
            (now, then) => now == then,
        }
    }
}

/// Everything that is needed for a swap, which cannot fail any more.
pub(super) struct Ready {
    pub(super) policies: PolicySet,
    pub(super) targets: Vec<TargetSpec>,
    pub(super) holds: Option<PathBuf>,
    pub(super) hooks: Vec<Hook>,
    /// An audit that goes elsewhere than the one in force, and what stands in it.
    pub(super) audit: Option<(AuditAt, SharedAudit, Recall)>,
    pub(super) log: Option<log::Settings>,
}

/// A load that came to its end.
pub(super) struct Ended {
    number: u64,
    pub(super) loaded: Result<Ready, LoadError>,
}

/// What became of the wish to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is under way.
    Begun,
    /// Another is under way, which may have read the old files: it is done again after that.
    Again,
    /// So many hang already that no other is begun.
    Refused,
}

/// Loads, one at a time but for those that were left behind.
pub(super) struct Loads {
    loader: Loader,
    threads: JoinSet<Ended>,
    begun: u64,
    current: Option<Current>,
}

struct Current {
    number: u64,
    deadline: Option<Instant>,
    again: bool,
}

impl Loads {
    pub(super) fn new(loader: Loader) -> Self {
        Self { loader, threads: JoinSet::new(), begun: 0, current: None }
    }

    /// Begins to load on a thread of its own, until `deadline` if there is one.
    pub(super) fn ask(&mut self, in_force: AuditAt, deadline: Option<Instant>) -> Asked {
        if let Some(current) = &mut self.current {
            current.again = true;
            return Asked::Again;
        }
        if self.left_behind() >= LOADS_LEFT_BEHIND_MAX {
            return Asked::Refused;
        }
        self.begun += 1;
        let (number, loader) = (self.begun, Arc::clone(&self.loader));
        self.current = Some(Current { number, deadline, again: false });
        self.threads.spawn_blocking(move || Ended { number, loaded: load(&loader, &in_force) });
        Asked::Begun
    }

    /// Loads at once, as the loop would.
    #[cfg(test)]
    pub(super) fn load_now(&mut self, in_force: &AuditAt) -> Ended {
        self.begun += 1;
        self.current = Some(Current { number: self.begun, deadline: None, again: false });
        Ended { number: self.begun, loaded: load(&self.loader, in_force) }
    }

    /// The next load that ends; none when there is none to wait for.
    pub(super) async fn next(&mut self) -> Option<Result<Ended, JoinError>> {
        self.threads.join_next().await
    }

    /// When the load under way has had its time.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.current.as_ref().and_then(|current| current.deadline)
    }

    /// True when what ended is what is waited for, and not one that was left behind; then whether to load again.
    pub(super) fn settle(&mut self, ended: &Ended) -> Option<bool> {
        self.current.take_if(|current| current.number == ended.number).map(|current| current.again)
    }

    /// Leaves the load under way behind; answers whether to load again.
    pub(super) fn leave_behind(&mut self) -> bool {
        self.current.take().is_some_and(|current| current.again)
    }

    /// How many hang.
    pub(super) fn left_behind(&self) -> usize {
        self.threads.len() - usize::from(self.current.is_some())
    }
}

/// Loads, and checks what the daemon itself relies on. A new audit is opened last, and before anything is swapped.
fn load(loader: &Loader, in_force: &AuditAt) -> Result<Ready, LoadError> {
    let Loaded { policies, targets, audit, holds, hooks, log } = loader()?;
    let mut names = BTreeSet::new();
    if let Some(twice) = targets.iter().find(|target| !names.insert(&target.name)) {
        return Err(LoadError::Files(format!("database {} is configured twice", twice.name)));
    }
    if let Some(why) = too_many(targets.len()) {
        return Err(LoadError::Files(why));
    }
    let wanted = audit.map_or(AuditAt::Nowhere, AuditAt::File);
    let audit =
        if in_force.stays(&wanted) { None } else { Some(open(wanted).map_err(LoadError::Audit)?) };
    Ok(Ready { policies, targets, holds, hooks, audit, log })
}

fn open(wanted: AuditAt) -> Result<(AuditAt, SharedAudit, Recall), AuditError> {
    let AuditAt::File(path) = &wanted else {
        return Ok((wanted, SharedAudit::new(None), Recall::default()));
    };
    let mut audit = FileAudit::open(path)?;
    let recall = audit.recall(Utc::now().into())?;
    for (database, it) in recall.interrupted() {
        say!(
            Interrupted,
            rule = &*it.rule,
            database = database,
            inst_id = it.life.key.inst_id,
            sid = it.life.key.sid,
            serial = it.life.key.serial,
            action = it.verb.text()
        );
    }
    Ok((wanted, SharedAudit::new(Some(Box::new(audit))), recall))
}

/// Why so many databases are too many for one daemon, if they are.
pub fn too_many(databases: usize) -> Option<String> {
    (databases > TARGETS_MAX).then(|| {
        format!("{databases} databases are configured, one daemon watches {TARGETS_MAX} at most")
    })
}

#[cfg(test)]
mod tests {
    use super::LoadError;
    use crate::config::diagnostic::SourceFile;
    use crate::config::{render, service};

    #[test]
    fn in_short_it_is_the_first_mistake_with_its_place_and_nothing_of_the_file() {
        let text = "version: 1\npolicies: p.yaml\ndatabases: [{name: a, capture: a.csv}]\nnotify:\n  \
                    - {name: h, webhook: {url: 'htp://tok-4711', token: tok-4712}, events: [nothing]}\n";
        let file = SourceFile { name: "c.yaml".to_owned(), text: text.to_owned() };
        let said = LoadError::Files(render::text(&service::decode(&file).1, false)).in_short();
        assert!(said.starts_with("error[bad-address]: "), "{said}");
        assert!(said.ends_with(" (c.yaml:5:30), and 2 more errors"), "{said}");
        assert!(!said.contains("tok-"), "{said}");
    }

    #[test]
    fn what_is_one_line_is_told_whole() {
        let said = |text: &str| LoadError::Files(text.to_owned()).in_short();
        assert_eq!(said("no database to look at"), "no database to look at");
        assert_eq!(said("error[syntax]: not YAML\n"), "error[syntax]: not YAML");
    }
}
