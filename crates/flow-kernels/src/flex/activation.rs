//! The activations of [`Activation`] in vector form, and loops that apply them.
#![allow(unsafe_code, reason = "result buffers are not zeroed before they are written")]

use std::{marker::PhantomData, mem::MaybeUninit};

use burn::backend::flex::FlexTensor;

use super::{
    buffer::{Place, written},
    parallel::for_each,
    simd::{Simd, WithSimd, dispatch, exp, mul_add},
    slice, tensor, transform,
};
use crate::Activation;

/// Elements of a piece of an elementwise loop.
const PIECE: usize = 1 << 14;

/// A function and its derivative, both without branches.
pub(crate) trait Function {
    fn value<S: Simd>(z: f32) -> f32;

    fn derivative<S: Simd>(z: f32) -> f32;
}

/// What is done with the function that an [`Activation`] names.
pub(crate) trait WithFunction {
    type Output;

    fn with_function<F: Function>(self) -> Self::Output;
}

/// Calls `visitor` with the function of `act`, so that the choice is made once and not per element.
#[inline(always)]
pub(crate) fn choose<V: WithFunction>(act: Activation, visitor: V) -> V::Output {
    match act {
        Activation::Identity => visitor.with_function::<Identity>(),
        Activation::Silu => visitor.with_function::<Silu>(),
        Activation::Gelu => visitor.with_function::<Gelu>(),
        Activation::GeluTanh => visitor.with_function::<GeluTanh>(),
    }
}

struct Identity;

impl Function for Identity {
    #[inline(always)]
    fn value<S: Simd>(z: f32) -> f32 {
        z
    }

    #[inline(always)]
    fn derivative<S: Simd>(_: f32) -> f32 {
        1.0
    }
}

struct Silu;

#[inline(always)]
fn sigmoid<S: Simd>(z: f32) -> f32 {
    1.0 / (1.0 + exp::<S>(-z))
}

impl Function for Silu {
    #[inline(always)]
    fn value<S: Simd>(z: f32) -> f32 {
        z * sigmoid::<S>(z)
    }

    #[inline(always)]
    fn derivative<S: Simd>(z: f32) -> f32 {
        let s = sigmoid::<S>(z);
        s * mul_add::<S>(z, 1.0 - s, 1.0)
    }
}

struct Gelu;

/// `Phi(z)`, within `1.2e-7`, and `exp(-z^2 / 2)`.
///
/// `Phi(-|z|) = erfc(|z| / sqrt 2) / 2`, with `erfc(x) = (a_1 s + .. + a_5 s^5) exp(-x^2)` and
/// `s = 1 / (1 + p x)`.
///
/// # Reference
/// Abramowitz & Stegun (1964), "Handbook of Mathematical Functions", formula 7.1.26 (Hastings).
#[inline(always)]
fn normal<S: Simd>(z: f32) -> (f32, f32) {
    const P: f32 = 0.3275911 * std::f32::consts::FRAC_1_SQRT_2;
    let bell = exp::<S>(-0.5 * z * z);
    let s = 1.0 / mul_add::<S>(P, z.abs(), 1.0);
    let mut polynomial = 1.061405429;
    for coefficient in [-1.453152027, 1.421413741, -0.284496736, 0.254829592] {
        polynomial = mul_add::<S>(polynomial, s, coefficient);
    }
    let tail = 0.5 * polynomial * s * bell;
    (if z < 0.0 { tail } else { 1.0 - tail }, bell)
}

impl Function for Gelu {
    #[inline(always)]
    fn value<S: Simd>(z: f32) -> f32 {
        z * normal::<S>(z).0
    }

    #[inline(always)]
    fn derivative<S: Simd>(z: f32) -> f32 {
        const PEAK: f32 = 0.3989422804014327; // 1 / sqrt(2 pi)
        let (below, bell) = normal::<S>(z);
        mul_add::<S>(PEAK * z, bell, below)
    }
}

struct GeluTanh;

impl GeluTanh {
    /// `2 sqrt(2 / pi)`.
    const SLOPE: f32 = 1.5957691216057308;
    const CUBIC: f32 = 0.044715;
}

impl Function for GeluTanh {
    #[inline(always)]
    fn value<S: Simd>(z: f32) -> f32 {
        let u = Self::SLOPE * z * mul_add::<S>(Self::CUBIC * z, z, 1.0);
        z * sigmoid::<S>(u)
    }

    #[inline(always)]
    fn derivative<S: Simd>(z: f32) -> f32 {
        // Beyond 10 the function is straight, and an exponential that overflows is no slope.
        let near = z.clamp(-10.0, 10.0);
        let square = Self::CUBIC * near * near;
        let e = exp::<S>(-Self::SLOPE * near * (square + 1.0));
        let s = 1.0 / (1.0 + e);
        let slope = Self::SLOPE * mul_add::<S>(3.0, square, 1.0);
        // `e s` is `1 - s` with all its digits, and `z e` could overflow.
        s * mul_add::<S>(near * (e * s), slope, 1.0)
    }
}

/// Replaces numbers by the activation of them.
pub(crate) fn activate(z: &mut [f32], act: Activation) {
    if act != Activation::Identity {
        dispatch(Map { place: Place::Within(z), act });
    }
}

/// The activation of a tensor that is kept.
pub(crate) fn activated(z: &FlexTensor, act: Activation) -> FlexTensor {
    let numbers = slice(z);
    let write = |to: &mut [MaybeUninit<f32>]| {
        let pieces = Place::Apart { from: numbers, to }.pieces(PIECE);
        for_each(pieces.into_iter(), numbers.len(), |place| dispatch(Map { place, act }));
    };
    // SAFETY: the pieces cover all elements, and each is mapped.
    let y = unsafe { written(numbers.len(), write) };
    tensor(y, z.layout().shape().clone())
}

struct Map<'a> {
    place: Place<'a>,
    act: Activation,
}

impl WithSimd for Map<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        struct Apply<'a, S>(Place<'a>, PhantomData<S>);

        impl<S: Simd> WithFunction for Apply<'_, S> {
            type Output = ();

            #[inline(always)]
            fn with_function<F: Function>(self) {
                self.0.map(|z| F::value::<S>(z));
            }
        }

        choose(self.act, Apply(self.place, PhantomData::<S>));
    }
}

/// `dL/dz = g act'(z)` from `g = dL/dy`.
pub(crate) fn differentiate(g: FlexTensor, z: &FlexTensor, act: Activation) -> FlexTensor {
    let z = slice(z);
    let write = |place: Place<'_>| {
        let pieces = place.pieces(PIECE).into_iter().zip(z.chunks(PIECE));
        for_each(pieces, z.len(), |(g, z)| dispatch(Chain { g, z, act }));
    };
    // SAFETY: the pieces cover all elements, and each is mapped.
    unsafe { transform(g, write) }
}

struct Chain<'a> {
    g: Place<'a>,
    z: &'a [f32],
    act: Activation,
}

impl WithSimd for Chain<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        struct Apply<'a, S>(Chain<'a>, PhantomData<S>);

        impl<S: Simd> WithFunction for Apply<'_, S> {
            type Output = ();

            #[inline(always)]
            fn with_function<F: Function>(self) {
                self.0.g.map_with(self.0.z, |g, z| g * F::derivative::<S>(z));
            }
        }

        choose(self.act, Apply(self, PhantomData::<S>));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `erfc` by its series near zero and its continued fraction in the tails.
    fn erfc(x: f64) -> f64 {
        if x < 0.0 {
            return 2.0 - erfc(-x);
        }
        let root = std::f64::consts::PI.sqrt();
        if x < 2.0 {
            let (mut term, mut sum) = (x, x);
            for n in 1..80 {
                term *= -x * x / f64::from(n);
                sum += term / f64::from(2 * n + 1);
            }
            return 1.0 - 2.0 / root * sum;
        }
        let fraction = (1..120).rev().fold(x, |f, k| x + 0.5 * f64::from(k) / f);
        (-x * x).exp() / (root * fraction)
    }

    #[derive(Clone, Copy)]
    struct At<F>(f32, PhantomData<F>);

    impl<F: Function> WithSimd for At<F> {
        type Output = [f32; 2];

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> [f32; 2] {
            [F::value::<S>(self.0), F::derivative::<S>(self.0)]
        }
    }

    /// Largest errors of value and derivative against `f`, the latter by central differences.
    fn errors<F: Function>(f: impl Fn(f64) -> f64) -> [f64; 2] {
        let mut worst = [0.0_f64; 2];
        for i in -1600..=1600 {
            let (z, h) = (f64::from(i) / 128.0, 1e-5);
            let expected = [f(z), (f(z + h) - f(z - h)) / (2.0 * h)];
            let got = dispatch(At(z as f32, PhantomData::<F>));
            for ((worst, got), expected) in worst.iter_mut().zip(got).zip(expected) {
                *worst = worst.max((f64::from(got) - expected).abs() / (1.0 + z.abs()));
            }
        }
        worst
    }

    #[test]
    fn activations_and_their_derivatives_err_by_a_few_roundings() {
        // The difference quotient is good to 1e-10. A rounding of f32 is 6e-8, the formula for the
        // normal law errs by 7.5e-8 and is multiplied by z, which the error is divided by.
        let silu = errors::<Silu>(|z| z / (1.0 + (-z).exp()));
        let gelu = errors::<Gelu>(|z| 0.5 * z * erfc(-z * std::f64::consts::FRAC_1_SQRT_2));
        let root = (2.0 / std::f64::consts::PI).sqrt();
        let tanh =
            errors::<GeluTanh>(|z| 0.5 * z * (1.0 + (root * (z + 0.044715 * z.powi(3))).tanh()));
        for error in [silu, gelu, tanh].as_flattened() {
            assert!(*error < 3e-7, "silu is off by {silu:?}, gelu by {gelu:?}, tanh by {tanh:?}");
        }
    }

    #[test]
    fn saturated_and_undefined_arguments_stay_what_they_are() {
        for act in [Activation::Silu, Activation::Gelu, Activation::GeluTanh] {
            let mut z = [100.0, -100.0, f32::NAN];
            activate(&mut z, act);
            assert!((z[0] - 100.0).abs() < 1e-4 && z[1].abs() < 1e-6 && z[2].is_nan(), "{z:?}");
        }
    }
}
