//! Awkward numbers in what a question is made of.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, Tensor, TensorData};
use flow_path::{Exact, Gaussian, Linear};
use flow_sample::{
    Blur, Conditioned, Ddim, Dense, Dps, Draws, Evidence, LinearOperator, Mask, Measurement,
    Observation, ObservationNoise, Pool, Sparse, Threshold, Way, adjoint_gap,
};
use flow_testing::awkward::{SCALARS, rows};

const ALONE: ObservationNoise = ObservationNoise::Gaussian { std: 1.0 };

fn tensor(numbers: Vec<f32>) -> Tensor<2> {
    Tensor::from_data(TensorData::new(numbers.clone(), [numbers.len() / 2, 2]), &Device::flex())
}

fn host(x: Tensor<2>) -> Vec<f64> {
    x.into_data().convert::<f64>().try_into_vec().unwrap()
}

fn panics<T>(call: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(|| drop(call()))).is_err()
}

fn both() -> Mask {
    Mask::new(&[true; 2], 2, &Device::flex())
}

pub(crate) fn thresholds() {
    for set in rows(4, 2) {
        for (name, quantile) in SCALARS {
            for threshold in [Threshold::Static, Threshold::Dynamic { quantile }] {
                let held = host(threshold.apply(tensor(set.rows.clone())));
                let within = held.iter().all(|x| x.abs() <= 1.0 + 1e-6);
                let shown = format!("{threshold:?} with {name} of {}: {held:?}", set.name);
                assert!(within || !set.finite, "{shown}");
            }
        }
    }
}

pub(crate) fn masks() {
    let device = Device::flex();
    for (entries, size) in [(0, 0), (0, 2), (3, 2), (2, 0)] {
        assert!(panics(|| Mask::new(&vec![true; entries], size, &device)), "{entries} of {size}");
    }
    assert_eq!(host(both().apply(&tensor(vec![1.0, 2.0]))), [1.0, 2.0]);
}

pub(crate) fn pools() {
    for (sides, factor) in [([4, 4], 0), ([4, 4], 3), ([2, 4], 4)] {
        assert!(panics(|| Pool::new([1, sides[0], sides[1]], factor)), "{sides:?} by {factor}");
    }
    assert_eq!(Pool::new([1, 0, 0], 2).sizes(), (0, 0));
    assert_eq!(Pool::new([1, 2, 2], 1).sizes(), (4, 4));
}

pub(crate) fn blurs() {
    let device = Device::flex();
    for (name, std) in SCALARS {
        if std.is_nan() || std <= 0.0 {
            assert!(panics(|| Blur::new([1, 1, 2], std, &device)), "{name}");
            continue;
        }
        let seen = host(Blur::new([1, 1, 2], std, &device).apply(&tensor(vec![1.0, 1.0])));
        assert!(seen.iter().all(|x| (x - 1.0).abs() < 1e-6), "{name}: {seen:?}");
    }
}

pub(crate) fn matrices() {
    for set in rows(4, 2) {
        let seen = host(Dense::new(tensor(set.rows.clone())).apply(&tensor(vec![0.5, 0.25])));
        assert_eq!(seen.len(), set.rows.len() / 2, "{}", set.name);
    }
}

pub(crate) fn gaps() {
    for rows in [0, 1, 3] {
        let gap = adjoint_gap(&both(), rows, u64::MAX, &Device::flex());
        assert!(gap < 1e-6, "{rows}: {gap}");
    }
}

pub(crate) fn observations() {
    for (name, value) in SCALARS {
        let seen = |noise| Observation::new(both(), tensor(vec![1.0, 0.0]), noise);
        let positive = 0.0 < value && value.is_finite();
        let gaussian = seen(ObservationNoise::Gaussian { std: value });
        assert!(positive || gaussian.is_err(), "{name}");
        let poisson = seen(ObservationNoise::Poisson { gain: value, offset: 1.0 });
        assert!(positive || poisson.is_err(), "{name}");
        let offset = seen(ObservationNoise::Poisson { gain: 1.0, offset: value });
        assert_eq!(offset.is_ok(), value.is_finite(), "{name}");
    }
    for set in rows(4, 2).into_iter().filter(|set| !set.rows.is_empty()) {
        let seen = Observation::new(both(), tensor(set.rows.clone()), ALONE);
        assert_eq!(seen.is_ok(), set.finite, "{}", set.name);
    }
    let three = Tensor::zeros([1, 3], &Device::flex());
    assert!(panics(|| Observation::new(both(), three, ALONE)));
}

pub(crate) fn measurements() {
    for set in rows(4, 2).into_iter().filter(|set| !set.rows.is_empty()) {
        let same = |x: &Tensor<2>| x.clone() * 1.0;
        let seen = Measurement::new(same, tensor(set.rows.clone()), ALONE);
        assert_eq!(seen.is_ok(), set.finite, "{}", set.name);
        let rows = set.rows.len();
        let fit = seen.map(|seen| host(seen.misfit(&tensor(vec![0.0; rows]))));
        assert!(fit.is_err() || fit.unwrap().len() == rows / 2, "{}", set.name);
    }
}

pub(crate) fn draws() {
    let field = Exact::new(Gaussian::new(vec![0.5, -0.2], 0.5), Linear::default());
    let evidence = Observation::new(both(), tensor(vec![1.0, 0.0]), ALONE).unwrap();
    let method = Dps { evidence: evidence.clone(), scale: 1.0 };
    let conditioned = Conditioned { predictor: field, method };
    for (draws, at_once, questions) in [(0, 1, 1), (3, 0, 1), (3, 9, 1), (1, 1, 0), (2, 1, 1)] {
        let draws = Draws { draws, at_once, seed: 1 };
        let (ddim, way) = (Ddim::default(), Way::steps(4));
        let shape = [questions, 2];
        let answers = draws.answer(&ddim, &conditioned, &evidence, &way, shape, &Device::flex());
        assert_eq!(answers.is_ok(), 0 < draws.draws * questions, "{draws:?}");
        if let Ok(answers) = answers {
            assert_eq!(answers.misfit.len(), draws.draws);
            assert!(host(answers.mean).iter().all(|x| x.is_finite()), "{draws:?}");
        }
    }
}

pub(crate) fn checked_draws() {
    let check = |draws, shape| Draws { draws, at_once: 1, seed: 1 }.check(shape);
    for (draws, shape) in [(1, [1, 2]), (3, [2, 2]), (1, [1, 0])] {
        check(draws, shape).unwrap();
    }
    for (draws, shape) in
        [(0, [1, 2]), (1, [0, 2]), (usize::MAX, [1, 1]), (1, [usize::MAX, usize::MAX])]
    {
        assert!(check(draws, shape).is_err(), "{draws} {shape:?}");
    }
}

pub(crate) fn entries() {
    let device = Device::flex();
    for (name, weight) in SCALARS {
        let weight = weight as f32;
        let sparse = Sparse::new(&[(0, 1, weight)], (2, 1), &device);
        assert_eq!(sparse.is_ok(), weight.is_finite(), "{name}");
    }
    for sizes in [(0, 0), (1, 1), (2, 0)] {
        assert!(Sparse::new(&[(0, 1, 1.0)], sizes, &device).is_err(), "{sizes:?}");
    }
    assert!(Sparse::new(&[(usize::MAX, usize::MAX, 1.0)], (2, 1), &device).is_err());
}

pub(crate) fn sums() {
    let device = Device::flex();
    assert!(Sparse::sums(&[], &device).is_err());
    let seen = Sparse::sums(&[0, 0], &device).unwrap().apply(&tensor(vec![0.5, 0.25]));
    assert_eq!(host(seen), [0.75]);
}
