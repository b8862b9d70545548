//! Samplers by name.

use anyhow::Result;
use flow_ode::Method;
use flow_path::TimeShift;
use flow_sample::{
    Ancestral, Churn, Ddim, Diffusion, DpmSolver, Edm, Final, Grid, KarrasChurn, LastStep,
    Multistep, Ode, Reparametrised, Rule, Sampler, Sde, Space, UniPc, UniPcOrder,
};

use crate::recipe;

/// The times of a recipe's steps.
pub(crate) fn grid(sample: &recipe::Sample) -> Result<Grid> {
    let steps = sample.steps;
    let grid = match &sample.grid {
        recipe::Grid::Uniform => Grid::Uniform { steps },
        &recipe::Grid::LogSnr { min, max } => Grid::LogSnr { steps, min, max },
        &recipe::Grid::Karras { rho, min, max } => Grid::Karras { steps, rho, min, max },
        recipe::Grid::Given { times } => Grid::Given(times.clone()),
    };
    if sample.shift.is_none() {
        return Ok(grid);
    }
    Ok(grid.shifted(TimeShift::new(sample.shift.0)?))
}

/// A sampler that steps along a grid; `method` is the solver of the sampler `ode`.
pub(crate) fn sampler(sampler: &recipe::Sampler, method: Method) -> Box<dyn Sampler> {
    match *sampler {
        recipe::Sampler::Ode => Box::new(Ode::on_grid(method)),
        recipe::Sampler::Ddim { eta } => Box::new(Ddim { eta }),
        recipe::Sampler::Ancestral => Box::new(Ancestral {}),
        recipe::Sampler::Churn { fraction } => Box::new(Churn { fraction }),
        recipe::Sampler::Edm => Box::new(Edm {}),
        recipe::Sampler::KarrasChurn { amount, min, max, noise_std } => {
            Box::new(KarrasChurn { amount, min, max, noise_std })
        }
        recipe::Sampler::Sde { diffusion, scale, last } => Box::new(Sde {
            diffusion: match diffusion {
                recipe::Diffusion::Zero => Diffusion::Zero,
                recipe::Diffusion::Constant => Diffusion::Constant,
                recipe::Diffusion::Sigma => Diffusion::Sigma,
                recipe::Diffusion::Linear => Diffusion::Linear,
                recipe::Diffusion::Ddpm => Diffusion::Ddpm,
            },
            scale,
            last: match last {
                recipe::LastStep::Denoise => LastStep::Denoise,
                recipe::LastStep::Plain => LastStep::Plain,
            },
        }),
        recipe::Sampler::DpmSolver { order, eta } => {
            let multistep = if order == 1 { Multistep::First } else { Multistep::Second };
            Box::new(DpmSolver { multistep, eta })
        }
        recipe::Sampler::Unipc { order, last } => Box::new(UniPc {
            order: if order == 2 { UniPcOrder::Second } else { UniPcOrder::Third },
            last: match last {
                recipe::UniPcEnd::Full => Final::FullOrder,
                recipe::UniPcEnd::Lower => Final::LowerOrder,
            },
        }),
        recipe::Sampler::Straight { space, rule } => Box::new(Reparametrised {
            space: match space {
                recipe::Space::Data => Space::Data,
                recipe::Space::Noise => Space::Noise,
                recipe::Space::Displacement => Space::Displacement,
            },
            rule: match rule {
                recipe::Rule::Euler => Rule::Euler,
                recipe::Rule::Midpoint => Rule::Midpoint,
            },
        }),
    }
}
