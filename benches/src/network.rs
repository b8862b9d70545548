//! The networks: those of the recipes, without classes.

use flow_nn::{
    DitConfig, DynNetwork, MlpConfig, NetworkConfig, Signature, UNetConfig, init_seeded,
};

use crate::device;

/// Images in a batch of a U-Net.
pub const IMAGES: usize = 64;

/// Channels of a U-Net at its full resolution.
pub const CHANNELS: usize = 32;

/// A network, and the products that it takes for a row on its way forward.
#[derive(Debug)]
pub struct Counted {
    /// The network.
    pub network: DynNetwork,
    /// Products of two numbers, each added to a sum.
    pub products: f64,
}

/// Three hidden layers of 256 for points of `dim` numbers.
#[must_use]
pub fn mlp(dim: usize) -> Counted {
    drawn(&MlpConfig::default(), &Signature::of([dim]))
}

/// A U-Net of so many channels for square images of 8, 28 or 32 pixels, with attention at 4, 7
/// or 8.
///
/// # Panics
/// For another size.
#[must_use]
pub fn unet(size: usize, channels: usize) -> Counted {
    let attention = match size {
        8 => 4,
        28 => 7,
        32 => 8,
        _ => panic!("expected images of 8, 28 or 32 pixels, got {size}"),
    };
    let attention = vec![attention];
    let config = UNetConfig { channels, attention, ..UNetConfig::default() };
    drawn(&config, &Signature::of(image(size)))
}

/// The U-Net of the recipe `digits`, told a vector of so many numbers and perhaps a second time.
#[must_use]
pub fn digits(vector: usize, two_times: bool) -> Counted {
    let config = UNetConfig { attention: vec![4], ..UNetConfig::default() };
    let signature = Signature { classes: 10, vector, two_times, ..Signature::of(image(8)) };
    drawn(&config, &signature)
}

/// A transformer of the size S with patches of so many pixels, for square images of `size` pixels.
#[must_use]
pub fn dit(size: usize, patch: usize) -> Counted {
    drawn(&DitConfig::s(patch), &Signature::of(image(size)))
}

/// Images in a batch of a transformer: the more tokens, the fewer.
#[must_use]
pub fn images_of(size: usize, patch: usize) -> usize {
    (1024 * patch * patch / (size * size)).clamp(1, 16)
}

/// Shape `[C, H, W]` of an image: grey, but for those of 32 and 64 pixels, as in the known data
/// sets.
#[must_use]
pub fn image(size: usize) -> [usize; 3] {
    [if 32 <= size { 3 } else { 1 }, size, size]
}

fn drawn<C: NetworkConfig>(config: &C, signature: &Signature) -> Counted {
    let network =
        init_seeded(0, &device(), |device| config.init(signature, device).map(DynNetwork::new))
            .expect("the sizes above fit together");
    Counted { network, products: config.footprint(signature).products }
}

#[cfg(test)]
mod tests {
    use flow_nn::parameter_count;

    use super::*;

    /// Counts of `peers/networks.py`.
    #[test]
    fn networks_have_as_many_parameters_as_in_pytorch() {
        assert_eq!(parameter_count(&mlp(2).network), 157_570);
        assert_eq!(parameter_count(&unet(8, CHANNELS).network), 1_191_233);
        assert_eq!(parameter_count(&unet(28, CHANNELS).network), 1_191_233);
        assert_eq!(parameter_count(&unet(32, CHANNELS).network), 1_192_387);
        assert_eq!(parameter_count(&dit(28, 4).network), 32_474_512);
    }
}
