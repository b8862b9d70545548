//! Group normalisation with a scale and a shift per channel, and an activation.

use burn::tensor::Tensor;

use crate::Activation;

/// Normalises each group of channels, scales and shifts each channel, applies an activation.
///
/// `y = act(scale[b, c] x_hat + shift[b, c])` with `x_hat = (x - mean) / sqrt(var + epsilon)`,
/// where mean and (biased) variance run over the `C / groups` channels and all pixels of one group
/// in one sample. With a scale and shift per sample this is adaptive group normalisation (FiLM).
///
/// For `g = dL/dy` and `z` the argument of the activation, `dz = g act'(z)` gives
///
/// - `dL/dscale[b, c] = sum_pixels dz x_hat`, `dL/dshift[b, c] = sum_pixels dz`, summed over `b`
///   for a scale or shift shared by the batch;
/// - `dL/dx = (scale dz - <scale dz> - x_hat <scale dz x_hat>) / sqrt(var + epsilon)`, `<.>` being
///   the mean over the group.
///
/// # Shapes
/// `x` and the result: `[B, C, H, W]`; `scale` and `shift`: `[B, C]` or `[1, C]`.
///
/// # Panics
/// If `groups` does not divide `C` or `scale` or `shift` has another shape.
///
/// # Reference
/// Wu & He (2018), "Group Normalization", arXiv:1803.08494; Perez et al. (2017), "FiLM: Visual
/// Reasoning with a General Conditioning Layer", arXiv:1709.07871.
#[must_use]
pub fn group_norm_act(
    x: Tensor<4>,
    groups: usize,
    epsilon: f64,
    scale: Tensor<2>,
    shift: Tensor<2>,
    act: Activation,
) -> Tensor<4> {
    let [b, c, _, _] = x.dims();
    assert!(
        0 < groups && c.is_multiple_of(groups),
        "group_norm_act: {groups} groups do not divide {c} channels"
    );
    for (name, dims) in [("scale", scale.dims()), ("shift", shift.dims())] {
        assert!(
            dims == [b, c] || dims == [1, c],
            "group_norm_act: expected {name} of shape [{b}, {c}] or [1, {c}], got {dims:?}"
        );
    }
    #[cfg(feature = "flex")]
    if crate::flex::runs(&x) {
        return crate::flex::group_norm_act(x, groups, epsilon, scale, shift, act);
    }
    composition(x, groups, epsilon, scale, shift, act)
}

fn composition(
    x: Tensor<4>,
    groups: usize,
    epsilon: f64,
    scale: Tensor<2>,
    shift: Tensor<2>,
    act: Activation,
) -> Tensor<4> {
    let [b, c, h, w] = x.dims();
    let x = x.reshape([b, groups, c / groups * h * w]);
    let centred = x.clone() - x.mean_dim(2);
    let var = centred.clone().square().mean_dim(2);
    let x_hat = (centred / (var + epsilon).sqrt()).reshape([b, c, h, w]);
    act.apply(x_hat * scale.unsqueeze_dims(&[2, 3]) + shift.unsqueeze_dims(&[2, 3]))
}
