//! No public function turns awkward numbers into a silent NaN, a hang or an abort.
//!
//! One row for each function that takes numbers; each is called with every awkward set of points,
//! scalar and count. It gives finite numbers, an infinity that its documentation names, or an
//! error.

use flow_eval::{
    Bins, Column, EvalError, Gower, Ground, Kernel, Moments, Points, Ranks, Score, Trajectories,
    association_difference, associations, bootstrap, c2st, cost_at_error, covariance_sqrt,
    density_coverage, energy_distance, floor, frechet, frechet_between, inception_score, kid,
    marginal_distances, max_sliced_wasserstein, mean_log_density, mean_squared_error, memorisation,
    mmd, noise_residual, off_support_mass, parzen_log_likelihood, path_energy, path_length_ratio,
    precision_recall, psnr, sbc, sliced_wasserstein, ssim, straightness, table_coverage, tarp,
    utility, velocity_spread, wasserstein, wasserstein_1d, wasserstein_assignment,
};
use flow_testing::panics::unless_it_says;
use flow_testing::{awkward, public};

/// Rows of each set: enough for the Frechet distance, as many numbers as an image for SSIM.
const ROWS: usize = 24;
const SIDE: usize = 12;

/// Counts that a caller may ask for.
const COUNTS: [usize; 5] = [0, 1, 3, 1 << 40, usize::MAX];

/// What a function is called with.
#[derive(Clone, Copy)]
struct Awkward<'a> {
    /// Rows that may be anything, in the plane.
    rows: &'a [f32],
    /// An ordinary set of as many.
    other: &'a [f32],
    x: f64,
    count: usize,
}

/// The numbers that a function gave.
type Given = Result<Vec<f64>, EvalError>;

impl<'a> Awkward<'a> {
    fn points(&self) -> Result<Points<'a>, EvalError> {
        Points::new(self.rows, 2)
    }

    fn other(&self) -> Result<Points<'a>, EvalError> {
        Points::new(self.other, 2)
    }

    /// A distance of the set to the ordinary one, and the other way round.
    fn distance(
        &self,
        metric: impl Fn(Points<'_>, Points<'_>) -> Result<Score, EvalError>,
    ) -> Given {
        let (a, b) = (self.points()?, self.other()?);
        let (there, back) = (metric(a, b), metric(b, a));
        Ok([numbers(&there?), numbers(&back?), numbers(&metric(a, a)?)].concat())
    }
}

fn numbers(score: &Score) -> Vec<f64> {
    assert!(!score.to_string().contains("NaN"), "{score}");
    [Some(score.value), score.std_error, score.floor].into_iter().flatten().collect()
}

const NUMBERS: [Column; 2] = [Column::Number; 2];

type Row = (&'static str, fn(Awkward<'_>) -> Given);

const TABLE: &[Row] = &[
    ("Points::new", |a| {
        let dims = [a.count, 2];
        dims.iter().try_for_each(|&dim| Points::new(a.rows, dim).map(drop))?;
        Ok(vec![])
    }),
    ("Points::row", |a| {
        let points = a.points()?;
        let row = unless_it_says("range", || points.row(a.count.min(ROWS)));
        Ok(row.into_iter().flatten().map(|&x| f64::from(x)).collect())
    }),
    ("Points::first", |a| Ok(vec![a.points()?.first(a.count).len() as f64])),
    ("Moments::new", |a| {
        let new = || Moments::new(a.count.min(1 << 40)).dim() as f64;
        Ok(unless_it_says("too large for memory", new).into_iter().collect())
    }),
    ("Moments::of", |a| Moments::of(a.points()?).covariance()),
    ("Moments::push", |a| {
        let mut moments = Moments::of(a.other()?);
        moments.push(a.points()?);
        Ok([moments.mean().to_vec(), moments.covariance()?].concat())
    }),
    ("Moments::from_parts", |a| {
        let moments = Moments::from_parts(a.count, &[a.x, 0.0], &[a.x.abs(), 0.0, 0.0, 1.0])?;
        let wide = a.x.abs() * 1e200;
        let [s, t] = [wide, a.x.abs()].map(|x| Moments::from_parts(9, &[0.0], &[x]));
        let (s, t) = (s?, t?);
        let scores = [frechet_between(&s, &s)?, frechet_between(&s, &t)?, frechet_between(&t, &s)?];
        assert!(scores.iter().flat_map(numbers).all(f64::is_finite), "{scores:?}");
        Ok([moments.mean().to_vec(), moments.covariance()?].concat())
    }),
    ("covariance_sqrt", |a| {
        covariance_sqrt(&[a.x], a.count)?;
        covariance_sqrt(&[a.x, 0.0, 0.0, 1.0], 2)
    }),
    ("frechet", |a| a.distance(frechet)),
    ("energy_distance", |a| a.distance(energy_distance)),
    ("wasserstein_assignment", |a| a.distance(wasserstein_assignment)),
    ("sliced_wasserstein", |a| {
        a.distance(|x, y| sliced_wasserstein(x, y, 4, 0))?;
        a.distance(|x, y| sliced_wasserstein(x, y, a.count, 0))
    }),
    ("max_sliced_wasserstein", |a| {
        a.distance(|x, y| max_sliced_wasserstein(x, y, 4, 0))?;
        a.distance(|x, y| max_sliced_wasserstein(x, y, a.count, 0))
    }),
    ("wasserstein_1d", |a| {
        let mut given = Vec::new();
        for p in [a.x, 1.0, 2.0, 2000.0, 1e300] {
            given.extend(numbers(&wasserstein_1d(a.rows, a.other, p)?));
        }
        Ok(given)
    }),
    ("mmd", |a| {
        let gaussian = Kernel::Gaussian { bandwidths: vec![1.0, a.x] };
        let cubic = Kernel::Polynomial { degree: 3 };
        let steep = Kernel::Polynomial { degree: a.count as u32 };
        // Each is asked, whichever of them refuses.
        let given = [&cubic, &gaussian, &steep].map(|kernel| a.distance(|x, y| mmd(x, y, kernel)));
        given.into_iter().collect::<Result<Vec<_>, _>>().map(|given| given.concat())
    }),
    ("Kernel::up_to_median", |a| {
        let Kernel::Gaussian { bandwidths } = Kernel::up_to_median(a.points()?)? else {
            return Ok(vec![]);
        };
        Ok(bandwidths)
    }),
    ("kid", |a| {
        a.distance(|x, y| kid(x, y, 4, 0))?;
        a.distance(|x, y| kid(x, y, a.count, 0))
    }),
    ("precision_recall", |a| {
        let (points, other) = (a.points()?, a.other()?);
        precision_recall(points, other, a.count)?;
        let found = precision_recall(points, other, 3)?;
        Ok([numbers(&found.precision), numbers(&found.recall)].concat())
    }),
    ("density_coverage", |a| {
        let (points, other) = (a.points()?, a.other()?);
        density_coverage(points, other, a.count)?;
        let found = density_coverage(points, other, 3)?;
        Ok([numbers(&found.density), numbers(&found.coverage)].concat())
    }),
    ("inception_score", |a| {
        let even: Vec<f32> = a.rows.iter().flat_map(|x| [0.5 + x, 0.5 - x]).collect();
        let scores =
            [inception_score(Points::new(&even, 2)?), a.points().and_then(inception_score)];
        scores.into_iter().map(|score| Ok(numbers(&score?))).collect::<Result<Vec<_>, _>>()?;
        Ok(vec![])
    }),
    ("wasserstein", |a| {
        let grounds = [Ground::Manhattan, Ground::Euclidean, Ground::SquaredEuclidean];
        let given = grounds.map(|ground| {
            // Sets of two sizes too.
            wasserstein(a.points()?.first(7), a.other()?, ground)?;
            a.distance(|x, y| wasserstein(x, y, ground))
        });
        given.into_iter().collect::<Result<Vec<_>, _>>().map(|given| given.concat())
    }),
    ("c2st", |a| {
        // Each takes a training, so that one of the counts is enough.
        if a.count != 3 || a.x.total_cmp(&1.0).is_ne() {
            return Ok(vec![]);
        }
        a.distance(|x, y| c2st(x, y, 0))
    }),
    ("Gower::fit", |a| {
        let categories = Gower::fit(a.points()?, &[Column::Category(a.count), Column::Number]);
        assert!(categories.is_err() || categories.is_ok_and(|gower| 1 < gower.dim()));
        Ok(vec![Gower::fit(a.points()?, &NUMBERS)?.dim() as f64])
    }),
    ("Gower::embed", |a| {
        let gower = Gower::fit(a.other()?, &NUMBERS)?;
        Ok(gower.embed(a.points()?)?.into_iter().map(f64::from).collect())
    }),
    ("table_coverage", |a| {
        a.distance(|x, y| table_coverage(x, y, 3))?;
        a.distance(|x, y| table_coverage(x, y, a.count))
    }),
    ("marginal_distances", |a| {
        let mixed = [Column::Number, Column::Category(a.count)];
        let found = marginal_distances(a.points()?, a.other()?, &mixed);
        assert!(found.is_err() || found.is_ok_and(|found| found.len() == 2));
        let found = marginal_distances(a.points()?, a.other()?, &NUMBERS)?;
        Ok(found.iter().flat_map(numbers).collect())
    }),
    ("associations", |a| {
        let mixed = associations(a.points()?, &[Column::Number, Column::Category(a.count)]);
        assert!(mixed.is_err() || mixed.is_ok_and(|found| found.len() == 4));
        associations(a.points()?, &NUMBERS)
    }),
    ("utility", |a| {
        let (points, other) = (a.points()?, a.other()?);
        let mixed = [Column::Number, Column::Category(a.count)];
        let found = utility(points, other, other, &mixed);
        assert!(found.is_err() || found.is_ok_and(|score| score.value.is_finite()));
        a.distance(|x, y| utility(x, y, y, &NUMBERS))
    }),
    ("association_difference", |a| a.distance(|x, y| association_difference(x, y, &NUMBERS))),
    ("memorisation", |a| {
        let (points, other) = (a.points()?, a.other()?);
        let found = [
            memorisation(points, other, other)?,
            memorisation(other, points, other)?,
            memorisation(other, other, points)?,
        ];
        Ok(found.iter().flat_map(|m| [numbers(&m.distance), numbers(&m.nearer)].concat()).collect())
    }),
    ("sbc", |a| {
        let found = sbc(a.other()?, a.points()?, 0)?;
        Ok(found.iter().flat_map(|ranks| numbers(&ranks.deviation("SBC", 0))).collect())
    }),
    ("tarp", |a| {
        let there = tarp(a.other()?, a.points()?, 0)?;
        let back = tarp(a.points()?, a.other()?, 0)?;
        Ok([there, back].iter().flat_map(|ranks| numbers(&ranks.deviation("TARP", 0))).collect())
    }),
    ("Ranks::new", |a| {
        let ranks = Ranks::new(vec![0, 1], a.count)?;
        Ok(numbers(&ranks.deviation("SBC", 0)))
    }),
    ("Ranks::histogram", |a| {
        let ranks = Ranks::new(vec![0, 2, 3], 3)?;
        let found = unless_it_says("bins, got", || ranks.histogram(a.count));
        Ok(found.into_iter().flatten().map(|n| n as f64).collect())
    }),
    ("Ranks::histogram_within", |a| {
        let ranks = Ranks::new(vec![0, 2, 3], 3)?;
        unless_it_says("bins, got", || ranks.histogram_within(a.count, 0.5));
        unless_it_says("level must be in (0, 1)", || ranks.histogram_within(2, a.x));
        Ok(vec![])
    }),
    ("Ranks::bands", |a| {
        let ranks = Ranks::new(vec![0, 2, 3], 3)?;
        let bands = unless_it_says("level must be in (0, 1)", || ranks.bands(a.x, 0));
        Ok(bands.map_or_else(Vec::new, |bands| [bands.low, bands.high, bands.found].concat()))
    }),
    ("Ranks::verdict", |a| {
        let ranks = Ranks::new(vec![0, 2, 3], 3)?;
        unless_it_says("level must be in (0, 1)", || ranks.verdict(a.x, 0));
        Ok(vec![])
    }),
    ("off_support_mass", |a| Ok(numbers(&off_support_mass(a.points()?, |x| x[0] < a.x as f32)))),
    ("mean_log_density", |a| {
        let densities = [|x: f64| -x * x, |x: f64| x];
        for density in densities {
            numbers(&mean_log_density(a.points()?, |x| density(f64::from(x[0]) + a.x))?);
        }
        Ok(vec![])
    }),
    ("parzen_log_likelihood", |a| {
        a.distance(|x, y| parzen_log_likelihood(x, y, 1.0))?;
        a.distance(|x, y| parzen_log_likelihood(x, y, a.x))
    }),
    ("mean_squared_error", |a| a.distance(mean_squared_error)),
    ("psnr", |a| {
        // Infinite, as documented, where two images are equal.
        let ratio = |score: Score| if score.value == f64::INFINITY { 0.0 } else { score.value };
        let (points, other) = (a.points()?, a.other()?);
        let given = [psnr(points, other, a.x)?, psnr(points, points, a.x)?].map(ratio);
        Ok(given.to_vec())
    }),
    ("ssim", |a| {
        let shape = [1, SIDE, SIDE];
        let image =
            |rows: &[f32]| rows.iter().copied().cycle().take(SIDE * SIDE).collect::<Vec<_>>();
        let (image, other) = (image(a.rows), image(a.other));
        let image = Points::new(&image, SIDE * SIDE)?;
        let other = Points::new(&other, SIDE * SIDE)?;
        unless_it_says("rows of 144 pixels", || ssim(image, other, [a.count, a.count, 12], 1.0));
        let scores = [ssim(image, other, shape, a.x)?, ssim(image, image, shape, a.x)?];
        assert!(scores[0].value.abs() < 1.0 + 1e-12, "{}", scores[0]);
        assert!((scores[1].value - 1.0).abs() < 1e-6, "equal images have {}", scores[1]);
        Ok(scores.iter().flat_map(numbers).collect())
    }),
    ("Trajectories::new", |a| {
        let states = [a.other, a.rows, a.other, a.rows];
        for times in
            [[0.0, 0.5, 0.75, 1.0], [-a.x, 0.0, a.x, 2.0 * a.x], [-1e308, 0.0, 1e308, 1.7e308]]
        {
            let trajectories = Trajectories::new(&times, &states, 2)?;
            let scores = [straightness(&trajectories), path_energy(&trajectories)];
            let ratio = path_length_ratio(&trajectories)?;
            let given = [scores.iter().flat_map(numbers).collect(), numbers(&ratio)];
            let given = [given.concat(), noise_residual(&trajectories)?].concat();
            assert!(given.iter().all(|x| x.is_finite()), "{times:?}: {given:?}");
        }
        Ok(vec![])
    }),
    ("velocity_spread", |a| {
        let n = a.rows.len();
        let bins = |low, high, count| Bins { low, high, count };
        let times: Vec<f32> = (0..n).map(|i| i as f32 / n as f32).collect();
        let ordinary = bins(0.0, 1.0, 3);
        let mut given = Vec::new();
        for x in
            [bins(-1.0, 4.0, 3), bins(0.0, a.x, 2), bins(a.x, 1e308, 2), bins(-1.0, 1.0, a.count)]
        {
            let spread = velocity_spread(a.rows, &times, a.rows, x, ordinary)?;
            given.extend(spread.iter().flat_map(|bin| [bin.mean, bin.std]));
        }
        Ok(given)
    }),
    ("cost_at_error", |a| {
        let curves = [
            [(10.0, a.x), (20.0, 1e-4)],
            [(a.x, 1e-2), (20.0, 1e-4)],
            [(10.0, 1e-2), (20.0, a.x)],
            [(10.0, 1e300), (20.0, 1e-300)],
            [(5e-324, 1e-2), (1e308, 1e-4)],
        ];
        let errors = [1e-3, a.x];
        let found = curves.iter().flat_map(|curve| errors.map(|error| cost_at_error(curve, error)));
        let found: Vec<f64> = found.flatten().collect();
        assert!(
            found.iter().all(|cost| cost.is_finite() || cost.total_cmp(&a.x).is_eq()),
            "{found:?}"
        );
        Ok(vec![])
    }),
    ("bootstrap", |a| {
        let (points, other) = (a.points()?, a.other()?);
        let metric =
            |x: Points<'_>, _: Points<'_>| Ok(Score::lower("odd", f64::from(x.row(0)[0]) * a.x, 1));
        let odd = bootstrap(metric, points, other, 3, 0);
        assert!(odd.is_err() || odd.is_ok_and(|replicates| replicates.std_error().is_finite()));
        let replicates = bootstrap(energy_distance, points, other, 5, 0)?;
        bootstrap(energy_distance, points, other, a.count, 0)?;
        Ok(vec![replicates.std_error(), replicates.interval(0.9).0])
    }),
    ("Bootstrap::interval", |a| {
        let replicates = bootstrap(energy_distance, a.points()?, a.other()?, 5, 0)?;
        let interval = unless_it_says("level must be in (0, 1)", || replicates.interval(a.x));
        Ok(interval.into_iter().flat_map(|(low, high)| [low, high]).collect())
    }),
    ("floor", |a| Ok(vec![floor(energy_distance, a.points()?, a.other()?)?])),
    // A score that a caller makes holds what it was given, and can be printed.
    ("Score::lower", |a| Ok(vec![Score::lower("x", a.x, a.count).to_string().len() as f64])),
    ("Score::higher", |a| Ok(vec![Score::higher("x", a.x, a.count).to_string().len() as f64])),
    ("Score::with_std_error", |a| Ok(numbers(&Score::lower("x", 1.0, 1).with_std_error(a.x)))),
    ("Score::with_floor", |a| {
        let score = Score::lower("x", 1.0, 1).with_floor(a.x);
        assert!(!score.to_string().contains("NaN"), "{score}");
        Ok(vec![])
    }),
];

#[test]
fn no_function_gives_a_silent_nan() {
    let sets = awkward::rows(ROWS, 2);
    let other = sets.iter().find(|set| set.name == "ordinary").unwrap();
    let other: Vec<f32> = other.rows.iter().map(|x| 0.9 * x + 0.1).collect();
    for (name, call) in TABLE {
        for set in &sets {
            for (scalar, x) in awkward::SCALARS {
                for count in COUNTS {
                    let given = call(Awkward { rows: &set.rows, other: &other, x, count });
                    let finite =
                        given.as_ref().map_or(true, |given| given.iter().all(|x| x.is_finite()));
                    assert!(finite, "{name} of {} with {scalar} and {count}: {given:?}", set.name);
                }
            }
        }
    }
}

#[test]
fn ordinary_numbers_are_scored() {
    // Or else the table would pass on errors alone.
    let sets = awkward::rows(ROWS, 2);
    let rows = &sets.iter().find(|set| set.name == "ordinary").unwrap().rows;
    let other: Vec<f32> = rows.iter().map(|x| 0.9 * x + 0.1).collect();
    for (name, call) in TABLE {
        let scored = [1.0, 0.5].into_iter().any(|x| {
            [3, 1, 2]
                .into_iter()
                .any(|count| call(Awkward { rows, other: &other, x, count }).is_ok())
        });
        let needs_other_rows = ["inception_score", "Trajectories::new", "velocity_spread"];
        assert!(scored || needs_other_rows.contains(name), "{name} refuses ordinary numbers");
    }
}

#[test]
fn every_public_function_that_takes_numbers_has_a_row() {
    let rows: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &rows, &[]);
}
