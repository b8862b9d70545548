//! The Inception network whose features FID is defined on.

mod block;
mod layer;

use burn::tensor::{Device, Tensor};

use crate::NetworkError;
use block::Block;
pub use layer::Weights;
use layer::{Conv, Reader, chain, halve};

/// Inception v3 as FID uses it, up to its 2,048 features.
///
/// FID was defined on one particular trained network, so a distance on the features of any other
/// may not be called FID. This is its architecture: Inception v3 with means that leave out the
/// padding and a maximum in the last block, as in the weights that were ported from TensorFlow for
/// pytorch-fid (`pt_inception-2015-12-05-6726825d.pth`). Arrays have the names of torchvision's
/// `inception_v3`; those that the features do not need are not looked at.
///
/// # Reference
/// Szegedy, Vanhoucke, Ioffe, Shlens & Wojna (2016), "Rethinking the Inception Architecture for
/// Computer Vision", arXiv:1512.00567; as a score: Heusel et al. (2017), arXiv:1706.08500.
#[derive(Clone, Debug)]
pub struct Inception {
    stem: [Vec<Conv>; 2],
    blocks: Vec<Block>,
}

impl Inception {
    /// Numbers that describe an image.
    pub const FEATURES: usize = 2048;

    /// Height and width that the network was trained with.
    pub const SIZE: usize = 299;

    /// Puts the arrays in their places.
    ///
    /// # Errors
    /// When one is missing or has another shape.
    pub fn new(weights: &Weights, device: &Device) -> Result<Self, NetworkError> {
        let r = Reader::new(weights, device);
        let stem = [
            vec![
                r.valid("Conv2d_1a_3x3", [3, 32], 3, 2)?,
                r.valid("Conv2d_2a_3x3", [32, 32], 3, 1)?,
                r.same("Conv2d_2b_3x3", [32, 64], [3, 3])?,
            ],
            vec![
                r.valid("Conv2d_3b_1x1", [64, 80], 1, 1)?,
                r.valid("Conv2d_4a_3x3", [80, 192], 3, 1)?,
            ],
        ];
        let blocks = vec![
            block::small(&r.at("Mixed_5b"), 192, 32)?,
            block::small(&r.at("Mixed_5c"), 256, 64)?,
            block::small(&r.at("Mixed_5d"), 288, 64)?,
            block::first_reduction(&r.at("Mixed_6a"), 288)?,
            block::middle(&r.at("Mixed_6b"), 128)?,
            block::middle(&r.at("Mixed_6c"), 160)?,
            block::middle(&r.at("Mixed_6d"), 160)?,
            block::middle(&r.at("Mixed_6e"), 192)?,
            block::second_reduction(&r.at("Mixed_7a"))?,
            block::large(&r.at("Mixed_7b"), 1280, false)?,
            block::large(&r.at("Mixed_7c"), 2048, true)?,
        ];
        Ok(Self { stem, blocks })
    }

    /// Features of images.
    ///
    /// # Shapes
    /// - `x`: `[B, 3, H, W]` in `[-1, 1]`, at least 75 pixels to a side and [`SIZE`](Self::SIZE)
    ///   for FID
    /// - output: `[B, 2048]`
    ///
    /// # Panics
    /// When the images have other than 3 channels or are smaller.
    #[must_use]
    pub fn features(&self, x: Tensor<4>) -> Tensor<2> {
        let [batch, colours, h, w] = x.dims();
        assert!(
            colours == 3 && 75 <= h && 75 <= w,
            "expected images of [{batch}, 3, 75.., 75..], got [{batch}, {colours}, {h}, {w}]"
        );
        let x = self.stem.iter().fold(x, |x, convs| halve(chain(convs, x)));
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        let [rows, channels, height, width] = x.dims();
        x.reshape([rows, channels, height * width]).mean_dim(2).reshape([rows, channels])
    }
}
