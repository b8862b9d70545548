//! Conjugate gradients, one system for each row.

use burn::tensor::Tensor;

/// `B M^-1 b` for each row, from products with `M` and `B` at the same vector.
///
/// At least one iteration is made. `M` is symmetric and positive, `[B, m]` in and out; `apply`
/// gives `(M p, B p)`. The solution is a sum of search directions, so its image is the sum of
/// theirs and `M^-1 b` need not be formed. A row that is solved, or whose `M` turns out not to be
/// positive in a direction, stays as it is.
///
/// # Reference
/// Hestenes & Stiefel (1952), "Methods of Conjugate Gradients for Solving Linear Systems".
pub(super) fn solved(
    b: Tensor<2>,
    iterations: usize,
    mut apply: impl FnMut(&Tensor<2>) -> (Tensor<2>, Tensor<2>),
) -> Tensor<2> {
    let dot = |a: &Tensor<2>, b: &Tensor<2>| (a.clone() * b.clone()).sum_dim(1); // [B, 1]
    let mut squares = dot(&b, &b);
    let (mut p, mut residual, mut image) = (b.clone(), b, None);
    for _ in 0..iterations.max(1) {
        let (moved, direction) = apply(&p);
        let length = quotient(&squares, &dot(&p, &moved));
        let part = direction * length.clone();
        image = Some(match image {
            None => part,
            Some(sum) => sum + part,
        });
        residual = residual - moved * length;
        let before = squares;
        squares = dot(&residual, &residual);
        p = residual.clone() + p * quotient(&squares, &before);
    }
    image.expect("there is one iteration at least")
}

/// `a / b` where `b` is positive, 0 elsewhere.
fn quotient(a: &Tensor<2>, b: &Tensor<2>) -> Tensor<2> {
    let none = b.clone().lower_equal_elem(0.0);
    (a.clone() / b.clone().mask_fill(none.clone(), 1.0)).mask_fill(none, 0.0)
}
