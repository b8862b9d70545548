//! The scores that `eval.metrics` and `--metrics` choose from, by name.

use flow_eval::{
    EvalError, Ground, Kernel, Moments, Points, Score, association_difference, c2st,
    density_coverage, energy_distance, frechet, frechet_between, inception_score, kid,
    marginal_distances, max_sliced_wasserstein, mean_log_density, memorisation, mmd,
    off_support_mass, parzen_log_likelihood, precision_recall, sliced_wasserstein, table_coverage,
    utility, wasserstein, wasserstein_1d, wasserstein_assignment,
};
use flow_path::Target;
use flow_run::Data;
use flow_run::recipe::FEWEST_SAMPLES;

use crate::enlarged::Enlarged;
use crate::error::{JudgeError, usage};
use crate::inception::ADVICE;
use crate::subject::Subject;
use crate::table::TableSpace;

/// Directions of the sliced Wasserstein distances.
const PROJECTIONS: usize = 256;
/// Points of an exact assignment, which takes `O(n^3)`.
const ASSIGNED: usize = 2048;
/// Points from which on two sets are cut to one size: uneven ones take minutes where an assignment
/// takes a second.
const UNEVEN: usize = 512;
/// Neighbours whose distance is the radius of a ball, as in the papers.
const PRECISION_NEIGHBOURS: usize = 3;
const DENSITY_NEIGHBOURS: usize = 5;
/// Neighbour whose distance is the radius of a ball of a table, as its authors' program has it.
const TABLE_NEIGHBOURS: usize = 2;
/// Dimensions and rows of a classifier two-sample test, whose networks grow with the dimension.
const MOST_DIMENSIONS: usize = 200;
const MOST_TOLD_APART: usize = 2000;
/// Points to a block of the kernel distance, of which it needs two with three points at least.
const BLOCK: usize = 100;
/// Rows of which the error of the Frechet distance leaves out a tenth, two at least.
const JACKKNIFE: usize = 20;

/// Two sets, and what a metric may want to know of the data.
pub(crate) struct Sets<'a> {
    pub generated: &'a Subject,
    pub real: &'a Subject,
    pub data: &'a Data,
    pub target: Option<&'a dyn Target>,
    /// Of tables: what their columns are.
    pub table: Option<&'a TableSpace<'a>>,
    /// Of models that enlarge: the images whose small copies they were told.
    pub enlarged: Option<&'a Enlarged>,
    pub kernel: Option<&'a Kernel>,
    pub bandwidth: f64,
    /// Of the features of reference images, for FID.
    pub reference: Option<&'a Moments>,
    /// How often the classifier is right on real test images.
    pub accuracy: f64,
    pub seed: u64,
}

impl Sets<'_> {
    /// Generated and real points, cut to the same number.
    fn points(&self) -> Result<(Points<'_>, Points<'_>), EvalError> {
        let (generated, real) = (self.generated.points()?, self.real.points()?);
        Ok((generated.first(real.len()), real.first(generated.len())))
    }

    /// Generated and real rows of a table, in the units of its columns.
    fn cells(&self, table: &TableSpace<'_>) -> Result<(Points<'_>, Points<'_>), EvalError> {
        let columns = table.columns.len();
        let real = Points::new(&self.real.cells, columns)?;
        Ok((Points::new(&self.generated.cells, columns)?, real))
    }
}

/// The kind of data that a metric can score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Points.
    Points,
    /// Tables; scores of points are taken in the space of Gower's distance.
    Table,
    /// Images, by the features of the classifier.
    Images,
    /// Points, tables and images.
    Any,
    /// Images, by the features of the network of FID.
    Inception,
}

/// A score, or two that come together, by name.
#[derive(Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// The data that it can score.
    pub of: Kind,
    /// The data for which it is computed when nothing else is asked for.
    usual: Option<Kind>,
    /// Rows that it needs of each set.
    pub least: usize,
    /// Computes the scores; none where the data lack what the metric needs.
    pub(crate) score: fn(&Sets<'_>) -> Result<Vec<Score>, EvalError>,
}

const fn metric(
    name: &'static str,
    of: Kind,
    usual: Option<Kind>,
    least: usize,
    score: fn(&Sets<'_>) -> Result<Vec<Score>, EvalError>,
) -> Metric {
    Metric { name, of, usual, least, score }
}

/// The names of all scores by what they are of, for a help text.
#[must_use]
pub fn metrics_in_words() -> String {
    let kinds = [
        (Kind::Any, "any data"),
        (Kind::Points, "points"),
        (Kind::Table, "tables"),
        (Kind::Images, "images, on the features of a classifier"),
        (Kind::Inception, "images, with --inception"),
    ];
    let line = |(kind, what)| {
        let names = METRICS.iter().filter(|metric| metric.of == kind).map(|metric| metric.name);
        format!("of {what}: {}", names.collect::<Vec<_>>().join(", "))
    };
    kinds.map(line).join("; ")
}

/// All of them, in the order in which they are printed.
pub const METRICS: &[Metric] = &[
    metric("sliced", Kind::Points, Some(Kind::Points), FEWEST_SAMPLES, |sets| {
        let (a, b) = sets.points()?;
        Ok(vec![sliced_wasserstein(a, b, PROJECTIONS, sets.seed)?])
    }),
    metric("max-sliced", Kind::Points, None, FEWEST_SAMPLES, |sets| {
        let (a, b) = sets.points()?;
        Ok(vec![max_sliced_wasserstein(a, b, PROJECTIONS, sets.seed)?])
    }),
    metric("wasserstein", Kind::Points, None, FEWEST_SAMPLES, |sets| {
        let (a, b) = sets.points()?;
        Ok(vec![match a.dim() {
            1 => wasserstein_1d(a.as_slice(), b.as_slice(), 1.0)?,
            _ => wasserstein_assignment(a.first(ASSIGNED), b.first(ASSIGNED))?,
        }])
    }),
    metric("c2st", Kind::Points, None, 5, |sets| {
        let (a, b) = sets.points()?;
        if MOST_DIMENSIONS < a.dim() {
            return Ok(Vec::new());
        }
        Ok(vec![c2st(a.first(MOST_TOLD_APART), b.first(MOST_TOLD_APART), sets.seed)?])
    }),
    metric("transport", Kind::Table, Some(Kind::Table), FEWEST_SAMPLES, |sets| {
        let (a, b) = (sets.generated.points()?, sets.real.points()?);
        let n = a.len().min(b.len());
        // All points of a small set count; of two large ones, as many of each.
        let (a, b) = if n < UNEVEN { (a, b) } else { (a.first(n), b.first(n)) };
        let (a, b) = (a.first(ASSIGNED), b.first(ASSIGNED));
        let first = wasserstein(a, b, Ground::Manhattan)?;
        let mut second = wasserstein(a, b, Ground::SquaredEuclidean)?;
        // That of points, `wasserstein`, looks at sets that are cut to one size.
        second.name = "Wasserstein-2 (l2)".into();
        Ok(vec![first, second])
    }),
    metric("coverage", Kind::Table, Some(Kind::Table), TABLE_NEIGHBOURS + 1, |sets| {
        let (a, b) = (sets.generated.points()?, sets.real.points()?);
        Ok(vec![table_coverage(b, a, TABLE_NEIGHBOURS)?])
    }),
    metric("memorisation", Kind::Table, Some(Kind::Table), FEWEST_SAMPLES, |sets| {
        let Some(table) = sets.table else { return Ok(Vec::new()) };
        let found = memorisation(sets.generated.points()?, table.train()?, sets.real.points()?)?;
        Ok(vec![found.distance, found.nearer])
    }),
    metric("marginals", Kind::Table, Some(Kind::Table), FEWEST_SAMPLES, |sets| {
        let Some(table) = sets.table else { return Ok(Vec::new()) };
        let (a, b) = sets.cells(table)?;
        let named = |(mut score, name): (Score, &String)| {
            let (distance, _) = score.name.split_once(" of ").unwrap_or_default();
            score.name = format!("{distance} of {name}");
            score
        };
        let found = marginal_distances(a, b, &table.columns)?;
        Ok(found.into_iter().zip(&table.names).map(named).collect())
    }),
    metric("associations", Kind::Table, Some(Kind::Table), FEWEST_SAMPLES, |sets| {
        let Some(table) = sets.table.filter(|table| 1 < table.columns.len()) else {
            return Ok(Vec::new());
        };
        let (a, b) = sets.cells(table)?;
        Ok(vec![association_difference(a, b, &table.columns)?])
    }),
    metric("utility", Kind::Table, Some(Kind::Table), FEWEST_SAMPLES, |sets| {
        let Some(table) = sets.table.filter(|table| 1 < table.columns.len()) else {
            return Ok(Vec::new());
        };
        let ((a, b), train) = (sets.cells(table)?, table.train_cells()?);
        match utility(a, train, b, &table.columns) {
            // Nothing to be learned where every column is constant.
            Err(EvalError::TooFew { n: 0, .. }) => Ok(Vec::new()),
            score => Ok(vec![score?]),
        }
    }),
    metric("energy", Kind::Points, Some(Kind::Points), FEWEST_SAMPLES, |sets| {
        let (a, b) = sets.points()?;
        Ok(vec![energy_distance(a, b)?])
    }),
    metric("mmd", Kind::Points, None, FEWEST_SAMPLES, |sets| {
        let (a, b) = sets.points()?;
        sets.kernel.map(|kernel| mmd(a, b, kernel)).into_iter().collect()
    }),
    metric("frechet", Kind::Any, Some(Kind::Images), JACKKNIFE, |sets| {
        let (a, b) = sets.points()?;
        let mut score = frechet(a, b)?;
        if sets.generated.verdict.is_some() {
            score.name = format!("FD-clf (classifier accuracy {:.3})", sets.accuracy);
        }
        Ok(vec![score])
    }),
    metric("kid", Kind::Images, None, 2 * 3, |sets| {
        let (a, b) = sets.points()?;
        let mut score = kid(a, b, (a.len() / BLOCK).max(2), sets.seed)?;
        score.name = "kernel distance of the classifier's features".into();
        Ok(vec![score])
    }),
    metric("fid", Kind::Inception, Some(Kind::Inception), FEWEST_SAMPLES, |sets| {
        let Some(reference) = sets.reference else { return Ok(Vec::new()) };
        let generated = Moments::of(sets.generated.inception()?);
        let mut score = frechet_between(&generated, reference)?;
        score.name = "FID".into();
        Ok(vec![score])
    }),
    metric("inception-kid", Kind::Inception, None, 2 * 3, |sets| {
        let (a, b) = (sets.generated.inception()?, sets.real.inception()?);
        let (a, b) = (a.first(b.len()), b.first(a.len()));
        Ok(vec![kid(a, b, (a.len() / BLOCK).max(2), sets.seed)?])
    }),
    metric("enlargement", Kind::Images, Some(Kind::Images), FEWEST_SAMPLES, |sets| {
        match sets.enlarged {
            Some(enlarged) if !sets.generated.pixels.is_empty() => {
                enlarged.scores(&sets.generated.pixels)
            }
            _ => Ok(Vec::new()),
        }
    }),
    metric("precision-recall", Kind::Any, None, PRECISION_NEIGHBOURS + 1, |sets| {
        let (generated, real) = sets.points()?;
        let found = precision_recall(real, generated, PRECISION_NEIGHBOURS)?;
        Ok(vec![found.precision, found.recall])
    }),
    metric("density-coverage", Kind::Any, None, DENSITY_NEIGHBOURS + 1, |sets| {
        let (generated, real) = sets.points()?;
        let found = density_coverage(real, generated, DENSITY_NEIGHBOURS)?;
        Ok(vec![found.density, found.coverage])
    }),
    metric("support", Kind::Points, Some(Kind::Points), FEWEST_SAMPLES, |sets| {
        let Data::Toy(toy) = sets.data else { return Ok(Vec::new()) };
        let Some(support) = toy.support() else { return Ok(Vec::new()) };
        Ok(vec![off_support_mass(sets.generated.points()?, |x| support.contains(x))])
    }),
    metric("true-likelihood", Kind::Points, None, FEWEST_SAMPLES, |sets| {
        let Some(target) = sets.target else { return Ok(Vec::new()) };
        let log_density = |x: &[f32]| {
            let x: Vec<f64> = x.iter().copied().map(f64::from).collect();
            target.log_density(&x)
        };
        Ok(vec![mean_log_density(sets.generated.points()?, log_density)?])
    }),
    metric("parzen", Kind::Points, None, FEWEST_SAMPLES, |sets| {
        let (samples, real) = sets.points()?;
        Ok(vec![parzen_log_likelihood(samples, real, sets.bandwidth)?])
    }),
    metric("class-score", Kind::Images, None, FEWEST_SAMPLES, |sets| {
        let Some(verdict) = &sets.generated.verdict else { return Ok(Vec::new()) };
        let probabilities = Points::new(&verdict.probabilities, verdict.class_count())?;
        let mut score = inception_score(probabilities)?;
        score.name = "Inception score of the classifier".into();
        Ok(vec![score])
    }),
    metric("class", Kind::Images, Some(Kind::Images), FEWEST_SAMPLES, |sets| {
        let subject = sets.generated;
        let (Some(verdict), Some(labels)) = (&subject.verdict, &subject.labels) else {
            return Ok(Vec::new());
        };
        let same = verdict.classes.iter().zip(labels).map(|(a, b)| f32::from(u8::from(a == b)));
        let same: Vec<f32> = same.collect();
        let mut score = off_support_mass(Points::new(&same, 1)?, |same| 0.5 < same[0]);
        score.name = "classified as another class than asked".into();
        Ok(vec![score])
    }),
];

/// The metrics of these names that fit the data; of no names, the usual ones; of `all`, all.
///
/// # Errors
/// For a name that is none, and for one that does not fit the data.
pub(crate) fn chosen(
    names: &[String],
    data: &Data,
    with_inception: bool,
) -> Result<Vec<&'static Metric>, JudgeError> {
    let kinds: &[Kind] = match data {
        Data::Toy(_) | Data::Table(_) | Data::Array(_) if with_inception => {
            return Err(usage!("--inception describes images, and these data are points"));
        }
        Data::Toy(_) | Data::Array(_) => &[Kind::Points],
        Data::Table(_) => &[Kind::Table, Kind::Points],
        Data::Images { .. } if with_inception => &[Kind::Images, Kind::Inception],
        Data::Images { .. } => &[Kind::Images],
    };
    let fits = |metric: &&Metric| metric.of == Kind::Any || kinds.contains(&metric.of);
    let own = if let Data::Table(_) = data { &kinds[..1] } else { kinds };
    let usual = |metric: &&Metric| metric.usual.is_some_and(|kind| own.contains(&kind));
    let fitting: Vec<&Metric> = METRICS.iter().filter(fits).collect();
    match names {
        [] => return Ok(METRICS.iter().filter(usual).collect()),
        [name] if name == "all" => return Ok(fitting),
        _ => {}
    }
    let find = |name: &String| {
        if let Some(metric) = fitting.iter().find(|metric| metric.name == name) {
            return Ok(*metric);
        }
        if kinds.contains(&Kind::Images)
            && METRICS.iter().any(|metric| metric.name == name && metric.of == Kind::Inception)
        {
            return Err(usage!("`{name}` needs the weights of a network. {ADVICE}"));
        }
        let known: Vec<&str> = fitting.iter().map(|metric| metric.name).collect();
        Err(usage!(
            "there is no metric `{name}` for these data, use `all` or some of {}",
            known.join(", ")
        ))
    };
    names.iter().map(find).collect()
}
