//! Sizes of a network, counted from its configuration before anything is allocated.

/// Sizes of a network in numbers, each of four bytes in single precision.
///
/// They are `f64`, so that the product of any sizes is a number to compare with a limit, and
/// infinite at worst. Layers are added by their sizes; one that is no number makes the counts none.
/// Configurations that [`init`](crate::NetworkConfig::init) would refuse have a footprint too,
/// without a meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Footprint {
    /// Trainable numbers.
    pub parameters: f64,
    /// Numbers that the layers of one row leave for the backward pass: each output once, which is
    /// the least.
    pub activations: f64,
    /// The largest output of a layer for one row.
    pub widest: f64,
    /// Products of two numbers, each added to a sum, that one row takes on its way forward: those
    /// of matrices, of convolutions as they are defined, and of attention.
    pub products: f64,
}

impl Footprint {
    /// As many copies of another.
    pub(crate) fn add(&mut self, count: f64, part: &Self) {
        self.parameters += count * part.parameters;
        self.activations += count * part.activations;
        self.products += count * part.products;
        if 0.0 < count {
            self.widest = self.widest.max(part.widest);
        }
    }

    /// As many layers with so many parameters, each with so many outputs and products for a row.
    fn layers(&mut self, count: f64, parameters: f64, output: f64, products: f64) {
        self.add(count, &Self { parameters, activations: output, widest: output, products });
    }

    /// What a row is before the first layer.
    pub(crate) fn input(&mut self, width: f64) {
        self.layers(1.0, 0.0, width, 0.0);
    }

    /// A linear layer with bias.
    pub fn linear(&mut self, from: f64, to: f64) {
        self.layers(1.0, from * to + to, to, from * to);
    }

    /// A linear layer with bias over each of so many tokens.
    pub(crate) fn each(&mut self, from: f64, to: f64, tokens: f64) {
        self.layers(1.0, from * to + to, to * tokens, from * to * tokens);
    }

    /// `depth` linear layers of `width` numbers, the first of which sees `input`.
    pub fn stack(&mut self, input: f64, width: f64, depth: usize) {
        if 0 < depth {
            self.linear(input, width);
            let products = width * width;
            self.layers(depth as f64 - 1.0, products + width, width, products);
        }
    }

    /// Sinusoids of a time through two linear layers.
    pub fn time(&mut self, sinusoids: f64, width: f64) {
        self.linear(sinusoids, width);
        self.linear(width, width);
    }

    /// Two linear layers over a condition vector, if there is one.
    pub(crate) fn vector(&mut self, numbers: usize, width: f64) {
        if 0 < numbers {
            self.linear(numbers as f64 + 1.0, width);
            self.linear(width, width);
        }
    }

    /// A vector for each class and one for none.
    pub fn classes(&mut self, classes: usize, width: f64) {
        if 0 < classes {
            self.layers(1.0, (classes as f64 + 1.0) * width, width, 0.0);
        }
    }

    /// A convolution with bias whose output has so many pixels.
    pub fn conv(&mut self, from: f64, to: f64, kernel: f64, pixels: f64) {
        let weights = from * to * kernel * kernel;
        self.layers(1.0, weights + to, to * pixels, weights * pixels);
    }

    /// A group norm.
    pub fn norm(&mut self, channels: f64, pixels: f64) {
        self.layers(1.0, 2.0 * channels, channels * pixels, 0.0);
    }

    /// Every token asks each of them, in heads that share the width: what is kept of it is counted
    /// with the layers around it.
    pub fn attention(&mut self, width: f64, tokens: f64) {
        self.layers(1.0, 0.0, 0.0, 2.0 * tokens * tokens * width);
    }
}
