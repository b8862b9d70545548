//! What a computation cost: network calls as they are made, and those with a gradient.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod gaussians;

use burn::tensor::{Device, Tensor};
use flow_path::{Exact, Gaussian, Linear, Mixture};
use flow_sample::{
    Conditioned, Conditioning, Counted, Ddim, Dps, Guided, Interval, Langevin, Mask, Mmps,
    Observation, ObservationNoise, PiGdm, Predictor, Replacement, Sampler, Way, prior,
};
use gaussians::{Gaussians, reference};

fn methods() -> [(&'static str, Box<dyn Conditioning>); 4] {
    let device = Device::flex();
    let known: Vec<bool> = (0..8).map(|i| i < 4).collect();
    let noise = ObservationNoise::Gaussian { std: 1.0 };
    let y = Tensor::<2>::zeros([1, 8], &device);
    let observation = Observation::new(Mask::new(&known, 8, &device), y, noise).unwrap();
    [
        ("replacement", Box::new(Replacement { observation: observation.clone(), iterations: 1 })),
        ("dps", Box::new(Dps { evidence: observation.clone(), scale: 1.0 })),
        (
            "pigdm",
            Box::new(PiGdm { observation: observation.clone(), data_std: 1.0, iterations: 1 }),
        ),
        ("mmps", Box::new(Mmps { observation, iterations: 3 })),
    ]
}

/// Five steps ask five times, and once more without the observation, at pure noise, where the
/// method answers for a later time. Corrections ask once after each step but the last.
#[test]
fn calls_and_gradients_are_those_of_the_method() {
    let law = Gaussians::reference(&reference());
    for (method, ddim, langevin) in [
        ("replacement", (6, 0), (10, 0)),
        ("dps", (6, 5), (10, 9)),
        ("pigdm", (6, 5), (10, 9)),
        ("mmps", (16, 15), (28, 27)),
    ] {
        let samplers: [(&dyn Sampler, _); 2] =
            [(&Ddim::default(), ddim), (&Langevin::default(), langevin)];
        for (sampler, want) in samplers {
            let counted = Counted::new(&law);
            let (_, method) = methods().into_iter().find(|(name, _)| *name == method).unwrap();
            let conditioned = Conditioned { predictor: &counted, method };
            let x0 = prior(0, 0..3, 8, &conditioned, &Device::flex());
            let found = sampler.sample(&conditioned, x0, &Way::steps(5)).unwrap();
            assert_eq!((counted.made(), counted.gradients()), want, "{sampler:?}");
            assert_eq!(found.nfe, counted.made(), "what a sampler reports is what it asks");
        }
    }
}

/// A prediction of two networks is two calls, as is a jump; one that there is none of costs
/// nothing.
#[test]
fn a_guided_prediction_counts_both_of_its_halves() {
    let [with, without] = [0.5, -0.5]
        .map(|mean| Exact::new(Gaussian::new(vec![mean; 2], 0.5), Linear { sigma_min: 0.0 }));
    let guided = Guided { with, without, scale: 2.0, interval: Interval::default() };
    let counted = Counted::new(guided);
    let x0 = prior(0, 0..3, 2, &counted, &Device::flex());
    let found = Ddim::default().sample(&counted, x0.clone(), &Way::steps(4)).unwrap();
    assert_eq!((counted.made(), counted.gradients(), found.nfe), (8, 0, 8));
    assert!(counted.jump(&x0, 0.2, 0.8).is_some());
    assert_eq!(counted.made(), 10);
    let none = Counted::new(Exact::new(Mixture::ring(3, 2.0, 0.3), Linear { sigma_min: 0.0 }));
    assert!(none.jump(&x0, 0.2, 0.8).is_none());
    assert_eq!(none.made(), 0);
}
