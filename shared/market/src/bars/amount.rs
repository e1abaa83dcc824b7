use std::{fmt, str::FromStr};

/// An exact decimal with 20 digits before the point and 18 after it, as SQL's `DECIMAL(38,18)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

/// The digits after the point.
const SCALE: u32 = 18;
const ONE: i128 = 10_i128.pow(SCALE);
/// The first unscaled number with 39 digits.
const LIMIT: u128 = 10_u128.pow(38);

/// A number that an [`Amount`] can't hold exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no decimal number with at most 20 digits before the point and 18 after it")]
pub struct AmountError;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The amount of this many 10⁻¹⁸; `None` beyond 38 digits.
    pub fn from_unscaled(unscaled: i128) -> Option<Self> {
        (unscaled.unsigned_abs() < LIMIT).then_some(Self(unscaled))
    }

    /// How many 10⁻¹⁸ it is.
    pub fn unscaled(self) -> i128 {
        self.0
    }

    /// The sum; `None` beyond 38 digits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::from_unscaled(self.0.checked_add(other.0)?)
    }

    /// The difference; `None` beyond 38 digits.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::from_unscaled(self.0.checked_sub(other.0)?)
    }

    /// The product, rounded half away from zero to 18 digits after the point; `None` beyond 38 digits.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let magnitude = product(self.0.unsigned_abs(), other.0.unsigned_abs())?;
        let magnitude = i128::try_from(magnitude).ok()?;
        let negative = (self.0 < 0) != (other.0 < 0);
        Self::from_unscaled(if negative { -magnitude } else { magnitude })
    }

    /// The nearest 64-bit float; of more than 15 digits perhaps the one beside it.
    #[expect(clippy::cast_precision_loss, reason = "that is what is asked for")]
    pub fn to_f64(self) -> f64 {
        // Without its zeros the number is exact as a float, as is the power of ten, so that one division rounds.
        let (mut digits, mut one) = (self.0, ONE);
        while one > 1 && digits % 10 == 0 {
            digits /= 10;
            one /= 10;
        }
        digits as f64 / one as f64
    }

    /// Reads a JSON number, with or without an exponent.
    pub(super) fn parse(digits: &[u8]) -> Option<Self> {
        let (negative, digits) = match digits.split_first() {
            Some((b'-', rest)) => (true, rest),
            _ => (false, digits),
        };
        let mut unscaled: u128 = 0;
        // How many of the digits read so far are behind the point.
        let mut scale = None;
        let mut seen = false;
        let mut zeros = 0_u32;
        for (at, byte) in digits.iter().enumerate() {
            match byte {
                b'0' => {
                    seen = true;
                    zeros += 1;
                }
                b'1'..=b'9' => {
                    seen = true;
                    unscaled = raise(unscaled, zeros + 1)?.checked_add(u128::from(byte - b'0'))?;
                    if let Some(scale) = &mut scale {
                        *scale += i64::from(zeros + 1);
                    }
                    zeros = 0;
                }
                b'.' if scale.is_none() => {
                    unscaled = raise(unscaled, zeros)?;
                    zeros = 0;
                    scale = Some(0_i64);
                }
                b'e' | b'E' if seen => {
                    if scale.is_none() {
                        unscaled = raise(unscaled, zeros)?;
                    }
                    let exponent = str::from_utf8(&digits[at + 1..]).ok()?;
                    let exponent: i64 = exponent.parse().ok()?;
                    let power = (i64::from(SCALE) - scale.unwrap_or(0)).checked_add(exponent)?;
                    return Self::scaled(negative, unscaled, power);
                }
                _ => return None,
            }
        }
        if scale.is_none() {
            unscaled = raise(unscaled, zeros)?;
        }
        let power = i64::from(SCALE) - scale.unwrap_or(0);
        seen.then(|| Self::scaled(negative, unscaled, power))?
    }

    /// The number times 10 to `power`, if that is exact.
    fn scaled(negative: bool, mut number: u128, power: i64) -> Option<Self> {
        if number == 0 {
            return Some(Self::ZERO);
        }
        if power >= 0 {
            number = raise(number, u32::try_from(power).ok()?)?;
        }
        for _ in power..0 {
            if !number.is_multiple_of(10) {
                return None;
            }
            number /= 10;
        }
        let number = i128::try_from(number).ok()?;
        Self::from_unscaled(if negative { -number } else { number })
    }
}

/// The number with `zeros` more zeros behind it.
fn raise(number: u128, zeros: u32) -> Option<u128> {
    if number == 0 {
        return Some(0);
    }
    number.checked_mul(10_u128.checked_pow(zeros)?)
}

/// The product of two unscaled numbers over 10¹⁸, rounded half up.
fn product(a: u128, b: u128) -> Option<u128> {
    let one = ONE.unsigned_abs();
    if let Some(exact) = a.checked_mul(b) {
        return Some(round(exact / one, exact % one));
    }
    // a·b/10¹⁸ by the whole and the fraction of a.
    let whole = (a / one).checked_mul(b)?;
    let fraction = a % one;
    let rest = fraction * (b / one);
    let last = fraction * (b % one);
    whole
        .checked_add(rest)?
        .checked_add(round(last / one, last % one))
}

fn round(quotient: u128, remainder: u128) -> u128 {
    quotient + u128::from(remainder * 2 >= ONE.unsigned_abs())
}

impl From<u32> for Amount {
    fn from(whole: u32) -> Self {
        Self(i128::from(whole) * ONE)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        Self::parse(text.as_bytes()).ok_or(AmountError)
    }
}

impl fmt::Display for Amount {
    /// The shortest digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let one = ONE.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}", magnitude / one)?;
        let fraction = magnitude % one;
        if fraction == 0 {
            return Ok(());
        }
        let digits = format!("{fraction:0width$}", width = SCALE as usize);
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_read_exactly_and_written_back(
            whole in 0..10_u128.pow(20), fraction in 0..10_u64.pow(18), negative in any::<bool>(),
        ) {
            let sign = if negative { "-" } else { "" };
            let text = format!("{sign}{whole}.{fraction:018}");
            let unscaled = i128::try_from(whole * 10_u128.pow(18) + u128::from(fraction)).unwrap();
            let unscaled = if negative { -unscaled } else { unscaled };
            let amount: Amount = text.parse().unwrap();
            prop_assert_eq!(amount.unscaled(), unscaled);
            prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
            prop_assert_eq!(format!("{text}00").parse::<Amount>(), Ok(amount));
        }

        #[test]
        fn an_exponent_moves_the_point(digits in 1..1_000_000_u32, exponent in -18..14_i32) {
            let text = format!("{digits}e{exponent}");
            let expected = Decimal::from_scientific(&text).unwrap();
            prop_assert_eq!(text.parse::<Amount>().unwrap().to_string(), expected.normalize().to_string());
            let plus = format!("{digits}.50E+2");
            prop_assert_eq!(plus.parse::<Amount>().unwrap().to_string(), format!("{}", u64::from(digits) * 100 + 50));
        }

        #[test]
        fn a_number_of_few_digits_is_the_float_that_a_parser_reads(digits in 0..10_u64.pow(15), scale in 0..16_usize) {
            let digits = format!("{digits:016}");
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            let text = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
            let amount: Amount = text.trim_start_matches('0').parse().unwrap_or(Amount::ZERO);
            prop_assert_eq!(amount.to_f64(), amount.to_string().parse::<f64>().unwrap());
        }

        #[test]
        fn a_product_is_rounded_half_away_from_zero(
            a in -10_i64.pow(15)..10_i64.pow(15), b in -10_i64.pow(15)..10_i64.pow(15),
        ) {
            // Ten digits after each point: exact in 20, which a Decimal of 28 digits holds.
            let amount = |n: i64| Amount::from_unscaled(i128::from(n) * 10_i128.pow(8)).unwrap();
            let exact = i128::from(a) * i128::from(b);
            let magnitude = (exact.unsigned_abs() + 50) / 100;
            let expected = i128::try_from(magnitude).unwrap() * if exact < 0 { -1 } else { 1 };
            prop_assert_eq!(amount(a).checked_mul(amount(b)).unwrap().unscaled(), expected);
        }

        #[test]
        fn any_text_is_a_number_or_none(text in "[-+0-9.eE]{0,24}") {
            if let Ok(amount) = text.parse::<Amount>() {
                let decimal = Decimal::from_scientific_lossy(&text).or_else(|_| text.parse::<Decimal>());
                if let Ok(decimal) = decimal {
                    prop_assert_eq!(amount.to_string(), decimal.normalize().to_string());
                }
            }
        }
    }

    #[test]
    fn what_has_more_digits_is_none() {
        for text in [
            "",
            "-",
            ".",
            "1e",
            "NaN",
            "1.0000000000000000001",
            "100000000000000000000",
            "1e20",
            "1e-19",
            "1e99999999999999999999",
            "1.2.3",
            "1e9223372036854775807",
            "0.00000000000000000000001e-9223372036854775808",
        ] {
            assert_eq!(text.parse::<Amount>(), Err(AmountError), "{text}");
        }
        assert_eq!(
            "0e99".parse::<Amount>(),
            Ok(Amount::ZERO),
            "a zero is a zero"
        );
        let largest = "99999999999999999999.999999999999999999";
        let largest: Amount = largest.parse().unwrap();
        assert_eq!(
            largest.checked_add("0.000000000000000001".parse().unwrap()),
            None
        );
        assert_eq!(largest.checked_mul(Amount::from(2)), None);
        assert_eq!(largest.checked_mul(Amount::from(1)), Some(largest));
    }
}
