//! What `systemctl status` says: in one line what the daemon does, and what keeps it from doing more.

use super::{Daemon, Phase};
use crate::engine::report::Acting;
use crate::engine::text::counted;

/// Databases named in the status; the log has them all.
const NAMES_TOLD_MAX: usize = 5;

impl Daemon {
    pub(super) fn status(&self) -> String {
        let (rules, databases) = (self.policies.rules.len() as u64, self.targets.len() as u64);
        let watched = format!("{} on {}", counted(rules, "rule"), counted(databases, "database"));
        let all_dry_run = self.acting() == Acting::DryRun;
        let doing = match self.phase {
            Phase::Loading => return "loading".to_owned(),
            Phase::Watching if all_dry_run => "watching, all dry run",
            Phase::Watching => "watching",
            Phase::Leaving(_) if self.ticks.is_empty() => "leaving",
            Phase::Finishing | Phase::Leaving(_) => "waiting for running ticks",
        };
        let enforcing = if all_dry_run { None } else { Some(self.enforcing()) };
        let news = &self.standing_news;
        let besides = [
            enforcing.map(|count| match count {
                0 => "none enforces".to_owned(),
                1 => "1 enforces".to_owned(),
                many => format!("{many} enforce"),
            }),
            named("paused", news.paused()),
            // Who would end nobody anyway does not ask who leads.
            named("another daemon leads", news.following()).filter(|_| enforcing > Some(0)),
            named("not reached", self.unseen.iter().map(String::as_str)),
            named("no audit, so nobody is ended", self.unaudited.iter().map(String::as_str)),
            self.last_load.map(str::to_owned),
        ];
        let parts =
            [format!("{doing}: {watched}")].into_iter().chain(besides.into_iter().flatten());
        parts.collect::<Vec<_>>().join("; ")
    }

    fn enforcing(&self) -> usize {
        self.policies.rules.iter().filter(|rule| rule.enforces()).count()
    }
}

/// Nothing where there are none.
fn named<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    let more = names.len().saturating_sub(NAMES_TOLD_MAX);
    let first = names.get(..NAMES_TOLD_MAX).unwrap_or(&names).join(", ");
    match (names.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(format!("{what}: {first}")),
        (false, more) => Some(format!("{what}: {first} and {more} more")),
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn some_are_named_and_the_rest_counted() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let said = |count: usize| named("not reached", names.into_iter().take(count));
        assert_eq!(said(0), None);
        assert_eq!(said(5).as_deref(), Some("not reached: a, b, c, d, e"));
        assert_eq!(said(7).as_deref(), Some("not reached: a, b, c, d, e and 2 more"));
    }
}
