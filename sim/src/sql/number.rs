//! NUMBER arithmetic: exact while the digits last, rounded behind them as Oracle rounds.

use std::cmp::Ordering;

use crate::ora::OraError;
use crate::value::{Digits, Number};

/// More digits than a NUMBER has, so that what is cut off here is never seen: the guard digits of a sum.
const WIDE: usize = 2 * Number::DIGITS_MAX + 2;

/// Digits to the base of 100 of a result before it is rounded.
type Wide = [u8; WIDE];

fn overflow() -> OraError {
    OraError::new(1426, "numeric overflow")
}

pub(crate) fn add(left: Number, right: Number) -> Result<Number, OraError> {
    if let (Some(a), Some(b)) = (left.to_i64(), right.to_i64()) {
        return Ok(Number::integer(i128::from(a) + i128::from(b)));
    }
    if left.is_zero() || right.is_zero() {
        return Ok(if left.is_zero() { right } else { left });
    }
    let same_sign = left.signum() == right.signum();
    let (large, small) = if size(left) < size(right) { (right, left) } else { (left, right) };
    let top = large.exponent() + 1;
    let (mut sum, other) = (aligned(large, top), aligned(small, top));
    let mut carry = 0_i16;
    for (place, digit) in sum.iter_mut().enumerate().rev() {
        let other = i16::from(other[place]);
        let mut value = i16::from(*digit) + if same_sign { other } else { -other } + carry;
        carry = value.div_euclid(100);
        value = value.rem_euclid(100);
        *digit = low(u32::from(value.cast_unsigned()));
    }
    Number::from_digits(large.signum() < 0, top, &sum).ok_or_else(overflow)
}

/// What orders like the absolute value.
fn size(number: Number) -> Number {
    if number.signum() < 0 { number.negated() } else { number }
}

/// The digits of a number from the power `top` down; those too far down to matter are left out.
fn aligned(number: Number, top: i32) -> Wide {
    let mut digits = [0; WIDE];
    let skip = usize::try_from(top - number.exponent()).unwrap_or(WIDE);
    for (place, digit) in number.digits().iter().enumerate() {
        if let Some(to) = digits.get_mut(skip + place) {
            *to = *digit;
        }
    }
    digits
}

fn low(digit: u32) -> u8 {
    digit.to_le_bytes()[0]
}

pub(crate) fn negate(number: Number) -> Number {
    number.negated()
}

pub(crate) fn subtract(left: Number, right: Number) -> Result<Number, OraError> {
    add(left, negate(right))
}

pub(crate) fn multiply(left: Number, right: Number) -> Result<Number, OraError> {
    if let (Some(a), Some(b)) = (left.to_i64(), right.to_i64()) {
        return Ok(Number::integer(i128::from(a) * i128::from(b)));
    }
    let (a, b) = (left.digits(), right.digits());
    let mut sums = [0_u32; WIDE];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            sums[i + j + 1] += u32::from(*x) * u32::from(*y);
        }
    }
    let mut digits = [0; WIDE];
    let mut carry = 0;
    for place in (0..WIDE).rev() {
        let sum = sums[place] + carry;
        digits[place] = low(sum % 100);
        carry = sum / 100;
    }
    let negative = left.signum() != right.signum();
    Number::from_digits(negative, left.exponent() + right.exponent() + 1, &digits)
        .ok_or_else(overflow)
}

pub(crate) fn divide(left: Number, right: Number) -> Result<Number, OraError> {
    if right.is_zero() {
        return Err(OraError::new(1476, "divisor is equal to zero"));
    }
    let divisor = right.digits();
    // Long division: the remainder has one digit more than the divisor.
    let mut rest = vec![0_u8; divisor.len() + 1];
    let mut coming = left.digits().iter().copied();
    let mut quotient = Vec::with_capacity(Number::DIGITS_MAX + 2);
    // Until the divisor's digits are taken in, all digits of the quotient are 0 but the last.
    for digit in coming.by_ref().take(divisor.len() - 1) {
        shift_in(&mut rest, digit);
    }
    for _ in left.digits().len()..divisor.len() - 1 {
        shift_in(&mut rest, 0);
    }
    while quotient.len() < Number::DIGITS_MAX + 2 {
        shift_in(&mut rest, coming.next().unwrap_or(0));
        quotient.push(times(&mut rest, divisor));
        if coming.len() == 0 && rest.iter().all(|digit| *digit == 0) {
            break;
        }
    }
    let negative = left.signum() != right.signum();
    Number::from_digits(negative, left.exponent() - right.exponent(), &quotient)
        .ok_or_else(overflow)
}

fn shift_in(rest: &mut [u8], digit: u8) {
    rest.rotate_left(1);
    if let Some(last) = rest.last_mut() {
        *last = digit;
    }
}

/// How often the divisor goes into the remainder, which loses it as often.
fn times(rest: &mut [u8], divisor: &[u8]) -> u8 {
    let head =
        |digits: &[u8]| digits.iter().take(3).fold(0, |sum, digit| sum * 100 + u32::from(*digit));
    let first = head(rest);
    let by = head(divisor);
    let by = match divisor.len() {
        1 => by * 100,
        2 => by,
        // The remainder's first three digits stand against two of the divisor.
        _ => by / 100,
    };
    let first = if rest.len() < 3 { first * 100 } else { first };
    // At least what it is, and two more at most: the divisor has three decimal digits there.
    let mut guess = (first / by.max(1)).min(99);
    let mut product = multiple(divisor, guess);
    while product.as_slice().cmp(rest) == Ordering::Greater {
        guess -= 1;
        product = multiple(divisor, guess);
    }
    let mut borrow = 0_i16;
    for (digit, taken) in rest.iter_mut().zip(&product).rev() {
        let value = i16::from(*digit) - i16::from(*taken) + borrow;
        borrow = value.div_euclid(100);
        *digit = low(u32::from(value.rem_euclid(100).cast_unsigned()));
    }
    low(guess)
}

/// One digit longer than the divisor.
fn multiple(divisor: &[u8], factor: u32) -> Vec<u8> {
    let mut product = vec![0; divisor.len() + 1];
    let mut carry = 0;
    for (place, digit) in divisor.iter().enumerate().rev() {
        let value = u32::from(*digit) * factor + carry;
        product[place + 1] = low(value % 100);
        carry = value / 100;
    }
    product[0] = low(carry);
    product
}

/// ROUND(n, digits); negative digits round before the point.
pub(crate) fn round(number: Number, digits: i32) -> Number {
    cut(number, digits, true)
}

/// TRUNC(n, digits).
pub(crate) fn truncate(number: Number, digits: i32) -> Number {
    cut(number, digits, false)
}

fn cut(number: Number, places: i32, nearest: bool) -> Number {
    // A digit more in front, for what is carried.
    let top = number.exponent() + 1;
    // The place of the last digit that is kept, and whether only its tens are.
    let power = (-places).div_euclid(2);
    let tens = (-places).rem_euclid(2) == 1;
    let Ok(last) = usize::try_from(top - power) else { return Number::ZERO };
    let mut kept = aligned(number, top);
    let length = number.digits().len() + 1;
    if last >= length {
        return number;
    }
    let behind = kept[last + 1];
    let unit = if tens { 10 } else { 1 };
    let up = nearest && if tens { kept[last] % 10 >= 5 } else { behind >= 50 };
    kept[last] -= kept[last] % unit;
    kept[last + 1..].fill(0);
    let mut carry = if up { unit } else { 0 };
    for digit in kept[..=last].iter_mut().rev() {
        *digit += carry;
        carry = *digit / 100;
        *digit %= 100;
    }
    // Rounding up 9.99e125 to 1e126 is the one way to overflow: it stays what it is.
    Number::from_digits(number.signum() < 0, top, &kept).unwrap_or(number)
}

pub(crate) fn floor(number: Number) -> Number {
    let whole = truncate(number, 0);
    if number < whole { add(whole, Number::integer(-1)).unwrap_or(whole) } else { whole }
}

pub(crate) fn ceil(number: Number) -> Number {
    negate(floor(negate(number)))
}

/// MOD: the sign of the dividend; a divisor of 0 gives the dividend.
pub(crate) fn modulo(left: Number, right: Number) -> Result<Number, OraError> {
    if right.is_zero() {
        return Ok(left);
    }
    if let (Some(a), Some(b)) = (left.to_i64(), right.to_i64()) {
        return Ok(Number::integer(i128::from(a) % i128::from(b)));
    }
    // m - n * TRUNC(m / n), as Oracle's documentation defines it.
    let rest = subtract(left, multiply(right, truncate(divide(left, right)?, 0))?)?;
    // A quotient that was rounded up to a whole number is one too many.
    Ok(if rest.signum() * left.signum() < 0 { add(rest, with_sign(right, left))? } else { rest })
}

fn with_sign(number: Number, of: Number) -> Number {
    if number.signum() == of.signum() { number } else { negate(number) }
}

pub(crate) fn power(base: Number, exponent: Number) -> Result<Number, OraError> {
    if let Some(times) = exponent.to_i64() {
        return whole_power(base, times);
    }
    if exponent == Number::decimal(5, 1) {
        return square_root(base);
    }
    let float = base.to_f64().powf(exponent.to_f64());
    if float.is_nan() {
        return Err(OraError::new(1428, "argument is out of range"));
    }
    Number::from_f64(float).ok_or_else(overflow)
}

/// By squaring.
fn whole_power(base: Number, exponent: i64) -> Result<Number, OraError> {
    if exponent < 0 && base.is_zero() {
        return Err(OraError::new(1428, "argument is out of range"));
    }
    let result = squared(base, exponent.unsigned_abs());
    if exponent >= 0 {
        return result;
    }
    match result {
        Ok(result) if !result.is_zero() => divide(Number::integer(1), result),
        // 10^130 is too large and 10^-130 is not too small.
        Ok(_) => Err(overflow()),
        Err(_) => squared(divide(Number::integer(1), base)?, exponent.unsigned_abs()),
    }
}

fn squared(base: Number, exponent: u64) -> Result<Number, OraError> {
    let mut result = Number::integer(1);
    let (mut square, mut rest) = (base, exponent);
    loop {
        if rest % 2 == 1 {
            result = multiply(result, square)?;
        }
        rest /= 2;
        // Once a power has vanished, or is one, nothing can change it any more.
        if rest == 0 || result.is_zero() {
            return Ok(result);
        }
        square = multiply(square, square)?;
    }
}

/// The number as `NUMBER(p, s)` holds it. The error is ORA-01438.
pub(crate) fn fit(number: Number, digits: Digits) -> Result<Number, OraError> {
    let rounded = round(number, digits.scale);
    let before = i64::from(digits.precision) - i64::from(digits.scale);
    if rounded.is_zero() || i64::from(decimal_exponent(rounded)) < before {
        return Ok(rounded);
    }
    Err(OraError::new(1438, "value larger than specified precision allowed for this column"))
}

/// SQRT.
pub(crate) fn square_root(number: Number) -> Result<Number, OraError> {
    if number.signum() < 0 {
        return Err(OraError::new(1428, "argument is out of range"));
    }
    let Some(mut root) = Number::from_f64(number.to_f64().sqrt()).filter(|root| !root.is_zero())
    else {
        return Ok(Number::ZERO);
    };
    // Newton's method doubles the fifteen digits of the float each time.
    for _ in 0..2 {
        root = divide(add(root, divide(number, root)?)?, Number::integer(2))?;
    }
    Ok(root)
}

/// The most figures that TO_CHAR shows of a number without a format.
const FIGURES_MAX: usize = 40;
/// Zeros between the point and the first figure from which on it would rather show an exponent than fewer figures.
const ZEROS_MAX: usize = 5;

/// As TO_CHAR shows it: `.5` without a zero, at most 40 figures, with an exponent where they do not reach.
pub(crate) fn text(number: Number) -> String {
    if let Some(whole) = number.to_i64() {
        return whole.to_string();
    }
    let sign = if number.signum() < 0 { "-" } else { "" };
    let plain = plain_text(number);
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    if whole.len() + fraction.len() <= FIGURES_MAX {
        return format!("{sign}{plain}");
    }
    let zeros = fraction.bytes().take_while(|byte| *byte == b'0').count();
    if whole.len() > FIGURES_MAX || (whole.is_empty() && zeros > ZEROS_MAX) {
        return format!("{sign}{}", scientific(number, FIGURES_MAX, true));
    }
    let places = i32::try_from(FIGURES_MAX - whole.len()).unwrap_or(0);
    format!("{sign}{}", plain_text(round(number, places)))
}

/// Without a sign, and without a zero in front of the point.
pub(crate) fn plain_text(number: Number) -> String {
    let text = size(number).to_string();
    text.strip_prefix("0.").map_or(text.clone(), |fraction| format!(".{fraction}"))
}

/// `1.5E+125` without a sign: so many characters besides the point, filled up with zeros or not.
pub(crate) fn scientific(number: Number, width: usize, filled: bool) -> String {
    let power = decimal_exponent(number);
    let exponent = format!("E{}{:02}", if power < 0 { '-' } else { '+' }, power.abs());
    let figures = width.saturating_sub(exponent.len()).max(1);
    let behind = i32::try_from(figures).unwrap_or(1) - 1 - power;
    let rounded = size(round(number, behind));
    if decimal_exponent(rounded) != power {
        return scientific(rounded, width, filled);
    }
    let digits = rounded.figures();
    let digits = digits.trim_start_matches('0').trim_end_matches('0');
    let (first, rest) = digits.split_at(digits.len().min(1));
    let rest =
        if filled { format!("{rest:0<width$}", width = figures - 1) } else { rest.to_owned() };
    let point = if rest.is_empty() { "" } else { "." };
    format!("{first}{point}{rest}{exponent}")
}

/// EEEE: `1.25E+04` with so many figures behind the point, without a sign.
pub(crate) fn exponential(number: Number, behind: usize) -> String {
    if number.is_zero() {
        let zeros = "0".repeat(behind);
        return format!("0{}{zeros}E+00", if behind == 0 { "" } else { "." });
    }
    let power = decimal_exponent(number);
    let width = if power.abs() < 100 { 4 } else { 5 };
    scientific(number, behind + 1 + width, true)
}

/// The power of ten of the first figure.
pub(crate) fn decimal_exponent(number: Number) -> i32 {
    2 * number.exponent() + i32::from(number.digits().first().is_some_and(|digit| *digit >= 10))
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
        let cases: [(Operation, &str, &str, &str); 28] = [
            (add, "0.1", "0.2", ".3"),
            (add, "99.99", "0.01", "100"),
            (add, "1e39", "0.1", "1000000000000000000000000000000000000000"),
            (add, "1e-130", "-1e-130", "0"),
            (subtract, "1", "0.999", ".001"),
            (subtract, "1e20", "1.5", "99999999999999999998.5"),
            (subtract, "0.5", "2", "-1.5"),
            (multiply, "1.5", "-2", "-3"),
            (multiply, "0.000001", "0.000001", ".000000000001"),
            (multiply, "12345678901234567890.5", "2", "24691357802469135781"),
            (divide, "1", "8", ".125"),
            (divide, "1", "3", ".3333333333333333333333333333333333333333"),
            (divide, "2", "3", ".6666666666666666666666666666666666666667"),
            (divide, "10", "3", "3.33333333333333333333333333333333333333"),
            (divide, "-10", "4", "-2.5"),
            (divide, "1", "0.004", "250"),
            (
                divide,
                "98765432109876543210",
                "12345678901234567890",
                "8.00000007290000066339000603684905493533",
            ),
            (divide, "1", "99", ".0101010101010101010101010101010101010101"),
            (divide, "0", "7", "0"),
            (modulo, "10", "3", "1"),
            (modulo, "-10.5", "3", "-1.5"),
            (modulo, "7", "0", "7"),
            (power, "2", "62", "4611686018427387904"),
            (power, "2", "-1", ".5"),
            (power, "2", "0.5", "1.41421356237309504880168872420969807857"),
            (power, "1e125", "0.5", "3.16227766016837933199889354443271853E+62"),
            (power, "10", "40", "1.00000000000000000000000000000000000E+40"),
            (power, "10", "-130", "1.0000000000000000000000000000000000E-130"),
        ];
        for (operation, left, right, result) in cases {
            let shown = operation(number(left), number(right)).map(text);
            assert_eq!(shown, Ok(result.to_owned()), "{left} {right}");
        }
        assert_eq!(divide(number("1"), number("0")).map_err(|error| error.code), Err(1476));
        assert_eq!(
            multiply(number("1e100"), number("1e100")).map_err(|error| error.code),
            Err(1426)
        );
        assert_eq!(power(number("10"), number("126")).map_err(|error| error.code), Err(1426));
    }

    /// Multiplication and division undo each other, whatever the digits are.
    #[test]
    fn a_quotient_times_its_divisor_is_the_dividend() {
        let mut seed = 88_172_645_463_325_252_u64;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for _ in 0..2000 {
            let factor = Number::integer(i128::from(next() >> (20 + next() % 40)) * 100 + 1);
            let other = Number::decimal(
                i128::from(next() >> (20 + next() % 40)),
                low(u32::from(low_byte(next())) % 12),
            );
            let product = multiply(factor, other).expect("small enough");
            assert_eq!(divide(product, factor), Ok(other), "{product} / {factor}");
        }
    }

    fn low_byte(number: u64) -> u8 {
        number.to_le_bytes()[0]
    }

    #[test]
    fn rounding_goes_both_ways_from_zero() {
        for (value, digits, rounded, cut) in [
            ("1.25", 1, "1.3", "1.2"),
            ("-1.25", 1, "-1.3", "-1.2"),
            ("1250", -2, "1300", "1200"),
            ("1250", -1, "1250", "1250"),
            ("0.5", 0, "1", "0"),
            ("49", -2, "0", "0"),
            ("50", -2, "100", "0"),
            ("99.995", 2, "100", "99.99"),
            ("9.95", 1, "10", "9.9"),
            ("5", -4, "0", "0"),
            ("0.004", 2, "0", "0"),
            ("0.005", 2, "0.01", "0"),
            ("123456789.123456789", 5, "123456789.12346", "123456789.12345"),
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
