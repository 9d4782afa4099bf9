//! NUMBER as Oracle stores it: up to twenty digits to the base of 100, and a power of 100. The arithmetic stands in
//! `sql::number`.
//!
//! No decimal crate rounds where Oracle does, at a digit to the base of 100, so that 1/3 has forty decimal digits and
//! 10/3 has thirty-nine.

use std::cmp::Ordering;
use std::fmt;

/// An exact decimal number: the sum of `digits[i] * 100^(exponent - i)`. Neither the first nor the last of its digits
/// is 0, and zero has none, so that equal numbers are equal field by field.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    exponent: i8,
    length: u8,
    digits: [u8; Number::DIGITS_MAX],
}

impl Number {
    /// The most digits to the base of 100.
    pub const DIGITS_MAX: usize = 20;
    /// The power of 100 of the first digit of the greatest numbers, which are below 1e126.
    const EXPONENT_MAX: i32 = 62;
    /// The same of the smallest, which are 1e-130.
    const EXPONENT_MIN: i32 = -65;
    /// 0.
    pub const ZERO: Self =
        Self { negative: false, exponent: 0, length: 0, digits: [0; Self::DIGITS_MAX] };

    /// A whole number.
    pub fn integer(number: i128) -> Self {
        Self::decimal(number, 0)
    }

    /// `mantissa / 10^scale`, rounded to the digits that a NUMBER keeps.
    pub fn decimal(mantissa: i128, scale: u8) -> Self {
        let mut rest = mantissa.unsigned_abs();
        // From the last digit to the first; a digit never straddles the point.
        let mut digits = [0; 22];
        let mut first = digits.len();
        if scale % 2 == 1 {
            first -= 1;
            digits[first] = low_byte(rest % 10) * 10;
            rest /= 10;
        }
        while rest > u128::from(u64::MAX) {
            first -= 1;
            digits[first] = low_byte(rest % 100);
            rest /= 100;
        }
        let mut small = u64::try_from(rest).unwrap_or(0);
        while small > 0 {
            first -= 1;
            digits[first] = low_byte(u128::from(small % 100));
            small /= 100;
        }
        let behind = i32::from(scale).div_euclid(2) + i32::from(scale % 2);
        let count = i32::try_from(digits.len() - first).unwrap_or(0);
        // A mantissa has 39 decimal digits at most, and a scale is a byte: only too small is possible, which is 0.
        Self::from_digits(mantissa < 0, count - behind - 1, &digits[first..]).unwrap_or(Self::ZERO)
    }

    /// A number of its digits to the base of 100 and the power of 100 of the first. Digits beyond those that a NUMBER
    /// keeps are rounded off, what is too small is 0, and what is too large `None`.
    pub fn from_digits(negative: bool, exponent: i32, digits: &[u8]) -> Option<Self> {
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        let digits = &digits[zeros..];
        let mut exponent = exponent - i32::try_from(zeros).ok()?;
        let mut kept = [0; Self::DIGITS_MAX];
        let mut length = digits.len().min(Self::DIGITS_MAX);
        kept[..length].copy_from_slice(&digits[..length]);
        if digits.get(Self::DIGITS_MAX).is_some_and(|digit| *digit >= 50) && carried(&mut kept) {
            kept[0] = 1;
            exponent += 1;
        }
        while length > 0 && kept[length - 1] == 0 {
            length -= 1;
        }
        if length == 0 || exponent < Self::EXPONENT_MIN {
            return Some(Self::ZERO);
        }
        if exponent > Self::EXPONENT_MAX {
            return None;
        }
        Some(Self {
            negative,
            exponent: i8::try_from(exponent).ok()?,
            length: u8::try_from(length).ok()?,
            digits: kept,
        })
    }

    /// The number nearest to a float, with 15 significant digits; `None` for what is no number or far too large.
    pub fn from_f64(float: f64) -> Option<Self> {
        if !float.is_finite() {
            return None;
        }
        format!("{float:.14e}").parse().ok()
    }

    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        if let Some(whole) = self.to_i64().filter(|whole| whole.unsigned_abs() < 1 << 52) {
            return whole as f64;
        }
        let digits = self.figures();
        let power = 2 * (self.exponent() - i32::from(self.length) + 1);
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{digits}e{power}").parse().unwrap_or(0.0)
    }

    /// The whole number, if it is one and fits.
    pub fn to_i128(self) -> Option<i128> {
        let behind = usize::try_from(self.exponent).map_or(0, |exponent| exponent + 1);
        if usize::from(self.length) > behind {
            return None;
        }
        let mut whole: i128 = 0;
        for digit in self.digits() {
            whole = whole.checked_mul(100)?.checked_add(i128::from(*digit))?;
        }
        for _ in usize::from(self.length)..if self.length == 0 { 0 } else { behind } {
            whole = whole.checked_mul(100)?;
        }
        Some(if self.negative { -whole } else { whole })
    }

    /// The whole number, if it is one and fits.
    pub fn to_i64(self) -> Option<i64> {
        if self.exponent > 9 {
            return None;
        }
        self.to_i128().and_then(|number| i64::try_from(number).ok())
    }

    /// -1, 0 or 1.
    pub const fn signum(self) -> i8 {
        match (self.length, self.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        }
    }

    /// True for 0.
    pub const fn is_zero(self) -> bool {
        self.length == 0
    }

    /// The same number with the other sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self { negative: !self.negative && self.length > 0, ..self }
    }

    /// The digits to the base of 100, from the first to the last that is not 0.
    pub fn digits(&self) -> &[u8] {
        &self.digits[..usize::from(self.length)]
    }

    /// The same as decimal figures, two to a digit.
    pub(crate) fn figures(&self) -> String {
        let pairs = self.digits().iter().flat_map(|digit| [digit / 10, digit % 10]);
        pairs.map(|figure| char::from(b'0' + figure)).collect()
    }

    /// The bytes in which Oracle stores it and sends it: an exponent, and the digits, complemented if it is negative.
    pub(crate) fn stored(&self) -> Vec<u8> {
        let digits = self.digits();
        let exponent = self.exponent.to_le_bytes()[0];
        if digits.is_empty() {
            return vec![0x80];
        }
        if !self.negative {
            let digits = digits.iter().map(|digit| digit + 1);
            return std::iter::once(0xc1_u8.wrapping_add(exponent)).chain(digits).collect();
        }
        let ending = (digits.len() < Self::DIGITS_MAX).then_some(102);
        let digits = digits.iter().map(|digit| 101 - digit);
        std::iter::once(0x3e_u8.wrapping_sub(exponent)).chain(digits).chain(ending).collect()
    }

    /// The power of 100 of the first digit.
    pub const fn exponent(self) -> i32 {
        self.exponent as i32
    }
}

fn low_byte(number: u128) -> u8 {
    number.to_le_bytes()[0]
}

/// Adds one to the last of all digits; true if nothing but zeros remains, and one is carried.
fn carried(digits: &mut [u8]) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit < 99 {
            *digit += 1;
            return false;
        }
        *digit = 0;
    }
    true
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sizes = || (self.exponent, &self.digits).cmp(&(other.exponent, &other.digits));
        match self.signum().cmp(&other.signum()) {
            Ordering::Equal if self.negative => sizes().reverse(),
            Ordering::Equal => sizes(),
            unequal => unequal,
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Number {
    /// `12`, `-0.5`, all digits written out. Oracle shows the latter as `-.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(whole) = self.to_i64() {
            return write!(f, "{whole}");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let digit = |place: i32| {
            let place = usize::try_from(self.exponent() - place).unwrap_or(usize::MAX);
            self.digits().get(place).copied().unwrap_or(0)
        };
        for place in (0..=self.exponent().max(0)).rev() {
            if place == self.exponent().max(0) {
                write!(f, "{}", digit(place))?;
            } else {
                write!(f, "{:02}", digit(place))?;
            }
        }
        let last = self.exponent() - i32::from(self.length) + 1;
        if last < 0 {
            f.write_str(".")?;
        }
        for place in (last..0).rev() {
            if place == last && digit(place) % 10 == 0 {
                write!(f, "{}", digit(place) / 10)?;
            } else {
                write!(f, "{:02}", digit(place))?;
            }
        }
        Ok(())
    }
}

/// A text that is not a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotANumber {
    /// It does not look like one.
    #[error("not a number")]
    Malformed,
    /// It is 1e126 or more.
    #[error("numeric overflow")]
    TooLarge,
}

impl std::str::FromStr for Number {
    type Err = NotANumber;

    /// Digits with an optional sign, point and exponent.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let text = text.trim();
        let (plain, exponent) = match text.split_once(['e', 'E']) {
            Some((plain, exponent)) => {
                (plain, exponent.parse::<i32>().map_err(|_| NotANumber::Malformed)?)
            }
            None => (text, 0),
        };
        let (negative, plain) = match plain.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, plain.strip_prefix('+').unwrap_or(plain)),
        };
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if !all_digits || (whole.is_empty() && fraction.is_empty()) {
            return Err(NotANumber::Malformed);
        }
        let whole = whole.trim_start_matches('0');
        let figures = || whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0');
        let length = i64::try_from(whole.len()).map_err(|_| NotANumber::TooLarge)?;
        // The power of ten behind the last figure that stands before the point, once the exponent has moved it.
        let point = length + i64::from(exponent);
        let odd = point.rem_euclid(2) == 1;
        let mut digits = Vec::with_capacity(whole.len() / 2 + fraction.len() / 2 + 2);
        let mut pending = odd.then_some(0);
        for figure in figures() {
            match pending.take() {
                Some(tens) => digits.push(tens * 10 + figure),
                None => pending = Some(figure),
            }
        }
        digits.extend(pending.map(|tens| tens * 10));
        let first = (point + i64::from(odd)).div_euclid(2) - 1;
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        let limit = i64::from(i32::MAX / 2);
        let first = i32::try_from(first.clamp(-limit, limit)).unwrap_or(0);
        if zeros == digits.len() {
            return Ok(Self::ZERO);
        }
        Self::from_digits(negative, first, &digits).ok_or(NotANumber::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().expect("a number")
    }

    #[test]
    fn numbers_read_and_show_alike() {
        for (text, shown) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("12", "12"),
            ("-12.50", "-12.5"),
            (".5", "0.5"),
            ("-0.05", "-0.05"),
            ("0.005", "0.005"),
            ("123456.789", "123456.789"),
            ("1e3", "1000"),
            ("1.5E-3", "0.0015"),
            ("00000000000000000000000000000000000000000001", "1"),
            ("18446744073709551615", "18446744073709551615"),
            (
                "0.33333333333333333333333333333333333333333",
                "0.3333333333333333333333333333333333333333",
            ),
            (
                "99999999999999999999999999999999999999999",
                "100000000000000000000000000000000000000000",
            ),
            ("1e-131", "0"),
            ("1e-999999999", "0"),
        ] {
            assert_eq!(number(text).to_string(), shown, "{text}");
        }
        for text in ["", "-", ".", "1x", "e5", "--1", "1e"] {
            assert_eq!(text.parse::<Number>(), Err(NotANumber::Malformed), "{text}");
        }
        assert_eq!("1e126".parse::<Number>(), Err(NotANumber::TooLarge));
    }

    #[test]
    fn the_ends_of_the_range_are_kept() {
        assert_eq!(number("1e125").to_string(), format!("1{}", "0".repeat(125)));
        assert_eq!(number("1e-130").to_string(), format!("0.{}1", "0".repeat(129)));
        assert_eq!(number("9.99e125").to_f64().to_bits(), 9.99e125_f64.to_bits());
        assert_eq!(number("-1e-130").to_f64().to_bits(), (-1e-130_f64).to_bits());
    }

    #[test]
    fn numbers_compare_by_value() {
        assert!(number("1.5") < number("2"));
        assert!(number("-3") < number("-2.99"));
        assert!(number("-1e-130") < number("0"));
        assert!(number("1e-130") > number("0"));
        assert!(number("1e125") > number("1e124"));
        assert!(number("1") > number("0.0001"));
        assert_eq!(number("2.0"), number("2"));
        assert_eq!(Number::from_f64(0.1), Some(number("0.1")));
        assert_eq!(Number::from_f64(1.0 / 3.0), Some(number("0.333333333333333")));
        assert_eq!(
            Number::integer(i128::MIN).to_string(),
            "-170141183460469231731687303715884105728"
        );
    }

    #[test]
    fn whole_numbers_come_back() {
        for whole in [
            0,
            1,
            -1,
            99,
            100,
            101,
            10_000,
            123_456_789,
            i128::from(i64::MIN),
            i128::from(u64::MAX),
        ] {
            assert_eq!(Number::integer(whole).to_i128(), Some(whole));
            assert_eq!(Number::decimal(whole * 1000, 3), Number::integer(whole));
        }
        assert_eq!(number("1.5").to_i128(), None);
        assert_eq!(number("1e125").to_i128(), None);
        assert_eq!(number("1e-130").to_i64(), None);
    }
}
