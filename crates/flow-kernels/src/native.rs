//! Where products are made in which precision.

use burn::tensor::Device;

use crate::Precision;

impl Precision {
    /// Whether products on this device are made in this precision. Those of [`Bf16`](Self::Bf16)
    /// are on burn-flex, built with the feature `flex`, on x86 with `avx512_bf16`, faster with
    /// `amx_bf16`; elsewhere operands are not rounded.
    #[must_use]
    pub fn is_native_to(self, device: &Device) -> bool {
        match self {
            Self::F32 => true,
            Self::Bf16 => has_bf16(device),
        }
    }
}

#[cfg(feature = "flex")]
fn has_bf16(device: &Device) -> bool {
    *device == Device::flex() && crate::flex::has_bf16()
}

#[cfg(not(feature = "flex"))]
fn has_bf16(_: &Device) -> bool {
    false
}
