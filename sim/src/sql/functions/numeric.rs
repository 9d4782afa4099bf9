//! Functions over numbers.

use super::{Function, Gives, function, number_of, text_of, time, whole_of};
use crate::ora::OraError;
use crate::sql::evaluate::{Evaluator, convert};
use crate::sql::{format, language, number};
use crate::value::{Number, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("ABS", (1, 1), Gives::Number, |_, v| {
        with(v, |n| Ok(if n.signum() < 0 { number::negate(n) } else { n }))
    }),
    function("SIGN", (1, 1), Gives::Number, |_, v| {
        with(v, |n| Ok(Number::integer(i128::from(n.signum()))))
    }),
    function("CEIL", (1, 1), Gives::Number, |_, v| with(v, |n| Ok(number::ceil(n)))),
    function("FLOOR", (1, 1), Gives::Number, |_, v| with(v, |n| Ok(number::floor(n)))),
    function("SQRT", (1, 1), Gives::Number, |_, v| with(v, number::square_root)),
    function("EXP", (1, 1), Gives::Number, |_, v| with(v, |n| float(n.to_f64().exp()))),
    function("LN", (1, 1), Gives::Number, |_, v| with(v, |n| float(n.to_f64().ln()))),
    function("LOG", (2, 2), Gives::Number, |_, v| {
        with_two(v, |base, n| float(n.to_f64().log(base.to_f64())))
    }),
    function("MOD", (2, 2), Gives::Number, |_, v| with_two(v, number::modulo)),
    function("REMAINDER", (2, 2), Gives::Number, |_, v| with_two(v, remainder)),
    function("SIN", (1, 1), Gives::Number, |_, v| with(v, |n| float(n.to_f64().sin()))),
    function("COS", (1, 1), Gives::Number, |_, v| with(v, |n| float(n.to_f64().cos()))),
    function("TAN", (1, 1), Gives::Number, |_, v| with(v, |n| float(n.to_f64().tan()))),
    function("ASIN", (1, 1), Gives::Number, |_, v| with(v, |n| float(n.to_f64().asin()))),
    function("ACOS", (1, 1), Gives::Number, |_, v| with(v, |n| float(n.to_f64().acos()))),
    function("ATAN", (1, 1), Gives::Number, |_, v| with(v, |n| float(n.to_f64().atan()))),
    function("ATAN2", (2, 2), Gives::Number, |_, v| {
        with_two(v, |a, b| float(a.to_f64().atan2(b.to_f64())))
    }),
    function("POWER", (2, 2), Gives::Number, |_, v| with_two(v, number::power)),
    function("BITAND", (2, 2), Gives::Number, |_, v| with_two(v, bitand)),
    function("ROUND", (1, 2), Gives::TimeOrNumber, |e, v| cut(e, v, number::round, time::rounded)),
    function("TRUNC", (1, 2), Gives::TimeOrNumber, |e, v| {
        cut(e, v, number::truncate, time::truncated)
    }),
    function("TO_NUMBER", (1, 3), Gives::Number, to_number),
    function("TO_BINARY_DOUBLE", (1, 3), Gives::Double, to_double),
    function("TO_BINARY_FLOAT", (1, 3), Gives::Double, |e, v| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "BINARY_FLOAT is the nearest of fewer digits"
        )]
        Ok(match to_double(e, v)? {
            Value::Double(double) => Value::Double(f64::from(double as f32)),
            other => other,
        })
    }),
    function("NANVL", (2, 2), Gives::Double, |e, v| {
        let place = usize::from(matches!(v[0], Value::Double(double) if double.is_nan()));
        to_double(e, &v[place..=place])
    }),
];

fn with(
    values: &[Value],
    apply: fn(Number) -> Result<Number, OraError>,
) -> Result<Value, OraError> {
    number_of(values, 0)?.map_or(Ok(Value::Null), |number| apply(number).map(Value::Number))
}

fn with_two(
    values: &[Value],
    apply: fn(Number, Number) -> Result<Number, OraError>,
) -> Result<Value, OraError> {
    match (number_of(values, 0)?, number_of(values, 1)?) {
        (Some(a), Some(b)) => apply(a, b).map(Value::Number),
        _ => Ok(Value::Null),
    }
}

fn float(float: f64) -> Result<Number, OraError> {
    Number::from_f64(float).ok_or_else(|| OraError::new(1428, "argument is out of range"))
}

fn remainder(a: Number, b: Number) -> Result<Number, OraError> {
    let times = number::round(number::divide(a, b)?, 0);
    number::subtract(a, number::multiply(times, b)?)
}

fn bitand(a: Number, b: Number) -> Result<Number, OraError> {
    let bits = |number: Number| {
        number::truncate(number, 0)
            .to_i128()
            .ok_or_else(|| OraError::new(1428, "argument is out of range"))
    };
    Ok(Number::integer(bits(a)? & bits(b)?))
}

/// ROUND and TRUNC, of a number or of a time.
fn cut(
    evaluator: &Evaluator<'_>,
    values: &[Value],
    of_number: fn(Number, i32) -> Number,
    of_time: fn(&Value, &str) -> Result<Value, OraError>,
) -> Result<Value, OraError> {
    if time::is_time(&values[0]) {
        let unit =
            if values.len() > 1 { text_of(evaluator, values, 1)? } else { Some("DDD".into()) };
        return unit.map_or(Ok(Value::Null), |unit| of_time(&values[0], &unit));
    }
    match (number_of(values, 0)?, whole_of(values, 1, 0)?) {
        (Some(number), Some(digits)) => Ok(Value::Number(of_number(
            number,
            i32::try_from(digits.clamp(-130, 130)).unwrap_or(0),
        ))),
        _ => Ok(Value::Null),
    }
}

/// TO_BINARY_DOUBLE, which reads larger numbers than a NUMBER holds, and `NaN` and `Inf`.
fn to_double(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    match &values[0] {
        Value::Double(_) => return Ok(values[0].clone()),
        Value::Text(text) if values.len() == 1 => {
            let read = text.trim().parse().map(Value::Double);
            return read.map_err(|_| OraError::new(1722, "invalid number"));
        }
        _ => {}
    }
    Ok(match to_number(evaluator, values)? {
        Value::Number(number) => Value::Double(number.to_f64()),
        other => other,
    })
}

fn to_number(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    if values.len() < 2 {
        let number = convert::local_number(&values[0], evaluator.environment)?;
        return Ok(number.map_or(Value::Null, Value::Number));
    }
    let given =
        text_of(evaluator, values, 2)?.map(|text| language::parameters(&text)).transpose()?;
    let characters = given.and_then(|given| given.1);
    let characters = characters.unwrap_or_else(|| evaluator.environment.numeric_characters());
    match (text_of(evaluator, values, 0)?, text_of(evaluator, values, 1)?) {
        (Some(text), Some(format)) => {
            format::read_number(&text, &format, characters).map(Value::Number)
        }
        _ => Ok(Value::Null),
    }
}
