//! Laws of jumps: which rows of a batch jump, from where to where, and which losses that teaches.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

#[path = "common/gaussian.rs"]
mod gaussian;

use std::sync::Arc;

use burn::tensor::Device;
use flow_path::config::Check;
use flow_path::{Stratified, TimesConfig};
use flow_train::{
    BatchSource, Consistency, Distillation, Jump, Lagrangian, MeanFlow, Networks, Objective,
    OtherPairs, Pairs, Shortcut, Splitting,
};
use gaussian::{Map, batches, times};

#[test]
#[expect(clippy::float_cmp, reason = "times of a grid are exact")]
fn the_last_rows_jump_and_the_others_stay_whatever_the_law() {
    let dyadic = Jump::Dyadic { steps: 16 };
    for jump in [Jump::Drawn, Jump::Onward, dyadic, Jump::ToEnd, Jump::Whole] {
        let mut source = batches(&Shortcut::default(), 40);
        source.batches.matching.times = Arc::new(Stratified);
        source.pairs = Pairs { share: 0.25, jump, times: None };
        let batch = source.batch(2, &Device::flex()).unwrap();
        let pairs = times(&batch);
        assert_eq!((batch.jumps, pairs.len()), (10, 40));
        assert!(pairs[..30].iter().all(|(t, s)| t == s), "{jump:?}: {pairs:?}");
        assert!(pairs[30..].iter().all(|(t, s)| t < s), "{jump:?}: {pairs:?}");
        // A law that covers the interval in the order of the batch still covers it.
        let late = pairs[..30].iter().filter(|(t, _)| 0.75 < *t).count();
        assert!(3 < late && late < 12, "{jump:?}: {late} of 30 are late");
        for &(t, s) in &pairs[30..] {
            let fits = match jump {
                Jump::Dyadic { .. } => {
                    let count = 1.0 / (s - t);
                    [1.0, 2.0, 4.0, 8.0].contains(&count) && (t * count).fract() == 0.0
                }
                Jump::ToEnd => s == 1.0,
                Jump::Whole => (t, s) == (0.0, 1.0),
                _ => true,
            };
            assert!(fits, "{jump:?}: from {t} to {s}");
        }
    }
}

/// The times of a batch of 8,192 rows by `meanflow` with another law of jumps: those of the rows
/// that stay, and those of the 2,048 that jump.
fn times_by(jump: Option<Jump>, law: Option<&str>) -> [Vec<(f64, f64)>; 2] {
    let times = law.map(|law| law.parse::<TimesConfig>().unwrap());
    let objective = OtherPairs { objective: Arc::new(MeanFlow::default()), jump, times };
    let batch = batches(&objective, 8192).batch(4, &Device::flex()).unwrap();
    let mut stay = gaussian::times(&batch);
    let jumps = stay.split_off(8192 - 2048);
    assert_eq!(batch.jumps, jumps.len());
    [stay, jumps]
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// Bounds are four standard errors of 2,048 jumps, of two draws each where both are averaged.
#[test]
fn another_law_of_jumps_moves_the_jumps_and_leaves_the_rows_that_stay() {
    let [stay, drawn] = times_by(None, None);
    let middle = |jumps: &[(f64, f64)]| mean(jumps.iter().map(|(t, s)| 0.5 * (t + s)));
    let start = |jumps: &[(f64, f64)]| mean(jumps.iter().map(|(t, _)| *t));
    // The earlier of two uniform draws has the mean 1/3 and the variance 1/18.
    assert!((middle(&drawn) - 0.5).abs() < 0.019, "{}", middle(&drawn));
    assert!((start(&drawn) - 1.0 / 3.0).abs() < 0.021, "{}", start(&drawn));

    // A density of 4 t^3 has the mean 4/5 and the variance 2/75.
    let [also, late] = times_by(None, Some("power,exponent=3"));
    assert_eq!(stay, also);
    assert!((middle(&late) - 0.8).abs() < 0.011, "{}", middle(&late));
    assert!(late.iter().all(|(t, s)| t < s));

    // A uniform start has the variance 1/12, and so has a part of the rest of the way.
    let [also, onward] = times_by(Some(Jump::Onward), None);
    let part = mean(onward.iter().map(|(t, s)| (s - t) / (1.0 - t)));
    assert_eq!(stay, also);
    assert!((start(&onward) - 0.5).abs() < 0.026, "{}", start(&onward));
    assert!((part - 0.5).abs() < 0.026, "{part}");

    let [also, to_end] = times_by(Some(Jump::ToEnd), Some("power,exponent=3"));
    assert_eq!(stay, also);
    assert!((start(&to_end) - 0.8).abs() < 0.015, "{}", start(&to_end));
    assert!(to_end.iter().all(|&(_, s)| s > 1.0 - 1e-7));
}

#[test]
fn a_loss_learns_from_jumps_that_its_targets_ask_for_in_their_turn() {
    let laws = [Jump::Drawn, Jump::Onward, Jump::Dyadic { steps: 128 }, Jump::ToEnd, Jump::Whole];
    let objectives: [(&dyn Objective, [bool; 5]); 6] = [
        (&Shortcut::default(), [false, false, true, false, false]),
        (&Splitting::default(), [true, true, false, false, false]),
        (&MeanFlow::default(), [true, true, false, true, false]),
        (&Lagrangian::default(), [true, true, false, false, false]),
        (&Consistency::default(), [true, true, false, true, false]),
        (&Distillation {}, [false, false, false, false, true]),
    ];
    for (objective, want) in objectives {
        assert_eq!(laws.map(|law| objective.learns_from(law)), want, "{objective:?}");
        assert!(objective.learns_from(objective.pairs().unwrap().jump), "{objective:?}");
    }
    let other = Shortcut { steps: 64, ..Shortcut::default() };
    assert!(!other.learns_from(Jump::Dyadic { steps: 128 }), "halves of other steps");
}

#[test]
fn laws_of_jumps_are_read_by_name_shown_and_checked() {
    let typed = ["drawn", "onward", "dyadic,steps=128", "to-end", "whole"];
    let listed: Vec<String> = Jump::choices().into_iter().map(|one| one.typed).collect();
    assert_eq!(listed, typed);
    for typed in typed {
        let jump: Jump = typed.parse().unwrap();
        assert_eq!((jump.to_string().as_str(), jump.check()), (typed, Ok(())));
        assert_eq!(jump.name().parse(), Ok(jump), "values left out are the defaults");
    }
    for steps in [0, 1, 100] {
        assert!(Jump::Dyadic { steps }.check().is_err(), "{steps}");
    }
}

/// Where a loss has one minimiser for all pairs of times, the law of jumps does not move it.
#[test]
fn on_jumps_by_other_laws_the_loss_of_a_taught_map_is_least_for_the_exact_one() {
    let teacher = Map::exact();
    let late = || Some("power,exponent=1".parse::<TimesConfig>().unwrap());
    let consistency = Consistency { share: 0.5, ..Consistency::default() };
    // Without the adaptive weight, which moves the minimum in few dimensions.
    let mean_flow = MeanFlow { power: 0.0, ..MeanFlow::default() };
    let by = |objective: Arc<dyn Objective>, jump, times| OtherPairs { objective, jump, times };
    let all = [
        by(Arc::new(mean_flow), Some(Jump::ToEnd), None),
        by(Arc::new(Splitting::default()), Some(Jump::Onward), late()),
        by(Arc::new(Lagrangian::default()), None, late()),
        by(Arc::new(consistency), Some(Jump::Drawn), None),
    ];
    for objective in all {
        let batch = batches(&objective, 16_384).batch(0, &Device::flex()).unwrap();
        let of = |factor: f64| {
            let network = Map::scaled(factor);
            let networks = Networks { network: &network, ..Networks::of(&teacher) };
            objective.loss(networks, batch.clone()).total.into_scalar::<f64>()
        };
        let (less, least, more) = (of(0.9), of(1.0), of(1.1));
        assert!(least < less && least < more, "{objective:?}: {less}, {least}, {more}");
    }
}
