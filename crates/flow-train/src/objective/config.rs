//! Losses by name.

use flow_path::choices;

use super::{
    Consistency, ConsistencyFlow, Distillation, Lagrangian, MeanFlow, Objective, Regression,
    Shortcut, Splitting,
};

choices! {
    /// What a step of training minimises, by name.
    #[derive(Clone, Debug, PartialEq)]
    pub enum ObjectiveConfig as dyn Objective {
        /// flow matching: the weighted squared error of the prediction
        "regression" => Regression(Regression),
        /// a flow map that agrees with two half steps of its average
        "shortcut" => Shortcut(Shortcut),
        /// a flow map that agrees with two steps that part at a random time
        "splitting" => Splitting(Splitting),
        /// a flow map from its derivative along the path at the start
        "meanflow" => MeanFlow(MeanFlow),
        /// a flow map from its derivative at the end: Lagrangian self-distillation
        "lsd" => Lagrangian(Lagrangian),
        /// a flow map to the data that agrees with itself a little later on the path
        "consistency" => Consistency(Consistency),
        /// a flow map from noise to data, from pairs that a teacher made
        "distillation" => Distillation(Distillation),
        /// a velocity that goes straight to the end of each segment of time
        "consistency-fm" => ConsistencyFlow(ConsistencyFlow),
    }
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self::Regression(Regression)
    }
}
