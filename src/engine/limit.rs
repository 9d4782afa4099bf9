//! How many: the limits of a rule, or of a database over all its rules, held against the sessions that were chosen.

use rustc_hash::FxHashSet;

use super::policy::{Limits, OnExceed};
use super::session::SessionLife;
use super::text::counted;

/// What came of too many.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exceeded {
    /// The limit that allows the fewest, for people.
    pub(super) limit: String,
    /// By chosen session: whether it fits all the same. With `halt` nobody does.
    pub(super) fits: Vec<bool>,
}

/// Holds the limits against `chosen`, which is in the plan's order; `None` when all fit. `population` is what `percent`
/// is of, `ended` who was ended in the hour before.
///
/// `per_hour` counts lives of sessions: one that was ended within the hour and matches again counts once.
pub(super) fn exceeded(
    limits: &Limits,
    population: u64,
    ended: FxHashSet<SessionLife>,
    chosen: &[SessionLife],
) -> Option<Exceeded> {
    let limit = tightest(limits, population, &ended, chosen)?;
    let fits = match limits.on_exceed {
        OnExceed::Halt => vec![false; chosen.len()],
        OnExceed::Truncate => first_ones(limits, population, ended, chosen),
    };
    Some(Exceeded { limit, fits })
}

fn tightest(
    limits: &Limits,
    population: u64,
    ended: &FxHashSet<SessionLife>,
    chosen: &[SessionLife],
) -> Option<String> {
    let per_tick = limits.per_tick.map(|limit| (limit, format!("per_tick allows {limit}")));
    let percent = limits.percent_thousandths.map(|limit| {
        let allowed = percent_of(limit, population);
        let percent = limit as f64 / 1_000.0;
        let of_all = counted(population, "live session");
        (allowed, format!("percent allows {allowed} ({percent}% of {of_all})"))
    });
    let per_hour = limits.per_hour.map(|limit| {
        let used = ended.len() as u64;
        let again = chosen.iter().filter(|life| ended.contains(life)).count() as u64;
        let more = limit.saturating_sub(used);
        // Over the limit already, as after a reload that lowered it: nobody fits.
        let allowed = if used > limit { 0 } else { more + again };
        (allowed, format!("per_hour allows {more} more ({used} of {limit} used)"))
    });
    let victims = chosen.len() as u64;
    let all = [per_tick, percent, per_hour].into_iter().flatten();
    let exceeded = all.filter(|(allowed, _)| victims > *allowed);
    exceeded.min_by_key(|(allowed, _)| *allowed).map(|(_, text)| text)
}

fn first_ones(
    limits: &Limits,
    population: u64,
    mut in_hour: FxHashSet<SessionLife>,
    chosen: &[SessionLife],
) -> Vec<bool> {
    let percent = limits.percent_thousandths.map(|limit| percent_of(limit, population));
    let at_once = [limits.per_tick, percent].into_iter().flatten().min().unwrap_or(u64::MAX);
    let per_hour = limits.per_hour.unwrap_or(u64::MAX);
    let mut taken = 0;
    let fits = |life: &SessionLife| {
        let now_in_hour = in_hour.len() + usize::from(!in_hour.contains(life));
        let fits = taken < at_once && now_in_hour as u64 <= per_hour;
        if fits {
            taken += 1;
            in_hour.insert(*life);
        }
        fits
    };
    chosen.iter().map(fits).collect()
}

/// The largest count that is not more than so many thousandths of a percent of the population.
fn percent_of(percent_thousandths: u64, population: u64) -> u64 {
    let share = u128::from(percent_thousandths) * u128::from(population) / 100_000;
    u64::try_from(share).unwrap_or(u64::MAX)
}
