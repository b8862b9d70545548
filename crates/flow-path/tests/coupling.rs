//! Couplings: optimality, marginals, fairness to labels, and what they say about bad data.

mod common;

use common::{assert_close, rng};
use flow_path::{
    ClassAware, CostMatrix, Coupling, Draw, Epsilon, ExactOt, Independent, Paired, Pairing,
    PartialOt, PathError, Side, Sinkhorn, assign, squared_distances,
};

/// The numbers of tests/reference/assignment.py.
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

fn matrix(n: usize, seed: u64) -> CostMatrix {
    let values = uniform(n * n, seed);
    CostMatrix::from_fn(n, |i, j| values[i * n + j])
}

fn reference(name: &str) -> f64 {
    let text = include_str!("reference/assignment.json");
    let numbers: serde_json::Value = serde_json::from_str(text).expect("a JSON file");
    numbers[name].as_f64().expect("a number")
}

fn is_permutation(rows: &[usize]) -> bool {
    let mut sorted = rows.to_vec();
    sorted.sort_unstable();
    sorted.iter().copied().eq(0..rows.len())
}

/// The least cost over all permutations of the columns from `row` on.
fn brute_force(cost: &CostMatrix, row: usize, columns: &mut [usize]) -> f64 {
    if row == cost.size() {
        return 0.0;
    }
    let mut best = f64::INFINITY;
    for k in row..columns.len() {
        columns.swap(row, k);
        best = best.min(cost.row(row)[columns[row]] + brute_force(cost, row + 1, columns));
        columns.swap(row, k);
    }
    best
}

#[test]
fn assignments_cost_what_brute_force_finds() {
    for n in 1..=7 {
        for seed in 0..50 {
            let cost = matrix(n, seed);
            let found = assign(&cost);
            assert!(is_permutation(&found.columns));
            let best = brute_force(&cost, 0, &mut (0..n).collect::<Vec<_>>());
            assert_close(cost.mean_cost(&found.columns) * n as f64, best, 1e-12);
        }
    }
}

#[test]
fn assignments_cost_what_scipy_finds() {
    let cost = matrix(256, 1);
    let found = assign(&cost);
    assert_close(cost.mean_cost(&found.columns) * 256.0, reference("random_256"), 1e-12);
    let points = rows(512, 8, 2);
    let cost = squared_distances(&points[..2048], &points[2048..], 8).unwrap();
    // Distances are summed in single precision.
    assert_close(assign(&cost).cost(), reference("points_256"), 1e-6);
}

#[test]
fn duals_prove_an_assignment_optimal() {
    let equal = CostMatrix::from_fn(30, |_, _| 2.0);
    let ties = CostMatrix::from_fn(40, |i, j| ((i * 7 + j * 3) % 4) as f64);
    let steep = CostMatrix::from_fn(50, |i, j| ((i + 1) * (j + 1)) as f64);
    for cost in [matrix(120, 9), equal, ties, steep] {
        let found = assign(&cost);
        assert!(is_permutation(&found.columns));
        for i in 0..cost.size() {
            for j in 0..cost.size() {
                let slack = cost.row(i)[j] - found.row_duals[i] - found.column_duals[j];
                assert!(slack > -1e-9, "slack {slack} at {i}, {j}");
                assert!(found.columns[i] != j || slack < 1e-9, "assigned with slack {slack}");
            }
        }
    }
}

#[test]
fn a_pairing_other_than_the_optimal_one_costs_more() {
    let cost = matrix(64, 4);
    let identity: Vec<usize> = (0..64).collect();
    assert!(cost.mean_cost(&assign(&cost).columns) < 0.2 * cost.mean_cost(&identity));
}

#[test]
fn in_one_dimension_optimal_transport_sorts() {
    let (x0, x1) = (rows(50, 1, 5), rows(50, 1, 6));
    let pairing = ExactOt.pair(&x0, &x1, None, 1, &mut rng(0)).unwrap();
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
        let pairing = coupling.pair(&x0, &x1, Some(&labels), 3, &mut rng(0)).unwrap();
        assert!(is_permutation(pairing.noise_rows()), "{coupling:?}");
        assert_eq!(pairing.gather(&x0, 3).len(), x0.len());
    }
}

#[test]
fn independence_does_not_keep_the_order_and_pairs_do() {
    let x = rows(100, 2, 1);
    let shuffled = Independent.pair(&x, &x, None, 2, &mut rng(0)).unwrap();
    let kept = (0..100).filter(|&i| shuffled[i] == i).count();
    assert!(kept < 10, "{kept}");
    let paired = Paired.pair(&x, &x, None, 2, &mut rng(0)).unwrap();
    assert_eq!(paired, Pairing::new((0..100).collect()));
}

#[test]
fn sinkhorn_meets_its_marginals_for_strong_and_weak_entropy() {
    let points = rows(128, 4, 3);
    let cost = squared_distances(&points[..256], &points[256..], 4).unwrap();
    for fraction in [1.0, 0.1, 0.02] {
        let sinkhorn = Sinkhorn { epsilon: Epsilon::OfMeanCost(fraction), ..Default::default() };
        let plan = sinkhorn.plan(&cost).unwrap();
        for mass in plan.row_masses().into_iter().chain(plan.column_masses()) {
            assert!((mass * 64.0 - 1.0).abs() < 1e-6, "at {fraction}: {mass}");
        }
    }
}

#[test]
fn sinkhorn_tends_to_the_exact_plan_and_to_independence() {
    let points = rows(64, 2, 3);
    let cost = squared_distances(&points[..64], &points[64..], 2).unwrap();
    let plan = |fraction| {
        let epsilon = Epsilon::OfMeanCost(fraction);
        let sinkhorn = Sinkhorn { epsilon, max_iterations: 100_000, ..Default::default() };
        sinkhorn.plan(&cost).unwrap()
    };
    let exact = cost.mean_cost(&assign(&cost).columns);
    // The entropic plan costs at most epsilon ln(n) more than the exact one.
    let mean = cost.as_slice().iter().sum::<f64>() / 1024.0;
    let sharp = plan(0.02).cost(&cost);
    assert!(
        exact - 1e-9 <= sharp && sharp <= exact + 0.02 * mean * f64::ln(32.0),
        "{exact} {sharp}"
    );
    assert_close(plan(1000.0).cost(&cost), mean, 1e-3);
}

#[test]
fn two_points_have_a_closed_form_entropic_plan() {
    // Costs 0 and 1: off the diagonal the share is 1 / (1 + e^{1/epsilon}).
    let cost = CostMatrix::from_fn(2, |i, j| f64::from(u8::from(i != j)));
    let sinkhorn = Sinkhorn { epsilon: Epsilon::Absolute(0.4), ..Default::default() };
    let plan = sinkhorn.plan(&cost).unwrap();
    assert_close(2.0 * plan.mass(0, 1), 1.0 / (1.0 + f64::exp(2.5)), 1e-9);
}

#[test]
fn draws_with_replacement_follow_the_plan() {
    let cost = CostMatrix::from_fn(2, |i, j| f64::from(u8::from(i != j)));
    let sinkhorn = Sinkhorn { epsilon: Epsilon::Absolute(1.0), ..Default::default() };
    let plan = sinkhorn.plan(&cost).unwrap();
    let mut rng = rng(4);
    let crossed = (0..4000).filter(|_| plan.draw(Draw::WithReplacement, &mut rng)[0] == 1).count();
    // 1 / (1 + e) = 0.2689 with standard error 0.007.
    assert_close(crossed as f64 / 4000.0, 0.2689, 0.03);
}

#[test]
fn the_bridge_of_a_small_diffusion_is_nearly_exact_transport() {
    let (x0, x1) = ([0.0f32, 1.0, 2.0, 3.0], [3.1f32, 0.1, 1.1, 2.1]);
    let pairing = Sinkhorn::schrodinger(0.1).pair(&x0, &x1, None, 1, &mut rng(0)).unwrap();
    assert_eq!(pairing.noise_rows(), [3, 0, 1, 2]);
}

#[test]
fn relaxed_marginals_give_far_points_less_mass() {
    let x0: Vec<f32> = (0..8).map(|i| i as f32 * 0.1).collect();
    let mut x1 = x0.clone();
    x1[7] = 40.0;
    let sinkhorn =
        Sinkhorn { epsilon: Epsilon::Absolute(0.1), relaxation: Some(1.0), ..Default::default() };
    let pairing = sinkhorn.pair(&x0, &x1, None, 1, &mut rng(0)).unwrap();
    let weights = pairing.weights().unwrap();
    assert!(weights[7] < 1e-3 && weights[0] > 1.0, "{weights:?}");
    assert_close(weights.iter().sum::<f64>(), 8.0, 1e-12);
    // Firm constraints give every point its share.
    let firm = Sinkhorn { relaxation: Some(1e6), max_iterations: 100_000, ..sinkhorn };
    let masses = firm.plan(&squared_distances(&x0, &x1, 1).unwrap()).unwrap().row_masses();
    assert_close(masses[7], 0.125, 1e-2);
}

#[test]
fn partial_transport_leaves_out_the_furthest() {
    let x0 = [0.0f32, 1.0, 2.0, 3.0];
    let x1 = [2.1f32, 50.0, 0.1, 1.1];
    let pairing = PartialOt::new(0.75).unwrap().pair(&x0, &x1, None, 1, &mut rng(0)).unwrap();
    assert_eq!(pairing.noise_rows(), [2, 3, 0, 1]);
    assert_close(pairing.weights().unwrap()[0], 4.0 / 3.0, 1e-12);
    assert_close(pairing.weights().unwrap()[1], 0.0, 0.0);
    let whole = PartialOt::new(1.0).unwrap().pair(&x0, &x1, None, 1, &mut rng(0)).unwrap();
    let exact = ExactOt.pair(&x0, &x1, None, 1, &mut rng(0)).unwrap();
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
        let pairing = coupling.pair(&x0, &x1, Some(&labels), 1, &mut rng).expect("a valid batch");
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
    let pairing = coupling.pair(&x0, &x1, Some(&labels), 2, &mut rng(0)).unwrap();
    for (row, &noise_row) in pairing.noise_rows().iter().enumerate() {
        assert_eq!(labels[row], labels[noise_row]);
    }
}

#[test]
fn identical_points_pair_one_to_one() {
    let x = vec![0.5f32; 20];
    for coupling in [&ExactOt as &dyn Coupling, &Sinkhorn::default()] {
        let pairing = coupling.pair(&x, &x, None, 2, &mut rng(0)).unwrap();
        assert!(is_permutation(pairing.noise_rows()), "{coupling:?}");
    }
}

#[test]
fn bad_batches_are_named() {
    let x = rows(4, 2, 1);
    let mut broken = x.clone();
    broken[5] = f32::NAN;
    let pair = |x0: &[f32], x1: &[f32]| ExactOt.pair(x0, x1, None, 2, &mut rng(0)).unwrap_err();
    assert_eq!(pair(&[], &[]), PathError::EmptyBatch);
    assert_eq!(pair(&x, &x[..4]), PathError::RowCounts { noise: 4, data: 2 });
    assert_eq!(pair(&x, &broken), PathError::NotFinite { side: Side::Data, row: 2 });
    assert_eq!(
        pair(&broken, &x).to_string(),
        "the noise has a value that is not finite in row 2: check the data and its scaling"
    );
    let aware = ClassAware { within: ExactOt };
    let missing = aware.pair(&x, &x, None, 2, &mut rng(0)).unwrap_err();
    assert_eq!(missing, PathError::MissingLabels);
    let few = aware.pair(&x, &x, Some(&[0, 1]), 2, &mut rng(0)).unwrap_err();
    assert_eq!(few, PathError::LabelCount { labels: 2, rows: 4 });
    assert!(PartialOt::new(0.0).is_err());
}

#[test]
fn a_plan_that_does_not_converge_says_so() {
    let points = rows(64, 2, 3);
    let cost = squared_distances(&points[..64], &points[64..], 2).unwrap();
    let sinkhorn = Sinkhorn { max_iterations: 1, ..Default::default() };
    assert!(matches!(sinkhorn.plan(&cost), Err(PathError::NotConverged { iterations: 1, .. })));
    let none = Sinkhorn { epsilon: Epsilon::Absolute(0.0), ..Default::default() };
    assert!(matches!(none.plan(&cost), Err(PathError::Parameter { name: "epsilon", .. })));
}
