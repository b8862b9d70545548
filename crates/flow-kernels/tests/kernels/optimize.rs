//! AdamW, moving average, squared norm.

use burn::module::Module;
use burn::module::Param;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{DType, Device, Tensor, TensorData};
use flow_kernels::{AdamWStep, adamw, blend, scale, sum_of_squares};

use crate::harness::{assert_close, numbers};

#[derive(Module, Debug)]
struct One {
    weight: Param<Tensor<2>>,
}

const RATE: f64 = 3e-3;

fn tensor(dims: [usize; 2], stream: usize, dtype: DType) -> Tensor<2> {
    let data = TensorData::new(numbers(dims[0] * dims[1], stream), dims);
    Tensor::from_data(data, (&Device::flex(), dtype))
}

fn step(time: usize) -> AdamWStep {
    AdamWStep { rate: RATE, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1, time }
}

/// The weight and both means after `steps` steps with reproducible gradients.
fn walk(dims: [usize; 2], steps: usize, dtype: DType) -> [Vec<f64>; 3] {
    let mut weight = tensor(dims, 0, dtype);
    let mut means = [weight.zeros_like(), weight.zeros_like()];
    for time in 1..=steps {
        (weight, means) = adamw(weight, tensor(dims, time, dtype), means, &step(time));
    }
    let [m, v] = means;
    [weight, m, v].map(|x| x.into_data().iter::<f64>().collect())
}

#[test]
fn adamw_is_that_of_burn_to_the_bit() {
    for dims in [[1, 1], [3, 5], [70, 90]] {
        let device = Device::flex().autodiff();
        let weight = Tensor::<2>::from_inner(tensor(dims, 0, DType::F32)).require_grad();
        let mut module = One { weight: Param::from_tensor(weight) };
        let config = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.1);
        let mut optimizer = config.init();
        for time in 1..=4 {
            let gradient = Tensor::<2>::from_inner(tensor(dims, time, DType::F32));
            let loss = (module.weight.val() * gradient).sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &module);
            module = optimizer.step(RATE, module, gradients);
        }
        let expected: Vec<f64> = module.weight.val().into_data().iter().collect();
        assert_eq!(walk(dims, 4, DType::F32)[0], expected, "{dims:?} on {device:?}");
    }
}

/// Three steps of `torch.optim.Adam` and `torch.optim.AdamW` of PyTorch 2.15 in double precision,
/// at the learning rate and coefficients of Lipman et al. (2023), table 3, from the weights
/// `[0.5, -1.25, 2, 0]`.
#[test]
fn three_steps_are_those_of_pytorch() {
    const GRADIENTS: [[f64; 4]; 3] =
        [[0.1, -2.0, 3e-4, 0.0], [-0.3, -1.0, 5e-4, 1e-9], [0.2, 4.0, -1e-4, 7.0]];
    const ADAM: [[f64; 4]; 3] = [
        [0.49950000005, -1.2495000000025, 1.9995000166661112, 0.0],
        [0.4997470949556003, -1.2490339101860426, 1.999008632652803, -2.4577465580723868e-05],
        [0.49973770110882965, -1.2491370886992519, 1.9986882868770934, -0.0003439842645311164],
    ];
    const ADAMW: [[f64; 4]; 3] = [
        [0.49947500005, -1.2494375000025, 1.9994000166661112, 0.0],
        [0.49969712120559784, -1.2489089383110423, 1.9988086626519697, -2.4577465580723868e-05],
        [0.4996627425027669, -1.248949671377336, 1.9983883764431276, -0.0003439830356578373],
    ];
    let row = |values: [f64; 4]| Tensor::<2>::from_data([values], (&Device::flex(), DType::F64));
    for (weight_decay, steps) in [(0.0, ADAM), (0.1, ADAMW)] {
        let mut weight = row([0.5, -1.25, 2.0, 0.0]);
        let mut means = [weight.zeros_like(), weight.zeros_like()];
        for (i, (gradient, expected)) in GRADIENTS.into_iter().zip(steps).enumerate() {
            let step = AdamWStep { rate: 5e-4, weight_decay, ..step(i + 1) };
            (weight, means) = adamw(weight, row(gradient), means, &step);
            let got: Vec<f64> = weight.to_data().iter().collect();
            // Coefficients are held in single precision.
            assert_close(&format!("decay {weight_decay}, step {i}"), &got, &expected, 1e-6);
        }
    }
}

#[test]
fn adamw_agrees_with_its_composition() {
    // Relative roundings of 6e-8 over ten steps; the update divides by a root, which halves them.
    let (got, expected) = (walk([33, 140], 10, DType::F32), walk([33, 140], 10, DType::F64));
    for (name, (got, expected)) in
        ["weight", "mean", "square"].iter().zip(got.iter().zip(&expected))
    {
        assert_close(name, got, expected, 2e-6);
    }
}

#[test]
fn a_shared_tensor_is_left_alone() {
    let weight = tensor([4, 4], 0, DType::F32);
    let before = weight.to_data();
    let means = [weight.zeros_like(), weight.zeros_like()];
    let (moved, _) = adamw(weight.clone(), tensor([4, 4], 1, DType::F32), means, &step(1));
    let blended = blend(weight.clone(), moved, 0.5);
    weight.to_data().assert_eq(&before, true);
    assert_ne!(blended.to_data(), before);
}

#[test]
fn views_and_empty_tensors_are_taken_as_they_are() {
    let (a, b) = (tensor([6, 4], 0, DType::F32), tensor([4, 6], 1, DType::F32));
    let expected = a.clone() + (b.clone().transpose() - a.clone()) * 0.25;
    blend(a, b.transpose(), 0.75).into_data().assert_eq(&expected.into_data(), true);
    assert!(walk([0, 3], 2, DType::F32)[0].is_empty());
    let nothing = sum_of_squares(tensor([0, 3], 0, DType::F32));
    assert_eq!(nothing.into_data().iter::<f32>().collect::<Vec<_>>(), [0.0]);
}

/// The average of a constant. Half a unit in the last place over `1 - beta`, where `f32` stands
/// still, is 1e-4 for a half-life of 200,000 images in batches of 64 (`1 - beta` = 2.2e-4); two
/// rounded factors whose sum is not 1 ended 1e-4 above or below that from 512 images a batch down.
#[test]
fn an_average_of_a_constant_moves_to_the_constant_and_stays() {
    for (batch, bound) in [(64.0, 3e-4), (512.0, 4e-5)] {
        let beta = f64::exp2(-batch / 200_000.0);
        for (start, bound) in [(0.9, bound), (1.0, 0.0), (1.1, bound)] {
            let one = Tensor::<1>::from_floats([1.0], &Device::flex());
            let mut average = one.clone() * start;
            for _ in 0..60_000 {
                average = blend(average, one.clone(), beta);
            }
            let got = f64::from(average.into_scalar::<f32>());
            assert!((got - 1.0).abs() <= bound, "batch {batch} from {start}: {got}");
        }
    }
    let (average, weight) = (tensor([3, 5], 0, DType::F32), tensor([3, 5], 1, DType::F32));
    let expected = weight.to_data();
    blend(average, weight, 0.0).into_data().assert_eq(&expected, true);
}

#[test]
fn a_sum_of_squares_is_that_of_its_terms() {
    let x = tensor([150, 101], 2, DType::F32).transpose();
    let expected: f64 = numbers(150 * 101, 2).iter().map(|x| x * x).sum();
    let got: Vec<f64> = sum_of_squares(x).into_data().iter().collect();
    assert_close("sum", &got, &[expected], 1e-6);
}

#[test]
fn scaling_by_one_number_is_that_of_every_element() {
    for factor in [1.0, 0.3] {
        let x = tensor([40, 30], 3, DType::F32);
        let number = Tensor::<1>::from_floats([factor], &Device::flex());
        let expected = x.clone().mul_scalar(factor);
        scale(x.clone(), number).into_data().assert_eq(&expected.into_data(), true);
        x.into_data().assert_eq(&tensor([40, 30], 3, DType::F32).into_data(), true);
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool of few threads can be made").install(|| {
            let norm = sum_of_squares(tensor([400, 300], 1, DType::F32)).into_data();
            let average =
                blend(tensor([400, 300], 1, DType::F32), tensor([400, 300], 2, DType::F32), 0.9);
            (walk([400, 300], 3, DType::F32), norm, average.into_data())
        })
    };
    assert!(on(1) == on(2));
}

#[test]
#[should_panic(expected = "adamw: expected the weight's shape [2, 2], got [2, 3]")]
fn a_gradient_of_another_shape_panics() {
    let weight = tensor([2, 2], 0, DType::F32);
    let means = [weight.zeros_like(), weight.zeros_like()];
    let _ = adamw(weight, tensor([2, 3], 1, DType::F32), means, &step(1));
}
