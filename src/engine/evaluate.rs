//! Step *evaluate*: due rules and a snapshot in, who matches out.
//!
//! Conditions are decided for whole columns at a time: a text test once per distinct value, a number test in a loop
//! over one array, AND and OR on 64 sessions at once. Equal tests in different rules are decided once.

use rustc_hash::{FxHashMap, FxHashSet};

use super::bits::{Bits, Truths};
use super::condition::{Comparison, Condition, Field, Leaf, Operator, Pattern, Test, Truth};
use super::facts::{Facts, Value, is_text};
use super::policy::{Exemption, PolicySet, Rule};
use super::session::{Number, Snapshot};
use super::text::{Symbol, fold};

/// Lists of exact texts longer than this are looked up in a hash set.
const EXACT_LIST_HASHED_FROM: usize = 8;

/// Why a rule was not evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asleep {
    /// Outside `only_during`, or inside `never_during`.
    Window,
    /// It has windows, and nothing says when the snapshot was taken.
    NoTime,
    /// Confined to other databases.
    Database,
}

/// What one due rule found.
#[derive(Debug)]
pub enum RuleEvaluation {
    /// It slept.
    Asleep(Asleep),
    /// It looked at every session.
    Awake {
        /// Sessions of which `match` is true.
        matched: Bits,
        /// Whether `unless` spares them: the OR of its entries that are still valid.
        unless: Truths,
    },
}

/// Matches of all due rules on one snapshot.
#[derive(Debug)]
pub struct Evaluation<'a> {
    /// The snapshot and what is derived from it.
    pub facts: Facts<'a>,
    /// The policies that were evaluated.
    pub policies: &'a PolicySet,
    /// By due rule, in file order: its number in the policy set, and what it found.
    pub rules: Vec<(usize, RuleEvaluation)>,
    /// By entry of `protect`, while it is valid: whom it protects.
    pub protections: Vec<Option<Truths>>,
}

/// Evaluates the rules of `policies` whose numbers are in `due`, which must ascend.
pub fn evaluate<'a>(
    policies: &'a PolicySet,
    due: &[usize],
    snapshot: &'a Snapshot,
) -> Evaluation<'a> {
    let facts = Facts::new(snapshot);
    let mut columns = Columns::new(&facts);
    let rules =
        due.iter().map(|&at| (at, evaluate_rule(&policies.rules[at], snapshot, &mut columns)));
    let rules = rules.collect();
    let protect = |exemption: &'a Exemption| {
        is_valid(exemption, snapshot).then(|| columns.truths(&exemption.condition))
    };
    let protections = policies.protections.iter().map(protect).collect();
    Evaluation { facts, policies, rules, protections }
}

/// True until the exemption's `until`, and where the time is not certain.
pub fn is_valid(exemption: &Exemption, snapshot: &Snapshot) -> bool {
    let now = snapshot.certain_time();
    exemption.until.is_none_or(|until| now.is_none_or(|now| now < until))
}

fn evaluate_rule<'a>(
    rule: &'a Rule,
    snapshot: &Snapshot,
    columns: &mut Columns<'a, '_>,
) -> RuleEvaluation {
    if let Some(asleep) = asleep(rule, snapshot) {
        return RuleEvaluation::Asleep(asleep);
    }
    let matched = columns.truths(&rule.condition).yes;
    let mut unless = Truths::constant(Truth::False, snapshot.sessions.len());
    let valid = |exemption: &&Exemption| is_valid(exemption, snapshot);
    for exemption in rule.unless.iter().filter(valid) {
        unless.or(&columns.truths(&exemption.condition));
    }
    RuleEvaluation::Awake { matched, unless }
}

/// Why the rule sleeps at the snapshot's time on the snapshot's database, if it does.
pub fn asleep(rule: &Rule, snapshot: &Snapshot) -> Option<Asleep> {
    let database = fold(&snapshot.database);
    let matches = |pattern: &Pattern| pattern.matches(&snapshot.database, &database);
    if !rule.databases.is_empty() && !rule.databases.iter().any(matches) {
        return Some(Asleep::Database);
    }
    let has_windows = !rule.only_during.is_empty() || !rule.never_during.is_empty();
    let Some(now) = snapshot.certain_time() else { return has_windows.then_some(Asleep::NoTime) };
    let inside = |window: &super::window::Window| window.contains(now, rule.timezone);
    let wrong_time = !rule.only_during.is_empty() && !rule.only_during.iter().any(inside);
    (wrong_time || rule.never_during.iter().any(inside)).then_some(Asleep::Window)
}

/// Whole columns of field values, and the truths of the tests decided so far.
struct Columns<'c, 'f> {
    facts: &'f Facts<'f>,
    texts: FxHashMap<Field, TextValues<'f>>,
    numbers: FxHashMap<Field, NumberValues>,
    decided: FxHashMap<&'c Leaf, Truths>,
}

impl<'c, 'f> Columns<'c, 'f> {
    fn new(facts: &'f Facts<'f>) -> Self {
        Self {
            facts,
            texts: FxHashMap::default(),
            numbers: FxHashMap::default(),
            decided: FxHashMap::default(),
        }
    }

    fn len(&self) -> usize {
        self.facts.snapshot().sessions.len()
    }

    fn truths(&mut self, condition: &'c Condition) -> Truths {
        match condition {
            Condition::AnySession => Truths::constant(Truth::True, self.len()),
            Condition::Not(inner) => self.truths(inner).negated(),
            Condition::Leaf(leaf) => self.leaf(leaf).clone(),
            Condition::All(parts) => {
                let mut all = Truths::constant(Truth::True, self.len());
                for part in parts {
                    self.combine(&mut all, part, Truths::and);
                    if all.maybe.is_empty() {
                        break;
                    }
                }
                all
            }
            Condition::Any(parts) => {
                let mut any = Truths::constant(Truth::False, self.len());
                for part in parts {
                    self.combine(&mut any, part, Truths::or);
                }
                any
            }
        }
    }

    /// Leaves are used where they lie; only compound parts make truths of their own.
    fn combine(&mut self, into: &mut Truths, part: &'c Condition, with: fn(&mut Truths, &Truths)) {
        match part {
            Condition::Leaf(leaf) => with(into, self.leaf(leaf)),
            compound => with(into, &self.truths(compound)),
        }
    }

    fn leaf(&mut self, leaf: &'c Leaf) -> &Truths {
        if !self.decided.contains_key(leaf) {
            let truths = self.decide(leaf);
            self.decided.insert(leaf, truths);
        }
        &self.decided[leaf]
    }

    fn decide(&mut self, leaf: &Leaf) -> Truths {
        let facts = self.facts;
        if let Test::IsNull(wanted) = leaf.test {
            return decide_null(facts, leaf.field, wanted);
        }
        match &leaf.test {
            Test::InQuery(_) => decide_query(facts, leaf),
            Test::Text(patterns) if is_text(leaf.field) => {
                let values = self.texts.entry(leaf.field);
                values.or_insert_with(|| TextValues::of(facts, leaf.field)).decide(patterns)
            }
            test => {
                let values = self.numbers.entry(leaf.field);
                values.or_insert_with(|| NumberValues::of(facts, leaf.field)).decide(test)
            }
        }
    }
}

fn decide_query(facts: &Facts<'_>, leaf: &Leaf) -> Truths {
    let len = facts.snapshot().sessions.len();
    let (mut yes, mut unknown) = (Bits::none(len), Bits::none(len));
    for row in 0..len {
        match facts.asked(leaf, row) {
            Value::Flag(true) => yes.insert(row),
            Value::Flag(false) => {}
            _ => unknown.insert(row),
        }
    }
    Truths::new(yes, &unknown)
}

fn decide_null(facts: &Facts<'_>, field: Field, wanted: bool) -> Truths {
    let len = facts.snapshot().sessions.len();
    let (mut yes, mut unknown) = (Bits::none(len), Bits::none(len));
    for row in 0..len {
        match facts.value(field, row) {
            Value::Absent(_) => unknown.insert(row),
            value if matches!(value, Value::Null(_)) == wanted => yes.insert(row),
            _ => {}
        }
    }
    Truths::new(yes, &unknown)
}

/// A field of text over all rows: the distinct values, and the rows that have each.
struct TextValues<'f> {
    /// Distinct values: as shown, and folded.
    distinct: Vec<(std::borrow::Cow<'f, str>, String)>,
    /// `rows[starts[n]..starts[n + 1]]` have the n-th distinct value.
    starts: Vec<u32>,
    rows: Vec<u32>,
    missing: Bits,
}

impl<'f> TextValues<'f> {
    fn of(facts: &Facts<'f>, field: Field) -> Self {
        let sessions = &facts.snapshot().sessions;
        let mut numbers = vec![u32::MAX; sessions.texts().table_len()];
        let (mut symbols, mut counts): (Vec<Symbol>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut missing = Bits::none(sessions.len());
        let mut value_of_row = vec![u32::MAX; sessions.len()];
        let plain = facts.plain_text(field);
        for (row, value) in value_of_row.iter_mut().enumerate() {
            let symbol = match (plain, plain.is_none().then(|| facts.value(field, row))) {
                (Some(cells), _) => cells[row],
                (None, Some(Value::Text(symbol))) => symbol,
                (None, _) => Symbol::NULL,
            };
            if symbol.is_null() {
                missing.insert(row);
                continue;
            }
            let number = &mut numbers[symbol.index()];
            if *number == u32::MAX {
                *number = index_u32(symbols.len());
                symbols.push(symbol);
                counts.push(0);
            }
            *value = *number;
            counts[*number as usize] += 1;
        }
        let (starts, rows) = postings(&value_of_row, &counts);
        let shown = |symbol: &Symbol| {
            let text = facts.text(field, *symbol);
            let folded = fold(&text).into_owned();
            (text, folded)
        };
        Self { distinct: symbols.iter().map(shown).collect(), starts, rows, missing }
    }

    fn decide(&self, patterns: &[Pattern]) -> Truths {
        let mut yes = Bits::none(self.missing_len());
        let exact = ExactSet::of(patterns);
        for (number, (text, folded)) in self.distinct.iter().enumerate() {
            if exact.contains(folded) || exact.others.iter().any(|p| p.matches(text, folded)) {
                let range = self.starts[number] as usize..self.starts[number + 1] as usize;
                self.rows[range].iter().for_each(|row| yes.insert(*row as usize));
            }
        }
        Truths::new(yes, &self.missing)
    }

    fn missing_len(&self) -> usize {
        self.missing.complement().count() + self.missing.count()
    }
}

/// A counting sort of rows by their value.
fn postings(value_of_row: &[u32], counts: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut starts = Vec::with_capacity(counts.len() + 1);
    let mut total = 0;
    for count in counts {
        starts.push(total);
        total += count;
    }
    starts.push(total);
    let mut next = starts.clone();
    let mut rows = vec![0; total as usize];
    for (row, value) in value_of_row.iter().enumerate().filter(|(_, value)| **value != u32::MAX) {
        let at = &mut next[*value as usize];
        rows[*at as usize] = index_u32(row);
        *at += 1;
    }
    (starts, rows)
}

fn index_u32(index: usize) -> u32 {
    u32::try_from(index).expect("a snapshot has fewer than 2^32 sessions")
}

/// The exact texts of a list, hashed when there are many, and the other patterns.
struct ExactSet<'p> {
    few: Vec<&'p str>,
    many: FxHashSet<&'p str>,
    others: Vec<&'p Pattern>,
}

impl<'p> ExactSet<'p> {
    fn of(patterns: &'p [Pattern]) -> Self {
        let exact = |pattern: &'p Pattern| match pattern {
            Pattern::Exact(text) => Some(text.as_str()),
            _ => None,
        };
        let mut few: Vec<&str> = patterns.iter().filter_map(exact).collect();
        let many = if few.len() > EXACT_LIST_HASHED_FROM {
            few.drain(..).collect()
        } else {
            FxHashSet::default()
        };
        let others = patterns.iter().filter(|pattern| exact(pattern).is_none()).collect();
        Self { few, many, others }
    }

    fn contains(&self, folded: &str) -> bool {
        self.few.contains(&folded) || (!self.many.is_empty() && self.many.contains(folded))
    }
}

/// A field of numbers or flags over all rows; a missing value is [`Number::NULL`].
struct NumberValues {
    cells: Vec<i64>,
    missing: Bits,
}

const MISSING: i64 = Number::NULL.raw();

impl NumberValues {
    fn of(facts: &Facts<'_>, field: Field) -> Self {
        let cell = |row| match facts.value(field, row) {
            Value::Number(number) => number,
            Value::Flag(flag) => i64::from(flag),
            _ => MISSING,
        };
        let cells: Vec<i64> = (0..facts.snapshot().sessions.len()).map(cell).collect();
        let missing = Bits::where_holds(&cells, |cell| cell == MISSING);
        Self { cells, missing }
    }

    fn decide(&self, test: &Test) -> Truths {
        let yes = match test {
            Test::Compare(comparisons) => self.compare(comparisons),
            Test::OneOf(numbers) => self.one_of(numbers),
            Test::Flag(wanted) => self.holds(|cell| cell == i64::from(*wanted)),
            // Tests of another kind than the field: nothing is known.
            Test::Text(_) | Test::IsNull(_) | Test::InQuery(_) => {
                return Truths::constant(Truth::Unknown, self.cells.len());
            }
        };
        Truths::new(yes, &self.missing)
    }

    fn compare(&self, comparisons: &[Comparison]) -> Bits {
        let mut all = self.missing.complement();
        for Comparison { operator, value } in comparisons.iter().copied() {
            // One loop per operator, so that each can be vectorised.
            all.intersect(&match operator {
                Operator::Less => Bits::where_holds(&self.cells, |cell| cell < value),
                Operator::LessOrEqual => Bits::where_holds(&self.cells, |cell| cell <= value),
                Operator::Equal => Bits::where_holds(&self.cells, |cell| cell == value),
                Operator::NotEqual => Bits::where_holds(&self.cells, |cell| cell != value),
                Operator::GreaterOrEqual => Bits::where_holds(&self.cells, |cell| cell >= value),
                Operator::Greater => Bits::where_holds(&self.cells, |cell| cell > value),
            });
        }
        all
    }

    fn one_of(&self, numbers: &[i64]) -> Bits {
        if let [number] = numbers {
            return self.holds(|cell| cell == *number);
        }
        let numbers: FxHashSet<i64> = numbers.iter().copied().collect();
        self.holds(|cell| numbers.contains(&cell))
    }

    fn holds(&self, test: impl Fn(i64) -> bool) -> Bits {
        Bits::where_holds(&self.cells, |cell| cell != MISSING && test(cell))
    }
}
