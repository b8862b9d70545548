//! Objectives of diffusion and flows on the same batches: equal up to factors known in closed form.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use flow_nn::{Condition, Network, Signature, Time};
use flow_path::stream::Streams;
use flow_path::{
    AffinePath, Cosine, EdmLogNormal, FromFunctions, Linear, LogitNormal, LossWeight, PairTube,
    Prediction, ProbabilityPath, Schedule, SchrodingerBridge, TimeSampler, Times,
    VariancePreserving, Weighting,
};
use flow_train::{
    Batch, BatchSource, FlowMatching, MatchingBatches, Networks, Objective, Regression, Rows,
};

/// Rows in a batch.
const ROWS: usize = 256;

/// Smooth noise, in place of a trained network, answered as another prediction.
#[derive(Module, Debug)]
struct Answers {
    #[module(skip)]
    answer: Answer,
    #[module(skip)]
    schedule: Along,
    #[module(skip)]
    signature: Signature,
}

/// The prediction and the sign of the answer.
#[derive(Clone, Debug)]
struct Answer(Prediction, f64);

#[derive(Clone, Debug)]
struct Along(Arc<dyn Schedule>);

impl Network for Answers {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
        let t: Vec<f32> = time.t.into_data().try_into_vec().unwrap();
        let t = Times::new(t.into_iter().map(f64::from).collect());
        let Answer(to, sign) = self.answer;
        // Back from the input of the network to the point on the path.
        let x = x.clone() / t.column(&x, |t| to.input_scale(&self.along(), t));
        let noise = (x.clone() * 1.3 + 0.2).tanh() - x.clone().sin() * 0.4;
        Prediction::Noise.convert_batch(to, noise, x, &*self.along(), &t) * sign
    }
}

impl Answers {
    fn new(prediction: Prediction, sign: f64, schedule: Arc<dyn Schedule>) -> Self {
        Self {
            answer: Answer(prediction, sign),
            schedule: Along(schedule),
            signature: Signature::of([2]),
        }
    }

    fn along(&self) -> Arc<dyn Schedule> {
        Arc::clone(&self.schedule.0)
    }
}

fn matching(schedule: impl Schedule + 'static, prediction: Prediction) -> FlowMatching {
    FlowMatching { schedule: Arc::new(schedule), prediction, ..FlowMatching::default() }
}

/// Flow matching along a path that is given.
fn along(path: impl ProbabilityPath<2> + 'static) -> FlowMatching {
    FlowMatching { between: Some(Arc::new(path)), ..FlowMatching::default() }
}

fn batch(matching: &FlowMatching) -> Batch {
    let batches = MatchingBatches {
        matching: matching.clone(),
        data: Arc::new(Rows::new(vec![2], vec![1.0, 1.0, -1.0, 0.5, 0.3, -2.0], None)),
        classes: 0,
        rows: ROWS,
        noise: 0,
        streams: Streams::new(5),
    };
    batches.batch(3, &Device::flex()).unwrap()
}

/// The loss of the same noise whatever is predicted; `sign` -1 answers the wrong sign.
fn loss_of(matching: &FlowMatching, sign: f64) -> f64 {
    let network = Answers::new(matching.prediction, sign, Arc::clone(&matching.schedule));
    let total = Regression.loss(Networks::of(&network), batch(matching)).total;
    f64::from(total.into_scalar::<f32>())
}

fn loss(matching: &FlowMatching) -> f64 {
    loss_of(matching, 1.0)
}

#[track_caller]
fn assert_equal(a: f64, b: f64) {
    // Single precision, in which the score and its target are up to 1e3 larger than the noise.
    assert!((a / b - 1.0).abs() < 1e-4, "{a} is not {b}");
}

/// The diffusion between the times at which all its predictions are well conditioned, so that they
/// are trained at the same ones.
fn diffusion() -> FromFunctions {
    let vp = VariancePreserving::default();
    let alpha = move |t| (vp.at(t).alpha, vp.at(t).d_alpha);
    let sigma = move |t| (vp.at(t).sigma, vp.at(t).d_sigma);
    FromFunctions::with_derivatives(alpha, sigma).with_span(Prediction::Score.span(&vp))
}

#[test]
fn score_matching_is_noise_matching() {
    let noise = matching(diffusion(), Prediction::Noise);
    let score =
        FlowMatching { weight: LossWeight::Variance, ..matching(diffusion(), Prediction::Score) };
    assert_equal(loss(&score), loss(&noise));
}

#[test]
fn a_score_of_the_wrong_sign_has_another_loss() {
    let score =
        FlowMatching { weight: LossWeight::Variance, ..matching(diffusion(), Prediction::Score) };
    assert!(loss_of(&score, -1.0) > 1.5 * loss(&score));
}

/// Of the rate `beta` and of `sigma`.
type Factor = fn(f64, f64) -> f64;

#[test]
fn score_flow_and_flow_matching_are_weighted_noise_matching() {
    // beta / sigma^2 and beta^2 / (4 sigma^2), row by row.
    let vp = VariancePreserving::default();
    let noise = matching(diffusion(), Prediction::Noise);
    let factors: [(Prediction, LossWeight, Factor); 2] = [
        (Prediction::Score, LossWeight::Diffusion, |beta, sigma| beta / sigma.powi(2)),
        (Prediction::Velocity, LossWeight::Unit, |beta, sigma| (0.5 * beta / sigma).powi(2)),
    ];
    for (prediction, weight, factor) in factors {
        let objective = FlowMatching { weight, ..matching(diffusion(), prediction) };
        let mut weighted = batch(&noise);
        let t: Vec<f32> = weighted.time.t.clone().into_data().try_into_vec().unwrap();
        let weights: Vec<f32> =
            t.iter().map(|&t| factor(vp.beta(t.into()), vp.at(t.into()).sigma) as f32).collect();
        weighted.weight = Some(Tensor::from_floats(weights.as_slice(), &Device::flex()));
        let network = Answers::new(Prediction::Noise, 1.0, Arc::new(diffusion()));
        let want = Regression.loss(Networks::of(&network), weighted).total.into_scalar::<f32>();
        assert_equal(loss(&objective), want.into());
    }
}

#[test]
fn a_weighting_has_one_loss_whatever_is_predicted() {
    // A schedule with noise and data at both ends, so that all have the same times.
    let schedule = Cosine { margin: 0.05 };
    for weighting in [Weighting::FlowMatching, Weighting::Sigmoid { bias: 1.0 }] {
        let of = |prediction| {
            loss(&FlowMatching {
                weight: LossWeight::LogSnr(weighting),
                ..matching(schedule, prediction)
            })
        };
        let noise = of(Prediction::Noise);
        for prediction in [
            Prediction::Data,
            Prediction::Velocity,
            Prediction::V,
            Prediction::Score,
            Prediction::Displacement,
            Prediction::Edm { sigma_data: 0.5 },
        ] {
            assert_equal(of(prediction), noise);
        }
    }
}

#[test]
fn the_objective_of_edm_has_the_weighting_of_edm() {
    let schedule = Cosine { margin: 0.01 };
    let times = Arc::new(EdmLogNormal::new(schedule));
    let edm = Prediction::Edm { sigma_data: 0.5 };
    let weighting = Weighting::Edm { mean: -1.2, std: 1.2, sigma_data: 0.5 };
    let weight = LossWeight::LogSnr(weighting);
    let weighted = FlowMatching { times, weight, ..matching(schedule, edm) };
    // The weights are one and the same number in every row.
    let weights: Vec<f32> = batch(&weighted).weight.unwrap().into_data().try_into_vec().unwrap();
    for weight in &weights {
        assert!((weight / weights[0] - 1.0).abs() < 1e-4, "{weight} and {}", weights[0]);
    }
}

#[test]
fn a_law_of_time_is_weighed_out_by_its_density() {
    // Two laws estimate the same integral; 256 rows of bounded losses leave a few percent.
    let objective = |times: Arc<dyn TimeSampler>| FlowMatching {
        weight: LossWeight::LogSnr(Weighting::NoiseCosine),
        times,
        ..matching(Cosine { margin: 0.05 }, Prediction::V)
    };
    let uniform = loss(&objective(FlowMatching::default().times));
    let middle = loss(&objective(Arc::new(LogitNormal { mean: 0.0, std: 1.5 })));
    assert!((middle / uniform - 1.0).abs() < 0.15, "{middle} and {uniform}");
}

#[test]
fn each_objective_keeps_away_from_where_it_is_singular() {
    let margin = flow_path::ENDPOINT_MARGIN;
    let vp = VariancePreserving::default();
    let span = |prediction| matching(Linear { sigma_min: 0.0 }, prediction).span();
    assert_eq!(span(Prediction::Velocity), (0.0, 1.0));
    // Where a prediction loses the pair its own span is cut.
    let own = |prediction: Prediction| prediction.span(&Linear { sigma_min: 0.0 });
    for prediction in [Prediction::Noise, Prediction::Data, Prediction::Score] {
        assert_eq!(span(prediction), own(prediction));
    }
    assert!(span(Prediction::Noise).0 > margin && span(Prediction::Data).1 < 1.0 - margin);
    // On the diffusion velocity and noise share the paper's cutoff.
    for prediction in [Prediction::Velocity, Prediction::Noise] {
        assert_eq!(matching(vp, prediction).span(), (0.0, 1.0 - margin));
    }
    // A weight that diverges where the prediction does not.
    let likelihood = FlowMatching {
        weight: LossWeight::LogSnr(Weighting::Likelihood),
        ..matching(Linear { sigma_min: 0.0 }, Prediction::V)
    };
    assert_eq!(likelihood.span(), (margin, 1.0 - margin));
    let bridge = along(SchrodingerBridge { sigma: 1.0 });
    assert_eq!(bridge.span(), SchrodingerBridge::SPAN);
}

#[test]
fn a_tube_of_no_width_is_the_line() {
    let line = batch(&FlowMatching::default());
    let tube = batch(&along(PairTube { sigma: 0.0 }));
    let gap = |a: Tensor<2>, b: Tensor<2>| (a - b).abs().max().into_scalar::<f32>();
    assert!(gap(line.x_t.clone(), tube.x_t) < 1e-6);
    assert!(gap(line.target, tube.target) < 1e-6);
    let bridge = batch(&along(SchrodingerBridge { sigma: 0.5 }));
    assert!(gap(line.x_t, bridge.x_t) > 0.1);
}

/// The path of a schedule, handed over as a program hands over one of its own.
#[test]
fn a_path_that_is_given_is_asked_for_points_velocities_and_times() {
    let schedule = Cosine { margin: 0.05 };
    let expected = batch(&matching(schedule, Prediction::Velocity));
    let given = along(AffinePath::new(schedule));
    assert_eq!(given.span(), schedule.span());
    let found = batch(&given);
    let gap = |a: Tensor<2>, b: Tensor<2>| (a - b).abs().max().into_scalar::<f32>();
    assert!(gap(expected.x_t, found.x_t.clone()) < 1e-6);
    assert!(gap(expected.target, found.target) < 1e-6);
    // The control: the schedule of straight lines is not asked.
    assert!(gap(batch(&FlowMatching::default()).x_t, found.x_t) > 0.1);
}
