//! Scores against network evaluations: every sampler of every run in one chart.

use std::collections::BTreeMap;

use flow_plot::{Figure, Style};

use super::Curve;
use super::column::Column;
use super::course::{Moment, mean};
use super::drawing::{Axes, Drawing, Drawn, chart, range, slug};

/// The scores of one column by one method.
struct Solved<'a> {
    /// The number of the column.
    column: usize,
    name: &'a str,
    method: &'a str,
    points: Vec<Moment>,
}

/// Every method of every column in one chart: of one column in a colour for each method, of several
/// in a colour for each column and a style for each method. Where several columns have several
/// methods, a panel for each method follows, with the range of the seeds.
pub(super) fn against_evaluations(columns: &[Column], score: &str) -> Option<Drawn> {
    let all = solved(columns, score);
    let mut methods: Vec<&str> = Vec::new();
    for one in all.iter().filter(|one| one.points.len() > 1) {
        if !methods.contains(&one.method) {
            methods.push(one.method);
        }
    }
    if methods.is_empty() {
        return None;
    }
    methods.sort_unstable();
    let floors = columns.iter().flat_map(|column| &column.scores);
    let floors = floors.filter(|compared| compared.score == score).filter_map(|c| c.floor);
    let floors: Vec<f64> = floors.collect();
    let floor = (!floors.is_empty()).then(|| floors.iter().sum::<f64>() / floors.len() as f64);
    let drawn = |title: &str, curves: &[Drawing<'_>]| {
        chart(&Axes { title, x: "network evaluations", y: score, log_x: true }, curves, floor)
    };
    let of_method = |method: &str| -> Vec<Drawing<'_>> {
        let own = all.iter().filter(|one| one.method == method);
        own.map(|one| Drawing::new(one.name, &one.points)).collect()
    };
    let (figures, ranges) = match (columns, &methods[..]) {
        ([_], _) => {
            let curves = all.iter().map(|one| Drawing::new(one.method, &one.points));
            let curves: Vec<_> = curves.collect();
            (vec![drawn(score, &curves)], range(curves.iter()))
        }
        (_, [method]) if all.iter().all(|one| one.method == *method) => {
            let curves = of_method(method);
            (vec![drawn(&format!("{score}, {method}"), &curves)], range(curves.iter()))
        }
        _ => {
            let together: Vec<_> = all.iter().map(|one| one.beside(&methods)).collect();
            let panels: Vec<_> = methods.iter().map(|method| of_method(method)).collect();
            let titled = methods.iter().zip(&panels);
            let panel = titled.map(|(method, curves)| drawn(&format!("{score}, {method}"), curves));
            let figures = std::iter::once(drawn(score, &together)).chain(panel).collect();
            (figures, range(panels.iter().flatten()))
        }
    };
    let caption = format!("{score} against network evaluations{ranges}");
    Some(Drawn { name: slug(score), caption, figure: Figure::column(figures) })
}

/// The scores that depend on a method, column by column.
fn solved<'a>(columns: &'a [Column], score: &str) -> Vec<Solved<'a>> {
    let of_column = |(column, of): (usize, &'a Column)| {
        let mut curves: BTreeMap<&str, Vec<Moment>> = BTreeMap::new();
        for compared in of.scores.iter().filter(|compared| compared.score == score) {
            if let Some((method, evaluations)) = &compared.solver {
                let values = compared.values.clone();
                curves.entry(method).or_default().push(Moment { at: *evaluations, values });
            }
        }
        curves.into_iter().map(move |(method, mut points)| {
            points.sort_by(|a, b| a.at.total_cmp(&b.at));
            Solved { column, name: &of.name, method, points }
        })
    };
    columns.iter().enumerate().flat_map(of_column).collect()
}

impl<'a> Solved<'a> {
    /// As a curve among those of all columns and methods, in the colour of its column.
    fn beside(&self, methods: &[&str]) -> Drawing<'a> {
        const STYLES: [Style; 4] = [Style::Line, Style::Dashed, Style::Dotted, Style::DashDotted];
        let place = methods.iter().position(|method| *method == self.method).unwrap_or_default();
        Drawing {
            label: format!("{}, {}", self.name, self.method).into(),
            curve: mean(&self.points),
            band: Curve::new(),
            style: STYLES[place % STYLES.len()],
            color: Some(self.column),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scored::{Measured, ScoredRun};
    use super::*;

    /// A column with a distance by each method and number of evaluations.
    fn column(name: &str, rows: &[(&str, f64, f64)]) -> Column {
        let measured = |&(method, evaluations, value): &(&str, f64, f64)| Measured {
            solver: Some((method.into(), evaluations)),
            floor: Some(0.1),
            ..Measured::new("distance", &format!("{method} x {evaluations}"), value)
        };
        let run = ScoredRun {
            name: name.into(),
            folder: name.into(),
            seed: 0,
            keys: vec![],
            measured: rows.iter().map(measured).collect(),
            course: vec![],
            learning: vec![],
            noise_residual: vec![],
            errors: vec![],
        };
        Column::each(vec![run]).remove(0)
    }

    #[test]
    fn map_solvers_and_another_run_share_a_chart_over_the_evaluations() {
        let map = [("flow-map", 1.0, 0.5), ("flow-map", 4.0, 0.3), ("dopri5", 90.0, 0.2)];
        let flow = [("euler", 1.0, 2.0), ("euler", 4.0, 0.6), ("dopri5", 80.0, 0.25)];
        let drawn = |columns: &[Column]| {
            let drawn = against_evaluations(columns, "distance").unwrap();
            assert_eq!(drawn.name, "distance");
            drawn.figure.to_svg()
        };
        let count = |svg: &str, words: &str| svg.matches(&format!(">{words}<")).count();

        let one = drawn(&[column("map", &map)]);
        for words in ["flow-map", "dopri5", "floor", "network evaluations"] {
            assert_eq!(count(&one, words), 1, "{words}");
        }
        let both = drawn(&[column("map", &map), column("flow", &flow)]);
        for words in ["map, flow-map", "map, dopri5", "flow, euler", "flow, dopri5"] {
            assert_eq!(count(&both, words), 1, "{words}");
        }
        // All of it together, and a panel for each of the two methods that have curves.
        assert_eq!(count(&both, "network evaluations"), 3);
        assert_eq!(count(&both, "distance, euler") + count(&both, "distance, flow-map"), 2);
        assert_eq!(count(&both, "distance, dopri5"), 0);
        // One method alone is in the title.
        let same = drawn(&[column("map", &map[..2]), column("other", &map[..2])]);
        assert_eq!(count(&same, "distance, flow-map") + count(&same, "other"), 2);
        assert_eq!(count(&same, "network evaluations"), 1);
        // A single point makes no chart.
        let single = [column("map", &map[2..])];
        assert!(against_evaluations(&single, "distance").is_none());
    }
}
