//! Short ways to write values, for the views.

use crate::value::Value;

/// A whole number.
pub(crate) fn number(number: impl Into<i128>) -> Value {
    Value::integer(number)
}

/// A whole number, or NULL.
pub(crate) fn maybe_number(number: Option<impl Into<i128>>) -> Value {
    number.map_or(Value::Null, Value::integer)
}

/// Text; the empty one is NULL.
pub(crate) fn text(text: &str) -> Value {
    Value::text(text)
}

/// Text, or NULL.
pub(crate) fn maybe_text(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::text)
}

/// The beginning of a text, of so many bytes at most.
pub(crate) fn beginning(text: &str, bytes: usize) -> Value {
    Value::text(&text[..text.floor_char_boundary(bytes)])
}

/// An address as a RAW(8).
pub(crate) fn address(address: u64) -> Value {
    Value::Raw(address.to_be_bytes().to_vec())
}

/// An address as text, as TADDR and LOCKWAIT have it.
pub(crate) fn address_text(address: u64) -> Value {
    Value::Text(format!("{address:016X}"))
}

/// A DATE of microseconds since 1970.
pub(crate) fn date(micros: i64) -> Value {
    Value::Date(micros.div_euclid(1_000_000))
}

/// YES or NO.
pub(crate) fn yes_no(yes: bool) -> Value {
    text(if yes { "YES" } else { "NO" })
}
