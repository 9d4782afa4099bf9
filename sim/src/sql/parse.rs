//! Tokens to a syntax tree, by recursive descent. This file has the tools; the files below it have the grammar.

pub(crate) mod alter;
pub(crate) mod block;
mod collection;
pub(crate) mod data;
pub(crate) mod expression;
mod group;
pub(crate) mod literal;
mod merge;
pub(crate) mod select;

use std::collections::BTreeMap;

use super::ast::BindUse;
use super::lex::{self, Kind, Token};
use crate::conversation::Release;
use crate::ora::OraError;

/// Deeper nesting than this is an error rather than a deep stack.
const DEPTH_MAX: usize = 100;

/// So many levels is a query or a statement of a block: one within another takes 25 kilobytes of stack where nothing is
/// optimised.
const LEVELS_OF_A_STATEMENT: usize = 4;

/// The most arithmetic operators and `||` of one expression, and queries of one UNION. Each makes a tree deeper that is
/// walked by recursion, on a stack of two megabytes at least; a thousand of them overflowed it.
const LINKS_MAX: usize = 500;

/// Words that cannot be the name of a column or a table, as V$RESERVED_WORDS has them, with those that end a clause.
const RESERVED: [&str; 58] = [
    "ALL",
    "ALTER",
    "AND",
    "ANY",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CHECK",
    "CONNECT",
    "CREATE",
    "DELETE",
    "DESC",
    "DISTINCT",
    "DROP",
    "ELSE",
    "EXISTS",
    "FOR",
    "FROM",
    "GRANT",
    "GROUP",
    "HAVING",
    "IN",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "LIKE",
    "LOCK",
    "MINUS",
    "NOT",
    "NOWAIT",
    "NULL",
    "OF",
    "ON",
    "OPTION",
    "OR",
    "ORDER",
    "PRIOR",
    "PUBLIC",
    "REVOKE",
    "SELECT",
    "SET",
    "SHARE",
    "START",
    "TABLE",
    "THEN",
    "TO",
    "TRIGGER",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "VALUES",
    "VIEW",
    "WHERE",
    "WITH",
    "CASE",
    "WHEN",
];

pub(crate) struct Parser {
    tokens: Vec<Token>,
    at: usize,
    chars: Vec<char>,
    pub(crate) release: Release,
    pub(crate) binds: Vec<String>,
    pub(crate) bind_uses: Vec<BindUse>,
    /// The names before %TYPE.
    likes: Vec<Vec<String>>,
    /// In a block a bind's name is one place however often it occurs.
    pub(crate) plsql: bool,
    /// Types that the block declares.
    own_types: BTreeMap<String, collection::OwnType>,
    depth: usize,
    /// Operators of the outermost expression so far, and how many expressions are open.
    links: usize,
    open_expressions: usize,
}

impl Parser {
    pub(crate) fn new(text: &str, release: Release) -> Result<Self, OraError> {
        Ok(Self {
            tokens: lex::tokens(text)?,
            at: 0,
            chars: text.chars().collect(),
            release,
            binds: Vec::new(),
            bind_uses: Vec::new(),
            likes: Vec::new(),
            plsql: false,
            own_types: BTreeMap::new(),
            depth: 0,
            links: 0,
            open_expressions: 0,
        })
    }

    pub(crate) fn kind(&self) -> &Kind {
        self.ahead(0)
    }

    pub(crate) fn ahead(&self, count: usize) -> &Kind {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.at + count).min(last)].kind
    }

    /// Where the next token stands.
    pub(crate) fn place(&self) -> usize {
        self.tokens[self.at].at
    }

    pub(crate) fn bump(&mut self) -> Kind {
        let kind = self.tokens[self.at].kind.clone();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        kind
    }

    pub(crate) fn at_end(&self) -> bool {
        *self.kind() == Kind::End
    }

    pub(crate) fn is(&self, word: &str) -> bool {
        self.is_ahead(0, word)
    }

    pub(crate) fn is_ahead(&self, count: usize, word: &str) -> bool {
        matches!(self.ahead(count), Kind::Word(found) if found == word)
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        self.is_symbol_ahead(0, symbol)
    }

    pub(crate) fn is_symbol_ahead(&self, count: usize, symbol: &str) -> bool {
        matches!(self.ahead(count), Kind::Symbol(found) if *found == symbol)
    }

    pub(crate) fn is_any(&self, words: &[&str]) -> bool {
        matches!(self.kind(), Kind::Word(found) if words.contains(&found.as_str()))
    }

    pub(crate) fn accept(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.bump();
        }
        found
    }

    /// All of these words, or none.
    pub(crate) fn accept_all(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(count, word)| self.is_ahead(count, word));
        if found {
            for _ in words {
                self.bump();
            }
        }
        found
    }

    /// One of these words.
    pub(crate) fn accept_any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let found = words.iter().copied().find(|word| self.is(word))?;
        self.bump();
        Some(found)
    }

    pub(crate) fn accept_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.bump();
        }
        found
    }

    /// An error at the next token.
    pub(crate) fn error(&self, code: u32, text: &str) -> OraError {
        OraError::new(code, text).at(self.place())
    }

    pub(crate) fn close(&mut self) -> Result<(), OraError> {
        self.need_symbol(")", 907, "missing right parenthesis")
    }

    pub(crate) fn open(&mut self) -> Result<(), OraError> {
        self.need_symbol("(", 906, "missing left parenthesis")
    }

    pub(crate) fn need_symbol(
        &mut self,
        symbol: &str,
        code: u32,
        text: &str,
    ) -> Result<(), OraError> {
        if self.accept_symbol(symbol) { Ok(()) } else { Err(self.unexpected(code, text, symbol)) }
    }

    pub(crate) fn need(&mut self, word: &str, code: u32, text: &str) -> Result<(), OraError> {
        if self.accept(word) { Ok(()) } else { Err(self.unexpected(code, text, word)) }
    }

    /// What SQL says, or in a block PLS-00103.
    pub(crate) fn unexpected(&self, code: u32, text: &str, expected: &str) -> OraError {
        if code == 6550 { self.encountered(expected) } else { self.error(code, text) }
    }

    /// PLS-00103.
    pub(crate) fn encountered(&self, expected: &str) -> OraError {
        let found: String = match self.kind() {
            Kind::End => "end-of-file".into(),
            _ => self.source(self.at, self.at + 1),
        };
        let text = format!(
            "PLS-00103: Encountered the symbol \"{}\" when expecting one of the following:\n\n   {expected}",
            found.to_uppercase()
        );
        self.error(6550, &text)
    }

    /// The text from one token up to, and without, another.
    fn source(&self, from: usize, to: usize) -> String {
        let end = self.tokens[to.max(1) - 1].end;
        self.chars[self.tokens[from].at..end.max(self.tokens[from].at)].iter().collect()
    }

    /// A mark for [`Parser::title_since`].
    pub(crate) fn mark(&self) -> usize {
        self.at
    }

    /// How Oracle names a column that is an expression: without blanks and in upper-case, even inside literals.
    pub(crate) fn title_since(&self, mark: usize) -> String {
        let mut title = String::new();
        for token in &self.tokens[mark..self.at] {
            let text: String = self.chars[token.at..token.end].iter().collect();
            match token.kind {
                Kind::Quoted(_) => title.push_str(&text),
                _ => title.extend(text.to_uppercase().split_whitespace()),
            }
        }
        title
    }

    /// The words up to the end (in a block, of the statement), one blank between them.
    pub(crate) fn rest(&mut self) -> String {
        let mut words = Vec::new();
        while !self.at_end() && (!self.plsql || !self.is_symbol(";")) {
            let text = self.source(self.at, self.at + 1);
            let quoted = matches!(self.bump(), Kind::Text(_) | Kind::Quoted(_));
            words.push(if quoted { text } else { text.to_uppercase() });
        }
        words.join(" ")
    }

    /// A name that the user chose.
    pub(crate) fn name(&mut self, code: u32, text: &str) -> Result<String, OraError> {
        match self.kind() {
            Kind::Word(word) if !RESERVED.contains(&word.as_str()) => {}
            Kind::Quoted(_) => {}
            _ => return Err(self.unexpected(code, text, "<an identifier>")),
        }
        match self.bump() {
            Kind::Word(word) | Kind::Quoted(word) => Ok(word),
            _ => unreachable!("it was a word a moment ago"),
        }
    }

    pub(crate) fn is_name(&self) -> bool {
        match self.kind() {
            Kind::Word(word) => !RESERVED.contains(&word.as_str()),
            Kind::Quoted(_) => true,
            _ => false,
        }
    }

    /// `a.b.c`.
    pub(crate) fn dotted(&mut self, code: u32, text: &str) -> Result<Vec<String>, OraError> {
        let mut parts = vec![self.name(code, text)?];
        while self.is_symbol(".") {
            self.bump();
            // The method of a collection is no name elsewhere.
            parts.push(if self.plsql && self.accept("DELETE") {
                "DELETE".to_owned()
            } else {
                self.name(code, text)?
            });
        }
        Ok(parts)
    }

    /// The place of a bind, which is the next token.
    pub(crate) fn bind(&mut self, read: bool) -> Option<usize> {
        let Kind::Bind(name) = self.kind().clone() else { return None };
        self.bump();
        let known =
            if self.plsql { self.binds.iter().position(|other| *other == name) } else { None };
        let place = known.unwrap_or_else(|| {
            self.binds.push(name);
            self.bind_uses.push(BindUse::default());
            self.binds.len() - 1
        });
        let uses = &mut self.bind_uses[place];
        uses.reads += u32::from(read);
        uses.written |= !read;
        Some(place)
    }

    /// A whole number that is written out.
    pub(crate) fn whole(&mut self, code: u32, text: &str) -> Result<u32, OraError> {
        if let Kind::Number(digits) = self.kind()
            && let Ok(number) = digits.parse()
        {
            self.bump();
            return Ok(number);
        }
        Err(self.unexpected(code, text, "<a number>"))
    }

    /// Runs `inner` one level deeper.
    pub(crate) fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, OraError>,
    ) -> Result<T, OraError> {
        self.deeper(1, inner)
    }

    /// Runs `inner` as a query within others, or a statement of a block.
    pub(crate) fn nested_statement<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, OraError>,
    ) -> Result<T, OraError> {
        self.deeper(LEVELS_OF_A_STATEMENT, inner)
    }

    fn deeper<T>(
        &mut self,
        levels: usize,
        inner: impl FnOnce(&mut Self) -> Result<T, OraError>,
    ) -> Result<T, OraError> {
        if self.depth + levels > DEPTH_MAX {
            return Err(self.error(36, "maximum number of recursive SQL levels exceeded"));
        }
        self.depth += levels;
        let result = inner(self);
        self.depth -= levels;
        result
    }

    /// Runs `inner` as an expression, or a part of the one that is open.
    pub(crate) fn within_expression<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, OraError>,
    ) -> Result<T, OraError> {
        if self.open_expressions == 0 {
            self.links = 0;
        }
        self.open_expressions += 1;
        let result = self.nested(inner);
        self.open_expressions -= 1;
        result
    }

    /// One operator more.
    pub(crate) fn link(&mut self) -> Result<(), OraError> {
        self.links += 1;
        if self.links > LINKS_MAX {
            return Err(self.error(36, "maximum number of recursive SQL levels exceeded"));
        }
        Ok(())
    }

    /// Nothing may follow.
    pub(crate) fn finish(&self, code: u32, text: &str) -> Result<(), OraError> {
        if self.at_end() {
            return Ok(());
        }
        if self.is_symbol(";") && self.release < Release::R12_2 {
            return Err(self.error(911, "invalid character"));
        }
        Err(self.error(code, text))
    }

    /// The whole text.
    pub(crate) fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// Where each line begins.
    pub(crate) fn lines(&self) -> Vec<usize> {
        let breaks = self.chars.iter().enumerate().filter(|(_, character)| **character == '\n');
        std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
    }
}
