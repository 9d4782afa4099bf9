//! Sets of rows as bits, and three-valued truth over whole snapshots.

use super::condition::Truth;

const WORD: usize = 64;

/// A set of rows of one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// No row of `len`.
    pub fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(WORD)], len }
    }

    /// Every row of `len`.
    pub fn all(len: usize) -> Self {
        let mut bits = Self { words: vec![u64::MAX; len.div_ceil(WORD)], len };
        bits.clear_tail();
        bits
    }

    /// The rows for which `holds` is true; written so that the compiler can compare many rows at once.
    pub fn where_holds<T: Copy>(cells: &[T], holds: impl Fn(T) -> bool) -> Self {
        let words = cells.chunks(WORD).map(|chunk| {
            let bit = |word, (at, cell): (usize, &T)| word | (u64::from(holds(*cell)) << at);
            chunk.iter().enumerate().fold(0, bit)
        });
        Self { words: words.collect(), len: cells.len() }
    }

    /// Adds a row.
    pub fn insert(&mut self, row: usize) {
        assert!(row < self.len, "row {row} of {}", self.len);
        self.words[row / WORD] |= 1 << (row % WORD);
    }

    /// Whether a row is in.
    pub fn contains(&self, row: usize) -> bool {
        self.words[row / WORD] >> (row % WORD) & 1 == 1
    }

    /// How many rows are in.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// True when none is.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The rows in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(at * WORD + bit)
            })
        })
    }

    /// Keeps what is in both.
    pub fn intersect(&mut self, other: &Self) {
        self.zip(other, |mine, theirs| mine & theirs);
    }

    /// Adds what is in the other.
    pub fn union(&mut self, other: &Self) {
        self.zip(other, |mine, theirs| mine | theirs);
    }

    /// Takes out what is in the other.
    pub fn subtract(&mut self, other: &Self) {
        self.zip(other, |mine, theirs| mine & !theirs);
    }

    /// The rows that are not in.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut bits = Self { words: self.words.iter().map(|word| !word).collect(), len: self.len };
        bits.clear_tail();
        bits
    }

    fn zip(&mut self, other: &Self, combine: impl Fn(u64, u64) -> u64) {
        assert_eq!(self.len, other.len, "sets of rows of different snapshots");
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine = combine(*mine, *theirs);
        }
    }

    fn clear_tail(&mut self) {
        let used = self.len % WORD;
        if let (Some(last), true) = (self.words.last_mut(), used > 0) {
            *last &= (1 << used) - 1;
        }
    }
}

/// A truth value for every row, as two sets: where it is true, and where it may be (true or unknown).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truths {
    /// Rows where it is known to hold.
    pub yes: Bits,
    /// Rows where it is not known not to hold. Always a superset of `yes`.
    pub maybe: Bits,
}

impl Truths {
    /// The same truth for `len` rows.
    pub fn constant(truth: Truth, len: usize) -> Self {
        let set = |fact| if fact { Bits::all(len) } else { Bits::none(len) };
        Self { yes: set(truth == Truth::True), maybe: set(truth != Truth::False) }
    }

    /// True in `yes`, unknown in `unknown`, false elsewhere.
    pub fn new(yes: Bits, unknown: &Bits) -> Self {
        let mut maybe = yes.clone();
        maybe.union(unknown);
        Self { yes, maybe }
    }

    /// The truth of one row.
    pub fn get(&self, row: usize) -> Truth {
        match (self.yes.contains(row), self.maybe.contains(row)) {
            (true, _) => Truth::True,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::False,
        }
    }

    /// Kleene's AND.
    pub fn and(&mut self, other: &Self) {
        self.yes.intersect(&other.yes);
        self.maybe.intersect(&other.maybe);
    }

    /// Kleene's OR.
    pub fn or(&mut self, other: &Self) {
        self.yes.union(&other.yes);
        self.maybe.union(&other.maybe);
    }

    /// Kleene's NOT.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self { yes: self.maybe.complement(), maybe: self.yes.complement() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_rows_keep_to_their_length() {
        let mut bits = Bits::none(70);
        bits.insert(0);
        bits.insert(69);
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 69]);
        assert_eq!(bits.complement().count(), 68);
        assert_eq!(Bits::all(70).count(), 70);
        assert_eq!(Bits::where_holds(&[1, 5, 9], |n| n > 4).iter().collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn truths_follow_kleene() {
        use Truth::{False, True, Unknown};
        for left in [False, Unknown, True] {
            for right in [False, Unknown, True] {
                let (a, b) = (Truths::constant(left, 3), Truths::constant(right, 3));
                let mut and = a.clone();
                and.and(&b);
                assert_eq!(and.get(1), left.min(right));
                let mut or = a.clone();
                or.or(&b);
                assert_eq!(or.get(2), left.max(right));
            }
            assert_eq!(Truths::constant(left, 3).negated().get(0), left.negated());
        }
    }
}
