//! The killer of a dry run, and the one place where it is settled which killer an end goes to. It ends nobody; it
//! answers what a real one would have found.

use crate::engine::guard::End;
use crate::engine::policy::Mode;
use crate::engine::report::{Acting, Outcome};
use crate::engine::session::Snapshot;
use crate::engine::standing::Authority;
use crate::ports::SessionKiller;

/// Ends under way at once, whatever a killer says: more would be a denial of service against the database.
pub const WIDTH_MAX: usize = 64;

/// Compares the witness with the newest snapshot, and leaves it at that.
#[derive(Debug, Clone, Copy, Default)]
pub struct DryRunKiller;

impl SessionKiller for DryRunKiller {
    fn end(&self, end: &End, seen: &Snapshot) -> Outcome {
        let now = seen.sessions.iter().find(|session| session.key() == end.life.key);
        match now {
            None => Outcome::AlreadyGone,
            Some(session) if end.witness.still_holds(session) => Outcome::Simulated,
            Some(_) => Outcome::Changed,
        }
    }
}

/// The killers of one database, chosen when it is set up and not while it works.
pub struct Killers {
    enforce: Option<Box<dyn SessionKiller>>,
    dry_run: DryRunKiller,
}

impl Killers {
    /// `killer` for enforcing rules, unless nothing is to be ended; a database without one only ever rehearses.
    pub fn new(killer: Option<Box<dyn SessionKiller>>, acting: Acting) -> Self {
        let enforce = killer.filter(|_| acting == Acting::AsRulesSay);
        Self { enforce, dry_run: DryRunKiller }
    }

    /// Whether anybody can be ended.
    pub fn acting(&self) -> Acting {
        if self.enforce.is_some() { Acting::AsRulesSay } else { Acting::DryRun }
    }

    /// The killer for a rule of this mode at a tick that is acted on so.
    pub fn of(&self, mode: Mode, acting: Acting) -> &dyn SessionKiller {
        match &self.enforce {
            Some(killer) if !acting.is_dry_run(mode) => killer.as_ref(),
            _ => &self.dry_run,
        }
    }

    /// Whether this daemon may end sessions there now.
    pub fn authority(&self) -> Authority {
        self.enforce.as_ref().map_or_else(Authority::default, |killer| killer.authority())
    }

    /// Lets another daemon lead there, if this one does.
    pub fn release(&self) {
        if let Some(killer) = &self.enforce {
            killer.release();
        }
    }

    /// How many ends may be under way at once: from 1 to [`WIDTH_MAX`].
    pub fn width(&self) -> usize {
        self.enforce.as_ref().map_or(1, |killer| killer.width()).clamp(1, WIDTH_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::DryRunKiller;
    use crate::engine::report::Outcome;
    use crate::engine::session::{Number, NumberColumn, TextColumn};
    use crate::observe::fixture::{RuleSketch, plan_of, snapshot};
    use crate::ports::SessionKiller as _;

    #[test]
    fn a_rehearsal_compares_with_what_is_seen_now() {
        let judged = snapshot(&[(7, "APP")]);
        let plan = plan_of(&[RuleSketch::default().build()], &judged);
        let mut busy = judged.clone();
        busy.sessions.set_text(0, TextColumn::Status, "ACTIVE");
        let mut called_since = judged.clone();
        called_since.sessions.set_number(0, NumberColumn::LastCallEt, Number::from(2));
        let gone = snapshot(&[]);
        for (seen, outcome) in [
            (judged, Outcome::Simulated),
            (busy, Outcome::Changed),
            (called_since, Outcome::Changed),
            (gone, Outcome::AlreadyGone),
        ] {
            assert_eq!(DryRunKiller.end(&plan.ends()[0], &seen), outcome);
        }
    }
}
