//! Latents: closed forms of the posterior, and networks that listen to what they are told.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "equal to the bit is what is tested")]

mod common;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Tensor};
use common::{built, difference, ramp, stir};
use flow_nn::{
    Condition, DiagonalGaussian, EncoderConfig, Fusion, ImageEncoderConfig, Network, NetworkConfig,
    NetworkError, PathPoints, PointEncoderConfig, Posterior, PosteriorInput, Signature, SplitMlp,
    SplitMlpConfig, Time, UNet, UNetConfig, init_seeded, parameter_count,
};

fn host<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

fn doubles<const N: usize>(values: [[f64; N]; 1], device: &Device) -> Tensor<2> {
    Tensor::from_data(values, (device, DType::F64))
}

/// Mean 0.7 and standard deviation 0.4, and those of the prior.
fn gaussian(device: &Device) -> DiagonalGaussian {
    DiagonalGaussian {
        mean: doubles([[0.7, 0.0]], device),
        log_variance: doubles([[2.0 * 0.4_f64.ln(), 0.0]], device),
    }
}

#[test]
fn the_divergence_from_the_prior_is_its_closed_form() {
    let kl = host(gaussian(&Device::flex()).kl());
    assert!((kl[0] - 0.7412907319).abs() < 1e-9, "{}", kl[0]);
    assert!(kl[1].abs() < 1e-15, "the prior is {} away from itself", kl[1]);
}

#[test]
fn gradients_reach_mean_and_log_variance_as_central_differences_say() {
    let epsilon = [0.8, -1.3];
    // sum_j z_j^2 + KL_j: a function that feels both the draw and the divergence.
    let value = |q: &DiagonalGaussian, device: &Device| {
        q.sample(doubles([epsilon], device)).square().sum() + q.kl().sum()
    };
    let device = Device::flex().autodiff();
    let mut q = gaussian(&device);
    q.mean = q.mean.require_grad();
    q.log_variance = q.log_variance.require_grad();
    let gradients = value(&q, &device).backward();
    let found = [q.mean.grad(&gradients).unwrap(), q.log_variance.grad(&gradients).unwrap()];
    let found: Vec<f64> = found.into_iter().flat_map(host).collect();

    let (plain, h) = (Device::flex(), 1e-5);
    let at = |parameter: usize, shift: f64| {
        let mut q = gaussian(&plain);
        let mut shifts = [[0.0; 2]; 2];
        shifts[parameter / 2][parameter % 2] = shift;
        q.mean = q.mean + doubles([shifts[0]], &plain);
        q.log_variance = q.log_variance + doubles([shifts[1]], &plain);
        host(value(&q, &plain))[0]
    };
    for (parameter, gradient) in found.into_iter().enumerate() {
        let expected = (at(parameter, h) - at(parameter, -h)) / (2.0 * h);
        // Truncation costs h^2 = 1e-10, rounding 1e-16 / h = 1e-11, each times a few.
        assert!((gradient - expected).abs() < 1e-8, "{parameter}: {gradient} and {expected}");
    }
}

#[test]
fn a_network_output_of_any_size_gives_a_finite_divergence_and_draw() {
    let device = Device::flex();
    let output = Tensor::from_floats([[1e3, -1e3, 1e6, -1e6]], &device);
    let q = DiagonalGaussian::from_output(output);
    let z = q.sample(Tensor::ones([1, 2], &device));
    assert!(host(q.kl()).iter().chain(&host(z)).all(|x| x.is_finite()));
}

#[test]
fn the_networks_of_the_synthetic_experiments_have_the_papers_sizes() {
    use PosteriorInput::{X0, X1, Xt};
    let device = Device::flex();
    let velocity = |latent| {
        let signature = Signature { latent, ..Signature::of([1]) };
        parameter_count(&SplitMlpConfig::default().init(&signature, &device).unwrap())
    };
    assert_eq!([velocity(0), velocity(4)], [33_281, 75_137]);
    let posterior = |inputs: &[PosteriorInput]| {
        parameter_count(&PointEncoderConfig::default().init(1, inputs, 4, &device).unwrap())
    };
    assert_eq!([posterior(&[X1]), posterior(&[X0, X1, Xt])], [17_160, 41_992]);
}

fn split(device: &Device) -> SplitMlp {
    let signature = Signature { latent: 3, ..Signature::of([2]) };
    stir(built(&SplitMlpConfig::default(), &signature, device))
}

fn unet(fusion: Fusion, device: &Device) -> UNet {
    let config = UNetConfig {
        channels: 8,
        multipliers: vec![1, 2],
        attention: vec![4],
        head_channels: 8,
        groups: 4,
        fusion,
        ..UNetConfig::default()
    };
    let signature = Signature { classes: 2, latent: 3, ..Signature::of([1, 8, 8]) };
    stir(built(&config, &signature, device))
}

#[test]
fn velocity_networks_listen_to_the_latent_of_each_row() {
    let device = Device::flex();
    let (x, time) = (ramp([2, 2], &device), Time::at(ramp([2], &device)));
    let network = split(&device);
    assert_eq!(network.signature().latent, 3);
    let at =
        |z: Tensor<2>| network.forward(x.clone(), time.clone(), &Condition::none().with_latent(z));
    let (z, zero) = (ramp([2, 3], &device), Tensor::zeros([2, 3], &device));
    assert!(difference(at(z.clone()), at(zero)) > 1e-3, "zeroing the latent changes nothing");
    // Only the second row's latent changes.
    let other = Tensor::cat(vec![z.clone().narrow(0, 0, 1), z.clone().narrow(0, 1, 1) + 1.0], 0);
    let rows = (at(z) - at(other)).abs();
    assert_eq!(host(rows.clone().narrow(0, 0, 1).max())[0], 0.0);
    assert!(host(rows.narrow(0, 1, 1).max())[0] > 1e-3);
}

#[test]
fn a_unet_listens_to_the_latent_through_either_fusion_and_to_the_class_beside_it() {
    let device = Device::flex();
    let (x, time) = (ramp([1, 64], &device), Time::at(Tensor::from_floats([0.4], &device)));
    for fusion in [Fusion::AdaptiveNorm, Fusion::BottleneckSum] {
        let network = unet(fusion, &device);
        let at = |z: Tensor<2>, class: usize| {
            let condition = Condition::classes(&[class], &device).with_latent(z);
            network.forward(x.clone(), time.clone(), &condition)
        };
        let (z, zero) = (ramp([1, 3], &device), Tensor::zeros([1, 3], &device));
        assert!(difference(at(z.clone(), 0), at(zero, 0)) > 1e-4, "{fusion:?}: latent not read");
        assert!(difference(at(z.clone(), 0), at(z, 1)) > 1e-4, "{fusion:?}: class not read");
    }
}

#[test]
#[should_panic(expected = "expected a latent of 3 numbers per row, got None")]
fn a_missing_latent_panics() {
    let device = Device::flex();
    let time = Time::at(ramp([2], &device));
    let _ = split(&device).forward(ramp([2, 2], &device), time, &Condition::none());
}

/// Sum of the magnitudes of a module's gradients.
fn gradient_size<M: Module>(module: &M, loss: Tensor<1>) -> f64 {
    struct Size(burn::optim::GradientsParams, f64);
    impl ModuleVisitor for Size {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(parameter.id) {
                self.1 += host(gradient.abs().sum())[0];
            }
        }
    }
    let gradients = burn::optim::GradientsParams::from_grads(loss.backward(), module);
    let mut size = Size(gradients, 0.0);
    module.visit(&mut size);
    size.1
}

#[test]
fn the_velocity_error_alone_reaches_the_posterior_through_either_fusion() {
    let device = Device::flex().autodiff();
    let image = |stream: f64| ramp([2, 64], &device) + stream;
    let seen =
        PathPoints { x0: image(0.0), x1: image(0.3), x_t: image(0.1), t: ramp([2], &device) };
    let posterior = ImageEncoderConfig { channels: 8, multipliers: vec![1, 2], groups: 4 };
    let inputs = [PosteriorInput::X0, PosteriorInput::X1, PosteriorInput::Xt];
    let init = |device: &Device| posterior.init([1, 8, 8], &inputs, 3, device);
    let posterior = init_seeded::<_, NetworkError>(6, &Device::flex(), init).unwrap();
    let posterior = stir(posterior.train());
    for fusion in [Fusion::AdaptiveNorm, Fusion::BottleneckSum] {
        let network = unet(fusion, &Device::flex()).train();
        let z = posterior.forward(&seen).sample(ramp([2, 3], &device));
        let condition = Condition::classes(&[0, 1], &device).with_latent(z);
        let loss =
            network.forward(seen.x_t.clone(), seen.t.clone().into(), &condition).square().mean();
        let size = gradient_size(&posterior, loss);
        assert!(size.is_finite() && size > 1e-4, "{fusion:?}: gradient of size {size}");
    }
}

#[test]
fn a_posterior_looks_at_its_inputs_and_at_nothing_else() {
    use PosteriorInput::{T, X0, X1, Xt};
    let device = Device::flex();
    let points = |moved: Option<PosteriorInput>| {
        let at = |input| ramp([2, 2], &device) + f64::from(u8::from(moved == Some(input)));
        let t = ramp([2], &device) + f64::from(u8::from(moved == Some(T)));
        PathPoints { x0: at(X0), x1: at(X1), x_t: at(Xt), t }
    };
    let images = |moved: Option<PosteriorInput>| {
        let at = |input| ramp([2, 64], &device) + f64::from(u8::from(moved == Some(input)));
        let t = ramp([2], &device) + f64::from(u8::from(moved == Some(T)));
        PathPoints { x0: at(X0), x1: at(X1), x_t: at(Xt), t }
    };
    for inputs in [vec![X0], vec![X1], vec![Xt], vec![T], vec![X1, T], vec![X0, X1, Xt, T]] {
        let of_points = PointEncoderConfig::default();
        let of_points = stir(of_points.init(2, &inputs, 4, &device).unwrap());
        let of_images = ImageEncoderConfig::default();
        let of_images = stir(of_images.init([1, 8, 8], &inputs, 2, &device).unwrap());
        for input in [X0, X1, Xt, T] {
            let listens = inputs.contains(&input);
            let change = |a: DiagonalGaussian, b: DiagonalGaussian| difference(a.mean, b.mean);
            let of_points =
                change(of_points.forward(&points(None)), of_points.forward(&points(Some(input))));
            let of_images =
                change(of_images.forward(&images(None)), of_images.forward(&images(Some(input))));
            assert_eq!(of_points > 0.0, listens, "points, {inputs:?}: {input:?} moves {of_points}");
            assert_eq!(of_images > 0.0, listens, "images, {inputs:?}: {input:?} moves {of_images}");
        }
    }
}

#[test]
fn the_section_of_an_encoder_builds_it_for_the_rows_and_the_latent_of_the_network() {
    let device = Device::flex();
    let inputs = [PosteriorInput::X1, PosteriorInput::T];
    let latents = |shape: &[usize]| Signature { latent: 3, ..Signature::of(shape) };
    let points = EncoderConfig::Mlp(PointEncoderConfig::default());
    let images = EncoderConfig::Conv(ImageEncoderConfig::default());
    for (encoder, shape, rows) in [(&points, &[2][..], 2), (&images, &[3, 8, 12], 288)] {
        let posterior = encoder.build(&latents(shape), &inputs, 6, &device).unwrap();
        assert_eq!(posterior.latent(), 3);
        let x = ramp([4, rows], &device);
        let seen = PathPoints { x0: x.clone(), x1: x.clone(), x_t: x, t: ramp([4], &device) };
        assert_eq!(posterior.forward(&seen).mean.dims(), [4, 3]);
    }
    for (encoder, shape, words) in [
        (
            &points,
            &[3, 8, 12][..],
            "the encoder mlp (conv is that of images) takes points, [d], rows have the shape [3, 8",
        ),
        (
            &images,
            &[2],
            "the encoder conv (mlp is that of points) takes images, [channels, height, width], rows",
        ),
    ] {
        let error = encoder.build(&latents(shape), &inputs, 6, &device).unwrap_err().to_string();
        assert!(error.starts_with(words), "{error}");
    }
}
