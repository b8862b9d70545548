//! A model whose velocity is that of a normal law in closed form, as a model of a table.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "what was known is as it was, to the digit")]

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use flow_datasets::table::{Column, ColumnType, Kind, Type, Values};
use flow_datasets::{Columns, Encoder, Holes, Overrides, ReadOptions, Table, TableRows};
use flow_judge::{LikelihoodOptions, densities};
use flow_model::{AnswerMethod, Model, ModelConfig, Question, Registry};
use flow_nn::{Condition, DynNetwork, Network, NetworkConfig, NetworkError, Signature, Time};
use flow_sample::{Grid, Langevin, Mask, ObservationNoise};
use serde::{Deserialize, Serialize};

/// Correlation of the two columns.
const RHO: f64 = 0.8;

/// The velocity of a straight path to two numbers of variance 1 and correlation [`RHO`].
///
/// Along `(1, 1)` and `(1, -1)` the law falls apart into two of variances `1 + rho` and `1 - rho`,
/// and for a variance `v` the velocity is `(t v - (1 - t)) / (t^2 v + (1 - t)^2) x`.
#[derive(Module, Debug)]
struct Normal {
    #[module(skip)]
    signature: Signature,
}

impl Network for Normal {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
        let t: Tensor<2> = time.expand(x.dims()[0]).t.unsqueeze_dim(1);
        let left = t.clone().neg() + 1.0;
        let rate = |variance: f64| {
            (t.clone() * variance - left.clone())
                / (t.clone().square() * variance + left.clone().square())
        };
        let (a, b) = (x.clone().narrow(1, 0, 1), x.narrow(1, 1, 1));
        let sum = (a.clone() + b.clone()) * 0.5 * rate(1.0 + RHO);
        let difference = (a - b) * 0.5 * rate(1.0 - RHO);
        Tensor::cat(vec![sum.clone() + difference.clone(), sum - difference], 1)
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct NormalConfig {}

impl NetworkConfig for NormalConfig {
    const KIND: &'static str = "normal";
    const ABOUT: &'static str = "a normal law of two numbers";
    type Network = Normal;

    fn init(&self, signature: &Signature, _: &Device) -> Result<Normal, NetworkError> {
        Ok(Normal { signature: signature.clone() })
    }
}

fn number(name: &str, values: Vec<f64>) -> Column {
    Column {
        name: name.into(),
        ty: Type::Real { decimals: Some(3) },
        values: Values::Number(values),
    }
}

/// A model of the columns `height`, mean 170 and deviation 10, and `weight`, 70 and 5, whose
/// transforms are fitted on rows that have exactly these.
fn model() -> (Model, TableRows) {
    let signs: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
    // Each row its own, so that no column is taken for a code, and the outer ones 3.5 deviations
    // from the mean: what is drawn is cut to the range of the training rows.
    let spread = |i: usize| (1 + i / 2) as f64;
    let values = |mean: f64, std: f64| {
        let raw: Vec<f64> = (0..40).map(|i| signs[i] * spread(i).powi(6)).collect();
        let scale = (raw.iter().map(|x| x * x).sum::<f64>() / 40.0).sqrt();
        raw.iter().map(|x| mean + std * x / scale).collect()
    };
    let table = Table::new(vec![
        number("height", values(170.0, 10.0)),
        number("weight", values(70.0, 5.0)),
    ])
    .unwrap();
    let columns = Columns::guess(&table, &Overrides::default()).unwrap();
    let encoder = Encoder::fit(&table, &columns).unwrap();
    normal(TableRows {
        masked: false,
        optional: Vec::new(),
        holes: Vec::new(),
        encoder,
        reading: ReadOptions::default(),
    })
}

/// The normal law as a model of a table of two columns.
fn normal(rows: TableRows) -> (Model, TableRows) {
    let registry = Registry::default().with::<NormalConfig>();
    let signature = Signature::of([2]);
    let mut config = ModelConfig::new(signature.clone(), "kind = \"normal\"".parse().unwrap());
    config.rows = rows.kept();
    let network = DynNetwork::new(Normal { signature });
    let model = Model::new(&registry, config, network, &Device::flex()).unwrap();
    let kept = TableRows::of(&model.config().rows).unwrap().unwrap();
    assert_eq!(kept, rows);
    (model, kept)
}

#[test]
fn a_density_is_that_of_the_columns_in_their_units() {
    let (model, rows) = model();
    let heights = vec![170.0, 181.5, 160.0, 175.0];
    let mut table =
        vec![number("height", heights.clone()), number("weight", vec![70.0, 71.0, 66.0, 80.0])];
    let options = LikelihoodOptions { rtol: 1e-6, atol: 1e-6, ..LikelihoodOptions::default() };
    let found = densities(&model, &rows, &Table::new(table.clone()).unwrap(), &options).unwrap();
    let Values::Number(weights) = &table[1].values else { unreachable!() };
    for (row, found) in found.iter().enumerate() {
        let (a, b) = ((heights[row] - 170.0) / 10.0, (weights[row] - 70.0) / 5.0);
        let square = (a * a - 2.0 * RHO * a * b + b * b) / (1.0 - RHO * RHO);
        let volume = std::f64::consts::TAU * 50.0 * (1.0 - RHO * RHO).sqrt();
        let exact = -square / 2.0 - volume.ln();
        // States in f32 and a tolerance of 1e-6; the largest square here is 16.
        assert!((found - exact).abs() < 1e-3, "row {row}: {found}, exactly {exact}");
    }
    // A row that lacks a value has none, and the others keep theirs.
    table[0] = number("height", vec![170.0, f64::NAN, 160.0, 175.0]);
    let holed = densities(&model, &rows, &Table::new(table).unwrap(), &options).unwrap();
    assert!(holed[1].is_nan());
    assert!((holed[0] - found[0]).abs() < 1e-5 && (holed[3] - found[3]).abs() < 1e-5);
}

/// Two columns of 0, 1 and 2, each pair as often: their mean is 1 and their variance 2/3, so that
/// the law of the model in their units is known, and with it the probability of the cell around
/// (1, 1).
#[test]
fn densities_of_whole_numbers_bound_the_probability_of_their_cells() {
    let digits = |of: fn(usize) -> usize| {
        let values = (0..36).map(|i| of(i) as f64).collect();
        (Type::Integer {}, Values::Number(values))
    };
    let column = |name: &str, (ty, values)| Column { name: name.into(), ty, values };
    let table =
        Table::new(vec![column("a", digits(|i| i % 3)), column("b", digits(|i| i / 3 % 3))])
            .unwrap();
    let whole = |name: &str| (name.to_owned(), ColumnType::Kind(Kind::Integer));
    let overrides =
        Overrides { types: ["a", "b"].map(whole).into_iter().collect(), ..Overrides::default() };
    let columns = Columns::guess(&table, &overrides).unwrap();
    let encoder = Encoder::fit(&table, &columns).unwrap();
    assert!(encoder.has_whole());
    let (model, rows) = normal(TableRows {
        masked: false,
        optional: Vec::new(),
        holes: Vec::new(),
        encoder,
        reading: ReadOptions::default(),
    });
    let asked = |n: usize, importance: usize| {
        let ones = || (Type::Integer {}, Values::Number(vec![1.0; n]));
        let table = Table::new(vec![column("a", ones()), column("b", ones())]).unwrap();
        let options = LikelihoodOptions { importance, ..LikelihoodOptions::default() };
        let found = densities(&model, &rows, &table, &options).unwrap();
        found.iter().sum::<f64>() / n as f64
    };
    // In units of the columns: the variance of each is 2/3, and the precision of each beside the
    // other is 1 / (2/3 (1 - rho^2)).
    let (variance, left) = (2.0 / 3.0, 1.0 - RHO * RHO);
    let log_density = |u: f64, v: f64| {
        let square = (u * u - 2.0 * RHO * u * v + v * v) / (variance * left);
        -square / 2.0 - (std::f64::consts::TAU * variance * left.sqrt()).ln()
    };
    let place = |i: i32| (f64::from(i) + 0.5) / 200.0 - 0.5;
    let densities = (0..40_000).map(|i| log_density(place(i / 200), place(i % 200)).exp());
    let probability = (densities.sum::<f64>() / 40_000.0).ln();
    // E log p(x + u) with a variance of u of 1/12 in each number.
    let mean_log = log_density(0.0, 0.0) - 1.0 / (12.0 * variance * left);
    assert!((asked(1, 1) - log_density(0.0, 0.0)).abs() < 1e-3, "the density in the middle");
    // Two places a row: more than one place gives and less than the probability, which are 0.052
    // apart. One row has a deviation of 0.22, the mean of 4,000 an error of 0.0035.
    let bound = asked(4000, 2);
    let words = format!("{mean_log} for one place, {bound} for two, exactly {probability}");
    assert!(mean_log + 0.01 < bound && bound < probability - 0.005, "{words}");
    // The density varies by 28 % over the cell: an error of 0.0044 with 4,000 places.
    let close = asked(1, 4000);
    assert!((close - probability).abs() < 0.02, "{close}, exactly {probability}");
}

#[test]
fn columns_without_whole_numbers_have_no_cells_to_average_over() {
    let (model, rows) = model();
    let table = Table::new(vec![number("height", vec![170.0]), number("weight", vec![70.0])]);
    let options = LikelihoodOptions { importance: 2, ..LikelihoodOptions::default() };
    let error = densities(&model, &rows, &table.unwrap(), &options).unwrap_err().to_string();
    assert!(error.contains("--importance") && error.contains("whole numbers"), "{error}");
}

/// Draws for a hole in `weight` beside a height of `z` deviations above the mean.
fn filled(z: f64, draws: usize, method: AnswerMethod, steps: usize) -> Vec<f64> {
    let (model, rows) = model();
    let table = Table::new(vec![
        number("height", vec![170.0 + 10.0 * z, 171.0]),
        number("weight", vec![f64::NAN, 64.0]),
    ])
    .unwrap();
    let holes = Holes::new(&rows, &table).unwrap();
    assert_eq!(holes.len(), 1);
    let question = Question {
        operator: &Mask::new(&holes.known(), 2, &Device::flex()),
        observed: &holes.observed(),
        noise: ObservationNoise::Gaussian { std: 0.02 },
        method,
        grid: &Grid::Uniform { steps },
        draws,
        at_once: draws,
        seed: 3,
        classes: None,
        vectors: None,
    };
    let answered = model.answer(&question, &Langevin::default()).unwrap();
    let filled = holes.filled(&answered.rows, draws).unwrap();
    assert_eq!(filled.len(), 2 * draws);
    let column = |name: &str| match &filled.column(name).unwrap().values {
        Values::Number(values) => values.clone(),
        Values::Text(_) => unreachable!(),
    };
    let (draw, height, weight) = (column("draw"), column("height"), column("weight"));
    for i in 0..draws {
        assert_eq!((draw[2 * i], draw[2 * i + 1]), ((i + 1) as f64, (i + 1) as f64));
        // What was known is as it was, to the digit.
        assert_eq!((height[2 * i], height[2 * i + 1]), (170.0 + 10.0 * z, 171.0));
        assert_eq!(weight[2 * i + 1], 64.0);
    }
    weight.iter().step_by(2).copied().collect()
}

/// Given the height, the weight is normal with mean `70 + 5 rho z` and deviation
/// `5 sqrt(1 - rho^2) = 3`. The standard error of the mean is `3 / sqrt(2000) = 0.07`, that of the
/// deviation 0.05. What one iteration and 32 steps add, the defaults, becomes less with more.
#[test]
fn holes_are_filled_by_the_law_given_what_is_known() {
    let n = 2000;
    let more = AnswerMethod::Mmps { iterations: 3 };
    for (method, steps, bounds) in
        [(AnswerMethod::default(), 32, [0.35, 0.5]), (more, 200, [0.25, 0.2])]
    {
        for z in [0.0, 1.5] {
            let draws = filled(z, n, method, steps);
            let mean = draws.iter().sum::<f64>() / n as f64;
            let std = (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
            let exact = 70.0 + 5.0 * RHO * z;
            println!("{steps} steps, z = {z}: mean {mean} of {exact}, deviation {std} of 3");
            let words = format!("{steps} steps, z = {z}: mean {mean}, deviation {std}");
            assert!((mean - exact).abs() < bounds[0] && (std - 3.0).abs() < bounds[1], "{words}");
        }
    }
}

#[test]
fn a_damaged_table_is_no_table() {
    let (_, rows) = model();
    let mut kept = rows.kept();
    assert!(TableRows::of(&toml::Table::new()).unwrap().is_none());
    kept.get_mut("table").unwrap().as_table_mut().unwrap().insert("other".into(), 1.into());
    assert!(TableRows::of(&kept).is_err());
}
