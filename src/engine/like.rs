//! SQL LIKE with `ESCAPE '\'`: `%` is any run of characters, `_` is one; `\%`, `\_` and `\\` are those characters
//! themselves. Case is ignored.

use super::text::fold;

/// A compiled LIKE pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Like {
    pattern: String,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Token {
    Plain(char),
    AnyOne,
    AnyRun,
}

impl Like {
    /// Compiles a pattern. The error says what is wrong with it: after a `\` stands `%`, `_` or `\`. Anything else is
    /// ORA-01424 to Oracle as well, and most likely a Windows name whose `\` was meant as it is.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            match character {
                '%' if tokens.last() == Some(&Token::AnyRun) => {}
                '%' => tokens.push(Token::AnyRun),
                '_' => tokens.push(Token::AnyOne),
                '\\' => match characters.next() {
                    Some(escaped @ ('%' | '_' | '\\')) => push_plain(&mut tokens, escaped),
                    Some(other) => {
                        return Err(format!("`\\` escapes `%`, `_` and `\\`, not `{other}`"));
                    }
                    None => return Err("a pattern cannot end in its escape character `\\`".into()),
                },
                plain => push_plain(&mut tokens, plain),
            }
        }
        Ok(Self { pattern: pattern.to_owned(), tokens })
    }

    /// The pattern as written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// True when it matches every text: nothing but `%`.
    pub fn matches_everything(&self) -> bool {
        self.tokens == [Token::AnyRun]
    }

    /// Whether the whole of `folded` (see [`fold`]) matches. Time is bounded by pattern times text.
    pub fn matches(&self, folded: &str) -> bool {
        let mut rest = folded.chars();
        let mut at = 0;
        // Where to go on after the last `%` when what follows it does not fit.
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            match self.tokens.get(at) {
                Some(Token::AnyRun) => {
                    at += 1;
                    retry = Some((at, rest.clone()));
                    continue;
                }
                Some(token) => {
                    let mut ahead = rest.clone();
                    let fits = match (token, ahead.next()) {
                        (Token::Plain(expected), Some(found)) => *expected == found,
                        (Token::AnyOne, found) => found.is_some(),
                        _ => false,
                    };
                    if fits {
                        rest = ahead;
                        at += 1;
                        continue;
                    }
                }
                None if rest.as_str().is_empty() => return true,
                None => {}
            }
            let Some((after_run, from)) = &mut retry else { return false };
            if from.next().is_none() {
                return false;
            }
            at = *after_run;
            rest = from.clone();
        }
    }
}

/// A plain character in its folded form, which may be several characters.
fn push_plain(tokens: &mut Vec<Token>, character: char) {
    let mut buffer = [0; 4];
    tokens.extend(fold(character.encode_utf8(&mut buffer)).chars().map(Token::Plain));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_oracle_matches_them() {
        for (pattern, text, expected) in [
            ("JDBC%", "jdbc thin client", true),
            ("JDBC%", "my jdbc", false),
            ("%thin%", "jdbc thin client", true),
            ("%client", "jdbc thin client", true),
            ("%client", "jdbc thin clients", false),
            ("LOAD\\_%", "load_1", true),
            ("LOAD\\_%", "loadx1", false),
            ("A_C", "abc", true),
            ("A_C", "ac", false),
            ("%", "x", true),
            ("a%b%c", "axxbyybzzc", true),
            ("a%b%c", "axxcyy", false),
            ("100\\%", "100%", true),
            ("ACME\\\\PC%", "acme\\pc17", true),
            ("%%a", "bca", true),
            ("_", "ü", true),
        ] {
            let like = Like::new(pattern).expect("pattern is valid");
            assert_eq!(like.matches(&fold(text)), expected, "{text} like {pattern}");
        }
    }

    #[test]
    fn what_cannot_be_escaped_is_an_error() {
        for pattern in ["abc\\", "ACME\\PC%", "\\\\\\a"] {
            assert!(Like::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn many_runs_stay_quick() {
        let like = Like::new(&"%a".repeat(50)).expect("pattern is valid");
        assert!(!like.matches(&"a".repeat(49)));
        assert!(!like.matches(&format!("{}b", "a".repeat(20_000))));
    }
}
