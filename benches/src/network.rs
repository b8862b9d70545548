//! The networks: those of the recipes, without classes.

use flow_nn::{Mlp, MlpConfig, NetworkError, UNet, UNetConfig, init_seeded};

use crate::device;

/// Images in a batch of a U-Net.
pub const IMAGES: usize = 64;

/// Three hidden layers of 256 for points in the plane.
#[must_use]
pub fn mlp() -> Mlp {
    let config = MlpConfig::default();
    init_seeded::<_, NetworkError>(0, &device(), |device| config.init(device))
        .expect("the default sizes fit together")
}

/// A U-Net for square images of 8, 28 or 32 pixels, with attention at 4, 7 or 8.
///
/// # Panics
/// For another size.
#[must_use]
pub fn unet(size: usize) -> UNet {
    let attention = match size {
        8 => 4,
        28 => 7,
        32 => 8,
        _ => panic!("expected images of 8, 28 or 32 pixels, got {size}"),
    };
    let [image_channels, ..] = image(size);
    let config =
        UNetConfig { image_channels, size, attention: vec![attention], ..UNetConfig::default() };
    init_seeded::<_, NetworkError>(0, &device(), |device| config.init(device))
        .expect("32 channels divide into 8 groups, and each size halves twice")
}

/// Shape `[C, H, W]` of an image: grey, but for those of 32 pixels, as in the known data sets.
#[must_use]
pub fn image(size: usize) -> [usize; 3] {
    [if size == 32 { 3 } else { 1 }, size, size]
}
