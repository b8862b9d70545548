//! What a network takes is known before it is made.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::tensor::Device;
use flow_nn::{
    Footprint, FourierFeatures, Fusion, ImageEncoderConfig, MlpConfig, PointEncoderConfig,
    PosteriorInput, SplitMlpConfig, UNetConfig, parameter_count,
};

#[test]
#[expect(clippy::float_cmp, reason = "whole numbers below 2^53")]
fn parameters_are_counted_before_they_are_made() {
    let device = Device::flex();
    let check = |footprint: Footprint, made: usize, what: &str| {
        assert_eq!(footprint.parameters, made as f64, "{what}");
        assert!(1.0 <= footprint.widest && footprint.widest <= footprint.activations, "{what}");
    };
    for (octaves, classes, depth) in [(0, 0, 1), (5, 0, 3), (2, 10, 4)] {
        let fourier = FourierFeatures { octaves, wavelength: 16.0 };
        let config = MlpConfig { fourier, classes, depth, hidden: 24, ..MlpConfig::default() };
        let made = parameter_count(&config.init(&device).unwrap());
        check(config.footprint(), made, &format!("{config:?}"));
    }
    for (dim, latent, depth) in [(1, 0, 3), (2, 4, 1)] {
        let config = SplitMlpConfig { dim, latent, depth, ..SplitMlpConfig::default() };
        let made = parameter_count(&config.init(&device).unwrap());
        check(config.footprint(), made, &format!("{config:?}"));
    }
    let three = vec![PosteriorInput::X0, PosteriorInput::X1, PosteriorInput::T];
    for inputs in [vec![PosteriorInput::Xt], three.clone()] {
        let config = PointEncoderConfig { inputs: inputs.clone(), ..PointEncoderConfig::default() };
        let made = parameter_count(&config.init(&device).unwrap());
        check(config.footprint(), made, &format!("{config:?}"));
        let config = ImageEncoderConfig { inputs, ..ImageEncoderConfig::default() };
        let made = parameter_count(&config.init(&device).unwrap());
        check(config.footprint(64), made, &format!("{config:?}"));
    }
    for (multipliers, blocks, attention) in
        [(vec![1], 1, vec![]), (vec![1, 2, 2], 1, vec![4]), (vec![1, 3], 3, vec![16, 8])]
    {
        for (classes, latent, fusion) in [
            (0, 0, Fusion::AdaptiveNorm),
            (10, 3, Fusion::AdaptiveNorm),
            (0, 2, Fusion::BottleneckSum),
        ] {
            let config = UNetConfig {
                size: 16,
                channels: 16,
                head_channels: 16,
                multipliers: multipliers.clone(),
                blocks,
                attention: attention.clone(),
                classes,
                latent,
                fusion,
                ..UNetConfig::default()
            };
            let made = parameter_count(&config.init(&device).unwrap());
            check(config.footprint(), made, &format!("{config:?}"));
        }
    }
}

#[test]
fn any_size_has_a_footprint() {
    let most = usize::MAX;
    let fourier = FourierFeatures { octaves: most, wavelength: 1.0 };
    let mlp = MlpConfig {
        dim: 2,
        hidden: most,
        depth: most,
        time_features: most,
        fourier,
        classes: most,
    };
    let split = SplitMlpConfig {
        hidden: most,
        depth: most,
        features: most,
        latent: most,
        latent_hidden: most,
        latent_depth: most,
        ..SplitMlpConfig::default()
    };
    let points = PointEncoderConfig {
        latent: most,
        hidden: most,
        depth: most,
        features: most,
        ..PointEncoderConfig::default()
    };
    let images =
        ImageEncoderConfig { latent: most, channels: most, ..ImageEncoderConfig::default() };
    let unet = UNetConfig {
        size: most,
        channels: most,
        blocks: most,
        latent: most,
        ..UNetConfig::default()
    };
    for footprint in [
        mlp.footprint(),
        split.footprint(),
        points.footprint(),
        images.footprint(most),
        unet.footprint(),
    ] {
        assert!(1e30 < footprint.parameters, "{footprint:?}");
    }
}
