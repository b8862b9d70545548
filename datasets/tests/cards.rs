//! Every set has a card, and the cards repeat the manifest's checksums.

use std::fs;
use std::path::Path;

use flow_datasets::{IMAGE_SETS, TOYS};

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_image_set_has_a_card_with_source_licence_size_and_range() {
    for name in IMAGE_SETS {
        let card = text(&format!("cards/{name}.md"));
        for row in ["| source |", "| licence |", "| size |", "| range |"] {
            assert!(card.contains(row), "cards/{name}.md has no row {row}");
        }
    }
}

#[test]
fn every_toy_has_a_section_with_its_formula() {
    let card = text("cards/toys.md");
    for name in TOYS {
        assert!(card.contains(&format!("## {name}\n")), "cards/toys.md has no section {name}");
    }
}

#[test]
fn every_checksum_of_the_manifest_stands_in_a_card() {
    let cards = ["mnist", "fashion-mnist", "cifar10"].map(|name| text(&format!("cards/{name}.md")));
    let manifest = text("manifest.toml");
    let checksums = manifest.lines().filter_map(|line| line.strip_prefix("sha256 = "));
    assert_eq!(checksums.clone().count(), 9);
    for checksum in checksums {
        let checksum = checksum.trim_matches('"');
        assert!(cards.iter().any(|card| card.contains(checksum)), "no card names {checksum}");
    }
}
