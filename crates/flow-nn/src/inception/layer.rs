//! Convolutions of the Inception network, read from named arrays.

use std::collections::BTreeMap;

use burn::tensor::activation::relu;
use burn::tensor::module::{avg_pool2d, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};

use crate::NetworkError;

/// Arrays by name, as a file of weights holds them.
pub type Weights = BTreeMap<String, TensorData>;

/// Added to the variance of a batch normalisation.
const EPSILON: f64 = 1e-3;

/// A convolution without bias, the batch normalisation after it as one scale and shift, and a ReLU.
#[derive(Clone, Debug)]
pub(super) struct Conv {
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    padding: [usize; 2],
}

/// Reads layers below one name.
pub(super) struct Reader<'a> {
    weights: &'a Weights,
    prefix: String,
    device: &'a Device,
}

impl<'a> Reader<'a> {
    pub(super) fn new(weights: &'a Weights, device: &'a Device) -> Self {
        Self { weights, prefix: String::new(), device }
    }

    /// The reader of the layers whose names go on from this one.
    pub(super) fn at(&self, name: &str) -> Self {
        Self { prefix: format!("{}{name}.", self.prefix), ..*self }
    }

    /// A convolution of stride 1 that keeps height and width.
    pub(super) fn same(
        &self,
        name: &str,
        channels: [usize; 2],
        kernel: [usize; 2],
    ) -> Result<Conv, NetworkError> {
        let padding = [kernel[0] / 2, kernel[1] / 2];
        self.conv(name, channels, kernel, 1, padding)
    }

    /// A convolution without padding.
    pub(super) fn valid(
        &self,
        name: &str,
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
    ) -> Result<Conv, NetworkError> {
        self.conv(name, channels, [kernel, kernel], stride, [0, 0])
    }

    /// `channels` are those of the input and of the output. With the normalisation's mean `m`,
    /// variance `s^2`, scale `g` and shift `b`,
    /// `g (W x - m) / s + b = (g / s) W x + (b - g m / s)`.
    fn conv(
        &self,
        name: &str,
        [from, to]: [usize; 2],
        [height, width]: [usize; 2],
        stride: usize,
        padding: [usize; 2],
    ) -> Result<Conv, NetworkError> {
        let weight: Tensor<4> =
            self.array(&format!("{name}.conv.weight"), [to, from, height, width])?;
        let vector = |part: &str| self.array::<1>(&format!("{name}.bn.{part}"), [to]);
        let scale = vector("weight")? / (vector("running_var")? + EPSILON).sqrt();
        let bias = vector("bias")? - vector("running_mean")? * scale.clone();
        let weight = weight * scale.reshape([to, 1, 1, 1]);
        Ok(Conv { weight, bias, stride, padding })
    }

    fn array<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
    ) -> Result<Tensor<D>, NetworkError> {
        let name = format!("{}{name}", self.prefix);
        let Some(data) = self.weights.get(&name) else {
            return Err(NetworkError::NoSuchWeight { name });
        };
        let have: Vec<usize> = data.shape().iter().copied().collect();
        if have != shape {
            return Err(NetworkError::ShapeOfWeight { name, have, want: shape.to_vec() });
        }
        Ok(Tensor::from_data(data.clone().convert::<f32>(), self.device))
    }
}

impl Conv {
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvOptions::new([self.stride; 2], self.padding, [1, 1], 1);
        relu(conv2d(x, self.weight.clone(), Some(self.bias.clone()), options))
    }
}

/// One convolution after another.
pub(super) fn chain(convs: &[Conv], x: Tensor<4>) -> Tensor<4> {
    convs.iter().fold(x, |x, conv| conv.forward(x))
}

/// Maximum over windows of 3 x 3, every second one.
pub(super) fn halve(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([2, 2]))
}

/// Maximum over the window of 3 x 3 around each pixel.
pub(super) fn greatest_around(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]))
}

/// Mean over the window of 3 x 3 around each pixel; at the border over the pixels that exist.
pub(super) fn mean_around(x: Tensor<4>) -> Tensor<4> {
    let options = AvgPoolOptions::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]);
    avg_pool2d(x, options.with_count_include_pad(false))
}
