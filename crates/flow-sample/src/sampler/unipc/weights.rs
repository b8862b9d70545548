//! The weights of a UniPC step.

/// The `rho` with `sum_k rho_k r_k^{j - 1} = b_j` for `j = 1, .., n`; 1/2 for `n = 1`.
///
/// They make a step exact for predictions that are polynomials in `lambda`. The sum
/// `sum_k rho_k p(r_k)` over a polynomial `p` is then known from the coefficients of `p`, and the
/// Lagrange polynomial that is 1 at `r_k` and 0 at the other nodes gives `rho_k`.
pub(super) fn weights(r: &[f64], h: f64) -> Vec<f64> {
    if r.len() < 2 {
        return vec![0.5; r.len()];
    }
    let moments = moments(r.len(), h);
    let weight = |k: usize| {
        let basis = lagrange(r, k);
        basis.iter().zip(&moments).map(|(a, b)| a * b).sum()
    };
    (0..r.len()).map(weight).collect()
}

/// `b_1, .., b_n`: the means of `u^j` under the density of `u` in `[0, 1]` proportional to
/// `e^{h u}`.
///
/// `b_j = c_j j! / (e^{-h} - 1)` with `c_1 = (e^{-h} - 1) / (-h) - 1` and
/// `c_{j + 1} = c_j / (-h) - 1 / (j + 1)!`.
fn moments(n: usize, h: f64) -> Vec<f64> {
    let scale = (-h).exp_m1();
    let (mut c, mut factorial) = (scale / -h - 1.0, 1.0);
    let mut moments = Vec::with_capacity(n);
    for j in 1..=n {
        moments.push(c * factorial / scale);
        factorial *= (j + 1) as f64;
        c = c / -h - factorial.recip();
    }
    moments
}

/// Coefficients, lowest first, of the polynomial that is 1 at `r[k]` and 0 at the other nodes.
fn lagrange(r: &[f64], k: usize) -> Vec<f64> {
    let mut coefficients = vec![1.0];
    for (_, node) in r.iter().enumerate().filter(|(m, _)| *m != k) {
        // Times (z - node) / (r_k - node).
        coefficients.push(0.0);
        for j in (0..coefficients.len()).rev() {
            let lower = if j == 0 { 0.0 } else { coefficients[j - 1] };
            coefficients[j] = (lower - node * coefficients[j]) / (r[k] - node);
        }
    }
    coefficients
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_satisfy_their_conditions() {
        let (r, h) = ([-2.1, -0.9, 1.0], 0.4);
        let rho = weights(&r, h);
        for (j, b) in moments(3, h).into_iter().enumerate() {
            let sum: f64 = r.iter().zip(&rho).map(|(r, rho)| rho * r.powi(j as i32)).sum();
            // Three terms of size one or two, divided by differences of about one.
            assert!((sum - b).abs() < 1e-13, "condition {j}: {sum} is not {b}");
        }
    }

    #[test]
    fn moments_are_means_under_the_exponential_density() {
        let (h, panels) = (0.7_f64, 1000);
        for (j, b) in (1..).zip(moments(3, h)) {
            let density = |u: f64| h * (h * u).exp() / h.exp_m1();
            let middle = |k: i32| (f64::from(k) + 0.5) / f64::from(panels);
            let sum: f64 = (0..panels).map(middle).map(|u| u.powi(j) * density(u)).sum();
            // The midpoint rule errs by f'' / 24 of a squared panel, below 1e-6.
            assert!((sum / f64::from(panels) - b).abs() < 1e-6, "moment {j}");
        }
    }
}
