//! Values of keys that are left out.

pub(super) fn tenth() -> f64 {
    0.1
}

pub(super) fn twentieth() -> f64 {
    0.05
}

pub(super) fn half() -> f64 {
    0.5
}

pub(super) fn nine_tenths() -> f64 {
    0.9
}

pub(super) fn one() -> f64 {
    1.0
}

pub(super) fn edm_mean() -> f64 {
    -1.2
}

pub(super) fn edm_std() -> f64 {
    1.2
}
