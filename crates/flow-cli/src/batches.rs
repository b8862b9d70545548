//! The batches of a recipe.

use anyhow::Result;
use burn::tensor::Device;
use flow_path::Source;
use flow_path::stream::Streams;
use flow_train::{DataSource, FlowMatching, MatchingBatches};
use std::sync::Arc;

use crate::exit::usage;
use crate::recipe::{self, Recipe};
use crate::reflow::Teacher;
use crate::registry::{self, Changes, Data};

/// The regression of a recipe on its data.
///
/// # Errors
/// When paths start from a source of another dimension than the data's.
pub(crate) fn matching(recipe: &Recipe, data: &Data) -> Result<FlowMatching> {
    let matching = registry::matching(&recipe.path)?;
    let size: usize = data.shape().iter().product();
    if let Source::Known(source) = &matching.source
        && source.dim() != size
    {
        let (set, dim) = (&recipe.data.set, source.dim());
        return Err(usage!("path.source has {dim} dimensions, rows of `{set}` have {size}"));
    }
    Ok(matching)
}

/// Rows to train with and rows to validate with.
pub(crate) type Sources = [Arc<dyn DataSource>; 2];

/// The rows of a recipe: its data, or the pairs of its teacher.
pub(crate) fn sources(
    recipe: &Recipe,
    data: &Data,
    teacher: Option<&Teacher>,
    device: &Device,
) -> Result<Sources> {
    if let (Some(reflow), Some(teacher)) = (&recipe.reflow, teacher) {
        return teacher.sources(recipe, reflow, device);
    }
    let &recipe::Data { mirror, dequantise, .. } = &recipe.data;
    Ok(data.sources(Changes { mirror, dequantise }))
}

/// Batches of training and of validation, with as many normal numbers a row as the loss asks for.
pub(crate) fn batches(
    recipe: &Recipe,
    data: &Data,
    [train, validation]: Sources,
    noise: usize,
) -> Result<[MatchingBatches; 2]> {
    let classes = if recipe.data.conditional { data.classes() } else { 0 };
    let matching = matching(recipe, data)?;
    let batches = |data, seed| MatchingBatches {
        matching: matching.clone(),
        data,
        classes,
        rows: recipe.train.batch,
        noise,
        streams: Streams::new(seed),
    };
    // Its own streams: validation noise is never training noise.
    Ok([batches(train, recipe.seed), batches(validation, !recipe.seed)])
}
