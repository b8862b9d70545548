//! Every linear operator does what it says and has the adjoint that it claims.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::tensor::{Device, Tensor, TensorData};
use flow_sample::{Blur, Dense, LinearOperator, Mask, Pool, adjoint_gap};

fn host(x: Tensor<2>) -> Vec<f64> {
    x.into_data().convert::<f64>().try_into_vec().unwrap()
}

/// Row by row numbers that repeat nowhere.
fn numbers(rows: usize, columns: usize) -> Tensor<2> {
    let numbers: Vec<f32> = (0..rows * columns).map(|i| (i as f32 * 0.73).sin()).collect();
    Tensor::from_data(TensorData::new(numbers, [rows, columns]), &Device::flex())
}

fn operators() -> Vec<(&'static str, Box<dyn LinearOperator>)> {
    let device = Device::flex();
    let known: Vec<bool> = (0..48).map(|i| i % 5 != 2).collect();
    let rows: Vec<bool> = (0..96).map(|i| i % 7 < 3).collect();
    vec![
        ("mask", Box::new(Mask::new(&known, 48, &device))),
        ("masks of rows", Box::new(Mask::new(&rows, 48, &device))),
        ("pool", Box::new(Pool::new([3, 4, 4], 2))),
        ("pool of lines", Box::new(Pool::new([1, 4, 12], 4))),
        ("blur", Box::new(Blur::new([3, 2, 8], 1.3, &device))),
        ("matrix", Box::new(Dense::new(numbers(5, 48)))),
        ("sum", Box::new(Dense::new(Tensor::ones([1, 48], &device)))),
    ]
}

#[test]
fn every_adjoint_is_one() {
    for (name, operator) in operators() {
        let gap = adjoint_gap(&*operator, 6, 4, &Device::flex());
        // Sums of 48 products in single precision.
        assert!(gap < 1e-5, "{name}: {gap}");
        assert_eq!(operator.sizes().0, 48, "{name}");
    }
}

/// Another operator in the place of the adjoint.
struct Wrong<A, B>(A, B);

impl<A, B> std::fmt::Debug for Wrong<A, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wrong")
    }
}

impl<A, B> LinearOperator for Wrong<A, B>
where
    A: LinearOperator,
    B: Fn(&Tensor<2>) -> Tensor<2> + Send + Sync,
{
    fn sizes(&self) -> (usize, usize) {
        self.0.sizes()
    }

    fn apply(&self, x: &Tensor<2>) -> Tensor<2> {
        self.0.apply(x)
    }

    fn adjoint(&self, y: &Tensor<2>) -> Tensor<2> {
        (self.1)(y)
    }
}

#[test]
fn a_wrong_adjoint_is_found() {
    let device = Device::flex();
    let blur = Blur::new([1, 6, 8], 1.3, &device);
    let blurred = |y: &Tensor<2>| blur.apply(y);
    let itself = adjoint_gap(&Wrong(blur.clone(), blurred), 6, 4, &device);
    assert!(1e-3 < itself, "a blur is not its own adjoint near the border: {itself}");
    let pool = Pool::new([3, 4, 4], 2);
    let spread = |y: &Tensor<2>| pool.adjoint(y) * 4.0;
    let scaled = adjoint_gap(&Wrong(pool, spread), 6, 4, &device);
    assert!(1e-2 < scaled, "repeated pixels are four times the adjoint: {scaled}");
    let matrix = Dense::new(numbers(5, 48));
    let negative = |y: &Tensor<2>| matrix.adjoint(y) * -1.0;
    let sign = adjoint_gap(&Wrong(matrix.clone(), negative), 6, 4, &device);
    assert!(1e-2 < sign, "{sign}");
}

#[test]
fn a_mask_keeps_what_is_known_of_each_row_and_of_its_copies() {
    let mask = Mask::new(&[true, false, false, true], 2, &Device::flex());
    let x = Tensor::from_data([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], &Device::flex());
    assert_eq!(host(mask.apply(&x)), [1.0, 0.0, 0.0, 4.0, 5.0, 0.0, 0.0, 8.0]);
    assert_eq!(host(mask.seen(&x)), [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn pooled_pixels_are_the_means_of_their_squares() {
    // Two channels of two rows of four pixels.
    let x: Vec<f32> = (0..16).map(|i| i as f32).collect();
    let x = Tensor::from_data(TensorData::new(x, [1, 16]), &Device::flex());
    assert_eq!(host(Pool::new([2, 2, 4], 2).apply(&x)), [2.5, 4.5, 10.5, 12.5]);
}

#[test]
fn a_blur_keeps_a_plain_picture_and_spreads_a_point_evenly() {
    let device = Device::flex();
    let blur = Blur::new([1, 9, 9], 1.0, &device);
    let plain = host(blur.apply(&Tensor::ones([1, 81], &device)));
    assert!(plain.iter().all(|pixel| (pixel - 1.0).abs() < 1e-6), "{plain:?}");
    let mut point = vec![0.0_f32; 81];
    point[40] = 1.0;
    let seen = host(blur.apply(&Tensor::from_data(TensorData::new(point, [1, 81]), &device)));
    // Neighbours across and down see it alike, one standard deviation away.
    let fall = (-0.5_f64).exp();
    for (pixel, want) in [(39, fall), (41, fall), (31, fall), (49, fall), (50, fall * fall)] {
        assert!((seen[pixel] / seen[40] - want).abs() < 1e-3, "{pixel}: {}", seen[pixel]);
    }
}
