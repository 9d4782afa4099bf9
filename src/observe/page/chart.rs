//! The last hour of a rule as a small drawing: how many sessions matched, and how many of them were ended.

use maud::{Markup, html};

use crate::engine::time::Timestamp;
use crate::observe::board::RuleCard;
use crate::observe::board::minutes::{MINUTES, Minute, Minutes};

/// Units of the drawing, one minute wide.
const HEIGHT: u32 = 20;

/// Adds up all databases; says the same in words for those who do not see it.
pub(super) fn of<'a>(
    rule: &RuleCard,
    databases: impl Iterator<Item = &'a Minutes>,
    now: Timestamp,
) -> Markup {
    let mut hour = [Minute::default(); MINUTES];
    for minutes in databases {
        for (sum, minute) in hour.iter_mut().zip(minutes.hour(now)) {
            sum.matched = sum.matched.saturating_add(minute.matched);
            sum.ended = sum.ended.saturating_add(minute.ended);
        }
    }
    let highest = hour.iter().map(|it| it.matched.max(it.ended)).max().unwrap_or(0);
    let ended: u64 = hour.iter().map(|it| u64::from(it.ended)).sum();
    let title = format!(
        "{}: at most {highest} matched in a minute, {ended} ended or would have been",
        rule.name
    );
    let height =
        |count: u32| (u64::from(count) * u64::from(HEIGHT)).div_ceil(u64::from(highest.max(1)));
    html! {
        svg.chart viewBox={ "0 0 " (MINUTES) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(title) {
            title { (title) }
            @for (at, minute) in hour.iter().enumerate() {
                @for (class, count) in [("matched", minute.matched), ("ended", minute.ended)] {
                    @if count > 0 {
                        @let y = u64::from(HEIGHT) - height(count);
                        rect class=(class) x=(at) y=(y) width="1" height=(height(count)) {}
                    }
                }
            }
        }
        span.soft { "most " (highest) ", ended " (ended) }
    }
}
