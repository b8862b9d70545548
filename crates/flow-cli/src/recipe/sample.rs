//! How to draw samples: the section `sample`.

use anyhow::Result;
use flow_ode::Method;
use serde::{Deserialize, Serialize};

use super::check::{self, finite, fractions, not_negative, positive, solver, tolerances};
use super::named::{self, named, named_option};
use super::path::{Between, Path, Schedule, Shift, Source};
use super::sampler::{Grid, Sampler};
use crate::exit::usage;

/// The smallest last time of a grid: 1 is the data, less the margin of schedules that are singular
/// there.
const LAST_TIME: f64 = 1.0 - 1e-4;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sample {
    #[serde(deserialize_with = "named")]
    pub(crate) sampler: Sampler,
    pub(crate) solver: String,
    pub(crate) steps: usize,
    pub(crate) rtol: f64,
    pub(crate) atol: f64,
    #[serde(deserialize_with = "named")]
    pub(crate) grid: Grid,
    pub(crate) shift: Shift,
    #[serde(deserialize_with = "named_option")]
    pub(crate) schedule: Option<Schedule>,
    pub(crate) guidance: f64,
    pub(crate) guidance_interval: [f64; 2],
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            sampler: Sampler::Ode,
            solver: "dopri5".into(),
            steps: 20,
            rtol: 1e-5,
            atol: 1e-5,
            grid: Grid::Uniform,
            shift: Shift::default(),
            schedule: None,
            guidance: 1.0,
            guidance_interval: [0.0, 1.0],
        }
    }
}

impl Sample {
    /// Refuses values that cannot work.
    pub(crate) fn check(&self) -> Result<()> {
        check::steps("sample.steps", self.steps)?;
        positive(&[("sample.shift", self.shift.0)])?;
        tolerances(&[("sample.rtol", self.rtol), ("sample.atol", self.atol)])?;
        not_negative(&[("sample.guidance", self.guidance)])?;
        self.method()?;
        self.check_sampler()?;
        self.check_grid()?;
        if let Some(schedule) = self.schedule {
            schedule.check("sample.schedule")?;
        }
        finite(&self.guidance_interval.map(|t| ("sample.guidance_interval", t)))?;
        match self.guidance_interval {
            [start, end] if start <= end => Ok(()),
            [start, end] => Err(usage!(
                "sample.guidance_interval is {start} to {end}, it must run forward in time"
            )),
        }
    }

    /// Refuses samplers that cannot work on the path.
    pub(super) fn check_on(&self, path: &Path) -> Result<()> {
        let sampler = named::shown(&self.sampler);
        if path.between != Between::Line {
            if self.sampler != Sampler::Ode || self.schedule.is_some() {
                return Err(usage!(
                    "path.between is {}, which has a velocity and no schedule, sample it by the \
                     sampler ode without a schedule",
                    named::shown(&path.between)
                ));
            }
        } else if self.sampler.is_random() && path.source != Source::Normal {
            return Err(usage!(
                "{sampler} draws noise by the score, which needs path.source to be normal, use ode"
            ));
        } else if self.sampler.is_random() && !path.is_affine() {
            return Err(usage!(
                "{sampler} draws noise by the score, which noise paired by the coupling {} does \
                 not have, use ode, ddim, edm, dpm-solver++, unipc or straight without noise",
                named::shown(&path.coupling)
            ));
        }
        Ok(())
    }

    /// The method of the sampler `ode`.
    pub(crate) fn method(&self) -> Result<Method> {
        solver("sample.solver", &self.solver)
    }

    /// Whether the times are other than equal steps.
    pub(crate) fn has_grid(&self) -> bool {
        self.grid != Grid::Uniform || !self.shift.is_none()
    }

    /// Whether predictions are extrapolated: at strength 1 they are those of the model alone.
    #[expect(clippy::float_cmp, reason = "exactly 1 means no guidance")]
    pub(crate) fn is_guided(&self) -> bool {
        self.guidance != 1.0
    }

    fn check_sampler(&self) -> Result<()> {
        let (name, order, orders) = match self.sampler {
            Sampler::DpmSolver { order, eta } => {
                fractions(&[("sample.sampler.eta", eta)])?;
                ("dpm-solver++", order, [1, 2])
            }
            Sampler::Unipc { order, .. } => ("unipc", order, [2, 3]),
            Sampler::Sde { scale, .. } => return not_negative(&[("sample.sampler.scale", scale)]),
            Sampler::Ddim { eta } => return fractions(&[("sample.sampler.eta", eta)]),
            Sampler::Churn { fraction } if !(0.0..1.0).contains(&fraction) => {
                return Err(usage!("sample.sampler.fraction is {fraction}, it must lie in [0, 1)"));
            }
            Sampler::KarrasChurn { amount, min, max, noise_std } => {
                not_negative(&[
                    ("sample.sampler.amount", amount),
                    ("sample.sampler.min", min),
                    ("sample.sampler.max", max),
                    ("sample.sampler.noise_std", noise_std),
                ])?;
                return between("sample.sampler", min, max);
            }
            _ => return Ok(()),
        };
        if orders.contains(&order) {
            return Ok(());
        }
        let [low, high] = orders;
        Err(usage!("{name} has the orders {low} and {high}, not {order}"))
    }

    fn check_grid(&self) -> Result<()> {
        match self.grid {
            Grid::Karras { rho, min, max } => {
                positive(&[
                    ("sample.grid.rho", rho),
                    ("sample.grid.min", min),
                    ("sample.grid.max", max),
                ])?;
                between("sample.grid", min, max)
            }
            Grid::LogSnr { min, max } => {
                finite(&[("sample.grid.min", min), ("sample.grid.max", max)])?;
                between("sample.grid", min, max)
            }
            Grid::Given { ref times } => check_times(times),
            Grid::Uniform => Ok(()),
        }
    }
}

/// Refuses times that do not lead forward to the data.
fn check_times(times: &[f64]) -> Result<()> {
    fractions(&times.iter().map(|&t| ("sample.grid.times", t)).collect::<Vec<_>>())?;
    if let Some(pair) = times.windows(2).find(|pair| pair[1] <= pair[0]) {
        let [earlier, later] = [pair[0], pair[1]];
        return Err(usage!("sample.grid.times has {later} after {earlier}, give increasing times"));
    }
    match times {
        [] | [_] => Err(usage!("sample.grid.times holds no step, give at least two times")),
        [.., last] if *last < LAST_TIME => Err(usage!(
            "sample.grid.times ends at {last}, where noise is left: the last time must be 1, the \
             data"
        )),
        _ => Ok(()),
    }
}

fn between(key: &str, min: f64, max: f64) -> Result<()> {
    if min < max && (max - min).is_finite() {
        return Ok(());
    }
    Err(usage!("{key} needs min < max, got {min} and {max}"))
}
