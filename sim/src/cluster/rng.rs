//! The one source of chance. SplitMix64: eight bytes of state, so that each client can carry its own stream and what
//! happens to one does not change the dice of another; and nothing outside this file can change its sequence, which a
//! crate's next release could.

/// A stream of numbers that a seed decides.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// The stream of a seed.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another stream, decided by this one.
    pub(super) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// 64 even bits.
    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("the upper half of a product fits")
    }

    /// A place in a list of so many.
    pub(super) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below a usize")
    }

    /// Even in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// True with a probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Exponential with a mean, in whole units; never more than 20 means.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a mean is far below 2^53 and the result below 20 means"
    )]
    pub(super) fn exponential(&mut self, mean: i64) -> i64 {
        let factor = -(1.0 - self.unit()).ln();
        (factor.min(20.0) * mean as f64) as i64
    }

    /// Even in `[low, high)`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low).unwrap_or(0).max(1);
        low + i64::try_from(self.below(span)).expect("below an i64")
    }
}

/// SplitMix64's finisher; also a hash of small numbers.
pub(super) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_the_stream_and_its_shape_is_right() {
        // The reference sequence of SplitMix64 from seed 1234567.
        let mut rng = Rng::new(1_234_567);
        assert_eq!(rng.next(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next(), 3_203_168_211_198_807_973);
        let mut rng = Rng::new(7);
        let total: i64 = (0..20_000).map(|_| rng.exponential(1_000)).sum();
        assert!((960..1_040).contains(&(total / 20_000)), "{total}");
        assert!((0..1_000).all(|_| (3..9).contains(&rng.between(3, 9))));
    }
}
