//! Interned text: every distinct string of a snapshot is stored once and named by a [`Symbol`].
//!
//! A few dozen programs stand in thousands of rows. With symbols a text predicate is decided once per distinct
//! value, and a column of text costs four bytes a session. Folding (all text comparison ignores case) is done here
//! too, so that there is one meaning of "the same text" in the product.

use std::borrow::Cow;
use std::error::Error;
use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

/// One distinct text of a snapshot; [`Symbol::NULL`] is SQL's NULL (and Oracle's empty string).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Symbol(u32);

impl Symbol {
    /// No value.
    pub const NULL: Self = Self(0);

    /// True for [`Symbol::NULL`].
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// Position for tables indexed by symbol; NULL is 0, texts count from 1.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The inverse of [`Symbol::index`].
    ///
    /// # Panics
    /// When the index does not fit 32 bits, which [`Texts::intern`] never hands out.
    pub fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("symbol tables are indexed by 32-bit symbols"))
    }
}

/// The arena of distinct texts.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    arena: String,
    /// End offset of each text in the arena, in the order of their symbols.
    ends: Vec<usize>,
    index: HashTable<Symbol>,
}

impl Texts {
    /// The symbol of `text`, new or known. The empty string is NULL, as it is in Oracle.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if text.is_empty() {
            return Symbol::NULL;
        }
        let hash = FxBuildHasher.hash_one(text);
        let Self { arena, ends, index } = self;
        let known = |symbol: &Symbol| slice(arena, ends, *symbol) == text;
        if let Some(symbol) = index.find(hash, known) {
            return *symbol;
        }
        arena.push_str(text);
        ends.push(arena.len());
        let symbol = Symbol::from_index(ends.len());
        let Self { arena, ends, index } = self;
        index.insert_unique(hash, symbol, |symbol| {
            FxBuildHasher.hash_one(slice(arena, ends, *symbol))
        });
        symbol
    }

    /// The symbol of `text` if it occurs.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        let hash = FxBuildHasher.hash_one(text);
        self.index.find(hash, |symbol| slice(&self.arena, &self.ends, *symbol) == text).copied()
    }

    /// The text of a symbol; `None` for NULL.
    pub fn get(&self, symbol: Symbol) -> Option<&str> {
        (!symbol.is_null()).then(|| slice(&self.arena, &self.ends, symbol))
    }

    /// How many symbols there are, NULL included: the size of a table indexed by [`Symbol::index`].
    pub fn table_len(&self) -> usize {
        self.ends.len() + 1
    }

    /// Bytes of distinct text held.
    pub fn bytes(&self) -> usize {
        self.arena.len()
    }
}

fn slice<'a>(arena: &'a str, ends: &[usize], symbol: Symbol) -> &'a str {
    let at = symbol.index() - 1;
    let start = if at == 0 { 0 } else { ends[at - 1] };
    &arena[start..ends[at]]
}

/// The form in which texts are compared: lower case, borrowed where nothing changes.
pub fn fold(text: &str) -> Cow<'_, str> {
    let unchanged = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if unchanged { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

/// A count with its noun: `1 victim`, `2 victims`. For nouns whose plural is an `s`.
pub fn counted(count: impl Into<u64>, noun: &str) -> String {
    let count = count.into();
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Lines of printable characters, for people: a client can put anything into its program name, also what turns the
/// text after it around.
pub fn printable(text: &str) -> String {
    text.chars().map(|it| if it == '\n' { it } else { shown(it) }).collect()
}

/// A character as it may stand on a terminal: what moves the cursor, ends a line or turns the direction of what follows
/// would make a row look like another one.
pub fn shown(character: char) -> char {
    let turns = matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if turns || character.is_control() { char::REPLACEMENT_CHARACTER } else { character }
}

/// An error and what caused it, from the outside in: `prod.csv: the capture cannot be opened: No such file`. No error
/// here repeats its cause itself.
pub fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_one_symbol_and_empty_is_null() {
        let mut texts = Texts::default();
        let app = texts.intern("APP");
        let web = texts.intern("WEB");
        assert_eq!(texts.intern("APP"), app);
        assert_ne!(app, web);
        assert_eq!(texts.intern(""), Symbol::NULL);
        assert_eq!(texts.get(web), Some("WEB"));
        assert_eq!(texts.get(Symbol::NULL), None);
        assert_eq!(texts.find("WEB"), Some(web));
        assert_eq!(texts.find("web"), None);
    }

    #[test]
    fn nothing_printable_moves_the_cursor_or_turns_what_follows() {
        let hostile = "a\u{1b}[2J\u{9b}b\u{202e}c\u{2066}d\u{200f}e\u{2028}f\r\tg";
        assert_eq!(printable(hostile).replace('\u{fffd}', "?"), "a?[2J?b?c?d?e?f??g");
        let harmless = "Jürgen\n李\u{1f468}\u{200d}\u{1f4bb} שלום";
        assert_eq!(printable(harmless), harmless);
    }

    #[test]
    fn folding_ignores_case_beyond_ascii() {
        assert_eq!(fold("Jürgen"), fold("JÜRGEN"));
        assert_eq!(fold("app"), "app");
    }
}
