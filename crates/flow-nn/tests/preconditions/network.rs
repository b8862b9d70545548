//! Networks of given sizes, the classifier, and posteriors of a latent.

use burn::tensor::{Device, Tensor};
use flow_nn::{
    ClassifierConfig, Condition, DiagonalGaussian, DitConfig, Footprint, ImageEncoderConfig,
    Network, NetworkConfig, NetworkError, PointEncoderConfig, PosteriorInput, Signature,
};
use flow_testing::awkward;

use crate::{by_rows, matrix, panics, read};

/// A size of the paper with any patch, made small: the rest of a network follows from numbers that
/// every preset has.
pub(crate) fn preset(of: fn(usize) -> DitConfig) {
    let init = |patch: usize, shape: &[usize]| {
        let config = DitConfig { hidden: 16, depth: 1, heads: 2, ..of(patch) };
        config.init(&Signature::of(shape), &Device::flex())
    };
    for patch in [0, 3, usize::MAX] {
        assert!(init(patch, &[1, 4, 4]).is_err(), "patches of {patch}");
    }
    assert!(init(2, &[1, 0, 4]).is_err() && init(2, &[]).is_err());
    let network = init(2, &[2]).unwrap();
    // The variance of a token squares its numbers.
    by_rows("Dit", 2, 1e15, |x| {
        let t = Tensor::<1>::ones([1], &Device::flex());
        read(network.forward(x, t.into(), &Condition::none()))
    });
}

pub(crate) fn gaussians() {
    for set in awkward::rows(6, 4) {
        let q = DiagonalGaussian::from_output(matrix(&set.rows, 4));
        let (means, variances) = (read(q.mean), read(q.log_variance));
        for ((row, mean), variance) in
            set.rows.chunks(4).zip(means.chunks(2)).zip(variances.chunks(2))
        {
            assert!(row[..2].iter().zip(mean).all(|(a, b)| a.to_bits() == b.to_bits()));
            for (from, got) in row[2..].iter().zip(variance) {
                // Not a number stays so, infinities are clamped.
                let fits = from.is_nan() && got.is_nan() || got.abs() <= 20.0 && !from.is_nan();
                assert!(fits, "{}: {from} becomes {got}", set.name);
            }
        }
    }
    panics("expected means and variances, [1, 2 z], got [1, 3]", || {
        let _ = DiagonalGaussian::from_output(matrix(&[0.0; 3], 3));
    });
}

pub(crate) fn draws() {
    let q = |rows: usize| DiagonalGaussian {
        mean: matrix(&vec![1.0; 2 * rows], 2),
        log_variance: matrix(&vec![0.0; 2 * rows], 2),
    };
    by_rows("DiagonalGaussian::sample", 2, f32::MAX, |epsilon| {
        read(q(epsilon.dims()[0]).sample(epsilon))
    });
    panics("expected noise of shape [3, 2], got [1, 2]", || {
        let _ = q(3).sample(matrix(&[0.0; 2], 2));
    });
}

fn classifier() -> flow_nn::Classifier {
    let config = ClassifierConfig { image_channels: 1, channels: 8, classes: 3 };
    config.init(&Device::flex()).unwrap()
}

pub(crate) fn features() {
    let network = classifier();
    // Group norms square what they see.
    by_rows("Classifier::features", 64, 1e17, |x| {
        let n = x.dims()[0];
        read(network.features(x.reshape([n, 1, 8, 8])))
    });
    panics("expected a weight of shape", || {
        let _ = network.features(Tensor::zeros([1, 3, 8, 8], &Device::flex()));
    });
}

pub(crate) fn logits() {
    let network = classifier();
    by_rows("Classifier::logits", 16, 1e36, |x| read(network.logits(x)));
    panics("[16, 3]", || {
        let _ = network.logits(matrix(&[0.0; 3], 3));
    });
}

/// Sizes are counted in floating point, so that none overflows: they are what refuses the rest.
pub(crate) fn footprints() {
    let inputs = [PosteriorInput::X0, PosteriorInput::X1, PosteriorInput::Xt];
    for side in [0, 1, 8, usize::MAX] {
        for latent in [0, 1, usize::MAX] {
            let config = ImageEncoderConfig::default();
            let footprint = config.footprint([1, side, side], &inputs, latent);
            assert!(
                footprint.parameters.is_finite() && 0.0 < footprint.parameters,
                "{footprint:?}"
            );
        }
    }
}

pub(crate) fn point_footprints() {
    for inputs in [0, 1, 3] {
        for latent in [0, 1, usize::MAX] {
            let footprint = PointEncoderConfig::default().footprint(inputs, latent);
            assert!(footprint.parameters.is_finite(), "{footprint:?}");
        }
    }
}

pub(crate) fn image_encoders() {
    use PosteriorInput::{T, X1};
    let init = |shape, inputs: &[PosteriorInput], latent| {
        ImageEncoderConfig::default().init(shape, inputs, latent, &Device::flex()).map(drop)
    };
    for shape in [[1, 8, 8], [3, 5, 9], [1, 1, 1]] {
        init(shape, &[X1, T], 1).unwrap();
    }
    let zero = |field| Err(NetworkError::Zero { field });
    assert_eq!(init([0, 8, 8], &[X1], 1), zero("channels of the image"));
    assert_eq!(init([1, 8, 8], &[], 1), zero("inputs"));
    assert_eq!(init([1, 8, 8], &[X1], 0), zero("latent"));
}

pub(crate) fn point_encoders() {
    use PosteriorInput::{T, X1};
    let init = |dim, inputs: &[PosteriorInput], latent| {
        PointEncoderConfig::default().init(dim, inputs, latent, &Device::flex()).map(drop)
    };
    init(2, &[X1, T], 1).unwrap();
    let zero = |field| Err(NetworkError::Zero { field });
    assert_eq!(init(2, &[], 1), zero("inputs"));
    assert_eq!(init(2, &[X1], 0), zero("latent"));
    for dim in [0, 5] {
        // 64 sinusoids cannot be shared out among five coordinates.
        assert!(init(dim, &[X1], 1).is_err(), "{dim} coordinates");
    }
}

/// Layers of the least and the largest sizes are counted as numbers, whatever their product.
pub(crate) fn counted_layers() {
    let sizes = [0, 1, 3, usize::MAX];
    for a in sizes {
        for b in sizes {
            let [x, y] = [a, b].map(|size| size as f64);
            let mut all = Footprint::default();
            all.attention(x, y);
            all.classes(a, y);
            all.conv(x, y, y, x);
            all.linear(x, y);
            all.norm(x, y);
            all.stack(x, y, a);
            all.time(x, y);
            let Footprint { parameters, activations, widest, products, .. } = all;
            for count in [parameters, activations, widest, products] {
                assert!((0.0..f64::INFINITY).contains(&count), "{a} and {b}: {all:?}");
            }
        }
    }
}
