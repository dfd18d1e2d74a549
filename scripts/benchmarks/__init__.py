"""Benchmarks: gridmap and its peers on the same data, in turns, judged by one function."""
