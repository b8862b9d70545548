//! What there is to use, as text.

use std::fmt::Write;

use flow_model::Registry;

use crate::choices::{Choices, answer_methods, choices, networks, solvers};
use crate::error::RunError;
use crate::recipe::Recipe;
use crate::recipes::RECIPES;

/// Everything that has a name: recipes, data sets, the choices of a recipe, networks, methods of
/// answers, `more` choices and solvers. Whether folders of images are read is up to the program,
/// and said by `with_folders`.
///
/// # Errors
/// Never, unless a recipe that ships is damaged.
pub fn listed(
    registry: &Registry,
    more: Vec<Choices>,
    with_folders: bool,
) -> Result<String, RunError> {
    let mut text = String::from("recipes\n");
    let mut line = |words: String| {
        // Text is written without failing.
        let _ = writeln!(text, "{words}");
    };
    for (name, recipe) in RECIPES {
        let recipe = Recipe::parse(registry, recipe, &[], name)?;
        line(format!("  {name:20} {}", recipe.about));
    }
    line(format!("data sets\n  {}", flow_datasets::TOYS.join(" ")));
    let built_in = |set: &&&str| **set != "folder" || with_folders;
    let sets: Vec<&str> = flow_datasets::IMAGE_SETS.iter().filter(built_in).copied().collect();
    line(format!("  {}", sets.join(" ")));
    for set in &sets {
        let names = flow_datasets::class_names(set);
        if !names.is_empty() {
            line(format!("  classes of {set:15} {}", names.join(", ")));
        }
    }
    if !with_folders {
        line("  folder: images of your own, once built with `--features folder`".into());
    }
    let all = choices().into_iter().chain([networks(registry), answer_methods()]).chain(more);
    for Choices { title, key, all } in all {
        line(format!("{title} ({key})"));
        for (choice, about) in all {
            line(format!("  {choice:56} {about}"));
        }
    }
    line(format!("solvers (sample.solver)\n  {}", solvers().join(" ")));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_recipes_choices_and_what_a_program_adds() {
        let all = vec![("mine".to_owned(), "my own".to_owned())];
        let more = vec![Choices { title: "families", key: "flow import --as", all }];
        let text = listed(&Registry::default(), more, false).unwrap();
        for line in ["recipes", "families (flow import --as)", "networks (network.kind)"] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        for (name, _) in RECIPES {
            assert!(text.contains(&format!("\n  {name:20} ")), "{name}");
        }
        assert!(text.contains("once built with `--features folder`"));
        assert!(!listed(&Registry::default(), Vec::new(), true).unwrap().contains("once built"));
    }
}
