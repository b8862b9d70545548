//! Losses of flow maps against the closed form of Gaussian data.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

#[path = "common/gaussian.rs"]
mod gaussian;

use burn::tensor::{DType, Device, Tensor, TensorData};
use flow_nn::{Condition, Network, Signature, Time};
use flow_path::config::Check;
use flow_path::{LossWeight, Prediction};
use flow_train::{
    Batch, BatchSource, Consistency, Distillation, FlowMatching, Lagrangian, MeanFlow, Networks,
    Objective, ObjectiveConfig, Shortcut, Splitting,
};
use gaussian::{Map, Read, STD, batches, exact};

/// Points and times of jumps: lengths are powers of two, long enough for halves that are no
/// velocity.
fn jumps() -> Vec<[f64; 3]> {
    let times = [(0.0, 1.0), (0.0, 0.5), (0.5, 1.0), (0.25, 0.5), (0.625, 0.75), (0.5, 0.53125)];
    let points = [-1.4, -0.3, 0.2, 0.9, 2.1];
    let all = times.iter().flat_map(|&(t, s)| points.map(|x| [x, t, s]));
    all.collect()
}

/// A batch in double precision whose rows all jump, with the marginal velocity as that of the pair:
/// then each identity has the exact map as its solution row by row.
fn batch(rows: &[[f64; 3]]) -> Batch {
    let options = (&Device::flex(), DType::F64);
    let column = |k: usize| {
        let values: Vec<f64> = rows.iter().map(|row| row[k]).collect();
        Tensor::<1>::from_data(TensorData::new(values, [rows.len()]), options)
    };
    let (x, t, s) = (column(0).unsqueeze_dim::<2>(1), column(1), column(2));
    let at = t.clone().unsqueeze_dim::<2>(1);
    let noise: Vec<f64> = (0..rows.len()).map(|i| (i as f64 * 1.7).sin() * 1.5).collect();
    let end = x.clone()
        + exact(x.clone(), at.clone(), s.clone().unsqueeze_dim(1))
            * (s.clone() - t.clone()).unsqueeze_dim::<2>(1);
    Batch {
        x0: x.clone(),
        x1: end,
        x_t: x.clone(),
        time: Time::from_to(t, s),
        jumps: rows.len(),
        target: exact(x, at.clone(), at),
        weight: None,
        known: None,
        condition: Condition::none(),
        noise: Some(Tensor::from_data(TensorData::new(noise, [rows.len(), 1]), options)),
    }
}

/// Root of the mean squared error of a network that is its own teacher.
fn error(objective: &dyn Objective, network: &dyn Network, rows: &[[f64; 3]]) -> f64 {
    objective.loss(Networks::of(network), batch(rows)).total.into_scalar::<f64>().sqrt()
}

/// Without the adaptive weight, which would hide the size of the error.
fn mean_flow(width: f64) -> MeanFlow {
    MeanFlow { power: 0.0, width, ..MeanFlow::default() }
}

#[test]
fn each_identity_holds_on_the_exact_map_to_rounding() {
    let lagrangian = Lagrangian { width: 1e-4, ..Lagrangian::default() };
    // Differences of width 1e-4 leave 1e-8 of third derivatives, and at the ends of the path, where
    // they are one-sided, 1e-4 / 2 of second ones; the others are a few operations in double
    // precision.
    let objectives: [(&dyn Objective, f64); 5] = [
        (&Shortcut::default(), 1e-15),
        (&Splitting::default(), 1e-15),
        (&Distillation {}, 1e-15),
        (&mean_flow(1e-4), 1e-4),
        (&lagrangian, 1e-4),
    ];
    for (objective, bound) in objectives {
        let error = error(objective, &Map::exact(), &jumps());
        assert!(error < bound, "{objective:?}: {error}");
    }
}

#[test]
fn maps_that_are_scaled_or_read_their_times_wrongly_break_each_identity() {
    let wrong = [
        Map::scaled(1.05),
        Map::scaled(-1.0),
        Map::read(Read::Swapped),
        Map::read(Read::WithoutEnd),
        Map::read(Read::Backwards),
    ];
    let objectives: [&dyn Objective; 6] = [
        &Shortcut::default(),
        &Splitting::default(),
        &Distillation {},
        &mean_flow(5e-3),
        &Lagrangian::default(),
        &Consistency::default(),
    ];
    for map in wrong {
        for objective in objectives {
            let error = error(objective, &map, &jumps());
            // A scaled map solves the homogeneous identities of two steps nearly: 5 % of the
            // velocity only shows in what is not linear in it.
            assert!(error > 3e-4, "{objective:?} takes {map:?}: {error}");
        }
    }
}

#[test]
fn the_gap_of_consistency_training_errs_by_its_square() {
    let of = |gap: f64| {
        let consistency = Consistency { gap, ..Consistency::default() };
        let to_the_data: Vec<[f64; 3]> = jumps().iter().map(|&[x, t, _]| [x, t, 1.0]).collect();
        error(&consistency, &Map::exact(), &to_the_data)
    };
    let order = (of(1.0 / 64.0) / of(1.0 / 128.0)).log2();
    assert!((order - 2.0).abs() < 0.1, "order {order}");
}

#[test]
fn the_shortest_half_step_of_a_shortcut_is_asked_as_the_velocity() {
    let (t, s) = (0.25, 0.5);
    let rows: Vec<[f64; 3]> = [-1.0, 0.4, 2.0].map(|x| [x, t, s]).to_vec();
    let euler = |x: f64| {
        let v = |x: f64, t: f64| {
            let variance = t * t * STD * STD + (1.0 - t) * (1.0 - t);
            x * (t * STD * STD - (1.0 - t)) / variance
        };
        let first = v(x, t);
        0.5 * (first + v(x + 0.125 * first, t + 0.125))
    };
    // Of eight steps, 1/8 is the shortest; the target of the zero map is then two Euler steps.
    let (zero, teacher) = (Map::scaled(0.0), Map::exact());
    let networks = || Networks { average: &teacher, ..Networks::of(&zero) };
    let of = |steps: usize| {
        let shortcut = Shortcut { steps, ..Shortcut::default() };
        let loss = shortcut.loss(networks(), batch(&rows)).total;
        loss.into_scalar::<f64>()
    };
    let want = rows.iter().map(|row| euler(row[0]).powi(2)).sum::<f64>() / 3.0;
    assert!((of(8) - want).abs() < 1e-14, "{} is not {want}", of(8));
    assert!((of(16) - want).abs() > 1e-4, "half steps of two trained lengths are no Euler steps");
}

/// The velocity of a pair varies about that of the map: the loss has a floor, and its least value
/// where the map is exact. Losses are means over 16,384 rows, whose noise moves the minimum by a
/// percent.
#[test]
fn on_drawn_pairs_the_loss_of_a_taught_map_is_least_for_the_exact_one() {
    let objectives: [&dyn Objective; 5] = [
        &Shortcut::default(),
        &Splitting::default(),
        &mean_flow(5e-3),
        &Lagrangian::default(),
        &Consistency::default(),
    ];
    let teacher = Map::exact();
    for objective in objectives {
        let batch = batches(objective, 16_384).batch(0, &Device::flex()).unwrap();
        let of = |factor: f64| {
            let network = Map::scaled(factor);
            let networks = Networks { network: &network, ..Networks::of(&teacher) };
            objective.loss(networks, batch.clone()).total.into_scalar::<f64>()
        };
        let (less, least, more) = (of(0.9), of(1.0), of(1.1));
        assert!(least < less && least < more, "{objective:?}: {less}, {least}, {more}");
    }
}

/// The exact map times a weight that has a gradient.
#[derive(Debug)]
struct Weighted(Tensor<1>, Signature);

impl Network for Weighted {
    fn signature(&self) -> &Signature {
        &self.1
    }

    fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
        let s = time.s.unwrap().unsqueeze_dim::<2>(1);
        exact(x, time.t.unsqueeze_dim(1), s) * self.0.clone().unsqueeze_dim::<2>(1)
    }
}

#[test]
fn gradients_reach_the_network_and_not_its_targets() {
    let options = (&Device::flex(), DType::F64);
    let weight = |w: f64| Tensor::<1>::from_data([w], options);
    let signature = || Signature { two_times: true, ..Signature::of([1]) };
    let consistency = Consistency { gap: 0.25, ..Consistency::default() };
    let objectives: [&dyn Objective; 5] = [
        &Shortcut::default(),
        &Splitting::default(),
        &mean_flow(5e-3),
        &Lagrangian::default(),
        &consistency,
    ];
    let at = 0.8;
    for objective in objectives {
        let tracked = Weighted(weight(at).autodiff().require_grad(), signature());
        // The network with its tape is its own teacher: a target that kept it would add to the
        // gradient.
        let total = objective.loss(Networks::of(&tracked), batch(&jumps())).total;
        let gradient = tracked.0.grad(&total.backward()).unwrap().into_scalar::<f64>();
        let loss = |network: f64, teacher: f64| {
            let network = Weighted(weight(network), signature());
            let teacher = Weighted(weight(teacher), signature());
            let networks = Networks { network: &network, ..Networks::of(&teacher) };
            objective.loss(networks, batch(&jumps())).total.into_scalar::<f64>()
        };
        let h = 1e-5;
        let own = (loss(at + h, at) - loss(at - h, at)) / (2.0 * h);
        let whole = (loss(at + h, at + h) - loss(at - h, at - h)) / (2.0 * h);
        assert!((gradient - own).abs() < 1e-8, "{objective:?}: {gradient} is not {own}");
        assert!((gradient - whole).abs() > 1e-3, "{objective:?}: the targets have no gradient");
    }
}

/// Two values of a velocity at one point, of unequal odds: the mean is 0.6.
#[test]
fn the_adaptive_weight_moves_the_minimum_off_the_mean_in_few_dimensions() {
    let device = Device::flex();
    let values: Vec<f32> = (0..10).map(|i| if i < 8 { 1.0 } else { -1.0 }).collect();
    let target = Tensor::<2>::from_data(TensorData::new(values, [10, 1]), &device);
    let least = |power: f64| {
        let objective = MeanFlow { power, ..MeanFlow::default() };
        // The gradient is that of the square times the weight: where it crosses zero from below.
        let slope = |u: f64| {
            let own = Tensor::<1>::from_data([u], &device).autodiff().require_grad();
            let constant = Constant(own.clone(), Signature::of([1]));
            let time = Time::at(Tensor::zeros([10], &device));
            let batch = Batch {
                x0: target.zeros_like(),
                x1: target.zeros_like(),
                x_t: target.zeros_like(),
                time,
                jumps: 0,
                target: target.clone(),
                weight: None,
                known: None,
                condition: Condition::none(),
                noise: None,
            };
            let total = objective.loss(Networks::of(&constant), batch).total;
            own.grad(&total.backward()).unwrap().into_scalar::<f64>()
        };
        (0..200).map(|k| f64::from(k) / 200.0).rfind(|&u| slope(u) < 0.0).unwrap()
    };
    let (plain, weighted) = (least(0.0), least(1.0));
    assert!((plain - 0.6).abs() < 0.006, "{plain}");
    assert!(weighted > 0.95, "{weighted}");
}

#[test]
fn the_adaptive_weight_is_one_for_all_losses_of_jumps() {
    // Rows that stay have the same target by every loss.
    let staying = || Batch { jumps: 0, ..batch(&jumps()) };
    let network = Map::scaled(0.7);
    let Batch { x_t, time, target, condition, .. } = staying();
    let errors = network.forward(x_t, time, &condition) - target;
    let squares: Vec<f64> = errors.square().into_data().iter::<f64>().collect();
    let offset = 0.01;
    for power in [0.0, 0.5, 1.0] {
        let weighted = squares.iter().map(|e| e / (e + offset).powf(power));
        let want = weighted.sum::<f64>() / squares.len() as f64;
        let objectives: [&dyn Objective; 5] = [
            &MeanFlow { power, offset, ..MeanFlow::default() },
            &Shortcut { power, offset, ..Shortcut::default() },
            &Splitting { power, offset, ..Splitting::default() },
            &Lagrangian { power, offset, ..Lagrangian::default() },
            &Consistency { power, offset, ..Consistency::default() },
        ];
        for objective in objectives {
            let loss = objective.loss(Networks::of(&network), staying());
            let total = loss.total.into_scalar::<f64>();
            assert!((total - want).abs() < 1e-14, "{objective:?}: {total} is not {want}");
            // Weighted, the loss says nothing of the error, which is logged beside it.
            let logged = loss.terms.iter().any(|(name, _)| *name == "squared_error");
            assert!(logged || power == 0.0, "{objective:?}");
        }
    }
}

/// One number for all rows.
#[derive(Debug)]
struct Constant(Tensor<1>, Signature);

impl Network for Constant {
    fn signature(&self) -> &Signature {
        &self.1
    }

    fn forward(&self, x: Tensor<2>, _: Time, _: &Condition) -> Tensor<2> {
        x * 0.0 + self.0.clone().unsqueeze_dim::<2>(1)
    }
}

#[test]
fn pairs_noise_and_labels_of_map_batches_are_those_of_plain_ones() {
    let source = batches(&Shortcut::default(), 32);
    let [plain, map] = [
        source.batches.batch(3, &Device::flex()).unwrap(),
        source.batch(3, &Device::flex()).unwrap(),
    ];
    let bits = |x: Tensor<2>| x.into_data().iter::<f32>().map(f32::to_bits).collect::<Vec<_>>();
    assert_eq!(bits(plain.x0), bits(map.x0));
    assert_eq!(bits(plain.x1), bits(map.x1));
    assert!(plain.time.s.is_none() && plain.jumps == 0);
}

#[test]
fn what_a_flow_map_cannot_be_made_of_is_refused() {
    let refused = |change: fn(&mut FlowMatching)| {
        let mut source = batches(&Shortcut::default(), 8);
        change(&mut source.batches.matching);
        source.batch(0, &Device::flex()).map(drop).unwrap_err().to_string()
    };
    let error = refused(|matching| matching.prediction = Prediction::Noise);
    assert!(error.contains("choose the prediction velocity"), "{error}");
    let error = refused(|matching| matching.weight = LossWeight::Variance);
    assert!(error.contains("choose the weight unit"), "{error}");
}

#[test]
fn objectives_are_read_by_name_shown_and_checked() {
    let typed = [
        "regression",
        "shortcut,share=0.25,steps=128,power=0,offset=0.001",
        "splitting,share=0.25,power=0,offset=0.001",
        "meanflow,share=0.25,width=0.005,power=1,offset=0.001",
        "lsd,share=0.25,width=0.005,power=0,offset=0.001",
        "consistency,share=1,gap=0.015625,power=0,offset=0.001",
        "distillation",
        "consistency-fm,segments=2,gap=0.001,boundary=0.9,alpha=0.00001",
    ];
    let one_time = ["regression", "consistency-fm"];
    let listed: Vec<String> = ObjectiveConfig::choices().into_iter().map(|one| one.typed).collect();
    assert_eq!(listed, typed);
    for typed in typed {
        let config: ObjectiveConfig = typed.parse().unwrap();
        assert_eq!(config.to_string().parse(), Ok(config.clone()));
        assert_eq!(config.name().parse(), Ok(config.clone()), "values left out are the defaults");
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.build().pairs().is_none(), one_time.contains(&config.name()));
    }
    for wrong in [
        "shortcut,steps=100",
        "shortcut,steps=1",
        "shortcut,share=1.5",
        "splitting,share=-0.1",
        "shortcut,share=1",
        "splitting,share=1",
        "lsd,share=1",
        "splitting,power=-1",
        "consistency,offset=0",
        "meanflow,width=0",
        "meanflow,power=-1",
        "meanflow,offset=0",
        "lsd,width=0.5",
        "consistency,gap=1",
        "consistency-fm,segments=0",
        "consistency-fm,gap=0",
        "consistency-fm,boundary=1.1",
        "consistency-fm,alpha=-1",
    ] {
        let config: ObjectiveConfig = wrong.parse().unwrap();
        assert!(config.check().is_err(), "{wrong}");
    }
}
