//! Columns as tables: recipes where they differ, each score by solver, scores of a run.

use flow_eval::Score;

use super::column::{Column, Compared, range};
use super::course_tables;
use crate::document::{Block, Table};

pub(crate) fn blocks(columns: &[Column]) -> Vec<Block> {
    let mut blocks = vec![Block::Heading("Recipes".into()), Block::Table(recipes(columns))];
    let mut single = Vec::new();
    for score in scores(columns) {
        let rows = rows(columns, &score);
        if rows == [""] {
            single.push(score);
            continue;
        }
        blocks.push(Block::Heading(score.clone()));
        blocks.push(Block::Table(by_row(columns, &score, &rows)));
    }
    if !single.is_empty() {
        blocks.push(Block::Heading("Other scores".into()));
        blocks.push(Block::Table(of_runs(columns, &single)));
    }
    for (title, table) in course_tables::tables(columns) {
        blocks.push(Block::Heading(title));
        blocks.push(Block::Table(table));
    }
    let many = columns.iter().any(|column| column.seeds.len() > 1);
    blocks.push(Block::Text(
        if many {
            "Mean ± standard deviation over seeds. The floor is what real data score."
        } else {
            "Value ± standard error. The floor is what real data score."
        }
        .into(),
    ));
    if differ(columns) {
        blocks.push(Block::Text(
            "N is how many points were scored, and it differs: most scores fall as N grows, so \
             compare those of one N."
                .into(),
        ));
    }
    blocks
}

/// Whether a score is of more points in one column than in another.
fn differ(columns: &[Column]) -> bool {
    scores(columns).iter().any(|score| {
        let all = columns.iter().flat_map(|column| &column.scores);
        let of_score = all.filter(|compared| compared.score == *score);
        range(of_score.filter_map(|c| c.n).flat_map(|(low, high)| [low, high]))
            .is_some_and(|(low, high)| low < high)
    })
}

/// The scores of one column for a narrow page: solvers down, then what is measured once.
pub(crate) fn of_one(column: &Column) -> Vec<Block> {
    let columns = std::slice::from_ref(column);
    let (mut solved, mut other) = (Vec::new(), Vec::new());
    for score in scores(columns) {
        let is_solved = column.scores.iter().any(|c| c.score == score && c.solver.is_some());
        if is_solved { solved.push(score) } else { other.push(score) }
    }
    other.retain(|score| score != "network evaluations");
    let solvers =
        unique(column.scores.iter().filter(|compared| compared.solver.is_some()).map(|c| &c.row));
    let mut blocks = Vec::new();
    let mut head = vec!["solver".to_owned(), "evaluations".to_owned()];
    head.extend(solved.iter().cloned());
    let mut rows: Vec<Vec<String>> = Vec::new();
    for solver in &solvers {
        let nfe = column.get("network evaluations", solver).map(|c| format!("{:.0}", c.mean));
        let mut cells = vec![solver.clone(), nfe.unwrap_or_default()];
        cells.extend(solved.iter().map(|s| column.get(s, solver).map(number).unwrap_or_default()));
        rows.push(cells);
    }
    let floors = solved.iter().map(|score| {
        let with_floor = column.scores.iter().find(|c| c.score == *score && c.floor.is_some());
        with_floor.map(floor).unwrap_or_default()
    });
    rows.push(["floor".to_owned(), String::new()].into_iter().chain(floors).collect());
    let counts = solved
        .iter()
        .map(|score| n_text(column.scores.iter().filter(|compared| compared.score == *score)));
    rows.push(["N".to_owned(), String::new()].into_iter().chain(counts).collect());
    blocks.push(Block::Table(Table { head, rows }));
    let rows = column.scores.iter().filter(|compared| other.contains(&compared.score));
    let line = |c: &Compared| {
        let name =
            if c.row.is_empty() { c.score.clone() } else { format!("{}, {}", c.score, c.row) };
        vec![name, number(c), floor(c), n_text(std::iter::once(c))]
    };
    let rows: Vec<Vec<String>> = rows.map(line).collect();
    if !rows.is_empty() {
        let head = ["score", "value", "floor", "N"].map(String::from).to_vec();
        blocks.push(Block::Table(Table { head, rows }));
    }
    blocks
}

/// Seeds, and the keys in which the recipes differ; keys down, if there are more of them than runs.
fn recipes(columns: &[Column]) -> Table {
    let value = |column: &Column, key: &str| {
        let found = column.keys.iter().find(|(other, _)| other == key);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in columns.iter().flat_map(|column| &column.keys) {
        let differs = columns.iter().any(|column| value(column, key) != value(&columns[0], key));
        if differs && !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    let head = ["run", "seeds"].into_iter().chain(keys.iter().copied());
    let row = |column: &Column| {
        let seeds: Vec<String> = column.seeds.iter().map(u64::to_string).collect();
        let values = keys.iter().map(|key| value(column, key));
        [column.name.clone(), seeds.join(", ")].into_iter().chain(values).collect()
    };
    let table =
        Table { head: head.map(String::from).collect(), rows: columns.iter().map(row).collect() };
    if columns.len() < keys.len() { transposed(table) } else { table }
}

fn transposed(Table { head, rows }: Table) -> Table {
    let line = |(i, name): (usize, String)| {
        std::iter::once(name).chain(rows.iter().map(|row| row[i].clone())).collect()
    };
    let mut lines = head.into_iter().enumerate().map(line);
    let head = lines.next().unwrap_or_default();
    Table { head, rows: lines.collect() }
}

/// A score, the runs that have it down and solvers across.
fn by_row(columns: &[Column], score: &str, rows: &[String]) -> Table {
    let has_floor =
        columns.iter().flat_map(|c| &c.scores).any(|c| c.score == score && c.floor.is_some());
    let mut head = vec!["run".to_owned()];
    head.extend(rows.iter().cloned());
    head.extend(has_floor.then(|| "floor".to_owned()));
    let of_score = || columns.iter().flat_map(|c| &c.scores).filter(|c| c.score == score);
    let has_n = of_score().any(|compared| compared.n.is_some());
    head.extend(has_n.then(|| "N".to_owned()));
    let line = |column: &Column| {
        let found: Vec<_> = rows.iter().map(|row| column.get(score, row)).collect();
        let mut cells = vec![column.name.clone()];
        cells.extend(found.iter().map(|cell| cell.map(number).unwrap_or_default()));
        if has_floor {
            // With as many digits as the surest of them.
            let spread = |cell: &&&Compared| cell.spread.unwrap_or(f64::INFINITY);
            let with_floor = found
                .iter()
                .flatten()
                .filter(|cell| cell.floor.is_some())
                .min_by(|a, b| spread(a).total_cmp(&spread(b)));
            cells.push(with_floor.map(|cell| floor(cell)).unwrap_or_default());
        }
        if has_n {
            cells.push(n_text(found.iter().copied().flatten()));
        }
        cells
    };
    let has_score = |column: &&Column| column.scores.iter().any(|c| c.score == score);
    Table { head, rows: columns.iter().filter(has_score).map(line).collect() }
}

/// How many points were scored, from the fewest to the most.
fn n_text<'a>(compared: impl Iterator<Item = &'a Compared>) -> String {
    let all = compared.filter_map(|c| c.n).flat_map(|(low, high)| [low, high]);
    match range(all) {
        None => String::new(),
        Some((low, high)) if low == high => low.to_string(),
        Some((low, high)) => format!("{low} to {high}"),
    }
}

/// Scores that a run has once, with their floors in brackets and their number of points.
fn of_runs(columns: &[Column], scores: &[String]) -> Table {
    let mut head = vec!["run".to_owned()];
    head.extend(scores.iter().cloned());
    let cell = |compared: &Compared| {
        let floor = compared.floor.map(|_| format!(" ({})", floor(compared)));
        let n = compared.n.map(|_| format!(", N = {}", n_text(std::iter::once(compared))));
        [Some(number(compared)), floor, n].into_iter().flatten().collect::<String>()
    };
    let line = |column: &Column| {
        let cells = scores.iter().map(|s| column.get(s, "").map(cell).unwrap_or_default());
        [column.name.clone()].into_iter().chain(cells).collect()
    };
    Table { head, rows: columns.iter().map(line).collect() }
}

/// Names of the scores, in the order of their first appearance.
fn scores(columns: &[Column]) -> Vec<String> {
    unique(columns.iter().flat_map(|column| &column.scores).map(|compared| &compared.score))
}

/// Rows of a score, likewise.
fn rows(columns: &[Column], score: &str) -> Vec<String> {
    let all = columns.iter().flat_map(|column| &column.scores);
    unique(all.filter(|compared| compared.score == score).map(|compared| &compared.row))
}

fn unique<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        if !unique.contains(name) {
            unique.push(name.clone());
        }
    }
    unique
}

fn number(compared: &Compared) -> String {
    score(compared).value_text()
}

fn floor(compared: &Compared) -> String {
    score(compared).floor_text().unwrap_or_default()
}

fn score(compared: &Compared) -> Score {
    let Compared { score, mean, spread, floor, runs, .. } = compared;
    let mut score = Score::lower(score.as_str(), *mean, *runs);
    score.std_error = *spread;
    score.floor = *floor;
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, keys: &[(&str, &str)]) -> Column {
        Column {
            name: name.into(),
            seeds: vec![0, 1],
            folder: name.into(),
            keys: keys.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            scores: vec![],
            courses: vec![],
            noise_residual: vec![],
            errors: vec![],
            equal_errors: vec![],
        }
    }

    #[test]
    fn recipes_that_differ_in_more_keys_than_there_are_of_them_stand_upright() {
        let few = recipes(&[column("a", &[("k", "x")]), column("b", &[("k", "y")])]);
        assert_eq!((few.head, few.rows[1].clone()), (line("run seeds k"), line("b 0,1 y")));
        let many = [("k", "x"), ("l", "y"), ("m", "z")];
        let many = recipes(&[column("a", &many), column("b", &[("k", "u")])]);
        assert_eq!(many.head, line("run a b"));
        assert_eq!(many.rows[0], line("seeds 0,1 0,1"));
        assert_eq!(many.rows[1], line("k x u"));
        assert_eq!(many.rows[3], ["m", "z", ""]);
    }

    fn line(words: &str) -> Vec<String> {
        words.split(' ').map(|word| word.replace(',', ", ")).collect()
    }
}
