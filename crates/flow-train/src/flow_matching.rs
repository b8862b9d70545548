//! What is regressed: one key for each choice, from which objectives of diffusion and flows follow.

use std::sync::Arc;

use burn::tensor::Tensor;
use flow_path::{
    AffinePath, Coupling, ENDPOINT_MARGIN, Independent, Linear, LossWeight, Prediction,
    ProbabilityPath, Schedule, Source, TimeSampler, Times, Uniform,
};
use rand::Rng;

use crate::conditions::PartDrop;

/// A regression: a path, the law of its times, a coupling, a prediction and a weight.
///
/// Each published objective is one prediction and one weight, on any schedule:
///
/// | objective | prediction | weight |
/// |---|---|---|
/// | flow matching | [`Prediction::Velocity`] | [`LossWeight::Unit`] |
/// | score matching | [`Prediction::Score`] | [`LossWeight::Variance`] |
/// | ScoreFlow | [`Prediction::Score`] | [`LossWeight::Diffusion`] |
/// | DDPM, noise matching | [`Prediction::Noise`] | [`LossWeight::Unit`] |
/// | denoising | [`Prediction::Data`] | any |
/// | EDM, at [`flow_path::EdmLogNormal`] times | [`Prediction::Edm`] | [`LossWeight::Unit`] |
/// | a given weighting of noise levels | any | [`LossWeight::LogSnr`] |
///
/// # Reference
/// Lipman et al. (2023), "Flow Matching for Generative Modeling", arXiv:2210.02747, appendix E.1,
/// compares the first four on one network. Its `s_t` in equation 43 is minus the score.
#[derive(Clone, Debug)]
pub struct FlowMatching {
    /// `x_t = alpha(t) x_1 + sigma(t) x_0`.
    pub schedule: Arc<dyn Schedule>,
    /// Where `x_t` lies between its pair, if not at the one point of the schedule: a
    /// [`PairTube`](flow_path::PairTube), a [`SchrodingerBridge`](flow_path::SchrodingerBridge) or
    /// a path of your own. Its velocity is what is predicted, whatever
    /// [`prediction`](Self::prediction) says, and its [`span`](ProbabilityPath::span) holds the
    /// times; the schedule is not asked.
    pub between: Option<Arc<dyn ProbabilityPath<2>>>,
    /// What the network predicts.
    pub prediction: Prediction,
    /// Factor on the squared error.
    pub weight: LossWeight,
    /// Law of the training times.
    pub times: Arc<dyn TimeSampler>,
    /// Law of `x_0`.
    pub source: Source,
    /// Which noise meets which data.
    pub coupling: Arc<dyn Coupling>,
    /// Probability of hiding a label, for classifier-free guidance.
    pub label_drop: f64,
    /// Probability of hiding the condition vector and the conditioning row of a row, for the same.
    pub condition_drop: f64,
    /// Conditions of the vector that are hidden alone besides, each at its own rate.
    pub part_drop: Vec<PartDrop>,
}

impl Default for FlowMatching {
    /// Independent pairs on straight lines at uniform times: the velocity, unweighted.
    fn default() -> Self {
        Self {
            schedule: Arc::new(Linear { sigma_min: 0.0 }),
            between: None,
            prediction: Prediction::Velocity,
            weight: LossWeight::Unit,
            times: Arc::new(Uniform),
            source: Source::Normal,
            coupling: Arc::new(Independent),
            label_drop: 0.0,
            condition_drop: 0.0,
            part_drop: Vec::new(),
        }
    }
}

impl FlowMatching {
    /// The times of training: where target and weight are finite and the target is learnable.
    ///
    /// Those of [`Prediction::span`], or of the path if one is given, less [`ENDPOINT_MARGIN`] at
    /// an end where the weight is not finite.
    #[must_use]
    pub fn span(&self) -> (f64, f64) {
        let (start, end) = match &self.between {
            Some(path) => path.span(),
            None => self.prediction.span(&*self.schedule),
        };
        let finite = |t: f64| self.weight_at(t, 1.0).is_finite();
        (
            if finite(start) { start } else { start + ENDPOINT_MARGIN },
            if finite(end) { end } else { end - ENDPOINT_MARGIN },
        )
    }

    /// Draws `n` times and the weight of each, `None` for one throughout; none of either
    /// for `n = 0`.
    pub fn draw_times(&self, n: usize, rng: &mut dyn Rng) -> (Times, Option<Vec<f64>>) {
        let unit = self.times.sample(n, rng);
        let (start, end) = self.span();
        let t = unit.scaled_to((start, end));
        let weights = (self.weight != LossWeight::Unit).then(|| {
            let density = |u: f64| self.times.density(u) / (end - start);
            t.iter().zip(unit.iter()).map(|(t, u)| self.weight_at(t, density(u))).collect()
        });
        (t, weights)
    }

    /// The weight at time `t`, which is drawn with `density`.
    fn weight_at(&self, t: f64, density: f64) -> f64 {
        self.weight.at(self.prediction, &self.schedule.at(t), density)
    }

    /// Whether `x_t` varies with its pair and its time given.
    #[must_use]
    pub fn is_random(&self) -> bool {
        self.between.as_ref().is_some_and(|path| path.is_random())
    }

    /// `x_t` and the target for pairs `(x_0, x_1)`, one time per row.
    ///
    /// `blur` is the standard normal noise of a path that [`is_random`](Self::is_random).
    ///
    /// A pair that is not finite makes its row so and no other. Pairs further apart than the
    /// largest number have an infinite velocity.
    ///
    /// # Shapes
    /// - `x0`, `x1`, `blur` and both outputs: `[B, ..]`
    ///
    /// # Panics
    /// If `blur` is missing, or the shapes differ.
    #[must_use]
    pub fn regress(
        &self,
        x0: Tensor<2>,
        x1: Tensor<2>,
        blur: Option<Tensor<2>>,
        t: &Times,
    ) -> (Tensor<2>, Tensor<2>) {
        let (expected, got) = (x0.dims(), x1.dims());
        assert!(
            expected == got,
            "expected ends of the shape {expected:?} of the starts, got {got:?}"
        );
        let sample = match (&self.between, self.prediction) {
            (Some(path), _) => path.sample_with(x0, x1, blur, t),
            (None, Prediction::Velocity) => AffinePath::new(&*self.schedule).sample(x0, x1, t),
            (None, other) => {
                let x_t = AffinePath::new(&*self.schedule).sample(x0.clone(), x1.clone(), t).x_t;
                return (x_t, other.target(x0, x1, &*self.schedule, t));
            }
        };
        (sample.x_t, sample.dx_t)
    }
}
