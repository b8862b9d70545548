//! What a U-Net takes, counted before it is made.

use super::config::{Fusion, UNetConfig, context_channels};
use crate::config::NetworkConfig;
use crate::footprint::Footprint;
use crate::signature::Signature;

impl UNetConfig {
    /// Its sizes, layer by layer as [`init`](NetworkConfig::init) makes them. The weights that
    /// attention gives to pixels are not counted.
    pub(super) fn counted(&self, signature: &Signature) -> Footprint {
        let [image_channels, height, width] = signature.image(Self::KIND).unwrap_or_default();
        let context = context_channels(signature).unwrap_or_default();
        let [image, channels] = [image_channels, self.channels].map(|n| n as f64);
        let embedding = 4.0 * channels;
        let widths: Vec<f64> = self.multipliers.iter().map(|&m| m as f64 * channels).collect();
        let side = |side: usize, level| side.checked_shr(level as u32).unwrap_or(0) as f64;
        let pixels = |level: usize| side(height, level) * side(width, level);
        let more = self.blocks as f64 - 1.0;
        let (mut all, mut modulated) = (Footprint::default(), 0.0);
        let mut units =
            |all: &mut Footprint, count: f64, from: f64, to: f64, level: usize, attention| {
                modulated += count * 2.0 * to;
                all.add(count, &unit(from, to, pixels(level), attention));
            };
        all.conv(image + context as f64, channels, 3.0, pixels(0));
        let mut now = channels;
        for (level, &width) in widths.iter().enumerate() {
            let attention = self.has_attention(height, level);
            units(&mut all, 1.0, now, width, level, attention);
            units(&mut all, more, width, width, level, attention);
            now = width;
            if level + 1 < widths.len() {
                all.conv(now, now, 3.0, pixels(level + 1));
            }
        }
        let (bottleneck, last) = (now, widths.len().saturating_sub(1));
        units(&mut all, 1.0, now, now, last, true);
        units(&mut all, 1.0, now, now, last, false);
        for (level, &width) in widths.iter().enumerate().rev() {
            // The skips of a level: of its blocks, then of what came into it.
            let attention = self.has_attention(height, level);
            let came = if level == 0 { channels } else { widths[level - 1] };
            units(&mut all, 1.0, now + width, width, level, attention);
            units(&mut all, more, 2.0 * width, width, level, attention);
            units(&mut all, 1.0, width + came, width, level, attention);
            now = width;
            if 0 < level {
                all.conv(now, now, 3.0, pixels(level - 1));
            }
        }
        all.time(channels, embedding);
        all.classes(signature.classes, embedding);
        all.vector(signature.vector, embedding);
        if signature.two_times {
            all.time(channels, embedding);
        }
        if 0 < signature.latent {
            all.linear(signature.latent as f64, embedding);
            let output = match self.fusion {
                Fusion::AdaptiveNorm => embedding,
                Fusion::BottleneckSum => bottleneck,
            };
            all.linear(embedding, output);
        }
        all.linear(embedding, modulated);
        all.norm(now, pixels(0));
        all.conv(now, image, 3.0, pixels(0));
        all
    }
}

/// A residual block and, where it is asked for, attention.
fn unit(from: f64, to: f64, pixels: f64, attention: bool) -> Footprint {
    let mut unit = Footprint::default();
    unit.norm(from, pixels);
    unit.conv(from, to, 3.0, pixels);
    unit.norm(to, pixels);
    unit.conv(to, to, 3.0, pixels);
    if from.total_cmp(&to).is_ne() {
        unit.conv(from, to, 1.0, pixels);
    }
    if attention {
        unit.norm(to, pixels);
        unit.conv(to, 3.0 * to, 1.0, pixels);
        unit.attention(to, pixels);
        unit.conv(to, to, 1.0, pixels);
    }
    unit
}
