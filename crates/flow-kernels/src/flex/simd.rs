//! Elementwise functions and sums, compiled for the widest instruction set that the CPU has.
//!
//! The functions have no branches, so the compiler turns loops over them into vector code. A
//! [`Kernel`] is compiled three times (AVX-512, AVX2 with FMA, baseline) and the CPU decides, once
//! per call, which copy runs.
#![allow(
    unsafe_code,
    reason = "entering code compiled for instructions that are detected at run time"
)]

/// A loop worth compiling for several instruction sets.
pub(crate) trait Kernel {
    type Output;

    /// Does the work. `FMA` says whether `a * b + c` is one fast instruction.
    ///
    /// Implementations carry `#[inline(always)]`, else they are compiled for the baseline only.
    fn run<const FMA: bool>(self) -> Self::Output;
}

/// Runs `kernel` with the best instructions available.
#[inline]
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            // SAFETY: the CPU has the features that the function is compiled for.
            return unsafe { run_avx512(kernel) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the CPU has the features that the function is compiled for.
            return unsafe { run_avx2(kernel) };
        }
        kernel.run::<false>()
    }
    #[cfg(not(target_arch = "x86_64"))]
    kernel.run::<{ cfg!(target_arch = "aarch64") }>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

/// `a * b + c`, rounded once where that is fast.
#[inline(always)]
pub(crate) fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// The exponential, within 2 units in the last place of `[-87.3, 88.3]` and clamped outside.
///
/// `exp(x) = 2^n exp(r)` with `n = round(x / ln 2)` and a polynomial for `|r| <= ln(2) / 2`. Not a
/// number stays so.
///
/// # Reference
/// Cephes Math Library (S. L. Moshier), `expf`: the split of `ln 2` and the coefficients.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693359375;
    const LN2_LOW: f32 = -2.12194440e-4;
    // Adding and subtracting 1.5 * 2^23 rounds to an integer, left in the low bits of the sum.
    const ROUND: f32 = 12582912.0;

    let x = x.clamp(-87.3, 88.3);
    let shifted = mul_add::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = mul_add::<FMA>(n, -LN2_LOW, mul_add::<FMA>(n, -LN2_HIGH, x));
    let mut p = 1.9875691500e-4;
    for coefficient in [
        1.3981999507e-3,
        8.3334519073e-3,
        4.1665795894e-2,
        1.6666665459e-1,
        5.0000001201e-1,
    ] {
        p = mul_add::<FMA>(p, r, coefficient);
    }
    let fraction = mul_add::<FMA>(p, r * r, r) + 1.0;
    let exponent = shifted.to_bits().wrapping_add(127).wrapping_shl(23);
    fraction * f32::from_bits(exponent)
}

/// `1 / (1 + exp(-z))`.
#[inline(always)]
pub(crate) fn sigmoid<const FMA: bool>(z: f32) -> f32 {
    1.0 / (1.0 + exp::<FMA>(-z))
}

/// `z sigmoid(z)`.
#[inline(always)]
pub(crate) fn silu<const FMA: bool>(z: f32) -> f32 {
    z * sigmoid::<FMA>(z)
}

/// The derivative of [`silu`]: `s (1 + z (1 - s))` with `s = sigmoid(z)`.
#[inline(always)]
pub(crate) fn silu_derivative<const FMA: bool>(z: f32) -> f32 {
    let s = sigmoid::<FMA>(z);
    s * mul_add::<FMA>(z, 1.0 - s, 1.0)
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
mod tests {
    use super::*;

    struct Exp(f32);

    impl Kernel for Exp {
        type Output = [f32; 2];

        #[inline(always)]
        fn run<const FMA: bool>(self) -> [f32; 2] {
            [exp::<FMA>(self.0), exp::<false>(self.0)]
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
    fn silu_has_the_derivative_of_its_central_difference() {
        for i in -80..=80 {
            let (z, h) = (f64::from(i) / 8.0, 1e-5);
            let f = |z: f64| z / (1.0 + (-z).exp());
            let expected = (f(z + h) - f(z - h)) / (2.0 * h);
            // The difference quotient is good to 1e-10, the kernel to a few f32 roundings of 1.1.
            let error = (f64::from(silu_derivative::<false>(z as f32)) - expected).abs();
            assert!(error < 1e-6, "silu'({z}) is off by {error:e}");
        }
    }

    #[test]
    fn sums_include_the_ragged_end() {
        for n in [0, 1, 31, 32, 33, 100] {
            let x: Vec<f32> = (1..=n).map(|i| i as f32).collect();
            assert_eq!(sum_of(&x, |x| x), (n * (n + 1) / 2) as f32);
        }
    }
}
