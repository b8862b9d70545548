//! Elementwise functions and sums, compiled for the widest instruction set that the CPU has.
//!
//! The functions have no branches, so the compiler turns loops over them into vector code. A
//! [`WithSimd`] is compiled for AVX-512, for AVX2 with FMA and for the baseline, and the CPU
//! decides at each call which copy runs. Its `with_simd` must carry `#[inline(always)]`, else it is
//! compiled for the baseline alone.

pub(crate) use pulp::{Simd, WithSimd};

/// Runs `kernel` with the best instructions available.
#[inline]
pub(crate) fn dispatch<K: WithSimd>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = pulp::x86::V4::try_new() {
            return Simd::vectorize(simd, kernel);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return Simd::vectorize(simd, kernel);
        }
    }
    pulp::Arch::new().dispatch(kernel)
}

/// Numbers in a vector of this CPU, 1 if it has none.
pub(crate) fn lanes() -> usize {
    struct Lanes;

    impl WithSimd for Lanes {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }

    dispatch(Lanes)
}

/// `a * b + c`, rounded once where that is fast.
#[inline(always)]
pub(crate) fn mul_add<S: Simd>(a: f32, b: f32, c: f32) -> f32 {
    if S::IS_SCALAR { a * b + c } else { a.mul_add(b, c) }
}

/// The exponential, within 2 units in the last place of `[-87.3, 88.3]` and clamped outside.
///
/// `exp(x) = 2^n exp(r)` with `n = round(x / ln 2)` and a polynomial for `|r| <= ln(2) / 2`. Not a
/// number stays so.
///
/// # Reference
/// Cephes Math Library (S. L. Moshier), `expf`: the split of `ln 2` and the coefficients.
#[inline(always)]
pub(crate) fn exp<S: Simd>(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693359375;
    const LN2_LOW: f32 = -2.12194440e-4;
    // Adding and subtracting 1.5 * 2^23 rounds to an integer, left in the low bits of the sum.
    const ROUND: f32 = 12582912.0;

    let x = x.clamp(-87.3, 88.3);
    let shifted = mul_add::<S>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = mul_add::<S>(n, -LN2_LOW, mul_add::<S>(n, -LN2_HIGH, x));
    let mut p = 1.9875691500e-4;
    for coefficient in
        [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]
    {
        p = mul_add::<S>(p, r, coefficient);
    }
    let fraction = mul_add::<S>(p, r * r, r) + 1.0;
    let exponent = shifted.to_bits().wrapping_add(127).wrapping_shl(23);
    fraction * f32::from_bits(exponent)
}

/// Partial sums held in vector registers.
pub(crate) const LANES: usize = 32;

/// The sum of an array's elements, by halving.
#[inline(always)]
pub(crate) fn sum_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while 0 < width {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// `sum_i term(x_i)`, in an order that depends on the length alone.
#[inline(always)]
pub(crate) fn sum_of(x: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (blocks, rest) = x.as_chunks::<LANES>();
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane += term(x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane += term(x);
    }
    sum_lanes(lanes)
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "sums of small integers are exact")]
mod tests {
    use super::*;

    struct Exp(f32);

    impl WithSimd for Exp {
        type Output = [f32; 2];

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> [f32; 2] {
            [exp::<S>(self.0), exp::<pulp::Scalar>(self.0)]
        }
    }

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        for i in -87_300..=88_300 {
            let x = i as f32 / 1000.0;
            let exact = f64::from(x).exp();
            for value in dispatch(Exp(x)) {
                let error = (f64::from(value) / exact - 1.0).abs();
                assert!(
                    error <= 2.0 * f64::from(f32::EPSILON),
                    "exp({x}) = {value}, relative error {error:e}"
                );
            }
        }
    }

    #[test]
    fn exp_saturates_and_keeps_not_a_number() {
        assert!(dispatch(Exp(-1e30))[0] < 2e-38);
        assert!(2e38 < dispatch(Exp(1e30))[0]);
        assert!(dispatch(Exp(f32::NAN))[0].is_nan());
    }

    #[test]
    fn sums_include_the_ragged_end() {
        for n in [0, 1, 31, 32, 33, 100] {
            let x: Vec<f32> = (1..=n).map(|i| i as f32).collect();
            assert_eq!(sum_of(&x, |x| x), (n * (n + 1) / 2) as f32);
        }
    }
}
