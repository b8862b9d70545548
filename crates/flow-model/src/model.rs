//! A trained network with all that is needed to ask it.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use flow_nn::{Condition, DynNetwork, Network, Signature, Strengths};
use flow_path::{Prediction, Schedule, Source};
use flow_sample::{Predictor, Retimed, Trained};

use crate::config::ModelConfig;
use crate::error::ModelError;
use crate::finite::check_finite;
use crate::registry::Registry;
use crate::settings::within_domain;

/// A trained model on a device, ready to sample and to score.
///
/// It can be shared between threads: a server holds one in an `Arc`.
#[derive(Clone, Debug)]
pub struct Model {
    config: ModelConfig,
    pub(crate) network: DynNetwork,
    pub(crate) schedule: Arc<dyn Schedule>,
    pub(crate) source: Source,
    pub(crate) device: Device,
}

/// A server may share a model between threads.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Model>();
};

impl Model {
    /// A model of a trained network, on the device that the network is on.
    ///
    /// # Errors
    /// When the description is of another signature than the network, names a source that the
    /// registry does not know, or has numbers outside of the domain of its schedule or prediction.
    pub fn new(
        registry: &Registry,
        config: ModelConfig,
        network: DynNetwork,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let broken = |reason: &str| Err(ModelError::Format { reason: reason.into() });
        if *network.signature() != config.signature {
            return broken("its signature is not that of its network");
        }
        if let Some(strengths) = config.strengths
            && (!strengths.are_valid() || config.signature.vector < strengths.numbers())
        {
            return broken("its strengths of guidance are none that its network can be told");
        }
        let added = config.strengths.map_or(0, Strengths::numbers);
        if config.signature.vector - added < config.holes {
            return broken("it has more holes than its network can be told");
        }
        let elements = match config.signature.shape.first() {
            Some(&most) if config.signature.lengths => most,
            _ => 0,
        };
        let counted = config.lengths.iter().try_fold(0_u64, |sum, &n| sum.checked_add(n));
        if config.lengths.len() != elements || (0 < elements && counted.unwrap_or(0) == 0) {
            return broken("it does not count the lengths of its sequences");
        }
        within_domain("schedule", &config.schedule)?;
        within_domain("prediction", &config.prediction)?;
        let (schedule, source) = (config.schedule.build(), registry.source(&config.source)?);
        Ok(Self { config, network, schedule, source, device: device.clone() })
    }

    /// Everything about it but its weights.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Shapes and conditions of its network's input and output.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        self.network.signature()
    }

    /// Shape of one sample.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.signature().shape
    }

    /// Numbers of a condition vector that a caller gives, 0 for none: those of the signature but
    /// for what says that nothing is missing, and the strength of a guidance that is baked in.
    #[must_use]
    pub fn vector(&self) -> usize {
        let added = self.config.holes + self.config.strengths.map_or(0, Strengths::numbers);
        self.signature().vector - added
    }

    /// The names of its classes, if they have any.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.config.class_names
    }

    /// Its network.
    #[must_use]
    pub fn network(&self) -> &DynNetwork {
        &self.network
    }

    /// The schedule of its training.
    #[must_use]
    pub fn schedule(&self) -> &Arc<dyn Schedule> {
        &self.schedule
    }

    /// What its network predicts.
    #[must_use]
    pub fn prediction(&self) -> Prediction {
        self.config.prediction
    }

    /// The law that its paths start from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The device that it is on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The model as a predictor for rows of this condition, for samplers of the caller's own.
    ///
    /// What the network does not know of the condition is left out. Where guidance is baked in it
    /// has its least strength.
    #[must_use]
    pub fn predictor(&self, condition: Condition) -> Trained<'_> {
        self.predictor_of(condition, None)
    }

    /// The same with a strength of the guidance that is baked in, the least if none is given.
    fn predictor_of(&self, condition: Condition, strength: Option<f64>) -> Trained<'_> {
        let known = Signature { vector: self.vector(), ..self.signature().clone() };
        let mut condition = condition.only(&known);
        if 0 < self.config.holes {
            condition = self.whole(condition);
        }
        if let Some(strengths) = self.config.strengths {
            let rows = condition.rows().unwrap_or(1);
            let logarithm = strength.unwrap_or(strengths.least).ln();
            condition = strengths.told(condition, Tensor::full([rows], logarithm, &self.device));
        }
        Trained {
            network: &self.network,
            condition,
            schedule: Arc::clone(&self.schedule),
            prediction: self.config.prediction,
        }
    }

    /// The condition of rows that lack nothing.
    fn whole(&self, condition: Condition) -> Condition {
        let rows = condition.rows().unwrap_or(1);
        let none = Tensor::zeros([rows, self.config.holes], &self.device);
        let vector = match condition.vector.clone() {
            Some(vector) => Tensor::cat(vec![vector, none], 1),
            None => none,
        };
        condition.with_vector(vector)
    }

    /// The same along another schedule, if one is given, and of a strength of guidance.
    pub(crate) fn predictor_along(
        &self,
        condition: Condition,
        along: Option<&Arc<dyn Schedule>>,
        strength: Option<f64>,
    ) -> Box<dyn Predictor + '_> {
        let predictor = self.predictor_of(condition, strength);
        match along {
            None => Box::new(predictor),
            Some(along) => Box::new(Retimed { predictor, along: Arc::clone(along) }),
        }
    }

    /// The velocity at host rows `[n, ..]` and one time, with this condition.
    ///
    /// # Errors
    /// When there is no whole number of rows, the condition lacks what the network reads or says it
    /// of other rows, a row, the time or a velocity is no finite number.
    pub fn velocity(
        &self,
        rows: &[f32],
        t: f64,
        condition: Condition,
    ) -> Result<Vec<f32>, ModelError> {
        let size = self.signature().size();
        let n = rows.len() / size.max(1);
        Self::check_part("row", Some(rows.len()), size, n)?;
        self.check_condition(&condition, n)?;
        check_finite("row", rows, size, 0)?;
        if !t.is_finite() {
            let reason = format!("is {t}, there is a velocity from 0 to 1");
            return Err(ModelError::Setting { key: "the time".into(), reason });
        }
        let x = self.tensor(rows, size);
        let velocity = host(self.predictor(condition).predict(Prediction::Velocity, &x, t));
        match velocity.iter().position(|x| !x.is_finite()) {
            None => Ok(velocity),
            Some(at) => {
                let (row, value) = (at / size.max(1), velocity[at]);
                Err(ModelError::VelocityNotFinite { row, t, value })
            }
        }
    }

    /// Refuses a condition of other rows than `n`, or of other numbers than the network reads; what
    /// it does not read is left out.
    fn check_condition(&self, condition: &Condition, n: usize) -> Result<(), ModelError> {
        let signature = self.signature();
        for (what, part, size) in [
            ("condition vector", &condition.vector, self.vector()),
            ("conditioning row", &condition.context, size(&signature.context)),
            ("latent", &condition.latent, signature.latent),
        ] {
            if 0 < size {
                let got = part.as_ref().map(|part| part.dims().iter().product());
                Self::check_part(what, got, size, n)?;
            }
        }
        if signature.lengths {
            Self::check_part("length", condition.lengths.as_ref().map(|all| all.len()), 1, n)?;
        }
        if let Some(class) = condition.class.as_ref().filter(|_| 0 < signature.classes) {
            Self::check_part("class", Some(class.dims()[0]), 1, n)?;
            // One past the last is the null class of guidance.
            let known = 0..=signature.classes as i64;
            let other = class.clone().into_data().iter::<i64>().find(|one| !known.contains(one));
            if let Some(class) = other {
                let (class, last) = (usize::try_from(class).unwrap_or(0), signature.classes - 1);
                return Err(ModelError::NoSuchClass { class, last, names: String::new() });
            }
        }
        Ok(())
    }

    /// Host rows of `size` numbers on the model's device.
    pub(crate) fn tensor(&self, rows: &[f32], size: usize) -> Tensor<2> {
        let n = rows.len() / size.max(1);
        assert!(rows.len() == n * size, "expected rows of {size} numbers, got {}", rows.len());
        Tensor::from_data(TensorData::new(rows.to_vec(), [n, size]), &self.device)
    }
}

/// Numbers in a row of this shape, none in one without sides.
pub(crate) fn size(shape: &[usize]) -> usize {
    if shape.is_empty() { 0 } else { shape.iter().product() }
}

/// Numbers of a tensor on the host.
pub(crate) fn host(x: Tensor<2>) -> Vec<f32> {
    x.into_data().convert::<f32>().try_into_vec().expect("converted to f32 just before")
}
