//! The network of a model as a file.

use flow_model::Model;
use flow_nn::Network;
use flow_nn::graph::{Graph, Inputs, Value};

use crate::builder::Builder;
use crate::error::OnnxError;
use crate::file;
use crate::inputs::{Told, column, rows};
use crate::proto::{Attribute, BOOL, FLOAT, batch_of, value};

/// The description in the file.
const ABOUT: &str = "f(x, t, conditions), a network of flow matching. Time runs from noise (0) to \
                     data (1). The metadata `flow.model` say what `prediction` is, and all else.";

/// The network, as the bytes of an ONNX file.
///
/// | input | numbers | for models that |
/// |---|---|---|
/// | `x` | float `[batch, ..]` | |
/// | `t` | float `[batch]`, from noise (0) to data (1) | |
/// | `s` | float `[batch]`, where it arrives | are flow maps |
/// | `class` | int64 `[batch]`; the number of classes is the null class | know classes |
/// | `vector` | float `[batch, vector]` | read a condition vector |
/// | `context` | float `[batch, ..]` | read a conditioning row |
/// | `hidden` | bool `[batch]`, whether vector and context are hidden | learned to do without |
/// | `latent` | float `[batch, latent]` | read a latent |
///
/// Of a model of a table with holes, the numbers of `vector` behind those of the condition say what
/// is missing, and are zero for whole rows: as many as its description calls `holes`.
///
/// Of a model with a range of guidance baked in, the last number of `vector` is the natural
/// logarithm of the strength.
///
/// The output `prediction` has the shape of `x` and is what the description calls its prediction.
///
/// # Errors
/// For a network that does not implement [`Network::graph`](flow_nn::Network::graph), that is too
/// large for a file, whose rows may end early, or one of whose weights is no finite number; for
/// settings of the model that cannot work.
pub fn network(model: &Model) -> Result<Vec<u8>, OnnxError> {
    file::check(model)?;
    let signature = model.signature();
    let mut builder = Builder::of(model.network());
    let mut inputs = vec![value("x", FLOAT, &batch_of(&signature.shape))];
    let x = builder.named("x");
    let mut time = |builder: &mut Builder, name: &str| {
        inputs.push(value(name, FLOAT, &batch_of(&[])));
        let t = builder.named(name);
        builder.reshape(t, &[-1, 1])
    };
    let t = time(&mut builder, "t");
    let s = signature.two_times.then(|| time(&mut builder, "s"));
    let told = Told::declare(signature, &mut builder, &mut inputs);
    let hidden = told.is_hideable().then(|| {
        if !model.config().learned_without {
            let (nothing, rows) = (builder.constant(&[1], &[0.0]), rows(&mut builder, x));
            return column(&mut builder, nothing, rows);
        }
        inputs.push(value("hidden", BOOL, &batch_of(&[])));
        let hidden = builder.named("hidden");
        let hidden = builder.node("Cast", &[hidden], vec![Attribute::int("to", FLOAT.into())]);
        builder.reshape(hidden, &[-1, 1])
    });
    let y = written(model, &mut builder, (x, t, s), &told, hidden)?;
    builder.output(y, "prediction");
    let output = value("prediction", FLOAT, &batch_of(&signature.shape));
    file::bytes(model, builder, "network", ABOUT, inputs, output)
}

/// The nodes of the network at rows and their times `t` and `s`.
pub(crate) fn written(
    model: &Model,
    builder: &mut Builder,
    (x, t, s): (Value, Value, Option<Value>),
    told: &Told,
    hidden: Option<Value>,
) -> Result<Value, OnnxError> {
    if model.signature().lengths {
        return Err(OnnxError::Lengths);
    }
    let &Told { class, vector, context, latent } = told;
    let inputs = Inputs { x, t, s, class, vector, context, hidden, latent };
    model.network().graph(builder, &inputs).ok_or_else(|| {
        let kind = model.config().network.get("kind").and_then(|kind| kind.as_str());
        OnnxError::NoGraph { kind: kind.unwrap_or_default().to_owned() }
    })
}
