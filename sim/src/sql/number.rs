//! NUMBER arithmetic: exact while the digits last, rounded behind them.

use crate::ora::OraError;
use crate::value::Number;

/// Behind a division that does not end, digits further back than this are noise: a product is rounded here, so that
/// one second as a part of a day times 86400 is one again.
const CLEAN_SCALE: i32 = 25;

fn overflow() -> OraError {
    OraError::new(1426, "numeric overflow")
}

pub(crate) fn add(left: Number, right: Number) -> Result<Number, OraError> {
    let ((a, scale_a), (b, scale_b)) = (left.parts(), right.parts());
    let scale = scale_a.max(scale_b);
    let exact = || {
        let a = a.checked_mul(power_of_ten(scale - scale_a)?)?;
        let b = b.checked_mul(power_of_ten(scale - scale_b)?)?;
        a.checked_add(b)
    };
    if let Some(sum) = exact() {
        return Ok(Number::decimal(sum, scale));
    }
    // One of the two has more digits than fit beside the other: the last ones go.
    let shorter = scale.checked_sub(1).ok_or_else(overflow)?;
    add(round(left, i32::from(shorter)), round(right, i32::from(shorter)))
}

pub(crate) fn negate(number: Number) -> Number {
    let (mantissa, scale) = number.parts();
    Number::decimal(mantissa.saturating_neg(), scale)
}

pub(crate) fn subtract(left: Number, right: Number) -> Result<Number, OraError> {
    add(left, negate(right))
}

pub(crate) fn multiply(left: Number, right: Number) -> Result<Number, OraError> {
    let ((mut a, mut scale_a), (mut b, mut scale_b)) = (left.parts(), right.parts());
    let endless = i32::from(scale_a.max(scale_b)) > CLEAN_SCALE;
    loop {
        if let Some(product) = a.checked_mul(b) {
            let scale = i32::from(scale_a) + i32::from(scale_b);
            let result = scaled(product, scale).ok_or_else(overflow)?;
            return Ok(if endless { round(result, CLEAN_SCALE) } else { result });
        }
        let (mantissa, scale) =
            if scale_a >= scale_b { (&mut a, &mut scale_a) } else { (&mut b, &mut scale_b) };
        *scale = scale.checked_sub(1).ok_or_else(overflow)?;
        *mantissa = divide_round(*mantissa, 10);
    }
}

/// `mantissa / 10^scale`, rounded to the digits that a NUMBER keeps.
fn scaled(mantissa: i128, scale: i32) -> Option<Number> {
    let spare = scale - i32::from(Number::SCALE_MAX);
    if spare <= 0 {
        return Some(Number::decimal(mantissa, u8::try_from(scale).ok()?));
    }
    let divisor = 10_i128.checked_pow(spare.unsigned_abs());
    Some(Number::decimal(
        divisor.map_or(0, |divisor| divide_round(mantissa, divisor)),
        Number::SCALE_MAX,
    ))
}

pub(crate) fn divide(left: Number, right: Number) -> Result<Number, OraError> {
    let ((mut a, scale_a), (b, scale_b)) = (left.parts(), right.parts());
    if b == 0 {
        return Err(OraError::new(1476, "divisor is equal to zero"));
    }
    let mut scale = i32::from(scale_a) - i32::from(scale_b);
    while scale < i32::from(Number::SCALE_MAX) && (a % b != 0 || scale < 0) {
        let Some(longer) = a.checked_mul(10) else { break };
        a = longer;
        scale += 1;
    }
    if scale < 0 {
        let factor = 10_i128.checked_pow(scale.unsigned_abs()).ok_or_else(overflow)?;
        return (a / b).checked_mul(factor).map(Number::integer).ok_or_else(overflow);
    }
    scaled(divide_round(a, b), scale).ok_or_else(overflow)
}

/// The quotient rounded to the nearest, halves away from zero.
fn divide_round(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2) {
        quotient + if (value < 0) == (divisor < 0) { 1 } else { -1 }
    } else {
        quotient
    }
}

fn power_of_ten(exponent: u8) -> Option<i128> {
    10_i128.checked_pow(u32::from(exponent))
}

/// ROUND(n, digits); negative digits round before the point.
pub(crate) fn round(number: Number, digits: i32) -> Number {
    cut(number, digits, divide_round)
}

/// TRUNC(n, digits).
pub(crate) fn truncate(number: Number, digits: i32) -> Number {
    cut(number, digits, |value, divisor| value / divisor)
}

fn cut(number: Number, digits: i32, divide: fn(i128, i128) -> i128) -> Number {
    let (mantissa, scale) = number.parts();
    let spare = i32::from(scale) - digits;
    if spare <= 0 {
        return number;
    }
    let Some(divisor) = 10_i128.checked_pow(spare.unsigned_abs()) else {
        return Number::integer(0);
    };
    let kept = divide(mantissa, divisor);
    match u8::try_from(digits) {
        Ok(digits) => Number::decimal(kept, digits),
        Err(_) => 10_i128
            .checked_pow(digits.unsigned_abs())
            .and_then(|factor| kept.checked_mul(factor))
            .map_or(Number::integer(0), Number::integer),
    }
}

pub(crate) fn floor(number: Number) -> Number {
    let whole = truncate(number, 0);
    if number < whole { Number::integer(whole.parts().0 - 1) } else { whole }
}

pub(crate) fn ceil(number: Number) -> Number {
    negate(floor(negate(number)))
}

/// MOD: the sign of the dividend; a divisor of 0 gives the dividend.
pub(crate) fn modulo(left: Number, right: Number) -> Result<Number, OraError> {
    if right.parts().0 == 0 {
        return Ok(left);
    }
    let ((a, scale_a), (b, scale_b)) = (left.parts(), right.parts());
    let scale = scale_a.max(scale_b);
    let aligned = || {
        let a = a.checked_mul(power_of_ten(scale - scale_a)?)?;
        Some((a, b.checked_mul(power_of_ten(scale - scale_b)?)?))
    };
    let (a, b) = aligned().ok_or_else(overflow)?;
    Ok(Number::decimal(a % b, scale))
}

pub(crate) fn power(base: Number, exponent: Number) -> Result<Number, OraError> {
    if let Some(times) = exponent.to_i64().filter(|times| (0..=200).contains(times)) {
        let mut result = Number::integer(1);
        for _ in 0..times {
            result = multiply(result, base)?;
        }
        return Ok(result);
    }
    let float = base.to_f64().powf(exponent.to_f64());
    if float.is_nan() {
        return Err(OraError::new(1428, "argument is out of range"));
    }
    Number::from_f64(float).ok_or_else(overflow)
}

/// As TO_CHAR shows it: `.5` without a zero, at most 40 digits.
pub(crate) fn text(number: Number) -> String {
    let text = number.to_string();
    match (text.strip_prefix("0."), text.strip_prefix("-0.")) {
        (Some(rest), _) => format!(".{rest}"),
        (_, Some(rest)) => format!("-.{rest}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Operation = fn(Number, Number) -> Result<Number, OraError>;

    fn number(text: &str) -> Number {
        text.parse().expect("a number")
    }

    #[test]
    fn arithmetic_is_exact() {
        let cases: [(Operation, &str, &str, &str); 14] = [
            (add, "0.1", "0.2", "0.3"),
            (subtract, "1", "0.999", "0.001"),
            (multiply, "1.5", "-2", "-3"),
            (multiply, "0.000001", "0.000001", "0.000000000001"),
            (divide, "1", "8", "0.125"),
            (divide, "1", "3", "0.333333333333333333333333333333"),
            (divide, "2", "3", "0.666666666666666666666666666667"),
            (divide, "-10", "4", "-2.5"),
            (divide, "1", "0.004", "250"),
            (modulo, "10", "3", "1"),
            (modulo, "-10.5", "3", "-1.5"),
            (modulo, "7", "0", "7"),
            (power, "2", "62", "4611686018427387904"),
            (power, "2", "-1", "0.5"),
        ];
        for (operation, left, right, result) in cases {
            let shown = operation(number(left), number(right)).map(|number| number.to_string());
            assert_eq!(shown, Ok(result.to_owned()), "{left} {right}");
        }
        assert_eq!(divide(number("1"), number("0")).map_err(|error| error.code), Err(1476));
    }

    #[test]
    fn a_second_survives_being_a_part_of_a_day() {
        for seconds in 0..5000 {
            let whole = Number::integer(seconds);
            let day = Number::integer(86_400);
            assert_eq!(divide(whole, day).and_then(|days| multiply(days, day)), Ok(whole));
        }
    }

    #[test]
    fn rounding_goes_both_ways_from_zero() {
        for (value, digits, rounded, cut) in [
            ("1.25", 1, "1.3", "1.2"),
            ("-1.25", 1, "-1.3", "-1.2"),
            ("1250", -2, "1300", "1200"),
            ("0.5", 0, "1", "0"),
            ("49", -2, "0", "0"),
        ] {
            assert_eq!(round(number(value), digits).to_string(), rounded, "{value}");
            assert_eq!(truncate(number(value), digits).to_string(), cut, "{value}");
        }
        assert_eq!(
            (floor(number("-1.5")).to_string(), ceil(number("-1.5")).to_string()),
            ("-2".into(), "-1".into())
        );
    }
}
