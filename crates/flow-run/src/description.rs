//! What a model says of itself, from the recipe of its run.

use flow_model::{ModelConfig, Registry};
use flow_nn::{Precision, Signature};
use flow_train::Pairs;

use crate::environment::Shape;
use crate::error::{RunError, usage};
use crate::matching;
use crate::network;
use crate::recipe::{self, Recipe};

/// All that a model says of itself, from the recipe that made it.
pub(crate) fn description(
    recipe: &Recipe,
    signature: Signature,
    class_names: Vec<String>,
    step: usize,
) -> Result<ModelConfig, RunError> {
    let Recipe { name, about, path, train, sample, .. } = recipe;
    let network = network::section(recipe)?.table().clone();
    let source = match &path.source {
        _ if recipe.data.is_given_starts() => flow_model::DATA.into(),
        recipe::Source::Normal(_) => "normal".into(),
        toy @ recipe::Source::Toy(_) => toy.to_string(),
    };
    let mut made = recipe.kept();
    let more = [
        ("flow", toml::Value::from(env!("CARGO_PKG_VERSION"))),
        ("data", recipe.data.set.clone().into()),
        ("seed", recipe.seed.to_string().into()),
        ("steps", i64::try_from(step).unwrap_or(i64::MAX).into()),
        ("batch", i64::try_from(recipe.train.batch).unwrap_or(i64::MAX).into()),
    ];
    let rounded = (train.precision != Precision::F32).then(|| {
        let name = toml::Value::try_from(train.precision).expect("a precision is a name");
        ("precision", name)
    });
    made.extend(more.into_iter().chain(rounded).map(|(key, value)| (key.to_owned(), value)));
    Ok(ModelConfig {
        name: name.clone(),
        about: about.clone(),
        prediction: path.prediction,
        learned_without: path.learns_without_class(),
        learned_velocity: recipe.pairs().is_none_or(Pairs::learns_velocity),
        strengths: train.guidance,
        source,
        class_names,
        schedule: path.schedule,
        sample: sample.clone(),
        made,
        ..ModelConfig::new(signature, network)
    })
}

/// A registry that also knows the law of a recipe's `x_0`.
pub(crate) fn sources(registry: Registry, source: &recipe::Source) -> Result<Registry, RunError> {
    Ok(registry.with_source(source.to_string(), matching::source(source)?))
}

/// What a recipe's data look like, without opening the files.
pub(crate) fn shape_of(recipe: &Recipe) -> Result<Shape, RunError> {
    let set = recipe.data.set.as_str();
    let (shape, classes) = match set {
        "digits" => (vec![1, 8, 8], 10),
        "mnist" | "fashion-mnist" => (vec![1, 28, 28], 10),
        "cifar10" => (vec![3, 32, 32], 10),
        _ => match flow_datasets::toy(set) {
            Some(toy) => (vec![toy.dim()], 0),
            None => {
                return Err(usage!(
                    "the run does not say what rows of `{set}` look like: its environment.json \
                     lacks `data`, which newer runs have; train it again"
                ));
            }
        },
    };
    let class_names = flow_datasets::class_names(set);
    Ok(Shape { shape, classes, class_names, ..Shape::default() })
}
