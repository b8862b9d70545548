//! Steps of a tape: what an operation keeps of itself, and its gradients on the way back.

use std::{fmt::Debug, marker::PhantomData};

use burn::backend::{
    Autodiff, Flex,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, NodeGuard, Ops, OpsKind},
    },
    flex::FlexTensor,
    tensor::FloatTensor,
};

/// What an operation of `N` operands keeps for the way back.
pub(super) trait Saved<const N: usize>: Clone + Debug + Send + 'static {
    /// The gradients of the operands by `g`, that of the output; `asked` says of which operands
    /// they are needed, and the others may be left out.
    fn gradients(self, g: FlexTensor, asked: [bool; N]) -> [Option<FlexTensor>; N];
}

/// The step of the operation that keeps an `S`.
#[derive(Debug)]
pub(super) struct Step<S>(PhantomData<S>);

impl<S> Step<S> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<S: Saved<N>, const N: usize> Backward<Flex, N> for Step<S> {
    type State = S;

    fn backward(self, ops: Ops<S, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let g = grads.consume::<Flex>(&ops.node);
        let gradients = ops.state.gradients(g, ops.parents.each_ref().map(Option::is_some));
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

/// The output `y` of an operation on the operands `nodes`, with what `save` keeps if any of them is
/// on the tape.
pub(super) fn record<C: CheckpointStrategy, S: Saved<N>, const N: usize>(
    nodes: [NodeGuard; N],
    y: FlexTensor,
    save: impl FnOnce(&FlexTensor) -> S,
) -> FloatTensor<Autodiff<Flex, C>> {
    match Step::<S>::new().prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::UnTracked(prep) => prep.finish(y),
        OpsKind::Tracked(prep) => prep.finish(save(&y), y),
    }
}
