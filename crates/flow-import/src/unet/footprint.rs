//! What a U-Net of the ADM family takes, counted before it is made.

use flow_nn::{Footprint, NetworkConfig, Signature};

use super::config::{AdmUNetConfig, Step};

impl AdmUNetConfig {
    /// The sizes of a network, and of no one where it would be refused by the numbers of its parts.
    pub(super) fn counted(&self, signature: &Signature) -> Footprint {
        let Ok([colours, height, width]) = signature.image(Self::KIND) else {
            return Footprint::default();
        };
        if self.check_counts().is_err() || self.attention.len() != self.channels.len() {
            return Footprint::default();
        }
        let (colours, first) = (colours as f64, self.channels[0] as f64);
        let pixels = |level: usize| {
            let side = |side: usize| side as f64 / (1_u64 << level) as f64;
            side(height) * side(width)
        };
        let (mut count, last) = (Count::of(self), self.channels.len() - 1);
        count.all.time(self.width as f64, count.embedding);
        count.all.classes(signature.classes, count.embedding);
        count.all.conv(colours, first, 3.0, pixels(0));
        let (down, middle, up) = self.steps();
        for (level, steps) in down.iter().enumerate() {
            for step in steps {
                count.unit(step, true, pixels(level));
            }
            if level < last {
                count.resample(self.channels[level] as f64, pixels(level + 1));
            }
        }
        for step in &middle {
            count.unit(step, self.normed_middle, pixels(last));
        }
        for (level, steps) in (0..=last).rev().zip(&up) {
            for step in steps {
                count.unit(step, true, pixels(level));
            }
            if 0 < level {
                count.resample(self.channels[level] as f64, pixels(level - 1));
            }
        }
        count.all.norm(first, pixels(0));
        count.all.conv(first, colours, 3.0, pixels(0));
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

    fn residual(&mut self, from: f64, to: f64, pixels: f64) {
        self.all.norm(from, pixels);
        self.all.conv(from, to, 3.0, pixels);
        self.all.linear(self.embedding, if self.modulated { 2.0 * to } else { to });
        self.all.norm(to, pixels);
        self.all.conv(to, to, 3.0, pixels);
        if from.total_cmp(&to).is_ne() {
            self.all.conv(from, to, 1.0, pixels);
        }
    }

    fn unit(&mut self, step: &Step, normed: bool, pixels: f64) {
        let to = step.to as f64;
        self.residual(step.from as f64, to, pixels);
        if step.attention {
            if normed {
                self.all.norm(to, pixels);
            }
            self.all.conv(to, 3.0 * to, 1.0, pixels);
            self.all.attention(to, pixels);
            self.all.conv(to, to, 1.0, pixels);
        }
    }

    /// The way to a size of so many pixels.
    fn resample(&mut self, channels: f64, pixels: f64) {
        if self.by_block {
            self.residual(channels, channels, pixels);
        } else {
            self.all.conv(channels, channels, 3.0, pixels);
        }
    }
}
