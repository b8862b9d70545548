//! The contract between a network and everything that trains or samples it.

use burn::module::Module;
use burn::tensor::{Shape, Tensor};
use flow_kernels::Precision;

use crate::condition::Condition;
use crate::graph::{Graph, Inputs, Value};
use crate::signature::Signature;

/// The time of each row, or one for all rows; of a flow map also the time of arrival.
#[derive(Clone, Debug)]
pub struct Time {
    /// Time from noise (0) to data (1), `[B]`, or `[1]` for one time for all rows.
    pub t: Tensor<1>,
    /// Where a flow map `u(x, t, s)` arrives, of the shape of `t`.
    pub s: Option<Tensor<1>>,
}

impl Time {
    /// The time of a velocity.
    #[must_use]
    pub fn at(t: Tensor<1>) -> Self {
        Self { t, s: None }
    }

    /// The times of a flow map, from `t` to `s`.
    #[must_use]
    pub fn from_to(t: Tensor<1>, s: Tensor<1>) -> Self {
        Self { t, s: Some(s) }
    }

    /// One time for each of `rows` rows.
    #[must_use]
    pub fn expand(self, rows: usize) -> Self {
        let each = |t: Tensor<1>| t.expand(Shape::new([rows]));
        Self { t: each(self.t), s: self.s.map(each) }
    }

    /// `s - t`, zero for a velocity, which is a flow map that arrives where it starts.
    pub(crate) fn duration(&self) -> Tensor<1> {
        match &self.s {
            Some(s) => s.clone() - self.t.clone(),
            None => self.t.zeros_like(),
        }
    }
}

impl From<Tensor<1>> for Time {
    fn from(t: Tensor<1>) -> Self {
        Self::at(t)
    }
}

/// A network `f(x, t, c)` on rows, whose output has the shape of `x`.
///
/// A row is a point, a sequence or an image, flat: what shape it has inside is the network's own
/// matter. So networks of all ranks are one kind of thing, `dyn Network`, for everything above.
pub trait Network {
    /// What goes in and what comes out.
    fn signature(&self) -> &Signature;

    /// Evaluates the network.
    ///
    /// Conditions that the signature does not name change nothing.
    ///
    /// # Shapes
    /// - `x` and output: `[B, d]`, rows of [`Signature::shape`], flat
    /// - `time`: `[B]`, or `[1]` for one time for all rows, as a solver asks
    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2>;

    /// Writes the same down as operations of a graph, for files that other programs run, such as
    /// ONNX; nothing for networks that do not say it, which is all but those of this crate unless
    /// they implement it.
    ///
    /// # Shapes
    /// - output: that of `inputs.x`
    fn graph(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        let _ = (graph, inputs);
        None
    }

    /// Asks for less memory in training: a tape is to keep what goes into each block, and to
    /// compute the inside again in its backward pass, which gives gradients of the same bits for
    /// the time of one more forward pass. Says whether the network can do so; those that do not
    /// implement it cannot.
    fn recompute(&mut self, again: bool) -> bool {
        let _ = again;
        false
    }

    /// Asks for faster products in training: the operands of the large ones, between hidden
    /// numbers, are to be rounded to a precision, forward and in gradients, where that [is
    /// native](Precision::is_native_to). Weights, sums, what the network is told and what it
    /// answers are not. Says whether the network can do so; those that do not implement it cannot.
    fn multiply_in(&mut self, precision: Precision) -> bool {
        let _ = precision;
        false
    }
}

/// A network whose weights can be trained, saved and loaded.
///
/// It is not implemented by hand: derive [`Module`] and implement [`Network`].
pub trait Trainable: Network + Module + Sync + 'static {}

impl<N: Network + Module + Sync + 'static> Trainable for N {}
