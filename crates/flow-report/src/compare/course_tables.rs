//! Scores in the course of training as tables.

use super::column::Column;
use super::course::{Course, Moment};
use crate::document::Table;

/// Moments up to which a course is a table too: those of a log-spaced list of checkpoints.
const MOST: usize = 12;

/// Each score in the course of training that has few moments, runs down and images across.
pub(super) fn tables(columns: &[Column]) -> Vec<(String, Table)> {
    let mut found: Vec<(String, Table)> = Vec::new();
    for course in columns.iter().flat_map(|column| &column.courses) {
        let few = (2..=MOST).contains(&course.points.len());
        let title = format!("{} in the course of training, after so many images", course.score);
        if few && found.iter().all(|(known, _)| *known != title) {
            found.push((title, table(columns, course)));
        }
    }
    found
}

/// The course of one score, at the moments of the first column that has it.
fn table(columns: &[Column], first: &Course) -> Table {
    let mut head = vec!["run".to_owned()];
    head.extend(first.points.iter().map(|moment| format!("{:.0}", moment.at)));
    head.extend(first.floor.map(|_| "floor".to_owned()));
    head.extend(first.n.map(|_| "N".to_owned()));
    let line = |column: &Column| {
        let own = column.courses.iter().find(|course| course.score == first.score)?;
        let cell = |moment: &Moment| {
            let same = own.points.iter().find(|other| other.at.total_cmp(&moment.at).is_eq());
            same.map(|moment| own.score_of(&moment.values).value_text()).unwrap_or_default()
        };
        let mut cells = vec![column.name.clone()];
        cells.extend(first.points.iter().map(cell));
        let floor = || own.score_of(&own.points.last()?.values).floor_text();
        cells.extend(first.floor.map(|_| floor().unwrap_or_default()));
        cells.extend(first.n.map(|_| own.n.map_or(String::new(), |n| n.to_string())));
        Some(cells)
    };
    Table { head, rows: columns.iter().filter_map(line).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, places: &[f64]) -> Column {
        let point = |&at: &f64| Moment { at, values: vec![at, at + 2.0] };
        let points = places.iter().map(point).collect();
        let course = Course { score: "distance".into(), points, floor: Some(0.5), n: Some(100) };
        Column {
            name: name.into(),
            seeds: vec![0, 1],
            folder: name.into(),
            keys: vec![],
            scores: vec![],
            courses: vec![course],
            noise_residual: vec![],
            errors: vec![],
            equal_errors: vec![],
        }
    }

    #[test]
    fn a_course_of_few_moments_is_a_table_with_the_means_of_the_seeds() {
        let columns = [column("a", &[10.0, 20.0]), column("b", &[20.0])];
        let [(title, Table { head, rows })] = &tables(&columns)[..] else { panic!("one score") };
        assert!(title.starts_with("distance in the course"), "{title}");
        assert_eq!(head[..], ["run", "10", "20", "floor", "N"].map(String::from));
        // 10 and 12: 11 with a standard deviation of the square root of 2.
        assert_eq!(rows[0][1], "11.0 ± 1.4");
        assert_eq!(rows[1][1..3], [String::new(), "21.0 ± 1.4".into()]);
        assert_eq!(rows[0][4], "100");
        let many: Vec<f64> = (0..13).map(f64::from).collect();
        assert!(tables(&[column("a", &many)]).is_empty());
    }
}
