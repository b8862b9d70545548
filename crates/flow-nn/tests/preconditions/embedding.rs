//! Embeddings of coordinates, times, classes, vectors and latents.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, Int, Tensor, TensorData};
use flow_nn::{
    Band, ClassEmbedding, Condition, CoordinateEncoder, FourierFeatures, LatentEmbedding,
    MlpConfig, NetworkConfig, NetworkError, Signature, TimeEmbedding, VectorEmbedding,
};
use flow_testing::awkward;

use crate::{by_rows, flags, matrix, panics, read};

fn encoder(dim: usize, band: Band) -> Result<CoordinateEncoder, NetworkError> {
    CoordinateEncoder::new(dim, 8 * dim, band, 8, &Device::flex())
}

pub(crate) fn coordinates() {
    let encoder = encoder(2, Band::default()).unwrap();
    // Angles are coordinates times ten.
    by_rows("CoordinateEncoder", 2, 1e37, |x| read(encoder.forward(x)));
    panics("expected points of [1, 2], got [1, 3]", || {
        let _ = encoder.forward(matrix(&[0.0; 3], 3));
    });
}

pub(crate) fn bands() {
    for (name, value) in awkward::SCALARS {
        for band in [Band { lowest: value, highest: 1.0 }, Band { lowest: 1.0, highest: value }] {
            match encoder(1, band) {
                Ok(encoder) => {
                    let out = read(encoder.forward(matrix(&[1.0], 1)));
                    assert!(out.iter().all(|x| x.is_finite()), "{name}: {band:?}");
                }
                Err(error) => {
                    assert!(!(2e-38..=1e38).contains(&value), "{name} is refused: {error}");
                }
            }
        }
    }
    for (dim, features) in [(0, 8), (2, 0), (2, 6)] {
        let sizes = CoordinateEncoder::new(dim, features, Band::default(), 8, &Device::flex());
        assert!(sizes.is_err(), "{features} features of {dim} coordinates");
    }
}

pub(crate) fn time_bands() {
    for (name, value) in awkward::SCALARS {
        let band = Band { lowest: 0.1, highest: value };
        let time = TimeEmbedding::within(band, 8, 4, &Device::flex());
        let out = read(time.forward(Tensor::from_floats([0.5], &Device::flex())));
        let usual = (1e-30..=1e30).contains(&value);
        assert!(!usual || out.iter().all(|x| x.is_finite()), "{name}");
    }
    let band = Band::default();
    for (sinusoids, width) in [(0, 4), (3, 4), (8, 0)] {
        panics("an even number of sinusoids", || {
            let _ = TimeEmbedding::within(band, sinusoids, width, &Device::flex());
        });
    }
}

pub(crate) fn fourier() {
    let features = FourierFeatures { octaves: 3, wavelength: 16.0 };
    by_rows("FourierFeatures", 2, 1e37, |x| read(features.forward(x)));
    for (name, wavelength) in awkward::SCALARS {
        for octaves in [0, 1, 200] {
            let fourier = FourierFeatures { octaves, wavelength };
            let config = MlpConfig { hidden: 4, depth: 1, fourier, ..MlpConfig::default() };
            match config.init(&Signature::of([2]), &Device::flex()) {
                Ok(_) => {
                    let out = read(fourier.forward(matrix(&[1.0, 2.0], 2)));
                    assert!(out.iter().all(|x| x.is_finite()), "{octaves} octaves of {name}");
                }
                Err(error) => {
                    let usual = octaves < 2 && (1e-30..1e30).contains(&wavelength);
                    assert!(!usual && octaves != 0, "{octaves} octaves of {name}: {error}");
                }
            }
        }
    }
}

pub(crate) fn widths() {
    for octaves in [0, 1, 5] {
        let features = FourierFeatures { octaves, wavelength: 1.0 };
        assert_eq!(features.width(0), 0);
        assert_eq!(features.width(3), features.forward(matrix(&[0.0; 3], 3)).dims()[1]);
    }
}

pub(crate) fn times() {
    let embedding = TimeEmbedding::new(4, 8, &Device::flex());
    // Angles are times times a thousand.
    by_rows("TimeEmbedding", 1, 1e35, |t| read(embedding.forward(t.squeeze_dim(1))));
}

pub(crate) fn time_sizes() {
    for (sinusoids, width) in [(0, 8), (3, 8), (4, 0)] {
        panics("an even number of sinusoids", || {
            let _ = TimeEmbedding::new(sinusoids, width, &Device::flex());
        });
    }
    panics("expected a scale", || {
        let _ = TimeEmbedding::scaled(0, 4, 8, &Device::flex());
    });
}

pub(crate) fn durations() {
    // Zero for every time that is finite; the others make their rows so.
    let embedding = TimeEmbedding::starting_at_zero(1000, 4, 8, &Device::flex());
    by_rows("TimeEmbedding::starting_at_zero", 1, 1e35, |t| {
        let out = read(embedding.forward(t.squeeze_dim(1)));
        assert!(out.iter().all(|&x| x == 0.0 || !x.is_finite()));
        out
    });
    for (sinusoids, width) in [(0, 8), (3, 8), (4, 0)] {
        panics("an even number of sinusoids", || {
            let _ = TimeEmbedding::starting_at_zero(1000, sinusoids, width, &Device::flex());
        });
    }
}

pub(crate) fn vectors() {
    let embedding = VectorEmbedding::new(4, 8, &Device::flex());
    let given = |c: Tensor<2>| Condition::none().with_vector(c);
    by_rows("VectorEmbedding", 4, 1e36, |c| read(embedding.forward(&given(c))));
    for set in awkward::rows(6, 4) {
        let c = matrix(&set.rows, 4);
        let hidden = flags(&vec![true; c.dims()[0]]);
        let out = read(embedding.forward(&given(c).with_hidden(hidden)));
        assert!(out.iter().all(|x| x.is_finite()), "{} is not hidden", set.name);
    }
    panics("expected a condition vector of 4 numbers per row, got Some(3)", || {
        let _ = embedding.forward(&given(matrix(&[0.0; 3], 3)));
    });
    panics("expected a condition vector of 4 numbers per row, got None", || {
        let _ = embedding.forward(&Condition::none());
    });
    for (size, width) in [(0, 1), (1, 0)] {
        panics("expected sizes of at least 1", || {
            let _ = VectorEmbedding::new(size, width, &Device::flex());
        });
    }
}

pub(crate) fn latents() {
    let embedding = LatentEmbedding::new(4, 8, 3, &Device::flex());
    by_rows("LatentEmbedding", 4, 1e36, |z| read(embedding.forward(z)));
    panics("[3, 8]", || {
        let _ = embedding.forward(matrix(&[0.0; 3], 3));
    });
}

pub(crate) fn latent_sizes() {
    for (size, width, output) in [(0, 1, 1), (1, 0, 1), (1, 1, 0)] {
        panics("expected sizes of at least 1", || {
            let _ = LatentEmbedding::new(size, width, output, &Device::flex());
        });
    }
}

fn class(classes: &[i64]) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(classes.to_vec(), [classes.len()]), &Device::flex())
}

pub(crate) fn classes() {
    let embedding = ClassEmbedding::new(3, 4, &Device::flex());
    for batch in [0, 1, 5] {
        let null = read(embedding.forward(None, batch));
        assert_eq!(null, read(embedding.forward(Some(&class(&vec![3; batch])), batch)));
    }
    panics("expected the classes of 2 rows, got those of 1", || {
        let _ = embedding.forward(Some(&class(&[0])), 2);
    });
    for beyond in [4, -1, i64::MAX] {
        let outside =
            catch_unwind(AssertUnwindSafe(|| read(embedding.forward(Some(&class(&[beyond])), 1))));
        assert!(outside.is_err(), "class {beyond} of 3 is a vector: {outside:?}");
    }
}

pub(crate) fn class_sizes() {
    for (classes, width) in [(0, 4), (3, 0)] {
        panics("expected at least one class and one number", || {
            let _ = ClassEmbedding::new(classes, width, &Device::flex());
        });
    }
}
