//! What holds a database's rules back, said when it begins and when it is over: the record of a tick tells how many
//! were spared, and a night on which nobody was ended would look like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::report::TickReport;
use crate::engine::standing::Authority;
use crate::observe::log::redact::Redaction;
use crate::observe::log::say;

/// By the names of the databases.
#[derive(Debug, Default)]
pub(super) struct StandingNews(BTreeMap<String, Standing>);

/// What was said last.
#[derive(Debug, Default)]
struct Standing {
    follows: Option<Arc<str>>,
    holds: Vec<Arc<str>>,
    is_paused: bool,
}

/// What is different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Follows,
    Leads,
    Held,
    Free,
}

impl Change {
    /// A hold tells whose word it is, and why.
    fn detail(self, why: &str, redact: Redaction) -> &str {
        match self {
            Self::Held | Self::Free => redact.sentence(why),
            Self::Follows | Self::Leads => why,
        }
    }
}

impl StandingNews {
    /// Says what this tick found different from the one before.
    pub(super) fn tell(&mut self, report: &TickReport, redact: Redaction) {
        let database = report.database();
        for (news, why) in self.news(report) {
            let detail = news.detail(&why, redact);
            match news {
                Change::Follows => say!(Follows, database = database, detail = detail),
                Change::Leads => say!(Leads, database = database, detail = detail),
                Change::Held => say!(HeldBack, database = database, detail = detail),
                Change::Free => say!(NotHeldBack, database = database, detail = detail),
            }
        }
    }

    /// It is not watched any more.
    pub(super) fn forget(&mut self, database: &str) {
        self.0.remove(database);
    }

    /// Databases on which all or some rules are paused.
    pub(super) fn paused(&self) -> impl Iterator<Item = &str> {
        self.those(|it| it.is_paused)
    }

    /// Databases on which another daemon leads.
    pub(super) fn following(&self) -> impl Iterator<Item = &str> {
        self.those(|it| it.follows.is_some())
    }

    fn those(&self, are: impl Fn(&Standing) -> bool) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, it)| are(it)).map(|(name, _)| name.as_str())
    }

    fn news(&mut self, report: &TickReport) -> Vec<(Change, Arc<str>)> {
        let before = self.0.entry(report.database().to_owned()).or_default();
        let mut news = Vec::new();
        match (&report.authority, &before.follows) {
            (Some(Authority::Follows(why)), said) if said.as_ref() != Some(why) => {
                news.push((Change::Follows, Arc::clone(why)));
                before.follows = Some(Arc::clone(why));
            }
            (Some(Authority::Leads), Some(_)) => {
                news.push((Change::Leads, "the lock was free".into()));
                before.follows = None;
            }
            // Nobody asked, or nothing changed.
            _ => {}
        }
        let holds: Vec<Arc<str>> = report.holds.iter().map(|hold| Arc::clone(&hold.why)).collect();
        let without = |these: &[Arc<str>], those: &[Arc<str>]| -> Vec<Arc<str>> {
            these.iter().filter(|it| !those.contains(it)).cloned().collect()
        };
        news.extend(without(&holds, &before.holds).into_iter().map(|why| (Change::Held, why)));
        let over = without(&before.holds, &holds);
        news.extend(over.into_iter().map(|why| (Change::Free, why)));
        before.holds = holds;
        // What has a condition is a silence.
        before.is_paused = report.holds.iter().any(|hold| hold.condition.is_none());
        news
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, StandingNews};
    use crate::engine::report::{TickId, TickReport};
    use crate::engine::seen::Seen;
    use crate::engine::standing::{Authority, Hold};
    use crate::observe::fixture::{NOON, plan_of, snapshot};
    use crate::observe::log::redact::{Personal, Redaction, WITHHELD};

    fn report(authority: Option<Authority>, holds: &[&str]) -> TickReport {
        let plan = plan_of(&[], &snapshot(&[(7, "APP")]));
        let hold = |why: &&str| Hold { condition: None, rule: None, why: (*why).into() };
        TickReport {
            authority,
            holds: holds.iter().map(hold).collect(),
            ..TickReport::of(TickId { run: NOON, number: 1 }, plan, Seen::default())
        }
    }

    #[test]
    fn what_holds_rules_back_is_said_when_it_begins_and_when_it_is_over() {
        let mut news = StandingNews::default();
        let mut said = |authority, holds: &[&str]| {
            let news = news.news(&report(authority, holds));
            news.iter().map(|(news, why)| format!("{news:?}: {why}")).collect::<Vec<_>>()
        };
        let follows = || Some(Authority::Follows("another daemon leads".into()));
        assert_eq!(said(Some(Authority::Leads), &[]), [""; 0]);
        let told = "Follows: another daemon leads";
        assert_eq!(said(follows(), &["pause 1"]), [told, "Held: pause 1"]);
        assert_eq!(said(follows(), &["pause 1"]), [""; 0]);
        assert_eq!(said(None, &["pause 2"]), ["Held: pause 2", "Free: pause 1"]);
        let told = "Leads: the lock was free";
        assert_eq!(said(Some(Authority::Leads), &[]), [told, "Free: pause 2"]);
        assert_eq!(said(follows(), &["pause 3"]).len(), 2);
        assert_eq!(news.paused().chain(news.following()).collect::<Vec<_>>(), ["prod", "prod"]);
        news.forget("prod");
        assert_eq!(news.paused().chain(news.following()).count(), 0);
    }

    #[test]
    fn who_holds_rules_back_is_withheld_with_other_persons() {
        let some: Redaction = [Personal::Osuser].into_iter().collect();
        for (change, shown) in
            [(Change::Held, WITHHELD), (Change::Free, WITHHELD), (Change::Leads, "by ana")]
        {
            assert_eq!(change.detail("by ana", some), shown);
            assert_eq!(change.detail("by ana", Redaction::default()), "by ana");
        }
    }
}
