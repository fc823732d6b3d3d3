"""Long trials that are started by hand, never by pytest: ``python -m tests.stress.injection``."""
