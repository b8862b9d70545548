//! A whole sampler of fixed steps as a file.

use flow_model::{Asked, Model, ModelConfig};
use flow_nn::graph::{Graph, Value};
use flow_ode::Method;
use flow_ode::tableau::Tableau;
use flow_path::{Prediction, Schedule};
use flow_sample::{Predictor, SamplerConfig};

use crate::builder::Builder;
use crate::error::OnnxError;
use crate::file;
use crate::inputs::{Told, column, rows};
use crate::network::written;
use crate::proto::{self, Attribute, BOOL, DOUBLE, FLOAT, INT64, ValueInfo, batch_of, value};

/// The description in the file.
const ABOUT: &str = "Samples of a flow-matching model from noise `start`, in `steps` equal steps.";

/// A sampler in `steps` equal steps, as the bytes of an ONNX file: one loop around the network.
///
/// | input | numbers | for models that |
/// |---|---|---|
/// | `start` | float `[batch, ..]`, the noise | |
/// | `steps` | int64, a number of at least 1 | |
/// | `guidance` | float, a strength; 1 is none | learned to do without their condition, and have no guidance baked in |
/// | `class`, `vector`, `context`, `latent` | as of [`network`](crate::network) | read them |
///
/// The numbers of the inputs are looked at by nobody: with `steps` of 0 or less `samples` is
/// `start`, and what is not finite makes what comes out so.
///
/// The output `samples` has the shape of `start`. A solver is the Runge-Kutta method of that name,
/// that of the model's own settings if none is given; flow maps jump, unless a solver is named.
/// Rows of a table are numbers of the network: their transforms are not undone.
///
/// # Errors
/// For models whose network does not predict the velocity, that are sampled along another schedule
/// or grid or by a sampler that draws noise, for methods that are no Runge-Kutta method, and as for
/// [`network`](crate::network).
pub fn sampler(model: &Model, solver: Option<Method>) -> Result<Vec<u8>, OnnxError> {
    file::check(model)?;
    let way = Way::of(model, solver)?;
    let signature = model.signature();
    let mut builder = Builder::of(model.network());
    let shape = batch_of(&signature.shape);
    let mut inputs = vec![value("start", FLOAT, &shape), value("steps", INT64, &[])];
    let [start, steps] = ["start", "steps"].map(|name| builder.named(name));
    let told = Told::declare(signature, &mut builder, &mut inputs);
    let can_guide = told.class.is_some() || told.is_hideable();
    let ModelConfig { learned_without, strengths, .. } = model.config();
    let guidance = (can_guide && *learned_without && strengths.is_none()).then(|| {
        inputs.push(value("guidance", FLOAT, &[]));
        builder.named("guidance")
    });
    let field = Field::new(model, &mut builder, start, told, guidance);
    let (span, count) = (model.schedule().span(), to(&mut builder, steps, DOUBLE));
    let clock = Clock { span, count };

    // The body of the loop: the number of the step, whether it goes on, the state.
    let [step, going, state] = ["step", "going", "state"].map(|name| builder.named(name));
    let (made, node) = builder.inside(|builder| -> Result<(), OnnxError> {
        let next = way.step(builder, &clock, step, state, &field)?;
        builder.output(going, "goes_on");
        builder.output(next, "next");
        Ok(())
    });
    made?;
    let flags = |name: &str| value(name, BOOL, &[]);
    let body = proto::Graph {
        node,
        name: "step".into(),
        initializer: Vec::new(),
        input: vec![value("step", INT64, &[]), flags("going"), value("state", FLOAT, &shape)],
        output: vec![flags("goes_on"), value("next", FLOAT, &shape)],
    };
    let always = builder.named("");
    let x = builder.node("Loop", &[steps, always, start], vec![Attribute::graph("body", body)]);
    builder.output(x, "samples");
    let output: ValueInfo = value("samples", FLOAT, &shape);
    file::bytes(model, builder, "sampler", ABOUT, inputs, output)
}

/// How a step is made.
enum Way {
    /// A Runge-Kutta method on the velocity.
    Solver(&'static Tableau),
    /// `x + (s - t) u(x, t, s)`.
    Jump,
}

impl Way {
    fn of(model: &Model, solver: Option<Method>) -> Result<Self, OnnxError> {
        let refused = |reason: String| Err(OnnxError::NoSampler { reason });
        let settings = &model.config().sample;
        let predictor = model.predictor(flow_nn::Condition::none());
        if model.prediction() != Prediction::Velocity
            || Predictor::span(&predictor) != model.schedule().span()
        {
            return refused(format!(
                "it predicts {} along {}, and a graph of fixed steps needs the velocity",
                model.prediction(),
                model.config().schedule
            ));
        }
        if settings.schedule.is_some() || settings.has_grid() {
            return refused("it is sampled along another schedule or at chosen times".into());
        }
        let jumps = matches!(settings.sampler, SamplerConfig::FlowMap(_));
        let method = match solver {
            Some(method) => method,
            None if jumps && model.signature().two_times => return Ok(Self::Jump),
            None if settings.sampler.is_ode() => {
                settings.plan(Asked::default())?;
                settings.method()?
            }
            None => {
                let sampler = settings.sampler;
                return refused(format!("it is sampled by {sampler}, name a solver"));
            }
        };
        if !model.config().learned_velocity {
            return refused("it has learned jumps and no velocity, name no solver".into());
        }
        match method.tableau() {
            Some(tableau) => Ok(Self::Solver(tableau)),
            None => refused(format!("{method} is no explicit Runge-Kutta method")),
        }
    }

    /// The state behind a step.
    fn step(
        &self,
        builder: &mut Builder,
        clock: &Clock,
        step: Value,
        x: Value,
        field: &Field<'_>,
    ) -> Result<Value, OnnxError> {
        let tableau = match self {
            Self::Solver(tableau) => tableau,
            Self::Jump => {
                let [t, s] = [0.0, 1.0].map(|c| clock.at(builder, step, c));
                let u = field.at(builder, x, t, s)?;
                let h = clock.step(builder, 1.0);
                let move_by = builder.multiply(u, h);
                return Ok(builder.add(x, move_by));
            }
        };
        let mut stages = Vec::with_capacity(tableau.stages());
        for (i, (&c, row)) in tableau.c.iter().zip(tableau.a).enumerate() {
            // The last stage of some methods is there for the error alone.
            let later = tableau.a[i + 1..].iter().map(|row| row[i]);
            if later.chain([tableau.b[i]]).all(|weight| weight == 0.0) {
                stages.push(None);
                continue;
            }
            let at = clock.moved(builder, x, row, &stages);
            let t = clock.at(builder, step, c);
            stages.push(Some(field.at(builder, at, t, t)?));
        }
        Ok(clock.moved(builder, x, tableau.b, &stages))
    }
}

/// Equal steps over a span, in double precision as everywhere.
struct Clock {
    span: (f64, f64),
    /// The number of steps.
    count: Value,
}

impl Clock {
    /// The time at a share `c` of a step: `t0 + (t1 - t0) (i + c) / n`.
    fn at(&self, builder: &mut Builder, step: Value, c: f64) -> Value {
        let (start, end) = self.span;
        let [c, length, start] = [c, end - start, start].map(|x| builder.double(x));
        let i = to(builder, step, DOUBLE);
        let i = builder.add(i, c);
        let share = builder.node("Div", &[i, self.count], Vec::new());
        let passed = builder.multiply(share, length);
        builder.add(passed, start)
    }

    /// The length of a step times a factor, in single precision.
    fn step(&self, builder: &mut Builder, factor: f64) -> Value {
        let length = builder.double(factor * (self.span.1 - self.span.0));
        let h = builder.node("Div", &[length, self.count], Vec::new());
        to(builder, h, FLOAT)
    }

    /// `x + h sum_i weights_i k_i`.
    fn moved(
        &self,
        builder: &mut Builder,
        x: Value,
        weights: &[f64],
        stages: &[Option<Value>],
    ) -> Value {
        let used = weights.iter().zip(stages).filter(|(weight, _)| **weight != 0.0);
        used.fold(x, |x, (&weight, stage)| {
            let Some(stage) = *stage else { return x };
            let h = self.step(builder, weight);
            let part = builder.multiply(stage, h);
            builder.add(x, part)
        })
    }
}

/// The velocity of a model with its conditions and guidance.
struct Field<'a> {
    model: &'a Model,
    told: Told,
    /// One where vector and context are hidden, `[rows, 1]`.
    hidden: Option<Value>,
    /// The number of rows that the network sees, `[1]`: of the batch, or of two copies.
    rows: Value,
    guidance: Option<Value>,
}

impl<'a> Field<'a> {
    /// Conditions are the same all along: they are made before the loop.
    fn new(
        model: &'a Model,
        builder: &mut Builder,
        start: Value,
        told: Told,
        guidance: Option<Value>,
    ) -> Self {
        let own = rows(builder, start);
        let flag = |builder: &mut Builder, flag: f32| {
            let flag = builder.constant(&[1], &[flag]);
            column(builder, flag, own)
        };
        if guidance.is_none() {
            let hidden = told.is_hideable().then(|| flag(builder, 0.0));
            return Self { model, told, hidden, rows: own, guidance };
        }
        let mut twice = told.twice(builder);
        if let Some(class) = told.class {
            let null = builder.ints(&[1], &[model.signature().classes as i64]);
            let null = builder.node("Expand", &[null, own], Vec::new());
            twice.class = Some(builder.concat(&[class, null], 0));
        }
        let hidden = told.is_hideable().then(|| {
            let flags = [flag(builder, 0.0), flag(builder, 1.0)];
            builder.concat(&flags, 0)
        });
        let rows = builder.add(own, own);
        Self { model, told: twice, hidden, rows, guidance }
    }

    /// The velocity at `x`, or the mean velocity from `t` to `s` of a flow map.
    fn at(&self, builder: &mut Builder, x: Value, t: Value, s: Value) -> Result<Value, OnnxError> {
        let mut each = |time: Value| {
            let time = to(builder, time, FLOAT);
            column(builder, time, self.rows)
        };
        let column_of_t = each(t);
        let s = self.model.signature().two_times.then(|| each(s));
        let seen = if self.guidance.is_some() { builder.concat(&[x, x], 0) } else { x };
        let point = (seen, column_of_t, s);
        let y = written(self.model, builder, point, &self.told, self.hidden)?;
        let Some(guidance) = self.guidance else { return Ok(y) };
        let scale = self.scale(builder, guidance, t);
        let axis = vec![Attribute::int("axis", 0)];
        let [with, without] = builder.nodes_of("Split", &[y], axis);
        let difference = builder.node("Sub", &[with, without], Vec::new());
        let guided = builder.multiply(difference, scale);
        Ok(builder.add(without, guided))
    }

    /// The strength of guidance at a time: 1 outside of the model's interval.
    fn scale(&self, builder: &mut Builder, guidance: Value, t: Value) -> Value {
        let [start, end] = self.model.config().sample.guidance_interval;
        let (first, last) = self.model.schedule().span();
        if start <= first && last <= end {
            return guidance;
        }
        let [start, end] = [start, end].map(|t| builder.double(t));
        let begun = builder.node("GreaterOrEqual", &[t, start], Vec::new());
        let lasts = builder.node("LessOrEqual", &[t, end], Vec::new());
        let holds = builder.node("And", &[begun, lasts], Vec::new());
        let none = builder.constant(&[], &[1.0]);
        builder.node("Where", &[holds, guidance, none], Vec::new())
    }
}

fn to(builder: &mut Builder, x: Value, kind: i32) -> Value {
    builder.node("Cast", &[x], vec![Attribute::int("to", kind.into())])
}
