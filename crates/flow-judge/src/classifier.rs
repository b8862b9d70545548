//! The classifier behind FD-clf: trained once for each data set, then kept.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use flow_datasets::Images;
use flow_nn::{Classifier, ClassifierConfig, init_seeded};
use flow_run::{Listener, Recipe, RunError, labels, pixels, together};
use flow_train::{Alone, CheckpointFolder, Group};
use sha2::{Digest, Sha256};

use crate::error::{JudgeError, size_of_image};
use crate::teaching::{VERSION, teach};

/// Images classified together.
const BATCH: usize = 250;
/// Channels of its first convolution, and numbers in the features of an image.
const CHANNELS: usize = 16;
const FEATURES: usize = 2 * CHANNELS;

/// A trained classifier and how often it is right on real test images.
#[derive(Debug)]
pub struct Judge {
    classifier: Classifier,
    device: Device,
    classes: usize,
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
    /// Fraction of test images that it classifies rightly.
    pub accuracy: f64,
}

/// Features `[n, f]` and most probable classes of images.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Features of each image.
    pub features: Vec<f32>,
    /// Numbers in the features of an image.
    pub dim: usize,
    /// The most probable class of each image.
    pub classes: Vec<usize>,
    /// Of each class, `[n, classes]`.
    pub probabilities: Vec<f32>,
}

impl Verdict {
    /// Number of classes; 0 where there is no image.
    #[must_use]
    pub fn class_count(&self) -> usize {
        self.probabilities.len().checked_div(self.classes.len()).unwrap_or(0)
    }

    /// How often the classes are those of the labels.
    fn right(&self, labels: &[usize], shape: [usize; 3]) -> Result<f64, JudgeError> {
        if labels.is_empty() || self.classes.len() != labels.len() {
            return Err(JudgeError::Images(format!(
                "the classifier looks at {} images of shape {shape:?}, but there are {} labels",
                self.classes.len(),
                labels.len()
            )));
        }
        let right = self.classes.iter().zip(labels).filter(|(a, b)| a == b).count();
        Ok(right as f64 / labels.len() as f64)
    }
}

impl Judge {
    /// The classifier of the images that a recipe names: from the cache, or trained now. A part of
    /// a published set, and smaller copies, have one of their own.
    ///
    /// # Errors
    /// When it cannot be trained.
    pub fn new(
        recipe: &Recipe,
        train: &Images,
        test: &Images,
        device: &Device,
        told: &dyn Listener,
    ) -> Result<Self, JudgeError> {
        Self::shared(judged_set(recipe), [train, test], device, &Alone, told)
    }

    /// The same in all processes of a group: the first trains it, if none is kept, and all of them
    /// look at the test images in turn.
    pub(crate) fn shared(
        set: &str,
        [train, test]: [&Images; 2],
        device: &Device,
        group: &dyn Group,
        told: &dyn Listener,
    ) -> Result<Self, JudgeError> {
        let wait = || group.barrier().map_err(RunError::from);
        if !group.is_first() {
            wait()?;
        }
        let mut judge = Self::kept_or_taught(set, train, test, device, told)?;
        if group.is_first() {
            wait()?;
        }
        let rows = if group.is_first() { pixels(test) } else { Vec::new() };
        let verdict = judge.judge_together(group, &rows, told)?;
        if group.is_first() {
            judge.accuracy = verdict.right(&labels(test), judge.shape)?;
        }
        Ok(judge)
    }

    /// The classifier, of which nobody knows yet how often it is right.
    fn kept_or_taught(
        set: &str,
        train: &Images,
        test: &Images,
        device: &Device,
        told: &dyn Listener,
    ) -> Result<Self, JudgeError> {
        let classes = train.classes();
        let config =
            ClassifierConfig { image_channels: train.channels, channels: CHANNELS, classes };
        let folder = flow_datasets::default_cache_dir().join("classifiers").join(name(set, train));
        let fresh = init_seeded(1, device, |device| config.init(device))?;
        let kept = CheckpointFolder::new(&folder, VERSION);
        let classifier = if let Ok(Some(checkpoint)) = kept.to_resume() {
            checkpoint.average(fresh)?
        } else {
            told.say(&format!("training the classifier of FD-clf on {set}, once"));
            teach(&fresh, train, test, device, &folder, told)?
        };
        let shape = [train.channels, train.height, train.width];
        Ok(Self { classifier, device: device.clone(), classes, shape, accuracy: 0.0 })
    }

    /// Features and classes of images `[n, c, h, w]` in [-1, 1]; none of no image.
    ///
    /// # Errors
    /// If the rows are no whole number of such images, a pixel is no finite number, or one is so
    /// large that the features of its image are not.
    pub fn judge(&self, rows: &[f32], told: &dyn Listener) -> Result<Verdict, JudgeError> {
        self.judge_together(&Alone, rows, told)
    }

    /// The same of the images of the first process, by all of a group in turn; the others get none.
    pub(crate) fn judge_together(
        &self,
        group: &dyn Group,
        rows: &[f32],
        told: &dyn Listener,
    ) -> Result<Verdict, JudgeError> {
        let size = size_of_image(rows, self.shape)?;
        let mut verdict = Verdict { dim: FEATURES, ..Verdict::default() };
        let mut meter = told.meter(0, rows.len() / size, "images");
        let look = |batch: &[f32]| self.look(batch);
        together::each_part(group, rows, BATCH * size, look, |found| {
            let n = found.len() / (FEATURES + self.classes + 1);
            let (features, rest) = found.split_at(n * FEATURES);
            let (probabilities, classes) = rest.split_at(n * self.classes);
            verdict.features.extend(features);
            verdict.probabilities.extend(probabilities);
            verdict.classes.extend(classes.iter().map(|&class| class as usize));
            meter.at(verdict.classes.len(), "classified");
            Ok(())
        })?;
        Ok(verdict)
    }

    /// The features of a batch of images, then the probabilities of their classes, and last the
    /// most probable ones.
    fn look(&self, batch: &[f32]) -> Result<Vec<f32>, JudgeError> {
        let [c, h, w] = self.shape;
        let data = TensorData::new(batch.to_vec(), [batch.len() / (c * h * w), c, h, w]);
        let features = self.classifier.features(Tensor::<4>::from_data(data, &self.device));
        let logits = self.classifier.logits(features.clone());
        let class = logits.clone().argmax(1);
        let host = |x: Tensor<2>| x.into_data().convert::<f32>().try_into_vec::<f32>();
        let mut found = host(features)?;
        found.extend(host(softmax(logits, 1))?);
        if found.iter().any(|x| !x.is_finite()) {
            let greatest = batch.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
            let greatest = greatest.unwrap_or(0.0);
            return Err(JudgeError::Images(format!(
                "an image with a pixel of {greatest:e} has no features, pixels lie between -1 and 1"
            )));
        }
        found.extend(class.into_data().convert::<f32>().try_into_vec::<f32>()?);
        Ok(found)
    }
}

/// The name of a set that is no published one.
const OWN: &str = "own-images";

/// The name by which what judges the images of a recipe is kept.
pub(crate) fn judged_set(recipe: &Recipe) -> &str {
    recipe.data.published().unwrap_or(OWN)
}

/// The name of a set; images of a user's own are told apart by what they are.
pub(crate) fn name(set: &str, train: &Images) -> String {
    if ![OWN, "folder"].contains(&set) {
        return set.to_owned();
    }
    let sizes = format!("{} {} {}", train.channels, train.height, train.width);
    let digest = Sha256::new().chain_update(sizes).chain_update(&train.pixels);
    let digest = digest.chain_update(&train.labels).finalize();
    format!("{set}-{:016x}", u64::from_be_bytes(*digest.first_chunk().expect("32 bytes")))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use flow_parallel::threads;
    use flow_run::Silent;

    use super::*;

    /// A classifier that has learned nothing.
    fn untaught() -> Judge {
        let (device, classes) = (Device::flex(), 3);
        let config = ClassifierConfig { image_channels: 1, channels: CHANNELS, classes };
        let classifier = init_seeded(1, &device, |device| config.init(device)).unwrap();
        Judge { classifier, device, classes, shape: [1, 6, 6], accuracy: 0.0 }
    }

    #[test]
    fn a_part_of_a_set_and_smaller_copies_have_classifiers_of_their_own() {
        let images = flow_datasets::digits(flow_datasets::Split::Train);
        assert_eq!(name("digits", &images), "digits");
        let (part, small) = (images.select(&[0, 1, 2]), images.shrunk(2).unwrap());
        let names = [&images, &part, &small].map(|images| name(OWN, images));
        assert!(names.iter().all(|name| name.starts_with("own-images-")), "{names:?}");
        assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2]);
        assert_eq!(name(OWN, &images), names[0]);
        assert_ne!(name("folder", &images), name("folder", &part));
        let registry = flow_model::Registry::default();
        let published = |changes: &[&str]| {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            let recipe = Recipe::named(&registry, "cifar16", &changes).unwrap();
            recipe.data.published().map(str::to_owned)
        };
        assert_eq!(published(&["data.set=digits"]), None, "half the size");
        assert_eq!(published(&["data.file=batch.bin"]), None);
        let digits = Recipe::named(&registry, "digits", &[]).unwrap();
        assert_eq!(digits.data.published(), Some("digits"));
    }

    #[test]
    fn awkward_images_are_judged_or_refused_with_their_pixel() {
        let judge = untaught();
        for set in flow_testing::awkward::rows(3, 36) {
            match judge.judge(&set.rows, &Silent) {
                Ok(verdict) => {
                    assert!(set.finite, "{}", set.name);
                    let numbers = verdict.features.iter().chain(&verdict.probabilities);
                    assert!(numbers.copied().all(f32::is_finite), "{}", set.name);
                    assert!(verdict.classes.iter().all(|&class| class < 3), "{}", set.name);
                    let known = if set.rows.is_empty() { 0 } else { 3 };
                    assert_eq!(verdict.class_count(), known, "{}", set.name);
                }
                Err(error) => {
                    let large = set.rows.iter().any(|x| 1e30 < x.abs());
                    assert!(large || !set.finite, "{}: {error}", set.name);
                    assert!(error.to_string().contains("pixel"), "{}: {error}", set.name);
                }
            }
        }
        let last = flow_testing::awkward::rows(3, 36).remove(1).rows;
        let error = judge.judge(&last, &Silent).unwrap_err().to_string();
        assert!(error.starts_with("pixel 35 of image 2 is NaN"), "{error}");
        let error = judge.judge(&last[..40], &Silent).unwrap_err().to_string();
        assert!(error.contains("40 pixels are no images of shape [1, 6, 6]"), "{error}");
    }

    #[test]
    fn processes_see_in_images_what_one_process_sees() {
        // Two batches and a part of a third.
        let rows: Vec<f32> = (0..36 * (2 * BATCH + 7)).map(|i| (0.37 * i as f32).sin()).collect();
        let alone = untaught().judge(&rows, &Silent).unwrap();
        assert_eq!((alone.classes.len(), alone.class_count()), (2 * BATCH + 7, 3));
        assert_eq!(alone.features.len(), FEATURES * alone.classes.len());
        for chances in alone.probabilities.chunks(3) {
            assert!((chances.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{chances:?}");
        }
        let (rows, alone) = (&rows, &alone);
        for size in 2..=3 {
            thread::scope(|scope| {
                for group in threads(size) {
                    scope.spawn(move || {
                        let own: &[f32] = if group.is_first() { rows } else { &[] };
                        let found = untaught().judge_together(&group, own, &Silent).unwrap();
                        if group.is_first() {
                            assert_eq!(found.features, alone.features);
                            assert_eq!(found.probabilities, alone.probabilities);
                            assert_eq!(found.classes, alone.classes);
                        } else {
                            assert!(found.classes.is_empty());
                        }
                    });
                }
            });
        }
    }
}
