//! Pairs of rows that have conditions: the law of `x` given `c` that they teach, in closed form.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::{assert_close, rng};
use flow_path::{
    ClassAware, ConditionDistance, ConditionalOt, Coupling, ExactOt, Given, Independent, PathError,
};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Correlation of data and condition, both standard normal: `x | c ~ N(RHO c, 1 - RHO^2)`.
const RHO: f64 = 0.8;
const BATCH: usize = 256;

fn normal(n: usize, rng: &mut dyn Rng) -> Vec<f32> {
    (0..n).map(|_| StandardNormal.sample(rng)).collect()
}

/// Data of a batch and their conditions.
fn data(rng: &mut dyn Rng) -> (Vec<f32>, Vec<f32>) {
    let (c, rest) = (normal(BATCH, rng), normal(BATCH, rng));
    let mix = |(c, e): (&f32, &f32)| RHO as f32 * c + (1.0 - RHO * RHO).sqrt() as f32 * e;
    (c.iter().zip(&rest).map(mix).collect(), c)
}

/// What a perfect linear network makes of the pairs: `x(1) = slope c + N(0, variance)`, and the
/// mean squared length of the pairs.
///
/// At each time the velocity `x_1 - x_0` is regressed on `(x_t, c)`, which has no error but that of
/// the draws where pairs are jointly Gaussian; the flow of that field is linear.
fn learned(coupling: &dyn Coupling, batches: usize, seed: u64) -> [f64; 3] {
    let mut rng = rng(seed);
    let mut pairs = Vec::new();
    for _ in 0..batches {
        let (x1, c) = data(&mut rng);
        let x0 = normal(BATCH, &mut rng);
        let given = Given { vectors: Some(&c), ..Given::default() };
        let pairing = coupling.pair(&x0, &x1, given, 1, &mut rng).unwrap();
        pairs.extend((0..BATCH).map(|i| [x0[pairing[i]], x1[i], c[i]].map(f64::from)));
    }
    let (mut p, mut q) = (1.0, 0.0); // x(t) = p x(0) + q c
    let steps = 50;
    for step in 0..steps {
        let t = (f64::from(step) + 0.5) / f64::from(steps);
        let [mut xx, mut xc, mut cc, mut ux, mut uc] = [0.0; 5];
        for &[x0, x1, c] in &pairs {
            let (x_t, u) = (t * x1 + (1.0 - t) * x0, x1 - x0);
            xx += x_t * x_t;
            xc += x_t * c;
            cc += c * c;
            ux += u * x_t;
            uc += u * c;
        }
        let determinant = xx * cc - xc * xc;
        let (a, b) = ((ux * cc - uc * xc) / determinant, (uc * xx - ux * xc) / determinant);
        // dx/dt = a x + b c over one step, exactly.
        let h = 1.0 / f64::from(steps);
        let growth = (a * h).exp();
        p *= growth;
        q = q * growth + b * (a * h).exp_m1() / a;
    }
    let cost = pairs.iter().map(|[x0, x1, _]| (x1 - x0).powi(2)).sum::<f64>();
    [q, p * p, cost / pairs.len() as f64]
}

/// Mean and standard error of what is learned from groups of batches.
fn over_groups(coupling: &dyn Coupling) -> [(f64, f64); 3] {
    let groups: Vec<[f64; 3]> = (0..10).map(|seed| learned(coupling, 20, seed)).collect();
    [0, 1, 2].map(|k| {
        let n = groups.len() as f64;
        let mean = groups.iter().map(|g| g[k]).sum::<f64>() / n;
        let square = groups.iter().map(|g| (g[k] - mean).powi(2)).sum::<f64>();
        (mean, (square / (n - 1.0) / n).sqrt())
    })
}

#[test]
fn the_conditional_law_is_learned_from_independent_and_from_conditional_pairs_and_not_from_others()
{
    let exact = [RHO, 1.0 - RHO * RHO];
    let off = |found: [(f64, f64); 3]| {
        [0, 1].map(|k| (found[k].0 - exact[k]) / found[k].1) // in standard errors
    };
    let independent = over_groups(&Independent);
    let conditional = over_groups(&ConditionalOt::default());
    let plain = over_groups(&ExactOt);
    println!("independent {independent:?}\nconditional {conditional:?}\nplain {plain:?}");
    for (name, found) in [("independent", independent), ("conditional", conditional)] {
        assert!(off(found).iter().all(|z| z.abs() < 3.0), "{name}: {found:?} against {exact:?}");
    }
    // Pairs by value alone sort the noise as the data are sorted: x_0 = x_1, and nothing is moved.
    assert!(off(plain).iter().all(|z| 10.0 < z.abs()), "{plain:?}");
    assert!(plain[0].0 < 0.1, "{plain:?}");
    // Straighter than independent pairs all the same: 2 without any, and 0 with the bias.
    let cost = conditional[2].0;
    assert!(cost < 0.9 * independent[2].0, "{cost} and {}", independent[2].0);
}

#[test]
fn equal_conditions_pair_as_classes_do() {
    let mut rng = rng(3);
    let (x0, x1) = (normal(128, &mut rng), normal(128, &mut rng));
    let labels: Vec<usize> = (0..64).map(|i| i * 7 % 3).collect();
    let bits: Vec<f32> =
        labels.iter().flat_map(|&l| [0, 1, 2].map(|k| if k == l { 1.0 } else { -1.0 })).collect();
    let given = Given { labels: Some(&labels), vectors: Some(&bits) };
    let within = ClassAware { within: ExactOt }.pair(&x0, &x1, given, 2, &mut rng).unwrap();
    for distance in [ConditionDistance::Squared, ConditionDistance::Cosine] {
        let coupling = ConditionalOt { distance, ..ConditionalOt::default() };
        let pairing = coupling.pair(&x0, &x1, given, 2, &mut rng).unwrap();
        assert_eq!(pairing, within, "{distance:?}");
    }
}

#[test]
fn the_whole_share_is_plain_transport_and_none_is_the_noise_as_drawn() {
    let mut rng = rng(5);
    let (x0, x1, c) = (normal(64, &mut rng), normal(64, &mut rng), normal(32, &mut rng));
    let given = Given { labels: None, vectors: Some(&c) };
    let mut pair = |coupling: &dyn Coupling| {
        coupling.pair(&x0, &x1, given, 2, &mut rng).unwrap().noise_rows().to_vec()
    };
    let of = |share| ConditionalOt { share, ..ConditionalOt::default() };
    assert_eq!(pair(&of(1.0)), pair(&ExactOt));
    assert_eq!(pair(&of(1e-6)), (0..32).collect::<Vec<_>>());
}

#[test]
fn conditions_that_are_missing_or_broken_are_named() {
    let x = [0.0_f32, 1.0, 2.0, 3.0];
    let pair = |vectors: Option<&[f32]>| {
        let given = Given { labels: Some(&[0, 0, 1, 1]), vectors };
        let plain = ConditionalOt::default().pair(&x, &x, given, 1, &mut rng(0));
        let within = ClassAware { within: ConditionalOt::default() };
        assert_eq!(within.pair(&x, &x, given, 1, &mut rng(0)).is_ok(), plain.is_ok());
        plain.map(|pairing| pairing.len())
    };
    assert_eq!(pair(None), Err(PathError::MissingConditions));
    assert_eq!(pair(Some(&[1.0; 6])), Err(PathError::ConditionCount { numbers: 6, rows: 4 }));
    assert_eq!(pair(Some(&[])), Err(PathError::ConditionCount { numbers: 0, rows: 4 }));
    let error = pair(Some(&[1.0, 2.0, 3.0, 4.0, 5.0, f32::NAN, 7.0, 8.0])).unwrap_err();
    assert!(error.to_string().starts_with("the condition has the value NaN in row 2"), "{error}");
    assert_eq!(pair(Some(&[1.0, 2.0, 3.0, 4.0])), Ok(4));
    let none = ConditionalOt { share: 0.0, ..ConditionalOt::default() };
    let given = Given { labels: None, vectors: Some(&x) };
    let error = none.pair(&x, &x, given, 1, &mut rng(0)).unwrap_err();
    assert_eq!(error.to_string(), "share is 0: it must lie in (0, 1]");
    assert_close(ConditionalOt::default().share, 0.01, 0.0);
}
