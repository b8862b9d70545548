//! Requests of a page, by path.

use burn::tensor::Device;
use flow_api::{Api, Form, Limits, Refused, Reply};
use flow_model::{Model, ModelError, Registry};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::training::Training;

/// The most that a page may ask for: what a telephone bears.
const LIMITS: Limits = Limits { n: 10_000, steps: 1_000, evaluations: 100_000, numbers: 1 << 22 };

/// A request: what a server would read off its path, the header `Accept` and the body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    path: String,
    #[serde(default)]
    accept: Option<String>,
    #[serde(default)]
    body: Map<String, Value>,
}

/// A model that is open, a toy in training, neither or both.
#[derive(Debug, Default)]
pub struct Desk {
    opened: Option<Api>,
    training: Option<Training>,
}

impl Desk {
    /// Opens the bytes of a file `NAME.flow`, in place of the model that was open, and gives its
    /// card.
    ///
    /// # Errors
    /// When they are no model; the one before stays open then.
    pub fn open(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Refused> {
        let opened = Model::from_file_bytes(&Registry::default(), bytes, &Device::flex());
        let model = opened.map_err(|error| match error {
            ModelError::UnknownKind { kind, known } => Refused::Bad(format!(
                "the network of this model is a `{kind}`, and this page has {known} alone: the \
                 other networks of `flow import` are opened by `flow serve` and by Python"
            )),
            error => error.into(),
        })?;
        let api = Api::new(model, LIMITS)?;
        let card = Reply::json(&api.card())?;
        self.opened = Some(api);
        Ok(card.bytes)
    }

    /// Answers a request, the JSON text `{"path": "/v1/sample", "accept": ..., "body": {...}}`.
    ///
    /// | path | answer |
    /// |---|---|
    /// | `/v1/model`, `/v1/sample`, `/v1/log_prob`, `/v1/impute` | as of flow-serve |
    /// | `/v1/train` | begins a [`Training`] |
    /// | `/v1/train/steps` | takes `count` steps |
    /// | `/v1/train/sample` | samples of the moment, as `/v1/sample` |
    /// | `/v1/train/data` | `count` points of the toy itself |
    /// | `/v1/train/model` | the bytes of a file `NAME.flow` |
    ///
    /// # Errors
    /// When something in it cannot be.
    pub fn answer(&mut self, request: &[u8]) -> Result<Vec<u8>, Refused> {
        let Request { path, accept, body } = flow_api::fields(flow_api::object(request)?)?;
        let form = match accept.as_deref() {
            None => Form::Json,
            Some(media) => Form::of(media).ok_or_else(|| {
                let known = Form::ALL.map(Form::media).join(", ");
                Refused::Form(format!("there is no answer as {media}, there are {known}"))
            })?,
        };
        let reply = match path.as_str() {
            "/v1/model" => Reply::json(&self.opened()?.card()),
            "/v1/sample" => self.opened()?.sample(body, form),
            "/v1/log_prob" => self.opened()?.log_prob(body, form),
            "/v1/impute" => self.opened()?.impute(body, form),
            "/v1/train" => {
                let training = self.training.insert(Training::begin(body)?);
                Reply::json(&training.state())
            }
            "/v1/train/steps" => self.training()?.steps(body),
            "/v1/train/sample" => Api::new(self.training()?.model()?, LIMITS)?.sample(body, form),
            "/v1/train/data" => self.training()?.data(body),
            "/v1/train/model" => return Ok(self.training()?.model()?.to_file_bytes()?),
            other => Err(Refused::Bad(format!("there is nothing at {other}"))),
        };
        Ok(reply?.bytes)
    }

    fn opened(&self) -> Result<&Api, Refused> {
        self.opened.as_ref().ok_or_else(|| Refused::Bad("no model is open yet".into()))
    }

    fn training(&mut self) -> Result<&mut Training, Refused> {
        self.training.as_mut().ok_or_else(|| Refused::Bad("no training has begun yet".into()))
    }
}
