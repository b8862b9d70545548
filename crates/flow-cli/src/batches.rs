//! The batches of a recipe.

use anyhow::Result;
use flow_path::Source;
use flow_path::stream::Streams;
use flow_train::{FlowMatching, MatchingBatches};

use crate::exit::usage;
use crate::recipe::Recipe;
use crate::registry::{self, Data};

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

/// Batches of training and of validation.
pub(crate) fn batches<const D: usize>(
    recipe: &Recipe,
    data: &Data,
) -> Result<[MatchingBatches<D>; 2]> {
    let classes = if recipe.data.conditional { data.classes() } else { 0 };
    let matching = matching(recipe, data)?;
    let batches = |data, seed| MatchingBatches {
        matching: matching.clone(),
        data,
        classes,
        rows: recipe.train.batch,
        streams: Streams::new(seed),
    };
    let [train, validation] = data.sources(recipe.data.mirror);
    // Its own streams: validation noise is never training noise.
    Ok([batches(train, recipe.seed), batches(validation, !recipe.seed)])
}
