//! Every public function with awkward numbers: infinities, NaN, zeros and empty shapes.
//!
//! A network has no errors once it is built: wrong shapes panic with both shapes, what is not
//! finite comes out as not finite in its own row alone, and what is finite stays so unless it
//! overflows.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use flow_nn::{
    Band, ClassEmbedding, ClassifierConfig, Condition, CoordinateEncoder, DiagonalGaussian,
    DitConfig, FourierFeatures, ImageEncoderConfig, LatentEmbedding, MlpConfig, Network,
    NetworkConfig, NetworkError, PointEncoderConfig, PosteriorInput, Signature, Strengths, Time,
    TimeEmbedding, VectorEmbedding,
};
use flow_testing::{awkward, public};

type Row = (&'static str, fn());

const TABLE: [Row; 42] = [
    ("ClassEmbedding::forward", classes),
    ("ClassEmbedding::new", class_sizes),
    ("Classifier::features", features),
    ("Classifier::logits", logits),
    ("Condition::classes", conditions),
    ("Condition::within", within),
    ("Condition::narrow", narrowed),
    ("Condition::repeat", repeated),
    ("Condition::with_context", with_contexts),
    ("Condition::with_hidden", with_flags),
    ("Condition::with_latent", with_latents),
    ("Condition::with_lengths", with_lengths),
    ("Condition::with_number", with_numbers),
    ("Condition::with_vector", with_vectors),
    ("CoordinateEncoder::forward", coordinates),
    ("CoordinateEncoder::new", bands),
    ("DiagonalGaussian::from_output", gaussians),
    ("DiagonalGaussian::sample", draws),
    ("DitConfig::b", || preset(DitConfig::b)),
    ("DitConfig::l", || preset(DitConfig::l)),
    ("DitConfig::s", || preset(DitConfig::s)),
    ("DitConfig::xl", || preset(DitConfig::xl)),
    ("FourierFeatures::forward", fourier),
    ("FourierFeatures::width", widths),
    ("ImageEncoderConfig::footprint", footprints),
    ("ImageEncoderConfig::init", image_encoders),
    ("LatentEmbedding::forward", latents),
    ("LatentEmbedding::new", latent_sizes),
    ("PointEncoderConfig::footprint", point_footprints),
    ("PointEncoderConfig::init", point_encoders),
    ("Signature::of", signatures),
    ("Strengths::hold", strengths),
    ("Strengths::told", told_strengths),
    ("Time::at", velocities_times),
    ("Time::expand", expanded_times),
    ("Time::from_to", map_times),
    ("TimeEmbedding::forward", times),
    ("TimeEmbedding::new", time_sizes),
    ("TimeEmbedding::scaled", time_sizes),
    ("TimeEmbedding::starting_at_zero", durations),
    ("TimeEmbedding::within", time_bands),
    ("VectorEmbedding::new", vectors),
];

const EXEMPT: [(&str, &str); 7] = [
    (
        "Inception::features",
        "needs 24 million weights; its shapes are asserted at once, and convolutions keep its \
         numbers",
    ),
    ("dyn::attention", NAMED),
    ("dyn::fixed", NAMED),
    ("dyn::param", NAMED),
    ("dyn::plus", NAMED),
    ("dyn::sinusoids", NAMED),
    ("dyn::times", NAMED),
];

const NAMED: &str = "names an operation and computes nothing: tests/graph.rs compares what a graph \
                     computes with the network";

#[test]
fn every_function_keeps_its_promise_for_awkward_numbers() {
    let names = TABLE.map(|(name, _)| name);
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &names, &EXEMPT);
    let broken = TABLE.into_iter().filter(|(_, run)| catch_unwind(run).is_err());
    let broken: Vec<_> = broken.map(|(name, _)| name).collect();
    assert!(broken.is_empty(), "see above: {broken:?}");
}

fn panics(words: &str, f: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err(words);
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap();
    assert!(text.contains(words), "{text}");
}

fn matrix(rows: &[f32], dim: usize) -> Tensor<2> {
    let data = TensorData::new(rows.to_vec(), [rows.len() / dim, dim]);
    Tensor::from_data(data, &Device::flex())
}

fn read<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec().unwrap()
}

/// The rows of a result that hold a number that is not finite.
fn broken(values: &[f32], rows: usize) -> Vec<bool> {
    let each = values.len().checked_div(rows).unwrap_or(0);
    values.chunks(each.max(1)).map(|row| row.iter().any(|x| !x.is_finite())).collect()
}

/// Checks an operation whose rows are independent; `largest` is the size up to which it does not
/// overflow.
fn by_rows(name: &str, dim: usize, largest: f32, op: impl Fn(Tensor<2>) -> Vec<f32>) {
    for set in awkward::rows(6, dim) {
        let n = set.rows.len() / dim;
        let (got, expected) = (broken(&op(matrix(&set.rows, dim)), n), broken(&set.rows, n));
        assert_eq!(got.len(), n, "{name} of {}: rows", set.name);
        let size = set.rows.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        for (row, (got, expected)) in got.into_iter().zip(expected).enumerate() {
            let fits = got == expected || (got && largest < size);
            assert!(fits, "{name} of {}: row {row} is finite: {}", set.name, !got);
        }
    }
}

fn encoder(dim: usize, band: Band) -> Result<CoordinateEncoder, NetworkError> {
    CoordinateEncoder::new(dim, 8 * dim, band, 8, &Device::flex())
}

fn coordinates() {
    let encoder = encoder(2, Band::default()).unwrap();
    // Angles are coordinates times ten.
    by_rows("CoordinateEncoder", 2, 1e37, |x| read(encoder.forward(x)));
    panics("expected points of [1, 2], got [1, 3]", || {
        let _ = encoder.forward(matrix(&[0.0; 3], 3));
    });
}

fn bands() {
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

/// A size of the paper with any patch, made small: the rest of a network follows from numbers that
/// every preset has.
fn preset(of: fn(usize) -> DitConfig) {
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

fn time_bands() {
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

fn fourier() {
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

fn widths() {
    for octaves in [0, 1, 5] {
        let features = FourierFeatures { octaves, wavelength: 1.0 };
        assert_eq!(features.width(0), 0);
        assert_eq!(features.width(3), features.forward(matrix(&[0.0; 3], 3)).dims()[1]);
    }
}

fn times() {
    let embedding = TimeEmbedding::new(4, 8, &Device::flex());
    // Angles are times times a thousand.
    by_rows("TimeEmbedding", 1, 1e35, |t| read(embedding.forward(t.squeeze_dim(1))));
}

fn time_sizes() {
    for (sinusoids, width) in [(0, 8), (3, 8), (4, 0)] {
        panics("an even number of sinusoids", || {
            let _ = TimeEmbedding::new(sinusoids, width, &Device::flex());
        });
    }
    panics("expected a scale", || {
        let _ = TimeEmbedding::scaled(0, 4, 8, &Device::flex());
    });
}

fn durations() {
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

fn column(values: &[f32]) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), &Device::flex())
}

/// Times are kept as they are; what they mean is the embedding's matter.
fn velocities_times() {
    for set in awkward::rows(6, 1) {
        let time = Time::at(column(&set.rows));
        assert!(time.s.is_none());
        assert_eq!(broken(&read(time.t), set.rows.len()), broken(&set.rows, set.rows.len()));
    }
}

fn map_times() {
    for set in awkward::rows(6, 1) {
        let time = Time::from_to(column(&set.rows), column(&set.rows));
        let s = read(time.s.unwrap());
        assert_eq!(broken(&s, set.rows.len()), broken(&set.rows, set.rows.len()));
    }
}

fn expanded_times() {
    for (name, value) in awkward::SCALARS {
        let value = value as f32;
        for rows in [0, 1, 5] {
            let time = Time::from_to(column(&[value]), column(&[value])).expand(rows);
            for each in [time.t, time.s.unwrap()].map(read) {
                assert_eq!(each.len(), rows);
                assert!(each.iter().all(|x| x.to_bits() == value.to_bits()), "{name}: {each:?}");
            }
        }
    }
    let two = Time::at(column(&[0.1, 0.2]));
    assert_eq!(read(two.clone().expand(2).t), [0.1, 0.2], "times of rows stay theirs");
    let three = catch_unwind(AssertUnwindSafe(|| read(two.expand(3).t)));
    assert!(three.is_err(), "two times are those of three rows: {three:?}");
}

fn signatures() {
    for (shape, size) in [(vec![], 1), (vec![0], 0), (vec![2], 2), (vec![3, 32, 48], 4608)] {
        let signature = Signature::of(shape.clone());
        assert_eq!((signature.size(), &signature.shape), (size, &shape));
        assert_eq!(signature, Signature { shape, ..Signature::default() });
    }
}

fn flags(hidden: &[bool]) -> Tensor<1, Bool> {
    Tensor::from_data(TensorData::new(hidden.to_vec(), [hidden.len()]), &Device::flex())
}

fn vectors() {
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

fn latents() {
    let embedding = LatentEmbedding::new(4, 8, 3, &Device::flex());
    by_rows("LatentEmbedding", 4, 1e36, |z| read(embedding.forward(z)));
    panics("[3, 8]", || {
        let _ = embedding.forward(matrix(&[0.0; 3], 3));
    });
}

fn latent_sizes() {
    for (size, width, output) in [(0, 1, 1), (1, 0, 1), (1, 1, 0)] {
        panics("expected sizes of at least 1", || {
            let _ = LatentEmbedding::new(size, width, output, &Device::flex());
        });
    }
}

fn class(classes: &[i64]) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(classes.to_vec(), [classes.len()]), &Device::flex())
}

fn classes() {
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

fn class_sizes() {
    for (classes, width) in [(0, 4), (3, 0)] {
        panics("expected at least one class and one number", || {
            let _ = ClassEmbedding::new(classes, width, &Device::flex());
        });
    }
}

fn conditions() {
    for classes in [vec![], vec![0], vec![2, 0, 1]] {
        let condition = Condition::classes(&classes, &Device::flex());
        assert_eq!(condition.rows(), Some(classes.len()));
    }
}

fn narrowed() {
    let condition = Condition::classes(&[0, 1, 2], &Device::flex());
    for (start, length) in [(0, 3), (1, 2), (2, 1)] {
        assert_eq!(condition.narrow(start, length).rows(), Some(length));
    }
    for (start, length) in [(0, 4), (3, 1), (usize::MAX, 2)] {
        panics("expected rows of 0..3", || {
            let _ = condition.narrow(start, length);
        });
    }
    assert_eq!(
        Condition::none().narrow(5, 7).rows(),
        None,
        "nothing has as many rows as one likes"
    );
}

fn repeated() {
    let condition = Condition::classes(&[0, 1], &Device::flex());
    assert_eq!([1, 3].map(|copies| condition.repeat(copies).rows()), [Some(2), Some(6)]);
    panics("expected at least one copy, got 0", || {
        let _ = condition.repeat(0);
    });
}

/// Rows of a condition are kept as they are, and must be as many as the rows of its other parts.
fn kept(
    what: &str,
    with: impl Fn(Condition, Tensor<2>) -> Condition,
    part: impl Fn(Condition) -> Option<Tensor<2>>,
) {
    for set in awkward::rows(6, 2) {
        let condition = with(Condition::none(), matrix(&set.rows, 2));
        let kept = read(part(condition).unwrap());
        assert_eq!(kept.iter().all(|x| x.is_finite()), set.finite, "{}", set.name);
    }
    panics(&format!("expected the {what} of 1 rows, got those of 2"), || {
        let _ = with(Condition::classes(&[0], &Device::flex()), matrix(&[0.0; 4], 2));
    });
}

fn with_vectors() {
    kept("vectors", Condition::with_vector, |condition| condition.vector);
}

fn with_contexts() {
    kept("contexts", Condition::with_context, |condition| condition.context);
}

fn with_latents() {
    kept("latents", Condition::with_latent, |condition| condition.latent);
}

fn with_numbers() {
    let numbers = |condition: Condition, rows: Tensor<2>| {
        let number = rows.clone().narrow(1, 0, 1).squeeze_dim::<1>(1);
        let other = rows.narrow(1, 1, 1).squeeze_dim::<1>(1);
        condition.with_number(number).with_number(other)
    };
    kept("numbers", numbers, |condition| condition.vector);
}

fn with_lengths() {
    for lengths in [vec![], vec![0], vec![3, usize::MAX]] {
        let condition = Condition::none().with_lengths(&lengths);
        assert_eq!(condition.rows(), Some(lengths.len()));
        assert_eq!(condition.repeat(2).rows(), Some(2 * lengths.len()));
    }
    panics("expected the lengths of 1 rows, got those of 2", || {
        let _ = Condition::classes(&[0], &Device::flex()).with_lengths(&[1, 2]);
    });
}

fn within() {
    let signature = Signature { lengths: true, ..Signature::of([3, 2]) };
    let of = |lengths: &[usize], rows: Tensor<2>| {
        Condition::none().with_lengths(lengths).within(&signature, &rows).map(read)
    };
    // What rows hold is not looked at.
    for set in awkward::rows(2, 6) {
        let rows = matrix(&set.rows, 6);
        let there = of(&vec![2; rows.dims()[0]], rows).unwrap();
        let expected = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0].into_iter().cycle().take(there.len());
        assert!(there.into_iter().eq(expected), "{}", set.name);
    }
    assert_eq!(of(&[0], matrix(&[1.0; 6], 6)), Some(vec![0.0; 6]), "nothing is there");
    assert_eq!(
        Condition::none().within(&Signature::of([6]), &matrix(&[1.0; 6], 6)).map(read),
        None
    );
    for lengths in [&[4][..], &[1, 1], &[]] {
        panics("expected 1 lengths of at most 3", || drop(of(lengths, matrix(&[1.0; 6], 6))));
    }
}

fn strengths() {
    for (_, least) in awkward::SCALARS {
        for (_, most) in awkward::SCALARS {
            let strengths = Strengths { least, most };
            if strengths.are_valid() {
                assert!(1.0 <= least && least <= most && most.is_finite());
                assert!(strengths.hold(least) && strengths.hold(most) && !strengths.hold(0.5));
                assert!(!strengths.hold(f64::NAN) && !strengths.hold(f64::INFINITY));
            }
        }
    }
}

fn told_strengths() {
    let strengths = Strengths { least: 1.0, most: 2.0 };
    let told = |condition: Condition, rows: Tensor<2>| {
        let one = |k| rows.clone().narrow(1, k, 1).squeeze_dim::<1>(1);
        strengths.told(strengths.told(condition, one(0)), one(1))
    };
    kept("numbers", told, |condition| condition.vector);
    let one = Strengths { least: 2.0, most: 2.0 };
    assert!(one.told(Condition::none(), Tensor::zeros([3], &Device::flex())).vector.is_none());
}

fn with_flags() {
    for hidden in [vec![], vec![true], vec![false, true]] {
        let condition = Condition::none().with_hidden(flags(&hidden));
        assert_eq!(condition.rows(), Some(hidden.len()));
    }
    panics("expected the flags of 1 rows, got those of 2", || {
        let _ = Condition::classes(&[0], &Device::flex()).with_hidden(flags(&[true, false]));
    });
}

fn gaussians() {
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

fn draws() {
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

fn features() {
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

fn logits() {
    let network = classifier();
    by_rows("Classifier::logits", 16, 1e36, |x| read(network.logits(x)));
    panics("[16, 3]", || {
        let _ = network.logits(matrix(&[0.0; 3], 3));
    });
}

/// Sizes are counted in floating point, so that none overflows: they are what refuses the rest.
fn footprints() {
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

fn point_footprints() {
    for inputs in [0, 1, 3] {
        for latent in [0, 1, usize::MAX] {
            let footprint = PointEncoderConfig::default().footprint(inputs, latent);
            assert!(footprint.parameters.is_finite(), "{footprint:?}");
        }
    }
}

fn image_encoders() {
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

fn point_encoders() {
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
