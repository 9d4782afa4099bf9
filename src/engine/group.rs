//! Groups of sessions: what `victims.group_by` says. Keys compare numbers by value and text without case; NULL is last.

use rustc_hash::FxHashMap;

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
        match facts.value(field, row) {
            Value::Number(number) => Self::Number(number),
            Value::Flag(flag) => Self::Number(i64::from(flag)),
            Value::Text(symbol) => Self::Text(fold(&facts.text(field, symbol)).into_owned()),
            Value::Null(_) | Value::Absent(_) => Self::Null,
        }
    }
}

/// Puts rows into groups. Each part of a key is named by a small number, so that a key costs one hash of 16 bytes.
pub struct Grouper<'g> {
    facts: &'g Facts<'g>,
    items: Vec<Item<'g>>,
    groups: FxHashMap<u128, u32>,
    /// By group: the numbers of its parts.
    keys: Vec<u128>,
    /// By group: live sessions in the snapshot; counted when first asked for.
    live: Option<Vec<usize>>,
}

struct Item<'g> {
    key: &'g GroupKey,
    of_value: FxHashMap<ItemValue, u32>,
    of_part: FxHashMap<KeyPart, u32>,
    parts: Vec<KeyPart>,
}

/// A field's value before it is folded or captured: what is looked up first.
#[derive(PartialEq, Eq, Hash)]
enum ItemValue {
    Text(usize),
    Number(i64),
    Null,
}

impl<'g> Grouper<'g> {
    /// Groups by `keys`; no keys make one group.
    pub fn new(facts: &'g Facts<'g>, keys: &'g [GroupKey]) -> Self {
        assert!(keys.len() <= GROUP_KEYS_MAX, "the compiler bounds group_by");
        let item = |key| Item {
            key,
            of_value: FxHashMap::default(),
            of_part: FxHashMap::default(),
            parts: Vec::new(),
        };
        let items = keys.iter().map(item).collect();
        Self { facts, items, groups: FxHashMap::default(), keys: Vec::new(), live: None }
    }

    /// The group of a row, new or known.
    pub fn group_of(&mut self, row: usize) -> u32 {
        let key = self.key_of(row);
        let next = u32::try_from(self.keys.len()).expect("no more groups than sessions");
        *self.groups.entry(key).or_insert_with(|| {
            self.keys.push(key);
            next
        })
    }

    /// By group: its place in the order of keys.
    pub fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.keys.len()).collect();
        order.sort_by_cached_key(|group| self.parts_of(self.keys[*group]));
        let mut ranks = vec![0; order.len()];
        for (rank, group) in order.into_iter().enumerate() {
            ranks[group] = u32::try_from(rank).expect("no more groups than sessions");
        }
        ranks
    }

    /// Live sessions (those not KILLED) of the whole snapshot in that group, matched or not.
    pub fn live_members(&mut self, group: u32, snapshot: &Snapshot) -> usize {
        if self.live.is_none() {
            let mut live = vec![0; self.keys.len()];
            for session in snapshot.sessions.iter() {
                let key = self.key_of(session.row());
                let group = self.groups.get(&key).copied();
                if let Some(group) = group.filter(|_| !session.is(TextColumn::Status, "KILLED")) {
                    live[group as usize] += 1;
                }
            }
            self.live = Some(live);
        }
        self.live.as_ref().map_or(0, |live| live[group as usize])
    }

    fn key_of(&mut self, row: usize) -> u128 {
        let facts = self.facts;
        self.items.iter_mut().fold(0, |key, item| key << 32 | u128::from(item.number(facts, row)))
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
            Value::Text(symbol) => ItemValue::Text(symbol.index()),
            Value::Number(number) => ItemValue::Number(number),
            Value::Flag(flag) => ItemValue::Number(i64::from(flag)),
            Value::Null(_) | Value::Absent(_) => ItemValue::Null,
        };
        if let Some(number) = self.of_value.get(&known) {
            return *number;
        }
        let part = match (self.key, value) {
            (GroupKey::Capture { regex, of }, Value::Text(symbol)) => {
                let text = facts.text(*of, symbol);
                let captured = regex.captures(&text).and_then(|found| found.get(1));
                captured.map_or(KeyPart::Null, |it| KeyPart::Text(fold(it.as_str()).into_owned()))
            }
            (GroupKey::Capture { .. }, _) => KeyPart::Null,
            (GroupKey::Field(field), _) => KeyPart::of(facts, *field, row),
        };
        let next = u32::try_from(self.parts.len()).expect("no more values than sessions");
        let number = *self.of_part.entry(part.clone()).or_insert_with(|| {
            self.parts.push(part);
            next
        });
        self.of_value.insert(known, number);
        number
    }
}
