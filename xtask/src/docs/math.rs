//! Formulas: LaTeX between dollars becomes MathML, which browsers set by themselves.

use pulldown_latex::config::DisplayMode;
use pulldown_latex::{Parser, RenderConfig, Storage, push_mathml};

/// The formula as MathML.
///
/// # Errors
/// What the formula says that is not understood.
pub(crate) fn mathml(latex: &str, display: DisplayMode) -> Result<String, String> {
    let storage = Storage::new();
    let events: Vec<_> = Parser::new(latex, &storage).collect();
    if let Some(error) = events.iter().find_map(|event| event.as_ref().err()) {
        let error = error.to_string();
        return Err(error.lines().next().unwrap_or_default().to_owned());
    }
    let config = RenderConfig { display_mode: display, ..RenderConfig::default() };
    let mut html = String::new();
    push_mathml(&mut html, events.into_iter(), config).map_err(|error| error.to_string())?;
    Ok(html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_set_without_a_network() {
        let html = mathml(r"\frac{dx}{dt} = v(x, t)", DisplayMode::Block).unwrap();
        assert!(html.starts_with("<math") && html.contains("<mfrac"), "{html}");
        assert!(html.contains("display=\"block\""), "{html}");
    }

    #[test]
    fn a_formula_that_is_no_formula_is_an_error() {
        assert!(mathml(r"\frac{a", DisplayMode::Inline).is_err());
        assert!(mathml(r"\nosuchthing x", DisplayMode::Inline).is_err());
    }
}
