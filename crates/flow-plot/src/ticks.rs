//! Round numbers along an axis, and how they are written.

use crate::scale::{Range, Scale};

/// A marked place on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    /// From 0 at the low end to 1 at the high end.
    pub(crate) fraction: f64,
    /// Empty for the small ticks between decades.
    pub(crate) label: String,
}

/// The most ticks for which `fit` finds room; none if it finds room for none.
pub(crate) fn ticks(range: &Range, fit: impl Fn(&[Tick]) -> bool) -> Vec<Tick> {
    let candidates = match range.scale {
        Scale::Linear => linear(range.low, range.high),
        Scale::Log => logarithmic(range),
    };
    let placed = |values: Vec<Labelled>| -> Vec<Tick> {
        let place = |(value, label)| Some(Tick { fraction: range.fraction(value)?, label });
        values.into_iter().filter_map(place).filter(|tick| in_view(tick.fraction)).collect()
    };
    candidates.into_iter().map(placed).find(|ticks| fit(ticks)).unwrap_or_default()
}

type Labelled = (f64, String);

/// Whether a place is on the axis, but for rounding.
fn in_view(fraction: f64) -> bool {
    (-1e-6..=1.0 + 1e-6).contains(&fraction)
}

/// Multiples of 1, 2 or 5 times a power of ten, the finest first.
fn linear(low: f64, high: f64) -> Vec<Vec<Labelled>> {
    let smallest = (high - low) / 8.0;
    let decade = smallest.log10().floor();
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0].map(|m| m * 10f64.powf(decade));
    let fine_enough = steps.into_iter().filter(|step| *step >= smallest * (1.0 - 1e-9));
    fine_enough
        .map(|step| {
            let first = (low / step - 1e-6).ceil();
            let count = ((high / step + 1e-6).floor() - first).clamp(0.0, 20.0) as u32;
            let values: Vec<f64> = (0..=count).map(|i| (first + f64::from(i)) * step).collect();
            let labels = linear_labels(&values, step);
            values.into_iter().zip(labels).collect()
        })
        .collect()
}

/// From this many steps away from zero on, ticks are counted from the first of them.
const FAR: f64 = 1e6;

/// Labels that share one unit and one number of decimals.
fn linear_labels(values: &[f64], step: f64) -> Vec<String> {
    let largest = values.iter().fold(0.0f64, |a, v| a.max(v.abs()));
    if FAR * step <= largest {
        return labels_from_the_first(values, step);
    }
    let (unit, suffix) = match largest {
        1e13.. => scientific(largest),
        1e9.. => (1e9, "G".to_owned()),
        1e6.. => (1e6, "M".to_owned()),
        1e4.. => (1e3, "k".to_owned()),
        _ if step < 0.9e-3 && largest < 0.9 => scientific(largest),
        _ => (1.0, String::new()),
    };
    // A step is 1, 2 or 5 times a power of ten, so its own power says how many decimals it needs.
    let decimals = (-(step / unit).log10() - 1e-6).floor().clamp(-1.0, 15.0) as i32 + 1;
    let write = |value: &f64| match value / unit {
        v if v.abs() < 1e-9 * (step / unit) => "0".to_owned(),
        v => minus(&format!("{v:.*}{suffix}", decimals.unsigned_abs() as usize)),
    };
    values.iter().map(write).collect()
}

/// The first value in full, the others by what they add to it: 1000000.2, +0.2, +0.4.
fn labels_from_the_first(values: &[f64], step: f64) -> Vec<String> {
    let Some(first) = values.first() else { return Vec::new() };
    let in_full = match first.abs() {
        1e-3..1e9 => format!("{first:.*}", (-step.log10()).ceil().clamp(0.0, 15.0) as usize),
        largest => {
            let digits = (largest / step).log10().ceil().clamp(0.0, 16.0) as usize;
            format!("{first:.digits$e}")
        }
    };
    let added: Vec<f64> = (1..values.len()).map(|i| i as f64 * step).collect();
    let added = linear_labels(&added, step).into_iter().map(|label| format!("+{label}"));
    std::iter::once(minus(&in_full)).chain(added).collect()
}

/// The power of ten at or below `largest`, and how it is written behind a number.
fn scientific(largest: f64) -> (f64, String) {
    let exponent = (largest.log10() + 1e-9).floor();
    (10f64.powf(exponent), format!("e{exponent}"))
}

/// Typographic minus signs.
fn minus(text: &str) -> String {
    text.replace('-', "−")
}

/// Powers of ten where the range holds several, else their small multiples, else linear ticks.
fn logarithmic(range: &Range) -> Vec<Vec<Labelled>> {
    let first = (range.low - 1e-6).ceil() as i32;
    let last = (range.high + 1e-6).floor() as i32;
    let decades = range.high - range.low;
    let mut candidates = Vec::new();
    if decades < 0.7 {
        candidates.extend(linear(10f64.powf(range.low), 10f64.powf(range.high)));
    }
    if decades < 1.7 || last <= first {
        candidates.push(multiples(first - 1, last, &[1, 2, 5]));
    }
    for stride in 1..=(last - first).max(1) {
        candidates.push(powers(first, last, stride));
    }
    candidates
}

/// Multiples 1 to 9 of the powers of ten from `first` to `last`, those in `named` with a label.
fn multiples(first: i32, last: i32, named: &[i32]) -> Vec<Labelled> {
    let label = |m, e| {
        if named.contains(&m) { log_label(m, e, first, last) } else { String::new() }
    };
    let decade = |e: i32| (1..=9).map(move |m| (f64::from(m) * 10f64.powi(e), label(m, e)));
    (first..=last).flat_map(decade).collect()
}

/// Every `stride`-th power of ten; between neighbouring ones, small ticks without labels.
fn powers(first: i32, last: i32, stride: i32) -> Vec<Labelled> {
    if stride == 1 && last - first <= 8 {
        return multiples(first - 1, last, &[1]);
    }
    let on_stride = |e: &i32| e.rem_euclid(stride) == 0;
    (first..=last)
        .filter(on_stride)
        .map(|e| (10f64.powi(e), log_label(1, e, first, last)))
        .collect()
}

/// `m * 10^exponent`: in full if the whole axis stays near 1, else as in 2e-5.
fn log_label(m: i32, exponent: i32, first: i32, last: i32) -> String {
    match exponent {
        0 => m.to_string(),
        _ if -2 <= first && last <= 3 => {
            let decimals = exponent.min(0).unsigned_abs() as usize;
            format!("{:.decimals$}", f64::from(m) * 10f64.powi(exponent))
        }
        _ => minus(&format!("{m}e{exponent}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(range: Range, most: usize) -> Vec<String> {
        let shown = ticks(&range, |t| t.iter().filter(|t| !t.label.is_empty()).count() <= most);
        shown.into_iter().map(|t| t.label).filter(|l| !l.is_empty()).collect()
    }

    fn log(low: f64, high: f64) -> Range {
        Range { scale: Scale::Log, low: low.log10(), high: high.log10() }
    }

    #[test]
    fn linear_ticks_are_round_numbers() {
        assert_eq!(labels(Range::linear(-4.0, 4.0), 5), ["−4", "−2", "0", "2", "4"]);
        assert_eq!(labels(Range::linear(0.0, 1.0), 6), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(Range::linear(0.03, 0.17), 4), ["0.05", "0.10", "0.15"]);
    }

    #[test]
    fn counts_are_written_with_a_unit_and_small_numbers_with_a_power() {
        assert_eq!(labels(Range::linear(0.0, 2e7), 5), ["0", "5M", "10M", "15M", "20M"]);
        assert_eq!(labels(Range::linear(0.0, 3.2e-4), 4), ["0", "1e−4", "2e−4", "3e−4"]);
        assert_eq!(labels(Range::linear(0.0, 6000.0), 4), ["0", "2000", "4000", "6000"]);
    }

    #[test]
    fn ticks_far_from_zero_are_counted_from_the_first() {
        assert_eq!(labels(Range::linear(1e6 - 0.05, 1e6 + 0.45), 3), ["1000000.0", "+0.2", "+0.4"]);
        assert_eq!(labels(Range::linear(-1e6 - 0.3, -1e6 + 0.1), 3), ["−1000000.2", "+0.2"]);
        assert_eq!(
            labels(Range::linear(1e20, 1e20 + 4e10), 3),
            ["1.0000000000e20", "+20G", "+40G"]
        );
    }

    #[test]
    fn log_ticks_are_powers_of_ten() {
        assert_eq!(labels(log(1e-5, 1.0), 9), ["1e−5", "1e−4", "1e−3", "1e−2", "1e−1", "1"]);
        assert_eq!(labels(log(0.02, 300.0), 9), ["0.1", "1", "10", "100"]);
        assert_eq!(labels(log(1e-12, 1.0), 5), ["1e−12", "1e−9", "1e−6", "1e−3", "1"]);
    }

    #[test]
    fn a_narrow_log_range_still_has_labels() {
        assert_eq!(labels(log(0.15, 2.5), 9), ["0.2", "0.5", "1", "2"]);
        assert_eq!(labels(log(1.2, 1.95), 4), ["1.2", "1.4", "1.6", "1.8"]);
    }

    #[test]
    fn labels_are_distinct_in_ranges_of_all_sizes() {
        for exponent in -20..20 {
            for low in [0.0, 1.0, -0.37] {
                let size = 10f64.powi(exponent);
                let mut found = labels(Range::linear(low * size, (low + 0.83) * size), 6);
                let count = found.len();
                found.dedup();
                assert!(count >= 2 && found.len() == count, "{size} {low}: {found:?}");
            }
        }
    }
}
