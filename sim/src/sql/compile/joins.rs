//! In which order the sources are joined, and where each condition is tested.

use crate::ora::OraError;
use crate::sql::ast::{Join, Select, Source};
use crate::sql::code::{Code, Step};

/// What a part of a condition reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Side {
    /// A bit per source.
    pub(super) sources: u64,
    /// Blocks around this one.
    pub(super) outside: bool,
}

impl Side {
    pub(super) fn with(self, other: Self) -> Self {
        Self { sources: self.sources | other.sources, outside: self.outside || other.outside }
    }
}

/// A condition that is joined to others by AND.
pub(super) struct Conjunct {
    pub(super) code: Code,
    pub(super) side: Side,
    /// For `a = b` of equal types: what each side reads.
    pub(super) sides: Option<(Side, Side)>,
    pub(super) at: usize,
}

pub(super) struct Conjuncts {
    /// Of each source's ON.
    pub(super) on: Vec<Vec<Conjunct>>,
    /// Of WHERE.
    pub(super) filter: Vec<Conjunct>,
}

/// The result.
pub(super) struct Joined {
    pub(super) steps: Vec<Step>,
    /// Per source what is tested while it is read.
    pub(super) filters: Vec<Vec<Code>>,
    /// What is tested at the end.
    pub(super) rest: Vec<Code>,
}

pub(super) fn plan(
    select: &Select,
    mut conjuncts: Conjuncts,
    connected: bool,
) -> Result<Joined, OraError> {
    let count = select.from.len();
    let mut joins: Vec<Join> = select.from.iter().map(|from| from.join).collect();
    let ansi = joins.iter().any(|join| *join != Join::Comma);
    let needs = old_outer_joins(&mut conjuncts, &mut joins, ansi)?;
    let lateral = |place: usize| matches!(select.from[place].source, Source::Lateral(_));
    let laterals = (0..count).any(lateral);
    if laterals && needs.iter().any(|needs| *needs != 0) {
        return Err(OraError::new(3001, "unimplemented feature: (+) beside LATERAL"));
    }
    let order = if ansi || laterals {
        (0..count).collect()
    } else {
        order(&joins, &needs, &conjuncts.filter)?
    };
    // WHERE cannot be tested before a join that still adds rows of NULLs on the left.
    let late = joins.iter().any(|join| matches!(join, Join::Right | Join::Full));
    let mut joined = Joined {
        steps: Vec::new(),
        filters: (0..count).map(|_| Vec::new()).collect(),
        rest: Vec::new(),
    };
    let (mut filter, rest) = partition(conjuncts.filter, |conjunct| {
        !late && !special(&conjunct.code) && (!connected || conjunct.side.sources.count_ones() > 1)
    });
    let mut placed = 0_u64;
    for source in order {
        let here = 1 << source;
        let mut step = Step {
            source,
            join: joins[source],
            equal: Vec::new(),
            on: Vec::new(),
            after: Vec::new(),
        };
        let inner = matches!(step.join, Join::Comma | Join::Inner);
        for conjunct in std::mem::take(&mut conjuncts.on[source]) {
            if lateral(source) {
                step.on.push(conjunct.code);
                continue;
            }
            let pushed = matches!(step.join, Join::Inner | Join::Left);
            place(conjunct, here, placed, pushed, &mut step, &mut joined.filters[source]);
        }
        let (ready, waiting) =
            partition(filter, |conjunct| conjunct.side.sources & !(placed | here) == 0);
        filter = waiting;
        for conjunct in ready {
            if inner && !lateral(source) {
                place(conjunct, here, placed, true, &mut step, &mut joined.filters[source]);
            } else {
                step.after.push(conjunct.code);
            }
        }
        placed |= here;
        joined.steps.push(step);
    }
    joined.rest = filter.into_iter().chain(rest).map(|conjunct| conjunct.code).collect();
    Ok(joined)
}

/// Where a condition of a join is tested: while the source is read, by looking up, or pair by pair.
fn place(
    conjunct: Conjunct,
    here: u64,
    placed: u64,
    pushed: bool,
    step: &mut Step,
    filter: &mut Vec<Code>,
) {
    let Conjunct { code, side, sides, .. } = conjunct;
    if pushed && side.sources == here && !side.outside && !special(&code) && !code.asks() {
        filter.push(code);
        return;
    }
    let known = |side: Side| side.sources & !placed == 0 && (side.sources != 0 || side.outside);
    let own = |side: Side| side.sources == here && !side.outside;
    match (code, sides) {
        (Code::Compare { left, right, .. }, Some((a, b))) if known(a) && own(b) => {
            step.equal.push((*left, *right));
        }
        (Code::Compare { left, right, .. }, Some((a, b))) if own(a) && known(b) => {
            step.equal.push((*right, *left));
        }
        (code, _) => step.on.push(code),
    }
}

/// ROWNUM and the columns of a hierarchy have no value before the end.
fn special(code: &Code) -> bool {
    code.any(&mut |part| {
        matches!(
            part,
            Code::RowNum
                | Code::Level
                | Code::IsLeaf
                | Code::IsCycle
                | Code::Prior(_)
                | Code::Root(_)
                | Code::Path(..)
        )
    })
}

fn partition(
    list: Vec<Conjunct>,
    wanted: impl Fn(&Conjunct) -> bool,
) -> (Vec<Conjunct>, Vec<Conjunct>) {
    list.into_iter().partition(wanted)
}

/// Moves the conditions with `(+)` from WHERE to the join of their source. The result tells per source what has to be
/// joined before it.
fn old_outer_joins(
    conjuncts: &mut Conjuncts,
    joins: &mut [Join],
    ansi: bool,
) -> Result<Vec<u64>, OraError> {
    let mut needs = vec![0; joins.len()];
    for conjunct in std::mem::take(&mut conjuncts.filter) {
        let marked = marked(&conjunct.code);
        if marked == 0 {
            conjuncts.filter.push(conjunct);
            continue;
        }
        if ansi {
            let text = "old style outer join (+) cannot be used with ANSI joins";
            return Err(OraError::new(25156, text).at(conjunct.at));
        }
        if marked.count_ones() > 1 {
            let text = "a predicate may reference only one outer-joined table";
            return Err(OraError::new(1468, text).at(conjunct.at));
        }
        let source = marked.trailing_zeros() as usize;
        joins[source] = Join::Left;
        needs[source] |= conjunct.side.sources & !marked;
        conjuncts.on[source].push(conjunct);
    }
    Ok(needs)
}

/// Sources that are connected to what is joined already come first, and no outer-joined one before what it needs.
fn order(joins: &[Join], needs: &[u64], filter: &[Conjunct]) -> Result<Vec<usize>, OraError> {
    let mut order: Vec<usize> = Vec::new();
    let mut placed = 0_u64;
    while order.len() < joins.len() {
        let free = |source: &usize| placed & (1 << source) == 0 && needs[*source] & !placed == 0;
        let outer_first = |source: &usize| joins[*source] != Join::Left || placed != 0;
        let connected = |source: &usize| {
            let here = 1_u64 << source;
            joins[*source] == Join::Left
                || filter.iter().any(|conjunct| {
                    conjunct.side.sources & here != 0
                        && conjunct.side.sources & placed != 0
                        && conjunct.side.sources & !(placed | here) == 0
                })
        };
        let candidates = || (0..joins.len()).filter(free).filter(outer_first);
        let next = candidates().find(connected).or_else(|| candidates().next());
        let next = next.or_else(|| (0..joins.len()).find(free));
        let next = next.ok_or_else(|| {
            OraError::new(1416, "two tables cannot be outer-joined to each other")
        })?;
        order.push(next);
        placed |= 1 << next;
    }
    Ok(order)
}

/// The sources whose columns have a `(+)` in a condition, a bit for each.
pub(super) fn marked(code: &Code) -> u64 {
    let mut marked = 0;
    code.walk(&mut |part| {
        if let Code::Column(column) = part
            && column.outer
            && column.depth == 0
        {
            marked |= 1 << column.source;
        }
    });
    marked
}
