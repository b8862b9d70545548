//! Samplers and grids by name: what is typed, what it stands for, and what is refused.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, Tensor};
use common::host;
use flow_ode::Method;
use flow_path::config::{Check, ConfigError};
use flow_path::{Exact, Gaussian, Linear, TimeShift};
use flow_sample::{
    Ancestral, ByMethod, Churn, Ddim, Diffusion, DpmSolver, Edm, Final, FlowMap, GivenGrid, Grid,
    GridConfig, KarrasChurn, KarrasGrid, Langevin, LastStep, LogSnrGrid, Multistep, Reparametrised,
    Rule, Sampler, SamplerConfig, Sde, Space, UniPc, UniPcOrder, UniformGrid, Way, prior,
};
use flow_testing::awkward::SCALARS;

const MEAN: [f64; 2] = [1.5, -0.5];
const STD: f64 = 0.5;
/// Samples of a mean, whose standard error is `STD / sqrt(ROWS)`, 0.011.
const ROWS: usize = 2000;
const STEPS: usize = 40;

fn field() -> Exact<Gaussian, Linear> {
    Exact::new(Gaussian::new(MEAN.to_vec(), STD), Linear::default())
}

fn start() -> Tensor<2> {
    prior(8, 0..ROWS, 2, &field(), &Device::flex())
}

/// The mean of each column, and the standard deviation of all numbers about them.
fn moments(x: Tensor<2>) -> ([f64; 2], f64) {
    let x = host(x);
    let n = x.len() as f64 / 2.0;
    let mean = [0, 1].map(|k| x.iter().skip(k).step_by(2).sum::<f64>() / n);
    let squares = x.chunks(2).flat_map(|row| [row[0] - mean[0], row[1] - mean[1]]);
    (mean, (squares.map(|gap| gap * gap).sum::<f64>() / (2.0 * n)).sqrt())
}

/// Four standard errors: from pure noise, each sampler keeps the mean of Gaussian data exactly.
#[track_caller]
fn assert_mean(mean: [f64; 2], what: &str) {
    for (got, want) in mean.iter().zip(MEAN) {
        assert!((got - want).abs() < 0.045, "{what}: the mean is {mean:?}");
    }
}

#[test]
fn every_sampler_is_read_shown_and_checked_and_samples_a_gaussian() {
    for choice in SamplerConfig::choices() {
        let config: SamplerConfig = choice.typed.parse().unwrap();
        assert_eq!(config.name(), choice.name);
        assert_eq!(config.to_string().parse(), Ok(config));
        assert_eq!(choice.name.parse(), Ok(config), "values left out are the defaults");
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<SamplerConfig>(&json).unwrap(), config, "{json}");
        assert_eq!(config.check(), Ok(()), "{}", choice.name);
        let sampler = config.build(Method::Midpoint);
        let (mean, std) = moments(sampler.sample(&field(), start(), &Way::steps(STEPS)).unwrap().x);
        assert_mean(mean, choice.name);
        // Forty steps of order 1 leave an error of a few hundredths.
        assert!((std - STD).abs() < 0.05, "{}: the deviation is {std}", choice.name);
    }
}

#[test]
fn every_grid_is_read_shown_and_checked_and_can_be_walked() {
    for choice in GridConfig::choices() {
        let config: GridConfig = choice.typed.parse().unwrap();
        assert_eq!(config.name(), choice.name);
        assert_eq!(config.to_string().parse(), Ok(config.clone()));
        assert_eq!(config.check(), Ok(()), "{}", choice.name);
        let grid = config.build(STEPS, 1.0).unwrap();
        let times = grid.times(&field()).unwrap();
        let steps = if config.is_given() { 2 } else { STEPS };
        assert_eq!(times.len(), 1 + steps, "{}", choice.name);
        let x = Ddim::default().sample(&field(), start(), &Way::along(grid.clone())).unwrap().x;
        assert_mean(moments(x).0, choice.name);
        let shifted = grid.shifted(TimeShift::new(3.0).unwrap());
        assert_eq!(config.build(STEPS, 3.0), Ok(shifted), "{}", choice.name);
    }
    let error = "given".parse::<GridConfig>().unwrap_err();
    assert_eq!(error.to_string(), "`given`: missing field `times`");
}

#[test]
fn samplers_of_recipes_of_version_0_2_mean_what_they_did() {
    let churn = KarrasChurn { amount: 40.0, min: 0.05, max: 50.0, noise_std: 1.003 };
    let sde = Sde { diffusion: Diffusion::Sigma, scale: 1.0, last: LastStep::Denoise };
    let langevin = Langevin { corrections: 1, ratio: 0.3, eta: 0.0 };
    let solver = DpmSolver { multistep: Multistep::Second, eta: 0.0 };
    let unipc = UniPc { order: UniPcOrder::Second, last: Final::FullOrder };
    let straight = Reparametrised { space: Space::Displacement, rule: Rule::Midpoint };
    let defaults = [
        ("ode", SamplerConfig::Ode(ByMethod {})),
        ("ddim,eta=0", SamplerConfig::Ddim(Ddim { eta: 0.0 })),
        ("ancestral", SamplerConfig::Ancestral(Ancestral {})),
        ("churn,fraction=0.5", SamplerConfig::Churn(Churn { fraction: 0.5 })),
        ("edm", SamplerConfig::Edm(Edm {})),
        (
            "karras-churn,amount=40,min=0.05,max=50,noise_std=1.003",
            SamplerConfig::KarrasChurn(churn),
        ),
        ("sde,diffusion=sigma,scale=1,last=denoise", SamplerConfig::Sde(sde)),
        ("langevin,corrections=1,ratio=0.3,eta=0", SamplerConfig::Langevin(langevin)),
        ("dpm-solver++,order=2,eta=0", SamplerConfig::DpmSolver(solver)),
        ("unipc,order=2,last=full", SamplerConfig::UniPc(unipc)),
        ("straight,space=displacement,rule=midpoint", SamplerConfig::Straight(straight)),
        ("flow-map", SamplerConfig::FlowMap(FlowMap {})),
    ];
    let typed: Vec<String> = SamplerConfig::choices().into_iter().map(|one| one.typed).collect();
    assert_eq!(typed, defaults.map(|(typed, _)| typed));
    let others = [
        (
            "sde,diffusion=ddpm,scale=0.25,last=plain",
            SamplerConfig::Sde(Sde {
                diffusion: Diffusion::Ddpm,
                scale: 0.25,
                last: LastStep::Plain,
            }),
        ),
        (
            "dpm-solver++,order=1,eta=1",
            SamplerConfig::DpmSolver(DpmSolver { multistep: Multistep::First, eta: 1.0 }),
        ),
        (
            "unipc,order=3,last=lower",
            SamplerConfig::UniPc(UniPc { order: UniPcOrder::Third, last: Final::LowerOrder }),
        ),
        (
            "straight,space=data,rule=euler",
            SamplerConfig::Straight(Reparametrised { space: Space::Data, rule: Rule::Euler }),
        ),
    ];
    for (typed, want) in defaults.into_iter().chain(others) {
        assert_eq!(typed.parse(), Ok(want), "{typed}");
    }
    assert_eq!(SamplerConfig::default(), SamplerConfig::Ode(ByMethod {}));
}

#[test]
fn grids_of_recipes_of_version_0_2_mean_what_they_did() {
    let steps = 5;
    let karras = KarrasGrid { rho: 7.0, min: 0.002, max: 80.0 };
    let times = vec![0.0, 0.5, 1.0];
    let grids = [
        ("uniform", GridConfig::Uniform(UniformGrid {}), Grid::Uniform { steps }),
        (
            "log-snr,min=-10,max=10",
            GridConfig::LogSnr(LogSnrGrid { min: -10.0, max: 10.0 }),
            Grid::LogSnr { steps, min: -10.0, max: 10.0 },
        ),
        (
            "karras,rho=7,min=0.002,max=80",
            GridConfig::Karras(karras),
            Grid::Karras { steps, rho: 7.0, min: 0.002, max: 80.0 },
        ),
        (
            "given,times=[0,0.5,1]",
            GridConfig::Given(GivenGrid { times: times.clone() }),
            Grid::Given(times),
        ),
    ];
    for ((typed, config, grid), choice) in grids.into_iter().zip(GridConfig::choices()) {
        assert_eq!(choice.typed, typed);
        assert_eq!(typed.parse(), Ok(config.clone()), "{typed}");
        assert_eq!(config.build(steps, 1.0), Ok(grid), "{typed}");
        if !config.is_given() {
            assert_eq!(choice.name.parse(), Ok(config), "values left out are the defaults");
        }
    }
    assert_eq!(GridConfig::default(), GridConfig::Uniform(UniformGrid {}));
}

#[test]
fn the_ode_alone_asks_for_a_solver_and_noise_is_drawn_where_the_values_say_so() {
    let config = |typed: &str| typed.parse::<SamplerConfig>().unwrap();
    let solvers = SamplerConfig::choices().into_iter().filter(|one| config(&one.typed).is_ode());
    assert_eq!(solvers.map(|one| one.name).collect::<Vec<_>>(), ["ode"]);
    for typed in [
        "ddim,eta=0.1",
        "ancestral",
        "churn",
        "karras-churn",
        "sde",
        "langevin",
        "dpm-solver++,eta=1",
    ] {
        assert!(config(typed).is_random(), "{typed}");
    }
    for typed in [
        "ode",
        "ddim",
        "churn,fraction=0",
        "edm",
        "karras-churn,amount=0",
        "sde,diffusion=zero",
        "sde,scale=0",
        "langevin,corrections=0",
        "langevin,ratio=0",
        "dpm-solver++",
        "unipc",
        "straight",
    ] {
        // The control: such a sampler must not ask for noise.
        let silent = |_: usize, _: &Tensor<2>| panic!("{typed} draws noise");
        let sampler = config(typed).build(Method::Euler);
        let way = Way::steps(3).with_noise(&silent);
        assert!(!config(typed).is_random() && sampler.sample(&field(), start(), &way).is_ok());
    }
}

#[track_caller]
fn assert_refused<T>(typed: &str, said: &str)
where
    T: Check + Debug + std::str::FromStr<Err = ConfigError>,
{
    let config: T = typed.parse().unwrap();
    assert_eq!(config.check().unwrap_err().to_string(), said, "{typed}");
}

#[test]
fn values_outside_their_domain_are_refused_by_name() {
    for (typed, said) in [
        ("ddim,eta=1.5", "eta is 1.5: it must lie in [0, 1]"),
        ("dpm-solver++,eta=-1", "eta is -1: it must lie in [0, 1]"),
        ("churn,fraction=1", "fraction is 1: it must lie in [0, 1)"),
        ("sde,scale=-1", "scale is -1: it must lie in [0, inf)"),
        ("langevin,eta=2", "eta is 2: it must lie in [0, 1]"),
        ("langevin,ratio=nan", "ratio is NaN: it must lie in [0, 1]"),
        ("karras-churn,amount=nan", "amount is NaN: it must lie in [0, inf)"),
        ("karras-churn,noise_std=-1", "noise_std is -1: it must lie in [0, inf)"),
        ("karras-churn,min=60", "max is 50: it must lie in (min, inf)"),
    ] {
        assert_refused::<SamplerConfig>(typed, said);
    }
    for (typed, said) in [
        ("log-snr,min=inf", "min is inf: it must lie in (-inf, inf), the finite numbers"),
        ("log-snr,min=10", "max is 10: it must lie in (min, inf)"),
        ("karras,rho=0", "rho is 0: it must lie in (0, inf), the positive numbers"),
        ("karras,max=0.001", "max is 0.001: it must lie in (min, inf)"),
        ("given,times=[0,1.5]", "times is 1.5: it must lie in [0, 1]"),
        ("given,times=[0,nan,1]", "times is NaN: it must lie in [0, 1]"),
        ("given,times=[0,0.5,0.5,1]", "times is 0.5: it must lie in increasing order"),
        (
            "given,times=[1]",
            "steps of times is 0: it must lie in [1, inf): give at least two times",
        ),
        (
            "given,times=[0,0.5]",
            "last of times is 0.5: it must lie in [1, 1]: noise is left before the data",
        ),
    ] {
        assert_refused::<GridConfig>(typed, said);
    }
    for (typed, said) in [
        ("euler", "there is no `euler`, use one of ode, ddim"),
        ("ddim,fraction=1", "`ddim` has no key `fraction`, it has `eta`"),
        ("unipc,order=4", "`unipc`: unipc has the orders 2 and 3, not 4"),
        ("dpm-solver++,order=3", "`dpm-solver++`: dpm-solver++ has the orders 1 and 2, not 3"),
        ("sde,diffusion=tau", "`sde`: unknown variant `tau`, expected one of `zero`"),
        ("straight,rule=heun", "`straight`: unknown variant `heun`, expected `euler`"),
    ] {
        let error = typed.parse::<SamplerConfig>().unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    }
}

/// What passes its check makes finite numbers or says why not; what does not is named by its key.
#[test]
fn awkward_values_are_refused_by_name_or_make_numbers() {
    let mut refused = 0;
    let numbers =
        |one: &str| !["diffusion", "last", "order", "space", "rule", "corrections"].contains(&one);
    for choice in SamplerConfig::choices() {
        for key in choice.keys.iter().filter(|key| numbers(key)) {
            for (name, value) in SCALARS {
                let what = format!("{}, {key} = {name}", choice.name);
                // With an exponent, which makes a number of TOML of each.
                let config =
                    format!("{},{key}={}", choice.name, format!("{value:e}").to_lowercase());
                let config: SamplerConfig = config.parse().unwrap();
                let sampler = config.build(Method::Euler);
                let x0 = prior(8, 0..3, 2, &field(), &Device::flex());
                let sample = || sampler.sample(&field(), x0, &Way::steps(3));
                let sampled = catch_unwind(AssertUnwindSafe(sample)).expect(&what);
                assert!(sampled.is_err() || host(sampled.unwrap().x).iter().all(|x| x.is_finite()));
                if let Err(error) = config.check() {
                    let error = error.to_string();
                    assert!(error.contains(key) || error.starts_with("max"), "{what}: {error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(20 < refused, "{refused}");
}
