//! What holds besides policies and sessions when a decision is made: whether anything is ended at all, and whether this
//! daemon may end it. All of it only ever takes sessions out of a plan; by default nothing holds.

use std::sync::Arc;

use super::condition::Condition;
use super::report::Acting;
use super::session::Snapshot;

/// Whether a daemon may end sessions of a database now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Authority {
    /// It may: it leads, or nobody else is there to.
    #[default]
    Leads,
    /// Another daemon does, or nobody knows; why, for people.
    Follows(Arc<str>),
}

/// Somebody's word that nobody, or that some sessions, are to be left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// A silence: whom it is about, in both modes; who may be meant is. Without one it is a pause, of enforcing rules.
    pub condition: Option<Condition>,
    /// The rule that it is confined to.
    pub rule: Option<Arc<str>>,
    /// Whose word, and why, for people.
    pub why: Arc<str>,
}

impl Hold {
    /// Whether it is about this rule.
    pub fn concerns(&self, rule: &str) -> bool {
        self.rule.as_deref().is_none_or(|it| it == rule)
    }
}

/// What holds at one tick of one database.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Whether enforcing rules enforce at this tick.
    pub acting: Acting,
    /// Whether this daemon may end sessions there.
    pub authority: Authority,
    /// Pauses and silences.
    pub holds: Vec<Hold>,
}

impl Standing {
    /// Where a database is not open for writing, enforcing rules are rehearsed, and the snapshot's warnings say so.
    pub fn rehearses_on(&mut self, seen: &mut Snapshot) -> bool {
        let Some(why) = &seen.read_only else { return false };
        seen.warnings.push(format!("nobody is ended, enforcing rules are rehearsed: {why}"));
        self.acting = Acting::DryRun;
        true
    }
}
