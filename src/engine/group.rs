//! Groups of sessions: what `victims.group_by` says. Keys compare numbers by value and text without case; NULL is last.

use rustc_hash::{FxHashMap, FxHashSet};

use super::condition::Field;
use super::facts::{Facts, Value};
use super::policy::GroupKey;
use super::session::{Snapshot, TextColumn};
use super::text::fold;

/// At most this many items in a `group_by`.
pub const GROUP_KEYS_MAX: usize = 4;

/// One part of a key, in sorting order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyPart {
    /// Numbers, times, durations and flags.
    Number(i64),
    /// Folded text.
    Text(String),
    /// No value, or none that is known.
    Null,
}

impl KeyPart {
    /// The part that `field` gives for the session in `row`.
    pub fn of(facts: &Facts<'_>, field: Field, row: usize) -> Self {
        Self::from_value(facts, field, facts.value(field, row))
    }

    fn from_value(facts: &Facts<'_>, field: Field, value: Value) -> Self {
        match value {
            Value::Number(number) => Self::Number(number),
            Value::Flag(flag) => Self::Number(i64::from(flag)),
            Value::Text(symbol) => Self::Text(fold(&facts.text(field, symbol)).into_owned()),
            Value::Null(_) | Value::Absent(_) => Self::Null,
        }
    }
}

/// Puts rows into groups. Each part of a key is named by a small number, so that a key costs one hash of 16 bytes, and
/// each row is looked at once, however many rules group by the same keys.
pub struct Grouper<'g> {
    facts: &'g Facts<'g>,
    items: Vec<Item<'g>>,
    groups: FxHashMap<u128, u32>,
    /// By group: the numbers of its parts.
    keys: Vec<u128>,
    /// By row: its group, or [`NO_GROUP_YET`].
    group_of_row: Vec<u32>,
    /// By group: its place in the order of keys; made anew when there are more groups.
    ranks: Vec<u32>,
    /// By group: live sessions in the snapshot; counted when first asked for.
    live: Option<Vec<usize>>,
}

const NO_GROUP_YET: u32 = u32::MAX;

struct Item<'g> {
    key: &'g GroupKey,
    /// By symbol (for texts): the number of the part, or [`NO_GROUP_YET`].
    of_symbol: Vec<u32>,
    of_value: FxHashMap<ItemValue, u32>,
    of_part: FxHashMap<KeyPart, u32>,
    parts: Vec<KeyPart>,
}

/// A field's value, other than text, before it becomes a part of a key.
#[derive(PartialEq, Eq, Hash)]
enum ItemValue {
    Number(i64),
    Null,
}

impl<'g> Grouper<'g> {
    /// Groups by `keys`; no keys make one group.
    pub fn new(facts: &'g Facts<'g>, keys: &'g [GroupKey]) -> Self {
        assert!(keys.len() <= GROUP_KEYS_MAX, "the compiler bounds group_by");
        let sessions = &facts.snapshot().sessions;
        let item = |key| Item {
            key,
            of_symbol: vec![NO_GROUP_YET; sessions.texts().table_len()],
            of_value: FxHashMap::default(),
            of_part: FxHashMap::default(),
            parts: Vec::new(),
        };
        Self {
            facts,
            items: keys.iter().map(item).collect(),
            groups: FxHashMap::default(),
            keys: Vec::new(),
            group_of_row: vec![NO_GROUP_YET; sessions.len()],
            ranks: Vec::new(),
            live: None,
        }
    }

    /// The group of a row, new or known.
    pub fn group_of(&mut self, row: usize) -> u32 {
        if self.items.is_empty() && !self.keys.is_empty() {
            return 0;
        }
        if self.group_of_row[row] == NO_GROUP_YET {
            let facts = self.facts;
            let parts = self.items.iter_mut();
            let key = parts.fold(0, |key, item| key << 32 | u128::from(item.number(facts, row)));
            let next = u32::try_from(self.keys.len()).expect("no more groups than sessions");
            self.group_of_row[row] = *self.groups.entry(key).or_insert_with(|| {
                self.keys.push(key);
                next
            });
        }
        self.group_of_row[row]
    }

    /// By group: its place in the order of keys, among the groups seen so far.
    pub fn ranks(&mut self) -> Vec<u32> {
        if self.ranks.len() != self.keys.len() {
            let mut order: Vec<usize> = (0..self.keys.len()).collect();
            order.sort_by_cached_key(|group| self.parts_of(self.keys[*group]));
            self.ranks = vec![0; order.len()];
            for (rank, group) in order.into_iter().enumerate() {
                self.ranks[group] = u32::try_from(rank).expect("no more groups than sessions");
            }
        }
        self.ranks.clone()
    }

    /// Live sessions (those not KILLED) of the whole snapshot in that group, matched or not, without the rows that are
    /// on their way out.
    pub fn live_members(
        &mut self,
        group: u32,
        snapshot: &Snapshot,
        leaving: &FxHashSet<usize>,
    ) -> usize {
        if self.live.is_none() {
            let groups: Vec<u32> =
                (0..snapshot.sessions.len()).map(|row| self.group_of(row)).collect();
            let mut live = vec![0; self.keys.len()];
            for (session, group) in snapshot.sessions.iter().zip(groups) {
                let stays = !session.is(TextColumn::Status, "KILLED");
                live[group as usize] += usize::from(stays && !leaving.contains(&session.row()));
            }
            self.live = Some(live);
        }
        self.live.as_ref().map_or(0, |live| live[group as usize])
    }

    fn parts_of(&self, key: u128) -> Vec<KeyPart> {
        let last = self.items.len().saturating_sub(1);
        let part = |(at, item): (usize, &Item<'_>)| {
            let number = (key >> (32 * (last - at))) & u128::from(u32::MAX);
            item.parts[usize::try_from(number).expect("32 bits fit")].clone()
        };
        self.items.iter().enumerate().map(part).collect()
    }
}

impl Item<'_> {
    fn number(&mut self, facts: &Facts<'_>, row: usize) -> u32 {
        let field = match self.key {
            GroupKey::Field(field) | GroupKey::Capture { of: field, .. } => *field,
        };
        let value = facts.value(field, row);
        let known = match value {
            Value::Text(symbol) => {
                if self.of_symbol[symbol.index()] == NO_GROUP_YET {
                    let part = self.part(facts, value);
                    self.of_symbol[symbol.index()] = self.number_of(part);
                }
                return self.of_symbol[symbol.index()];
            }
            Value::Number(number) => ItemValue::Number(number),
            Value::Flag(flag) => ItemValue::Number(i64::from(flag)),
            Value::Null(_) | Value::Absent(_) => ItemValue::Null,
        };
        if let Some(number) = self.of_value.get(&known) {
            return *number;
        }
        let part = self.part(facts, value);
        let number = self.number_of(part);
        self.of_value.insert(known, number);
        number
    }

    fn part(&self, facts: &Facts<'_>, value: Value) -> KeyPart {
        match (self.key, value) {
            (GroupKey::Capture { regex, of }, Value::Text(symbol)) => {
                let text = facts.text(*of, symbol);
                let captured = regex.captures(&text).and_then(|found| found.get(1));
                captured.map_or(KeyPart::Null, |it| KeyPart::Text(fold(it.as_str()).into_owned()))
            }
            (GroupKey::Capture { .. }, _) => KeyPart::Null,
            (GroupKey::Field(field), value) => KeyPart::from_value(facts, *field, value),
        }
    }

    fn number_of(&mut self, part: KeyPart) -> u32 {
        let next = u32::try_from(self.parts.len()).expect("no more values than sessions");
        *self.of_part.entry(part.clone()).or_insert_with(|| {
            self.parts.push(part);
            next
        })
    }
}
