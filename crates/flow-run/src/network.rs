//! The networks of a recipe: what learns the velocity, and what reads a latent off a pair.

use burn::tensor::Device;
use flow_model::{ModelError, NetworkSection};
use flow_nn::{
    DynNetwork, DynPosterior, Footprint, Network, NetworkError, Precision, Signature, Strengths,
    parameter_count,
};
use flow_train::Ensemble;

use crate::error::{RunError, usage};
use crate::memory;
use crate::recipe::Recipe;
use crate::upsampling::Upsampling;

/// What the data of a recipe make of its network.
///
/// # Errors
/// When the recipe asks for classes that the data do not have.
pub fn signature(
    recipe: &Recipe,
    shape: &[usize],
    classes: usize,
    vector: usize,
) -> Result<Signature, RunError> {
    let conditional = recipe.data.conditional;
    if conditional && classes == 0 {
        let set = &recipe.data.set;
        return Err(usage!("data.conditional is true, but `{set}` has no classes"));
    }
    Ok(Signature {
        classes: if conditional { classes } else { 0 },
        vector: vector.saturating_add(recipe.train.guidance.map_or(0, Strengths::numbers)),
        latent: recipe.latent.as_ref().map_or(0, |latent| latent.dim),
        context: Upsampling::of(recipe, shape)?.map_or(Vec::new(), |told| told.shape.to_vec()),
        two_times: recipe.pairs().is_some(),
        ..Signature::of(shape)
    })
}

/// Builds the networks of a recipe, with weights drawn from its seed.
///
/// # Errors
/// When they do not fit the data, or the memory of the machine, which is asked first.
pub fn build(
    recipe: &Recipe,
    signature: &Signature,
    device: &Device,
) -> Result<Ensemble, RunError> {
    check(recipe, signature)?;
    let network = section(recipe)?.build(signature, recipe.seed, device);
    let posterior = recipe.latent.as_ref().map(|latent| {
        // Another seed than the velocity network's, whose encoders have the same shapes.
        latent.encoder.build(signature, &latent.inputs, !recipe.seed, device)
    });
    let mut model = joined(recipe, signature, network, posterior.transpose())?;
    if recipe.train.recompute && !model.network.recompute(true) {
        return Err(usage!(
            "train.recompute is true, but a network of the kind {} has no blocks that can be \
             computed again, as those of the kinds unet and dit have: leave it out, and cut \
             batches into parts by train.parts to save memory",
            recipe.network.kind()
        ));
    }
    multiply_in(recipe, &mut model.network, device)?;
    Ok(model)
}

/// Has the network multiply in the precision of a recipe.
///
/// # Errors
/// When it cannot, or the device has no such products.
fn multiply_in(recipe: &Recipe, network: &mut DynNetwork, device: &Device) -> Result<(), RunError> {
    let precision = recipe.train.precision;
    if precision == Precision::F32 {
        return Ok(());
    }
    if !network.multiply_in(precision) {
        return Err(usage!(
            "train.precision is bf16, but a network of the kind {} multiplies in f32 alone: leave \
             it out",
            recipe.network.kind()
        ));
    }
    if !precision.is_native_to(device) {
        return Err(usage!(
            "train.precision is bf16, but this device has no such products, which are those of an \
             x86 CPU with avx512_bf16 or amx_bf16 and of the backend flex: leave it out"
        ));
    }
    Ok(())
}

/// Builds the networks of a recipe, to be filled with weights of a file: none are drawn.
///
/// # Errors
/// As for [`build`].
pub fn build_empty(
    recipe: &Recipe,
    signature: &Signature,
    device: &Device,
) -> Result<Ensemble, RunError> {
    check(recipe, signature)?;
    let network = section(recipe)?.build_empty(signature, device);
    let latent = recipe.latent.as_ref();
    let posterior = latent.map(|latent| latent.encoder.init(signature, &latent.inputs, device));
    joined(recipe, signature, network, posterior.transpose())
}

fn joined(
    recipe: &Recipe,
    signature: &Signature,
    network: Result<DynNetwork, ModelError>,
    posterior: Result<Option<DynPosterior>, NetworkError>,
) -> Result<Ensemble, RunError> {
    let network = network.map_err(|error| {
        usage!("{error} (rows of `{}` have the shape {:?})", recipe.data.set, signature.shape)
    })?;
    let posterior = posterior.map_err(|error| usage!("latent.encoder: {error}"))?;
    Ok(Ensemble { network, posterior })
}

/// Refuses networks that the machine cannot hold.
fn check(recipe: &Recipe, signature: &Signature) -> Result<(), RunError> {
    let bytes = footprints(recipe, signature)?.map(|footprint| 4.0 * footprint.parameters);
    let [network, posterior] = largest(recipe);
    memory::check(&network, "the network", bytes[0])?;
    memory::check(&posterior, "the posterior", bytes[1])
}

/// The section of the velocity network, which is told where a latent enters.
///
/// # Errors
/// When the network has no place for one.
///
/// # Panics
/// Never: the name of a fusion is valid TOML.
pub fn section(recipe: &Recipe) -> Result<NetworkSection, RunError> {
    match &recipe.latent {
        Some(latent) if latent.fusion != flow_nn::Fusion::default() => {
            let fusion = toml::Value::try_from(latent.fusion).expect("a name is valid TOML");
            let kind = recipe.network.kind();
            let refused = |_| {
                usage!(
                    "latent.fusion is {fusion}, and a network of the kind {kind} takes a latent in \
                     one way: leave it out, or choose network.kind=unet"
                )
            };
            recipe.network.with("fusion", fusion.clone()).map_err(refused)
        }
        _ => Ok(recipe.network.clone()),
    }
}

/// What the velocity network and the posterior would take.
///
/// # Errors
/// When the section of the network is none of its kind.
pub fn footprints(recipe: &Recipe, signature: &Signature) -> Result<[Footprint; 2], RunError> {
    let network = recipe.network.footprint(signature).map_err(|error| usage!("{error}"))?;
    let posterior = recipe.latent.as_ref();
    let posterior = posterior.map(|latent| latent.encoder.footprint(signature, &latent.inputs));
    Ok([network, posterior.unwrap_or_default()])
}

/// Number of trainable numbers, in the velocity network and in the posterior.
#[must_use]
pub fn parameters(model: &Ensemble) -> [usize; 2] {
    [parameter_count(&model.network), model.posterior.as_ref().map_or(0, parameter_count)]
}

/// Keys of the largest sizes, of the velocity network and of the posterior: a latent is of both.
#[must_use]
pub fn largest(recipe: &Recipe) -> [String; 2] {
    let (key, size) = recipe.network.largest();
    let network = format!("network.{key}");
    let Some(latent) = &recipe.latent else { return [network.clone(), network] };
    let blamed = if size < latent.dim { "latent.dim".into() } else { network };
    [blamed, latent.largest().0.into()]
}

#[cfg(test)]
mod tests {
    use flow_model::Registry;

    use super::*;

    #[test]
    fn blocks_are_computed_again_by_networks_that_have_some() {
        let built = |name: &str, shape: &[usize]| {
            let recipe =
                Recipe::named(&Registry::default(), name, &["train.recompute=true".into()])
                    .unwrap();
            let signature = Signature { classes: 10, ..Signature::of(shape.to_vec()) };
            build(&recipe, &signature, &Device::flex()).map(drop)
        };
        built("digits-dit", &[1, 8, 8]).unwrap();
        built("digits", &[1, 8, 8]).unwrap();
        let refused = built("checkerboard", &[2]).unwrap_err().to_string();
        for word in ["train.recompute", "kind mlp", "unet", "dit", "train.parts"] {
            assert!(refused.contains(word), "{refused}");
        }
    }

    #[test]
    fn products_are_rounded_where_the_network_and_the_machine_can() {
        let changes = ["train.precision=bf16".to_string()];
        for name in ["digits", "digits-dit"] {
            let recipe = Recipe::named(&Registry::default(), name, &changes).unwrap();
            let signature = Signature { classes: 10, ..Signature::of([1, 8, 8]) };
            match build(&recipe, &signature, &Device::flex()) {
                Ok(_) => assert!(Precision::Bf16.is_native_to(&Device::flex())),
                Err(error) => {
                    assert!(!Precision::Bf16.is_native_to(&Device::flex()));
                    assert!(error.to_string().contains("avx512_bf16"), "{error}");
                }
            }
        }
    }
}
