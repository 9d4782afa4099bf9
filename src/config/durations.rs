//! Amounts: lengths of time and numbers, alone (`60s`) or after an operator (`"> 30m"`, `["> 1h", "< 8h"]`).
//!
//! Numbers are decimal and exact: no floating point on the way from the file to the comparison.

use super::diagnostic::{Code, Sink};
use super::values::{scalar, wrong_type};
use super::yaml::{Node, ScalarKind, excerpt};
use crate::engine::condition::{Comparison, Operator};
use crate::engine::time::{Span, UNITS};

/// The pattern of lengths of time, for the schema.
pub(super) const SPAN_PATTERN: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$";

/// The longest length of time that makes sense, a thousand years: sums of two still fit.
const SPAN_DAYS_MAX: i64 = 365_000;

/// What the value after an operator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A length of time, stored in microseconds.
    Duration,
    /// A number, stored times its scale.
    Number(i64),
    /// A percentage, stored in thousandths of a percent.
    Percent,
}

impl Unit {
    /// An example, for help texts.
    const fn example(self) -> &'static str {
        match self {
            Self::Duration => "\"> 30m\"",
            Self::Number(_) => "\">= 3\"",
            Self::Percent => "\"> 75%\"",
        }
    }

    /// What is due, for messages.
    const fn due(self) -> &'static str {
        match self {
            Self::Duration => "an operator and a length of time",
            Self::Number(_) => "an operator and a number",
            Self::Percent => "an operator and a percentage",
        }
    }

    /// The regular expression of comparisons, for the schema.
    pub(super) const fn pattern(self) -> &'static str {
        match self {
            Self::Duration => r"^\s*(<=|>=|!=|<|>|=)\s*([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+\s*$",
            Self::Number(_) => r"^\s*(<=|>=|!=|<|>|=)\s*-?[0-9]+(\.[0-9]+)?\s*$",
            Self::Percent => r"^\s*(<=|>=|!=|<|>|=)\s*[0-9]+(\.[0-9]+)?%\s*$",
        }
    }
}

/// Comparisons that must all hold, with their text: `> 30m`, `[> 1h, < 8h]`.
pub(super) struct Comparisons {
    pub(super) all: Vec<Comparison>,
    pub(super) shown: String,
}

/// One comparison, or a list of two or more.
pub(super) fn comparisons(node: &Node, unit: Unit, sink: &mut Sink) -> Option<Comparisons> {
    let Some(items) = node.sequence() else {
        return comparison(node, unit, sink)
            .map(|(one, shown)| Comparisons { all: vec![one], shown });
    };
    if items.len() < 2 {
        let code = if items.is_empty() { Code::EmptyList } else { Code::WrongType };
        let help = format!("one comparison needs no list: {}", unit.example());
        sink.error(code, &node.span, "a list of comparisons holds two or more").help(help);
    }
    let read: Vec<_> = items.iter().map(|item| comparison(item, unit, sink)).collect();
    let (all, shown): (Vec<_>, Vec<_>) =
        read.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip();
    (!all.is_empty()).then(|| Comparisons { all, shown: format!("[{}]", shown.join(", ")) })
}

/// An operator and a value.
fn comparison(node: &Node, unit: Unit, sink: &mut Sink) -> Option<(Comparison, String)> {
    let written = scalar(node, unit.due(), sink)?;
    if let ScalarKind::Flag(_) = written.kind() {
        wrong_type(node, unit.due(), sink);
        return None;
    }
    let text = written.text.trim();
    let Some((spelling, operator)) = operator_of(text) else {
        report_bare(node, text, unit, sink);
        return None;
    };
    let amount = text[spelling.len()..].trim();
    let value = match unit {
        Unit::Duration => span_or_report(node, amount, sink)?.0,
        Unit::Number(scale) => number_or_report(node, amount, scale, sink)?,
        Unit::Percent => percent_or_report(node, amount, sink)?,
    };
    Some((Comparison { operator, value }, format!("{spelling} {amount}")))
}

/// The operator at the front of a text.
pub(super) fn operator_of(text: &str) -> Option<(&'static str, Operator)> {
    Operator::SPELLINGS.into_iter().find(|(spelling, _)| text.starts_with(spelling))
}

/// A value without an operator: say first what else is missing.
fn report_bare(node: &Node, text: &str, unit: Unit, sink: &mut Sink) {
    if unit == Unit::Duration && decimal(text, 1_000).is_ok() {
        let help = format!("an operator, a number and a unit (ms, s, m, h, d): {}", unit.example());
        let message = format!("`{}` has neither operator nor unit", excerpt(text));
        sink.error(Code::MissingUnit, &node.span, message).help(help);
        return;
    }
    let message = format!("{} is due, found {}", unit.due(), node.describe());
    let readable = match unit {
        Unit::Duration => span_of(text).is_ok(),
        Unit::Number(_) => decimal(text, 1_000).is_ok(),
        Unit::Percent => text.strip_suffix('%').is_some_and(|text| decimal(text, 1_000).is_ok()),
    };
    let help = match (unit, readable) {
        (Unit::Duration, true) => format!("say how it is compared: \"> {text}\""),
        (_, true) => format!("say how it is compared: \"= {text}\", \"> {text}\""),
        (_, false) => format!("operators are < <= = != >= >: {}", unit.example()),
    };
    sink.error(Code::BadOperator, &node.span, message).help(help);
}

/// A length of time on its own: `60s`, `1.5h`, `1h30m`.
pub(super) fn span(node: &Node, sink: &mut Sink) -> Option<Span> {
    let written = scalar(node, "a length of time", sink)?;
    span_or_report(node, written.text.trim(), sink)
}

fn span_or_report(node: &Node, text: &str, sink: &mut Sink) -> Option<Span> {
    let units = "a number and a unit: ms, s, m, h or d";
    match span_of(text) {
        Ok(span) => Some(span),
        Err(BadSpan::NoUnit) => {
            let message = format!("`{}` has no unit", excerpt(text));
            let help = format!("{units}, such as {text}s or {text}m");
            sink.error(Code::MissingUnit, &node.span, message).help(help);
            None
        }
        Err(BadSpan::Unit(unit)) => {
            let message = format!("`{}` is not a unit of time", excerpt(unit));
            sink.error(Code::BadDuration, &node.span, message).help(units);
            None
        }
        Err(BadSpan::Number) => {
            let message = format!("`{}` is not a length of time", excerpt(text));
            sink.error(Code::BadDuration, &node.span, message).help(units);
            None
        }
        Err(BadSpan::Range) => {
            let message = format!("`{}` is out of range", excerpt(text));
            sink.error(Code::BadDuration, &node.span, message);
            None
        }
    }
}

/// What is wrong with a length of time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadSpan<'t> {
    Number,
    NoUnit,
    Unit(&'t str),
    Range,
}

/// Reads a duration that was typed: `60s`, `1h30m`.
pub fn duration(text: &str) -> Result<Span, String> {
    span_of(text).map_err(|why| match why {
        BadSpan::Number => "not a duration such as 60s or 1h30m".to_owned(),
        BadSpan::NoUnit => "a duration needs a unit: ms, s, m, h or d".to_owned(),
        BadSpan::Unit(unit) => format!("{unit} is not a unit; ms, s, m, h and d are"),
        BadSpan::Range => "too long".to_owned(),
    })
}

/// Reads `30m`, `1.5h`, `1h30m`.
pub(super) fn span_of(text: &str) -> Result<Span, BadSpan<'_>> {
    let mut rest = text;
    let mut total = 0_i64;
    loop {
        let (amount, after) = split_where(rest, |c| !(c.is_ascii_digit() || c == '.'));
        let (unit, after) = split_where(after, |c| !c.is_alphabetic());
        if amount.is_empty() {
            return Err(BadSpan::Number);
        }
        if unit.is_empty() {
            return Err(if after.is_empty() { BadSpan::NoUnit } else { BadSpan::Number });
        }
        let micros = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, micros)| *micros);
        let value = decimal(amount, micros.ok_or(BadSpan::Unit(unit))?);
        let value = value.map_err(|bad| match bad {
            BadDecimal::Range => BadSpan::Range,
            BadDecimal::Syntax | BadDecimal::Fraction => BadSpan::Number,
        })?;
        total = total.checked_add(value).ok_or(BadSpan::Range)?;
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let (_, day) = UNITS[0];
    if total > SPAN_DAYS_MAX * day { Err(BadSpan::Range) } else { Ok(Span(total)) }
}

fn split_where(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

fn number_or_report(node: &Node, text: &str, scale: i64, sink: &mut Sink) -> Option<i64> {
    let (message, help) = match decimal(text, scale) {
        Ok(value) => return Some(value),
        Err(BadDecimal::Syntax) => (format!("`{}` is not a number", excerpt(text)), "\">= 3\""),
        Err(BadDecimal::Range) => (format!("`{}` is out of range", excerpt(text)), ""),
        Err(BadDecimal::Fraction) if scale == 1 => {
            (format!("`{}` is not a whole number", excerpt(text)), "this field counts")
        }
        Err(BadDecimal::Fraction) => {
            (format!("`{}` is finer than a thousandth", excerpt(text)), "three decimals at most")
        }
    };
    let help = Some(help.to_owned()).filter(|help| !help.is_empty());
    sink.error(Code::BadNumber, &node.span, message).help_if(help);
    None
}

/// A percentage in thousandths.
pub(super) fn percent_or_report(node: &Node, text: &str, sink: &mut Sink) -> Option<i64> {
    const SCALE: i64 = 1_000;
    let Some(amount) = text.strip_suffix('%') else {
        let message = format!("`{}` has no unit", excerpt(text));
        sink.error(Code::MissingUnit, &node.span, message)
            .help("a percentage ends in `%`: \"10%\"");
        return None;
    };
    let value = number_or_report(node, amount.trim(), SCALE, sink)?;
    if !(0..=100 * SCALE).contains(&value) {
        let message = format!("`{}` is not between 0% and 100%", excerpt(text));
        sink.error(Code::BadNumber, &node.span, message);
        return None;
    }
    Some(value)
}

/// What is wrong with a decimal number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadDecimal {
    Syntax,
    Range,
    /// More decimals than the scale can hold.
    Fraction,
}

/// Reads a decimal number times `scale`, exactly.
pub(super) fn decimal(text: &str, scale: i64) -> Result<i64, BadDecimal> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(BadDecimal::Syntax);
    }
    let whole: i64 = whole.parse().map_err(|_| BadDecimal::Range)?;
    let whole = whole.checked_mul(scale).ok_or(BadDecimal::Range)?;
    let value =
        whole.checked_add(part(fraction.trim_end_matches('0'), scale)?).ok_or(BadDecimal::Range)?;
    Ok(if negative { -value } else { value })
}

/// The digits after the point times `scale`; 1.5 days are a whole number of microseconds, 0.5 sessions are none.
fn part(fraction: &str, scale: i64) -> Result<i64, BadDecimal> {
    const DIGITS_MAX: usize = 9;
    if fraction.is_empty() {
        return Ok(0);
    }
    if fraction.len() > DIGITS_MAX {
        return Err(BadDecimal::Fraction);
    }
    let digits: i128 = fraction.parse().map_err(|_| BadDecimal::Range)?;
    let place = (0..fraction.len()).fold(1_i128, |place, _| place * 10);
    let scaled = digits * i128::from(scale);
    if scaled % place != 0 {
        return Err(BadDecimal::Fraction);
    }
    i64::try_from(scaled / place).map_err(|_| BadDecimal::Range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_exactly() {
        for (text, expected) in [
            ("30m", Ok(1_800_000_000)),
            ("1.5h", Ok(5_400_000_000)),
            ("1h30m", Ok(5_400_000_000)),
            ("250ms", Ok(250_000)),
            ("0s", Ok(0)),
            ("30", Err(BadSpan::NoUnit)),
            ("30min", Err(BadSpan::Unit("min"))),
            ("m", Err(BadSpan::Number)),
            ("-5s", Err(BadSpan::Number)),
            ("", Err(BadSpan::Number)),
            ("400000d", Err(BadSpan::Range)),
        ] {
            assert_eq!(span_of(text).map(|span| span.0), expected, "{text}");
        }
    }

    #[test]
    fn numbers_keep_what_their_scale_can_hold() {
        assert_eq!(decimal("1.5", 1_000), Ok(1_500));
        assert_eq!(decimal("-2", 1), Ok(-2));
        assert_eq!(decimal("3.0", 1), Ok(3));
        assert_eq!(decimal("3.5", 1), Err(BadDecimal::Fraction));
        assert_eq!(decimal("0.0001", 1_000), Err(BadDecimal::Fraction));
        assert_eq!(decimal("1e3", 1), Err(BadDecimal::Syntax));
        assert_eq!(decimal("99999999999999999999", 1), Err(BadDecimal::Range));
    }
}
