//! Toys as endless rows, and their laws.

use std::sync::Arc;

use flow_datasets::Toy;
use flow_path::stream::{Purpose, Streams};
use flow_path::{Checkerboard, Gaussian, Mixture, Target};
use flow_train::{DataSource, Draw};

/// An endless sequence of fresh points.
#[derive(Debug)]
pub(crate) struct ToyRows {
    pub(crate) toy: Arc<dyn Toy>,
    /// Of a point.
    pub(crate) shape: Vec<usize>,
}

impl DataSource for ToyRows {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn draw(&self, range: std::ops::Range<u64>, streams: &Streams) -> Draw {
        let mut rng = streams.rng(range.start, Purpose::Data);
        let n = (range.end - range.start) as usize;
        Draw { rows: self.toy.sample(n, &mut rng), ..Draw::default() }
    }
}

/// The distribution of a toy in closed form, where there is one.
#[must_use]
pub fn target(set: &str) -> Option<Arc<dyn Target>> {
    use flow_datasets::GaussianMixture;
    let mixture = |toy: GaussianMixture| -> Arc<dyn Target> {
        let components =
            toy.centres().iter().map(|centre| Gaussian::new(centre.clone(), toy.std())).collect();
        Arc::new(Mixture::uniform(components))
    };
    match set {
        "checkerboard" => Some(Arc::new(Checkerboard::new(4, 4.0))),
        "eight-gaussians" => Some(mixture(GaussianMixture::eight_gaussians())),
        "gaussian" => Some(mixture(GaussianMixture::gaussian())),
        "two-modes-1d" => Some(mixture(GaussianMixture::two_modes())),
        "rings" => Some(mixture(GaussianMixture::six_on_a_ring(1.0))),
        "rings-source" => Some(mixture(GaussianMixture::six_on_a_ring(1.0 / 3.0))),
        _ => None,
    }
}
