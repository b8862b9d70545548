//! From noise to samples, and one call of a network on the way; no tape is kept.

use std::hint::black_box;
use std::sync::Arc;

use flow_nn::{Condition, Network, Time, parameter_count};
use flow_ode::Method;
use flow_path::{Linear, Prediction};
use flow_sample::{Ode, Sampler, Trained, Way, prior};

use crate::network::Counted;
use crate::{Work, device, network, noise};

/// Steps of Euler's method.
const STEPS: usize = 10;

/// Points in the plane from the MLP.
#[must_use]
pub fn points(count: usize) -> Work {
    euler(network::mlp(2), count)
}

/// Images of 8x8 pixels from the U-Net.
#[must_use]
pub fn digits(count: usize) -> Work {
    euler(network::unet(8, network::CHANNELS), count)
}

/// One call of the U-Net on a batch of images of `size` pixels.
#[must_use]
pub fn unet_forward(size: usize) -> Work {
    forward(network::unet(size, network::CHANNELS), network::IMAGES)
}

/// One call of the transformer S on images of `size` pixels in patches of `patch`.
#[must_use]
pub fn dit_forward(size: usize, patch: usize) -> Work {
    forward(network::dit(size, patch), network::images_of(size, patch))
}

fn forward(Counted { network, products }: Counted, images: usize) -> Work {
    let x = noise::tensor([images, network.signature().size()], 1);
    let t = noise::tensor([images], 2);
    let parameters = parameter_count(&network);
    let run = move || {
        black_box(network.forward(x.clone(), Time::at(t.clone()), &Condition::none()));
    };
    Work::new(run).with_parameters(parameters).with_products(products * images as f64)
}

fn euler(Counted { network, products }: Counted, count: usize) -> Work {
    let products = products * (count * STEPS) as f64;
    let parameters = parameter_count(&network);
    let sampler = Ode::on_grid(Method::Euler);
    let run = move || {
        let predictor = Trained {
            network: &network,
            condition: Condition::none(),
            schedule: Arc::new(Linear { sigma_min: 0.0 }),
            prediction: Prediction::Velocity,
        };
        let size = network.signature().size();
        let x0 = prior(0, 0..count, size, &predictor, &device());
        let generated =
            sampler.sample(&predictor, x0, &Way::steps(STEPS)).expect("a fixed grid always ends");
        black_box(generated.x.into_data());
    };
    Work::new(run).with_parameters(parameters).with_steps(STEPS).with_products(products)
}
