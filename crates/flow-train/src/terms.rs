//! The terms of a loss on their way to the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::{Tensor, TensorReadError};
use burn::train::metric::{Metric, MetricMetadata, MetricName, SerializedEntry};

/// Name of the metric.
pub(crate) const TERMS: &str = "Terms";

/// The values of each term of a loss, by its name.
pub type Terms = BTreeMap<String, Vec<f64>>;

/// Reads the terms from the device, for the renderer.
#[derive(Clone)]
pub(crate) struct TermsMetric;

/// Terms still on the device.
pub(crate) struct TermsInput(pub(crate) Vec<(&'static str, Tensor<1>)>);

impl Metric for TermsMetric {
    type Input = TermsInput;

    fn name(&self) -> MetricName {
        Arc::new(TERMS.into())
    }

    fn update(
        &mut self,
        TermsInput(terms): &TermsInput,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let mut read = Terms::new();
        if !terms.is_empty() {
            // One transfer for all of them.
            let all = Tensor::cat(terms.iter().map(|(_, term)| term.clone()).collect(), 0);
            let data = all.try_into_data()?;
            let mut values = data.iter::<f64>();
            for (name, term) in terms {
                read.insert((*name).into(), values.by_ref().take(term.dims()[0]).collect());
            }
        }
        let json = serde_json::to_string(&read).expect("names and numbers are valid JSON");
        Ok(SerializedEntry::new(String::new(), json))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(SerializedEntry::not_available(None))
    }

    fn clear(&mut self) {}
}

/// What [`TermsMetric`] wrote; nothing for other text.
pub(crate) fn parse(entry: &SerializedEntry) -> Terms {
    serde_json::from_str(&entry.serialized).unwrap_or_default()
}
