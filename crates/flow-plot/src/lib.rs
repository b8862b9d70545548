//! Pictures from plain numbers: curves, clouds, trajectories, density frames, image grids, animations.
