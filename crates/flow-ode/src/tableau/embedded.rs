//! Embedded pairs for step control: two formulas of different order share their stages.

use super::{ErrorEstimate, Interpolant, Tableau};

/// Bogacki-Shampine 3(2): three evaluations a step, for loose tolerances.
///
/// # Reference
/// Bogacki & Shampine (1989), "A 3(2) pair of Runge-Kutta formulas", Applied Mathematics Letters 2.
pub static BOSH3: Tableau = Tableau {
    name: "bosh3",
    order: 3,
    c: &[0.0, 1.0 / 2.0, 3.0 / 4.0, 1.0],
    a: &[&[], &[1.0 / 2.0], &[0.0, 3.0 / 4.0], &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0]],
    b: &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0, 0.0],
    error: ErrorEstimate::Embedded {
        order: 2,
        weights: &[-5.0 / 72.0, 1.0 / 12.0, 1.0 / 9.0, -1.0 / 8.0],
        shampine: 1.0,
    },
    interpolant: Interpolant::Hermite,
    fsal: true,
};

/// Fehlberg 4(5): propagates the order-4 formula, estimates with order 5.
///
/// # Reference
/// Fehlberg (1969), "Low-order classical Runge-Kutta formulas with stepsize control and their
/// application to some heat transfer problems", NASA Technical Report R-315.
pub static FEHLBERG45: Tableau = Tableau {
    name: "fehlberg45",
    order: 4,
    c: &[0.0, 1.0 / 4.0, 3.0 / 8.0, 12.0 / 13.0, 1.0, 1.0 / 2.0],
    a: &[
        &[],
        &[1.0 / 4.0],
        &[3.0 / 32.0, 9.0 / 32.0],
        &[1932.0 / 2197.0, -7200.0 / 2197.0, 7296.0 / 2197.0],
        &[439.0 / 216.0, -8.0, 3680.0 / 513.0, -845.0 / 4104.0],
        &[-8.0 / 27.0, 2.0, -3544.0 / 2565.0, 1859.0 / 4104.0, -11.0 / 40.0],
    ],
    b: &[25.0 / 216.0, 0.0, 1408.0 / 2565.0, 2197.0 / 4104.0, -1.0 / 5.0, 0.0],
    error: ErrorEstimate::Embedded {
        order: 5,
        weights: &[-1.0 / 360.0, 0.0, 128.0 / 4275.0, 2197.0 / 75240.0, -1.0 / 50.0, -2.0 / 55.0],
        shampine: 1.0,
    },
    interpolant: Interpolant::Hermite,
    fsal: false,
};

/// Cash-Karp 5(4): six evaluations a step.
///
/// # Reference
/// Cash & Karp (1990), "A variable order Runge-Kutta method for initial value problems with rapidly
/// varying right-hand sides", ACM Transactions on Mathematical Software 16.
pub static CASH_KARP: Tableau = Tableau {
    name: "cash_karp",
    order: 5,
    c: &[0.0, 1.0 / 5.0, 3.0 / 10.0, 3.0 / 5.0, 1.0, 7.0 / 8.0],
    a: &[
        &[],
        &[1.0 / 5.0],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[3.0 / 10.0, -9.0 / 10.0, 6.0 / 5.0],
        &[-11.0 / 54.0, 5.0 / 2.0, -70.0 / 27.0, 35.0 / 27.0],
        &[1631.0 / 55296.0, 175.0 / 512.0, 575.0 / 13824.0, 44275.0 / 110592.0, 253.0 / 4096.0],
    ],
    b: &[37.0 / 378.0, 0.0, 250.0 / 621.0, 125.0 / 594.0, 0.0, 512.0 / 1771.0],
    error: ErrorEstimate::Embedded {
        order: 4,
        weights: &[
            -277.0 / 64512.0,
            0.0,
            6925.0 / 370944.0,
            -6925.0 / 202752.0,
            -277.0 / 14336.0,
            277.0 / 7084.0,
        ],
        shampine: 1.0,
    },
    interpolant: Interpolant::Hermite,
    fsal: false,
};

/// Dormand-Prince 5(4): the usual default of ODE codes; a free interpolant of order 4.
///
/// The error weights are Hairer's; Shampine's, chosen by [`ErrorWeights::Shampine`], are two thirds
/// of them.
///
/// # Reference
/// Dormand & Prince (1980), "A family of embedded Runge-Kutta formulae", Journal of Computational
/// and Applied Mathematics 6; interpolant: Shampine (1986), "Some Practical Runge-Kutta Formulas",
/// Mathematics of Computation 46.
///
/// [`ErrorWeights::Shampine`]: crate::ErrorWeights::Shampine
pub static DOPRI5: Tableau = Tableau {
    name: "dopri5",
    order: 5,
    c: &[0.0, 1.0 / 5.0, 3.0 / 10.0, 4.0 / 5.0, 8.0 / 9.0, 1.0, 1.0],
    a: &[
        &[],
        &[1.0 / 5.0],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
        &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
        &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
    ],
    b: &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0, 0.0],
    error: ErrorEstimate::Embedded {
        order: 4,
        weights: &[
            71.0 / 57600.0,
            0.0,
            -71.0 / 16695.0,
            71.0 / 1920.0,
            -17253.0 / 339200.0,
            22.0 / 525.0,
            -1.0 / 40.0,
        ],
        shampine: 2.0 / 3.0,
    },
    interpolant: Interpolant::Polynomial {
        order: 4,
        weights: &[
            &[
                1.0,
                -8048581381.0 / 2820520608.0,
                8663915743.0 / 2820520608.0,
                -12715105075.0 / 11282082432.0,
            ],
            &[0.0, 0.0, 0.0, 0.0],
            &[
                0.0,
                131558114200.0 / 32700410799.0,
                -68118460800.0 / 10900136933.0,
                87487479700.0 / 32700410799.0,
            ],
            &[
                0.0,
                -1754552775.0 / 470086768.0,
                14199869525.0 / 1410260304.0,
                -10690763975.0 / 1880347072.0,
            ],
            &[
                0.0,
                127303824393.0 / 49829197408.0,
                -318862633887.0 / 49829197408.0,
                701980252875.0 / 199316789632.0,
            ],
            &[
                0.0,
                -282668133.0 / 205662961.0,
                2019193451.0 / 616988883.0,
                -1453857185.0 / 822651844.0,
            ],
            &[0.0, 40617522.0 / 29380423.0, -110615467.0 / 29380423.0, 69997945.0 / 29380423.0],
        ],
    },
    fsal: true,
};

/// Tsitouras 5(4): as cheap as [`DOPRI5`], about a third of its principal error; a free
/// interpolant of order 4.
///
/// # Reference
/// Tsitouras (2011), "Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying
/// assumption", Computers & Mathematics with Applications 62.
pub static TSIT5: Tableau = Tableau {
    name: "tsit5",
    order: 5,
    c: &[0.0, 161.0 / 1000.0, 327.0 / 1000.0, 9.0 / 10.0, 0.9800255409045097, 1.0, 1.0],
    a: &[
        &[],
        &[161.0 / 1000.0],
        &[-0.008480655492356989, 0.335480655492357],
        &[2.8971530571054935, -6.359448489975075, 4.3622954328695815],
        &[5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525],
        &[
            5.86145544294642,
            -12.92096931784711,
            8.159367898576159,
            -0.071584973281401,
            -0.028269050394068383,
        ],
        &[
            0.09646076681806523,
            1.0 / 100.0,
            0.4798896504144996,
            1.379008574103742,
            -3.290069515436081,
            2.324710524099774,
        ],
    ],
    b: &[
        0.09646076681806523,
        1.0 / 100.0,
        0.4798896504144996,
        1.379008574103742,
        -3.290069515436081,
        2.324710524099774,
        0.0,
    ],
    error: ErrorEstimate::Embedded {
        order: 4,
        weights: &[
            0.0017800110522257714,
            0.0008164344596567469,
            -0.007880878010261995,
            0.1447110071732629,
            -0.5823571654525552,
            0.45808210592918697,
            -1.0 / 66.0,
        ],
        shampine: 2.0 / 3.0,
    },
    interpolant: Interpolant::Polynomial {
        order: 4,
        weights: &[
            &[1.0, -2.763706197274826, 2.9132554618219126, -1.0530884977290216],
            &[0.0, 0.13169999999999998, -0.2234, 1017.0 / 10000.0],
            &[0.0, 3.9302962368947516, -5.941033872131505, 2.490627285651253],
            &[0.0, -12.411077166933676, 30.33818863028232, -16.548102889244902],
            &[0.0, 37.50931341651104, -88.1789048947664, 47.37952196281928],
            &[0.0, -27.896526289197286, 65.09189467479366, -34.87065786149661],
            &[0.0, 3.0 / 2.0, -4.0, 5.0 / 2.0],
        ],
    },
    fsal: true,
};
