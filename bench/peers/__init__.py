"""The same work as Bellhop's, done with other libraries. Only the benchmark's environment has them."""
