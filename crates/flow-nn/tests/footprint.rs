//! The size of a network is known before it is made.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::tensor::Device;
use flow_nn::{
    DitConfig, Embeddings, EncoderConfig, Footprint, FourierFeatures, Fusion, ImageEncoderConfig,
    MlpConfig, NetworkConfig, PointEncoderConfig, PosteriorInput, Signature, SplitMlpConfig,
    UNetConfig, parameter_count,
};

#[expect(clippy::float_cmp, reason = "whole numbers below 2^53")]
fn check(footprint: Footprint, made: usize, what: &str) {
    assert_eq!(footprint.parameters, made as f64, "{what}");
    assert!(1.0 <= footprint.widest && footprint.widest <= footprint.activations, "{what}");
}

fn check_network<C: NetworkConfig>(config: &C, signature: &Signature) {
    let made = parameter_count(&config.init(signature, &Device::flex()).unwrap());
    check(config.footprint(signature), made, &format!("{config:?} for {signature:?}"));
}

#[test]
fn parameters_of_perceptrons_are_counted_before_they_are_made() {
    for (octaves, classes, depth) in [(0, 0, 1), (5, 0, 3), (2, 10, 4)] {
        for (vector, two_times) in [(0, false), (3, false), (0, true), (1, true)] {
            let fourier = FourierFeatures { octaves, wavelength: 16.0 };
            let config = MlpConfig { fourier, depth, hidden: 24, ..MlpConfig::default() };
            check_network(&config, &Signature { classes, vector, two_times, ..Signature::of([2]) });
        }
    }
    for (dim, latent, depth) in [(1, 0, 3), (2, 4, 1)] {
        let config = SplitMlpConfig { depth, ..SplitMlpConfig::default() };
        check_network(&config, &Signature { latent, ..Signature::of([dim]) });
    }
}

#[test]
fn parameters_of_posteriors_are_counted_before_they_are_made() {
    let device = Device::flex();
    let three = [PosteriorInput::X0, PosteriorInput::X1, PosteriorInput::T];
    for inputs in [&[PosteriorInput::Xt][..], &three] {
        let points = PointEncoderConfig::default();
        let made = parameter_count(&points.init(1, inputs, 4, &device).unwrap());
        check(points.footprint(inputs.len(), 4), made, &format!("{points:?} of {inputs:?}"));
        let section = EncoderConfig::Mlp(points);
        let signature = Signature { latent: 4, ..Signature::of([1]) };
        check(section.footprint(&signature, inputs), made, &format!("{section:?}"));
        for shape in [[1, 8, 8], [3, 8, 12]] {
            let images = ImageEncoderConfig::default();
            let made = parameter_count(&images.init(shape, inputs, 2, &device).unwrap());
            check(images.footprint(shape, inputs, 2), made, &format!("{images:?} of {inputs:?}"));
            let section = EncoderConfig::Conv(images);
            let signature = Signature { latent: 2, ..Signature::of(shape) };
            check(section.footprint(&signature, inputs), made, &format!("{section:?}"));
        }
    }
}

#[test]
fn parameters_of_unets_are_counted_before_they_are_made() {
    for (multipliers, blocks, attention) in
        [(vec![1], 1, vec![]), (vec![1, 2, 2], 1, vec![4]), (vec![1, 3], 3, vec![16, 8])]
    {
        for (classes, latent, fusion) in [
            (0, 0, Fusion::AdaptiveNorm),
            (10, 3, Fusion::AdaptiveNorm),
            (0, 2, Fusion::BottleneckSum),
        ] {
            let config = UNetConfig {
                channels: 16,
                head_channels: 16,
                multipliers: multipliers.clone(),
                blocks,
                attention: attention.clone(),
                fusion,
                ..UNetConfig::default()
            };
            let plain = Signature { classes, latent, ..Signature::of([1, 16, 16]) };
            for signature in [
                Signature { vector: 3, ..plain.clone() },
                Signature { context: vec![2, 16, 16], ..plain.clone() },
                Signature { two_times: true, ..plain.clone() },
                Signature {
                    shape: vec![3, 16, 24],
                    vector: 1,
                    context: vec![4, 16, 24],
                    two_times: true,
                    ..plain.clone()
                },
                plain,
            ] {
                check_network(&config, &signature);
            }
        }
    }
}

#[test]
fn parameters_of_transformers_are_counted_before_they_are_made() {
    for embeddings in [Embeddings::Shared, Embeddings::EachBlock] {
        let config = DitConfig { hidden: 24, depth: 3, embeddings, ..DitConfig::default() };
        let told = Signature { classes: 4, vector: 2, latent: 3, ..Signature::default() };
        for (shape, context) in [
            (&[5][..], &[][..]),
            (&[5], &[3]),
            (&[6, 2], &[6, 1]),
            (&[6, 2], &[4, 1]),
            (&[3, 8, 12], &[2, 8, 12]),
            (&[1, 8, 8], &[7]),
        ] {
            let plain = Signature { context: context.to_vec(), ..Signature::of(shape) };
            check_network(&config, &plain);
            let shape = shape.to_vec();
            check_network(&config, &Signature { shape, two_times: true, ..told.clone() });
        }
    }
}

/// The outputs of layers are those of images of as many pixels.
#[test]
#[expect(clippy::float_cmp, reason = "whole numbers below 2^53")]
fn an_image_takes_as_much_whichever_side_is_the_longer() {
    let of = |height: usize, width: usize| {
        let config = UNetConfig { attention: vec![height / 4], ..UNetConfig::default() };
        config.footprint(&Signature::of([1, height, width]))
    };
    assert_eq!(of(16, 24), of(24, 16));
    let (one, two) = (of(16, 16), of(16, 32));
    assert_eq!(one.widest * 2.0, two.widest);
    // What does not grow with the image: the embedding of the time and what becomes of it.
    assert!(1.9 * one.activations < two.activations && two.activations < 2.0 * one.activations);
}

#[test]
fn any_size_has_a_footprint() {
    let most = usize::MAX;
    let fourier = FourierFeatures { octaves: most, wavelength: 1.0 };
    let mlp = MlpConfig {
        hidden: most,
        depth: most,
        time_features: most,
        fourier,
        ..MlpConfig::default()
    };
    let split = SplitMlpConfig {
        hidden: most,
        depth: most,
        features: most,
        latent_hidden: most,
        latent_depth: most,
        ..SplitMlpConfig::default()
    };
    let points = PointEncoderConfig {
        hidden: most,
        depth: most,
        features: most,
        ..PointEncoderConfig::default()
    };
    let images = ImageEncoderConfig { channels: most, ..ImageEncoderConfig::default() };
    let unet = UNetConfig { channels: most, blocks: most, ..UNetConfig::default() };
    let dit = DitConfig { hidden: most, depth: most, patch: 1, ..DitConfig::default() };
    let inputs = [PosteriorInput::X0, PosteriorInput::X1, PosteriorInput::Xt];
    let told = |shape: &[usize]| Signature {
        classes: most,
        vector: most,
        latent: most,
        two_times: true,
        ..Signature::of(shape)
    };
    let side = Signature { context: vec![most; 3], ..told(&[1, most, most]) };
    for footprint in [
        mlp.footprint(&told(&[2])),
        split.footprint(&told(&[1])),
        points.footprint(3, most),
        images.footprint([1, most, most], &inputs, most),
        unet.footprint(&told(&[1, most, most])),
        unet.footprint(&side),
        dit.footprint(&side),
    ] {
        assert!(1e30 < footprint.parameters, "{footprint:?}");
    }
}
