//! Rosenbrock methods: implicit in the linear part of the field, without iterations.

use super::{ErrorEstimate, Interpolant};

/// A Rosenbrock method, for stiff problems: each stage solves a linear system with the Jacobian
/// `J = df/dy` in place of the nonlinear one of an implicit Runge-Kutta method.
///
/// ```text
/// (I / gamma - h J) k_i = f(t + c_i h, y + h sum_{j<i} a_ij k_j)
///                         + sum_{j<i} c_ij k_j + h gamma_i df/dt          i = 1..s
/// y(t + h) = y + h sum_i b_i k_i
/// ```
///
/// All stages share one matrix, hence one factorization a step. The order rests on `J` and `df/dt`
/// being those at the start of the step.
///
/// # Reference
/// Hairer & Wanner (1996), "Solving Ordinary Differential Equations II", second edition, section
/// IV.7; the form without products `J k` is equation 7.25 there.
///
/// ```
/// use flow_ode::tableau::RODAS5P;
/// assert_eq!(RODAS5P.stages(), 8);
/// assert!((RODAS5P.c[1] - 3.0 * RODAS5P.gamma).abs() < 1e-15);
/// ```
#[derive(Debug)]
pub struct Rosenbrock {
    /// The name that [`Method`](crate::Method) prints and parses.
    pub name: &'static str,
    /// Order of the propagated formula.
    pub order: u32,
    /// The diagonal coefficient `gamma`, the same in every stage.
    pub gamma: f64,
    /// Nodes `c_i`.
    pub c: &'static [f64],
    /// Weights `gamma_i` of the derivative of the field in time.
    pub time: &'static [f64],
    /// Rows `a_ij` of what the field is evaluated at, row `i` with `i` entries, the first empty.
    pub a: &'static [&'static [f64]],
    /// Rows `c_ij` of what joins the right-hand side, row `i` with `i` entries, the first empty.
    pub shifts: &'static [&'static [f64]],
    /// Weights `b_i`.
    pub b: &'static [f64],
    /// How the local error is estimated. The weights count from the slope at the start of the
    /// step, which has none, before the stages.
    pub error: ErrorEstimate,
    /// How values inside a step are found, with the rows of the weights counted alike.
    pub interpolant: Interpolant,
}

impl Rosenbrock {
    /// Number of stages `s`, which is that of evaluations in a step, without those that find the
    /// Jacobian and the derivative in time.
    ///
    /// ```
    /// assert_eq!(flow_ode::tableau::RODAS5P.stages(), 8);
    /// ```
    #[must_use]
    pub fn stages(&self) -> usize {
        self.c.len()
    }
}

/// Rodas5P 5(4): eight stages, stable for every decay (L-stable), and of little order reduction on
/// stiff problems such as discretised parabolic equations.
///
/// The last stage is the difference to the companion of order 4, and values inside a step are of
/// order 4.
///
/// # Reference
/// Steinebach (2023), "Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks
/// within the Julia Differential Equations package", BIT Numerical Mathematics 63, article 27.
pub static RODAS5P: Rosenbrock = Rosenbrock {
    name: "rodas5p",
    order: 5,
    gamma: 0.21193756319429014,
    c: &[
        0.0,
        0.6358126895828704,
        0.4095798393397535,
        0.9769306725060716,
        0.4288403609558664,
        1.0,
        1.0,
        1.0,
    ],
    time: &[
        0.21193756319429014,
        -0.42387512638858027,
        -0.3384627126235924,
        1.8046452872882734,
        2.325825639765069,
        0.0,
        0.0,
        0.0,
    ],
    a: &[
        &[],
        &[3.0],
        &[2.849394379747939, 0.45842242204463923],
        &[-6.954028509809101, 2.489845061869568, -10.358996098473584],
        &[2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641],
        LAST,
        &[LAST[0], LAST[1], LAST[2], LAST[3], LAST[4], 1.0],
        &[LAST[0], LAST[1], LAST[2], LAST[3], LAST[4], 1.0, 1.0],
    ],
    shifts: &[
        &[],
        &[-14.155112264123755],
        &[-17.97296035885952, -2.859693295451294],
        &[147.12150275711716, -1.41221402718213, 71.68940251302358],
        &[165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306],
        &[
            24.854864614690072,
            -3.0009227002832186,
            47.4931110020768,
            5.5814197821558125,
            -0.6610691825249471,
        ],
        &[
            30.91273214028599,
            -3.1208243349937974,
            77.79954646070892,
            34.28646028294783,
            -19.097331116725623,
            -28.087943162872662,
        ],
        &[
            37.80277123390563,
            -3.2571969029072276,
            112.26918849496327,
            66.9347231244047,
            -40.06618937091002,
            -54.66780262877968,
            -9.48861652309627,
        ],
    ],
    b: &B,
    error: ErrorEstimate::Embedded {
        order: 4,
        weights: &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        shampine: 1.0,
    },
    interpolant: Interpolant::Polynomial {
        order: 4,
        weights: &[
            &[],
            &DENSE[0],
            &DENSE[1],
            &DENSE[2],
            &DENSE[3],
            &DENSE[4],
            &DENSE[5],
            &DENSE[6],
            &DENSE[7],
        ],
    },
};

/// What the last three stages and the result have in common.
const LAST: &[f64] = &[
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
];

const B: [f64; 8] = [LAST[0], LAST[1], LAST[2], LAST[3], LAST[4], 1.0, 1.0, 1.0];

/// Rows `i` of `p_i` in
/// `y(t + theta h) = y + h sum_i (theta b_i + theta (1 - theta) p_i(theta)) k_i` with
/// `p_i(theta) = H_1i + H_2i theta + H_3i theta^2`.
const H: [[f64; 8]; 3] = [
    [
        25.948786856663858,
        -2.5579724845846235,
        10.433815404888879,
        -2.3679251022684204,
        0.524948541321073,
        1.1241088310450404,
        0.4272876194431874,
        -0.17202221070155493,
    ],
    [
        -9.91568850695171,
        -0.9689944594115154,
        3.0438037242978453,
        -24.495224566215796,
        20.176138334709044,
        15.98066361424651,
        -6.789040303419874,
        -6.710236069923372,
    ],
    [
        11.419903575922262,
        2.8879645146136994,
        72.92137995996029,
        80.12511834622643,
        -52.072871366152654,
        -59.78993625266729,
        -0.15582684282751913,
        4.883087185713722,
    ],
];

/// The same as powers of `theta`, from the first on.
static DENSE: [[f64; 4]; 8] = {
    let mut rows = [[0.0; 4]; 8];
    let mut i = 0;
    while i < 8 {
        let [p, q, r] = [H[0][i], H[1][i], H[2][i]];
        rows[i] = [B[i] + p, q - p, r - q, -r];
        i += 1;
    }
    rows
};
