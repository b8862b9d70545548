//! A part of a network as one step of a tape, against gradients by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::{Device, Tensor};
use flow_kernels::{Recomputed, recomputed};

/// `y[b, n, d] = w[d] c[b, d] x[b, n, d]`, which counts how often it is asked.
#[derive(Debug)]
struct Scaled {
    weights: Tensor<1>,
    forward: AtomicUsize,
    backward: AtomicUsize,
}

impl Scaled {
    fn value(x: Tensor<3>, c: Tensor<2>, weights: Tensor<1>) -> Tensor<3> {
        x * c.unsqueeze_dim::<3>(1) * weights.unsqueeze::<3>()
    }
}

impl Recomputed for Scaled {
    fn forward(&self, x: Tensor<3>, c: Tensor<2>) -> Tensor<3> {
        assert!(!x.is_autodiff() && !c.is_autodiff());
        self.forward.fetch_add(1, Ordering::Relaxed);
        Self::value(x, c, self.weights.clone())
    }

    fn gradients(
        &self,
        x: Tensor<3>,
        c: Tensor<2>,
        g: Tensor<3>,
    ) -> (Tensor<3>, Tensor<2>, Tensor<1>) {
        self.backward.fetch_add(1, Ordering::Relaxed);
        let (x, c) = (x.autodiff().require_grad(), c.autodiff().require_grad());
        let weights = self.weights.clone().autodiff().require_grad();
        let y = Self::value(x.clone(), c.clone(), weights.clone());
        let gradients = (y * g.autodiff()).sum().backward();
        let found = (x.grad(&gradients), c.grad(&gradients), weights.grad(&gradients));
        (found.0.unwrap(), found.1.unwrap(), found.2.unwrap())
    }
}

/// The part, with weights 2 and -1.
fn scaled() -> Arc<Scaled> {
    let weights = Tensor::from_floats([2.0, -1.0], &Device::flex());
    Arc::new(Scaled { weights, forward: AtomicUsize::new(0), backward: AtomicUsize::new(0) })
}

fn host<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec::<f32>().unwrap()
}

#[test]
fn a_step_that_is_computed_again_has_the_gradients_of_its_formula() {
    let device = Device::flex().autodiff();
    // One sample of two tokens of two numbers.
    let x = Tensor::<3>::from_floats([[[1.0, 2.0], [3.0, 4.0]]], &device).require_grad();
    let c = Tensor::<2>::from_floats([[5.0, 7.0]], &device).require_grad();
    let weights = Tensor::<1>::from_floats([2.0, -1.0], &device).require_grad();
    let part = scaled();
    let asked: Arc<dyn Recomputed> = part.clone();
    let y = recomputed(&x, &c, || weights.clone(), || asked).unwrap();
    assert_eq!(host(y.clone().inner()), [10.0, -14.0, 30.0, -28.0]);
    assert_eq!(part.backward.load(Ordering::Relaxed), 0);

    // The loss is y_1 + 10 y_2 + 100 y_3 + 1000 y_4: g = 1, 10, 100, 1000.
    let g = Tensor::<3>::from_floats([[[1.0, 10.0], [100.0, 1000.0]]], &device);
    let gradients = (y * g).sum().backward();
    // w c g; the sums over tokens of w x g and of c x g.
    assert_eq!(host(x.grad(&gradients).unwrap()), [10.0, -70.0, 1000.0, -7000.0]);
    assert_eq!(host(c.grad(&gradients).unwrap()), [602.0, -4020.0]);
    assert_eq!(host(weights.grad(&gradients).unwrap()), [1505.0, 28_140.0]);
    assert_eq!(part.forward.load(Ordering::Relaxed), 1);
    assert_eq!(part.backward.load(Ordering::Relaxed), 1);
}

#[test]
fn without_a_tape_there_is_no_step() {
    let x = Tensor::<3>::ones([1, 2, 2], &Device::flex());
    let c = Tensor::<2>::ones([1, 2], &Device::flex());
    let weights = || -> Tensor<1> { unreachable!("nothing is to be learned") };
    let part = || -> Arc<dyn Recomputed> { unreachable!("nothing is to be computed again") };
    assert!(recomputed(&x, &c, weights, part).is_none());
}
