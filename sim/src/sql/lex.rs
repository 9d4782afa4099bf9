//! Text to tokens. A place is counted in characters from 0, as [`OraError::position`] wants it.

use crate::ora::OraError;

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) at: usize,
    pub(crate) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// Upper-case.
    Word(String),
    /// Between double quotes.
    Quoted(String),
    Text(String),
    Number(String),
    /// Upper-case, without the colon.
    Bind(String),
    Symbol(&'static str),
    End,
}

/// Longest first.
const SYMBOLS: [&str; 29] = [
    "<=", ">=", "<>", "!=", "^=", "||", ":=", "=>", "**", "..", "<<", ">>", "(", ")", ",", ";",
    ".", "+", "-", "*", "/", "=", "<", ">", "@", "%", "[", "]", "|",
];

/// The tokens of a text, the last one of kind `End`.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, OraError> {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks()?;
        let at = lexer.at;
        let kind = lexer.next_kind()?;
        let done = kind == Kind::End;
        tokens.push(Token { kind, at, end: lexer.at });
        if done {
            return Ok(tokens);
        }
    }
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn skip_blanks(&mut self) -> Result<(), OraError> {
        while let Some(character) = self.peek(0) {
            let next = self.peek(1);
            if character.is_whitespace() || character == '\0' {
                self.at += 1;
            } else if character == '-' && next == Some('-') {
                while self.peek(0).is_some_and(|character| character != '\n') {
                    self.at += 1;
                }
            } else if character == '/' && next == Some('*') {
                let start = self.at;
                self.at += 2;
                while !(self.peek(0) == Some('*') && self.peek(1) == Some('/')) {
                    if self.peek(0).is_none() {
                        let text = "comment not terminated properly";
                        return Err(OraError::new(1742, text).at(start));
                    }
                    self.at += 1;
                }
                self.at += 2;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn next_kind(&mut self) -> Result<Kind, OraError> {
        let Some(first) = self.peek(0) else { return Ok(Kind::End) };
        let second = self.peek(1);
        match first {
            '\'' => self.text(),
            'n' | 'N' if second == Some('\'') => {
                self.at += 1;
                self.text()
            }
            'q' | 'Q' if second == Some('\'') => {
                self.at += 1;
                self.alternative_text()
            }
            'n' | 'N' if matches!(second, Some('q' | 'Q')) && self.peek(2) == Some('\'') => {
                self.at += 2;
                self.alternative_text()
            }
            '"' => Ok(Kind::Quoted(self.quoted()?)),
            ':' if second.is_some_and(|next| next == '"' || is_word(next)) => self.bind(),
            _ if first.is_ascii_digit()
                || (first == '.' && second.is_some_and(|next| next.is_ascii_digit())) =>
            {
                Ok(Kind::Number(self.number()))
            }
            _ if first.is_alphabetic() => Ok(Kind::Word(self.word().to_uppercase())),
            _ => self.symbol(),
        }
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek(0).is_some_and(is_word) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn bind(&mut self) -> Result<Kind, OraError> {
        self.at += 1;
        if self.peek(0) == Some('"') {
            return Ok(Kind::Bind(self.quoted()?));
        }
        Ok(Kind::Bind(self.word().to_uppercase()))
    }

    fn quoted(&mut self) -> Result<String, OraError> {
        let start = self.at;
        self.at += 1;
        let mut name = String::new();
        loop {
            match self.peek(0) {
                Some('"') => break,
                Some(character) => name.push(character),
                None => {
                    return Err(OraError::new(1740, "missing double quote in identifier").at(start));
                }
            }
            self.at += 1;
        }
        self.at += 1;
        if name.is_empty() {
            return Err(OraError::new(1741, "illegal zero-length identifier").at(start));
        }
        Ok(name)
    }

    fn text(&mut self) -> Result<Kind, OraError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('\''), Some('\'')) => {
                    text.push('\'');
                    self.at += 2;
                }
                (Some('\''), _) => {
                    self.at += 1;
                    return Ok(Kind::Text(text));
                }
                (Some(character), _) => {
                    text.push(character);
                    self.at += 1;
                }
                (None, _) => return Err(unterminated(start)),
            }
        }
    }

    /// `q'[…]'`, behind the q.
    fn alternative_text(&mut self) -> Result<Kind, OraError> {
        let start = self.at;
        self.at += 1;
        let open = self.peek(0).ok_or_else(|| unterminated(start))?;
        let close = match open {
            '[' => ']',
            '(' => ')',
            '{' => '}',
            '<' => '>',
            other => other,
        };
        self.at += 1;
        let mut text = String::new();
        while let Some(character) = self.peek(0) {
            if character == close && self.peek(1) == Some('\'') {
                self.at += 2;
                return Ok(Kind::Text(text));
            }
            text.push(character);
            self.at += 1;
        }
        Err(unterminated(start))
    }

    /// Stops before `..`, so that `1..9` is a range.
    fn number(&mut self) -> String {
        let start = self.at;
        self.digits();
        if self.peek(0) == Some('.') && self.peek(1) != Some('.') {
            self.at += 1;
            self.digits();
        }
        if matches!(self.peek(0), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.peek(1), Some('+' | '-')));
            if self.peek(1 + sign).is_some_and(|next| next.is_ascii_digit()) {
                self.at += 1 + sign;
                self.digits();
            }
        }
        // 1.5d is a BINARY_DOUBLE, and 1.5f a BINARY_FLOAT.
        let ends = !self.peek(1).is_some_and(is_word);
        if matches!(self.peek(0), Some('d' | 'D' | 'f' | 'F')) && ends {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn digits(&mut self) {
        while self.peek(0).is_some_and(|character| character.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn symbol(&mut self) -> Result<Kind, OraError> {
        for symbol in SYMBOLS {
            if symbol
                .chars()
                .enumerate()
                .all(|(ahead, character)| self.peek(ahead) == Some(character))
            {
                self.at += symbol.len();
                return Ok(Kind::Symbol(symbol));
            }
        }
        Err(OraError::new(911, "invalid character").at(self.at))
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$' | '#')
}

fn unterminated(at: usize) -> OraError {
    OraError::new(1756, "quoted string not properly terminated").at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oracle_words_binds_and_texts() {
        let kinds: Vec<Kind> =
            tokens("s.serial# = :1 /*+ hint */ q'[it's]' 1..9 x:=.5 -- end\n v$s :\"aB\"")
                .expect("tokens")
                .into_iter()
                .map(|token| token.kind)
                .collect();
        let word = |text: &str| Kind::Word(text.into());
        let number = |text: &str| Kind::Number(text.into());
        let expected = vec![
            word("S"),
            Kind::Symbol("."),
            word("SERIAL#"),
            Kind::Symbol("="),
            Kind::Bind("1".into()),
            Kind::Text("it's".into()),
            number("1"),
            Kind::Symbol(".."),
            number("9"),
            word("X"),
            Kind::Symbol(":="),
            number(".5"),
            word("V$S"),
            Kind::Bind("aB".into()),
            Kind::End,
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn errors_have_their_number_and_place() {
        for (text, code, position) in [
            ("a 'x", 1756, 2),
            ("a \"x", 1740, 2),
            ("a ? b", 911, 2),
            ("\"\"", 1741, 0),
            ("a /* b", 1742, 2),
        ] {
            let error = tokens(text).expect_err(text);
            assert_eq!((error.code, error.position), (code, Some(position)), "{text}");
        }
    }
}
