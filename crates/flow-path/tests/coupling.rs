//! Couplings: optimality, marginals, fairness to labels, and what they say about bad data.

mod common;

use common::{assert_close, rng};
use flow_path::{
    ClassAware, Coupling, Draw, Entropic, Epsilon, ExactOt, Given, Independent, Paired, Pairing,
    PartialOt, PathError, Side, Sinkhorn, draw_pairs,
};
use flow_transport::{CostMatrix, TransportError};

/// Numbers in `[0, 1)` by splitmix64.
fn uniform(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..n).map(|_| next()).collect()
}

fn rows(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    uniform(n * dim, seed).into_iter().map(|x| x as f32).collect()
}

/// Rows of these classes, and nothing else that is known of them.
fn classes(labels: &[usize]) -> Given<'_> {
    Given { labels: Some(labels), vectors: None }
}

fn is_permutation(rows: &[usize]) -> bool {
    let mut sorted = rows.to_vec();
    sorted.sort_unstable();
    sorted.iter().copied().eq(0..rows.len())
}

#[test]
fn in_one_dimension_optimal_transport_sorts() {
    let (x0, x1) = (rows(50, 1, 5), rows(50, 1, 6));
    let pairing = ExactOt.pair(&x0, &x1, Given::default(), 1, &mut rng(0)).unwrap();
    let mut order: Vec<usize> = (0..50).collect();
    order.sort_by(|&a, &b| x1[a].total_cmp(&x1[b]));
    let met: Vec<f32> = order.iter().map(|&i| x0[pairing[i]]).collect();
    assert!(met.is_sorted());
}

#[test]
fn every_coupling_without_weights_permutes_the_noise() {
    let (x0, x1) = (rows(32, 3, 5), rows(32, 3, 6));
    let labels: Vec<usize> = (0..32).map(|i| i % 3).collect();
    let couplings: [Box<dyn Coupling>; 5] = [
        Box::new(Independent),
        Box::new(Paired),
        Box::new(ExactOt),
        Box::new(Sinkhorn::default()),
        Box::new(ClassAware { within: ExactOt }),
    ];
    for coupling in couplings {
        let pairing = coupling.pair(&x0, &x1, classes(&labels), 3, &mut rng(0)).unwrap();
        assert!(is_permutation(pairing.noise_rows()), "{coupling:?}");
        assert_eq!(pairing.gather(&x0, 3).len(), x0.len());
    }
}

#[test]
fn independence_does_not_keep_the_order_and_pairs_do() {
    let x = rows(100, 2, 1);
    let shuffled = Independent.pair(&x, &x, Given::default(), 2, &mut rng(0)).unwrap();
    let kept = (0..100).filter(|&i| shuffled[i] == i).count();
    assert!(kept < 10, "{kept}");
    let paired = Paired.pair(&x, &x, Given::default(), 2, &mut rng(0)).unwrap();
    assert_eq!(paired, Pairing::new((0..100).collect()));
}

#[test]
fn draws_with_replacement_follow_the_plan() {
    let cost = CostMatrix::from_fn(2, 2, |i, j| f64::from(u8::from(i != j))).unwrap();
    let problem = Entropic { epsilon: Epsilon::Absolute(1.0), ..Default::default() };
    let plan = problem.plan(&cost).unwrap();
    let mut rng = rng(4);
    let mut crosses = || draw_pairs(&plan, Draw::WithReplacement, &mut rng)[0] == 1;
    let crossed = (0..4000).filter(|_| crosses()).count();
    // 1 / (1 + e) = 0.2689 with standard error 0.007.
    assert_close(crossed as f64 / 4000.0, 0.2689, 0.03);
}

#[test]
fn the_bridge_of_a_small_diffusion_is_nearly_exact_transport() {
    let (x0, x1) = ([0.0f32, 1.0, 2.0, 3.0], [3.1f32, 0.1, 1.1, 2.1]);
    let pairing =
        Sinkhorn::schrodinger(0.1).pair(&x0, &x1, Given::default(), 1, &mut rng(0)).unwrap();
    assert_eq!(pairing.noise_rows(), [3, 0, 1, 2]);
}

#[test]
fn relaxed_marginals_give_far_points_less_mass() {
    let x0: Vec<f32> = (0..8).map(|i| i as f32 * 0.1).collect();
    let mut x1 = x0.clone();
    x1[7] = 40.0;
    let soft =
        Entropic { epsilon: Epsilon::Absolute(0.1), relaxation: Some(1.0), ..Entropic::default() };
    let pairing = Sinkhorn::new(soft).pair(&x0, &x1, Given::default(), 1, &mut rng(0)).unwrap();
    let weights = pairing.weights().unwrap();
    assert!(weights[7] < 1e-3 && weights[0] > 1.0, "{weights:?}");
    assert_close(weights.iter().sum::<f64>(), 8.0, 1e-12);
    // Firm constraints give every point its share.
    let firm = Entropic { relaxation: Some(1e6), ..soft };
    let pairing = Sinkhorn::new(firm).pair(&x0, &x1, Given::default(), 1, &mut rng(0)).unwrap();
    assert_close(pairing.weights().unwrap()[7], 1.0, 1e-2);
}

#[test]
fn weights_are_finite_where_masses_vanish() {
    // Mass that is nearly free to vanish, at costs of 1e6 and more: exp(-1e5) is no f64.
    let x0 = [0.0f32, 1.0, 2.0];
    let x1 = [1000.0f32, 1001.0, 1500.0];
    let problem =
        Entropic { epsilon: Epsilon::Absolute(10.0), relaxation: Some(0.1), ..Entropic::default() };
    let pairing = Sinkhorn::new(problem).pair(&x0, &x1, Given::default(), 1, &mut rng(0)).unwrap();
    let weights = pairing.weights().unwrap();
    assert!(weights.iter().all(|w| w.is_finite()), "{weights:?}");
    assert_close(weights.iter().sum::<f64>(), 3.0, 1e-12);
}

#[test]
fn partial_transport_leaves_out_the_furthest() {
    let x0 = [0.0f32, 1.0, 2.0, 3.0];
    let x1 = [2.1f32, 50.0, 0.1, 1.1];
    let pairing =
        PartialOt::new(0.75).unwrap().pair(&x0, &x1, Given::default(), 1, &mut rng(0)).unwrap();
    assert_eq!(pairing.noise_rows(), [2, 3, 0, 1]);
    assert_close(pairing.weights().unwrap()[0], 4.0 / 3.0, 1e-12);
    assert_close(pairing.weights().unwrap()[1], 0.0, 0.0);
    let whole =
        PartialOt::new(1.0).unwrap().pair(&x0, &x1, Given::default(), 1, &mut rng(0)).unwrap();
    let exact = ExactOt.pair(&x0, &x1, Given::default(), 1, &mut rng(0)).unwrap();
    assert_eq!(whole.noise_rows(), exact.noise_rows());
}

/// Mean noise met by the class of data near +2, over many batches.
fn mean_noise_of_class(coupling: &dyn Coupling) -> f64 {
    let mut rng = rng(12);
    let labels: Vec<usize> = (0..32).map(|i| i % 2).collect();
    let (mut sum, mut count) = (0.0, 0.0);
    for batch in 0..200 {
        // Centred noise; data at -2 for class 0 and +2 for class 1.
        let x0: Vec<f32> = rows(32, 1, 1000 + batch).iter().map(|x| x - 0.5).collect();
        let x1: Vec<f32> = labels.iter().map(|&l| if l == 1 { 2.0 } else { -2.0 }).collect();
        let pairing =
            coupling.pair(&x0, &x1, classes(&labels), 1, &mut rng).expect("a valid batch");
        for i in (0..32).filter(|&i| labels[i] == 1) {
            sum += f64::from(x0[pairing[i]]);
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn pairing_within_classes_keeps_the_noise_of_each_class_unbiased() {
    // 3,200 uniform draws of variance 1/12: standard error 0.005.
    let fair = mean_noise_of_class(&ClassAware { within: ExactOt });
    assert!(fair.abs() < 0.025, "{fair}");
    // Across classes the class at +2 takes the upper half of the noise, of mean 1/4.
    let biased = mean_noise_of_class(&ExactOt);
    assert!(biased > 0.2, "{biased}");
}

#[test]
fn pairs_within_classes_stay_within_the_rows_of_their_class() {
    let labels = [2, 0, 2, 1, 0, 2];
    let (x0, x1) = (rows(6, 2, 5), rows(6, 2, 6));
    let coupling = ClassAware { within: ExactOt };
    let pairing = coupling.pair(&x0, &x1, classes(&labels), 2, &mut rng(0)).unwrap();
    for (row, &noise_row) in pairing.noise_rows().iter().enumerate() {
        assert_eq!(labels[row], labels[noise_row]);
    }
}

#[test]
fn identical_points_pair_one_to_one() {
    let x = vec![0.5f32; 20];
    for coupling in [&ExactOt as &dyn Coupling, &Sinkhorn::default()] {
        let pairing = coupling.pair(&x, &x, Given::default(), 2, &mut rng(0)).unwrap();
        assert!(is_permutation(pairing.noise_rows()), "{coupling:?}");
    }
}

#[test]
fn bad_batches_are_named() {
    let x = rows(4, 2, 1);
    let mut broken = x.clone();
    broken[5] = f32::NAN;
    let pair = |x0: &[f32], x1: &[f32]| {
        ExactOt.pair(x0, x1, Given::default(), 2, &mut rng(0)).unwrap_err()
    };
    assert_eq!(pair(&[], &[]), PathError::EmptyBatch);
    assert_eq!(pair(&x, &x[..4]), PathError::RowCounts { noise: 4, data: 2 });
    assert!(matches!(
        pair(&x, &broken),
        PathError::NotFinite { side: Side::Data, row: 2, value } if value.is_nan()
    ));
    assert_eq!(
        pair(&broken, &x).to_string(),
        "the noise has the value NaN in row 2, which is not finite: check the data and its scaling"
    );
    let aware = ClassAware { within: ExactOt };
    // Rows 1 and 2 are class 7; the message names the row of the batch, not that of the class.
    let error = aware.pair(&x, &broken, classes(&[3, 7, 7, 3]), 2, &mut rng(0)).unwrap_err();
    assert!(matches!(error, PathError::NotFinite { row: 2, .. }), "{error}");
    let missing = aware.pair(&x, &x, Given::default(), 2, &mut rng(0)).unwrap_err();
    assert_eq!(missing, PathError::MissingLabels);
    let few = aware.pair(&x, &x, classes(&[0, 1]), 2, &mut rng(0)).unwrap_err();
    assert_eq!(few, PathError::LabelCount { labels: 2, rows: 4 });
    assert!(PartialOt::new(0.0).is_err());
}

#[test]
fn pairs_are_drawn_from_a_plan_that_is_nearly_solved_and_from_no_other() {
    let (x0, x1) = (rows(64, 2, 3), rows(64, 2, 4));
    let pair = |tolerance, max_iterations| {
        let problem = Entropic { tolerance, max_iterations, ..Entropic::default() };
        Sinkhorn::new(problem).pair(&x0, &x1, Given::default(), 2, &mut rng(0))
    };
    let solved = pair(1e-6, 10_000).unwrap();
    assert!(solved.marginal_error() <= 1e-6, "{:e}", solved.marginal_error());
    // A tolerance that rounding forbids is no reason to end a training.
    let nearly = pair(0.0, 10_000).unwrap();
    assert!(nearly.marginal_error() < Pairing::FAIR && is_permutation(nearly.noise_rows()));
    let sharp =
        Entropic { epsilon: Epsilon::OfMeanCost(1e-4), max_iterations: 0, ..Entropic::default() };
    let error = Sinkhorn::new(sharp).pair(&x0, &x1, Given::default(), 2, &mut rng(0)).unwrap_err();
    let not_converged = matches!(error, PathError::Transport(TransportError::NotConverged { .. }));
    assert!(not_converged, "{error}");
    assert!(error.to_string().contains("sigma"), "{error}");
}

#[test]
fn a_pairing_can_be_interrupted() {
    let x = rows(64, 2, 3);
    let stopped = Sinkhorn::schrodinger(0.1).stopped_by(|| true);
    let error = stopped.pair(&x, &x, Given::default(), 2, &mut rng(0)).unwrap_err();
    assert!(matches!(error, PathError::Transport(TransportError::Interrupted { .. })), "{error}");
}

#[test]
fn batches_too_large_for_memory_are_an_error() {
    let x = vec![0.0f32; 40_000];
    let fair = PartialOt::new(0.9).unwrap();
    for coupling in [&ExactOt as &dyn Coupling, &Sinkhorn::default(), &fair] {
        let error = coupling.pair(&x, &x, Given::default(), 1, &mut rng(0)).unwrap_err();
        assert!(error.to_string().contains("smaller batches"), "{error}");
    }
}

/// FNV-1a over noise rows and weights.
fn fingerprint(pairing: &Pairing) -> u64 {
    let weights = pairing.weights().unwrap_or_default().iter().map(|w| w.to_bits());
    let words = pairing.noise_rows().iter().map(|&row| row as u64).chain(weights);
    words.flat_map(u64::to_le_bytes).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn the_pairings_of_a_seed_stay() {
    // Recorded when the solvers still lay in this crate: trainings of a seed depend on them.
    let couplings: [(&str, Box<dyn Coupling>); 5] = [
        ("ot", Box::new(ExactOt)),
        ("class", Box::new(ClassAware { within: ExactOt })),
        ("sinkhorn", Box::new(Sinkhorn::default())),
        ("schrodinger", Box::new(Sinkhorn::schrodinger(1.0))),
        ("partial", Box::new(PartialOt::new(0.9).unwrap())),
    ];
    let mut found = Vec::new();
    for (name, coupling) in couplings {
        for (n, dim) in [(64, 2), (128, 8), (64, 64)] {
            let (x0, x1) = (rows(n, dim, 21), rows(n, dim, 22));
            let labels: Vec<usize> = (0..n).map(|i| i * 7 % 5).collect();
            let pairing = coupling.pair(&x0, &x1, classes(&labels), dim, &mut rng(23)).unwrap();
            found.push(format!("{name} {n} {dim} {:016x}", fingerprint(&pairing)));
        }
    }
    let recorded: Vec<&str> = include_str!("reference/pairings.txt").lines().collect();
    assert_eq!(found, recorded);
}
