"""What measures siphon: a corpus made from a seed, and the benchmarks that run on it."""
