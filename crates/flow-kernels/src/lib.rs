//! The few operations that dominate on a CPU, fused; plain Burn on every other backend.
