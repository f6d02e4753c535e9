//! How far it is to the next sample: a number drawn anew each time, so that no loop of the program can fall in step.

use core::ffi::c_ulong;

#[link(name = "c")]
unsafe extern "C" {
    safe fn getauxval(what: c_ulong) -> c_ulong;
}

/// Draws numbers: splitmix64. Whoever holds the sampler's lock may.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// Another one in each process.
    pub(crate) fn seed() -> u64 {
        const AT_RANDOM: c_ulong = 25;
        let bytes = getauxval(AT_RANDOM) as *const u64;
        // SAFETY: where the kernel has put sixteen of them.
        if bytes.is_null() { 1 } else { unsafe { bytes.read_unaligned() } }
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// At least 1, and `mean` on the average: as if each byte were sampled with the chance 1 in `mean`, whatever
    /// became of those before it.
    pub(crate) fn distance(&mut self, mean: isize) -> isize {
        let twice = mean.unsigned_abs().saturating_mul(2).saturating_sub(1);
        if twice <= 1 {
            return 1;
        }
        // The whole part of an exponential variable is a geometric one; of this mean, but for a 12th of a byte.
        let long = minus_ln(self.next() | 1).saturating_mul(twice as u128) >> 33;
        isize::try_from(long).unwrap_or(isize::MAX).saturating_add(1)
    }
}

/// -ln(number / 2^64), in 2^-32.
fn minus_ln(number: u64) -> u128 {
    let zeros = number.leading_zeros();
    // The logarithm to base 2 of what stands behind the zeros, as a number from 1 to 2, bit by bit.
    let mut rest = (number << zeros) >> 32;
    let mut bits = 0u64;
    for _ in 0..16 {
        rest = (rest * rest) >> 31;
        bits <<= 1;
        if rest >> 32 != 0 {
            bits |= 1;
            rest >>= 1;
        }
    }
    const LN_2: u128 = 45_426; // in 2^-16
    (((u128::from(zeros) + 1) << 16) - u128::from(bits)) * LN_2
}
