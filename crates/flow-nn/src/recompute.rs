//! Parts of a network whose inside a tape does not keep, but computes a second time.

use std::fmt::Debug;
use std::sync::Arc;

use burn::module::{ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};
use flow_kernels::Recomputed;

/// Why there are gradients of everything.
const REACHED: &str = "whatever goes into a part reaches what comes out of it";

/// A part of a network, `f(x, c)` by layers of its own.
///
/// # Shapes
/// - `x` and output: `[B, tokens, width]`, or an image as `[B, C, H W]`
/// - `c`: `[B, width of c]`, what is computed outside of the part and asked of it
pub(crate) trait Part: Clone + Debug + Send + Sync + 'static {
    fn forward(&self, x: Tensor<3>, c: Tensor<2>) -> Tensor<3>;

    /// The same without a tape.
    fn untracked(&self) -> Self;

    /// Shows the layers, each of which must have a say in the output.
    fn visit_layers(&self, visitor: &mut impl ModuleVisitor);

    /// The same with other weights in these layers.
    fn map_layers(self, mapper: &mut impl ModuleMapper) -> Self;
}

/// [`Part::forward`] as one step of the tape, which keeps `x` and `c` and computes what is between
/// in its backward pass; the same without where there is no such step.
pub(crate) fn recomputed<P: Part>(part: &P, x: Tensor<3>, c: Tensor<2>) -> Tensor<3> {
    let again = || -> Arc<dyn Recomputed> { Arc::new(Again(part.untracked())) };
    let step = flow_kernels::recomputed(&x, &c, || row(part, None), again);
    step.unwrap_or_else(|| part.forward(x, c))
}

/// A part without a tape.
#[derive(Debug)]
struct Again<P>(P);

impl<P: Part> Recomputed for Again<P> {
    fn forward(&self, x: Tensor<3>, c: Tensor<2>) -> Tensor<3> {
        self.0.forward(x, c)
    }

    fn gradients(
        &self,
        x: Tensor<3>,
        c: Tensor<2>,
        g: Tensor<3>,
    ) -> (Tensor<3>, Tensor<2>, Tensor<1>) {
        let (x, c) = (x.autodiff().require_grad(), c.autodiff().require_grad());
        let part = self.0.clone().map_layers(&mut Leaves);
        let y = part.forward(x.clone(), c.clone());
        let gradients = (y * g.autodiff()).sum().backward();
        let weights = row(&part, Some(&gradients));
        (x.grad(&gradients).expect(REACHED), c.grad(&gradients).expect(REACHED), weights)
    }
}

/// Weights as the beginnings of a tape.
struct Leaves;

impl ModuleMapper for Leaves {
    fn map_float<const D: usize>(&mut self, weight: Param<Tensor<D>>) -> Param<Tensor<D>> {
        weight.map(|weight| weight.autodiff().require_grad())
    }
}

/// The weights of the layers of a part in one row, or their gradients.
fn row(part: &impl Part, gradients: Option<&Gradients>) -> Tensor<1> {
    let mut row = Row { gradients, parts: Vec::new() };
    part.visit_layers(&mut row);
    Tensor::cat(row.parts, 0)
}

struct Row<'a> {
    gradients: Option<&'a Gradients>,
    parts: Vec<Tensor<1>>,
}

impl ModuleVisitor for Row<'_> {
    fn visit_float<const D: usize>(&mut self, weight: &Param<Tensor<D>>) {
        let weight = weight.val();
        let part = match self.gradients {
            Some(gradients) => weight.grad(gradients).expect(REACHED),
            None => weight,
        };
        let count = part.shape().num_elements();
        self.parts.push(part.reshape([count]));
    }
}
