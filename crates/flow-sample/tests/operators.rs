//! Every linear operator does what it says and has the adjoint that it claims.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::tensor::{Device, Tensor, TensorData};
use flow_sample::{Blur, Dense, LinearOperator, Mask, Pool, SampleError, Sparse, adjoint_gap};

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
        ("few entries", Box::new(Sparse::new(&entries(), (48, 5), &device).unwrap())),
        ("sums of lines", Box::new(Sparse::sums(&lines(), &device).unwrap())),
    ]
}

/// A few entries of a matrix of 5 x 48 numbers, two of them at the same place.
fn entries() -> Vec<(usize, usize, f32)> {
    let entry = |k: usize| (k * 3 % 5, k * 7 % 48, (k as f32 * 0.73).sin());
    (0..20).map(entry).chain([(0, 0, 0.5)]).collect()
}

/// The line of each pixel in six lines of eight.
fn lines() -> Vec<usize> {
    (0..48).map(|pixel| pixel / 8).collect()
}

#[test]
fn few_entries_are_the_matrix_that_holds_them() {
    let device = Device::flex();
    let mut matrix = vec![0.0_f32; 5 * 48];
    for (i, j, weight) in entries() {
        matrix[i * 48 + j] += weight;
    }
    let matrix = Dense::new(Tensor::from_data(TensorData::new(matrix, [5, 48]), &device));
    let sparse = Sparse::new(&entries(), (48, 5), &device).unwrap();
    let near =
        |a: Tensor<2>, b: Tensor<2>| host(a).iter().zip(host(b)).all(|(a, b)| (a - b).abs() < 1e-5);
    let (x, y) = (numbers(3, 48), numbers(3, 5));
    assert!(near(sparse.apply(&x), matrix.apply(&x)));
    assert!(near(sparse.adjoint(&y), matrix.adjoint(&y)));
    let x = numbers(1, 48);
    let sums = host(Sparse::sums(&lines(), &device).unwrap().apply(&x));
    let want: Vec<f64> = host(x).chunks(8).map(|line| line.iter().sum()).collect();
    assert!(sums.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-5) && sums.len() == 6);
}

#[test]
fn entries_outside_the_matrix_are_refused() {
    let device = Device::flex();
    let refused = |entries: &[(usize, usize, f32)]| {
        let error = Sparse::new(entries, (3, 2), &device).unwrap_err();
        assert!(matches!(error, SampleError::Parameter { .. }), "{error}");
        error.to_string()
    };
    assert_eq!(refused(&[(2, 0, 1.0)]), "row of an entry is 2: it must lie in [0, 1]");
    assert_eq!(refused(&[(1, 3, 1.0)]), "column of an entry is 3: it must lie in [0, 2]");
    assert!(refused(&[(0, 0, f32::NAN)]).starts_with("weight of an entry is NaN"));
    assert!(refused(&[]).starts_with("number of entries is 0"));
    Sparse::new(&[(1, 2, 1.0)], (3, 2), &device).unwrap();
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
