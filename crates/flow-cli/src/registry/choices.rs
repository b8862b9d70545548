//! The choices of a recipe, each with its values left out and one line about it.

/// A choice as typed, and what it is.
pub(crate) type Choice = (&'static str, &'static str);

/// A key, the option of `flow sample` for it, and its choices.
pub(crate) struct Choices {
    pub(crate) title: &'static str,
    pub(crate) key: &'static str,
    pub(crate) all: &'static [Choice],
}

/// Everything that has variants, in the order of a recipe.
pub(crate) const CHOICES: &[Choices] = &[
    Choices {
        title: "schedules",
        key: "path.schedule",
        all: &[
            ("linear,sigma_min=0", "straight lines: conditional optimal transport"),
            ("vp,beta_min=0.1,beta_max=20", "the variance-preserving diffusion"),
            ("ve,sigma_min=0.01,sigma_max=50,boundary=floor", "the variance-exploding diffusion"),
            ("cosine,margin=0", "a rotation at constant speed"),
            ("nichol-dhariwal,offset=0.008", "the shifted cosine of improved DDPM"),
            ("polynomial,degree=2", "straight lines at the clock t^degree"),
        ],
    },
    Choices {
        title: "between a pair",
        key: "path.between",
        all: &[
            ("line", "the point of the schedule"),
            ("tube,sigma=0.1", "around the straight line"),
            ("bridge,sigma=1", "on a Brownian bridge"),
        ],
    },
    Choices {
        title: "predictions",
        key: "path.prediction",
        all: &[
            ("velocity", "dx/dt: flow matching"),
            ("data", "x_1: denoising"),
            ("noise", "x_0: DDPM"),
            ("score", "-x_0 / sigma: score matching"),
            ("v", "alpha x_0 - sigma x_1"),
            ("displacement", "x_1 - x_0"),
            ("edm,sigma_data=0.5", "the preconditioned denoiser of EDM"),
        ],
    },
    Choices {
        title: "weights",
        key: "path.weight",
        all: &[
            ("unit", "the squared error as it is"),
            ("variance", "sigma^2: with the score, score matching"),
            ("diffusion", "g^2: with the score, ScoreFlow"),
            ("likelihood", "the evidence lower bound"),
            ("flow-matching", "that of the linear schedule at uniform times"),
            ("v-cosine", "that of v on the cosine schedule"),
            ("noise-cosine", "that of noise on the cosine schedule"),
            ("edm,mean=-1.2,std=1.2,sigma_data=0.5", "that of EDM"),
            ("logit-normal,mean=0,std=1", "that of flow matching at logit-normal times"),
            ("sigmoid,bias=0", "a sigmoid of the log signal-to-noise ratio"),
        ],
    },
    Choices {
        title: "laws of time",
        key: "path.times",
        all: &[
            ("uniform", "each time by itself"),
            ("stratified", "one time in each of as many intervals as rows"),
            ("logit-normal,mean=0,std=1", "the middle"),
            ("mode,scale=1.29", "the middle, with heavy tails"),
            ("cosmap", "the ratios of the cosine schedule"),
            ("u-shaped,sharpness=4", "both ends"),
            ("beta,data=2,noise=1", "either end"),
            ("edm,mean=-1.2,std=1.2", "log-normal noise level"),
        ],
    },
    Choices {
        title: "sources",
        key: "path.source",
        all: &[
            ("normal", "Gaussian noise"),
            ("toy,set=rings-source", "a toy whose density is known; leaves the velocity alone"),
        ],
    },
    Choices {
        title: "couplings",
        key: "path.coupling",
        all: &[
            ("independent", "any noise with any data"),
            ("paired", "row by row, for the pairs of reflow"),
            ("ot", "exact optimal transport within the batch"),
            ("sinkhorn,epsilon=0.05,replace=false", "entropic optimal transport"),
            ("unbalanced,epsilon=0.05,relaxation=1", "the same with soft marginals"),
            ("partial,fraction=0.9", "exact for the cheapest fraction"),
            ("schrodinger,sigma=1", "the plan of a Schrodinger bridge"),
        ],
    },
    Choices {
        title: "samplers",
        key: "sample.sampler",
        all: &[
            ("ode", "the probability-flow ODE by a solver"),
            ("ddim,eta=0", "the predicted pair mixed anew, with a share of fresh noise"),
            ("ancestral", "DDPM: draws from the posterior"),
            ("churn,fraction=0.5", "DDIM too far, then noised back"),
            ("edm", "Heun steps in the noise level"),
            ("karras-churn,amount=40,min=0.05,max=50,noise_std=1.003", "the same, noised before"),
            ("sde,diffusion=sigma,scale=1,last=denoise", "Euler-Maruyama with any diffusion"),
            ("dpm-solver++,order=2,eta=0", "DPM-Solver++ 1 or 2M, with noise the SDE's"),
            ("unipc,order=2,last=full", "UniPC of order 2 or 3"),
            ("straight,space=displacement,rule=midpoint", "steps along one prediction"),
        ],
    },
    Choices {
        title: "grids",
        key: "sample.grid",
        all: &[
            ("uniform", "equal steps of time"),
            ("log-snr,min=-10,max=10", "equal steps of the log signal-to-noise ratio"),
            ("karras,rho=7,min=0.002,max=80", "equal steps of a root of the noise level"),
            ("given,times=[0,0.5,1]", "as typed"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Recipe, named};
    use crate::registry::RECIPES;

    /// The debug recipe with one choice, which starts at no special case of another key.
    fn chosen(key: &str, text: &str) -> Recipe {
        let (_, debug) = RECIPES.iter().find(|(name, _)| *name == "debug").unwrap();
        let mut changes = vec![format!("{key}={text}")];
        if text == "paired" {
            changes.extend(["reflow.run=teacher", "reflow.pairs=100"].map(String::from));
        }
        Recipe::parse(debug, &changes, "debug").unwrap()
    }

    #[test]
    fn every_choice_is_understood_and_shows_its_defaults() {
        for Choices { key, all, .. } in CHOICES {
            for (text, _) in *all {
                let name = text.split(',').next().unwrap();
                let with_values = chosen(key, text);
                // Those without defaults are typed with their values.
                if !["mode", "u-shaped", "beta", "toy", "given"].contains(&name) {
                    assert_eq!(with_values, chosen(key, name), "{key}={text}");
                }
                assert_eq!(
                    Recipe::parse(&with_values.resolved(), &[], "resolved").unwrap(),
                    with_values
                );
            }
        }
    }

    #[test]
    fn a_choice_is_shown_as_it_is_typed() {
        let recipe = chosen("sample.sampler", "churn,fraction=0.25");
        assert_eq!(named::shown(&recipe.sample.sampler), "churn,fraction=0.25");
    }
}
