//! Scores of images against the images that they should equal.

pub(crate) mod psnr;
pub(crate) mod ssim;
