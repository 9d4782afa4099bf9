//! SQL text without what does not change its meaning to a policy: comments (hints too) and runs of white space.

/// Removes `/* … */` and `-- …` outside literals and quoted names, folds white space to one blank and trims.
/// Literals stay as they are. An unfinished comment ends with the text.
pub fn normalize(sql: &str) -> String {
    let mut normal = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => quoted_length(rest, first),
            '-' if rest.starts_with("--") => {
                push_blank(&mut normal);
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            '/' if rest.starts_with("/*") => {
                push_blank(&mut normal);
                rest = &rest[rest[2..].find("*/").map_or(rest.len(), |end| end + 4)..];
                continue;
            }
            white if white.is_whitespace() => {
                push_blank(&mut normal);
                rest = &rest[white.len_utf8()..];
                continue;
            }
            plain => plain.len_utf8(),
        };
        normal.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    normal.truncate(normal.trim_end().len());
    normal
}

/// Bytes up to and including the closing quote; all that is left if there is none.
fn quoted_length(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

fn push_blank(normal: &mut String) {
    if !normal.is_empty() && !normal.ends_with(' ') {
        normal.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_white_space_go_and_literals_stay() {
        for (sql, normal) in [
            (
                "select /*+ full(t) */ *\n  from t -- all\n where a = 'x  /* y */'",
                "select * from t where a = 'x  /* y */'",
            ),
            ("  select 1 ", "select 1"),
            ("select \"a--b\" from t /* unfinished", "select \"a--b\" from t"),
            ("select 'it''s'  from dual", "select 'it''s' from dual"),
            ("a/**/b", "a b"),
            ("select 'open", "select 'open"),
            ("", ""),
        ] {
            assert_eq!(normalize(sql), normal);
        }
    }
}
