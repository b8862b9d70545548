//! Detection of a launcher that has started this process as one of many.

use std::env;
use std::fmt;

/// The place of this process among those that a launcher has started, read from the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The rank of this process, from 0.
    pub rank: usize,
    /// How many were started.
    pub size: usize,
    /// The launcher that started them.
    pub by: Launcher,
}

/// A program that starts processes of MPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Launcher {
    /// `mpirun` of Open MPI.
    OpenMpi,
    /// `mpiexec` of MPICH, Intel MPI and others that use the protocol PMI.
    Pmi,
    /// `srun` of Slurm.
    Slurm,
}

impl Launcher {
    /// Its command.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenMpi => "mpirun",
            Self::Pmi => "mpiexec",
            Self::Slurm => "srun",
        }
    }

    /// The variables with the rank and with the number of processes.
    ///
    /// Slurm has `SLURM_PROCID` and `SLURM_NTASKS` in batch scripts as well, whose commands are
    /// started once; the number of the tasks of a step is that of `srun` alone.
    fn variables(self) -> (&'static str, &'static str) {
        match self {
            Self::OpenMpi => ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
            Self::Pmi => ("PMI_RANK", "PMI_SIZE"),
            Self::Slurm => ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
        }
    }
}

impl fmt::Display for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} started {} processes", self.by.name(), self.size)
    }
}

impl Launch {
    /// Reads the environment of this process; nothing if no launcher has started it.
    #[must_use]
    pub fn of_environment() -> Option<Self> {
        Self::of(|name| env::var(name).ok())
    }

    /// The same of an environment that `variable` looks up.
    #[must_use]
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name| variable(name)?.trim().parse::<usize>().ok();
        [Launcher::OpenMpi, Launcher::Pmi, Launcher::Slurm].into_iter().find_map(|by| {
            let (rank, size) = by.variables();
            let (rank, size) = (number(rank)?, number(size)?);
            (rank < size).then_some(Self { rank, size, by })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<Launch> {
        Launch::of(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn each_launcher_is_known_by_its_variables() {
        for (variables, expected) in [
            (vec![], None),
            (
                vec![("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "4")],
                Some((Launcher::OpenMpi, 1, 4)),
            ),
            (vec![("PMI_RANK", "0"), ("PMI_SIZE", "2")], Some((Launcher::Pmi, 0, 2))),
            (
                vec![("SLURM_PROCID", "3"), ("SLURM_STEP_NUM_TASKS", "8"), ("SLURM_NTASKS", "8")],
                Some((Launcher::Slurm, 3, 8)),
            ),
            // A batch script of Slurm, whose commands are started once.
            (vec![("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")], None),
            // Numbers that are none, or make no sense.
            (vec![("PMI_RANK", "x"), ("PMI_SIZE", "2")], None),
            (vec![("PMI_RANK", "2"), ("PMI_SIZE", "2")], None),
            (vec![("PMI_RANK", "-1"), ("PMI_SIZE", "2")], None),
        ] {
            let found = of(&variables).map(|launch| (launch.by, launch.rank, launch.size));
            assert_eq!(found, expected, "{variables:?}");
        }
    }
}
