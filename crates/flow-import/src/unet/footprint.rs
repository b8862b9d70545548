//! What a U-Net of the ADM family takes, counted before it is made.

use flow_nn::{Footprint, NetworkConfig, Signature};

use super::config::{AdmUNetConfig, Step};

impl AdmUNetConfig {
    /// The sizes of a network, and of no one where it would be refused by the numbers of its parts.
    pub(super) fn counted(&self, signature: &Signature) -> Footprint {
        let config = self;
        let Ok([colours, height, width]) = signature.image(AdmUNetConfig::KIND) else {
            return Footprint::default();
        };
        if config.check_counts().is_err() || config.attention.len() != config.channels.len() {
            return Footprint::default();
        }
        let (colours, first) = (colours as f64, config.channels[0] as f64);
        let pixels = |level: usize| {
            let side = |side: usize| side as f64 / (1_u64 << level) as f64;
            side(height) * side(width)
        };
        let (mut count, last) = (Count::of(config), config.channels.len() - 1);
        count.linear(config.width as f64, count.embedding);
        count.linear(count.embedding, count.embedding);
        if 0 < signature.classes {
            let classes = signature.classes as f64 + 1.0;
            count.layer(classes * count.embedding, count.embedding, 0.0);
        }
        count.conv([colours, first], 3.0, pixels(0));
        let (down, middle, up) = config.steps();
        for (level, steps) in down.iter().enumerate() {
            for step in steps {
                count.unit(step, true, pixels(level));
            }
            if level < last {
                count.resample(config.channels[level] as f64, pixels(level + 1));
            }
        }
        for step in &middle {
            count.unit(step, config.normed_middle, pixels(last));
        }
        for (level, steps) in (0..=last).rev().zip(&up) {
            for step in steps {
                count.unit(step, true, pixels(level));
            }
            if 0 < level {
                count.resample(config.channels[level] as f64, pixels(level - 1));
            }
        }
        count.norm(first, pixels(0));
        count.conv([first, colours], 3.0, pixels(0));
        count.all
    }
}

/// Layers that are counted one by one.
struct Count {
    all: Footprint,
    embedding: f64,
    modulated: bool,
    by_block: bool,
}

impl Count {
    fn of(config: &AdmUNetConfig) -> Self {
        let AdmUNetConfig { modulated, residual_resampling: by_block, .. } = *config;
        let embedding = 4.0 * config.width as f64;
        Self { all: Footprint::default(), embedding, modulated, by_block }
    }

    fn layer(&mut self, parameters: f64, output: f64, products: f64) {
        self.all.parameters += parameters;
        self.all.activations += output;
        self.all.products += products;
        self.all.widest = self.all.widest.max(output);
    }

    fn linear(&mut self, from: f64, to: f64) {
        self.layer(from * to + to, to, from * to);
    }

    fn conv(&mut self, [from, to]: [f64; 2], kernel: f64, pixels: f64) {
        let weights = from * to * kernel * kernel;
        self.layer(weights + to, to * pixels, weights * pixels);
    }

    fn norm(&mut self, channels: f64, pixels: f64) {
        self.layer(2.0 * channels, channels * pixels, 0.0);
    }

    fn residual(&mut self, from: f64, to: f64, pixels: f64) {
        self.norm(from, pixels);
        self.conv([from, to], 3.0, pixels);
        self.linear(self.embedding, if self.modulated { 2.0 * to } else { to });
        self.norm(to, pixels);
        self.conv([to, to], 3.0, pixels);
        if from.total_cmp(&to).is_ne() {
            self.conv([from, to], 1.0, pixels);
        }
    }

    fn unit(&mut self, step: &Step, normed: bool, pixels: f64) {
        let to = step.to as f64;
        self.residual(step.from as f64, to, pixels);
        if step.attention {
            if normed {
                self.norm(to, pixels);
            }
            self.conv([to, 3.0 * to], 1.0, pixels);
            self.layer(0.0, 0.0, 2.0 * pixels * pixels * to);
            self.conv([to, to], 1.0, pixels);
        }
    }

    /// The way to a size of so many pixels.
    fn resample(&mut self, channels: f64, pixels: f64) {
        if self.by_block {
            self.residual(channels, channels, pixels);
        } else {
            self.conv([channels, channels], 3.0, pixels);
        }
    }
}
