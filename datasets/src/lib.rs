//! Data sets: seeded toys, embedded digits, IDX and CIFAR readers, verified downloads.
