//! Golden numbers: published or derived values, computed again by the libraries.
//!
//! Each is computed on the host in double precision and, where tensors are involved, once more on
//! the chosen device in single precision.
#![expect(clippy::unnecessary_wraps, reason = "every check has the same signature")]

mod density;
mod field;
mod fixture;
mod path;
mod report;
mod sampler;
mod solver;
mod stochastic;

use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::Serialize;

use crate::error::JudgeError;
pub use report::{chosen, failures, table};

/// A number that is known, and how to compute it again.
#[derive(Debug)]
pub struct Golden {
    /// Its name.
    pub id: &'static str,
    /// What it is of.
    pub what: &'static str,
    check: fn(&mut Bench) -> Result<(), JudgeError>,
}

/// Every golden number, by its name.
#[rustfmt::skip]
pub const GOLDENS: &[Golden] = &[
    Golden { id: "G01", what: "conditional velocity of the linear path", check: path::linear },
    Golden { id: "G02", what: "conditional velocity of the diffusion", check: path::variance_preserving },
    Golden { id: "G03", what: "constants of the diffusion", check: path::constants },
    Golden { id: "G04", what: "variance-exploding path", check: path::variance_exploding },
    Golden { id: "G05", what: "the flow moves with its velocity", check: path::flow_moves },
    Golden { id: "G06", what: "marginal field of a Gaussian", check: field::gaussian },
    Golden { id: "G07", what: "the same, blurred at the data", check: field::blurred_gaussian },
    Golden { id: "G08", what: "log-likelihood by the ODE", check: density::log_likelihood },
    Golden { id: "G09", what: "two points: denoiser and velocity", check: field::two_points },
    Golden { id: "G10", what: "two modes: velocity over time", check: field::two_modes_over_time },
    Golden { id: "G11", what: "conditional and marginal regression agree", check: field::theorem },
    Golden { id: "G12", what: "least loss of a Gaussian", check: field::gaussian_floor },
    Golden { id: "G13", what: "least loss of two modes", check: field::two_mode_floor },
    Golden { id: "G14", what: "continuity equation", check: field::continuity },
    Golden { id: "G15", what: "bits per dimension", check: density::bits },
    Golden { id: "G16", what: "divergence of a latent from its prior", check: density::latent },
    Golden { id: "G17", what: "one step in every coordinate", check: sampler::coordinates },
    Golden { id: "G18", what: "DDIM is the Euler method", check: sampler::ddim_is_euler },
    Golden { id: "G19", what: "scale moves Euler and leaves DDIM", check: sampler::scaling },
    Golden { id: "G20", what: "straightness depends on the data", check: sampler::straightness },
    Golden { id: "G21", what: "DDPM is DDIM too far and renoised", check: sampler::renoising },
    Golden { id: "G22", what: "churn weighs predictions", check: sampler::churn },
    Golden { id: "G23", what: "flow matching is v on a cosine", check: path::weighting },
    Golden { id: "G24", what: "spread of velocities between modes", check: field::spread },
    Golden { id: "G25", what: "one Euler step ends at the mean", check: sampler::one_step },
    Golden { id: "G26", what: "kinetic energy of the linear path", check: path::energy },
    Golden { id: "G27", what: "orders of the solvers", check: solver::orders },
    Golden { id: "G28", what: "schedule from its diffusion", check: path::diffusion },
    Golden { id: "G29", what: "any diffusion keeps the marginals", check: stochastic::marginals },
    Golden { id: "G30", what: "random probes of a trace", check: stochastic::probes },
];

/// A value that was computed again.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The golden number that it belongs to.
    pub id: &'static str,
    /// What was computed.
    pub quantity: String,
    /// Where, and in which precision.
    pub on: String,
    /// What is known.
    pub expected: f64,
    /// What was found.
    pub got: f64,
    /// Relative to the larger of what is expected and one.
    pub error: f64,
    /// The largest error that passes.
    pub tolerance: f64,
    /// Whether it does.
    pub passed: bool,
}

/// Where tensors are computed, and in which precision.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    device: Device,
    dtype: DType,
    name: String,
}

impl Place {
    /// Host numbers as rows.
    fn rows(&self, values: &[f64], columns: usize) -> Tensor<2> {
        let data = TensorData::new(values.to_vec(), [values.len() / columns, columns]);
        Tensor::from_data(data, (&self.device, self.dtype))
    }
}

/// Numbers of a tensor.
fn host(x: Tensor<2>) -> Vec<f64> {
    x.into_data().convert::<f64>().try_into_vec().expect("converted to f64 just before")
}

/// Tolerances in double and in single precision.
type Tolerances = (f64, f64);

/// Collects the checks of a golden number.
pub(crate) struct Bench {
    id: &'static str,
    places: [Place; 2],
    checks: Vec<Check>,
}

impl Bench {
    /// A number of scalar code on the host, and how far from `expected` it may be.
    fn number(&mut self, quantity: impl Into<String>, expected: f64, got: f64, tolerance: f64) {
        self.push(quantity.into(), "host f64".into(), expected, got, tolerance);
    }

    /// A number of tensor code, in both places.
    fn tensor(
        &mut self,
        quantity: impl Into<String>,
        expected: f64,
        tolerances: Tolerances,
        compute: impl Fn(&Place) -> Result<f64, JudgeError>,
    ) -> Result<(), JudgeError> {
        let quantity = quantity.into();
        for (place, tolerance) in self.places.clone().iter().zip([tolerances.0, tolerances.1]) {
            let got = compute(place)?;
            self.push(quantity.clone(), place.name.clone(), expected, got, tolerance);
        }
        Ok(())
    }

    /// A number of tensor code on the chosen device alone, for statistics that double precision
    /// does not sharpen.
    fn on_device(
        &mut self,
        quantity: impl Into<String>,
        expected: f64,
        tolerance: f64,
        compute: impl Fn(&Place) -> Result<f64, JudgeError>,
    ) -> Result<(), JudgeError> {
        let place = self.places[1].clone();
        let got = compute(&place)?;
        self.push(quantity.into(), place.name, expected, got, tolerance);
        Ok(())
    }

    fn push(&mut self, quantity: String, on: String, expected: f64, got: f64, tolerance: f64) {
        let (id, error) = (self.id, (got - expected).abs() / expected.abs().max(1.0));
        // NaN fails every comparison.
        let passed = error <= tolerance;
        self.checks.push(Check { id, quantity, on, expected, got, error, tolerance, passed });
    }
}

/// Computes golden numbers on the host and on a device of this name.
///
/// # Errors
/// When one of them cannot be computed.
pub fn run(goldens: &[&Golden], device: &Device, name: &str) -> Result<Vec<Check>, JudgeError> {
    let host = Place { device: Device::flex(), dtype: DType::F64, name: "host f64".into() };
    let device = Place { device: device.clone(), dtype: DType::F32, name: format!("{name} f32") };
    let mut checks = Vec::new();
    for golden in goldens {
        let places = [host.clone(), device.clone()];
        let mut bench = Bench { id: golden.id, places, checks: Vec::new() };
        (golden.check)(&mut bench)?;
        checks.extend(bench.checks);
    }
    Ok(checks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_and_a_value_that_is_no_number_fail() {
        let wrong = |bench: &mut Bench| {
            bench.number("right", 1.5, 1.5 + 1e-12, 1e-10);
            bench.number("wrong by more than the tolerance", 1.5, 1.6, 1e-2);
            bench.number("not a number", 1.5, f64::NAN, 1e-2);
            bench.tensor("wrong sign", 2.0, (1e-10, 1e-6), |place| {
                Ok(host(place.rows(&[-2.0], 1))[0])
            })
        };
        let golden = Golden { id: "G00", what: "a control", check: wrong };
        let checks = run(&[&golden], &Device::flex(), "flex").unwrap();
        let passed: Vec<bool> = checks.iter().map(|check| check.passed).collect();
        assert_eq!(passed, [true, false, false, false, false]);
    }

    #[test]
    fn golden_numbers_are_listed_once_and_in_order() {
        assert!(GOLDENS.windows(2).all(|pair| pair[0].id < pair[1].id));
    }
}
