//! ROWIDs: conversion, and the functions of `DBMS_ROWID`.

use super::{Function, Gives, function, text_of, whole_of};
use crate::catalog::rowid::RowId;
use crate::ora::OraError;
use crate::sql::evaluate::Evaluator;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    function("ROWIDTOCHAR", (1, 1), Gives::Text(18), |e, v| {
        Ok(read(e, v)?.map_or(Value::Null, |rowid| Value::Text(rowid.to_string())))
    }),
    function("CHARTOROWID", (1, 1), Gives::RowId, |e, v| {
        Ok(read(e, v)?.map_or(Value::Null, |rowid| Value::RowId(rowid.to_string())))
    }),
    function("DBMS_ROWID.ROWID_CREATE", (5, 5), Gives::RowId, |_, v| create(v)),
    function("DBMS_ROWID.ROWID_OBJECT", (1, 1), Gives::Number, |e, v| part(e, v, |r| r.object)),
    function("DBMS_ROWID.ROWID_RELATIVE_FNO", (1, 2), Gives::Number, |e, v| part(e, v, |r| r.file)),
    // Relative and absolute numbers of files are the same here.
    function("DBMS_ROWID.ROWID_TO_ABSOLUTE_FNO", (3, 3), Gives::Number, |e, v| {
        part(e, v, |r| r.file)
    }),
    function("DBMS_ROWID.ROWID_BLOCK_NUMBER", (1, 2), Gives::Number, |e, v| {
        part(e, v, |r| r.block)
    }),
    function("DBMS_ROWID.ROWID_ROW_NUMBER", (1, 1), Gives::Number, |e, v| part(e, v, |r| r.row)),
    // 1: extended.
    function("DBMS_ROWID.ROWID_TYPE", (1, 1), Gives::Number, |e, v| part(e, v, |_| 1)),
];

pub(crate) fn invalid() -> OraError {
    OraError::new(1410, "invalid ROWID")
}

fn read(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Option<RowId>, OraError> {
    let Some(text) = text_of(evaluator, values, 0)? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| invalid())
}

fn part(
    evaluator: &Evaluator<'_>,
    values: &[Value],
    part: fn(RowId) -> u32,
) -> Result<Value, OraError> {
    Ok(read(evaluator, values)?.map_or(Value::Null, |rowid| Value::integer(part(rowid))))
}

/// `ROWID_CREATE(1, object, relative file, block, row)`.
fn create(values: &[Value]) -> Result<Value, OraError> {
    let mut parts = [0_u32; 5];
    for (place, (part, limit)) in
        parts.iter_mut().zip([1, u32::MAX, 0x3ff, 0x3f_ffff, 0xffff]).enumerate()
    {
        let Some(value) = whole_of(values, place, 0)? else { return Ok(Value::Null) };
        *part = u32::try_from(value).ok().filter(|value| *value <= limit).ok_or_else(invalid)?;
    }
    let [kind, object, file, block, row] = parts;
    if kind == 0 {
        return Err(OraError::new(3001, "unimplemented feature: restricted ROWIDs"));
    }
    Ok(Value::RowId(RowId { object, file, block, row }.to_string()))
}
