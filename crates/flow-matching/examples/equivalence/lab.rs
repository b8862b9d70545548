//! Straight line against diffusion on exact fields: no network, no training error.

use std::ops::Range;
use std::path::Path;

use flow_matching::ode::{Method, Stepping};
use flow_matching::path::{Checkerboard, Exact, Gaussian, Linear, Schedule, VariancePreserving};
use flow_matching::plot::{Chart, Figure};
use flow_matching::sample::{Ode, Predictor, Way};

use crate::support::{Outcome, end, host, mean, noise, rows};

/// Seeds of the points, the first of which is drawn.
const SEEDS: Range<u64> = 0..3;
/// Points that are followed.
const POINTS: usize = 512;
/// Network evaluations that are compared.
const EVALUATIONS: [usize; 9] = [4, 8, 10, 20, 30, 40, 60, 80, 100];
/// Steps of the midpoint rule that stands for the truth.
const REFERENCE: usize = 500;

/// Squared errors per dimension of each point, for each number of evaluations.
struct Errors {
    name: &'static str,
    method: Method,
    of_points: Vec<Vec<f64>>,
}

pub(crate) fn draw(folder: &Path) -> Outcome<()> {
    let board = || Checkerboard::new(4, 4.0);
    let straight = Exact::new(board(), Linear { sigma_min: 0.0 });
    let diffusion = Exact::new(board(), VariancePreserving::default());
    let mut charts = Vec::new();
    for method in [Method::Midpoint, Method::Euler] {
        for seed in SEEDS {
            let straight = Errors::measure("straight line", seed, method, &straight)?;
            let diffusion = Errors::measure("diffusion (VP)", seed, method, &diffusion)?;
            println!("checkerboard, {method}, seed {seed}: mean (median) of the squared error");
            straight.print();
            diffusion.print();
            print_ratio(&straight, &diffusion);
            if seed == SEEDS.start {
                charts.push(chart(&[&straight, &diffusion]));
            }
        }
    }
    gaussians()?;
    Ok(Figure::row(charts).save(folder.join("equivalence-lab.png"))?)
}

impl Errors {
    fn measure(
        name: &'static str,
        seed: u64,
        method: Method,
        field: &dyn Predictor,
    ) -> Outcome<Self> {
        let x0 = rows(&noise(seed, POINTS, 2), 2);
        let solve = |method, steps| -> Outcome<Vec<f64>> {
            let solver = Ode::new(method, Stepping::Count(steps));
            Ok(host(end(&solver, field, x0.clone(), &Way::steps(steps))?))
        };
        let truth = solve(Method::Midpoint, REFERENCE)?;
        let per_step = if method == Method::Euler { 1 } else { 2 };
        let mut of_points = Vec::new();
        for evaluations in EVALUATIONS {
            let got = solve(method, evaluations / per_step)?;
            let squares: Vec<f64> = got.iter().zip(&truth).map(|(a, b)| (a - b).powi(2)).collect();
            of_points.push(squares.chunks(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect());
        }
        Ok(Self { name, method, of_points })
    }

    fn means(&self) -> Vec<(f64, f64)> {
        self.resampled(&(0..POINTS).collect::<Vec<_>>())
    }

    fn print(&self) {
        for (n, errors) in EVALUATIONS.iter().zip(&self.of_points) {
            let mut sorted = errors.clone();
            sorted.sort_by(f64::total_cmp);
            let (mean, median) = (mean(errors), sorted[sorted.len() / 2]);
            println!("  {:14} {n:3} evaluations: {mean:.2e} ({median:.2e})", self.name);
        }
    }

    /// Means over these points.
    fn resampled(&self, picks: &[usize]) -> Vec<(f64, f64)> {
        let of = |(n, errors): (&usize, &Vec<f64>)| {
            (*n as f64, mean(&picks.iter().map(|&i| errors[i]).collect::<Vec<_>>()))
        };
        EVALUATIONS.iter().zip(&self.of_points).map(of).collect()
    }
}

/// Evaluations of the straight line for the error of the diffusion, as a fraction of those of the
/// diffusion, with the bootstrap interval of 90 % over points.
fn print_ratio(straight: &Errors, diffusion: &Errors) {
    for at in [3, 5, 6, 7] {
        let ratio = |straight: &[(f64, f64)], diffusion: &[(f64, f64)]| {
            let (n, target) = diffusion[at];
            evaluations_at(straight, target).map(|needed| needed / n)
        };
        let Some(found) = ratio(&straight.means(), &diffusion.means()) else { continue };
        let mut pick = picks();
        let mut drawn: Vec<f64> = (0..400)
            .filter_map(|_| {
                let picks: Vec<usize> = (0..POINTS).map(|_| pick()).collect();
                ratio(&straight.resampled(&picks), &diffusion.resampled(&picks))
            })
            .collect();
        drawn.sort_by(f64::total_cmp);
        let (low, high) = (drawn[drawn.len() / 20], drawn[drawn.len() * 19 / 20]);
        println!(
            "  the error of the diffusion at {} evaluations costs the straight line {found:.2} of \
             them [{low:.2}, {high:.2}]",
            EVALUATIONS[at]
        );
    }
}

/// Random indices of points: a linear congruential generator, Knuth, TAOCP volume 2, section 3.3.4.
fn picks() -> impl FnMut() -> usize {
    let mut state = 1_u64;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % POINTS
    }
}

/// Where a falling curve passes `target`, linear in both logarithms.
fn evaluations_at(curve: &[(f64, f64)], target: f64) -> Option<f64> {
    let pair = curve.windows(2).find(|pair| pair[1].1 <= target && target <= pair[0].1)?;
    let [(n, a), (m, b)] = [pair[0], pair[1]];
    let share = (a / target).ln() / (a / b).ln();
    Some((n.ln() + share * (m / n).ln()).exp())
}

fn chart(errors: &[&Errors]) -> Figure {
    let title = format!("checkerboard, {}", errors[0].method);
    let curves: Vec<_> = errors.iter().map(|errors| errors.means()).collect();
    let mut chart = Chart::new(&title).x("evaluations").y("mean squared error").log_x().log_y();
    for (errors, curve) in errors.iter().zip(&curves) {
        chart = chart.line(errors.name, curve);
    }
    chart.figure()
}

/// Error of the standard deviation of Gaussian data after 20 evaluations, in closed form: the flow
/// is linear, so one point tells all.
fn gaussians() -> Outcome<()> {
    println!("Gaussian data, 20 evaluations: error of the standard deviation");
    for std in [0.1, 0.5, 1.0, 2.0] {
        for (method, steps) in [(Method::Euler, 20), (Method::Midpoint, 10)] {
            let error = |schedule: &dyn Schedule| -> Outcome<f64> {
                let target = Gaussian::new(vec![0.0], std);
                let c = schedule.at(schedule.span().1);
                let start = schedule.at(0.0);
                let truth = target.transport(&[1.0], &start, &c)[0];
                let field = Exact::new(target, schedule);
                let solver = Ode::new(method, Stepping::Count(steps));
                let x = end(&solver, &field, rows(&[1.0], 1), &Way::steps(steps))?;
                Ok((host(x)[0] - truth).abs())
            };
            println!(
                "  std {std}, {method:8}: straight line {:.2e}, diffusion (VP) {:.2e}",
                error(&Linear { sigma_min: 0.0 })?,
                error(&VariancePreserving::default())?
            );
        }
    }
    Ok(())
}
