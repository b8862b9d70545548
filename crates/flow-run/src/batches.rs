//! The batches of a recipe.

use std::sync::Arc;

use burn::tensor::Device;
use flow_path::Source;
use flow_path::stream::Streams;
use flow_train::{DataSource, FlowMatching, MatchingBatches};

use crate::data::{Changes, Data};
use crate::error::{RunError, usage};
use crate::matching::matching;
use crate::recipe::{self, Recipe};
use crate::reflow::Teacher;
use crate::table::part_drops;
use crate::upsampling::Upsampling;

/// The regression of a recipe on its data.
///
/// # Errors
/// When paths start from a source of another dimension than the data's.
pub fn flow_matching(recipe: &Recipe, data: &Data) -> Result<FlowMatching, RunError> {
    let mut matching = matching(&recipe.path)?;
    if recipe.data.is_given_starts() {
        matching.source = Source::Given;
    }
    if let Some(given) = data.given_columns() {
        matching.part_drop = part_drops(given, &recipe.data.given_drop);
    }
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
pub type Sources = [Arc<dyn DataSource>; 2];

/// The rows of a recipe: its data, or the pairs of its teacher.
///
/// # Errors
/// When the teacher's model cannot be read or solved.
pub fn sources(
    recipe: &Recipe,
    data: &Data,
    teacher: Option<&Teacher>,
    device: &Device,
) -> Result<Sources, RunError> {
    if let (Some(reflow), Some(teacher)) = (&recipe.reflow, teacher) {
        return teacher.sources(recipe, reflow, device);
    }
    let &recipe::Data { mirror, dequantise, .. } = &recipe.data;
    let sources = data.sources(Changes { mirror, dequantise })?;
    Ok(match Upsampling::of(recipe, &data.shape())? {
        Some(upsampling) => sources.map(|source| upsampling.told(source)),
        None => sources,
    })
}

/// Batches of training and of validation, with as many normal numbers a row as the loss asks for.
///
/// # Errors
/// As for [`flow_matching`].
pub fn batches(
    recipe: &Recipe,
    data: &Data,
    [train, validation]: Sources,
    noise: usize,
) -> Result<[MatchingBatches; 2], RunError> {
    let classes = if recipe.data.conditional { data.classes() } else { 0 };
    let matching = flow_matching(recipe, data)?;
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
