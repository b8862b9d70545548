//! Predictors: the velocity, data, noise or score at a point and a time.

use std::sync::Arc;

use burn::tensor::Tensor;
use flow_nn::{Condition, Network, Time};
use flow_ode::VectorField;
use flow_path::{Exact, ExactField, Prediction, Schedule, Target, Times};

/// Answers predictions along one schedule.
pub trait Predictor {
    /// The schedule on which `x` lives.
    fn schedule(&self) -> &dyn Schedule;

    /// Times between which predictions are accurate; a sampler uses none at other times.
    ///
    /// The span of the schedule, unless a network answers what loses the data or the noise at an
    /// end: see [`Prediction::span`]. A sampler passes what lies outside without asking.
    fn span(&self) -> (f64, f64) {
        self.schedule().span()
    }

    /// Network calls of a prediction at `t`, and of a jump from there.
    fn calls(&self, _t: f64) -> usize {
        1
    }

    /// The prediction `what` at `x` and `t`, one time for all rows.
    ///
    /// A predictor made for a batch, with a condition for each row, also takes that batch several
    /// times over, one copy after the other.
    ///
    /// # Shapes
    /// - `x` and output: `[B, d]`
    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2>;

    /// Where a flow map takes `x` from `t` to `s` at the price of one prediction; nothing for all
    /// that are no flow map.
    ///
    /// # Shapes
    /// - `x` and output: `[B, d]`
    fn jump(&self, _x: &Tensor<2>, _t: f64, _s: f64) -> Option<Tensor<2>> {
        None
    }
}

/// A trained network with what it was trained to predict.
#[derive(Clone)]
pub struct Trained<'a> {
    /// The network, on a device without autodiff.
    pub network: &'a dyn Network,
    /// What the network knows besides `x` and `t`, the same all along a path: a latent is drawn
    /// once for each sample, with [`latents`](crate::latents).
    pub condition: Condition,
    /// The schedule of its training.
    pub schedule: Arc<dyn Schedule>,
    /// What the network predicts.
    pub prediction: Prediction,
}

impl Trained<'_> {
    /// The condition for `rows` rows: as many copies as they are of its own.
    fn condition_for(&self, rows: usize) -> Condition {
        match self.condition.rows() {
            Some(own) if own != rows => self.condition.repeat(rows / own.max(1)),
            _ => self.condition.clone(),
        }
    }
}

impl Predictor for Trained<'_> {
    fn schedule(&self) -> &dyn Schedule {
        &*self.schedule
    }

    fn span(&self) -> (f64, f64) {
        self.prediction.span(&*self.schedule)
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let batch = x.dims()[0];
        let input = self.prediction.input(x.clone(), &*self.schedule, &Times::constant(t, batch));
        // A flow map asked for a velocity arrives where it starts.
        let time = Time::at(Times::constant(t, 1).to_tensor(&x.device()));
        let output = self.network.forward(input, time, &self.condition_for(batch));
        self.prediction.convert_tensor(what, output, x.clone(), &self.schedule.at(t))
    }

    /// `x + (s - t) u(x, t, s)`, of a network of two times that predicts the velocity: other
    /// predictions have no mean over an interval that moves a point.
    fn jump(&self, x: &Tensor<2>, t: f64, s: f64) -> Option<Tensor<2>> {
        let predicts_velocity = self.prediction == Prediction::Velocity;
        let is_map = self.network.signature().two_times && predicts_velocity;
        is_map.then(|| {
            let time = |t| Times::constant(t, 1).to_tensor(&x.device());
            let condition = self.condition_for(x.dims()[0]);
            let u = self.network.forward(x.clone(), Time::from_to(time(t), time(s)), &condition);
            x.clone() + u * (s - t)
        })
    }
}

impl<T: Target, S: Schedule> Predictor for Exact<T, S> {
    fn schedule(&self) -> &dyn Schedule {
        &self.schedule
    }

    fn span(&self) -> (f64, f64) {
        ExactField::span(self)
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        Exact::predict(self, what, x.clone(), &Times::constant(t, x.dims()[0]))
    }

    /// The flow itself, where its solution is known.
    fn jump(&self, x: &Tensor<2>, t: f64, s: f64) -> Option<Tensor<2>> {
        self.target.flow_map(x.clone(), &self.schedule.at(t), &self.schedule.at(s))
    }
}

impl<P: Predictor + ?Sized> Predictor for &P {
    fn schedule(&self) -> &dyn Schedule {
        (**self).schedule()
    }

    fn span(&self) -> (f64, f64) {
        (**self).span()
    }

    fn calls(&self, t: f64) -> usize {
        (**self).calls(t)
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        (**self).predict(what, x, t)
    }

    fn jump(&self, x: &Tensor<2>, t: f64, s: f64) -> Option<Tensor<2>> {
        (**self).jump(x, t, s)
    }
}

/// The probability-flow ODE `dx/dt = v(x, t)` of a predictor, for a solver of `flow-ode`.
///
/// # Reference
/// Lipman et al. (2023), "Flow Matching for Generative Modeling", arXiv:2210.02747, equation 1.
#[derive(Clone, Copy, Debug)]
pub struct Velocity<P>(pub P);

impl<P: Predictor> VectorField<Tensor<2>> for Velocity<P> {
    fn eval(&self, t: f64, x: &Tensor<2>) -> Tensor<2> {
        self.0.predict(Prediction::Velocity, x, t)
    }
}
