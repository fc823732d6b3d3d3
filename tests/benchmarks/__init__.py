"""Speed claims, measured: ``python -m tests.benchmarks [name …]`` prints one table.

Each module here holds one benchmark: a function that yields ``Result``s, named in ``__main__.BENCHMARKS``. A result is
CPU time or a ratio against a baseline taken in the same run; nothing here is asserted by the test suite.
"""
