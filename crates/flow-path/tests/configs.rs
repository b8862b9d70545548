//! Choices by name: read from text and tables, written, listed, checked, and made into what they
//! name.

mod common;

use std::error::Error;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::Arc;

use burn::prelude::*;
use burn::tensor::TensorData;
use common::rng;
use flow_path::config::{Check, Choice, Chosen, ConfigError, keys, shown};
use flow_path::{
    AffinePath, Beta, BetweenConfig, ConditionalPath, Coupling, CouplingConfig, Draw, EdmLogNormal,
    Entropic, Epsilon, Given, Linear, LossWeight, Mode, PairTube, Prediction, ProbabilityPath,
    Schedule, ScheduleConfig, SchrodingerBridge, Sinkhorn, TimeSampler, Times, TimesConfig,
    UShaped, Uniform, VarianceExploding, VariancePreserving, VeBoundary, Weighting,
};
use flow_testing::awkward::SCALARS;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Every choice reads its name, its text and its table, and writes what it read.
fn round_trips<T>(choices: &[Choice]) -> Result<(), Box<dyn Error>>
where
    T: Serialize + DeserializeOwned + FromStr<Err = ConfigError> + Debug + PartialEq,
{
    for choice in choices {
        let typed: T = choice.typed.parse()?;
        let table = toml::Table::try_from(&typed)?;
        assert_eq!(table["kind"].as_str(), Some(choice.name));
        assert_eq!(table.len(), 1 + choice.keys.len(), "{table} and {:?}", choice.keys);
        assert_eq!(&T::deserialize(table)?, &typed);
        assert_eq!(&shown(&typed).parse::<T>()?, &typed);
        let json = serde_json::to_string(&typed)?;
        assert_eq!(&serde_json::from_str::<T>(&json)?, &typed, "{json}");
        match choice.name.parse::<T>() {
            Ok(default) => assert_eq!(default, typed),
            Err(error) => assert!(error.to_string().contains("missing field"), "{error}"),
        }
        let nonsense = format!("{},nonsense=1", choice.typed).parse::<T>();
        let named = format!("`{}` has no key `nonsense`", choice.name);
        assert!(nonsense.is_err_and(|error| error.to_string().starts_with(&named)), "{named}");
    }
    Ok(())
}

#[test]
fn every_choice_is_read_and_written_as_text_and_as_a_table() {
    round_trips::<ScheduleConfig>(&ScheduleConfig::choices()).unwrap();
    round_trips::<TimesConfig>(&TimesConfig::choices()).unwrap();
    round_trips::<CouplingConfig>(&CouplingConfig::choices()).unwrap();
    round_trips::<BetweenConfig>(&BetweenConfig::choices()).unwrap();
    round_trips::<Prediction>(&Prediction::choices()).unwrap();
    round_trips::<LossWeight>(&LossWeight::choices()).unwrap();
    round_trips::<Weighting>(&Weighting::choices()).unwrap();
}

#[test]
fn what_cannot_be_read_is_named() {
    let schedule = |typed: &str| typed.parse::<ScheduleConfig>().unwrap_err().to_string();
    for (typed, said) in [
        ("vq", "there is no `vq`, use one of linear, vp, ve, cosine, nichol-dhariwal, polynomial"),
        ("vp,beta=1", "`vp` has no key `beta`, it has `beta_min` and `beta_max`"),
        ("polynomial,d=1", "`polynomial` has no key `d`, it has `degree`"),
        ("vp,beta_min", "`beta_min` has no `=`, write NAME,KEY=VALUE"),
        ("", "there is no ``, use one of linear"),
        ("vp,beta_min=few", "`vp`: expected a number, got \"few\", in `beta_min`"),
        ("ve,boundary=wall", "`ve`: unknown variant `wall`, expected `floor` or `zero`"),
    ] {
        assert!(schedule(typed).starts_with(said), "{}", schedule(typed));
    }
    let error = "mode".parse::<TimesConfig>().unwrap_err();
    assert_eq!(error.to_string(), "`mode`: missing field `scale`");
    let error = "ot,epsilon=1".parse::<CouplingConfig>().unwrap_err();
    assert_eq!(error.to_string(), "`ot` has no key `epsilon`");
    let error = "edm,sigma_data=few".parse::<Prediction>().unwrap_err();
    assert!(
        error.to_string().ends_with("expected a number, got \"few\", in `sigma_data`"),
        "{error}"
    );
    let error = "sigmoidal".parse::<LossWeight>().unwrap_err().to_string();
    assert!(error.contains("unit, variance, diffusion, likelihood, flow-matching"), "{error}");
    for value in ["3", "{ sigma_min = 0.1 }", "{ kind = 3 }"] {
        let table: toml::Table = format!("schedule = {value}").parse().unwrap();
        let error = table["schedule"].clone().try_into::<ScheduleConfig>().unwrap_err();
        assert!(error.to_string().contains("is no choice: write NAME"), "{value}: {error}");
    }
}

#[test]
fn an_error_in_a_file_names_the_key_that_the_choice_stands_in() {
    #[derive(Debug, serde::Deserialize)]
    struct File {
        #[allow(dead_code)]
        times: TimesConfig,
    }
    let error = toml::from_str::<File>("times = 'beta,data=2'").unwrap_err().to_string();
    assert!(error.contains("`beta`: missing field `noise`"), "{error}");
    let file: toml::Table = "times = 'uniform,mean=1'".parse().unwrap();
    let error = file.try_into::<File>().unwrap_err().to_string();
    assert!(error.contains("`uniform` has no key `mean`") && error.contains("`times`"), "{error}");
}

#[test]
fn a_list_shows_the_defaults_in_the_order_of_the_fields() {
    let typed = |choices: Vec<Choice>| choices.into_iter().map(|one| one.typed).collect::<Vec<_>>();
    assert_eq!(
        typed(ScheduleConfig::choices())[1..3],
        ["vp,beta_min=0.1,beta_max=20", "ve,sigma_min=0.01,sigma_max=50,boundary=floor"]
    );
    assert_eq!(typed(TimesConfig::choices())[6], "beta,data=2,noise=1");
    assert_eq!(typed(LossWeight::choices())[7], "edm,mean=-1.2,std=1.2,sigma_data=0.5");
    assert_eq!(keys::<VarianceExploding>(), ["sigma_min", "sigma_max", "boundary"]);
    assert!(keys::<Uniform>().is_empty() && keys::<f64>().is_empty());
}

#[test]
fn a_choice_makes_the_thing_that_it_names() {
    let schedule = "ve,sigma_max=8,boundary=zero".parse::<ScheduleConfig>().unwrap().build();
    let ve = VarianceExploding { sigma_min: 0.01, sigma_max: 8.0, boundary: VeBoundary::Zero };
    assert_eq!(schedule.at(0.3), ve.at(0.3));
    assert_eq!(schedule.span(), ve.span());

    let law = "edm,std=0.5".parse::<TimesConfig>().unwrap().build(&schedule);
    let edm = EdmLogNormal { mean: -1.2, std: 0.5, schedule: ve };
    assert_eq!(law.sample(20, &mut rng(3)), edm.sample(20, &mut rng(3)));
    let law = "beta,data=2,noise=1".parse::<TimesConfig>().unwrap().build(&schedule);
    let beta = Beta { data: 2.0, noise: 1.0 };
    assert_eq!(law.sample(20, &mut rng(3)), beta.sample(20, &mut rng(3)));

    assert_eq!("edm".parse(), Ok(Prediction::Edm { sigma_data: 0.5 }));
    let weight = LossWeight::LogSnr(Weighting::Sigmoid { bias: -1.0 });
    assert_eq!("sigmoid,bias=-1".parse(), Ok(weight));
    assert_eq!(weight.to_string(), "sigmoid,bias=-1.0");
    assert_eq!("variance".parse(), Ok(LossWeight::Variance));
}

#[test]
fn couplings_of_a_name_pair_as_those_that_they_stand_for() {
    let entropic =
        |epsilon| Entropic { epsilon: Epsilon::OfMeanCost(epsilon), ..Entropic::default() };
    let drawn = Sinkhorn { draw: Draw::WithReplacement, ..Sinkhorn::new(entropic(0.5)) };
    let soft = Entropic { relaxation: Some(2.0), ..entropic(0.05) };
    let pairs: [(&str, Box<dyn Coupling>); 4] = [
        ("sinkhorn,epsilon=0.5,replace=true", Box::new(drawn)),
        ("sinkhorn", Box::new(Sinkhorn::new(entropic(0.05)))),
        ("unbalanced,relaxation=2", Box::new(Sinkhorn::new(soft))),
        ("schrodinger,sigma=0.5", Box::new(Sinkhorn::schrodinger(0.5))),
    ];
    let x0: Vec<f32> = (0..32).map(|k| ((k * 37) % 32) as f32 / 10.0).collect();
    let x1: Vec<f32> = (0..32).map(|k| (k * k % 17) as f32 / 5.0).collect();
    for (typed, want) in pairs {
        let config: CouplingConfig = typed.parse().unwrap();
        let got = config.build().pair(&x0, &x1, Given::default(), 2, &mut rng(5)).unwrap();
        assert_eq!(got, want.pair(&x0, &x1, Given::default(), 2, &mut rng(5)).unwrap(), "{typed}");
        assert!(config.looks_at_values(), "{typed}");
    }
    assert!(!CouplingConfig::default().looks_at_values());
}

#[test]
fn a_schedule_that_passes_its_check_has_coefficients_and_one_that_panics_does_not_pass() {
    let mut refused = 0;
    for choice in ScheduleConfig::choices() {
        for key in choice.keys.iter().filter(|key| **key != "boundary") {
            for (name, value) in SCALARS {
                let mut table = toml::Table::from_iter([("kind".into(), choice.name.into())]);
                table.insert((*key).into(), value.into());
                let config: ScheduleConfig = table.try_into().unwrap();
                let built = catch_unwind(|| config.build().at(0.3));
                let what = format!("{}, {key} = {name}", choice.name);
                match config.check() {
                    Ok(()) => assert!(built.unwrap().sigma.is_finite(), "{what}"),
                    Err(error) => {
                        assert!(error.to_string().contains(key), "{what}: {error}");
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(20 < refused, "{refused}");
    // The reverse: rates that fall towards the noise are a schedule, but more likely swapped by
    // mistake.
    let swapped = VariancePreserving { beta_min: 20.0, beta_max: 0.1 };
    assert!(swapped.at(0.3).sigma.is_finite() && swapped.check().is_err());
}

#[test]
fn values_outside_their_domain_are_refused_by_name() {
    for (typed, said) in [
        ("logit-normal,std=0", "std is 0: it must lie in (0, inf), the positive numbers"),
        ("logit-normal,mean=nan", "mean is NaN: it must lie in (-inf, inf), the finite numbers"),
        ("mode,scale=2", "scale is 2: it must lie in [-1, 1.752], up to 2 / (pi - 2)"),
        ("u-shaped,sharpness=-1", "sharpness is -1: it must lie in [0, inf)"),
        ("beta,data=1,noise=0", "noise is 0: it must lie in [1e-3, 1e6]"),
        ("power,exponent=-1", "exponent is -1: it must lie in (-1, 1e6]"),
        ("edm,std=-1", "std is -1: it must lie in (0, inf), the positive numbers"),
    ] {
        let config: TimesConfig = typed.parse().unwrap();
        assert_eq!(config.check().unwrap_err().to_string(), said);
        let law = config.build(&(Arc::new(Linear::default()) as Arc<dyn Schedule>));
        assert!(panics(|| law.sample(1, &mut rng(0))), "{typed}");
    }
    for typed in ["uniform", "cosmap", "mode,scale=-1", "u-shaped,sharpness=0"] {
        assert!(typed.parse::<TimesConfig>().unwrap().check().is_ok(), "{typed}");
    }
    for typed in [
        "sinkhorn,epsilon=0",
        "unbalanced,relaxation=-1",
        "partial,fraction=1.5",
        "conditional,share=2",
    ] {
        assert!(typed.parse::<CouplingConfig>().unwrap().check().is_err(), "{typed}");
    }
    assert!("edm,std=0".parse::<LossWeight>().unwrap().check().is_err());
    assert!("edm,sigma_data=0".parse::<Prediction>().unwrap().check().is_err());
    assert!("bridge,sigma=0".parse::<BetweenConfig>().unwrap().check().is_err());
    assert_eq!(Mode { scale: 0.5 }.check(), Ok(()));
    assert_eq!(UShaped { sharpness: 4.0 }.check(), Ok(()));
}

fn panics<T>(run: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

fn rows(values: [f32; 6]) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), [3, 2]), &Device::flex())
}

#[test]
fn a_path_behind_a_pointer_gives_the_points_of_the_path_itself() {
    let schedule: Arc<dyn Schedule> = Arc::new(VariancePreserving::default());
    let (x0, x1) = (rows([0.1, -1.0, 2.0, 0.5, 0.0, 1.0]), rows([3.0, 1.0, -2.0, 0.5, 4.0, -1.0]));
    let noise = rows([1.0, 0.2, -0.3, 0.4, -2.0, 0.6]);
    let t = Times::new(vec![0.2, 0.5, 0.9]);
    let pair = (x0.clone(), x1.clone());
    for (typed, want) in [
        ("line", AffinePath::new(&schedule).sample(x0.clone(), x1.clone(), &t)),
        ("tube,sigma=0.3", PairTube { sigma: 0.3 }.sample_given(&pair, noise.clone(), &t)),
        ("bridge", SchrodingerBridge { sigma: 1.0 }.sample_given(&pair, noise.clone(), &t)),
    ] {
        let path: Arc<dyn ProbabilityPath<2>> =
            typed.parse::<BetweenConfig>().unwrap().build(&schedule);
        let got = path.sample_with(x0.clone(), x1.clone(), Some(noise.clone()), &t);
        got.x_t.into_data().assert_eq(&want.x_t.into_data(), true);
        got.dx_t.into_data().assert_eq(&want.dx_t.into_data(), true);
        assert_eq!(path.is_random(), typed != "line");
        let without_noise = || path.sample(x0.clone(), x1.clone(), &t);
        assert_eq!(panics(without_noise), path.is_random(), "{typed}");
        let (start, end) = path.span();
        assert!(0.0 <= start && start < end && end <= 1.0, "{typed}");
    }
}

#[test]
fn a_choice_without_values_can_be_named_in_code() {
    assert_eq!(TimesConfig::try_from(Chosen::named("uniform")), Ok(TimesConfig::default()));
    assert_eq!(Prediction::default().name(), "velocity");
}
